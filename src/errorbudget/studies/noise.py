"""
Burn or noise? How often chance alone pages, and how little traffic a target can be judged with.

At low traffic a single failure burns at `1 / (events x error)`, whatever the service is like. The
answers here are exact binomial chances, for a service that fails at a rate it is allowed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log, log1p
from typing import Any

from errorbudget.alerts import BurnAlert
from errorbudget.burn import Number, burn_rate_exact
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts, as_counts
from errorbudget.durations import HOUR_NS, DurationLike, length_of
from errorbudget.errors import InvalidInputError, InvalidTargetError
from errorbudget.rationals import shown
from errorbudget.studies.arguments import chance, exact, number, whole
from errorbudget.studies.chances import binomial_tail
from errorbudget.studies.crossings import Crossings
from errorbudget.studies.tables import figure, frame
from errorbudget.target import Target, TargetLike

__all__ = [
    "BurnVerdict",
    "LeastTraffic",
    "burn_or_noise",
    "chance_to_exceed",
    "false_pages_per_month",
    "least_bad",
    "least_traffic",
]


def _ordinary(target: TargetLike, ordinary: Number | None) -> float:
    """The share of bad events that is nobody's alarm: by default what the target allows."""
    share = Target(target).error if ordinary is None else exact("ordinary", ordinary)
    if share > 1:
        raise InvalidInputError(f"ordinary is a share of events in [0, 1], got {shown(ordinary)}")
    return float(share)


def _events(total: int) -> int:
    """As many events as counts hold."""
    return whole("events", total, 0, 2**63 - 1)


MOST_TO_TELL = 10**13
"""As many events are looked for in a second or two; ten times as many take three times as long."""
VERDICT: Columns = {
    "bad": "count",
    "total": "count",
    "burn_rate": "figure",
    "ordinary": "chance",
    "p_value": "chance",
    "alpha": "chance",
    "needed": "whole",
    "real": "flag",
}
"""A verdict as a row."""
LEAST: Columns = {
    "target": "text",
    "to_allow_one": "whole",
    "to_show": "whole",
    "to_tell": "whole",
    "factor": "number",
    "level": "chance",
}
"""The least traffic as a row."""


@dataclass(frozen=True, slots=True)
class BurnVerdict(Shown):
    """
    Whether a burn is more than chance.

    Attributes:
        counts: What was seen.
        burn: Its burn rate, exactly; None without events.
        ordinary: Share of bad events that is nobody's alarm [1].
        p_value: Chance of as many bad events or more from it [1]; 1 without events.
        alpha: Below it the burn is called real [1]: the false-page rate of one look.
        needed: Bad events from which on it would be real [events]; more than there were events
            where not even all of them would do.
    """

    counts: Counts
    burn: Fraction | float | None
    ordinary: float
    p_value: float
    alpha: float
    needed: int

    @property
    def real(self) -> bool:
        """Whether chance would do this in fewer than *alpha* of all looks."""
        return self.p_value < self.alpha

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain data, ready for JSON."""
        return {
            "bad": self.counts.bad,
            "total": self.counts.total,
            "burn_rate": figure(self.burn),
            "ordinary": self.ordinary,
            "p_value": self.p_value,
            "alpha": self.alpha,
            "needed": self.needed,
            "real": self.real,
        }

    def to_pandas(self) -> Any:
        """The verdict as a pandas DataFrame of one row."""
        return frame([self.to_dict()], VERDICT)

    def _card(self) -> Card:
        if self.burn is None:
            return Card("Burn or noise?", "no events")
        word, tone = ("a burn", "bad") if self.real else ("may be noise", "")
        return Card("Burn or noise?", word, tone, [str(self)])

    def __str__(self) -> str:
        if self.burn is None:
            return "no events: neither burn nor noise"
        word = "a burn" if self.real else "may be noise"
        share = "nearly every look" if self.p_value > 0.99 else f"{self.p_value:.2g} of all looks"
        return (
            f"{self.counts.bad:,} bad of {self.counts.total:,} (burn {float(self.burn):.2f}): "
            f"{word}; chance does as much in {share}, and "
            f"{self.needed:,} bad are needed to be sure at {self.alpha:g}"
        )


def burn_or_noise(
    counts: Counts,
    target: TargetLike,
    *,
    ordinary: Number | None = None,
    alpha: float | Fraction | str = 0.01,
    dispersion: float = 1.0,
) -> BurnVerdict:
    """
    Is this burn or noise?

    Args:
        counts: Whole good and bad events of one window [events].
        target: Exact share of events that must be good, in (0, 1].
        ordinary: Share of bad events of an ordinary day; by default all that the target allows.
        alpha: False-page rate of one look that is put up with, in (0, 1).
        dispersion: How clustered failures are, as `confidence.dispersion` estimates it [1, >= 1].

    Raises:
        InvalidInputError: An argument does not fit.

    Example:
        >>> burn_or_noise(Counts(good=58, bad=2), "99.9%").real
        True
        >>> print(burn_or_noise(Counts(good=59, bad=1), "99.9%"))
        1 bad of 60 (burn 16.67): may be noise; chance does as much in 0.058 of all looks, \
