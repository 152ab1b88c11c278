"""What a worker gives to a store, batch by batch, and what it makes of the answers."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import SourceUnavailableError
from errorbudget.live import ManualClock, Shared, Tracker, forks
from errorbudget.live.shared import _difference, _Given, _updated
from errorbudget.live.state import FeedState, State
from errorbudget.live.store import Batch, Contents, Counted

MINUTE = 60 * 10**9
DAY = 1_440 * MINUTE
NOON = 1_772_366_400_000_000_000
API = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
WEEK = eb.SLO("week", target="99%", window="7d", sli=eb.Availability())


def held(ends: list[int], good: list[int], bad: list[int], left_out: int = 0) -> FeedState:
    columns = [np.array(column, dtype=np.int64) for column in (ends, good, bad)]
    return FeedState("", "api", "f", MINUTE, "right", 1, 99, *columns, left_out=left_out)


def test_what_has_to_be_added() -> None:
    """Bucket by bucket: what came, what moved away, and nothing of what stayed or is forgotten."""
    old = held([3, 4, 5, 6, 8], [7, 7, 2, 2, 3], [0, 0, 1, 1, 0], left_out=2)
    new = held([4, 5, 6, 7, 9], [9, 3, 2, 0, 2**53 + 1], [0, 1, 1, 1, 0], left_out=5)
    found = _difference(new, old, 4)
    assert found.to_dict() == held([5, 7, 8, 9], [1, 0, -3, 2**53 + 1], [0, 1, 0, 0], 3).to_dict()
    (gone,) = _difference(held([5], [1], [0]), held([4], [7], [0]), 4).good.tolist()
    assert gone == 1
    assert {found.ends.dtype, found.good.dtype, found.bad.dtype} == {np.dtype("i8")}


def test_what_is_held_after_an_answer() -> None:
    """Buckets that changed take the place of what they were; what is below nothing is nothing."""
    old = held([4, 5, 6, 7], [1, 2, 3, 4], [0, 0, 1, 0])
    new = held([8, 5], [-1, 9], [2, 0], left_out=3)
    found = _updated(old, new, 4)
    assert found.to_dict() == held([5, 6, 7, 8], [9, 3, 4, 0], [0, 1, 0, 2], 3).to_dict()


def test_batches_add_up() -> None:
    """From the first to the last, by feed."""
    one = _Given(1, 1, 2, {0: held([5], [1], [0]), 1: held([5], [2], [0])})
    two = _Given(2, 3, 4, {1: held([5], [3], [1]), 2: held([7], [0], [1])})
    both = one + two
    assert both[:3] == (1, 3, 6)
    assert both.feeds == {
        0: held([5], [1], [0]),
        1: held([5], [5], [1]),
        2: held([7], [0], [1]),
    }
    assert one.feeds[1] == held([5], [2], [0])


class Noted:
    """A store that notes what it is given and answers as it is told."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.refusals = 0
        self.lost: list[tuple[Contents, str, int]] = []
        self.life, self.held = "one", (0,)
        self.contents: tuple[FeedState, ...] | None = None
        self.counted: tuple[Counted, ...] | None = None
        self.asked: list[int] = []
        self.version = 0

    def push(self, batch: Batch) -> bool:
        self.batches.append(batch)
        if self.refusals or batch.life != self.life:
            self.refusals = max(self.refusals - 1, 0)
            return False
        self.version += 1
        return True

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> Contents:
        self.asked.append(since)
        found = feeds if self.contents is None else self.contents
        counted = self.counted or tuple(Counted() for _ in feeds)
        return Contents(self.life, self.version, State(found, 0), counted, {"w": 7}, {})

    def put_back(self, seen: Contents, writer: str, given: int) -> tuple[str, tuple[int, ...]]:
        self.lost.append((seen, writer, given))
        return self.life, self.held * len(seen.state.feeds) if len(self.held) == 1 else self.held


def worker(*slos: eb.SLO, **given: Any) -> tuple[Any, Tracker, Shared]:
    store = Noted()
    tracker = Tracker(slos or (API,), clock=ManualClock(NOON), late="1h", **given)
    part = Shared(tracker, store, every="1h")
    part.ticker.stop()
    return store, tracker, part


def units(batch: Batch, feed: int = 0) -> tuple[int, int, int]:
    found = batch.changes.feeds[feed]
    return int(found.good.sum()), int(found.bad.sum()), found.left_out


