"""Levels: courses are drawn as the past makes them likely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from errorbudget.studies.levels import JUMP, JUMPED, MOVES, NOISES, SINCE, STAYS, courses

AHEAD = 4


def _covariances(noise: float, chance: Any, known: Any) -> Iterator[tuple[Any, float]]:
    """Of the levels at all instants about their mean, with the prior weight of each kind."""
    instants = np.arange(len(chance) + AHEAD)
    apart = np.abs(instants[:, None] - instants)
    earlier = np.minimum(instants[:, None], instants)
    for move, often in MOVES.items():
        for stay, share in STAYS.items():
            step = move**2 * (noise**2 + chance[known].mean())
            level = step * (earlier if stay == 1 else stay**apart / (1 - stay**2))
            yield level, (1 - JUMPED) * often * share
    # The last that was seen is the first block from which a level may have jumped, less SINCE.
    after = np.flatnonzero(known)[:-SINCE] + 1
    for instant in after:
        yield JUMP**2 * (earlier >= instant), JUMPED / len(after)


def _moments(height: Any, chance: Any, known: Any) -> tuple[Any, Any]:
    """Mean and variance of the level at every instant, from whole covariance matrices."""
    weights, means, variances = [], [], []
    seen = np.flatnonzero(known)
    for noise in NOISES:
        for level, prior in _covariances(noise, chance, known):
            inverse = np.linalg.inv(level[np.ix_(seen, seen)] + np.diag(noise**2 + chance[known]))
            sure = inverse.sum()
            middle = inverse.sum(axis=0) @ height[known] / sure
            off = height[known] - middle
            _, size = np.linalg.slogdet(inverse)
            weights.append(np.log(prior) + (size - np.log(sure) - off @ inverse @ off) / 2)
            gain = level[:, seen] @ inverse
            means.append(middle + gain @ off)
            variances.append(
                np.diag(level - gain @ level[seen]) + (1 - gain.sum(axis=1)) ** 2 / sure
            )
    likely = np.exp(np.array(weights) - max(weights))
    likely /= likely.sum()
    mean = likely @ np.array(means)
    return mean, likely @ (np.array(variances) + np.array(means) ** 2) - mean**2


@pytest.mark.parametrize(("wander", "jump"), [(0.0, 0.0), (0.3, 0.0), (0.0, 2.0)])
def test_courses_have_the_mean_and_spread_of_whole_matrices(wander: float, jump: float) -> None:
    """At every block of the past, one unseen among them, and of the future."""
    random = np.random.default_rng(5)
    n, paths = 15, 40_000
    height = np.cumsum(random.normal(0, wander, n)) + random.normal(-5, 0.3, n)
    height[9:] += jump
    chance = random.uniform(0.01, 0.1, n)
    known = np.arange(n) != 6
    mean, variance = _moments(height, chance, known)
    past, future, _, _ = courses(height[::-1], chance[::-1], known[::-1], AHEAD, paths, random)
    drawn = np.concatenate((past[:, ::-1], future), axis=1)
    error = np.sqrt(variance / paths)
    assert np.abs((drawn.mean(axis=0) - mean) / error).max() < 4
    # Mixtures have heavy tails, so their variance is known less well than that of a bell.
    assert np.allclose(drawn.var(axis=0), variance, rtol=0.1)


def test_a_level_that_came_back_is_not_sent_away() -> None:
    """After a long past of excursions that end, the far future is about as wide as the past was."""
    random = np.random.default_rng(1)
    level = np.zeros(300)
    for block in range(1, 300):
        level[block] = 0.7 * level[block - 1] + random.normal(0, 0.5)
    height = level + random.normal(0, 0.1, 300)
    seen = np.full(300, True)
    _, future, _, _ = courses(height[::-1], np.full(300, 0.01), seen, 60, 2_000, random)
    assert future[:, -1].std() == pytest.approx(level.std(), rel=0.2)


def test_a_level_that_jumped_once_stays_where_it_is() -> None:
    """A new level of two weeks is known about as well as if there had been no other before."""
    random = np.random.default_rng(2)
    new = random.normal(0, 0.3, 14)
    height = np.concatenate((random.normal(-2, 0.3, 28), new))[::-1]
    _, future, noise, lost = courses(
        height, np.full(42, 0.01), np.full(42, True), 14, 4_000, random
    )
    assert lost > 0.9
    assert np.median(future) == pytest.approx(new.mean(), abs=0.1)
    assert future[:, -1].std() < 0.3
    assert np.sqrt(np.median(noise)) == pytest.approx(0.3, abs=0.11)
