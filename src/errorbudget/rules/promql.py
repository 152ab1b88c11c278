"""
Conditions on events as PromQL matchers, and indicators as PromQL queries.

A selector can only say *and*; *or* becomes several selectors joined by PromQL's `or`, which keeps
a series that meets both once. What is unknown stays out: a series without a status is neither good
nor bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from errorbudget.errors import InvalidInputError
from errorbudget.predicates import (
    All,
    Any_,
    Everything,
    LabelIn,
    LabelMatches,
    Not,
    Number,
    Predicate,
    StatusIn,
)
from errorbudget.rules.metrics import Metrics
from errorbudget.sli import SLI, Latency, QueryRatio, QueryThreshold, RatioSLI
from errorbudget.sli.query import WINDOW

__all__ = [
    "Queries",
    "decimal",
    "event_of",
    "le_values",
    "promql_duration",
    "quoted",
    "selectors",
    "sli_queries",
]

Matchers = tuple[str, ...]
_NOTHING = "no series"  # in place of a matcher that none meets


def quoted(text: str) -> str:
    """*text* as a PromQL or YAML string in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def decimal(value: Fraction) -> str:
    """
    A number as PromQL reads it, exact where a decimal can be, else its nearest float.

    Example:
        >>> decimal(Fraction(72, 5000)), decimal(Fraction(3)), decimal(Fraction(1, 3))
        ('0.0144', '3', '0.3333333333333333')
    """
    if value.denominator == 1:
        return str(value.numerator)
    for places in range(1, 19):
        scaled = value * 10**places
        if scaled.denominator == 1:
            sign, digits = ("-", -scaled.numerator) if value < 0 else ("", scaled.numerator)
            text = str(digits).rjust(places + 1, "0")
            return f"{sign}{text[:-places]}.{text[-places:]}"
    return repr(float(value))


