"""
What a tracker holds, handed over: to a file, to a later process, to another worker or host.

A state is a value that adds up. What is taken over keeps its buckets where both sides agree on the
time, and counts as of now where it lies ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from errorbudget.errors import InvalidInputError
from errorbudget.live.answers import Answers

if TYPE_CHECKING:
    from errorbudget.live.clock import Present
    from errorbudget.live.feed import Feed
    from errorbudget.live.state import FeedState, State

__all__ = ["Handover"]


class Handover(Answers):
    """What a tracker gives and takes; see `Tracker`."""

    dropped_late: int
    _dropped_elsewhere: int
    _present: Present

    def state(self) -> State:
        """Everything that it holds, as a value that travels and adds up."""
        from errorbudget.live.state import State

        with self._lock:  # only to copy: taking the sums apart takes milliseconds an SLO
            now_ns, arrived = self._observe()
            held = [(feed, feed.ring.copy(), feed.left_out) for feed in self._feeds]
            dropped_late = self.dropped_late
        return State(
            tuple(feed.state_of(ring, arrived, left_out) for feed, ring, left_out in held),
            now_ns,
            dropped_late,
        )

    def snapshot(self) -> bytes:
        """Everything that it holds, packed, with a version and a checksum; see `restore`."""
        return self.state().to_bytes()

    def restore(self, saved: bytes | State) -> None:
        """
        Hold what was saved, instead of what it holds, and go on from its time.

        Raises:
            SourceFormatError: *saved* is damaged, or no snapshot.
            InvalidInputError: It counts other events than this tracker, or in other buckets.
        """
        self._take(saved, afresh=True, resume=True)

    def merge(self, other: Handover | State | bytes) -> None:
        """
        Add what another worker or host counted; merging in any order gives the same.

        What lies ahead of the present counts as of now.

        Raises:
            SourceFormatError: *other* is damaged, or no snapshot.
            InvalidInputError: It counts other events than this tracker, or in other buckets.
        """
        self._take(other.state() if isinstance(other, Handover) else other)

    def resume(self, saved: bytes | State) -> None:
        """
        Add what this tracker held before a restart, and go on from its time.

        As `merge`, but for a clock that fell back meanwhile: it is treated as if it had fallen back
        during the run, so what was saved keeps its buckets.

        Raises:
            SourceFormatError: *saved* is damaged, or no snapshot.
            InvalidInputError: It counts other events than this tracker, or in other buckets.
        """
        self._take(saved, resume=True)

    def _take(self, saved: State | bytes, *, afresh: bool = False, resume: bool = False) -> None:
        from errorbudget.live.state import State, check_most

        state = saved if isinstance(saved, State) else State.from_bytes(saved)
        pairs = [(self._feed_like(part), part) for part in state.feeds]
        with self._lock:
            _, arrived = self._observe()
            for feed, part in pairs:
                already = 0 if afresh else sum(feed.ring.totals(arrived))
                check_most(part.name, part.good, part.bad, already=already)
            if resume:
                self._present.go_on_from(state.at_ns)
            now_ns, arrived = self._observe()
            if afresh:
                self._dropped_elsewhere -= self.dropped_late
                self.dropped_late = 0
                for feed in self._feeds:
                    feed.clear(feed.ring.end_of(now_ns), arrived)
            self.dropped_late += state.dropped_late
            self._dropped_elsewhere += state.dropped_late
            for feed, part in pairs:
                feed.take(part, arrived)

    def _feed_like(self, part: FeedState) -> Feed:
        """The feed that *part* may be added to."""
        feed = self._feed(part.name)
        if part.service != feed.slo.service:
            raise InvalidInputError(
                f'SLO "{part.name}" belongs to the service "{part.service}" in the saved state, '
                f'and to "{feed.slo.service}" here; they are two'
            )
        part.check_like(feed.blank())
        return feed
