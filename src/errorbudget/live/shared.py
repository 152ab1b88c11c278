"""
One budget for several workers and hosts.

Each worker counts on its own, and every so often gives what has come since to a store, which adds
it up; from there it takes what the others gave. What is given is numbered, so a batch that was sent
twice after a lost answer counts once. A worker that dies loses what it had not yet given.

A store that lost its data gets it back: the first worker that notices puts back all that it saw,
with the number of each worker's newest batch in it, and every worker adds what of its own is not
among that. What is lost is what workers that are gone gave after that worker last looked.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self
from uuid import uuid4

import numpy as np

from errorbudget.durations import DAY_NS, DurationLike, format_duration
from errorbudget.errors import InvalidInputError, SourceUnavailableError
from errorbudget.live import forks
from errorbudget.live.answers import Totals, check_tracker
from errorbudget.live.state import FeedState, State
from errorbudget.live.store import Batch, Contents, Counted, Store, key_of
from errorbudget.live.ticker import LOGGER, Ticker
from errorbudget.live.tracker import Tracker

if TYPE_CHECKING:
    from errorbudget.status import Status

__all__ = ["Shared"]

_MOST_LOGGED = 64
_FOLDED = 32  # of these, into one
_RESTED_NS = DAY_NS // 2  # a store forgets who rests for a day


class _Given(NamedTuple):
    """Batches that were made, of those feeds that they changed."""

    first: int
    last: int
    late: int
    feeds: dict[int, FeedState]

    def __add__(self, later: _Given) -> _Given:  # type: ignore[override]
        feeds = dict(self.feeds)
        for i, feed in later.feeds.items():
            feeds[i] = feeds[i] + feed if i in feeds else feed
        return _Given(self.first, later.last, self.late + later.late, feeds)


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

    Raises:
        InvalidInputError: It has no tracker, or no store.

    Attributes:
        view: What all workers counted; statuses, exporters and admission take it like any tracker.
        ticker: The thread that exchanges, with its `failures`: while the store does not answer, the
            worker counts on and gives everything later.
    """

    def __init__(self, tracker: Tracker, store: Store, every: DurationLike = "1s") -> None:
        check_tracker(tracker)
        if not isinstance(store, Store):
            raise InvalidInputError(
                f'a store is a SqliteStore("shop.db"), a RedisStore, or has their methods, got '
                f"{store!r}"
            )
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
        self._lock = threading.Lock()
        self._writer = uuid4().hex
        self._number = 0
        self._log: list[_Given] = []
        self._given: State | None = None
        self._unconfirmed: tuple[State, tuple[Counted, ...]] | None = None
        nothing = tuple(Counted() for _ in self.tracker.slos)
        self._counted_before = nothing
        self._seen = Contents(None, 0, State(self._blanks(), 0), nothing, {}, {})

    def _blanks(self) -> tuple[FeedState, ...]:
        return tuple(feed.blank() for feed in self.view._feeds)

    def after_fork(self) -> None:
        """Go on as a worker of its own in a forked child; called by itself."""
        self._begin()
        self.ticker.resume()

    def status(self, name: str | None = None) -> Status:
        """The status of what all workers counted, as of the last exchange."""
        return self.view.status(name)

    def totals(self, name: str | None = None) -> Totals:
        """
        Events that all workers counted, as of the last exchange: counters that only rise.

        They begin at 0 with a store that is new or lost its data, as Prometheus expects of a
        counter that restarts.
        """
        return self._counted_of(self.view._feed(name).slo.name).totals

    @property
    def late_totals(self) -> int:
        """Events that came too late to all workers: a counter that only rises."""
        return max(counted.late for counted in self._seen.counted)

    def _counted_of(self, name: str) -> Counted:
        names = [slo.name for slo in self.view.slos]
        return self._seen.counted[names.index(name)]

    def sync(self) -> None:
        """
        Exchange now: give what has come, take what others gave.

        Raises:
            SourceUnavailableError: The store does not answer; nothing is lost.
        """
        with self._lock:
            if self._unconfirmed is None:
                self._unconfirmed = self._changes()
            if not self._push(*self._unconfirmed):
                self._unconfirmed = self._put_back(*self._unconfirmed)
                if not self._push(*self._unconfirmed):
                    raise SourceUnavailableError("the store lost its data again while it was given")
            self._unconfirmed = None
            self._take()

    def _push(self, changes: State, counted: tuple[Counted, ...]) -> bool:
        seen = self._seen
        keep_from = tuple(feed.newest - self._size for feed in changes.feeds)
        return self.store.push(
            Batch(seen.life, seen.version, self._writer, self._number, changes, counted, keep_from)
        )

    def _changes(self) -> tuple[State, tuple[Counted, ...]]:
        """What has come since the last batch, as the next one."""
        state, given = self.tracker.state(), self._given
        feeds = []
        for i, (feed, mine) in enumerate(zip(state.feeds, self.tracker._feeds, strict=True)):
            before = mine.blank() if given is None else given.feeds[i]
            feeds.append(_difference(feed, before, feed.newest - mine.ring.size))
        late = state.dropped_late - (0 if given is None else given.dropped_late)
        counted, before_all = self._counted_here(), self._counted_before
        came = tuple(
            Counted(*(now - then for now, then in zip(*pair, strict=True)))
            for pair in zip(counted, before_all, strict=True)
        )
        if given is not None and state.at_ns - given.at_ns > _RESTED_NS:
            self._writer, self._number, self._log = uuid4().hex, 0, []
        self._given, self._counted_before = state, counted
        self._number += 1
        moved = {i: feed for i, feed in enumerate(feeds) if len(feed.ends) or feed.left_out}
        self._log.append(_Given(self._number, self._number, late, moved))
        if len(self._log) > _MOST_LOGGED:
            old, self._log = self._log[:_FOLDED], self._log[_FOLDED:]
            self._log.insert(0, sum(old[1:], start=old[0]))
        # Now and then all of them, so that the store forgets what is old, and nothing else.
        whole = self._number % _MOST_LOGGED == 1
        rows = [i for i in range(len(feeds)) if whole or i in moved or any(came[i])]
        told = State(tuple(feeds[i] for i in rows), state.at_ns, late)
        return told, tuple(came[i] for i in rows)

    def _counted_here(self) -> tuple[Counted, ...]:
        tracker = self.tracker
        late = tracker.late_totals
        return tuple(Counted(*tracker.totals(feed.slo.name), late) for feed in tracker._feeds)

    def _put_back(
        self, changes: State, counted: tuple[Counted, ...]
    ) -> tuple[State, tuple[Counted, ...]]:
        """
        Give a store of another life what was seen of the one before.

        Returns:
            The first batch for it: what this worker gave and is not in the store.
        """
        life, held = self.store.put_back(self._seen, self._writer, self._number - 1)
        if life == self._seen.life:  # others gave meanwhile: it is at least as new again
            return changes, counted
        assert self._given is not None  # noqa: S101 - there is a batch that was refused
        feeds = []
        for i, (last, after) in enumerate(zip(self._given.feeds, held, strict=True)):
            lacking = [
                given.feeds[i] for given in self._log if given.first > after and i in given.feeds
            ]
            nothing = np.empty(0, dtype=np.int64)
            whole = last.holding(last.first, 0, nothing, nothing, nothing)
            for part in lacking:
                whole = whole + part
            feeds.append(replace(whole, newest=last.newest))
        if any(given.first <= after < given.last for given in self._log for after in held):
            LOGGER.warning(
                "the store was filled by a worker that had not seen the last %d batches of this "
                "one; what came before them and after it looked is lost",
                _FOLDED,
            )
        late = sum(given.late for given in self._log if given.first > min(held))
        moved = {i: feed for i, feed in enumerate(feeds) if len(feed.ends) or feed.left_out}
        self._writer, self._number = uuid4().hex, 1
        self._log = [_Given(1, 1, late, moved)]
        seen = self._seen
        past = dict(seen.past)
        if seen.life is not None:
            past[seen.life] = json.dumps(dict(seen.writers))
        self._seen = seen._replace(life=life, version=0, writers={}, past=past)
        everything = State(tuple(feeds), changes.at_ns, late)
        by_key = dict(zip(map(key_of, changes.feeds), counted, strict=True))
        return everything, tuple(by_key.get(key_of(feed), Counted()) for feed in feeds)

    def _take(self) -> None:
        seen, blanks = self._seen, self._blanks()
        found = self.store.pull(seen.version, blanks)
        if found.life != seen.life or found.version < seen.version:
            return  # it lost its data meanwhile; the next exchange puts them back
        old = seen.state.feeds if seen.version else blanks
        feeds = tuple(
            _updated(before, new, blank.newest - self._size)
            for before, new, blank in zip(old, found.state.feeds, blanks, strict=True)
        )
        self._seen = found._replace(state=replace(found.state, feeds=feeds))
        self.view.restore(self._seen.state)

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
