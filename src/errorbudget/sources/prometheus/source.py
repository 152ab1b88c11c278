"""
Counters on a server as count series: one fetch per metric serves every objective and every window.

Raw samples are fetched, each series is read on its own (`kernels.counters`), and growth is added
up over series after, never before. A series is good, bad or not part of it by its labels, which
the indicator is asked about as if they were an event. No budget is computed here.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.counters import Born, Rules
from errorbudget.counts import Counts
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import (
    GapWarning,
    InvalidInputError,
    InvalidSeriesError,
    NoDataError,
)
from errorbudget.kernels import counters
from errorbudget.predicates import Number
from errorbudget.rules.metrics import Metrics, MetricsLike, metrics_for
from errorbudget.rules.promql import event_of, le_values, quoted
from errorbudget.series import CountSeries
from errorbudget.sli import Latency, QueryThreshold, RatioSLI
from errorbudget.slo import SLO
from errorbudget.sources.prometheus.asking import ask_status, is_asked
from errorbudget.sources.prometheus.client import Client
from errorbudget.sources.prometheus.fetched import Fetched, Missing
from errorbudget.sources.prometheus.matrix import Matrix, Series
from errorbudget.times import TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from errorbudget.comparison import Comparison
    from errorbudget.history import History
    from errorbudget.status import Status

__all__ = ["PrometheusCounts", "PrometheusSource"]

_MS = 1_000_000
_TARGET = ("job", "instance")


@dataclass(frozen=True, slots=True)
class _Part:
    """One series of an objective, and which events its growth is."""

    series: Series
    role: str  # "good" or "bad" of a counter; "within" or "all" of a histogram


@dataclass(frozen=True, eq=False)
class PrometheusCounts:
    """
    What was fetched for some objectives, to be evaluated like events.

    Attributes:
        series: Count series by name of the objective.
        fetched: What came of each metric, and what is missing.
        warnings: What the server and the samples say that should be known.
        start_ns: Start of what was asked for [ns UTC].
        end_ns: End of it [ns UTC].
    """

    series: Mapping[str, CountSeries]
    fetched: Mapping[str, Fetched]
    warnings: tuple[str, ...]
    start_ns: int
    end_ns: int
    _parts: Mapping[str, Sequence[_Part]] = field(repr=False, default_factory=dict)
    _asked: Mapping[str, Callable[[SLO, int], Status]] = field(repr=False, default_factory=dict)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Every stretch that did not come, of any metric."""
        return tuple(one for fetched in self.fetched.values() for one in fetched.missing)

    def of(self, slo: SLO) -> CountSeries:
        """
        The count series of *slo*.

        Raises:
            InvalidInputError: It was not fetched.
        """
        if slo.name in self._asked:
            raise InvalidInputError(
                f'SLO "{slo.name}" ({slo.sli}) has no counts: its server is asked for its figures; '
                "evaluate it"
            )
        try:
            return self.series[slo.name]
        except KeyError:
            raise InvalidInputError(
                f'nothing was fetched for SLO "{slo.name}", only for {", ".join(self.series)}'
            ) from None

    def counts(
        self, slo: SLO, *, at: TimeLike, window: DurationLike | int, rules: Rules
    ) -> Counts | None:
        """
        What a server's own `increase()` says: extrapolated, rarely whole.

        Args:
            slo: The objective.
            at: End of the window.
            window: Its length; text, `timedelta` or ns.
            rules: Whose rules.

        Returns:
            Good and bad events; None when no series has two samples in the window.
        """
        self.of(slo)
        at_ms = np.array([to_ns(at) // _MS])
        length_ns = window if isinstance(window, int) else parse_duration(window)
        sums: dict[str, float] = {}
        for part in self._parts[slo.name]:
            grown = counters.increase(
                part.series.t_ms, part.series.values, at_ms, length_ns // _MS, rules
            )[0]
            if not np.isnan(grown):
                sums[part.role] = sums.get(part.role, 0.0) + float(grown)
        if not sums:
            return None
        if "all" in sums or "within" in sums:
            within = sums.get("within", 0.0)
            return Counts(within, max(0.0, sums.get("all", 0.0) - within))
        return Counts(sums.get("good", 0.0), sums.get("bad", 0.0))

    def evaluate(self, slo: SLO, *, at: TimeLike | None = None) -> Status:
        """
        The status of *slo*, by default at the end of what was asked for.

        A threshold, and a ratio of written queries, is asked of the server now.
        """
        at_ns = self.end_ns if at is None else to_ns(at)
        if slo.name in self._asked:
            return self._asked[slo.name](slo, at_ns)
        return self.of(slo).evaluate(slo, at=at_ns)

    def history(self, slo: SLO, **grid: Any) -> History:
        """The history of *slo*; arguments as `CountSeries.history`."""
        return self.of(slo).history(slo, **grid)

    def count(self, slo: SLO, *, step: DurationLike = "1m") -> CountSeries:
        """The count series of *slo* in bins of *step*."""
        return self.of(slo).coarser(step)

    def compare_methods(self, slo: SLO, **settings: Any) -> Comparison:
        """The budgeting methods side by side; arguments as `CountSeries.compare_methods`."""
        return self.of(slo).compare_methods(slo, **settings)


class PrometheusSource:
    """
    Count series of objectives, from a server's counters.

    Args:
        client: Asks the server.
        metrics: Names of metrics and labels, for all objectives or by name.
        step: Length of a bin; text or `timedelta`.
        lookback: How long a sample speaks for a series; a longer silence is a gap.
        born: A series first seen after the others of its metric counts from "zero", or was there
            "before" it was looked at.
        partial: True takes what came when pieces are missing, and warns; by default that is an
        error.

    Example:
        >>> from errorbudget.sources.prometheus import Response
        >>> from errorbudget.sli import Availability
        >>> body = (
        ...     b'{"status":"success","data":{"resultType":"matrix","result":['
        ...     b'{"metric":{"status":"200"},"values":[[0,"5"],[60,"13"]]},'
        ...     b'{"metric":{"status":"500"},"values":[[60,"2"]]}]}}'
        ... )
        >>> client = Client("http://127.0.0.1:9090", transport=lambda _: Response(200, body=body))
        >>> slo = SLO("api", target="99%", window="1h", sli=Availability())
        >>> source = PrometheusSource(client, lookback="30s")
        >>> found = source.fetch([slo], start=0, end="1970-01-01T00:01:00Z")
        >>> int(found.of(slo).good.sum()), int(found.of(slo).total.sum())
        (8, 10)
    """

    def __init__(
        self,
        client: Client,
        *,
        metrics: MetricsLike | None = None,
        step: DurationLike = "1m",
        lookback: DurationLike = "5m",
        born: Born = "zero",
        partial: bool = False,
    ) -> None:
        self.client = client
        self.metrics: MetricsLike = Metrics() if metrics is None else metrics
        self.step_ns = parse_duration(step)
        self.lookback_ms = max(1, parse_duration(lookback) // _MS)
        self.born = born
        self.partial = partial
        if self.step_ns % _MS:
            raise InvalidInputError(f"a step is whole milliseconds, got {step!r}")

    def fetch(
        self, slos: SLO | Iterable[SLO], *, start: TimeLike, end: TimeLike
    ) -> PrometheusCounts:
        """
        The count series of every objective over (start, end].

        Args:
            slos: Objectives; thresholds and written queries are asked when they are evaluated.
            start: Where to begin; values before it, as far as the look-back, anchor the first bin.
            end: Where to end.

        Raises:
            InvalidInputError: An objective has no counters to be read from.
            SourceError: The server could not answer all of it, and *partial* is not set.
            NoDataError: The server has no series for any of them.
            InvalidSeriesError: A counter is none, or a histogram lacks the bound of a threshold.
        """
        wanted = [slos] if isinstance(slos, SLO) else list(slos)
        start_ns, end_ns = to_ns(start), to_ns(end)
        fetched = self._checked(self._fetched(wanted, start_ns, end_ns))
        return self._counted_all(wanted, fetched, start_ns, end_ns)

    def _counted_all(
        self, slos: Sequence[SLO], fetched: Mapping[str, Fetched], start_ns: int, end_ns: int
    ) -> PrometheusCounts:
        notes = [note for one in fetched.values() for note in (*one.warnings, *one.infos)]
        notes += [f"missing: {gap}" for one in fetched.values() for gap in one.missing]
        series, parts = {}, {}
        asked: dict[str, Callable[[SLO, int], Status]] = {}
        for slo in slos:
            if is_asked(slo):
                asked[slo.name] = self._ask
                continue
            matrix = fetched[self._selector(slo)].matrix
            found = _parts(slo, matrix, metrics_for(self.metrics, slo.name))
            parts[slo.name] = found
            series[slo.name] = self._counted(slo.name, found, matrix, start_ns, end_ns, notes)
        if series and not any(map(len, series.values())):
            raise NoDataError(
                f"the server has no series for {', '.join(series)}; are the names of metrics and "
                "labels right?"
            )
        return PrometheusCounts(
            series, fetched, tuple(dict.fromkeys(notes)), start_ns, end_ns, parts, asked
        )

    def _ask(self, slo: SLO, at_ns: int) -> Status:
        metrics = metrics_for(self.metrics, slo.name)
        return ask_status(self.client, slo, metrics, at_ns=at_ns)

    def resume(self, slos: SLO | Iterable[SLO], earlier: PrometheusCounts) -> PrometheusCounts:
        """The same with what is missing asked for again; what came is kept."""
        wanted = [slos] if isinstance(slos, SLO) else list(slos)
        again = {name: self.client.resume(one) for name, one in earlier.fetched.items()}
        return self._counted_all(wanted, self._checked(again), earlier.start_ns, earlier.end_ns)

    def _fetched(self, slos: Sequence[SLO], start_ns: int, end_ns: int) -> dict[str, Fetched]:
        bounds: dict[str, set[str]] = {}
        for slo in (one for one in slos if not is_asked(one)):
            bounds.setdefault(self._selector(slo), set()).update(_bounds(slo))
        before = start_ns - self.lookback_ms * _MS
        return {
            selector: self.client.samples(_with_bounds(selector, les), start=before, end=end_ns)
            for selector, les in bounds.items()
        }

    def _selector(self, slo: SLO) -> str:
        return _selector(slo, metrics_for(self.metrics, slo.name))

    def _checked(self, fetched: dict[str, Fetched]) -> dict[str, Fetched]:
        for one in fetched.values():
            if not self.partial:
                one.require()
            elif one.missing:
                python_warnings.warn(
                    f"{len(one.missing)} stretches of {one.query} are missing; "
                    f"the first: {one.missing[0]}",
                    GapWarning,
                    stacklevel=4,
                )
        return fetched

    def _counted(
        self,
        name: str,
        parts: Sequence[_Part],
        matrix: Matrix,
        start_ns: int,
        end_ns: int,
        notes: list[str],
    ) -> CountSeries:
        if not parts:
            notes.append(f"{name}: no series; are the names of its metric and its labels right?")
            return CountSeries([], [], [], self.step_ns)
        step_ms = self.step_ns // _MS
        first, last = start_ns // _MS // step_ms, -(-end_ns // _MS // step_ms)
        edges = np.arange(first, last + 1, dtype=np.int64) * step_ms
        sums = {
            role: np.zeros(len(edges) - 1, np.int64) for role in ("good", "bad", "within", "all")
        }
        watched = int(matrix.t_ms.min())
        for part in parts:
            t_ms, values = part.series.t_ms, part.series.values
            late = int(t_ms[0]) > watched + self.lookback_ms
            times, grown = counters.increments(t_ms, values, born=self.born if late else "before")
            running = np.concatenate(([0], np.cumsum(_whole(grown, part.series))))
            sums[part.role] += np.diff(running[np.searchsorted(times, edges, "right")])
        unseen = self._unseen(name, parts, edges, notes)
        known = self._known(parts, edges)
        if sums["all"].any() or any(part.role == "all" for part in parts):
            total, good = sums["all"], np.minimum(sums["within"], sums["all"])
        else:
            good, total = sums["good"], sums["good"] + sums["bad"]
        return CountSeries(edges[1:] * _MS, good, total, self.step_ns, "right", known & ~unseen)

    def _known(self, parts: Sequence[_Part], edges: Any) -> Any:
        """Bins at whose end some series has a value that is not too old."""
        known = np.zeros(len(edges) - 1, dtype=bool)
        for part in parts:
            found = counters.last_value(
                part.series.t_ms, np.ones(len(part.series.t_ms)), edges[1:], self.lookback_ms
            )
            known |= ~np.isnan(found)
        return known

    def _unseen(self, name: str, parts: Sequence[_Part], edges: Any, notes: list[str]) -> Any:
        """Bins in which some target was not looked at; what gaps and resets hide is noted."""
        targets: dict[tuple[str, ...], list[Series]] = {}
        for part in parts:
            key = tuple(part.series.labels.get(label, "") for label in _TARGET)
            targets.setdefault(key, []).append(part.series)
        unseen = np.zeros(len(edges) - 1, dtype=bool)
        for key, found in targets.items():
            shown = ", ".join(filter(None, key)) or "the series"
            # A child that is gone while its siblings are there is no gap: it has nothing to say.
            times = np.unique(np.concatenate([series.t_ms for series in found]))
            for gap in np.flatnonzero(np.diff(times) > self.lookback_ms).tolist():
                begin, end = int(times[gap]), int(times[gap + 1])
                unseen |= (edges[1:] > begin) & (edges[:-1] < end)
                notes.append(
                    f"{name}: no samples of {shown} from {format_time(begin * _MS)} for "
                    f"{format_duration((end - begin) * _MS)}; what happened then counts at its end"
                )
            falls = max(int((one.values[1:] < one.values[:-1]).sum()) for one in found)
            if falls:
                notes.append(
                    f"{name}: {shown} started over {falls} times; events between its last sample "
                    "and a restart are lost to everybody"
                )
        return unseen


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


def _latency_bound(slo: SLO) -> Fraction | None:
    if not isinstance(slo.sli, Latency):
        return None
    good_when = slo.sli.good_when
    return good_when.bound if isinstance(good_when, Number) else None


def _bounds(slo: SLO) -> tuple[str, ...]:
    bound = _latency_bound(slo)
    return () if bound is None else (*le_values(bound), "+Inf")


def _selector(slo: SLO, metrics: Metrics) -> str:
    """What to fetch for an objective: a metric, with the labels that all its series must have."""
    if isinstance(slo.sli, QueryThreshold) or not isinstance(slo.sli, RatioSLI):
        raise InvalidInputError(
            f'SLO "{slo.name}" ({slo.sli}) is not counted from labels; ask its query with '
            "Client.query"
        )
    bound = _latency_bound(slo)
    metric = metrics.counter if bound is None else f"{metrics.histogram}_bucket"
    matchers = ",".join(f"{name}={quoted(value)}" for name, value in metrics.match.items())
    return f"{metric}{{{matchers}}}" if matchers else metric


def _with_bounds(selector: str, les: Iterable[str]) -> str:
    """Only the buckets that some threshold asks for are worth fetching."""
    if not les:
        return selector
    pattern = "|".join(sorted(le.replace(".", r"\.").replace("+", r"\+") for le in les))
    matcher = f"le=~{quoted(pattern)}"
    return f"{selector[:-1]},{matcher}}}" if selector.endswith("}") else f"{selector}{{{matcher}}}"


def _parts(slo: SLO, matrix: Matrix, metrics: Metrics) -> list[_Part]:
    bound = _latency_bound(slo)
    found = []
    for series in matrix:
        if not len(series.t_ms):
            continue
        event = event_of(series.labels, metrics)
        if bound is None:
            good = slo.sli.classify(event)  # type: ignore[union-attr]
            if good is not None:
                found.append(_Part(series, "good" if good else "bad"))
        elif slo.sli.valid_when.matches(event):
            le = str(series.labels.get("le", ""))
            if le == "+Inf" or le in le_values(bound):
                found.append(_Part(series, "all" if le == "+Inf" else "within"))
    if bound is not None and found and not any(part.role == "within" for part in found):
        raise InvalidSeriesError(
            f'SLO "{slo.name}": {metrics.histogram}_bucket has no bucket '
            f'le="{le_values(bound)[0]}"; a threshold must be one of the histogram\'s bounds to be '
            "counted exactly"
        )
    return found
