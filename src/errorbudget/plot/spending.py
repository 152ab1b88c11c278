"""Where the budget went and what that asks for: spenders, incidents, candidates, intervals."""

from __future__ import annotations

from math import isfinite, log10
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator

from errorbudget import figures
from errorbudget.durations import format_duration
from errorbudget.plot.canvas import (
    Picture,
    beside,
    dated,
    labelled,
    moments,
    sheet,
    short,
    silent,
)
from errorbudget.plot.style import ALARM, GRID, INK, LINES, MAIN, RC, SOFT, tier_colours
from errorbudget.target import Target

if TYPE_CHECKING:
    from errorbudget.studies.advice import Advice
    from errorbudget.studies.attribution import Attribution
    from errorbudget.studies.confidence import Confidence
    from errorbudget.studies.deploys import DeployEffect
    from errorbudget.studies.ledger import Ledger
    from errorbudget.studies.lint import LintReport
    from errorbudget.studies.noise import BurnVerdict, LeastTraffic

__all__ = [
    "advice_figure",
    "attribution_figure",
    "confidence_figure",
    "deploy_figure",
    "least_traffic_figure",
    "ledger_figure",
    "lint_figure",
    "verdict_figure",
]

MOST_BARS = 15
MOST_NAMES = 12


def _value(number: Any) -> float:
    return float("nan") if number is None else float(number)


def attribution_figure(attribution: Attribution) -> Picture:
    """Bars, the greatest spender on top; small ones together at the bottom."""
    said = f"{attribution.slo.name}: who spent the budget"
    spenders = [each for each in attribution if each.counts.bad]
    if not spenders:
        return silent(said, "Nothing was bad, so nobody spent anything.")
    shown, rest = spenders[:MOST_BARS], spenders[MOST_BARS:]
    names = [short(each.name) for each in shown]
    shares = [100 * _value(each.share) for each in shown]
    bads = [float(each.counts.bad) for each in shown]
    if rest:
        names.append(f"{len(rest):,} others")
        shares.append(sum(100 * _value(each.share) for each in rest))
        bads.append(sum(float(each.counts.bad) for each in rest))
    whole = float(attribution.counts.bad)
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.9 + 0.26 * len(names))
        rows = range(len(names))
        ax.barh(rows, shares, color=[*[MAIN] * len(shown), *[SOFT] * bool(rest)], height=0.7)
        for row, share, bad in zip(rows, shares, bads, strict=True):
            text = f"{figures.count(round(bad))} bad"
            consumed = attribution.consumed
            if consumed is not None and isfinite(consumed):
                text += f", {figures.percent(float(consumed) * bad / whole)} of the budget"
            beside(ax, share, row, text)
        ax.set_yticks(rows, names)
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.set_xlim(0, max(shares) * 1.55)
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_xticks(
            [
                tick
                for tick in range(0, 101, 10 if max(shares) > 35 else 5)
                if tick <= max(shares) * 1.02
            ]
        )
        ax.set_xlabel("share of all bad events [%]")
        ax.set_title(
            f"{short(attribution.slo.name)}: who spent the budget, by "
            f"{short(', '.join(attribution.by))}"
        )
    return figure