def test_the_first_batch_is_for_a_life_that_is_drawn() -> None:
    """Nothing is known before; then the same batch goes to the life that is."""
    store, tracker, part = worker()
    assert part.ticker.failures == 0
    assert [(batch.life, batch.version, batch.number) for batch in store.batches] == [
        (None, 0, 1),
        ("one", 0, 1),
    ]
    ((seen, writer, number),) = store.lost
    assert (seen.life, seen.version, seen.counted, number) == (None, 0, (Counted(),), 0)
    assert (seen.state.at_ns, seen.state.feeds) == (0, part._blanks())
    assert writer == store.batches[0].writer != store.batches[1].writer
    assert part._seen.past == {}
    assert store.asked == [0]
    tracker.record(good=True)
    part.sync()
    assert store.batches[-1][:4] == ("one", 1, store.batches[1].writer, 2)
    assert store.asked == [0, 1]


def test_a_life_that_was_never_known_is_not_remembered() -> None:
    """Of the store before the first nothing is kept; forked children are told of a fork."""
    store, tracker = Noted(), Tracker(API, clock=ManualClock(NOON))

    def away(*_: object) -> Contents:
        raise SourceUnavailableError("gone")

    pull, store.pull = store.pull, away  # type: ignore[method-assign]
    part = Shared(tracker, store, every="1h")
    part.ticker.stop()
    assert part.ticker.failures == 1
    assert (part._seen.life, part._seen.past) == ("one", {})
    assert part in [*forks._watched.values()]
    store.pull = pull  # type: ignore[method-assign]
    part.sync()
    assert [batch.number for batch in store.batches] == [1, 1, 2]


def test_a_batch_holds_what_came_since_the_last() -> None:
    """Buckets, events that were left out or came too late, and how many were counted."""
    store, tracker, part = worker(API, WEEK)
    for status in (200, 503, 0, 0):
        tracker.record(status=status or None, route="/")
    tracker.record(good=True, at=NOON - 61 * MINUTE)
    part.sync()
    batch = store.batches[-1]
    assert [units(batch, i) for i in (0, 1)] == [(1, 1, 2)] * 2
    assert batch.counted == (Counted(1, 1, 2, 1),) * 2
    assert (batch.changes.dropped_late, batch.changes.at_ns) == (1, NOON)
    newest = NOON // MINUTE
    assert batch.keep_from == (newest - 10_081,) * 2
    tracker.record(good=True, at=NOON - 61 * MINUTE)
    part.sync()
    batch = store.batches[-1]
    assert [len(feed.ends) for feed in batch.changes.feeds] == [0, 0]
    assert batch.counted == (Counted(0, 0, 0, 1),) * 2
    assert batch.changes.dropped_late == 1
    tracker.merge(Tracker(API, clock=ManualClock(NOON)).state())
    part.sync()
    assert store.batches[-1].changes.feeds == ()


def test_now_and_then_all_objectives_are_given() -> None:
    """Each 64th time, so that a store forgets what is old."""
    store, _, part = worker(API, WEEK)
    del store.batches[:]
    for _ in range(130):
        part.sync()
    sizes = {batch.number: len(batch.changes.feeds) for batch in store.batches}
    assert {number for number, size in sizes.items() if size} == {65, 129}
    assert {sizes[65], sizes[129]} == {2}


def test_a_worker_that_rested_is_another() -> None:
    """After more than half a day: a store forgets who rests for a whole one."""
    store, tracker, part = worker()
    clock: Any = tracker.clock
    writer = store.batches[-1].writer
    clock.now_ns += DAY // 2
    part.sync()
    assert store.batches[-1][2:4] == (writer, 2)
    clock.now_ns += DAY // 2 + 1
    part.sync()
    assert store.batches[-1].writer != writer
    assert store.batches[-1].number == 1
    assert [given[:2] for given in part._log] == [(1, 1)]


