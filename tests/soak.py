"""
An hour of bad weather: does what workers count stay what a count by hand says?

Three workers serve requests through the middleware, in their own processes: fast, slow, failing,
torn, cancelled. Each counts in a tracker that is shared through SQLite, in one that a file keeps,
and in one that threads feed; all of it is scraped. Meanwhile the clock leaps, falls back and stands
still, the store is locked, full, read only, lost and set back, the keeper's folder is gone, and two
of the three workers are killed and started again. Every so often all of it halts, and every bucket
of every SLO is compared with journals that know no tracker, as whole numbers. Memory, files and
threads of the worker that lives all along are sampled.

    python -m tests.soak --minutes 60
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from errorbudget.live.keeper import load_state
from tests.soak_worker import (
    CLOCK,
    DAY_NS,
    FAULT,
    FULL,
    GIVEN,
    KEPT,
    KINDS,
    MINUTE_NS,
    NOTHING,
    PAUSE,
    READONLY,
    SEEN,
    SHARED,
    Present,
    control,
)

ROOT = Path(__file__).parents[1]
SPEED = 60  # a minute of the workers' time passes in a second
RECORD = np.dtype([("now", "<i8"), ("kind", "u1")])
COLUMN = {"availability": 1, "latency": 2, "everything": 1, "checkout": 3}
SLOS = {slo.name: slo for slo in (*SHARED, *KEPT)}

Buckets = dict[int, tuple[int, int]]


def events_of(path: Path, most: int | None = None) -> np.ndarray:
    """The events of a journal, in order; one that was cut off in writing is left out."""
    held = path.read_bytes() if path.exists() else b""
    whole = len(held) // SEEN.size
    return np.frombuffer(held, RECORD, whole)[:most]


def buckets_of(name: str, events: np.ndarray) -> Buckets:
    """Good and bad events of an SLO by the end of their minute, counted by hand."""
    verdicts = np.array(
        [{True: 1, False: 0, None: -1}[told[COLUMN[name]]] for told in KINDS.values()]
    )
    verdict = verdicts[events["kind"]]
    now = events["now"][verdict >= 0]
    left = SLOS[name].window.closed == "left"
    ends = now // MINUTE_NS + 1 if left else -(-now // MINUTE_NS)
    told, numbers = np.unique(2 * ends + verdict[verdict >= 0], return_counts=True)
    found: dict[int, tuple[int, int]] = {}
    for each, n in zip(told.tolist(), numbers.tolist(), strict=True):
        end, good = divmod(each, 2)
        before = found.get(end, (0, 0))
        found[end] = (before[0] + n * good, before[1] + n * (1 - good))
    return found


def windows_of(name: str, held: Buckets, now_ns: int) -> list[int]:
    """Good and bad in the SLO's window and in the last hour; what lies ahead counts as of now."""
    left = SLOS[name].window.closed == "left"
    newest = now_ns // MINUTE_NS + 1 if left else -(-now_ns // MINUTE_NS)
    lengths = {"availability": 43_200, "everything": 43_200, "latency": 360}
    day = now_ns // DAY_NS * 1440
    lows = (day if name == "checkout" else newest - lengths[name], newest - 60)
    return [
        sum(pair[i] for end, pair in held.items() if low < min(end, newest))
        for low in lows
        for i in (0, 1)
    ]


class Worker:
    """A worker's process, and what is known of it."""

    def __init__(self, folder: Path, slot: int, life: int, rate: float) -> None:
        self.folder, self.slot, self.life = folder, slot, life
        (folder / f"ready-{slot}.json").unlink(missing_ok=True)
        self.log = folder / f"log-{slot}-{life}"
        command = [sys.executable, "-m", "tests.soak_worker", str(folder)]
        command += [str(slot), str(life), str(rate)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stderr=log)
        self.port = 0

    def told(self, kind: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / f"{kind}-{self.slot}.json").read_text())
        except FileNotFoundError:
            return None

    def check(self) -> None:
        """Whether it lives."""
        if self.process.poll() is not None:
            told = self.log.read_text()[-4000:]
            raise AssertionError(f"worker {self.slot} ended by itself:\n{told}")

    def journal(self) -> Path:
        return self.folder / f"journal-{self.slot}-{self.life}"

    def given(self) -> tuple[str, int, int, int]:
        held = (self.folder / f"given-{self.slot}-{self.life}").read_bytes()
        writer, *numbers = GIVEN.unpack(held)
        return writer.decode(), *numbers


