"""Trailing windows at every event: the numpy kernel and its plain twin."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import rolling as plain
from errorbudget.errors import (
    InvalidCountsError,
    InvalidInputError,
    InvalidSeriesError,
    InvalidWindowError,
)
from errorbudget.kernels import budget_remaining, rolling_budget, rolling_counts, sli
from errorbudget.kernels import rolling as kernel
from errorbudget.target import Target
from tests.kernel_inputs import (
    DISGUISES,
    WINDOWS,
    blocks_of,
    events,
    fresh_bytes,
    groups,
    pools_of,
)

BLOCKS = st.sampled_from([1, 2, 3, 7, 1 << 15])


def as_lists(answer):
    return tuple(column.tolist() for column in answer)


@given(events(), WINDOWS, BLOCKS, st.integers(1, 3))
def test_counts_are_those_of_the_plain_twin(rows, window, block, threads):
    """Exactly, for ties, all bad, any block size and any number of threads."""
    time, good = rows
    with blocks_of(block, kernel):
        answer = rolling_counts(time, good, window, threads=threads)
    assert as_lists(answer) == plain.rolling_counts(time.tolist(), good.tolist(), window)


@given(groups(), WINDOWS, BLOCKS)
def test_grouped_counts_are_those_of_the_plain_twin(rows, window, block):
    """Totals far above 2**31 are as exact as small ones."""
    time, good, total = rows
    with blocks_of(block, kernel):
        answer = rolling_counts(time, good, window, total=total)
    assert as_lists(answer) == plain.rolling_counts(
        time.tolist(), good.tolist(), window, total=total.tolist()
    )


@given(events(), WINDOWS, BLOCKS, st.sampled_from(["99.9%", "50%", "2/3", "100%", "99.99999%"]))
def test_ratios_are_the_exact_ones_correctly_rounded(rows, window, block, text):
    """SLI and budget equal their Fraction, rounded once."""
    time, good = rows
    target = Target(text)
    with blocks_of(block, kernel):
        shares, left = rolling_budget(time, good, window, target, threads=2)
    counts = plain.rolling_counts(time.tolist(), good.tolist(), window)
    for share, rest, fine, total in zip(shares, left, *counts, strict=True):
        assert share == float(Fraction(fine, total))
        bad = total - fine
        if target.error:
            assert rest == float(1 - Fraction(bad, total) / target.error)
        else:
            assert rest == (-np.inf if bad else 1)


def test_a_budget_of_several_parts_is_spent_exactly():
    """At 70 % three of ten may be bad: nothing is left at the third, and not a rounding of it."""
    good = [True, False, True, True, False, True, True, True, True, False, False]
    shares, left = rolling_budget(range(11), good, 100, "70%")
    spent = [sum(not fine for fine in good[: rows + 1]) for rows in range(11)]
    assert shares.tolist() == [(rows - bad) / rows for rows, bad in enumerate(spent, start=1)]
    exact = [1 - Fraction(10 * bad, 3 * rows) for rows, bad in enumerate(spent, start=1)]
    assert left.tolist() == [float(rest) for rest in exact]
    assert left[9] == 0
    assert left[10] < 0


@given(groups(), WINDOWS)
def test_grouped_ratios_are_those_of_the_counts(rows, window):
    """One call gives what two give."""
    time, good, total = rows
    counts = rolling_counts(time, good, window, total=total)
    shares, left = rolling_budget(time, good, window, "99.9%", total=total)
    np.testing.assert_array_equal(shares, sli(*counts))
    np.testing.assert_array_equal(left, budget_remaining(*counts, "99.9%"))


@given(events(), WINDOWS, st.randoms(use_true_random=False))
def test_a_sort_that_was_asked_for_keeps_the_given_order(rows, window, random):
    """Shuffled events get the answers of their instants."""
    time, good = rows
    order = list(range(len(time)))
    random.shuffle(order)
    expected = plain.rolling_counts(time.tolist(), good.tolist(), window)
    answer = rolling_counts(time[order], good[order], window, sort=True)
    assert as_lists(answer) == tuple([column[row] for row in order] for column in expected)
    ratios = rolling_budget(time[order], good[order], window, "90%", sort=True)
    np.testing.assert_array_equal(ratios[0], sli(*answer))
    grouped = rolling_counts(
        time[order], good[order] * 2, window, total=good[order] * 0 + 2, sort=True
    )
    assert as_lists(grouped) == tuple(
        [2 * count for count in column] for column in as_lists(answer)
    )


@given(events(), WINDOWS, st.booleans())
def test_answers_may_be_written_to_given_columns(rows, window, grouped):
    """The same numbers, in the caller's memory, strided or not."""
    time, good = rows
    total = np.ones(len(time), dtype=np.int64) if grouped else None
    table = np.full((len(time), 3), 7.0)
    out = (table[:, 0], table[:, 2])
    flags = good.astype(np.int64) if grouped else good
    assert rolling_budget(time, flags, window, "99%", total=total, out=out) is out
    expected = rolling_budget(time, flags, window, "99%", total=total)
    np.testing.assert_array_equal(table[:, 0], expected[0])
    np.testing.assert_array_equal(table[:, 2], expected[1])
    assert (table[:, 1] == 7).all()


