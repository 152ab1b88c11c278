"""Indicators say what is good, print themselves, and come back from data."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import errors
from errorbudget import predicates as p
from errorbudget import sli as indicators
from errorbudget.errors import ErrorBudgetError
from errorbudget.sli import quantile
from tests import oracles, strategies

slis = st.one_of(strategies.ratio_slis, strategies.threshold_slis)


@given(slis)
def test_indicators_are_data(sli: Any) -> None:
    """Stored as JSON and pasted from its repr, an indicator is the same."""
    assert indicators.from_dict(json.loads(json.dumps(sli.to_dict()))) == sli
    assert eval(repr(sli), {**vars(p), **{name: getattr(eb, name) for name in eb.__all__}}) == sli
    assert str(sli)


@given(strategies.ratio_slis, strategies.event_dicts(max_size=10))
def test_good_bad_or_no_part(sli: eb.RatioSLI, rows: list[dict[str, Any]]) -> None:
    """An event is judged only when it is valid and its verdict is known."""
    for row in rows:
        valid, good = sli.valid_when.matches(row), sli.good_when.matches(row)
        assert sli.classify(row) == (good if valid else None)
        assert sli.columns >= sli.good_when.columns


@given(
    st.lists(st.floats(0, 10), max_size=30),
    st.fractions(Fraction(1, 100), 1, max_denominator=100),
)
def test_quantiles_are_nearest_rank(values: list[float], share: Fraction) -> None:
    """The smallest value that at least the share does not exceed; the measure agrees."""
    found = quantile(values, share)
    assert found == (oracles.nearest_rank(values, share) if values else None)
    name = f"p{share * 100}"
    (figure,) = eb.LatencyQuantile({name: "1s"}).measure(values, [], 0, 1)
    assert figure.value == found
    assert figure.met == (None if found is None else found < 1)


@given(
    sli=strategies.threshold_slis,
    rows=strategies.event_dicts(max_size=30, steps=60),
    at=st.integers(0, 80).map(lambda n: strategies.BASE + n * strategies.STEP),
)
def test_scalar_measures_are_the_oracles(sli: Any, rows: list[dict[str, Any]], at: int) -> None:
    """In plain Python, without an array, every threshold gives the oracle's figure."""
    slo = eb.SLO("x", window="5m", sli=sli)
    start = at - 5 * strategies.MINUTE
    part = sorted(
        (row for row in rows if oracles.takes_part(slo, row) and start < row["time"] <= at),
        key=lambda row: row["time"],
    )
    column = getattr(sli, "column", None)
    values = [row[column] for row in part] if column else []
    found = sli.measure(values, [row["time"] for row in part], start, at)
    for figure, want in zip(found, oracles.figures(slo, part, start, at), strict=True):
        assert figure.met == want.met
        if want.value is not None:
            assert figure.value == pytest.approx(float(want.value), rel=1e-12)
            assert (figure.margin is not None and figure.margin > 0) <= bool(figure.met)


