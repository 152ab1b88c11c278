"""
From a ring to a status: every window is the difference of two sums.

An instant is judged at the end of its bucket: what has come into the open bucket counts already,
and a window of *k* buckets holds the open one and the k - 1 before it. At the end of a bucket this
is what a `CountSeries` of the same bins says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from errorbudget.budget import Ratio, spent
from errorbudget.counts import Counts
from errorbudget.durations import MINUTE_NS
from errorbudget.methods import Occurrences
from errorbudget.target import Target
from errorbudget.windows import Rolling

if TYPE_CHECKING:
    from errorbudget.live.feed import Feed
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO
    from errorbudget.status import Status

__all__ = [
    "Figures",
    "assess",
    "count_series",
    "figures",
    "last_counts",
    "own_and_last",
    "window_counts",
]

Pair = tuple[int, int]


class Figures(NamedTuple):
    """
    The figures of one SLO that a request path can afford to ask for.

    Attributes:
        good: Good events of the SLO's window.
        bad: Bad events of it.
        remaining_ratio: Share of the budget left [1], unclamped; None without events.
        burn_rates: Burn rate [1] by window, such as "1h"; None without events.
    """

    good: int
    bad: int
    remaining_ratio: float | None
    burn_rates: Mapping[str, float | None]


def _own_span(feed: Feed, slo: SLO, at_ns: int, high: int) -> int:
    """How many buckets the SLO's own window has at *at_ns*."""
    step_ns, window = feed.ring.step_ns, slo.window
    if isinstance(window, Rolling):
        if not slo.resets:
            return -(-window.length_ns // step_ns)
        start_ns = slo.interval(at_ns).start_ns
        if start_ns == at_ns - window.length_ns:
            return -(-window.length_ns // step_ns)
        return high - start_ns // step_ns
    return high - slo.interval(at_ns).start_ns // step_ns


def window_counts(feed: Feed, slo: SLO, at_ns: int, arrived: Pair) -> Counts:
    """Good and bad events of the SLO's own window at *at_ns*."""
    high = feed.ring.end_of(at_ns)
    return Counts(*feed.ring.windows([_own_span(feed, slo, at_ns, high)], high, arrived)[0])


def last_counts(feed: Feed, window_ns: int, at_ns: int, arrived: Pair) -> Counts:
    """Good and bad events of the last *window_ns* before *at_ns*."""
    ring = feed.ring
    span = -(-window_ns // ring.step_ns)
    return Counts(*ring.windows([span], ring.end_of(at_ns), arrived)[0])


def own_and_last(
    feed: Feed, spans: Sequence[int], at_ns: int, arrived: Pair
) -> tuple[Pair, list[Pair]]:
    """Good and bad events of the SLO's own window, and of the last *spans* buckets."""
    high = feed.ring.end_of(at_ns)
    own, *last = feed.ring.windows([_own_span(feed, feed.slo, at_ns, high), *spans], high, arrived)
    return own, last


def figures(feed: Feed, at_ns: int, arrived: Pair) -> Figures:
    """Budget and burn rates of the feed's own SLO by the target in force, correctly rounded."""
    error = feed.slo.target_at(at_ns).error
    up, down = error.denominator, error.numerator
    (good, bad), pairs = own_and_last(feed, feed.spans, at_ns, arrived)
    rates: dict[str, float | None] = {}
    for (_, name), (well, badly) in zip(feed.windows, pairs, strict=True):
        total = well + badly
        if not total:
            rates[name] = None
        elif down:
            rates[name] = badly * up / (total * down)
        else:
            rates[name] = inf if badly else 0.0
    allowed, spent_up = (good + bad) * down, bad * up
    if allowed:
        left: float | None = (allowed - spent_up) / allowed
    else:
        left = None if not good + bad else -inf if bad else 1.0
    return Figures(good, bad, left, rates)


def _burn(feed: Feed, slo: SLO, at_ns: int, arrived: Pair) -> dict[int, Ratio | None]:
    error = slo.target_at(at_ns).error
    ring, windows = feed.ring, slo.all_burn_windows
    spans = [-(-window // ring.step_ns) for window in windows]
    pairs = ring.windows(spans, ring.end_of(at_ns), arrived)
    return {
        window: spent(Counts(*pair), error) for window, pair in zip(windows, pairs, strict=True)
    }


def _held(feed: Feed, slo: SLO, at_ns: int, arrived: Pair) -> dict[str, bool]:
    """By alert, whether its condition held at every minute of its `hold` before *at_ns*."""
    return {
        alert.name: all(
            alert.condition(_burn(feed, slo, instant, arrived), slo.period_ns)
            for instant in range(at_ns - alert.hold, at_ns, min(MINUTE_NS, alert.hold))
        )
        for alert in (() if slo.alerts is None else slo.alerts.alerts)
        if alert.hold
    }


def _coverage(feed: Feed, slo: SLO, at_ns: int) -> float | None:
    ring = feed.ring
    end_ns = ring.end_of(at_ns) * ring.step_ns
    interval = slo.interval(at_ns)
    length_ns = interval.length_ns
    if not length_ns:
        return None
    start_ns = end_ns - length_ns
    if not isinstance(slo.window, Rolling) or slo.resets:
        start_ns, length_ns = interval.start_ns, end_ns - interval.start_ns
    seen = min(end_ns, ring.newest * ring.step_ns) - max(start_ns, (ring.first - 1) * ring.step_ns)
    return max(0, seen) / length_ns


def assess(feed: Feed, slo: SLO, at_ns: int, arrived: Pair) -> Status:
    """
    The status of *slo* at *at_ns*.

    Time slices, and targets that change, are judged on the buckets that are over.

    Time: O(windows); for time slices and changing targets O(buckets).
    """
    warnings = []
    if feed.left_out:
        warnings.append(
            f"{feed.left_out:,} events since the start lacked what the indicator asks for: "
            "they are neither good nor bad"
        )
    if not (isinstance(slo.method, Occurrences) and isinstance(slo.target, Target)):
        from errorbudget.evaluation import evaluate_series
        from errorbudget.judging import judge_series

        units = judge_series(slo, count_series(feed, arrived), until_ns=at_ns)
        return evaluate_series(
            slo, units, at_ns=at_ns, left_out=feed.left_out, warnings=tuple(warnings)
        )
    burn = _burn(feed, slo, at_ns, arrived)
    waiting = slo.alerts is not None and any(
        alert.hold and alert.condition(burn, slo.period_ns) for alert in slo.alerts.alerts
    )
    return slo.assess(
        window_counts(feed, slo, at_ns, arrived),
        at=at_ns,
        burn=burn,
        held=_held(feed, slo, at_ns, arrived) if waiting else None,
        coverage=_coverage(feed, slo, at_ns),
        left_out=feed.left_out,
        warnings=tuple(warnings),
    )


def count_series(feed: Feed, arrived: Pair) -> CountSeries:
    """Everything that the ring remembers, as a count series."""
    from errorbudget.series import CountSeries

    ring = feed.ring
    ends, good, bad = ring.buckets(arrived)
    labels = (ends if ring.closed == "right" else ends - 1) * ring.step_ns
    return CountSeries(labels, good, good + bad, ring.step_ns, ring.closed)
