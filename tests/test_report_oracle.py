"""
Every figure of the report against one worked out here, from the raw lines, in fractions.

Nothing of the library is used on the way to the expected values: a regular expression reads the
lines, and the definitions are written out.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from errorbudget.cli import main
from tests.shared import shared_path

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")

SECOND, HOUR, DAY = 10**9, 3_600 * 10**9, 86_400 * 10**9
BURN_WINDOWS = {
    "5m": HOUR // 12,
    "30m": HOUR // 2,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
}
ALERTS = {
    "page-fast": (Fraction(144, 10), "1h", "5m"),
    "page-slow": (Fraction(6), "6h", "30m"),
    "ticket-fast": (Fraction(3), "1d", "2h"),
    "ticket-slow": (Fraction(1), "3d", "6h"),
}


@dataclass
class Expected:
    """What one SLO should say: exact figures."""

    total: int
    bad: int
    allowed: Fraction
    burn: dict[str, Fraction | None]

    @property
    def sli(self) -> Fraction | None:
        return Fraction(self.total - self.bad, self.total) if self.total else None

    @property
    def remaining(self) -> Fraction | None:
        return 1 - self.bad / self.allowed if self.total else None

    @property
    def tier(self) -> str | None:
        left = self.remaining
        if left is None:
            return None
        if left > Fraction(1, 2):
            return "healthy"
        return "consuming" if left >= Fraction(1, 5) else "low" if left > 0 else "exhausted"

    @property
    def risk(self) -> str | None:
        left = self.remaining
        if left is None:
            return None
        if left > Fraction(3, 4):
            return "high"
        return (
            "medium" if left >= Fraction(1, 2) else "low" if left >= Fraction(1, 4) else "critical"
        )

    @property
    def firing(self) -> set[str]:
        return {
            name
            for name, (threshold, *windows) in ALERTS.items()
            if all((self.burn[window] or 0) > threshold for window in windows)
        }


@cache
def apache() -> list[tuple[int, int]]:
    """Time [ns] and status of every line of the log, by a regular expression."""
    path = shared_path("data/elastic_apache.log.gz")
    line = re.compile(r'\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] ".*" (\d{3}) ')
    rows = []
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        for text in file:
            found = line.search(text)
            assert found is not None, text
            at = dt.datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S %z")
            rows.append((int(at.timestamp()) * SECOND, int(found[2])))
    return rows


@cache
def nasa() -> list[tuple[int, int]]:
    """The same of the NASA log, from its CSV."""
    with gzip.open(shared_path("data/nasa_19950801.csv.gz"), "rt") as file:
        return [(int(row["ts_ms"]) * 10**6, int(row["status"])) for row in csv.DictReader(file)]


def expected(
    rows: list[tuple[int, int]], at: int, error: Fraction, *, only_2xx: bool, window: int = 30 * DAY
) -> Expected:
    """The figures at *at*, from the definitions: windows (t - w, t], bad / (total x error)."""

    def counted(length: int) -> tuple[int, int]:
        statuses = [status for time, status in rows if at - length < time <= at]
        bad = [status for status in statuses if (status // 100 != 2 if only_2xx else status >= 500)]
        return len(statuses), len(bad)

    total, bad = counted(window)
    burn = {}
    for name, length in BURN_WINDOWS.items():
        seen, failed = counted(length)
        burn[name] = failed / (seen * error) if seen else None
    return Expected(total, bad, total * error, burn)


def report(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The JSON report of *path*."""
    code = main(["report", str(path), "--format", "json", "--no-progress", *options])
    captured = capsys.readouterr()
    assert code in (0, 3), captured.err
    found: dict[str, Any] = json.loads(captured.out)
    return found


def check(slo: dict[str, Any], want: Expected, error: Fraction, window: int = 30 * DAY) -> None:
    """Every figure of the JSON is the nearest float of the exact one, every verdict follows it."""

    def near(figure: object, exact: Fraction | None) -> bool:
        return figure == (None if exact is None else float(exact))

    assert slo["counts"]["total"] == want.total
    assert slo["counts"]["bad"] == want.bad
    assert slo["counts"]["good"] == want.total - want.bad
    assert near(slo["sli"], want.sli)
    state = "no_data" if not want.total else "met" if want.bad <= want.allowed else "missed"
    assert slo["state"] == state
    budget = slo["budget"]
    assert near(budget["allowed"], want.allowed)
    assert near(budget["remaining"], want.allowed - want.bad)
    assert near(budget["remaining_ratio"], want.remaining)
    whole = error * window / SECOND
    assert near(budget["allowed_time_s"], whole)
    left = want.remaining
    assert near(budget["remaining_time_s"], None if left is None else left * whole)
    assert set(slo["burn_rates"]) == set(BURN_WINDOWS)
    for name, exact in want.burn.items():
        assert near(slo["burn_rates"][name], exact), name
    assert slo["tier"] == want.tier
    assert slo["risk"] == want.risk
    assert {one["name"] for one in slo["alerts"] if one["state"] == "firing"} == want.firing


ERROR = Fraction(1, 1_000)


