"""
Files as a stream of plain bytes, and that stream as blocks of whole lines.

Compression is told by the first bytes, never by the name. Memory stays bounded whatever
comes: data is inflated piece by piece, and a line above `MAX_LINE` bytes is dropped as it
passes, counted as one bad line.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol

from errorbudget.errors import InvalidInputError, SourceFormatError, SourceUnavailableError
from errorbudget.sources.reading import Skips

__all__ = ["BLOCK", "MAX_LINE", "Block", "BrokenDataError", "ByteStream", "blocks", "open_bytes"]

BLOCK = 4 << 20
"""Bytes of text handled at a time."""

MAX_LINE = 1 << 20
"""Bytes that one line may have; requests are limited to some kilobytes by every server."""

_PIECE = 1 << 16
# Small, as what one call inflates before it meets damage is lost.

Progress = Callable[[int, int | None], None]
PathLike = str | os.PathLike[str]


class BrokenDataError(SourceFormatError):
    """Compressed data that stops early or is damaged; what came before it was handed out."""


class _Inflater(Protocol):
    """The common ground of the standard library's decompressors."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's object with the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(31)
        self._rest = b""

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._rest

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        plain = self._zlib.decompress(self._rest + data, max(max_length, 0))
        self._rest = self._zlib.unconsumed_tail
        return plain


_PACKINGS: tuple[tuple[str, bytes, Callable[[], Any]], ...] = (
    ("gzip", b"\x1f\x8b\x08", _Gzip),
    ("bzip2", b"BZh", bz2.BZ2Decompressor),
    ("xz", b"\xfd7zXZ\x00", lzma.LZMADecompressor),
)
_ZSTD = b"\x28\xb5\x2f\xfd"


def _zstd(name: str) -> Callable[[], Any]:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdDecompressor
    raise SourceFormatError(
        f"{name} is packed with zstd, which Python reads from 3.14 on; "
        f"unpack it on the way: zstdcat {name} | errorbudget report -"
    )


class ByteStream:
    """
    The plain bytes of one file.

    Args:
        raw: The file as it lies on disk.
        name: How messages call it.
        size: Length on disk [bytes], None when unknown.
    """

    def __init__(self, raw: IO[bytes], name: str, size: int | None = None) -> None:
        self.name = name
        self.size = size
        self.taken = 0
        self.packing: str | None = None
        self._raw = raw
        self._head = b""
        self._inflater: Any = None
        self._make: Callable[[], Any] | None = None
        self._broken: BrokenDataError | None = None
        self._pending = self._take(_PIECE)
        for packing, magic, make in _PACKINGS:
            if self._pending.startswith(magic):
                self.packing, self._make = packing, make
        if self._pending.startswith(_ZSTD):
            self.packing, self._make = "zstd", _zstd(name)
        if self._make is not None:
            self._inflater = self._make()

    def _take(self, size: int) -> bytes:
        try:
            piece = self._raw.read(size)
        except OSError as error:
            raise SourceUnavailableError(f"{self.name} cannot be read: {error}") from error
        if not isinstance(piece, bytes):
            raise InvalidInputError(
                f"{self.name} yields {type(piece).__name__}; open it in binary mode: open(path, 'rb')"
            )
        self.taken += len(piece)
        return piece

    def peek(self, size: int) -> bytes:
        """The first *size* bytes, which `read` will hand out again."""
        while len(self._head) < size:
            try:
                piece = self._next(size - len(self._head))
            except BrokenDataError:
                if not self._head:
                    raise
                break  # read() will meet it again, after the good part
            if not piece:
                break
            self._head += piece
        return self._head[:size]

    def read(self, size: int) -> bytes:
        """
        Up to *size* bytes; empty at the end.

        Raises:
            BrokenDataError: Compressed data is cut short or damaged.
            SourceUnavailableError: The file cannot be read any more.
        """
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._next(size)

    def _next(self, size: int) -> bytes:
        if self._broken is not None:
            raise self._broken
        if self._inflater is None:
            piece, self._pending = self._pending[:size], self._pending[size:]
            return piece or self._take(size)
        while True:
            if self._inflater.eof:
                rest = self._inflater.unused_data or self._pending
                while not rest.strip(b"\0"):  # zeros between or after members are padding
                    rest = self._take(_PIECE)
                    if not rest:
                        return b""
                assert self._make is not None
                self._inflater, self._pending = self._make(), rest.lstrip(b"\0")
            wants = self._inflater.needs_input
            data = (self._pending or self._take(_PIECE)) if wants else b""
            if wants:
                self._pending = b""
            if wants and not data:
                self._broken = BrokenDataError(
                    f"{self.name} is cut short: its {self.packing} data ends early"
                )
                raise self._broken
            try:
                plain = self._inflater.decompress(data, min(size, _PIECE))
            except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
                self._broken = BrokenDataError(
                    f"{self.name} is damaged: its {self.packing} data cannot be unpacked ({error})"
                )
                raise self._broken from error
            if plain:
                return bytes(plain)

    def rest(self) -> IO[bytes]:
        """All remaining bytes as a file that can be sought in."""
        import tempfile

        copy = tempfile.TemporaryFile()
        while piece := self.read(_PIECE):
            copy.write(piece)
        copy.seek(0)
        return copy