def test_old_batches_are_remembered_as_one() -> None:
    """All of them, by their numbers, in at most 64 parts."""
    _, tracker, part = worker()
    for number in range(2, 98):
        tracker.record(good=True)
        tracker.record(good=True, at=NOON - 61 * MINUTE)
        part.sync()
        edges = [given[:2] for given in part._log]
        assert edges[0][0] == 1
        assert edges[-1][1] == number
        assert all(before[1] + 1 == after[0] for before, after in pairwise(edges))
        assert len(edges) == (number if number <= 64 else 34 + (number - 65) % 31)
        assert sum(given.late for given in part._log) == number - 1
        total = sum(int(f.good.sum()) for given in part._log for f in given.feeds.values())
        assert total == number - 1
    assert edges[0] == (1, 63)


def lost(part: Shared, store: Any, life: str, *held: int) -> Batch:
    """The batch that a worker gives to a store of another life."""
    store.life, store.held, store.version = life, held, 0
    part.sync()
    batch: Batch = store.batches[-1]
    return batch


def given_away(*slos: eb.SLO) -> tuple[Any, Tracker, Shared]:
    """A worker whose batches 2 to 5 held 1, 2, 4 and 8 bad events, and one each that was late."""
    store, tracker, part = worker(*slos)
    for power in range(4):
        tracker.record_many(good=np.zeros(2**power, dtype=bool))
        tracker.record(good=True, at=NOON - 61 * MINUTE)
        part.sync()
    return store, tracker, part


def test_what_a_store_lacks_is_given_again() -> None:
    """All batches after the newest that it has, in one; counted are only those events since."""
    store, tracker, part = given_away()
    before = part._seen
    tracker.record_many(good=np.zeros(16, dtype=bool))
    batch = lost(part, store, "two", 3)
    seen, writer, number = store.lost[-1]
    assert (seen, number) == (before, 5)
    assert (batch.life, batch.version, batch.number) == ("two", 0, 1)
    assert batch.writer != writer
    assert units(batch) == (0, 4 + 8 + 16, 0)
    assert batch.changes.feeds[0].newest == NOON // MINUTE
    assert batch.changes.dropped_late == 2
    assert batch.counted == (Counted(0, 16, 0, 0),)
    assert store.asked[-1] == 0
    assert [given[:3] for given in part._log] == [(1, 1, 2)]
    batch = lost(part, store, "three", 0)
    assert units(batch) == (0, 4 + 8 + 16, 0)
    assert batch.counted == (Counted(),)
    assert batch.changes.dropped_late == 2


def test_what_was_given_under_a_clock_that_was_days_ahead() -> None:
    """What is given again is of the present."""
    store, tracker, part = worker()
    clock: Any = tracker.clock
    clock.now_ns += 2 * DAY
    tracker.record(good=True)
    part.sync()
    assert store.batches[-1].changes.feeds[0].newest == (NOON + 2 * DAY) // MINUTE
    clock.now_ns = NOON
    batch = lost(part, store, "two", 0)
    assert batch.changes.feeds[0].newest == NOON // MINUTE
    assert units(batch) == (1, 0, 0)


def test_each_objective_lacks_its_own() -> None:
    """What came too late is given with the one that lacks the most."""
    store, _, part = given_away(API, WEEK)
    batch = lost(part, store, "two", 4, 2)
    assert [units(batch, i) for i in (0, 1)] == [(0, 8, 0), (0, 2 + 4 + 8, 0)]
    assert batch.changes.dropped_late == 3


def test_the_past_of_a_store_is_kept() -> None:
    """With who had given what, for those who still know a life before."""
    store, _, part = given_away()
    seen: list[Contents] = []
    pull = store.pull

    def noted(since: int, feeds: tuple[FeedState, ...]) -> Contents:
        seen.append(part._seen)
        found: Contents = pull(since, feeds)
        return found

    store.pull = noted
    lost(part, store, "two", 0)
    assert (seen[0].life, seen[0].version, seen[0].writers) == ("two", 0, {})
    assert {life: json.loads(told) for life, told in seen[0].past.items()} == {"one": {"w": 7}}


def test_a_store_that_is_as_new_again_gets_the_batch_as_it_is() -> None:
    """Others gave meanwhile: its life is the one that is known."""
    store, tracker, part = given_away()
    tracker.record(good=True)
    store.refusals = 1
    part.sync()
    first, second = store.batches[-2:]
    assert first == second
    assert units(second) == (1, 0, 0)
    assert len(part._log) == 6


