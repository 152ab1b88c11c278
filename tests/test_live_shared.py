"""Workers that share a store have one budget: every event once, whatever fails on the way."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.errors import InvalidInputError, SourceUnavailableError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.shared import Shared
from errorbudget.live.sqlite_store import SqliteStore
from errorbudget.live.state import FeedState, State
from errorbudget.live.store import Batch, Contents, Counted, key_of

MINUTE = 60 * 10**9
NOON = 1_772_366_400_000_000_000
API = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
MONTH = eb.SLO("month", target="99%", window=eb.Calendar("month"), sli=eb.Availability())


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("missing: redis-server; apt install redis-server")
    redis = pytest.importorskip("redis", reason="missing: redis; pip install 'errorbudget[redis]'")
    port = _free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        client = redis.Redis(port=port)
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.02)
        yield port
        client.close()
        server.terminate()


@pytest.fixture(params=["sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Makes a store that is empty; the same one for every worker of a test."""
    if request.param == "sqlite":
        numbers = iter(range(10**6))
        yield lambda: SqliteStore(tmp_path / f"{next(numbers)}.db")
        return
    port = request.getfixturevalue("redis_port")
    import redis

    from errorbudget.live.redis_store import RedisStore

    client = redis.Redis(port=port)

    def made() -> RedisStore:
        client.flushall()
        return RedisStore(client)

    yield made
    client.close()


def worker(store: Any, clock: Any, *slos: eb.SLO) -> Shared:
    return Shared(Tracker(slos or (API, MONTH), clock=clock, late="2h"), store, every="1h")


def image(store: Any) -> Any:
    """All that a store holds, as a copy that it can be set back to."""
    if isinstance(store, SqliteStore):
        if not store.path.exists():
            return None
        with closing(sqlite3.connect(store.path)) as database:
            return database.serialize()
    return {key: store.client.dump(key) for key in store.client.keys("*")}


def set_back(store: Any, copy: Any) -> None:
    """Make a store what it was when *copy* was taken; None for one that lost everything."""
    if isinstance(store, SqliteStore):
        for suffix in ("", "-wal", "-shm"):
            Path(f"{store.path}{suffix}").unlink(missing_ok=True)
        if copy is not None:
            store.path.write_bytes(copy)
        return
    store.client.flushall()
    for key, value in (copy or {}).items():
        store.client.restore(key, 0, value)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.integers(0, 2), st.integers(0, 90), st.booleans()),
        st.tuples(st.just("sync"), st.integers(0, 2), st.just(0), st.just(True)),
        st.tuples(st.just("time"), st.just(0), st.integers(0, 200), st.just(True)),
        st.tuples(
            st.sampled_from(["lost", "copied", "set back"]), st.just(0), st.just(0), st.just(True)
        ),
    ),
    max_size=30,
)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a file each: shrinking takes minutes
)
@given(steps)
def test_workers_add_up_to_one(make_store: Any, steps: list[tuple[str, int, int, bool]]) -> None:
    """
    After any interleaving, every view is what one tracker that saw everything would say.

    Also when the store loses everything or is set back to an older copy, at any moment; between
    two losses every worker has exchanged.
    """
    clock, store = ManualClock(NOON), make_store()
    workers = [worker(store, clock) for _ in range(3)]
    one = Tracker((API, MONTH), clock=clock, late="2h")
    copy, lost = None, False
    for kind, which, number, good in steps:
        if kind == "event":
            at = clock() - number * MINUTE
            workers[which].tracker.record(good=good, at=at)
            one.record(good=good, at=at)
        elif kind == "sync":
            workers[which].sync()
        elif kind == "time":
            clock.now_ns += number * MINUTE
        elif kind == "copied":
            copy = image(store)
        else:
            for part in workers * 2 if lost else ():
                part.sync()
            lost = True
            set_back(store, None if kind == "lost" else copy)
    for _ in range(3):
        for part in workers:
            part.sync()
    for part in workers:
        part.ticker.stop()
        for name in ("api", "month"):
            assert part.status(name).counts == one.status(name).counts
            assert part.status(name).burn == one.status(name).burn
            assert part.status(name).coverage == one.status(name).coverage
        assert part.view.dropped_late == one.dropped_late
        part.view._check()


