"""
The budget of a running service, in bounded memory.

A tracker counts events into time buckets as they happen and answers at any moment with the same
`Status` as the rest of the library, at the resolution of its buckets. What it costs does not grow
with traffic: an event is one clock reading and one step of a counter, a status a few subtractions.

Time is the wall clock's, and never goes back. When the clock leaps ahead (a suspended machine, a
correction), the buckets in between are empty. When it falls back, the tracker's present goes on at
half speed until the clock has caught up (`clock.Present`), so no event moves and none is lost.
Daylight saving does not matter: buckets are UTC.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.live import forks
from errorbudget.live.arrivals import Arrivals, Step
from errorbudget.live.clock import Clock, Present, check_clock
from errorbudget.live.door import check_event, check_verdict
from errorbudget.live.feed import Feed, Verdict
from errorbudget.live.handover import Handover
from errorbudget.live.judge import Judge, Judgement
from errorbudget.slo import SLO, as_slos
from errorbudget.times import TimeLike, to_ns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from errorbudget.events import Events

__all__ = ["Tracker"]


class Tracker(Handover):
    """
    Live counts of one SLO, or of several that are fed together.

    Every method may be called from any thread, and from coroutines: none of them waits for anything
    but the microseconds that another thread needs. After `os.fork` the child's tracker is empty, so
    that workers which are added up count each event once.

    Args:
        slos: One SLO or several, all of them shares of good events.
        resolution: Length of a bucket.
        horizon: How far back to remember; by default as far as the SLOs look.
        late: How long after it happened an event with its own time still counts.
        clock: Returns the present in nanoseconds since the epoch; by default the system's clock.

    Attributes:
        dropped_late: Events that came too late and were not counted.

    Raises:
        InvalidInputError: There is no SLO, two have one name, or one is not a share of events.
        InvalidWindowError: Buckets, horizon and windows do not fit.

    Example:
        >>> from errorbudget import SLO, Availability
        >>> from errorbudget.live import ManualClock
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> tracker = Tracker(slo, clock=ManualClock("2026-03-01T12:00:00Z"))
        >>> tracker.record(good=True)
        >>> tracker.record(status=503, duration_s=0.2, route="/cart")
        >>> tracker.status().counts
        Counts(good=1, bad=1)

    Time: O(1) an event; O(windows) a status. Memory: 16 bytes a bucket and SLO.
    """

    def __init__(
        self,
        slos: SLO | Iterable[SLO],
        *,
        resolution: DurationLike = "1m",
        horizon: DurationLike | None = None,
        late: DurationLike = "5m",
        clock: Clock = time.time_ns,
    ) -> None:
        wanted = as_slos(slos)
        check_clock(clock)
        self.resolution_ns = parse_duration(resolution)
        self.late_ns = parse_duration(late)
        self.clock = clock
        self.dropped_late = 0
        self._dropped_elsewhere = 0
        self._lock = threading.Lock()
        self._present = Present(clock())
        now_ns = self._present.now_ns
        horizon_ns = None if horizon is None else parse_duration(horizon)
        self._feeds = tuple(Feed(slo, self.resolution_ns, horizon_ns, now_ns) for slo in wanted)
        self._by_name = {feed.slo.name: feed for feed in self._feeds}
        self._judge = Judge(self._feeds)
        self._count_afresh()
        forks.watch(self)

    def _count_afresh(self) -> None:
        self._arrivals = Arrivals()
        self._good, self._bad = self._arrivals.good, self._arrivals.bad
        # What all SLOs agree on steps a counter, and needs no lock.
        self._steps: dict[Verdict | None, Step] = {"good": self._good, "bad": self._bad}
        self._close_fast_path()

    def _close_fast_path(self) -> None:
        # It is open strictly between these; the slow path sets them.
        self._after_ns = self._before_ns = 0

    def after_fork(self) -> None:
        """Begin empty in a forked child; called by itself."""
        self._lock = threading.Lock()
        self._count_afresh()
        now_ns = self._present.observe(self.clock())
        self.dropped_late = 0
        self._dropped_elsewhere = 0
        for feed in self._feeds:
            feed.begin_anew(feed.ring.end_of(now_ns))

    @property
    def columns(self) -> frozenset[str]:
        """What the SLOs ask of an event: `status`, `duration_s`, `good`, labels."""
        return frozenset().union(*(feed.slo.sli.columns for feed in self._feeds))

    @property
    def left_out(self) -> Mapping[str, int]:
        """By SLO, events that lacked what its indicator asks for."""
        return {feed.slo.name: feed.left_out for feed in self._feeds}

    def __repr__(self) -> str:
        names = ", ".join(slo.name for slo in self.slos)
        return f"Tracker({names}; buckets of {format_duration(self.resolution_ns)})"

    # ------------------------------------------------------------------ what comes in

    if TYPE_CHECKING:

        def record(
            self,
            good: bool | None = None,
            *,
            status: int | None = None,
            duration_s: float | None = None,
            at: TimeLike | None = None,
            **labels: object,
        ) -> None:
            """Count one event."""

    else:
        # Named arguments would cost 30 ns more, a fifth of the whole.
        def record(self, good=None, **event):
            """
            Count one event.

            With nothing but *good*, that is the verdict for every SLO. Otherwise each SLO's own
            indicator judges the event, and one that lacks what it asks for is left out.

            Args:
                good: Whether it was good.
                status: Its HTTP status.
                duration_s: How long it took [s].
                at: When it happened; by default now. A time ahead of the clock counts as now, one
                    further back than *late* is dropped and counted in `dropped_late`.
                **event: Further labels and numbers that indicators ask for.

            Raises:
                InvalidInputError: There is nothing to judge by, or it cannot be read.
                InvalidTimeError: *at* cannot be read.

            Time: O(1); O(SLOs) when indicators judge; O(late) for late events.
            """
            if not event and self._after_ns < self.clock() < self._before_ns:
                if good is True:
                    self._good()
                    return
                if good is False:
                    self._bad()
                    return
            self._record(good, event)

    def _record(self, good: bool | None, event: dict[str, Any]) -> None:
        at = event.pop("at", None)
        if event:
            if good is not None:
                event["good"] = good
            check_event(event)
            judged = self._judge.of(event)
        elif good is None:
            raise InvalidInputError(
                "nothing to record; give good=True or good=False, or status=, duration_s=, labels"
            )
        else:
            judged = self._judge.same("good" if check_verdict(good) else "bad")
        if at is None:
            self._count_now(judged)
        else:
            self._count_at(to_ns(at), judged)

    def _count_now(self, judged: Judgement) -> None:
        step = self._steps.get(judged.agreed)
        if step is not None and self._after_ns < self.clock() < self._before_ns:
            step()
            return
        with self._lock:
            if not self._after_ns < self.clock() < self._before_ns:
                now_ns, _ = self._observe()
                if not self._before_ns:  # maintenance: each event's time counts
                    for feed, verdict in judged.parts:
                        feed.count(now_ns, verdict)
                    return
            for feed, verdict in judged.parts:
                feed.count_now(verdict)

    def _count_at(self, at_ns: int, judged: Judgement) -> None:
        with self._lock:
            now_ns, _ = self._observe()
            # As long ago in the tracker's time as by the clock.
            time_ns = min(at_ns + self._present.ahead_ns, now_ns)
            if time_ns < now_ns - self.late_ns:
                self.dropped_late += 1
                return
            for feed, verdict in judged.parts:
                feed.count(time_ns, verdict)

    def record_event(self, event: dict[str, Any]) -> None:
        """Count one event that is at hand as a dict, which the tracker may change; see `record`."""
        self._record(event.pop("good", None), event)

    def record_many(
        self,
        events: Events | None = None,
        *,
        good: ArrayLike | None = None,
        status: ArrayLike | None = None,
        duration_s: ArrayLike | None = None,
        at: ArrayLike | None = None,
        labels: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Count many events at once, by the same rules as `record`: all of them, or none on an error.

        Args:
            events: The events; or else columns of one length:
            good: Whether each was good.
            status: HTTP status of each.
            duration_s: How long each took [s].
            at: When each happened; by default all of them now.
            labels: Further columns by name.

        Raises:
            InvalidInputError: There is nothing to judge by.
            InvalidSeriesError: Columns differ in length or cannot be read, or one that an indicator
                asks for is missing altogether.

        Time: O(n log n + horizon).
        """
        import numpy as np

        from errorbudget.events import Events

        judged = events is None and status is duration_s is None and not labels
        if events is None:
            size = _length((good, status, duration_s), labels)
            if at is None:
                at = np.full(size, self.clock())
            events = Events(
                time=at, good=good, status=status, duration_s=duration_s, labels=labels or {}
            )
        elif not isinstance(events, Events):
            raise InvalidInputError(
                f"record_many takes Events, or columns by name such as good=, got {events!r}"
            )
        with self._lock:
            now_ns, _ = self._observe()
            ahead_ns = self._present.ahead_ns
            kept = events.take(events.time >= now_ns - ahead_ns - self.late_ns)
            late = len(events) - len(kept)
            if not len(kept):
                self.dropped_late += late
                return
            if ahead_ns or int(kept.time[-1]) > now_ns:
                kept = Events(
                    time=np.minimum(kept.time + ahead_ns, now_ns),
                    status=kept.status,
                    duration_s=kept.duration_s,
                    good=kept.good,
                    labels=kept.labels,
                    values=kept.values,
                )
            batches = [feed.judge_events(kept, judged=judged) for feed in self._feeds]
            self.dropped_late += late
            for feed, batch in zip(self._feeds, batches, strict=True):
                feed.add_batch(batch)

    def _observe(self) -> tuple[int, tuple[int, int]]:
        """Bring every ring to the present; the caller holds the lock."""
        clock_ns = self.clock()
        present = self._present
        now_ns = present.observe(clock_ns)
        arrived = self._arrivals.read()
        if now_ns == clock_ns and self._after_ns < clock_ns < self._before_ns:
            return now_ns, arrived
        whole = True
        step_ns = self.resolution_ns
        after_ns = now_ns // step_ns * step_ns
        for feed in self._feeds:
            ring = feed.ring
            newest = ring.end_of(now_ns)
            if newest != ring.newest:
                ring.roll(newest, arrived)
            whole = (
                whole and newest * step_ns == after_ns + step_ns and not feed.under_maintenance()
            )
        if whole:
            # What the clock says while this bucket is open.
            self._after_ns = after_ns if now_ns == clock_ns else clock_ns - 1
            self._before_ns = present.clock_at(after_ns + step_ns)
        else:
            self._close_fast_path()
        return now_ns, arrived

    def now(self) -> int:
        """The tracker's present [ns UTC]: the clock's, or ahead of one that fell back."""
        with self._lock:
            return self._observe()[0]

    @property
    def late_totals(self) -> int:
        """Events that came too late to this tracker itself: a counter that only rises."""
        with self._lock:
            return self.dropped_late - self._dropped_elsewhere

    def _check(self) -> None:
        """
        State the invariants, for tests.

        Raises:
            AssertionError: One does not hold.
        """
        with self._lock:
            now_ns, arrived = self._observe()
            for feed in self._feeds:
                ring = feed.ring
                ring.check(arrived)
                if ring.newest != ring.end_of(now_ns):
                    raise AssertionError(f"{ring.newest} is open, and it is {now_ns}")
                if feed.left_out < 0:
                    raise AssertionError(f"{feed.left_out} events were left out")
                if min(feed.counted(arrived)) < 0:
                    raise AssertionError(f"{feed.counted(arrived)} events were counted here")
            if self._before_ns:
                ahead = Present(self._present.clock_ns)
                ahead.now_ns = self._present.now_ns
                last_ns = ahead.observe(self._before_ns - 1)
                if any(feed.ring.end_of(last_ns) != feed.ring.newest for feed in self._feeds):
                    raise AssertionError("the fast path is open and another bucket is")


def _length(columns: Iterable[ArrayLike | None], labels: object) -> int:
    """How many events the first column that there is tells of."""
    if labels is not None and not isinstance(labels, Mapping):
        raise InvalidInputError(f"labels are columns by name, got {labels!r}")
    for column in (*columns, *(labels or {}).values()):
        if column is not None:
            listed = hasattr(column, "__len__") and getattr(column, "ndim", 1) > 0
            if isinstance(column, (str, bytes)) or not listed:
                raise InvalidInputError(
                    f"record_many takes columns such as lists or arrays, got {column!r}; "
                    "record counts one event"
                )
            return len(column)
    raise InvalidInputError("nothing to record; give events, or columns such as good= or status=")
