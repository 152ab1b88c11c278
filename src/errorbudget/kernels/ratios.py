"""
SLI, budget and burn rate of many counts at once: the numpy twins of `budget` and `burn`.

Every answer is one division of two integers, so it is the exact answer correctly rounded: 999 good
of 1000 at 99.9 % leaves exactly 0. Where an integer does not fit a float64 (2**53) the division is
done with Python's integers, element by element, and is as exact.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidCountsError, InvalidInputError, InvalidSeriesError
from errorbudget.kernels.arrays import beyond_int64
from errorbudget.rationals import parse_rational
from errorbudget.target import Target, TargetLike

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EXACT_BELOW", "budget_remaining", "burn_exceeds", "burn_rate", "sli"]

EXACT_BELOW = 2**53
"""Integers below it are exact as float64."""


def _counts(
    part: ArrayLike, total: ArrayLike, *, name: str = "good"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    columns = []
    for column_name, counts in ((name, part), ("total", total)):
        column = np.asarray(counts)
        if column.dtype.kind not in "iub" and column.size:
            raise InvalidSeriesError(f"{column_name} must be integer counts, got {column.dtype}")
        if beyond_int64(column):
            raise InvalidCountsError(f"{column_name} has more than 2**63 - 1 events in one place")
        columns.append(np.asarray(column, dtype=np.int64))
    if columns[0].shape != columns[1].shape:
        raise InvalidSeriesError(
            f"{name} has shape {columns[0].shape} and total {columns[1].shape}; they must match"
        )
    few, all_ = columns
    wrong = (few < 0) | (few > all_)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InvalidCountsError(
            f"{name} must lie between 0 and total, got {few.flat[index]} of {all_.flat[index]} "
            f"at index {index}"
        )
    return few, all_


def _largest(counts: NDArray[np.int64]) -> int:
    return int(counts.max(initial=0))


def _divide(
    above: NDArray[np.int64], scale_above: int, below: NDArray[np.int64], scale_below: int
) -> NDArray[np.float64]:
    """(above x scale_above) / (below x scale_below), correctly rounded; 0/0 is NaN, of nothing."""
    top, bottom = above.astype(np.float64), below.astype(np.float64)
    top *= float(scale_above)
    bottom *= float(scale_below)
    large = (top >= EXACT_BELOW) | (bottom >= EXACT_BELOW)
    with np.errstate(invalid="ignore"):
        ratio = np.divide(top, bottom, out=top)
    ratio[large] = (_exact(above[large]) * scale_above) / (_exact(below[large]) * scale_below)
    return ratio


def _exact(counts: NDArray[np.int64]) -> Any:
    """As Python's integers, of any size, that numpy counts with one by one."""
    return counts.astype(object)


def sli(good: ArrayLike, total: ArrayLike) -> NDArray[np.float64]:
    """
    Share of good events.

    Args:
        good: Good events, integers, any shape.
        total: All events, same shape.

    Returns:
        Share [1], float64, same shape; NaN where there are no events.

    Raises:
        InvalidSeriesError: Shapes differ, or the counts are not integers.
        InvalidCountsError: A count lies outside 0 to its total.

    Example:
        >>> sli([999, 0], [1000, 0]).tolist()
        [0.999, nan]
    """
    good_counts, total_counts = _counts(good, total)
    return _divide(good_counts, 1, total_counts, 1)


def burn_rate(good: ArrayLike, total: ArrayLike, target: TargetLike) -> NDArray[np.float64]:
    """
    How fast the budget is being spent, against an even spend: bad / (total x error).

    Args:
        good: Good events, integers, any shape.
        total: All events, same shape.
        target: Exact share of events that must be good, in (0, 1].

    Returns:
        Burn rate [1, >= 0], float64; NaN where there are no events. At a target of 100 % any bad
        event burns at inf, and none at 0.

    Raises:
        InvalidSeriesError: Shapes differ, or the counts are not integers.
        InvalidCountsError: A count lies outside 0 to its total.
        InvalidTargetError: *target* lies outside (0, 1].

    Example:
        >>> burn_rate([4_928, 0], [5_000, 0], "99.9%").tolist()
        [14.4, nan]
    """
    good_counts, total_counts = _counts(good, total)
    error = Target(target).error
    bad = np.asarray(total_counts - good_counts)
    if not error:
        return np.where(bad > 0, np.inf, np.where(total_counts > 0, 0.0, np.nan))
    return _divide(bad, error.denominator, total_counts, error.numerator)


