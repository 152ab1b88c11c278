"""
Counters on a server as count series: one fetch per metric serves every objective and every window.

Raw samples are fetched here, and `counting` reads them. No budget is computed.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.counters import Born, Rules
from errorbudget.counts import Counts
from errorbudget.durations import DurationLike, parse_duration
from errorbudget.errors import GapWarning, InvalidInputError, NoDataError, did_you_mean
from errorbudget.kernels import counters
from errorbudget.rules.metrics import Metrics, MetricsLike, metrics_for
from errorbudget.rules.promql import event_of
from errorbudget.series import CountSeries
from errorbudget.slo import SLO, as_slos
from errorbudget.sources.prometheus.asking import ask_status, is_asked
from errorbudget.sources.prometheus.client import Client
from errorbudget.sources.prometheus.counting import (
    Bins,
    Note,
    Part,
    latency_bound,
    parts_of,
    selector_of,
    with_bounds,
)
from errorbudget.sources.prometheus.fetched import Fetched, Missing
from errorbudget.times import TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from errorbudget.comparison import Comparison
    from errorbudget.history import History
    from errorbudget.status import Status

__all__ = ["PrometheusCounts", "PrometheusSource"]

_MS = 1_000_000


@dataclass(frozen=True, eq=False)
class PrometheusCounts:
    """
    What was fetched for some objectives, to be evaluated like events.

    Attributes:
        series: Count series by name of the objective.
        fetched: What came of each metric, and what is missing.
        notes: What is to be known of an objective's figures, by its name.
        start_ns: Start of what was asked for [ns UTC].
        end_ns: End of it [ns UTC].
    """

    series: Mapping[str, CountSeries]
    fetched: Mapping[str, Fetched]
    notes: Mapping[str, Sequence[Note]]
    start_ns: int
    end_ns: int
    _parts: Mapping[str, Sequence[Part]] = field(repr=False, default_factory=dict)
    _asked: Mapping[str, Callable[[SLO, int], Status]] = field(repr=False, default_factory=dict)
    _apart: Mapping[str, Callable[[Sequence[Part]], CountSeries]] = field(
        repr=False, default_factory=dict
    )
    _events: Mapping[str, Callable[[Part], Mapping[str, object]]] = field(
        repr=False, default_factory=dict
    )

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Every stretch that did not come, of any metric."""
        return tuple(one for fetched in self.fetched.values() for one in fetched.missing)

    @property
    def said(self) -> tuple[str, ...]:
        """What the server said beside its answers, and what did not come."""
        return tuple(dict.fromkeys(text for one in self.fetched.values() for text in _said(one)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server and the samples say that should be known, each once."""
        names: dict[str, list[str]] = {}
        for name, notes in self.notes.items():
            for text in dict.fromkeys(note.text for note in notes):
                names.setdefault(text, []).append(name)
        return (*self.said, *(f"{', '.join(of)}: {text}" for text, of in names.items()))

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

    def groups(self, slo: SLO, by: Iterable[str]) -> dict[tuple[str, ...], CountSeries]:
        """
        The count series of *slo* for each combination of labels of its series.

        Together they add up to `of(slo)`. A label that a series lacks is the empty text.

        Args:
            slo: The objective.
            by: Labels as the server or the objective calls them, "status" or "status_class".

        Raises:
            InvalidInputError: No series has such a label, or *slo* was not fetched.
        """
        self.of(slo)
        names = tuple(by)
        kinds: dict[tuple[str, ...], list[Part]] = {}
        known: dict[str, None] = {}
        for part in self._parts[slo.name]:
            columns = {**part.series.labels, **self._events[slo.name](part)}
            if columns.get("status") is not None:
                columns["status_class"] = f"{str(columns['status'])[:1]}xx"
            known.update(dict.fromkeys(columns))
            texts = tuple(str(columns.get(name) or "") for name in names)
            kinds.setdefault(texts, []).append(part)
        hidden = {"__name__", "le"}
        for name in names if kinds else ():
            if name not in known or name in hidden:
                there = tuple(sorted(known.keys() - hidden))
                raise InvalidInputError(
                    f'the series of SLO "{slo.name}" have no label "{name}"; there are '
                    f"{', '.join(there)}{did_you_mean(name, there)}"
                )
        return {texts: self._apart[slo.name](parts) for texts, parts in sorted(kinds.items())}

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

        A threshold, and a ratio of written queries, is asked of the server now. What gaps, restarts
        and the server say of the window is among the status' warnings.
        """
        at_ns = self.end_ns if at is None else to_ns(at)
        if slo.name in self._asked:
            return self._asked[slo.name](slo, at_ns)
        return self.noted(self.of(slo).evaluate(slo, at=at_ns))

    def noted(self, status: Status) -> Status:
        """*status* with what is to be known of its window among its warnings."""
        notes = self.notes.get(status.name, ())
        texts = [note.text for note in notes if note.concerns(status.interval)]
        found = dict.fromkeys((*status.warnings, *self.said, *texts))
        return replace(status, warnings=tuple(found))

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
        self.born: Born = born
        self.partial = partial
        self._kept: dict[tuple[str, int, int], Fetched] = {}
        if self.step_ns % _MS:
            raise InvalidInputError(f"a step is whole milliseconds, got {step!r}")

    def fetch(
        self, slos: SLO | Iterable[SLO], *, start: TimeLike, end: TimeLike
    ) -> PrometheusCounts:
        """
        The count series of every objective over (start, end].

        When some of it could not be fetched, what came is kept: the same call again asks for the
        rest only.

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
        wanted = as_slos(slos, distinct=False)
        start_ns, end_ns = to_ns(start), to_ns(end)
        before = start_ns - self.lookback_ms * _MS
        return self._counted(wanted, self._fetched(wanted, before, end_ns), start_ns, end_ns)

    def resume(self, slos: SLO | Iterable[SLO], earlier: PrometheusCounts) -> PrometheusCounts:
        """The same with what is missing asked for again; what came is kept."""
        wanted = as_slos(slos, distinct=False)
        again = dict(
            zip(earlier.fetched, self.client.resume_all([*earlier.fetched.values()]), strict=True)
        )
        self._check(again.values())
        return self._counted(wanted, again, earlier.start_ns, earlier.end_ns)

    def _fetched(self, slos: Sequence[SLO], start_ns: int, end_ns: int) -> dict[str, Fetched]:
        """Every metric that some objective asks for, by its selector."""
        bounds: dict[str, set[Fraction]] = {}
        natives: dict[str, str] = {}
        for slo in (one for one in slos if not is_asked(one)):
            metrics, bound = self._metrics(slo), latency_bound(slo)
            selector = selector_of(slo, metrics, native=metrics.native)
            asked = bounds.setdefault(selector, set())
            if bound is not None and not metrics.native:
                asked.add(bound)
                natives[selector] = selector_of(slo, metrics, native=True)
        wanted = {selector: with_bounds(selector, asked) for selector, asked in bounds.items()}
        fetched = self._samples(wanted, start_ns, end_ns)
        # Where there is no classic histogram, there may be a native one.
        lacking = {
            native: native
            for selector, native in natives.items()
            if not len(fetched[selector].matrix) and native not in fetched
        }
        return fetched | self._samples(lacking, start_ns, end_ns)

    def _answering(self, slo: SLO, fetched: Mapping[str, Fetched]) -> Fetched:
        """What was fetched for *slo*."""
        metrics = self._metrics(slo)
        native = selector_of(slo, metrics, native=True)
        if metrics.native:
            return fetched[native]
        classic = fetched[selector_of(slo, metrics)]
        return classic if len(classic.matrix) else fetched.get(native, classic)

    def _counted(
        self, slos: Sequence[SLO], fetched: Mapping[str, Fetched], start_ns: int, end_ns: int
    ) -> PrometheusCounts:
        bins = Bins(
            start_ns // _MS, end_ns // _MS, self.step_ns // _MS, self.lookback_ms, self.born
        )
        series, parts, notes = {}, {}, {}
        asked: dict[str, Callable[[SLO, int], Status]] = {}
        apart: dict[str, Callable[[Sequence[Part]], CountSeries]] = {}
        events: dict[str, Callable[[Part], Mapping[str, object]]] = {}
        for slo in slos:
            if is_asked(slo):
                asked[slo.name] = self._ask
                continue
            matrix = self._answering(slo, fetched).matrix
            metrics = self._metrics(slo)
            found = parts_of(slo, matrix, metrics)
            parts[slo.name] = found
            apart[slo.name] = partial(_series_of, bins, matrix.first_ms)
            events[slo.name] = partial(_event_of, metrics)
            series[slo.name], notes[slo.name] = bins.count(found, matrix.first_ms)
        if series and not any(map(len, series.values())):
            span = f"from {format_time(start_ns)} to {format_time(end_ns)}"
            raise NoDataError(
                f"the server has no series of {', '.join(fetched)} {span}, which "
                f"{', '.join(series)} would count; are the instant and the names of metrics and "
                "labels right?"
            )
        return PrometheusCounts(
            series, fetched, notes, start_ns, end_ns, parts, asked, apart, events
        )

    def _samples(self, wanted: Mapping[str, str], start_ns: int, end_ns: int) -> dict[str, Fetched]:
        """Samples of selectors, by key; after a try that broke off, what is missing is asked."""
        keys = [(selector, start_ns, end_ns) for selector in wanted.values()]
        found = self.client.resume_all([self._begun(*key) for key in keys])
        self._kept |= {key: one for key, one in zip(keys, found, strict=True) if one.missing}
        self._check(found)
        return dict(zip(wanted, found, strict=True))

    def _begun(self, selector: str, start_ns: int, end_ns: int) -> Fetched:
        kept = self._kept.pop((selector, start_ns, end_ns), None)
        return self.client.unasked(selector, start=start_ns, end=end_ns) if kept is None else kept

    def _check(self, fetched: Iterable[Fetched]) -> None:
        for one in fetched:
            if not self.partial:
                one.require()
            elif one.missing:
                python_warnings.warn(
                    f"{len(one.missing)} stretches of {one.query} are missing; "
                    f"the first: {one.missing[0]}",
                    GapWarning,
                    stacklevel=5,
                )

    def _metrics(self, slo: SLO) -> Metrics:
        return metrics_for(self.metrics, slo.name)

    def _ask(self, slo: SLO, at_ns: int) -> Status:
        return ask_status(self.client, slo, self._metrics(slo), at_ns=at_ns)


def _series_of(bins: Bins, watched_ms: int, parts: Sequence[Part]) -> CountSeries:
    return bins.count(parts, watched_ms)[0]


def _event_of(metrics: Metrics, part: Part) -> Mapping[str, object]:
    return event_of(part.series.labels, metrics)


def _said(fetched: Fetched) -> Iterator[str]:
    yield from fetched.warnings
    yield from fetched.infos
    yield from (f"missing: {gap}" for gap in fetched.missing)