@pytest.mark.parametrize("disguise", DISGUISES)
@given(rows=events())
def test_columns_may_be_disguised_and_stay_untouched(disguise, rows):
    """Strided, read-only, big-endian and listed columns count alike, and are not written to."""
    time, good = (DISGUISES[disguise](column) for column in rows)
    before = np.array(time), np.array(good)
    answer = rolling_counts(time, good, 61)
    assert as_lists(answer) == plain.rolling_counts(rows[0].tolist(), rows[1].tolist(), 61)
    np.testing.assert_array_equal(time, before[0])
    np.testing.assert_array_equal(good, before[1])


def test_flags_may_be_bytes_and_instants_timestamps():
    """uint8 flags, unsigned instants and datetime64 of any unit are read."""
    expected = ([1, 1, 2], [1, 2, 3])
    assert as_lists(rolling_counts(np.array([1, 2, 3], "u8"), np.array([1, 0, 1], "u1"), 9)) == (
        expected
    )
    stamps = np.array(
        ["2026-01-01T00:00:01", "2026-01-01T00:00:02", "2026-01-01T00:00:03"], "M8[s]"
    )
    assert as_lists(rolling_counts(stamps, [True, False, True], 9 * 10**9)) == expected
    assert as_lists(rolling_counts(stamps.astype(">M8[ms]"), [1, 0, 1], 9 * 10**9)) == expected


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("window", [1, 7, 50, 10**6])
def test_shares_of_threads_meet_without_a_seam(block, threads, window):
    """Enough events for every thread: ties at the borders of shares count in one window still."""
    rng = np.random.default_rng(block)
    time = np.sort(rng.integers(0, 60, 100))
    good = rng.integers(0, 4, 100) > 0
    expected = plain.rolling_counts(time.tolist(), good.tolist(), window)
    with blocks_of(block, kernel):
        assert len(time) >= threads * kernel.CHUNKS * kernel.BLOCK  # or one thread does it all
        assert as_lists(rolling_counts(time, good, window, threads=threads)) == expected
        ratios = rolling_budget(time, good, window, "99%", threads=threads)
    np.testing.assert_array_equal(
        ratios[0], [float(Fraction(*counts)) for counts in zip(*expected, strict=True)]
    )


@pytest.mark.parametrize("block", [1, 2, 3, 1 << 15])
@pytest.mark.parametrize("threads", [1, 2])
def test_disorder_is_named_by_its_first_offender(block, threads):
    """Wherever it lies, at borders of blocks and shares too, and whatever follows it."""
    for index in range(1, 50):
        time = np.arange(50) * 10
        time[index] = time[index - 1] - 1
        time[index + 1 : index + 30 : 7] = -5
        with (
            blocks_of(block, kernel),
            pytest.raises(InvalidSeriesError, match=f"at index {index}; sort them") as caught,
        ):
            rolling_counts(time, np.ones(50, bool), 25, threads=threads)
        assert caught.value.index == index


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30), BLOCKS, st.integers(1, 3))
def test_any_disorder_is_found(time, block, threads):
    """Among few instants with many ties, which fill blocks, nothing out of order slips through."""
    falls = [row for row in range(1, len(time)) if time[row] < time[row - 1]]
    good = [True] * len(time)
    with blocks_of(block, kernel):
        if not falls:
            assert as_lists(rolling_counts(time, good, 2, threads=threads)) == (
                plain.rolling_counts(time, good, 2)
            )
            return
        with pytest.raises(InvalidSeriesError) as caught:
            rolling_counts(time, good, 2, threads=threads)
    assert caught.value.index == falls[0]


def test_disorder_hides_in_no_crowded_instant():
    """One event out of order among so many of one instant that they fill blocks."""
    time = np.full(9, 5)
    time[3] = 4
    with blocks_of(2, kernel), pytest.raises(InvalidSeriesError, match="at index 3"):
        rolling_counts(time, np.ones(9, bool), 2)


