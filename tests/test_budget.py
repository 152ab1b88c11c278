"""The budget's laws, on exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import inf, ulp

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from errorbudget import Counts, budget_consumed, budget_remaining
from errorbudget.budget import Budget, budget, sli, spent
from errorbudget.errors import InvalidCountsError
from tests import oracles

counts = st.builds(Counts, st.integers(0, 10**18), st.integers(0, 10**18))
fractional = st.builds(
    Counts,
    st.fractions(0, 1_000, max_denominator=60),
    st.fractions(0, 1_000, max_denominator=60),
)
targets = st.fractions(0, 1, max_denominator=10_000).filter(bool)
DAY = 86_400 * 10**9


@given(counts | fractional, targets)
def test_spent_and_remaining_make_what_was_allowed(c: Counts, target: Fraction) -> None:
    """In events and as shares; None without events, infinities only where nothing is allowed."""
    b = budget(c, target, DAY)
    bad, total = Fraction(c.bad), Fraction(c.total)
    assert b.allowed_exact == total * (1 - target)
    assert b.consumed_exact == oracles.spent(bad, b.allowed_exact, int(bool(total)))
    if not c:
        assert b.remaining_exact is b.remaining_ratio is b.exhausted is b.met is None
        assert b.consumed_ratio is b.remaining_time_s is b.consumed_time_s is sli(c) is None
        return
    assert Fraction(b.consumed) + Fraction(b.remaining) == pytest.approx(
        b.allowed, abs=2 * ulp(float(total))
    )
    assert b.consumed_exact is not None
    assert b.remaining_exact is not None
    assert b.met == (sli_exact(c) >= target)
    assert b.exhausted == (b.remaining_exact <= 0)
    if target == 1:
        assert b.remaining_exact == (-inf if c.bad else 1)
        assert b.remaining_time_s == (-inf if c.bad else 0)
    else:
        assert b.consumed_exact + b.remaining_exact == 1
        in_time = b.remaining_exact * (1 - target) * 86_400
        assert b.remaining_time_s == float(in_time)
        assert b.consumed_time_s == float(b.consumed_exact * (1 - target) * 86_400)
    assert b.allowed_time_s == float((1 - target) * 86_400)
    assert b.consumed_ratio == budget_consumed(c, target)
    assert b.remaining_ratio == budget_remaining(c, target)


def sli_exact(c: Counts) -> Fraction:
    return Fraction(c.good) / Fraction(c.total)


@given(counts, targets, st.integers(1, 1_000))
def test_more_bad_never_leaves_more(c: Counts, target: Fraction, more: int) -> None:
    """A bad event in place of a good one never helps, nor does one on top of all."""
    assume(c)
    before = budget(c, target).remaining_exact
    worse = [Counts(c.good, c.bad + more)]
    worse += [Counts(c.good - 1, c.bad + 1)] if c.good else []
    for each in worse:
        after = budget(each, target).remaining_exact
        assert after is not None
        assert before is not None
        assert after <= before


@given(counts | fractional)
def test_the_sli_is_the_share_of_good(c: Counts) -> None:
    """Correctly rounded, in [0, 1]."""
    found = sli(c)
    if c:
        assert found == float(sli_exact(c))
        assert 0 <= found <= 1


def test_figures_without_a_window() -> None:
    """No window, no minutes."""
    b = Budget(Counts(9, 1), Fraction(1, 10))
    assert b.allowed_time_s is b.remaining_time_s is None
    assert spent(Counts(0, 1), Fraction(0)) == inf
    with pytest.raises(InvalidCountsError, match="counts were asked for"):
        budget([1, 2], "99%")  # type: ignore[arg-type]
    with pytest.raises(InvalidCountsError, match="counts were asked for"):
        sli(None)  # type: ignore[arg-type]


def test_parts_of_events_mix_with_whole_ones() -> None:
    """Sums of slice ratios stay fractions, beside integers too."""
    assert spent(Counts(good=Fraction(7, 2), bad=1), Fraction(1, 9)) == 2
    assert spent(Counts(good=8, bad=Fraction(1, 2)), Fraction(1, 17)) == 1
    assert spent(Counts(good=3.5, bad=1), Fraction(1, 9)) == 2


def test_figures_keep_their_kind_and_nothing_is_no_figure() -> None:
    """Whole events are integers, parts are floats; without events there is no share."""
    some = budget(Counts(95, 5), "90%")
    assert (some.consumed, type(some.consumed)) == (5, int)
    assert (some.consumed_ratio, some.remaining_ratio, some.exhausted) == (0.5, 0.5, False)
    assert type(budget(Counts(1, Fraction(1, 2)), "90%").consumed) is float
    assert budget(Counts(90, 10), "90%").exhausted is True
    none = budget(Counts(), "90%")
    assert none.consumed_ratio is none.remaining_ratio is none.exhausted is None
    assert none.consumed == 0
    assert spent(Counts(Fraction(1, 2), 1), Fraction(1, 3)) == 2
    assert spent(Counts(1, Fraction(1, 2)), Fraction(1, 3)) == 1
