"""Tables of counts are read as the counts they are, and never as events."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from errorbudget.cli import main
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError, SourceFormatError
from errorbudget.series import CountSeries
from errorbudget.sources import read_events
from errorbudget.sources.count_table import read_count_table
from errorbudget.sources.log_writer import write_log
from errorbudget.studies.simulate import shop

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

Captured = pytest.CaptureFixture[str]
END = "2026-03-04T00:00:00Z"
MINUTES = [f"2026-03-01T00:0{minute}:00Z" for minute in range(1, 6)]


def table(head: str, *rows: str) -> io.BytesIO:
    """A CSV file, whose n-th row is of the n-th minute."""
    lines = [f"{at},{row}" for at, row in zip(MINUTES, rows, strict=False)]
    return io.BytesIO("\n".join([f"time,{head}", *lines, ""]).encode())


def counts(series: CountSeries) -> list[tuple[int, int]]:
    """Good and total of each bin."""
    return list(zip(series.good.tolist(), series.total.tolist(), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days as a log and as counts by minute, for a rolling window and a month."""
    folder = tmp_path_factory.mktemp("counts")
    days = shop("2026-03-01T00:00:00Z", 3, 30)
    write_log(days.events, folder / "events.csv", "csv")
    words = ["simulate", "--days", "3", "--log-format", "counts", "-o"]
    assert main([*words, str(folder / "counts.csv")]) == 0
    (folder / "slos.yaml").write_text(
        "slos:\n"
        "  - {name: api, target: 99.5%, window: 3d, sli: {kind: availability}}\n"
        "  - {name: month, target: 99.5%, window: calendar month, sli: {kind: availability}}\n"
    )
    return folder


def run(words: list[str], capsys: Captured) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    capsys.readouterr()
    code = main(words)
    return code, *capsys.readouterr()


def asked(folder: Path, command: str, file: str, slo: str = "api") -> list[str]:
    """*command* over *file* for one objective at the end of the three days."""
    spec = str(folder / "slos.yaml")
    return [command, str(folder / file), "-s", spec, "--slo", slo, "--at", END]


@pytest.mark.parametrize("slo", ["api", "month"])
def test_a_report_of_counts_has_the_figures_of_the_log(
    folder: Path, slo: str, capsys: Captured
) -> None:
    """All but the coverage, which begins with the first bin instead of the first event."""
    found = []
    for file in ("events.csv", "counts.csv"):
        code, out, _ = run([*asked(folder, "report", file, slo), "-f", "json"], capsys)
        (status,) = json.loads(out)["slos"]
        found.append((code, {**status, "coverage": None}))
    assert found[0][1]["counts"]["total"] == 37_333
    assert found[0] == found[1]


def test_a_history_of_counts_is_that_of_the_log(folder: Path, capsys: Captured) -> None:
    """Point for point, where both begin at one instant."""
    found = []
    for file in ("events.csv", "counts.csv"):
        words = asked(folder, "history", file)
        code, out, _ = run([*words, "--start", "2026-03-02T00:00Z", "-f", "json"], capsys)
        points = json.loads(out)["slos"][0]["points"]
        found.append((code, [{**point, "coverage": None} for point in points]))
    assert len(found[0][1]) == 49
    assert found[0] == found[1]


