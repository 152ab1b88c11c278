"""What comes and what would have come: fan, schedule, front, episodes."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from errorbudget import figures
from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, format_duration
from errorbudget.plot.canvas import (
    Picture,
    dated,
    labelled,
    line,
    moments,
    sheet,
    short,
    silent,
)
from errorbudget.plot.panels import over_tiers
from errorbudget.plot.style import ALARM, INK, LINES, MAIN, RC, SOFT

if TYPE_CHECKING:
    from errorbudget.studies.backtest import Backtest
    from errorbudget.studies.forecast import Forecast
    from errorbudget.studies.pages import PolicyResult
    from errorbudget.studies.pareto import Recommendation
    from errorbudget.studies.recovery import Recovery
    from errorbudget.studies.simulate import Simulation

__all__ = [
    "backtest_figure",
    "forecast_figure",
    "policy_figure",
    "recommendation_figure",
    "recovery_figure",
    "simulation_figure",
]

MOST_NAMES = 12
STEPS = (MINUTE_NS, 5 * MINUTE_NS, 15 * MINUTE_NS, HOUR_NS, 6 * HOUR_NS, DAY_NS)


def forecast_figure(forecast: Forecast) -> Picture:
    """A fan over the tiers: the middle future, and those between the early and the late one."""
    said = f"{forecast.slo.name}: budget left, foretold"
    if forecast.probability is None or not len(forecast.time_ns):
        return silent(said, str(forecast))
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=2.9)
        known = forecast.low[np.isfinite(forecast.low)]
        bottom = over_tiers(ax, float(known.min(initial=0.0)), forecast.slo.policy)
        time = moments(forecast.time_ns)
        low, high = (
            100 * np.nan_to_num(each, neginf=bottom) for each in (forecast.low, forecast.high)
        )
        band = f"{figures.percent(forecast.level, 0)} of futures"
        ax.fill_between(time, low, high, color=MAIN, alpha=0.28, linewidth=0, label=band)
        middle = 100 * np.nan_to_num(forecast.median, neginf=bottom, nan=np.nan)
        line(ax, forecast.time_ns, middle, color=INK, label="middle future")
        gone = forecast.exhaustion[1]
        share = figures.percent(forecast.probability, 0)
        if gone is not None:
            label = f"gone in the middle future, in {share} of all"
            ax.axvline(moments(gone), color=ALARM, linestyle="--", linewidth=1.2, label=label)
        title = f"{short(forecast.slo.name)}: forecast, {short(forecast.scenario.name)}"
        if gone is None:
            title += f"; exhausted in {share} of futures"
        ax.set_title(title)
        figure.legend(loc="outside lower left", ncols=3, fontsize=8)
        dated([ax], forecast.at_ns, int(forecast.time_ns[-1]))
    return figure


def recovery_figure(recovery: Recovery) -> Picture:
    """The budget's return as a staircase over the tiers."""
    said = f"{recovery.slo.name}: budget left if nothing more goes wrong"
    total, error = recovery.counts.total, float(recovery.error)
    if not total:
        return silent(said, "There are no events in the window.")
    bad = np.concatenate(([float(recovery.counts.bad)], recovery.bad.astype(np.float64)))
    with np.errstate(divide="ignore", invalid="ignore"):
        spent = bad / (float(total) * error) if error else np.where(bad > 0, np.inf, 0.0)
    left = 1 - spent
    time_ns = np.concatenate(([recovery.at_ns], recovery.time_ns)).astype(np.int64)
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=2.6)
        known = left[np.isfinite(left)]
        bottom = over_tiers(ax, float(known.min(initial=0.0)), recovery.slo.policy)
        end_ns = int(time_ns[-1]) + max(int(time_ns[-1] - time_ns[0]) // 25, 60_000_000_000)
        times = np.concatenate((time_ns, [end_ns]))
        drawn = 100 * np.nan_to_num(np.concatenate((left, left[-1:])), neginf=bottom)
        rows = np.unique(np.linspace(0, len(times) - 1, 2_000).astype(int))
        ax.step(moments(times[rows]), drawn[rows], where="post", color=INK)
        points = [
            (moments(change.at_ns), 100 * float(change.remaining), f"{change.after} from here")
            for change in recovery.tier_changes()[1:]
            if change.after is not None
            and change.remaining is not None
            and isfinite(change.remaining)
        ]
        for x, y, _ in points:
            ax.plot(x, y, "o", color=MAIN, markersize=4)
        ax.set_title(f"{short(recovery.slo.name)}: if nothing more goes wrong")
        dated([ax], int(time_ns[0]), end_ns)
        labelled(ax, points, below=True)
    return figure


def backtest_figure(backtest: Backtest) -> Picture:
    """Each policy by its noise and by what it leaves unseen, and the front that none beats."""
    said = f"{backtest.slo.name}: false pages against budget spent unseen"
    if not len(backtest):
        return silent(said, "No policies were run.")
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=3.4)
        everyone = np.array([_place(result) for result in backtest])
        front = backtest.front()
        best = backtest.recommend().result
        drawn = {
            "policies": ax.plot(*everyone.T, "o", color=SOFT, markersize=4, alpha=0.55)[0],
        }
        if front:
            steps = [_place(result) for result in front]
            drawn["front: no other beats these"] = ax.step(
                *zip(*steps, strict=True), where="post", color=MAIN, marker="o", markersize=5
            )[0]
        at = _place(best)
        ax.plot(*at, "D", color=ALARM, markersize=9, fillstyle="none", markeredgewidth=2)
        right, top = everyone.max(axis=0)
        ax.set_xlim(-0.06 * max(right, 1), 1.15 * max(right, 1))
        ax.set_ylim(-0.1 * max(top, 1), 1.2 * max(top, 1))
        ax.set_xlabel("false pages in 30 days, open ones sent again among them")
        ax.set_ylabel("spent unseen [% of a budget]")
        ax.grid(visible=True, axis="both")
        ax.set_title(f"{short(backtest.slo.name)}: noise against what goes unseen")
        names = [f"take: {short(best.name)}"] if len(backtest) > 1 else [short(best.name)]
        diamond = mpl.lines.Line2D([], [], marker="D", color=ALARM, linestyle="none")
        diamond.set(fillstyle="none", markeredgewidth=2)
        figure.legend(
            [diamond, *drawn.values()],
            [*names, *drawn],
            loc="outside lower left",
            ncols=3,
            fontsize=8,
        )
        points = [(*_place(result), short(result.name, 26)) for result in front or (best,)]
        labelled(ax, points, below=True)
    return figure