def ledger_figure(ledger: Ledger) -> Picture:
    """Incidents along the window, as high as they cost, and as wide as they lasted."""
    said = f"{ledger.slo.name}: incidents and what they cost"
    entries = [entry for entry in ledger if entry.cost is not None]
    if not entries:
        return silent(said, "There were no incidents in this window.")
    endless = any(not isfinite(entry.cost) for entry in entries if entry.cost is not None)
    costs = [100 * _value(entry.share if endless else entry.cost) for entry in entries]
    top = max([*costs, 1e-9])
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=2.7)
        for entry, cost in zip(entries, costs, strict=True):
            span = moments([entry.start_ns, entry.end_ns])
            ax.fill_between(span, 0, cost, color=MAIN, alpha=0.45, linewidth=0)
            ax.vlines(span, 0, cost, color=MAIN, linewidth=1.6)
        ax.axhline(0, color=GRID, linewidth=0.8)
        ax.set_ylim(0, top * 1.25)
        ax.set_ylabel("share of the bad [%]" if endless else "cost [% of the budget]")
        others = figures.percent(ledger.elsewhere_cost)
        if not endless and ledger.elsewhere_cost is not None:
            ax.set_title(
                f"{short(ledger.slo.name)}: {len(ledger)} incidents; {others} spent elsewhere"
            )
        else:
            ax.set_title(f"{short(ledger.slo.name)}: {len(ledger)} incidents")
        start = min(ledger.interval.start_ns, *(entry.start_ns for entry in entries))
        dated([ax], start, ledger.interval.end_ns)
        order = sorted(range(len(entries)), key=lambda row: -costs[row])[:MOST_NAMES]
        order = [row for row in order if costs[row] >= top / 12]
        labelled(
            ax,
            [
                (
                    moments((entries[row].start_ns + entries[row].end_ns) // 2),
                    costs[row],
                    f"{short(entries[row].name, 22)}, {costs[row]:.3g} %",
                )
                for row in order
            ],
            lines=[
                (moments(edge), cost)
                for entry, cost in zip(entries, costs, strict=True)
                for edge in (entry.start_ns, entry.end_ns)
                if cost >= top / 30
            ],
        )
    return figure


def deploy_figure(effect: DeployEffect) -> Picture:
    """Burn rates before and after."""
    said = f"{effect.slo.name}: burn before and after"
    burns = [effect.burn_before, effect.burn_after]
    known = [float(burn) for burn in burns if burn is not None and isfinite(burn)]
    if not known:
        return silent(said, str(effect))
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=1.6)
        top = max([*known, 1.0])
        for row, (burn, counts, colour) in enumerate(
            zip(burns, (effect.before, effect.after), (SOFT, MAIN), strict=True)
        ):
            width = 0.0 if burn is None else min(float(burn), top)
            text = "no events"
            if burn is not None:
                text = f"{figures.decimal(burn)}: {figures.count(counts.bad)} bad of "
                text += figures.count(counts.total)
            ax.barh(row, width, color=colour, height=0.6)
            beside(ax, width, row, text)
        ax.axvline(1, color=ALARM, linestyle="--", linewidth=1)
        lengths = (effect.before_ns, effect.after_ns)
        ax.set_yticks(
            [0, 1],
            [
                f"{format_duration(length)} {side}"
                for side, length in zip(("before", "after"), lengths, strict=True)
            ],
        )
        ax.set_ylim(1.6, -0.6)
        ax.set_xlim(0, top * 1.5)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("burn rate (dashed: 1, an even spend)")
        ax.set_title(f"{short(effect.slo.name)} around {figures.instant(effect.at_ns)}")
    return figure


def advice_figure(advice: Advice) -> Picture:
    """Share of the time that each candidate would have spent in which tier."""
    said = f"{advice.slo.name}: time per tier, by target"
    candidates = [each for each in advice if each.tiers]
    if not candidates:
        return silent(said, "No candidate could be judged.")
    colours = tier_colours(advice.slo.policy)
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.9 + 0.28 * len(candidates))
        rows = np.arange(len(candidates))
        left = np.zeros(len(candidates))
        for tier in advice.slo.policy.tiers:
            width = np.array([100 * _value(each.tiers[tier.name]) for each in candidates])
            ax.barh(
                rows,
                width,
                left=left,
                color=colours[tier.name],
                edgecolor=mpl.rcParams["figure.facecolor"],
                height=0.75,
                label=tier.name,
            )
            left += width
        for row, each in zip(rows, candidates, strict=True):
            pages = f"{each.pages:,} page" + ("" if each.pages == 1 else "s")
            kept = f"kept {each.months_kept} of {advice.months} months, {pages}"
            ax.annotate(
                kept,
                (101, row),
                va="center",
                fontsize=8,
                color=SOFT,
                annotation_clip=False,
            )
        marks = {advice.present: "now", advice.recommended: "take"}
        if advice.present == advice.recommended:
            marks[advice.present] = "now, take"
        ax.set_yticks(
            rows,
            [
                f"{each.target}" + (f" ({marks[each.target]})" if each.target in marks else "")
                for each in candidates
            ],
        )
        ax.set_ylim(len(candidates) - 0.4, -0.6)
        ax.set_xlim(0, 100)
        ax.grid(visible=False)
        ax.set_xlabel("share of the time [%]")
        ax.set_title(f"{short(advice.slo.name)}: what each target would have meant")
        figure.legend(loc="outside lower left", ncols=4, fontsize=8)
    return figure


