"""How the program ends: doubts, interrupts, closed pipes, defects. Bad input has its own page."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from errorbudget.cli import main
from tests.bad_files import lay

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, a table and many broken things, as the working directory."""
    monkeypatch.chdir(tmp_path)
    lay(tmp_path)
    return tmp_path


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


@pytest.mark.posix
def test_interrupt_is_quiet(folder: Path) -> None:
    """Ctrl-C ends with 130 and says nothing."""
    os.mkfifo(folder / "slow.log")
    process = start("report", "slow.log")
    deadline = time.monotonic() + 90
    while True:  # until it waits at the other end of the pipe
        try:
            pipe = os.open(folder / "slow.log", os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    os.close(pipe)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_closed_pipe_is_quiet(folder: Path) -> None:
    """When the reader goes away, nothing is complained about."""
    with start("history", "access.log", "--step", "1s", "--format", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=90) == 141


@pytest.mark.parametrize(("platform", "code"), [("win32", 141), ("linux", 2)])
def test_closed_pipe_as_windows_tells_it(
    platform: str, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invalid argument is a closed pipe on Windows, and a failure elsewhere."""
    with (folder / "out.txt").open("w", encoding="utf-8") as out:

        def write(_: str) -> int:
            raise OSError(errno.EINVAL, "Invalid argument")

        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(out, "write", write, raising=False)
        monkeypatch.setattr(sys, "platform", platform)
        assert main(["report", "access.log"]) == code
        monkeypatch.undo()


def test_standard_input_and_exit_codes_of_a_process(folder: Path) -> None:
    """The module runs as a program, reads standard input, and hands its exit code on."""
    process = start("report", "-", stdin=subprocess.PIPE)
    out, err = process.communicate((folder / "access.log").read_bytes(), timeout=90)
    assert (process.returncode, err) == (0, b"")
    assert b"events     50" in out
    process = start("report", "-", stdin=subprocess.DEVNULL)
    out, err = process.communicate(timeout=90)
    assert (process.returncode, out) == (3, b"")
    assert err.startswith(b"errorbudget: <stdin> is empty")


@pytest.mark.posix
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
    _, err = process.communicate(timeout=90)
    assert process.returncode == 2
    assert err == b"errorbudget: the command line needs click: pip install 'errorbudget[cli]'\n"
    process = start("--version", env=environment)
    out, _ = process.communicate(timeout=90)
    assert (process.returncode, out[:12]) == (0, b"errorbudget ")
