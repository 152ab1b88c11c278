"""
Time that is judged otherwise: planned maintenance, left out of the SLO or counted as good.

A maintenance is [start, end). An event in an excluded one is not valid, neither good nor bad; an
event in a good one is valid and good, whatever happened. Where both hold an event, it is excluded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from errorbudget.corrections.recurrence import check_rule, parse_rule, starts
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidWindowError, SpecError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.times import TimeLike, format_time
from errorbudget.windows.interval import Interval
from errorbudget.windows.localtime import LocalLike, load_zone, read_local, write_local
from errorbudget.windows.sets import merge_intervals

__all__ = ["Correction", "Maintenance", "RecurringMaintenance", "Treat", "parse_correction"]

Treat = Literal["exclude", "good"]
"""What becomes of events during a maintenance: not valid, or valid and good."""


def _check_treat(treat: str, reason: str) -> None:
    if not isinstance(treat, str) or treat not in ("exclude", "good"):
        raise InvalidWindowError(
            f'treat must be "exclude" or "good", got {shown(treat)}'
            f"{did_you_mean(shown(treat), ('exclude', 'good'))}"
        )
    if not isinstance(reason, str):
        raise InvalidWindowError(f"reason must be text, got {shown(reason)}")


def _bounds(within: Interval) -> tuple[int, int]:
    """The first instant inside, and the first after; instants are whole nanoseconds."""
    shift = 1 if within.closed == "right" else 0
    return within.start_ns + shift, within.end_ns + shift


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Maintenance:
    """
    One stretch of time, [start, end), whose events are left out or counted good.

    Args:
        start: First instant of it.
        end: First instant after it.
        treat: `"exclude"`: events in it are not valid. `"good"`: they are valid and good.
        reason: Why, for reports.

    Attributes:
        interval: The stretch, closed on the left.

    Raises:
        InvalidTimeError: An instant cannot be read or has no zone.
        InvalidWindowError: It does not end after it starts, or *treat* is neither word.

    Example:
        >>> Maintenance("2026-03-01T02:00:00Z", "2026-03-01T04:00:00Z", reason="new disks")
        Maintenance("2026-03-01T02:00:00Z", "2026-03-01T04:00:00Z", reason='new disks')
    """

    interval: Interval
    treat: Treat
    reason: str

    def __init__(
        self, start: TimeLike, end: TimeLike, treat: Treat = "exclude", reason: str = ""
    ) -> None:
        interval = Interval.between(start, end)
        if not interval.length_ns:
            raise InvalidWindowError(
                f"a maintenance must end after it starts, got {format_time(interval.start_ns)} "
                "for both"
            )
        _check_treat(treat, reason)
        object.__setattr__(self, "interval", interval)
        object.__setattr__(self, "treat", treat)
        object.__setattr__(self, "reason", reason)

    @staticmethod
    def recurring(
        rule: str,
        *,
        start: LocalLike,
        duration: DurationLike,
        zone: str = "UTC",
        treat: Treat = "exclude",
        reason: str = "",
    ) -> RecurringMaintenance:
        """
        A maintenance that repeats; see `RecurringMaintenance`.

        Example:
            >>> sundays = Maintenance.recurring(
            ...     "FREQ=WEEKLY;BYDAY=SU",
            ...     start="2026-01-04 02:00",
            ...     duration="2h",
            ...     zone="Europe/Berlin",
            ... )
            >>> april = Interval.between("2026-03-28T00:00:00Z", "2026-04-06T00:00:00Z")
            >>> for interval in sundays.intervals(april):  # the first night has no 2 o'clock
            ...     print(interval)
            [2026-03-29T01:00:00Z, 2026-03-29T03:00:00Z)
            [2026-04-05T00:00:00Z, 2026-04-05T02:00:00Z)
        """
        return RecurringMaintenance(
            rule, start=start, duration=duration, zone=zone, treat=treat, reason=reason
        )

    def intervals(self, within: Interval) -> list[Interval]:
        """The stretch, whole and not clipped, if it shares an instant with *within*; else none."""
        first, after = _bounds(within)
        touches = self.interval.start_ns < after and self.interval.end_ns > first
        return [self.interval] if touches and first < after else []

    def to_dict(self) -> dict[str, str]:
        """The maintenance as plain data, readable by `parse_correction`."""
        return {
            "start": format_time(self.interval.start_ns),
            "end": format_time(self.interval.end_ns),
            "treat": self.treat,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Maintenance:
        """
        The maintenance that plain data stand for.

        Raises:
            SpecError: A key is missing or unknown.
        """
        check_keys("a maintenance", data, ("start", "end"), ("treat", "reason"))
        return cls(**data)

    def __repr__(self) -> str:
        start, end = format_time(self.interval.start_ns), format_time(self.interval.end_ns)
        return f'Maintenance("{start}", "{end}"{_options(self.treat, self.reason)})'


@dataclass(frozen=True, slots=True, init=False, repr=False)
class RecurringMaintenance:
    """
    A maintenance that starts again and again, at the same wall time whatever the clocks do.

    The rule counts in wall time of its zone; how long each one lasts is elapsed time, so two hours
    are two hours also in the night of a change. A start that the clocks skip begins with the first
    instant after the jump (RFC 5545 would leave that night out, though the work was done), and one
    that they show twice begins with the first of the two.

    Args:
        rule: RFC 5545 recurrence rule, such as `"FREQ=WEEKLY;BYDAY=SU"`. `UNTIL` is inclusive; a
            date alone means all of that day, and without `Z` it is wall time.
        start: Where the rule begins (`DTSTART`): wall time in *zone*, or an instant. It is a
            start itself only if it fits the rule.
        duration: How long each one lasts.
        zone: IANA name or offset.
        treat: `"exclude"` or `"good"`.
        reason: Why, for reports.

    Raises:
        InvalidWindowError: The rule cannot be read or never happens, or another part is wrong.
        MissingDependencyError: dateutil is not installed: `pip install 'errorbudget[calendar]'`.

    Source: RFC 5545, sections 3.3.10 and 3.8.5.3.
    """

    rule: str
    start: str
    duration_ns: int
    zone: str
    treat: Treat
    reason: str
    _parts: dict[str, str] = field(init=False, compare=False)
    _origin: dt.datetime = field(init=False, compare=False)
    _tzinfo: dt.tzinfo = field(init=False, compare=False)

    def __init__(
        self,
        rule: str,
        *,
        start: LocalLike,
        duration: DurationLike,
        zone: str = "UTC",
        treat: Treat = "exclude",
        reason: str = "",
    ) -> None:
        _check_treat(treat, reason)
        name, tzinfo = load_zone(zone)
        parts, origin = parse_rule(rule), read_local(start, tzinfo)
        if origin.microsecond:
            raise InvalidWindowError(f"a rule begins on a whole second, got {origin}")
        check_rule(origin, parts, tzinfo)
        text = ";".join(f"{key}={value}" for key, value in parts.items())
        object.__setattr__(self, "rule", text)
        object.__setattr__(self, "start", write_local(origin))
        object.__setattr__(self, "duration_ns", parse_duration(duration))
        object.__setattr__(self, "zone", name)
        object.__setattr__(self, "treat", treat)
        object.__setattr__(self, "reason", reason)
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_origin", origin)
        object.__setattr__(self, "_tzinfo", tzinfo)

    def intervals(self, within: Interval) -> list[Interval]:
        """
        The stretches that share an instant with *within*, whole and not clipped, merged, in order.

        Raises:
            InvalidWindowError: The rule would need more than `MAX_STARTS` starts to get there.

        Time: O(starts since the rule began).
        """
        first, after = _bounds(within)
        if first >= after:
            return []
        return merge_intervals(
            Interval(start_ns, start_ns + self.duration_ns, "left")
            for start_ns in starts(self._origin, self._parts, self._tzinfo, after)
            if start_ns + self.duration_ns > first
        )

    def to_dict(self) -> dict[str, str]:
        """The maintenance as plain data, readable by `parse_correction`."""
        return {
            "rule": self.rule,
            "start": self.start,
            "duration": format_duration(self.duration_ns),
            "zone": self.zone,
            "treat": self.treat,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RecurringMaintenance:
        """
        The maintenance that plain data stand for.

        Raises:
            SpecError: A key is missing or unknown.
        """
        check_keys(
            "a recurring maintenance",
            data,
            ("rule", "start", "duration"),
            ("zone", "treat", "reason"),
        )
        return cls(**data)

    def __repr__(self) -> str:
        zone = "" if self.zone == "UTC" else f', zone="{self.zone}"'
        return (
            f'Maintenance.recurring("{self.rule}", start="{self.start}", '
            f'duration="{format_duration(self.duration_ns)}"{zone}'
            f"{_options(self.treat, self.reason)})"
        )


Correction = Maintenance | RecurringMaintenance
"""Time that is judged otherwise."""


def _options(treat: str, reason: str) -> str:
    shown = "" if treat == "exclude" else f', treat="{treat}"'
    return shown + (f", reason={reason!r}" if reason else "")


def check_keys(
    what: str, data: Mapping[str, Any], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    """
    Refuse plain data with missing or unknown keys.

    Raises:
        SpecError: So it is; its path is the key.
    """
    known = (*required, *optional)
    for key in data:
        if key not in known:
            raise SpecError(
                f'{what} has no key "{key}"; keys are {", ".join(known)}'
                f"{did_you_mean(str(key), known)}",
                path=str(key),
            )
    for key in required:
        if key not in data:
            raise SpecError(f'{what} needs "{key}"; keys are {", ".join(known)}', path=key)


def parse_correction(value: Correction | Mapping[str, Any]) -> Correction:
    """
    The correction that a value stands for: itself, or plain data as `to_dict` writes them.

    Raises:
        SpecError: A key is missing or unknown.
        InvalidWindowError: A value cannot be read.

    Example:
        >>> parse_correction({"start": "2026-03-01T02:00:00Z", "end": "2026-03-01T04:00:00Z"})
        Maintenance("2026-03-01T02:00:00Z", "2026-03-01T04:00:00Z")
    """
    if isinstance(value, Maintenance | RecurringMaintenance):
        return value
    if not isinstance(value, Mapping):
        raise SpecError(
            f"{shown(value)} is not a maintenance; give start and end, or rule and start"
        )
    if "rule" in value:
        return RecurringMaintenance.from_dict(value)
    return Maintenance.from_dict(value)