def test_a_clock_that_falls_back_moves_what_was_given(make_store: Any) -> None:
    """A clock that was days ahead: units that a worker moves to the present move in the store."""
    ahead = 2 * 1440 * MINUTE
    clock, store = ManualClock(NOON + ahead), make_store()
    a, b = worker(store, clock, API), worker(store, clock, API)
    a.tracker.record(good=False)
    a.sync()
    clock.now_ns = NOON
    a.sync()
    b.sync()
    for part in (a, b):
        part.ticker.stop()
        assert part.view.counts(window="1m") == eb.Counts(good=0, bad=1)
        assert part.view.counts() == eb.Counts(good=0, bad=1)
    clock.now_ns = NOON + ahead
    assert b.view.counts(window="30m") == eb.Counts()


def test_a_lost_answer_counts_once(make_store: Any) -> None:
    """A batch that arrived though its answer was lost is not added again."""
    clock, store = ManualClock(NOON), make_store()
    part = worker(store, clock, API)
    push = store.push

    def lost(batch: Any) -> None:
        assert push(batch)
        raise SourceUnavailableError("the answer was lost")

    part.tracker.record(good=True)
    store.push = lost
    with pytest.raises(SourceUnavailableError):
        part.sync()
    part.tracker.record(good=False)
    with pytest.raises(SourceUnavailableError):
        part.sync()
    store.push = push
    part.sync()
    part.sync()
    part.ticker.stop()
    assert part.view.counts() == eb.Counts(good=1, bad=1)


def test_while_the_store_is_away_nothing_is_lost(make_store: Any) -> None:
    """Failures are counted in the background, the view stands still, and all is given later."""
    clock, store = ManualClock(NOON), make_store()
    part = worker(store, clock, API)
    push = store.push

    def away(*_: Any) -> None:
        raise SourceUnavailableError("no route to host")

    store.push = away
    part.tracker.record(good=True)
    part.ticker.attempt()
    part.ticker.attempt()
    assert part.ticker.failures == 2
    assert not part.view.counts()
    store.push = push
    part.ticker.attempt()
    part.ticker.stop()
    assert part.view.counts().total == 1


def test_old_buckets_leave_the_store(make_store: Any) -> None:
    """The store holds no more than the horizon."""
    clock, store = ManualClock(NOON), make_store()
    part = worker(store, clock, API)
    part.tracker.record(good=True)
    part.sync()
    clock.advance("5d")
    part.tracker.record(good=True)
    part.sync()
    part.ticker.stop()
    found = store.pull(0, tuple(feed.blank() for feed in part.view._feeds))
    assert found.state.feeds[0].good.tolist() == [1]


def test_an_hour_back_moves_nothing_that_was_given(make_store: Any) -> None:
    """A worker's clock that falls back by an hour leaves the store as it was."""
    clock, store = ManualClock(NOON), make_store()
    part = worker(store, clock, API)
    part.ticker.stop()
    part.tracker.record(good=False)
    part.sync()
    blanks = tuple(feed.blank() for feed in part.view._feeds)
    before = store.pull(0, blanks).state.feeds
    clock.now_ns -= 60 * MINUTE
    part.sync()
    assert store.pull(0, blanks).state.feeds == before
    assert part.view.counts(window="1m") == eb.Counts(good=0, bad=1)
    assert part.view.now() == part.tracker.now() == NOON


def test_a_feed_has_a_key_of_its_own() -> None:
    """Whatever its names hold, no two are told by one text."""
    feed = Tracker(API.replace(name="up/down", service="a b/c"), resolution="30s").state().feeds[0]
    assert key_of(feed) == f"a%20b%2Fc/up%2Fdown/{feed.fingerprint}/30000000000/right"
    assert key_of(Tracker(MONTH).state().feeds[0]).endswith("/60000000000/left")


def held(ends: list[int], good: list[int], bad: list[int], **given: Any) -> FeedState:
    columns = [np.array(column, dtype=np.int64) for column in (ends, good, bad)]
    return replace(FeedState("shop", "api", "f", MINUTE, "right", 50, 99, *columns), **given)


BLANK = held([], [], [])
NOTHING = Contents(None, 0, State((BLANK,), 0), (Counted(),), {}, {})


