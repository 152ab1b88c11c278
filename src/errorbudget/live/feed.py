"""One SLO as a tracker feeds it: who takes part, what is good, and where it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from errorbudget.durations import DAY_NS, format_duration
from errorbudget.errors import InvalidInputError, InvalidWindowError
from errorbudget.live.reading import names_of
from errorbudget.live.ring import Ring, bucket_end
from errorbudget.methods import Occurrences
from errorbudget.predicates import EVERYTHING
from errorbudget.sli import RatioSLI
from errorbudget.windows import Calendar, Interval, Rolling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from errorbudget.events import Events
    from errorbudget.live.reading import Slices
    from errorbudget.live.state import FeedState
    from errorbudget.predicates import Predicate
    from errorbudget.slo import SLO

    Integers = NDArray[np.int64]

__all__ = ["Feed", "Verdict", "needed_horizon"]

Verdict = Literal["good", "bad", "unknown", "unplaced"]
"""
What an event is to an SLO. "unknown" takes part and lacks the value that tells good from bad;
"unplaced" lacks the one that tells whether it takes part at all.
"""

_MOST_BUCKETS = 10_000_000
_LONGEST_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


def needed_horizon(slo: SLO) -> int:
    """
    How far back a status of *slo* looks [ns].

    The longest of its windows, and the time that an alert's condition has to hold beside it.
    """
    if isinstance(slo.window, Rolling):
        longest = slo.window.length_ns
    else:  # an hour more for the day when clocks go back
        longest = (_LONGEST_DAYS[slo.window.unit] * slo.window.every + 1) * DAY_NS
    holds = (alert.hold + max(alert.windows) for alert in slo.alerts.alerts)
    return max((longest, *slo.all_burn_windows, *holds))


class Batch(NamedTuple):
    """Many judged events: the bucket and the units of each, and how many could not be judged."""

    ends: Integers
    good: Integers
    bad: Integers
    left_out: int


class Feed:
    """
    One SLO and its ring.

    Args:
        slo: A ratio of good to valid events.
        step_ns: Length of a bucket [ns].
        horizon_ns: How far back to remember [ns]; None for as far as the SLO looks.
        now_ns: The present [ns UTC].

    Raises:
        InvalidInputError: The indicator needs more than good and bad events.
        InvalidWindowError: Buckets do not fit the windows or slices.
    """

    __slots__ = (
        "_blank",
        "_elsewhere",
        "_everyone",
        "_good_when",
        "_valid_when",
        "as_events",
        "left_out",
        "names",
        "ring",
        "slices",
        "slo",
        "spans",
        "waits",
    )

    def __init__(self, slo: SLO, step_ns: int, horizon_ns: int | None, now_ns: int) -> None:
        if not isinstance(slo.sli, RatioSLI):
            raise InvalidInputError(
                f'SLO "{slo.name}" ({slo.sli}) needs the values themselves, and a tracker keeps '
                "good and bad events; state it as a share, such as Latency('200ms')"
            )
        _check_fit(slo, step_ns, now_ns)
        needed = needed_horizon(slo)
        if horizon_ns is not None and horizon_ns < needed:
            raise InvalidWindowError(
                f'SLO "{slo.name}" looks back {format_duration(needed)}, further than the horizon '
                f"of {format_duration(horizon_ns)}"
            )
        closed = slo.window.closed
        size = -(-(needed if horizon_ns is None else horizon_ns) // step_ns) + 1
        if size > _MOST_BUCKETS:
            raise InvalidWindowError(
                f'SLO "{slo.name}" would need {size:,} buckets of {format_duration(step_ns)}, and '
                f"{_MOST_BUCKETS:,} is the most; choose a coarser resolution"
            )
        self.slo = slo
        self.as_events = slo.replace(method="occurrences")
        self.ring = Ring(step_ns, size, closed, bucket_end(now_ns, step_ns, closed))
        self.left_out = 0
        self._elsewhere = (0, 0, 0)
        self._blank: FeedState | None = None
        self.slices: Slices | None = None
        self.waits = any(alert.hold for alert in slo.alerts.alerts)
        self.names = names_of(slo)
        self.spans = tuple(-(-w // step_ns) for w in slo.all_burn_windows)
        self._valid_when = slo.sli.valid_when
        self._good_when = slo.sli.good_when
        self._everyone = self._valid_when is EVERYTHING

    def conditions(self) -> tuple[Predicate, Predicate]:
        """Who takes part, and what is good."""
        return self._valid_when, self._good_when

    def judge(self, event: Mapping[str, Any]) -> Verdict | None:
        """What *event* is to this SLO; None when it takes no part."""
        if not self._everyone:
            valid = self._valid_when.matches(event)
            if not valid:
                return None if valid is False else "unplaced"
        good = self._good_when.matches(event)
        return "unknown" if good is None else "good" if good else "bad"

    def count(self, time_ns: int, verdict: Verdict) -> None:
        """Count an event of *time_ns*, which is not in the future."""
        if self.slo.corrections:
            treat = self._treatment(Interval(time_ns, time_ns + 1, "left"))
            if treat == "exclude":
                return
            if treat == "good" and verdict != "unplaced":
                verdict = "good"
        if verdict in {"good", "bad"}:
            good = verdict == "good"
            self.ring.add(self.ring.end_of(time_ns), int(good), int(not good))
        else:
            self.left_out += 1

    def count_now(self, verdict: Verdict) -> None:
        """Count an event of the open bucket, while no maintenance touches that."""
        if verdict == "good":
            self.ring.own[0] += 1
        elif verdict == "bad":
            self.ring.own[1] += 1
        else:
            self.left_out += 1

    def _treatment(self, within: Interval) -> str | None:
        found = {
            correction.treat for correction in self.slo.corrections if correction.intervals(within)
        }
        return "exclude" if "exclude" in found else "good" if found else None

    def under_maintenance(self) -> bool:
        """Whether some of the open bucket is judged otherwise, so that each event's time counts."""
        ring = self.ring
        bucket = Interval((ring.newest - 1) * ring.step_ns, ring.newest * ring.step_ns, ring.closed)
        return self._treatment(bucket) is not None

    def judge_events(self, events: Events, *, judged: bool) -> Batch:
        """
        Many events as buckets, counted by `add_batch`.

        Args:
            events: The events.
            judged: Whether their `good` column is the verdict, instead of the indicator.

        Raises:
            InvalidSeriesError: The events lack a column that the indicator asks for.
        """
        import numpy as np

        from errorbudget.judging import judge

        slo = self.as_events.replace(sli=RatioSLI()) if judged else self.as_events
        found = judge(slo, events, until_ns=int(events.time[-1]))
        series: Any = found.series
        ends: list[Any] = [self.ring.end_of(times) for times in (series.time_ns, series.bad_ns)]
        bad = np.repeat((0, 1), [len(part) for part in ends])
        # Every event as a good one, and each bad one taken back.
        return Batch(np.concatenate(ends), 1 - 2 * bad, bad, found.left_out)

    def add_batch(self, batch: Batch) -> None:
        """Count many events, none of which lies in the future."""
        self.left_out += batch.left_out
        self.ring.add_buckets(batch.ends, batch.good, batch.bad)

    def blank(self) -> FeedState:
        """The ring as a value that holds nothing: what another must be like to be added."""
        ring, blank = self.ring, self._blank
        if blank is None:
            import numpy as np

            from errorbudget.live.state import FeedState, fingerprint

            told = (self.slo.service, self.slo.name, fingerprint(self.slo))
            nothing = np.empty(0, dtype=np.int64)
            newest = ring.newest
            blank = FeedState(
                *told, ring.step_ns, ring.closed, newest, newest, nothing, nothing, nothing
            )
            self._blank = blank
        return replace(blank, first=ring.newest, newest=ring.newest)

    def state_of(self, ring: Ring, arrived: tuple[int, int], left_out: int) -> FeedState:
        """What a copy of the ring remembers, as a value."""
        ends, good, bad = ring.buckets(arrived)
        filled = (good > 0) | (bad > 0)
        return replace(
            self.blank(),
            newest=ring.newest,
            first=int(ends[0]),
            ends=ends[filled],
            good=good[filled],
            bad=bad[filled],
            left_out=left_out,
        )

    def take(self, saved: FeedState, arrived: tuple[int, int]) -> None:
        """Add what was saved; what lies after the open bucket counts in it."""
        before = self.counted(arrived)
        self.ring.add_buckets(saved.ends, saved.good, saved.bad)
        self.ring.observed_from(saved.first)
        self.left_out += saved.left_out
        self._count_on_from(before, arrived)

    def clear(self, newest: int, arrived: tuple[int, int]) -> None:
        """Hold nothing, and begin with bucket *newest*; what was counted goes on from there."""
        before = self.counted(arrived)
        self.ring.clear(newest, arrived)
        self.left_out = 0
        self._count_on_from(before, arrived)

    def counted(self, arrived: tuple[int, int]) -> tuple[int, int, int]:
        """Good, bad and left-out events that came here, and not from elsewhere or a file."""
        good, bad = self.ring.totals(arrived)
        elsewhere = self._elsewhere
        return good - elsewhere[0], bad - elsewhere[1], self.left_out - elsewhere[2]

    def _count_on_from(self, before: tuple[int, int, int], arrived: tuple[int, int]) -> None:
        good, bad = self.ring.totals(arrived)
        self._elsewhere = (good - before[0], bad - before[1], self.left_out - before[2])

    def begin_anew(self, newest: int) -> None:
        """Hold nothing and have counted nothing, with bucket *newest* open."""
        self.ring.clear(newest, (0, 0))
        self.left_out = 0
        self._elsewhere = (0, 0, 0)


def _check_fit(slo: SLO, step_ns: int, now_ns: int) -> None:
    step = format_duration(step_ns)
    shortest = min(slo.all_burn_windows, default=slo.period_ns)
    if shortest < step_ns:
        raise InvalidWindowError(
            f'SLO "{slo.name}" looks at windows of {format_duration(shortest)}, shorter than '
            f"buckets of {step}; choose a finer resolution"
        )
    if not isinstance(slo.method, Occurrences) and slo.method.slice % step_ns:
        raise InvalidWindowError(
            f'SLO "{slo.name}": buckets of {step} do not add up to slices of '
            f"{format_duration(slo.method.slice)}"
        )
    if isinstance(slo.window, Calendar) and slo.window.interval(now_ns).start_ns % step_ns:
        raise InvalidWindowError(
            f'SLO "{slo.name}": a {slo.window} does not begin with a bucket of {step}; '
            "choose a finer resolution"
        )
