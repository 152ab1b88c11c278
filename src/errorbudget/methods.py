"""
Budgeting methods: what one unit of the budget is.

Occurrences counts events. Timeslices cuts the window into slices and calls each good or bad by its
own ratio, so a busy bad minute costs no more than a quiet one. RatioTimeslices averages the slices'
ratios, which weights every minute alike and keeps how bad it was. A slice without events is neither
good nor bad until the policy says so.

Source: OpenSLO specification, `budgetingMethod`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Literal

from errorbudget.counts import Count, Counts
from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidDurationError, InvalidInputError, InvalidWindowError
from errorbudget.rationals import shown
from errorbudget.target import Target, TargetLike

__all__ = [
    "OCCURRENCES",
    "Method",
    "NoData",
    "Occurrences",
    "RatioTimeslices",
    "Timeslices",
    "as_method",
    "slice_counts",
]

NoData = Literal["exclude", "good", "bad"]
"""What a slice without events is: left out (and coverage says so), good, or bad."""


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every event counts once."""

    @property
    def name(self) -> str:
        """Name of the method in reports and specifications."""
        return "occurrences"

    def __str__(self) -> str:
        return self.name


OCCURRENCES = Occurrences()
_USUAL_TARGET = Target("99%")
_EXACT_TOTALS = 256  # beyond, the common denominator outgrows its use


def _check(slice_ns: object, no_data: str) -> int:
    try:
        length = length_of(slice_ns)  # type: ignore[arg-type]  # refuses what is none
    except InvalidDurationError as error:
        raise InvalidWindowError(f"not a slice: {error}") from None
    if not isinstance(no_data, str) or no_data not in ("exclude", "good", "bad"):
        raise InvalidInputError(f'no_data must be "exclude", "good" or "bad", got {shown(no_data)}')
    return length


@dataclass(frozen=True, slots=True)
class Timeslices:
    """
    Every slice counts once, good or bad.

    Args:
        slice: Length of a slice; text, `timedelta` or ns.
        slice_target: Share of good events that makes a slice good.
        no_data: What a slice without events is.
        strict: Whether the ratio must exceed *slice_target*, instead of reaching it.

    Example:
        >>> Timeslices("1m", "95%").judge(Counts(good=95, bad=5))
        True
    """

    slice: int = MINUTE_NS
    slice_target: Target = _USUAL_TARGET
    no_data: NoData = "exclude"
    strict: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            slice: DurationLike | int = ...,
            slice_target: TargetLike = ...,
            no_data: NoData = "exclude",
            strict: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "slice", _check(self.slice, self.no_data))
        object.__setattr__(self, "slice_target", Target(self.slice_target))

    @property
    def name(self) -> str:
        """Name of the method in reports and specifications."""
        return "timeslices"

    def judge(self, counts: Counts) -> bool | None:
        """Whether a slice with *counts* is good; None when it is left out."""
        if not counts:
            return None if self.no_data == "exclude" else self.no_data == "good"
        ratio = Fraction(counts.good) / Fraction(counts.total)
        wanted = self.slice_target.ratio
        return ratio > wanted if self.strict else ratio >= wanted

    def __str__(self) -> str:
        return f"timeslices of {format_duration(self.slice)} at {self.slice_target}"


@dataclass(frozen=True, slots=True)
class RatioTimeslices:
    """
    Every slice counts once, with its own ratio.

    Args:
        slice: Length of a slice; text, `timedelta` or ns.
        no_data: What a slice without events is.
    """

    slice: int = MINUTE_NS
    no_data: NoData = "exclude"

    if TYPE_CHECKING:

        def __init__(
            self, slice: DurationLike | int = ..., no_data: NoData = "exclude"
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "slice", _check(self.slice, self.no_data))

    @property
    def name(self) -> str:
        """Name of the method in reports and specifications."""
        return "ratio_timeslices"

    def __str__(self) -> str:
        return f"ratio timeslices of {format_duration(self.slice)}"


Method = Occurrences | Timeslices | RatioTimeslices


def as_method(value: Method | str) -> Method:
    """
    The method called *value*; ratio time slices by name have one minute.

    Raises:
        InvalidInputError: There is no such method, or it needs more than its name.
    """
    if isinstance(value, (Occurrences, Timeslices, RatioTimeslices)):
        return value
    name = re.sub(r"[\s_-]", "", value if isinstance(value, str) else "").lower()
    if name == "occurrences":
        return OCCURRENCES
    if name == "ratiotimeslices":
        return RatioTimeslices()
    if name == "timeslices":
        raise InvalidInputError(
            "time slices need a slice and its target: errorbudget.Timeslices('1m', '99%')"
        )
    raise InvalidInputError(
        f'method must be "occurrences", "timeslices" or "ratio_timeslices", got {shown(value)}'
    )


def slice_counts(slices: Iterable[Counts], method: Timeslices | RatioTimeslices) -> Counts:
    """
    Slices as units of budget.

    Args:
        slices: Events of each slice, in any order.
        method: How a slice is judged.

    Returns:
        Good and bad slices. For ratio time slices they are sums of ratios: exact fractions while
        the slices have at most 256 different totals; beyond, each ratio is the nearest float and
        their sum is correctly rounded, which keeps the relative error under 2**-52.

    Example:
        >>> slice_counts([Counts(good=9, bad=1), Counts(), Counts(good=1)], Timeslices("1m", "95%"))
        Counts(good=1, bad=1)
    """
    if isinstance(method, Timeslices):
        good = bad = 0
        for counts in slices:
            verdict = method.judge(counts)
            good += verdict is True
            bad += verdict is False
        return Counts(good, bad)
    empty = 0
    by_total: dict[Count, list[Counts]] = {}
    for counts in slices:
        if counts:
            by_total.setdefault(counts.total, []).append(counts)
        else:
            empty += 1
    extra_good = empty if method.no_data == "good" else 0
    extra_bad = empty if method.no_data == "bad" else 0
    if len(by_total) > _EXACT_TOTALS:
        return Counts(
            fsum(c.good / c.total for found in by_total.values() for c in found) + extra_good,
            fsum(c.bad / c.total for found in by_total.values() for c in found) + extra_bad,
        )
    exact_good = exact_bad = Fraction(0)
    for total, found in by_total.items():
        exact_good += sum(Fraction(c.good) for c in found) / Fraction(total)
        exact_bad += sum(Fraction(c.bad) for c in found) / Fraction(total)
    return Counts(exact_good + extra_good, exact_bad + extra_bad)
