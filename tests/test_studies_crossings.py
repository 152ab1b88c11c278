"""How often chance begins to page: what is worked out is what a simulation counts."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from errorbudget.durations import HOUR_NS
from errorbudget.studies.crossings import Crossings, _binomial, _Spread, poisson


def beginnings(
    hourly: int, hours: int, share: Fraction, ordinary: float, daily: float, months: int
) -> tuple[float, float]:
    """Beginnings in 30 days, at every event that comes or leaves, and their standard error."""
    random = np.random.default_rng(41)
    span = 720 * months
    time = np.sort(random.uniform(0, span, random.poisson(hourly * (1 + daily) * span)))
    kept = random.random(time.size) * (1 + daily) < 1 + daily * np.cos(time * (np.pi / 12))
    time = time[kept]
    bad = (random.random(time.size) < ordinary).astype(np.int64)
    at = np.concatenate((time, time + hours))
    order = np.argsort(at, kind="stable")
    lost = np.cumsum(np.concatenate((bad, -bad))[order])
    seen = np.cumsum(np.repeat((1, -1), time.size)[order])
    fires = lost * share.denominator > seen * share.numerator
    began = at[order][1:][fires[1:] & ~fires[:-1]]
    each = np.bincount((began // 720).astype(int), minlength=months)[:months]
    return float(each.mean()), float(each.std() / months**0.5)


@pytest.mark.parametrize(
    ("hourly", "hours", "share", "ordinary", "daily", "expected"),
    [
        (60, 1, "0.0144", 0.001, 0.0, 105.627),
        (60, 2, "1/46", 0.001, 0.6, 7.079),
        (10, 6, "1/40", 0.001, 0.6, 4.445),
        (10, 24, "0.02", 0.01, 1.0, None),
        (40, 3, "0.63", 0.5, 0.3, None),
    ],
)
def test_pages_begin_as_often_as_said(
    hourly: int, hours: int, share: str, ordinary: float, daily: float, expected: float | None
) -> None:
    """Random arrivals, flat or by the day: flapping about the threshold is counted, too."""
    found = Crossings(Fraction(hourly), hours * HOUR_NS, ordinary, daily)
    said = found.per_month(Fraction(share))
    counted, error = beginnings(hourly, hours, Fraction(share), ordinary, daily, months=60)
    assert error < 0.15 * said  # so that what follows says something
    assert counted == pytest.approx(said, abs=4 * error)
    if expected is not None:
        assert said == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("usual", [Fraction(60), Fraction(121, 2), Fraction(1, 2)])
def test_pages_of_even_traffic_are_those_of_a_sliding_count(usual: Fraction) -> None:
    """Where every event comes after the same pause, each arrival and leaving is looked at."""
    random, n, p, share = np.random.default_rng(5), 4_000_000, 0.01, Fraction("0.0331")
    bad = np.concatenate(([0], np.cumsum(random.random(n) < p)))
    whole = int(usual)
    held = bad[whole:] - bad[:-whole] if whole else np.zeros(n + 1, dtype=np.int64)
    looks = [(held, whole)]
    if whole != usual:  # one more, until the oldest leaves
        more = bad[whole + 1 :] - bad[: -whole - 1]
        looks = [(held[: more.size], whole), (more, whole + 1)]
    fires = np.stack([lost > float(share) * total for lost, total in looks], axis=1).ravel()
    counted = np.count_nonzero(fires[1:] & ~fires[:-1]) / n
    said = Crossings(usual, HOUR_NS, p, 0.0)._even(share)
    # Where one comes as another leaves, only a good one can make room: 1 - p of them are.
    assert counted == pytest.approx(said * (1 if whole != usual else 1 - p), rel=0.04)


def test_more_pages_are_said_to_swing_with_the_day_than_without() -> None:
    """The most of the three kinds of traffic is said, and the bound is of all of them."""
    share = Fraction(1, 40)
    flat, day = (Crossings(Fraction(10), 6 * HOUR_NS, 0.001, daily) for daily in (0.0, 0.6))
    assert flat.per_month(share) < 1 < day.per_month(share)
    assert flat.keep_to(share, 1)
    assert not day.keep_to(share, 1)
    assert day.keep_to(share, day.per_month(share))
    assert flat.per_month(Fraction(1)) == 0
    assert flat.per_month(Fraction(0)) > 0


def test_chances_equal_scipys() -> None:
    """Poisson's and the binomial's, for few events and for very many."""
    stats = pytest.importorskip("scipy.stats")
    for mean in (0.06, 3.0, 250.0, 2.5e8):
        for off in (-3, 0, 4):
            count = max(0, int(mean + off * mean**0.5))
            assert poisson(count, mean) == pytest.approx(stats.poisson.pmf(count, mean), rel=1e-6)
            near = _Spread(mean).at_most(count)
            assert near == pytest.approx(stats.poisson.cdf(count, mean), rel=0.02, abs=1e-12)
    assert (poisson(0, 0.0), poisson(2, 0.0)) == (1.0, 0.0)
    assert poisson(500, 1e-9) == 0.0
    assert _binomial(3, 200, 0.01) == pytest.approx(comb(200, 3) * 0.01**3 * 0.99**197, rel=1e-9)
