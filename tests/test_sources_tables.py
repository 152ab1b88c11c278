"""Tables: CSV, JSON lines and Parquet give the same events as the rows that were written."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import zoneinfo
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import InvalidInputError, InvalidTimeError, NoDataError, SourceFormatError
from errorbudget.events import Events
from errorbudget.sources import read_events
from errorbudget.sources.columns import find_columns, plain_name, unit_of
from errorbudget.sources.convert import durations, epochs, statuses, written_times
from errorbudget.sources.stamps import iso, naive_to_ns, zone_of
from errorbudget.times import format_time, to_ns
from tests.test_sources_logs import columns

SECOND = 10**9
NOON = 1_772_362_800


def read(text: bytes | str, **options: Any) -> Events:
    """The events of a text."""
    data = text.encode() if isinstance(text, str) else text
    return read_events(io.BytesIO(data), **options)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=9)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 4 * 10**18).map(lambda ns: ns // 1_000 * 1_000),
        st.none() | st.integers(100, 599),
        st.none() | st.integers(0, 10**9).map(lambda us: us / 1_000),
        st.sampled_from(("GET", "POST")),
        st.none() | TEXTS.map(lambda text: "/r" + re.sub("[?#]", "", text).strip()),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def expected(rows: list[Any]) -> dict[str, Any]:
    """The columns that the rows must give."""
    rows = sorted(rows, key=lambda row: row[0])
    return {
        "time": [row[0] for row in rows],
        "status": [row[1] or 0 for row in rows],
        # Decimals are what was written, rounded once.
        "duration_s": [
            None if row[2] is None else float(Fraction(repr(row[2])) / 1_000) for row in rows
        ],
        "method": [row[3] for row in rows],
        "route": [row[4] for row in rows],
    }  # fmt: skip


def agrees(events: Events, rows: list[Any]) -> bool:
    """Whether the events are the rows; a column of nothing may be absent."""
    found, wanted = columns(events), expected(rows)
    return all(
        found.get(name, [None] * len(rows)) == column
        or (name == "status" and found.get(name) == [value or 0 for value in column])
        for name, column in wanted.items()
    )


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@given(rows=ROWS)
def test_rows_written_as_csv_are_read_back(delimiter: str, rows: list[Any]) -> None:
    """Times in any digits, gaps, quotes and delimiters inside values survive."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["time", "status", "latency_ms", "method", "route"])
    for time, *rest in rows:
        writer.writerow([format_time(time), *rest])
    events = read(text.getvalue(), errors="raise")
    assert agrees(events, rows)


@given(rows=ROWS)
def test_rows_written_as_json_lines_are_read_back(rows: list[Any]) -> None:
    """Numbers, nulls and any text survive."""
    names = ("@timestamp", "status", "duration_ms", "request_method", "route")
    lines = [
        json.dumps(dict(zip(names, [format_time(t), *rest], strict=True))) for t, *rest in rows
    ]
    events = read("\n".join(lines), errors="raise")
    assert agrees(events, rows)


