"""
What the samples of a counter say about a window: two readings, chosen by name.

A counter only grows, until its process restarts and it starts over from 0. A server looks at it
now and then, so that a window (start, end] almost never begins and ends on a sample. There are two
ways out:

- **anchored** (`anchored_increase`): the value at or before the end minus the value at or before
  the start, a reset adding the new value. Whole events, and adjacent windows add up. A look-back
  bounds how old a value at the start may be; what a gap hides is said by `hidden_increase` and
  `coverage`.
- **prometheus** (`increase`, `rate`, `delta`): the samples inside the window, extrapolated to its
  edges, in the three sets of rules that servers have had (`RULES`). Adjacent windows do not add
  up; it is here to agree with what a server, its rules and its dashboards say, float operation by
  float operation.

These are the slow and obvious twins of `kernels.counters`: one series, one instant, plain Python.

Source: Prometheus, promql/functions.go (`extrapolatedRate`, `instantValue`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import inf, isfinite, isnan
from typing import Literal

from errorbudget.errors import InvalidInputError, InvalidSeriesError

__all__ = [
    "LOOKBACK_MS",
    "RULES",
    "STALE",
    "Born",
    "Rules",
    "anchored_increase",
    "changes",
    "coverage",
    "delta",
    "hidden_increase",
    "idelta",
    "increase",
    "irate",
    "is_stale",
    "last_value",
    "rate",
    "resets",
    "samples_in_window",
]

Rules = Literal["prom2.42", "prom2.53", "prom3"]
"""Whose rules: servers up to 2.50, those from 2.51 to 2.55, and 3.0 and later."""

RULES: tuple[Rules, ...] = ("prom2.42", "prom2.53", "prom3")

Born = Literal["zero", "before"]
"""Where a series first seen inside a window began: at 0, or at some unknown count."""

LOOKBACK_MS = 300_000
"""How old a value may be and still stand for an instant [ms]: Prometheus' own five minutes."""

_STALE_BITS = 0x7FF0000000000002
STALE: float = struct.unpack("<d", struct.pack("<Q", _STALE_BITS))[0]
"""The NaN by which Prometheus marks that a series has ended; range functions do not see it."""


def is_stale(value: float) -> bool:
    """Whether *value* is the marker of a series that ended, and not an ordinary NaN."""
    return isnan(value) and struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS


def _checked(t_ms: Sequence[int], values: Sequence[float], range_ms: int, rules: str) -> None:
    if rules not in RULES:
        raise InvalidInputError(f"rules must be one of {', '.join(RULES)}, got {rules!r}")
    if range_ms <= 0:
        raise InvalidInputError(f"a window must be longer than 0 ms, got {range_ms}")
    if len(t_ms) != len(values):
        raise InvalidSeriesError(
            f"{len(t_ms)} times for {len(values)} values: there must be one each"
        )
    for index, (before, after) in enumerate(pairwise(t_ms), start=1):
        if after <= before:
            raise InvalidSeriesError(
                f"times must ascend, each once; sample {index} at {after} ms follows {before} ms",
                index=index,
            )


