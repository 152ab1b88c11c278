"""
Futures put together from the past: traffic with its season, failures that cluster and drift.

The past is cut into blocks, usually days. A future draws whole blocks, so that a burst stays a
burst and a storm of retries brings its own traffic, and four things make the draws as uncertain as
the future is:

- *Drift.* The logarithm of the share of bad units is a level that may wander for good, come back or
  have jumped, plus noise of its own (`errorbudget.studies.levels`). How far it goes is not known,
  so every path draws it, and the level's whole course, from what the past makes likely; a block is
  then scaled from the level of its own time to that of the future, and from the traffic that was
  usual then to what will be.
- *Clusters.* Where what is left resembles the block before, a draw goes on with the next block as
  often as the correlation says, and fewer blocks count as independent.
- *Few blocks.* Every path draws from a past of its own, resampled and shorter.
- *Records.* Of n blocks and one more, the new one is the worst with a chance of 1 / (n + 1); then
  it outdoes the worst as the worst ones outdo each other.

Seasons of failures and growth of traffic are taken up only as far as the past shows them. Where a
place in the season was seen n times, a draw comes from those n blocks in n of n + 1 cases, and else
from any block, as a Dirichlet process does.

Source: D. Politis and J. Romano, JASA 89, 1994 (stationary bootstrap); T. Ferguson, Annals
of Statistics 1, 1973 (Dirichlet process); B. Hill, Annals of Statistics 3, 1975 (how far the worst
outdo each other).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from errorbudget.studies.chances import beta_cdf
from errorbudget.studies.levels import courses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.series import Series

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Futures", "Past"]

POOL = 0.7
"""Length of each path's own past, as a share of the true one."""

NEAR = 3
"""Blocks on either side from which it is learnt how many bad units a block would have."""

SEEN = 26
"""Seasons, half a year of weeks, from which it is known how often one place of them goes wrong."""

SEASONAL = 0.025
"""Places in a season are taken to differ where chance alone makes them do so less often."""

LEAST = 4
"""Blocks with traffic below which neither drift nor records are looked for."""

MOST_RECORD = 0.7
"""Bound of the mean excess of a record over the worst so far [log units]."""


