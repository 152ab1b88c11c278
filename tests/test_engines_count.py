"""Counting where the data lives gives the integers of counting it here, on every engine."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import SLO, Events
from errorbudget import predicates as p
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from tests.engine_frames import COLUMNS, FRAMES, SLOS, START_NS, pandas, same, table, to_events

pytest.importorskip("pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'")
# narwhals announces a package of its own for Dask.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's own use of pandas 3
]

MINUTE = 60 * 10**9
CHEAP = ("pandas", "arrow", "nans", "polars_lazy", "duckdb")


@pytest.fixture(scope="module")
def many() -> dict[str, Any]:
    return table(8_000, seed=7, routes=300)


@pytest.fixture(scope="module")
def expected(many: dict[str, Any]) -> Events:
    return to_events(many)


@pytest.mark.parametrize("engine", FRAMES)
@pytest.mark.parametrize("every", ["1m", "5m"])
def test_every_engine_gives_the_same_integers(
    engine: str, every: str, many: dict[str, Any], expected: Events
) -> None:
    """Missing values, repeats, any order, zones, many labels: each bin is as counted here."""
    counted = eb.count(FRAMES[engine](many), SLOS, every, ["route"], **COLUMNS)
    for slo in SLOS:
        assert same(counted[slo], slo.count(expected, step=every)), slo.name
        assert same(eb.CountSeries.merge(counted.groups(slo).values()), counted[slo])
    assert len(counted.groups("api")) == len({route or "" for route in many["route"]})
    assert counted.left_out("api") == sum(code is None for code in many["code"])


@pytest.mark.parametrize("engine", CHEAP)
def test_groups_are_counts_of_their_own_events(
    engine: str, many: dict[str, Any], expected: Events
) -> None:
    """A label's series holds the events with that label, and no others."""
    groups = eb.count(FRAMES[engine](many), SLOS, by=["route"], **COLUMNS).groups("fast")
    for route in ("/api/a", "", "line\n"):
        rows = np.array([(each or "") == route for each in expected.labels["route"].decode()])
        own = SLOS[2].count(expected.take(rows))
        mine = groups[(route,)]
        assert (mine.good.sum(), mine.total.sum()) == (own.good.sum(), own.total.sum())
        assert np.array_equal(mine.total[np.isin(mine.label_ns, own.label_ns)], own.total)


# ---------------------------------------------------------------------------- any conditions

_leaves = st.one_of(
    st.sampled_from(["2xx", "4xx|5xx", "429", "500-503"]).map(p.status_in),
    st.lists(st.sampled_from(["/a", "/b", "", "z\n"]), min_size=1, max_size=2).map(
        lambda texts: p.label("route").isin(*texts)
    ),
    st.sampled_from([".*", "/api/.*", "/[ab]", "", "/a|/b", r"\S+", r"z.?", r"/\d", "(?i)/A"]).map(
        p.label("route").matches
    ),
    st.builds(
        p.Number,
        st.sampled_from(["duration_s", "size"]),
        st.sampled_from(["<=", "<", ">=", ">"]),
        st.sampled_from(["200ms", "0.25", "1/3", "-1", "5"]),
    ),
    st.just(p.Flag("good")),
    st.just(p.EVERYTHING),
    st.sampled_from(["true", "false", ""]).map(p.label("good").equals),
    st.sampled_from(["200", "0", ""]).map(p.label("status").equals),
)
conditions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: ~one),
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: p.Any_(tuple(parts))),
    ),
    max_leaves=5,
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "ts": st.integers(-4, 40).map(lambda quarter: START_NS // 1000 + quarter * 15_000_000),
            "code": st.sampled_from([200, 204, 404, 429, 500, 503, None]),
            "took": st.sampled_from([0.0, 0.05, 0.2, 0.25, 1 / 3, 0.3, 1e9, None]),
            "good": st.booleans(),
            "route": st.sampled_from(["/a", "/b", "/A", "/api/x", "/7", "z\n", "z", "", None]),
            "size": st.sampled_from([-2.5, 0.0, 1 / 3, 5.0, None]),
        }
    ),
    min_size=1,
    max_size=30,
)
windows = st.sampled_from(["1d", "calendar month", "calendar day Europe/Berlin"])
KEEP = ("ts", "code", "took", "route")


