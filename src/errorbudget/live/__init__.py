"""
Budgets inside a running service.

    tracker, answers    live counts of one SLO or several: what comes in, what it says
    arrivals            counters that threads step without a lock
    door                one event, checked before it is judged
    ring, feed          buckets that know every window in them; who takes part, what is good
    reading             from a ring to a status
    state, keeper       what a tracker holds, as a value, and in a file that survives a crash
    shared, store       one budget for several workers, and where: sqlite_store, redis_store
    watcher, ticker     callbacks when a tier or an alert changes; work beside the requests
    admission           whether budget may be spent on purpose
    asgi, wsgi          middleware; requests is what they have in common
    prometheus          for a registry of prometheus_client
    telemetry           for OpenTelemetry
    clock, forks, paths what time it is; what a forked child begins anew; where a file lies
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from errorbudget.live.clock import Clock, ManualClock
from errorbudget.live.tracker import Tracker

if TYPE_CHECKING:
    from errorbudget.live.admission import Admission as Admission
    from errorbudget.live.admission import Decision as Decision
    from errorbudget.live.keeper import Keeper as Keeper
    from errorbudget.live.redis_store import RedisStore as RedisStore
    from errorbudget.live.shared import Shared as Shared
    from errorbudget.live.sqlite_store import SqliteStore as SqliteStore
    from errorbudget.live.state import State as State
    from errorbudget.live.store import Store as Store
    from errorbudget.live.watcher import Change as Change
    from errorbudget.live.watcher import Watcher as Watcher
    from errorbudget.live.watcher import log_changes as log_changes

_HOMES = {
    "Admission": "admission",
    "Change": "watcher",
    "Decision": "admission",
    "Keeper": "keeper",
    "RedisStore": "redis_store",
    "Shared": "shared",
    "SqliteStore": "sqlite_store",
    "State": "state",
    "Store": "store",
    "Watcher": "watcher",
    "log_changes": "watcher",
}

__all__ = [  # noqa: PLE0604 - loaded when first used
    "Clock",
    "ManualClock",
    "Tracker",
    *_HOMES,
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'errorbudget.live' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"errorbudget.live.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
