"""Events in pieces: what each format hands over, and how the pieces become one `Events`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errorbudget.errors import SourceFormatError
from errorbudget.events import Events, Labels
from errorbudget.sources.reading import SAMPLES, FileReading, Reading, SkippedLine, Skips
from errorbudget.sources.requests import Dictionary
from errorbudget.times import format_time

__all__ = ["Assembly", "Batch", "FileFacts"]


@dataclass(slots=True, kw_only=True)
class Batch:
    """
    The events of some lines of one file, in the order of the lines.

    Args:
        time: Nanoseconds since the epoch, shape (n,), int64.
        line: Line number of each event, shape (n,), int64.
        status: Shape (n,), int16, 0 where missing; None when the format has none.
        duration_s: Shape (n,), float64, NaN where missing; None when the format has none.
        good: Shape (n,), bool; None when the format has none.
        labels: Codes in the dictionaries of the assembly; each of shape (n,), int32.
        values: Further numbers; each of shape (n,), float64.
        lines: Lines looked at.
        skips: Lines that became no event.
    """

    time: NDArray[np.int64]
    line: NDArray[np.int64]
    status: NDArray[np.int16] | None = None
    duration_s: NDArray[np.float64] | None = None
    good: NDArray[np.bool_] | None = None
    labels: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    values: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    lines: int = 0
    skips: Skips = field(default_factory=Skips)

    def columns(self) -> dict[tuple[str, str], NDArray[Any]]:
        """The columns beside time that exist, by kind and name."""
        own = {"status": self.status, "duration_s": self.duration_s, "good": self.good}
        found: dict[tuple[str, str], Any] = {
            (kind, ""): column for kind, column in own.items() if column is not None
        }
        found.update({("label", name): codes for name, codes in self.labels.items()})
        found.update({("value", name): column for name, column in self.values.items()})
        return found


_MISSING: dict[str, Any] = {"status": 0, "duration_s": np.nan, "label": -1, "value": np.nan}
_TYPES: dict[str, Any] = {
    "status": np.int16,
    "duration_s": np.float64,
    "good": np.bool_,
    "label": np.int32,
    "value": np.float64,
}


@dataclass(slots=True)
class FileFacts:
    """What a reader learns about one file beside its events."""

    file: str
    format: str
    columns: dict[str, str] = field(default_factory=dict)
    time_unit: str | None = None
    duration_unit: str | None = None
    duration_why: str = ""
    notes: list[str] = field(default_factory=list)


class Assembly:
    """
    All batches of a reading, and the books kept about them.

    Args:
        strict: Raise at the first bad line.
        now: Latest time that an event may have [ns], None for no limit.
    """

    def __init__(self, *, strict: bool, now: int | None) -> None:
        self.dictionaries: dict[str, Dictionary] = {}
        self._strict = strict
        self._now = now
        self._times: list[NDArray[np.int64]] = []
        self._columns: dict[tuple[str, str], dict[int, NDArray[Any]]] = {}
        self._files: list[FileReading] = []
        self._samples: list[SkippedLine] = []
        self._begin("")

    def _begin(self, file: str) -> None:
        self._file = file
        self._lines = self._events = self._future = self._late = self._durations = 0
        self._skips = Skips()
        self._latest = np.iinfo(np.int64).min

    def begin(self, file: str) -> None:
        """Start the books of the file called *file*."""
        self._begin(file)

    def add(self, batch: Batch) -> None:
        """
        Take a batch.

        Raises:
            SourceFormatError: A line is bad and the reading is strict.
        """
        self._lines += batch.lines
        keep: Any = slice(None)
        skips = batch.skips
        first = skips.samples[:1]
        if self._now is not None and len(batch.time) and int(batch.time.max()) > self._now:
            ahead = batch.time > self._now
            keep = ~ahead
            self._future += int(np.count_nonzero(ahead))
            row = int(np.argmax(ahead))
            why = (
                f"event in the future: {format_time(int(batch.time[row]))}, "
                f"now is {format_time(self._now)}"
            )
            first = sorted([*first, (int(batch.line[row]), "", why)])[:1]
        if self._strict and first:
            line, text, why = first[0]
            said = f': "{text}"' if text else ""
            raise SourceFormatError(f"{self._file}, line {line}: {why}{said}", line=line)
        self._skips.join(skips)
        time = batch.time[keep]
        if not len(time):
            return
        self._count_late(time)
        if batch.duration_s is not None:
            self._durations += int(np.count_nonzero(~np.isnan(batch.duration_s[keep])))
        piece = len(self._times)
        self._times.append(time)
        for key, column in batch.columns().items():
            self._columns.setdefault(key, {})[piece] = column[keep]

    def _count_late(self, time: NDArray[np.int64]) -> None:
        self._events += len(time)
        if int(time[0]) >= self._latest and bool(np.all(time[1:] >= time[:-1])):
            self._latest = int(time[-1])
            return
        peaks = np.maximum(np.maximum.accumulate(time), self._latest)
        self._late += int(np.count_nonzero(time < peaks))
        self._latest = int(peaks[-1])

    def end(self, facts: FileFacts) -> None:
        """
        Close the books of a file.

        Raises:
            SourceFormatError: Not one of its lines could be read.
        """
        if self._skips.count and not self._events and not self._future:
            line, text, why = self._skips.samples[0]
            raise SourceFormatError(
                f"{self._file}: none of its {self._skips.count:,} lines could be read as "
                f'{facts.format}; the first, line {line}: {why}: "{text}"',
                line=line,
            )
        if facts.duration_unit and self._events and not self._durations:
            facts.duration_unit, facts.duration_why = None, ""
            facts.columns.pop("duration", None)
        self._samples.extend(
            SkippedLine(file=self._file, line=line, text=text, why=why)
            for line, text, why in self._skips.samples[: SAMPLES - len(self._samples)]
        )
        self._files.append(
            FileReading(
                file=facts.file,
                format=facts.format,
                lines=self._lines,
                events=self._events,
                skipped=self._skips.count,
                future=self._future,
                out_of_order=self._late,
                columns=facts.columns,
                time_unit=facts.time_unit,
                duration_unit=facts.duration_unit,
                duration_why=facts.duration_why,
                notes=tuple(facts.notes),
            )
        )

    @property
    def lines(self) -> int:
        """Lines of the current file so far."""
        return self._lines

    def dictionary(self, name: str) -> Dictionary:
        """The codes of the label called *name*."""
        return self.dictionaries.setdefault(name, Dictionary())

    def reading(self) -> Reading:
        """The report."""
        return Reading(files=tuple(self._files), samples=tuple(self._samples))

    def events(self) -> Events:
        """Everything taken, sorted by time; the pieces are given up on the way."""
        reading = self.reading()
        sizes = [len(time) for time in self._times]
        starts = np.cumsum([0, *sizes])
        time = np.concatenate(self._times)
        self._times.clear()
        columns: dict[tuple[str, str], NDArray[Any]] = {}
        for key in list(self._columns):
            kind = key[0]
            pieces = self._columns.pop(key)
            if kind == "duration_s" and not any(file.duration_unit for file in reading.files):
                continue  # a column without a single duration is no column
            if kind == "good" and len(pieces) < len(sizes):
                raise SourceFormatError(
                    "some files say which events are good and others do not; read them apart"
                )
            column = np.full(len(time), _MISSING.get(kind, False), dtype=_TYPES[kind])
            for piece in list(pieces):
                column[starts[piece] : starts[piece + 1]] = pieces.pop(piece)
            columns[key] = column
        labels = {
            name: Labels(column, tuple(self.dictionaries[name]))
            for (kind, name), column in columns.items()
            if kind == "label"
        }
        self.dictionaries.clear()
        return Events(
            time,
            status=columns.get(("status", "")),
            duration_s=columns.get(("duration_s", "")),
            good=columns.get(("good", "")),
            labels=labels,
            values={name: column for (kind, name), column in columns.items() if kind == "value"},
            reading=reading,
        )
