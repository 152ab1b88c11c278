"""
Detection against noise: which policies are worth a thought, and which to take.

Two figures decide, both exact: how often people were called for nothing, by false pages or by open
ones sent again, and how much budget incidents spent before anyone knew. A policy that another one
beats in one and equals in the other is out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.burn import Number
from errorbudget.cards import Card, Shown
from errorbudget.durations import DurationLike, format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.studies.arguments import exact, listed
from errorbudget.studies.pages import POLICY, PolicyResult
from errorbudget.studies.tables import frame, percent

__all__ = ["Recommendation", "pareto_front", "policy_sweep", "recommendation"]


@dataclass(frozen=True, slots=True)
class Recommendation(Shown):
    """
    The policy to take, and why.

    Attributes:
        result: The policy's figures.
        reasons: Sentences, the decisive one first.
    """

    result: PolicyResult
    reasons: tuple[str, ...]

    @property
    def policy(self) -> AlertPolicy:
        """The policy itself."""
        return self.result.policy

    def to_dict(self) -> dict[str, Any]:
        """The recommendation as plain data, ready for JSON."""
        return {
            "policy": self.policy.to_dict(),
            "figures": self.result.summary(),
            "reasons": list(self.reasons),
        }

    def to_pandas(self) -> Any:
        """The figures of the policy as a pandas DataFrame of one row."""
        return frame([self.result.summary()], POLICY)

    def _card(self) -> Card:
        return Card(f"Take {self.policy.name}", lines=[f"{reason}." for reason in self.reasons])

    def __str__(self) -> str:
        return "\n".join([f"{self.policy.name}:", *(f"- {reason}" for reason in self.reasons)])


def _order(result: PolicyResult) -> tuple[int, Fraction, int, int]:
    pages = len(result.pages)
    return (result.noise, result.spent_unseen, pages, len(result.policy.alerts))


def _tellable(results: Iterable[PolicyResult]) -> bool:
    """Whether there was an incident to see."""
    return any(result.detections for result in results)


def pareto_front(results: Iterable[PolicyResult]) -> tuple[PolicyResult, ...]:
    """
    The results that no other beats, the quietest first.

    Of policies that do equally well, the one that pages less, then the simpler one stays. Where the
    history has no incident, none leaves less unseen than another, and the front is empty.
    """
    results = [*results]
    if not _tellable(results):
        return ()
    front: list[PolicyResult] = []
    for result in sorted(results, key=_order):
        if not front or result.spent_unseen < front[-1].spent_unseen:
            front.append(result)
    return tuple(front)


def recommendation(
    results: Sequence[PolicyResult], false_pages_per_month: Number = 1
) -> Recommendation:
    """
    The policy of the front that leaves least unseen within a bound on false pages.

    Where the history has no incident there is no front, and nothing speaks for a change: then it is
    the first of *results*, if that keeps to the bound, or the quietest.

    Args:
        results: What the policies did.
        false_pages_per_month: False pages, open ones sent again among them, that people put up
            with in 30 days; when no policy keeps to it, the quietest is taken.

    Raises:
        InvalidInputError: There are no results, or the bound is no number of 0 or more.
    """
    bound = exact("false_pages_per_month", false_pages_per_month)
    if not results:
        raise InvalidInputError("no policies to choose from; give at least one")
    untold = not _tellable(results)
    front = (min(results, key=_order),) if untold else pareto_front(results)
    quiet = [result for result in front if (result.noise_per_month or 0) <= bound]
    best = quiet[-1] if quiet else front[0]
    if untold and (results[0].noise_per_month or 0) <= bound:
        best = results[0]
    unseen, monthly = percent(best.spent_unseen), float(best.false_pages_per_month or 0)
    sight = f"{best.seen} of {len(best.detections)} incidents seen"
    reasons = [
        f"{sight}, {unseen} of a budget spent before that",
        f"{len(best.false_pages)} of {len(best.pages)} pages were false, {monthly:.2g} a month",
    ]
    if best.repeats:
        again = float(best.noise_per_month or 0)
        reasons.append(
            f"open pages were sent again {best.repeats} times outside of incidents, "
            f"{again:.2g} a month with the false ones"
        )
    if not quiet:
        reasons.insert(
            0, f"none keeps to {float(bound):g} false pages a month; this is the quietest"
        )
    if untold:
        reasons.append("no incident in this history tells the policies apart by what they see")
        if best is results[0]:
            reasons.append("the first of them stays")
    elif not any(len(each.missed) < len(each.detections) for each in results):
        reasons.append("none of the policies saw any of these incidents; try others")
    reasons += _held_back(best, results, bound)
    place = next((at for at, each in enumerate(front) if each is best), len(front))
    if place + 1 < len(front):
        louder = front[place + 1]
        reasons.append(
            f"the next on the front, {louder.name}, would leave {percent(louder.spent_unseen)} "
            f"unseen for {louder.noise - best.noise} more false pages"
            + (" or repeats" if louder.repeats or best.repeats else "")
        )
    return Recommendation(best, tuple(reasons))


def _held_back(
    best: PolicyResult, results: Sequence[PolicyResult], bound: Fraction
) -> Iterator[str]:
    """Whether the bound on false pages keeps out what would see most of the incidents."""
    if 2 * best.seen >= len(best.detections):
        return
    louder = [each for each in results if (each.noise_per_month or 0) > bound]
    most = max(louder, key=lambda each: (each.seen, -each.noise), default=best)
    if most.seen > best.seen:
        yield (
            f"the bound of {float(bound):g} false pages a month keeps out what sees more: "
            f"{most.name} sees {most.seen} of {len(most.detections)} for "
            f"{float(most.noise_per_month or 0):.2g}; raise it by --false-pages, in Python "
            "false_pages_per_month"
        )


def policy_sweep(
    *,
    budget: Iterable[Number] = ("2%",),
    long: Iterable[DurationLike | int] = ("1h",),
    short: Iterable[Number | None] = (Fraction(1, 12),),
    hold: Iterable[DurationLike | int] = (0,),
    severity: str = "page",
    window: DurationLike | int | None = None,
) -> list[AlertPolicy]:
    """
    One policy of one alert for every combination.

    Args:
        budget: Shares of the budget that the long window may spend.
        long: Long windows.
        short: Short windows as parts of the long one, such as `"1/12"`; None for none.
        hold: How long conditions must hold.
        severity: Severity of the alerts.
        window: The SLO's window, of whose budget the shares are: combinations whose threshold is a
            burn of 1 or less, which a healthy service has, are left out. None keeps them all.

    Example:
        >>> policy_sweep(hold=[0, "2m"])[1].name
        '2% in 1h/5m for 2m'
        >>> [policy.name for policy in policy_sweep(budget=["0.5%", "2%"], window="7d")]
        ['2% in 1h/5m']
    """
    period_ns = None if window is None else length_of(window)
    found = []
    for share, reach, part, wait in product(
        listed("budget", budget, '["1%", "2%"]'),
        listed("long", long, '["1h", "6h"]'),
        listed("short", short, '["1/12", None]'),
        listed("hold", hold, '[0, "5m"]'),
    ):
        long_ns = length_of(reach)
        short_ns = None if part is None else int(long_ns * exact("short", part))
        alert = BurnAlert("burn", severity, share, long_ns, short_ns, wait)
        if period_ns is not None and alert.threshold(period_ns) <= 1:
            continue
        name = f"{float(alert.budget) * 100:g}% in {format_duration(long_ns)}"
        name += "" if short_ns is None else f"/{format_duration(short_ns)}"
        name += f" for {format_duration(alert.hold)}" if alert.hold else ""
        found.append(AlertPolicy(name, (alert,)))
    return found
