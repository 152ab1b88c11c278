"""
One budget for several workers and hosts.

Each worker counts on its own, and every so often gives what has come since to a store, which adds
it up; from there it takes what the others gave. What is given is numbered, so a batch that was sent
twice after a lost answer counts once. A worker that dies loses what it had not yet given.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import quote
from uuid import uuid4

import numpy as np

from errorbudget.durations import DurationLike, format_duration
from errorbudget.live import forks
from errorbudget.live.answers import check_tracker
from errorbudget.live.state import FeedState, State
from errorbudget.live.ticker import Ticker
from errorbudget.live.tracker import Tracker

if TYPE_CHECKING:
    from errorbudget.status import Status

__all__ = ["Shared", "Store", "key_of"]


class Store(Protocol):
    """Where buckets are added up: `SqliteStore`, `RedisStore`, or one's own."""

    def push(self, writer: str, batch: int, changes: State, keep_from: dict[str, int]) -> None:
        """
        Add *changes*, unless this batch of this writer was added before: all of them or none.

        Args:
            writer: Who gives.
            batch: Its number, rising by writer.
            changes: Units to add by bucket; below 0 where a clock that fell back moved units.
            keep_from: By key, the oldest bucket that anyone still looks at.
        """
        ...

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> tuple[int, State]:
        """
        The buckets of *feeds* that changed after version *since*, with all that they hold.

        Returns:
            The store's version, which is below *since* after the store lost its data; and the
            buckets.
        """
        ...


def key_of(feed: FeedState) -> str:
    """
    Under what a store keeps a feed: whoever counts something else has another key.

    So two services may use one name and one store, and during a deploy that changes an indicator
    old and new workers do not add up. Names are quoted: no two feeds are told by one text.

    Example:
        >>> from errorbudget import SLO, Availability, Tracker
        >>> slo = SLO("up/down", service="shop", target="99%", window="1d", sli=Availability())
        >>> key_of(Tracker(slo).state().feeds[0]).split("/")[:2]
        ['shop', 'up%2Fdown']
    """
    names = (quote(name, safe="") for name in feed.who)
    return "/".join((*names, feed.fingerprint, str(feed.step_ns), feed.closed))


def _difference(new: FeedState, old: FeedState, oldest: int) -> FeedState:
    """What has to be added to *old* to have *new*, in the buckets after *oldest*."""
    ends = np.union1d(new.ends, old.ends)
    ends = ends[ends > oldest]
    columns = []
    for name in ("good", "bad"):
        column = np.zeros(len(ends), dtype=np.int64)
        for part, sign in ((new, 1), (old, -1)):
            inside = part.ends > oldest
            column[np.searchsorted(ends, part.ends[inside])] += sign * getattr(part, name)[inside]
        columns.append(column)
    moved = (columns[0] != 0) | (columns[1] != 0)
    return replace(
        new,
        ends=ends[moved],
        good=columns[0][moved],
        bad=columns[1][moved],
        left_out=new.left_out - old.left_out,
    )


def _updated(old: FeedState, new: FeedState, oldest: int) -> FeedState:
    """The buckets of *old* with those of *new* in their place, after *oldest*."""
    kept = (old.ends > oldest) & ~np.isin(old.ends, new.ends)
    ends = np.concatenate((old.ends[kept], new.ends))
    order = np.argsort(ends)
    good, bad = (
        # Below 0 only where a store lost what a later correction refers to.
        np.maximum(np.concatenate((before[kept], after)), 0)[order]
        for before, after in ((old.good, new.good), (old.bad, new.bad))
    )
    return replace(new, ends=ends[order], good=good, bad=bad)


class Shared:
    """
    A tracker's part in a budget that several workers share.

    Feed the tracker as ever, and ask `view`, a tracker of its own that holds what all workers gave:
    it is no older than *every*, and the time of one exchange. A forked child goes on as a worker of
    its own. Everything that the tracker holds is given, so one that is shared has no `Keeper`
    beside: what the file brings back was given before.

    Args:
        tracker: What this worker counts.
        store: Where it is added up.
        every: How long to wait between exchanges.

    Attributes:
        view: What all workers counted; statuses, exporters and admission take it like any tracker.
        ticker: The thread that exchanges, with its `failures`: while the store does not answer, the
            worker counts on and gives everything later.
    """

    def __init__(self, tracker: Tracker, store: Store, every: DurationLike = "1s") -> None:
        check_tracker(tracker)
        self.tracker = tracker
        self.store = store
        self.ticker = Ticker(self.sync, every, "errorbudget shared budget")
        self._size = max(feed.ring.size for feed in tracker._feeds)
        self.view = Tracker(
            tracker.slos,
            resolution=format_duration(tracker.resolution_ns),
            horizon=format_duration((self._size - 1) * tracker.resolution_ns),
            clock=tracker.now,
        )
        self._begin()
        forks.watch(self)
        # Here first, not in the thread: what is imported on the way must not be half done in a
        # child that is forked meanwhile.
        self.ticker.attempt()
        self.ticker.start()

    def _begin(self) -> None:
        self._writer = uuid4().hex
        self._batch = 0
        self._lock = threading.Lock()
        self._given: State | None = None
        self._unconfirmed: tuple[State, State] | None = None
        self._version = 0
        self._seen: tuple[FeedState, ...] = self._blanks()

    def _blanks(self) -> tuple[FeedState, ...]:
        return tuple(feed.blank() for feed in self.view._feeds)

    def after_fork(self) -> None:
        """Go on as a worker of its own in a forked child; called by itself."""
        self._begin()
        self.ticker.resume()

    def status(self, name: str | None = None) -> Status:
        """The status of what all workers counted, as of the last exchange."""
        return self.view.status(name)

    def sync(self) -> None:
        """
        Exchange now: give what has come, take what others gave.

        Raises:
            SourceUnavailableError: The store does not answer; nothing is lost.
        """
        with self._lock:
            self._give()
            self._take()

    def _give(self) -> None:
        if self._unconfirmed is None:
            self._unconfirmed = self._changes()
            self._batch += 1
        changes, state = self._unconfirmed
        keep_from = {key_of(feed): feed.newest - self._size for feed in state.feeds}
        self.store.push(self._writer, self._batch, changes, keep_from)
        self._given, self._unconfirmed = state, None

    def _changes(self) -> tuple[State, State]:
        state = self.tracker.state()
        given = self._given
        feeds = []
        for i, (feed, mine) in enumerate(zip(state.feeds, self.tracker._feeds, strict=True)):
            before = mine.blank() if given is None else given.feeds[i]
            feeds.append(_difference(feed, before, feed.newest - mine.ring.size))
        late = state.dropped_late - (0 if given is None else given.dropped_late)
        return State(tuple(feeds), state.at_ns, late), state

    def _take(self) -> None:
        blanks = self._blanks()
        version, found = self.store.pull(self._version, blanks)
        if version < self._version:
            # The store lost its data, as one in memory may: what it has now is all there is.
            self._seen = blanks
            version, found = self.store.pull(0, blanks)
        self._seen = tuple(
            _updated(old, new, blank.newest - self._size)
            for old, new, blank in zip(self._seen, found.feeds, blanks, strict=True)
        )
        self.view.restore(replace(found, feeds=self._seen))
        self._version = version

    def close(self) -> None:
        """Stop, and give a last time."""
        self.ticker.stop()
        self.sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
