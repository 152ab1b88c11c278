"""The door for files and folders: counts of all objectives, by an engine that fits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from errorbudget.durations import MINUTE_NS, DurationLike
from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    InvalidSeriesError,
    SourceError,
    SourceFormatError,
)
from errorbudget.predicates import Flag, LabelIn, LabelMatches, Predicate, atoms
from errorbudget.slo import SLO
from errorbudget.sources.engines.columns import Roles
from errorbudget.sources.engines.counted import Bins, Counted
from errorbudget.sources.engines.inventory import Batch, batches, files_of
from errorbudget.sources.engines.openers import (
    ColumnKind,
    choose,
    open_frames,
)
from errorbudget.sources.engines.places import scheme_of, size
from errorbudget.sources.engines.scan import countable, labels_of, names_of, scan, step_of

__all__ = ["Question", "count_files", "counted_files"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is asked of files, whichever they are.

    Args:
        slos: Objectives on ratios.
        by: Labels to keep counts apart by.
        roles: Which column is what.
        step_ns: Length of a bin [ns].
    """

    slos: tuple[SLO, ...]
    by: tuple[str, ...]
    roles: Roles
    step_ns: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that files must have."""
        return self.roles.needed(names_of(self.slos, self.by))

    def kinds(self, batch: Batch) -> dict[str, ColumnKind]:
        """What text files hold in each of the columns."""
        found: dict[str, ColumnKind] = {
            self.roles.time: "integer" if batch.time == "integer" else "time"
        }
        for slo in self.slos:
            for predicate in (slo.sli.good_when, slo.sli.valid_when):  # type: ignore[union-attr]
                for name, kind in _asked(predicate):
                    found.setdefault(self.roles.column_of(name), kind)
        for name in self.by:
            found.setdefault(self.roles.column_of(name), "text")
        return found


def _asked(predicate: Predicate) -> Iterator[tuple[str, ColumnKind]]:
    for atom in atoms(predicate):
        kind: ColumnKind = "number"
        if isinstance(atom, Flag):
            kind = "flag"
        elif isinstance(atom, (LabelIn, LabelMatches)):
            kind = "text"
        yield from ((name, kind) for name in atom.columns)


def count_files(
    paths: Paths,
    slos: SLO | Iterable[SLO],
    every: DurationLike = "1m",
    by: Iterable[str] = (),
    *,
    engine: str = "auto",
    errors: Literal["raise", "skip"] = "raise",
    time: str = "time",
    status: str = "status",
    duration: str = "duration_s",
    good: str = "good",
    columns: Mapping[str, str] | None = None,
    time_unit: str = "ns",
    duration_unit: str = "s",
) -> Counted:
    """
    Good and total events of every objective per bin, from files larger than memory.

    Files are Parquet, CSV or JSON lines, told by content. They may differ: those that hold the
    wanted columns in other types are counted apart and added up. Folders called `day=2026-03-01`
    give a column `day`.

    Args:
        paths: Files, patterns such as `logs/*.parquet`, or folders; also addresses that fsspec
            knows, such as `s3://bucket/logs`.
        slos: Objectives on ratios.
        every: Length of a bin, a multiple of a minute.
        by: Labels to keep counts apart by.
        engine: "polars", "duckdb", "pyarrow", "dask", "spark"; or "auto", which looks at the size
            of the files and at what is installed, and says so in `notes`.
        errors: "raise" refuses the first file that cannot be counted; "skip" leaves it out and
            says so in `skipped`.
        time: Column of the time, as in `count`; in text files with a zone, or integers.
        status: Column of the HTTP status.
        duration: Column of the duration, in *duration_unit*.
        good: Column that says whether each event was good.
        columns: Further columns by the name that conditions have for them.
        time_unit: Unit of integer times: "s", "ms", "us" or "ns".
        duration_unit: Unit of durations.

    Raises:
        SourceUnavailableError: A file is missing or may not be read.
        SourceFormatError: A file is damaged, or lacks a column; the message names both.
        InvalidSeriesError: A column holds something else, or a value out of range.
        InvalidInputError: An argument is out of range, or the engine does not read such files.
        MissingDependencyError: The engine is not installed.
    """
    roles = Roles(time, status, duration, good, dict(columns or {}), time_unit, duration_unit)
    question = Question(countable(slos), labels_of(by), roles, step_of(every))
    files = files_of(paths)
    counted = counted_files(files, question, engine=engine, errors=errors)
    if len(counted.skipped) == len(files):
        reasons = "; ".join(reason for _, reason in counted.skipped[:3])
        raise SourceFormatError(f"none of {len(files):,} files could be counted: {reasons}")
    return counted


def counted_files(
    paths: Sequence[str], question: Question, *, engine: str, errors: Literal["raise", "skip"]
) -> Counted:
    """The counts of files that are there, even if all are skipped; see `count_files`."""
    if errors not in ("raise", "skip"):
        raise InvalidInputError(f'errors must be "raise" or "skip", got {errors!r}')
    chosen, why = choose(engine, sum(map(size, paths)), len(paths), set(map(scheme_of, paths)))
    skipped: list[tuple[str, str]] = []

    def skip(path: str, error: Exception) -> None:
        if errors == "raise":
            raise error
        skipped.append((path, str(error)))

    parts: list[Counted] = []
    for batch in batches(paths, question.columns, question.roles.time, skip):
        parts.extend(_halved(chosen, batch, question, skip))
    nothing = Counted(question.slos, question.by, MINUTE_NS, Bins.empty(len(question.slos)), chosen)
    merged = Counted.merge(parts or [nothing]).coarser(question.step_ns)
    return replace(merged, notes=(why, *merged.notes), skipped=tuple(skipped))


# Every engine has its own for "this file is damaged".
_BATCH_ERRORS = (Exception,)


def _halved(
    engine: str, batch: Batch, question: Question, skip: Callable[[str, Exception], None]
) -> Iterator[Counted]:
    """
    The counts of a batch; where some file of it is bad, of its halves, and of theirs.

    Of n files a bad one is found in about log2(n) further scans, and they read the rest once more.
    """
    try:
        yield _batch(engine, batch, question)
        return
    except _BATCH_ERRORS as error:
        if _ours(error) and not isinstance(error, InvalidSeriesError):
            raise
        if len(batch.paths) == 1:
            skip(batch.paths[0], _named(batch.paths[0], error))
            return
    middle = len(batch.paths) // 2
    for half in (batch.paths[:middle], batch.paths[middle:]):
        yield from _halved(engine, replace(batch, paths=half), question, skip)


def _ours(error: Exception) -> bool:
    return isinstance(error, ErrorBudgetError)


def _named(path: str, error: Exception) -> Exception:
    if isinstance(error, (InvalidSeriesError, SourceError)):
        return error
    if _ours(error):
        raise error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Spark says what happened last, below a trace of its own.
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    said = (causes[-1:] or lines[:1] or [type(error).__name__])[0]
    named = SourceFormatError(f"{path} cannot be counted: {said}")
    named.__cause__ = error
    return named


def _batch(engine: str, batch: Batch, question: Question) -> Counted:
    n = len(batch.paths)
    source = batch.paths[0] if n == 1 else f"{batch.paths[0]} and {n - 1:,} more files"
    parts: list[Counted] = []
    for frame in open_frames(engine, batch, question.kinds(batch)):
        parts.append(
            scan(
                frame,
                question.slos,
                question.by,
                question.roles,
                source=source,
            )
        )
        if len(parts) > 1:  # merged as they arrive, so that memory holds bins of two parts
            parts = [Counted.merge(parts)]
    return replace(parts[0], step_ns=MINUTE_NS)