@given(
    st.lists(st.integers(0, 200), max_size=12),
    st.integers(1, 50),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_fresh_time(updates: list[int], within: int, start: int, length: int) -> None:
    """Fresh and stale nanoseconds equal a count of every single one."""
    sli = eb.Freshness(f"{within}ns")
    end = start + length
    times = sorted(time for time in updates if time <= end)
    fresh, stale = sli.fresh_ns(times, start, end)
    known = [t for t in range(start, end) if times and t >= times[0]]
    good = [t for t in known if t < max(time for time in times if time <= t) + within]
    assert (fresh, fresh + stale) == (len(good), len(known))


def test_defaults_and_words() -> None:
    """A 5xx is unavailable, a 4xx an error; the guide's 2xx is asked for by name."""
    assert str(eb.Availability()) == "bad is status 5xx"
    assert str(eb.ErrorRate()) == "bad is status 4xx|5xx"
    assert str(eb.RatioSLI()) == "good is good"
    assert str(eb.Latency("200ms", valid="2xx")) == "good is duration <= 200ms, where status 2xx"
    assert str(eb.Throughput(1_000)) == "more than 1000 events/s (mean)"
    assert str(eb.Throughput(1_000, "1m")) == "more than 1000 events/s (in every 1m)"
    assert str(eb.Concurrency(1_000)) == "max of connections more than 1000"
    assert str(eb.Freshness("5m")) == "age at most 5m"
    assert repr(eb.Latency("250ms", column="ttfb_s")) == "Latency('250ms', column='ttfb_s')"
    assert repr(eb.LatencyQuantile({"p95": Fraction(1, 3)})) == "LatencyQuantile({'p95': '1/3'})"
    assert eb.LatencyQuantile({"p50": "1s"}, "ttfb_s").columns == {"ttfb_s"}
    assert "column='ttfb_s'" in repr(eb.LatencyQuantile({"p50": "1s"}, "ttfb_s"))
    assert repr(eb.Throughput(0.5, "1m")) == "Throughput(0.5, sustained='1m')"
    assert eb.LatencyQuantile({"p95": "1s"}, where="2xx").as_ratios() == (
        (eb.Latency("1s", where="2xx"), eb.Target("95%")),
    )
    assert eb.RatioSLI(bad="5xx", exclude="501").to_dict() == {
        "kind": "ratio",
        "bad": {"status": "5xx"},
        "exclude": {"status": "501"},
    }


UP: dict[str, Any] = {"query": "avg(up)", "op": ">=", "bound": "1/2"}


@pytest.mark.parametrize(
    ("sli", "data", "words"),
    [
        (
            eb.QueryThreshold(**UP),
            {"kind": "query_threshold", "query": "avg(up)", "op": ">=", "bound": "1/2"},
            "promql query (avg(up) >= 1/2)",
        ),
        (
            eb.QueryRatio(bad_query="b", total_query="t", language="Datadog"),
            {"kind": "query", "bad_query": "b", "total_query": "t", "language": "Datadog"},
            "Datadog query (bad is b; total is t)",
        ),
    ],
)
def test_queries_are_data_and_judge_no_event(sli: Any, data: dict[str, Any], words: str) -> None:
    """They go out and come back as they were written; asked of events, they say what they are."""
    assert sli.to_dict() == data
    assert indicators.from_dict(data) == sli
    for name in ("good_when", "columns"):
        with pytest.raises(errors.InvalidInputError) as caught:
            getattr(sli, name)
        assert words in str(caught.value)
        assert "cannot be told from events" in str(caught.value)


@pytest.mark.parametrize(
    ("length_s", "rate"),
    [
        (59, None),
        (60, 3 / 60),
        (119, 3 / 60),
        (120, 2 / 60),
        (150, 2 / 60),
        (179, 2 / 60),
        (180, 1 / 60),
    ],
)
def test_whole_slices_are_cut_from_the_end(length_s: int, rate: float | None) -> None:
    """The rest at the start of the window is no slice, and its events are in none."""
    end = 180
    times = [second for second in (10, 61, 120, 121, 150, 180) if end - length_s < second]
    (found,) = eb.Throughput("1/30", "1m").measure(
        [], [second * 10**9 for second in times], (end - length_s) * 10**9, end * 10**9
    )
    assert found.name == "lowest 1m rate"
    assert found.value == (None if rate is None else pytest.approx(rate, rel=1e-15))
    assert found.met == (None if rate is None else rate > 1 / 30)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: eb.RatioSLI(good="2xx", bad="5xx"), "either good or bad"),
        (lambda: eb.Availability(good="7xx"), "not an HTTP status"),
        (lambda: eb.Latency("200ms", good="2xx"), "leave out good and bad"),
        (lambda: eb.Latency("0"), "greater than 0"),
        (lambda: eb.Latency(-1), "greater than 0"),
        (lambda: eb.Latency("fast"), "cannot compare duration_s"),
        (lambda: eb.Latency(200), 'needs its unit, got 200; write "200ms"'),
        (lambda: eb.Latency("0.2"), "needs its unit"),
        (lambda: eb.LatencyQuantile({"p95": 0.2}), "needs its unit"),
        (lambda: eb.LatencyQuantile({}), "a bound per quantile"),
        (lambda: eb.LatencyQuantile(None), "a bound per quantile"),
        (lambda: eb.LatencyQuantile({"p0": "1s"}), 'written "p95"'),
        (lambda: eb.LatencyQuantile({"p101": "1s"}), 'written "p95"'),
        (lambda: eb.LatencyQuantile({"x": "1s"}), 'written "p95"'),
        (lambda: eb.LatencyQuantile({"p95": "0s"}), "cannot compare|greater than 0"),
        (lambda: eb.Throughput(-1), "not be negative"),
        (lambda: eb.Throughput("many"), "finite number"),
        (lambda: eb.Throughput(float("inf")), "finite number"),
        (lambda: eb.Throughput(1, "0s"), "longer than 0"),
        (lambda: eb.Concurrency(1, statistic="sum"), "statistic must be"),
        (lambda: eb.Freshness("soon"), "not a duration"),
        (lambda: quantile([1], 0), "in \\(0, 1\\]"),
        (lambda: quantile([1], "abc"), "in \\(0, 1\\]"),
        (lambda: indicators.from_dict(None), 'a "kind"'),
        (lambda: indicators.from_dict({"kind": "availabilty"}), 'did you mean "availability"'),
        (lambda: indicators.from_dict({"kind": "ratio", "god": "2xx"}), 'did you mean "good"'),
        (lambda: indicators.from_dict({"kind": "latency"}), "needs a threshold"),
        (lambda: indicators.from_dict({"kind": "freshness"}), "incomplete"),
        (lambda: indicators.from_dict({"kind": "latency", "good": "2xx"}), 'has no "good"'),
        (
            lambda: indicators.from_dict({"kind": "query", "good": "2xx"}),
            "it has good_query, bad_query, total_query, ratio_query, language$",
        ),
        (
            lambda: indicators.from_dict({"kind": "query_threshold", "where": "2xx"}),
            "it has query, op, bound, language$",
        ),
        (lambda: eb.QueryThreshold(**UP | {"where": "2xx"}), "put them into the query"),
        (lambda: eb.QueryThreshold(**UP | {"query": " "}), "text of a query, got ' '"),
        (lambda: eb.QueryThreshold(**UP | {"query": None}), "text of a query, got None"),
        (lambda: eb.QueryThreshold(**UP | {"op": "=="}), "got '=='"),
        (lambda: eb.QueryThreshold(**UP | {"bound": "half"}), "a number, got 'half'"),
        (lambda: eb.QueryThreshold(**UP | {"bound": True}), "a number, got True"),
        (lambda: eb.QueryThreshold(**UP | {"bound": float("nan")}), "a number, got nan"),
    ],
)
def test_indicators_that_make_no_sense(build: Any, message: str) -> None:
    """Each is refused with what fits."""
    with pytest.raises(ErrorBudgetError, match=message):
        build()


