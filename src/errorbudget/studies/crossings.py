"""
How often chance alone makes an alert begin to fire.

A page is a beginning: the alert fires and did not just before. Events come at random and leave as
long after as the window is wide, so there are two ways to begin: a bad event comes, or a good one
leaves. Those who come and go find the window as anybody would (Slivnyak-Mecke), and each way
happens as often as such events, times the chance that one is all it takes. Traffic that flaps about
the line is counted at every return.

Source: F. Dalmao and E. Mordecki, "Rice formula for processes with jumps and applications", 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from math import ceil, cos, exp, floor, fsum, lgamma, log, log1p, pi, sin, sqrt

from errorbudget.durations import DAY_NS, HOUR_NS
from errorbudget.studies.months import MONTH_NS

__all__ = ["Crossings", "poisson"]

_POINTS = 512
_MOMENTS = 200


def poisson(count: int, mean: float) -> float:
    """
    The chance of exactly *count* random events where *mean* are usual.

    Example:
        >>> round(poisson(2, 1.0), 12) == round(exp(-1) / 2, 12)
        True

    Source: C. Loader, "Fast and accurate computation of binomial probabilities", 2000.
    """
    if not mean:
        return 0.0 if count else 1.0
    if count < 100:
        return exp(count * log(mean) - mean - lgamma(count + 1))
    off = (mean - count) / count
    less = off - (log1p(off) if off > -0.5 else log(mean / count))
    return exp(-count * less - 1 / (12 * count)) / sqrt(2 * pi * count)


def _binomial(count: int, n: int, p: float) -> float:
    return poisson(count, n * p) * poisson(n - count, n * (1 - p)) / poisson(n, float(n))


class _Spread:
    """How a random count lies about its mean; of very many counts, every so many-th."""

    __slots__ = ("below", "first", "last", "mean", "step")

    def __init__(self, mean: float) -> None:
        reach = 9 * sqrt(mean) + 20
        self.mean = mean
        self.first = max(0, int(mean - reach))
        self.step = max(1, int(2 * reach / _POINTS))
        counts = range(self.first, int(mean + reach) + self.step, self.step)
        self.last = counts[-1] + self.step - 1
        middle = self.step // 2
        self.below = [
            0.0,
            *accumulate(self.step * poisson(count + middle, mean) for count in counts),
        ]

    def at_most(self, count: int) -> float:
        if count < self.first:
            return 0.0
        if count >= self.last:
            return self.below[-1]
        whole, part = divmod(count - self.first + 1, self.step)
        low = self.below[whole]
        return low + part / self.step * (self.below[whole + 1] - low) if part else low


class Crossings:
    """
    How often a window begins to hold more than a share of bad events.

    Args:
        events_per_hour: Usual traffic [events / h, > 0].
        window: Length of the window [ns].
        ordinary: Chance of each event to be bad [1].
        daily: How far a day's traffic swings about its mean, in [0, 1].

    Example:
        >>> hour = Crossings(Fraction(60), HOUR_NS, 0.001, 0.0)
        >>> round(hour.per_month(Fraction("0.0144")), 1)
        105.6
    """

    def __init__(
        self, events_per_hour: Fraction, window: int, ordinary: float, daily: float
    ) -> None:
        self.usual = events_per_hour * window / HOUR_NS
        self.ordinary = ordinary
        self._monthly = float(events_per_hour * MONTH_NS / HOUR_NS)
        self._flat = [(1.0, self._at(1.0))]
        # A sine's heights are sampled evenly in time by Chebyshev's nodes. An event comes half a
        # window after its middle, and another leaves half a window before.
        turn = pi * window / DAY_NS
        swell = daily * sin(turn) / turn
        n = min(_MOMENTS, 8 + ceil(2 * abs(swell) * sqrt(self.usual)))
        heights = [cos(pi * (2 * j + 1) / (2 * n)) for j in range(n)] if daily else []
        self._day = [
            ((1 + daily * cos(turn) * height) / n, self._at(1 + swell * height))
            for height in heights
        ]

    def _at(self, factor: float) -> tuple[float, _Spread]:
        mean = float(self.usual) * factor
        return mean * self.ordinary, _Spread(mean * (1 - self.ordinary))

    def per_month(self, share: Fraction) -> float:
        """
        Beginnings in 30 days: the most of even, random, and random traffic that swings by the day.

        Args:
            share: Share of bad events that must be exceeded [1].
        """
        return max(self._each(share), default=0.0)

    def keep_to(self, share: Fraction, bound: float) -> bool:
        """Whether there are at most *bound* of them, found out with as little work as will do."""
        return all(often <= bound for often in self._each(share))

    def _each(self, share: Fraction) -> Iterator[float]:
        if share < 1:
            yield self._monthly * self._even(share)
            yield self._monthly * self._random(share, self._flat)
            yield self._monthly * self._random(share, self._day)

    def _even(self, share: Fraction) -> float:
        """Where events come like clockwork, a window holds one of two totals, or always one."""
        n, p = floor(self.usual), self.ordinary
        fewer, more = floor(n * share) + 1, floor((n + 1) * share) + 1
        if n == self.usual:
            return p * _binomial(fewer - 1, n - 1, p)
        return p * _binomial(more - 1, n, p) if more == fewer else (1 - p) * _binomial(fewer, n, p)

    def _random(self, share: Fraction, moments: list[tuple[float, tuple[float, _Spread]]]) -> float:
        return fsum(weight * self._beginnings(share, bad, good) for weight, (bad, good) in moments)

    def _beginnings(self, share: Fraction, mean: float, good: _Spread) -> float:
        """Beginnings per event: a bad one comes, or a good one leaves."""
        line, rest = share.numerator, share.denominator - share.numerator
        if not line:
            return self.ordinary * poisson(0, mean)
        # It fires at so many bad events up to (bad * rest - 1) // line good ones.
        first, last = good.first * line // rest + 1, good.last * line // rest + 1
        step = 1 + (last - first) // _POINTS
        p, found = self.ordinary, 0.0
        for bad in range(first, last + 1, step):
            chance = poisson(bad, mean)
            if bad > mean and chance < 1e-12 * found:
                break  # those that follow are rarer still
            most, before = (bad * rest - 1) // line, ((bad - 1) * rest - 1) // line
            coming = poisson(bad - 1, mean) * (good.at_most(most) - good.at_most(before))
            found += p * coming + (1 - p) * chance * poisson(most, good.mean)
        return step * found
