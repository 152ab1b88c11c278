"""What alert policies would have done, in words: a row each, and what became of each incident."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from errorbudget.durations import SECOND_NS
from errorbudget.figures import NOTHING, count, decimal, instant, length, percent
from errorbudget.report.alerts_svg import firing_picture, front_picture
from errorbudget.report.paper import Block, Items, Picture, Section, Sentence, TableBlock

if TYPE_CHECKING:
    from errorbudget.studies.backtest import Backtest
    from errorbudget.studies.pages import PolicyResult
    from errorbudget.studies.pareto import Recommendation

__all__ = ["backtest_sections", "detections", "policy_table"]


def _lapse(value_s: float | None) -> str:
    return NOTHING if value_s is None else length(int(value_s * SECOND_NS))


def policy_table(results: Iterable[PolicyResult]) -> TableBlock:
    """What each policy would have done, a row each."""
    head = (
        *("policy", "pages", "a month", "false", "again", "idle"),
        *("seen", "detection", "reset", "spent unseen"),
    )
    return TableBlock(
        head,
        tuple(
            (
                result.name,
                count(len(result.pages)),
                decimal(result.pages_per_month, 2, lines=[Fraction(0)]),
                count(len(result.false_pages)),
                count(result.repeats),
                percent(result.idle, 1),
                f"{result.seen}/{len(result.detections)}",
                _lapse(result.detection_s),
                _lapse(result.reset_s),
                percent(result.spent_unseen),
            )
            for result in results
        ),
    )


def detections(result: PolicyResult, start_ns: int, end_ns: int) -> list[Block]:
    """
    What became of each incident, and which pages spoke of none.

    Args:
        result: What the policy did.
        start_ns: Where the history begins [ns UTC].
        end_ns: Its end [ns UTC].
    """
    blocks: list[Block] = [Picture(partial(firing_picture, result, start_ns, end_ns))]
    if result.detections:
        rows = tuple(
            (
                found.incident.name,
                instant(found.incident.start_ns),
                length(found.incident.end_ns - found.incident.start_ns),
                percent(found.incident.cost),
                "missed" if found.detected_ns is None else _lapse(found.detection_s),
                percent(found.spent),
                found.why,
            )
            for found in result.detections
        )
        head = ("incident", "start", "for", "cost", "seen after", "spent by then", "why")
        blocks.append(TableBlock(head, rows, frozenset({1, 6})))
    else:
        blocks.append(Sentence("No incident to be seen."))
    if result.false_pages:
        lines = tuple(
            f"false page at {instant(page.start_ns)}: {page.why}" for page in result.false_pages
        )
        blocks.append(Items(lines[:20]))
        if len(lines) > 20:
            blocks.append(Sentence(f"{len(lines) - 20} more false pages are in the JSON."))
    return blocks


def backtest_sections(
    found: Backtest, chosen: Recommendation, *, detail: Sequence[str] = (), untried: int = 0
) -> list[Section]:
    """
    One history: the policies, the front, the recommendation, and some policies in detail.

    Args:
        found: The backtest.
        chosen: What it recommends.
        detail: Names of the policies to list incidents and false pages of.
        untried: How many variants of the sweep were left out, for a healthy service pages in them.
    """
    front = {result.name for result in found.front()}
    table = policy_table(found)
    rows = tuple(
        (*row, "front" if row[0] in front else "")
        for row in (
            table.rows
            if len(found) <= 20
            else [row for row in table.rows if row[0] in front or row[0] in detail]
        )
    )
    blocks: list[Block] = [
        Picture(partial(front_picture, found, chosen.result)),
        TableBlock((*table.head, ""), rows, frozenset({len(table.head)})),
    ]
    if len(rows) < len(found):
        others = "policies that others beat" if front else "more policies"
        blocks.append(Sentence(f"{len(found) - len(rows)} {others} are left out."))
    if untried:
        blocks.append(
            Sentence(
                f"{untried} variants of the sweep were not tried: over "
                f"{length(found.slo.period_ns)} they fire at a burn of 1 or less, which a healthy "
                "service has."
            )
        )
    blocks.append(Sentence(f"take {chosen.policy.name}:", strong=True))
    blocks.append(Items(chosen.reasons))
    whole = f"{instant(found.start_ns)} to {instant(found.end_ns)}"
    sections = [Section(f"{found.slo.name}: {whole}", tuple(blocks))]
    sections += [
        Section(name, tuple(detections(found[name], found.start_ns, found.end_ns)), 3)
        for name in detail
    ]
    return sections