class Soak:
    """The driver."""

    def __init__(self, folder: Path, minutes: float, rate: float, seed: int) -> None:
        self.folder, self.seconds, self.rate = folder, minutes * 60, rate
        self.random = random.Random(seed)
        (folder / "control").write_bytes(bytes(32))
        self.told = control(folder / "control")
        self.told[CLOCK] = 29_530_000 * MINUTE_NS + 17
        self.began_ns = self.told[CLOCK]
        self.furthest = Present(self.began_ns)  # the present of who saw all of it
        self.speed = SPEED
        self.database = folder / "budget.db"
        self.gate = os.open(folder / "gate", os.O_RDWR | os.O_CREAT)
        self.injected: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.losses = self.compared = 0
        self.dead: list[tuple[Path, int]] = []  # journals of the dead, and how much they had given
        self.killed: list[Worker] = []  # of whom that is not known yet
        self.copies: list[bytes] = []
        self.samples: list[tuple[float, float, int, int]] = []
        self.faults: dict[str, Callable[[], None]] = {
            "a worker killed": self.kill,
            "a worker killed while the store is locked": self.kill_locked,
            "both other workers killed": self.kill_both,
            "a worker ended and begun": self.restart,
            "the clock falls back": self.fall_back,
            "the clock leaps ahead": self.leap,
            "the clock stands still": self.stand_still,
            "the store is locked": self.lock,
            "the store is read only": lambda: self.hinder(READONLY),
            "the store's disk is full": lambda: self.hinder(FULL),
            "the store is lost": self.lose,
            "the store is set back": self.set_back,
            "the keeper's folder is gone": self.lose_folder,
        }
        self.ends = threading.Event()
        self.failed: list[BaseException] = []
        self.problem_at = 0.0
        for slot in range(3):
            (folder / f"keep-{slot}").mkdir()
        self.workers = [self.begin(slot, 0) for slot in range(3)]
        self.threads = [
            threading.Thread(target=self.guarded, args=(work,), daemon=True)
            for work in (self.run_clock, self.scrape)
        ]

    def begin(self, slot: int, life: int) -> Worker:
        worker = Worker(self.folder, slot, life, self.rate)
        ready = self.until(lambda: worker.told("ready"), worker)
        worker.port = ready["port"]
        return worker

    def until(self, asked: Callable[[], Any], *workers: Worker, patience_s: float = 60) -> Any:
        """What *asked* says once it says something."""
        deadline = time.monotonic() + patience_s
        while True:
            for worker in workers:
                worker.check()
            if self.failed:
                raise self.failed[0]
            found = asked()
            if found:
                return found
            assert time.monotonic() < deadline, f"waited {patience_s} s in vain"
            time.sleep(0.02)

    def guarded(self, work: Callable[[], None]) -> None:
        try:
            while not self.ends.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self.failed.append(error)

    # ------------------------------------------------------------------ all along

    def run_clock(self) -> None:
        began = time.monotonic()
        time.sleep(0.05)
        passed = round((time.monotonic() - began) * 1e9) * self.speed
        self.set_clock(self.told[CLOCK] + passed)

    def set_clock(self, now_ns: int) -> None:
        self.told[CLOCK] = now_ns
        self.furthest.observe(now_ns)

    def scrape(self) -> None:
        """Ask every worker for its metrics: counters tell no less than before, and no more."""
        highest: dict[str, float] = {}
        losses = self.losses
        own: dict[int, tuple[int, float]] = {}
        while not self.ends.wait(0.5):
            for worker in list(self.workers):
                self.sample(self.workers[0])
                if losses != self.losses:
                    losses, highest = self.losses, {}
                before = worker.journal().stat().st_size // SEEN.size
                try:
                    url = f"http://127.0.0.1:{worker.port}/metrics"
                    with urllib.request.urlopen(url, timeout=10) as answer:
                        lines = answer.read().decode().splitlines()
                except (OSError, ValueError):  # killed meanwhile
                    self.seen["scrapes of a worker that was gone"] += 1
                    continue
                after = worker.journal().stat().st_size // SEEN.size
                found = dict(line.rsplit(" ", 1) for line in lines if line[0] != "#")
                self.seen["scrapes"] += 1
                kept = sum(
                    float(value)
                    for key, value in found.items()
                    if key.startswith("kept_events_total") and 'slo="everything"' in key
                )
                assert before - 1 <= kept <= after, (before, kept, after)
                life, last = own.get(worker.slot, (worker.life, 0.0))
                assert kept >= last or life != worker.life, (kept, last)
                own[worker.slot] = worker.life, kept
                counters = {k: float(v) for k, v in found.items() if k.startswith("shared_events")}
                self.seen["scrapes without the store"] += not counters
                if losses != self.losses:
                    continue
                for key, value in counters.items():
                    assert value >= highest.get(key, 0.0), (key, value, highest[key])
                    highest[key] = value

    def sample(self, worker: Worker) -> None:
        """Memory [MiB], open files and threads of a worker."""
        proc = Path(f"/proc/{worker.process.pid}")
        if proc.exists():
            pages = int((proc / "statm").read_text().split()[1])
            files = len(list((proc / "fd").iterdir()))
            threads = len(list((proc / "task").iterdir()))
            memory = pages * resource.getpagesize() / 2**20
            self.samples.append((time.monotonic(), memory, files, threads))

    # ------------------------------------------------------------------ faults

    @contextlib.contextmanager
    def gated(self) -> Iterator[None]:
        """While nobody has the store open."""
        fcntl.flock(self.gate, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.gate, fcntl.LOCK_UN)

    def exchanged(self, times: int = 3) -> None:
        """Wait until each worker has exchanged with the store."""
        before = {w.slot: (w.told("beat") or {"pulls": 0})["pulls"] for w in self.workers}

        def done() -> bool:
            beats = ((w, w.told("beat")) for w in self.workers)
            return all(b is not None and b["pulls"] >= before[w.slot] + times for w, b in beats)

        self.until(done, *self.workers)

    def slay(self, slot: int) -> None:
        worker = self.workers[slot]
        worker.check()
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        self.killed.append(worker)

    def revive(self, slot: int) -> None:
        """Begin the next life of a worker; what the file kept is what the journal began with."""
        kept = self.folder / f"kept-{slot}"
        state = load_state(self.folder / f"keep-{slot}" / "budget")
        assert state is not None
        every = state.feeds[0]
        held = int(every.good.sum() + every.bad.sum())
        events = events_of(kept)
        assert held <= len(events)
        self.seen["events lost with a kill, of the kept"] += len(events) - held
        os.truncate(kept, held * SEEN.size)
        self.same_state(state, events[:held])
        (self.folder / f"keep-{slot}-at").write_text(str(state.at_ns))
        (self.folder / f"beat-{slot}.json").unlink(missing_ok=True)
        self.workers[slot] = self.begin(slot, self.workers[slot].life + 1)

    def bury(self) -> None:
        """Ask the store which of the last batches of the dead it has."""
        for worker in self.killed:
            writer, number, pending, confirmed = worker.given()
            with self.gated(), contextlib.closing(sqlite3.connect(self.database)) as database:
                found = database.execute(
                    "SELECT batch FROM writers WHERE writer = ?", (writer,)
                ).fetchone()
            held = pending if found is not None and found[0] >= number else confirmed
            self.dead.append((worker.journal(), held))
            lost = len(events_of(worker.journal())) - held
            self.seen["events lost with a kill, of the shared"] += lost
        self.killed = []

    def kill(self) -> None:
        slot = self.random.choice((1, 2))
        time.sleep(self.random.random() / 4)
        self.slay(slot)
        time.sleep(self.random.random())
        self.bury()
        self.revive(slot)
        self.exchanged()

    def kill_both(self) -> None:
        for slot in (1, 2):
            self.slay(slot)
        self.bury()
        for slot in (1, 2):
            self.revive(slot)
        self.exchanged()

    def kill_locked(self) -> None:
        slot = self.random.choice((1, 2))
        with self.locked():
            time.sleep(1)
            self.slay(slot)
        self.bury()
        self.revive(slot)
        self.exchanged()

    def restart(self) -> None:
        slot = self.random.choice((1, 2))
        worker = self.workers[slot]
        before = len(events_of(worker.journal()))
        worker.process.send_signal(signal.SIGTERM)
        worker.process.wait(30)
        events = events_of(worker.journal())
        assert len(events) >= before
        assert worker.process.returncode == 0
        self.dead.append((worker.journal(), len(events)))
        lost = self.seen["events lost with a kill, of the kept"]
        self.revive(slot)
        assert self.seen["events lost with a kill, of the kept"] == lost
        self.exchanged()

    def fall_back(self) -> None:
        by = self.random.choice((1, 90, 3_600, 7_200)) * 10**9
        if self.furthest.now_ns - self.told[CLOCK] + by < DAY_NS // 2:
            self.set_clock(self.told[CLOCK] - by)

    def leap(self) -> None:
        by = self.random.choice((1, 90, 3_600, 10_800)) * 10**9
        # Journals know no horizon: what the trackers remember, a month, is not gone through.
        to_come = round(self.seconds * SPEED * 1e9)
        if self.told[CLOCK] + by - self.began_ns < 29 * DAY_NS - to_come:
            self.set_clock(self.told[CLOCK] + by)

    def stand_still(self) -> None:
        self.speed = 0
        time.sleep(self.random.uniform(1, 3))
        self.speed = SPEED

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def lock(self) -> None:
        with self.locked():
            time.sleep(self.random.uniform(1.5, 4))
        self.exchanged(1)

    def hinder(self, fault: int) -> None:
        self.told[FAULT] = fault
        time.sleep(self.random.uniform(1.5, 4))
        self.told[FAULT] = NOTHING
        self.exchanged(1)

    def remember(self) -> None:
        """Keep a copy of the store, to set it back to later."""
        with self.gated(), contextlib.closing(sqlite3.connect(self.database)) as database:
            self.copies = [*self.copies[-2:], database.serialize()]

    def _take_away(self, copy: bytes | None) -> None:
        self.exchanged()
        with self.gated():
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.database}{suffix}").unlink(missing_ok=True)
            if copy is not None:
                self.database.write_bytes(copy)
            self.losses += 1
        self.exchanged()
        self.losses += 1  # also what was scraped meanwhile may have been of the life before

    def lose(self) -> None:
        self._take_away(None)

    def set_back(self) -> None:
        self._take_away(self.random.choice(self.copies))

    def lose_folder(self) -> None:
        here = self.folder / "keep-0"
        here.rename(self.folder / "away")
        time.sleep(2.5)
        (self.folder / "away").rename(here)

    # ------------------------------------------------------------------ what is compared

    def same_state(self, state: Any, events: np.ndarray) -> None:
        for feed in state.feeds:
            pairs = zip(feed.good.tolist(), feed.bad.tolist(), strict=True)
            held = dict(zip(feed.ends.tolist(), pairs, strict=True))
            by_hand = buckets_of(feed.name, events)
            assert held == by_hand, _differences(held, by_hand)
            self.compared += len(by_hand)

    def stored(self) -> dict[str, Buckets]:
        with self.gated(), contextlib.closing(sqlite3.connect(self.database)) as database:
            rows = database.execute("SELECT feed, ending, good, bad FROM buckets").fetchall()
        found: dict[str, Buckets] = {slo.name: {} for slo in SHARED}
        for key, end, good, bad in rows:
            if good or bad:
                found[key.split("/")[1]][end] = (good, bad)
        return found

    def halt(self, pause: int) -> list[dict[str, Any]]:
        self.told[PAUSE] = pause
        return [
            self.until(
                lambda w=worker: (t := w.told("settled")) and t["pause"] == pause and t, worker
            )
            for worker in self.workers
        ]

    def compare(self, pause: int) -> None:
        """Halt, and compare everything with the journals."""
        self.bury()
        speed, self.speed = self.speed, 0
        time.sleep(0.2)  # all look at the clock that stands
        self.halt(2 * pause - 1)
        self.compare_answers(self.halt(2 * pause))
        self.told[PAUSE] = 0
        self.speed = speed

    def compare_answers(self, reports: list[dict[str, Any]], *, ended: bool = False) -> None:
        journals = [events_of(worker.journal()) for worker in self.workers]
        parts = journals + [events_of(path, held) for path, held in self.dead]
        together = np.concatenate(parts)
        stored = self.stored()
        views = {slo.name: buckets_of(slo.name, together) for slo in SHARED}
        for name, by_hand in views.items():
            assert stored[name] == by_hand, (name, _differences(stored[name], by_hand))
            self.compared += len(by_hand)
        for worker, report, events in zip(self.workers, reports, journals, strict=True):
            kept = events_of(self.folder / f"kept-{worker.slot}")
            state = load_state(self.folder / f"keep-{worker.slot}" / "budget")
            assert state is not None
            self.same_state(state, kept)
            held = {
                "view": views,
                "shared": {slo.name: buckets_of(slo.name, events) for slo in SHARED},
                "kept": {slo.name: buckets_of(slo.name, kept) for slo in KEPT},
            }
            if ended:  # one after the other: the first have not seen what the last gave
                del report["answers"]["view"]
            for which, answers in report["answers"].items():
                for name, answer in answers.items():
                    by_hand = windows_of(name, held[which][name], report["now"][which])
                    assert answer == by_hand, (worker.slot, which, name, answer, by_hand)
                    self.compared += 2
            assert report["threads"][0] == report["threads"][1]
            assert report["unrecorded"] == 0
            self.seen["events of threads"] = max(
                self.seen["events of threads"], sum(report["threads"][0])
            )
        self.seen["exchanges that failed, of one worker"] = reports[0]["failed_exchanges"]
        self.seen["saves that failed, of one worker"] = reports[0]["failed_saves"]
        self.seen["comparisons"] += 1
        self.seen["events"] = len(together)

    # ------------------------------------------------------------------ the run

    def run(self) -> dict[str, Any]:
        """All of it; returns what was injected, seen and measured."""
        began = time.monotonic()
        for thread in self.threads:
            thread.start()
        deck: list[str] = []
        pause = 0
        try:
            self.exchanged()
            self.remember()
            while (
                time.monotonic() - began < self.seconds
                or self.injected.keys() != self.faults.keys()
            ):
                if not deck:
                    deck = self.random.sample(list(self.faults), len(self.faults))
                fault = deck.pop()
                print(f"{time.monotonic() - began:7.1f} s  {fault}", file=sys.stderr, flush=True)
                self.faults[fault]()
                self.injected[fault] += 1
                self.until(lambda: True, *self.workers)
                time.sleep(self.random.uniform(0.2, 1 if self.seconds < 300 else 5))
                if len(deck) % 4 == 0:
                    self.remember()
                    pause += 1
                    self.compare(pause)
            for worker in self.workers:
                worker.process.send_signal(signal.SIGTERM)
            self.ends.set()
            for worker in self.workers:
                worker.process.wait(60)
                assert worker.process.returncode == 0, worker.check()
            self.compare_answers([w.told("settled") or {} for w in self.workers], ended=True)
        except BaseException:
            print(json.dumps(self.found(time.monotonic() - began), indent=1), file=sys.stderr)
            raise
        finally:
            self.ends.set()
            for worker in self.workers:
                if worker.process.poll() is None:
                    worker.process.kill()
                    worker.process.wait()
            for thread in self.threads:
                thread.join(15)
            os.close(self.gate)
        if self.failed:
            raise self.failed[0]
        return self.found(time.monotonic() - began)

    def found(self, seconds: float) -> dict[str, Any]:
        half = [sample for sample in self.samples if sample[0] > self.samples[-1][0] - seconds / 2]
        times, memory, files, threads = (
            np.array(column, float) for column in zip(*half, strict=True)
        )
        slope = float(np.polyfit(times - times[0], memory, 1)[0]) if len(half) > 2 else 0.0
        own, children = (resource.getrusage(who) for who in (0, resource.RUSAGE_CHILDREN))
        cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
        return {
            "seconds": round(seconds),
            "injected": dict(self.injected),
            "seen": dict(self.seen),
            "buckets and windows compared": self.compared,
            "memory at half time and at the end [MiB]": [
                round(float(np.median(part)), 2) for part in (memory[:10], memory[-10:])
            ],
            "growth over the second half [MiB]": round(slope * seconds / 2, 2),
            "open files, least and most": [int(files.min()), int(files.max())],
            "threads, least and most": [int(threads.min()), int(threads.max())],
            "share of a core": round(cpu / seconds, 2),
        }


def _differences(held: Buckets, by_hand: Buckets) -> dict[int, Any]:
    ends = sorted(held.keys() | by_hand.keys())
    return {
        end: (held.get(end), by_hand.get(end)) for end in ends if held.get(end) != by_hand.get(end)
    }


def soak(minutes: float, rate: float = 40, seed: int = 1) -> dict[str, Any]:
    """Run for *minutes*, with *rate* requests a second and worker."""
    folder = Path(tempfile.mkdtemp(prefix="errorbudget-soak-"))
    found = Soak(folder, minutes, rate, seed).run()
    shutil.rmtree(folder)  # what failed stays to be looked at
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=40, help="requests a second and worker")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep what was found in this file")
    arguments = parser.parse_args()
    found = soak(arguments.minutes, arguments.rate, arguments.seed)
    text = json.dumps(found, indent=1)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
