"""
Spend budget only while there is some: canaries, retries, experiments, optional traffic.

A risk is taken when its worst case leaves more of the budget than is to be kept, and when nothing
burns so fast that someone would be paged. Both are decided on integers, and cheap enough to be
asked on every request. Who is allowed reserves nothing: what goes wrong is recorded as any other
event, and the next one who asks sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from errorbudget.alerts.burn import SEVERITIES
from errorbudget.errors import InvalidInputError
from errorbudget.target import format_percent

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker

__all__ = ["Admission", "Decision"]


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Whether a risk may be taken, and why.

    Attributes:
        allowed: The answer, which is also the truth value.
        reason: A sentence.
    """

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


def _share(keep: str | float | Fraction) -> Fraction:
    text = str(keep).strip()
    try:
        share = Fraction(text.removesuffix("%").strip()) / (100 if text.endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise InvalidInputError(f'keep is a share of the budget such as "20%", got {keep!r}')
    return share


class Admission:
    """
    Decides whether budget may be spent on purpose.

    Args:
        tracker: Where events are counted.
        name: Which SLO; with one SLO it may be left out.
        keep: Share of the budget that has to be left afterwards, such as `"20%"`.
        severities: Alerts of these severities forbid it while their condition holds; waiting times
            are not waited for.
        no_data: What to answer without events: "deny" or "allow".

    Raises:
        InvalidInputError: There is no such SLO, severity or answer.

    Example:
        >>> from errorbudget import SLO, Availability, Tracker
        >>> tracker = Tracker(SLO("api", target="99%", window="30d", sli=Availability()))
        >>> for i in range(1_000):
        ...     tracker.record(good=i >= 5)
        >>> canary = Admission(tracker, keep="20%")
        >>> canary.should_allow(cost=2), canary.should_allow(cost=4)
        (True, False)
        >>> canary.decide(cost=4).reason
        '4 more failures would leave 10.4% of the budget, and 20% is to be kept'

    Time: O(alerts).
    """

    def __init__(
        self,
        tracker: Tracker,
        name: str | None = None,
        *,
        keep: str | float | Fraction = 0,
        severities: Iterable[str] = ("critical", "page"),
        no_data: Literal["deny", "allow"] = "deny",
    ) -> None:
        if no_data not in ("deny", "allow"):
            raise InvalidInputError(f'no_data must be "deny" or "allow", got {no_data!r}')
        wanted = tuple(severities)
        unknown = [severity for severity in wanted if severity not in SEVERITIES]
        if unknown:
            raise InvalidInputError(
                f"severities are {', '.join(SEVERITIES)}, got {', '.join(map(repr, unknown))}"
            )
        feed = tracker._feed(name)
        slo = feed.slo
        self.tracker = tracker
        self.slo = slo
        self.keep = _share(keep)
        self.no_data = no_data
        self._feed = feed
        self._alerts = [
            (alert.name, [-(-w // feed.ring.step_ns) for w in alert.windows], threshold)
            for alert in (() if slo.alerts is None else slo.alerts.alerts)
            if alert.severity in wanted
            for threshold in (alert.threshold(slo.period_ns),)
        ]

    def should_allow(self, cost: int = 1) -> bool:
        """Whether *cost* more failures could be afforded now; see `decide` for the reason."""
        return self.decide(cost).allowed

    def decide(self, cost: int = 1) -> Decision:
        """
        Whether *cost* more failures could be afforded now, and why.

        Args:
            cost: Events that fail in the worst case [events, >= 0].

        Raises:
            InvalidInputError: *cost* is negative or no whole number.
        """
        if type(cost) is not int or cost < 0:
            raise InvalidInputError(f"cost is a whole number of events from 0, got {cost!r}")
        spans = [span for _, windows, _ in self._alerts for span in windows]
        at_ns, (good, bad), pairs = self.tracker._own_and_last(self._feed, spans)
        error = self.slo.target_at(at_ns).error
        if not good + bad:
            return Decision(self.no_data == "allow", "there are no events to judge by")
        for name, windows, threshold in self._alerts:
            seen, pairs = pairs[: len(windows)], pairs[len(windows) :]
            bound = threshold * error
            if all(
                lost * bound.denominator > (kept + lost) * bound.numerator for kept, lost in seen
            ):
                return Decision(False, f'alert "{name}" has its condition met')
        bad, total = bad + cost, good + bad + cost
        if not error:
            verdict = bad == 0
            return Decision(verdict, "a target of 100 % allows no failure, " + f"{bad} with this")
        left = 1 - Fraction(bad * error.denominator, total * error.numerator)
        if left > self.keep:
            return Decision(True, f"{float(left):.1%} of the budget would be left")
        return Decision(
            False,
            f"{cost} more failures would leave {float(left):.1%} of the budget, and "
            f"{format_percent(self.keep)} is to be kept",
        )
