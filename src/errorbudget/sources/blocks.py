"""
A stream of bytes as blocks of whole lines.

A line above `MAX_LINE` bytes is dropped as it passes and counted as one bad line, so that memory
stays bounded and the answer is the same whatever the size of the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from errorbudget.sources.files import BrokenDataError, ByteStream
from errorbudget.sources.reading import Skips

__all__ = ["BLOCK", "MAX_LINE", "Block", "blocks"]

BLOCK = 1 << 20
"""Bytes of text handled at a time."""

MAX_LINE = 1 << 20
"""Bytes that one line may have; every server limits requests to some kilobytes."""

_BOM = b"\xef\xbb\xbf"
_KEPT = 512  # bytes of a line that is too long, as an example


@dataclass(frozen=True, slots=True)
class Block:
    r"""
    Whole lines.

    Args:
        data: The text; every line, the last one too, ends with "\n".
        line: Number of the first line, from 1.
        lines: How many lines there are.
        skips: Lines above the limit, which stand as empty lines in *data*.
    """

    data: bytes
    line: int
    lines: int
    skips: Skips


class _Cutter:
    """Cuts pieces of text at line ends, keeping what is left over for the next piece."""

    def __init__(self, max_line: int) -> None:
        self.line = 1
        self._max_line = max_line
        self._carry = b""
        self._dropped = b""  # head of a line that is too long and not over yet

    def push(self, piece: bytes) -> Block | None:
        """The lines that *piece* completes."""
        skips = Skips()
        if self._dropped:
            end = piece.find(b"\n")
            if end < 0:
                return None
            skips.add(self.line, self._dropped, self._why())
            self._dropped, piece = b"", piece[end:]
        cut = piece.rfind(b"\n") + 1
        data = b"".join((self._carry, memoryview(piece)[:cut])) if cut else b""
        self._carry = piece[cut:] if cut else self._carry + piece
        if len(self._carry) > self._max_line:
            self._dropped, self._carry = self._carry[:_KEPT], b""
        if not data:
            return None
        # numpy counts twice as fast as bytes.count() here.
        lines = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")))
        block = Block(self._without_long(data, skips), self.line, lines, skips)
        self.line += block.lines
        return block

    def end(self) -> Block | None:
        """The last line, where no line end follows it."""
        return self.push(b"\n") if self._carry or self._dropped else None

    def _why(self) -> str:
        return f"line longer than {self._max_line:,} bytes"

    def _without_long(self, data: bytes, skips: Skips) -> bytes:
        """*data* with each line above the limit emptied and counted."""
        half = max(self._max_line // 2, 1)
        if all(data.find(b"\n", at, at + half) >= 0 for at in range(0, len(data) - half, half)):
            return data  # no room for a line that long
        kept = []
        for offset, text in enumerate(data.split(b"\n")):
            if len(text) > self._max_line:
                skips.add(self.line + offset, text[:_KEPT], self._why())
                kept.append(b"")
            else:
                kept.append(text)
        return b"\n".join(kept)


def blocks(stream: ByteStream, *, size: int = BLOCK, max_line: int = MAX_LINE) -> Iterator[Block]:
    """
    The stream as blocks of whole lines, without a byte order mark.

    Args:
        stream: Where the bytes come from.
        size: Bytes per block, about.
        max_line: Bytes per line, at most.

    Raises:
        BrokenDataError: Compressed data breaks off, after the good lines were handed out; a line
            that breaks off with it is no whole line and is not.

    Time: O(bytes); memory: O(size + max_line).
    """
    cutter = _Cutter(max_line)
    if stream.peek(len(_BOM)) == _BOM:
        stream.read(len(_BOM))
    while True:
        try:
            piece = stream.read(size)
        except BrokenDataError as error:
            error.line = cutter.line - 1
            raise
        block = cutter.push(piece) if piece else cutter.end()
        if block is not None:
            yield block
        if not piece:
            return