def samples_in_window(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> tuple[list[int], list[float]]:
    """
    The samples that a range function looks at.

    Args:
        t_ms: Times of the samples [ms UTC], ascending.
        values: Their values; stale markers are left out.
        at_ms: End of the window [ms UTC]; for `offset`, shift it.
        range_ms: Length of the window [ms].
        rules: Up to 2.55 a sample on the left edge is inside, from 3.0 on it is not.

    Raises:
        InvalidSeriesError: Times do not ascend.

    Example:
        >>> samples_in_window([0, 15_000, 30_000], [1.0, 2.0, 3.0], 30_000, 30_000, "prom3")
        ([15000, 30000], [2.0, 3.0])
    """
    _checked(t_ms, values, range_ms, rules)
    start = at_ms - range_ms
    inside = [
        (time, value)
        for time, value in zip(t_ms, values, strict=True)
        if (start < time or (start == time and rules != "prom3"))
        and time <= at_ms
        and not is_stale(value)
    ]
    return [time for time, _ in inside], [value for _, value in inside]


def _extrapolated(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules,
    *,
    counter: bool,
    per_second: bool,
) -> float | None:
    times, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if len(times) < 2:
        return None
    grown = inside[-1] - inside[0]
    if counter:
        for before, after in pairwise(inside):
            if after < before:
                grown += before
    span = (times[-1] - times[0]) / 1000
    spacing = span / (len(times) - 1)
    threshold = spacing * 1.1
    to_start = (times[0] - (at_ms - range_ms)) / 1000
    to_end = (at_ms - times[-1]) / 1000
    # A counter cannot have been below 0: it is not extended beyond where the line meets 0. Up to
    # 2.50 this came before the look at the threshold, and a far-away start could pass for a near
    # one.
    to_zero = span * (inside[0] / grown) if counter and grown > 0 and inside[0] >= 0 else inf
    if rules == "prom2.42":
        to_start = min(to_start, to_zero)
        to_start = to_start if to_start < threshold else spacing / 2
    else:
        to_start = to_start if to_start < threshold else spacing / 2
        to_start = min(to_start, to_zero)
    to_end = to_end if to_end < threshold else spacing / 2
    factor = (span + to_start + to_end) / span
    if per_second:
        factor /= range_ms / 1000
    return grown * factor


def increase(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """
    `increase(x[range])`: growth of a counter, extrapolated to the edges of the window.

    Args:
        t_ms: Times of the samples [ms UTC], ascending.
        values: Values of the counter [events].
        at_ms: End of the window [ms UTC].
        range_ms: Length of the window [ms].
        rules: Whose rules.

    Returns:
        Growth [events], rarely a whole number; None with fewer than two samples in the window.

    Example:
        >>> increase([0, 60_000, 120_000], [0.0, 10.0, 20.0], 120_000, 120_000, "prom2.53")
        20.0
    """
    return _extrapolated(t_ms, values, at_ms, range_ms, rules, counter=True, per_second=False)


def rate(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`rate(x[range])`: `increase` per second [events/s]; arguments and None as there."""
    return _extrapolated(t_ms, values, at_ms, range_ms, rules, counter=True, per_second=True)


def delta(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`delta(x[range])`: change of a gauge, extrapolated to the edges; arguments as `increase`."""
    return _extrapolated(t_ms, values, at_ms, range_ms, rules, counter=False, per_second=False)


def irate(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`irate(x[range])`: growth per second between the last two samples; None with fewer."""
    times, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if len(times) < 2:
        return None
    grown = inside[-1] if inside[-1] < inside[-2] else inside[-1] - inside[-2]
    return grown / ((times[-1] - times[-2]) / 1000)


def idelta(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`idelta(x[range])`: difference of the last two samples; None with fewer."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return inside[-1] - inside[-2] if len(inside) > 1 else None


def resets(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`resets(x[range])`: how often the value fell; None without a sample."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return float(sum(b < a for a, b in pairwise(inside))) if inside else None


def changes(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`changes(x[range])`: how often the value changed; None without a sample."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if not inside:
        return None
    return float(sum(b != a and not (isnan(a) and isnan(b)) for a, b in pairwise(inside)))


def last_value(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    lookback_ms: int = LOOKBACK_MS,
    rules: Rules = "prom3",
) -> float | None:
    """
    `x` at an instant: the newest value, if it is no older than the look-back and no stale marker.

    Example:
        >>> last_value([0], [7.0], 300_000, rules="prom2.53"), last_value([0], [7.0], 300_000)
        (7.0, None)
    """
    _checked(t_ms, values, lookback_ms, rules)
    start = at_ms - lookback_ms
    for time, value in zip(reversed(t_ms), reversed(values), strict=True):
        if time <= at_ms:
            fresh = time > start or (time == start and rules != "prom3")
            return value if fresh and not is_stale(value) else None
    return None


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
    _checked(t_ms, values, range_ms, "prom3")
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
    _checked(t_ms, values, range_ms, "prom3")
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
    _checked(t_ms, t_ms, range_ms, "prom3")
    start = at_ms - range_ms
    known = 0
    for time, following in pairwise([*t_ms, at_ms + lookback_ms]):
        end = min(time + lookback_ms, following, at_ms)
        known += max(0, end - max(time, start))
    return Fraction(known, range_ms)
