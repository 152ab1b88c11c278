"""
A review in words: the guide's topics as headings, each with its figures.

What only people can decide stands as a question to go through, with what is known beside it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from errorbudget.figures import NOTHING, count, instant, percent, rate
from errorbudget.report.alert_answers import detections, policy_table
from errorbudget.report.answers import (
    advice_sections,
    attribution_section,
    incidents_table,
    span_words,
)
from errorbudget.report.panels import toned
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
from errorbudget.report.spending_svg import course_picture, ledger_picture
from errorbudget.report.wording import measurement_words
from errorbudget.studies.burning import usual_threshold

if TYPE_CHECKING:
    from errorbudget.studies.review import Review
    from errorbudget.studies.reviewed import Figures, SLOReview

__all__ = ["review_paper"]

_ROWS = 10


def review_paper(found: Review, title: str | None = None) -> Paper:
    """The whole review, topic by topic."""
    sections: list[Section] = [Section("Summary", (Sentence(found.summary(), strong=True),))]
    for topic in found.topics:
        blocks, within = _TOPICS[topic](found)
        sections.append(Section(topic, tuple(blocks)))
        sections += within
    heading = title or f"{found.period.capitalize()} SLO review"
    notes = (
        f"{span_words(found.interval)}, beside {span_words(found.before)}.",
        "Ends belong to a period, starts do not. Times are UTC.",
    )
    return Paper(heading, tuple(sections), notes)


Topic = tuple[list[Block], list[Section]]


def _status(found: Review) -> Topic:
    rows = []
    for each in found:
        status, before = each.status, each.status_before
        lines = [row.above for row in each.slo.policy.tiers if row.above is not None]
        if status.budget is None:
            measured = map(measurement_words, status.measurements)
            figures = ", ".join(f"{m.name} {m.value}" for m in measured)
            left, earlier, tier = "threshold", NOTHING, NOTHING
        else:
            figures = percent(status.sli, 3, lines=[1 - status.budget.error])
            left = percent(each.remaining, 1, lines=lines)
            earlier = percent(each.remaining_before, 1, lines=lines)
            tier = status.tier or NOTHING
        firing = ", ".join(alert.alert.name for alert in status.active_alerts) or "none"
        state = status.state.replace("_", " ")
        was = before.state.replace("_", " ")
        moved = state if state == was else f"{state} (was {was})"
        rows.append((each.slo.name, moved, figures, left, earlier, tier, firing))
    head = ("SLO", "state", "SLI", "budget left", "at the start", "tier", "alerts firing")
    warnings = tuple(
        f"{each.slo.name}: {warning}" for each in found for warning in each.status.warnings
    )
    blocks: list[Block] = [TableBlock(head, tuple(rows), frozenset({1, 5, 6}))]
    blocks += [Items(warnings)] if warnings else []
    return blocks + [Picture(partial(course_picture, each)) for each in found], []


def _trend(found: Review) -> Topic:
    rows = []
    for each in found:
        now, before, trend = each.now, each.before, each.trend
        if now is None or before is None or trend is None:
            continue
        rows.append(
            (
                each.slo.name,
                f"{count(now.counts.bad)} of {count(now.counts.total)}",
                f"{count(before.counts.bad)} of {count(before.counts.total)}",
                rate(now.burn),
                rate(before.burn),
                str(trend),
            )
        )
    head = ("SLO", "bad", "before", "burn", "before", "trend")
    blocks: list[Block] = []
    if rows:
        blocks.append(TableBlock(head, tuple(rows), frozenset({5})))
        blocks.append(
            Sentence(
                "A change is called one when chance alone would make it in fewer than 1 % of "
                "periods, clusters of failures considered."
            )
        )
    else:
        blocks.append(Sentence("No objective has units to compare."))
    return blocks, [
        Section(f"{each.slo.name} over the period", (_parts(each),), 3)
        for each in found
        if each.parts and each.now is not None and each.now.counts
    ]


def _parts(each: SLOReview) -> TableBlock:
    rows = tuple(
        (
            instant(part.interval.start_ns),
            count(part.counts.bad),
            count(part.counts.total),
            percent(part.counts.good / part.counts.total if part.counts.total else None, 3),
        )
        for part in each.parts
    )
    return TableBlock(("from", "bad", "total", "SLI"), rows)


def _alerts(found: Review) -> Topic:
    blocks: list[Block] = []
    sections = []
    for each in found:
        if each.now is None or each.now.alerts is None:
            if each.slo.target is not None:
                blocks.append(Sentence(f"{each.slo.name}: no alerts, or nothing to see."))
            continue
        results = [each.now.alerts]
        rows = [("this period", *policy_table(results).rows[0][1:])]
        if each.before is not None and each.before.alerts is not None:
            rows.append(("before", *policy_table([each.before.alerts]).rows[0][1:]))
        head = (results[0].name, *policy_table(results).head[1:])
        span = each.now.observed or each.now.interval
        told = detections(results[0], span.start_ns, span.end_ns)
        sections.append(Section(each.slo.name, (TableBlock(head, tuple(rows)), *told), 3))
    if sections:
        text = (
            "Alerts are judged by the incidents that were named, or else by every stretch that "
            "spent the budget faster than evenly (a burn above 1 over an hour, or a longer bin) "
            "and more than 2 % of it"
        )
        if "Performance Analysis" in found.topics:
            text += "; the incidents of Performance Analysis burned above what pages"
        blocks.append(Sentence(f"{text}."))
    return blocks, sections


def _actions(found: Review) -> Topic:
    if not found.actions:
        return [Sentence("Nothing to do follows from the figures.")], []
    lines = tuple(f"{item.urgency}: {item.slo}: {item.what} ({item.why})" for item in found.actions)
    return [Items(lines, open=True)], []


def _performance(found: Review) -> Topic:
    sections = []
    for each in found:
        if each.now is None:
            continue
        blocks: list[Block] = []
        if each.ledger is not None and len(each.ledger):
            costs = [each.cost(entry) for entry in each.ledger]
            blocks.append(Picture(partial(ledger_picture, each.ledger, costs)))
            blocks.append(incidents_table(each.ledger, costs, _ROWS))
            blocks.append(
                Sentence(
                    f"outside of incidents: {count(each.ledger.elsewhere.bad)} of "
                    f"{count(each.ledger.counts.bad)} bad; costs are parts of a whole window's "
                    "budget, and incidents were named, or found: from the first failure to the "
                    f"last that burned above {rate(usual_threshold(each.slo))} over five minutes, "
                    "or a longer bin, and cost more than 1 % of it"
                )
            )
        if each.confidence is not None:
            blocks.append(Sentence(f"how sure: {each.confidence}"))
        blocks.append(_tiers(each.now, each.before))
        for spenders in each.spenders:
            if spenders.counts.bad and len(spenders) > 1:
                blocks += attribution_section(spenders, _ROWS).blocks
        sections.append(Section(each.slo.name, tuple(blocks), 3))
    return ([] if sections else [Sentence("No objective has units to look at.")]), sections


def _tiers(now: Figures, before: Figures | None) -> Block:
    if not now.tiers:
        return Sentence("No time was spent in any tier.")
    earlier = {} if before is None else before.tiers
    rows = tuple(
        (name, percent(share, 0), percent(earlier.get(name), 0))
        for name, share in now.tiers.items()
    )
    bars = tuple(
        Bar(float(share), toned(rank, len(now.tiers)))
        for rank, share in enumerate(now.tiers.values())
    )
    return TableBlock(("tier", "of the time", "before"), rows, bars={1: bars})


def _targets(found: Review) -> Topic:
    sections = [
        Section(each.slo.name, advice_sections(each.advice)[0].blocks, 3)
        for each in found
        if each.advice is not None
    ]
    blocks: list[Block] = [
        Items(
            (
                "Historical performance: 3 months of consistent performance, see below",
                "Business impact: is there a clear justification?",
                "Technical feasibility: can the service keep the target as it is built?",
                "Stakeholder agreement: does everyone agree?",
            ),
            open=True,
        )
    ]
    if not sections:
        return [Sentence("No objective counts events that a target could be taken from.")], []
    return blocks, sections


def _process(found: Review) -> Topic:
    lines = []
    for each in found:
        if each.now is not None and each.now.alerts is not None and each.now.alerts.detections:
            alerts = each.now.alerts
            lines.append(
                f"{each.slo.name}: {len(alerts.missed)} of {len(alerts.detections)} incidents "
                f"unseen, {len(alerts.false_pages)} of {len(alerts.pages)} pages false"
            )
        if each.policy is not None:
            lines.append(
                f"{each.slo.name}: {each.policy.policy.name} would have done better: "
                f"{each.policy.reasons[0]}"
            )
        lines += [f"{finding}; {finding.check.cure}" for finding in each.lint or ()]
    return [Items(tuple(lines)) if lines else Sentence("Nothing in the figures asks for one.")], []


def _communication(found: Review) -> Topic:
    lines = [f"{each.slo.name}: {_plain(each)}" for each in found]
    return [Sentence("In words for those who do not read tables:"), Items(tuple(lines))], []


def _plain(each: SLOReview) -> str:
    if each.status.state == "no_data":
        return "there is no data to say how it does."
    words = "kept" if each.status.state == "met" else "missed"
    text = f"its objective is {words}"
    if each.now is not None and each.now.counts:
        bad, total = each.now.counts.bad, each.now.counts.total
        one_in = f", one in {count(round(total / bad))}" if bad else ""
        text += f"; {count(bad)} of {count(total)} failed in the period{one_in}"
    if each.trend is not None and each.trend.direction in ("better", "worse"):
        text += f", {each.trend.direction} than in the one before"
    if each.remaining is not None:
        text += f"; {percent(max(each.remaining, 0), 0)} of what may fail is still to spend"
    return f"{text}."


def _strategy(found: Review) -> Topic:
    rows = tuple(
        (
            each.slo.name,
            each.slo.criticality or NOTHING,
            each.status.state.replace("_", " "),
            percent(each.now.tiers.get(each.slo.policy.tiers[0].name), 0) if each.now else NOTHING,
            percent(each.now.tiers.get(each.slo.policy.tiers[-1].name), 0) if each.now else NOTHING,
            count(len(each.incidents)),
        )
        for each in found
    )
    head = ("SLO", "criticality", "state", "time in best tier", "in worst", "incidents")
    services = {each.slo.service or "(no service)" for each in found}
    sentence = (
        f"Objectives: {len(found)}, of services: {len(services)}; three to five each are enough."
    )
    ask = Items(
        (
            "Did a budget change a decision in this quarter? Which?",
            "Which objective would nobody miss?",
            "What do users complain of that no objective sees?",
        ),
        open=True,
    )
    return [TableBlock(head, rows, frozenset({1, 2})), Sentence(sentence), ask], []


def _alignment(found: Review) -> Topic:
    rows = tuple(
        (
            each.slo.name,
            each.slo.criticality or NOTHING,
            each.slo.owner or NOTHING,
            each.slo.team or NOTHING,
            each.slo.runbook or NOTHING,
        )
        for each in found
    )
    ask = Items(
        (
            "Is what is most critical to the business also what is held to the highest target?",
            "Have business goals changed since the targets were set?",
        ),
        open=True,
    )
    head = ("SLO", "criticality", "owner", "team", "runbook")
    return [TableBlock(head, rows, frozenset({1, 2, 3, 4})), ask], []


def _architecture(found: Review) -> Topic:
    blocks: list[Block] = []
    if found.shared:
        rows = tuple(
            (instant(each.start_ns), instant(each.end_ns), ", ".join(each.slos))
            for each in found.shared
        )
        blocks.append(Sentence("Incidents of several objectives at once, perhaps of one cause:"))
        blocks.append(TableBlock(("from", "to", "SLOs"), rows, frozenset({1, 2})))
    else:
        blocks.append(Sentence("No incident struck several objectives at once."))
    lines = [
        f"{each.slo.name}: {spenders.by[0]} {spenders[0].name} spent "
        f"{percent(spenders[0].share)} of what was lost"
        for each in found
        for spenders in each.spenders
        if spenders.counts.bad and len(spenders) > 1
    ]
    if lines:
        blocks.append(Items(tuple(lines)))
    return blocks, []


def _planning(found: Review) -> Topic:
    rows = []
    for each in found:
        if each.now is None or each.before is None:
            continue
        before = each.before.counts.total
        growth = NOTHING if not before else rate(each.now.counts.total / before)
        future = each.forecast
        chance = NOTHING if future is None else percent(future.probability, 0)
        advice = NOTHING if each.advice is None else str(each.advice.recommended)
        rows.append((each.slo.name, growth, chance, str(each.slo.target), advice))
    head = ("SLO", "times the traffic before", "chance to exhaust next", "target", "advised")
    if not rows:
        return [Sentence("No objective has units to plan with.")], []
    return [TableBlock(head, tuple(rows))], []


_TOPICS = {
    "Current Status": _status,
    "Trend Analysis": _trend,
    "Alert Effectiveness": _alerts,
    "Action Items": _actions,
    "Performance Analysis": _performance,
    "Target Adjustment": _targets,
    "Process Improvement": _process,
    "Stakeholder Communication": _communication,
    "Strategic Assessment": _strategy,
    "Business Alignment": _alignment,
    "Architecture Review": _architecture,
    "Long-term Planning": _planning,
}
