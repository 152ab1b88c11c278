"""
Any sequence of operations leaves a count series equal to a dictionary of bins, bin by bin.

The dictionary knows nothing of arrays and cumulative sums: a bin is a number, and what it holds are
two integers of any size and whether it was observed. Every window is a loop over all of it.
"""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import errorbudget as eb
from errorbudget import (
    SLO,
    AlertPolicy,
    Availability,
    BudgetReset,
    BurnAlert,
    Counts,
    CountSeries,
    Events,
    Maintenance,
    RatioTimeslices,
    Timeslices,
)
from errorbudget.errors import InvalidSeriesError
from errorbudget.slices import filled
from errorbudget.windows import Calendar, Interval

MINUTE = 60 * 10**9
MIDNIGHT = 20_540 * 1440  # minutes; 2026-03-28 in UTC
SLOTS = 4
MOST = 2**63

ALERTS = AlertPolicy("test", [BurnAlert("fast", "page", "50%", "6m", "2m")])


def an_slo(name: str, window: Any, **more: Any) -> SLO:
    how = {"target": "90%", "alerts": ALERTS, "burn_windows": ["1m", "7m"], "min_coverage": 0}
    return SLO(name, window=window, sli=Availability(), **(how | more))


def at(minutes: float) -> int:
    return MIDNIGHT * MINUTE + round(minutes * MINUTE)


SLOS = (
    an_slo("rolling", "10m"),
    an_slo("calendar", Calendar("day"), target="2/3"),
    an_slo("never bad", "1h", target="100%"),
    an_slo(
        "reset", "45m", resets=[BudgetReset(at(5), "agreed"), BudgetReset(at(-9), "agreed before")]
    ),
    an_slo("reset by day", Calendar("day"), resets=[BudgetReset(at(7), "agreed")]),
    an_slo("sliced", "12m", method=Timeslices("2m", "2/3", "bad")),
    an_slo(
        "strictly sliced",
        Calendar("day"),
        method=Timeslices("3m", "50%", "good", strict=True),
        corrections=[Maintenance(at(3), at(12)), Maintenance(at(12), at(20.5), "good")],
    ),
    an_slo("ratios", "30m", method=RatioTimeslices("1m")),
    an_slo(
        "ratios with gaps",
        Calendar("day"),
        method=RatioTimeslices("2m", "bad"),
        corrections=[Maintenance(at(-6), at(2), "good"), Maintenance(at(10), at(16))],
    ),
)

COUNTED = an_slo(
    "counted",
    "30m",
    corrections=[Maintenance(at(4), at(8)), Maintenance(at(6), at(15), "good")],
)
COUNTED_BY_DAY = COUNTED.replace(name="counted by day", window=Calendar("day"))


@dataclass
class Bin:
    good: int = 0
    total: int = 0
    seen: bool = True


