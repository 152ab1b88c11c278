"""
What a tracker says: statuses, counts, histories.

Everything is read under the tracker's lock, which is held for microseconds, and judged by the same
`SLO.assess` as events and count series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from errorbudget.counts import Counts
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.live import reading
from errorbudget.live.deferred import DeferredStatus
from errorbudget.slo import SLO, find_slo
from errorbudget.status import Status
from errorbudget.times import TimeLike, to_ns

if TYPE_CHECKING:
    import threading

    from errorbudget.comparison import Comparison
    from errorbudget.evaluation import Report
    from errorbudget.history import History
    from errorbudget.live.feed import Feed
    from errorbudget.live.reading import Figures
    from errorbudget.methods import NoData
    from errorbudget.series import CountSeries
    from errorbudget.target import TargetLike

__all__ = ["Answers", "Totals", "check_tracker"]


class Totals(NamedTuple):
    """
    Events that one tracker counted itself.

    Attributes:
        good: Good events.
        bad: Bad events.
        left_out: Events that could not be judged.
    """

    good: int
    bad: int
    left_out: int


class Answers:
    """The questions that a tracker can be asked; see `Tracker`."""

    resolution_ns: int
    _lock: threading.Lock
    _feeds: tuple[Feed, ...]
    _by_name: dict[str, Feed]

    def _observe(self) -> tuple[int, tuple[int, int]]:
        """Bring every ring to the present; the caller holds the lock."""
        raise NotImplementedError  # pragma: no cover - the tracker's

    @property
    def slos(self) -> tuple[SLO, ...]:
        """The SLOs that are tracked."""
        return tuple(feed.slo for feed in self._feeds)

    def status(self, name: str | None = None) -> Status:
        """
        The status of the SLO called *name* now; with one SLO its name may be left out.

        It is read in one moment, and its parts are worked out when they are looked at.

        Raises:
            InvalidInputError: There are several SLOs and no name, or none of that name.

        Time: O(windows), under 10 us for eight.
        """
        feed = self._feed(name)
        return DeferredStatus.of(self._read(feed), feed.names)

    def report(self) -> Report:
        """The status of every SLO now."""
        from errorbudget.evaluation import Report

        with self._lock:
            now_ns, arrived = self._observe()
            found = [(reading.read(feed, feed.slo, now_ns, arrived), feed) for feed in self._feeds]
        return Report(now_ns, tuple(DeferredStatus.of(read, feed.names) for read, feed in found))

    def evaluate(self, slo: SLO, *, at: TimeLike | None = None) -> Status:
        """
        The status of *slo*, which is tracked, or differs from one that is in target or window only.

        The instant is judged at the end of its bucket, and what came late counts where it belongs.

        Args:
            slo: The objective.
            at: The instant; by default now.

        Raises:
            InvalidInputError: No tracked SLO counts what *slo* asks for.
            InvalidWindowError: A window reaches further back than the tracker remembers.

        Time: O(windows).
        """
        feed = self._feed_of(slo)
        at_ns = None if at is None else to_ns(at)
        with self._lock:
            now_ns, arrived = self._observe()
            read = reading.read(feed, slo, now_ns if at_ns is None else at_ns, arrived)
        names = feed.names if slo is feed.slo else reading.names_of(slo)
        return DeferredStatus.of(read, names)

    def counts(self, name: str | None = None, *, window: DurationLike | None = None) -> Counts:
        """Good and bad events of the SLO's window now, or of the last *window*."""
        feed = self._feed(name)
        with self._lock:
            now_ns, arrived = self._observe()
            window_ns = None if window is None else parse_duration(window)
            return reading.last_counts(feed, window_ns, now_ns, arrived)

    def figures(self, name: str | None = None) -> Figures:
        """
        SLI, budget left, burn rates and tier now, as plain numbers, and nothing else.

        The figures of `status()` for the request path: all that a status says but for alerts,
        projections and exact fractions.

        Time: O(windows), about a microsecond each.
        """
        feed = self._feed(name)
        return reading.figures(self._read(feed), feed.names)

    def _read(self, feed: Feed) -> reading.Reading:
        with self._lock:
            now_ns, arrived = self._observe()
            return reading.read(feed, feed.slo, now_ns, arrived)

    def totals(self, name: str | None = None) -> Totals:
        """
        Events that this tracker counted itself, since it was made: counters that only rise.

        What was merged or restored is not among them, so a process that restarts begins at 0, as
        Prometheus expects of a counter.
        """
        feed = self._feed(name)
        with self._lock:
            _, arrived = self._observe()
            return Totals(*feed.counted(arrived))

    def count(self, slo: SLO, *, step: DurationLike = "1m") -> CountSeries:
        """Everything that is remembered of *slo*, as a count series."""
        feed = self._feed_of(slo)
        with self._lock:
            _, arrived = self._observe()
            series = reading.count_series(feed, arrived)
        return series if parse_duration(step) == series.step_ns else series.coarser(step)

    def history(
        self,
        slo: SLO,
        *,
        step: DurationLike = "1m",
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> History:
        """The history of *slo* over what is remembered."""
        series = self.count(slo, step=format_duration(self.resolution_ns))
        return series.history(slo, step=step, start=start, end=end)

    def compare_methods(
        self,
        slo: SLO,
        *,
        slice: DurationLike = "1m",
        slice_target: TargetLike | None = None,
        no_data: NoData = "exclude",
        at: TimeLike | None = None,
    ) -> Comparison:
        """The three budgeting methods side by side, over what is remembered."""
        series = self.count(slo, step=format_duration(self.resolution_ns))
        return series.compare_methods(
            slo, slice=slice, slice_target=slice_target, no_data=no_data, at=at
        )

    def _feed(self, name: str | None) -> Feed:
        if name is None:
            if len(self._feeds) > 1:
                names = ", ".join(slo.name for slo in self.slos)
                raise InvalidInputError(f"which SLO? this tracker has {names}; give its name")
            return self._feeds[0]
        if isinstance(name, str) and name in self._by_name:
            return self._by_name[name]
        return self._by_name[find_slo(self.slos, name).name]  # tells which there are

    def _feed_of(self, slo: SLO) -> Feed:
        for feed in self._feeds:
            if feed.slo is slo or feed.slo == slo:
                return feed
        wanted = (slo.sli, slo.corrections, slo.window.closed)
        alike = [
            feed
            for feed in self._feeds
            if (feed.slo.sli, feed.slo.corrections, feed.slo.window.closed) == wanted
        ]
        if alike:
            return max(alike, key=lambda feed: feed.ring.size)
        raise InvalidInputError(
            f'this tracker does not count what SLO "{slo.name}" asks for ({slo.sli}); '
            f"it has {', '.join(str(tracked) for tracked in self.slos)}"
        )


def check_tracker(thing: object) -> None:
    """
    Refuse what is no tracker.

    Raises:
        InvalidInputError: It is none.
    """
    if not isinstance(thing, Answers):
        raise InvalidInputError(f"this wants a Tracker, got {thing!r}; make one with Tracker(slo)")