def open_bytes(source: PathLike | IO[bytes]) -> tuple[IO[bytes], str, int | None]:
    """
    The file, its name for messages, and its size if known.

    Args:
        source: A path, or an open binary file such as `sys.stdin.buffer`.

    Raises:
        SourceUnavailableError: It is missing, a directory, or may not be read.
        InvalidInputError: *source* is neither a path nor a binary file.
    """
    if hasattr(source, "read"):
        if isinstance(source, io.TextIOBase):
            binary = getattr(source, "buffer", None)
            if binary is None:
                raise InvalidInputError(
                    "a text file was given; open it in binary mode: open(p, 'rb')"
                )
            source = binary
        name = getattr(source, "name", None)
        label = name if isinstance(name, str) and name else "<stream>"
        return source, label, _size(source)
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidInputError(
            f"{type(source).__name__} is not a source of events; give a path, a list of paths or "
            "an open binary file (for a frame: Events.from_frame)"
        )
    path = os.fspath(source)
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed by the reader
    except FileNotFoundError:
        raise SourceUnavailableError(f"{path} does not exist{_near(path)}") from None
    except IsADirectoryError:
        raise SourceUnavailableError(
            f"{path} is a directory; give the files in it, such as {path.rstrip('/')}/*.log"
        ) from None
    except PermissionError:
        raise SourceUnavailableError(
            f"{path} may not be read by this user; ask for it with: ls -l {path}"
        ) from None
    except (OSError, ValueError) as error:
        raise SourceUnavailableError(f"{path} cannot be opened: {error}") from None
    return file, path, _size(file)


def _size(file: Any) -> int | None:
    """Bytes from here to the end of a regular file; None for pipes and the like."""
    import stat

    try:
        found = os.fstat(file.fileno())
    except (AttributeError, OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _near(path: str) -> str:
    """A hint at a file of almost the same name in the same folder."""
    from errorbudget.errors import did_you_mean

    folder, name = os.path.split(path)
    try:
        names = [
            entry.name for _, entry in zip(range(1000), os.scandir(folder or "."), strict=False)
        ]
    except OSError:
        return f"; nor does the folder {folder}" if folder and not os.path.isdir(folder) else ""
    return did_you_mean(name, names) or "; check the name and the folder you are in"


@dataclass(frozen=True, slots=True)
class Block:
    r"""
    Whole lines.

    Args:
        data: The text; every line, the last one too, ends with "\n".
        line: Number of the first line, from 1.
        lines: How many lines there are.
        skips: Lines above `MAX_LINE`, which stand as empty lines in *data*.
    """

    data: bytes
    line: int
    lines: int
    skips: Skips


def blocks(stream: ByteStream, *, size: int = BLOCK, max_line: int = MAX_LINE) -> Iterator[Block]:
    """
    The stream as blocks of whole lines, without a byte order mark.

    Args:
        stream: Where the bytes come from.
        size: Bytes per block, about.
        max_line: Bytes per line, at most.

    Raises:
        BrokenDataError: Compressed data breaks off; after the good lines were handed out, with
            `.line` the last good one.

    Time: O(bytes); memory: O(size + max_line).
    """
    line = 1
    carry = b""
    dropped = b""  # head of a line that is too long and not over yet
    first = True
    broken: BrokenDataError | None = None
    while True:
        try:
            piece = stream.read(size)
        except BrokenDataError as error:
            broken, piece = error, b""
        if first:
            while len(piece) < 3 and (more := _more(stream)):
                piece += more
            piece = piece.removeprefix(b"\xef\xbb\xbf")
            first = False
        last = not piece
        skips = Skips()
        if dropped:
            end = piece.find(b"\n")
            if end < 0 and not last:
                continue
            skips.add(line, dropped, _too_long(max_line))
            dropped, piece = b"", piece[end:] if end >= 0 else b"\n"
        cut = piece.rfind(b"\n") + 1
        if cut:
            data, carry = carry + piece[:cut], piece[cut:]
        elif last:
            # A line that breaks off inside damaged data is no whole line: it is not read.
            data = carry + b"\n" if carry and broken is None else b""
            carry = b""
        else:
            data, carry = b"", carry + piece
        if len(carry) > max_line:
            dropped, carry = carry[:512], b""
        if data:
            data = _without_long(data, line, max_line, skips)
            count = data.count(b"\n")
            yield Block(data, line, count, skips)
            line += count
        if last:
            break
    if broken is not None:
        broken.line = line - 1
        raise broken


def _more(stream: ByteStream) -> bytes:
    try:
        return stream.read(3)
    except BrokenDataError:
        return b""  # the next read meets it again


def _too_long(limit: int) -> str:
    return f"line longer than {limit:,} bytes"


def _without_long(data: bytes, line: int, max_line: int, skips: Skips) -> bytes:
    """*data* with each line above the limit emptied and counted."""
    half = max(max_line // 2, 1)
    if all(data.find(b"\n", at, at + half) >= 0 for at in range(0, len(data) - half, half)):
        return data  # no room for a line that long
    kept = []
    for offset, text in enumerate(data.split(b"\n")):
        if len(text) > max_line:
            skips.add(line + offset, text[:512], _too_long(max_line))
            kept.append(b"")
        else:
            kept.append(text)
    return b"\n".join(kept)
