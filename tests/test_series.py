"""Count series add, merge and coarsen without losing a unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, AlertPolicy, Counts, CountSeries, Events, RatioSLI, Timeslices
from errorbudget.errors import ErrorBudgetError, InvalidSeriesError
from errorbudget.kernels.stretches import Exempt, Stretches
from errorbudget.series import EventSeries, FreshSeries, check_grid, window_counts
from errorbudget.series.bins import GRID_LIMIT, check_reach
from errorbudget.times import MAX_NS, MIN_NS
from errorbudget.windows import Interval
from tests.kernel_inputs import DISGUISES

STEP = 60


@st.composite
def count_series(draw: st.DrawFn, closed: str = "right") -> CountSeries:
    """Bins with holes between them, some unobserved, some of them empty."""
    bins = sorted(draw(st.sets(st.integers(-20, 40), max_size=15)))
    total = [draw(st.integers(0, 2**40)) for _ in bins]
    good = [draw(st.integers(0, count)) for count in total]
    observed = draw(st.none() | st.lists(st.booleans(), min_size=len(bins), max_size=len(bins)))
    return CountSeries([b * STEP for b in bins], good, total, STEP, closed, observed)  # type: ignore[arg-type]


intervals = st.tuples(st.integers(-3_000, 3_000), st.integers(0, 3_000)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)


def brute(series: CountSeries, start: int, end: int) -> Counts:
    ends = series.label_ns + (0 if series.closed == "right" else series.step_ns)
    rows = [row for row, at in enumerate(ends.tolist()) if start < at <= end]
    good = sum(int(series.good[row]) for row in rows)
    return Counts.from_total(good=good, total=sum(int(series.total[row]) for row in rows))


@given(count_series(), intervals)
def test_windows_are_differences(series: CountSeries, edges: tuple[int, int]) -> None:
    """A window holds the bins that end within it, and windows side by side add up."""
    start, end = edges
    whole = series.counts(Interval(start, end, "right"))
    assert whole == brute(series, start, end)
    middle = (start + end) // 2
    halves = [Interval(start, middle, "right"), Interval(middle, end, "right")]
    assert series.counts(halves[0]) + series.counts(halves[1]) == whole


@given(st.lists(count_series(), min_size=1, max_size=4), st.randoms())
def test_merging_is_addition(parts: list[CountSeries], random: Any) -> None:
    """In any order and grouping, no bin is lost and none counts twice."""
    whole = CountSeries.merge(parts)
    random.shuffle(parts)
    again = parts[0]
    for part in parts[1:]:
        again += part
    for name in ("label_ns", "good", "total"):
        assert getattr(whole, name).tolist() == getattr(again, name).tolist()
    assert whole.total.sum() == sum(part.total.sum() for part in parts)
    if whole.observed is not None:
        seen = {
            label
            for part in parts
            for label, yes in zip(
                part.label_ns.tolist(),
                [True] * len(part) if part.observed is None else part.observed.tolist(),
                strict=True,
            )
            if yes
        }
        assert set(whole.label_ns[whole.observed].tolist()) == seen


@given(count_series("right") | count_series("left"), st.integers(1, 6))
def test_longer_bins_hold_the_same(series: CountSeries, times: int) -> None:
    """Every unit is in the longer bin that its own lies in; a bin is observed if all of it was."""
    coarse = series.coarser(times * STEP)
    shift = 1 if series.closed == "right" else 0
    want: dict[int, list[int]] = {}
    for row, label in enumerate(series.label_ns.tolist()):
        key = ((label - shift) // (times * STEP) + shift) * times * STEP
        good, total, seen = want.get(key, [0, 0, 1])
        known = 1 if series.observed is None else int(series.observed[row])
        want[key] = [good + int(series.good[row]), total + int(series.total[row]), seen * known]
    assert coarse.label_ns.tolist() == sorted(want)
    assert coarse.good.tolist() == [want[key][0] for key in sorted(want)]
    assert coarse.total.tolist() == [want[key][1] for key in sorted(want)]
    if series.observed is not None:
        assert coarse.observed is not None
        assert coarse.observed.tolist() == [bool(want[key][2]) for key in sorted(want)]
    assert (coarse.step_ns, coarse.closed) == (times * STEP, series.closed)


@given(count_series("right") | count_series("left"), intervals)
def test_coverage_is_the_observed_share(series: CountSeries, edges: tuple[int, int]) -> None:
    """Nanosecond by nanosecond: all between the first and the last bin, or the observed ones."""
    start, end = edges
    found = series.coverage(Interval(start, end, "right"))
    if start == end:
        assert found is None
        return
    pieces = [(int(at) - STEP, int(at)) for at in series.end_ns]
    if series.observed is not None:
        pieces = [piece for piece, yes in zip(pieces, series.observed, strict=True) if yes]
    elif pieces:
        pieces = [(pieces[0][0], pieces[-1][1])]
    seen = sum(max(0, min(high, end) - max(low, start)) for low, high in pieces)
    assert found == pytest.approx(seen / (end - start))


@given(
    st.lists(st.tuples(st.integers(-500, 500), st.booleans()), max_size=30),
    st.sampled_from([1, 7, 60]),
    st.sampled_from(["right", "left"]),
    intervals,
)
def test_events_in_bins(
    pairs: list[tuple[int, bool]], step: int, closed: Any, edges: tuple[int, int]
) -> None:
    """Binned and not, windows on the grid agree; empty bins are there too."""
    times = np.array(sorted(time for time, _ in pairs), dtype=np.int64)
    bad = np.array(sorted(time for time, good in pairs if not good), dtype=np.int64)
    span = (int(times[0]), int(times[-1])) if len(times) else None
    series = EventSeries(times, bad, span)
    bins = series.binned(step, closed=closed, until_ns=edges[1])
    assert bins.total.sum() == len(times)
    assert np.array_equal(np.diff(bins.label_ns), np.full(max(0, len(bins) - 1), step))
    start, end = (edge // step * step for edge in edges)
    if closed == "right":
        interval = Interval(start, end, "right")
        assert window_counts(bins, interval) == window_counts(series, interval)
    else:
        inside = [good for time, good in pairs if start <= time < end]
        found = window_counts(bins, Interval(start, end, "left"))
        assert (found.good, found.total) == (sum(inside), len(inside))


@given(st.lists(st.integers(-50, 50), max_size=10), st.integers(1, 20), st.integers(-60, 60))
def test_fresh_time_by_the_nanosecond(updates: list[int], within: int, edge: int) -> None:
    """Fresh and known time up to an edge, one nanosecond after the other."""
    updates.sort()
    series = FreshSeries(np.array(updates, dtype=np.int64), within)
    fresh, known = series.cumulative(np.array([edge]))
    ticks = range(updates[0], edge) if updates else range(0)
    assert known[0] == len(ticks)
    assert fresh[0] == sum(tick - max(u for u in updates if u <= tick) < within for tick in ticks)
    whole = series.coverage(Interval(edge - 10, edge, "right"))
    first = updates[0] if updates else edge
    assert whole == max(0, edge - max(first, edge - 10)) / 10
    assert FreshSeries(np.array([], dtype=np.int64), 5).coverage(Interval(0, 0, "right")) is None
    assert series.span == ((updates[0], updates[-1]) if updates else None)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_disguised_columns(disguise: str) -> None:
    """Bins in any disguise mean the same, and stay as they were."""
    columns = [np.array([60, 120, 240]), np.array([1, 0, 5]), np.array([2, 0, 9])]
    disguised = [DISGUISES[disguise](column) for column in columns]
    before = [np.array(column, copy=True) for column in disguised]
    series = CountSeries(*disguised, STEP)
    slo = SLO("x", target="90%", window="1us", sli=RatioSLI())
    assert slo.evaluate(series).counts == Counts(6, 5)
    assert (series + series).total.tolist() == [4, 0, 18]
    for column, was in zip(disguised, before, strict=True):
        np.testing.assert_array_equal(np.asarray(column), was)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"good": [1, -1]}, "good must not be negative, see index 1"),
        ({"good": [1, 3]}, "good must not exceed total, see index 1"),
        ({"label_ns": [60, 121]}, "multiples of the step, see index 1"),
        ({"label_ns": [120, 60]}, "must ascend, see index 1"),
        ({"label_ns": [60, 60]}, "must ascend, see index 1"),
        ({"good": [1]}, "one length: 2 labels, 1 good, 2 total"),
        ({"good": [0.5, 1]}, "whole numbers, got 0.5 at index 0"),
        ({"good": [float("nan"), 1]}, "whole numbers, got nan at index 0"),
        ({"good": ["1", "2"]}, "whole numbers"),
        ({"good": [True, True]}, "whole numbers"),
        ({"good": None}, "one dimension"),
        ({"good": [[1], [2, 3]]}, "must be one column"),
        ({"total": [1e300, 2]}, "floats skip whole numbers"),
        ({"total": np.array([2**63, 2], dtype=np.uint64)}, "below 2"),
        ({"total": [2**70, 2]}, "whole numbers"),
        ({"step_ns": 0}, "longer than 0"),
        ({"step_ns": None}, "not a duration"),
        ({"closed": "both"}, 'closed must be "right" or "left"'),
        ({"observed": [True]}, "one entry per bin"),
        ({"observed": [[True], [True, False]]}, "must be one column"),
        ({"observed": [True, None]}, "true or false for every bin"),
        ({"observed": [0.0, float("nan")]}, "true or false for every bin"),
        ({"observed": ["yes", "no"]}, "true or false for every bin"),
        ({"observed": [0, 2]}, "true or false for every bin"),
        ({"label_ns": [-1e30, 60]}, "floats skip whole numbers"),
        ({"total": [9, 2.0**54]}, "floats skip whole numbers"),
        ({"total": np.ma.masked_array([9, 9], [0, 1])}, "total is masked at index 1"),
        ({"label_ns": np.array(["1970-01-01", "NaT"], "M8[ns]")}, "missing"),
        ({"label_ns": np.array([60, 10**12], "M8[s]")}, "outside the years"),
    ],
)
def test_bins_that_contradict_themselves(change: dict[str, Any], message: str) -> None:
    """Each is refused, with the first offender."""
    bins = {"label_ns": [60, 120], "good": [1, 2], "total": [1, 2], "step_ns": 60}
    with pytest.raises(ErrorBudgetError, match=message):
        CountSeries(**{**bins, **change})


@pytest.mark.parametrize(
    ("label", "closed"), [(2**63 - 2, "left"), (-(2**63) + 2, "right"), (2**63 - 2, "right")]
)
def test_bins_at_the_ends_of_time(label: int, closed: Any) -> None:
    """A bin that reaches beyond the first or last instant is refused, and never goes round."""
    if closed == "left" or label < 0:
        with pytest.raises(InvalidSeriesError, match="the years 1678 to 2262"):
            CountSeries([label], [1], [1], 2, closed)
        label += 2 if label < 0 else -2
    series = CountSeries([label], [1], [1], 2, closed)
    assert series.counts(Interval(-(2**63), 2**63 - 1, "right")) == Counts(1, 0)
    with pytest.raises(InvalidSeriesError, match="the years 1678 to 2262"):
        series.coarser("1d")
    last = np.array([2**63 - 1])
    with pytest.raises(InvalidSeriesError, match="the years 1678 to 2262"):
        EventSeries(last, last[:0], (2**63 - 1, 2**63 - 1)).binned(10**9, closed=closed)


def test_coverage_of_intervals_far_away() -> None:
    """Nothing of 1678 was observed in 1970, and all of time holds a minute: distances go round."""
    for observed in (None, [True]):
        series = CountSeries([60], [1], [1], 60, observed=observed)
        for start in (-(2**63) + 1, 2**63 - 1 - 60):
            assert series.coverage(Interval(start, start + 60, "right")) == 0
        assert series.coverage(Interval(-(2**64), 2**64, "right")) == 60 / 2**65
    long = 2**61
    ends = np.arange(-2, 4) * long
    everything = CountSeries(ends, [0] * 6, [0] * 6, long, observed=[True] * 6)
    assert everything.coverage(Interval(-3 * long, 3 * long, "right")) == 1


def test_ages_of_centuries_are_refused() -> None:
    """An update of 1678 is not fresh in 2262: its age went round."""
    for updates, edge in (([-(2**63) + 1], 2**63 - 1), ([-(2**62) - 1, 2**62], 0)):
        fresh = FreshSeries(np.array(updates), 60)
        with pytest.raises(InvalidSeriesError, match="more than 292 years"):
            fresh.cumulative(np.array([edge]))
    longest = FreshSeries(np.array([-(2**62), 2**62 - 1]), 60)
    good, known = longest.cumulative(np.array([2**62 - 1]))
    assert (good[0], known[0]) == (60, 2**63 - 1)


def test_what_does_not_merge() -> None:
    """Bins of different length or side, nothing at all, and strangers."""
    minutes = CountSeries([60], [1], [1], 60)
    for other in (CountSeries([60], [1], [1], 30), CountSeries([60], [1], [1], 60, "left")):
        with pytest.raises(InvalidSeriesError, match="one length and side"):
            minutes + other
    for nothing in ([], [5], 5):
        with pytest.raises(InvalidSeriesError, match="merge"):
            CountSeries.merge(nothing)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        minutes + 1  # type: ignore[operator]
    with pytest.raises(InvalidSeriesError, match="do not add up"):
        minutes.coarser(90)
    with pytest.raises(InvalidSeriesError, match="take a longer step"):
        EventSeries(np.array([0, 10**18]), np.array([]), (0, 10**18)).binned(10**9)


def test_words_and_frames() -> None:
    """A series says how long it is, and becomes a frame with UTC labels."""
    series = CountSeries(np.array(["1970-01-01T00:01"], dtype="M8[m]"), [1], [2], "1m")
    assert repr(series) == (
        "CountSeries(1 bins of 1m, 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z)"
    )
    assert repr(CountSeries([], [], [], "1m")) == "CountSeries(0 bins of 1m)"
    assert CountSeries([], [], [], "1m").coverage(Interval(0, 60, "right")) == 0
    pytest.importorskip("pandas")
    frame = series.to_pandas()
    assert frame["total"].tolist() == [2]
    assert str(frame.index[0]) == "1970-01-01 00:01:00+00:00"
    for index in (frame.index, frame.index.tz_convert("Asia/Kathmandu"), frame.index.as_unit("s")):
        again = CountSeries(index, frame["good"], frame["total"], "1m")
        assert again.label_ns.tolist() == [60 * 10**9]


def test_counts_are_asked_for_in_longer_bins_only() -> None:
    """A count of counts is itself, coarser."""
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI())
    minutes = slo.count(Events(time=[5, 6], good=[True, False]), step="1m")
    assert slo.count(minutes, step="1h").total.tolist() == [2]
    assert slo.count(minutes, step="1m").total.tolist() == [2]
    with pytest.raises(InvalidSeriesError, match="do not add up"):
        slo.count(minutes, step="1s")


def test_merging_by_hand() -> None:
    """Bins of one label add up; one is observed where some part observed it."""
    one = CountSeries([60, 120], [1, 2], [3, 4], 60, observed=[True, False])
    other = CountSeries([120, 180], [5, 6], [7, 8], 60)
    for merged in (one + other, other + one):
        assert merged.label_ns.tolist() == [60, 120, 180]
        assert (merged.good.tolist(), merged.total.tolist()) == ([1, 7, 6], [3, 11, 8])
        assert merged.observed is not None
        assert merged.observed.tolist() == [True, True, True]
    assert (one + one).observed.tolist() == [True, False]  # type: ignore[union-attr]
    assert (other + other).observed is None
    assert (other + other).coarser(180).observed is None
    assert {merged.good.dtype, merged.total.dtype} == {np.dtype(np.int64)}
    longer = one.coarser(120)
    assert (longer.label_ns.tolist(), longer.good.tolist()) == ([120], [3])
    assert longer.observed.tolist() == [False]  # type: ignore[union-attr]
    assert {longer.good.dtype, longer.total.dtype} == {np.dtype(np.int64)}


def test_what_was_known_then_is_all_that_was() -> None:
    """Counts, sides and observations of the bins that had ended; a label on the left ends later."""
    left = CountSeries([0, 60], [1, 2], [3, 4], 60, "left", [True, False])
    assert left.end_ns.tolist() == [60, 120]
    for now, rows in ((59, 0), (60, 1), (119, 1), (120, 2)):
        known = left.until(now)
        assert (known.good.tolist(), known.total.tolist()) == ([1, 2][:rows], [3, 4][:rows])
        assert (known.closed, known.step_ns) == ("left", 60)
        assert known.observed.tolist() == [True, False][:rows]  # type: ignore[union-attr]
    assert CountSeries([60], [1], [1], 60).until(60).observed is None


def test_as_many_units_as_a_number_holds() -> None:
    """2**63 - 1 in all; one more is refused, in one series and in two."""
    most = CountSeries([60, 120], [0, 0], [2**62, 2**62 - 1], 60)
    assert most.counts(Interval(0, 120, "right")).total == 2**63 - 1
    good = CountSeries([60, 120], most.total, most.total, 60)
    for part in (good + CountSeries([60], [0], [0], 60), CountSeries.merge([good])):
        assert part.good.tolist() == part.total.tolist() == [2**62, 2**62 - 1]
    longer = good.coarser(120)
    assert longer.good.tolist() == longer.total.tolist() == [2**63 - 1]
    for wrong in ([2**62, 2**62], [2**63 - 1, 1]):
        with pytest.raises(InvalidSeriesError, match=r"below 2\*\*63"):
            CountSeries([60, 120], [0, 0], wrong, 60)
    with pytest.raises(InvalidSeriesError, match=r"below 2\*\*63"):
        most + CountSeries([180], [0], [1], 60)
    assert CountSeries([60], np.array([1e3]), np.array([2.0**53]), 60).total.tolist() == [2**53]
    with pytest.raises(InvalidSeriesError, match="floats skip whole numbers"):
        CountSeries([60], [0], np.array([2.0**53 + 2]), 60)
    for labels in ([60, 180, 120], [60, 60]):
        with pytest.raises(InvalidSeriesError, match=f"ascend, see index {len(labels) - 1}"):
            CountSeries(labels, [0] * len(labels), [0] * len(labels), 60)


def test_a_series_shows_its_sums() -> None:
    """Good, bad and all units, over which time, and their share; of none there is no share."""
    card = CountSeries([60, 120], [900, 95], [905, 105], 60)._card()
    assert dict(row[:2] for row in card.rows) == {
        "good": "995",
        "bad": "15",
        "total": "1,010",
        "share of good units": "98.5149%",
    }
    assert card.lines[0].endswith("1970-01-01T00:00:00Z to 1970-01-01T00:00:00.000000120Z")
    assert dict(row[:2] for row in CountSeries([], [], [], 60)._card().rows)["total"] == "0"


def test_as_many_bins_as_a_grid_may_have() -> None:
    """And not one more."""
    check_grid(GRID_LIMIT, 60)
    said = "a step of 60ns over this span makes 50,000,001 bins, more than 50,000,000; take a"
    with pytest.raises(InvalidSeriesError, match=said):
        check_grid(GRID_LIMIT + 1, 60)


@pytest.mark.parametrize(
    ("first", "last", "closed", "fits"),
    [
        (MIN_NS + 60, MAX_NS, "right", True),
        (MIN_NS + 59, MAX_NS, "right", False),
        (MIN_NS, MAX_NS - 60, "left", True),
        (MIN_NS, MAX_NS - 59, "left", False),
        (MIN_NS - 1, 0, "left", False),
        (0, MAX_NS + 1, "right", False),
    ],
)
def test_bins_reach_from_the_first_instant_to_the_last(
    first: int, last: int, closed: Any, fits: bool
) -> None:
    """To the nanosecond, on the side that their labels are not."""
    if fits:
        check_reach(first, last, 60, closed)
        return
    with pytest.raises(InvalidSeriesError, match="bins of 60ns must lie in the years 1678 to 2262"):
        check_reach(first, last, 60, closed)


def test_columns_of_any_whole_type() -> None:
    """Unsigned counts of any size, and zeros and ones for what was observed."""
    large = np.array([200, 2**63 - 201], dtype=np.uint64)
    series = CountSeries([60, 120], large, large, 60, observed=[0, 1])
    assert series.total.tolist() == [200, 2**63 - 201]
    assert series.observed is not None
    assert series.observed.tolist() == [False, True]
    assert series.observed.dtype == np.bool_
    assert series.coverage(Interval(0, 240, "right")) == 0.25
    assert CountSeries(series.label_ns, large, large, 60).coverage(Interval(0, 240, "right")) == 0.5


def test_parts_that_outgrow_a_number_do_not_merge() -> None:
    """Beside each other and in one bin, told before anything goes round."""
    half = CountSeries([60], [2**62], [2**62], 60)
    later = CountSeries([120], [2**62 - 1], [2**62 - 1], 60)
    assert (half + later).total.tolist() == [2**62, 2**62 - 1]
    for other in (half, CountSeries([120], [2**62], [2**62], 60)):
        with pytest.raises(InvalidSeriesError) as caught:
            half + other
        assert str(caught.value) == "all units together must be below 2**63"


def test_a_series_is_asked_as_an_objective_asks_it() -> None:
    """Instants, steps and options are handed on; by default a history has a point a bin."""
    slo = SLO("x", target="90%", window="4us", sli=RatioSLI())
    slo = slo.replace(alerts=AlertPolicy("none", ()), burn_windows=())
    series = CountSeries([1_000, 2_000, 3_000], [1, 1, 0], [1, 2, 0], "1us")
    assert series.evaluate(slo, at=1_000).counts == Counts(1, 0)
    assert series.evaluate(slo).at_ns == 3_000
    history = series.history(slo)
    assert history.time_ns.tolist() == [0, 1_000, 2_000, 3_000]
    assert history.total.tolist() == [0, 1, 3, 3]
    assert series.history(slo, step="2us").time_ns.tolist() == [0, 2_000, 4_000]
    assert series.history(slo, start=1_500).time_ns.tolist() == [2_000, 3_000]
    assert series.history(slo, end=1_500).time_ns.tolist() == [0, 1_000]
    assert series.count(slo, step="2us").total.tolist() == [3, 0]
    found = series.compare_methods(slo, slice="2us", slice_target="60%", no_data="bad", at=4_000)
    assert found["timeslices"].slo.method == Timeslices("2us", "60%", "bad")
    assert found["timeslices"].counts == Counts(1, 1)
    assert found["occurrences"].at_ns == 4_000


def test_known_and_fresh_time_without_what_maintenance_takes() -> None:
    """Two updates, fresh for 10 ns each: excluded time is not known, forgiven time is fresh."""
    updates = np.array([100, 130])
    out = Stretches.of([Interval(105, 115, "left")])
    fine = Stretches.of([Interval(120, 125, "left")])
    plain = FreshSeries(updates, 10)
    touched = FreshSeries(updates, 10, Exempt(out, fine))
    edges = np.array([99, 100, 105, 110, 115, 120, 125, 130, 140, 200])
    assert [column.tolist() for column in plain.cumulative(edges)] == [
        [0, 0, 5, 10, 10, 10, 10, 10, 20, 20],
        [0, 0, 5, 10, 15, 20, 25, 30, 40, 100],
    ]
    assert [column.tolist() for column in touched.cumulative(edges)] == [
        [0, 0, 5, 5, 5, 5, 10, 10, 20, 20],
        [0, 0, 5, 5, 5, 10, 15, 20, 30, 90],
    ]
    assert plain.span == (100, 130)
    assert plain.coverage(Interval(50, 150, "right")) == 0.5
    assert plain.coverage(Interval(110, 150, "right")) == 1
    assert plain.coverage(Interval(0, 100, "right")) == 0
    nothing = FreshSeries(updates[:0], 10)
    assert [column.tolist() for column in nothing.cumulative(edges[:2])] == [[0, 0], [0, 0]]
    assert nothing.coverage(Interval(0, 10, "right")) == 0
    assert nothing.span is None


def test_ages_of_just_under_three_centuries_are_told() -> None:
    """2**63 - 1 ns have an int64, and one more has none; the newest update counts, or the edge."""
    fresh = FreshSeries(np.array([0]), 60)
    good, known = fresh.cumulative(np.array([2**63 - 1]))
    assert (good.tolist(), known.tolist()) == ([60], [2**63 - 1])
    early = FreshSeries(np.array([-1]), 60)
    said = "updates since 1969-12-31T23:59:59.999999999Z have an age of more than 292 years"
    with pytest.raises(InvalidSeriesError, match=said):
        early.cumulative(np.array([2**63 - 1, 0]))
    assert early.cumulative(np.array([2**63 - 2]))[1].tolist() == [2**63 - 1]


def test_units_up_to_an_edge_and_at_it() -> None:
    """At the edge itself an event counts, unless it is said otherwise; so in a window."""
    series = EventSeries(np.array([10, 20, 20, 30]), np.array([20]), (10, 30))
    for inclusive, good, total in ((True, 2, 3), (False, 1, 1)):
        found = series.cumulative(np.array([20]), inclusive=inclusive)
        assert [column.tolist() for column in found] == [[good], [total]]
    assert series.cumulative(np.array([20]))[1].tolist() == [3]
    assert window_counts(series, Interval(10, 30, "right")) == Counts(2, 1)
    assert window_counts(series, Interval(10, 30, "left")) == Counts(3, 1)
    assert window_counts(series, Interval(-(2**64), 20, "right")) == Counts(2, 1)
    assert series.coverage(Interval(0, 40, "right")) == 0.5
    assert series.coverage(Interval(15, 20, "right")) == 1
    assert series.coverage(Interval(40, 50, "right")) == 0
    assert series.coverage(Interval(10, 10, "right")) is None
    assert EventSeries(series.time_ns, series.bad_ns, None).coverage(Interval(0, 9, "right")) == 0


@pytest.mark.parametrize(
    ("closed", "labels", "total", "bad"),
    [
        ("right", [10, 20, 30], [1, 2, 1], [0, 1, 0]),
        ("left", [10, 20, 30], [1, 2, 1], [0, 1, 0]),
    ],
)
def test_events_at_the_edges_of_bins(
    closed: Any, labels: list[int], total: list[int], bad: list[int]
) -> None:
    """The end of a bin on the right, its start on the left; empty ones up to the instant."""
    series = EventSeries(np.array([10, 20, 20, 30]), np.array([20]), (10, 30))
    found = series.binned(10, closed=closed)
    assert (found.label_ns.tolist(), found.closed, found.step_ns) == (labels, closed, 10)
    assert found.total.tolist() == total
    assert (found.total - found.good).tolist() == bad
    assert series.binned(10, closed=closed, until_ns=5).label_ns.tolist() == labels
    last = 50 if closed == "right" else 40
    assert series.binned(10, closed=closed, until_ns=49).label_ns.tolist() == list(
        range(10, last + 1, 10)
    )
    assert series.binned(10).closed == "right"
    empty = EventSeries(series.time_ns[:0], series.bad_ns[:0], None).binned(10, closed=closed)
    assert (len(empty), empty.closed, empty.step_ns) == (0, closed, 10)
    beside = EventSeries(np.array([11, 19]), np.array([19]), (11, 19)).binned(10, closed=closed)
    assert beside.label_ns.tolist() == ([20] if closed == "right" else [10])
    assert (beside.good.tolist(), beside.total.tolist()) == ([1], [2])


@pytest.mark.parametrize("closed", ["right", "left"])
def test_events_are_binned_up_to_the_ends_of_time(closed: Any) -> None:
    """In the first and in the last bin that lies within it."""
    for first in (-((2**63 - 1) // 60) * 60, (2**63 - 1) // 60 * 60 - 60):
        inside = np.array([first + 30])
        found = EventSeries(inside, inside[:0], (first + 30, first + 30)).binned(60, closed=closed)
        assert found.label_ns.tolist() == [first + (60 if closed == "right" else 0)]