@pytest.mark.parametrize(
    "at",
    [
        None,
        "2015-05-17T10:05:03Z",
        "2015-05-18T04:05:30Z",
        "2015-05-19T12:00:00Z",
        "2015-05-20T21:05:59Z",
        "2015-06-18T00:00:00Z",
        "2014-01-01T00:00:00Z",
    ],
)
def test_apache_log(at: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """At several instants of a real log, before and after it too, all figures are exact."""
    rows = apache()
    options = [] if at is None else ["--at", at]
    found = report(shared_path("data/elastic_apache.log.gz"), capsys, *options)
    end = max(time for time, _ in rows)
    at_ns = end if at is None else int(dt.datetime.fromisoformat(at).timestamp()) * SECOND
    by_name = {slo["name"]: slo for slo in found["slos"]}
    assert list(by_name) == ["availability", "success-2xx"]
    check(by_name["availability"], expected(rows, at_ns, ERROR, only_2xx=False), ERROR)
    check(by_name["success-2xx"], expected(rows, at_ns, ERROR, only_2xx=True), ERROR)
    statuses = [status for _, status in rows]
    assert found["data"]["events"] == len(rows) == 10_000
    assert found["data"]["statuses"] == {
        str(code): statuses.count(code) for code in sorted(set(statuses))
    }


@pytest.mark.parametrize("target", ["90%", "91.71%", "99.97%", "99.99%"])
def test_other_targets_and_windows(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With another target and window the figures follow, exactly on the target too."""
    rows = apache()
    error = 1 - Fraction(target.removesuffix("%")) / 100
    found = report(
        shared_path("data/elastic_apache.log.gz"), capsys, "--target", target, "--window", "10d"
    )
    end = max(time for time, _ in rows)
    for slo, only_2xx in zip(found["slos"], (False, True), strict=True):
        want = expected(rows, end, error, only_2xx=only_2xx, window=10 * DAY)
        assert slo["counts"]["bad"] == want.bad
        assert slo["budget"]["remaining_ratio"] == float(want.remaining or 0)
        assert slo["tier"] == want.tier
        assert slo["state"] == ("met" if want.bad <= want.allowed else "missed")


@pytest.mark.parametrize("at", [None, "1995-08-01T12:34:56Z", "1995-08-02T00:00:00Z"])
def test_nasa_table(at: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """A CSV with other column names, a missing duration and hours of silence."""
    rows = nasa()
    options = [] if at is None else ["--at", at]
    found = report(shared_path("data/nasa_19950801.csv.gz"), capsys, *options)
    end = max(time for time, _ in rows)
    at_ns = end if at is None else int(dt.datetime.fromisoformat(at).timestamp()) * SECOND
    by_name = {slo["name"]: slo for slo in found["slos"]}
    check(by_name["availability"], expected(rows, at_ns, ERROR, only_2xx=False), ERROR)
    check(by_name["success-2xx"], expected(rows, at_ns, ERROR, only_2xx=True), ERROR)


# ---------------------------------------------------------------------------- shown figures


def numbers(line: str) -> list[str]:
    """The figures in a line of text, with their units."""
    return re.findall(r"[<>]?-?\d[\d,]*(?:\.\d+)?(?:%| (?:ms|s|min|h|d)\b)?", line)


UNITS = {"ms": Fraction(1, 1000), "s": 1, "min": 60, "h": 3_600, "d": 86_400}


def agrees(shown: str, exact: Fraction) -> bool:
    """Whether a rounded figure is the exact one, to half of its last digit."""
    text, _, unit = shown.partition(" ")
    scale = Fraction(UNITS[unit]) if unit else Fraction(1, 100) if text.endswith("%") else 1
    text = text.rstrip("%").replace(",", "")
    half = Fraction(1, 2 * 10 ** len(text.partition(".")[2]))
    return abs(Fraction(text) * scale - exact) <= half * scale


@pytest.mark.parametrize("at", ["2015-05-18T04:05:30Z", "2015-05-20T21:05:59Z"])
def test_text_shows_the_exact_figures(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each number on the screen is the exact one rounded, on the same side of 0."""
    pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
    rows = apache()
    path = shared_path("data/elastic_apache.log.gz")
    assert main(["report", str(path), "--at", at, "--no-progress"]) == 0
    blocks = re.split(r"^── ", capsys.readouterr().out, flags=re.MULTILINE)[1:]
    at_ns = int(dt.datetime.fromisoformat(at).timestamp()) * SECOND
    whole = ERROR * 30 * DAY / SECOND
    for block, only_2xx in zip(blocks, (False, True), strict=True):
        want = expected(rows, at_ns, ERROR, only_2xx=only_2xx)
        assert want.sli is not None
        assert want.remaining is not None
        every = block.splitlines()
        lines = {line.split()[0]: line.split(None, 1)[1] for line in every if " " in line.strip()}
        exact = [want.sli, want.total - want.bad, want.bad, want.total]
        assert all(map(agrees, numbers(lines["SLI"]), map(Fraction, exact)))
        spent = 1 - want.remaining
        assert all(map(agrees, numbers(lines["spent"]), [Fraction(want.bad), spent, spent * whole]))
        left = [
            want.allowed - want.bad,
            want.allowed,
            want.remaining,
            want.remaining * whole,
            whole,
        ]
        assert len(numbers(lines["left"])) == len(left)
        assert all(map(agrees, numbers(lines["left"]), left))
        heads = next(line for line in every if "burn rate" in line).split()[2:]
        rates = every[next(i for i, line in enumerate(every) if "burn rate" in line) + 1]
        for window, shown in zip(heads, rates.split(), strict=True):
            rate = want.burn[window]
            assert shown == "-" if rate is None else agrees(shown, rate), window
        assert lines["tier"].startswith(str(want.tier))
        assert lines["risk"].startswith(str(want.risk))


def test_minutes_and_events_tell_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The share of minutes left is the share of events left."""
    found = report(shared_path("data/elastic_apache.log.gz"), capsys)
    for slo in found["slos"]:
        budget = slo["budget"]
        by_events = budget["remaining"] / budget["allowed"]
        by_time = budget["remaining_time_s"] / budget["allowed_time_s"]
        assert math.isclose(by_events, by_time)
        assert math.isclose(by_events, budget["remaining_ratio"])
