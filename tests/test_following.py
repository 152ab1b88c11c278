"""Logs that are still being written: growth, half lines, rotation, truncation."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError, SourceUnavailableError
from errorbudget.sources.following import FollowedLog, joined
from errorbudget.sources.reading import Reading

LINE = '192.0.2.1 - - [01/Mar/2026:12:{:02d}:{:02d} +0000] "GET /{} HTTP/1.1" {} 5 "-" "-" 0.1\n'


def _lines(start: int, end: int, status: int = 200) -> str:
    return "".join(LINE.format(n // 60, n % 60, n % 3, status) for n in range(start, end))


def _read(file: IO[bytes], unit: str | None) -> eb.Events:
    return eb.read_events(file, duration_unit=unit)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of ten requests."""
    path = tmp_path / "access.log"
    path.write_text(_lines(0, 10))
    return path


@pytest.fixture
def followed(log: Path) -> Iterator[FollowedLog]:
    """That log, followed."""
    found = FollowedLog(str(log), _read)
    yield found
    found.close()


def test_only_whole_lines_are_taken_and_each_once(log: Path, followed: FollowedLog) -> None:
    """Cut anywhere and read at every byte, a log is what it is when read at once."""
    text = log.read_text(encoding="utf-8") + _lines(10, 14, 500)
    log.write_text("", encoding="utf-8")
    parts = []
    with log.open("a", encoding="utf-8") as file:
        for start in range(0, len(text), 7):
            file.write(text[start : start + 7])
            file.flush()
            parts += followed.more()
    together = joined(parts)
    log.write_text(text, encoding="utf-8")
    whole = eb.read_events(log)
    assert together.time.tolist() == whole.time.tolist()
    assert together.status is not None
    assert whole.status is not None
    assert together.status.tolist() == whole.status.tolist()
    assert together.labels["route"].decode() == whole.labels["route"].decode()
    assert together.reading.events == together.reading.lines == 14
    assert followed.more() == []


@pytest.mark.posix
def test_a_rotated_log_is_read_to_its_end(log: Path, followed: FollowedLog) -> None:
    """What was written to the old file last, even an unfinished line, comes before the new file."""
    parts = followed.more()
    old = log.rename(log.with_suffix(".log.1"))
    with old.open("a") as file:
        file.write(_lines(10, 12).rstrip("\n"))
    parts += followed.more()
    log.write_text(_lines(12, 15), encoding="utf-8")
    parts += followed.more()
    assert len(joined(parts)) == 15


def test_an_emptied_log_begins_again(log: Path, followed: FollowedLog) -> None:
    """Copied away and truncated: what was read stays, what comes is added."""
    parts = followed.more()
    os.truncate(log, 0)
    parts += followed.more()
    with log.open("a", encoding="utf-8") as file:
        file.write(_lines(10, 13))
    parts += followed.more()
    assert len(joined(parts)) == 13


def test_rows_keep_their_header(tmp_path: Path) -> None:
    """A table's later rows are read under the header that stood at its top."""
    path = tmp_path / "x.csv"
    path.write_text("time,status,region\n2026-03-01T12:00:00Z,200,eu\n")
    followed = FollowedLog(str(path), _read)
    parts = followed.more()
    with path.open("a") as file:
        file.write("2026-03-01T12:00:01Z,500,us\n2026-03-01T12:00:02Z,200,eu\n")
    parts += followed.more()
    followed.close()
    found = joined(parts)
    assert found.labels["region"].decode() == ["eu", "us", "eu"]


def test_rubbish_between_good_lines_is_counted(log: Path, followed: FollowedLog) -> None:
    """A piece without one good line does not end the watch."""
    followed.more()
    with log.open("a", encoding="utf-8") as file:
        file.write("panic: out of memory\n\x00\x01\n")
    assert followed.more() == []
    assert followed.lost_lines == 2
    with log.open("a", encoding="utf-8") as file:
        file.write(_lines(10, 11))
    assert sum(map(len, followed.more())) == 1


