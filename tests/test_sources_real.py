"""Real logs: what is read equals what other tools count in the same files."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errorbudget.events import Events
from errorbudget.sources import read_events
from errorbudget.times import to_ns
from tests.shared import shared_path

LOGS = ("elastic_apache.log.gz", "elastic_apache.csv.gz", "elastic_apache.parquet")
NASA = ("nasa_19950801.csv.gz", "nasa_19950801.parquet")


def case_of(name: str) -> dict[str, Any]:
    """The figures that came with a data set."""
    path = shared_path(f"data/{name.partition('.')[0]}.case.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def status_counts(events: Events) -> dict[str, int]:
    """Events per status."""
    assert events.status is not None
    values, counts = np.unique(events.status, return_counts=True)
    return {
        str(value): count for value, count in zip(values.tolist(), counts.tolist(), strict=True)
    }


@pytest.mark.parametrize("name", LOGS + NASA)
def test_counts_equal_the_published_figures(name: str) -> None:
    """Rows, span, statuses and days are those of the case file, in every format."""
    case = case_of(name)
    events = read_events(shared_path(f"data/{name}"), errors="raise")
    inputs, figures = case["inputs"], case["expected"]
    assert len(events) == inputs["rows"]
    assert int(events.time[0]) == inputs["first_ms"] * 10**6
    assert int(events.time[-1]) == inputs["last_ms"] * 10**6
    assert (events.reading.out_of_order == 0) == inputs["sorted_by_time"]
    assert status_counts(events) == figures["status_counts"]
    assert events.duration_s is None
    for day, counts in figures["by_utc_day"].items():
        start = to_ns(f"{day}T00:00:00Z")
        within = events.take((events.time >= start) & (events.time < start + 86_400 * 10**9))
        assert within.status is not None
        families = Counter((within.status // 100).tolist())
        assert len(within) == counts["total"]
        assert (families[2], families[4], families[5]) == (
            counts["2xx"],
            counts["4xx"],
            counts["5xx"],
        )


def test_all_formats_of_one_log_agree() -> None:
    """The raw log, its CSV and its Parquet give the same times, statuses and methods."""
    raw, *others = (read_events(shared_path(f"data/{name}")) for name in LOGS)
    for other in others:
        assert np.array_equal(raw.time, other.time)
        assert raw.status is not None
        assert other.status is not None
        assert np.array_equal(raw.status, other.status)
        assert raw.labels["method"].decode() == other.labels["method"].decode()
    assert len(raw.labels["route"].values) > 1_000


def counted_by_shell(path: Path, program: str) -> str:
    """What a line of shell prints about a packed log."""
    for tool in ("gzip", "awk", "grep"):
        if shutil.which(tool) is None:
            pytest.skip(f"missing: {tool}; install it to compare with the shell")
    command = f"gzip -dc '{path}' | {program}"
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout


def test_counts_equal_those_of_awk_and_grep() -> None:
    """Statuses, methods and minutes counted from the raw lines by other tools are the same."""
    path = shared_path("data/elastic_apache.log.gz")
    events = read_events(path)
    said = counted_by_shell(path, "awk '{n[$9]++} END {for (s in n) print s, n[s]}'")
    assert status_counts(events) == {s: int(n) for s, n in map(str.split, said.splitlines())}
    posts = counted_by_shell(path, "grep -c '\"POST '")
    assert events.labels["method"].decode().count("POST") == int(posts)
    minutes = counted_by_shell(path, "awk '{print substr($4, 2, 17)}' | sort -u | grep -c .")
    assert len(np.unique(events.time // (60 * 10**9))) == int(minutes)
    routes = counted_by_shell(
        path, "awk '{sub(/\\?.*/, \"\", $7); print $7}' | grep -cx '/favicon.ico'"
    )
    assert events.labels["route"].decode().count("/favicon.ico") == int(routes)


def test_each_event_equals_its_line_read_by_hand() -> None:
    """A few lines of plain Python give the same time and status for every raw line."""
    import datetime as dt

    path = shared_path("data/elastic_apache.log.gz")
    by_hand = []
    for line in gzip.decompress(path.read_bytes()).decode("latin-1").splitlines():
        stamp = line.split("[", 1)[1].split("]", 1)[0]
        time = dt.datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z")
        status = int(line.split('" ', 1)[1][:3])
        by_hand.append((int(time.timestamp()) * 10**9, status))
    events = read_events(path)
    assert events.status is not None
    by_hand.sort(key=lambda row: row[0])
    assert events.time.tolist() == [time for time, _ in by_hand]
    assert events.status.tolist() == [status for _, status in by_hand]