@pytest.mark.parametrize("limits", [[], ["--max-burn", "1h=0.01"], ["--min-remaining", "60%"]])
def test_a_gate_over_counts_opens_and_closes_as_over_the_log(
    folder: Path, limits: list[str], capsys: Captured
) -> None:
    """One exit code, one verdict."""
    answers = [
        run([*asked(folder, "gate", file), *limits], capsys)[:2]
        for file in ("events.csv", "counts.csv")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == (1 if limits else 0)


def test_a_backtest_of_counts_is_that_of_the_log(folder: Path, capsys: Captured) -> None:
    """The studies take their bins as they are."""
    found = []
    for file in ("events.csv", "counts.csv"):
        words = [*asked(folder, "backtest", file), "--start", "2026-03-01T00:01:00Z"]
        code, out, _ = run([*words, "-f", "json"], capsys)
        found.append((code, json.loads(out)))
    assert found[0][0] == 0
    assert found[0] == found[1]


@pytest.mark.parametrize("command", ["forecast", "advise", "confidence", "review", "incidents"])
def test_other_studies_answer_over_counts(folder: Path, command: str, capsys: Captured) -> None:
    """Each says what it took the table for."""
    words = asked(folder, command, "counts.csv")
    if command == "review":
        words += ["--period", "weekly"]
    code, out, err = run(words, capsys)
    assert (code, bool(out)) == (0, True), err
    assert 'a table of counts, taken for SLO "api": CountSeries(4,320 bins of 1m, ' in err


def test_a_default_objective_judges_counts(folder: Path, capsys: Captured) -> None:
    """With the target and the window of the command line."""
    words = ["report", str(folder / "counts.csv"), "--target", "99%", "--window", "2d"]
    code, out, _ = run([*words, "-f", "json"], capsys)
    (status,) = json.loads(out)["slos"]
    assert (code, status["name"], status["objective"]["target"]) == (0, "good-events", "99%")
    assert status["objective"]["window"] == "2d"


def test_counts_are_of_one_objective_and_have_no_labels(folder: Path, capsys: Captured) -> None:
    """What they cannot say is refused in words, with exit code 2."""
    file, spec = str(folder / "counts.csv"), str(folder / "slos.yaml")
    for words, said in (
        (
            ["report", file, "-s", spec],
            "of one objective; say which with --slo; there are api, mon",
        ),
        (["report", file, "--where", "route=/cart"], "--where is for events, and "),
        (
            [*asked(folder, "attribute", "counts.csv"), "--by", "route"],
            "only events know their route",
        ),
        (["report", file, "--columns", "route=good"], 'can be named, not "route"'),
        (["report", file, str(folder / "events.csv")], "events.csv is no table of counts"),
        (
            ["report", file, "--watch"],
            "is a table of counts (columns good, total), not of single events",
        ),
    ):
        code, out, err = run(words, capsys)
        assert (code, out) == (2, ""), words
        assert said in err


def test_slower_bins_than_minutes_are_studied(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    """A table by the hour has hours as its bins."""
    rows = [f"2026-03-0{day}T{hour:02d}:00:00Z,58,60" for day in (1, 2) for hour in range(24)]
    (tmp_path / "hours.csv").write_text("\n".join(["time,good,total", *rows, ""]))
    words = ["confidence", str(tmp_path / "hours.csv"), "--window", "2d", "--target", "90%"]
    code, _, err = run(words, capsys)
    assert code == 0, err
    assert "CountSeries(48 bins of 1h, " in err


def test_two_of_three_columns_are_enough() -> None:
    """And all three must agree."""
    expected = [(8, 10), (7, 7)]
    for head, rows in (
        ("good,total", ("8,10", "7,7")),
        ("Total,Bad", ("10,2", "7,0")),
        ("bad,good", ("2,8", "0,7")),
        ("total,bad,good,region", ("10,2,8,eu", "7,0,7,eu")),
    ):
        series = read_count_table(table(head, *rows)).series
        assert counts(series) == expected
        assert (series.step_ns, series.closed) == (60 * 10**9, "right")


def test_json_lines_and_parquet_hold_counts_too(tmp_path: Path) -> None:
    """The same columns, and numeric times whose unit is noted."""
    lines = [{"time": 1_772_323_260 + 60 * n, "good": 8, "total": 10} for n in range(3)]
    found = read_count_table(io.BytesIO("\n".join(map(json.dumps, lines)).encode()))
    assert counts(found.series) == [(8, 10)] * 3
    assert any("are taken for s since 1970" in note for note in found.notes)
    pa = pytest.importorskip(
        "pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'"
    )
    from pyarrow import parquet

    time = np.array([each["time"] for each in lines]).astype("datetime64[s]")
    parquet.write_table(
        pa.table({"minute": time, "good": [8, 8, 8], "bad": [2, 2, 2]}), tmp_path / "c.parquet"
    )
    typed = read_count_table(tmp_path / "c.parquet", columns={"time": "minute"}).series
    assert counts(typed) == [(8, 10)] * 3
    assert typed.label_ns.tolist() == found.series.label_ns.tolist()


def test_a_missing_bin_had_no_requests_and_order_does_not_matter() -> None:
    """As in any count series."""
    text = table("good,total", "1,1", "2,2", "3,3", "4,4").getvalue().splitlines()
    series = read_count_table(io.BytesIO(b"\n".join([text[0], text[4], text[1], text[2]]))).series
    assert counts(series) == [(1, 1), (2, 2), (4, 4)]
    assert series.span is not None
    assert series.span[1] - series.span[0] == 4 * 60 * 10**9


def test_several_files_add_up() -> None:
    """Two hosts of one service; bins of another length are refused."""
    one, other = table("good,total", "8,10", "7,7"), table("bad,total", "1,1", "0,1", "2,4")
    assert counts(read_count_table([one, other]).series) == [(8, 11), (8, 8), (2, 4)]
    hours = io.BytesIO(b"time,good,total\n2026-03-01T01:00:00Z,1,1\n2026-03-01T02:00:00Z,1,1\n")
    with pytest.raises(InvalidSeriesError, match="has bins of 1h, and those before it of 1m"):
        read_count_table([table("good,total", "8,10", "7,7"), hours])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (table("good,total", "9,8", "1,1"), "must add up to total, got good 9, total 8 at 2026-03"),
        (table("bad,total", "9,8", "1,1"), "must add up to total, got bad 9, total 8 at 2026-03"),
        (
            table("good,bad,total", "1,1,3", "1,0,1"),
            "got good 1, bad 1, total 3 at 2026-03-01T00:0",
        ),
        (
            table("good,total", "1,1", "-1,1"),
            "good must be a whole number from 0, below 2**53, got -1",
        ),
        (table("good,total", "1,1", "0.5,1"), "got 0.5 at 2026-03-01T00:02:00Z"),
        (table("good,total", "1,9007199254740993", "1,1"), "total must be a whole number from 0"),
        (table("good,total", "1,1", ",1"), "got nan at 2026-03-01T00:02:00Z"),
        (table("good,total", "1,1", "many,1"), "line 3: "),
        (table("good,total", "1,1"), "a single row, which does not say how long a bin is"),
        (
            io.BytesIO(b"time,good,total\n" + b"2026-03-01T00:01:00Z,1,1\n" * 2),
            "has two rows for 2026",
        ),
        (
            io.BytesIO(
                b"time,good,total\n2026-03-01T00:01:00Z,1,1\n2026-03-01T00:02:00Z,1,1\n"
                b"2026-03-01T00:03:30Z,1,1\n"
            ),
            "bins of 1m, the smallest distance of two rows, must end on multiples of it",
        ),
        (
            io.BytesIO(b"time,good,total\n2026-03-01T00:01:30Z,1,1\n2026-03-01T00:02:30Z,1,1\n"),
            "one ends at 2026-03-01T00:02:30Z",
        ),
        (table("status,took", "200,1"), "is no table of counts, which has two of the columns"),
        (
            io.BytesIO(b'192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5\n'),
            "is an access log, not a table of counts",
        ),
    ],
)
def test_a_table_is_read_whole_or_not_at_all(file: io.BytesIO, said: str) -> None:
    """No row is skipped, and what is wrong is named with its time or its line."""
    file.seek(0)
    with pytest.raises(SourceFormatError) as caught:
        read_count_table(file)
    assert said in str(caught.value)


