"""
What a report says, before any face draws it.

A document joins the answers (`Report`) with what they were read from: span, statuses, skipped
lines, notes. Text, JSON, Markdown, HTML and CSV are views of one document, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.evaluation import Report, evaluate
from errorbudget.events import Events
from errorbudget.figures import count
from errorbudget.times import TimeLike, format_time

if TYPE_CHECKING:
    from errorbudget.slo import SLO, Evaluable

__all__ = ["DataSummary", "Document", "FileSummary", "document", "summarize"]


@dataclass(frozen=True, slots=True)
class FileSummary:
    """
    One file that was read.

    Attributes:
        name: Its name.
        format: What it was found to be.
        lines: Lines or rows in it.
        events: Events taken.
        skipped: Bad lines left out.
        future: Events left out because they lie in the future.
        out_of_order: Events that stood after a later one.
        duration_unit: Unit that its durations were read in, or None.
    """

    name: str
    format: str
    lines: int
    events: int
    skipped: int = 0
    future: int = 0
    out_of_order: int = 0
    duration_unit: str | None = None


@dataclass(frozen=True, slots=True)
class DataSummary:
    """
    The requests that a report speaks about.

    Attributes:
        events: How many.
        span: First and last [ns UTC], or None without any.
        statuses: Requests by status code, ascending.
        without_status: Requests whose status is missing.
        without_duration: Requests whose duration is missing, or None where there are no durations.
        files: What was read.
        samples: Some skipped lines: file, line number, reason, text.
        notes: Sentences that the reader of the figures should know.
    """

    events: int
    span: tuple[int, int] | None
    statuses: Mapping[int, int] = field(default_factory=dict)
    without_status: int = 0
    without_duration: int | None = None
    files: tuple[FileSummary, ...] = ()
    samples: tuple[tuple[str, int, str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> dict[str, int]:
        """Requests by class of status, such as "2xx"."""
        found: dict[str, int] = {}
        for code, n in self.statuses.items():
            name = f"{code // 100}xx"
            found[name] = found.get(name, 0) + n
        return found

    def top_codes(self, most: int = 6) -> list[tuple[int, int]]:
        """The most frequent status codes with their counts."""
        return sorted(self.statuses.items(), key=lambda item: (-item[1], item[0]))[:most]

    def described_files(self, most: int = 8) -> list[str]:
        """A line for each file, or for the first *most* and the rest together."""
        lines = [f"{file.name}: {file.format}, {count(file.lines)} lines" for file in self.files]
        rest = sum(file.lines for file in self.files[most:])
        more = len(lines) - most
        return lines if more <= 1 else [*lines[:most], f"{more} more files, {count(rest)} lines"]

    def told(self, most: int = 12) -> list[str]:
        """The notes, or the first *most* and how many more there are."""
        more = len(self.notes) - most
        return [*self.notes] if more <= 1 else [*self.notes[:most], f"{more} more notes (in JSON)"]

    @property
    def skipped(self) -> int:
        """Bad lines of all files."""
        return sum(file.skipped for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """The summary as the JSON report holds it."""
        return {
            "events": self.events,
            "start": None if self.span is None else format_time(self.span[0]),
            "end": None if self.span is None else format_time(self.span[1]),
            "statuses": {str(code): n for code, n in self.statuses.items()},
            "without_status": self.without_status,
            "without_duration": self.without_duration,
            "files": [
                {
                    "name": file.name,
                    "format": file.format,
                    "lines": file.lines,
                    "events": file.events,
                    "skipped": file.skipped,
                    "future": file.future,
                    "out_of_order": file.out_of_order,
                    "duration_unit": file.duration_unit,
                }
                for file in self.files
            ],
            "skipped_samples": [
                {"file": file, "line": line, "why": why, "text": text}
                for file, line, why, text in self.samples
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Document:
    """
    A report with everything around it.

    Attributes:
        report: The answers.
        source: What was judged, for the faces that draw a history.
        data: What was read, or None where the source has no requests.
        at_given: Whether somebody chose the instant; else it is the end of the data.
        defaults: Whether the objectives are the defaults.
        title: Heading of the report.
    """

    report: Report
    source: Evaluable
    data: DataSummary | None = None
    at_given: bool = False
    defaults: bool = False
    title: str = "Error budget report"

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the report as a whole, most important first."""
        at = format_time(self.report.at_ns)
        notes = [
            f"Judged at {at}, as asked for."
            if self.at_given
            else f"Judged at {at}, the end of the data (--at chooses another instant)."
        ]
        if self.defaults:
            notes.append(
                "These objectives are defaults. Write your own as slos.yaml and give it with "
                "-s slos.yaml; `errorbudget demo` writes an example."
            )
        return tuple(notes)

    def to_dict(self) -> dict[str, Any]:
        """The JSON report, schema `errorbudget.report/1`."""
        found = self.report.to_dict()
        slos = found.pop("slos")
        found["at_given"] = self.at_given
        found["defaults"] = self.defaults
        if self.data is not None:
            found["data"] = self.data.to_dict()
        found["slos"] = slos
        return found


def summarize(events: Events) -> DataSummary:
    """
    What *events* are, for the head of a report.

    Example:
        >>> summarize(Events(time=[1, 2, 3], status=[200, 200, 503])).classes
        {'2xx': 2, '5xx': 1}
    """
    statuses: dict[int, int] = {}
    without_status = 0
    if events.status is not None:
        codes = np.bincount(events.status, minlength=1).tolist()
        without_status = codes[0]
        statuses = {code: n for code, n in enumerate(codes) if n and code}
    without_duration = None
    if events.duration_s is not None:
        without_duration = int(np.count_nonzero(np.isnan(events.duration_s)))
    reading = events.reading
    if reading is None:
        return DataSummary(len(events), events.span, statuses, without_status, without_duration)
    return DataSummary(
        len(events),
        events.span,
        statuses,
        without_status,
        without_duration,
        tuple(
            FileSummary(
                file.file,
                file.format,
                file.lines,
                file.events,
                file.skipped,
                file.future,
                file.out_of_order,
                file.duration_unit,
            )
            for file in reading.files
        ),
        tuple((line.file, line.line, line.why, line.text) for line in reading.samples),
        tuple(reading.sentences()),
    )


def document(
    slos: SLO | Iterable[SLO],
    source: Evaluable,
    *,
    at: TimeLike | None = None,
    defaults: bool = False,
    title: str = "Error budget report",
) -> Document:
    """
    Judge *slos* on *source* and gather what a report says.

    Args:
        slos: One objective or several.
        source: Events, a count series, or a tracker.
        at: The instant; by default the end of the data.
        defaults: Whether the objectives are the defaults, which the report then says.
        title: Heading of the report.

    Raises:
        InvalidInputError: There are no SLOs, or two of one name.
        InvalidSeriesError: The data lacks a column that an indicator asks for.
        NoDataError: The data is empty and *at* is not given.
    """
    return Document(
        report=evaluate(slos, source, at=at),
        source=source,
        data=summarize(source) if isinstance(source, Events) else None,
        at_given=at is not None,
        defaults=defaults,
        title=title,
    )
