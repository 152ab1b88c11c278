"""
Five ways to one answer: plain Python, numpy, an oracle, SQL written by hand, and our own engine.

The same events and the same objective go through the scalar maths of floors 0 and 1, through
columns, through `oracles` (which loops over dictionaries), through DuckDB by queries that stand in
this file, and through the scan that `errorbudget.count` has an engine do. Counts and ratios are
compared as integers and fractions. Figures that are floats must be the ones nearest to the
fraction; only an average that SQL itself works out in floats has a bound, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isnan
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import (
    SLO,
    Calendar,
    Counts,
    CountSeries,
    RatioTimeslices,
    Rolling,
    Timeslices,
    kernels,
    rolling,
)
from errorbudget.budget import budget, sli
from errorbudget.burn import burn_rate, burn_rate_exact
from errorbudget.methods import Occurrences, slice_counts
from errorbudget.trailing import trailing_counts
from tests import oracles, strategies
from tests.strategies import BASE, MINUTE, STEP, to_events

duckdb = pytest.importorskip("duckdb", reason="missing: duckdb; pip install 'errorbudget[duckdb]'")
DUCKDB_HAS_NS = int(duckdb.__version__.split(".")[0]) >= 2
SECOND = 10**9
Row = dict[str, Any]


@dataclass(frozen=True)
class Judgement:
    """An indicator, and its two conditions in SQL."""

    sli: eb.RatioSLI
    valid: str
    good: str


AVAILABLE = Judgement(eb.Availability(), "true", "status NOT BETWEEN 500 AND 599")
JUDGEMENTS = (
    AVAILABLE,
    Judgement(eb.Availability(good="2xx"), "true", "status BETWEEN 200 AND 299"),
    Judgement(
        eb.ErrorRate(where={"route": "/api/.*"}),
        "coalesce(route, '') LIKE '/api/%'",
        "status NOT BETWEEN 400 AND 599",
    ),
    Judgement(eb.Latency("200ms", valid="2xx"), "status BETWEEN 200 AND 299", "duration_s <= 0.2"),
    Judgement(
        eb.RatioSLI(
            bad=eb.status_in("5xx") | (eb.duration > "250ms"),
            exclude="429",
        ),
        "status != 429",
        "NOT (status BETWEEN 500 AND 599 OR duration_s > 0.25)",
    ),
    Judgement(eb.RatioSLI(), "true", "good"),
)


def float_of(exact: Fraction | float | None) -> float | None:
    return None if exact is None else float(exact)


def same(found: Any, wanted: Fraction | float | None) -> bool:
    """Whether a float is the one nearest to a fraction; NaN stands for None in a column."""
    return bool(isnan(found)) if wanted is None else bool(found == float(wanted))


# ---------------------------------------------------------------------------- SQL by hand


@pytest.fixture(scope="module", autouse=True)
def connection() -> Iterator[Any]:
    opened = duckdb.connect()
    opened.execute("SET TimeZone = 'America/New_York'")
    opened.execute("SET threads = 1")
    yield opened
    opened.close()


class Sql:
    """One objective over a table in memory, asked by hand."""

    def __init__(self, connection: Any, rows: Sequence[Row], judgement: Judgement) -> None:
        self.connection, self.judgement = connection, judgement
        columns = ("time", "status", "duration_s", "good", "route")
        kinds = ("BIGINT", "SMALLINT", "DOUBLE", "BOOLEAN", "VARCHAR")
        unnested = ", ".join(
            f"unnest(?::{kind}[]) AS {name}" for name, kind in zip(columns, kinds, strict=True)
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE events AS SELECT {unnested}",
            [[row[name] for row in rows] for name in columns],
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW judged AS SELECT time, good_ FROM (SELECT time, "
            f"({judgement.good}) AS good_, ({judgement.valid}) AS valid_ FROM events) "
            "WHERE valid_ AND good_ IS NOT NULL"
        )

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.connection.execute(question, list(values)).fetchall()
        return found

    def start(self, slo: SLO, at: int) -> int:
        """The first instant of a calendar's period, by DuckDB's own clock."""
        window = slo.window
        if isinstance(window, Rolling):
            return at - window.length_ns
        ((start,),) = self.ask(
            "SELECT epoch_us(timezone($2, date_trunc($1, timezone($2, "
            "to_timestamp($3 / 1e9)::TIMESTAMPTZ))))",
            window.unit,
            window.zone,
            at // SECOND * SECOND,
        )
        return int(start) * 1000

    def events(self, start: int, end: int, *, with_start: bool = False) -> Counts:
        ((good, total),) = self.ask(
            "SELECT count(*) FILTER (WHERE good_), count(*) FROM judged "
            "WHERE time <= $2 AND (time > $1 OR ($3 AND time = $1))",
            start,
            end,
            with_start,
        )
        return Counts.from_total(good=good, total=total)

    def bins(self, step: int, closed: str, at: int | None = None) -> list[tuple[int, int, int]]:
        """
        Number, good and total of every bin from the first event to the last, judged or not.

        Those that end by *at* are there too.
        """
        return self.ask(
            "WITH numbered AS (SELECT (time - $2) // $1 AS number, good_ FROM judged), "
            "span AS (SELECT min((time - $2) // $1) AS first, max((time - $2) // $1) AS last "
            "FROM events) "
            "SELECT n, count(*) FILTER (WHERE good_), count(good_) FROM span, "
            "LATERAL (SELECT unnest(range(first, greatest(last, $3 // $1 - 1) + 1)) AS n) "
            "LEFT JOIN numbered ON n = number GROUP BY n ORDER BY n",
            step,
            1 if closed == "right" else 0,
            -step if at is None else at,
        )

    def slices(self, slo: SLO, start: int, end: int, at: int) -> Counts:
        """Good and bad slices of a window, their ratios summed as fractions."""
        method: Any = slo.method
        inside = [
            (good, total)
            for number, good, total in self.bins(method.slice, slo.window.closed, at)
            if start < (number + 1) * method.slice <= end
        ]
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE slices AS "
            "SELECT unnest(?::BIGINT[]) AS good, unnest(?::BIGINT[]) AS total",
            [[good for good, _ in inside], [total for _, total in inside]],
        )
        empty = {"exclude": "NULL", "good": "1", "bad": "0"}[method.no_data]
        if isinstance(method, Timeslices):
            wanted = method.slice_target.ratio
            over = ">" if method.strict else ">="
            verdict = (
                f"CASE WHEN total = 0 THEN {empty} ELSE (good::HUGEINT * {wanted.denominator} "
                f"{over} total::HUGEINT * {wanted.numerator})::INT END"
            )
            ((good, total),) = self.ask(
                f"SELECT coalesce(sum({verdict}), 0), count({verdict}) FROM slices"
            )
            return Counts.from_total(good=int(good), total=total)
        ratios = [Fraction(good, total) for good, total in inside if total]
        blank = len(inside) - len(ratios)
        good_blank = blank if method.no_data == "good" else 0
        kept = len(ratios) + (0 if method.no_data == "exclude" else blank)
        good = sum(ratios, Fraction(good_blank))
        ((mean,),) = self.ask(
            f"SELECT avg(CASE WHEN total = 0 THEN {empty} ELSE good / total END) FROM slices"
        )
        if kept:
            # SQL's floats: each quotient is off by 2**-53 at most, and their sum by n of that.
            assert abs(Fraction(mean) - good / kept) <= Fraction(kept + 2, 2**52)
        else:
            assert mean is None
        return Counts(good, kept - good)

    def counts(self, slo: SLO, start: int, at: int, *, with_start: bool) -> Counts:
        if isinstance(slo.method, Occurrences):
            return self.events(start, at, with_start=with_start)
        return self.slices(slo, start, at, at)


# ---------------------------------------------------------------------------- plain Python


@dataclass
class Plain:
    """The scalar maths of floors 0 and 1 over lists."""

    slo: SLO
    rows: Sequence[Row]
    time: list[int] = field(default_factory=list)
    good: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert isinstance(self.slo.sli, eb.RatioSLI)
        ordered = sorted(self.rows, key=lambda row: row["time"])
        judged = [(row["time"], self.slo.sli.classify(row)) for row in ordered]
        self.time = [time for time, verdict in judged if verdict is not None]
        self.good = [verdict for _, verdict in judged if verdict is not None]

    def between(self, start: int, end: int, *, with_start: bool) -> Counts:
        good, total = rolling.grid_counts(self.time, self.good, [end])
        before = rolling.grid_counts(
            self.time, self.good, [start], closed="left" if with_start else "right"
        )
        return Counts.from_total(good=good[0], total=total[0]) - Counts.from_total(
            good=before[0][0], total=before[1][0]
        )

    def bins(self, step: int, closed: Any, until: int | None = None) -> list[tuple[int, Counts]]:
        """Number and counts of every bin that touches an event, and those that end by *until*."""
        if not self.rows:
            return []
        shift = 1 if closed == "right" else 0
        numbers = [(row["time"] - shift) // step for row in self.rows]
        last = max(numbers) if until is None else max(*numbers, until // step - 1)
        edges = [number * step for number in range(min(numbers), last + 2)]
        good, total = rolling.grid_counts(self.time, self.good, edges, closed=closed)
        return [
            (
                min(numbers) + row,
                Counts.from_total(
                    good=good[row + 1] - good[row], total=total[row + 1] - total[row]
                ),
            )
            for row in range(len(edges) - 1)
        ]

    def counts(self, start: int, at: int, *, with_start: bool) -> Counts:
        method = self.slo.method
        if isinstance(method, Occurrences):
            return self.between(start, at, with_start=with_start)
        found = self.bins(method.slice, self.slo.window.closed, at)
        step = method.slice
        return slice_counts(
            [counts for number, counts in found if start < (number + 1) * step <= at], method
        )


# ---------------------------------------------------------------------------- whole statuses

windows = st.one_of(
    st.sampled_from(["15s", "1m", "5m", "45m", "1h", "1d"]).map(Rolling),
    st.builds(
        Calendar,
        st.sampled_from(["day", "week", "month", "quarter", "year"]),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    ),
)
methods = st.one_of(
    st.just("occurrences"),
    st.builds(
        Timeslices,
        st.sampled_from(["15s", "1m", "5m"]),
        st.sampled_from(["1%", "50%", "2/3", "100%"]),
        strategies.no_data,
        st.booleans(),
    ),
    st.builds(RatioTimeslices, st.sampled_from(["15s", "1m", "5m"]), strategies.no_data),
)


@st.composite
def slos(draw: st.DrawFn, judgement: Judgement) -> SLO:
    window, method = draw(windows), draw(methods)
    if not isinstance(method, str) and isinstance(window, Rolling):
        window = Rolling.from_ns(max(window.length_ns, method.slice))
    return SLO(
        "any",
        target=draw(strategies.targets),
        window=window,
        sli=judgement.sli,
        method=method,
        burn_windows=["1m", "17m", "1d"],
        alerts=eb.AlertPolicy("none", []),
        min_coverage=0,
    )


ordinary = strategies.event_dicts(max_size=30)
rows_ = st.one_of(
    ordinary,
    ordinary.map(lambda rows: [row | {"status": 503, "good": False} for row in rows]),
    ordinary.map(lambda rows: [row | {"time": BASE + 4 * STEP} for row in rows]),
    ordinary.map(lambda rows: rows[:1]),
    strategies.event_dicts(max_size=30, steps=40, step=1),
)
moments = st.one_of(
    st.integers(-4, 100).map(lambda steps: BASE + steps * 4 * STEP),
    st.integers(-10, 300).map(lambda steps: BASE + steps * STEP + 1),
    st.integers(-10, 300).map(lambda steps: BASE + steps * STEP - 1),
)


def one_row(time: int, status: int | None, **more: Any) -> Row:
    blank = {"duration_s": None, "good": True, "route": None, "connections": None}
    return {"time": time, "status": status, **blank, **more}


def an_slo(window: str = "1h", method: Any = "occurrences") -> SLO:
    return SLO(
        "one",
        target="90%",
        window=window,
        sli=AVAILABLE.sli,
        method=method,
        burn_windows=["1m"],
        alerts=eb.AlertPolicy("none", []),
        min_coverage=0,
    )


cases = st.sampled_from(JUDGEMENTS).flatmap(lambda one: st.tuples(st.just(one), slos(one)))


@given(case=cases, rows=rows_, at=moments)
@example(case=(AVAILABLE, an_slo()), rows=[], at=BASE)
@example(case=(AVAILABLE, an_slo()), rows=[one_row(BASE, None)], at=BASE)
@example(case=(AVAILABLE, an_slo("15s")), rows=[one_row(BASE - STEP, 500)], at=BASE)
@example(
    case=(AVAILABLE, an_slo(method=Timeslices("1m", "50%", "bad"))),
    rows=[one_row(BASE, 200), one_row(BASE, 500)],
    at=BASE + 4 * MINUTE,
)
def test_five_ways_to_a_status(
    connection: Any, case: tuple[Judgement, SLO], rows: list[Row], at: int
) -> None:
    """Counts of the window and of every look-back, SLI, budget and burn rates: all the same."""
    judgement, slo = case
    event(slo.method.name)
    asked, plain = Sql(connection, rows, judgement), Plain(slo, rows)
    events = to_events(rows)
    error = slo.target.error  # type: ignore[union-attr]
    start, calendar = asked.start(slo, at), isinstance(slo.window, Calendar)
    wanted = asked.counts(slo, start, at, with_start=calendar)
    expected = oracles.expected(slo, rows, at)
    status = slo.evaluate(events, at=at)

    assert status.interval.start_ns == expected.start == slo.interval(at).start_ns == start
    assert status.counts == wanted == plain.counts(start, at, with_start=calendar)
    assert (expected.good, expected.total) == (wanted.good, wanted.total)

    exact = budget(wanted, slo.target)
    assert status.budget is not None
    assert status.budget.remaining_exact == exact.remaining_exact == expected.remaining
    assert status.budget.allowed_exact == wanted.total * error == expected.allowed
    assert status.sli == sli(wanted) == float_of(expected.sli)
    assert status.state == expected.state
    if all(isinstance(each, int) for each in (wanted.good, wanted.bad)):
        good, total = [wanted.good], [wanted.total]
        assert same(kernels.sli(good, total)[0], expected.sli)
        assert same(kernels.budget_remaining(good, total, slo.target)[0], expected.remaining)

    for window, rate in status.burn.items():
        seen = asked.counts(slo, at - window, at, with_start=False)
        assert seen == plain.counts(at - window, at, with_start=False)
        assert rate == burn_rate_exact(seen, slo.target) == expected.burn[window]
        assert burn_rate(seen, slo.target) == float_of(rate)
        if isinstance(seen.good, int):
            assert same(kernels.burn_rate([seen.good], [seen.total], slo.target)[0], rate)
    ((left_out,),) = asked.ask(
        f"SELECT count(*) FROM events WHERE ({judgement.valid}) IS NOT FALSE AND "
        f"(({judgement.valid}) IS NULL OR ({judgement.good}) IS NULL) "
        "AND time <= $2 AND (time > $1 OR ($3 AND time = $1))",
        start,
        at,
        calendar,
    )
    assert status.left_out == expected.left_out == left_out


# ---------------------------------------------------------------------------- counts per bin


@settings(max_examples=settings.default.max_examples // 2)  # type: ignore[attr-defined]
@given(
    case=cases,
    rows=rows_,
    step=st.sampled_from([1, 2, 7]),
    at=st.integers(-2, 80).map(lambda minutes: BASE + minutes * MINUTE),
    by_sql=st.booleans(),
)
@example(case=(AVAILABLE, an_slo()), rows=[one_row(BASE, 500)], step=1, at=BASE, by_sql=True)
def test_five_ways_to_bins(
    connection: Any, case: tuple[Judgement, SLO], rows: list[Row], step: int, at: int, by_sql: bool
) -> None:
    """Bin by bin: by columns, by lists, by SQL, by an engine; and the status of those bins."""
    pa = pytest.importorskip("pyarrow", reason="missing: pyarrow")
    judgement, slo = case
    asked, plain, closed = Sql(connection, rows, judgement), Plain(slo, rows), slo.window.closed
    wanted = asked.bins(step * MINUTE, closed)
    shift = 1 if closed == "right" else 0
    labels = [(number + shift) * step * MINUTE for number, _, _ in wanted]
    series = slo.count(to_events(rows), step=f"{step}m")
    assert series.label_ns.tolist() == labels
    assert series.good.tolist() == [good for _, good, _ in wanted]
    assert series.total.tolist() == [total for _, _, total in wanted]
    assert plain.bins(step * MINUTE, closed) == [
        (number, Counts.from_total(good=good, total=total)) for number, good, total in wanted
    ]

    table = pa.table(
        {
            "time": pa.array([row["time"] for row in rows], pa.timestamp("ns", "UTC")),
            "status": pa.array([row["status"] for row in rows], pa.int32()),
            "duration_s": pa.array([row["duration_s"] for row in rows], pa.float64()),
            "good": pa.array([row["good"] for row in rows], pa.bool_()),
            "route": pa.array([row["route"] for row in rows], pa.string()),
        }
    )
    # Before DuckDB 2 its zoned instants are microseconds: what is finer is lost on the way in.
    if by_sql and (DUCKDB_HAS_NS or not any(row["time"] % 1_000 for row in rows)):
        table = connection.from_arrow(table)
    counted = eb.count(table, [slo], f"{step}m")[slo]
    for name in ("label_ns", "good", "total"):
        assert getattr(counted, name).tolist() == getattr(series, name).tolist()

    if isinstance(slo.method, Occurrences) or slo.method.slice % (step * MINUTE) == 0:
        status = series.evaluate(slo, at=at // (step * MINUTE) * step * MINUTE)
        at, start = status.at_ns, status.interval.start_ns
        if start % (step * MINUTE) == 0:
            # Bins of a calendar hold their start: what happens at this instant is in the next.
            last = at if closed == "right" or status.unit == "slices" else at - 1
            assert status.counts == asked.counts(slo, start, last, with_start=closed == "left")


# ---------------------------------------------------------------------------- sliding windows


@given(
    pairs=st.lists(st.tuples(st.integers(-50, 50), st.booleans()), max_size=40),
    window=st.one_of(st.integers(1, 120), st.sampled_from([2**40, 2**62])),
    target=strategies.targets,
)
def test_sliding_windows(
    connection: Any, pairs: list[tuple[int, bool]], window: int, target: str
) -> None:
    """At every event: both twins, their front door, SQL's own windows, and a look at each pair."""
    pairs.sort()
    time, good = [time for time, _ in pairs], [good for _, good in pairs]
    found = connection.execute(
        "SELECT count(*) FILTER (WHERE good) OVER here, count(*) OVER here FROM "
        "(SELECT unnest(?::BIGINT[]) AS time, unnest(?::BOOLEAN[]) AS good) "
        f"WINDOW here AS (ORDER BY time RANGE BETWEEN {window - 1} PRECEDING AND CURRENT ROW) "
        "ORDER BY time",
        [time, good],
    ).fetchall()
    inside = [[fine for when, fine in pairs if at - window < when <= at] for at in time]
    assert found == [(sum(each), len(each)) for each in inside]
    goods, totals = [one for one, _ in found], [one for _, one in found]
    assert rolling.rolling_counts(time, good, window) == (goods, totals)
    for twin in (kernels.rolling_counts, trailing_counts):
        columns = twin(time, good, window)
        assert (columns[0].tolist(), columns[1].tolist()) == (goods, totals)
    shares, left = kernels.rolling_budget(time, good, window, target)
    for row, (one, whole) in enumerate(found):
        exact = budget(Counts.from_total(good=one, total=whole), target)
        assert same(shares[row], Fraction(one, whole))
        assert same(left[row], exact.remaining_exact)


