"""State in a file survives whatever happens to the process."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError, SourceFormatError, SourceUnavailableError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.keeper import Keeper, load_state, save_state
from errorbudget.live.paths import as_path
from errorbudget.live.sqlite_store import SqliteStore
from errorbudget.live.ticker import Ticker

NOON = "2026-03-01T12:00:00Z"
API = eb.SLO("api", target="99.9%", window="1d", sli=eb.Availability())

# Forks a service that records and saves, kills it at a random moment, and looks at what is left:
# when the last save that ended had begun, and what the time since then went into.
CRASHES = """
import os, random, signal, sys, time
import errorbudget as eb
from errorbudget.live import Tracker, keeper
from errorbudget.live.keeper import Keeper, load_state

path, rounds, every_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
slo = eb.SLO("api", target="99.9%", window="1d", sli=eb.Availability())
rng = random.Random(path)
kept = 0
for _ in range(rounds):
    inlet, outlet = os.pipe()
    child = os.fork()
    if not child:
        write = keeper.save_state

        def save_state(state, path):
            total = int(state.feeds[0].good.sum())
            os.write(outlet, b"begun %d %d\\n" % (time.monotonic_ns(), total))
            write(state, path)
            os.write(outlet, b"saved %d %d\\n" % (time.monotonic_ns(), total))

        keeper.save_state = save_state
        tracker = Tracker(slo)
        with Keeper(tracker, path, every=f"{every_ms}ms"):
            counted = int(tracker.counts().total)
            while True:
                for _ in range(200):
                    tracker.record(good=True)
                counted += 200
                os.write(outlet, b"record %d %d\\n" % (time.monotonic_ns(), counted))
                time.sleep(0.001)
    os.close(outlet)
    with os.fdopen(inlet) as pipe:
        first = [pipe.readline(), pipe.readline()]  # the save at the start has ended
        time.sleep(rng.uniform(0.0, 0.1))
        killed = time.monotonic_ns()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = [line.split() for line in [*first, *pipe] if line.endswith("\\n")]
    told = [(kind, int(at), int(total)) for kind, at, total in lines]
    ended = max(i for i, line in enumerate(told) if line[0] == "saved")
    state = load_state(path)  # raises when the file is not whole
    saved = 0 if state is None else int(state.feeds[0].good.sum())
    assert told[0][2] == kept, (told[0], kept)  # all that was kept came back
    assert saved >= told[ended][2], (saved, told[ended])  # no save that ended is lost
    assert saved <= told[-1][2] + 400  # and nothing is there that never was
    # Between the end of that save and the beginning of the next: no longer than the interval,
    # but for the longest time in which the machine let nobody in the process run.
    waited = next((at for kind, at, _ in told[ended:] if kind == "begun"), killed) - told[ended][1]
    recorded = [at for kind, at, _ in told if kind == "record"] or [killed]
    moments = [*recorded, max(killed, recorded[-1])]
    stalled = max(later - at for at, later in zip(moments, moments[1:]))
    kept = saved
    print(waited / 1e6, stalled / 1e6, kept)
"""
EVERY_MS = 20
BUSY_MS = 100  # what a thread may wait for its turn beyond that, on a busy machine


def crash(folder: Path, rounds: int, services: int = 1) -> None:
    """Kill each of several services *rounds* times; none waited longer to save than it may."""
    command = [sys.executable, "-W", "error", "-c", CRASHES]
    running = [
        subprocess.Popen(
            [*command, str(folder / f"{i}.budget"), str(rounds), str(EVERY_MS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(services)
    ]
    waits: list[tuple[float, float]] = []
    kept = 0.0
    for process in running:
        out, problem = process.communicate(timeout=300)
        assert process.returncode == 0, problem
        for line in out.splitlines():
            waited, stalled, saved = map(float, line.split())
            waits.append((waited, stalled))
            kept += saved
    assert len(waits) == rounds * services
    assert kept > 0
    worst = max(waited - stalled for waited, stalled in waits)
    assert worst <= EVERY_MS + BUSY_MS, sorted(waits)[-5:]


@pytest.mark.posix
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """Killed 16 times, the file always loads and lacks only what came after the last save."""
    crash(tmp_path, 4, services=4)


@pytest.mark.slow
@pytest.mark.posix
def test_killed_two_hundred_times(tmp_path: Path) -> None:
    """Killed 200 times, no process had waited longer than the interval to save."""
    crash(tmp_path, 50, services=4)


@pytest.mark.parametrize("path", [None, 5, b"api.budget", "", "api\0budget"])
def test_what_is_no_path_is_named(path: Any) -> None:
    """Paths of a wrong kind are refused by name, wherever one is taken."""
    tracker = Tracker(API)
    for use in (
        load_state,
        SqliteStore,
        partial(save_state, tracker.state()),
        partial(Keeper, tracker),
    ):
        with pytest.raises(InvalidInputError, match="a path is a text or a Path"):
            use(path)


def test_what_a_path_may_be(tmp_path: Path) -> None:
    """Text or a path of text; addresses and paths of bytes are named."""

    class Bytes(os.PathLike[bytes]):
        def __fspath__(self) -> bytes:
            return b"api.budget"

    assert as_path("api.budget") == as_path(Path("api.budget")) == Path("api.budget")
    with pytest.raises(InvalidInputError) as caught:
        as_path("s3://bucket/api.budget")
    assert str(caught.value) == (
        "s3://bucket/api.budget is an address; name a file or folder of this machine"
    )
    with pytest.raises(InvalidInputError, match="a path is a text or a Path"):
        as_path(Bytes())  # type: ignore[arg-type]


@pytest.mark.posix
def test_the_whole_file_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draft is forced there with all that it holds, then it is moved, then its folder."""
    path, state = tmp_path / "api.budget", Tracker(API, clock=ManualClock(NOON)).state()
    forced: list[tuple[str, int, bool]] = []
    folders: list[int] = []
    closed: list[int] = []
    fsync, close = os.fsync, os.close

    def noted(descriptor: int) -> None:
        found = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "file"
        forced.append((kind, found.st_size if kind == "file" else 0, path.exists()))
        if kind == "folder":
            folders.append(descriptor)
        fsync(descriptor)

    def closing(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "close", closing)
    draft = tmp_path / f".api.budget.{os.getpid()}.{threading.get_ident()}.part"
    draft.write_bytes(b"left behind by a thread of the same name")
    save_state(state, path)
    assert forced == [("file", len(state.to_bytes()), False), ("folder", 0, True)]
    assert folders == [one for one in closed if one in folders]
    assert load_state(path) == state