def test_many_events_leave_while_one_arrives():
    """A gap longer than the window empties more blocks than it fills."""
    time = np.concatenate([np.arange(5_000), [10_000], np.arange(10_050, 10_060)])
    good = np.arange(len(time)) % 3 > 0
    expected = plain.rolling_counts(time.tolist(), good.tolist(), 200)
    with blocks_of(64, kernel):
        assert as_lists(rolling_counts(time, good, 200)) == expected
        assert as_lists(rolling_counts(time, good, 6_000)) == plain.rolling_counts(
            time.tolist(), good.tolist(), 6_000
        )


def test_wrong_input_is_refused():
    """Each with what came, what fits and what to do."""
    with pytest.raises(InvalidWindowError, match="longer than 0 ns, got 0"):
        rolling_counts([1], [True], 0)
    with pytest.raises(InvalidInputError, match="threads must be at least 1"):
        rolling_counts([1], [True], 1, threads=0)
    with pytest.raises(InvalidSeriesError, match="one dimension"):
        rolling_counts([[1]], [True], 1)
    with pytest.raises(InvalidSeriesError, match="integer nanoseconds, got float64"):
        rolling_counts([1.5], [True], 1)
    with pytest.raises(InvalidSeriesError, match="they must match"):
        rolling_counts([1], [True, False], 1)
    for good, total in (([1, 1], [1]), ([1], [1, 1])):
        with pytest.raises(InvalidSeriesError, match=r"has shape \(1,\) and time_ns \(2,\)"):
            rolling_counts([1, 2], good, 1, total=total)
    with pytest.raises(InvalidSeriesError, match="got 2 at index 1") as caught:
        rolling_counts([1, 2], [1, 2], 1)
    assert caught.value.index == 1
    with pytest.raises(InvalidSeriesError, match="true or false, got float64"):
        rolling_counts([1], [0.5], 1)
    with pytest.raises(InvalidSeriesError, match="integer counts, got float64"):
        rolling_counts([1], [0.5], 1, total=[1])
    with pytest.raises(InvalidCountsError, match="got 3 good of 2 at index 0"):
        rolling_counts([1], [3], 1, total=[2])
    with pytest.raises(InvalidCountsError, match="more than 2\\*\\*63 - 1 events"):
        rolling_counts([1, 2], [0, 0], 1, total=[2**62, 2**62])
    with pytest.raises(InvalidSeriesError, match="1678 to 2262"):
        rolling_counts(np.array([2**63], dtype=np.uint64), [True], 1)
    for window in (0.5, float("nan"), "1m", None):
        for twin in (rolling_counts, plain.rolling_counts):
            with pytest.raises(InvalidWindowError, match="whole number of ns, got"):
                twin([1], [True], window)
    with pytest.raises(InvalidInputError, match=r"at least 1, got 1\.5"):
        rolling_counts([1], [True], 1, threads=1.5)
    with pytest.raises(InvalidSeriesError, match="good is masked at index 1"):
        rolling_counts([1, 2], np.ma.masked_array([True, True], [False, True]), 1)
    with pytest.raises(InvalidCountsError, match="total has more than"):
        rolling_counts([1], [0], 1, total=np.array([2**63], dtype=np.uint64))


def test_columns_for_answers_are_two_and_can_be_written_to():
    """What is no place for the answers is refused before any work."""
    column, frozen = np.empty(1), np.empty(1)
    frozen.flags.writeable = False
    for out, wrong in (
        ((column, np.empty(2)), r"shape \(1,\), got \(2,\)"),
        ((column, np.empty(1, np.float32)), "float64 arrays, got float32"),
        ((column, [0.0]), "float64 arrays, got list"),
        ((column, frozen), "read-only"),
        ((column, column), "same memory twice"),
        ((column,), "two columns, got 1"),
    ):
        with pytest.raises(InvalidSeriesError, match=wrong):
            rolling_budget([1], [True], 1, "99%", out=out)
    for stamp in ("NaT", "3000-01-01"):
        with pytest.raises(InvalidSeriesError, match="NaT"):
            rolling_counts(np.array([stamp], "M8[s]"), [True], 1)
    for total in (None, [1, 1]):
        with pytest.raises(InvalidSeriesError, match="292 years"):
            rolling_counts([-(2**63) + 1, 2**63 - 1], [1, 1], 2**64, total=total)


