"""Counters, gauges and buckets: laws of the anchored reading, and twins that agree."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from errorbudget import buckets, counters, over_time
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.kernels import buckets as bucket_kernels
from errorbudget.kernels import counters as kernels
from errorbudget.kernels import over_time as over_time_kernels
from errorbudget.kernels.counters.samples import range_sums
from errorbudget.kernels.counters.samples import samples as kernel_samples

RULES = st.sampled_from(counters.RULES)
SPACING = st.integers(1, 90_000) | st.sampled_from((15_000, 60_000, 300_000, 700_000))
COUNTS = st.integers(0, 10_000).map(float)
GAUGES = (
    st.floats(-1e6, 1e6)
    | st.integers(-5, 5).map(float)
    | st.sampled_from((math.inf, -math.inf, math.nan, counters.STALE))
)
HUGE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def series(draw: st.DrawFn, values: st.SearchStrategy[float]) -> tuple[list[int], list[float]]:
    times = np.cumsum([draw(st.integers(-50_000, 50_000)), *draw(st.lists(SPACING, max_size=30))])
    return times.tolist(), [draw(values) for _ in times]


@st.composite
def window_of(draw: st.DrawFn, times: list[int]) -> tuple[list[int], int]:
    edges = st.sampled_from(times) | st.integers(times[0] - 400_000, times[-1] + 400_000)
    ends = draw(st.lists(edges, min_size=1, max_size=4))
    length = draw(st.integers(1, 1_000_000) | st.sampled_from((15_000, 60_000, 300_000)))
    return ends, length


def same(pure: float | None, fast: float, *, rel: float = 1e-13) -> bool:
    if pure is None or math.isnan(pure):
        return math.isnan(fast)
    if math.isinf(pure):
        return pure == fast
    return math.isclose(pure, fast, rel_tol=rel, abs_tol=1e-300)


# ------------------------------------------------------------------------------------- twins

COUNTER_FUNCTIONS = ("increase", "rate", "delta", "irate", "idelta", "resets", "changes")
GAUGE_FUNCTIONS = (
    "avg_over_time",
    "count_over_time",
    "first_over_time",
    "last_over_time",
    "mad_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "sum_over_time",
)


@pytest.mark.parametrize("name", COUNTER_FUNCTIONS)
@given(st.data(), RULES)
def test_counter_twins_agree(name: str, data: st.DataObject, rules: counters.Rules) -> None:
    """The numpy twin gives the slow twin's answer at every instant, under every set of rules."""
    times, values = data.draw(series(GAUGES if name != "rate" else COUNTS))
    ends, length = data.draw(window_of(times))
    fast = getattr(kernels, name)(times, values, ends, length, rules)
    for end, answer in zip(ends, fast, strict=True):
        pure = getattr(counters, name)(times, values, end, length, rules)
        assert same(pure, answer), (name, pure, answer)


@pytest.mark.parametrize("name", GAUGE_FUNCTIONS)
@given(st.data(), RULES)
def test_gauge_twins_agree(name: str, data: st.DataObject, rules: counters.Rules) -> None:
    """Exact sums make the twins equal to the last digit or two, whatever the samples."""
    times, values = data.draw(series(GAUGES | HUGE))
    ends, length = data.draw(window_of(times))
    fast = getattr(over_time_kernels, name)(times, values, ends, length, rules)
    for end, answer in zip(ends, fast, strict=True):
        pure = getattr(over_time, name)(times, values, end, length, rules)
        assert same(pure, answer), (name, pure, answer)


@pytest.mark.parametrize("name", ["stdvar_over_time", "stddev_over_time", "deriv"])
@given(st.data(), RULES)
def test_spread_and_slope_twins_agree(
    name: str, data: st.DataObject, rules: counters.Rules
) -> None:
    """Spread and slope agree to what the data's own rounding leaves."""
    times, values = data.draw(series(st.integers(-1000, 1000).map(float)))
    ends, length = data.draw(window_of(times))
    fast = getattr(over_time_kernels, name)(times, values, ends, length, rules)
    for end, answer in zip(ends, fast, strict=True):
        pure = getattr(over_time, name)(times, values, end, length, rules)
        if pure is None:
            assert math.isnan(answer)
        else:
            assert math.isclose(pure, answer, rel_tol=1e-9, abs_tol=1e-9)