def promql_duration(length_ns: int) -> str:
    """
    A span as PromQL writes it, in milliseconds at the finest.

    Example:
        >>> promql_duration(5_400_000_000_000), promql_duration(2_591_999_999_000_000)
        ('1h30m', '29d23h59m59s999ms')
    """
    length, rest = divmod(length_ns, 1_000_000)
    if rest or length <= 0:
        raise InvalidInputError(f"PromQL has no span of {length_ns} ns: it counts milliseconds")
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, length = divmod(length, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _status_pattern(predicate: StatusIn) -> str:
    parts = []
    for low, high in predicate.ranges:
        code = low
        while code <= high:
            if code % 100 == 0 and code + 99 <= high:
                parts.append(f"{code // 100}..")
                code += 100
            elif code % 10 == 0 and code + 9 <= high:
                parts.append(f"{code // 10}.")
                code += 10
            else:
                parts.append(str(code))
                code += 1
    return "|".join(parts)


def _named(predicate: StatusIn, metrics: Metrics) -> str:
    """The texts that stand for a status in the ranges."""
    texts = (text for text, code in metrics.statuses.items() if predicate.matches({"status": code}))
    return "|".join(re.escape(text) for text in texts)


def _atom(predicate: Predicate, metrics: Metrics, *, negated: bool) -> Matchers:
    """The matchers of one condition, or of its opposite."""
    if isinstance(predicate, StatusIn):
        name = metrics.label("status")
        pattern = _named(predicate, metrics) if metrics.statuses else _status_pattern(predicate)
        if not pattern:
            return (f'{name}!=""',) if negated else (_NOTHING,)
        if not negated:
            return (f"{name}=~{quoted(pattern)}",)
        # A series without a status is not one with another status.
        return (f"{name}!~{quoted(pattern)}", f'{name}!=""')
    if isinstance(predicate, (LabelIn, LabelMatches)) and predicate.name in metrics.implied:
        holds = predicate.holds(metrics.implied[predicate.name])
        return () if holds != negated else (_NOTHING,)
    if isinstance(predicate, LabelIn):
        name = metrics.label(predicate.name)
        if len(predicate.values) == 1:
            return (f"{name}{'!=' if negated else '='}{quoted(predicate.values[0])}",)
        pattern = "|".join(re.escape(value).replace(r"\-", "-") for value in predicate.values)
        return (f"{name}{'!~' if negated else '=~'}{quoted(pattern)}",)
    if isinstance(predicate, LabelMatches):
        name = metrics.label(predicate.name)
        return (f"{name}{'!~' if negated else '=~'}{quoted(predicate.pattern)}",)
    shown = f"not {predicate}" if negated else str(predicate)
    raise InvalidInputError(
        f'"{shown}" cannot be asked of a counter: only labels and the status can; count such '
        "events in a metric of their own, or use a histogram with errorbudget.Latency"
    )


def _alternatives(
    predicate: Predicate, metrics: Metrics, *, negated: bool = False
) -> Iterator[Matchers]:
    """The condition as alternatives, each a list of matchers that all hold."""
    if isinstance(predicate, Not):
        yield from _alternatives(predicate.part, metrics, negated=not negated)
    elif isinstance(predicate, Everything):
        if not negated:
            yield ()
    elif isinstance(predicate, (All, Any_)):
        if isinstance(predicate, All) != negated:
            yield from _together(predicate.parts, metrics, negated=negated)
        else:
            for part in predicate.parts:
                yield from _alternatives(part, metrics, negated=negated)
    else:
        yield _atom(predicate, metrics, negated=negated)


def _together(
    parts: tuple[Predicate, ...], metrics: Metrics, *, negated: bool
) -> Iterator[Matchers]:
    if not parts:
        yield ()
        return
    for first in _alternatives(parts[0], metrics, negated=negated):
        for rest in _together(parts[1:], metrics, negated=negated):
            yield tuple(dict.fromkeys((*first, *rest)))


def selectors(
    metric: str, predicate: Predicate, metrics: Metrics, *further: str
) -> tuple[str, ...]:
    """
    Selectors whose series, taken together, are those that meet *predicate*.

    Args:
        metric: Name of the metric.
        predicate: The condition.
        metrics: Names of labels, and those that every series must have.
        further: Matchers to add.

    Raises:
        InvalidInputError: The condition cannot be asked of labels.

    Example:
        >>> from errorbudget.predicates import label, status_in
        >>> selectors("x_total", status_in("5xx") & label("route").matches("/api/.*"), Metrics())
        ('x_total{status=~"5..",route=~"/api/.*"}',)
    """
    fixed = tuple(f"{name}={quoted(value)}" for name, value in metrics.match.items())
    every = dict.fromkeys(_alternatives(predicate, metrics))
    found = [one for one in every if _NOTHING not in one]
    if not found:
        raise InvalidInputError("a condition that no event meets has no series")
    return tuple(
        f"{metric}{{{','.join(matchers)}}}" if (matchers := (*fixed, *further, *one)) else metric
        for one in found
    )


def le_values(bound: Fraction) -> tuple[str, ...]:
    """How a bound may stand in `le`: servers from 3.0 on write 1.0 where older ones write 1."""
    text = decimal(bound)
    return (text, f"{text}.0") if bound.denominator == 1 else (text,)


@dataclass(frozen=True, slots=True)
class Queries:
    """
    PromQL for the events of an indicator; `{{.window}}` stands for the stretch of time.

    Attributes:
        bad: Growth of bad events.
        total: Growth of all events.
        series: Groups of selectors; where no selector of a group finds a series, nothing is
            measured.
        bad_may_lack: Whether no series of bad events means that there were none.
        adds_up: Whether figures of short windows add up to those of long ones; a ratio does not.
        less_ns: What a window is shortened by, so that its left edge stays out [ns].
    """

    bad: str
    total: str
    series: tuple[tuple[str, ...], ...]
    bad_may_lack: bool = True
    adds_up: bool = True
    less_ns: int = 0

    def over(self, length_ns: int) -> tuple[str, str]:
        """Bad and all events of a window, 0 bad ones where only those have no series."""
        window = promql_duration(length_ns - self.less_ns)
        bad, total = (text.replace(WINDOW, window) for text in (self.bad, self.total))
        return (f"({bad} or 0 * {total})" if self.bad_may_lack else bad), total

    def ratio(self, length_ns: int) -> str:
        """The share of bad events in a window; nothing, and not NaN, without traffic."""
        bad, total = self.over(length_ns)
        return f"{bad} / ({total} > 0)"


def _grown(found: tuple[str, ...]) -> str:
    """The growth of all series, summed after `increase`, never before."""
    ranges = [f"increase({selector}[{WINDOW}])" for selector in found]
    return f"sum({' or '.join(ranges)})"


def sli_queries(sli: SLI, metrics: Metrics) -> Queries:
    """
    PromQL for a ratio indicator.

    Args:
        sli: Availability, error rate, latency, any ratio of labels, or queries.
        metrics: Names of metrics and labels.

    Raises:
        InvalidInputError: The indicator cannot be asked in PromQL.

    Example:
        >>> from errorbudget.sli import Availability
        >>> sli_queries(Availability(), Metrics()).bad
        'sum(increase(http_server_requests_total{status=~"5.."}[{{.window}}]))'
    """
    if isinstance(sli, QueryRatio):
        return _written(sli)
    if isinstance(sli, QueryThreshold):
        return _sampled(sli)
    if not isinstance(sli, RatioSLI):
        raise InvalidInputError(f"{sli} has no good and bad events: it is a threshold")
    if isinstance(sli, Latency):
        return _latency(sli, metrics)
    counter, valid, good = metrics.counter, sli.valid_when, sli.good_when
    bad = selectors(counter, valid & ~good, metrics)
    if good.columns == {"status"}:
        total = selectors(counter, valid, metrics, f'{metrics.label("status")}!=""')
    elif "status" in good.columns:
        total = selectors(counter, valid & (good | ~good), metrics)  # where it can be told
    else:
        total = selectors(counter, valid, metrics)
    return Queries(_grown(bad), _grown(total), (total,))


def _latency(sli: Latency, metrics: Metrics) -> Queries:
    good_when = sli.good_when
    if not isinstance(good_when, Number) or good_when.op != "<=":
        raise InvalidInputError(f"{sli} is not a share of requests within a bound")
    if metrics.native:
        found = selectors(metrics.histogram, sli.valid_when, metrics)
        every = f"histogram_count({_grown(found)})"
        share = f"histogram_fraction(-Inf, {decimal(good_when.bound)}, {_grown(found)})"
        # Without events the share is NaN, which would stay in every sum that it enters.
        return Queries(f"(1 - {share}) * ({every} > 0)", every, (found,))
    bucket = f"{metrics.histogram}_bucket"
    values = le_values(good_when.bound)
    pattern = "|".join(re.escape(value) for value in values)
    le = f"le={quoted(values[0])}" if len(values) == 1 else f"le=~{quoted(pattern)}"
    within = selectors(bucket, sli.valid_when, metrics, le)
    total = selectors(f"{metrics.histogram}_count", sli.valid_when, metrics)
    # No bucket of that bound means a wrong bound, and not that all requests were slow.
    slow = f"({_grown(total)} - {_grown(within)})"
    return Queries(slow, _grown(total), (total, within), bad_may_lack=False)


def _written(sli: QueryRatio) -> Queries:
    _check_language(sli)
    if sli.ratio_query is not None:
        # A share of bad events is bad events of one, where there is a share at all.
        ratio = f"({sli.ratio_query.strip()})"
        return Queries(ratio, f"(0 * {ratio} + 1)", (), bad_may_lack=False, adds_up=False)
    good, bad, total = (
        None if text is None else f"({text.strip()})"
        for text in (sli.good_query, sli.bad_query, sli.total_query)
    )
    if total is None:
        total = f"({good} + {bad})"
    if bad is None:
        return Queries(f"({total} - {good})", total, (), bad_may_lack=False)
    return Queries(bad, total, ())


def _sampled(sli: QueryThreshold) -> Queries:
    """One sample a minute, good where it keeps the bound."""
    _check_language(sli)
    kept = f"(({sli.query.strip()}) {sli.op} bool {decimal(sli.bound)})[{WINDOW}:1m]"
    good, total = f"sum(sum_over_time({kept}))", f"sum(count_over_time({kept}))"
    return Queries(f"({total} - {good})", total, (), bad_may_lack=False)


def _check_language(sli: QueryRatio | QueryThreshold) -> None:
    if sli.language != "promql":
        raise InvalidInputError(f"{sli} is a {sli.language} query, and no PromQL")


def event_of(labels: Mapping[str, str], metrics: Metrics) -> dict[str, object]:
    """The labels of a series as the columns of its events; what is no status is a missing one."""
    columns = {label: column for column, label in metrics.labels.items()}
    event: dict[str, object] = {columns.get(name, name): value for name, value in labels.items()}
    status = event.get("status")
    if status is not None:
        text = str(status)
        code = int(text) if re.fullmatch(r"[1-5]\d\d", text) else None
        event["status"] = metrics.statuses.get(text, code)
    return {**metrics.implied, **event}
