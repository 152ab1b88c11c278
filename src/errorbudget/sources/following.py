"""
A log that is still being written.

Only what came since the last look is read, up to the last whole line; a line that is half written
is taken when the rest of it is there. A log that was rotated (another file has its name) is read to
its end first, one that was emptied is begun again; what was read before stays.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from errorbudget.errors import (
    InvalidInputError,
    NoDataError,
    SourceFormatError,
    SourceUnavailableError,
)
from errorbudget.events import Events, Labels
from errorbudget.sources.delimited import DELIMITERS
from errorbudget.sources.reading import Reading

__all__ = ["FollowedLog", "joined"]

_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PAR1")


class _Piece(io.BytesIO):
    """Part of a log under the log's name."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


class FollowedLog:
    """
    One log, read as it grows.

    Args:
        path: Where it lies; it may be missing for a moment, not at the start.
        read: Turns a piece of it, an open file with a name, into events. Its second argument is
            the unit of durations that the first piece was found to have, or None.

    Raises:
        SourceUnavailableError: There is no such file.
        InvalidInputError: It is packed, and so is not being written.
    """

    def __init__(self, path: str, read: Callable[[IO[bytes], str | None], Events]) -> None:
        self.path = path
        self.lost_lines = 0
        self._read = read
        self._file: IO[bytes] | None = None
        self._done = 0
        self._header = b""
        self._table = False
        self._unit: str | None = None
        if not Path(path).is_file():
            raise SourceUnavailableError(
                f"{path} is not a file that can be followed; name the log that is being written"
            )

    def more(self) -> list[Events]:
        """What came since the last look, in pieces; none where nothing did."""
        found: list[Events] = []
        if self._file is not None and self._rotated():
            found += self._take(whole=True)
            self._file.close()
            self._file = None
        if self._file is None:
            try:
                self._file = Path(self.path).open("rb")  # noqa: SIM115 - kept open to follow it
            except OSError:
                return found  # between its old name and its new file
            self._done, self._header = 0, b""
        if os.fstat(self._file.fileno()).st_size < self._done:
            self._done, self._header = 0, b""
        return found + self._take(whole=False)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _rotated(self) -> bool:
        assert self._file is not None  # noqa: S101 - the caller looked
        try:
            there = os.stat(self.path)  # noqa: PTH116 - beside fstat
        except OSError:
            return True
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _take(self, *, whole: bool) -> list[Events]:
        assert self._file is not None  # noqa: S101 - the caller opened it
        self._file.seek(self._done)
        content = self._file.read()
        if not whole:
            content = content[: content.rfind(b"\n") + 1]
        if not content:
            return []
        if not self._done:
            if content.startswith(_PACKED):
                raise InvalidInputError(
                    f"{self.path} is packed or Parquet and is not written line by line; leave out "
                    "--watch"
                )
            self._header = content[: content.find(b"\n") + 1]
            piece = content
        else:
            piece = self._header + content if self._table else content
        self._done += len(content)
        try:
            events = self._read(_Piece(self.path, piece), self._unit)
        except NoDataError:
            return []
        except SourceFormatError:
            if self._unit is None and not self._table and self._done == len(content):
                raise
            self.lost_lines += content.count(b"\n")  # not one good line among them
            return []
        reading: Reading = events.reading
        self._table = reading.files[0].format in DELIMITERS.values()
        self._unit = self._unit or reading.duration_unit
        return [events]


def joined(parts: list[Events]) -> Events:
    """
    Events of several pieces as one; what a piece does not know is missing in its rows.

    Time: O(n), besides the sorting of what came out of order.
    """
    if len(parts) == 1:
        return parts[0]
    every = {name: None for part in parts for name in (*part.labels, *part.values)}
    labels = [name for name in every if any(name in part.labels for part in parts)]
    values = [name for name in every if name not in labels]

    def column(name: str, missing: Any) -> Any:
        columns = [getattr(part, name) for part in parts]
        if all(one is None for one in columns):
            return None
        return np.concatenate(
            [
                np.full(len(part), missing) if one is None else one
                for part, one in zip(parts, columns, strict=True)
            ]
        )

    def numbers(name: str) -> Any:
        return np.concatenate([part.values.get(name, np.full(len(part), np.nan)) for part in parts])

    return Events(
        time=np.concatenate([part.time for part in parts]),
        status=column("status", 0),
        duration_s=column("duration_s", np.nan),
        good=column("good", False),
        labels={name: _labels([(part.labels.get(name), len(part)) for part in parts])
                for name in labels},
        values={name: numbers(name) for name in values},
        reading=_readings([part.reading for part in parts]),
    )  # fmt: skip


def _labels(parts: list[tuple[Labels | None, int]]) -> Labels:
    positions: dict[str, int] = {}
    columns = []
    for labels, n in parts:
        if labels is None:
            columns.append(np.full(n, -1, dtype=np.int32))
            continue
        table = [positions.setdefault(text, len(positions)) for text in labels.values]
        columns.append(np.array([*table, -1], dtype=np.int32)[labels.codes])
    return Labels(np.concatenate(columns), tuple(positions))


def _readings(parts: list[Reading]) -> Reading:
    """The readings of pieces, those of one log added up."""
    files: dict[str, Any] = {}
    for part in parts:
        for file in part.files:
            before = files.get(file.file)
            files[file.file] = (
                file
                if before is None
                else replace(
                    before,
                    **{
                        name: getattr(before, name) + getattr(file, name)
                        for name in ("lines", "events", "skipped", "future", "out_of_order")
                    },
                )
            )
    samples = tuple(sample for part in parts for sample in part.samples)[:20]
    return Reading(files=tuple(files.values()), samples=samples)
