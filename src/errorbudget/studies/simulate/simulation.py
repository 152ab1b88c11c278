"""
A simulated stretch of traffic: the requests, and what each incident truly did to them.

Every incident draws from a stream of its own, and the traffic below does not know about them: the
same seed with one incident more differs in that incident's requests and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.events import Events, Labels
from errorbudget.series import CountSeries
from errorbudget.studies.simulate.incidents import Incident, span_ns
from errorbudget.studies.simulate.scrapes import BUCKETS_S, Scrapes, scrape
from errorbudget.studies.simulate.strikes import span_of, strike
from errorbudget.studies.simulate.traffic import ROUTES, Route, Season, Traffic, ordinary_traffic
from errorbudget.studies.tables import frame
from errorbudget.times import TimeLike, format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Impact", "Simulation", "simulate"]

MOST_REQUESTS = 200_000_000
"""Requests of one simulation, which are held in memory."""


_IMPACT: Columns = {
    "name": "text",
    "start": "instant",
    "end": "instant",
    "requests": "whole",
    "bad": "whole",
    "slow": "whole",
    "added": "whole",
    "removed": "whole",
    "incident": "text",
}


@dataclass(frozen=True, slots=True)
class Impact:
    """
    What one incident truly did, within the simulated time.

    Args:
        incident: The incident.
        start_ns: The instant after which it held [ns UTC].
        end_ns: The last instant at which it held [ns UTC].
        requests: Requests to its routes in that time [events].
        bad: Requests that failed (5xx) because of it [events].
        slow: Requests that took longer than the simulation's `slow_s` because of it [events].
        added: Requests that came because of it: retries [events].
        removed: Requests that stayed away because of it [events].
    """

    incident: Incident
    start_ns: int
    end_ns: int
    requests: int = 0
    bad: int = 0
    slow: int = 0
    added: int = 0
    removed: int = 0

    @property
    def name(self) -> str:
        """What people call the incident."""
        return self.incident.name

    def to_dict(self) -> dict[str, Any]:
        """The truth as plain data, ready for JSON."""
        return {
            "name": self.name,
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "requests": self.requests,
            "bad": self.bad,
            "slow": self.slow,
            "added": self.added,
            "removed": self.removed,
            "incident": self.incident.to_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Simulation(Shown):
    """
    Simulated requests in (start, end], and the truth about them.

    Args:
        start_ns: The instant after which requests come [ns UTC].
        end_ns: The last instant [ns UTC].
        seed: What made it; the same seed and arguments make it again.
        slow_s: Requests that take longer count as slow in the truth [s].
        events: The requests: time (whole ms), status, duration_s (whole ms), the labels `method`
            and `route`, and the number `bytes`.
        incidents: What each incident truly did, by start.
        cause: Which incident failed a request: position in *incidents*, -1 for those that failed
            on their own and those that did not; shape (n,), int16.
    """

    start_ns: int
    end_ns: int
    seed: int
    slow_s: float
    events: Events
    incidents: tuple[Impact, ...]
    cause: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.events)

    @property
    def _status(self) -> NDArray[np.int16]:
        status: NDArray[np.int16] = self.events.column("status")
        return status

    @property
    def bad(self) -> int:
        """Requests that failed (5xx), for whatever reason [events]."""
        return int(np.count_nonzero(self._status >= 500))

    @property
    def background_bad(self) -> int:
        """Requests that failed (5xx) without any incident [events]."""
        return self.bad - sum(impact.bad for impact in self.incidents)

    def counts(self, step: DurationLike = "1m") -> CountSeries:
        """
        Requests per bin, good being everything but 5xx.

        A bin is labelled by its end and holds (label - step, label]. Bins cover the whole simulated
        time, those without requests too. Time: O(n).

        Args:
            step: Width of a bin.
        """
        step_ns = parse_duration(step)
        first = self.start_ns // step_ns + 1
        last = -(-self.end_ns // step_ns)
        place = -(-self.events.time // step_ns) - first
        size = last - first + 1
        total = np.bincount(place, minlength=size)
        bad = np.bincount(place[self._status >= 500], minlength=size)
        labels = np.arange(first, last + 1, dtype=np.int64) * step_ns
        return CountSeries(labels, good=total - bad, total=total, step_ns=step_ns)

    def scrape(
        self,
        interval: DurationLike = "1m",
        instances: int = 3,
        buckets_s: tuple[float, ...] = BUCKETS_S,
    ) -> Scrapes:
        """
        The same requests as a monitoring system sees them: cumulative counters, read now and then.

        `CounterReset` and `ScrapeGap` incidents leave their marks here and nowhere else.

        Args:
            interval: Time between two readings of one instance.
            instances: Processes that share the requests, called app-0, app-1, ...
            buckets_s: Upper bounds of the duration buckets, ascending, without infinity [s].

        Raises:
            InvalidInputError: *instances* is below 1, the bounds do not ascend, or a
                `CounterReset` names an instance that is not there.
        """
        return scrape(
            self.events,
            self.start_ns,
            self.end_ns,
            [impact.incident for impact in self.incidents],
            seed=self.seed,
            interval=interval,
            instances=instances,
            buckets_s=buckets_s,
        )

    def to_pandas(self) -> Any:
        """What each incident truly did as a pandas DataFrame; `counts().to_pandas()` is traffic."""
        rows = [impact.to_dict() for impact in self.incidents]
        return frame([row | {"incident": row["incident"]["kind"]} for row in rows], _IMPACT)

    def to_dict(self) -> dict[str, Any]:
        """What truly happened as plain data, ready for JSON: the truth to lay beside a log."""
        return {
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "seed": self.seed,
            "requests": len(self),
            "bad": self.bad,
            "background_bad": self.background_bad,
            "slow_s": self.slow_s,
            "incidents": [impact.to_dict() for impact in self.incidents],
        }

    def describe(self) -> str:
        """What was simulated and what truly happened, as text for people."""
        length = format_duration(self.end_ns - self.start_ns)
        span = f"{format_time(self.start_ns)} to {format_time(self.end_ns)}"
        lines = [f"{len(self):,} simulated requests in {length}, {span} (seed {self.seed})"]
        classes = np.bincount(self._status // 100, minlength=6).tolist()
        shares = [
            f"{digit}xx {count:,} ({count / len(self):.3%})"
            for digit, count in enumerate(classes)
            if count
        ]
        if shares:
            lines.append("statuses: " + ", ".join(shares))
        lines.append(f"failed without any incident: {self.background_bad:,}")
        width = max((len(impact.name) for impact in self.incidents), default=0)
        for impact in self.incidents:
            effects = [
                f"{count:,} {what}"
                for what, count in (
                    ("failed", impact.bad),
                    (f"slower than {self.slow_s:g} s", impact.slow),
                    ("retries added", impact.added),
                    ("stayed away", impact.removed),
                )
                if count
            ]
            lines.append(
                f"  {format_time(impact.start_ns)}  {impact.name:<{width}}  "
                f"{impact.incident.kind} for {format_duration(impact.end_ns - impact.start_ns)}: "
                f"{', '.join(effects) or 'no request hurt'}"
            )
        return "\n".join(lines)

    def _card(self) -> Card:
        header = ("incident", "kind", "from", "for", "failed", "slow", "added", "stayed away")
        rows = [
            (
                impact.name,
                impact.incident.kind,
                format_time(impact.start_ns),
                format_duration(impact.end_ns - impact.start_ns),
                *(f"{n:,}" for n in (impact.bad, impact.slow, impact.added, impact.removed)),
            )
            for impact in self.incidents
        ]
        lines = [
            f"{len(self):,} requests, {format_time(self.start_ns)} to {format_time(self.end_ns)}",
            f"{self.bad:,} failed, {self.background_bad:,} of them without any incident",
        ]
        return Card("Simulation", f"seed {self.seed}", "", lines, header, rows)

    def __repr__(self) -> str:
        return (
            f"<Simulation of {len(self):,} requests, {format_time(self.start_ns)} to "
            f"{format_time(self.end_ns)}, {len(self.incidents)} incidents, seed {self.seed}>"
        )


def _ordered(incidents: Iterable[Incident], start_ns: int, end_ns: int) -> list[Incident]:
    ordered = sorted(incidents, key=lambda incident: (incident.start_ns, incident.name))
    names = [incident.name for incident in ordered]
    for incident in ordered:
        if names.count(incident.name) > 1:
            raise InvalidInputError(
                f'two incidents are called "{incident.name}"; give each its own name='
            )
        if incident.start_ns >= end_ns or incident.end_ns <= start_ns:
            raise InvalidInputError(
                f'incident "{incident.name}" lies outside the simulated time, '
                f"{format_time(start_ns)} to {format_time(end_ns)}: {incident!r}"
            )
    return ordered


def simulate(
    start: TimeLike,
    duration: DurationLike = "30d",
    *,
    rate: float = 0.5,
    routes: Mapping[str, Route] | None = None,
    incidents: Iterable[Incident] = (),
    season: Season | None = None,
    slow_s: float = 0.3,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> Simulation:
    """
    Seeded traffic with daily and weekly seasons, and incidents whose damage is known.

    One seed gives one answer. Chance comes from the raw stream of PCG64, which numpy promises to
    keep over its versions, and nothing else of numpy's `random` is used. Where incidents overlap,
    the one that starts first claims a failed request. Time: O(n log n), some 1.5 million requests
    a second; memory: about 150 bytes a request.

    Args:
        start: The instant after which requests come.
        duration: How long, such as "30d".
        rate: Requests per second, as the mean of a whole week [1/s, >= 0].
        routes: What is asked for; `ROUTES` by default.
        incidents: What goes wrong; names must differ.
        season: How traffic breathes; `Season()` by default.
        slow_s: Requests that take longer count as slow in the truth [s, > 0].
        seed: Any whole number of 0 or more.
        progress: Told after the ordinary traffic and after each incident how many of these steps
            are done, and how many there are.

    Returns:
        The requests in (start, start + duration], and the truth about each incident.

    Raises:
        InvalidInputError: An argument does not fit, an incident lies outside the simulated time,
            or two have one name.
        InvalidTimeError: *start* cannot be read or has no zone, or the end lies after 2262.

    Example:
        >>> from errorbudget.studies.simulate import Outage
        >>> day = simulate(
        ...     "2026-03-01T00:00:00Z",
        ...     "1d",
        ...     seed=1,
        ...     incidents=[Outage("2026-03-01T12:00:00Z", "10m", intensity=1.0)],
        ... )
        >>> outage = day.incidents[0]
        >>> outage.bad == outage.requests > 0
        True
    """
    start_ns, end_ns = span_ns(start, duration)
    if not (isfinite(rate) and rate >= 0):
        raise InvalidInputError(f"rate must be 0 or more requests per second, got {rate!r}")
    if not (isfinite(slow_s) and slow_s > 0):
        raise InvalidInputError(f"slow_s must be above 0 seconds, got {slow_s!r}")
    expected = rate * ((end_ns - start_ns) / 1e9)
    if expected > MOST_REQUESTS:
        raise InvalidInputError(
            f"{rate!r} requests per second make {expected:.3g} in "
            f"{format_duration(end_ns - start_ns)}, more than the {MOST_REQUESTS:,} that fit into "
            "some 30 GB of memory; take a lower rate or a shorter duration"
        )
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or index(seed) < 0:
        raise InvalidInputError(f"seed must be a whole number of 0 or more, got {seed!r}")
    table = ROUTES if routes is None else dict(routes)
    if not table:
        raise InvalidInputError("routes must name at least one route, got none")
    ordered = _ordered(incidents, start_ns, end_ns)
    names = list(table)
    traffic = ordinary_traffic(
        start_ns,
        end_ns,
        rate=rate,
        routes=table,
        season=season or Season(),
        seed=index(seed),
    )
    impacts = []
    for position, incident in enumerate(ordered):
        if progress is not None:
            progress(position + 1, len(ordered) + 1)
        traffic, added, removed = strike(
            traffic,
            incident,
            position=position,
            end_ns=end_ns,
            names=names,
            slow_s=slow_s,
            seed=index(seed),
        )
        bounds = max(start_ns, incident.start_ns), min(end_ns, incident.end_ns)
        impacts.append(Impact(incident, *bounds, added=added, removed=removed))
    return Simulation(
        start_ns=start_ns,
        end_ns=end_ns,
        seed=index(seed),
        slow_s=float(slow_s),
        events=_events(traffic, table),
        incidents=tuple(_told(traffic, impacts, names, slow_s)),
        cause=traffic.cause,
    )


def _told(
    traffic: Traffic, impacts: list[Impact], names: list[str], slow_s: float
) -> Iterable[Impact]:
    """Each impact with the requests it truly met, failed and slowed, counted from the result."""
    bad = np.bincount(traffic.cause[traffic.cause >= 0], minlength=len(impacts))
    slow = traffic.slow_cause[(traffic.slow_cause >= 0) & (traffic.duration_s > slow_s)]
    slowed = np.bincount(slow, minlength=len(impacts))
    for position, impact in enumerate(impacts):
        span = span_of(traffic, impact.start_ns, impact.end_ns)
        per_route = np.bincount(traffic.route[span], minlength=len(names)).tolist()
        met = sum(
            count
            for name, count in zip(names, per_route, strict=True)
            if impact.incident.hits(name)
        )
        yield replace(impact, requests=met, bad=int(bad[position]), slow=int(slowed[position]))


def _events(traffic: Traffic, routes: Mapping[str, Route]) -> Events:
    methods = tuple(dict.fromkeys(route.method for route in routes.values()))
    method_of_route = np.array(
        [methods.index(route.method) for route in routes.values()], dtype=np.int32
    )
    return Events(
        time=traffic.time,
        status=traffic.status,
        duration_s=traffic.duration_s,
        labels={
            "method": Labels(method_of_route[traffic.route], methods),
            "route": Labels(traffic.route, tuple(routes)),
        },
        values={"bytes": traffic.size},
    )