def lint_figure(report: LintReport) -> Picture:
    """How often each pitfall was found."""
    said = "pitfalls found"
    if not len(report):
        return silent(said, "Nothing was found.")
    found: dict[str, list[Any]] = {}
    for finding in report:
        found.setdefault(finding.check.id, []).append(finding)
    colours = {"error": ALARM, "warning": LINES[4], "info": SOFT}
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.8 + 0.28 * len(found))
        for row, findings in enumerate(found.values()):
            check = findings[0].check
            ax.barh(row, len(findings), color=colours[check.severity], height=0.65)
            beside(
                ax,
                len(findings),
                row,
                f"{len(findings)} {check.severity}" + ("s" if len(findings) > 1 else ""),
            )
        ax.set_yticks(
            range(len(found)),
            [f"{key} {short(each[0].check.title, 44)}" for key, each in found.items()],
        )
        most = max(map(len, found.values()))
        ax.set_ylim(len(found) - 0.4, -0.6)
        ax.set_xlim(0, most * 1.4)
        ax.set_xticks(range(0, most + 1, max(1, most // 6)))
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("findings")
        ax.set_title(f"Pitfalls: {len(report)} found")
    return figure


def confidence_figure(confidence: Confidence) -> Picture:
    """Each figure's interval, beside the line that decides."""
    said = "intervals of SLI, burn rate and budget left"
    if confidence.sli is None or confidence.burn is None or confidence.remaining is None:
        return silent(said, "There are no events, so nothing is known.")
    counts, error = confidence.counts, float(confidence.error)
    seen = float(counts.bad) / float(counts.total)
    burn = seen / error if error else (float("inf") if seen else 0.0)
    panels = (
        ("SLI [%]", [100 * end for end in confidence.sli], 100 * (1 - seen), 100 * (1 - error)),
        ("burn rate", list(confidence.burn), burn, 1.0),
        ("budget left [%]", [100 * end for end in confidence.remaining], 100 * (1 - burn), 0.0),
    )
    with mpl.rc_context(RC):
        figure, axes = sheet(said, 3, height=0.75, together=False)
        for ax, (name, ends, point, decides) in zip(axes, panels, strict=True):
            low, high = (end if isfinite(end) else decides for end in ends)
            ax.plot([low, high], [0, 0], color=MAIN, linewidth=6, solid_capstyle="butt", alpha=0.6)
            if isfinite(point):
                ax.plot(point, 0, "o", color=INK, markersize=6)
            ax.axvline(decides, color=ALARM, linestyle="--", linewidth=1.2)
            places = [low, high, decides, *([point] if isfinite(point) else [])]
            margin = 0.08 * (max(places) - min(places)) or 1.0
            ax.set_xlim(min(places) - margin, max(places) + margin)
            ax.ticklabel_format(axis="x", useOffset=False)
            ax.set_yticks([0], [name])
            ax.set_ylim(-1, 1)
            ax.grid(visible=False)
        word = confidence.verdict.replace("_", " ")
        level = figures.percent(confidence.level, 0)
        axes[0].set_title(f"{Target(1 - confidence.error)}: {word} ({level} intervals)")
        axes[-1].set_xlabel("dot: what was seen; dashed: what decides")
    return figure


def verdict_figure(verdict: BurnVerdict) -> Picture:
    """Bad events that were seen, that are allowed, and that would be more than chance."""
    said = "bad events: seen, ordinary, and needed to call it a burn"
    if verdict.burn is None:
        return silent(said, "There are no events: neither burn nor noise.")
    expected = verdict.ordinary * verdict.counts.total
    rows = (
        ("seen", float(verdict.counts.bad), ALARM if verdict.real else MAIN),
        ("ordinary", expected, SOFT),
        ("more than chance", float(verdict.needed), SOFT),
    )
    return _counted(said, rows, "A burn" if verdict.real else "May be noise", "bad events")


def least_traffic_figure(least: LeastTraffic) -> Picture:
    """Events that are wanted, on a scale of powers of ten."""
    rows = (
        ("a single bad one fits", float(least.to_allow_one), MAIN),
        ("kept is shown", float(least.to_show), MAIN),
        (f"{least.factor:g} times worse is told", float(least.to_tell), MAIN),
    )
    said = f"least traffic for {least.target}"
    return _counted(said, rows, f"Least traffic for {least.target}", "events (log scale)", log=True)


def _counted(said: str, rows: Any, title: str, unit: str, *, log: bool = False) -> Picture:
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=1.9)
        most = max(value for _, value, _ in rows)
        for row, (_, value, colour) in enumerate(rows):
            ax.barh(row, value, color=colour, height=0.6)
            beside(ax, value, row, figures.decimal(value, 2))
        ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        if log:
            ax.set_xscale("log")
            ax.set_xlim(1, 10 ** (log10(max(most, 10)) * 1.15))
            powers = [10**power for power in range(int(log10(max(most, 10))) + 1)]
            ax.set_xticks(powers, [f"{power:,}" for power in powers])
            ax.minorticks_off()
        else:
            ax.set_xlim(0, most * 1.25 or 1)
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(unit)
        ax.set_title(title)
    return figure
