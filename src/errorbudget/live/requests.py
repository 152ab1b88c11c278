"""
A request as an event, whatever server it came through.

The middlewares measure; here is what they have in common. A tracker that fails must not fail a
request: what it raises is counted and logged.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from errorbudget.errors import InvalidInputError
from errorbudget.live.answers import check_tracker
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
        labels: As given; None where no SLO looks at labels.
        failures: How often recording raised.

    Raises:
        InvalidInputError: It has no tracker, or *labels* cannot be called.
    """

    __slots__ = ("_bounds", "_known", "failures", "labels", "tracker")

    def __init__(self, tracker: Tracker, labels: Labels) -> None:
        check_tracker(tracker)
        if not callable(labels):
            raise InvalidInputError(f"labels is a function of a request, got {labels!r}")
        self.tracker = tracker
        self._known = tracker._judge.known
        self._bounds = tracker._judge.bounds
        self.failures = 0
        self.labels = labels if tracker.columns - _MEASURED else None

    def labels_of(self, request: Any) -> Mapping[str, object] | None:
        """Its labels, for `record` later; None where nobody asks for them, or that failed."""
        if self.labels is None:
            return None
        try:
            return self.labels(request)
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
            tracker = self.tracker
            if self.labels is None:
                # Of a kind that was checked and judged before; here, as every call costs.
                found = self._known.get((status, bisect(self._bounds, duration_s)))
                if found is not None:
                    step = tracker._steps.get(found.agreed)
                    if (
                        step is not None
                        and tracker._after_ns < tracker.clock() < tracker._before_ns
                    ):
                        step()
                    else:
                        tracker._count_now(found)
                    return
            event: dict[str, Any] = {"status": status, "duration_s": duration_s}
            if self.labels is not None:
                event.update(self.labels(request) if labels is None else labels)
            tracker.record_event(event)
        except Exception:  # noqa: BLE001 - the request goes on
            self.failures += 1
            LOGGER.warning("a request could not be recorded", exc_info=True)