class Given:
    """A store and who gives to it; what it holds as plain data."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.life, self.version = "", 0

    def push(self, writer: str, number: int, feed: FeedState, *counted: int, **given: Any) -> bool:
        told = {"life": self.life, "version": self.version, "at": NOON, "late": 0, "keep": 0}
        told |= given
        changes = State((feed,), told["at"], told["late"])
        return bool(
            self.store.push(
                Batch(
                    told["life"],
                    told["version"],
                    writer,
                    number,
                    changes,
                    (Counted(*counted),),
                    (told["keep"],),
                )
            )
        )

    def pull(self, since: int = 0) -> Contents:
        found = self.store.pull(since, (BLANK,))
        assert found.state.at_ns == 0
        assert {c.dtype for c in (found.state.feeds[0].ends, found.state.feeds[0].bad)} == {
            np.dtype("i8")
        }
        assert isinstance(found, Contents)
        return found

    def held(self, since: int = 0) -> list[tuple[int, int, int]]:
        feed = self.pull(since).state.feeds[0]
        return list(zip(*(c.tolist() for c in (feed.ends, feed.good, feed.bad)), strict=True))


@pytest.fixture
def given_to(make_store: Any) -> Given:
    found = Given(make_store())
    found.life, zeros = found.store.put_back(NOTHING, "w", 0)
    assert zeros == (0,)
    assert found.store.put_back(NOTHING, "w", 0) == (found.life, (0,))
    return found


def test_a_store_that_holds_nothing(given_to: Given) -> None:
    """It has a life, and of what nobody gave the first bucket that is asked with."""
    found = given_to.pull()
    assert found == (given_to.life, 0, State((BLANK,), 0), (Counted(),), {}, {})


def test_a_store_adds_up_what_is_given(given_to: Given) -> None:
    """Bucket by bucket, each batch once; whoever asks again gets what changed since."""
    one = held([60, 70], [9, 1], [0, 2], left_out=3)
    assert given_to.push("w", 1, one, 10, 2, 3, 4, late=5)
    assert given_to.push("w", 1, one, 10, 2, 3, 4, late=5)  # the answer was lost
    found = given_to.pull()
    assert found[1:2] + found[3:] == (1, (Counted(10, 2, 3, 4),), {"w": 1}, {})
    assert (found.state.dropped_late, found.state.feeds[0].left_out) == (5, 3)
    assert found.state.feeds[0].first == 50
    assert given_to.held() == [(60, 9, 0), (70, 1, 2)]
    two = held([55, 70], [4, -1], [0, 8], left_out=1, first=40)
    assert given_to.push("v", 1, two, 1, 1, 1, 1, version=1, late=2)
    assert given_to.held() == [(55, 4, 0), (60, 9, 0), (70, 0, 10)]
    assert given_to.held(1) == [(55, 4, 0), (70, 0, 10)]
    assert given_to.held(2) == []
    found = given_to.pull(2)
    assert found[1:2] + found[3:] == (2, (Counted(11, 3, 4, 5),), {"w": 1, "v": 1}, {})
    assert (found.state.dropped_late, found.state.feeds[0].left_out) == (7, 4)
    assert found.state.feeds[0].first == 40
    assert given_to.push("w", 2, held([80], [1], [0]), version=2, keep=60)
    assert given_to.held() == [(70, 0, 10), (80, 1, 0)]
    assert given_to.pull().version == 3


def test_a_store_takes_nothing_of_another_past(given_to: Given) -> None:
    """Of another life, of a later version than its own, or behind a batch that it lacks."""
    one = held([60], [1], [0])
    assert given_to.push("w", 1, one)
    for number, told in ((2, {"life": "other"}), (2, {"version": 2}), (3, {}), (9, {})):
        assert not given_to.push("w", number, one, **told)
    assert not given_to.push("v", 2, one)
    assert given_to.held() == [(60, 1, 0)]
    assert given_to.pull().writers == {"w": 1}
    assert given_to.push("w", 2, one, version=1)
    assert given_to.held() == [(60, 2, 0)]


def test_a_batch_that_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    """A count that no column holds: the file is as it was, and may be given to."""
    given_to = Given(SqliteStore(tmp_path / "budget.db"))
    given_to.life = given_to.pull().life or ""
    huge = replace(held([60, 61], [1, 1], [0, 0]), good=np.array([1, 2**63], dtype=object))
    with pytest.raises(OverflowError):
        given_to.push("w", 1, huge, 5, late=2)
    assert given_to.pull() == (given_to.life, 0, State((BLANK,), 0), (Counted(),), {}, {})
    assert given_to.push("w", 1, held([60], [1], [0]))
    assert given_to.held() == [(60, 1, 0)]


def test_a_file_forgets_who_rested_for_more_than_a_day(tmp_path: Path) -> None:
    """To the nanosecond."""
    given_to = Given(SqliteStore(tmp_path / "budget.db"))
    given_to.life = given_to.pull().life or ""
    one, day = held([60], [1], [0]), 1440 * MINUTE
    assert given_to.push("w", 1, one)
    assert given_to.push("v", 1, one, at=NOON + day)
    assert given_to.pull().writers == {"w": 1, "v": 1}
    assert given_to.push("v", 2, one, at=NOON + day + 1)
    assert given_to.pull().writers == {"v": 2}


def seen(life: str | None, version: int, feed: FeedState, late: int, **given: Any) -> Contents:
    told = {"writers": {"w": 3, "v": 4}, "past": {}} | given
    state = State((feed,), 0, late)
    return Contents(life, version, state, (Counted(9, 9, 9, 9),), told["writers"], told["past"])


def test_a_store_is_given_back_what_it_lost(given_to: Given) -> None:
    """Once, by whoever notices first; each learns which of its batches are in it."""
    lost = held([60, 70], [5, 6], [1, 2], left_out=7, first=45)
    assert given_to.push("n", 1, held([70], [1], [0]), 1)  # a newcomer was here before
    put_back = given_to.store.put_back
    assert put_back(seen("old", 8, lost, 11), "w", 3) == (given_to.life, (3,))
    found = given_to.pull()
    assert given_to.held() == [(60, 5, 1), (70, 7, 2)]
    assert given_to.held(1) == [(60, 5, 1), (70, 7, 2)]
    assert (found.version, found.counted, found.writers) == (2, (Counted(1),), {"n": 1})
    assert (found.state.dropped_late, found.state.feeds[0].left_out) == (11, 7)
    assert found.state.feeds[0].first == 45
    assert {life: json.loads(told) for life, told in found.past.items()} == {
        "old": {"w": 3, "v": 4}
    }
    more = seen("old", 9, lost + lost, 12, writers={"w": 9, "v": 9})
    for writer, batch in (("w", 3), ("v", 4), ("n", 0)):
        assert put_back(more, writer, 9) == (given_to.life, (batch,))
    assert given_to.held() == [(60, 5, 1), (70, 7, 2)]
    assert given_to.pull().state.dropped_late == 11


def test_a_store_that_went_back_in_time_begins_a_new_life(given_to: Given) -> None:
    """It is behind what was seen or lacks what was given: what it has is replaced."""
    given_to.push("w", 1, held([60], [1], [0], left_out=1), 5, 5, 5, 5, late=3)
    given_to.push("w", 2, held([61], [1], [0]), version=1)
    now = held([60, 62], [4, 5], [0, 0], left_out=2)
    put_back, life = given_to.store.put_back, given_to.life
    assert put_back(seen(life, 2, now, 6), "w", 2) == (life, (0,))  # others were faster
    copy = image(given_to.store)
    for version, number in ((3, 2), (2, 3)):
        fresh, batches = put_back(seen(life, version, now, 6), "w", number)
        assert batches == (3,)
        assert fresh not in {life, ""}
        found = given_to.pull()
        assert (found.life, found.counted) == (fresh, (Counted(),))
        assert (found.state.dropped_late, found.state.feeds[0].left_out) == (6, 2)
        assert given_to.held() == [(60, 4, 0), (62, 5, 0)]
        # Who still knows the life before has nothing to give back.
        assert put_back(seen(life, 9, now + now, 9), "v", 9) == (fresh, (4,))
        set_back(given_to.store, copy)


def test_a_store_of_a_life_that_is_past_begins_another(given_to: Given) -> None:
    """Set back to a copy of before it was given back, whatever its version is."""
    given_to.push("w", 1, held([60], [1], [0]))
    copy, life = image(given_to.store), given_to.life
    now = held([60, 62], [4, 5], [0, 0])
    fresh, _ = given_to.store.put_back(seen(life, 9, now, 6), "w", 1)
    past = dict(given_to.pull().past)
    assert set(past) == {life}
    set_back(given_to.store, copy)
    newest, batches = given_to.store.put_back(seen(fresh, 0, now, 6, past=past), "w", 0)
    assert newest not in {fresh, life}
    assert batches == (3,)
    assert given_to.held() == [(60, 4, 0), (62, 5, 0)]
    assert set(given_to.pull().past) == {fresh, life}


def test_how_a_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time to wait for others; writers do not wait for readers, nor for the disk."""
    waits: list[float] = []
    said: list[str] = []
    connect = sqlite3.connect

    def noted(path: Any, **given: Any) -> sqlite3.Connection:
        waits.append(given["timeout"])
        found = connect(path, **given)
        found.set_trace_callback(said.append)
        return found

    monkeypatch.setattr(sqlite3, "connect", noted)
    for number, patience_s in enumerate((0, 0.5, 3_600)):
        SqliteStore(tmp_path / f"{number}.db", patience_s=patience_s)
    store = SqliteStore(tmp_path / "0.db")
    assert waits == [0, 0.5, 3_600, 5.0]
    assert said.count("PRAGMA synchronous = NORMAL") == 4
    assert said.count("PRAGMA journal_mode = WAL") == 3  # the file remembers it
    for patience_s in (-0.1, 3_600.5, None):
        with pytest.raises(InvalidInputError) as caught:
            SqliteStore(store.path, patience_s=patience_s)  # type: ignore[arg-type]
        assert str(caught.value) == f"patience_s is from 0 to 3600 seconds, got {patience_s!r}"
    with pytest.raises(InvalidInputError, match="this wants a Tracker, got SLO"):
        Shared(API, store)  # type: ignore[arg-type]