@given(st.data(), RULES, st.floats(-0.5, 1.5) | st.just(math.nan))
def test_quantile_twins_agree(data: st.DataObject, rules: counters.Rules, q: float) -> None:
    """The quantile of samples is the same in both twins, also outside [0, 1]."""
    times, values = data.draw(series(GAUGES))
    ends, length = data.draw(window_of(times))
    fast = over_time_kernels.quantile_over_time(q, times, values, ends, length, rules)
    for end, answer in zip(ends, fast, strict=True):
        assert same(over_time.quantile_over_time(q, times, values, end, length, rules), answer)


@given(st.data(), RULES, st.integers(1, 700_000))
def test_last_value_twins_agree(data: st.DataObject, rules: counters.Rules, lookback: int) -> None:
    """A stale marker and an old value both end a series, in both twins."""
    times, values = data.draw(series(GAUGES))
    ends, _ = data.draw(window_of(times))
    fast = kernels.last_value(times, values, ends, lookback, rules)
    for end, answer in zip(ends, fast, strict=True):
        assert same(counters.last_value(times, values, end, lookback, rules), answer)


@given(st.data(), st.integers(0, 700_000), st.sampled_from(("zero", "before")))
def test_anchored_twins_agree(data: st.DataObject, lookback: int, born: counters.Born) -> None:
    """Anchored growth, what gaps hide and coverage are the same in both twins, exactly."""
    times, values = data.draw(series(COUNTS | st.just(counters.STALE)))
    ends, length = data.draw(window_of(times))
    known: dict[str, Any] = {"lookback_ms": lookback}
    grown = kernels.anchored_increase(times, values, ends, length, born=born, **known)
    hidden = kernels.hidden_increase(times, values, ends, length, **known)
    covered = kernels.coverage(times, ends, length, **known)
    for index, end in enumerate(ends):
        pure = counters.anchored_increase(times, values, end, length, born=born, **known)
        assert grown[index] == pure if pure is not None else math.isnan(grown[index])
        assert hidden[index] == counters.hidden_increase(times, values, end, length, **known)
        assert covered[index] == float(counters.coverage(times, end, length, **known))


@given(
    st.lists(st.sampled_from((-1.0, 0.0, 0.1, 0.25, 0.5, 1.0, 2.0, math.inf)), max_size=9),
    st.data(),
    RULES,
    st.floats(-0.1, 1.1) | st.sampled_from((0.0, 0.5, 0.99, 1.0, math.nan)),
)
def test_bucket_twins_agree(
    bounds: list[float], data: st.DataObject, rules: counters.Rules, q: float
) -> None:
    """Quantiles and shares of buckets agree for any bounds, doubled, unsorted or without +Inf."""
    rows = [[data.draw(COUNTS) for _ in bounds] for _ in range(3)]
    table = np.array(rows).reshape(3, len(bounds))
    lower, upper = data.draw(st.tuples(*[st.floats(-2, 3) | st.sampled_from(bounds or [0.0])] * 2))
    fast = bucket_kernels.histogram_quantile(q, bounds, table, rules)
    shares = bucket_kernels.histogram_fraction(lower, upper, bounds, table, rules)
    for index, row in enumerate(rows):
        assert same(buckets.histogram_quantile(q, bounds, row, rules), fast[index], rel=1e-12)
        assert same(buckets.histogram_fraction(lower, upper, bounds, row, rules), shares[index])


# -------------------------------------------------------------------- laws of the anchored reading


