"""
Samples of one objective as a count series: which series take part, and what hides in their gaps.

Each series is read on its own (`kernels.counters`), and growth is added up over series after,
never before. A series is good, bad or not part of it by its labels, which the indicator is asked
about as if they were an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from errorbudget.counters import Born
from errorbudget.durations import format_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.kernels import counters
from errorbudget.predicates import Number
from errorbudget.rules.metrics import Metrics
from errorbudget.rules.promql import event_of, le_values, quoted
from errorbudget.series import CountSeries
from errorbudget.sli import Latency, QueryThreshold, RatioSLI
from errorbudget.slo import SLO
from errorbudget.sources.prometheus.matrix import Matrix, Series
from errorbudget.sources.prometheus.native import counted, is_native
from errorbudget.times import format_time
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = [
    "Bins",
    "Note",
    "Part",
    "growth",
    "latency_bound",
    "parts_of",
    "selector_of",
    "with_bounds",
]

_MS = 1_000_000
_TARGET = ("job", "instance")
_ESTIMATED = (
    "no bucket of the native histogram ends at the bound: how many were within it is estimated"
)
_ABOVE = (
    "the bucket of the bound grew by {} more than the histogram as a whole, which is left out: did "
    "a restart show in one alone?"
)


@dataclass(frozen=True, slots=True)
class Note:
    """
    What should be known of the figures of some time.

    Attributes:
        text: The sentence.
        start_ns: Where that time begins; None when it is about all of it [ns UTC].
        end_ns: Where it ends [ns UTC].
    """

    text: str
    start_ns: int | None = None
    end_ns: int | None = None

    def concerns(self, interval: Interval) -> bool:
        """Whether it is about the figures of *interval*."""
        if self.start_ns is None or self.end_ns is None:
            return True
        return self.start_ns < interval.end_ns and self.end_ns > interval.start_ns


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """
    One series of an objective.

    Attributes:
        series: A counter; for a native histogram the count of all or of those within the bound.
        role: What its growth is: "good" or "bad" of a counter, "within" or "all" of a histogram.
        falls_ms: When it started over [ms UTC].
        estimated: Whether a native histogram has no bucket that ends at the bound.
    """

    series: Series
    role: str
    falls_ms: Ints
    estimated: bool = False


def latency_bound(slo: SLO) -> Fraction | None:
    """The bound of a latency indicator [s]; None for others."""
    if not isinstance(slo.sli, Latency):
        return None
    good_when = slo.sli.good_when
    return good_when.bound if isinstance(good_when, Number) else None


def selector_of(slo: SLO, metrics: Metrics, *, native: bool = False) -> str:
    """What to fetch for an objective: a metric, with the labels that all its series must have."""
    if isinstance(slo.sli, QueryThreshold) or not isinstance(slo.sli, RatioSLI):
        raise InvalidInputError(
            f'SLO "{slo.name}" ({slo.sli}) is not counted from labels; ask its query with '
            "Client.query"
        )
    metric = metrics.counter
    if latency_bound(slo) is not None:
        metric = metrics.histogram if native else f"{metrics.histogram}_bucket"
    matchers = ",".join(f"{name}={quoted(value)}" for name, value in metrics.match.items())
    return f"{metric}{{{matchers}}}" if matchers else metric


def with_bounds(selector: str, bounds: Iterable[Fraction]) -> str:
    """Only the buckets that some threshold asks for are worth fetching."""
    les = {le for bound in bounds for le in (*le_values(bound), "+Inf")}
    if not les:
        return selector
    pattern = "|".join(sorted(le.replace(".", r"\.").replace("+", r"\+") for le in les))
    matcher = f"le=~{quoted(pattern)}"
    return f"{selector[:-1]},{matcher}}}" if selector.endswith("}") else f"{selector}{{{matcher}}}"


def _falls(series: Series) -> Ints:
    return series.t_ms[1:][series.values[1:] < series.values[:-1]]


def parts_of(slo: SLO, matrix: Matrix, metrics: Metrics) -> list[Part]:
    """
    The series that take part in an objective.

    Raises:
        InvalidSeriesError: A classic histogram has no bucket that ends at the bound.
    """
    bound = latency_bound(slo)
    found: list[Part] = []
    for series in matrix:
        event = event_of(series.labels, metrics)
        if bound is None:
            good = slo.sli.classify(event) if len(series.t_ms) else None  # type: ignore[union-attr]
            if good is not None:
                found.append(Part(series, "good" if good else "bad", _falls(series)))
        elif slo.sli.valid_when.matches(event):
            found += _within(series, bound)
    if bound is not None and found and not any(part.role == "within" for part in found):
        raise InvalidSeriesError(
            f'SLO "{slo.name}": {metrics.histogram}_bucket has no bucket '
            f'le="{le_values(bound)[0]}"; a threshold must be one of the histogram\'s bounds to be '
            "counted exactly"
        )
    return found


def growth(
    series: Sequence[Series], watched_ms: int, lookback_ms: int, born: Born
) -> list[tuple[Ints, Any]]:
    """
    Growth of each series of a metric that each sample is the first to show: times and growth.

    A scrape shows all of a target's series at once. One that an earlier scrape of its target did
    not show was born after it, and grew from 0; so was one that was gone while its target came back
    from a restart. Where no label tells targets apart, and for a target as a whole, a series is new
    only if it comes more than a look-back after the first.

    Args:
        series: Series of one metric, none empty.
        watched_ms: First sample of any series of the metric [ms UTC].
        lookback_ms: How far apart the first samples of targets may be [ms].
        born: Where a new series began.
    """
    targets: dict[tuple[str, ...], list[Series]] = {}
    for one in series:
        targets.setdefault(_target(one), []).append(one)
    scrapes = {key: _union([one.t_ms for one in of]) for key, of in targets.items()}
    falls = {key: np.unique(np.concatenate([*map(_falls, of)])) for key, of in targets.items()}
    found = []
    for one in series:
        target, first_ms = _target(one), int(one.t_ms[0])
        told = bool(one.labels.get("instance"))
        new = first_ms > watched_ms + lookback_ms or (told and first_ms > scrapes[target][0])
        times, grown = counters.increments(one.t_ms, one.values, born=born if new else "before")
        if told and len(times) == len(one.t_ms) > 1 and len(falls[target]):
            gone = _between(scrapes[target], times, "left") & _between(
                falls[target], times, "right"
            )
            grown[1:][gone] = one.values[1:][gone]
        found.append((times, grown))
    return found


def _union(times: Sequence[Ints]) -> Ints:
    """Every instant once; series of one target mostly share theirs, and sorting is dear."""
    first, *others = times
    differing = [one for one in others if not np.array_equal(one, first)]
    return np.unique(np.concatenate([first, *differing])) if differing else first


def _between(instants: Ints, times: Ints, side: Literal["left", "right"]) -> Any:
    """Whether any instant lies after each time and before the next, or ("right") at it."""
    until = np.searchsorted(instants, times[1:], side)
    return until > np.searchsorted(instants, times[:-1], "right")


def _doubled(parts: Iterable[Part]) -> Iterator[Note]:
    """Whether a target's series differ in a label of replicas alone."""
    alike: dict[tuple[Any, ...], int] = {}
    for part in parts:
        labels = part.series.labels
        replicas = {name for name in labels if "replica" in name}
        if replicas and labels.get("instance"):
            rest = frozenset(item for item in labels.items() if item[0] not in replicas)
            key = (", ".join(sorted(replicas)), part.role, rest)
            alike[key] = alike.get(key, 0) + 1
    for names in dict.fromkeys(key[0] for key in alike):
        most = max(count for key, count in alike.items() if key[0] == names)
        if most > 1:
            yield Note(
                f"series of one instance differ in {names} alone: where that names the server that "
                f"scraped, each event counts {most} times; match one value of it"
            )