def test_what_redis_is_told_of_a_batch() -> None:
    """Of which life and version, whose batch and when, and who rested since a day before that."""
    pytest.importorskip("redis", reason="missing: redis; pip install 'errorbudget[redis]'")
    from errorbudget.live.redis_store import RedisStore

    store, told = RedisStore("redis://localhost:1/0", prefix="p"), []

    def noted(**given: Any) -> int:
        told.append(given)
        return 1

    store._push = noted
    feed = held([60], [5], [1])
    for life in ("l", None):
        changes = State((feed,), NOON, 7)
        store.push(Batch(life, 3, "w", 4, changes, (Counted(1, 2, 3, 4),), (50,)))
        given_ = told.pop()
        alive_s = 49 * 60 + 86_400
        assert given_["args"] == [
            *(life or "", 3, "w", 4, NOON, NOON - 1440 * MINUTE, 7),
            *(50, 0, 1, 2, 3, 4, 50, alive_s, 1, 60, 5, 1),
        ]
        key = "{p}:shop/api/f/60000000000/right"
        assert given_["keys"] == [
            *("{p}:writers", "{p}:totals"),
            *(f"{key}:{kind}" for kind in ("told", "good", "bad", "versions", "ends")),
        ]


def test_what_redis_is_told_of_a_feed() -> None:
    """Numbers alone; it may go a day after the last bucket that anyone looks at."""
    from errorbudget.live.redis_store import _text, _told

    feed = held([60, 70], [5, 6], [1, 2], left_out=7)
    alive_s = (99 - 39) * 60 + 86_400
    assert _told(feed, Counted(1, 2, 3, 4), 39) == [
        *(50, 7, 1, 2, 3, 4, 39, alive_s, 2),
        *(60, 5, 1, 70, 6, 2),
    ]
    # As the client was made, it answers in bytes or in text.
    assert _text(b"l") == _text("l") == "l"


