"""
Any sequence of operations leaves a tracker equal to a plain list of events, bucket by bucket.

The list knows nothing of rings and sums: an event is the bucket that it lies in and whether it was
good. Time only does what the tracker promises: it never goes back unless the clock was a day ahead,
nothing lies after the open bucket, and what is older than the horizon is gone.
"""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from errorbudget import SLO, AlertPolicy, Availability, BurnAlert, Counts, Maintenance, Timeslices
from errorbudget.errors import InvalidWindowError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.ring import bucket_end
from errorbudget.live.state import State
from errorbudget.windows import Calendar

MINUTE = 60 * 10**9
START = 29_530_000 * MINUTE  # a whole minute in 2026
LATE = 5 * MINUTE
ALERTS = AlertPolicy("test", [BurnAlert("fast", "page", "50%", "10m", "5m")])
SLOS = (
    SLO(
        "rolling",
        target="90%",
        window="40m",
        sli=Availability(),
        alerts=ALERTS,
        burn_windows=["1m", "7m"],
    ),
    SLO(
        "calendar",
        target="99%",
        window=Calendar("day"),
        sli=Availability(),
        alerts=ALERTS,
        burn_windows=["90s"],
        corrections=[
            Maintenance(START + MINUTE // 2, START + 3 * MINUTE + 7),
            Maintenance(START + 5 * MINUTE, START + 8 * MINUTE, "good"),
        ],
    ),
    SLO(
        "sliced",
        target="90%",
        window="40m",
        sli=Availability(),
        method=Timeslices("2m", "75%", no_data="bad"),
        alerts=ALERTS,
        burn_windows=["4m"],
    ),
)
DAY = 1440 * MINUTE
# On an edge, beside one, and anywhere.
OFFSETS = st.one_of(
    st.integers(0, 60).map(lambda minutes: minutes * MINUTE),
    st.integers(0, 10 * MINUTE),
    st.sampled_from((0, 1, MINUTE - 1, MINUTE + 1, LATE, LATE + 1)),
)


class Model:
    """One SLO as a list of events."""

    def __init__(self, slo: SLO, size: int, now: int) -> None:
        self.slo, self.size = slo, size
        self.closed = slo.window.closed
        self.events: list[tuple[int, bool]] = []
        self.left_out = 0
        self.counted = [0, 0, 0]
        self.newest = self.first = self.end(now)

    def end(self, time: int) -> int:
        return bucket_end(time, MINUTE, self.closed)

    def observe(self, now: int) -> None:
        newest = self.end(now)
        self.events = [
            (min(end, newest), good) for end, good in self.events if end > newest - self.size
        ]
        self.first = min(self.first, newest)
        self.newest = newest

    def add(self, time: int, good: bool | None) -> None:
        treats = {
            correction.treat
            for correction in self.slo.corrections
            if correction.interval.contains(time)
        }
        if "exclude" in treats:
            return
        good = True if treats else good
        self.left_out += good is None
        self.counted[2 if good is None else 0 if good else 1] += 1
        if good is not None:
            self.events.append((self.end(time), good))
            self.first = min(self.first, self.end(time))

    def take(self, other: Model) -> None:
        self.left_out += other.left_out
        self.events += other.events
        self.first = min(self.first, other.first)

    def slices(self, low: int, high: int) -> Counts:
        """Slices of two buckets that end after bucket *low* and not after *high*."""
        first = max(self.first, self.newest - self.size + 1)
        found = [
            self.window(end - 2, end) for end in range(first + first % 2, high + 1, 2) if end > low
        ]
        good = sum(1 for seen in found if seen and 4 * seen.good >= 3 * seen.total)
        return Counts(good, len(found) - good)

    def window(self, low: int, high: int) -> Counts:
        inside = [good for end, good in self.events if low < end <= high]
        return Counts(sum(inside), len(inside) - sum(inside))


class Pair:
    """A tracker and its models."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.tracker = Tracker(SLOS, clock=clock, horizon="2d")
        sizes = [feed.ring.size for feed in self.tracker._feeds]
        self.models = [Model(slo, size, clock()) for slo, size in zip(SLOS, sizes, strict=True)]
        self.dropped = self.dropped_here = 0
        self.now = self.seen = clock()

    def observe(self) -> None:
        clock = self.clock()
        now = self.now + max(0, clock - self.seen) // 2
        self.now = now if clock <= now <= clock + DAY else clock
        self.seen = clock
        for model in self.models:
            model.observe(self.now)

    def add(self, time: int, verdicts: bool | None) -> None:
        age = self.clock() - time
        if age > LATE:
            self.dropped += 1
            self.dropped_here += 1
            return
        time = self.now - max(0, age)
        for model in self.models:
            model.add(time, verdicts)


class TrackerMachine(RuleBasedStateMachine):
    """Two trackers under one clock that does what it likes."""

    @initialize(offset=OFFSETS)
    def begin(self, offset: int) -> None:
        self.clock = ManualClock(START + offset)
        self.pairs = [Pair(self.clock), Pair(self.clock)]
        self.saved: tuple[bytes, list[Model], int, int] | None = None

    @rule(which=st.integers(0, 1), good=st.booleans(), times=st.integers(1, 4))
    def record(self, which: int, good: bool, times: int) -> None:
        pair = self.pairs[which]
        pair.observe()
        for _ in range(times):
            pair.tracker.record(good=good)
            pair.add(self.clock(), good)

    @rule(which=st.integers(0, 1), status=st.sampled_from([200, 404, 503, None]))
    def record_by_indicator(self, which: int, status: int | None) -> None:
        pair = self.pairs[which]
        pair.observe()
        pair.tracker.record(status=status, route="/cart")
        pair.add(self.clock(), None if status is None else status < 500)

    @rule(which=st.integers(0, 1), good=st.booleans(), back=OFFSETS, ahead=st.booleans())
    def record_with_a_time(self, which: int, good: bool, back: int, ahead: bool) -> None:
        pair = self.pairs[which]
        pair.observe()
        time = self.clock() + (back if ahead else -back)
        pair.tracker.record(good=good, at=time)
        pair.add(time, good)

    @rule(
        which=st.integers(0, 1),
        batch=st.lists(st.tuples(OFFSETS, st.booleans(), st.sampled_from([200, 500, 0]))),
        judged=st.booleans(),
    )
    def record_many(self, which: int, batch: list[tuple[int, bool, int]], judged: bool) -> None:
        pair = self.pairs[which]
        pair.observe()
        times = [self.clock() + MINUTE - back for back, _, _ in batch]
        if judged:
            pair.tracker.record_many(good=np.array([g for _, g, _ in batch], bool), at=times)
        else:
            pair.tracker.record_many(status=np.array([s for _, _, s in batch], int), at=times)
        for time, (_, good, status) in zip(times, batch, strict=True):
            pair.add(time, good if judged else (status < 500 if status else None))

    @rule(by=OFFSETS)
    def time_goes_on(self, by: int) -> None:
        self.clock.now_ns += by

    @rule(by=st.one_of(OFFSETS, st.integers(-3 * 1440, 3 * 1440).map(lambda m: m * MINUTE)))
    def clock_is_set(self, by: int) -> None:
        self.clock.now_ns -= by

    @rule(which=st.integers(0, 1))
    def save(self, which: int) -> None:
        pair = self.pairs[which]
        pair.observe()
        snapshot = pair.tracker.snapshot()
        again = State.from_dict(State.from_bytes(snapshot).to_dict())
        assert again.to_bytes() == snapshot
        self.saved = snapshot, copy.deepcopy(pair.models), pair.dropped, pair.now

    @rule(which=st.integers(0, 1))
    def restore(self, which: int) -> None:
        if self.saved is None:
            return
        pair = self.pairs[which]
        pair.observe()
        snapshot, models, dropped, then = self.saved
        pair.tracker.restore(snapshot)
        if then <= self.clock() + DAY:
            pair.now = max(pair.now, then)
        before = pair.models
        pair.models = [Model(old.slo, old.size, pair.now) for old in before]
        for model, saved, old in zip(pair.models, models, before, strict=True):
            model.take(saved)
            model.counted = old.counted
        pair.dropped = dropped
        pair.observe()

    @rule(into=st.integers(0, 1), as_bytes=st.booleans())
    def merge(self, into: int, as_bytes: bool) -> None:
        pair, other = self.pairs[into], self.pairs[1 - into]
        other.observe()
        pair.observe()
        pair.tracker.merge(other.tracker.snapshot() if as_bytes else other.tracker)
        for model, theirs in zip(pair.models, other.models, strict=True):
            model.take(theirs)
        pair.dropped += other.dropped
        pair.observe()

    @rule(which=st.integers(0, 1))
    def fork(self, which: int) -> None:
        pair = self.pairs[which]
        pair.tracker.after_fork()
        pair.observe()
        pair.models = [Model(m.slo, m.size, pair.now) for m in pair.models]
        pair.dropped = pair.dropped_here = 0

    @rule(which=st.integers(0, 1), back=OFFSETS)
    def look_back(self, which: int, back: int) -> None:
        pair = self.pairs[which]
        pair.observe()
        slo, model = SLOS[0], pair.models[0]
        at = pair.now - back
        high = model.end(at)
        if model.first <= model.newest - model.size and high - 40 < model.newest - model.size:
            with pytest.raises(InvalidWindowError):
                pair.tracker.evaluate(slo, at=at)
            return
        status = pair.tracker.evaluate(slo, at=at)
        assert status.counts == model.window(high - 40, high)

    @invariant()
    def equals_the_list(self) -> None:
        for pair in getattr(self, "pairs", ()):
            pair.observe()
            pair.tracker._check()
            assert pair.tracker.dropped_late == pair.dropped
            assert pair.tracker.late_totals == pair.dropped_here
            assert pair.tracker.now() == pair.now
            now = pair.now
            for model in pair.models:
                slo, high, seen_in = model.slo, model.end(now), model.window
                if slo.name == "sliced":
                    high, seen_in = now // MINUTE, model.slices
                assert pair.tracker.totals(slo.name) == tuple(model.counted)
                status = pair.tracker.status(slo.name)
                assert status.left_out == model.left_out
                start = high - 40
                if slo.name == "calendar":
                    start = slo.interval(now).start_ns // MINUTE
                assert status.counts == seen_in(start, high)
                for window, rate in status.burn.items():
                    seen = seen_in(high - -(-window // MINUTE), high)
                    error = slo.target.error  # type: ignore[union-attr]
                    expected = seen.bad / (seen.total * error) if seen else None
                    assert rate == expected
                figures = pair.tracker.figures(slo.name)
                assert Counts(figures.good, figures.bad) == status.counts
                plain = dataclasses.replace(status)
                assert plain == status
                assert figures.burn_rates == plain.burn_rates
                assert (figures.sli, figures.tier) == (plain.sli, plain.tier)
                assert figures.remaining_ratio == plain.budget.remaining_ratio  # type: ignore[union-attr]


TestTrackerMachine = TrackerMachine.TestCase
TestTrackerMachine.settings = settings(
    max_examples=settings.default.max_examples // 2,  # type: ignore[attr-defined]
    stateful_step_count=25,
)
