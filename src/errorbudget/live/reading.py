"""
From a ring to a status: every window is the difference of two sums.

What a status follows from is read in one moment, as whole numbers. An instant is judged at the end
of its bucket: what has come into the open bucket counts already, and a window of *k* buckets holds
the open one and the k - 1 before it. At the end of a bucket this is what a `CountSeries` of the
same bins says.

Time slices are judged on the slices that are over. They change when a bucket ends or something
comes late, and are counted anew only then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from errorbudget.counts import Count, Counts
from errorbudget.durations import MINUTE_NS, format_duration
from errorbudget.methods import Occurrences
from errorbudget.schedule import TargetSchedule
from errorbudget.windows import Interval, Rolling

if TYPE_CHECKING:
    from errorbudget.alerts import BurnAlert
    from errorbudget.live.feed import Feed
    from errorbudget.policy import Tier
    from errorbudget.series import CountSeries, Series
    from errorbudget.slo import SLO

__all__ = [
    "Figures",
    "Reading",
    "Slices",
    "burns",
    "count_series",
    "figures",
    "last_counts",
    "names_of",
    "read",
]

Pair = tuple[Count, Count]
Whole = tuple[int, int]


class Figures(NamedTuple):
    """
    The figures of one SLO that a request path can afford to ask for.

    Attributes:
        good: Good units of the SLO's window: events, or slices.
        bad: Bad units of it.
        sli: Share of good units [1]; None without any.
        remaining_ratio: Share of the budget left [1], unclamped; None without units.
        burn_rates: Burn rate [1] by window, such as "1h"; None without units.
        tier: The policy's tier, such as "healthy"; None without units.
    """

    good: Count
    bad: Count
    sli: float | None
    remaining_ratio: float | None
    burn_rates: Mapping[str, float | None]
    tier: str | None


class Reading(NamedTuple):
    """
    What a status follows from, as it was at one moment.

    Attributes:
        slo: The objective.
        at_ns: The instant [ns UTC].
        own: Good and bad units of the SLO's window.
        error: Share of these that may be bad.
        burning: Good and bad units of each of the SLO's `all_burn_windows`.
        errors: Share of these that may be bad, by window.
        held: By alert, whether its condition held for all of its `hold`; None where none waits.
        coverage: Share of the window that was observed.
        left_out: Events that could not be judged.
    """

    slo: SLO
    at_ns: int
    own: Pair
    error: Fraction
    burning: Sequence[Pair]
    errors: Sequence[Fraction]
    held: Mapping[str, bool] | None
    coverage: float | None
    left_out: int


class Slices(NamedTuple):
    """The slices of an SLO that are over: cheap to ask, until a bucket ends or changes."""

    as_of: tuple[int, ...]
    reading: Reading


# ------------------------------------------------------------------------------ windows of events


def _own_span(feed: Feed, slo: SLO, at_ns: int, high: int) -> int:
    """How many buckets the SLO's own window has at *at_ns*."""
    step_ns, window = feed.ring.step_ns, slo.window
    if isinstance(window, Rolling):
        cut = slo.resets and slo.interval(at_ns).start_ns != at_ns - window.length_ns
        if not cut:
            return -(-window.length_ns // step_ns)
    return high - slo.interval(at_ns).start_ns // step_ns


def last_counts(feed: Feed, window_ns: int | None, at_ns: int, arrived: Whole) -> Counts:
    """Good and bad events of the last *window_ns* before *at_ns*; None for the SLO's window."""
    ring = feed.ring
    high = ring.end_of(at_ns)
    if window_ns is None:
        span = _own_span(feed, feed.slo, at_ns, high)
    else:
        span = -(-window_ns // ring.step_ns)
    return Counts(*ring.windows([span], high, arrived)[0])


def _error(feed: Feed, slo: SLO, low: int, high: int, arrived: Whole) -> Fraction:
    """Share of the events in the buckets after *low* up to *high* that may be bad."""
    ring, schedule = feed.ring, slo.target
    if not isinstance(schedule, TargetSchedule) or schedule.judge_by == "now":
        return slo.target_at(high * ring.step_ns).error
    start, end = low * ring.step_ns, high * ring.step_ns
    changes = [change for change in schedule.targets if start < change <= end]
    if not changes:
        return schedule.at(end).error
    errors = [schedule.at(instant).error for instant in (start, *changes)]
    edges = [low, *(change // ring.step_ns for change in changes), high]
    sums = [sum(ring.cumulative(edge, arrived)) for edge in edges]
    units = [after - before for before, after in pairwise(sums)]
    if not any(units):
        return errors[-1]
    return Fraction(sum(e * n for e, n in zip(errors, units, strict=True)), sum(units))


def burns(pairs: Sequence[Pair], errors: Sequence[Fraction], threshold: Fraction) -> bool:
    """Whether every window burns faster than *threshold*, strictly and exactly."""
    return all(
        bad * error.denominator * threshold.denominator
        > (good + bad) * error.numerator * threshold.numerator
        for (good, bad), error in zip(map(_exact, pairs), errors, strict=True)
    )


def _held(feed: Feed, slo: SLO, at_ns: int, arrived: Whole) -> dict[str, bool]:
    """By alert that waits, whether its condition held at every minute before *at_ns*."""
    ring = feed.ring

    def burning(alert: BurnAlert, instant: int) -> bool:
        high = ring.end_of(instant)
        spans = [-(-window // ring.step_ns) for window in alert.windows]
        errors = [_error(feed, slo, high - span, high, arrived) for span in spans]
        pairs = ring.windows(spans, high, arrived)
        return burns(pairs, errors, alert.threshold(slo.period_ns))

    waiting = [alert for alert in slo.alerts.alerts if alert.hold and burning(alert, at_ns)]
    return {
        alert.name: all(
            burning(alert, instant) for instant in range(at_ns - alert.hold, at_ns, MINUTE_NS)
        )
        for alert in waiting
    }


def _coverage(feed: Feed, slo: SLO, at_ns: int, high: int) -> float | None:
    ring = feed.ring
    end_ns = high * ring.step_ns
    if isinstance(slo.window, Rolling) and not slo.resets:
        length_ns = slo.window.length_ns
        start_ns = end_ns - length_ns
    else:
        interval = slo.interval(at_ns)
        if not interval.length_ns:
            return None
        start_ns = interval.start_ns
        length_ns = end_ns - start_ns
    seen = min(end_ns, ring.newest * ring.step_ns) - max(start_ns, (ring.first - 1) * ring.step_ns)
    return max(0, seen) / length_ns


def _read_events(feed: Feed, slo: SLO, at_ns: int, arrived: Whole) -> Reading:
    ring = feed.ring
    high = ring.end_of(at_ns)
    own_span = _own_span(feed, slo, at_ns, high)
    spans: Sequence[int] = feed.spans
    if slo is not feed.slo:
        spans = [-(-window // ring.step_ns) for window in slo.all_burn_windows]
    own, *burning = ring.windows((own_span, *spans), high, arrived)
    if isinstance(slo.target, TargetSchedule):
        error = _error(feed, slo, high - own_span, high, arrived)
        errors = [_error(feed, slo, high - span, high, arrived) for span in spans]
    else:
        error = slo.target_at(at_ns).error
        errors = [error] * len(spans)
    held = _held(feed, slo, at_ns, arrived) if feed.waits or slo is not feed.slo else None
    coverage = _coverage(feed, slo, at_ns, high)
    return Reading(slo, at_ns, own, error, burning, errors, held, coverage, feed.left_out)


# ------------------------------------------------------------------------------ time slices


def _read_slices(feed: Feed, slo: SLO, at_ns: int, arrived: Whole) -> Reading:
    """Slices that are over by the last end of a bucket; they change no sooner than it."""
    ring = feed.ring
    edge_ns = at_ns // ring.step_ns * ring.step_ns
    # At its very end the open bucket counts already.
    open_counts = ring.totals(arrived) if edge_ns >= ring.newest * ring.step_ns else ()
    as_of = (ring.changes, edge_ns, *open_counts)
    known = feed.slices
    if known is None or known.as_of != as_of or known.reading.slo is not slo:
        known = Slices(as_of, _count_slices(feed, slo, edge_ns, arrived))
        feed.slices = known
    return known.reading._replace(at_ns=at_ns, left_out=feed.left_out)


def _count_slices(feed: Feed, slo: SLO, at_ns: int, arrived: Whole) -> Reading:
    from errorbudget.evaluation import allowed_error, counts_in, held_alerts
    from errorbudget.judging import judge_series
    from errorbudget.times import MIN_NS

    units: Series = judge_series(slo, count_series(feed, arrived), until_ns=at_ns)

    def seen(interval: Interval) -> tuple[Pair, Fraction]:
        counts = counts_in(units, interval)
        return (counts.good, counts.bad), allowed_error(slo, units, interval)

    interval = slo.interval(at_ns)
    own, error = seen(interval)
    windows = [
        seen(Interval(max(at_ns - window, MIN_NS), at_ns, "right"))
        for window in slo.all_burn_windows
    ]
    return Reading(
        slo,
        at_ns,
        own,
        error,
        [pair for pair, _ in windows],
        [allowed for _, allowed in windows],
        held_alerts(slo, units, at_ns),
        units.coverage(interval),
        feed.left_out,
    )


def read(feed: Feed, slo: SLO, at_ns: int, arrived: Whole) -> Reading:
    """
    What the status of *slo* at *at_ns* follows from.

    Time: O(windows). Time slices are counted once for each bucket that ends, O(buckets), and
    answered from that.
    """
    if isinstance(slo.method, Occurrences):
        return _read_events(feed, slo, at_ns, arrived)
    return _read_slices(feed, slo, at_ns, arrived)


# ------------------------------------------------------------------------------ plain numbers


def _exact(pair: Pair) -> Pair:
    """Units that can be compared exactly; sums of very many slices are floats."""
    good, bad = pair
    return pair if type(good) is type(bad) is int else (Fraction(good), Fraction(bad))


def _rate(pair: Pair, up: int, down: int) -> float | None:
    """The burn rate where *down* / *up* may be bad, correctly rounded."""
    good, bad = _exact(pair)
    total = good + bad
    if not total:
        return None
    if not down:
        return inf if bad else 0.0
    return float(bad * up / (total * down))


def figures(reading: Reading, names: Sequence[str]) -> Figures:
    """
    A reading as plain numbers, each the nearest float to the exact figure.

    Args:
        reading: What was read.
        names: The burn windows as text, in their order.
    """
    good, bad = _exact(reading.own)
    error, policy = reading.error, reading.slo.policy
    up, down = error.denominator, error.numerator
    rates = {
        name: _rate(pair, up, down)
        if allowed is error
        else _rate(pair, allowed.denominator, allowed.numerator)
        for name, pair, allowed in zip(names, reading.burning, reading.errors, strict=True)
    }
    total = good + bad
    if not total:
        return Figures(0, 0, None, None, rates, None)
    allowed, spent = total * down, bad * up
    if allowed:
        left = allowed - spent
        ratio = float(left / allowed)
        tier: Tier | None = policy.tier_of(left, allowed)
    else:
        ratio = -inf if bad else 1.0
        tier = policy.tier(ratio)
    own = reading.own
    sli = float(own[0] / (own[0] + own[1]))
    return Figures(*own, sli, ratio, rates, None if tier is None else tier.name)


def names_of(slo: SLO) -> tuple[str, ...]:
    """The burn windows of *slo* as text."""
    return tuple(map(format_duration, slo.all_burn_windows))


def count_series(feed: Feed, arrived: Whole) -> CountSeries:
    """Everything that the ring remembers, as a count series."""
    from errorbudget.series import CountSeries

    ring = feed.ring
    ends, good, bad = ring.buckets(arrived)
    labels: Any = (ends if ring.closed == "right" else ends - 1) * ring.step_ns
    return CountSeries(labels, good, good + bad, ring.step_ns, ring.closed)