@pytest.mark.parametrize("one_in", [2, 400])
@pytest.mark.parametrize("block", [16, 1_000, 1 << 15])
@pytest.mark.parametrize("window", [1, 40, 2_500])
def test_thousands_of_events_where_bad_ones_are_many_or_few(one_in, block, window):
    """Counts that are level for long are counted otherwise than those that change at each event."""
    rng = np.random.default_rng(one_in)
    time = np.sort(rng.integers(0, 9_000, 3_000))
    good = rng.integers(0, one_in, len(time)) > 0
    expected = plain.rolling_counts(time.tolist(), good.tolist(), window)
    with blocks_of(block, kernel):
        assert as_lists(rolling_counts(time, good, window)) == expected
        shares, left = rolling_budget(time, good, window, "99%")
    np.testing.assert_array_equal(shares, sli(*expected))
    np.testing.assert_array_equal(left, budget_remaining(*expected, "99%"))


def test_disorder_at_the_beginning_of_time_is_disorder():
    """A window that would begin before int64 does is not what is wrong."""
    with pytest.raises(InvalidSeriesError, match="must ascend"):
        rolling_counts([-(2**63) + 9, -(2**63) + 2, 2**62], [True] * 3, 2**62)


def test_threads_share_what_is_enough_for_each(monkeypatch):
    """So many blocks for each thread, which makes its scratch once; fewer are counted here."""
    made = []
    scratch = kernel._Scratch

    def noted(rows):
        made.append(rows)
        return scratch(rows)

    monkeypatch.setattr(kernel, "_Scratch", noted)
    flags = np.ones(96, dtype=np.bool_)
    time = np.arange(96)
    with blocks_of(4, kernel), pools_of(kernel) as pools:
        for ask in (
            lambda **threads: rolling_counts(time, flags, 9, **threads),
            lambda **threads: rolling_counts(time, flags, 9, sort=True, **threads),
            lambda **threads: rolling_budget(time, flags, 9, "99%", **threads),
            lambda **threads: rolling_budget(time, flags, 9, "100%", **threads),
        ):
            ask()
            ask(threads=4)
            assert (pools, len(made)) == ([], 2)
            ask(threads=3)
            assert pools == [3]
            assert len(made) <= 2 + 3
            pools.clear()
            made.clear()
        rolling_counts(time[:95], flags[:95], 9, threads=3)
        assert pools == []


def test_shares_are_alike_and_cut_between_instants():
    """Where one instant fills a share it is longer, and the next is none."""
    assert kernel._shares(np.arange(100), 4) == [(0, 25), (25, 50), (50, 75), (75, 100)]
    assert kernel._shares(np.array([0, 1, 1, 1, 1, 2]), 3) == [(0, 1), (1, 6)]
    assert kernel._shares(np.array([0, 0, 1, 1, 2, 2]), 3) == [(0, 2), (2, 4), (4, 6)]


def test_windows_begin_where_int64_does_and_not_before():
    """Two events of neighbouring nanoseconds need two nanoseconds before the first."""
    for total in (None, [1, 1]):
        first = -(2**63) + 2
        assert as_lists(rolling_counts([first, first + 1], [1, 0], 2**63, total=total)) == (
            [1, 1],
            [1, 2],
        )
        with pytest.raises(InvalidSeriesError, match="292 years"):
            rolling_counts([first - 1, first], [1, 0], 2**63, total=total)


def test_disorder_of_grouped_rows_and_of_budgets_is_named():
    """Where no sort was asked for."""
    for ask in (
        lambda: rolling_counts([1, 3, 2], [1, 1, 1], 5, total=[1, 1, 1]),
        lambda: rolling_budget([1, 3, 2], [1, 1, 1], 5, "99%"),
        lambda: rolling_budget([1, 3, 2], [1, 1, 1], 5, "99%", total=[1, 1, 1]),
    ):
        with pytest.raises(InvalidSeriesError, match="at index 2; sort them"):
            ask()


def test_a_block_ends_with_its_rows_or_before_an_instant_that_it_would_cut():
    """Or with that instant, where it fills the block."""
    with blocks_of(4, kernel):
        scratch = kernel._Scratch(12)
        columns = np.arange(12), np.array([0, 1, 2, 2, 2, 3]), np.array([5] * 6 + [6])
        ends = [kernel._whole_instants(time, 0, len(time), scratch)[0] for time in columns]
        assert ends == [4, 2, 6]
        assert kernel._whole_instants(np.arange(3), 0, 3, scratch)[0] == 3