def test_a_keeper_saves_from_the_start_to_the_end(tmp_path: Path) -> None:
    """What cannot be written is known at once; a forked child saves nothing."""
    path = tmp_path / "api.budget"
    tracker = Tracker(API, clock=ManualClock(NOON))
    keeper = Keeper(tracker, path, every="1h")
    assert keeper.ticker.running
    assert load_state(path) == tracker.state()
    tracker.record(good=True)
    keeper.save()
    assert load_state(path) == tracker.state()
    tracker.record(good=True)
    keeper.after_fork()
    keeper.save()
    assert load_state(path) != tracker.state()
    keeper.close()
    assert not keeper.ticker.running
    with Keeper(Tracker(API, clock=ManualClock(NOON)), path, every="1h") as other:
        other.tracker.record(good=False)
    assert not other.ticker.running
    assert load_state(path) == other.tracker.state()
    with pytest.raises(SourceUnavailableError, match="cannot write"):
        Keeper(tracker, tmp_path / "no" / "api.budget")


def test_a_kept_tracker_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was saved is added to what has come since."""
    path = tmp_path / "api.budget"
    with Keeper(Tracker(API, clock=ManualClock(NOON)), path, every="1h") as keeper:
        keeper.tracker.record(good=False)
        first = load_state(path)
        assert first is not None
        assert not len(first.feeds[0].ends)
    (tmp_path / ".api.budget.999.part").write_bytes(b"half")
    tracker = Tracker(API, clock=ManualClock(NOON))
    tracker.record(good=True)
    with Keeper(tracker, path, every="1h"):
        assert tracker.counts() == eb.Counts(good=1, bad=1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["api.budget"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A file that is no state stops the start and stays as it is."""
    path = tmp_path / "api.budget"
    path.write_bytes(b"EBTRACK2" + bytes(40))
    with pytest.raises(SourceFormatError, match="damaged"):
        Keeper(Tracker(API), path)
    assert path.stat().st_size == 48


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk loses neither the old file nor leaves a draft."""
    path = tmp_path / "api.budget"
    tracker = Tracker(API, clock=ManualClock(NOON))
    save_state(tracker.state(), path)
    before = path.read_bytes()
    tracker.record(good=False)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceUnavailableError, match="No space left"):
        save_state(tracker.state(), path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(SourceUnavailableError, match="cannot write"):
        save_state(tracker.state(), tmp_path / "no" / "api.budget")
    with pytest.raises(SourceUnavailableError, match="cannot read"):
        load_state(tmp_path)


@pytest.mark.posix
def test_a_forked_child_leaves_the_file_alone(tmp_path: Path) -> None:
    """Only the process that made the keeper writes the file."""
    path = tmp_path / "api.budget"
    tracker = Tracker(API)
    keeper = Keeper(tracker, path, every="1h")
    tracker.record(good=True)
    keeper.save()
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        keeper.close()
        os._exit(0)
    os.waitpid(child, 0)
    state = load_state(path)
    assert state is not None
    assert state.feeds[0].good.tolist() == [1]
    keeper.close()


def test_a_ticker_survives_its_work() -> None:
    """A failing round is counted and the next one comes."""
    rounds = threading.Semaphore(0)

    def work() -> None:
        rounds.release()
        raise RuntimeError("disk on fire")

    ticker = Ticker(work, "1ms", "test ticker")
    ticker.start()
    ticker.start()
    assert all(rounds.acquire(timeout=5) for _ in range(3))
    ticker.stop()
    assert ticker.failures >= 3
    assert str(ticker.last_error) == "disk on fire"
    assert not ticker.running
    time.sleep(0.01)
    seen = ticker.failures
    time.sleep(0.01)
    assert ticker.failures == seen


def test_threads_save_one_whole_file(tmp_path: Path) -> None:
    """However many threads save at once, whoever loads finds a whole state."""
    tracker = eb.Tracker(eb.SLO("a", target="99%", window="1d", sli=eb.Availability()))
    tracker.record(status=200)
    path = tmp_path / "budget"
    failures: list[Exception] = []
    with Keeper(tracker, path, every="1h") as keeper:

        def work(call: object) -> None:
            try:
                for _ in range(100):
                    call()  # type: ignore[operator]
            except Exception as error:  # noqa: BLE001 - what the test is about
                failures.append(error)

        jobs = [keeper.save, keeper.save, lambda: load_state(path), lambda: load_state(path)]
        threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert not list(tmp_path.glob(".*.part"))


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only disk nothing can be removed either: the cause is told all the same."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(SourceUnavailableError, match=r"cannot write .*: Read-only"):
        save_state(Tracker(API).state(), tmp_path / "api.budget")
