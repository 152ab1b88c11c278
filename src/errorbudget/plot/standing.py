"""Where objectives stand, what their alerts see, what was counted, and which days were costly."""

from __future__ import annotations

import datetime as dt
from math import isfinite
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Rectangle

from errorbudget import figures
from errorbudget.burn import max_burn_rate
from errorbudget.durations import SECOND_NS, format_duration
from errorbudget.plot.canvas import Picture, aside, dated, line, sheet, short, silent
from errorbudget.plot.style import ALARM, GRID, INK, LINES, MAIN, RC, SOFT, tier_colours

if TYPE_CHECKING:
    from errorbudget.evaluation import Report
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO
    from errorbudget.status import Status
    from errorbudget.studies.review import Review
    from errorbudget.studies.spend import DailySpend

__all__ = [
    "report_figure",
    "review_figure",
    "series_figure",
    "slo_figure",
    "spend_figure",
    "standing_figure",
]

MOST_ROWS = 40
PERCENTS = (0.001, 0.01, 0.1, 1, 10, 100)
SPANS = {
    1 / 60: "1 min",
    1 / 6: "10 min",
    1: "1 h",
    6: "6 h",
    24: "1 d",
    168: "7 d",
    720: "30 d",
}
"""Hours that an axis of time names."""


def standing_figure(status: Status) -> Picture:
    """The budget that is left, and each burn rate against the thresholds of its alerts."""
    said = f"{status.name}: budget left and burn rates"
    rates = [
        (window, float(rate), format_duration(window))
        for window, rate in status.burn.items()
        if rate is not None
    ]
    if status.budget is None or not rates:
        return _standing([status], said)
    with mpl.rc_context(RC):
        figure, (above, below) = sheet(
            said, 2, height=1.5, together=False, parts=(1, 0.6 + 0.4 * len(rates))
        )
        _left(above, [status])
        above.set_title(f"{short(status.name)}: {status.state}")
        thresholds: dict[int, float] = {}
        for alert in status.alerts:
            bound = float(alert.threshold)
            for window in alert.alert.windows:
                thresholds[window] = min(bound, thresholds.get(window, bound))
        finite = [rate for _, rate, _ in rates if isfinite(rate)]
        top = 2 * max([1.0, *finite, *thresholds.values()])
        for row, (window, rate, _) in enumerate(rates):
            limit = thresholds.get(window)
            over = limit is not None and rate > limit
            below.barh(row, min(rate, top), color=ALARM if over else MAIN, height=0.6)
            if limit is not None:
                below.plot([limit] * 2, [row - 0.42, row + 0.42], color=INK, linewidth=2)
        below.set_yticks(range(len(rates)), [name for *_, name in rates])
        below.set_ylim(len(rates) - 0.4, -0.6)
        below.set_xscale("symlog", linthresh=1, linscale=0.6)
        below.set_xlim(0, top)
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1_000) if tick <= top]
        below.set_xticks(ticks, [str(tick) for tick in ticks])
        below.minorticks_off()
        below.grid(visible=True, axis="x")
        below.grid(visible=False, axis="y")
        below.set_xlabel("burn rate (upright mark: the threshold of an alert)")
        figure.set_size_inches(8.4, 2.3 + 0.24 * len(rates))
    return figure


def report_figure(report: Report) -> Picture:
    """The budget left of each objective, over its tiers."""
    return _standing(list(report), f"{len(report)} SLOs: budget left")


def review_figure(review: Review) -> Picture:
    """The budget left of each objective at the end of the period."""
    return _standing([each.status for each in review], f"{review.period} review: budget left")


def _standing(statuses: list[Status], said: str) -> Picture:
    shown = statuses[:MOST_ROWS]
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.7 + 0.34 * len(shown))
        _left(ax, shown)
        more = len(statuses) - len(shown)
        missed = sum(status.state == "missed" for status in statuses)
        title = f"Budget left: {missed} of {len(statuses)} missed"
        ax.set_title(title + (f"; {more} not shown" if more else ""))
    return figure