def budget_remaining(good: ArrayLike, total: ArrayLike, target: TargetLike) -> NDArray[np.float64]:
    """
    Share of the error budget that is left: 1 - bad / (total x error), unclamped.

    Args:
        good: Good events, integers, any shape.
        total: All events, same shape.
        target: Exact share of events that must be good, in (0, 1].

    Returns:
        Share [1, <= 1], float64; exactly 0 at exhaustion, negative when overspent, NaN where there
        are no events. At a target of 100 % it is 1 without bad events and -inf with any.

    Raises:
        InvalidSeriesError: Shapes differ, or the counts are not integers.
        InvalidCountsError: A count lies outside 0 to its total.
        InvalidTargetError: *target* lies outside (0, 1].

    Example:
        >>> budget_remaining([1_000, 999, 998], [1_000] * 3, "99.9%").tolist()
        [1.0, 0.0, -1.0]
    """
    good_counts, total_counts = _counts(good, total)
    error = Target(target).error
    bad = np.asarray(total_counts - good_counts)
    if not error:
        return np.where(bad > 0, -np.inf, np.where(total_counts > 0, 1.0, np.nan))
    top, bottom = error.numerator, error.denominator
    allowed, spent = total_counts.astype(np.float64), bad.astype(np.float64)
    allowed *= float(top)
    spent *= float(bottom)
    large = (allowed >= EXACT_BELOW) | (spent >= EXACT_BELOW)
    with np.errstate(invalid="ignore"):
        left = np.subtract(allowed, spent, out=spent)
        ratio = np.divide(left, allowed, out=left)
    whole = _exact(total_counts[large]) * top
    ratio[large] = (whole - _exact(bad[large]) * bottom) / whole
    return ratio


def burn_exceeds(
    bad: ArrayLike, total: ArrayLike, target: TargetLike, threshold: Fraction | str | float
) -> NDArray[np.bool_]:
    """
    Whether the burn rate is above *threshold*, strictly, decided on integers.

    Args:
        bad: Bad events, integers, any shape.
        total: All events, same shape.
        target: Exact share of events that must be good, in (0, 1].
        threshold: Burn rate [1, >= 0]; a float counts as it is written, so 14.4 is 144/10.

    Returns:
        True where bad / (total x error) > threshold; False where there are no events.

    Raises:
        InvalidInputError: *threshold* is negative or not a finite number.
        InvalidSeriesError: Shapes differ, or the counts are not integers.
        InvalidCountsError: A count lies outside 0 to its total.

    Example:
        >>> burn_exceeds([72, 73, 0], [5_000, 5_000, 0], "99.9%", 14.4).tolist()
        [False, True, False]
    """
    bad_counts, total_counts = _counts(bad, total, name="bad")
    try:
        limit = parse_rational(threshold)
    except ValueError:
        raise InvalidInputError(f"threshold must be a finite number, got {threshold!r}") from None
    if limit < 0:
        raise InvalidInputError(f"threshold must not be negative, got {threshold}")
    share = Target(target).error * limit  # bad / total > share
    top, bottom = share.numerator, share.denominator
    if max(_largest(bad_counts) * bottom, _largest(total_counts) * top, top, bottom) < 2**63:
        return np.asarray(bad_counts * bottom > total_counts * top)
    return np.asarray(_exact(bad_counts) * bottom > _exact(total_counts) * top)
