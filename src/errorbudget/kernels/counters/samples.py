"""The samples of one series, and many windows among them."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.counters import RULES, STALE, Rules
from errorbudget.errors import InvalidInputError, InvalidSeriesError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Windows", "integers", "is_stale", "range_sums", "samples", "windows"]

_STALE_BITS = np.array(STALE, dtype="<f8").view("<i8")
_EXACT = float(2**53)


def is_stale(values: ArrayLike) -> NDArray[np.bool_]:
    """Which values mark that a series ended, shape (n,)."""
    checked = np.ascontiguousarray(values, dtype=np.float64)
    return np.asarray(checked.view(np.int64) == _STALE_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """
    The samples of one series and where each window begins and ends among them.

    Attributes:
        t_ms: Times without stale markers, int64 of shape (n,) [ms UTC].
        values: Their values, float64 of shape (n,).
        first: Position of each window's first sample, shape (m,).
        end: Position after each window's last sample, shape (m,).
        at_ms: Ends of the windows, shape (m,) [ms UTC].
        range_ms: Their length [ms].
    """

    t_ms: Ints
    values: Floats
    first: Ints
    end: Ints
    at_ms: Ints
    range_ms: int

    @property
    def count(self) -> Ints:
        """Samples in each window, shape (m,)."""
        return self.end - self.first


def integers(name: str, given: ArrayLike) -> Ints:
    """Instants in whole milliseconds; *name* is what they are of."""
    array = np.asarray(given)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise InvalidInputError(f"{name} must be whole milliseconds, got {array.dtype}")
    return np.asarray(array, dtype=np.int64)


def samples(t_ms: ArrayLike, values: ArrayLike) -> tuple[Ints, Floats]:
    """
    The samples of one series, without its stale markers.

    Raises:
        InvalidSeriesError: Times do not ascend, or shapes differ.
    """
    times, numbers = integers("times", t_ms), np.asarray(values, dtype=np.float64)
    if times.ndim != 1 or times.shape != numbers.shape:
        raise InvalidSeriesError(
            f"times of shape {times.shape} for values of shape {numbers.shape}: one each is needed"
        )
    wrong = np.flatnonzero(times[1:] <= times[:-1])
    if len(wrong):
        index = int(wrong[0]) + 1
        raise InvalidSeriesError(
            f"times must ascend, each once; sample {index} at {times[index]} ms follows "
            f"{times[index - 1]} ms",
            index=index,
        )
    stale = is_stale(numbers)
    return (times[~stale], numbers[~stale]) if stale.any() else (times, numbers)


def windows(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Windows:
    """
    Where each window lies among the samples.

    Args:
        t_ms: Times of the samples, integers of shape (n,), ascending [ms UTC].
        values: Their values, shape (n,); stale markers are left out.
        at_ms: Ends of the windows, integers of shape (m,), in any order [ms UTC].
        range_ms: Length of the windows [ms].
        rules: Up to 2.55 a sample on the left edge is inside, from 3.0 on it is not.

    Raises:
        InvalidSeriesError: Times do not ascend, or shapes differ.

    Time: O(n + m log n); memory: O(m).
    """
    if not isinstance(rules, str) or rules not in RULES:
        raise InvalidInputError(f"rules must be one of {', '.join(RULES)}, got {rules!r}")
    if range_ms <= 0:
        raise InvalidInputError(f"a window must be longer than 0 ms, got {range_ms}")
    times, numbers = samples(t_ms, values)
    ends = np.atleast_1d(integers("instants", at_ms))
    return Windows(
        t_ms=times,
        values=numbers,
        first=np.searchsorted(times, ends - range_ms, "right" if rules == "prom3" else "left"),
        end=np.searchsorted(times, ends, "right"),
        at_ms=ends,
        range_ms=int(range_ms),
    )


def _whole(values: Floats) -> bool:
    """Whether every partial sum is a whole number that a float64 holds."""
    with np.errstate(over="ignore"):
        total = np.abs(values).sum()
        return bool(total < _EXACT) and bool((values == np.rint(values)).all())


def range_sums(values: Floats, first: Ints, end: Ints) -> Floats:
    """
    The sum of each slice `values[first:end]`, correctly rounded, shape (m,).

    What is beyond float64 is infinite.

    Args:
        values: Numbers, shape (n,).
        first: Starts of the slices, shape (m,).
        end: Ends of the slices, shape (m,); an empty slice sums to 0.

    Time: O(n + m) for whole numbers, else O(total length of the slices).
    """
    if _whole(values):
        running = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(running[np.maximum(end, first)] - running[first])
    slices = map(slice, first.tolist(), end.tolist())
    return np.array([_sum(values[one]) for one in slices], np.float64)


def _sum(values: Floats) -> float:
    try:
        return fsum(values)
    except OverflowError:
        with np.errstate(over="ignore"):
            return float(values.sum())
