"""
Telling others when the tier or an alert changes.

A thread of its own looks every so often, as time alone can change a status. Callbacks run in that
thread: a slow one delays the next look and no request, a failing one is counted and the others are
called all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from errorbudget.durations import DurationLike
from errorbudget.errors import InvalidInputError
from errorbudget.live import forks
from errorbudget.live.answers import check_tracker
from errorbudget.live.ticker import LOGGER, Ticker
from errorbudget.status import json_number
from errorbudget.times import format_time

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker
    from errorbudget.status import Status

__all__ = ["Change", "Watcher", "log_changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """
    A move from one tier, or one state of an alert, to another.

    Attributes:
        kind: "tier" or "alert".
        name: Name of the policy or of the alert.
        before: What it was; None at the first look.
        after: What it is: a tier, or "firing", "pending", "inactive".
        status: The status at that moment.
    """

    kind: Literal["tier", "alert"]
    name: str
    before: str | None
    after: str | None
    status: Status

    def to_dict(self) -> dict[str, Any]:
        """The change as a flat event, ready for structured logs."""
        budget = self.status.budget
        return {
            "slo": self.status.name,
            "kind": self.kind,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "at": format_time(self.status.at_ns),
            "sli": self.status.sli,
            "remaining_ratio": None if budget is None else json_number(budget.remaining_ratio),
        }

    def __str__(self) -> str:
        return f"{self.status.name}: {self.kind} {self.name}: {self.before} -> {self.after}"


class Watcher:
    """
    Looks at a tracker every so often and calls back when something changed.

    The first look reports each tier that is known, and each alert that is not inactive, as a change
    from None. A forked child goes on watching its own tracker.

    Args:
        tracker: What to watch.
        callbacks: Each is called with every `Change`.
        every: How often to look.

    Attributes:
        failures: How often a callback raised.
        ticker: The thread that looks.

    Raises:
        InvalidInputError: It has no tracker to watch, or a callback cannot be called.
    """

    def __init__(
        self,
        tracker: Tracker,
        callbacks: Callable[[Change], object] | Iterable[Callable[[Change], object]],
        every: DurationLike = "5s",
    ) -> None:
        self.tracker = tracker
        check_tracker(tracker)
        if callable(callbacks) or not isinstance(callbacks, Iterable):
            callbacks = (callbacks,)
        self.callbacks = tuple(callbacks)
        for callback in self.callbacks:
            if not callable(callback):
                raise InvalidInputError(f"a callback is a function of a Change, got {callback!r}")
        self.failures = 0
        self._known: dict[tuple[str, str, str], str | None] = {}
        self.ticker = Ticker(self.look, every, "errorbudget watcher")
        forks.watch(self)
        tracker.report()  # here first: imports must not be half done in a child forked meanwhile
        self.ticker.start()

    def after_fork(self) -> None:
        """Watch on in a forked child; called by itself."""
        self._known = {}
        self.ticker.resume()

    def look(self) -> list[Change]:
        """Look now, call back, and return what changed."""
        changes = [change for status in self.tracker.report() for change in self._changes(status)]
        for change in changes:
            for callback in self.callbacks:
                try:
                    callback(change)
                except Exception:  # noqa: BLE001 - the next callback is called all the same
                    self.failures += 1
                    LOGGER.warning("a callback failed on %s", change, exc_info=True)
        return changes

    def _changes(self, status: Status) -> list[Change]:
        found = []
        slo = status.slo
        if status.budget is not None:
            held = self._known.get((slo.name, "tier", slo.policy.name))
            tier = slo.policy.tier(status.budget.remaining_exact, before=held)
            if tier is not None:
                found += self._moved("tier", slo.policy.name, tier.name, status)
        for alert in status.alerts:
            found += self._moved("alert", alert.alert.name, alert.state, status)
        return found

    def _moved(
        self, kind: Literal["tier", "alert"], name: str, after: str, status: Status
    ) -> list[Change]:
        key = (status.name, kind, name)
        before = self._known.get(key)
        if before == after:
            return []
        self._known[key] = after
        if before is None and after == "inactive":
            return []
        return [Change(kind, name, before, after, status)]

    def close(self) -> None:
        """Stop looking."""
        self.ticker.stop()


def log_changes(logger: Any = None) -> Callable[[Change], None]:
    """
    A callback that logs every change as a structured event.

    Alerts that fire and tiers that allow no or only critical deploys are warnings, all else is
    information.

    Args:
        logger: A `logging.Logger`, which gets the fields as `record.errorbudget`; or a structlog
            logger, which gets them as key-value pairs. By default `errorbudget.live`.
    """
    sink = logging.getLogger("errorbudget.live") if logger is None else logger

    def log(change: Change) -> None:
        policy = change.status.slo.policy
        if change.kind == "alert":
            grave = change.after == "firing"
        else:
            grave = change.after is not None and policy[change.after].may_deploy != "all"
        write = sink.warning if grave else sink.info
        if isinstance(sink, (logging.Logger, logging.LoggerAdapter)):
            write("%s", change, extra={"errorbudget": change.to_dict()})
        else:
            write("error_budget_changed", **change.to_dict())

    return log
