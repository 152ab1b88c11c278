"""Futures: intervals hold what comes as often as they say, whatever kind of history came before."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np
import pytest

from errorbudget import SLO, Availability, CountSeries
from errorbudget.studies.forecast import forecast
from errorbudget.studies.futures import Past

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
Random = np.random.Generator


def _seasons(days: int) -> Any:
    """Traffic of each hour against the mean: quiet nights and weekends."""
    hour = np.arange(days * 24)
    return 1 + 0.6 * np.sin(2 * np.pi * (hour % 24) / 24) - 0.4 * (hour // 24 % 7 >= 5)


def _burst(random: Random, share: Any, chance: float, most: float) -> None:
    """One to three hours of failures on some days."""
    for day in np.flatnonzero(random.random(len(share) // 24) < chance):
        start = day * 24 + random.integers(0, 20)
        share[start : start + random.integers(1, 4)] = random.uniform(0.05, most)


def _wandering(random: Random, days: int, size: float) -> Any:
    """A factor of the share that goes up or down by so much a day [log units]."""
    return np.exp(np.repeat(np.cumsum(random.normal(0, size, days)), 24))


def _steady(random: Random, days: int) -> Any:
    return 200 * _seasons(days), np.full(days * 24, 0.003)


def _seasonal(random: Random, days: int) -> Any:
    hour = np.arange(days * 24)
    share = 0.003 * np.where(hour // 24 % 7 == 0, 4, 1) * (1 + np.cos(2 * np.pi * hour / 24) / 2)
    return 200 * _seasons(days), share


def _bursty(random: Random, days: int) -> Any:
    share = np.full(days * 24, 0.002)
    _burst(random, share, 0.3, 0.4)
    return 200 * _seasons(days), share


def _rare(random: Random, days: int) -> Any:
    share = np.full(days * 24, 0.001)
    _burst(random, share, 0.1, 0.6)
    return 200 * _seasons(days), share


def _long(random: Random, days: int) -> Any:
    share = np.full(days * 24, 0.002)
    for start in np.flatnonzero(random.random(days * 24) < 1 / (24 * 8)):
        share[start : start + random.integers(24, 72)] = random.uniform(0.01, 0.04)
    return 200 * _seasons(days), share


def _uneven(random: Random, days: int) -> Any:
    return 200 * _seasons(days), 0.003 * np.repeat(random.gamma(1.5, 1 / 1.5, days), 24)


def _drifting(random: Random, days: int) -> Any:
    return 200 * _seasons(days), 0.003 * _wandering(random, days, 0.12)


def _drifting_bursty(random: Random, days: int) -> Any:
    share = 0.003 * _wandering(random, days, 0.1)
    _burst(random, share, 0.2, 0.15)
    return 200 * _seasons(days), share


def _growing(random: Random, days: int) -> Any:
    return 200 * _seasons(days) * np.exp(0.01 * np.arange(days * 24) / 24), np.full(
        days * 24, 0.003
    )


def _shrinking(random: Random, days: int) -> Any:
    return 200 * _seasons(days) * np.exp(-0.01 * np.arange(days * 24) / 24), np.full(
        days * 24, 0.003
    )


def _thin(random: Random, days: int) -> Any:
    return 4 * _seasons(days), np.full(days * 24, 0.01)


KINDS = {
    "steady": _steady,
    "failures by weekday and hour": _seasonal,
    "bursts on three days of ten": _bursty,
    "rare bursts": _rare,
    "incidents of days": _long,
    "uneven days": _uneven,
    "drifting": _drifting,
    "drifting with bursts": _drifting_bursty,
    "growing": _growing,
    "shrinking": _shrinking,
    "little traffic": _thin,
}
"""Histories by name: expected requests and the share that fails, hour by hour."""


def held(
    kind: Callable[[Random, int], Any],
    turns: int,
    past: int = 42,
    horizon: int = 7,
    seed: int = 1,
    window: int = 28,
    step: str = "1h",
) -> int:
    """How many of so many simulated futures end within the 90 % interval; lengths in days."""
    slo = SLO("api", target="99%", window=f"{window}d", sli=Availability())
    random = np.random.default_rng(seed)
    found = 0
    for turn in range(turns):
        expected, share = kind(random, past + horizon)
        total = random.poisson(expected)
        bad = random.binomial(total, np.minimum(share, 0.9))
        ends = (np.arange(len(total)) + 1) * HOUR
        whole = CountSeries(ends, total - bad, total, "1h")
        seen = past * 24
        known = CountSeries(ends[:seen], (total - bad)[:seen], total[:seen], "1h")
        asked = forecast(slo, known, paths=200, seed=turn, horizon=f"{horizon}d", step=step)
        truth = slo.evaluate(whole, at=int(asked.time_ns[-1])).budget.remaining_ratio
        found += bool(asked.low[-1] <= truth <= asked.high[-1])
    return found


def _tail(most: int, turns: int, share: float) -> float:
    """The chance of *most* or fewer among *turns*."""
    return sum(
        comb(turns, count) * share**count * (1 - share) ** (turns - count)
        for count in range(most + 1)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_future(kind: str) -> None:
    """Of 40 histories as many are held as is likely (99.9 %) if 85 to 95 % are in all."""
    turns = 40
    found = held(KINDS[kind], turns)
    assert _tail(found, turns, 0.85) > 0.001
    assert 1 - _tail(found - 1, turns, 0.95) > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_85_to_95_percent(kind: str) -> None:
    """Of 300 histories of each kind, give or take one standard error of the count."""
    found = held(KINDS[kind], 300, seed=2) / 300
    error = (0.1 * 0.9 / 300) ** 0.5
    assert 0.85 - error <= found <= 0.95 + error


ELSEWHERE = [(28, 7, 28), (84, 14, 28), (90, 30, 30), (28, 14, 14), (14, 7, 7)]
"""Days of the past, ahead and of the window."""

UNSURE = {
    ("uneven days", 28, 14, 14): (0.95, 1.0),
    ("growing", 90, 30, 30): (0.93, 0.99),
    ("drifting", 28, 14, 14): (0.78, 0.87),
    ("drifting", 14, 7, 7): (0.78, 0.87),
    ("incidents of days", 14, 7, 7): (0.76, 0.86),
    ("rare bursts", 14, 7, 7): (0.79, 0.87),
}
"""Where the how-to page sets a star, as other figures than 85 to 95 % hold."""


@pytest.mark.slow
@pytest.mark.parametrize("lengths", ELSEWHERE, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_elsewhere_hold_85_to_95_percent(
    kind: str, lengths: tuple[int, int, int]
) -> None:
    """As many of 100 as is likely (99 %) if 85 to 95 % are held in all, or what the page says."""
    turns = 100
    past, ahead, window = lengths
    found = held(KINDS[kind], turns, past, ahead, seed=3, window=window, step="1d")
    low, high = UNSURE.get((kind, *lengths), (0.85, 0.95))
    assert _tail(found, turns, low) > 0.01
    assert 1 - _tail(found - 1, turns, high) > 0.01


@pytest.mark.slow
def test_a_rate_that_runs_away_is_held_less_often() -> None:
    """At 30 % a day more than four in five are held a week ahead."""
    found = held(
        lambda random, days: (200 * _seasons(days), 0.003 * _wandering(random, days, 0.3)), 300
    )
    assert 0.82 <= found / 300 <= 0.95


def _past(total: Any, bad: Any) -> Past:
    """Blocks of one step each, given from the first to the last."""
    return Past(np.array(total, dtype=float)[::-1, None], np.array(bad)[::-1, None])


def test_an_even_past_has_one_future() -> None:
    """Shares that never move leave nothing to chance, not even that of counting."""
    bad, total = _past([100] * 28, [3] * 28).futures(10, 5, 7, seed=0)
    assert (bad == 3).all()
    assert (total == 100).all()


def test_traffic_keeps_its_season_and_its_growth() -> None:
    """A week that doubles every week doubles again, and its quiet day stays quiet."""
    week = np.array([10, 10, 10, 10, 10, 10, 2])
    total = np.concatenate([week * 2**turn for turn in range(5)])
    _, ahead = _past(total, np.zeros(35, dtype=int)).futures(14, 20, 7, seed=0)
    assert np.allclose(ahead, np.concatenate([week * 2**5, week * 2**6]))


def test_a_level_that_moved_is_left_behind() -> None:
    """After the share went up tenfold for good, futures are made at the new level."""
    random = np.random.default_rng(0)
    share = np.repeat([0.01, 0.1], [30, 10])
    bad, total = _past([1_000] * 40, random.binomial(1_000, share)).futures(7, 500, 7, seed=0)
    assert 0.06 < np.median(bad.sum(axis=1) / total.sum(axis=1)) < 0.15


def test_records_are_possible_where_days_are_wild() -> None:
    """A past with a burst holds worse bursts; one of pure chance hardly does."""
    random = np.random.default_rng(0)
    wild = random.binomial(1_000, 0.002, 40)
    wild[[5, 20, 31]] = [60, 80, 120]
    bad, _ = _past([1_000] * 40, wild).futures(7, 1_000, 7, seed=0)
    assert 0.02 < (bad.max(axis=1) > 120).mean() < 0.3
    tame, _ = _past([1_000] * 40, random.binomial(1_000, 0.05, 40)).futures(7, 1_000, 7, seed=0)
    assert tame.max() < 120


def test_days_without_traffic_are_not_drawn_as_good_ones() -> None:
    """Futures fail as days with traffic did, and never more than there is traffic."""
    total = [100, 0] * 14
    bad, ahead = _past(total, [100, 0] * 14).futures(14, 50, 2, seed=0)
    assert (bad == ahead).all()
    assert np.allclose(ahead, [100, 0] * 7)
