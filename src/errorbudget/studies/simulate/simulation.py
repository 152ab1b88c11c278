"""A simulated stretch of traffic: the requests, and what each incident truly did to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.events import Events
from errorbudget.series import CountSeries
from errorbudget.studies.simulate.incident import Incident
from errorbudget.studies.simulate.scrapes import BUCKETS_S, Scrapes, scrape
from errorbudget.studies.tables import frame
from errorbudget.times import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Impact", "Simulation"]

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