def test_two_services_share_a_store_and_no_budget(make_store: Any) -> None:
    """Same-named SLOs of two services in one store do not add up."""
    clock, store = ManualClock(NOON), make_store()
    parts = [worker(store, clock, API.replace(service=name)) for name in ("shop", "bank", "a/b")]
    for part in parts:
        part.ticker.stop()
        part.tracker.record(good=True)
    for part in parts * 2:
        part.sync()
    assert [part.view.counts().total for part in parts] == [1, 1, 1]


def test_workers_that_count_something_else_do_not_mix(make_store: Any) -> None:
    """During a deploy that changes an indicator, old and new workers keep apart."""
    clock, store = ManualClock(NOON), make_store()
    old = worker(store, clock, API)
    new = worker(store, clock, API.replace(sli=eb.Availability(good="2xx")))
    for part in (old, new):
        part.tracker.record(status=404)
        part.sync()
    old.ticker.stop()
    new.ticker.stop()
    assert old.view.counts() == eb.Counts(good=1, bad=0)
    assert new.view.counts() == eb.Counts(good=0, bad=1)


def test_a_store_that_forgets_is_noticed(make_store: Any) -> None:
    """A store that begins anew is given what it held; nothing is lost, and nothing counts twice."""
    clock, store = ManualClock(NOON), make_store()
    part = worker(store, clock, API)
    for _ in range(3):
        part.tracker.record(good=True)
        part.sync()
    fresh = make_store()  # empties a Redis; another file for SQLite
    part.store = fresh
    part.tracker.record(good=False)
    part.sync()
    part.ticker.stop()
    assert part.view.counts() == eb.Counts(good=3, bad=1)