and 2 bad are needed to be sure at 0.01
    """
    seen = as_counts(counts)
    if type(seen.bad) is not int or type(seen.total) is not int:
        raise InvalidInputError(f"chances are told of whole events, got {shown(counts)}")
    _events(seen.total)
    dispersion = number("dispersion", dispersion, least=1)
    share = _ordinary(target, ordinary)
    limit = chance("alpha", alpha)

    def tail(bad: int) -> float:
        return binomial_tail(bad / dispersion, seen.total / dispersion, share) if bad else 1.0

    low, high = 0, seen.total + 1  # the least count whose tail lies below alpha
    while low < high:
        middle = (low + high) // 2
        if middle > seen.total or tail(middle) < limit:
            high = middle
        else:
            low = middle + 1
    rate = burn_rate_exact(seen, target)
    return BurnVerdict(seen, rate, share, tail(seen.bad), limit, low)


def least_bad(total: int, target: TargetLike, threshold: Number) -> int:
    """
    Bad events among *total* that burn above *threshold*, strictly; more than *total* if none do.

    Example:
        >>> least_bad(60, "99.9%", 14.4), least_bad(5_000, "99.9%", 14.4)
        (1, 73)
    """
    return floor(_events(total) * Target(target).error * exact("threshold", threshold)) + 1


def chance_to_exceed(
    total: int, target: TargetLike, threshold: Number, *, ordinary: Number | None = None
) -> float:
    """
    The chance that a window of *total* events burns above *threshold* without any incident.

    Args:
        total: Events in the window [events].
        target: Exact share of events that must be good, in (0, 1].
        threshold: Burn rate to exceed [1].
        ordinary: Share of bad events of an ordinary day; by default all that the target allows.

    Example:
        >>> round(chance_to_exceed(60, "99.9%", 14.4), 4)
        0.0583
    """
    least = least_bad(total, target, threshold)
    return binomial_tail(least, total, _ordinary(target, ordinary))


def false_pages_per_month(
    alert: BurnAlert,
    target: TargetLike,
    period: DurationLike | int,
    events_per_hour: Number,
    *,
    ordinary: Number | None = None,
    daily: float = 0.6,
) -> float:
    """
    How often chance alone would fire *alert* in 30 days, at most.

    Each beginning is a page: an alert that stops and fires again, as its window's traffic comes and
    goes, has paged twice. Said is the most of even traffic, of random arrivals, and of random ones
    that swing by the day. A short window, `hold` and looking only each minute make it less, never
    more.

    Args:
        alert: The alert.
        target: Exact share of events that must be good, in (0, 1].
        period: Window of the SLO; text, `timedelta` or ns.
        events_per_hour: Usual traffic [events / h].
        ordinary: Share of bad events of an ordinary day; by default all that the target allows.
        daily: How far a day's traffic swings about its mean, in [0, 1], as in `Season`.

    Example:
        >>> fast = BurnAlert("fast", "page", "2%", "1h", "5m")
        >>> round(false_pages_per_month(fast, "99.9%", "30d", 60), 1)
        105.6
        >>> false_pages_per_month(fast, "99.9%", "30d", 6_000) < 1e-9
        True
    """
    if not isinstance(alert, BurnAlert):
        raise InvalidInputError(f"an alert was asked for, such as a BurnAlert, got {shown(alert)}")
    rate = exact("events_per_hour", events_per_hour)
    _events(int(rate * alert.long / HOUR_NS))
    share = Target(target).error * alert.threshold(length_of(period))
    usual, swing = _ordinary(target, ordinary), number("daily", daily, least=0, most=1)
    return Crossings(rate, alert.long, usual, swing).per_month(share) if rate else 0.0


@dataclass(frozen=True, slots=True)
class LeastTraffic(Shown):
    """
    Events that a window needs before a target means something.

    Attributes:
        target: The target.
        to_allow_one: Events whose budget holds one bad event at all [events].
        to_show: Events which, all of them good, show that the target is kept [events].
        to_tell: Events among which a service that fails at *factor* times what is allowed is told
            from one that just keeps the target [events].
        factor: How much worse that service is [1, > 1].
        level: How sure both are, in (0, 1).
    """

    target: Target
    to_allow_one: int
    to_show: int
    to_tell: int
    factor: float
    level: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data, ready for JSON."""
        return {
            "target": str(self.target),
            "to_allow_one": self.to_allow_one,
            "to_show": self.to_show,
            "to_tell": self.to_tell,
            "factor": self.factor,
            "level": self.level,
        }

    def to_pandas(self) -> Any:
        """The figures as a pandas DataFrame of one row."""
        return frame([self.to_dict()], LEAST)

    def _card(self) -> Card:
        rows = [
            ("for a single bad one to fit", f"{self.to_allow_one:,}"),
            (f"to be shown at {self.level:.0%}, all of them good", f"{self.to_show:,}"),
            (f"to be told from {self.factor:g} times its errors", f"{self.to_tell:,}"),
        ]
        return Card(
            f"Least traffic for {self.target}", header=("events wanted", "count"), rows=rows
        )

    def __str__(self) -> str:
        return (
            f"{self.target} wants {self.to_allow_one:,} events for a single bad one to fit, "
            f"{self.to_show:,} good ones to be shown at {self.level:.0%}, and {self.to_tell:,} to "
            f"be told from {self.factor:g} times its errors"
        )


