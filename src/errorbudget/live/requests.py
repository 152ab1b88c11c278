"""
A request as an event, whatever server it came through.

The middlewares measure; here is what they have in common. A tracker that fails must not fail a
request: what it raises is counted and logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from errorbudget.live.ticker import LOGGER

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker

__all__ = ["CLIENT_CLOSED", "SERVER_ERROR", "RequestRecorder"]

SERVER_ERROR = 500
"""What a request counts as when the application raised, also after it had begun to answer."""

CLIENT_CLOSED = 499
"""What a request counts as when the client went away before an answer; as nginx writes it."""

_MEASURED = frozenset(("status", "duration_s", "good"))

Labels = Callable[[Any], Mapping[str, object]]


class RequestRecorder:
    """
    Records requests in a tracker.

    Args:
        tracker: Where to.
        labels: From the server's request to labels; asked only when an SLO looks at labels.

    Attributes:
        failures: How often recording raised.
    """

    __slots__ = ("_labels", "failures", "tracker")

    def __init__(self, tracker: Tracker, labels: Labels) -> None:
        self.tracker = tracker
        self.failures = 0
        self._labels = labels if tracker.columns - _MEASURED else None

    def labels(self, request: Any) -> Mapping[str, object] | None:
        """Its labels, for `record` later; None where nobody asks for them, or that failed."""
        if self._labels is None:
            return None
        try:
            return self._labels(request)
        except Exception:  # noqa: BLE001 - `record` asks again, and tells
            return None

    def record(
        self,
        request: Any,
        status: int,
        duration_s: float,
        labels: Mapping[str, object] | None = None,
    ) -> None:
        """Count one request; never raises."""
        try:
            if self.tracker._count_status(status):
                return
            event: dict[str, Any] = {"status": status, "duration_s": duration_s}
            if self._labels is not None:
                event.update(self._labels(request) if labels is None else labels)
            self.tracker.record_event(event)
        except Exception:  # noqa: BLE001 - the request goes on
            self.failures += 1
            LOGGER.warning("a request could not be recorded", exc_info=True)
