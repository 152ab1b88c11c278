"""Files: packing changes nothing, memory stays bounded, and what cannot be read says why."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    MissingDependencyError,
    NoDataError,
    SourceFormatError,
    SourceUnavailableError,
)
from errorbudget.sources import read_events
from errorbudget.sources.blocks import blocks
from errorbudget.sources.files import BrokenDataError, ByteStream
from errorbudget.sources.reading import SAMPLES, FileReading, Reading, Skips, shown
from tests.test_sources_logs import PLAIN, columns

LINES = [
    f'h - - [01/Mar/2026:12:{n // 60:02}:{n % 60:02} +0000] "GET /{n} HTTP/1.1" 200 5'
    for n in range(900)
]
TEXT = ("\n".join(LINES) + "\n").encode()
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
with suppress(ImportError):  # Python reads it from 3.14 on, if it was built with it
    PACKERS["zstd"] = import_module("compression.zstd").compress
MAGIC = {"gzip": 3, "bzip2": 3, "xz": 6, "zstd": 4}


def plain(data: bytes) -> bytes:
    """What `ByteStream` makes of the data."""
    stream = ByteStream(io.BytesIO(data), "x")
    return b"".join(iter(lambda: stream.read(1 << 16), b""))


@pytest.mark.parametrize("packing", PACKERS)
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_packed_is_as_plain(packing: str, parts: list[bytes]) -> None:
    """Any bytes come out as they went in, in one member or in several."""
    packed = b"".join(map(PACKERS[packing], parts))
    assert plain(packed) == b"".join(parts)


@pytest.mark.parametrize("packing", PACKERS)
def test_a_packed_log_gives_the_same_events(packing: str, tmp_path: Path) -> None:
    """Packing is told by the content, whatever the name."""
    path = tmp_path / "access.txt"
    path.write_bytes(PACKERS[packing](TEXT))
    events = read_events(path)
    assert columns(events) == columns(read_events(io.BytesIO(TEXT)))
    assert events.reading.formats == (f"common log, {packing}",)


def test_zeros_behind_a_gzip_member_are_padding() -> None:
    """Tapes and block devices pad with zeros."""
    packed = gzip.compress(b"a") + bytes(70_000) + gzip.compress(b"b") + bytes(7)
    assert plain(packed) == b"ab"


@given(st.integers(0, 200))
def test_a_cut_gzip_file_says_how_much_was_good(missing: int) -> None:
    """The error names the file, what is wrong and how many whole lines came before it."""
    lines = TEXT * 20
    packed = gzip.compress(lines)
    cut = packed[: len(packed) - 1 - missing * 50]
    with pytest.raises(BrokenDataError, match="cut short") as caught:
        read_events(io.BytesIO(cut))
    good = caught.value.line
    assert good is not None
    assert f"after {good:,} good lines" in str(caught.value)
    assert 0 < good <= len(LINES) * 20


def test_a_damaged_gzip_file_says_how_much_was_good() -> None:
    """Damage in the middle is an error, not an end."""
    packed = bytearray(gzip.compress(os.urandom(200_000).hex().encode() + b"\n" + TEXT))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(SourceFormatError, match=r"damaged|cut short|known format"):
        read_events(io.BytesIO(bytes(packed)))
    packed = bytearray(gzip.compress(TEXT * 50))
    packed[-6] ^= 0xFF  # the checksum
    with pytest.raises(BrokenDataError, match=r"damaged.*after [\d,]+ good lines"):
        read_events(io.BytesIO(bytes(packed)))


@pytest.mark.parametrize("packing", PACKERS)
def test_what_only_begins_like_packed_is_damaged(packing: str) -> None:
    """A few magic bytes do not make a packed file."""
    magic = PACKERS[packing](b"")[: MAGIC[packing]]
    with pytest.raises(BrokenDataError, match=f"damaged: its {packing} data"):
        read_events(io.BytesIO(magic + b"nothing that inflates"))


def test_zstd_names_the_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python is too old or was built without zstd, the command that unpacks it is named."""
    monkeypatch.setitem(sys.modules, "compression", None)
    with pytest.raises(SourceFormatError, match="zstdcat"):
        read_events(io.BytesIO(b"\x28\xb5\x2f\xfd" + bytes(20)))


