"""What all incidents of a simulation have in common, and how their arguments are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidTimeError
from errorbudget.rationals import shown
from errorbudget.studies.arguments import number
from errorbudget.times import MAX_NS, TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Incident", "span_ns", "whole_ms"]

_MS = 1_000_000


def whole_ms(name: str, value_ns: int, said: Callable[[int], str] = format_duration) -> int:
    """*value_ns* itself; an error unless it is a whole millisecond, the grain of a simulation."""
    if value_ns % _MS:
        raise InvalidInputError(
            f"{name} must be a whole number of milliseconds, the grain of simulated time, "
            f"got {said(value_ns)}"
        )
    return value_ns


def span_ns(start: TimeLike, duration: DurationLike) -> tuple[int, int]:
    """Start and end of a stretch, whole milliseconds [ns UTC]."""
    start_ns = whole_ms("start", to_ns(start), format_time)
    end_ns = start_ns + whole_ms("duration", parse_duration(duration))
    if end_ns > MAX_NS:
        raise InvalidTimeError(
            f"{format_duration(end_ns - start_ns)} from {format_time(start_ns)} end after "
            f"{format_time(MAX_NS)}, the last instant that fits; take a shorter duration or an "
            "earlier start"
        )
    return start_ns, end_ns


def _patterns(routes: object) -> tuple[str, ...]:
    if not isinstance(routes, (tuple, list)) or not all(isinstance(one, str) for one in routes):
        raise InvalidInputError(
            f'routes must be a tuple of patterns such as ("/api/*",), got {shown(routes)}'
        )
    return tuple(routes)


@dataclass(frozen=True, slots=True)
class Incident:
    """
    What all incidents have in common; use one of the kinds, such as `Outage`.

    Args:
        start: When it begins; kept as text, in UTC.
        duration: How long it lasts, such as "25m"; kept as text.
        intensity: How hard it hits; each kind says what it means.
        routes: Which routes it hits, as shell patterns such as "/api/*"; () means all.
        name: What people call it; the kind by default.

    Raises:
        InvalidInputError: The intensity does not fit the kind, or a time is finer than 1 ms.
        InvalidTimeError: *start* cannot be read or has no zone.
        InvalidDurationError: *duration* cannot be read or is not positive.
    """

    start: TimeLike
    duration: DurationLike
    intensity: float = 1.0
    routes: tuple[str, ...] = ()
    name: str = ""

    failures: ClassVar[tuple[tuple[int, float], ...]] = ((500, 1.0),)
    """Statuses of the requests it fails, with their shares."""
    largest_intensity: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        start_ns, end_ns = span_ns(self.start, self.duration)
        intensity = number(
            f"intensity of {self.kind}", self.intensity, above=0, most=self.largest_intensity
        )
        routes = _patterns(self.routes)
        object.__setattr__(self, "start", format_time(start_ns))
        object.__setattr__(self, "duration", format_duration(end_ns - start_ns))
        object.__setattr__(self, "intensity", intensity)
        object.__setattr__(self, "routes", routes)
        if not isinstance(self.name, str):
            raise InvalidInputError(f"name of an incident must be a text, got {shown(self.name)}")
        object.__setattr__(self, "name", self.name or self.kind)
        self._check()

    def _check(self) -> None:
        """Whether the fields that only this kind has make sense."""

    @property
    def kind(self) -> str:
        """The kind, as `incident_from_dict` knows it."""
        return type(self).__name__

    @property
    def start_ns(self) -> int:
        """The instant after which it holds [ns UTC]."""
        return to_ns(self.start)

    @property
    def end_ns(self) -> int:
        """The last instant at which it holds [ns UTC]."""
        return self.start_ns + parse_duration(self.duration)

    def hits(self, route: str) -> bool:
        """Whether it concerns *route*."""
        return not self.routes or any(fnmatchcase(route, pattern) for pattern in self.routes)

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of requests that fail at *time*, which lies within the incident; shape (n,)."""
        return np.zeros(len(time))

    def slowdown(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many times longer requests take at *time* (1 = as ever); shape (n,)."""
        return np.ones(len(time))

    def traffic_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of the traffic that still comes at *time*; shape (n,)."""
        return np.ones(len(time))

    def to_dict(self) -> dict[str, Any]:
        """
        The incident as plain data, ready for JSON; `incident_from_dict` reads it back.

        Example:
            >>> from errorbudget.studies.simulate import Outage
            >>> Outage("2026-03-01T12:00:00Z", "5m").to_dict()["kind"]
            'Outage'
        """
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["routes"] = list(self.routes)
        return {"kind": self.kind, **plain}