@given(st.data(), st.integers(0, 700_000), st.sampled_from(("zero", "before")))
def test_adjacent_windows_add_up(data: st.DataObject, lookback: int, born: counters.Born) -> None:
    """Two adjacent windows, with what the gap between them hides, grow as the whole."""
    times, values = data.draw(series(COUNTS))
    (end, *_), length = data.draw(window_of(times))
    assume(length > 1)
    cut = data.draw(st.integers(1, length - 1))

    def grown(at: int, over: int) -> float:
        growth = counters.anchored_increase(
            times, values, at, over, lookback_ms=lookback, born=born
        )
        return growth or 0.0

    hidden = counters.hidden_increase(times, values, end, cut, lookback_ms=lookback)
    # A gap that hides growth from the whole hides it from whichever part the next sample is in.
    whole_hidden = counters.hidden_increase(times, values, end, length, lookback_ms=lookback)
    first_hidden = counters.hidden_increase(
        times, values, end - cut, length - cut, lookback_ms=lookback
    )
    parts = grown(end - cut, length - cut) + first_hidden + grown(end, cut) + hidden
    assert parts == grown(end, length) + whole_hidden


@given(st.data())
def test_increments_are_anchored_growth(data: st.DataObject) -> None:
    """Growth summed sample by sample is the growth of a window that holds all samples."""
    times, values = data.draw(series(COUNTS))
    _, grown = kernels.increments(times, values)
    whole = counters.anchored_increase(times, values, times[-1], times[-1] - times[0] + 1)
    assert grown.sum() == whole


@given(st.data(), st.integers(-(10**12), 10**12))
def test_the_clock_does_not_matter(data: st.DataObject, shift: int) -> None:
    """Moving samples and windows together changes nothing."""
    times, values = data.draw(series(COUNTS))
    ends, length = data.draw(window_of(times))
    moved = [time + shift for time in times], values, [end + shift for end in ends], length
    for function in (kernels.increase, kernels.anchored_increase):
        np.testing.assert_array_equal(function(*moved), function(times, values, ends, length))


@given(st.data())
def test_inputs_come_back_unmodified(data: st.DataObject) -> None:
    """Read-only, strided and big-endian arrays are read as they are, and left so."""
    times, values = data.draw(series(COUNTS))
    ends, length = data.draw(window_of(times))
    stride = np.repeat(np.array(times, dtype=">i8"), 2)[::2]
    locked = np.array(values)
    locked.flags.writeable = False
    np.testing.assert_array_equal(
        kernels.anchored_increase(stride, locked, ends, length),
        kernels.anchored_increase(times, values, ends, length),
    )
    assert stride.tolist() == times
    assert locked.tolist() == values


def test_a_late_child_is_not_lost() -> None:
    """The first 503 of a process that was there before counts; asked for by name, it does not."""
    times, values = [600_000, 660_000], [3.0, 4.0]
    assert counters.anchored_increase(times, values, 660_000, 660_000) == 4.0
    assert counters.anchored_increase(times, values, 660_000, 660_000, born="before") == 1.0
    assert counters.increase(times, values, 660_000, 660_000) == pytest.approx(1.5)


def test_totals_beyond_whole_floats_are_summed_window_by_window() -> None:
    """Above 2**53 running sums would round; each window is summed on its own instead."""
    values = [0.1, 2.0**60, 0.25, 2.0**59, 0.5, 0.75]
    times = list(range(0, 6_000, 1_000))
    fast = kernels.increase(times, values, [5_000], 2_000, "prom2.53")
    assert fast[0] == counters.increase(times, values, 5_000, 2_000, "prom2.53")
    assert kernels.anchored_increase(times, values, [5_000], 1_000)[0] == 0.25


