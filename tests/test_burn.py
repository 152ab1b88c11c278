"""Burn rates and what follows from them, against a clock that ticks."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import Counts
from errorbudget.burn import burn_rate_exact, traffic_weighted_spend
from errorbudget.errors import InvalidCountsError, InvalidInputError, InvalidTargetError

counts = st.builds(Counts, st.integers(0, 10**12), st.integers(0, 10**12))
targets = st.fractions(0, 1, max_denominator=10_000).filter(bool)
SECOND = 10**9


@given(counts, targets)
def test_a_good_event_never_raises_the_burn(c: Counts, target: Fraction) -> None:
    """One more good event dilutes, one more bad event never does."""
    before = burn_rate_exact(c, target)
    better = burn_rate_exact(c + Counts(1, 0), target)
    worse = burn_rate_exact(c + Counts(0, 1), target)
    assert better is not None
    assert worse is not None
    if before is None:
        assert better == 0
    else:
        assert better <= before <= worse
        assert eb.burn_rate(c, target) == float(before)


@given(targets, st.integers(1, 10**9))
def test_an_even_spend_burns_at_one(target: Fraction, n: int) -> None:
    """Exactly as many bad events as allowed burn at exactly 1."""
    error = 1 - target
    c = Counts.from_total(good=target.numerator * n, total=target.denominator * n)
    assert burn_rate_exact(c, target) == (1 if error else 0)


@given(
    st.fractions(Fraction(1, 1_000), 1, max_denominator=1_000),
    st.integers(1, 10**6),
    st.integers(1, 10**7),
)
def test_thresholds_and_spending_are_inverse(share: Fraction, window: int, period: int) -> None:
    """A burn at the threshold, for the window, spends just the share."""
    threshold = eb.burn_threshold(share, window, period)
    assert eb.budget_spent(threshold, window, period) == share
    assert eb.time_to_exhaustion(threshold, period) == pytest.approx(window / share / SECOND)


def simulated(
    window: int, threshold: Fraction, error: Fraction, rate: Fraction, incident: int
) -> tuple[int | None, int | None]:
    """
    Ticks of steady errors until the window's burn reaches the threshold, and after them until it
    falls back to it; each tick has as much traffic as any other.
    """
    bad = [Fraction(0)] * window + [rate] * incident + [Fraction(0)] * (2 * window)
    first = last = None
    for now in range(window, len(bad) + 1):
        burn = sum(bad[now - window : now]) / window / error
        if burn >= threshold and burn:
            first = now - window if first is None else first
            last = now - window
    return first, last


@given(
    window=st.integers(1, 12),
    threshold=st.fractions(Fraction(1, 4), 12, max_denominator=4),
    error=st.sampled_from([Fraction(1, 10), Fraction(1, 100)]),
    rate=st.fractions(Fraction(1, 20), 1, max_denominator=20),
    incident=st.integers(1, 30),
)
def test_detection_and_reset_against_a_ticking_clock(
    window: int, threshold: Fraction, error: Fraction, rate: Fraction, incident: int
) -> None:
    """The formulas fall within the tick in which a simulation of steady errors crosses the line."""
    target = 1 - error
    first, last = simulated(window, threshold, error, rate, incident)
    found = eb.detection_time(target, threshold, window * SECOND, rate)
    gone = eb.reset_time(target, threshold, window * SECOND, rate, incident * SECOND)
    if found is not None and found <= incident:
        assert first is not None
        assert first - 1 < found <= first
        assert gone is not None
        assert last is not None
        assert last - incident <= gone < last - incident + 1
    elif found is None:
        # Not even a window full of errors is above the line; it may just touch it.
        assert rate / error <= threshold
    else:
        assert first is None
        assert gone is None


def test_golden_figures() -> None:
    """The workbook's and the guide's own numbers."""
    assert eb.burn_rate(Counts(good=4_928, bad=72), "99.9%") == 14.4
    assert eb.burn_threshold("2%", "1h", "30d") == Fraction(72, 5)
    assert eb.burn_threshold("5%", "6h", "30d") == 6
    assert eb.burn_threshold("10%", "3d", "30d") == 1
    assert eb.burn_threshold(0.04, "6h", "30d") == Fraction(24, 5)
    assert eb.max_burn_rate("99.9%") == 1_000
    assert eb.max_burn_rate("100%") == inf
    assert eb.detection_time("99.9%", 14.4, "1h", "0.1%") is None
    assert eb.detection_time("99.9%", 1_000, "1h", 1) is None
    assert eb.time_to_exhaustion(1_000, "30d") == pytest.approx(2_592)
    assert eb.time_to_exhaustion(0, "30d") == inf
    assert eb.time_to_exhaustion(5, "30d", remaining=-0.5) == 0
    assert eb.burn_rate(Counts(0, 1), "100%") == inf
    assert eb.burn_rate(Counts(1, 0), "100%") == 0
    assert eb.burn_rate(Counts(), "100%") is None


@given(counts, targets, st.integers(1, 10**9))
def test_weighted_spend_adds_up_to_the_budget(c: Counts, target: Fraction, mean: int) -> None:
    """Over a period of k windows, spends weighted by traffic make bad / allowed."""
    if target == 1:
        return
    k = 30
    found = traffic_weighted_spend(c, mean, target, 1, k)
    if not c:
        assert found is None
    else:
        assert found == Fraction(c.bad) / (k * mean * (1 - target))


def test_weighted_spend_needs_a_budget() -> None:
    """Nothing can be a share of no budget, and a mean of no events weighs nothing."""
    with pytest.raises(InvalidInputError, match="no budget"):
        traffic_weighted_spend(Counts(0, 1), 10, "100%", "1h", "30d")
    assert traffic_weighted_spend(Counts(1, 0), 10, "100%", "1h", "30d") == 0
    with pytest.raises(InvalidInputError, match="mean_total"):
        traffic_weighted_spend(Counts(1, 1), 0, "99%", "1h", "30d")


@pytest.mark.parametrize("junk", [None, True, "abc", float("nan"), float("inf"), [], "1/0", -1])
def test_bad_input_is_named(junk: object) -> None:
    """Every argument of every function is checked by name."""
    asks = [
        lambda: eb.burn_rate(Counts(1, 1), junk),
        lambda: eb.burn_rate(junk, "99%"),
        lambda: eb.burn_threshold(junk, "1h", "30d"),
        lambda: eb.burn_threshold("2%", junk, "30d"),
        lambda: eb.burn_threshold("2%", "1h", junk),
        lambda: eb.budget_spent(junk, "1h", "30d"),
        lambda: eb.time_to_exhaustion(1, junk),
        lambda: eb.time_to_exhaustion(1, "30d", remaining=junk if junk != -1 else None),
        lambda: eb.max_burn_rate(junk),
        lambda: eb.detection_time("99%", junk, "1h", 1),
        lambda: eb.detection_time("99%", 1, "1h", junk),
        lambda: eb.reset_time("99%", 1, "1h", 1, junk),
    ]
    for ask in asks:
        with pytest.raises((InvalidInputError, InvalidTargetError, InvalidCountsError)):
            ask()
    for zero in (0, "0s"):
        with pytest.raises(InvalidInputError, match="longer than 0"):
            eb.burn_threshold("2%", zero, "30d")


def test_what_no_float_holds() -> None:
    """A burn so slow that the time has no float lasts for ever; the dearest target has figures."""
    assert eb.time_to_exhaustion("1e-390", "30d") == inf
    with pytest.raises(InvalidInputError, match="an integer of thousands of digits"):
        eb.budget_spent(10**5_000, "1h", "30d")
    dearest = 1 - Fraction(1, 10**100)
    assert eb.max_burn_rate(dearest) == eb.burn_rate(Counts(0, 10**299), dearest) == 1e100


def test_less_than_an_event_a_window_is_traffic_too() -> None:
    """On average half an event an hour: a lone bad one spends twice its even share."""
    spend = traffic_weighted_spend(Counts(good=0, bad=1), Fraction(1, 2), "50%", "1h", "2h")
    assert spend == 2


def test_both_sides_of_each_bound() -> None:
    """A share is above 0 and up to 1; nothing left is gone at once, whatever burns."""
    assert eb.burn_threshold(1, "1h", "1h") == 1
    for outside in (0, "100.1%", 2):
        with pytest.raises(InvalidInputError, match="greater than 0 and at most 1"):
            eb.burn_threshold(outside, "1h", "30d")
    assert eb.budget_spent(0, "1h", "30d") == 0
    assert eb.time_to_exhaustion(inf, "30d") == 0
    assert eb.time_to_exhaustion(1, "30d", remaining=-inf) == 0
    assert eb.time_to_exhaustion(0, "30d", remaining=0) == 0
    # Six minutes of errors only bring an hour to a burn of 100; a second less does not.
    assert eb.reset_time("99.9%", 100, "1h", 1, "6m") == 3_240
    assert eb.reset_time("99.9%", 100, "1h", 1, "359s") is None
    assert traffic_weighted_spend(Counts(), 1, "99%", "1h", "30d") is None
