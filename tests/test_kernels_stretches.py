"""Time inside stretches, one nanosecond after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import Maintenance
from errorbudget.corrections import corrected_intervals
from errorbudget.kernels.stretches import Exempt, Stretches
from errorbudget.windows import Interval

pieces = st.lists(
    st.builds(
        lambda start, length, treat: Maintenance(start, start + length, treat),
        st.integers(0, 60),
        st.integers(1, 20),
        st.sampled_from(["exclude", "good"]),
    ),
    max_size=5,
)


@given(pieces, st.integers(-10, 90), st.integers(0, 30))
def test_what_is_left_of_a_slice(corrections: list[Maintenance], start: int, length: int) -> None:
    """Every instant is excluded, forgiven or left; a slice without any left is not judged."""
    parts = corrected_intervals(corrections, Interval(-10, 130, "left"))
    exempt = Exempt(Stretches.of(parts["exclude"]), Stretches.of(parts["good"]))
    ticks = range(start, start + length)
    out = sum(any(part.contains(tick) for part in parts["exclude"]) for tick in ticks)
    fine = sum(any(part.contains(tick) for part in parts["good"]) for tick in ticks)
    edges = np.array([start]), np.array([start + length])
    assert exempt.excluded.between(*edges)[0] == out
    assert exempt.left(*edges)[0] == length - out - fine
    left_out, good = exempt.judged(*edges)
    assert good[0] == (out + fine == length and fine > 0)
    assert left_out[0] == (out == length and not fine)
    assert exempt.hold(np.array(ticks, dtype=np.int64)).sum() == out + fine


@given(pieces, st.integers(-10, 90))
def test_anything_cumulative(corrections: list[Maintenance], edge: int) -> None:
    """What lies inside adds up from one nanosecond to the next, for squares as for time."""
    parts = corrected_intervals(corrections, Interval(-10, 130, "left"))["exclude"]
    found = Stretches.of(parts).inside(np.array([edge]), lambda edges: edges**2)
    inside = [tick for tick in range(edge) if any(part.contains(tick) for part in parts)]
    assert found[0] == sum((tick + 1) ** 2 - tick**2 for tick in inside)


def test_stretches_are_whole_nanoseconds():
    """Also when there are none."""
    none = Stretches.of([])
    assert none.start_ns.dtype == none.end_ns.dtype == np.int64
    found = none.inside(np.array([1, 2]))
    assert (found.tolist(), found.dtype) == ([0, 0], np.int64)


def test_every_part_of_every_stretch_counts():
    """Two stretches of seven and three, and what lies between and around them."""
    two = Stretches.of([Interval(10, 17, "left"), Interval(30, 33, "left")])
    for edge, inside in ((9, 0), (10, 0), (11, 1), (17, 7), (18, 7), (30, 7), (32, 9), (99, 10)):
        assert two.inside(np.array([edge])).tolist() == [inside]
        assert two.inside(np.array([edge]), lambda edges: 2 * edges).tolist() == [2 * inside]
    assert two.hold(np.array([9, 10, 16, 17, 29, 30, 32, 33])).tolist() == [
        *(False, True, True, False),
        *(False, True, True, False),
    ]
    forgiven = Stretches.of([Interval(17, 20, "left")])
    exempt = Exempt(two, forgiven)
    starts, ends = np.array([10, 10, 16, 17, 9]), np.array([17, 20, 20, 20, 20])
    assert exempt.left(starts, ends).tolist() == [0, 0, 0, 0, 1]
    out, fine = exempt.judged(starts, ends)
    assert out.tolist() == [True, False, False, False, False]
    assert fine.tolist() == [False, True, True, True, False]
    assert exempt.hold(np.array([9, 16, 19, 20])).tolist() == [False, True, True, False]


def test_a_slice_is_good_for_a_single_nanosecond():
    """Of seven that are excluded and one that is forgiven, the one decides."""
    exempt = Exempt(
        Stretches.of([Interval(10, 17, "left")]), Stretches.of([Interval(17, 18, "left")])
    )
    out, fine = exempt.judged(np.array([10]), np.array([18]))
    assert (out.tolist(), fine.tolist()) == ([False], [True])