def _left(ax: Any, statuses: list[Status]) -> None:
    """A bar of budget left for each status, in the colour of its tier, with its words."""
    ratios = [
        status.budget.remaining_ratio if status.budget is not None else None for status in statuses
    ]
    known = [ratio for ratio in ratios if ratio is not None and isfinite(ratio)]
    low = max(-3.0, min([0.0, *known]))
    if any(ratio is not None and not isfinite(ratio) for ratio in ratios):
        low = min(low, -0.5)
    for row, (status, ratio) in enumerate(zip(statuses, ratios, strict=True)):
        text = f"{status.state.replace('_', ' ')}, no budget"
        width = 0.0
        if status.state == "no_data":
            text = "no data"
        elif ratio is not None and status.budget is not None:
            width = 100 * max(low, ratio)
            bounds = [tier.above for tier in status.slo.policy.tiers if tier.above is not None]
            left = figures.percent(status.budget.remaining_exact, lines=bounds)
            text = f"{left}, {status.tier}"
            ax.barh(row, 100, color=GRID, height=0.55, alpha=0.6)
            colours = tier_colours(status.slo.policy)
            ax.barh(row, width, color=colours[str(status.tier)], height=0.55)
        aside(ax, row, text)
    ax.axvline(0, color=SOFT, linewidth=0.8)
    ax.set_yticks(range(len(statuses)), [short(status.name, 30) for status in statuses])
    ax.set_ylim(len(statuses) - 0.4, -0.6)
    ax.set_xlim(100 * low - (4 if low < 0 else 0), 100)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("budget left [%]")


def slo_figure(slo: SLO) -> Picture:
    """How long each alert takes to fire, by the share of events that fail."""
    said = f"{slo.name}: time to detect, by how much fails"
    if slo.target is None:
        return silent(said, f"{slo.sli}: a threshold has no budget, and no burn alerts.")
    target = slo.target if hasattr(slo.target, "ratio") else slo.target_at(2**62)
    most = max_burn_rate(target)
    if not isfinite(most):
        return silent(said, "At a target of 100 % any failure burns without end.")
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=2.9)
        burns = np.geomspace(min(1.0, most), most, 400)
        shares = np.minimum(burns / most, 1.0).tolist()
        shown = False
        # Alerts may see alike: the wider line lies below, and both are seen.
        for rank, (colour, alert) in enumerate(zip(LINES, slo.alerts.alerts, strict=False)):
            times = [alert.detection_time(target, slo.period_ns, share) for share in shares]
            hours = np.array([np.nan if t is None or not isfinite(t) else t / 3_600 for t in times])
            if np.isnan(hours).all():
                continue
            shown = True
            limit = figures.decimal(alert.threshold(slo.period_ns), 2)
            label = f"{short(alert.name, 20)}: {alert.severity}, burn above {limit}"
            style = {"linewidth": 1.4 + rank, "zorder": 3 - rank / 9}
            drawn = np.maximum(hours, 1 / 3_600)
            ax.plot(100 * np.array(shares), drawn, color=colour, label=label, **style)
        gone = slo.period_ns / SECOND_NS / 3_600 / burns
        ax.plot(100 * np.array(shares), gone, color=INK, linestyle=":", label="budget is gone")
        ax.set_xscale("log")
        ax.set_yscale("log")
        top = float(gone.max()) * 1.5
        ax.set_ylim(1 / 90, top)
        ticks = [hour for hour in SPANS if hour <= top]
        ax.set_yticks(ticks, [SPANS[hour] for hour in ticks])
        marks = [mark for mark in PERCENTS if mark >= 99 * shares[0]]
        ax.set_xticks(marks, [f"{mark:g} %" for mark in marks])
        ax.minorticks_off()
        ax.grid(visible=True, axis="both")
        ax.set_xlabel("share of events that fail, from one moment on")
        ax.set_ylabel("fires after")
        ax.set_title(f"{short(slo.name)}: what its alerts see" + ("" if shown else " (nothing)"))
        figure.legend(loc="outside lower left", ncols=2, fontsize=8)
    return figure


