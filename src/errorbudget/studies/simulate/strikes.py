"""
What an incident does to traffic: sends requests away, fails them, slows them down, brings more.

Each incident draws from its own stream, so what it does depends on nothing but itself, the seed and
the requests that it meets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from errorbudget.studies.simulate.incident import Incident
from errorbudget.studies.simulate.incidents import RetryStorm
from errorbudget.studies.simulate.traffic import (
    MS,
    Stream,
    Traffic,
    failed_duration,
    failure_statuses,
    whole_ms_up,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["span_of", "strike"]


def span_of(traffic: Traffic, start_ns: int, end_ns: int) -> slice:
    """The requests in (start, end]."""
    low, high = np.searchsorted(traffic.time, [start_ns, end_ns], side="right")
    return slice(int(low), int(high))


def strike(
    traffic: Traffic,
    incident: Incident,
    *,
    position: int,
    end_ns: int,
    names: list[str],
    slow_s: float,
    seed: int,
) -> tuple[Traffic, int, int]:
    """
    The traffic once *incident* has struck, and how many requests it added and removed.

    Args:
        traffic: The requests so far; rewritten in place where none come or go.
        incident: What strikes.
        position: Its position among all incidents, noted as the cause of what it does.
        end_ns: No retries come later [ns UTC].
        names: The routes, by code.
        slow_s: Where slow begins [s].
        seed: Seed of the whole simulation.
    """
    stream = Stream(seed, f"{incident.kind} {incident.name} {incident.start}")
    concerned = np.array([incident.hits(name) for name in names], dtype=np.bool_)
    removed = _send_away(traffic, incident, concerned, stream)
    if len(removed):
        kept = np.ones(len(traffic.time), dtype=np.bool_)
        kept[removed] = False
        traffic = traffic.rows(kept)
    span = span_of(traffic, incident.start_ns, incident.end_ns)
    rows = span.start + np.flatnonzero(concerned[traffic.route[span]])
    again = _hurt(traffic, rows, incident, position=position, slow_s=slow_s, stream=stream)
    if not isinstance(incident, RetryStorm):
        return traffic, 0, len(removed)
    added = 0
    for attempt in range(incident.retries):
        wait_ms = np.ceil((0.5 + stream.uniform(len(again.time))) * (1_000 << attempt))
        again.time = again.time + wait_ms.astype(np.int64) * MS
        retried = again.rows(again.time <= min(end_ns, incident.end_ns))
        every = np.arange(len(retried.time))
        again = _hurt(retried, every, incident, position=position, slow_s=slow_s, stream=stream)
        traffic = traffic.merged(retried)
        added += len(retried.time)
    return traffic, added, len(removed)


def _send_away(
    traffic: Traffic, incident: Incident, concerned: NDArray[np.bool_], stream: Stream
) -> NDArray[np.intp]:
    span = span_of(traffic, incident.start_ns, incident.end_ns)
    share = incident.traffic_share(traffic.time[span])
    if not (share < 1).any():
        return np.empty(0, dtype=np.intp)
    away = (stream.uniform(len(share)) >= share) & concerned[traffic.route[span]]
    rows: NDArray[np.intp] = span.start + np.flatnonzero(away)
    return rows


def _hurt(
    traffic: Traffic,
    rows: NDArray[np.intp],
    incident: Incident,
    *,
    position: int,
    slow_s: float,
    stream: Stream,
) -> Traffic:
    """Fail and slow down requests among *rows*, in place; those that failed, as they had been."""
    time = traffic.time[rows]
    luck, which = stream.uniform(len(rows)), stream.uniform(len(rows))
    fine = traffic.status[rows] < 500
    failing = fine & (luck < incident.failure_share(time))
    failed = rows[failing]
    as_they_were = traffic.rows(failed)
    before = traffic.duration_s[rows]
    after = np.where(fine, whole_ms_up(before * incident.slowdown(time)), before)
    status = failure_statuses(which, incident.failures)
    after = np.where(failing, failed_duration(status, after), after)
    traffic.duration_s[rows] = after
    traffic.slow_cause[rows[(before <= slow_s) & (after > slow_s)]] = position
    traffic.status[failed] = status[failing]
    traffic.cause[failed] = position
    return as_they_were
