"""
One worker of the soak: an application that counts its requests, beside the count by hand.

What a request is about to count as is first written to a journal, with the time that the tracker
has to have in mind; the driver (`tests.soak`) adds the journals up and knows no tracker. A worker
is killed at any moment: the journal then tells of at most one event more than the tracker had.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import mmap
import os
import random
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server

import errorbudget as eb
from errorbudget.errors import SourceUnavailableError
from errorbudget.live import Keeper, ManualClock, Shared, SqliteStore, Tracker, asgi
from errorbudget.live.prometheus import BudgetCollector

MINUTE_NS = 60 * 10**9
DAY_NS = 1440 * MINUTE_NS

AVAILABILITY = eb.SLO("availability", target="99%", window="30d", sli=eb.Availability())
LATENCY = eb.SLO("latency", target="95%", window="6h", sli=eb.Latency("200ms"))
EVERYTHING = eb.SLO("everything", target="99%", window="30d", sli=eb.Availability())
CHECKOUT = eb.SLO(
    "checkout",
    target="99%",
    window=eb.Calendar("day"),
    sli=eb.Availability(where={"route": "/checkout"}),
)
SHARED, KEPT = (AVAILABILITY, LATENCY), (EVERYTHING, CHECKOUT)

# How requests go, and what each is to the SLOs, by hand: good, bad, or none of theirs.
KINDS = {
    "fine": (40, True, True, None),
    "slow": (8, True, False, None),
    "an error": (6, False, True, None),
    "raises": (3, False, True, None),
    "breaks off": (3, False, False, None),
    "cancelled before it answers": (3, True, True, None),
    "cancelled while it answers": (3, True, False, None),
    "checkout": (20, True, True, True),
    "checkout fails": (5, False, True, False),
}
NAMES = list(KINDS)
FAST_S, SLOW_S = 0.01, 0.5  # as the middleware measures, far from the threshold

SEEN = struct.Struct("<qB")
"""An event of a journal: the tracker's time and the kind."""
GIVEN = struct.Struct("<32sqqq")
"""Writer, number of its newest batch, events up to that batch and up to the confirmed one."""

CLOCK, PAUSE, FAULT = range(3)
NOTHING, READONLY, FULL = range(3)


def control(path: Path) -> memoryview:
    """What the driver tells all workers: clock, pause, fault."""
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 32)).cast("q")


class Present:
    """The time that a tracker promises, by hand: never back, at half speed until all is well."""

    def __init__(self, clock_ns: int) -> None:
        self.now_ns = self.seen_ns = clock_ns

    def observe(self, clock_ns: int) -> None:
        now_ns = self.now_ns + max(0, clock_ns - self.seen_ns) // 2
        self.now_ns = now_ns if clock_ns <= now_ns <= clock_ns + DAY_NS else clock_ns
        self.seen_ns = clock_ns


class WatchedStore(SqliteStore):
    """A store that can be hindered, and says beside it what it is given."""

    def __init__(self, folder: Path, told: memoryview, given: Path) -> None:
        self.told = told
        self.gate = os.open(folder / "gate", os.O_RDWR | os.O_CREAT)
        self.file = os.open(given, os.O_WRONLY | os.O_CREAT)
        self.confirmed = self.pulls = 0
        self.part: Shared | None = None
        super().__init__(folder / "budget.db", patience_s=0.5)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        # The file is taken away only while nobody has it open, as SQLite asks.
        fcntl.flock(self.gate, fcntl.LOCK_SH)
        try:
            with super()._opened() as database:
                if self.told[FAULT] == READONLY:
                    database.execute("PRAGMA query_only = 1")
                elif self.told[FAULT] == FULL:
                    database.execute("PRAGMA max_page_count = 1")  # no page more than it has
                yield database
        finally:
            fcntl.flock(self.gate, fcntl.LOCK_UN)

    def _note(self, batch: Any, events: int) -> None:
        told = GIVEN.pack(batch.writer.encode(), batch.number, events, self.confirmed)
        os.pwrite(self.file, told, 0)

    def push(self, batch: Any) -> bool:
        assert self.part is not None
        state = self.part._given
        assert state is not None
        first = state.feeds[0]
        events = int(first.good.sum() + first.bad.sum())
        self._note(batch, events)
        if not super().push(batch):
            return False
        self.confirmed = events
        self._note(batch, events)
        return True

    def pull(self, since: int, feeds: Any) -> Any:
        found = super().pull(since, feeds)
        self.pulls += 1
        return found