def test_what_the_dead_gave_survives_as_well(make_store: Any) -> None:
    """What a worker that is gone gave is put back by one that saw it, also after a newcomer."""
    clock, store = ManualClock(NOON), make_store()
    gone, stays, other = (worker(store, clock, API) for _ in range(3))
    for part in (gone, stays, other):
        part.ticker.stop()
        part.tracker.record(good=False)
        part.sync()
    for part in (stays, other):
        part.sync()
    other.tracker.record(good=True)
    set_back(store, None)
    newcomer = worker(store, clock, API)
    newcomer.ticker.stop()
    newcomer.tracker.record(good=True)
    for part in (newcomer, stays, other) * 2:
        part.sync()
    assert {part.view.counts() for part in (newcomer, stays, other)} == {eb.Counts(2, 3)}


def test_a_worker_that_was_cut_off_long_ago(make_store: Any) -> None:
    """A store filled by one who saw little of another: what that one still knows is added."""
    clock, store = ManualClock(NOON), make_store()
    blind, busy = worker(store, clock, API), worker(store, clock, API)
    for part in (blind, busy):
        part.ticker.stop()
    for _ in range(100):
        busy.tracker.record(good=True)
        busy.sync()
    set_back(store, None)
    for part in (blind, busy, blind):
        part.sync()
    assert blind.view.counts() == busy.view.counts() == eb.Counts(good=100, bad=0)


def test_the_same_old_copy_twice(make_store: Any) -> None:
    """A store set back to one copy again and again counts nothing twice, also for a newcomer."""
    clock, store = ManualClock(NOON), make_store()
    parts = [worker(store, clock, API) for _ in range(2)]
    copy = None
    for round_ in range(4):
        for part in parts * 2:
            part.ticker.stop()
            part.tracker.record(good=True)
            part.sync()
        copy = copy or image(store)
        set_back(store, copy)
        if round_ == 1:
            parts.append(worker(store, clock, API))
            parts[-1].ticker.stop()
    for part in parts * 2:
        part.sync()
    given = sum(part.tracker.counts().total for part in parts)
    assert {part.view.counts().total for part in parts} == {given}


def test_a_store_that_caught_up_counts_nothing_twice(make_store: Any) -> None:
    """Set back, and as new again by what others gave before this worker puts anything back."""
    clock, store = ManualClock(NOON), make_store()
    late, busy = worker(store, clock, API), worker(store, clock, API)
    for part in (late, busy):
        part.ticker.stop()
        part.tracker.record(good=True)
        part.sync()
    busy.sync()
    late.sync()
    late._seen = late._seen._replace(version=late._seen.version + 1)
    put_back = store.put_back

    def after_others(*args: Any) -> Any:
        busy.sync()
        busy.sync()
        return put_back(*args)

    store.put_back = after_others
    late.sync()
    assert late.view.counts() == eb.Counts(good=2, bad=0)


def test_quiet_objectives_are_not_given_each_time(tmp_path: Path) -> None:
    """Of many SLOs only those that something came for travel, and nothing is missed."""
    store = SqliteStore(tmp_path / "budget.db")
    slos = [
        API.replace(name=f"api {i}", sli=eb.Availability(where={"route": str(i)}))
        for i in range(50)
    ]
    part = worker(store, ManualClock(NOON), *slos)
    part.ticker.stop()
    given: list[int] = []
    push = store.push

    def counting(batch: Any) -> bool:
        given.append(len(batch.changes.feeds))
        return push(batch)

    store.push = counting  # type: ignore[method-assign]
    part.tracker.record(status=503, route="7")
    part.sync()
    part.sync()
    assert given == [1, 0]
    assert part.view.counts("api 7") == eb.Counts(good=0, bad=1)


def test_totals_of_all_workers_never_fall(make_store: Any) -> None:
    """Fleet-wide counters rise with what is recorded, and begin at 0 when the store does."""
    clock, store = ManualClock(NOON), make_store()
    first, second = worker(store, clock, API), worker(store, clock, API)
    for part in (first, second):
        part.ticker.stop()
        part.tracker.record(good=True)
        part.tracker.record(good=False, at=clock() - 180 * MINUTE)
        part.sync()
    clock.advance("3d")
    first.sync()
    assert first.totals("api") == (2, 0, 0)
    assert first.late_totals == 2
    set_back(store, None)
    second.tracker.record(good=False)
    second.sync()
    first.sync()
    assert first.totals() == second.totals() == (0, 1, 0)


