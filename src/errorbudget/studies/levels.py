"""
The level about which heights of the past lie, learnt and drawn: where it was and where it goes.

A height is a level and noise of its own. From block to block the level moves, and keeps some share
of its distance from a mean: all of it, and it wanders for good; part of it, and it comes back. Or
it lies still but for one jump. How far it moves, how much of the distance stays, how large the
noise is and when it jumped are not known; every path draws them, and then the whole course of the
level, from what the past makes likely.

Source: A. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989, ch. 3
(the level), ch. 2.4 (likely parameters) and ch. 7.6 (a jump); P. de Jong, Annals of Statistics 19,
1991 (a mean that is not known); S. Frühwirth-Schnatter, Journal of Time Series Analysis 15, 1994
(drawing a course).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["courses"]

NOISES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Standard deviations of a block about its level, beyond chance, that are weighed [log units]."""

MOVES = {0.0: 0.3, 0.4: 0.25, 0.8: 0.25, 1.6: 0.2}
"""Moves of the level in a block, against how far blocks lie from it, with their prior weights."""

STAYS = {1.0: 0.8, 0.7: 0.2}
"""Shares of the distance from the mean that stay in a block, with their prior weights."""

JUMP, JUMPED = 1.5, 0.03
"""Standard deviation of a jump [log units], and the prior weight of a level that made one."""

SINCE = 3
"""Blocks since a jump; of fewer it cannot be told from bad days."""

FAST = 0.2
"""Standard deviation of a move in a block, for good, above which a level runs away [log units]."""

MOST_JUMPS = 60
"""Instants of a jump that are weighed; of a longer past, so many evenly."""


def courses(
    height: Floats,
    chance: Floats,
    known: NDArray[np.bool_],
    ahead: int,
    paths: int,
    random: np.random.Generator,
) -> tuple[Floats, Floats, Floats, float]:
    """
    The level's course per path: the past, latest block first, and the future from its first on.

    Args:
        height: What was seen, the latest block first [log units]; shape (blocks,).
        chance: Variance of each by chance alone, shape (blocks,), positive where known.
        known: Whether a block was seen; shape (blocks,).
        ahead: Blocks of the future.
        paths: How many courses.
        random: Where chance comes from.

    Returns:
        Levels [log units], shape (paths, blocks) and (paths, ahead); the variance of the noise
        about them, beyond chance, shape (paths,); and how likely it is that the level jumped or
        runs away, in [0, 1].

    Time: O(blocks x paths); memory: that, and O(blocks x instants of a jump).
    """
    moves, stay, noise, jump, prior = _candidates(float(chance[known].mean()), known)
    shape = (len(height), len(noise))
    # The level expected is `mean` + `share` times the unknown mean of all.
    means, shares, variances = (np.empty(shape) for _ in range(3))
    mean, share = np.zeros(len(noise)), np.ones(len(noise))
    variance = np.where(stay < 1, moves / np.maximum(1 - stay * stay, 1e-9), 0.0)
    weight = np.log(prior)
    sure, pulled = np.zeros(len(noise)), np.zeros(len(noise))
    for block in range(len(height) - 1, -1, -1):
        if known[block]:
            expected = variance + noise + chance[block]
            off, gain = height[block] - mean, variance / expected
            weight -= 0.5 * (np.log(expected) + off * off / expected)
            sure += share * share / expected
            pulled += share * off / expected
            mean, share, variance = mean + gain * off, share * (1 - gain), variance * (1 - gain)
        means[block], shares[block], variances[block] = mean, share, variance
        mean, share = stay * mean, stay * share + 1 - stay
        variance = stay * stay * variance + moves + JUMP * JUMP * (jump == block)
    weight += 0.5 * (pulled * pulled / sure - np.log(sure))
    likely = np.exp(weight - weight.max())
    likely /= likely.sum()
    lost = float(likely[(jump > 0) | ((stay == 1) & (moves > FAST * FAST))].sum())
    cell = random.choice(len(noise), paths, p=likely)
    moves, stay, jump = moves[cell], stay[cell], jump[cell]
    middle = (pulled / sure)[cell] + random.standard_normal(paths) / np.sqrt(sure[cell])
    past = np.empty((len(height), paths))
    for block in range(len(height)):
        mean = means[block, cell] + shares[block, cell] * middle
        variance = variances[block, cell]
        if block:
            # What the next block's level, drawn already, says of this one's.
            moved = moves + JUMP * JUMP * (jump == block)
            back = stay * variance / np.maximum(stay * stay * variance + moved, 1e-300)
            mean = mean + back * (past[block - 1] - middle - stay * (mean - middle))
            variance = variance * np.maximum(1 - back * stay, 0.0)
        past[block] = mean + np.sqrt(variance) * random.standard_normal(paths)
    future = np.empty((paths, ahead))
    level = past[0]
    for place in range(ahead):
        level = middle + stay * (level - middle)
        level = level + np.sqrt(moves) * random.standard_normal(paths)
        future[:, place] = level
    return past.T, future, noise[cell], lost


def _candidates(
    chance: float, known: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, Integers, Floats]:
    """
    Variance of a move, the share that stays, variance of the noise, the block after which the level
    jumps, 0 for none, and prior weight, of each.
    """
    instants = np.flatnonzero(known)[SINCE:]
    instants = instants[:: -(-len(instants) // MOST_JUMPS) or 1]
    wander = [
        (noise, move, stay, 0, (1 - JUMPED) * often * share)
        for noise in NOISES
        for move, often in MOVES.items()
        for stay, share in STAYS.items()
    ]
    rare = JUMPED / max(1, len(instants))
    once = [(noise, 0.0, 1.0, instant, rare) for noise in NOISES for instant in instants]
    noise, move, stay, jump, prior = np.array(wander + once).T
    noise = noise * noise
    return move * move * (noise + chance), stay, noise, jump.astype(np.int64), prior