took: ContextVar[float] = ContextVar("took", default=0.0)


class Worker:
    """A tracker that is shared, one that is kept in a file, one that threads feed."""

    def __init__(self, folder: Path, slot: int, life: int, rate: float) -> None:
        self.folder, self.slot, self.rate = folder, slot, rate
        self.ends = False
        self.random = random.Random(f"{slot} {life}")
        self.told = control(folder / "control")
        self.clock = ManualClock(self.told[CLOCK])
        own = folder / f"journal-{slot}-{life}"
        self.journals = [
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for path in (own, folder / f"kept-{slot}")
        ]
        self.store = WatchedStore(folder, self.told, folder / f"given-{slot}-{life}")
        self.shared_tracker = Tracker(SHARED, clock=self.clock)
        self.kept_tracker = Tracker(KEPT, clock=self.clock)
        self.presents = [Present(self.clock()), Present(self.clock())]
        self.keeper = Keeper(self.kept_tracker, folder / f"keep-{slot}" / "budget", every="1s")
        self._resume(folder / f"keep-{slot}-at")
        shared = Shared.__new__(Shared)  # it exchanges while it is made, and the store asks it
        self.store.part = shared
        shared.__init__(self.shared_tracker, self.store, every="250ms")  # type: ignore[misc]
        self.shared = shared
        self.threads_tracker = Tracker(AVAILABILITY, clock=self.clock)
        self.hammered = [[0, 0, 0], [0, 0, 0]]  # good, bad, the pause that it keeps
        asgi.perf_counter = took.get  # type: ignore[attr-defined]  # durations are known by hand
        app = asgi.BudgetMiddleware(self.app, self.kept_tracker, self.labels)
        self.served = asgi.BudgetMiddleware(app, self.shared_tracker)
        self.inner = app
        self.tasks: set[asyncio.Task[None]] = set()
        registry = CollectorRegistry()
        registry.register(BudgetCollector(self.shared, "shared"))
        registry.register(BudgetCollector(self.kept_tracker, "kept"))
        server, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
        self.report("ready", life=life, port=server.server_port)

    def _resume(self, at: Path) -> None:
        """Go on from the time of the saved state, which the driver read."""
        if at.exists():
            then = int(at.read_text("utf-8"))
            if then <= self.clock() + DAY_NS:
                self.presents[1].now_ns = max(self.presents[1].now_ns, then)

    def report(self, kind: str, **what: Any) -> None:
        draft = self.folder / f".{kind}-{self.slot}"
        draft.write_text(json.dumps(what))
        draft.replace(self.folder / f"{kind}-{self.slot}.json")

    # ------------------------------------------------------------------ requests

    @staticmethod
    def labels(scope: Any) -> dict[str, object]:
        return {"route": scope["path"]}

    def note(self, kind: str) -> None:
        """Write down what is about to be counted."""
        for journal, present in zip(self.journals, self.presents, strict=True):
            os.write(journal, SEEN.pack(present.now_ns, NAMES.index(kind)))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        kind = scope["kind"]
        status = 503 if kind in {"an error", "checkout fails"} else 200
        start = {"type": "http.response.start", "status": status, "headers": []}
        took.set(FAST_S if KINDS[kind][2] else SLOW_S)
        try:
            if kind == "slow":
                await asyncio.sleep(self.random.uniform(0.05, 0.3))
            elif kind == "cancelled before it answers":
                await asyncio.sleep(60)
            elif kind == "raises":
                raise ZeroDivisionError  # noqa: TRY301
            await send(start)
            if kind == "cancelled while it answers":
                await asyncio.sleep(60)
            elif kind == "breaks off":
                raise ZeroDivisionError  # noqa: TRY301
        except BaseException:
            self.note(kind)
            raise
        self.note(kind)
        await send({"type": "http.response.body", "body": b"done"})

    async def request(self, kind: str) -> None:
        path = "/checkout" if kind.startswith("checkout") else "/cart"
        scope = {"type": "http", "method": "GET", "path": path, "kind": kind}
        took.set(0.0)

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None: ...

        task = asyncio.ensure_future(self.served(scope, receive, send))
        if kind.startswith("cancelled"):
            await asyncio.sleep(0.02)
            task.cancel()
        with suppress(asyncio.CancelledError, ZeroDivisionError):
            await task

    def hammer(self, which: int) -> None:
        """A thread that knows the verdict."""
        seen = self.hammered[which]
        while True:
            seen[2] = -1 if self.ends else self.told[PAUSE]
            if not seen[2]:
                good = (seen[0] + seen[1]) % 7 != which
                self.threads_tracker.record(good=good)
                seen[0 if good else 1] += 1
            time.sleep(0.01)

    # ------------------------------------------------------------------ the run

    async def tick(self) -> None:
        """Look at the clock: between two looks it stands still."""
        while True:
            self.clock.now_ns = self.told[CLOCK]
            for tracker, present in zip(
                (self.shared_tracker, self.kept_tracker), self.presents, strict=True
            ):
                present.observe(self.clock.now_ns)
                found = tracker.now()
                assert found == present.now_ns, (self.clock.now_ns, found, present.now_ns)
            await asyncio.sleep(0.02)

    async def run(self) -> None:
        ticking = asyncio.ensure_future(self.tick())
        for which in range(2):
            threading.Thread(target=self.hammer, args=(which,), daemon=True).start()
        weights = [told[0] for told in KINDS.values()]
        paused = 0
        ends = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ends.set)
        while not ends.is_set():
            if ticking.done():
                ticking.result()
            if self.told[PAUSE] != paused:
                paused = self.told[PAUSE]
                if paused:
                    await self.settle(paused)
            if not paused:
                kind = self.random.choices(NAMES, weights)[0]
                task = asyncio.ensure_future(self.request(kind))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            await asyncio.sleep(1 / self.rate)
        self.ends = True
        ticking.cancel()
        await self.settle(-1)
        self.shared.close()
        self.keeper.close()
        self.report("ended", ok=True)

    async def settle(self, paused: int) -> None:
        """Let all requests end, exchange, and say what is counted."""
        if self.tasks:
            await asyncio.wait(self.tasks)
        while any(seen[2] != paused for seen in self.hammered):  # noqa: ASYNC110 - threads
            await asyncio.sleep(0.01)
        for _ in range(20):
            try:
                await asyncio.to_thread(self.shared.sync)
                break
            except SourceUnavailableError:
                await asyncio.sleep(0.25)
        else:
            raise RuntimeError("the store does not come back")
        self.keeper.save()
        trackers = {
            "view": self.shared.view,
            "shared": self.shared_tracker,
            "kept": self.kept_tracker,
        }
        answers = {
            which: {
                slo.name: [
                    each
                    for found in (
                        tracker.status(slo.name).counts,
                        tracker.counts(slo.name, window="1h"),
                    )
                    for each in (found.good, found.bad)
                ]
                for slo in tracker.slos
            }
            for which, tracker in trackers.items()
        }
        for tracker in trackers.values():
            tracker._check()
        threads = self.threads_tracker.totals()
        assert self.threads_tracker.counts() == eb.Counts(threads.good, threads.bad)
        self.report(
            "settled",
            pause=paused,
            answers=answers,
            now={which: tracker.now() for which, tracker in trackers.items()},
            threads=[
                [threads.good, threads.bad],
                [sum(seen[i] for seen in self.hammered) for i in (0, 1)],
            ],
            failed_exchanges=self.shared.ticker.failures,
            failed_saves=self.keeper.ticker.failures,
            unrecorded=self.served.recorder.failures + self.inner.recorder.failures,
        )

    async def beat(self) -> None:
        """Say now and then how far it is."""
        while True:
            self.report("beat", pulls=self.store.pulls)
            await asyncio.sleep(0.1)


async def main(folder: Path, slot: int, life: int, rate: float) -> None:
    worker = Worker(folder, slot, life, rate)
    beating = asyncio.ensure_future(worker.beat())
    await worker.run()
    beating.cancel()


if __name__ == "__main__":
    logging.getLogger("errorbudget").setLevel(logging.ERROR)  # what fails is meant to, and counted
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