@dataclass
class Model:
    """Bins by number: bin k lies between k and k + 1 steps after 1970."""

    step: int
    closed: str
    bins: dict[int, Bin] = field(default_factory=dict)
    tells: bool = False  # whether what was observed is known bin by bin

    def end(self, number: int) -> int:
        return (number + 1) * self.step

    def label(self, number: int) -> int:
        return (number + (self.closed == "right")) * self.step

    def number(self, time: int) -> int:
        """The bin that an instant lies in."""
        return (time - 1 if self.closed == "right" else time) // self.step

    def window(self, start: int, end: int) -> Counts:
        good = bad = 0
        for number, held in self.bins.items():
            if start < self.end(number) <= end:
                good += held.good
                bad += held.total - held.good
        return Counts(good, bad)

    def total(self) -> int:
        return sum(held.total for held in self.bins.values())

    def pieces(self) -> list[tuple[int, int]]:
        """The stretches that were observed."""
        if not self.bins:
            return []
        if not self.tells:
            return [(min(self.bins) * self.step, self.end(max(self.bins)))]
        return [(n * self.step, self.end(n)) for n, held in self.bins.items() if held.seen]

    def coverage(self, start: int, end: int) -> Fraction | None:
        seen = sum(max(0, min(high, end) - max(low, start)) for low, high in self.pieces())
        return Fraction(seen, end - start) if end > start else None

    @staticmethod
    def merge(parts: list[Model]) -> Model:
        whole = Model(parts[0].step, parts[0].closed, tells=any(part.tells for part in parts))
        for part in parts:
            for number, held in part.bins.items():
                into = whole.bins.setdefault(number, Bin(seen=False))
                into.good += held.good
                into.total += held.total
                into.seen |= held.seen or not part.tells
        return whole

    def coarser(self, step: int) -> Model:
        longer = Model(step, self.closed, tells=self.tells)
        for number, held in self.bins.items():
            into = longer.bins.setdefault(number * self.step // step, Bin())
            into.good += held.good
            into.total += held.total
            into.seen &= held.seen
        return longer

    def kept(self, wanted: Callable[[int], bool]) -> Model:
        bins = {n: copy.copy(held) for n, held in self.bins.items() if wanted(self.end(n))}
        return Model(self.step, self.closed, bins, self.tells)

    def filled(self, until: int) -> Model:
        if not self.bins:
            return Model(self.step, self.closed)
        last = max(*self.bins, until // self.step - 1)
        bins = {
            number: copy.copy(self.bins.get(number, Bin(seen=False)))
            for number in range(min(self.bins), last + 1)
        }
        return Model(self.step, self.closed, bins, self.tells)


def treated(slo: SLO, time: int) -> str | None:
    kinds = {each.treat for each in slo.corrections if each.interval.contains(time)}  # type: ignore[union-attr]
    return "exclude" if "exclude" in kinds else "good" if kinds else None


def slices(slo: SLO, model: Model, until: int) -> list[tuple[int, Fraction]]:
    """End and goodness of every slice that is a unit."""
    method: Any = slo.method
    found = []
    for number, held in model.coarser(method.slice).filled(until).bins.items():
        start, end = number * method.slice, (number + 1) * method.slice
        # All edges of maintenance here lie on half minutes.
        times = {treated(slo, time) for time in range(start, end, MINUTE // 2)}
        share = None
        if held.total:
            share = Fraction(held.good, held.total)
            if isinstance(method, Timeslices):
                wanted = method.slice_target.ratio
                share = Fraction(share > wanted if method.strict else share >= wanted)
        elif None not in times:
            share = Fraction(1) if "good" in times else None
        elif method.no_data != "exclude":
            share = Fraction(method.no_data == "good")
        if share is not None:
            found.append((end, share))
    return found


def unit_counts(slo: SLO, model: Model, start: int, end: int, until: int) -> Counts:
    if slo.method.name == "occurrences":
        return model.window(start, end)
    inside = [share for ends, share in slices(slo, model, until) if start < ends <= end]
    good = sum(inside, Fraction(0))
    return Counts(good, len(inside) - good)


def window_start(slo: SLO, now: int) -> int:
    start = now - slo.window.length_ns if isinstance(slo.window, eb.Rolling) else now
    if isinstance(slo.window, Calendar):
        start = now // (1440 * MINUTE) * 1440 * MINUTE
    return max([start, *(reset.at_ns for reset in slo.resets if reset.at_ns <= now)])


def spent(counts: Counts, error: Fraction) -> Fraction | float | None:
    if not counts:
        return None
    if not error:
        return inf if counts.bad else Fraction(0)
    return Fraction(counts.bad) / (Fraction(counts.total) * error)


numbers = st.integers(-15, 45).map(lambda minute: MIDNIGHT + minute)
sizes = st.one_of(
    st.integers(0, 5), st.integers(0, 2**20), st.sampled_from([0, 2**53 + 1, 2**61, 2**62 - 1])
)
moments = st.one_of(
    st.integers(-30, 120).map(at),
    st.integers(-30, 60).map(lambda minute: at(minute) + 1),
    st.integers(-30, 60).map(lambda minute: at(minute) - 1),
    st.integers(at(-30), at(120)),
    st.sampled_from([-(2**63) + 1, 2**63 - 1, 0]),
)
slots = st.integers(0, SLOTS - 1)
sides = st.sampled_from(["right", "left"])


class SeriesMachine(RuleBasedStateMachine):
    """Four count series, and what they should be."""

    @initialize()
    def begin(self) -> None:
        self.held = []
        for closed, tells in itertools.product(("right", "left"), (False, True)):
            held = {-1: (6, 9), 0: (9, 9), 1: (0, 0), 2: (5, 10), 6: (8, 12)}  # some on a target
            bins = {MIDNIGHT + n: Bin(good, total, n != 2) for n, (good, total) in held.items()}
            model = Model(MINUTE, closed, bins if tells else {}, tells)
            self.held.append((self.built(model), model))
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        self.files: dict[str, list[tuple[int, int | None]]] = {}

    def teardown(self) -> None:
        if getattr(self, "folder", None) is not None:
            self.folder.cleanup()  # type: ignore[union-attr]

    def put(self, slot: int, series: CountSeries, model: Model) -> None:
        self.check(series, model)
        self.held[slot] = series, model

    # ------------------------------------------------------------------ making

    @rule(slot=slots, closed=sides, data=st.data(), step=st.sampled_from([1, 1, 1, 2, 3]))
    def make(self, slot: int, closed: str, step: int, data: st.DataObject) -> None:
        model = Model(step * MINUTE, closed, tells=data.draw(st.booleans()))
        for number in data.draw(st.sets(numbers, max_size=8)):
            total = data.draw(sizes)
            good = total - data.draw(st.sampled_from([0, 0, 1, total, total // 2, total // 3]))
            model.bins[number // step] = Bin(max(good, 0), total, data.draw(st.booleans()))
        if model.total() >= MOST:
            with pytest.raises(InvalidSeriesError, match="2\\*\\*63"):
                self.built(model)
            return
        self.put(slot, self.built(model), model)

    @staticmethod
    def built(model: Model) -> CountSeries:
        places = sorted(model.bins)
        held = [model.bins[number] for number in places]
        return CountSeries(
            [model.label(number) for number in places],
            [each.good for each in held],
            [each.total for each in held],
            model.step,
            model.closed,  # type: ignore[arg-type]
            [each.seen for each in held] if model.tells else None,
        )

    @rule(slot=slots, bad=st.integers(0, 1))
    def make_half_of_what_there_may_be(self, slot: int, bad: int) -> None:
        _, model = self.held[slot]
        number = at(5) // model.step
        model = Model(model.step, model.closed, {number: Bin(2**62 - bad, 2**62)})
        self.put(slot, self.built(model), model)

    @rule(
        slot=slots,
        slo=st.sampled_from([COUNTED, COUNTED_BY_DAY]),
        rows=st.lists(st.tuples(moments, st.sampled_from([200, 404, 503, None])), max_size=12),
    )
    def count_events(self, slot: int, slo: SLO, rows: list[tuple[int, int | None]]) -> None:
        """Corrections are applied to events, and an event without a status is none."""
        rows = [(time, status) for time, status in rows if at(-30) <= time <= at(120)]
        events = Events(time=[time for time, _ in rows], status=[status for _, status in rows])
        self.put(slot, slo.count(events), self.counted(slo, rows))

    @staticmethod
    def counted(slo: SLO, rows: list[tuple[int, int | None]]) -> Model:
        model = Model(MINUTE, slo.window.closed)
        if rows:
            ends = [model.number(time) for time, _ in rows]
            model.bins = {number: Bin() for number in range(min(ends), max(ends) + 1)}
        for time, status in rows:
            kind = treated(slo, time)
            if kind == "exclude" or (status is None and kind is None):
                continue
            held = model.bins[model.number(time)]
            held.total += 1
            held.good += kind == "good" or (status is not None and status < 500)
        return model

    @rule(
        slot=slots,
        slo=st.sampled_from([COUNTED, COUNTED_BY_DAY]),
        file=st.sampled_from("abc"),
        rows=st.lists(
            st.tuples(
                st.integers(at(-30) // 1000, at(60) // 1000).map(lambda us: us * 1000)
                | st.integers(-30, 60).map(at),
                st.sampled_from([200, 404, 503, None]),
            ),
            min_size=1,
            max_size=6,
        ),
    )
    def count_a_file(
        self, slot: int, slo: SLO, file: str, rows: list[tuple[int, int | None]]
    ) -> None:
        """Files come, grow and are written anew; the folder of counts keeps up with them."""
        pa = pytest.importorskip("pyarrow", reason="missing: pyarrow")
        from pyarrow import parquet

        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name, f"{file}.parquet")
        self.files[file] = [*self.files.get(file, []), *rows]
        everything = self.files[file]
        times = pa.array([time for time, _ in everything], pa.timestamp("ns", "UTC"))
        table = pa.table({"time": times, "status": pa.array([code for _, code in everything])})
        parquet.write_table(table.cast(table.schema), path)
        home = Path(self.folder.name, "counts")
        both = [COUNTED, COUNTED_BY_DAY]
        eb.update_counts(home, str(path), both)
        assert eb.update_counts(home, str(path), both).counted == ()
        model = self.counted(slo, [row for rows in self.files.values() for row in rows])
        self.put(slot, eb.read_counts(home, both)[slo], model)

    # ------------------------------------------------------------------ changing

    @rule(into=slots, one=slots, other=slots)
    def add(self, into: int, one: int, other: int) -> None:
        self.merged(into, [one, other], lambda parts: parts[0] + parts[1])

    @rule(into=slots, which=st.lists(slots, min_size=1, max_size=5), turned=st.booleans())
    def merge(self, into: int, which: list[int], turned: bool) -> None:
        self.merged(
            into, which, lambda parts: CountSeries.merge(parts[::-1] if turned else iter(parts))
        )

    def merged(
        self, into: int, which: list[int], how: Callable[[list[CountSeries]], CountSeries]
    ) -> None:
        parts = [self.held[slot][0] for slot in which]
        models = [self.held[slot][1] for slot in which]
        fits = len({(model.step, model.closed) for model in models}) == 1
        if not fits or sum(model.total() for model in models) >= MOST:
            with pytest.raises(InvalidSeriesError, match="merge" if not fits else "2\\*\\*63"):
                how(parts)
            return
        self.put(into, how(parts), Model.merge(models))

    @rule(into=slots, slot=slots, times=st.integers(1, 5), part=st.booleans())
    def resample(self, into: int, slot: int, times: int, part: bool) -> None:
        series, model = self.held[slot]
        if part and model.step > MINUTE:
            with pytest.raises(InvalidSeriesError, match="add up"):
                series.coarser(model.step * times + MINUTE // 2)
            return
        if times * model.step <= 12 * MINUTE:
            self.put(into, series.coarser(model.step * times), model.coarser(model.step * times))

    @rule(into=slots, slot=slots, data=st.data())
    def cut(self, into: int, slot: int, data: st.DataObject) -> None:
        """What was known at an instant, and what came after: together all of it."""
        series, model = self.held[slot]
        ends = st.sampled_from([model.end(number) for number in sorted(model.bins)] or [0])
        moment = data.draw(ends | moments)
        before = series.until(moment)
        rows = slice(len(before), None)
        rest = CountSeries(
            series.label_ns[rows],
            series.good[rows],
            series.total[rows],
            series.step_ns,
            series.closed,
            None if series.observed is None else series.observed[rows],
        )
        self.check(rest, model.kept(lambda end: end > moment))
        self.check(before + rest, model)
        self.put(into, before, model.kept(lambda end: end <= moment))

    @rule(into=slots, slot=slots, until=st.integers(-30, 60).map(at))
    def fill(self, into: int, slot: int, until: int) -> None:
        """Missing bins become empty ones."""
        series, model = self.held[slot]
        made = model.filled(until)
        made.tells = model.tells and bool(model.bins)
        if series.observed is None:
            for held in made.bins.values():
                held.seen = True
        self.put(into, filled(series, until), made)

    # ------------------------------------------------------------------ travelling

    @rule(slot=slots, way=st.sampled_from(["pickle", "copy", "json"]))
    def travel(self, slot: int, way: str) -> None:
        series, model = self.held[slot]
        if way == "json":
            data = json.loads(
                json.dumps(
                    {
                        "label_ns": series.label_ns.tolist(),
                        "good": series.good.tolist(),
                        "total": series.total.tolist(),
                        "step_ns": series.step_ns,
                        "closed": series.closed,
                        "observed": None if series.observed is None else series.observed.tolist(),
                    }
                )
            )
            self.put(slot, CountSeries(**data), model)
        else:
            again = copy.deepcopy(series)
            if way == "pickle":
                again = pickle.loads(pickle.dumps(series))
            self.put(slot, again, model)

    @rule(slot=slots, through_parquet=st.booleans())
    def travel_as_a_frame(self, slot: int, through_parquet: bool) -> None:
        """A frame holds the counts, and not what was observed; its index is UTC."""
        pd = pytest.importorskip("pandas", reason="missing: pandas")
        series, model = self.held[slot]
        frame = series.to_pandas()
        if through_parquet:
            pytest.importorskip("pyarrow", reason="missing: pyarrow")
            file = io.BytesIO()
            frame.to_parquet(file)
            frame = pd.read_parquet(file)
        plain = CountSeries(frame.index, frame["good"], frame["total"], model.step, series.closed)
        made = Model.merge([model])
        made.tells = False
        for held in made.bins.values():
            held.seen = True
        self.put(slot, plain, made)

    # ------------------------------------------------------------------ answering

    @rule(slot=slots, slo=st.sampled_from(SLOS), moment=moments)
    def evaluate(self, slot: int, slo: SLO, moment: int) -> None:
        series, model = self.held[slot]
        moment = min(max(moment, at(-1600)), at(1600))
        if slo.method.name != "occurrences" and slo.method.slice % model.step:  # type: ignore[union-attr]
            with pytest.raises(InvalidSeriesError, match="add up"):
                series.evaluate(slo, at=moment)
            return
        status = series.evaluate(slo, at=moment)
        error = slo.target.error  # type: ignore[union-attr]
        counts = unit_counts(slo, model, window_start(slo, moment), moment, moment)
        assert status.counts == counts
        consumed = spent(counts, error)
        left = None if consumed is None else 1 - consumed
        assert status.budget is not None
        assert status.budget.consumed_exact == consumed
        assert status.budget.remaining_exact == left
        assert status.sli == (
            float(Fraction(counts.good) / Fraction(counts.total)) if counts else None
        )
        if counts:
            share = Fraction(counts.good) / Fraction(counts.total)
            assert (status.state == "met") == (share >= 1 - error)
        for window, rate in status.burn.items():
            assert rate == spent(unit_counts(slo, model, moment - window, moment, moment), error)

    @rule(slot=slots, slo=st.sampled_from(SLOS[:7]), first=st.integers(-20, 20))
    def look_along(self, slot: int, slo: SLO, first: int) -> None:
        """The history over a grid holds what each instant of it is evaluated to."""
        series, model = self.held[slot]
        if slo.method.name != "occurrences" and slo.method.slice % model.step:  # type: ignore[union-attr]
            return
        ends = range(at(first), at(first + 5), MINUTE)
        history = series.history(slo, step="1m", start=ends[0], end=ends[-1])
        assert history.time_ns.tolist() == list(ends)
        error = slo.target.error  # type: ignore[union-attr]
        for row, end in enumerate(ends):
            counts = unit_counts(slo, model, window_start(slo, end), end, ends[-1])
            assert history.good[row] == counts.good
            assert history.total[row] == counts.total
            consumed = spent(counts, error)
            if consumed is None:
                assert np.isnan(history.remaining_ratio[row])
            else:
                assert history.remaining_ratio[row] == float(1 - consumed)
            burn = spent(unit_counts(slo, model, end - 7 * MINUTE, end, ends[-1]), error)
            found = history.burn_rates["7m"][row]
            assert np.isnan(found) if burn is None else found == float(burn)

    @rule(slot=slots, start=moments, length=st.integers(0, 40 * MINUTE) | st.just(2**63))
    def look(self, slot: int, start: int, length: int) -> None:
        series, model = self.held[slot]
        end = min(start + length, 2**63 - 1)
        for closed in ("right", "left"):
            interval = Interval(start, end, closed)  # type: ignore[arg-type]
            assert series.counts(interval) == model.window(start, end)
            found, wanted = series.coverage(interval), model.coverage(start, end)
            assert found == (None if wanted is None else float(wanted))

    @precondition(lambda self: hasattr(self, "held"))
    @invariant()
    def nothing_else_has_changed(self) -> None:
        for series, model in self.held:
            self.check(series, model)

    @staticmethod
    def check(series: CountSeries, model: Model) -> None:
        places = sorted(model.bins)
        assert (series.step_ns, series.closed) == (model.step, model.closed)
        assert series.label_ns.tolist() == [model.label(number) for number in places]
        assert series.good.tolist() == [model.bins[number].good for number in places]
        assert series.total.tolist() == [model.bins[number].total for number in places]
        if model.tells and places:
            assert series.observed is not None
            assert series.observed.tolist() == [model.bins[number].seen for number in places]
        ends = [model.end(number) for number in places]
        assert series.span == ((ends[0] - model.step, ends[-1]) if ends else None)
        edges = [end + beside for end in ends for beside in (-1, 0, 1)]
        edges += [-(2**63), 2**63 - 1]
        good, total = series.cumulative(np.array(edges, dtype=np.int64))
        for row, edge in enumerate(edges):
            before = model.window(-(2**64), edge)
            assert (good[row], total[row]) == (before.good, before.total)


TestSeriesMachine = SeriesMachine.TestCase
TestSeriesMachine.settings = settings(
    max_examples=settings.default.max_examples // 2,  # type: ignore[attr-defined]
    stateful_step_count=25,
)