def _target(series: Series) -> tuple[str, ...]:
    return tuple(str(series.labels.get(label, "")) for label in _TARGET)


def _within(series: Series, bound: Fraction) -> Iterator[Part]:
    """The parts that one series of a histogram, classic or native, has in a bound."""
    if is_native(series):
        every, within, falls, exact = counted(series, float(bound))
        yield Part(every, "all", falls)
        yield Part(within, "within", falls, estimated=not exact)
        return
    le = str(series.labels.get("le", ""))
    if len(series.t_ms) and (le == "+Inf" or le in le_values(bound)):
        yield Part(series, "all" if le == "+Inf" else "within", _falls(series))


@dataclass(frozen=True, slots=True)
class Bins:
    """
    Bins on multiples of their length, and how samples are read into them.

    Args:
        start_ms: Where the first bin must have begun [ms UTC].
        end_ms: Where the last must have ended [ms UTC].
        step_ms: Length of a bin [ms].
        lookback_ms: How long a sample speaks for a series [ms].
        born: Where a series begins that is first seen after the others of its metric.
    """

    start_ms: int
    end_ms: int
    step_ms: int
    lookback_ms: int
    born: Born

    @property
    def edges(self) -> Ints:
        """Edges of the bins [ms UTC]."""
        first, last = self.start_ms // self.step_ms, -(-self.end_ms // self.step_ms)
        return np.arange(first, last + 1, dtype=np.int64) * self.step_ms

    def count(self, parts: Sequence[Part], watched_ms: int) -> tuple[CountSeries, list[Note]]:
        """
        Growth per bin.

        Args:
            parts: The series of an objective.
            watched_ms: First sample of any series of the metric [ms UTC].

        Returns:
            The count series, and what gaps and restarts hide.

        Raises:
            InvalidSeriesError: A counter grew by a part of an event, or by none that is a number.
        """
        if not parts:
            nothing = "no series; are the names of its metric and its labels right?"
            return CountSeries([], [], [], self.step_ms * _MS), [Note(nothing)]
        edges = self.edges
        sums = {
            role: np.zeros(len(edges) - 1, np.int64) for role in ("good", "bad", "within", "all")
        }
        each = growth([part.series for part in parts], watched_ms, self.lookback_ms, self.born)
        for part, (times, grown) in zip(parts, each, strict=True):
            running = np.concatenate(([0], np.cumsum(_whole(grown, part.series))))
            sums[part.role] += np.diff(running[np.searchsorted(times, edges, "right")])
        observed, notes = self._observed(parts, edges)
        if any(part.role == "all" for part in parts):
            total, good = sums["all"], np.minimum(sums["within"], sums["all"])
            above = int((sums["within"] - good).sum())
            if above:
                notes.append(Note(_ABOVE.format(above)))
        else:
            good, total = sums["good"], sums["good"] + sums["bad"]
        if any(part.estimated for part in parts):
            notes.append(Note(_ESTIMATED))
        notes += _doubled(parts)
        return CountSeries(
            edges[1:] * _MS, good, total, self.step_ms * _MS, "right", observed
        ), notes

    def _observed(self, parts: Sequence[Part], edges: Any) -> tuple[Any, list[Note]]:
        """
        Bins at whose end some value is not too old, and in which no target was not looked at.

        What gaps and resets hide is noted.
        """
        targets: dict[tuple[str, ...], list[Part]] = {}
        for part in parts:
            targets.setdefault(_target(part.series), []).append(part)
        known, unseen = np.zeros((2, len(edges) - 1), dtype=bool)
        notes = []
        for key, found in targets.items():
            shown = ", ".join(filter(None, key)) or "the series"
            # A child that is gone while its siblings are there is no gap: it has nothing to say.
            times = _union([part.series.t_ms for part in found])
            fresh = np.searchsorted(times, edges[1:] - self.lookback_ms, "right")
            known |= fresh < np.searchsorted(times, edges[1:], "right")
            for gap in np.flatnonzero(np.diff(times) > self.lookback_ms).tolist():
                begin, end = int(times[gap]), int(times[gap + 1])
                unseen |= (edges[1:] > begin) & (edges[:-1] < end)
                text = (
                    f"no samples of {shown} from {format_time(begin * _MS)} for "
                    f"{format_duration((end - begin) * _MS)}; what happened then counts at its end"
                )
                notes.append(Note(text, begin * _MS, end * _MS))
            falls = max((part.falls_ms for part in found), key=len)
            if len(falls):
                times_over = "once" if len(falls) == 1 else f"{len(falls)} times"
                text = (
                    f"{shown} started over {times_over}; events between its last sample "
                    "and a restart are lost to everybody"
                )
                first, last = int(falls[0]) * _MS, int(falls[-1]) * _MS
                notes.append(Note(text, first - 1, last + 1))
        return known & ~unseen, notes


def _whole(grown: Any, series: Series) -> Any:
    counted = np.rint(grown)
    wrong = np.flatnonzero(counted != grown)
    if len(wrong):
        index = int(wrong[0])
        raise InvalidSeriesError(
            f"{dict(series.labels)} grew by {grown[index]}: a counter of events counts whole ones",
            index=index,
        )
    return counted.astype(np.int64)