def test_ten_thousand_windows_do_not_drift() -> None:
    """After a million samples with resets every answer is still exact."""
    steps = np.random.default_rng(5).integers(0, 1_000, 200_000)
    values = steps.cumsum().astype(float)
    for at in (50_000, 111_111, 190_000):
        values[at:] -= values[at]
    times = np.arange(len(values), dtype=np.int64) * 1_000
    ends = times[-2_000:]
    fast = kernels.anchored_increase(times, values, ends, 150_000_000)
    taken = np.concatenate(([values[0]], np.diff(values)))
    taken = np.where(taken < 0, values, taken).astype(np.int64)
    running = np.concatenate(([0], taken.cumsum()))
    positions = ends // 1_000 + 1
    np.testing.assert_array_equal(fast, running[positions] - running[positions - 150_000])


# ------------------------------------------------------------------------------ worked by hand

NAN, INF = math.nan, math.inf


def equal(answer: float | np.ndarray | None, expected: float) -> bool:
    [found] = np.ravel(np.array(answer, dtype=float)).tolist()
    return bool(math.isnan(found) if math.isnan(expected) else found == expected)


@pytest.mark.parametrize("module", [buckets, bucket_kernels])
@pytest.mark.parametrize(
    ("q", "bounds", "counts", "expected"),
    [
        (0.75, [1, 2, INF], [0, 4, 4], 1.75),  # evenly inside (1, 2]
        (0.25, [1, 2, INF], [4, 8, 8], 0.5),  # the lowest bucket begins at 0
        (0.25, [-1, 1, INF], [4, 8, 8], -1.0),  # or has no beginning
        (0.9, [1, 2, INF], [1, 2, 4], 2.0),  # above the last finite bound nothing is known
        (0.75, [1, 2, 3, INF], [4, 2, 8, 8], 2.5),  # a count that falls is lifted to 4
        (0.25, [1, INF, 1], [1, 4, 1], 0.5),  # 1 has two of the four
        (0.0, [1, 2, INF], [0, 4, 4], NAN),  # rank 0 in a bucket without events
        (0.0, [1, 2, INF], [2, 4, 4], 0.0),
        (0.0, [0, 1, INF], [0, 4, 4], 0.0),
        (0.5, [1, 2, INF], [0, 0, 4], 2.0),
        (0.5, [1, 2, 3, INF], [0, 4, 4, 4], 1.5),
        (0.5, [1, INF], [0, 1], 1.0),
        (0.5, [1, INF], [0, 0], NAN),
        (0.5, [1, INF], [1, NAN], NAN),
        (0.5, [1, 2, INF], [1, 2, NAN], NAN),
        (0.5, [-1, 1, INF], [1, 2, NAN], NAN),
        (0.5, [INF], [5], NAN),
        (0.5, [1, 2], [1, 2], NAN),
        (0.5, [], [], NAN),
        (NAN, [1, INF], [1, 2], NAN),
        (-0.1, [1, INF], [1, 2], -INF),
        (1.1, [1, INF], [1, 2], INF),
    ],
)
def test_quantiles_of_buckets(
    module: Any, q: float, bounds: list[float], counts: list[float], expected: float
) -> None:
    """Linear inside a bucket, and NaN wherever a server cannot tell either."""
    assert equal(module.histogram_quantile(q, bounds, counts), expected)


@pytest.mark.parametrize("module", [buckets, bucket_kernels])
def test_steps_of_rounding_are_no_events(module: Any) -> None:
    """A trillionth of an event in the next bucket moves the maximum, under the old rules only."""
    bounds, counts = [1.0, 2.0, INF], [100.0, 100 + 1e-11, 100 + 1e-11]
    for rules, expected in (("prom2.42", 2.0), ("prom2.53", 1.0), ("prom3", 1.0)):
        assert equal(module.histogram_quantile(1.0, bounds, counts, rules), expected)