def least_traffic(
    target: TargetLike, *, factor: float = 2.0, level: float | Fraction | str = 0.95
) -> LeastTraffic:
    """
    The least traffic at which *target* can be judged.

    Args:
        target: Exact share of events that must be good, in (0, 1).
        factor: How much worse the service is that has to be told apart [1, > 1].
        level: How sure to be, both that an alarm is real and that none is missed, in (0, 1).

    Raises:
        InvalidTargetError: The target is 100 %, which no traffic can show.
        InvalidInputError: *factor* or *level* does not fit, or too many events would be needed.

    Example:
        >>> least = least_traffic("99.9%")
        >>> least.to_allow_one, least.to_show
        (1000, 2995)

    Source: the rule of three, J. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything
    all right?", 1983, in its exact form.
    """
    goal = Target(target)
    if not goal.error:
        raise InvalidTargetError(
            "no traffic shows that a target of 100 % is kept; take a lower one"
        )
    sure = chance("level", level)
    allowed = float(goal.error)
    times = number("factor", factor, above=1)
    if times * allowed >= 1:
        raise InvalidInputError(
            f"factor must leave some good events at {goal}, got {shown(factor)}"
        )
    to_show = ceil(log(1 - sure) / log1p(-allowed))
    return LeastTraffic(
        goal,
        ceil(1 / goal.error),
        to_show,
        _to_tell(allowed, times * allowed, sure),
        times,
        sure,
    )


def _to_tell(allowed: float, worse: float, level: float) -> int:
    """
    Events at which some count is rare when *allowed*, and almost sure when *worse*.

    Counts are whole, so the chance of telling zigzags; this is an end of one of its first teeth.
    """

    def enough(total: int) -> bool:
        low, high = 1, total + 1
        while low < high:  # the least count that is rare
            middle = (low + high) // 2
            if binomial_tail(middle, total, allowed) <= 1 - level:
                high = middle
            else:
                low = middle + 1
        return binomial_tail(low, total, worse) >= level

    low, high = 0, 1
    while not enough(high):
        if high == MOST_TO_TELL:
            raise InvalidInputError(
                f"more than {MOST_TO_TELL:,} events would be needed to tell that apart; take a "
                "larger factor or a lower target"
            )
        low, high = high, min(2 * high, MOST_TO_TELL)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
