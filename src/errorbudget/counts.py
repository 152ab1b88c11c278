"""
Good and bad events of one interval: the value that everything downstream is computed from.

Counts add, and take away, so windows merge and slide without losing a single event.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite, nan
from numbers import Integral, Real
from typing import Any

from errorbudget.errors import InvalidCountsError
from errorbudget.rationals import is_whole, shown

__all__ = ["Count", "Counts", "as_counts"]

_LIMIT = 10**300  # so that every figure fits a float

Count = int | float | Fraction
"""A number of events: an integer, but for sums of slice ratios and extrapolated increases."""


def as_counts(value: Counts) -> Counts:
    """
    The counts themselves.

    Raises:
        InvalidCountsError: *value* is something else.
    """
    if not isinstance(value, Counts):
        raise InvalidCountsError(
            f"counts were asked for, such as Counts(good=99, bad=1), got {shown(value)}"
        )
    return value


def _count(name: str, value: Count) -> Count:
    number: Count
    if type(value) is int:
        number = value
    elif isinstance(value, Fraction):
        number = value.numerator if value.denominator == 1 else value
    elif is_whole(value):
        number = int(value)
    elif isinstance(value, (Real, Decimal)) and not isinstance(value, Integral):
        number = _nearest(name, value)
    else:
        raise InvalidCountsError(f"{name} must be a count of events, got {shown(value)}")
    if number >= _LIMIT:
        raise InvalidCountsError(f"{name} must be below 10**300")
    if number < 0:
        raise InvalidCountsError(f"{name} must not be negative, got {shown(value)}")
    return number


def _nearest(name: str, value: Any) -> Count:
    """A float or decimal as an integer, where it is whole, and else as the nearest float."""
    try:
        nearest = float(value)
    except ValueError:  # a signalling NaN
        nearest = nan
    if not isfinite(nearest):
        raise InvalidCountsError(f"{name} must be finite, got {shown(value)}")
    whole = int(value)  # not of the float: a decimal may have more digits
    return whole if whole == value else nearest


@dataclass(frozen=True, slots=True)
class Counts:
    """
    Events of one interval, told apart into good and bad.

    Whole numbers stay integers of any size. Fractions of an event are accepted, since sums of slice
    ratios (`Fraction`) and Prometheus' extrapolated increases (`float`) have them; they are never
    rounded.

    Args:
        good: Good events [events, >= 0].
        bad: Bad events [events, >= 0].

    Raises:
        InvalidCountsError: A count is negative, NaN, infinite or not a number.

    Example:
        >>> Counts(good=4_928, bad=72).total
        5000
        >>> Counts(good=1, bad=2) + Counts(good=3, bad=4)
        Counts(good=4, bad=6)
    """

    good: Count = 0
    bad: Count = 0

    def __post_init__(self) -> None:
        if type(self.good) is not int or not 0 <= self.good < _LIMIT:
            object.__setattr__(self, "good", _count("good", self.good))
        if type(self.bad) is not int or not 0 <= self.bad < _LIMIT:
            object.__setattr__(self, "bad", _count("bad", self.bad))

    @classmethod
    def from_total(cls, *, good: Count, total: Count) -> Counts:
        """
        Counts of *good* events among *total*.

        Raises:
            InvalidCountsError: *good* exceeds *total*, or either is not a count.

        Example:
            >>> Counts.from_total(good=999, total=1_000)
            Counts(good=999, bad=1)
        """
        checked_good, checked_total = _count("good", good), _count("total", total)
        if checked_good > checked_total:
            raise InvalidCountsError(
                f"good must not exceed total, got {good} good of {total}; "
                "do both count the same events over the same interval?"
            )
        return cls(checked_good, checked_total - checked_good)

    @property
    def total(self) -> Count:
        """All events [events]."""
        return self.good + self.bad

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(self.good + other.good, self.bad + other.bad)

    def __sub__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(self.good - other.good, self.bad - other.bad)

    def __bool__(self) -> bool:
        return bool(self.good or self.bad)
