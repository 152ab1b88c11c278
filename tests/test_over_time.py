"""Gauges over time by hand: both twins say the same plain figures."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import pytest

from errorbudget import over_time
from errorbudget.kernels import over_time as kernels

T_MS = [0, 60_000, 120_000, 180_000]
VALUES = [1.0, 4.0, 2.0, 7.0]


def both(question: str, *before: float, values: list[float] = VALUES, at_ms: int = 180_000) -> Any:
    """The answer of the plain twin, which is that of the kernel too."""
    times = T_MS[: len(values)]
    plain = getattr(over_time, question)(*before, times, values, at_ms, 600_000)
    [fast] = getattr(kernels, question)(*before, times, values, [at_ms], 600_000).tolist()
    shown = nan if plain is None else plain
    assert shown == pytest.approx(fast, rel=1e-12, abs=1e-300, nan_ok=True)
    return plain


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("sum_over_time", 14),
        ("avg_over_time", 3.5),
        ("count_over_time", 4),
        ("present_over_time", 1),
        ("first_over_time", 1),
        ("last_over_time", 7),
        ("min_over_time", 1),
        ("max_over_time", 7),
        ("stdvar_over_time", 5.25),
        ("stddev_over_time", 5.25**0.5),
        ("mad_over_time", 1.5),
        ("deriv", 16 / 600),
    ],
)
def test_four_samples(question: str, expected: float) -> None:
    """1, 4, 2 and 7, a minute apart; without a sample there is no answer."""
    assert both(question) == pytest.approx(expected, rel=1e-12)
    assert both(question, values=[]) is None


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0, 1), (0.25, 1.75), (0.5, 3), (0.9, 6.1), (1, 7), (-0.1, -inf), (1.1, inf)],
)
def test_quantiles_lie_between_ranks(q: float, expected: float) -> None:
    """Linear between the two nearest of 1, 2, 4 and 7; infinite outside of 0 to 1."""
    assert both("quantile_over_time", q) == pytest.approx(expected)
    assert over_time.quantile_of(q, VALUES) == pytest.approx(expected)


def test_quantiles_of_what_is_no_number() -> None:
    """NaN is the lowest, of nothing there is none, and none is asked for by NaN."""
    assert over_time.quantile_of(1, [nan, 3.0, -inf, nan]) == 3
    assert over_time.quantile_of(0.9, [nan, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]) == pytest.approx(9.4)
    assert isnan(over_time.quantile_of(0, [3.0, nan]))
    assert isnan(over_time.quantile_of(0.5, []))
    assert isnan(over_time.quantile_of(nan, [1.0]))
    assert both("quantile_over_time", 0.5, values=[]) is None


def test_two_samples_make_a_slope() -> None:
    """One makes none; the last of two lies on it."""
    assert both("deriv", values=[1.0]) is None
    assert both("deriv", values=[1.0, 4.0]) == pytest.approx(3 / 60)
    assert both("stdvar_over_time", values=[3.0]) == 0


def test_sums_beyond_a_float() -> None:
    """To either side; infinities of both sides make no number."""
    for question in ("sum_over_time", "avg_over_time"):
        assert both(question, values=[inf, 1.0]) == inf
        assert both(question, values=[-inf, 1.0]) == -inf
        assert isnan(both(question, values=[inf, -inf]))
        assert isnan(both(question, values=[nan, 1.0]))
    assert both("sum_over_time", values=[1.7e308, 1.7e308]) == inf
    assert both("sum_over_time", values=[-1.7e308, -1.7e308]) == -inf
    assert both("avg_over_time", values=[1.7e308, 1.7e308]) == 1.7e308
    assert both("sum_over_time", values=[1e16, 1.0, -1e16]) == 1


def test_a_spread_far_from_nothing() -> None:
    """The mean of such numbers is rounded; what that leaves over is taken back."""
    for values in ([1e15, 1e15 + 1, 1e15 + 3], [1e15 + 1, 1e15 + 1, 1e15 + 2, 1e15 + 7]):
        exact = [Fraction(value) for value in values]
        mean = sum(exact) / len(exact)
        spread = sum((value - mean) ** 2 for value in exact) / len(exact)
        assert both("stdvar_over_time", values=values) == pytest.approx(float(spread), rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e15])
@pytest.mark.parametrize("start_ms", [0, 1_700_000_000_123])
def test_a_slope_far_from_nothing(offset: float, start_ms: int) -> None:
    """In milliseconds since 1970, of values with few digits left: as exact as a float says it."""
    t_ms = [start_ms + step for step in (0, 1, 3, 7)]
    values = [offset + step for step in (1.0, 0.0, 5.0, 6.0)]
    seconds = [Fraction(t, 1_000) for t in t_ms]
    exact = [Fraction(value) for value in values]
    mean, middle = sum(exact) / 4, sum(seconds) / 4
    above = sum((s - middle) * (v - mean) for s, v in zip(seconds, exact, strict=True))
    slope = float(above / sum((s - middle) ** 2 for s in seconds))
    found = kernels.deriv(t_ms, values, [t_ms[-1]], 60_000)
    assert found.tolist() == [pytest.approx(slope, rel=1e-13)]