def test_bad_events_are_looked_at_one_by_one_where_they_are_few(monkeypatch):
    """Those that arrive and those that leave together, one to so many windows."""
    looked = []
    counts = kernel._bad_counts
    monkeypatch.setattr(kernel, "_bad_counts", lambda *rows: looked.append(1) or counts(*rows))
    windows = np.arange(1, 4 * kernel.FEW + 1)
    scratch = kernel._Scratch(len(windows))
    for arrived, departed, one_by_one in ((3, 0, True), (0, 3, True), (4, 0, False), (2, 2, False)):
        good, gone = np.ones(len(windows), np.bool_), np.ones(len(windows), np.bool_)
        good[1 : 2 * arrived : 2] = False
        gone[1 : 2 * departed : 2] = False
        looked.clear()
        bad = kernel._bad_inside(good, windows, gone, windows - 1, 9, scratch)
        expected = 9 + np.cumsum(~good) - np.append(0, np.cumsum(~gone)[:-1])
        assert bad.tolist() == expected.tolist()
        assert (not looked) == one_by_one


def test_bad_events_of_many_rows_are_looked_at_piece_by_piece():
    """Up to the last row of the last piece; what is held is a piece."""
    good = np.arange(40_000) % 3 > 0
    rows = np.array([0, 1, 1_000, 4_000, 4_001, 8_000, 39_999, 40_000])
    expected = np.append(0, np.cumsum(~good))[rows]
    with blocks_of(1_000, kernel):
        assert kernel._bad_of_many(good, rows).tolist() == expected.tolist()
        scratch = kernel._Scratch(len(good))
        few, left = np.ones(len(rows), dtype=np.bool_), np.arange(len(rows)) + 1

        def count():
            return kernel._bad_inside(few, left, good, rows, int(expected[-1]), scratch)

        assert count().tolist() == (expected[-1] - expected).tolist()
        assert fresh_bytes(count) < 80_000


def test_memory_is_the_answer_and_a_block_of_scratch():
    """As long as the events, or a block; counts are not kept, and blocks share their arrays."""
    time = np.arange(0, 600_000, 10)
    good = time % 70_000 > 0
    out = np.empty(len(time)), np.empty(len(time))
    assert fresh_bytes(lambda: rolling_counts(time[:5], good[:5], 100)) < 10_000
    with blocks_of(1_000, kernel):
        scratch = 48 * 4_000 + (17 + 64) * 1_000
        size = fresh_bytes(lambda: rolling_budget(time, good, 9_000, "99.9%", out=out))
        assert size < scratch + 100_000
        size = fresh_bytes(lambda: rolling_counts(time, good, 9_000))
        assert size < 16 * len(time) + scratch + 100_000


@pytest.mark.parametrize(("one_in", "bytes_a_row"), [(7_000, 2), (16, 12)])
def test_a_block_takes_no_memory_but_its_scratch(one_in, bytes_a_row):
    """Beside flags, and beside a column of counts where many are bad."""
    rows = kernel.BLOCK
    time = np.arange(2 * rows) * 10
    good = np.arange(2 * rows) % one_in > 0
    scratch = kernel._Scratch(len(time))

    def sweep():
        kernel._sweep(time, good, 10 * rows, rows, 2 * rows, lambda *_: None, scratch)

    assert fresh_bytes(sweep) < bytes_a_row * rows
    assert fresh_bytes(lambda: kernel._whole_instants(time, 0, len(time), scratch)) < 1.5 * rows


@pytest.mark.parametrize(("one_in", "bytes_a_row"), [(100, 2), (16, 12)])
def test_bad_events_are_counted_where_there_is_room(one_in, bytes_a_row):
    """Those that arrive and those that leave, in the block's own columns."""
    rows = kernel.BLOCK
    scratch = kernel._Scratch(rows)
    fine, mixed = np.ones(rows, dtype=np.bool_), np.arange(rows) % one_in > 0
    row, left = np.arange(rows) + 1, np.arange(rows)
    for good, gone in ((mixed, fine), (fine, mixed)):

        def count(good=good, gone=gone):
            return kernel._bad_inside(good, row, gone, left, rows, scratch)

        assert count()[-1] == rows + np.count_nonzero(~good) - np.count_nonzero(~gone[:-1])
        assert fresh_bytes(count) < bytes_a_row * rows


def test_a_budget_of_a_share_like_no_other_is_exact():
    """Events times its denominator are beyond 2**53, so whole numbers of any size are divided."""
    target = 1 - Fraction(10**15 + 1, 3 * 10**15)
    good = np.arange(60) % 7 > 1
    left = rolling_budget(np.arange(60), good, 100, target)[1]
    spent = np.cumsum(~good).tolist()
    exact = [1 - Fraction(bad, rows) / (1 - target) for rows, bad in enumerate(spent, start=1)]
    assert left.tolist() == [float(rest) for rest in exact]
