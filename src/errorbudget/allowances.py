"""
How much failure a target allows, in time and in events, and the other way round.

A target of 99.9 % over 30 days allows 43 minutes and 12 seconds, 3.6 seconds an hour, or one
event in a thousand. The times are those of a total outage under even traffic: an outage at night
costs fewer events than its minutes suggest. The events hold whatever the traffic does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from errorbudget.durations import (
    DAY_NS,
    HOUR_NS,
    SECOND_NS,
    DurationLike,
    format_duration,
    parse_duration,
)
from errorbudget.errors import InvalidDurationError, InvalidInputError, InvalidWindowError
from errorbudget.rationals import shown
from errorbudget.target import Target, TargetLike
from errorbudget.times import TimeLike
from errorbudget.windows import Calendar, Window, WindowLike, parse_window

__all__ = [
    "EVEN_TRAFFIC",
    "NINES",
    "PERIODS",
    "Allowance",
    "AllowanceRow",
    "RateLike",
    "allowance",
    "guide_table",
    "nines",
    "nines_table",
    "target_for",
]

EVEN_TRAFFIC = "minutes hold for even traffic"
"""What must be said beside every allowance in time."""

PERIODS: Mapping[str, int] = MappingProxyType(
    {"month": 30 * DAY_NS, "week": 7 * DAY_NS, "day": DAY_NS, "hour": HOUR_NS}
)
"""The periods of a table beside the window itself, and their lengths [ns]; a month is 30 days."""

NINES: tuple[Target, ...] = tuple(
    Target(f"{percent}%")
    for percent in (90, 95, 99, "99.5", "99.9", "99.95", "99.99", "99.999", "99.9999")
)
"""Targets of the usual table: Site Reliability Engineering, appendix A, and six nines."""

_GUIDE: tuple[tuple[str, Target], ...] = (
    ("API Availability", Target("99.9%")),
    ("Health Checks", Target("99.95%")),
    ("HTTP Error Rate", Target.from_error("1%")),
    ("Tool Error Rate", Target.from_error("0.1%")),
)

RateLike = str | int | float | Fraction
"""Traffic: text such as `"1000/s"`, `"24000/day"`, or a number of events per second."""


def _read_rate(value: RateLike) -> Fraction:
    """Events per second, exactly."""
    number: object = value
    per_ns = SECOND_NS
    cure = 'write it as "1000/s" or "24000/day", or as a number of events per second'
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*(?:/|per\s)\s*(.+?)\s*", value)
        if match is None:
            raise InvalidInputError(f'rate "{value}" cannot be read; {cure}')
        number, period = match[1].replace(",", "").replace("_", ""), match[2]
        try:
            per_ns = parse_duration(period if period[0].isdigit() else f"1 {period}")
        except InvalidDurationError as error:
            raise InvalidInputError(f'rate "{value}" cannot be read: {error}') from None
    elif isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise InvalidInputError(f"rate {shown(value)} cannot be read; {cure}")
    try:
        # A float through its shortest text: 0.1 events per second is 1/10.
        rate = Fraction(number if isinstance(number, Fraction) else str(number))
    except ValueError:
        raise InvalidInputError(f"rate must be finite, got {shown(value)}") from None
    if rate < 0:
        raise InvalidInputError(f"rate must not be negative, got {shown(value)}")
    return rate * SECOND_NS / per_ns


@dataclass(frozen=True, slots=True)
class AllowanceRow:
    """
    What one period allows.

    Attributes:
        period: `"window"`, `"month"`, `"week"`, `"day"`, `"hour"`, or a duration that was asked
            for.
        length_ns: How long the period is [ns].
        downtime_s: Total outage that is allowed, exact [s]; for even traffic.
        total: Events expected [events], exact; None without a rate.
        events: Bad events allowed [events], exact and so possibly a fraction; None without a rate.
    """

    period: str
    length_ns: int
    downtime_s: Fraction
    total: Fraction | None
    events: Fraction | None

    @property
    def whole_events(self) -> int | None:
        """Whole bad events that fit: one more misses the target [events]."""
        return None if self.events is None else math.floor(self.events)


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What a target allows over its window, and over shorter and longer periods.

    Attributes:
        target: The share that must be good.
        window: The window.
        window_ns: How long it is [ns]; for a calendar window, the period that was asked about.
        rate: Traffic, exact [events/s], or None.
        name: Whose it is, for tables of several.
    """

    target: Target
    window: Window
    window_ns: int
    rate: Fraction | None = None
    name: str = ""

    @property
    def share(self) -> Fraction:
        """The share of events that may be bad, 1 - target."""
        return self.target.error

    @property
    def nines(self) -> float:
        """How many nines the target has."""
        return nines(self.target)

    def per(self, period: DurationLike) -> AllowanceRow:
        """
        What a period allows.

        Args:
            period: `"window"`, a name in `PERIODS`, or any duration.

        Raises:
            InvalidDurationError: It is neither.

        Example:
            >>> str(allowance("99.9%").per("hour").downtime_s)
            '18/5'
        """
        name = period if isinstance(period, str) else format_duration(parse_duration(period))
        if name == "window":
            length_ns = self.window_ns
        elif name in PERIODS:
            length_ns = PERIODS[name]
        else:
            length_ns = parse_duration(period)
        length_s = Fraction(length_ns, SECOND_NS)
        total = None if self.rate is None else self.rate * length_s
        return AllowanceRow(
            period=name,
            length_ns=length_ns,
            downtime_s=self.share * length_s,
            total=total,
            events=None if total is None else self.share * total,
        )

    def rows(self) -> tuple[AllowanceRow, ...]:
        """The window and every one of `PERIODS`, in that order; say `EVEN_TRAFFIC` beside them."""
        return tuple(self.per(period) for period in ("window", *PERIODS))