@pytest.mark.parametrize("module", [buckets, bucket_kernels])
@pytest.mark.parametrize(
    ("lower", "upper", "bounds", "counts", "expected"),
    [
        (0.25, 0.75, [1, INF], [4, 8], 0.25),  # half of the first half
        (-3, 0.5, [1, INF], [4, 8], 0.25),  # nothing lies below 0
        (-5, 0, [-1, 1, INF], [4, 8, 8], 0.25),  # nothing is known inside (-inf, -1]
        (-INF, -1, [-1, 1, INF], [4, 8, 8], 0.5),
        (-INF, INF, [-1, 1, INF], [4, 8, 8], 1.0),
        (2, INF, [1, 2, INF], [1, 2, 4], 0.5),
        (3, INF, [1, 2, INF], [1, 2, 4], 0.5),  # nor inside (2, inf]
        (3, 9, [1, 2, INF], [1, 2, 4], 0.0),
        (1, 1, [1, INF], [4, 8], 0.0),
        (2, 1, [1, INF], [4, 8], 0.0),
        (2, 1, [1, INF], [0, 0], NAN),
        (0, 1, [1, INF], [0, 0], NAN),
        (0, 1, [1, INF], [0, 1], 0.0),
        (0, 1, [1, INF], [1, 1], 1.0),
        (NAN, 1, [1, INF], [4, 8], NAN),
        (0, NAN, [1, INF], [4, 8], NAN),
        (0, 1, [1, 2], [4, 8], NAN),
        (0, 1, [], [], NAN),
    ],
)
def test_shares_of_buckets(
    module: Any,
    lower: float,
    upper: float,
    bounds: list[float],
    counts: list[float],
    expected: float,
) -> None:
    """Linear inside a bucket, a step at the end of an infinite one."""
    assert equal(module.histogram_fraction(lower, upper, bounds, counts), expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("module", [over_time, over_time_kernels])
@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("sum_over_time", [1e308, 1e308], INF),
        ("sum_over_time", [-1e308, -1e308], -INF),
        ("sum_over_time", [1e308, 1e308, -1e308], 1e308),  # though the first two overflow
        ("sum_over_time", [INF, 1.0], INF),
        ("sum_over_time", [INF, -INF], NAN),
        ("sum_over_time", [1.0, INF, -INF], NAN),
        ("avg_over_time", [1.0, INF, -INF], NAN),
        ("sum_over_time", [1.0, NAN], NAN),
        ("avg_over_time", [1.5e308, 1.5e308], 1.5e308),
        ("avg_over_time", [-INF, 1.0], -INF),
        ("min_over_time", [NAN, 2.0, 1.0], 1.0),
        ("min_over_time", [NAN, NAN], NAN),
        ("max_over_time", [NAN, 2.0, 1.0], 2.0),
        ("stdvar_over_time", [1.0, 3.0], 1.0),
        ("stdvar_over_time", [1e308, 0.0, 1e308], INF),
        ("stdvar_over_time", [2.0**511, -(2.0**511)], 2.0**1022),  # squares add up to 2**1023
        ("stdvar_over_time", [2.0**511.5] * 8, 0.0),
        ("stdvar_over_time", [1.0, INF], NAN),
        ("stddev_over_time", [2.0**511] * 8 + [-(2.0**511)] * 8, 2.0**511),
        ("stddev_over_time", [NAN, 1.0], NAN),
        ("deriv", [1.0, 3.0, 5.0], 2.0),
        ("deriv", [0.0, 2.0**1000, 2.0**1001], 2.0**1000),
        ("deriv", [1.7e308, -1.7e308, 1.7e308], 0.0),
        ("deriv", [1.0, -INF], NAN),
        ("deriv", [1.0], NAN),
    ],
)
def test_samples_at_the_limits(
    module: Any, name: str, values: list[float], expected: float
) -> None:
    """One sample a second; what fits a float is answered, what does not is infinite."""
    times = [1_000 * row for row in range(1, len(values) + 1)]
    ends: Any = times[-1] if module is over_time else [times[-1]]
    assert equal(getattr(module, name)(times, values, ends, 60_000), expected)


# ---------------------------------------------------------------------------------------- doors


