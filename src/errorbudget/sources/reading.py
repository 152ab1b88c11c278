"""
What a reader of files has to say: what it found, what it left out, and why.

Every line is accounted for: it became an event, was skipped with a reason, or was blank.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["SAMPLES", "FileReading", "Reading", "SkippedLine", "Skips", "shown"]

SAMPLES = 10
"""Skipped lines that are kept as examples, per reading."""

_SHOWN = 120


def shown(text: bytes | str) -> str:
    """The text, made printable and short enough for one line of a message."""
    line = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    cut = len(line) > _SHOWN
    line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line[:_SHOWN])
    return f"{line}..." if cut else line


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedLine:
    """
    One line that did not become an event.

    Args:
        file: Name of the file.
        line: Line number, from 1 (row number in Parquet).
        text: The line, printable and cut short.
        why: What is wrong with it.
    """

    file: str
    line: int
    text: str
    why: str

    def __str__(self) -> str:
        return f'{self.file}:{self.line}: {self.why}: "{self.text}"'


class Skips:
    """A count of bad lines with the first few as examples; bounded however many there are."""

    __slots__ = ("count", "samples")

    def __init__(self) -> None:
        self.count = 0
        self.samples: list[tuple[int, str, str]] = []

    def add(self, line: int, text: bytes | str, why: str, *, lines: int = 1) -> None:
        """Count *lines* bad lines, the first of which has the number *line*."""
        self.count += lines
        if len(self.samples) < SAMPLES:
            self.samples.append((line, shown(text[: 4 * _SHOWN]), why))

    def join(self, other: Skips) -> None:
        """Take over what *other* has counted, keeping the first samples of both."""
        self.count += other.count
        self.samples = sorted(self.samples + other.samples, key=lambda sample: sample[0])[:SAMPLES]

    def copy(self) -> Skips:
        """The same, on its own."""
        twin = Skips()
        twin.join(self)
        return twin


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """
    What one file held.

    Args:
        file: Name of the file, `<stdin>` for standard input.
        format: What the content was found to be, as "combined log, gzip".
        lines: Lines (rows in Parquet), header and blank ones included.
        events: Events taken.
        skipped: Bad lines left out, events in the future not among them.
        future: Events left out because they lie after `now`.
        out_of_order: Events that stood after a later one.
        columns: Where each column came from, by name.
        time_unit: Unit of numeric times ("s", "ms", "us", "ns"), None for written times.
        duration_unit: Unit of the durations, None where there are none.
        duration_why: What tells the unit.
        notes: Whatever else the reader of the figures should know, as sentences.
    """

    file: str
    format: str
    lines: int
    events: int
    skipped: int = 0
    future: int = 0
    out_of_order: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    time_unit: str | None = None
    duration_unit: str | None = None
    duration_why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    The report of reading one or several files; it travels as `events.reading`.

    Duplicate lines are not removed: two equal lines are two requests.

    Args:
        files: One report per file, in the order given.
        samples: The first skipped lines.
    """

    files: tuple[FileReading, ...]
    samples: tuple[SkippedLine, ...] = ()

    @property
    def lines(self) -> int:
        """Lines of all files."""
        return sum(file.lines for file in self.files)

    @property
    def events(self) -> int:
        """Events of all files."""
        return sum(file.events for file in self.files)

    @property
    def skipped(self) -> int:
        """Bad lines of all files."""
        return sum(file.skipped for file in self.files)

    @property
    def future(self) -> int:
        """Events of all files that lie after `now` and were left out."""
        return sum(file.future for file in self.files)

    @property
    def out_of_order(self) -> int:
        """Events that stood after a later one of the same file; they count, sorted."""
        return sum(file.out_of_order for file in self.files)

    @property
    def formats(self) -> tuple[str, ...]:
        """The distinct formats found."""
        return tuple(dict.fromkeys(file.format for file in self.files))

    @property
    def duration_unit(self) -> str | None:
        """Unit of the durations in the first file that has any."""
        return next((file.duration_unit for file in self.files if file.duration_unit), None)

    def sentences(self) -> tuple[str, ...]:
        """
        What a person should be told beside the figures; empty when all was plain.

        Example:
            >>> file = FileReading(file="a.log", format="common log", lines=9, events=8, skipped=1)
            >>> Reading(files=(file,)).sentences()
            ('a.log: 1 of 9 lines skipped',)
        """
        told = []
        for file in self.files:
            if file.skipped:
                told.append(f"{file.file}: {file.skipped:,} of {file.lines:,} lines skipped")
            if file.future:
                told.append(f"{file.file}: {file.future:,} events lie in the future, left out")
            if file.out_of_order:
                told.append(
                    f"{file.file}: {file.out_of_order:,} of {file.events:,} events were out of "
                    "time order, sorted"
                )
            if file.duration_why:
                told.append(f"{file.file}: {file.duration_why}")
            told.extend(f"{file.file}: {note}" for note in file.notes)
        return tuple(told)