def test_what_cannot_be_followed_says_so(tmp_path: Path) -> None:
    """Packed files and missing ones."""
    packed = tmp_path / "x.gz"
    packed.write_bytes(b"\x1f\x8b\x08rest\n")
    followed = FollowedLog(str(packed), _read)
    with pytest.raises(InvalidInputError, match="is packed"):
        followed.more()
    followed.close()
    with pytest.raises(SourceUnavailableError, match="not a file that can be followed"):
        FollowedLog(str(tmp_path / "none"), _read)


def test_what_no_window_reaches_is_let_go() -> None:
    """A watch over a log of many windows keeps about one, and answers as if it kept all."""
    pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
    from errorbudget.cli.watch import _Followed

    minute, day = 60 * 10**9, 86_400 * 10**9
    times = np.arange(60 * 1_440) * minute + 20_000 * day
    rng = np.random.default_rng(5)
    status = np.where(rng.random(len(times)) < 0.01, 500, 200)
    whole = eb.Events(time=times, status=status, reading=Reading(files=()))
    slo = eb.SLO("api", target="99%", window="2d", sli=eb.Availability())
    followed, most = _Followed(), 0
    for end in range(720, len(times), 720):
        part = whole.take(slice(end - 720, end))
        kept = part if followed._events is None else joined([followed._events, part])
        followed._events = kept
        found = slo.evaluate(kept)
        assert found.to_dict() == slo.evaluate(whole.take(slice(0, end))).to_dict()
        followed.forget(found.at_ns - 3 * day, found.at_ns)
        most = max(most, len(kept))
    assert most < 4 * 1_440 + 720


def _watching(*words: str, **environment: str) -> subprocess.Popen[str]:
    pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
    return subprocess.Popen(
        [sys.executable, "-m", "errorbudget", "report", "--watch", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_watching_in_a_pipe(log: Path, ending: signal.Signals) -> None:
    """A summary when the figures change, and a clean end."""
    process = _watching(str(log), "--every", "100ms", "--slo", "availability")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("10 events until ")
        with log.open("a", encoding="utf-8") as file:
            file.write(_lines(10, 20, 503))
        until = time.monotonic() + 60
        while not (line := process.stdout.readline()).startswith("20 events until "):
            assert time.monotonic() < until, line
        process.send_signal(ending)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()


@pytest.mark.slow
def test_watching_on_a_terminal(log: Path) -> None:
    """The screen is redrawn as the log grows, fits its size, and is given back after Ctrl-C."""
    if shutil.which("tmux") is None:
        pytest.skip("missing: tmux; apt-get install tmux")
    socket = f"eb-{os.getpid()}"

    def tmux(*words: str) -> str:
        return subprocess.run(
            ["tmux", "-L", socket, *words], check=True, capture_output=True, text=True
        ).stdout

    def until(wanted: str) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            shown = tmux("capture-pane", "-p")
            if wanted in shown:
                return shown
            time.sleep(0.2)
        raise AssertionError(f"{wanted!r} never came:\n{shown}")

    command = f"'{sys.executable}' -m errorbudget report --watch --every 200ms '{log}'"
    tmux("new-session", "-d", "-x", "80", "-y", "40", "env PS1='$ ' PYTHONUTF8=1 sh")
    try:
        tmux("send-keys", command, "Enter")
        shown = until("10 events until")
        assert "Ctrl-C ends" in shown
        with log.open("a", encoding="utf-8") as file:
            file.write(_lines(10, 30, 500))
        shown = until("30 events until")
        assert "page-fast" in shown
        assert max(map(len, shown.splitlines())) <= 80
        tmux("send-keys", "C-c")
        tmux("send-keys", "echo code=$?", "Enter")
        assert "Traceback" not in until("code=0")
    finally:
        tmux("kill-server")