@pytest.mark.parametrize("store", [None, 5, "budget.db"])
def test_what_is_no_store_is_named(store: Any) -> None:
    """Stores, clients and times to wait of a wrong kind are refused, without what they hold."""
    with pytest.raises(InvalidInputError, match="a store is a SqliteStore"):
        Shared(Tracker(API), store)
    with pytest.raises(InvalidInputError, match="patience_s is from 0"):
        SqliteStore("never.db", patience_s="soon")  # type: ignore[arg-type]
    pytest.importorskip("redis", reason="missing: redis; pip install 'errorbudget[redis]'")
    from errorbudget.live.redis_store import RedisStore

    for client in (
        store if store != "budget.db" else "budget://:s3cret@host",
        b"redis://:s3cret@h",
    ):
        with pytest.raises(InvalidInputError, match=r"redis\.Redis, or an address") as caught:
            RedisStore(client)  # type: ignore[arg-type]
        assert "s3cret" not in str(caught.value)


def test_redis_killed_and_started_empty(tmp_path: Path) -> None:
    """Workers of a real server that is killed and comes back with nothing give back everything."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("missing: redis-server; apt install redis-server")
    pytest.importorskip("redis", reason="missing: redis; pip install 'errorbudget[redis]'")
    from errorbudget.live.redis_store import RedisStore

    port = _free_port()
    command = [program, "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        _wait_for(port)
        store = RedisStore(f"redis://127.0.0.1:{port}/0")
        parts = [Shared(Tracker(API), store, every="20ms") for _ in range(3)]
        for _ in range(100):
            for part in parts:
                part.tracker.record(good=False)
        _until(lambda: all(part.view.counts().bad == 300 for part in parts))
        parts.pop().ticker.stop()  # gone for good, and what it gave is known to the others
        server.kill()
    for part in parts:
        part.tracker.record(good=True)  # while nobody answers
    _until(lambda: all(part.ticker.failures for part in parts))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        _until(lambda: all(part.view.counts() == eb.Counts(2, 300) for part in parts))
        for part in parts:
            part.close()
        store.client.close()
        assert all(part.view.counts() == eb.Counts(2, 300) for part in parts)
        server.terminate()


def test_sqlite_file_deleted_under_workers(tmp_path: Path) -> None:
    """A file that is deleted while workers share it is made anew, with all that it held."""
    store = SqliteStore(tmp_path / "budget.db")
    with Shared(Tracker(API), store, "10ms") as a, Shared(Tracker(API), store, "10ms") as b:
        for part in (a, b):
            part.tracker.record(good=False)
        _until(lambda: a.view.counts().bad == b.view.counts().bad == 2)
        set_back(store, None)
        a.tracker.record(good=True)
        _until(lambda: a.view.counts() == b.view.counts() == eb.Counts(1, 2))
    assert SqliteStore(store.path).pull(0, b._blanks()).state.feeds[0].bad.sum() == 2


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """What cannot be shared through is named."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look like something else" * 50)
    with pytest.raises(SourceUnavailableError, match=r"notes\.txt"):
        SqliteStore(path)


@pytest.mark.posix
def test_forked_workers_share(make_store: Any) -> None:
    """Children of one parent each count on their own, and one killed loses only what is fresh."""
    store = make_store()
    tracker = Tracker(API)
    with Shared(tracker, store, every="20ms") as shared:
        tracker.record(good=True)
        shared.sync()
        children = []
        for _ in range(3):
            child = os.fork()
            if not child:  # pragma: no cover - in the child
                for _ in range(100):
                    tracker.record(good=False)
                while True:
                    time.sleep(0.01)
            children.append(child)
        deadline = time.monotonic() + 60
        while shared.view.counts().total < 301 and time.monotonic() < deadline:
            time.sleep(0.01)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        shared.sync()
        assert shared.view.counts() == eb.Counts(good=1, bad=300)
        assert tracker.counts() == eb.Counts(good=1, bad=0)