class Futures(NamedTuple):
    """
    What may come, and what makes it hard to tell.

    Attributes:
        bad: Bad units per path and step; float64, shape (paths, steps).
        total: Units, good and bad; the same shape.
        lost: How likely it is that the level of failures jumped or runs away, in [0, 1].
        lone: Whether most failures came at one place of the season, seen few times.
    """

    bad: Floats
    total: Floats
    lost: float
    lone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """
    Whole blocks of the past, the latest first.

    Attributes:
        total: Units per block and step; float64, shape (blocks, steps per block).
        bad: Bad ones among them; int64, the same shape.
    """

    total: Floats
    bad: Integers

    @property
    def blocks(self) -> int:
        """How many there are, from the first with traffic on."""
        return len(self.total)

    @property
    def busy(self) -> int:
        """How many of them have traffic."""
        return int((self.total.sum(axis=1) > 0).sum())

    @classmethod
    def of(cls, series: Series, at_ns: int, step_ns: int, block_ns: int) -> Past:
        """The blocks of *series* that end at *at_ns*; a block is a multiple of the step."""
        per_block = block_ns // step_ns
        since = at_ns if series.span is None else min(series.span[0], at_ns)
        blocks = (at_ns - since) // block_ns
        edges = at_ns + np.arange(-blocks * per_block, 1, dtype=np.int64) * step_ns
        good, total = series.cumulative(edges)
        units, fine = np.diff(total), np.diff(good)
        shape = (blocks, per_block)
        totals = units.reshape(shape)[::-1]
        bads = (units - fine).reshape(shape)[::-1].astype(np.int64)
        some = totals.sum(axis=1) > 0
        # Blocks before the first traffic are no past: the service, or its counters, came later.
        known = int(np.flatnonzero(some)[-1]) + 1 if some.any() else 0
        return cls(totals[:known].astype(np.float64), bads[:known])

    def futures(self, steps: int, paths: int, season: int, seed: int) -> Futures:
        """
        Futures drawn from these blocks.

        Args:
            steps: How far [steps].
            paths: How many.
            season: Blocks after which traffic repeats itself.
            seed: One seed gives one answer.

        Time and memory: O(paths x (steps + blocks)).
        """
        random = np.random.default_rng(seed)
        per_block = self.total.shape[1]
        ahead = -(-steps // per_block)
        season = min(season, self.blocks + ahead)  # no place would be met again
        usual, slope, error = self._usual(season)
        free = max(self.blocks // season - 2, 1)
        growth = slope + error * random.standard_t(free, paths).clip(-5, 5)
        failures = _Failures.of(self, season)
        level, future, noise, lost = failures.courses(ahead, paths, random)
        draws = failures.drawn(level, future, noise, random)
        bad, total = (np.empty((paths, ahead, per_block)) for _ in range(2))
        for place in range(ahead):
            block, factor, share, own = next(draws)
            grown = np.exp((growth * (block // season + 1 + place // season)).clip(-20, 20))
            scale = usual[(-1 - place) % season] / np.maximum(usual[block % season], 1e-12) * grown
            units = self.total[block] * scale[:, None]
            scale = (scale * factor)[:, None]
            # Fewer units than the block had are a sample of them. More are as many times its own,
            # but what was chance in them grows as a root does; the rest is spread as traffic is.
            fewer = random.binomial(self.bad[block], np.minimum(scale, 1.0))
            kept = np.sqrt(own[:, None] + (1 - own[:, None]) / np.maximum(scale, 1.0))
            more = kept * self.bad[block] * scale + (1 - kept) * units * share[:, None]
            # Failures are whole: a thousandth of one a day would leave no future without any.
            whole = np.floor(np.cumsum(more, axis=1) + random.random((paths, 1)))
            more = np.diff(whole, axis=1, prepend=0.0)
            bad[:, place] = np.where(scale < 1, fewer, more)
            total[:, place] = units
        flat = (paths, ahead * per_block)
        total = total.reshape(flat)[:, :steps]
        bad = np.minimum(bad.reshape(flat)[:, :steps], total)
        return Futures(bad, total, lost, failures.lone)

    def _usual(self, season: int) -> tuple[Floats, float, float]:
        """
        Traffic of each place in a season, as it is by now, from the latest block back; then the
        change of its log from one season to the next, and the standard error of that [log units].
        """
        sums = self.total.sum(axis=1)
        seasons, slope, error = len(sums) // season, 0.0, 0.0
        heights = sums[: seasons * season].reshape(-1, season).sum(axis=1)
        if seasons >= 3 and heights.all():
            heights = np.log(heights)[::-1]
            turn = np.arange(seasons) - (seasons - 1) / 2
            spread = float(turn @ turn)
            slope = float(turn @ heights) / spread
            rest = heights - heights.mean() - slope * turn
            error = float(np.sqrt(rest @ rest / (seasons - 2) / spread))
        block = np.arange(len(sums))
        now = sums * np.exp(slope * (block // season))
        # A storm is not usual, so the middle; where there is mostly none, what there is counts.
        usual = np.full(season, now.mean())
        for place in range(min(season, len(sums))):
            usual[place] = np.median(now[place::season]) or now[place::season].mean()
        return usual, slope, error


@dataclass(frozen=True, slots=True, eq=False)
class _Failures:
    """
    How the share of bad units went, the latest block first; log units, shape (blocks,) each.

    `height` has the season taken out; `season` is what was taken out, one place after another from
    the latest block back, and `seasonal` how much of it is more than chance, in [0, 1); `chance` is
    the variance that counting alone gives, `own` the part of the changes from block to block that
    is beyond it, in [0, 1]. `fails` is whether anything did, and `lone` whether most failures came
    at one place of the season, seen few times.
    """

    height: Floats
    chance: Floats
    known: NDArray[np.bool_]
    season: Floats
    seasonal: float
    own: float
    fails: bool
    lone: bool

    @classmethod
    def of(cls, past: Past, season: int) -> _Failures:
        bad, total = past.bad.sum(axis=1), past.total.sum(axis=1)
        known = total > 0
        height = np.log((bad + 0.5) / (total + 1.0))
        places, seasonal = _seasonal(height, known, season)
        turn = places[np.arange(len(height)) % season]
        height = height - turn
        chance = 1.0 / (total * np.exp(_near(height, known) + turn) + 0.5)
        # Shares that hardly move, as of a machine's heartbeat, are no game of chance.
        steps = np.diff(height[known])
        pairs = chance[known][1:] + chance[known][:-1]
        moves = float(steps @ steps / pairs.sum()) if len(steps) else 0.0
        chance *= min(1.0, moves if moves > 1e-9 else 0.0)
        own = 1 - 1 / max(1.0, moves)
        lone = seasonal > 0 and len(bad) < SEEN * season and _lone(bad, season)
        return cls(height, chance, known, places, seasonal, own, bool(bad.any()), lone)

    def courses(
        self, ahead: int, paths: int, random: np.random.Generator
    ) -> tuple[Floats, Floats, Floats, float]:
        """
        What `levels.courses` says; of too few blocks, without a failure or chance, a level of
        nothing.
        """
        if self.known.sum() < LEAST or not self.fails or not self.chance.any():
            still = np.zeros((paths, len(self.height))), np.zeros((paths, ahead))
            return *still, np.full(paths, np.inf), 0.0
        return courses(self.height, self.chance, self.known, ahead, paths, random)

    def drawn(
        self, level: Floats, future: Floats, noise: Floats, random: np.random.Generator
    ) -> Iterator[tuple[Integers, Floats, Floats, Floats]]:
        """
        For each block ahead: which past one each path draws, and the factor of its share; the
        share that is usual then, and how much of the block's distance from it is not chance.
        """
        (paths, n), ahead, season = level.shape, future.shape[1], len(self.season)
        every = np.arange(paths)
        rest = np.where(self.known, self.height - level, 0.0)
        rest -= rest.sum(axis=1, keepdims=True) / self.known.sum()
        rest[:, ~self.known] = 0.0
        square = (rest * rest).sum(axis=1)
        alike = (rest[:, 1:] * rest[:, :-1]).sum(axis=1) / np.maximum(square, 1e-12)
        alike[alike <= 2 / np.sqrt(n)] = 0.0
        some = np.flatnonzero(self.known)
        pool = some[random.integers(0, len(some), (paths, len(some)))]
        places = [some[some % season == place] for place in range(season)] if self.seasonal else []
        kin = [same[random.integers(0, len(same), (paths, len(same)))] for same in places]
        size = np.maximum(1.0, len(some) * (1 - self.own * (1 - POOL)) * (1 - alike) / (1 + alike))
        worst = int(some[np.argmax(self.height[some])])
        excess = _excess(self.height[some])
        last = None
        for place in range(ahead):
            block = pool[every, (random.random(paths) * size).astype(np.int64)]
            if last is not None:
                goes_on = (random.random(paths) < alike) & (last > 0) & self.known[last - 1]
                block = np.where(goes_on, last - 1, block)
            if self.seasonal:
                same = kin[(-1 - place) % season]
                own = same[every, random.integers(0, same.shape[1], paths)]
                often = self.seasonal * same.shape[1] / (same.shape[1] + 1)
                block = np.where(random.random(paths) < often, own, block)
            record = (random.random(paths) < self.own / (len(some) + 1)) & (excess is not None)
            block = np.where(record, worst, block)
            beyond = np.where(record, (excess or 0.0) * random.exponential(size=paths), 0.0)
            turn = self.season[(-1 - place) % season] - self.season[block % season]
            # That places differ is as sure as the past shows it, so not every path believes it.
            turn = np.where(random.random(paths) < self.seasonal, turn, 0.0)
            share = np.exp(future[:, place] + self.season[(-1 - place) % season])
            own = 1 / (1 + self.chance[block] / np.maximum(noise, 1e-12))
            factor = np.exp(future[:, place] - level[every, block] + beyond + turn)
            yield block, factor, share, own
            last = block


def _near(height: Floats, known: NDArray[np.bool_]) -> Floats:
    """The mean height near each block; the block's own count would make few failures seem sure."""
    window = np.ones(2 * NEAR + 1)
    count = np.convolve(known, window)[NEAR:-NEAR]
    found: Floats = np.convolve(height * known, window)[NEAR:-NEAR] / np.maximum(count, 1.0)
    return found


def _lone(bad: Integers, season: int) -> bool:
    """Whether one place of the season has most failures, with the worst block and without it."""
    place = np.arange(len(bad)) % season
    all_of_it = np.bincount(place, bad)
    most = int(all_of_it.argmax())
    rest = all_of_it - np.bincount(place[[bad.argmax()]], bad[[bad.argmax()]], season)
    return all(2 * each[most] > each.sum() for each in (all_of_it, rest))


def _seasonal(height: Floats, known: NDArray[np.bool_], season: int) -> tuple[Floats, float]:
    """What each place of the season adds, shrunk towards nothing, and by how much it is shrunk."""
    place = (np.arange(len(height)) % season)[known]
    height = height[known]
    count = np.bincount(place, minlength=season)
    if season < 2 or count.min() < 2:
        return np.zeros(season), 0.0
    means = np.bincount(place, height, minlength=season) / count
    off = means - height.mean()
    unlike = float(count @ (off * off))
    left = float(np.square(height - means[place]).sum())
    free = len(height) - season
    # The chance of so great an F ratio.
    if not unlike or beta_cdf(left / (left + unlike), free / 2, (season - 1) / 2) >= SEASONAL:
        return np.zeros(season), 0.0
    sure = max(0.0, 1 - (left / free) / (unlike / (season - 1)))
    return sure * off, sure


def _excess(height: Floats) -> float | None:
    """How far the worst blocks outdo the third worst, on average [log units]; None of too few."""
    if len(height) < LEAST:
        return None
    first, second, third = np.sort(height)[::-1][:3]
    return min(MOST_RECORD, float(first + second - 2 * third) / 2)
