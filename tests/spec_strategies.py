"""Objectives of every kind, for the laws of specifications."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from errorbudget.alerts import GUIDE, WORKBOOK, WORKBOOK_THREE, AlertPolicy, BurnAlert
from errorbudget.corrections import BudgetReset, Maintenance
from errorbudget.durations import DAY_NS, MINUTE_NS, format_duration
from errorbudget.methods import OCCURRENCES, RatioTimeslices, Timeslices
from errorbudget.policy import ERROR_BUDGET_POLICY, RISK_TOLERANCE, Policy, Tier
from errorbudget.predicates import Flag, Predicate, label, number, status_in
from errorbudget.schedule import TargetSchedule
from errorbudget.sli import (
    Availability,
    Concurrency,
    ErrorRate,
    Freshness,
    Latency,
    LatencyQuantile,
    QueryRatio,
    QueryThreshold,
    RatioSLI,
    Throughput,
)
from errorbudget.slo import SLO
from errorbudget.times import format_time

# What people write, and what trips readers: words of YAML, numbers, quotes, breaks, other scripts.
TRICKY = st.sampled_from(
    [
        *(
            "yes",
            "no",
            "on",
            "null",
            "~",
            "true",
            "1",
            "0.10",
            "1e3",
            "0x1F",
            "0o7",
            "12:30",
            "=",
            "<<",
        ),
        *(
            "2026-01-01",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "!x",
            "&x",
            "*x",
            "%x",
            "@x",
            "`x",
            "[a]",
            "{a}",
        ),
        *(
            '"q"',
            "'q'",
            "it's",
            "back\\slash",
            "a\nb",
            "a\n\nb\n",
            " lead",
            "trail ",
            "tab\there",
            "é\u2028",
        ),
        *("🙂", "\ufeffx", "---", "...", "a,b", "${env:HOME}"),
    ]
)
TEXTS = st.one_of(
    st.text(
        st.characters(
            exclude_categories=["Cs", "Cc"],
            include_characters="\n\t",
            exclude_characters="\ufffe\uffff",
        ),
        max_size=20,
    ),
    st.from_regex(r"[a-z-]{1,8}", fullmatch=True),
    TRICKY,
)
NAMES = TEXTS.filter(lambda text: bool(text.strip()) and not re.search("[\t\n]", text))
WORDS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
# Columns whose names are words of the language of conditions are written in the long form.
COLUMNS = st.sampled_from(
    ["route", "tool", "status", "label", "not", "bytes", "x y", "all", "in", "1"]
)


def drawn(make: Callable[..., st.SearchStrategy[Any]]) -> Callable[..., st.SearchStrategy[Any]]:
    """A strategy that is called by its name: what is in it would fill pages of a report."""
    made: dict[Any, st.SearchStrategy[Any]] = {}

    def strategy(draw: st.DrawFn, *arguments: Any) -> Any:
        key = tuple(map(id, arguments))
        return draw(_made(made, key, make, arguments))

    strategy.__name__ = make.__name__
    return st.composite(strategy)


def _made(
    made: dict[Any, Any], key: Any, make: Callable[..., Any], arguments: tuple[Any, ...]
) -> st.SearchStrategy[Any]:
    if key not in made:
        made[key] = make(*arguments)
    return made[key]


def targets() -> st.SearchStrategy[Fraction]:
    """Shares from a half up to one, with and without an end as decimals."""
    return st.one_of(
        st.integers(50, 100).map(lambda n: Fraction(n, 100)),
        st.integers(50_000, 100_000).map(lambda n: Fraction(n, 100_000)),
        st.fractions(Fraction(1, 2), 1, max_denominator=1_000),
    )


def lengths(low: int = 1, high: int = 90 * DAY_NS) -> st.SearchStrategy[int]:
    """Spans [ns]."""
    return st.integers(max(1, low // MINUTE_NS), high // MINUTE_NS).map(lambda n: n * MINUTE_NS)


def texts_of(values: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    """The same spans as they are written."""
    return values.map(format_duration)


@drawn
def predicates() -> st.SearchStrategy[Predicate]:
    """Conditions up to three deep."""
    leaves = st.one_of(
        st.sampled_from(["2xx", "5xx", "2xx|304", "429", "!5xx", "500-503"]).map(status_in),
        st.builds(lambda name, value: label(name).equals(value), COLUMNS, TEXTS),
        st.builds(
            lambda name, values: label(name).isin(*values),
            COLUMNS,
            st.lists(TEXTS, min_size=1, max_size=3),
        ),
        st.builds(
            lambda name, text: label(name).matches(text),
            COLUMNS,
            st.sampled_from([".+", "/api/.*", "a|b", "", "x"]),
        ),
        st.builds(
            lambda name, bound: number(name) <= bound,
            WORDS,
            st.fractions(Fraction(1, 1_000), 1_000, max_denominator=1_000),
        ),
        st.builds(
            lambda bound: number("duration_s") > bound, st.sampled_from(["200ms", "1.5s", 2])
        ),
        st.just(Flag("good")),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            inner.map(lambda a: ~a),
        ),
        max_leaves=5,
    )


def _some(**choices: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=choices)


@drawn
def ratio_slis() -> st.SearchStrategy[RatioSLI]:
    """Indicators that need a target."""
    conditions = {"where": predicates(), "exclude": predicates(), "valid": predicates()}
    sides = st.one_of(
        st.just({}), st.builds(dict, good=predicates()), st.builds(dict, bad=predicates())
    )
    durations = st.one_of(
        texts_of(lengths()), st.fractions(Fraction(1, 1_000), 100, max_denominator=1_000)
    )
    return st.one_of(
        *(
            st.builds(
                lambda kind, side, rest: kind(**side, **rest),
                st.just(kind),
                sides,
                _some(**conditions),
            )
            for kind in (RatioSLI, Availability, ErrorRate)
        ),
        st.builds(
            lambda threshold, rest: Latency(threshold, **rest),
            durations,
            _some(**conditions, column=WORDS),
        ),
        query_ratios(),
        st.builds(
            lambda query, op, bound: QueryThreshold(query=query, op=op, bound=bound),
            NAMES,
            st.sampled_from(["<", "<=", ">", ">="]),
            st.fractions(-100, 100, max_denominator=100),
        ),
    )


@drawn
def query_ratios(texts: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[QueryRatio]:
    """Ratios by queries, in all their shapes."""
    shapes = st.sampled_from([("good", "total"), ("bad", "total"), ("good", "bad"), ("ratio",)])
    return st.builds(
        lambda shape, language, queries: QueryRatio(
            language=language,
            **{f"{role}_query": text for role, text in zip(shape, queries, strict=False)},
        ),
        shapes,
        st.sampled_from(["promql", "Datadog"]),
        st.tuples(texts, texts),
    )


@drawn
def threshold_slis() -> st.SearchStrategy[Any]:
    """Indicators that stand without a target."""
    rest = _some(where=predicates(), exclude=predicates())
    floors = st.one_of(st.integers(0, 10_000), st.fractions(0, 100, max_denominator=100))
    quantiles = st.dictionaries(
        st.sampled_from(["p50", "p95", "p99", "p99.9"]),
        st.one_of(texts_of(lengths()), st.fractions(Fraction(1, 1_000), 10, max_denominator=1_000)),
        min_size=1,
    )
    return st.one_of(
        st.builds(lambda bounds, more: LatencyQuantile(bounds, **more), quantiles, rest),
        st.builds(
            lambda above, sustained, more: Throughput(above, sustained, **more),
            floors,
            st.one_of(st.none(), texts_of(lengths())),
            rest,
        ),
        st.builds(
            lambda above, statistic, more: Concurrency(above, "open", statistic, **more),
            floors,
            st.sampled_from(["max", "mean", "sustained"]),
            rest,
        ),
        st.builds(lambda within, more: Freshness(within, **more), texts_of(lengths()), rest),
    )


@drawn
def methods() -> st.SearchStrategy[Any]:
    """Every budgeting method, with slices that fit a window of a day."""
    slices = lengths(high=DAY_NS)
    return st.one_of(
        st.just(OCCURRENCES),
        st.builds(
            Timeslices,
            slices,
            targets(),
            st.sampled_from(["exclude", "good", "bad"]),
            st.booleans(),
        ),
        st.builds(RatioTimeslices, slices, st.sampled_from(["exclude", "good", "bad"])),
    )


@drawn
def alerts() -> st.SearchStrategy[AlertPolicy]:
    """Published tables and others."""
    row = st.builds(
        lambda name, severity, budget, long, short, hold: BurnAlert(
            name, severity, budget, long, short if short and short < long else None, hold
        ),
        NAMES,
        st.sampled_from(["critical", "page", "warning", "ticket", "info"]),
        st.fractions(Fraction(1, 1_000), 1, max_denominator=1_000),
        lengths(),
        st.one_of(st.none(), lengths()),
        st.one_of(st.just(0), lengths()),
    )
    table = st.builds(
        AlertPolicy,
        TEXTS,
        st.lists(row, max_size=3, unique_by=lambda alert: alert.name),
        lengths(DAY_NS),
        TEXTS,
        st.booleans(),
    )
    return st.one_of(st.sampled_from([WORKBOOK, WORKBOOK_THREE, GUIDE]), table)


@drawn
def policies() -> st.SearchStrategy[Policy]:
    """Published tables and others."""

    def build(
        name: str, bounds: list[Fraction], actions: dict[str, str], margin: Fraction
    ) -> Policy:
        rows = [
            Tier(f"t{rank}", bound, rank % 2 == 0, actions, "critical")
            for rank, bound in enumerate(sorted(bounds, reverse=True))
        ]
        return Policy(name, [*rows, Tier("worst", may_deploy="none")], "a book", margin)

    bounds = st.lists(st.fractions(-1, 1, max_denominator=100), max_size=3, unique=True)
    return st.one_of(
        st.sampled_from([ERROR_BUDGET_POLICY, RISK_TOLERANCE]),
        st.builds(
            build,
            TEXTS,
            bounds,
            st.dictionaries(WORDS, TEXTS, max_size=2),
            st.fractions(0, 1, max_denominator=100),
        ),
    )


INSTANTS = st.integers(0, 2_000_000_000).map(lambda seconds: seconds * 10**9)


@drawn
def schedules() -> st.SearchStrategy[TargetSchedule]:
    """Targets that change."""
    return st.builds(
        lambda steps, judge_by: TargetSchedule(dict(steps), judge_by),
        st.dictionaries(INSTANTS, targets(), min_size=1, max_size=3).map(lambda d: list(d.items())),
        st.sampled_from(["event", "now"]),
    )


@drawn
def windows() -> st.SearchStrategy[str]:
    """Windows as they are written, of a day at least."""
    return st.one_of(
        texts_of(lengths(DAY_NS)),
        st.sampled_from(
            [
                "month",
                "month Europe/Berlin",
                "week",
                "week from 2022-01-01T12:00 America/New_York",
                "quarter",
                "year from 2026-04-01",
                "every 2 weeks from 2026-01-05 -05:00",
                "day Asia/Kathmandu",
                "every 2 months",
            ]
        ),
    )


@drawn
def _parts() -> st.SearchStrategy[dict[str, Any]]:
    correction = st.builds(
        lambda at, length, treat, reason: Maintenance(
            format_time(at), format_time(at + length), treat, reason
        ),
        INSTANTS,
        lengths(),
        st.sampled_from(["exclude", "good"]),
        TEXTS,
    )
    reset = st.builds(
        lambda at, note, by: BudgetReset(format_time(at), note, by), INSTANTS, NAMES, TEXTS
    )
    return _some(
        policy=policies(),
        risk_policy=policies(),
        burn_windows=st.lists(lengths(), max_size=3),
        corrections=st.lists(correction, max_size=2),
        resets=st.lists(reset, max_size=2),
        min_coverage=st.floats(0, 1),
        **dict.fromkeys(
            ("description", "service", "criticality", "owner", "team", "runbook"), TEXTS
        ),
        links=st.dictionaries(TEXTS, TEXTS, max_size=2),
        labels=st.dictionaries(TEXTS, TEXTS, max_size=2),
        alerts=alerts(),
    )


@drawn
def slos(slis: Any = None, targets_of: Any = None) -> st.SearchStrategy[SLO]:
    """Objectives of every kind."""
    ratio = st.builds(
        lambda name, window, sli, target, method, parts: SLO(
            name, window=window, sli=sli, target=target, method=method, **parts
        ),
        NAMES,
        windows(),
        ratio_slis() if slis is None else slis,
        st.one_of(targets(), schedules()) if targets_of is None else targets_of,
        methods(),
        _parts(),
    )
    if slis is not None:
        return ratio
    threshold = st.builds(
        lambda name, window, sli, parts: SLO(name, window=window, sli=sli, **parts),
        NAMES,
        windows(),
        threshold_slis(),
        _parts(),
    )
    return st.one_of(ratio, threshold)


def several(one: st.SearchStrategy[SLO]) -> st.SearchStrategy[list[SLO]]:
    """A few objectives with different names."""
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda slo: slo.name)
