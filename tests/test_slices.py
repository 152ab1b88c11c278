"""Slices of counts: holes are filled, verdicts are exact, and empty ones are what they are said."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from errorbudget import Counts, CountSeries, RatioTimeslices, Timeslices
from errorbudget.errors import InvalidSeriesError
from errorbudget.kernels.stretches import Exempt, Stretches
from errorbudget.series import bins
from errorbudget.slices import RATIO_SCALE, filled, ratio_slices, reaches, verdicts
from errorbudget.windows import Interval

THREE = CountSeries([10, 20, 50], [9, 8, 0], [10, 10, 4], 10)
"""Good, bad, two missing bins, and bad."""
NOTHING = CountSeries([], [], [], 10)


def exempt(excluded: list[tuple[int, int]], forgiven: list[tuple[int, int]] = ()) -> Exempt:  # type: ignore[assignment]
    """Maintenance over stretches [start, end)."""
    return Exempt(
        *(
            Stretches.of([Interval(*part, "left") for part in parts])
            for parts in (excluded, forgiven)
        )
    )


@pytest.mark.parametrize(("closed", "moved"), [("right", 0), ("left", 10)])
def test_holes_are_filled_with_empty_bins(closed: Any, moved: int) -> None:
    """Between the bins, and behind them for every whole step up to an instant."""
    series = CountSeries(THREE.label_ns, THREE.good, THREE.total, 10, closed, [True, False, True])
    for until, last in ((None, 50), (5, 50), (59, 50), (60, 60), (79, 70)):
        found = filled(series, None if until is None else until + moved)
        empty = (last - 50) // 10 * [0]
        assert found.label_ns.tolist() == list(range(10, last + 1, 10))
        assert found.good.tolist() == [9, 8, 0, 0, 0, *empty]
        assert found.total.tolist() == [10, 10, 0, 0, 4, *empty]
        assert found.observed is not None
        assert found.observed.tolist() == [True, False, False, False, True, *map(bool, empty)]
        assert (found.step_ns, found.closed) == (10, closed)
    assert filled(THREE).observed is None
    assert {column.dtype for column in (filled(THREE).good, filled(THREE).total)} == {
        np.dtype(np.int64)
    }


def test_what_has_no_holes_is_kept() -> None:
    """Nothing, and bins without gaps, need no filling."""
    whole = CountSeries([10, 20], [1, 1], [1, 1], 10)
    assert filled(whole) is whole
    assert filled(whole, 29) is whole
    assert filled(NOTHING, 100) is NOTHING


def test_absurdly_many_empty_bins_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a grid may have, and not one more."""
    monkeypatch.setattr(bins, "GRID_LIMIT", 5)
    assert len(filled(THREE)) == 5
    with pytest.raises(InvalidSeriesError, match="a step of 10ns over this span makes 6 bins"):
        filled(THREE, 60)


@pytest.mark.parametrize("scale", [1, 2**58], ids=["small", "beyond 64 bits"])
def test_slices_reach_their_target_in_integers(scale: int) -> None:
    """9 of 10 reach 90 %, strictly they do not, and one event more or less decides."""
    total = np.full(3, 10 * scale)
    good = np.array([9 * scale - 1, 9 * scale, 9 * scale + 1])
    assert reaches(good, total, Timeslices(10, "90%")).tolist() == [False, True, True]
    strict = reaches(good, total, Timeslices(10, "90%", strict=True))
    assert strict.tolist() == [False, False, True]
    assert strict.dtype == np.bool_


def test_twice_a_count_may_need_64_bits() -> None:
    """2**62 of 2**62 are all of them, though the double has no int64."""
    most = np.array([2**62])
    assert reaches(most, most, Timeslices(10, "50%")).tolist() == [True]
    assert reaches(most[:0], most[:0], Timeslices(10, "50%")).tolist() == []


EMPTY: list[tuple[Any, list[int], list[int]]] = [
    ("exclude", [1, 0, 0, 0, 0], [1, 1, 0, 0, 1]),
    ("good", [1, 0, 1, 1, 0], [1, 1, 1, 1, 1]),
    ("bad", [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]),
]


@pytest.mark.parametrize(("no_data", "good", "total"), EMPTY)
def test_a_unit_a_slice(no_data: Any, good: list[int], total: list[int]) -> None:
    """Good, bad, or none; coverage does not count those that are left out."""
    found = verdicts(THREE, Timeslices(10, "90%", no_data))
    assert (found.good.tolist(), found.total.tolist()) == (good, total)
    if no_data == "exclude":
        assert found.observed is not None
        assert found.observed.tolist() == [True, True, False, False, True]
    else:
        assert found.observed is None
    assert found.good.dtype == found.total.dtype == np.int64