def test_a_store_that_loses_all_again_is_unavailable() -> None:
    """The batch is kept, and given the next time."""
    store, tracker, part = given_away()
    tracker.record(good=True)
    store.refusals = 2
    with pytest.raises(SourceUnavailableError, match="lost its data again while it was given"):
        part.sync()
    tracker.record(good=True)
    part.sync()
    assert units(store.batches[-1]) == (1, 0, 0)
    part.sync()
    assert units(store.batches[-1]) == (1, 0, 0)


CUT_OFF = (
    "the store was filled by a worker that had not seen the last 32 batches of this one; what "
    "came before them and after it looked is lost"
)


@pytest.mark.parametrize(
    ("newest", "told"), [(0, False), (1, True), (31, True), (32, False), (33, False)]
)
def test_what_cannot_be_told_apart_any_more_is_logged(
    newest: int, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that has some of the batches that are remembered as one."""
    store, tracker, part = worker()
    for _ in range(2, 66):
        tracker.record(good=True)
        part.sync()
    assert part._log[0][:2] == (1, 32)
    lost(part, store, "two", newest)
    assert [record.getMessage() for record in caplog.records] == [CUT_OFF] * told


def test_what_a_store_holds_is_seen() -> None:
    """Of its life alone: what another answers is looked at the next time."""
    store, _, part = worker()
    newest = NOON // MINUTE
    (blank,) = part._blanks()
    some = [np.array([number], dtype=np.int64) for number in (newest, 3, 1)]
    store.contents = (blank.holding(newest - 5, 2, *some),)
    store.counted = (Counted(1, 2, 3, 4),)
    part.sync()
    assert part.view.counts() == part.status().counts == eb.Counts(good=3, bad=1)
    assert (part.totals("api"), part.late_totals) == ((1, 2, 3), 4)
    old = [np.array([number], dtype=np.int64) for number in (newest - 1, 5, 0)]
    store.contents = (blank.holding(newest - 5, 2, *old),)
    part.sync()
    assert part.view.counts() == eb.Counts(good=8, bad=1)
    # Another life, or an older copy, is put back first; as new a one is as good.
    other = [np.array([number], dtype=np.int64) for number in (newest - 2, 100, 0)]
    store.contents = (blank.holding(newest - 5, 2, *other),)
    kept, now = store.push, store.version
    store.push = lambda batch: True
    for life, version, good in (("two", 99, 8), ("one", now - 1, 8), ("one", now, 108)):
        store.life, store.version = life, version
        part.sync()
        assert part.view.counts() == eb.Counts(good=good, bad=1)
    store.push, store.contents = kept, (blank,)
    lost(part, store, "three", 0)
    assert part.view.counts() == eb.Counts(good=0, bad=0)


def test_the_most_that_came_too_late_for_any() -> None:
    """Workers count it with every objective, and those that joined later with fewer."""
    store, _, part = worker(API, WEEK)
    store.counted = (Counted(late=1), Counted(late=3))
    part.sync()
    assert part.late_totals == 3
    assert (part.totals("api"), part.totals("week")) == ((0, 0, 0), (0, 0, 0))


def test_the_view_is_a_tracker_like_the_worker_s() -> None:
    """Of the same buckets and clock, and remembers as far back as the longest."""
    _, tracker, part = worker(API, WEEK, resolution="30s")
    assert part.view.resolution_ns == 30 * 10**9
    sizes = [feed.ring.size for feed in tracker._feeds]
    assert [feed.ring.size for feed in part.view._feeds] == [max(sizes)] * 2
    assert part.view.slos == tracker.slos
    assert part.view.now() == NOON


def test_from_beginning_to_end() -> None:
    """It gives once at the start and once at the end; a forked child is another worker."""
    store, tracker = Noted(), Tracker(API, clock=ManualClock(NOON))
    with Shared(tracker, store, every="1h") as part:
        assert part.ticker.running
        tracker.record(good=True)
    assert not part.ticker.running
    assert units(store.batches[-1]) == (1, 0, 0)
    writer = store.batches[-1].writer
    part.after_fork()
    assert not part.ticker.running  # it was closed
    tracker.after_fork()
    tracker.record(good=False)
    part.sync()
    assert store.batches[-2].writer not in {writer, store.batches[-1].writer}
    assert store.batches[-2].number == 1
    assert units(store.batches[-1]) == (0, 1, 0)
    part.ticker.start()
    part.after_fork()
    part.ticker.after_fork()
    part.after_fork()
    assert part.ticker.running
    part.ticker.stop()
