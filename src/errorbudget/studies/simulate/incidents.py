"""
What can go wrong, as data: when it starts, how long it lasts, how hard it hits.

An incident says, for any instants, which share of the requests fails and how much slower they
are; `simulate` draws from that. An incident holds over (start, start + duration], like the rolling
windows that will look at it. Each prints as the code that makes it, and travels as JSON through
`to_dict` and `incident_from_dict`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from errorbudget.durations import DAY_NS, HOUR_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidTimeError, did_you_mean
from errorbudget.times import MAX_NS, TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "INCIDENTS",
    "BrownOut",
    "CounterReset",
    "DeployRegression",
    "Flapping",
    "Incident",
    "LatencyCreep",
    "Outage",
    "RetryStorm",
    "ScrapeGap",
    "SlowBurn",
    "ZeroTrafficNights",
    "incident_from_dict",
]

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


def _number(name: str, value: object, *, most: float = inf) -> float:
    """*value* when it lies in (0, *most*] and is finite."""
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else nan
    if 0 < number <= most and isfinite(number):
        return float(number)
    top = f"and at most {most:g}" if isfinite(most) else "and finite"
    raise InvalidInputError(f"{name} must be a number above 0 {top}, got {value!r}")


def _whole(name: str, value: object, least: int, most: float = inf) -> None:
    """Whether *value* is a whole number in [*least*, *most*]."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        top = f" and at most {most:g}" if isfinite(most) else ""
        raise InvalidInputError(
            f"{name} must be a whole number of {least} or more{top}, got {value!r}"
        )


