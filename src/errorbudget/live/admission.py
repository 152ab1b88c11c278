"""
Spend budget only while there is some: canaries, retries, load shedding, optional traffic.

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
from errorbudget.live.answers import check_tracker
from errorbudget.live.reading import burns
from errorbudget.methods import Occurrences
from errorbudget.rationals import parse_rational
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
    try:
        share = parse_rational(keep)
    except ValueError:
        share = None
    if share is None or not 0 <= share <= 1:
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
        check_tracker(tracker)
        if no_data not in ("deny", "allow"):
            raise InvalidInputError(f'no_data must be "deny" or "allow", got {no_data!r}')
        wanted = tuple(severities) if isinstance(severities, Iterable) else (severities,)
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
        self._units = "events" if isinstance(slo.method, Occurrences) else "slices"
        self._feed = feed
        windows = slo.all_burn_windows
        self._alerts = [
            (alert, [windows.index(window) for window in alert.windows])
            for alert in slo.alerts.alerts
            if alert.severity in wanted
        ]

    def should_allow(self, cost: int = 1) -> bool:
        """Whether *cost* more failures could be afforded now; see `decide` for the reason."""
        return self.decide(cost).allowed

    def decide(self, cost: int = 1) -> Decision:
        """
        Whether *cost* more failures could be afforded now, and why.

        Args:
            cost: Units of budget that are lost in the worst case [>= 0]: events that fail, or
                slices that turn bad where the SLO counts slices.

        Raises:
            InvalidInputError: *cost* is negative or no whole number.
        """
        if type(cost) is not int or cost < 0:
            raise InvalidInputError(f"cost is a whole number of events from 0, got {cost!r}")
        read = self.tracker._read(self._feed)
        (good, bad), error = read.own, read.error
        if not good + bad:
            return Decision(self.no_data == "allow", f"there are no {self._units} to judge by")
        for alert, rows in self._alerts:
            pairs = [read.burning[row] for row in rows]
            errors = [read.errors[row] for row in rows]
            if burns(pairs, errors, alert.threshold(self.slo.period_ns)):
                return Decision(False, f'alert "{alert.name}" has its condition met')
        lost, total = Fraction(bad) + cost, Fraction(good) + Fraction(bad) + cost
        if not error:
            told = f"a target of 100 % allows no failure, {float(lost):g} with this"
            return Decision(lost == 0, told)
        left = 1 - lost / (total * error)
        if left > self.keep:
            return Decision(True, f"{float(left):.1%} of the budget would be left")
        return Decision(
            False,
            f"{cost} more {'failures' if self._units == 'events' else 'bad slices'} would leave "
            f"{float(left):.1%} of the budget, and {format_percent(self.keep)} is to be kept",
        )
