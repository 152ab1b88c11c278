"""The terminal's report: any width, any encoding, colour only where it is wanted."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import errorbudget as eb

pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")

from errorbudget.cli.screen import screen
from errorbudget.report import default_slos, document

pty = pytest.importorskip("pty", reason="terminals are tried on POSIX alone")
fcntl = pytest.importorskip("fcntl", reason="terminals are tried on POSIX alone")
termios = pytest.importorskip("termios", reason="terminals are tried on POSIX alone")

T0 = 1_772_366_400_000_000_000
LINE = '192.0.2.1 - - [01/Mar/2026:12:{:02d}:00 +0000] "GET / HTTP/1.1" {} 5 "-" "-" 0.1\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An hour of requests, some of which failed."""
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(n, 500 if n in (7, 50) else 200) for n in range(60)))
    return path


def on_terminal(width: int, *words: str, **environment: str) -> str:
    """What the command prints on a terminal of this width."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 100, width, 0, 0))
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "CI")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "errorbudget", *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**plain, "TERM": "xterm-256color", "PYTHONUTF8": "1", **environment},
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(mine, 65_536)
        except OSError:
            break  # the other end is closed
        if not piece:
            break
        text += piece
    os.close(mine)
    assert process.wait(timeout=20) == 0
    return text.decode("utf-8").replace("\r\n", "\n")


def bare(text: str) -> str:
    """Text without its colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int, log: Path) -> None:
    """Every figure is there at every width, and nothing is cut off."""
    text = bare(on_terminal(width, "report", str(log)))
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for part in ("availability", "success-2xx", "latency-200ms", "page-fast", "exhausted"):
        assert part in text


def test_colour_on_a_terminal_alone(log: Path) -> None:
    """Colour on a terminal, none with NO_COLOR, none in a pipe."""
    assert "\x1b[" in on_terminal(100, "report", str(log))
    styled = on_terminal(100, "report", str(log), NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3\d", styled)
    done = subprocess.run(
        [sys.executable, "-m", "errorbudget", "report", str(log)], capture_output=True, check=True
    )
    assert b"\x1b" not in done.stdout


def test_colour_in_a_pipe_where_it_is_asked_for(log: Path) -> None:
    """FORCE_COLOR colours a pipe; NO_COLOR beside it wins."""
    command = [sys.executable, "-m", "errorbudget", "report", str(log)]
    for extra, coloured in (
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **extra})
        assert bool(re.search(rb"\x1b\[[\d;]*3\d", done.stdout)) == coloured


def test_a_pipe_is_not_wrapped(log: Path) -> None:
    """Without COLUMNS a pipe gets each sentence on one line; with it, its width."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    widths = []
    for extra in ({}, {"COLUMNS": "70"}):
        done = subprocess.run(
            [sys.executable, "-m", "errorbudget", "report", str(log)],
            capture_output=True,
            check=True,
            encoding="utf-8",
            env={**environment, **extra, "PYTHONUTF8": "1"},
        )
        widths.append(max(map(len, done.stdout.splitlines())))
    assert widths[0] > 100
    assert widths[1] <= 70


def test_ascii_where_nothing_else_is_known(log: Path) -> None:
    """A terminal that knows only ASCII gets ASCII, and no escapes in its place."""
    text = on_terminal(90, "report", str(log), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert text.isascii()
    assert "\\x" not in bare(text)
    assert "\\u" not in bare(text)
    assert "####" in text


def test_names_are_text_and_never_markup() -> None:
    """Square brackets in a name are shown as they are."""
    slo = eb.SLO("[bold]api[/bold] [x]", target="99%", window="1d", sli=eb.Availability())
    text = screen(document(slo, eb.Events(time=[T0], status=[200])), to_file=True)
    assert text.count("[bold]api[/bold] [x]") == 2


def test_the_burn_down_ends_where_the_status_does() -> None:
    """The last point of the line is what the report says is left."""
    from errorbudget.report.burn_down import burn_down

    times = [T0 + n * 60 * 10**9 for n in range(1_000)]
    events = eb.Events(time=times, status=[500 if n % 97 == 0 else 200 for n in range(1_000)])
    for status in document(default_slos(events), events).report:
        line = burn_down(status, events)
        assert line is not None
        assert status.budget is not None
        assert line.remaining_ratio[-1] == pytest.approx(status.budget.remaining_ratio)
        assert (line.remaining_ratio[1:] <= line.remaining_ratio[:-1]).all()
        assert line.time_ns[-1] == status.at_ns