def _patterns(routes: object) -> tuple[str, ...]:
    if not isinstance(routes, (tuple, list)) or not all(isinstance(one, str) for one in routes):
        raise InvalidInputError(
            f'routes must be a tuple of patterns such as ("/api/*",), got {routes!r}'
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
        intensity = _number(
            f"intensity of {self.kind}", self.intensity, most=self.largest_intensity
        )
        routes = _patterns(self.routes)
        object.__setattr__(self, "start", format_time(start_ns))
        object.__setattr__(self, "duration", format_duration(end_ns - start_ns))
        object.__setattr__(self, "intensity", intensity)
        object.__setattr__(self, "routes", routes)
        object.__setattr__(self, "name", str(self.name) or self.kind)
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
            >>> Outage("2026-03-01T12:00:00Z", "5m").to_dict()["kind"]
            'Outage'
        """
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["routes"] = list(self.routes)
        return {"kind": self.kind, **plain}


@dataclass(frozen=True, slots=True)
class Outage(Incident):
    """
    Nearly everything fails: 503 and 502, answered at once.

    Args:
        intensity: Share of the requests that fail, in (0, 1].

    Example:
        >>> Outage("2026-03-01T12:00:00Z", "25m", name="database down")
        Outage(start='2026-03-01T12:00:00Z', duration='25m', intensity=0.95, routes=(), \
name='database down')
    """

    intensity: float = 0.95

    failures: ClassVar[tuple[tuple[int, float], ...]] = ((503, 0.7), (502, 0.3))

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The intensity, throughout."""
        return np.full(len(time), self.intensity)


@dataclass(frozen=True, slots=True)
class BrownOut(Incident):
    """
    Overload: some requests time out (504) or are shed (503), and the others are slow.

    Args:
        intensity: Share of the requests that fail, in (0, 1].
        slowdown_factor: How many times longer the others take [1, >= 1].
    """

    intensity: float = 0.2
    slowdown_factor: float = 4.0

    failures: ClassVar[tuple[tuple[int, float], ...]] = ((503, 0.6), (504, 0.4))

    def _check(self) -> None:
        if not _number("slowdown_factor", self.slowdown_factor) >= 1:
            raise InvalidInputError(
                f"slowdown_factor must be 1 or more, got {self.slowdown_factor!r}"
            )

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The intensity, throughout."""
        return np.full(len(time), self.intensity)

    def slowdown(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The factor, throughout."""
        return np.full(len(time), self.slowdown_factor)


@dataclass(frozen=True, slots=True)
class SlowBurn(Incident):
    """
    A few errors more than usual, for long: what nobody notices without a budget.

    Args:
        intensity: Share of the requests that fail, in (0, 1].
    """

    intensity: float = 0.003

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The intensity, throughout."""
        return np.full(len(time), self.intensity)


@dataclass(frozen=True, slots=True)
class Flapping(Incident):
    """
    On and off again: it fails for half a period, heals for half a period, and so on.

    Args:
        intensity: Share of the requests that fail while it is on, in (0, 1].
        period: Length of one on and one off together.
    """

    intensity: float = 0.5
    period: DurationLike = "10m"

    failures: ClassVar[tuple[tuple[int, float], ...]] = ((503, 1.0),)

    def _check(self) -> None:
        object.__setattr__(self, "period", format_duration(parse_duration(self.period)))

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The intensity in the first half of each period, then none."""
        # The first instant of the half-open span (start, ...] belongs to the first "on".
        phase = (time - self.start_ns - 1) % parse_duration(self.period)
        return np.where(2 * phase < parse_duration(self.period), self.intensity, 0.0)


@dataclass(frozen=True, slots=True)
class DeployRegression(Incident):
    """
    A bad release: the share of failures (500) grows with the rollout, and ends with the rollback.

    Args:
        intensity: Share of the requests that the new version fails, in (0, 1].
        rollout: How long until the new version serves everything.
    """

    intensity: float = 0.1
    rollout: DurationLike = "15m"

    def _check(self) -> None:
        object.__setattr__(self, "rollout", format_duration(parse_duration(self.rollout)))

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The intensity, in step with the rollout."""
        rolled_out = (time - self.start_ns) / parse_duration(self.rollout)
        return self.intensity * np.minimum(1.0, rolled_out)


@dataclass(frozen=True, slots=True)
class RetryStorm(Incident):
    """
    Failures (503) that clients answer with more requests, which fail as often.

    Every failed request is tried again after 1, 2, 4, ... seconds, until it succeeds, its
    retries are used up, or the incident is over.

    Args:
        intensity: Share of the requests that fail, retries too, in (0, 1].
        retries: How often a client tries again [requests, 1 to 10].
    """

    intensity: float = 0.4
    retries: int = 3

    failures: ClassVar[tuple[tuple[int, float], ...]] = ((503, 1.0),)

    def _check(self) -> None:
        _whole("retries", self.retries, 1, 10)

    def failure_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The intensity, throughout."""
        return np.full(len(time), self.intensity)


@dataclass(frozen=True, slots=True)
class LatencyCreep(Incident):
    """
    Everything succeeds, a little more slowly every minute.

    Args:
        intensity: How much slower at the end [1, > 0]: 1 means twice the usual time.
    """

    intensity: float = 1.0

    largest_intensity: ClassVar[float] = inf

    def slowdown(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """From 1 up to 1 + intensity, evenly."""
        return 1.0 + self.intensity * (time - self.start_ns) / (self.end_ns - self.start_ns)


@dataclass(frozen=True, slots=True)
class ZeroTrafficNights(Incident):
    """
    Hours of the night (UTC) in which nobody comes: no requests, no answer to how good they were.

    Args:
        intensity: Share of the traffic that stays away, in (0, 1].
        hour: When the night begins [hour of the UTC day, 0 to 23].
        hours: How long it is [h, in (0, 24]].
    """

    intensity: float = 1.0
    hour: int = 1
    hours: float = 4.0

    def _check(self) -> None:
        _whole("hour", self.hour, 0, 23)
        _number("hours", self.hours, most=24)

    def traffic_share(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the intensity leaves of it at night, all of it by day."""
        into_night = (time - self.hour * HOUR_NS - 1) % DAY_NS
        return np.where(into_night < round(self.hours * HOUR_NS), 1.0 - self.intensity, 1.0)


@dataclass(frozen=True, slots=True)
class CounterReset(Incident):
    """
    One instance is restarted: no scrapes while it is away, and its counters begin again at 0.

    Requests are not lost: the other instances serve them. What the instance counted after its
    last scrape is, for whoever only sees the counters.

    Args:
        duration: How long the instance is away.
        instance: Which one, from 0.
    """

    duration: DurationLike = "30s"
    instance: int = 0

    def _check(self) -> None:
        _whole("instance", self.instance, 0)


@dataclass(frozen=True, slots=True)
class ScrapeGap(Incident):
    """Monitoring itself is away: requests and counters go on, nobody reads them."""


INCIDENTS: dict[str, type[Incident]] = {
    kind.__name__: kind
    for kind in (
        Outage,
        BrownOut,
        SlowBurn,
        Flapping,
        DeployRegression,
        RetryStorm,
        LatencyCreep,
        ZeroTrafficNights,
        CounterReset,
        ScrapeGap,
    )
}
"""Every kind by its name."""


def incident_from_dict(plain: Mapping[str, Any]) -> Incident:
    """
    The incident that `Incident.to_dict` wrote, or a person in JSON or YAML.

    Args:
        plain: `kind` and the arguments of that kind; those with a default may be left out.

    Raises:
        InvalidInputError: The kind or an argument is not known, or does not fit.

    Example:
        >>> incident_from_dict({"kind": "Outage", "start": "2026-03-01T12:00:00Z", \
"duration": "5m"}).end_ns == to_ns("2026-03-01T12:05:00Z")
        True
    """
    arguments = dict(plain)
    kind = arguments.pop("kind", None)
    if kind not in INCIDENTS:
        raise InvalidInputError(
            f"{kind!r} is not a kind of incident; there are {', '.join(INCIDENTS)}"
            f"{did_you_mean(str(kind), tuple(INCIDENTS))}"
        )
    known = tuple(field.name for field in fields(INCIDENTS[kind]))
    for name in arguments:
        if name not in known:
            raise InvalidInputError(
                f'{kind} has no "{name}"; it has {", ".join(known)}{did_you_mean(str(name), known)}'
            )
    if "start" not in arguments or ("duration" not in arguments and kind != "CounterReset"):
        raise InvalidInputError(f"{kind} needs a start and a duration, got {dict(plain)!r}")
    return INCIDENTS[kind](**arguments)
