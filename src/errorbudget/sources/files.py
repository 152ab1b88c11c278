"""
Files as a stream of plain bytes.

Compression is told by the first bytes, never by the name. Data is inflated piece by piece, so
that memory stays bounded whatever comes.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from errorbudget.errors import InvalidInputError, SourceFormatError, SourceUnavailableError

__all__ = ["BrokenDataError", "ByteStream", "PathLike", "Progress", "open_bytes"]

_PIECE = 1 << 16
# Small, as what one call inflates before it meets damage is lost.

Progress = Callable[[int, int | None], None]
PathLike = str | os.PathLike[str]


class BrokenDataError(SourceFormatError):
    """Compressed data that stops early or is damaged; what came before it was handed out."""


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
_DAMAGE: tuple[type[Exception], ...] = (
    zlib.error,
    OSError,
    lzma.LZMAError,
    EOFError,
    ValueError,
)
_ZSTD = b"\x28\xb5\x2f\xfd"


def _zstd(name: str) -> tuple[Callable[[], Any], type[Exception]]:
    """What unpacks zstd, and what it raises at damage: an error of no family."""
    if sys.version_info >= (3, 14):
        with suppress(ImportError):  # a Python that was built without it
            from compression import zstd

            return zstd.ZstdDecompressor, zstd.ZstdError
    raise SourceFormatError(
        f"{name} is packed with zstd, which Python reads from 3.14 on, if it was built with it; "
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
        self._make: Callable[[], Any] = _Gzip
        self._damage = _DAMAGE
        self._broken: BrokenDataError | None = None
        seekable = getattr(raw, "seekable", None)
        self._start = raw.tell() if seekable is not None and seekable() else None
        self._pending = self._take(_PIECE)
        for packing, magic, make in _PACKINGS:
            if self._pending.startswith(magic):
                self.packing, self._make = packing, make
        if self._pending.startswith(_ZSTD):
            self.packing = "zstd"
            self._make, damage = _zstd(name)
            self._damage = (*_DAMAGE, damage)
        if self.packing is not None:
            self._inflater = self._make()

    def _take(self, size: int) -> bytes:
        try:
            piece = self._raw.read(size)
        except OSError as error:
            raise SourceUnavailableError(f"{self.name} cannot be read: {error}") from error
        if not isinstance(piece, bytes):
            raise InvalidInputError(
                f"{self.name} yields {type(piece).__name__}; open it in binary mode"
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

    def skip_zeros(self) -> int:
        """
        Pass over zero bytes at the start, and say how many there were.

        A log that was emptied while its server kept it open begins with them.
        """
        skipped = 0
        while (head := self.peek(_PIECE)).startswith(b"\0"):
            zeros = len(head) - len(head.lstrip(b"\0"))
            self.read(zeros)
            skipped += zeros
        return skipped

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
        if self._inflater is None:
            return self._next(size)
        pieces: list[bytes] = []
        left = size
        while left:
            try:
                piece = self._next(left)
            except BrokenDataError:
                if pieces:
                    break  # the good part first; the next call meets the damage again
                raise
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

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
            except self._damage as error:
                self._broken = BrokenDataError(
                    f"{self.name} is damaged: its {self.packing} data cannot be unpacked ({error})"
                )
                raise self._broken from error
            if plain:
                return bytes(plain)

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """The plain bytes as a file that can be sought in: the file itself where that will do."""
        import tempfile

        if self._inflater is None and self._start is not None:
            self._raw.seek(self._start)
            yield self._raw
            self.taken = self.size or self.taken
            return
        with tempfile.TemporaryFile() as copy:
            while piece := self.read(_PIECE):
                copy.write(piece)
            copy.seek(0)
            yield copy


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
        return cast("IO[bytes]", source), label, _size(source)
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidInputError(
            f"{type(source).__name__} is not a source of events; give a path, a list of paths or "
            "an open binary file (for a frame: Events.from_frame)"
        )
    path = os.fspath(source)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed by the reader
    except FileNotFoundError:
        if "://" in path:  # and unseen, as it may hold a password
            raise InvalidInputError(
                f"{path.partition('://')[0]}:// addresses are counted by an engine: count_files, "
                "or --engine auto on the command line"
            ) from None
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
        return f"; nor does the folder {folder}" if folder and not Path(folder).is_dir() else ""
    return did_you_mean(name, names) or "; check the name and the folder you are in"