@given(rows=ROWS)
def test_rows_written_as_parquet_are_read_back(rows: list[Any]) -> None:
    """Typed columns, with gaps, survive."""
    pa = pytest.importorskip(
        "pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'"
    )
    from pyarrow import parquet

    time, status, duration, method, route = (list(column) for column in zip(*rows, strict=True))
    table = pa.table(
        {
            "time": pa.array(time, pa.timestamp("ns", "UTC")),
            "status": pa.array(status, pa.int16()),
            "duration_s": pa.array(
                [None if d is None else d / 1e3 for d in duration], pa.float64()
            ),
            "method": pa.array(method).dictionary_encode(),
            "route": pa.array(route, pa.string()),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    file.seek(0)
    found = columns(read_events(file, errors="raise"))
    wanted = expected(rows)
    assert found["time"] == wanted["time"]
    assert found["status"] == wanted["status"]
    assert found["route"] == wanted["route"]
    kept = sorted(range(len(rows)), key=lambda index: rows[index][0])
    exact = [None if duration[i] is None else duration[i] / 1e3 for i in kept]
    assert found.get("duration_s", [None] * len(rows)) == exact


@given(
    time_ns=st.integers(-9 * 10**18, 9 * 10**18),
    digits=st.integers(0, 9),
    offset=st.integers(-1439, 1439),
    shape=st.sampled_from(("Z", "colon", "plain", "none")),
    mark=st.sampled_from("T t"),
)
def test_iso_times_equal_the_standard_library(
    time_ns: int, digits: int, offset: int, shape: str, mark: str
) -> None:
    """The parser of many times agrees with the one of single times."""
    time_ns = time_ns // 10 ** (9 - digits) * 10 ** (9 - digits)
    zone = dt.timezone(dt.timedelta(minutes=offset if shape in ("colon", "plain") else 0))
    whole, fraction = divmod(time_ns, SECOND)
    local = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=whole)
    text = local.astimezone(zone).strftime(f"%Y-%m-%d{mark}%H:%M:%S")
    text += f".{fraction:09}"[: digits + 1] if digits else ""
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    text += {
        "Z": "Z",
        "colon": f"{sign}{hours:02}:{minutes:02}",
        "plain": f"{sign}{hours:02}{minutes:02}",
        "none": "",
    }[shape]
    times, real, zoned = iso([text.encode()])
    assert real.tolist() == [True]
    assert zoned.tolist() == [shape != "none"]
    assert times.tolist() == [time_ns]
    if shape == "colon":
        assert times.tolist() == [to_ns(text.replace("t", "T"))]


@given(st.text(st.sampled_from("0123456789-:T .,Z+"), max_size=40))
def test_iso_takes_nothing_that_the_standard_library_refuses(text: str) -> None:
    """Whatever is accepted is a time for the strict parser too, and the same one."""
    times, real, zoned = iso([text.encode()])
    if real[0] and zoned[0] and ":60" not in text:
        assert times.tolist() == [to_ns(text)]


@given(
    wall=st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2037, 12, 31)),
    name=st.sampled_from(
        ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
    ),
)
def test_local_times_equal_the_standard_library(wall: dt.datetime, name: str) -> None:
    """A wall clock's time in a zone is the instant that `zoneinfo` says, first passing."""
    epoch = dt.datetime(1970, 1, 1)
    local = np.array([(wall - epoch) // dt.timedelta(microseconds=1) * 1_000], dtype=np.int64)
    times, _ = naive_to_ns(local, zone_of(name))
    assert times.tolist() == [to_ns(wall.replace(tzinfo=zoneinfo.ZoneInfo(name)))]


def test_an_hour_that_the_clock_showed_twice_is_said() -> None:
    """Times in the repeated hour are taken as the first passing, and counted."""
    text = "time,status\n2026-10-25T02:30:00,200\n2026-10-25T04:30:00,200\n"
    events = read(text, zone="Europe/Berlin")
    assert format_time(int(events.time[0])) == "2026-10-25T00:30:00Z"
    assert any("1 times stand in an hour" in said for said in events.reading.sentences())


def test_times_without_a_zone_are_refused_with_the_cure() -> None:
    """A naive time is never taken for UTC silently; a zone given by the user settles it."""
    text = "time,status\n2026-03-01 12:00:00,200\n"
    with pytest.raises(InvalidTimeError, match='has no zone; say which, such as zone="UTC"'):
        read(text)
    assert read(text, zone="+01:00").time.tolist() == [NOON * SECOND]
    assert read(text, zone="Europe/Berlin").time.tolist() == [NOON * SECOND]
    with pytest.raises(InvalidTimeError, match=r'"Europe/Berln" is not a time zone.*did you mean'):
        read(text, zone="Europe/Berln")


@pytest.mark.parametrize(
    ("header", "value", "unit"),
    [
        ("ts", str(NOON), "s"),
        ("ts", f"{NOON}000", "ms"),
        ("ts", f"{NOON}000000", "us"),
        ("ts", f"{NOON}000000000", "ns"),
        ("ts", f"{NOON}.000", "s"),
        ("ts_ms", f"{NOON}000", "ms"),
        ("timestampMillis", f"{NOON}000", "ms"),
        ("time_unix_nano", f"{NOON}000000000", "ns"),
        ("epoch", str(NOON), "s"),
    ],
)
def test_numeric_times_have_the_unit_of_their_name_or_size(
    header: str, value: str, unit: str
) -> None:
    """Seconds to nanoseconds since 1970 are told apart, in CSV and in JSON."""
    for text in (f"{header},status\n{value},200\n", f'{{"{header}": {value}, "status": 200}}\n'):
        events = read(text)
        assert events.time.tolist() == [NOON * SECOND]
        assert events.reading.files[0].time_unit == unit


def test_a_named_time_unit_beats_the_size() -> None:
    """time_unit decides where the size would mislead."""
    assert read("ts,status\n5,200\n", time_unit="ms").time.tolist() == [5_000_000]


@given(st.lists(st.integers(0, 9 * 10**9), min_size=1), st.integers(0, 6))
def test_decimal_seconds_are_exact(seconds: list[int], digits: int) -> None:
    """Seconds with up to six decimals lose nothing, as text and as floats."""
    micros = [second * 10 ** (6 - digits) for second in seconds]
    texts = [f"{m // 10**6}.{m % 10**6:06}" for m in micros]
    wanted = [m * 1_000 for m in micros]
    assert epochs(texts, "s")[0].tolist() == wanted
    assert epochs([float(text) for text in texts], "s")[0].tolist() == wanted


@given(st.lists(st.integers(0, 10**12), min_size=1), st.sampled_from(("s", "ms", "us", "ns")))
def test_durations_are_rounded_once(values: list[int], unit: str) -> None:
    """A duration in any unit and form is the float closest to the true value."""
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    wanted = [value / scale for value in values]
    assert durations(values, unit)[0].tolist() == wanted
    assert durations([str(value) for value in values], unit)[0].tolist() == wanted
    assert durations([f"{value}{unit}" for value in values], None)[0].tolist() == wanted


def test_durations_that_are_none() -> None:
    """Gaps are missing; negative, endless and unreadable ones are wrong."""
    found, wrong = durations(["1.5", "", "-", "nan", "-1", "inf", "x", None, True], "s")
    assert [None if x != x else x for x in found.tolist()] == [1.5] + [None] * 8
    assert sorted(wrong) == [4, 5, 6, 8]


def test_statuses_in_their_forms() -> None:
    """200, "200", 200.0 and gaps are read; others are wrong."""
    found, wrong = statuses([200, "404", 503.0, "", None, "-", "200.0", 999, "2xx", True, [200]])
    assert found.tolist() == [200, 404, 503, 0, 0, 0, 200, 0, 0, 0, 0]
    assert sorted(wrong) == [7, 8, 9, 10]


def test_times_as_common_logs_write_them_are_read_in_tables() -> None:
    """The time_local of nginx is a time like any other."""
    times, wrong, _ = written_times(["01/Mar/2026:12:00:00 +0100", "x", None], None)
    assert times[0] == NOON * SECOND
    assert sorted(wrong) == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        {"time_iso8601": "2026-03-01T12:00:00+01:00", "status": "200", "request_time": "0.120",
         "request_method": "GET", "request_uri": "/a?b=1", "host": "shop.example"},
        {"msec": f"{NOON}.000", "status": 200, "request_time": 0.12, "request": "GET /a?b HTTP/1.1",
         "server_name": "shop.example"},
        {"time_local": "01/Mar/2026:12:00:00 +0100", "status": 200, "request_time": 0.12,
         "method": "GET", "uri": "/a", "vhost": "shop.example"},
        {"ts": float(NOON), "status": 200, "duration": 0.12,
         "request": {"method": "GET", "uri": "/a?b", "host": "shop.example", "proto": "HTTP/2.0"}},
        {"@timestamp": "2026-03-01T11:00:00.000Z", "event": {"duration": 120_000_000},
         "http": {"request": {"method": "GET"}, "response": {"status_code": 200}},
         "url": {"path": "/a", "domain": "shop.example"}, "host": "shop.example"},
        {"StartUTC": "2026-03-01T11:00:00Z", "DownstreamStatus": 200, "latency": "120ms",
         "RequestMethod": "GET", "RequestPath": "/a?b", "RequestHost": "shop.example"},
        {"timestamp": NOON * 1000, "statusCode": 200, "durationMs": 120, "method": "GET",
         "path": "/a", "host": "shop.example"},
    ],
)  # fmt: skip
def test_json_of_well_known_servers_is_understood(line: dict[str, Any]) -> None:
    """The dialects of nginx, Caddy, Elastic, Traefik and an application logger."""
    events = read(json.dumps(line), errors="raise")
    assert columns(events) == {
        "time": [NOON * SECOND],
        "status": [200],
        "duration_s": [0.12],
        "method": ["GET"],
        "route": ["/a"],
        "host": ["shop.example"],
    }


