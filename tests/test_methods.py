"""Slices as units of budget, in plain Python and over arrays."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import Counts, CountSeries, Occurrences, RatioTimeslices, Target, Timeslices
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.methods import OCCURRENCES, as_method, slice_counts
from errorbudget.slices import RATIO_SCALE, filled, ratio_slices, verdicts
from errorbudget.windows import Interval
from tests import strategies

bins = st.lists(
    st.integers(0, 6).flatmap(
        lambda total: st.integers(0, total).map(lambda good: Counts(good, total - good))
    ),
    min_size=1,
    max_size=30,
)
large = st.lists(
    st.builds(Counts, st.integers(0, 2**40), st.integers(0, 2**40)), min_size=1, max_size=5
)


def series_of(counts: list[Counts], closed: Any = "right") -> CountSeries:
    labels = (np.arange(len(counts)) + 5) * 60
    return CountSeries(
        labels, [c.good for c in counts], [c.total for c in counts], step_ns=60, closed=closed
    )


@given(bins | large, strategies.timeslices | strategies.ratio_timeslices)
def test_plain_and_columnar_slices_agree(counts: list[Counts], method: Any) -> None:
    """Verdict by verdict, and ratio by ratio to 2**-44."""
    one = replace(method, slice=60)
    plain = slice_counts(counts, one)
    for closed in ("right", "left"):
        series = series_of(counts, closed)
        if isinstance(one, Timeslices):
            judged = verdicts(series, one)
            assert judged.total.sum() == plain.total
            assert judged.good.sum() == plain.good
        else:
            ratio = ratio_slices(series, one)
            span = ratio.span
            assert span is not None
            found = ratio.counts(Interval(span[0], span[1], "right"))
            assert (found.good, found.bad) == (plain.good, plain.bad)
            good, total = ratio.cumulative(np.array([span[1]]))
            assert total[0] == plain.total * RATIO_SCALE
            assert good[0] / RATIO_SCALE == pytest.approx(float(plain.good), abs=1e-11)


@given(bins, st.sampled_from(["50%", "2/3", "100%"]), st.booleans())
def test_a_slice_is_judged_by_its_own_ratio(
    counts: list[Counts], target: str, strict: bool
) -> None:
    """Good at the slice target, or above it when strict."""
    method = Timeslices(60, target, strict=strict)
    for each in counts:
        verdict = method.judge(each)
        if not each:
            assert verdict is None
        else:
            share = Fraction(each.good) / Fraction(each.total)
            wanted = Target(target).ratio
            assert verdict == (share > wanted or (share == wanted and not strict))


@given(bins)
def test_the_three_policies_for_silence(counts: list[Counts]) -> None:
    """An empty slice is left out, good or bad, and nothing else changes."""
    empty = sum(not c for c in counts)
    out, good, bad = (
        slice_counts(counts, RatioTimeslices(60, no_data)) for no_data in ("exclude", "good", "bad")
    )
    assert out.total == len(counts) - empty
    assert (good.good - out.good, good.bad - out.bad) == (empty, 0)
    assert (bad.good - out.good, bad.bad - out.bad) == (0, empty)


def test_many_different_totals_are_summed_in_floats() -> None:
    """Beyond 256 totals a common denominator outgrows its use; the sum is correctly rounded."""
    counts = [Counts(total // 2, total - total // 2) for total in range(1, 400)]
    exact = sum(Fraction(c.good, c.total) for c in counts)  # type: ignore[arg-type]
    found = slice_counts(counts, RatioTimeslices(60))
    assert found.good == pytest.approx(float(exact), rel=2**-51)
    assert found.total == pytest.approx(399)


def test_silence_counts_beside_many_different_totals() -> None:
    """Empty slices are whole units, however the ratios of the others are summed."""
    counts = [*(Counts(total, total) for total in range(1, 300)), Counts(), Counts()]
    for no_data, good, bad in (("exclude", 0, 0), ("good", 2, 0), ("bad", 0, 2)):
        found = slice_counts(counts, RatioTimeslices(60, no_data))  # type: ignore[arg-type]
        assert (found.good, found.bad) == (149.5 + good, 149.5 + bad)


def test_coverage_knows_what_was_left_out() -> None:
    """Slices without data are not observed when they are left out, and are when they are judged."""
    counts = [Counts(1, 0), Counts(), Counts(), Counts(1, 0)]
    whole = Interval(240, 480, "right")
    for no_data, share in (("exclude", 0.5), ("good", 1.0), ("bad", 1.0)):
        method = Timeslices(60, "50%", no_data)  # type: ignore[arg-type]
        assert verdicts(series_of(counts), method).coverage(whole) == share
        ratio = ratio_slices(series_of(counts), RatioTimeslices(60, no_data))  # type: ignore[arg-type]
        assert ratio.coverage(whole) == share


def test_gaps_are_filled() -> None:
    """A series with holes gets a bin for every step, unobserved where that is known."""
    series = CountSeries([60, 180], [1, 1], [1, 1], 60, observed=[True, True])
    whole = filled(series, until_ns=300)
    assert whole.label_ns.tolist() == [60, 120, 180, 240, 300]
    assert whole.total.tolist() == [1, 0, 1, 0, 0]
    assert whole.observed is not None
    assert whole.observed.tolist() == [True, False, True, False, False]
    assert filled(CountSeries([60, 180], [1, 1], [1, 1], 60)).observed is None
    empty = CountSeries([], [], [], 60)
    assert filled(empty) is empty
    with pytest.raises(InvalidSeriesError, match="take a longer step"):
        filled(CountSeries([0, 60 * 10**9], [1, 1], [1, 1], 60))


def test_ratio_slices_have_a_limit() -> None:
    """Beyond a million slices the fixed point would overflow, and says so."""
    n = 2**20 + 1
    ratio = ratio_slices(
        CountSeries(np.arange(n), np.ones(n, int), np.ones(n, int), 1), RatioTimeslices(1)
    )
    with pytest.raises(InvalidSeriesError, match="take longer slices"):
        ratio.cumulative(np.array([0]))


def test_large_slices_are_judged_in_whole_numbers() -> None:
    """2**60 events in a slice are compared without rounding."""
    one = CountSeries([60], [2**60 - 1], [2**60], 60)
    assert verdicts(one, Timeslices(60, "100%")).good.tolist() == [0]
    assert verdicts(one, Timeslices(60, "99.99%")).good.tolist() == [1]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Timeslices(0), "longer than 0"),
        (lambda: Timeslices("1 minut"), 'did you mean "minute"'),
        (lambda: Timeslices(True), "not a slice"),
        (lambda: Timeslices("1m", 99), 'for percent write "99%"'),
        (lambda: Timeslices("1m", no_data="maybe"), "no_data must be"),
        (lambda: RatioTimeslices(None), "not a slice"),
        (lambda: as_method("timeslices"), "need a slice and its target"),
        (lambda: as_method("events"), "method must be"),
        (lambda: as_method(5), "method must be"),
        (lambda: as_method(None), "method must be"),
    ],
)
def test_methods_that_make_no_sense(build: Any, message: str) -> None:
    """Each is refused with what fits."""
    with pytest.raises(InvalidInputError, match=message):
        build()


def test_methods_by_name() -> None:
    """However it is spelt."""
    assert as_method("Occurrences") is OCCURRENCES
    assert as_method(" ratio-timeslices ") == as_method("RatioTimeslices") == RatioTimeslices()
    assert as_method(OCCURRENCES) is OCCURRENCES
    assert [str(m) for m in (Occurrences(), Timeslices(), RatioTimeslices())] == [
        "occurrences",
        "timeslices of 1m at 99%",
        "ratio timeslices of 1m",
    ]
    assert [m.name for m in (Occurrences(), Timeslices(), RatioTimeslices())] == [
        "occurrences",
        "timeslices",
        "ratio_timeslices",
    ]
