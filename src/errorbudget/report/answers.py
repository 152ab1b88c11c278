"""Answers of studies in words: a section an objective, figures rounded as in every face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from errorbudget.durations import SECOND_NS
from errorbudget.figures import NOTHING, count, instant, length, percent, rate
from errorbudget.report.outlook_svg import forecast_picture, recovery_picture
from errorbudget.report.paper import (
    Bar,
    Block,
    Items,
    Paper,
    Picture,
    Section,
    Sentence,
    TableBlock,
)
from errorbudget.report.spending_svg import advice_picture, confidence_picture, ledger_picture

if TYPE_CHECKING:
    from errorbudget.slo import SLO
    from errorbudget.studies.advice import Advice
    from errorbudget.studies.attribution import Attribution
    from errorbudget.studies.confidence import Confidence
    from errorbudget.studies.deploys import DeployEffect
    from errorbudget.studies.forecast import Forecast
    from errorbudget.studies.ledger import Ledger
    from errorbudget.studies.lint import LintReport
    from errorbudget.studies.noise import BurnVerdict, LeastTraffic
    from errorbudget.studies.recovery import Recovery
    from errorbudget.windows import Interval

__all__ = [
    "advice_sections",
    "attribution_section",
    "confidence_section",
    "deploy_section",
    "forecast_section",
    "incidents_table",
    "ledger_section",
    "lint_sections",
    "paper_of",
    "span_words",
]


def paper_of(title: str, sections: Iterable[Section], notes: Iterable[str] = ()) -> Paper:
    """Sections as one paper."""
    return Paper(title, tuple(sections), tuple(notes))


def span_words(interval: Interval) -> str:
    """A stretch from its start to its end, and how long it is."""
    stretch = f"{instant(interval.start_ns)} to {instant(interval.end_ns)}"
    return f"{stretch} ({length(interval.length_ns)})"


def _together(parts: Iterable[Any]) -> Any:
    """Their sum; None where one is not known."""
    found = list(parts)
    return None if None in found else sum(found)


def incidents_table(
    ledger: Ledger, costs: Sequence[Any] | None = None, most: int | None = None
) -> TableBlock:
    """
    The incidents of a ledger.

    Args:
        ledger: The incidents.
        costs: Parts of another budget than the ledger's own.
        most: How many to name, the worst by bad events; the others are added up in a last row.
    """
    own = [entry.cost for entry in ledger] if costs is None else costs
    by_size = sorted(range(len(ledger)), key=lambda place: -ledger[place].counts.bad)
    named, others = sorted(by_size[:most]), by_size[len(by_size[:most]) :]
    rows = [
        (
            entry.name,
            instant(entry.start_ns),
            length(entry.duration_ns),
            count(entry.counts.bad),
            rate(entry.peak_burn),
            percent(cost),
            percent(entry.share),
        )
        for entry, cost in ((ledger[place], own[place]) for place in named)
    ]
    if others:
        rows.append(
            (
                f"{len(others)} smaller",
                "",
                "",
                count(sum(ledger[place].counts.bad for place in others)),
                "",
                percent(_together(own[place] for place in others)),
                percent(_together(ledger[place].share for place in others)),
            )
        )
    head = ("incident", "start", "for", "bad", "peak burn", "of the budget", "of the bad")
    bars = _bars(ledger[place].share for place in named)
    if others:
        bars += _bars([_together(ledger[place].share for place in others)])
    return TableBlock(head, tuple(rows), frozenset({1}), {6: bars})


def ledger_section(ledger: Ledger) -> Section:
    """The incidents of one window, and what slipped away outside of them."""
    elsewhere = (
        f"outside of incidents: {count(ledger.elsewhere.bad)} bad, "
        f"{percent(ledger.elsewhere_cost)} of the budget"
    )
    blocks: list[Block] = (
        [Picture(partial(ledger_picture, ledger)), incidents_table(ledger)]
        if len(ledger)
        else [Sentence("No incidents.")]
    )
    title = f"{ledger.slo.name}: {span_words(ledger.interval)}"
    return Section(title, (*blocks, Sentence(elsewhere)))


def attribution_section(found: Attribution, most: int | None = None) -> Section:
    """Who spent the budget of one window; the rest of more than *most* in one row."""
    shown = found.spenders if most is None else found.spenders[:most]
    rows = [
        (
            spender.name,
            count(spender.counts.bad),
            count(spender.counts.total),
            percent(spender.share),
            percent(spender.consumed),
            rate(spender.burn),
        )
        for spender in shown
    ]
    others = found.others(len(shown))
    if others is not None:
        rows.append(
            (
                others.name,
                count(others.counts.bad),
                count(others.counts.total),
                percent(others.share),
                percent(others.consumed),
                NOTHING,
            )
        )
    whole = percent(1 if found.counts.bad else None)
    rows.append(
        (
            "together",
            count(found.counts.bad),
            count(found.counts.total),
            whole,
            percent(found.consumed),
            rate(found.consumed),
        )
    )
    head = (", ".join(found.by), "bad", "total", "of the bad", "of the budget", "burn")
    title = f"{found.slo.name}: {span_words(found.interval)}"
    drawn = (*shown, *([] if others is None else [others]))
    bars = _bars([*(each.share for each in drawn), None])
    return Section(title, (TableBlock(head, tuple(rows), bars={3: bars} if any(bars) else {}),))


def _bars(shares: Iterable[Fraction | None]) -> tuple[Bar | None, ...]:
    return tuple(None if share is None else Bar(float(share)) for share in shares)


def deploy_section(found: DeployEffect) -> Section:
    """Before and after a deploy."""
    rows = tuple(
        (side, length(lasting), count(counts.bad), count(counts.total), rate(burn))
        for side, lasting, counts, burn in (
            ("before", found.before_ns, found.before, found.burn_before),
            ("after", found.after_ns, found.after, found.burn_after),
        )
    )
    extra = found.extra_bad
    said = (
        "a side has no events, so nothing can be compared"
        if not (found.before.total and found.after.total)
        else f"{count(extra)} bad events more than before foretells; chance does as much in "
        f"{found.p_clustered:.2g} of all deploys that change nothing"
        + (
            f" (failures cluster {found.dispersion:.1f} fold; {found.p_value:.2g} if they did not)"
            if found.dispersion > 1
            else ""
        )
    )
    return Section(
        f"{found.slo.name}: deploy at {instant(found.at_ns)}",
        (TableBlock(("", "for", "bad", "total", "burn"), rows), Sentence(said)),
    )


def confidence_section(
    slo: SLO, found: Confidence, verdict: BurnVerdict | None, least: LeastTraffic | None
) -> Section:
    """How sure the figures of one window are."""

    def ends(pair: tuple[float, float] | None, say: Any) -> tuple[str, str]:
        return (NOTHING, NOTHING) if pair is None else (say(pair[0]), say(pair[1]))

    rows = (
        ("SLI", *ends(found.sli, lambda x: percent(x, 4))),
        ("budget left", *ends(found.remaining, lambda x: percent(x, 1))),
        ("burn rate", *ends(found.burn, rate)),
    )
    blocks: list[Block] = [
        TableBlock(("figure", "at least", "at most"), rows),
        Picture(partial(confidence_picture, found, slo.policy)),
        Sentence(
            f"{found.verdict.replace('_', ' ')} at {percent(found.level, 0)} ({found.method}); "
            f"{count(found.counts.bad)} bad of {count(found.counts.total)}, failures cluster "
            f"{found.dispersion:.1f} fold",
            strong=True,
        ),
    ]
    lines = [str(each) for each in (verdict, least) if each is not None]
    if lines:
        blocks.append(Items(tuple(lines)))
    return Section(slo.name, tuple(blocks))


def forecast_section(
    name: str, futures: Sequence[Forecast], schedule: Recovery | None, shares: Sequence[str]
) -> Section:
    """
    Where one budget goes.

    Args:
        name: The objective.
        futures: As before, and under other suppositions.
        schedule: The return of the budget when nothing more goes wrong; None where there is none.
        shares: Of the budget, whose return is told.
    """
    rows = []
    for future in futures:
        early, median, late = ("later" if at is None else instant(at) for at in future.exhaustion)
        if future.probability is None:
            early = median = late = NOTHING
        last = len(future.time_ns) - 1
        left = (
            NOTHING
            if last < 0
            else f"{percent(float(future.low[last]), 1)} to {percent(float(future.high[last]), 1)}"
        )
        rows.append(
            (future.scenario.name, percent(future.probability, 0), early, median, late, left)
        )
    head = ("scenario", "exhausted", "early", "median", "late", "left at the end")
    blocks: list[Block] = [TableBlock(head, tuple(rows), frozenset({2, 3, 4}))]
    blocks.append(Picture(partial(forecast_picture, futures)))
    first = futures[0]
    if first.probability is None:
        blocks.append(Sentence(str(first)))
    else:
        blocks.append(
            Sentence(
                f"by {instant(int(first.time_ns[-1]))}; early to late and the budget left hold "
                f"{percent(first.level, 0)} of futures made from {first.blocks} blocks of the past"
            )
        )
        if first.note is not None:
            blocks.append(Sentence(first.note))
    if schedule is not None:
        blocks.append(Sentence("When nothing more goes wrong:", strong=True))
        blocks.append(Picture(partial(recovery_picture, schedule)))
        blocks.append(Items(tuple(_returns(schedule, shares))))
    return Section(f"{name}: from {instant(first.at_ns)}", tuple(blocks))


def _returns(schedule: Recovery, shares: Sequence[str]) -> Iterable[str]:
    for share in shares:
        at = schedule.back_above(share)
        if at is None:
            yield f"never back above {share}"
        elif at == schedule.at_ns:
            yield f"above {share} already"
        else:
            yield f"back above {share} at {_weekday(at)} {instant(at)}"
    for change in schedule.tier_changes()[1:]:
        tier = change.after or "no data"
        yield f"{tier} from {_weekday(change.at_ns)} {instant(change.at_ns)} on"


def _weekday(time_ns: int) -> str:
    names = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
    return names[time_ns // (86_400 * SECOND_NS) % 7]


def advice_sections(found: Advice) -> list[Section]:
    """What each target would have meant, and which to take."""
    tiers = [tier.name for tier in found.slo.policy.tiers]
    rows = tuple(
        (
            str(each.target) + (" now" if each.target == found.present else ""),
            f"{each.months_kept} of {found.months}",
            count(each.breaches),
            percent(each.missed),
            count(each.pages),
            *(percent(each.tiers.get(tier), 0) for tier in tiers),
        )
        for each in found
    )
    head = ("target", "kept", "breaches", "missed", "pages", *tiers)
    blocks = (
        Picture(partial(advice_picture, found)),
        TableBlock(head, rows),
        Sentence(
            f"keep {found.present}:"
            if found.recommended == found.present
            else f"take {found.recommended} instead of {found.present}:",
            strong=True,
        ),
        Items(found.reasons),
    )
    title = f"{found.slo.name}: {instant(found.start_ns)} to {instant(found.end_ns)}"
    return [Section(title, blocks)]


def lint_sections(found: LintReport, title: str) -> list[Section]:
    """Every pitfall with its why and its cure."""
    if not len(found):
        return [Section(title, (Sentence("nothing found"),))]
    rows = tuple(
        (
            finding.check.id,
            finding.check.severity,
            finding.subject,
            finding.message,
            finding.check.why,
            finding.check.cure,
        )
        for finding in found
    )
    head = ("id", "severity", "of", "what", "why", "cure")
    return [Section(title, (TableBlock(head, rows, frozenset({1, 2, 3, 4, 5})),))]
