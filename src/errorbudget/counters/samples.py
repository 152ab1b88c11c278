"""The samples of one series: what they may be, and which of them lie in a window."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from math import isnan
from typing import Literal

from errorbudget.errors import InvalidInputError, InvalidSeriesError

__all__ = [
    "LOOKBACK_MS",
    "RULES",
    "STALE",
    "Rules",
    "check_samples",
    "is_stale",
    "samples_in_window",
]

Rules = Literal["prom2.42", "prom2.53", "prom3"]
"""Whose rules: servers up to 2.50, those from 2.51 to 2.55, and 3.0 and later."""

RULES: tuple[Rules, ...] = ("prom2.42", "prom2.53", "prom3")

LOOKBACK_MS = 300_000
"""How old a value may be and still stand for an instant [ms]: Prometheus' own five minutes."""

_STALE_BITS = 0x7FF0000000000002
STALE: float = struct.unpack("<d", struct.pack("<Q", _STALE_BITS))[0]
"""The NaN by which Prometheus marks that a series has ended; range functions do not see it."""


def is_stale(value: float) -> bool:
    """Whether *value* is the marker of a series that ended, and not an ordinary NaN."""
    return isnan(value) and struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS


def check_samples(t_ms: Sequence[int], values: Sequence[float], range_ms: int, rules: str) -> None:
    """
    Refuse what is no series, and a window of no length.

    Raises:
        InvalidInputError: The rules are unknown, or the window is not longer than 0.
        InvalidSeriesError: Times do not ascend, or are not one for each value.
    """
    if not isinstance(rules, str) or rules not in RULES:
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
    check_samples(t_ms, values, range_ms, rules)
    start = at_ms - range_ms
    inside = [
        (time, value)
        for time, value in zip(t_ms, values, strict=True)
        if (start < time or (start == time and rules != "prom3"))
        and time <= at_ms
        and not is_stale(value)
    ]
    return [time for time, _ in inside], [value for _, value in inside]
