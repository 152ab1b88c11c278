"""
The error budget of one window: what may fail, what did, and what is left.

    allowed  = total x (1 - target)          [events]
    consumed = bad / allowed                 [1]
    left     = 1 - consumed                  [1], negative when overspent, never clamped

Everything is decided on exact fractions. A figure turns into a float only as a property's value,
correctly rounded, so 999 good of 1,000 at 99.9 % leaves exactly 0 and counts as exhausted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from errorbudget.counts import Counts, as_counts
from errorbudget.durations import SECOND_NS
from errorbudget.target import Target, TargetLike

__all__ = ["Budget", "Ratio", "budget", "budget_consumed", "budget_remaining", "sli", "spent"]

Ratio = Fraction | float
"""An exact ratio, or an infinity where the target allows no bad event at all."""


@dataclass(frozen=True, slots=True)
class Budget:
    """
    The budget of one window in events and in time.

    Minutes hold for even traffic: they are the events' share of the window, spread evenly.

    Args:
        counts: Good and bad events of the window [events].
        error: Exact share of events that may be bad, in [0, 1).
        window_ns: Length of the window [ns], or None where it has none.
        estimated: Whether the counts were projected over the whole period.

    Example:
        >>> left = budget(Counts(good=999_500, bad=500), "99.9%", window_ns=30 * 86_400 * SECOND_NS)
        >>> left.allowed, left.consumed_ratio, left.remaining_ratio
        (1000.0, 0.5, 0.5)
        >>> left.remaining_time_s
        1296.0
    """

    counts: Counts
    error: Fraction
    window_ns: int | None = None
    estimated: bool = False

    @property
    def allowed_exact(self) -> Fraction:
        """Bad events that the target allows, exactly [events, >= 0]."""
        return Fraction(self.counts.total) * self.error

    @property
    def consumed_exact(self) -> Ratio | None:
        """Share of the budget that is spent, exactly; None without events."""
        return spent(self.counts, self.error)

    @property
    def met(self) -> bool | None:
        """Whether no more is spent than was allowed; None without events."""
        consumed = self.consumed_exact
        return None if consumed is None else consumed <= 1

    @property
    def remaining_exact(self) -> Ratio | None:
        """Share of the budget that is left, exactly; None without events."""
        consumed = self.consumed_exact
        return None if consumed is None else 1 - consumed

    @property
    def allowed(self) -> float:
        """Bad events that the target allows [events]; a fraction of an event is kept."""
        return float(self.allowed_exact)

    @property
    def consumed(self) -> float:
        """Bad events so far [events]."""
        bad = self.counts.bad
        return float(bad) if isinstance(bad, Fraction) else bad

    @property
    def remaining(self) -> float:
        """Bad events that are still allowed [events]; negative when overspent."""
        return float(self.allowed_exact - Fraction(self.counts.bad))

    @property
    def consumed_ratio(self) -> float | None:
        """Spent share of the budget [1, >= 0]; None without events."""
        exact = self.consumed_exact
        return None if exact is None else float(exact)

    @property
    def remaining_ratio(self) -> float | None:
        """Share of the budget that is left [1, <= 1], -inf below 0 of 0; None without events."""
        exact = self.remaining_exact
        return None if exact is None else float(exact)

    def _in_time(self, share: Ratio | None) -> float | None:
        if share is None or self.window_ns is None:
            return None
        if isinstance(share, float):
            return share
        return float(share * self.error * self.window_ns / SECOND_NS)

    @property
    def allowed_time_s(self) -> float | None:
        """The whole budget as full downtime [s], for even traffic; None without a window."""
        return self._in_time(Fraction(1))

    @property
    def consumed_time_s(self) -> float | None:
        """The spent budget as downtime [s], for even traffic; None without events or window."""
        return self._in_time(self.consumed_exact)

    @property
    def remaining_time_s(self) -> float | None:
        """The rest of the budget as downtime [s], for even traffic; negative when overspent."""
        return self._in_time(self.remaining_exact)

    @property
    def exhausted(self) -> bool | None:
        """Whether nothing is left; None without events."""
        exact = self.remaining_exact
        return None if exact is None else exact <= 0


def spent(counts: Counts, error: Fraction) -> Ratio | None:
    """
    Share of the budget that *counts* spend, exactly: bad / (total x error).

    Args:
        counts: Good and bad events of one interval [events].
        error: Exact share of events that may be bad, in [0, 1).

    Returns:
        A fraction; inf for a bad event where none is allowed; None without events.
    """
    total, bad = counts.total, counts.bad
    if not total:
        return None
    if not error:
        return inf if bad else Fraction(0)
    if type(total) is int and type(bad) is int:
        return Fraction(bad * error.denominator, total * error.numerator)
    return Fraction(bad) / (Fraction(total) * error)


def budget(counts: Counts, target: TargetLike, window_ns: int | None = None) -> Budget:
    """
    The budget that *target* gives for *counts*.

    Args:
        counts: Good and bad events of the window [events].
        target: Exact share of events that must be good, in (0, 1].
        window_ns: Length of the window [ns], to have the budget in time too.

    Raises:
        InvalidTargetError: *target* lies outside (0, 1].
    """
    return Budget(as_counts(counts), Target(target).error, window_ns)


def sli(counts: Counts) -> float | None:
    """
    The share of good events, correctly rounded; None when there are no events.

    Example:
        >>> sli(Counts(good=999, bad=1))
        0.999
    """
    total = as_counts(counts).total
    return float(counts.good / total) if total else None


def budget_consumed(counts: Counts, target: TargetLike) -> float | None:
    """
    Spent share of the error budget; None when there are no events.

    Example:
        >>> budget_consumed(Counts(good=0, bad=100), "99.9%")
        1000.0
    """
    return budget(counts, target).consumed_ratio


def budget_remaining(counts: Counts, target: TargetLike) -> float | None:
    """
    Share of the error budget that is left, unclamped; None when there are no events.

    Args:
        counts: Good and bad events of the window [events].
        target: Exact share of events that must be good, in (0, 1].

    Returns:
        1 with nothing spent, 0 exactly exhausted, negative overspent, -inf for any bad event at 100
        %.

    Raises:
        InvalidTargetError: *target* lies outside (0, 1].

    Example:
        >>> budget_remaining(Counts(good=999, bad=1), "99.9%")
        0.0
    """
    return budget(counts, target).remaining_ratio