@given(
    parts=st.lists(st.text("ab\n\r", max_size=12), min_size=1, max_size=8),
    size=st.integers(1, 20),
    limit=st.integers(3, 9),
)
def test_blocks_hold_every_line_once(parts: list[str], size: int, limit: int) -> None:
    """Cut anywhere, blocks give the same lines and numbers, and drop the same long ones."""
    text = "".join(parts).encode()
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    found: list[bytes] = []
    long: list[int] = []
    for block in blocks(ByteStream(io.BytesIO(text), "x"), size=size, max_line=limit):
        assert block.line == len(found) + 1
        assert block.lines == block.data.count(b"\n")
        found += block.data.split(b"\n")[:-1]
        long += [line for line, _, _ in block.skips.samples]
    assert found == [line if len(line) <= limit else b"" for line in lines]
    assert long == [n for n, line in enumerate(lines, 1) if len(line) > limit][: len(long)]


class Endless(io.RawIOBase):
    """A file of one character, many times, then a text."""

    def __init__(self, head: bytes, char: bytes, count: int, tail: bytes) -> None:
        self._head, self._chunk, self._left, self._tail = head, char * (1 << 20), count, tail

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
        elif self._left:
            piece = self._chunk[: min(size, self._left)]
            self._left -= len(piece)
        else:
            piece, self._tail = self._tail[:size], self._tail[size:]
        return piece


