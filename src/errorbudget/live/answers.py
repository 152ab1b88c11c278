"""
What a tracker says: statuses, counts, histories.

Everything is read under the tracker's lock, which is held for microseconds, and judged by the same
`SLO.assess` as events and count series.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from errorbudget.counts import Counts
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.live import reading
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

__all__ = ["Answers"]


class Answers:
    """The questions that a tracker can be asked; see `Tracker`."""

    resolution_ns: int
    _lock: threading.Lock
    _feeds: tuple[Feed, ...]

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

        Raises:
            InvalidInputError: There are several SLOs and no name, or none of that name.

        Time: O(windows).
        """
        return self.evaluate(self._feed(name).slo)

    def report(self) -> Report:
        """The status of every SLO now."""
        from errorbudget.evaluation import Report

        with self._lock:
            now_ns, arrived = self._observe()
            statuses = [reading.assess(feed, feed.slo, now_ns, arrived) for feed in self._feeds]
        return Report(now_ns, tuple(statuses))

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
            return reading.assess(feed, slo, now_ns if at_ns is None else at_ns, arrived)

    def counts(self, name: str | None = None, *, window: DurationLike | None = None) -> Counts:
        """Good and bad events of the SLO's window now, or of the last *window*."""
        feed = self._feed(name)
        with self._lock:
            now_ns, arrived = self._observe()
            if window is None:
                return reading.window_counts(feed, feed.slo, now_ns, arrived)
            return reading.last_counts(feed, parse_duration(window), now_ns, arrived)

    def figures(self, name: str | None = None) -> Figures:
        """
        Budget left and burn rates now, and nothing else.

        The cheap part of `status()`, for the request path: alerts and tiers are not judged, a
        calendar period is not projected, and of targets that change the one in force now counts.

        Time: O(windows), well under a microsecond each.
        """
        feed = self._feed(name)
        with self._lock:
            now_ns, arrived = self._observe()
            return reading.figures(feed, now_ns, arrived)

    def _own_and_last(
        self, feed: Feed, spans: Sequence[int]
    ) -> tuple[int, tuple[int, int], list[tuple[int, int]]]:
        """The present; good and bad of the SLO's own window, and of the last *spans* buckets."""
        with self._lock:
            now_ns, arrived = self._observe()
            return now_ns, *reading.own_and_last(feed, spans, now_ns, arrived)

    def totals(self, name: str | None = None) -> Counts:
        """Good and bad events since the tracker began: counters that only rise."""
        feed = self._feed(name)
        with self._lock:
            _, arrived = self._observe()
            return Counts(*feed.ring.totals(arrived))

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
        slo = find_slo(self.slos, name)
        return next(feed for feed in self._feeds if feed.slo is slo)

    def _feed_of(self, slo: SLO) -> Feed:
        for feed in self._feeds:
            if feed.slo is slo or feed.slo == slo:
                return feed
        for feed in self._feeds:
            like = (feed.slo.sli, feed.slo.corrections, feed.slo.window.closed)
            if like == (slo.sli, slo.corrections, slo.window.closed):
                return feed
        raise InvalidInputError(
            f'this tracker does not count what SLO "{slo.name}" asks for ({slo.sli}); '
            f"it has {', '.join(str(tracked) for tracked in self.slos)}"
        )