def frame_of(engine: str, events: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    columns = {name: np.array([row[name] for row in events], dtype=object) for name in events[0]}
    from tests import engine_frames

    found = engine_frames.arrow({name: columns[name] for name in KEEP})
    found = found.append_column("good", pa.array([row["good"] for row in events], pa.bool_()))
    found = found.append_column("size", pa.array([row["size"] for row in events], pa.float64()))
    if engine == "arrow":
        return found
    if engine == "pandas":
        return found.to_pandas()
    if engine == "duckdb":
        return pytest.importorskip("duckdb", reason="missing: duckdb").connect().from_arrow(found)
    polars = pytest.importorskip("polars", reason="missing: polars").from_arrow(found)
    if engine == "nans":
        return polars.with_columns(
            polars["took"].fill_null(float("nan")), polars["size"].fill_null(float("nan"))
        )
    return polars.lazy()


def events_of(events: list[dict[str, Any]]) -> Events:
    return Events(
        time=[row["ts"] * 1000 for row in events],
        status=[row["code"] for row in events],
        duration_s=[row["took"] for row in events],
        good=[row["good"] for row in events],
        labels={"route": [row["route"] for row in events]},
        values={"size": [row["size"] for row in events]},
    )


@pytest.mark.parametrize("engine", CHEAP)
@settings(max_examples=15, deadline=None)
@given(events=rows, good=conditions, valid=conditions, window=windows)
def test_any_condition_is_the_same_expression(
    engine: str, events: list[dict[str, Any]], good: p.Predicate, valid: p.Predicate, window: str
) -> None:
    """Three-valued conditions of any shape give the counts of the library's own reading."""
    slo = SLO("x", target="9/10", window=window, sli=eb.RatioSLI(good=good, valid=valid))
    counted = eb.count(frame_of(engine, events), slo, **COLUMNS)
    here = events_of(events)
    assert same(counted["x"], slo.count(here))
    at = counted["x"].span
    assert at is not None
    there, mine = counted.evaluate(at[1])[0], slo.evaluate(here, at=at[1])
    if counted["x"].closed == "right":
        assert (there.counts, there.state, there.left_out) == (
            mine.counts,
            mine.state,
            mine.left_out,
        )


@settings(max_examples=15, deadline=None)
@given(events=rows, cuts=st.lists(st.integers(0, 30), max_size=3), order=st.randoms())
def test_counts_of_parts_are_the_counts_of_all(
    events: list[dict[str, Any]], cuts: list[int], order: Any
) -> None:
    """However events are shared out over engines, and in any order, their counts add up."""
    edges = sorted({0, len(events), *(min(cut, len(events)) for cut in cuts)})
    parts = [events[a:b] for a, b in pairwise(edges)]
    order.shuffle(parts)
    counted = [
        eb.count(frame_of(CHEAP[place % 4], part), SLOS[:3], "2m", ["route"], **COLUMNS)
        for place, part in enumerate(parts)
    ]
    added = sum(counted[1:], counted[0])
    whole = eb.count(frame_of("arrow", events), SLOS[:3], "2m", ["route"], **COLUMNS)
    for slo in SLOS[:3]:
        assert same(added[slo], whole[slo])
        assert added.groups(slo).keys() == whole.groups(slo).keys()
        assert all(
            same(added.groups(slo)[key], whole.groups(slo)[key]) for key in added.groups(slo)
        )


# ---------------------------------------------------------------------------- at the door


@pytest.mark.parametrize("engine", CHEAP)
@pytest.mark.parametrize(
    ("column", "value"), [("code", 999), ("code", -1), ("took", -0.1), ("took", float("inf"))]
)
def test_values_out_of_range_are_refused(engine: str, column: str, value: float) -> None:
    """What `Events` refuses is refused on an engine too, with the column and the value."""
    columns = table(50, seed=1)
    columns[column][17] = value
    with pytest.raises(InvalidSeriesError, match=f'"{column}" of the frame holds {value}'):
        eb.count(FRAMES[engine](columns), SLOS, **COLUMNS)


@pytest.mark.parametrize("engine", CHEAP)
def test_missing_times_are_refused(engine: str) -> None:
    """An event without a time is an error that says how many there are."""
    import pyarrow as pa

    stamps = pa.array([START_NS // 1000, None, None], pa.timestamp("us", "UTC"))
    found = pa.table({"ts": stamps, "code": [200, 200, 200]})
    duckdb = pytest.importorskip("duckdb", reason="missing: duckdb")
    polars = pytest.importorskip("polars", reason="missing: polars")
    frame = {
        "pandas": found.to_pandas,
        "arrow": lambda: found,
        "nans": lambda: polars.from_arrow(found),
        "polars_lazy": lambda: polars.from_arrow(found).lazy(),
        "duckdb": lambda: duckdb.connect().from_arrow(found),
    }[engine]()
    with pytest.raises(InvalidSeriesError, match="2 events of the frame have no"):
        eb.count(frame, SLOS[0], time="ts", status="code")


def test_wrong_questions_are_named() -> None:
    """Columns, bins, units and objectives that do not fit say what does."""
    frame = pandas(table(50, seed=1))
    with pytest.raises(InvalidSeriesError, match=r'no column "cod".*did you mean "code"'):
        eb.count(frame, SLOS, time="ts", status="cod")
    with pytest.raises(InvalidSeriesError, match="no column"):
        eb.count(frame, SLOS, by=["host"], **COLUMNS)
    with pytest.raises(InvalidInputError, match="multiple of 1m"):
        eb.count(frame, SLOS, "30s", **COLUMNS)
    with pytest.raises(InvalidInputError, match="list of labels"):
        eb.count(frame, SLOS, by="route", **COLUMNS)
    with pytest.raises(InvalidInputError, match="time_unit"):
        eb.count(frame, SLOS, time_unit="h")
    with pytest.raises(InvalidSeriesError, match="no good and bad events"):
        eb.count(frame, SLO("q", window="1d", sli=eb.Throughput(1)))
    with pytest.raises(InvalidInputError, match="two SLOs"):
        eb.count(frame, [SLOS[0], SLOS[0]], **COLUMNS)
    with pytest.raises(InvalidInputError, match="at least one"):
        eb.count(frame, [], **COLUMNS)
    with pytest.raises(InvalidSeriesError, match="must hold texts"):
        eb.count(frame, SLOS[0], by=["took"], **COLUMNS)
    with pytest.raises(InvalidSeriesError, match="must hold timestamps or integers"):
        eb.count(frame, SLOS[0], time="route", status="code")
    with pytest.raises(InvalidSeriesError, match="not a dataframe"):
        eb.count([1, 2], SLOS)
    late = SLO(
        "late",
        target="99%",
        window="1d",
        sli=eb.Availability(),
        corrections=[eb.Maintenance(START_NS + 1, START_NS + MINUTE)],
    )
    with pytest.raises(InvalidInputError, match="whole minute"):
        eb.count(frame, late, **COLUMNS)
    with pytest.raises(InvalidInputError, match="same objectives"):
        eb.count(frame, SLOS, **COLUMNS) + eb.count(frame, SLOS[0], **COLUMNS)


def test_integer_times_of_any_unit_are_the_same() -> None:
    """Epochs in seconds, before 1970 too, fall into the minutes that timestamps fall into."""
    pa = pytest.importorskip("pyarrow", reason="missing: pyarrow")
    seconds = np.array([-121, -120, -61, 0, 59, 60, 61], dtype=np.int64)
    slo = SLOS[0]
    want = slo.count(Events(time=seconds * 10**9, status=[200] * 7))
    for scale, unit in ((1, "s"), (10**3, "ms"), (10**6, "us"), (10**9, "ns")):
        found = pa.table({"ts": seconds * scale, "code": [200] * 7})
        frames = [found, found.to_pandas(), FRAMES_OF_ARROW["polars"](found)]
        frames.append(FRAMES_OF_ARROW["duckdb"](found))
        for frame in frames:
            counted = eb.count(frame, slo, time="ts", status="code", time_unit=unit)
            assert same(counted["api"], want)


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_instants_beside_a_minute_when_clocks_go_back(unit: str, zone: str | None) -> None:
    """One tick before, at and after a minute are told apart, also in an hour that comes twice."""
    pa = pytest.importorskip("pyarrow", reason="missing: pyarrow")
    scale = {"ms": 10**6, "us": 10**3, "ns": 1}[unit]
    twice = np.array([1_792_886_400, 1_792_890_000, 1_793_512_800], dtype=np.int64) * 10**9
    ticks = np.sort(np.concatenate([twice + step * scale for step in (-1, 0, 1)])) // scale
    slo = SLOS[0]
    want = slo.count(Events(time=ticks * scale, status=[200] * len(ticks)))
    found = pa.table(
        {"ts": pa.array(ticks).cast(pa.timestamp(unit, zone)), "code": [200] * len(ticks)}
    )
    frames = {"arrow": found, "pandas": found.to_pandas()}
    pd = pytest.importorskip("pandas", reason="missing: pandas")
    frames["pandas_arrow"] = found.to_pandas(types_mapper=pd.ArrowDtype)
    frames |= {name: make(found) for name, make in FRAMES_OF_ARROW.items()}
    if unit == "ns" and zone and int(pytest.importorskip("duckdb").__version__.split(".")[0]) < 2:
        del frames["duckdb"]  # its zoned instants are microseconds
    for name, frame in frames.items():
        assert same(eb.count(frame, slo, time="ts", status="code")["api"], want), name


FRAMES_OF_ARROW = {
    "polars": lambda found: pytest.importorskip("polars", reason="missing: polars").from_arrow(
        found
    ),
    "duckdb": lambda found: (
        pytest.importorskip("duckdb", reason="missing: duckdb").connect().from_arrow(found)
    ),
}


def test_an_empty_frame_has_no_bins() -> None:
    """No events are no bins; judging them needs an instant."""
    frame = pandas(table(50, seed=1)).iloc[:0]
    counted = eb.count(frame, SLOS[0], **COLUMNS)
    assert len(counted["api"]) == 0
    assert counted.span is None
    with pytest.raises(NoDataError):
        counted.evaluate()
    assert counted.evaluate("2026-03-29T00:00Z")[0].state == "no_data"


def test_report_says_what_was_left_out() -> None:
    """Events that lack a value are said in the report, as by the events themselves."""
    columns = table(500, seed=3)
    counted = eb.count(pandas(columns), SLOS[0], **COLUMNS)
    [status] = counted.evaluate()
    assert status.left_out == counted.left_out("api") > 0
    assert "took no part" in str(status.warnings)