def series_figure(series: CountSeries) -> Picture:
    """Units per bin, and the share of bad ones."""
    said = "units per bin, and the share of bad ones"
    if not len(series):
        return silent(said, "There are no units.")
    with mpl.rc_context(RC):
        figure, (above, below) = sheet(said, 2, height=1.6)
        total = series.total.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total > 0, 100 * (series.total - series.good) / total, np.nan)
        every = format_duration(series.step_ns)
        line(above, series.end_ns, total, color=MAIN, linewidth=1.1, label="total")
        above.set_ylim(0, float(total.max()) * 1.1 or 1)
        above.set_ylabel("units")
        above.set_title(f"Units in each {every}")
        line(below, series.end_ns, share, color=ALARM, linewidth=1.1, label="bad")
        below.set_ylim(0, max(float(np.nanmax(share, initial=0.0)) * 1.1, 1e-3))
        below.set_ylabel("bad [%]")
        below.set_title("Share of bad units")
        dated([above, below], int(series.end_ns[0]), int(series.end_ns[-1]))
    return figure


MOST_WEEKS = 54
FILL = "#0b5cad"
"""The costliest day, on any paper."""


def spend_figure(spend: DailySpend) -> Picture:
    """A calendar: a column for each week, the darker the costlier, each day with its figure."""
    said = f"{spend.slo.name}: spend by day"
    if not len(spend):
        return silent(said, "There are no days with data.")
    days = list(spend)
    first = dt.date.fromisoformat(days[0].date)
    monday = first - dt.timedelta(days=first.weekday())
    weeks = [(dt.date.fromisoformat(day.date) - monday).days // 7 for day in days]
    skipped = max(0, weeks[-1] + 1 - MOST_WEEKS)
    costs = [float(day.cost) if day.cost is not None else 0.0 for day in days]
    top = max([*costs, 1e-9])
    columns = weeks[-1] + 1 - skipped
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=2.6)
        for day, week, cost in zip(days, weeks, costs, strict=True):
            if week < skipped:
                continue
            x, y = week - skipped, day.weekday
            known = day.counts.total > 0
            shade = cost / top
            ax.add_patch(
                Rectangle(
                    (x - 0.46, y - 0.46),
                    0.92,
                    0.92,
                    facecolor=(FILL, 0.05 + 0.95 * shade) if known else "none",
                    edgecolor=SOFT if not known else "none",
                    hatch=None if known else "///",
                    linewidth=0.6 if not known else 0,
                )
            )
            if columns <= 16 and known:
                text = figures.percent(cost, 1 if cost < 0.0995 else 0) if day.counts.bad else "0"
                ax.text(
                    x,
                    y,
                    text,
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="#fffffe" if shade > 0.78 else INK,
                )
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        ax.set_yticks(range(7), names)
        ax.set_ylim(6.6, -0.6)
        every = max(1, -(-columns // 12))
        marks = range(0, columns, every)
        starts = [monday + dt.timedelta(days=7 * (mark + skipped)) for mark in marks]
        ax.set_xticks(list(marks), [f"{start:%d %b}".lstrip("0") for start in starts])
        ax.set_xlim(-0.6, max(columns, 8) - 0.4)
        ax.grid(visible=False)
        ax.tick_params(length=0)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        rest = f"; {skipped} earlier weeks not shown" if skipped else ""
        ax.set_xlabel(f"week that begins on ({spend.zone}); hatched: no data{rest}")
        ax.set_title(f"{short(spend.slo.name)}: spend by day, in percent of an average budget")
    return figure