@pytest.mark.parametrize("module", [counters, kernels])
def test_bad_input_is_named(module: Any) -> None:
    """Times that do not ascend, values that are no counts and unknown rules are refused."""
    with pytest.raises(InvalidSeriesError, match="must ascend") as caught:
        module.increase([0, 5, 5], [1.0, 2.0, 3.0], 10, 10)
    assert caught.value.index == 2
    with pytest.raises(InvalidSeriesError, match="finite and not negative") as caught:
        module.anchored_increase([0, 5], [1.0, -2.0], 10, 10)
    assert caught.value.index == 1
    with pytest.raises(InvalidSeriesError, match="one"):
        module.rate([0, 5], [1.0], 10, 10)
    with pytest.raises(InvalidInputError, match=r"prom2\.42, prom2\.53, prom3"):
        module.rate([0, 5], [1.0, 2.0], 10, 10, "prom4")
    with pytest.raises(InvalidInputError, match="longer than 0"):
        module.rate([0, 5], [1.0, 2.0], 10, 0)


def test_times_are_whole_milliseconds() -> None:
    """Seconds as floats would be off by a factor of a thousand without a word."""
    with pytest.raises(InvalidInputError, match="whole milliseconds"):
        kernels.increase([0.5, 1.5], [1, 2], [2], 2)


@pytest.mark.parametrize("module", [buckets, bucket_kernels])
def test_bad_buckets_are_named(module: Any) -> None:
    """A NaN bound, a missing count and unknown rules are refused."""
    with pytest.raises(InvalidSeriesError, match="NaN"):
        module.histogram_quantile(0.5, [math.nan, math.inf], [1, 2])
    with pytest.raises(InvalidSeriesError, match="is needed"):
        module.histogram_quantile(0.5, [1.0, math.inf], [1])
    with pytest.raises(InvalidInputError, match="rules must be"):
        module.histogram_fraction(0, 1, [1.0, math.inf], [1, 2], "prom1")


def test_coverage_is_a_share() -> None:
    """A silent hour of two is half, and the sample before it speaks for the look-back."""
    times = [0, 3_600_000, 7_200_000]
    assert counters.coverage(times, 7_200_000, 7_200_000, lookback_ms=1_800_000) == Fraction(1, 2)
    assert counters.coverage([], 10, 10) == 0
    assert kernels.coverage([], [10], 10)[0] == 0


# ---------------------------------------------------------------------------- by the hundred