def test_bad_rows_are_counted_with_their_line_numbers() -> None:
    """Each row that cannot be an event has its line, its text and a reason."""
    text = (
        "time,status,latency_ms\n"
        "2026-03-01T12:00:00Z,200,5\n"
        "2026-03-01T12:00:01Z,999,5\n"
        "\n"
        "2026-03-01T12:00:02Z,200\n"
        "soon,200,5\n"
        "2026-03-01T12:00:03Z,200,-5\n"
        '"2026-03-01T12:00:04Z",200,"7\n"\n'
    )
    events = read(text)
    reading = events.reading
    assert [(sample.line, sample.why.split(" ")[0]) for sample in reading.samples] == [
        (3, "status"),
        (5, "2"),
        (6, "time"),
        (7, "duration"),
    ]
    assert reading.skipped == 4
    assert len(events) == 2
    with pytest.raises(SourceFormatError, match="line 3: status 999") as caught:
        read(text, errors="raise")
    assert caught.value.line == 3


def test_bad_json_lines_are_counted() -> None:
    """A line that is no object is bad; the others are read."""
    good = '{"time": "2026-03-01T12:00:00Z", "status": 200}'
    events = read(f'{good}\n{{oops\n{good}\n[1]\n\n{{"status": 200}}')
    assert len(events) == 2
    assert [(sample.line, sample.why) for sample in events.reading.samples] == [
        (2, "not a JSON object"),
        (4, "not a JSON object"),
        (6, "time is missing"),
    ]