@pytest.mark.parametrize("no_data", ["exclude", "good", "bad"])
def test_empty_slices_in_maintenance(no_data: Any) -> None:
    """Left out or good as the maintenance says; a slice with events is judged as ever."""
    series = CountSeries([10, 20, 60], [9, 8, 9], [10, 10, 10], 10)
    method = Timeslices(10, "90%", no_data)
    upkeep = exempt([(10, 20), (20, 30)], [(0, 10), (40, 50)])  # (30, 40] is no maintenance
    found = verdicts(series, method, 79, upkeep)
    unit = {"exclude": (0, 0), "good": (1, 1), "bad": (0, 1)}[no_data]
    assert [*zip(found.good.tolist(), found.total.tolist(), strict=True)] == [
        (1, 1),
        (0, 1),
        (0, 0),
        unit,
        (1, 1),
        (1, 1),
        unit,
    ]
    assert found.observed is not None
    assert found.observed.tolist() == [bool(total) for total in found.total.tolist()]
    ratio = ratio_slices(series, RatioTimeslices(10, no_data), 79, upkeep)
    assert ratio.left_out.tolist() == [not total for total in found.total.tolist()]
    tenths = [9, 8, 0, 10 * unit[0], 10, 9, 10 * unit[0]]
    good, total = ratio.cumulative(np.arange(10, 80, 10))
    sums = np.cumsum(tenths) * RATIO_SCALE / 10
    np.testing.assert_allclose(good, sums, rtol=0, atol=4)
    assert (total // RATIO_SCALE).tolist() == np.cumsum(found.total).tolist()
    assert ratio.slices.observed is not None
    assert ratio.slices.observed.tolist() == found.observed.tolist()


def test_a_slice_partly_in_maintenance_is_judged_as_any_other() -> None:
    """One nanosecond outside of it is enough."""
    series = CountSeries([10, 30], [1, 1], [1, 1], 10)
    for parts, units in (([(10, 20)], 2), ([(10, 19)], 3), ([(11, 20)], 3)):
        found = verdicts(series, Timeslices(10, no_data="bad"), None, exempt(parts))
        assert int(found.total.sum()) == units


def test_bins_that_were_not_observed_stay_so() -> None:
    """A slice that is left out was not observed, beside those that were not before."""
    series = CountSeries([10, 20, 40], [1, 1, 1], [1, 1, 1], 10, observed=[True, False, True])
    for no_data, seen in (("exclude", [1, 0, 0, 1]), ("bad", [1, 0, 0, 1])):
        found = verdicts(series, Timeslices(10, no_data=no_data))  # type: ignore[arg-type]
        assert found.observed is not None
        assert found.observed.tolist() == list(map(bool, seen))
    all_seen = CountSeries([10, 30], [1, 1], [1, 1], 10, observed=[True, True])
    found = verdicts(all_seen, Timeslices(10, no_data="exclude"))
    assert found.observed is not None
    assert found.observed.tolist() == [True, False, True]


@pytest.mark.parametrize("no_data", ["exclude", "good", "bad"])
def test_ratios_of_slices(no_data: Any) -> None:
    """0.9, 0.8, two empty ones and 0: sums in fixed point, counts in fractions."""
    series = ratio_slices(THREE, RatioTimeslices(10, no_data), 69)
    empty = no_data == "good"
    units = [10, 8, 10 * empty, 10 * empty, 0, 10 * empty]
    units[0] = 9
    kept = [True, True, *[no_data != "exclude"] * 2, True, no_data != "exclude"]
    assert series.span == (0, 60)
    for edge in range(0, 75, 5):
        good, total = series.cumulative(np.array([edge]))
        assert good[0] == pytest.approx(RATIO_SCALE * sum(units[: edge // 10]) / 10, abs=4)
        assert total[0] == RATIO_SCALE * sum(kept[: edge // 10])
        want = Fraction(sum(units[: edge // 10]), 10)
        found = series.counts(Interval(0, edge, "right"))
        assert found == Counts(want, sum(kept[: edge // 10]) - want)
    inner = series.counts(Interval(10, 50, "right"))
    assert inner.good == Fraction(sum(units[1:5]), 10)
    assert inner.total == sum(kept[1:5])
    assert series.coverage(Interval(0, 60, "right")) == sum(kept) / 6
    assert series.coverage(Interval(0, 120, "right")) == sum(kept) / 12


def test_slices_are_longer_bins() -> None:
    """Bins add up to slices first: 17 of 20 is one bad slice of 20 ns."""
    found = verdicts(THREE, Timeslices(20, "90%", "bad"))
    assert found.label_ns.tolist() == [20, 40, 60]
    assert (found.good.tolist(), found.total.tolist()) == ([0, 0, 0], [1, 1, 1])
    ratio = ratio_slices(THREE, RatioTimeslices(20))
    assert ratio.counts(Interval(0, 20, "right")) == Counts(Fraction(17, 20), Fraction(3, 20))


def test_as_many_ratios_as_add_up_exactly() -> None:
    """With 2**20 whole ones a sum of ratios would reach 2**63; one fewer does not."""
    for end, fits in ((2**20 - 1, True), (2**20, False)):
        long = CountSeries([1, end], [1, 1], [1, 1], 1)
        series = ratio_slices(long, RatioTimeslices(1, "good"))
        edge = np.array([end])
        if fits:
            assert series.cumulative(edge)[0].tolist() == [end * RATIO_SCALE]
        else:
            message = "go up to 1,048,575 slices, got 1,048,576; take longer slices"
            with pytest.raises(InvalidSeriesError, match=message):
                series.cumulative(edge)