def scraped(seed: int) -> tuple[list[int], list[float], list[int]]:
    """A counter of 200 scrapes with restarts, zeros and gaps; instants at, around and between."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([15_000, 15_000, 15_001, 30_000, 400_000], 200)
    times = np.cumsum(steps)
    values, value = [], 0
    for roll in rng.random(len(times)):
        value = int(rng.integers(0, 3)) if roll < 0.08 else value + int(rng.integers(0, 9))
        values.append(float(value))
    ends = np.unique(np.concatenate([times, times + 1, times - 1, times + 7_500]))
    return times.tolist(), values, ends.tolist()


@pytest.mark.parametrize("rules", counters.RULES)
@pytest.mark.parametrize("name", COUNTER_FUNCTIONS)
@pytest.mark.parametrize("length", [15_000, 61_000, 900_000])
def test_twins_agree_on_what_is_scraped(name: str, length: int, rules: counters.Rules) -> None:
    """At hundreds of instants: restarts, zeros near the start, edges on samples."""
    times, values, ends = scraped(length)
    if name in ("delta", "idelta"):
        values = [value - 6 for value in values]
    fast = getattr(kernels, name)(times, values, ends, length, rules)
    for end, answer in zip(ends, fast.tolist(), strict=True):
        assert same(getattr(counters, name)(times, values, end, length, rules), answer)


@pytest.mark.parametrize("length", [15_000, 61_000, 900_000])
@pytest.mark.parametrize("lookback", [0, 15_000, 300_000, 400_000])
def test_anchored_twins_agree_on_what_is_scraped(length: int, lookback: int) -> None:
    """A gap as long as the look-back is none; a millisecond more is one."""
    times, values, ends = scraped(length + lookback)
    known: dict[str, Any] = {"lookback_ms": lookback}
    for name in ("anchored_increase", "hidden_increase"):
        fast = getattr(kernels, name)(times, values, ends, length, **known)
        for end, answer in zip(ends, fast.tolist(), strict=True):
            assert same(getattr(counters, name)(times, values, end, length, **known), answer)
    covered = kernels.coverage(times, ends, length, **known)
    pure = [float(counters.coverage(times, end, length, **known)) for end in ends]
    assert covered.tolist() == pure


def test_the_last_two_of_many() -> None:
    """`irate` looks at the last two samples alone; extrapolation begins at the first of them."""
    times, values = [0, 60_000, 120_000, 180_000], [1.0, 7.0, 9.0, 4.0]
    assert counters.irate(times, values, 120_000, 600_000) == 2 / 60
    assert counters.irate(times, values, 180_000, 600_000) == 4 / 60
    assert counters.increase(times, [100.0, 110.0, 120.0, 130.0], 210_000, 270_000) == 45
    assert counters.delta(times, [5.0, 3.0, 4.0, 2.0], 210_000, 270_000) == -4.5


def test_a_bucket_may_hold_one_event() -> None:
    """One in all is enough for a quantile, and none or NaN is not."""
    for rules in counters.RULES:
        for counts, expected in (([1.0, 1.0], 0.5), ([0.0, 0.0], None), ([1.0, math.nan], None)):
            pure = buckets.histogram_quantile(0.5, [1.0, math.inf], counts, rules)
            [fast] = bucket_kernels.histogram_quantile(0.5, [1.0, math.inf], [counts], rules)
            assert same(expected, pure), (rules, counts)
            assert same(expected, fast), (rules, counts)


@pytest.mark.parametrize("rules", ["prom2.42", "prom2.53", "prom3"])
@pytest.mark.parametrize(
    ("at", "length", "grown"),
    [
        (3_100, 3_100, 25),  # as far from the start as 1.1 times the spacing: half of it is taken
        (3_100, 3_099, 20 * 3.099 / 2),
        (4_200, 4_200, 30),  # and as far from the end
        (4_199, 4_199, 20 * (2 + 0.5 + 1.099) / 2),
    ],
)
def test_growth_is_carried_on_to_within_a_tenth(
    rules: counters.Rules, at: int, length: int, grown: float
) -> None:
    """Less than 1.1 times the spacing of the samples, and from there on for half of it."""
    times, values = [1_100, 2_100, 3_100], [100.0, 110.0, 120.0]
    assert counters.increase(times, values, at, length, rules) == pytest.approx(grown, rel=1e-12)
    (found,) = kernels.increase(times, values, [at], length, rules)
    assert found == pytest.approx(grown, rel=1e-12)


@pytest.mark.filterwarnings("error")
def test_growth_beyond_the_floats_is_infinite_without_a_word() -> None:
    """And of infinite values there is none."""
    times = [1_000, 2_000, 3_000]
    for values, grown in (([0.0, 1e308, 1.7e308], INF), ([INF, INF, INF], NAN)):
        assert equal(kernels.increase(times, values, [20_000], 20_000)[0], grown)
    assert equal(kernels.irate(times, [1.0, INF, INF], [3_000], 3_000)[0], NAN)


def test_markers_of_staleness_are_no_samples() -> None:
    """Whatever reads counts by anchors passes over them."""
    times, values = [1_000, 2_000, 3_000], [1.0, counters.STALE, 4.0]
    found = kernel_samples(times, values)
    assert [column.tolist() for column in found] == [[1_000, 3_000], [1.0, 4.0]]
    whole = kernel_samples(times, [1.0, 2.0, 4.0])
    assert [column.tolist() for column in whole] == [times, [1.0, 2.0, 4.0]]


def test_resets_beyond_the_floats_are_infinite() -> None:
    """What they took away is more than a float holds; the twins say so alike."""
    times, values = [0, 1_000, 2_000, 3_000, 4_000], [1.7e308, 0.0, 1.7e308, 0.0, 1.0]
    assert counters.increase(times, values, 4_000, 10_000) == INF
    assert kernels.increase(times, values, [4_000], 10_000).tolist() == [INF]
    once = [INF, 0.0, 5.0, 1.0, 2.0]
    assert equal(counters.increase(times, once, 4_000, 10_000), NAN)
    assert equal(kernels.increase(times, once, [4_000], 10_000)[0], NAN)


def test_a_series_without_samples_has_no_growth() -> None:
    """Nothing grew, nothing is known, and nothing is wrong."""
    assert kernels.increments([], [])[1].tolist() == []
    assert equal(kernels.anchored_increase([], [], [10], 10)[0], NAN)
    assert kernels.hidden_increase([], [], [10], 10).tolist() == [0.0]
    assert equal(kernels.last_value([], [], [10])[0], NAN)
    assert equal(kernels.increase([], [], [10], 10)[0], NAN)


def test_a_value_that_is_no_number_is_a_change() -> None:
    """Once on the way there and once on the way back, and none from NaN to NaN."""
    times, values = [0, 1_000, 2_000, 3_000], [1.0, NAN, NAN, 2.0]
    assert counters.changes(times, values, 3_000, 10_000) == 2
    assert kernels.changes(times, values, [3_000], 10_000).tolist() == [2.0]


def test_a_marker_ends_a_series_at_its_own_instant() -> None:
    """A millisecond before it the value is known; later values are known again."""
    times, values = [0, 1_000, 2_000], [5.0, counters.STALE, 7.0]
    for at, expected in ((-1, NAN), (999, 5.0), (1_000, NAN), (1_999, NAN), (2_000, 7.0)):
        assert equal(counters.last_value(times, values, at), expected)
        assert equal(kernels.last_value(times, values, [at])[0], expected)


@pytest.mark.filterwarnings("error")
def test_sums_of_slices_are_rounded_once() -> None:
    """Whole numbers by running sums; where parts or large ones are among them, each by itself."""
    for values in ([0.1] * 9, [1.0, 0.1, 0.2, 0.3, 7.0], [2.0**53, 1.0, 1.0, 1.0], [INF, 1.0]):
        column = np.array(values)
        first, end = np.triu_indices(len(values) + 1)
        found = range_sums(column, first, end)
        assert found.tolist() == [math.fsum(values[a:b]) for a, b in zip(first, end, strict=True)]
    huge = np.array([1.5e308, 1.5e308])
    assert range_sums(huge, np.array([0, 0]), np.array([1, 2])).tolist() == [1.5e308, INF]
    assert range_sums(huge, np.array([], int), np.array([], int)).dtype == np.float64


def test_samples_are_plain_and_not_copied_without_need() -> None:
    """Times are int64 and values float64, of whatever kind they came; markers are taken out."""
    times, values = kernel_samples(np.array([1, 2], np.int16), [3, 4])
    assert (times.dtype, values.dtype) == (np.int64, np.float64)
    assert kernel_samples([], [])[0].dtype == np.int64
    assert kernel_samples([], [])[1].dtype == np.float64
    given = np.array([1, 2]), np.array([3.0, 4.0])
    for column, found in zip(given, kernel_samples(*given), strict=True):
        assert np.shares_memory(column, found)
    assert kernels.is_stale(np.array([1, 2, 3], np.float32)).tolist() == [False] * 3
    assert kernels.is_stale([1, 2]).tolist() == [False] * 2


def test_counts_of_small_types_do_not_go_round() -> None:
    """A bucket in bytes that holds fewer than the one below it is less by so many, not by 256."""
    bounds, counts = [1.0, 2.0, INF], [200, 100, 250]
    small = np.array(counts, dtype=np.uint8)
    share = buckets.histogram_fraction(1.0, 1.5, bounds, counts)
    assert equal(bucket_kernels.histogram_fraction(1.0, 1.5, bounds, small), share)
