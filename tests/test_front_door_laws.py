"""
Whatever comes to the front door is answered, or refused by name.

Every public entry point is asked with every kind of junk in each of its places. What comes back is
an answer or an error of the library's own family, never a traceback of numpy's or of Python's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget import SLO, Counts, CountSeries, Events, Labels
from errorbudget import predicates as p
from errorbudget import sli as indicators
from errorbudget.burn import traffic_weighted_spend
from errorbudget.durations import parse_duration
from errorbudget.errors import ErrorBudgetError
from errorbudget.methods import as_method
from errorbudget.times import to_ns


def pandas_junk() -> list[Any]:
    """What pandas has in stock, where it is installed."""
    try:
        import pandas as pd
    except ImportError:
        return []
    return [pd.NA, pd.NaT, pd.Series([1]), pd.DataFrame({"a": [1]}), pd.Index(["x"])]


JUNK: list[Any] = [
    *(None, True, False, 5, -1, 0, 1.5, float("nan"), float("inf"), 10**40, -(10**40)),
    *("abc", "", "5", "1e999999999", "9" * 5_000, b"x"),
    *([], [1], (), {}, {"a": 1}, {"status": None}, set(), object(), int, lambda: 1),
    *(np.array([1, 2]), np.array([[1], [2]]), np.array([]), np.float64("nan"), np.True_),
    *(np.datetime64("NaT", "s"), dt.datetime(2026, 1, 1), dt.date(2026, 1, 1), dt.timedelta(-1)),
    *(Counts(), eb.Target("99%"), eb.Availability(), eb.Rolling("1h")),
    *pandas_junk(),
]
EVENTS = Events(
    time=[10**18, 10**18 + 1],
    status=[200, 500],
    duration_s=[0.1, 0.2],
    good=[True, False],
    labels={"route": ["a", "b"]},
    values={"connections": [1, 2]},
)
API = SLO("x", target="99.9%", window="30d", sli=eb.Availability())
SERIES = API.count(EVENTS)
HISTORY = API.history(EVENTS, step="1m")

# Each entry: what is asked, and arguments that fit. Each argument is replaced by junk in turn.
QUESTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "SLO": (
        SLO,
        {
            "name": "x",
            "target": "99.9%",
            "window": "30d",
            "sli": eb.Availability(),
            "method": "occurrences",
            "warning_target": "99.95%",
            "alerts": None,
            "policy": eb.RISK_TOLERANCE,
            "risk_policy": eb.RISK_TOLERANCE,
            "burn_windows": ["1h"],
            "corrections": [],
            "resets": [],
            "min_coverage": 0.5,
            "description": "",
            "owner": "",
            "links": {},
            "labels": {},
        },
    ),
    "Events": (
        Events,
        {
            "time": [1],
            "status": [200],
            "duration_s": [0.5],
            "good": [True],
            "labels": {"a": ["b"]},
            "values": {"b": [1]},
        },
    ),
    "Events of one": (
        lambda time, status, duration_s, good, label, value: Events(
            [time], [status], [duration_s], [good], {"a": [label]}, {"b": [value]}
        ),
        {"time": 1, "status": 200, "duration_s": 0.5, "good": True, "label": "b", "value": 1},
    ),
    "Labels": (Labels, {"codes": [0], "values": ("a",)}),
    "CountSeries": (
        CountSeries,
        {
            "label_ns": [60],
            "good": [1],
            "total": [2],
            "step_ns": 60,
            "closed": "right",
            "observed": [True],
        },
    ),
    "CountSeries of one": (
        lambda label, good, total: CountSeries([label], [good], [total], 60),
        {"label": 60, "good": 1, "total": 1},
    ),
    "merge": (CountSeries.merge, {"parts": [SERIES]}),
    "evaluate": (eb.evaluate, {"slos": [API], "data": EVENTS, "at": 10**18}),
    "slo.evaluate": (API.evaluate, {"data": EVENTS, "at": 10**18}),
    "slo.history": (
        API.history,
        {"data": EVENTS, "step": "1m", "start": 10**18, "end": 10**18 + 10**11},
    ),
    "slo.count": (API.count, {"data": EVENTS, "step": "1m"}),
    "slo.assess": (API.assess, {"counts": Counts(1, 1), "at": 0}),
    "slo.interval": (API.interval, {"at": 0}),
    "slo.variants": (API.variants, {"targets": ["99%"], "windows": ["7d"]}),
    "events.between": (EVENTS.between, {"start": 0, "end": 1}),
    "events.column": (EVENTS.column, {"name": "status"}),
    "history.firing": (HISTORY.firing, {"name": "page-fast"}),
    "Target": (eb.Target, {"value": "99%"}),
    "Target.from_error": (eb.Target.from_error, {"value": "1%"}),
    "Counts": (Counts, {"good": 1, "bad": 1}),
    "Counts.from_total": (Counts.from_total, {"good": 1, "total": 1}),
    "burn_rate": (eb.burn_rate, {"counts": Counts(1, 1), "target": "99%"}),
    "budget_remaining": (eb.budget_remaining, {"counts": Counts(1, 1), "target": "99%"}),
    "budget_consumed": (eb.budget_consumed, {"counts": Counts(1, 1), "target": "99%"}),
    "burn_threshold": (
        eb.burn_threshold,
        {"budget_fraction": "2%", "window": "1h", "period": "30d"},
    ),
    "budget_spent": (eb.budget_spent, {"burn": 1, "window": "1h", "period": "30d"}),
    "time_to_exhaustion": (eb.time_to_exhaustion, {"burn": 1, "period": "30d", "remaining": 1}),
    "max_burn_rate": (eb.max_burn_rate, {"target": "99%"}),
    "detection_time": (
        eb.detection_time,
        {"target": "99%", "threshold": 1, "window": "1h", "error_rate": 1},
    ),
    "reset_time": (
        eb.reset_time,
        {"target": "99%", "threshold": 1, "window": "1h", "error_rate": 1, "incident": "1h"},
    ),
    "traffic_weighted_spend": (
        traffic_weighted_spend,
        {"counts": Counts(1, 1), "mean_total": 1, "target": "9%", "window": "1h", "period": "1d"},
    ),
    "BurnAlert": (
        eb.BurnAlert,
        {"name": "a", "severity": "page", "budget": "2%", "long": "1h", "short": "5m", "hold": 0},
    ),
    "AlertPolicy": (eb.AlertPolicy, {"name": "a", "alerts": [], "period": "30d"}),
    "AlertPolicy.from_dict": (eb.AlertPolicy.from_dict, {"data": {"alerts": []}}),
    "AlertPolicy rows": (lambda row: eb.AlertPolicy.from_dict({"alerts": [row]}), {"row": {}}),
    "AlertPolicy.states": (eb.WORKBOOK.states, {"burn_rates": {}, "period": "30d"}),
    "AlertPolicy.rescaled": (eb.WORKBOOK.rescaled, {"period": "7d"}),
    "AlertPolicy.unreachable": (eb.WORKBOOK.unreachable, {"target": "99%", "period": "30d"}),
    "Tier": (eb.Tier, {"name": "a", "above": "50%", "actions": {}, "may_deploy": "all"}),
    "Policy": (eb.Policy, {"name": "a", "tiers": [eb.Tier("b")], "hysteresis": 0}),
    "Policy.from_dict": (eb.Policy.from_dict, {"data": {"tiers": [{"name": "a"}]}}),
    "Policy rows": (lambda row: eb.Policy.from_dict({"tiers": [row]}), {"row": {"name": "a"}}),
    "Policy.tier": (eb.RISK_TOLERANCE.tier, {"remaining": 0.5}),
    "Policy[]": (eb.RISK_TOLERANCE.__getitem__, {"name": "low"}),
    "TargetSchedule": (eb.TargetSchedule, {"targets": {0: "99%"}, "judge_by": "now"}),
    "TargetSchedule of one": (lambda t: eb.TargetSchedule({0: t}), {"t": "99%"}),
    "Timeslices": (eb.Timeslices, {"slice": "1m", "slice_target": "99%", "no_data": "bad"}),
    "RatioTimeslices": (eb.RatioTimeslices, {"slice": "1m", "no_data": "bad"}),
    "as_method": (as_method, {"value": "occurrences"}),
    "RatioSLI": (eb.RatioSLI, {"good": "2xx", "valid": "2xx", "where": "2xx", "exclude": "5xx"}),
    "RatioSLI bad": (eb.ErrorRate, {"bad": "5xx"}),
    "Latency": (eb.Latency, {"threshold": "1s", "column": "duration_s"}),
    "LatencyQuantile": (eb.LatencyQuantile, {"bounds": {"p95": "1s"}, "column": "duration_s"}),
    "LatencyQuantile of one": (lambda bound: eb.LatencyQuantile({"p95": bound}), {"bound": "1s"}),
    "Throughput": (eb.Throughput, {"above": 1, "sustained": "1m"}),
    "Concurrency": (eb.Concurrency, {"above": 1, "column": "c", "statistic": "max"}),
    "Freshness": (eb.Freshness, {"within": "1m"}),
    "sli.from_dict": (indicators.from_dict, {"data": {"kind": "ratio"}}),
    "sli kind": (lambda kind: indicators.from_dict({"kind": kind}), {"kind": "ratio"}),
    "sli good": (lambda good: indicators.from_dict({"good": good}), {"good": "2xx"}),
    "as_predicate": (p.as_predicate, {"value": "5xx"}),
    "as_predicate route": (lambda route: p.as_predicate({"route": route}), {"route": "x"}),
    "as_predicate status": (lambda status: p.as_predicate({"status": status}), {"status": "5xx"}),
    "predicate data": (p.from_dict, {"data": {"status": "5xx"}}),
    "predicate parts": (lambda part: p.from_dict({"all": [part]}), {"part": {"status": "5xx"}}),
    "predicate label": (lambda a, b: p.from_dict({"label": a, "in": b}), {"a": "x", "b": ["y"]}),
    "predicate number": (
        lambda a, b, c: p.from_dict({"number": a, "op": b, "bound": c}),
        {"a": "x", "b": "<=", "c": "1"},
    ),
    "label": (lambda name, text: p.label(name).equals(text), {"name": "a", "text": "b"}),
    "label.isin": (p.label("a").isin, {"values": "b"}),
    "label.matches": (p.label("a").matches, {"pattern": "b"}),
    "number": (lambda name, bound: p.number(name) <= bound, {"name": "a", "bound": 1}),
    "status_in": (p.status_in, {"text": "5xx"}),
    "quantile": (lambda q: indicators.quantile([1.0], q), {"q": 0.5}),
    "classify": (
        lambda status, duration_s, good, route: [
            sli.classify({"status": status, "duration_s": duration_s, "good": good, "route": route})
            for sli in (
                eb.Availability(where={"route": "a.*"}),
                eb.Latency("1s"),
                eb.RatioSLI(),
                eb.RatioSLI(where={"route": ["a"]}),
            )
        ],
        {"status": 200, "duration_s": 0.5, "good": True, "route": "a"},
    ),
    "parse_duration": (parse_duration, {"value": "1h"}),
    "to_ns": (to_ns, {"value": 0}),
}
POSITIONAL = {"label.isin", "status_in"}


def asked(name: str) -> Iterator[dict[str, Any]]:
    _, fitting = QUESTIONS[name]
    yield fitting
    for place in fitting:
        for junk in JUNK:
            yield {**fitting, place: junk}


@pytest.mark.parametrize("name", QUESTIONS)
def test_junk_is_answered_or_refused_by_name(name: str) -> None:
    """In every place of every question; an error says something."""
    question, _ = QUESTIONS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eb.ErrorBudgetWarning)
        for arguments in asked(name):
            given, named = ((), arguments)
            if name in POSITIONAL:
                given, named = tuple(arguments.values()), {}
            try:
                question(*given, **named)
            except ErrorBudgetError as error:
                message = str(error)
                assert len(message) > 8, arguments
            except Exception as error:
                raise AssertionError(f"{name}({arguments}) raised {error!r}") from error


def test_what_fits_is_answered() -> None:
    """The arguments that the junk replaces are good ones."""
    for name, (question, fitting) in QUESTIONS.items():
        if name in POSITIONAL:
            question(*fitting.values())
        elif name != "AlertPolicy rows":
            question(**fitting)
    with contextlib.suppress(ErrorBudgetError):
        QUESTIONS["AlertPolicy rows"][0](row={})
