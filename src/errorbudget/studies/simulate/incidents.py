"""
What can go wrong, as data: when it starts, how long it lasts, how hard it hits.

An incident says, for any instants, which share of the requests fails and how much slower they
are; `simulate` draws from that. An incident holds over (start, start + duration], like the rolling
windows that will look at it. Each prints as the code that makes it, and travels as JSON through
`to_dict` and `incident_from_dict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from errorbudget.durations import DAY_NS, HOUR_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.studies.arguments import number, whole
from errorbudget.studies.simulate.incident import Incident

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
        factor = number("slowdown_factor", self.slowdown_factor, least=1)
        object.__setattr__(self, "slowdown_factor", factor)

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
        object.__setattr__(self, "retries", whole("retries", self.retries, 1, 10))

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
        object.__setattr__(self, "hour", whole("hour", self.hour, 0, 23))
        object.__setattr__(self, "hours", number("hours", self.hours, above=0, most=24))

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
        object.__setattr__(self, "instance", whole("instance", self.instance, 0))


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
        >>> plain = {"kind": "Outage", "start": "2026-03-01T12:00:00Z", "duration": "5m"}
        >>> incident_from_dict(plain) == Outage("2026-03-01T12:00:00Z", "5m")
        True
    """
    if not isinstance(plain, Mapping):
        raise InvalidInputError(f'an incident is plain data with its "kind", got {shown(plain)}')
    arguments = dict(plain)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in INCIDENTS:
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
