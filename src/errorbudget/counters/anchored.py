"""The anchored reading: exact growth from edge to edge of a window, and what a gap hides."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import Literal

from errorbudget.counters.samples import LOOKBACK_MS, check_samples, is_stale
from errorbudget.errors import InvalidSeriesError

__all__ = ["Born", "anchored_increase", "coverage", "hidden_increase"]

Born = Literal["zero", "before"]
"""Where a series first seen inside a window began: at 0, or at some unknown count."""


def _grown(values: Sequence[float]) -> Fraction:
    """The exact growth along *values*, the new value after each fall."""
    total = Fraction(0)
    for before, after in pairwise(values):
        total += Fraction(after) if after < before else Fraction(after) - Fraction(before)
    return total


def _counted(t_ms: Sequence[int], values: Sequence[float]) -> tuple[list[int], list[float]]:
    """The samples of a counter without stale markers, checked to be counts."""
    times, counts = [], []
    for index, (time, value) in enumerate(zip(t_ms, values, strict=True)):
        if is_stale(value):
            continue
        if not isfinite(value) or value < 0:
            raise InvalidSeriesError(
                f"a counter counts: its values are finite and not negative, got {value} "
                f"at {time} ms",
                index=index,
            )
        times.append(time)
        counts.append(value)
    return times, counts


def anchored_increase(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
    born: Born = "zero",
) -> float | None:
    """
    Growth of a counter over (at - range, at], anchored: exact, whole, and additive.

    The value at or before the end minus the value at or before the start; a reset adds the new
    value. A window that starts in a gap longer than the look-back begins with its first sample:
    what the gap hides is `hidden_increase`, and with it adjacent windows add up to the whole in
    every case.

    Args:
        t_ms: Times of the samples [ms UTC], ascending.
        values: Values of the counter [events, >= 0]; stale markers are left out.
        at_ms: End of the window [ms UTC].
        range_ms: Length of the window [ms].
        lookback_ms: How old the value at the start may be [ms].
        born: A series first seen inside the window counts from "zero": the first 503 of a process
            that was there before would be lost otherwise. "before" says that the process had
            counted before it was first looked at, and that its first value is not growth.

    Returns:
        Growth [events]; None where nothing was seen: no sample in the window, and none just before
        it.

    Raises:
        InvalidSeriesError: Times do not ascend, or a value is no count.

    Example:
        >>> t, v = [0, 60_000, 120_000], [5.0, 8.0, 2.0]
        >>> anchored_increase(t, v, 130_000, 70_000), anchored_increase(t, v, 60_000, 90_000)
        (2.0, 8.0)
    """
    check_samples(t_ms, values, range_ms, "prom3")
    times, counts = _counted(t_ms, values)
    start = at_ms - range_ms
    upto = sum(time <= at_ms for time in times)
    before = sum(time <= start for time in times)
    if upto == 0 or (upto == before and at_ms - times[upto - 1] > lookback_ms):
        return None
    if before == 0:
        first = Fraction(counts[0]) if born == "zero" else Fraction(0)
        return float(first + _grown(counts[:upto]))
    anchored = start - times[before - 1] <= lookback_ms
    return float(_grown(counts[before - 1 if anchored else before : upto]))


def hidden_increase(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
) -> float:
    """
    What a gap hides: growth across the gap in which the window starts, of which no one knows when.

    Zero unless the newest sample at or before the start is older than the look-back and another
    follows inside the window. Arguments as `anchored_increase`.

    Example:
        >>> t, v = [0, 3_600_000, 3_660_000], [10.0, 70.0, 71.0]
        >>> (
        ...     anchored_increase(t, v, 3_660_000, 1_800_000),
        ...     hidden_increase(t, v, 3_660_000, 1_800_000),
        ... )
        (1.0, 60.0)
    """
    check_samples(t_ms, values, range_ms, "prom3")
    times, counts = _counted(t_ms, values)
    start = at_ms - range_ms
    before = sum(time <= start for time in times)
    within = before < len(times) and times[before] <= at_ms
    if before == 0 or not within or start - times[before - 1] <= lookback_ms:
        return 0.0
    return float(_grown(counts[before - 1 : before + 1]))


def coverage(
    t_ms: Sequence[int],
    at_ms: int,
    range_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
) -> Fraction:
    """
    Share of the window during which the value was known: a sample no older than the look-back.

    Args:
        t_ms: Times of the samples [ms UTC], ascending.
        at_ms: End of the window [ms UTC].
        range_ms: Length of the window [ms].
        lookback_ms: How long a sample speaks [ms].

    Example:
        >>> coverage([0, 60_000], 600_000, 600_000)
        Fraction(3, 5)
    """
    check_samples(t_ms, t_ms, range_ms, "prom3")
    start = at_ms - range_ms
    known = 0
    for time, following in pairwise([*t_ms, at_ms + lookback_ms]):
        end = min(time + lookback_ms, following, at_ms)
        known += max(0, end - max(time, start))
    return Fraction(known, range_ms)