def test_whole_durations_without_a_unit_are_not_guessed_at() -> None:
    """A bare whole number may be anything: it is left out, said, and can be settled."""
    text = "time,status,latency\n2026-03-01T12:00:00Z,200,120\n"
    events = read(text)
    assert events.duration_s is None
    assert any("without a unit" in said for said in events.reading.sentences())
    assert columns(read(text, duration_unit="ms"))["duration_s"] == [0.12]


def test_columns_can_be_named() -> None:
    """Any column can play a role; a wrong name is refused with the closest one."""
    text = "when,outcome,wait_ms,area\n2026-03-01T12:00:00Z,200,120,north\n"
    named = {"time": "when", "status": "outcome", "duration": "wait_ms"}
    found = columns(read(text, columns=named, labels=["area"], values=["wait_ms"]))
    assert found["status"] == [200]
    assert found["duration_s"] == [0.12]
    assert found["area"] == ["north"]
    assert found["wait_ms"] == [120.0]
    with pytest.raises(InvalidInputError, match=r'no column "outcme".*did you mean "outcome"'):
        read(text, columns={**named, "status": "outcme"})
    with pytest.raises(InvalidInputError, match=r'cannot name "statu".*did you mean "status"'):
        read(text, columns={"statu": "outcome"})
    with pytest.raises(InvalidInputError, match='no column "aera"'):
        read(text, columns=named, labels=["aera"])
    with pytest.raises(SourceFormatError, match="no column of times"):
        read("a,status\n1,200\n")


def test_judged_events_keep_their_judgement() -> None:
    """A column `good` of yes and no is read; a gap in it is a bad row."""
    text = "time,good\n2026-03-01T12:00:00Z,true\n2026-03-01T12:00:01Z,0\n2026-03-01T12:00:02Z,\n"
    events = read(text)
    assert columns(events)["good"] == [True, False]
    assert events.reading.samples[0].why == "good is missing"


def test_a_column_without_any_duration_is_no_column() -> None:
    """Where no event has a duration, none is claimed."""
    events = read("time,status,latency_ms\n2026-03-01T12:00:00Z,200,\n")
    assert events.duration_s is None
    assert events.reading.duration_unit is None


def test_a_table_without_rows_has_no_data() -> None:
    """A header alone answers nothing."""
    with pytest.raises(NoDataError, match="no requests"):
        read("time,status\n")


def test_a_field_without_end_does_not_swallow_the_file() -> None:
    """An unclosed quote is one bad row of many lines, counted as such."""
    row = "2026-03-01T12:00:00Z,200\n"
    text = "time,status\n" + row + '"2026' + row * 10_000
    events = read(text)
    reading = events.reading
    assert reading.lines == reading.events + reading.skipped + 1
    assert reading.skipped > 1


def test_names_are_compared_in_one_form() -> None:
    """Case, marks and joints do not matter; units are read off the end."""
    assert plain_name("Request-Time") == "request_time"
    assert plain_name("HTTPStatus") == "http_status"
    assert unit_of("durationMicros") == "us"
    assert unit_of("time_s") == "s"
    found = find_columns(["TS", "StatusCode", "Latency(ms)"], {}, source="x")
    assert found == {"time": "TS", "status": "StatusCode", "duration": "Latency(ms)"}