def test_a_table_without_rows_has_no_counts() -> None:
    """And only the column of times can be named."""
    with pytest.raises(NoDataError):
        read_count_table(table("good,total"))
    with pytest.raises(InvalidInputError, match='"time" can be named, not "good"'):
        read_count_table(table("good,total", "1,1"), columns={"good": "good"})


def test_bins_that_end_in_the_future_are_left_out_and_noted() -> None:
    """As events are."""
    found = read_count_table(table("good,total", "1,1", "2,2", "3,3"), now=MINUTES[1])
    assert counts(found.series) == [(1, 1), (2, 2)]
    assert found.notes == ("<stream>: 1 events lie in the future, left out",)


def test_counts_are_never_read_as_events() -> None:
    """Small ones least of all: a minute of one good request is no good event."""
    for head, rows in (("good,total", ("1,1", "0,1")), ("total,bad", ("60,2", "58,0"))):
        with pytest.raises(SourceFormatError, match="is a table of counts"):
            read_events(table(head, *rows))


def test_events_with_a_column_of_that_name_stay_events() -> None:
    """A verdict in words, a status, a duration, a broken number, or who says so."""
    for head, rows in (
        ("good,total", ("true,60", "false,5")),
        ("good,total,status", ("1,60,200", "0,5,500")),
        ("good,total,took", ("1,60,0.1", "0,5,0.2")),
        ("good,total", ("1,59.90", "0,5.50")),
    ):
        good = read_events(table(head, *rows)).good
        assert good is not None
        assert good.tolist() == [True, False]
    named = read_events(table("good,total", "1,60", "0,5"), columns={"good": "good"})
    assert named.good is not None
    assert named.good.tolist() == [True, False]


def test_a_table_that_is_mostly_something_else_is_no_answer(
    tmp_path: Path, capsys: Captured
) -> None:
    """More than half of its lines, header and all; half of them are still skipped and counted."""
    (tmp_path / "odd.csv").write_bytes(table("status", "200", "999", "999", "999").getvalue())
    (tmp_path / "even.csv").write_bytes(
        table("status", "200", "200", "999", "999", "999").getvalue()
    )
    code, out, err = run(["gate", str(tmp_path / "odd.csv")], capsys)
    assert (code, out) == (2, "")
    assert "odd.csv: 3 of 5 lines could not be read, more than half, so its columns may" in err
    code, _, err = run(["gate", str(tmp_path / "even.csv"), "--slo", "availability"], capsys)
    assert (code, err) == (0, "")


def test_a_log_that_is_mostly_something_else_is_said(tmp_path: Path, capsys: Captured) -> None:
    """Its requests may stand between other lines, so they count, with a warning."""
    line = '192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
    (tmp_path / "mixed.log").write_text(line + "starting\nstarted\n")
    code, _, err = run(["gate", str(tmp_path / "mixed.log"), "--slo", "availability"], capsys)
    assert code == 0
    assert "warning: " in err
    assert "mixed.log: 2 of 3 lines could not be read, more than half, and took no part" in err
    (tmp_path / "even.log").write_text(line + "started\n")
    assert "warning" not in run(["gate", str(tmp_path / "even.log")], capsys)[2]
