"""
What to do after a review: sentences that follow from its figures, the most urgent first.

Each item says what, for which objective, and which figure asks for it. Nothing here is counted;
the rules are a table of thresholds, kept in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from errorbudget.figures import percent
from errorbudget.times import format_time

if TYPE_CHECKING:
    from errorbudget.studies.reviewed import SLOReview

__all__ = ["ActionItem", "Urgency", "action_items"]

Urgency = Literal["now", "soon", "consider"]
_ORDER: tuple[Urgency, ...] = ("now", "soon", "consider")

LIKELY = 0.5
"""From this share of futures on, a budget that runs out is worth acting on."""


@dataclass(frozen=True, slots=True)
class ActionItem:
    """
    One thing to do.

    Attributes:
        urgency: "now", "soon" or "consider".
        slo: Name of the objective.
        what: What to do.
        why: The figure that asks for it.
    """

    urgency: Urgency
    slo: str
    what: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """The item as plain data, ready for JSON."""
        return {"urgency": self.urgency, "slo": self.slo, "what": self.what, "why": self.why}

    def __str__(self) -> str:
        return f"{self.urgency}: {self.slo}: {self.what} ({self.why})"


def action_items(found: Sequence[SLOReview], period: str) -> tuple[ActionItem, ...]:
    """
    What follows from the figures of a review.

    Args:
        found: The objectives.
        period: "weekly", "monthly" or "quarterly"; longer reviews ask more.
    """
    items = [item for each in found for item in _of(each, period)]
    return tuple(sorted(items, key=lambda item: _ORDER.index(item.urgency)))


def _of(each: SLOReview, period: str) -> Iterator[ActionItem]:
    for urgency, what, why in (
        *_standing(each),
        *_alerting(each),
        *_moving(each),
        *(_fitting(each) if period != "weekly" else ()),
        *(_owning(each) if period == "quarterly" else ()),
    ):
        yield ActionItem(urgency, each.slo.name, what, why)


Item = tuple[Urgency, str, str]


def _standing(each: SLOReview) -> Iterator[Item]:
    status = each.status
    if status.state == "no_data":
        yield "now", "find out why there is no data", "no unit takes part in the window"
        return
    tier = status.policy_tier
    if tier is not None and tier.may_deploy != "all":
        words = "; ".join(tier.actions.values()) or f"deploy {tier.may_deploy}"
        left = percent(
            each.remaining,
            1,
            lines=[row.above for row in each.slo.policy.tiers if row.above is not None],
        )
        yield "now", words, f"{tier.name}: {left} of the budget left"
    elif status.state == "missed":
        yield "now", "bring the objective back within its bounds", "the objective is missed"
    firing = [alert.alert.name for alert in status.active_alerts]
    if firing:
        yield "now", "answer the alerts that fire", ", ".join(firing)
    if status.coverage is not None and status.coverage < each.slo.min_coverage:
        seen = percent(status.coverage, 1)
        yield "soon", "close the gaps in the data", f"{seen} of the window was observed"


def _alerting(each: SLOReview) -> Iterator[Item]:
    now = each.now
    if now is None or now.alerts is None:
        return
    for found in now.alerts.missed:
        cost = percent(found.incident.cost, 1)
        what = f"make the alerts see the like of {found.incident.name}"
        when = format_time(found.incident.start_ns)
        yield "soon", what, f"from {when} on it spent {cost} of a budget unseen: {found.why}"
    false = now.alerts.false_pages
    if false:
        what = "look at the false pages, and quieten what made them"
        yield "soon", what, f"{len(false)} of {len(now.alerts.pages)}, such as: {false[0].why}"


def _moving(each: SLOReview) -> Iterator[Item]:
    if each.trend is not None and each.trend.direction == "worse":
        yield "soon", "find out what changed", f"more failures than before: {each.trend}"
    future = each.forecast
    if (
        future is not None
        and not each.exhausted
        and future.probability is not None
        and future.probability >= LIKELY
    ):
        why = f"exhausted in {future.probability:.0%} of futures"
        if future.exhaustion[1] is not None:
            why += f", the middle one at {format_time(future.exhaustion[1])}"
        yield "soon", "slow down before the budget is gone", why


def _fitting(each: SLOReview) -> Iterator[Item]:
    advice, policy = each.advice, each.policy
    if advice is not None and advice.recommended != advice.present:
        what = f"propose a target of {advice.recommended} instead of {advice.present}"
        yield "consider", what, advice.reasons[0]
    if policy is not None:
        yield "consider", f"try the alerts {policy.policy.name}", policy.reasons[0]
    for finding in each.lint or ():
        if finding.check.severity != "info":
            why = f"{finding.check.id} {finding.check.title}: {finding.message}"
            yield "consider", finding.check.cure, why


def _owning(each: SLOReview) -> Iterator[Item]:
    lacking = [
        word for word in ("owner", "team", "criticality", "runbook") if not getattr(each.slo, word)
    ]
    if lacking:
        what = "say who answers for the objective, and what it is worth"
        yield "consider", what, f"no {', '.join(lacking)}"
