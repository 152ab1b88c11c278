"""
Recording rules: counts per window, then ratios of sums.

A ratio is never averaged: what is recorded are events, and a ratio is the quotient of their sums.
Windows up to *direct* are asked of the counters themselves, at each evaluation, as alerts need
them. The window of the budget is long, so it adds up five-minute counts that were recorded once
each. A query that gives nothing but a ratio is asked anew for each window, however long. Time
slices are judged once each, when they end, and every window adds them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from errorbudget.durations import MINUTE_NS, SECOND_NS, format_duration
from errorbudget.errors import InvalidInputError
from errorbudget.methods import Occurrences, Timeslices
from errorbudget.rules.metrics import Metrics
from errorbudget.rules.promql import (
    Queries,
    decimal,
    promql_duration,
    quoted,
    sli_queries,
)
from errorbudget.rules.thresholds import Figure, figures
from errorbudget.rules.timeslices import bound_slices, sliced
from errorbudget.schedule import TargetSchedule
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO
from errorbudget.target import Target

__all__ = [
    "BASE_NS",
    "Objective",
    "budget_rules",
    "count_rules",
    "measurement_rules",
    "metadata_rules",
    "ratio_rules",
    "sum_rules",
]

Rule = dict[str, Any]

BASE_NS = 5 * MINUTE_NS
"""Length of the counts that long windows add up, and how often they are recorded."""


@dataclass(frozen=True, slots=True)
class Objective:
    """
    One SLO on its way into rules.

    Attributes:
        slo: The objective.
        metrics: Its metrics.
        direct_ns: Longest window that is asked of the counters themselves [ns].
        interval_ns: How often short windows are evaluated [ns].
    """

    slo: SLO
    metrics: Metrics
    direct_ns: int
    interval_ns: int = MINUTE_NS

    @property
    def target(self) -> Target:
        """The target, the newest one of a schedule."""
        target = self.slo.target
        if target is None:
            raise InvalidInputError(f'SLO "{self.slo.name}" is a threshold and has no target')
        return target.at(max(target.targets)) if isinstance(target, TargetSchedule) else target

    @property
    def identity(self) -> dict[str, str]:
        """The labels that tell this objective's series from others'."""
        service = {"service": self.slo.service} if self.slo.service else {}
        return {"slo": self.slo.name, **service}

    @property
    def by(self) -> str:
        """The same names, to sum by."""
        return f"by ({', '.join(self.identity)})"

    def series(self, name: str) -> str:
        """A recorded series of this objective."""
        matchers = ",".join(f"{label}={quoted(value)}" for label, value in self.identity.items())
        return f"{name}{{{matchers}}}"

    @property
    def has_budget(self) -> bool:
        """Whether it has good and bad units: events, or slices that keep a bound or not."""
        sliced_bound = self.slo.target is not None and isinstance(self.slo.method, Timeslices)
        return isinstance(self.slo.sli, RatioSLI) or sliced_bound

    @property
    def is_sliced(self) -> bool:
        """Whether its units are time slices, which no sum over shards can tell."""
        return self.has_budget and not isinstance(self.slo.method, Occurrences)

    @property
    def queries(self) -> Queries:
        """Its units in PromQL: events, or time slices."""
        if isinstance(self.slo.method, Timeslices) and not isinstance(self.slo.sli, RatioSLI):
            return bound_slices(self.slo.sli, self.slo.method, self.metrics)
        return sliced(sli_queries(self.slo.sli, self.metrics), self.slo.method)

    @property
    def figures(self) -> list[Figure]:
        """The figures of a threshold over its period."""
        try:
            return figures(self.slo.sli, self.metrics, self.slo.period_ns)
        except InvalidInputError as error:
            raise InvalidInputError(f'SLO "{self.slo.name}": {error}') from None

    def measurement(self, figure: Figure) -> str:
        """The recorded series of a figure."""
        return f"{self.series('slo:measurement')[:-1]},measurement={quoted(figure.name)}}}"

    @property
    def base_ns(self) -> int:
        """Length of the counts that long windows add up [ns]."""
        return self.interval_ns if self.is_sliced else BASE_NS

    @property
    def windows(self) -> tuple[int, ...]:
        """The windows that are recorded as often as alerts are evaluated [ns]."""
        return tuple(window for window in self.slo.all_burn_windows if window <= self.direct_ns)

    @property
    def slow_windows(self) -> tuple[int, ...]:
        """The other windows [ns], that of the budget among them."""
        wanted = {*self.slo.all_burn_windows, self.slo.period_ns}
        return tuple(sorted(wanted - {*self.windows}))

    def recorded(self, name: str, expression: str, **labels: str) -> Rule:
        """A recording rule."""
        return {"record": name, "expr": expression, "labels": {**self.identity, **labels}}


def count_rules(
    objective: Objective, windows: Sequence[int], kind: str = "increase"
) -> Iterator[Rule]:
    """Bad and all units of each window, on the server that scrapes them."""
    queries = objective.queries
    for window in windows:
        bad, total = queries.over(window)
        length = format_duration(window)
        yield objective.recorded(f"slo:bad_events:{kind}{length}", bad)
        yield objective.recorded(f"slo:events:{kind}{length}", total)


def _quotient(objective: Objective, bad: str, total: str) -> str:
    # Without traffic there is no ratio: NaN would spread, and 0 would be a lie.
    return f"sum {objective.by} ({bad}) / (sum {objective.by} ({total}) > 0)"


def ratio_rules(objective: Objective) -> Iterator[Rule]:
    """The error ratio of each short window, over every shard that counts."""
    for window in objective.windows:
        length = format_duration(window)
        bad, total = (
            objective.series(f"slo:{what}:increase{length}") for what in ("bad_events", "events")
        )
        ratio = _quotient(objective, bad, total)
        yield objective.recorded(f"slo:error_ratio:{length}", ratio)


def sum_rules(objective: Objective, windows: Sequence[int]) -> Iterator[Rule]:
    """Events and error ratio of each window, added up from recorded counts."""
    base = format_duration(objective.base_ns)
    for window in windows:
        length = format_duration(window)
        if not objective.queries.adds_up:
            ratio = objective.queries.ratio(window)
            yield objective.recorded(f"slo:error_ratio:{length}", ratio)
            continue
        # A millisecond less, so that a count on the left edge stays out under every set of rules.
        span = promql_duration(window - SECOND_NS // 1000)
        for what in ("bad_events", "events"):
            counts = objective.series(f"slo:{what}:count{base}")
            added = f"sum {objective.by} (sum_over_time({counts}[{span}]))"
            yield objective.recorded(f"slo:{what}:sum{length}", added)
        bad, total = (
            objective.series(f"slo:{what}:sum{length}") for what in ("bad_events", "events")
        )
        yield objective.recorded(f"slo:error_ratio:{length}", f"{bad} / ({total} > 0)")


def budget_rules(objective: Objective) -> Iterator[Rule]:
    """What is left of the budget, and how fast it goes; nothing of it for a target of 100 %."""
    error = objective.target.error
    if not error:
        return
    ratio = objective.series(f"slo:error_ratio:{format_duration(objective.slo.period_ns)}")
    share = decimal(error)
    yield objective.recorded("slo:error_budget:remaining_ratio", f"1 - {ratio} / {share}")
    for window in objective.slo.all_burn_windows:
        length = format_duration(window)
        burning = objective.series(f"slo:error_ratio:{length}")
        yield objective.recorded("slo:burn_rate", f"{burning} / {share}", window=length)


def metadata_rules(objective: Objective) -> Iterator[Rule]:
    """What dashboards join: target, period, and who owns it."""
    slo = objective.slo
    about = {
        name: value
        for name, value in (
            ("description", slo.description),
            ("criticality", slo.criticality),
            ("owner", slo.owner),
            ("team", slo.team),
        )
        if value
    }
    yield objective.recorded("slo:info", "vector(1)", **about)
    days = decimal(Fraction(slo.period_ns, 86_400 * SECOND_NS))
    yield objective.recorded("slo:period:days", f"vector({days})")
    if objective.has_budget:
        yield objective.recorded(
            "slo:objective:ratio", f"vector({decimal(objective.target.ratio)})"
        )


def measurement_rules(objective: Objective) -> Iterator[Rule]:
    """The figures of a threshold over its period."""
    for figure in objective.figures:
        yield objective.recorded("slo:measurement", figure.query, measurement=figure.name)