def test_the_size_of_batches_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table read in small pieces gives the same events."""
    rows = "".join(
        f"{format_time((NOON + n) * SECOND)},{200 + n % 3},{n}.5,/r{n % 5}\n" for n in range(500)
    )
    text = "time,status,latency_ms,route\n" + rows
    whole = columns(read(text))
    monkeypatch.setattr("errorbudget.sources.delimited._ROWS", 7)
    assert columns(read(text)) == whole


@given(
    st.lists(st.integers(-(10**17), 10**17), min_size=1), st.sampled_from(("s", "ms", "us", "ns"))
)
def test_numeric_times_read_together_and_one_by_one_agree(values: list[int], unit: str) -> None:
    """A value that does not fit sends a batch down the careful way, with the same answer."""
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    careful, wrong = epochs([*values, None], unit)
    together, wrong_too = epochs(values, unit)
    as_text, _ = epochs([str(value) for value in values], unit)
    assert {index: why for index, why in wrong.items() if index < len(values)} == wrong_too
    assert wrong[len(values)] == "time is missing"
    assert careful.tolist()[:-1] == together.tolist() == as_text.tolist()
    for index, value in enumerate(values):
        assert (index in wrong_too) == (abs(value * scale) >= 2**63)
        assert index in wrong_too or together[index] == value * scale


def test_numeric_times_that_are_none() -> None:
    """Text, truth values and endless numbers are no times; floats beside integers are."""
    found, wrong = epochs(["x", True, float("inf"), 1.5, 2, 10**30, float("nan"), [1]], "s")
    assert found[3:5].tolist() == [1_500_000_000, 2_000_000_000]
    assert sorted(wrong) == [0, 1, 2, 5, 6, 7]


def test_further_numbers_that_are_none_are_bad_rows() -> None:
    """A numeric column asked for must hold finite numbers or gaps."""
    rows = "".join(
        f"2026-03-01T12:00:0{n}Z,200,{value}\n" for n, value in enumerate(("5", "", "x", "inf"))
    )
    events = read("time,status,load\n" + rows, values=["load"])
    assert columns(events)["load"] == [5.0, None]
    assert [sample.why for sample in events.reading.samples] == [
        "load x is not a number",
        "load inf is not finite",
    ]
    with pytest.raises(InvalidInputError, match='did you mean "load"'):
        read("time,status,load\n" + rows, values=["laod"])


def test_odd_values_in_json_are_no_labels_and_no_numbers() -> None:
    """Lists and objects where a text or number belongs are gaps in labels and bad elsewhere."""
    rows = [
        {"time": "2026-03-01T12:00:00Z", "status": 200, "service": ["a"], "load": 1},
        {"time": "2026-03-01T12:00:01Z", "status": [200], "service": "a", "load": 1},
        {"time": "2026-03-01T12:00:02Z", "status": 200, "service": True, "load": None},
    ]
    events = read("\n".join(map(json.dumps, rows)), values=["load"])
    assert columns(events)["service"] == [None, "true"]
    assert columns(events)["load"] == [1.0, None]
    assert "status" in events.reading.samples[0].why


def test_typed_times_without_a_zone_are_utc_or_as_the_user_says() -> None:
    """Parquet cannot name the zone of a naive column: UTC, unless told; gaps are bad rows."""
    pa = pytest.importorskip(
        "pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'"
    )
    from decimal import Decimal

    from pyarrow import parquet

    noon = dt.datetime(2026, 3, 1, 12)
    table = pa.table(
        {
            "time": pa.array([noon, None], pa.timestamp("ms")),
            "status": pa.array([200, 200]),
            "latency_ms": pa.array([Decimal("1.5"), None]),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    utc = read(file.getvalue())
    local = read(file.getvalue(), zone="+01:00")
    assert format_time(int(utc.time[0])) == "2026-03-01T12:00:00Z"
    assert format_time(int(local.time[0])) == "2026-03-01T11:00:00Z"
    assert columns(utc)["duration_s"] == [0.0015]
    assert [(sample.line, sample.why) for sample in utc.reading.samples] == [(2, "time is missing")]
    file = io.BytesIO()
    parquet.write_table(table.slice(0, 0), file)
    with pytest.raises(NoDataError, match="has no rows"):
        read(file.getvalue())


def test_times_in_a_log_without_a_zone_take_the_one_given() -> None:
    """ISO times in brackets follow the same rule as in tables."""
    line = 'h - - [2026-03-01T12:00:00] "GET / HTTP/1.1" 200 5'
    assert read(line, zone="+01:00").time.tolist() == [NOON * SECOND]
    with pytest.raises(SourceFormatError, match="has no zone; say which"):
        read(line)