# ---------------------------------------------------------------------------- huge counts

sizes = st.one_of(
    st.integers(0, 3), st.sampled_from([2**31, 2**53 - 1, 2**53 + 1]), st.integers(0, 2**57)
)


@st.composite
def huge_bins(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Number, good and total of some bins, in order."""
    numbers = sorted(draw(st.sets(st.integers(0, 40), max_size=12)))
    found = []
    for number in numbers:
        total = draw(sizes)
        bad = draw(st.one_of(st.integers(0, total), st.sampled_from([0, min(1, total), total])))
        found.append((number, total - bad, total))
    return found


@given(
    bins=huge_bins(),
    window=st.integers(1, 60),
    at=st.integers(-5, 60),
    target=st.sampled_from(["50%", "2/3", "99.9%", "99.99999%", "100%"]),
    wanted=st.sampled_from(["50%", "2/3", "99.9%", "99.99999999%"]),
    no_data=strategies.no_data,
)
def test_huge_counts(
    connection: Any,
    bins: list[tuple[int, int, int]],
    window: int,
    at: int,
    target: str,
    wanted: str,
    no_data: Any,
) -> None:
    """Far above what floats tell apart, sums, verdicts and ratios are still exact."""
    labels = [(number + 1) * SECOND for number, _, _ in bins]
    good, total = [one for _, one, _ in bins], [one for _, _, one in bins]
    series = CountSeries(labels, good, total, "1s")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE bins AS SELECT unnest(?::BIGINT[]) AS ends, "
        "unnest(?::BIGINT[]) AS good, unnest(?::BIGINT[]) AS total",
        [labels, good, total],
    )
    ((good_sum, total_sum),) = connection.execute(
        "SELECT coalesce(sum(good::HUGEINT), 0), coalesce(sum(total::HUGEINT), 0) "
        "FROM bins WHERE ends > ? AND ends <= ?",
        [(at - window) * SECOND, at * SECOND],
    ).fetchall()
    counts = Counts.from_total(good=int(good_sum), total=int(total_sum))
    slo = an_slo(f"{window}s").replace(target=target)
    status = slo.evaluate(series, at=at * SECOND)
    error = slo.target.error  # type: ignore[union-attr]
    assert status.counts == counts
    edges = [(at - window) * SECOND, at * SECOND]
    for grid_counts in (rolling.grid_counts, kernels.grid_counts):
        columns = grid_counts(labels, good, edges, total=total)
        assert [int(column[1]) - int(column[0]) for column in columns] == [good_sum, total_sum]
    share, left = None, None
    if counts.total:
        share = Fraction(counts.good, counts.total)
        used = inf if counts.bad and not error else Fraction(0)
        left = 1 - (Fraction(counts.bad) / (counts.total * error) if error else used)
    assert status.budget is not None
    assert status.budget.remaining_exact == left
    assert status.sli == float_of(share)
    assert same(kernels.sli([good_sum], [total_sum])[0], share)
    assert same(kernels.budget_remaining([good_sum], [total_sum], target)[0], left)

    for method in (Timeslices("1s", wanted, no_data), RatioTimeslices("1s", no_data)):
        sliced = slo.replace(method=method).evaluate(series, at=at * SECOND)
        last = max([at * SECOND, *labels[-1:]])
        every = dict(zip(labels, zip(good, total, strict=True), strict=True))
        units = (
            [
                every.get(ends, (0, 0))
                for ends in range(labels[0], last + 1, SECOND)
                if (at - window) * SECOND < ends <= at * SECOND
            ]
            if labels
            else []
        )
        ratio = Fraction(eb.Target(wanted).ratio)
        blank = {"exclude": None, "good": Fraction(1), "bad": Fraction(0)}[no_data]
        verdicts = [
            blank
            if not whole
            else Fraction(one, whole)
            if isinstance(method, RatioTimeslices)
            else Fraction(one * ratio.denominator >= whole * ratio.numerator)
            for one, whole in units
        ]
        kept = [verdict for verdict in verdicts if verdict is not None]
        assert sliced.counts == Counts(sum(kept, Fraction(0)), len(kept) - sum(kept, Fraction(0)))
        pure = slice_counts((Counts(one, whole - one) for one, whole in units), method)
        assert pure == sliced.counts


# ---------------------------------------------------------------------------- thresholds


@given(rows=rows_, window=windows, at=moments, step=st.sampled_from(["15s", "1m", "5m"]))
@example(rows=[], window=Rolling("1h"), at=BASE, step="1m")
def test_quantiles_and_rates(
    connection: Any, rows: list[Row], window: Rolling | Calendar, at: int, step: str
) -> None:
    """A quantile is one of the values, the same one everywhere; a rate is nearest to a fraction."""
    indicator = eb.LatencyQuantile({"p50": "200ms", "p95": "300ms", "p99.9": "1s"}, where="2xx")
    slo = SLO("slow", window=window, sli=indicator, min_coverage=0)
    asked = Sql(connection, rows, AVAILABLE)
    calendar, start = isinstance(window, Calendar), asked.start(slo, at)
    events = to_events(rows)
    chosen = [
        row
        for row in rows
        if row["status"] in range(200, 300)
        and row["duration_s"] is not None
        and (start < row["time"] or (calendar and row["time"] == start))
        and row["time"] <= at
    ]
    status = slo.evaluate(events, at=at)
    plain = indicator.measure([row["duration_s"] for row in chosen], [], start, at)
    wanted = oracles.expected_figures(slo, rows, at)
    for name, one, other, figure in zip(
        ("50/100", "95/100", "999/1000"), status.measurements, plain, wanted, strict=True
    ):
        part, whole = name.split("/")
        found = asked.ask(
            "WITH inside AS (SELECT duration_s AS value FROM events "
            "WHERE status BETWEEN 200 AND 299 AND duration_s IS NOT NULL "
            "AND time <= $2 AND (time > $1 OR ($3 AND time = $1))), "
            "ranked AS (SELECT value, row_number() OVER (ORDER BY value) AS rank, "
            "count(*) OVER () AS n FROM inside) "
            f"SELECT value FROM ranked WHERE rank = (n * {part} + {whole} - 1) // {whole}",
            start,
            at,
            calendar,
        )
        value = found[0][0] if found else None
        assert one.value == other.value == value == float_of(figure.value)
        assert one.met == figure.met

    rate = SLO("busy", window=window, sli=eb.Throughput("1/60", where="2xx"), min_coverage=0)
    figure = oracles.expected_figures(rate, rows, at)[0]
    found_rate = rate.evaluate(events, at=at).measurements[0]
    assert found_rate.value == float_of(figure.value)
    # A rate is judged as the float it is: what rounds to the bound itself is not above it.
    assert found_rate.met == figure.met or found_rate.value == float(Fraction(1, 60))

    sliced = SLO(
        "kept",
        target="90%",
        window=Rolling.from_ns(max(window.length_ns, 5 * MINUTE))
        if isinstance(window, Rolling)
        else window,
        sli=indicator,
        method=Timeslices(step, "99%", "bad"),
        alerts=eb.AlertPolicy("none", []),
        min_coverage=0,
    )
    found_slices, expected = sliced.evaluate(events, at=at), oracles.expected(sliced, rows, at)
    assert found_slices.counts == Counts(expected.good, expected.bad)
