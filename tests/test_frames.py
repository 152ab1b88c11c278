"""Frames: the same rows give the same events from every engine."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import numpy as np
import pytest

from errorbudget import Events
from errorbudget.columns import Columns
from errorbudget.errors import InvalidSeriesError, MissingDependencyError
from errorbudget.frames import frame, to_pandas

pd = pytest.importorskip("pandas", reason="missing: pandas; pip install 'errorbudget[pandas]'")

START = dt.datetime(2026, 3, 29, 0, 59, tzinfo=dt.UTC)  # the clocks change in Berlin a minute later
ROWS = {
    "at": [START + dt.timedelta(seconds=s) for s in (0, 30, 60, 90)],
    "code": [200, 503, None, 404],
    "ms": [12.5, None, 80.0, 0.0],
    "route": ["/a", None, "/b", "/a"],
    "size": [1.0, 2.0, 3.0, 4.0],
    "ok": [True, False, True, True],
}


def pandas_frame() -> Any:
    return pd.DataFrame(ROWS)


def berlin() -> Any:
    frame = pd.DataFrame(ROWS)
    return frame.assign(at=frame["at"].dt.tz_convert("Europe/Berlin"))


def naive() -> Any:
    frame = pd.DataFrame(ROWS)
    return frame.assign(at=frame["at"].dt.tz_localize(None))


def texts() -> Any:
    return pd.DataFrame({**ROWS, "at": [stamp.isoformat() for stamp in ROWS["at"]]})  # type: ignore[attr-defined]


def polars() -> Any:
    return pytest.importorskip("polars", reason="missing: polars").DataFrame(ROWS)


def polars_lazy() -> Any:
    return polars().lazy()


def arrow() -> Any:
    return pytest.importorskip("pyarrow", reason="missing: pyarrow").table(ROWS)


def duckdb() -> Any:
    engine = pytest.importorskip("duckdb", reason="missing: duckdb")
    connection = engine.connect()
    table = arrow()
    connection.register("rows", table)
    return connection.sql("select * from rows")


@pytest.mark.parametrize(
    "make", [pandas_frame, berlin, naive, texts, polars, polars_lazy, arrow, duckdb]
)
def test_every_engine_gives_the_same_events(make: Any) -> None:
    """Times, missing values and labels survive, whatever holds them."""
    events = Events.from_frame(
        make(),
        time="at",
        status="code",
        duration="ms",
        good="ok",
        labels=["route"],
        values={"bytes": "size"},
        duration_unit="ms",
    )
    first = int(START.timestamp()) * 10**9
    assert events.time.tolist() == [first + s * 10**9 for s in (0, 30, 60, 90)]
    assert events.status is not None
    assert events.status.tolist() == [200, 503, 0, 404]
    assert events.duration_s is not None
    np.testing.assert_array_equal(events.duration_s, [0.0125, np.nan, 0.08, 0.0])
    assert events.labels["route"].decode() == ["/a", None, "/b", "/a"]
    assert events.values["bytes"].tolist() == [1, 2, 3, 4]
    assert events.good is not None
    assert events.good.tolist() == ROWS["ok"]


def test_columns_of_our_own_names_need_no_telling() -> None:
    """Columns called status, duration_s and good are read; those that are named win."""
    table = {"time": [1, 2], "status": [200, 503], "code": [404, 404], "duration_s": [0.5, 1.0]}
    events = Events.from_frame(pd.DataFrame(table), duration_unit="ms")
    assert events.columns == ("status", "duration_s")
    assert events.status is not None
    assert events.status.tolist() == [200, 503]
    assert events.duration_s is not None
    assert events.duration_s.tolist() == [0.5, 1.0]
    judged = Events.from_frame(pd.DataFrame({"time": [1, 2], "good": [True, False]}))
    assert judged.good is not None
    assert judged.good.tolist() == [True, False]
    named = Events.from_frame(pd.DataFrame(table), status="code")
    assert named.status is not None
    assert named.status.tolist() == [404, 404]


@pytest.mark.parametrize(
    ("unit", "factor"), [("s", 10**9), ("ms", 10**6), ("us", 1_000), ("ns", 1)]
)
def test_integer_times(unit: str, factor: int) -> None:
    """Integers since the epoch are scaled exactly."""
    events = Events.from_frame(pd.DataFrame({"t": [1, 2]}), time="t", time_unit=unit)
    assert events.time.tolist() == [factor, 2 * factor]


@pytest.mark.parametrize(
    ("frame", "arguments", "message"),
    [
        (ROWS, {"time": "When"}, "dict is not a dataframe"),
        (pd.DataFrame(ROWS), {"time": "att"}, 'no column "att".*did you mean "at"'),
        (pd.DataFrame(ROWS), {"time": "at", "labels": "route"}, "give a list of columns"),
        (pd.DataFrame(ROWS), {"time": "at", "status": "route"}, "must hold numbers"),
        (pd.DataFrame(ROWS), {"time": "at", "good": "code"}, "must hold true or false"),
        (pd.DataFrame(ROWS), {"time": "at", "duration_unit": "min"}, 'duration_unit must be "s"'),
        (pd.DataFrame({"t": [1, 2**62]}), {"time": "t", "time_unit": "s"}, "at index 1 is no time"),
        (pd.DataFrame({"t": [pd.Timestamp(0), None]}), {"time": "t"}, "index 1 is missing"),
        (pd.DataFrame({"t": ["2026-01-01T00:00"]}), {"time": "t"}, "no time zone"),
        (pd.DataFrame({"t": [0.5]}), {"time": "t"}, "time"),
    ],
)
def test_bad_frames(frame: Any, arguments: dict[str, Any], message: str) -> None:
    """What is no frame, or has not what was asked for, is a named error."""
    with pytest.raises(InvalidSeriesError, match=message):
        Events.from_frame(frame, **arguments)


def test_frame_out() -> None:
    """Columns go out indexed by time in UTC."""
    frame = to_pandas(np.array([0, 60 * 10**9]), {"good": np.array([1, 2])})
    assert (str(frame.index.tz), frame.index.name) == ("UTC", "time")
    assert frame["good"].tolist() == [1, 2]


def test_rows_out() -> None:
    """Rows keep their columns and types when there are none, and when all values are missing."""
    columns: Columns = {
        "name": "text?",
        "at": "instant?",
        "share": "figure",
        "bad": "count",
        "real": "flag",
        "alerts": "texts",
    }
    full = {"name": "a", "at": "b", "share": 0.5, "bad": 3, "real": True, "alerts": ["x"]}
    missing = {**dict.fromkeys(columns), "bad": 4, "real": False}
    types = frame([full], columns).dtypes
    assert [str(types[name]) for name in ("share", "bad", "real")] == ["float64", "int64", "bool"]
    for rows in ([], [missing], [full, missing]):
        found = frame(rows, columns)
        assert found.dtypes.equals(types)
        assert found.index.equals(pd.RangeIndex(len(rows)))
    assert frame([full, missing], columns).isna().sum().tolist() == [1, 1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [([1, None], "float64"), ([None], "float64"), ([1, 2.5], "float64"), ([2**63], "uint64")],
)
def test_counts_out(cells: list[Any], kind: str) -> None:
    """Counts that are missing or in part are floats, and large ones stay exact."""
    found = frame([{"bad": cell} for cell in cells], {"bad": "count"})["bad"]
    assert str(found.dtype) == kind
    assert [None if cell != cell else cell for cell in found.tolist()] == cells


def test_infinite_figures_out() -> None:
    """What JSON holds as a text is infinite in a frame."""
    rows = [{"left": left} for left in ("-inf", "inf", 0.5)]
    assert frame(rows, {"left": "figure"})["left"].tolist() == [-np.inf, np.inf, 0.5]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_integer_times_reach_as_far_as_nanoseconds_do(unit: str) -> None:
    """To the last tick on both sides, and not one further."""
    scale = {"s": 10**9, "ms": 10**6, "us": 1_000, "ns": 1}[unit]
    last = (2**63 - 1) // scale
    events = Events.from_frame(pd.DataFrame({"t": [-last, last]}), time="t", time_unit=unit)
    assert events.time.tolist() == [-last * scale, last * scale]
    for beyond in (-last - 1, *([] if unit == "ns" else [last + 1])):
        table = pd.DataFrame({"t": [0, beyond]})
        with pytest.raises(InvalidSeriesError) as caught:
            Events.from_frame(table, time="t", time_unit=unit)
        assert str(caught.value) == f'time {beyond} at index 1 is no time in "{unit}"'
        assert caught.value.index == 1


@pytest.mark.parametrize("cells", [[1, 0], pd.array([True, None], dtype="boolean"), [True, None]])
def test_a_verdict_is_true_or_false_in_every_row(cells: Any) -> None:
    """Not a number, and not missing."""
    table = pd.DataFrame({"time": [1, 2], "ok": cells})
    with pytest.raises(InvalidSeriesError, match='column "ok" must hold true or false in every'):
        Events.from_frame(table, good="ok")


@pytest.mark.parametrize(
    ("unit", "factor"), [("s", 1), ("ms", 1_000), ("us", 10**6), ("ns", 10**9)]
)
def test_durations_in_any_unit(unit: str, factor: int) -> None:
    """One and a half seconds."""
    table = pd.DataFrame({"time": [1], "took": [1.5 * factor]})
    events = Events.from_frame(table, duration="took", duration_unit=unit)
    assert events.column("duration_s").tolist() == [1.5]


def test_stamps_without_a_zone_keep_their_nanoseconds() -> None:
    """As UTC, in an engine whose lists know microseconds only."""
    engine = pytest.importorskip("polars", reason="missing: polars")
    table = engine.DataFrame({"time": [1, 10**18 + 1]}).cast(engine.Datetime("ns"))
    assert Events.from_frame(table).time.tolist() == [1, 10**18 + 1]


def test_without_pandas_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and columns alike want it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    cure = r"a DataFrame needs pandas: pip install 'errorbudget\[pandas\]'"
    with pytest.raises(MissingDependencyError, match=cure):
        frame([], {})
    with pytest.raises(MissingDependencyError, match=cure):
        to_pandas(np.array([0]), {})