def test_an_endless_line_costs_no_memory() -> None:
    """A line of a hundred million characters is one bad line, dropped as it passes."""
    head = TEXT * 10  # so that the format is known
    source: Any = Endless(head, b"x", 100_000_000, b"\n" + TEXT)
    read_events(io.BytesIO(TEXT))
    tracemalloc.start()
    try:
        events = read_events(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(events) == 11 * len(LINES)
    assert events.reading.skipped == 1
    assert "longer than" in events.reading.samples[0].why
    assert events.reading.samples[0].line == 10 * len(LINES) + 1
    assert peak < 40 << 20


def test_a_gzip_bomb_costs_no_memory() -> None:
    """Data is inflated piece by piece."""
    bomb = gzip.compress(TEXT * 10 + bytes(100 << 20) + b"\n" + TEXT)
    tracemalloc.start()
    try:
        events = read_events(io.BytesIO(bomb))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(events) == 11 * len(LINES)
    assert peak < 40 << 20


def test_a_log_emptied_while_open_is_read() -> None:
    """Zero bytes at the start, which such a log has, are passed over and said."""
    events = read_events(io.BytesIO(bytes(1_000_000) + TEXT), errors="raise")
    assert len(events) == len(LINES)
    assert any("1,000,000 zero bytes" in said for said in events.reading.sentences())
    with pytest.raises(NoDataError, match="only zero bytes, 1,000,000"):
        read_events(io.BytesIO(bytes(1_000_000)))


def test_samples_are_bounded_and_printable() -> None:
    """However many bad lines there are, some are kept, cut short and safe to print."""
    bad = b"\x00\xff\x1b[31m" + b"y" * 500
    events = read_events(io.BytesIO(TEXT + (bad + b"\n") * 800))
    reading = events.reading
    assert reading.skipped == 800
    assert len(reading.samples) == SAMPLES
    assert all(sample.text.isprintable() and len(sample.text) < 200 for sample in reading.samples)
    assert str(reading.samples[0]).startswith("<stream>:901: ")
    assert "1,700 lines skipped" in reading.sentences()[0]


def test_several_files_become_one() -> None:
    """Files of different formats add up; each keeps its own report."""
    json_text = b'{"time": "2026-03-01T11:00:00Z", "status": 503, "duration_s": 0.5, "host": "h"}\n'
    events = read_events([io.BytesIO(TEXT), io.BytesIO(json_text), io.BytesIO(b"")])
    assert len(events) == 901
    assert columns(events)["status"][0] == 503
    assert columns(events)["duration_s"][:2] == [0.5, None]
    assert columns(events)["host"][:2] == ["h", None]
    assert [file.events for file in events.reading.files] == [900, 1]


def test_a_pattern_names_files(tmp_path: Path) -> None:
    """A pattern that the shell did not expand is expanded, in order of names."""
    (tmp_path / "b.log").write_bytes(TEXT)
    (tmp_path / "a.log").write_bytes(TEXT)
    reading = read_events(str(tmp_path / "*.log")).reading
    assert [Path(file.file).name for file in reading.files] == ["a.log", "b.log"]


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    """Progress never falls, and ends with everything read; a pipe has no total."""
    one, two = tmp_path / "1.log", tmp_path / "2.log"
    one.write_bytes(gzip.compress(TEXT))
    two.write_bytes(TEXT)
    seen: list[tuple[int, int | None]] = []
    read_events([one, two], progress=lambda done, total: seen.append((done, total)))
    total = one.stat().st_size + two.stat().st_size
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    seen.clear()
    read_events(io.BytesIO(TEXT), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == len(TEXT)
    assert {total for _, total in seen} == {None}


def test_a_file_given_open_is_left_open(tmp_path: Path) -> None:
    """Who opens a file closes it."""
    path = tmp_path / "access.log"
    path.write_bytes(TEXT)
    with path.open("rb") as file:
        read_events(file)
        assert not file.closed
    with path.open() as text_file:
        assert len(read_events(text_file)) == 900


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", NoDataError, "is empty"),
        (b"\n \n\n", NoDataError, "only blank lines"),
        (b"\0" * 2_000, NoDataError, "only zero bytes, 2,000 of them"),
        (gzip.compress(b"\0" * 200_000, mtime=0), NoDataError, "only zero bytes, 200,000 of them"),
        (b"\x7fELF\x02\x01", SourceFormatError, "is a program"),
        (b"PK\x03\x04....", SourceFormatError, "zip archive; unpack it first"),
        (b"\xff\xfet\x00i\x00", SourceFormatError, "UTF-16; convert it first: iconv"),
        (bytes(range(256)) * 9, SourceFormatError, "binary file"),
        (b"hello\nworld\n", SourceFormatError, 'its first line is "hello"; tried combined'),
        (b'[{"a": 1}]', SourceFormatError, "one object a line: jq"),
        (b"PAR1 and no more", SourceFormatError, "damaged Parquet"),
        (b"x" * 3_000_000, SourceFormatError, "in no known format"),
        ((PLAIN.replace("2026", "20x6") + "\n").encode() * 3, SourceFormatError, "none of its 3"),
    ],
)
def test_what_cannot_be_read_says_why(
    content: bytes, error: type[ErrorBudgetError], message: str, tmp_path: Path
) -> None:
    """Each wrong file is one error of one line that names the file and the cure."""
    path = tmp_path / "access.log"
    path.write_bytes(content)
    try:
        with pytest.raises(error, match=message) as caught:
            read_events(path)
    except MissingDependencyError:
        pytest.skip("missing: pyarrow; pip install 'errorbudget[parquet]'")
    said = str(caught.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    assert len(said) < len(str(path)) * 3 + 400


def test_a_missing_file_is_named_with_a_near_one(tmp_path: Path) -> None:
    """A slip of the pen gets the name that was meant."""
    (tmp_path / "access.log").write_bytes(TEXT)
    with pytest.raises(SourceUnavailableError, match=r'does not exist; did you mean "access.log"'):
        read_events(tmp_path / "acess.log")
    with pytest.raises(SourceUnavailableError, match="nor does the folder"):
        read_events(tmp_path / "logs" / "access.log")


def test_a_directory_names_its_files_as_the_cure(tmp_path: Path) -> None:
    """A folder is no log."""
    with pytest.raises(SourceUnavailableError, match=r"is a directory; give the files in it"):
        read_events(tmp_path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    """Who may not read a file is told so."""
    path = tmp_path / "access.log"
    path.write_bytes(TEXT)
    path.chmod(0)
    with pytest.raises(SourceUnavailableError, match="may not be read"):
        read_events(path)


def test_permission_refused_by_the_system_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, where the test runs as root."""

    def refuse(self: Path, mode: str) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceUnavailableError, match=r"may not be read by this user.*ls -l"):
        read_events(tmp_path / "access.log")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "cvs"}, 'did you mean "csv"'),
        ({"errors": "ignore"}, '"skip" or "raise"'),
        ({"time_unit": "min"}, "time_unit must be"),
        ({"duration_unit": "milis"}, 'did you mean "millis"'),
        ({"values": ["bites"]}, 'did you mean "bytes"'),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    """An argument that does not exist is refused with those that do."""
    with pytest.raises(InvalidInputError, match=message):
        read_events(io.BytesIO(TEXT), **arguments)


@pytest.mark.parametrize("source", [3, None, b"bytes", [], [3]])
def test_wrong_sources_are_refused(source: Any) -> None:
    """What is neither a path nor a file is refused."""
    with pytest.raises(InvalidInputError, match="give a path"):
        read_events(source)


def test_text_streams_are_refused() -> None:
    """A stream that decodes already cannot be told apart by bytes."""
    with pytest.raises(InvalidInputError, match="binary"):
        read_events(io.StringIO("x"))


def test_a_format_that_is_asked_for_must_fit() -> None:
    """format= is a promise about the content."""
    assert len(read_events(io.BytesIO(TEXT), format="combined")) == 900
    for wrong in ("json", "csv", "parquet"):
        with pytest.raises(SourceFormatError):
            read_events(io.BytesIO(TEXT), format=wrong)


def test_events_that_are_all_in_the_future_are_no_data() -> None:
    """Nothing has happened yet: the clock, the unit or the zone is wrong."""
    with pytest.raises(NoDataError, match=r"all 900 events .* lie in the future"):
        read_events(io.BytesIO(TEXT), now="2020-01-01T00:00:00Z")


def test_the_report_adds_up() -> None:
    """Lines are events, skipped, future or blank; the reports of files add up."""
    text = TEXT + b"\nbad\n" + TEXT.replace(b"2026", b"2027")
    reading = read_events([io.BytesIO(text)] * 1, now="2026-12-31T00:00:00Z").reading
    assert reading.lines == reading.events + reading.skipped + reading.future + 1
    assert (reading.skipped, reading.future) == (1, 900)
    twice = Reading(files=(*reading.files, *reading.files))
    assert twice.events == 2 * reading.events
    assert twice.formats == reading.formats
    assert Reading(files=(FileReading(file="a", format="f", lines=1, events=1),)).sentences() == ()


def test_skips_join_in_the_order_of_lines() -> None:
    """The first samples of both are kept, and all are counted."""
    left, right = Skips(), Skips()
    for line in (2, 9):
        left.add(line, "l", "x")
    for line in range(3, 20):
        right.add(line, "r", "x")
    left.join(right)
    assert left.count == 19
    assert [line for line, _, _ in left.samples] == [2, 3, 4, 5, 6, 7, 8, 9, 9, 10]


def test_what_is_shown_fits_one_line() -> None:
    """Control characters are written out and long texts are cut."""
    assert shown(b"a\tb\xff\n") == "a\\x09b\\xff\\x0a"
    assert len(shown("z" * 1000)) < 130
