"""Logs written by the library say what the events say, to anyone who reads them."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import InvalidInputError, SourceUnavailableError
from errorbudget.events import Events
from errorbudget.sources.log_writer import (
    LOG_FORMATS,
    log_blocks,
    write_log,
)
from errorbudget.studies.simulate import Outage, Simulation, simulate
from errorbudget.times import to_ns

LINE = re.compile(
    r'(\S+) - - \[([^\]]+)\] "(\S+) (\S+) HTTP/1\.1" (\S+) (\S+) "-" "([^"]*)" (\S+)\n'
)
START = "2026-02-28T20:00:00Z"


@pytest.fixture(scope="module")
def traffic() -> Simulation:
    """Some 40,000 requests: more than a block of lines, over the end of a month."""
    return simulate(START, "10h", rate=2, incidents=[Outage("2026-03-01T01:00:00Z", "10m")], seed=3)


def test_a_combined_log_says_what_the_events_say(traffic: Simulation, tmp_path: Path) -> None:
    """A regular expression and the standard library read back every event."""
    path = tmp_path / "access.log"
    assert write_log(traffic.events, path, "combined") == len(traffic)
    with path.open(encoding="ascii", newline="") as lines:
        rows = [LINE.fullmatch(line) for line in lines]
    events = traffic.events
    assert len(rows) == len(events) > 32_768
    read = [row.groups() for row in rows if row]
    assert len(read) == len(rows)
    seconds = [
        int(dt.datetime.strptime(one[1], "%d/%b/%Y:%H:%M:%S %z").timestamp()) for one in read
    ]
    assert seconds == (events.time // 10**9).tolist()
    assert [one[2] for one in read] == events.labels["method"].decode()
    assert [one[3] for one in read] == events.labels["route"].decode()
    assert [int(one[4]) for one in read] == events.column("status").tolist()
    assert [int(one[5]) for one in read] == events.values["bytes"].tolist()
    assert [float(one[7]) for one in read] == events.column("duration_s").tolist()


def test_json_lines_say_what_the_events_say(traffic: Simulation, tmp_path: Path) -> None:
    """Nothing of a simulated event is lost."""
    path = tmp_path / "access.json.gz"
    write_log(traffic.events, path, "json")
    with gzip.open(path, "rt") as lines:
        texts = lines.readlines()
    read = [json.loads(line) for line in texts]
    events = traffic.events
    stamps = [int(re.match(r'\{"msec":(\d+\.\d{3}),', line)[1].replace(".", "")) for line in texts]  # type: ignore[index]
    assert stamps == (events.time // 10**6).tolist()
    assert [one["request_method"] for one in read] == events.labels["method"].decode()
    assert [one["request_uri"] for one in read] == events.labels["route"].decode()
    assert [one["status"] for one in read] == events.column("status").tolist()
    assert [one["request_time"] for one in read] == events.column("duration_s").tolist()
    assert {one["remote_addr"] for one in read} == {None}


def test_csv_says_what_the_events_say(traffic: Simulation, tmp_path: Path) -> None:
    """Nothing at all is lost."""
    path = tmp_path / "events.csv"
    write_log(traffic.events, path, "csv")
    with path.open(newline="") as lines:
        read = list(csv.DictReader(lines))
    events = traffic.events
    assert list(read[0]) == ["time", "status", "duration_s", "method", "route", "bytes"]
    assert [to_ns(one["time"]) for one in read] == events.time.tolist()
    assert [float(one["duration_s"]) for one in read] == events.column("duration_s").tolist()
    assert [one["route"] for one in read] == events.labels["route"].decode()


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**18), 4 * 10**18),
            st.sampled_from([0, 200, 304, 599]),
            st.one_of(st.just(float("nan")), st.floats(0, 1e6)),
            st.booleans(),
            st.one_of(st.none(), st.text(max_size=5).filter(lambda text: "\0" not in text)),
            st.one_of(st.just(float("nan")), st.floats(-1e12, 1e12)),
        ),
        max_size=8,
    )
)
def test_csv_keeps_every_column_of_any_events(
    rows: list[tuple[int, int, float, bool, str | None, float]],
) -> None:
    """Nanoseconds, quotes, line ends, missing values and all digits of a number survive."""
    rows.sort(key=lambda row: row[0])
    columns = list(zip(*rows, strict=True)) or [[]] * 6
    events = Events(
        time=np.array(columns[0], dtype=np.int64),
        status=columns[1],
        duration_s=columns[2],
        good=np.array(columns[3], dtype=bool),
        labels={"odd, name": columns[4]},
        values={"number": columns[5]},
    )
    text = b"".join(log_blocks(events, "csv")).decode("utf-8")
    header, *read = csv.reader(io.StringIO(text, newline=""))
    assert header == ["time", "status", "duration_s", "good", "odd, name", "number"]
    assert len(read) == len(rows)
    for cells, (time, status, duration_s, good, label, number) in zip(read, rows, strict=True):
        assert to_ns(cells[0]) == time
        assert int(cells[1] or 0) == status
        assert cells[2] == "" if np.isnan(duration_s) else float(cells[2]) == duration_s
        assert cells[3] == ("true" if good else "false")
        assert cells[4] == (label or "")
        assert cells[5] == "" if np.isnan(number) else float(cells[5]) == number


def test_what_events_lack_is_said_to_be_missing() -> None:
    """A dash in a log, null in JSON, an empty field in CSV; never a made-up value."""
    bare = Events(time=[1_500_000_000_123_456_789])
    assert b"".join(log_blocks(bare)) == (
        b'- - - [14/Jul/2017:02:40:00 +0000] "- - HTTP/1.1" - - "-" "-" -\n'
    )
    assert json.loads(b"".join(log_blocks(bare, "json"))) == {
        "msec": 1_500_000_000.123,
        "remote_addr": None,
        "request_method": None,
        "request_uri": None,
        "status": None,
        "body_bytes_sent": None,
        "request_time": None,
    }
    assert b"".join(log_blocks(bare, "csv")) == b"time\n2017-07-14T02:40:00.123456789Z\n"
    holes = Events(
        time=[0, 1], status=[0, 200], duration_s=[np.nan, 0.5], labels={"route": [None, "/"]}
    )
    first, second = b"".join(log_blocks(holes)).splitlines()
    assert first.endswith(b'"- - HTTP/1.1" - - "-" "-" -')
    assert second.endswith(b'"- / HTTP/1.1" 200 - "-" "-" 0.500')


def test_no_text_breaks_out_of_its_field() -> None:
    """Quotes, backslashes, line ends and other alphabets are written as servers write them."""
    odd = Events(
        time=[0],
        status=[200],
        labels={"route": ['/a "b"\\\n\xe9'], "client": ["1.2.3.4 x"], "agent": ['x "y" z']},
    )
    assert b"".join(log_blocks(odd)) == (
        b"1.2.3.4x - - [01/Jan/1970:00:00:00 +0000] "
        b'"- /a%20\\x22b\\x22\\x5C\\x0A\\xC3\\xA9 HTTP/1.1" '
        b'200 - "-" "x \\x22y\\x22 z" -\n'
    )
    assert json.loads(b"".join(log_blocks(odd, "json")))["request_uri"] == '/a "b"\\\n\xe9'


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_no_events_make_a_log_without_lines(log_format: str, tmp_path: Path) -> None:
    """An empty log is a file, too; CSV keeps its header."""
    nothing = simulate(START, "1h", rate=0).events
    path = tmp_path / "empty.log"
    assert write_log(nothing, path, log_format) == 0  # type: ignore[arg-type]
    lines = path.read_text().splitlines()
    assert lines == (["time,status,duration_s,method,route,bytes"] if log_format == "csv" else [])


def test_the_same_events_make_the_same_file_also_compressed(
    traffic: Simulation, tmp_path: Path
) -> None:
    """Neither the clock nor the name of the file gets into it."""
    write_log(traffic.events, tmp_path / "one.gz")
    write_log(traffic.events, tmp_path / "two.log.gz")
    write_log(traffic.events, tmp_path / "plain.log")
    one = (tmp_path / "one.gz").read_bytes()
    assert one == (tmp_path / "two.log.gz").read_bytes()
    assert gzip.decompress(one) == (tmp_path / "plain.log").read_bytes()


def test_progress_is_told_block_by_block(traffic: Simulation, tmp_path: Path) -> None:
    """Lines so far rise to the number of events."""
    told: list[tuple[int, int]] = []
    write_log(
        traffic.events, tmp_path / "a.log", progress=lambda done, total: told.append((done, total))
    )
    assert told == [(32_768, len(traffic)), (len(traffic), len(traffic))]


def test_a_failure_midway_leaves_the_old_file_and_nothing_else(
    traffic: Simulation, tmp_path: Path
) -> None:
    """A log is there whole or not at all."""
    path = tmp_path / "a.log"
    path.write_text("before")

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_log(traffic.events, path, progress=fail)
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.log"]


@pytest.mark.posix
def test_a_link_stays_a_link(traffic: Simulation, tmp_path: Path) -> None:
    """What the link points to is replaced, not the link."""
    target, link = tmp_path / "real.log", tmp_path / "link.log"
    target.write_text("before")
    link.symlink_to(target)
    write_log(traffic.events, link)
    assert link.is_symlink()
    assert len(target.read_bytes().splitlines()) == len(traffic)


def test_what_cannot_be_written_is_said_in_one_line(traffic: Simulation, tmp_path: Path) -> None:
    """A folder, a folder that is not there, an unknown format."""
    with pytest.raises(SourceUnavailableError, match="is a directory; name a file in it"):
        write_log(traffic.events, tmp_path)
    with pytest.raises(SourceUnavailableError, match=r"cannot write .*No such file"):
        write_log(traffic.events, tmp_path / "missing" / "a.log")
    with pytest.raises(InvalidInputError, match='did you mean "combined"'):
        write_log(traffic.events, tmp_path / "a.log", "combind")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
