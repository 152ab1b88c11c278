"""Where an axis is written on: round values, and round instants in UTC."""

from __future__ import annotations

import datetime as dt
from math import floor, log10

from errorbudget.durations import DAY_NS, HOUR_NS
from errorbudget.report.burn_down import ROUND_NS

__all__ = ["dated", "round_values"]

_LONGER = tuple(days * DAY_NS for days in (21, 28, 56, 91, 182, 365, 730, 3_650))


def round_values(low: float, high: float, most: int) -> list[float]:
    """
    Up to about *most* round values from *low* to *high*, ascending.

    Example:
        >>> round_values(0, 100, 4), round_values(99.2, 100, 3)
        ([0.0, 50.0, 100.0], [99.5, 100.0])
    """
    span = high - low
    if span <= 0:
        return [high]
    unit = 10.0 ** floor(log10(span / most))
    step = next(unit * n for n in (1, 2, 5, 10, 20, 50) if span / (unit * n) <= most - 1 or n == 50)
    first = -int(-(low / step) // 1)
    found = []
    digits = 3 - floor(log10(step))
    while (value := round(first * step, digits)) <= high + 1e-9 * step:
        found.append(value)
        first += 1
    return found


def dated(start_ns: int, end_ns: int, most: int) -> list[tuple[int, str]]:
    """
    Up to *most* round instants with their names, ascending.

    Example:
        >>> [name for _, name in dated(0, 30 * DAY_NS, 5)]
        ['1 Jan', '8 Jan', '15 Jan', '22 Jan', '29 Jan']
    """
    lengths = (*ROUND_NS, *_LONGER)
    wanted = (end_ns - start_ns) / most
    step = next((x for x in lengths if x >= wanted), lengths[-1])
    first = -(-start_ns // step)
    return [(time, _name(time, step)) for time in range(first * step, end_ns + 1, step)]


def _name(time_ns: int, step_ns: int) -> str:
    when = dt.datetime.fromtimestamp(time_ns // 10**9, dt.UTC)
    if step_ns >= DAY_NS:
        return f"{when.day} {when:%b}"
    if step_ns >= HOUR_NS and when.hour == 0:
        return f"{when.day} {when:%b}"
    return f"{when:%H:%M}" if step_ns >= 60 * 10**9 else f"{when:%H:%M:%S}"