SERVICE = """
import errorbudget as eb
from errorbudget.live import Tracker, wsgi
from errorbudget.live.shared import Shared
from errorbudget.live.sqlite_store import SqliteStore

slo = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
tracker = Tracker(slo)
shared = Shared(tracker, SqliteStore("budget.db"), every="50ms")

def hello(environ, start_response):
    if environ["PATH_INFO"] == "/status":
        start_response("200 OK", [])
        return [repr(tuple(shared.view.counts("api").__getstate__())).encode()]
    start_response("503 Busy" if environ["PATH_INFO"] == "/bad" else "200 OK", [])
    return [b"hello"]

counted = wsgi.BudgetMiddleware(hello, tracker)

def app(environ, start_response):
    served = hello if environ["PATH_INFO"] == "/status" else counted
    return served(environ, start_response)
"""


@pytest.mark.parametrize("preload", [False, True])
def test_gunicorn_workers_have_one_budget(tmp_path: Path, preload: bool) -> None:
    """Three gunicorn workers under load: every one of them shows all requests."""
    pytest.importorskip("gunicorn", reason="missing: gunicorn; make test")
    (tmp_path / "service.py").write_text(SERVICE)
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "-w", "3", "-b", f"127.0.0.1:{port}"]
    command += ["--log-level", "critical", "service:app"]
    command += ["--preload"] if preload else []
    home = {**os.environ, "HOME": str(tmp_path)}  # newer ones keep a socket there
    with subprocess.Popen(command, cwd=tmp_path, env=home) as server:
        try:
            _wait_for(port)
            _load(port)
        finally:
            server.terminate()
            server.wait(10)


def _load(port: int) -> None:
    """Ask for 180 good pages and 20 bad ones from four threads, and for the same budget of all."""
    clients = [
        threading.Thread(target=_ask, args=(port, ["/good"] * 45 + ["/bad"] * 5)) for _ in range(4)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    deadline = time.monotonic() + 60
    answers: set[str] = set()
    while answers != {"(180, 20)"} and time.monotonic() < deadline:
        answers = set(_ask(port, ["/status"] * 12))
    assert answers == {"(180, 20)"}


ASGI_SERVICE = """
import errorbudget as eb
from errorbudget.live import Tracker, asgi
from errorbudget.live.shared import Shared
from errorbudget.live.sqlite_store import SqliteStore

slo = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
tracker = Tracker(slo)
shared = Shared(tracker, SqliteStore("budget.db"), every="50ms")

async def hello(scope, receive, send):
    status, body = 503 if scope["path"] == "/bad" else 200, b"hello"
    if scope["path"] == "/status":
        counts = shared.view.counts("api")
        body = repr((counts.good, counts.bad)).encode()
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})

counted = asgi.BudgetMiddleware(hello, tracker)

async def app(scope, receive, send):
    await (hello if scope.get("path") == "/status" else counted)(scope, receive, send)
"""


def test_uvicorn_workers_have_one_budget(tmp_path: Path) -> None:
    """Three uvicorn workers, spawned and not forked, under load: one budget in all of them."""
    pytest.importorskip("uvicorn", reason="missing: uvicorn; make test")
    (tmp_path / "service.py").write_text(ASGI_SERVICE)
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "service:app", "--workers", "3", "--lifespan=off"]
    command += ["--port", str(port), "--log-level", "critical"]
    with subprocess.Popen(command, cwd=tmp_path) as server:
        try:
            _wait_for(port)
            _load(port)
        finally:
            server.terminate()
            server.wait(30)


def _until(holds: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(port: int, paths: list[str]) -> list[str]:
    found = []
    for path in paths:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        found.append(connection.getresponse().read().decode())
        connection.close()
    return found


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not start in 60 s")


def test_redis_that_does_not_answer(redis_port: int) -> None:
    """A server that is away is a source that is unavailable."""
    from errorbudget.live.redis_store import RedisStore

    store = RedisStore(f"redis://127.0.0.1:{redis_port}/0")
    assert store.pull(0, ()).version >= 0
    closed = _free_port()
    with pytest.raises(SourceUnavailableError, match="Redis"):
        RedisStore(f"redis://127.0.0.1:{closed}/0").pull(0, ())
    store.client.close()


def test_a_month_of_minutes_goes_through_in_one_batch(make_store: Any) -> None:
    """A worker that restored 30 busy days gives them at once, and all of them arrive."""
    clock, store = ManualClock(NOON), make_store()
    tracker = Tracker(API.replace(window="30d"), clock=clock)
    ring = tracker._feeds[0].ring
    ring.add_buckets(ring.newest - np.arange(43_000), np.full(43_000, 7), np.ones(43_000, int))
    part = Shared(tracker, store, every="1h")
    part.sync()
    part.ticker.stop()
    assert part.view.counts() == eb.Counts(good=301_000, bad=43_000)