def allowance(
    target: TargetLike,
    *,
    window: WindowLike = "30d",
    rate: RateLike | None = None,
    at: TimeLike | None = None,
    name: str = "",
) -> Allowance:
    """
    What a target allows.

    Args:
        target: Share of events that must be good.
        window: What it is judged over.
        rate: Traffic: `"1000/s"`, `"24000/day"`, or a number of events per second.
        at: An instant of the period meant, which a calendar window needs: March is longer than
            February.
        name: Whose it is.

    Returns:
        The allowance; its figures are exact fractions.

    Raises:
        InvalidTargetError: *target* cannot be read.
        InvalidWindowError: *window* cannot be read, or is a calendar window without *at*.
        InvalidInputError: *rate* cannot be read.

    Example:
        >>> month = allowance("95%", window="14d", rate="24000/day")
        >>> month.per("window").events, float(month.per("day").downtime_s / 60)
        (Fraction(16800, 1), 72.0)

    Source: Site Reliability Engineering, appendix A.
    """
    parsed = parse_window(window)
    if not isinstance(parsed, Calendar):
        length_ns = parsed.length_ns
    elif at is None:
        raise InvalidWindowError(
            f'how long "{parsed}" is depends on when: give at, such as at="2026-03-15T00:00:00Z"'
        )
    else:
        length_ns = parsed.interval(at).length_ns
    exact_rate = None if rate is None else _read_rate(rate)
    return Allowance(Target(target), parsed, length_ns, exact_rate, name)


def nines(target: TargetLike) -> float:
    """
    How many nines a target has, -log10(1 - target); infinite at 100 %.

    Example:
        >>> nines("99.9%"), round(nines("99.95%"), 2)
        (3.0, 3.3)
    """
    error = Target(target).error
    if not error:
        return math.inf
    # Each side by itself: as a float 1 - 0.999 is not 0.001.
    return math.log10(error.denominator) - math.log10(error.numerator)


def nines_table(
    *, window: WindowLike = "30d", rate: RateLike | None = None, at: TimeLike | None = None
) -> tuple[Allowance, ...]:
    """
    The allowances from one nine to six.

    Example:
        >>> [str(row.target) for row in nines_table()][-3:]
        ['99.99%', '99.999%', '99.9999%']
    """
    return tuple(
        allowance(target, window=window, rate=rate, at=at, name=str(target)) for target in NINES
    )


def guide_table() -> tuple[Allowance, ...]:
    """
    The budget table of the guide, with every figure right; its hours are off by a third or more.

    Error rates of "under 1 %" are targets of 99 %: all four are shares of good events.

    Example:
        >>> [(row.name, float(row.per("hour").downtime_s)) for row in guide_table()][0]
        ('API Availability', 3.6)
    """
    return tuple(allowance(target, name=name) for name, target in _GUIDE)


def target_for(downtime: DurationLike, per: DurationLike) -> Target:
    """
    The target that allows exactly so much downtime in a period.

    Args:
        downtime: Total outage allowed.
        per: In how long.

    Raises:
        InvalidDurationError: One cannot be read, or *downtime* fills the period.

    Example:
        >>> target_for("5m", per="1w")
        Target("2015/2016")
        >>> round(nines(target_for("5m", per="1w")), 2)
        3.3
    """
    downtime_ns, period_ns = parse_duration(downtime), parse_duration(per)
    if downtime_ns >= period_ns:
        raise InvalidDurationError(
            f"downtime must be shorter than its period, got {format_duration(downtime_ns)} "
            f"in {format_duration(period_ns)}"
        )
    return Target(1 - Fraction(downtime_ns, period_ns))
