"""
Windows that people agree on: this month, this ISO week, this fiscal year, this sprint.

A calendar window is [start, end) between two wall-clock times of a zone, so a day has 23, 24 or
25 hours, and March in New York has 743. Periods are counted in local time from an anchor and only
then turned into instants (`localtime`): hours are never added across a change of the clocks.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Literal

from errorbudget.errors import InvalidTimeError, InvalidWindowError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.times import TimeLike, to_ns
from errorbudget.windows.interval import Closed, Interval
from errorbudget.windows.localtime import (
    LocalLike,
    first_instant,
    load_zone,
    read_local,
    wall_time,
    write_local,
)

__all__ = ["UNITS", "Calendar", "Unit"]

Unit = Literal["day", "week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = ("day", "week", "month", "quarter", "year")

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_OPENSLO: dict[str, Unit] = {
    "d": "day",
    "w": "week",
    "M": "month",
    "Q": "quarter",
    "q": "quarter",
    "Y": "year",
    "y": "year",
}
_FIRST_DAY = dt.date(1970, 1, 1)
_FIRST_MONDAY = dt.date(1970, 1, 5)


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Calendar:
    """
    Days, ISO weeks, months, quarters or years of a zone, from any anchor, [start, end).

    Where the clocks change, a boundary that they skip falls on the first instant after the jump,
    and one that they show twice on the first of the two. A period that a zone never had (30
    December 2011 in Samoa) is left out. A day of the month that is missing is the month's last.

    Args:
        unit: `"day"`, `"week"` (from Monday), `"month"`, `"quarter"` (from January) or `"year"`.
        zone: IANA name such as `"Europe/Berlin"`, or an offset such as `"-05:00"`.
        anchor: When one of the periods starts, in wall time of *zone*: text, `datetime` or `date`;
            something with a zone of its own is an instant, and is read off *zone*'s clock.
            `"2026-04-01"` makes fiscal years, `"2022-01-01 12:00"` weeks from Saturday noon.
        every: How many units make one period: 2 with `"week"` is a sprint. Needs an anchor,
            except for months and quarters that fit into a year.

    Raises:
        InvalidWindowError: A part cannot be read, or a period would be longer than 100 years.
        MissingDependencyError: This machine has no time zone data.

    Example:
        >>> march = Calendar("month", zone="America/New_York").interval("2026-03-10T00:00:00Z")
        >>> march.length_ns // 3_600_000_000_000
        743
        >>> print(march)
        [2026-03-01T05:00:00Z, 2026-04-01T04:00:00Z)
    """

    unit: Unit
    _: KW_ONLY
    zone: str
    anchor: str | None
    every: int
    _tzinfo: dt.tzinfo = field(init=False, compare=False)
    _origin: dt.datetime = field(init=False, compare=False)

    closed: ClassVar[Closed] = "left"

    def __init__(
        self, unit: Unit, *, zone: str = "UTC", anchor: LocalLike | None = None, every: int = 1
    ) -> None:
        if not isinstance(unit, str) or unit not in UNITS:
            raise InvalidWindowError(
                f"a calendar window is one of {', '.join(UNITS)}, got {shown(unit)}"
                f"{did_you_mean(shown(unit), UNITS)}"
            )
        if type(every) is not int or every < 1:
            raise InvalidWindowError(f"every must be a whole number from 1, got {shown(every)}")
        longest = 36_525 // _DAYS[unit] if unit in _DAYS else 1_200 // _MONTHS[unit]
        if every > longest:
            raise InvalidWindowError(f"a period of {every} {unit}s is longer than 100 years")
        in_a_year = unit in _MONTHS and 12 % (every * _MONTHS[unit]) == 0
        if anchor is None and every > 1 and not in_a_year:
            raise InvalidWindowError(
                f"a period of {every} {unit}s needs to know when one starts: "
                'give anchor, such as anchor="2026-01-05"'
            )
        name, tzinfo = load_zone(zone)
        if anchor is None:
            first = _FIRST_MONDAY if unit == "week" else _FIRST_DAY
            origin = dt.datetime.combine(first, dt.time(0))
        else:
            try:
                origin = read_local(anchor, tzinfo)
            except InvalidTimeError as error:
                raise InvalidWindowError(f"not an anchor: {error}") from None
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "zone", name)
        object.__setattr__(self, "anchor", None if anchor is None else write_local(origin))
        object.__setattr__(self, "every", every)
        object.__setattr__(self, "_tzinfo", tzinfo)
        object.__setattr__(self, "_origin", origin)

    @classmethod
    def from_openslo(
        cls, duration: str, *, start_time: LocalLike | None = None, zone: str = "UTC"
    ) -> Calendar:
        """
        The window of an OpenSLO `timeWindow` with `isRolling: false`.

        Args:
            duration: `"1d"`, `"1w"`, `"2w"`, `"1M"`, `"1Q"`, `"1Y"`.
            start_time: `calendar.startTime`, such as `"2022-01-01 12:00:00"`.
            zone: `calendar.timeZone`.

        Raises:
            InvalidWindowError: A part cannot be read, or the duration is shorter than a day.

        Example:
            >>> week = Calendar.from_openslo(
            ...     "1w", start_time="2022-01-01 12:00:00", zone="America/New_York"
            ... )
            >>> print(week.interval("2022-03-14T00:00:00Z"))
            [2022-03-12T17:00:00Z, 2022-03-19T16:00:00Z)
        """
        match = re.fullmatch(r"\s*(\d+)\s*([A-Za-z])\s*", duration)
        unit = _OPENSLO.get(match[2]) if match else None
        if match is None or unit is None:
            raise InvalidWindowError(
                f'"{duration}" is not a calendar window; '
                "write a number and one of d w M Q Y, such as 1M"
            )
        return cls(unit, zone=zone, anchor=start_time, every=int(match[1]))

    def interval(self, at: TimeLike) -> Interval:
        """
        The period that holds the instant *at*.

        Time: O(1); boundaries are computed, not looked up.
        """
        return self._interval(to_ns(at))

    def previous(self, interval: Interval) -> Interval:
        """The period before *interval*, which is one of this calendar's."""
        return self._interval(interval.start_ns - 1)

    def next(self, interval: Interval) -> Interval:
        """The period after *interval*, which is one of this calendar's."""
        return self._interval(interval.end_ns)

    def intervals(self, within: Interval) -> Iterator[Interval]:
        """
        Every whole period that shares some time with *within*, in order.

        Example:
            >>> year = Interval.between("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
            >>> len(list(Calendar("month").intervals(year)))
            12
        """
        if not within.length_ns:
            return
        period = self._interval(within.start_ns)
        while period.start_ns < within.end_ns:
            yield period
            period = self._interval(period.end_ns)

    def to_text(self) -> str:
        """
        The window as `parse_window` reads it.

        Example:
            >>> Calendar("week", zone="Europe/Berlin", anchor="2026-01-05", every=2).to_text()
            'every 2 weeks from 2026-01-05 Europe/Berlin'
        """
        words: list[str] = [self.unit] if self.every == 1 else [f"every {self.every} {self.unit}s"]
        if self.anchor is not None:
            words.append(f"from {self.anchor}")
        if self.zone != "UTC":
            words.append(self.zone)
        return " ".join(words)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        parts = [f'"{self.unit}"']
        if self.zone != "UTC":
            parts.append(f'zone="{self.zone}"')
        if self.anchor is not None:
            parts.append(f'anchor="{self.anchor}"')
        if self.every != 1:
            parts.append(f"every={self.every}")
        return f"Calendar({', '.join(parts)})"

    def _start_ns(self, index: int) -> int:
        """Where the period *index* starts, counted from the anchor's."""
        origin, steps = self._origin, index * self.every
        if self.unit in _DAYS:
            local = origin + dt.timedelta(days=steps * _DAYS[self.unit])
        else:
            year, month = divmod(
                origin.year * 12 + origin.month - 1 + steps * _MONTHS[self.unit], 12
            )
            last = calendar.monthrange(year, month + 1)[1]
            local = origin.replace(year=year, month=month + 1, day=min(origin.day, last))
        return first_instant(local, self._tzinfo)

    def _interval(self, at_ns: int) -> Interval:
        local, origin = wall_time(at_ns, self._tzinfo), self._origin
        if self.unit in _DAYS:
            index = (local - origin).days // (_DAYS[self.unit] * self.every)
        else:
            months = (local.year - origin.year) * 12 + local.month - origin.month
            index = months // (_MONTHS[self.unit] * self.every)
        # The guess is off by a period at most, and more only where a zone left days out.
        start_ns, end_ns = self._start_ns(index), self._start_ns(index + 1)
        while start_ns > at_ns:
            index, end_ns = index - 1, start_ns
            start_ns = self._start_ns(index)
        while end_ns <= at_ns:
            index, start_ns = index + 1, end_ns
            end_ns = self._start_ns(index + 1)
        return Interval(start_ns, end_ns, "left")