def _place(result: PolicyResult) -> tuple[float, float]:
    """False pages and repeats a month, and the percentage of a budget that was spent unseen."""
    return float(result.noise_per_month or 0), 100 * float(result.spent_unseen)


def policy_figure(result: PolicyResult) -> Picture:
    """When each alert of a policy fired, below what it should have seen."""
    said = f"{result.name}: alert episodes against incidents"
    incidents = [found.incident for found in result.detections]
    edges = [edge for each in incidents for edge in (each.start_ns, each.end_ns)]
    edges += [each.start_ns for each in result.episodes]
    edges += [each.end_ns for each in result.episodes if each.end_ns is not None]
    if not edges:
        return silent(said, "Nothing fired, and there was nothing to see.")
    start, end = min(edges), max(edges)
    margin = max((end - start) // 30, 60_000_000_000)
    start, end = start - margin, end + margin
    names = list(dict.fromkeys(alert.name for alert in result.policy.alerts))
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.9 + 0.32 * (len(names) + 1))
        for rank, name in enumerate(names, 1):
            spans = [
                (each.start_ns, end if each.end_ns is None else each.end_ns)
                for each in result.episodes
                if each.alert == name
            ]
            _bars(ax, spans, rank, LINES[(rank - 1) % len(LINES)])
        missed = [found.incident for found in result.detections if found.detected_ns is None]
        seen = [found.incident for found in result.detections if found.detected_ns is not None]
        _bars(ax, [(each.start_ns, each.end_ns) for each in seen], 0, SOFT)
        _bars(ax, [(each.start_ns, each.end_ns) for each in missed], 0, ALARM, marker="x")
        ax.set_yticks(
            range(len(names) + 1), ["incidents", *(short(f"fires: {name}", 28) for name in names)]
        )
        ax.set_ylim(len(names) + 0.6, -0.6)
        title = (
            f"{short(result.name)}: {len(incidents) - len(missed)} of {len(incidents)} incidents"
        )
        title += f" seen, {len(result.false_pages)} of {len(result.pages)} pages false"
        ax.set_title(title)
        if missed:
            ax.set_xlabel("")
        dated([ax], start, end)
        if missed:
            ax.set_xlabel("time (UTC); x: an incident that nobody was paged for")
    return figure