def test_one_family_of_errors() -> None:
    """Whatever goes wrong is one family, and bad input is a ValueError too."""
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert issubclass(kind, (errors.ErrorBudgetError, errors.ErrorBudgetWarning))
    assert issubclass(errors.InvalidPredicateError, ValueError)
    spec = errors.SpecError("x", path="slos[0]", line=3, column=4)
    assert (spec.path, spec.line, spec.column) == ("slos[0]", 3, 4)
    assert errors.SourceFormatError("x", line=7).line == 7
    answer = errors.SourceResponseError("x", status=503, query="up")
    assert (answer.status, answer.query) == (503, "up")
    missing = errors.MissingDependencyError.for_extra("plot", "matplotlib", "plot")
    assert str(missing) == "plot needs matplotlib: pip install 'errorbudget[plot]'"
    assert missing.name == "matplotlib"


def test_quantiles_are_read_or_refused() -> None:
    """p95, 95 and 95% are one quantile; a bare 0.95 could be two, and is refused."""
    for name in ("p95", "P95", "95", "95%", "p95%"):
        assert eb.LatencyQuantile({name: "1s"}).as_ratios()[0][1] == eb.Target("95%")
    assert eb.LatencyQuantile({"p0.5": "1s"}).as_ratios()[0][1] == eb.Target("0.5%")
    for name in ("0.95", "1", "p0", "p101", "101%", "median"):
        with pytest.raises(errors.InvalidInputError, match="p95"):
            eb.LatencyQuantile({name: "1s"})


def test_a_rate_looks_at_what_its_conditions_ask_for() -> None:
    """Throughput counts events; it has no column of its own."""
    assert eb.Throughput(1).columns == frozenset()
    assert eb.Throughput(1, where={"tool": "search"}).columns == {"tool"}


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_a_figure_keeps_its_bound(op: str, below: bool, at: bool, above: bool) -> None:
    """Strictly or not; the margin is positive on the good side."""
    found = [indicators.Measurement("x", value, op, 2.0, "s") for value in (1.0, 2.0, 3.0)]
    assert [one.met for one in found] == [below, at, above]
    assert [one.margin for one in found] == ([1, 0, -1] if op[0] == "<" else [-1, 0, 1])
    assert indicators.Measurement("x", None, op, 2.0, "s").met is None


def test_the_age_of_the_newest_update() -> None:
    """Of the last of them, in seconds; without one there is no age."""
    fresh = eb.Freshness("5m")
    [age] = fresh.measure([], [0, 60 * 10**9, 90 * 10**9], 0, 120 * 10**9)
    assert (age.value, age.met) == (30.0, True)
    [none] = fresh.measure([], [], 0, 120 * 10**9)
    assert none.value is none.met is None


def test_a_floor_of_nothing_is_a_floor() -> None:
    """0 events a second are asked of the idle; less than 0 of nobody."""
    assert eb.Throughput(above=0)
    with pytest.raises(errors.InvalidInputError, match="must not be negative"):
        eb.Throughput(above=-1)


def test_a_query_has_one_spelling_of_its_window() -> None:
    """With and without spaces in the braces it is the same indicator."""
    spaced = eb.QueryRatio(good_query="a[{{ .window }}]", total_query="b[{{.window}}]")
    assert (spaced.good_query, spaced.total_query) == ("a[{{.window}}]", "b[{{.window}}]")


def test_what_is_excluded_takes_no_part() -> None:
    """Of what is valid, and where it is asked for."""
    sli = eb.Availability(where={"route": "/api"}, exclude={"method": "HEAD"})
    for route, method, good in (
        ("/api", "GET", True),
        ("/api", "HEAD", None),
        ("/web", "GET", None),
        ("/web", "HEAD", None),
    ):
        event = {"status": 200, "route": route, "method": method}
        assert sli.classify(event) is good


def test_gauges_of_one_instant_add_up() -> None:
    """3 and 4 at once are 7; then 2: the most is 7, the least 2, the mean 4.5."""
    for statistic, value in (("max", 7), ("sustained", 2), ("mean", 4.5)):
        sli = eb.Concurrency(5, statistic=statistic)  # type: ignore[arg-type]
        (found,) = sli.measure([3, 4, 2], [10, 10, 20], 0, 60)
        assert found.value == value
        assert sli.measure([], [], 0, 60)[0].value is None
