"""Every wrong input: one line with the cure, the right exit code, and never a traceback."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from errorbudget.cli import main

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

LINE = '192.0.2.1 - - [01/Mar/2026:12:00:{:02d} +0000] "GET /cart HTTP/1.1" {} 5\n'
SPEC = "{{name: {}, target: 99.9%, window: 30d, sli: {{kind: availability}}}}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, a table and many broken things, as the working directory."""
    monkeypatch.chdir(tmp_path)
    log = "".join(LINE.format(second, 200) for second in range(50))
    files = {
        "access.log": log.encode(),
        "empty.log": b"",
        "blank.log": b"\n\n",
        "binary.log": random.Random(1).randbytes(2_000),
        "odd.txt": b"hello this is not a log\n",
        "damaged.gz": b"\x1f\x8b\x08broken",
        "short.gz": gzip.compress(log.encode())[:-30],
        "headless.csv": b"a,b\n1,2\n",
        "naive.csv": b"time,status\n2026-03-01T12:00:00,200\n",
        "table.csv": b"time,status\n2026-03-01T12:00:00Z,200\n2026-03-01T11:59:59Z,500\n",
        "future.csv": b"time,status\n2026-03-01T12:00:00Z,200\n2199-01-01T00:00:00Z,500\n",
        "only-future.csv": b"time,status\n2199-01-01T00:00:00Z,500\n",
        "999.log": (LINE.format(1, 999) + LINE.format(2, 200)).encode(),
        "typo.yaml": b"slos:\n  - " + SPEC.format("a").replace("target", "traget").encode() + b"\n",
        "twice.yaml": f"slos:\n  - {SPEC.format('a')}\n  - {SPEC.format('a')}\n".encode(),
        "window.yaml": f"slos:\n  - {SPEC.format('a').replace('30d', '30 dayz')}\n".encode(),
        "percent.yaml": f"slos:\n  - {SPEC.format('a').replace('99.9%', '99.9')}\n".encode(),
        "tenant.yaml": b"slos:\n"
        + f"  - {SPEC.format('a')}\n".encode()
        + b"  - {name: b, target: 99%, window: 1d, "
        + b"sli: {kind: availability, where: {tenant: x}}}\n",
        "slow.yaml": b"slos: [{name: a, target: 99%, window: 1d, "
        b"sli: {kind: latency, threshold: 200ms}}]\n",
        "bare.yaml": b"slos: [{name: a, target: 99%, window: 1d, "
        b"sli: {kind: latency, threshold: 200}}]\n",
        "two.csv": b"time,status,status\n2026-03-01T12:00:00Z,200,500\n",
        "old.json": b'{"schema": "errorbudget.report/0", "at": "2026-03-01T12:00:00Z", "slos": []}',
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    return tmp_path


CASES = [
    ("report", 2, ["no files", "access.log", "report --help"]),
    ("report missing.log", 2, ["missing.log does not exist"]),
    ("report acess.log", 2, ['did you mean "access.log"']),
    ("report empty.log", 3, ["empty.log is empty"]),
    ("report blank.log", 3, ["blank.log holds only blank lines"]),
    ("report binary.log", 2, ["binary"]),
    ("report folder", 2, ["folder is a directory", "*.log"]),
    ("report damaged.gz", 2, ["damaged.gz is damaged", "gzip"]),
    ("report short.gz", 2, ["short.gz is cut short"]),
    ("report odd.txt", 2, ["hello this is not a log", "tried", "combined", "CSV"]),
    ("report access.log --target 99.9", 2, ["got 99.9", 'write "99.9%"']),
    ("report access.log --target 0", 2, ["target must be"]),
    ("report access.log --window 30_dayz", 2, ["30 dayz", 'did you mean "day"']),
    ("report table.csv --columns status=cod", 2, ['no column "cod"', "there are time, status"]),
    ("report access.log --where rout=/cart", 2, ['"rout"', 'did you mean "route"']),
    ("report access.log --where route", 2, ["--where wants NAME=VALUE"]),
    ("report headless.csv", 2, ["no column of times", "--columns time=NAME"]),
    ("report naive.csv", 2, ["no zone", "--zone UTC"]),
    ("report access.log --at 2026-03-01T12:00", 2, ["no time zone", 'add "Z"']),
    ("report access.log --at yesterday", 2, ["not a time"]),
    ("report only-future.csv", 3, ["future", "check the clock"]),
    ("report 999.log --strict", 2, ["line 1", "status 999"]),
    ("report access.log --at 2020-01-01T00:00:00Z", 3, ["no data"]),
    ("report -s typo.yaml access.log", 2, ["typo.yaml:2", '"traget"', 'did you mean "target"']),
    ("report -s twice.yaml access.log", 2, ['"a"', "second"]),
    ("report -s window.yaml access.log", 2, ["window.yaml:2", "30 dayz"]),
    ("report -s percent.yaml access.log", 2, ["percent.yaml:2", "99.9%"]),
    ("report -s missing.yaml access.log", 2, ["missing.yaml"]),
    ("report -s tenant.yaml access.log", 2, ['"tenant"', "--slo NAME"]),
    ("report -s twice.yaml --target 99% access.log", 2, ["--target", "with -s write it in"]),
    ("report access.log --slo availabilty", 2, ['did you mean "availability"']),
    ("report access.log --format xml", 2, ["xml", "'json'"]),
    ("report access.log --fromat json", 2, ["--fromat", "--format"]),
    ("report access.log -o folder", 2, ["folder is a directory"]),
    ("report - -", 2, ["only once"]),
    ("report access.log access.log", 2, ["given twice"]),
    ("report table.csv -o table.csv", 2, ["table.csv is read here"]),
    ("report access.log -o nowhere/page.html", 2, ["there is no folder nowhere"]),
    ("report access.log -o page.pdf", 2, ['".pdf"', ".html"]),
    ("report two.csv", 2, ["status more than once"]),
    ("report -s slow.yaml access.log", 2, ["no durations", "--columns duration=NAME"]),
    ("report -s bare.yaml access.log", 2, ["bare.yaml", 'write "200ms"']),
    ("report access.log --target 100.1%", 2, ["at most 1, got 100.1%"]),
    ("reprt access.log", 2, ['no command "reprt"', 'did you mean "report"']),
    ("validate typo.yaml", 1, ["typo.yaml:2", 'did you mean "target"']),
    ("validate missing.yaml", 2, ["missing.yaml"]),
    ("gate old.json", 2, ["errorbudget.report/0", "errorbudget.report/1"]),
    ("gate access.log --max-burn 1x=3", 2, ['"1x"']),
    ("gate access.log --max-burn 1h=fast", 2, ["WINDOW=RATE", "1h=14.4"]),
    ("gate access.log --min-remaining 20", 2, ['for percent write "20%"']),
    ("gate access.log --override _", 2, ["--override wants a reason"]),
    ("gate empty.log", 3, []),
    ("history access.log --format png", 2, ["-o history.png"]),
    ("history access.log --step 0s", 2, ["longer than 0"]),
    ("allowance", 2, ["--nines"]),
    ("allowance 99.9", 2, ['write "99.9%"']),
    ("allowance 99.9% --rate fast", 2, ['"fast"', "1000/s"]),
    ("allowance --downtime 5m", 2, ["--per"]),
    ("allowance --downtime 2w --per 1w", 2, ["shorter than its period"]),
    ("simulate -o x.log --days -1", 2, ["days must be"]),
    ("schema nothing", 2, ["'report'"]),
]


@pytest.mark.parametrize(("command", "code", "said"), CASES, ids=[case[0] for case in CASES])
def test_wrong_input(
    command: str, code: int, said: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong input gives one line that names it and the cure, and the promised exit code."""
    words = [word.replace("_", " ") for word in command.split()]
    assert main(words) == code
    captured = capsys.readouterr()
    message = captured.err or captured.out
    assert len(message.strip().splitlines()) == 1 or command.startswith("validate")
    assert "Traceback" not in message
    if captured.err:
        assert all(line.startswith("errorbudget: ") for line in captured.err.splitlines())
    for part in said:
        assert part in message
    assert sorted(path.name for path in folder.iterdir() if ".part" in path.name) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("report table.csv", "1 of 2 events were out of time order, sorted"),
        ("report future.csv", "1 events lie in the future, left out"),
        ("report 999.log", "999.log:1: status 999 is not one of 100 to 599"),
        ("report naive.csv --zone Europe/Berlin", "2026-03-01 11:00:00Z"),
        ("report access.log", "These objectives are defaults"),
        ("report access.log", "2026-03-01T12:00:49Z, the end of the data"),
        ("report access.log --at 2026-03-02T00:00Z", "2026-03-02T00:00:00Z, as asked for"),
    ],
)
def test_accepted_and_said(
    command: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is doubtful but legal is reported, and the report says so."""
    assert main(command.split()) == 0
    assert said in capsys.readouterr().out


def start(*words: str, **options: object) -> subprocess.Popen[bytes]:
    """The command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "errorbudget", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


def test_interrupt_is_quiet(folder: Path) -> None:
    """Ctrl-C ends with 130 and says nothing."""
    os.mkfifo(folder / "slow.log")
    process = start("report", "slow.log")
    time.sleep(1.0)  # until it waits for the other end of the pipe
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_closed_pipe_is_quiet(folder: Path) -> None:
    """When the reader goes away, nothing is complained about."""
    with start("history", "access.log", "--step", "1s", "--format", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=20) == 141


def test_standard_input_and_exit_codes_of_a_process(folder: Path) -> None:
    """The module runs as a program, reads standard input, and hands its exit code on."""
    process = start("report", "-", stdin=subprocess.PIPE)
    out, err = process.communicate((folder / "access.log").read_bytes(), timeout=20)
    assert (process.returncode, err) == (0, b"")
    assert b"events     50" in out
    process = start("report", "-", stdin=subprocess.DEVNULL)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (3, b"")
    assert err.startswith(b"errorbudget: <stdin> is empty")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_closed_streams(folder: Path, closed: str) -> None:
    """A closed stream is no answer: the gate's exit code stays what the gate says."""
    redirect = "2>&- >out.txt" if closed == "stderr" else ">&-"
    codes = {}
    for command in ("gate", "report"):
        program = f"{sys.executable} -m errorbudget {command} access.log --slo availability"
        done = subprocess.run(
            ["sh", "-c", f"{program} {redirect}"], cwd=folder, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stderr
        codes[command] = done.returncode
    # A gate answers by its exit code alone; a report that nobody can read is a wrong question.
    assert codes == {"gate": 0, "report": 0 if closed == "stderr" else 2}


def test_a_defect_is_never_an_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the program itself gets wrong has an exit code of its own, not that of a closed gate."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("errorbudget.cli._run", broken)
    assert main(["gate", "access.log"]) == 70
    assert capsys.readouterr().err.startswith("errorbudget: a defect, please report it")


def test_debug_shows_where_it_came_from(folder: Path) -> None:
    """With --debug, anywhere in the line, the error is raised as it is."""
    with pytest.raises(Exception, match="does not exist"):
        main(["report", "missing.log", "--debug"])


def test_without_click_the_cure_is_named(folder: Path) -> None:
    """A missing extra is one line too, and the version needs none."""
    (folder / "shadow").mkdir()
    (folder / "shadow" / "click.py").write_text("raise ModuleNotFoundError(name='click')")
    environment = {**os.environ, "PYTHONPATH": str(folder / "shadow")}
    process = start("report", "access.log", env=environment)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err == b"errorbudget: the command line needs click: pip install 'errorbudget[cli]'\n"
    process = start("--version", env=environment)
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, out[:12]) == (0, b"errorbudget ")