def _bars(
    ax: Any, spans: list[tuple[int, int]], height: float, colour: str, marker: str = ""
) -> None:
    """Stretches as bars at one height; the shortest is still seen."""
    xs: list[Any] = []
    for start, end in spans:
        xs += [*moments([start, max(end, start + 1_000_000)]), np.datetime64("NaT", "ms")]
    times = np.array(xs, dtype="datetime64[ms]")
    ax.plot(times, [height] * len(xs), color=colour, linewidth=7, solid_capstyle="butt")
    ax.plot(times[::3], [height] * len(spans), marker or "|", color=colour, markersize=7)


def recommendation_figure(recommendation: Recommendation) -> Picture:
    """What the policy to take would have done."""
    return policy_figure(recommendation.result)


MOST_POINTS = 800
"""Bins in the picture of a simulation, so that a month is drawn by the hours or so."""


def simulation_figure(simulation: Simulation) -> Picture:
    """Requests, and the share of them that failed, with the incidents shaded."""
    said = "simulated requests, and the share that failed"
    if not len(simulation):
        return silent(said, "There are no requests.")
    length = simulation.end_ns - simulation.start_ns
    wanted = -(-length // MOST_POINTS)
    step_ns = next((step for step in STEPS if step >= wanted), STEPS[-1])
    series = simulation.counts(format_duration(step_ns))
    with mpl.rc_context(RC):
        figure, (above, below) = sheet(said, 2, height=1.8)
        total = series.total.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total > 0, 100 * (series.total - series.good) / total, np.nan)
        line(above, series.end_ns, total, color=MAIN, linewidth=1.1)
        above.set_ylim(0, float(total.max()) * 1.1 or 1)
        above.set_ylabel("requests")
        above.set_title(f"Requests in each {format_duration(step_ns)}")
        line(below, series.end_ns, share, color=ALARM, linewidth=1.1)
        top = max(float(np.nanmax(share, initial=0.0)), 1e-3)
        below.set_ylim(0, top * 1.4)
        below.set_ylabel("failed [%]")
        below.set_title("Share of requests that failed")
        for impact in simulation.incidents:
            for ax in (above, below):
                span = moments([impact.start_ns, impact.end_ns])
                ax.axvspan(span[0], span[1], color=SOFT, alpha=0.25, linewidth=0)
        worst = sorted(simulation.incidents, key=lambda impact: -impact.bad)[:MOST_NAMES]
        names = []
        for impact in worst:
            inside = (series.end_ns > impact.start_ns) & (series.end_ns <= impact.end_ns + step_ns)
            height = float(np.nanmax(share[inside], initial=0.0))
            middle = (impact.start_ns + impact.end_ns) // 2
            names.append((moments(middle), height, short(impact.name, 22)))
        dated([above, below], simulation.start_ns, simulation.end_ns)
        labelled(below, names)
    return figure
