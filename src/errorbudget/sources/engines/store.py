"""
Counts that stay: a folder of small Parquet files, one for each source that was counted.

A source is a file, or a folder such as `day=2026-03-01`. It is counted again only when one of its
files has changed, so a late file costs its own day and nothing else, and a run that was cut short
goes on where it stopped. Counts of sources that are gone by now are kept: logs are thrown away,
what they said is not. Each file is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from errorbudget.durations import DurationLike
from errorbudget.errors import (
    InvalidInputError,
    MissingDependencyError,
    NoDataError,
    SourceFormatError,
)
from errorbudget.slo import SLO
from errorbudget.sources.atomic_files import write_blocks
from errorbudget.sources.engines.columns import Roles
from errorbudget.sources.engines.counted import Bins, Counted
from errorbudget.sources.engines.files import Paths, Question, counted_files
from errorbudget.sources.engines.inventory import files_of
from errorbudget.sources.engines.places import facts, scheme_of
from errorbudget.sources.engines.scan import countable, labels_of, step_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Update", "holds_counts", "read_counts", "update_counts"]

_KEY = b"errorbudget.counts/1"
_SUFFIX = ".counts.parquet"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Update:
    """
    What a run did.

    Attributes:
        counted: Sources that were counted now.
        unchanged: Sources whose counts were there already.
        skipped: Files that were left out, and why.
        notes: What there is to say about how it was done.
    """

    counted: tuple[str, ...]
    unchanged: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def update_counts(
    folder: str | os.PathLike[str],
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
    progress: Progress | None = None,
) -> Update:
    """
    Bring the counts in *folder* up to date with files; the other arguments are `count_files`'s.

    Doing it twice is doing it once. Sources are told apart by their path, and a change by the size
    and time of their files.

    Args:
        folder: Where counts are kept; made if need be.
        paths: Files, patterns, or folders.
        slos: Objectives on ratios.
        every: Length of a bin, a multiple of a minute.
        by: Labels to keep counts apart by.
        engine: As in `count_files`.
        errors: As in `count_files`; a source with a file left out is tried again next time.
        time: Column of the time.
        status: Column of the HTTP status.
        duration: Column of the duration, in *duration_unit*.
        good: Column that says whether each event was good.
        columns: Further columns by the name that conditions have for them.
        time_unit: Unit of integer times.
        duration_unit: Unit of durations.
        progress: Called with each source before it is counted, how many were, and how many are to.

    Raises:
        InvalidInputError: The folder holds counts of other conditions, labels or bins, or lies in a
            store.
        SourceFormatError: A file cannot be counted; sources before it are kept.
        MissingDependencyError: pyarrow is not installed.
    """
    roles = Roles(time, status, duration, good, dict(columns or {}), time_unit, duration_unit)
    question = Question(countable(slos), labels_of(by), roles, step_of(every))
    home = _here(folder)
    meaning = _meaning(question)
    there = {name: state for name, state in _states(home, meaning) if state is not None}
    sources = _sources(files_of(paths))
    stale = {name: files for name, files in sources.items() if _changed(there, name, files)}
    skipped: list[tuple[str, str]] = []
    notes: dict[str, None] = {}
    counted: list[str] = []
    for name, files in stale.items():
        if progress is not None:
            progress(name, len(counted), len(stale))
        state = _state(files)  # before the scan: what changes meanwhile is counted again
        found = counted_files(files, question, engine=engine, errors=errors)
        skipped.extend(found.skipped)
        if len(found.skipped) == len(files):
            continue  # nothing of it could be read; what was known of it stays
        notes |= dict.fromkeys(found.notes)
        _write(home, name, found, meaning, None if found.skipped else state)
        counted.append(name)
    unchanged = tuple(name for name in sources if name not in stale)
    return Update(tuple(counted), unchanged, tuple(skipped), tuple(notes))


def read_counts(folder: str | os.PathLike[str], slos: SLO | Iterable[SLO]) -> Counted:
    """
    The counts that `update_counts` keeps in *folder*.

    Targets, windows and alerts may have changed since; conditions may not.

    Args:
        folder: Where counts are kept.
        slos: The objectives, or some of them.

    Raises:
        NoDataError: There are no counts in the folder.
        InvalidInputError: It holds no counts of one of the objectives, or of other conditions.
        SourceFormatError: A file in it is damaged.
    """
    wanted = countable(slos)
    parts = [_read(path, wanted) for path in _stored(_here(folder))]
    if not parts:
        raise NoDataError(f"there are no counts in {folder}; make them with update_counts")
    return Counted.merge(parts)


def _here(folder: str | os.PathLike[str]) -> Path:
    if scheme_of(os.fspath(folder)):
        raise InvalidInputError(
            f"counts are kept in a folder of this machine, not at {os.fspath(folder)}"
        )
    return Path(folder)


def _sources(files: Iterable[str]) -> dict[str, list[str]]:
    """Files by the source they belong to: the folder of a partition, or the file itself."""
    found: dict[str, list[str]] = {}
    for file in files:
        path = file if scheme_of(file) else os.path.abspath(file)  # noqa: PTH100 - links stay links
        folder = path.rpartition("/")[0] if scheme_of(path) else str(Path(path).parent)
        if "=" not in Path(folder).name:
            found[path] = [path]
        elif folder not in found:
            # All of it, also where only a late file was named: a source is counted as a whole.
            found[folder] = files_of(folder)
    return found


def _state(files: Iterable[str]) -> list[list[Any]]:
    return [facts(file) for file in sorted(files)]


def _changed(there: Mapping[str, Any], name: str, files: Sequence[str]) -> bool:
    state = _state(files)
    # A store that does not say whether a file has changed is asked for all of it each time.
    return there.get(name) != state or any(each[-1] is None for each in state)


def _meaning(question: Question) -> dict[str, Any]:
    """What decides the integers, as plain data."""
    return {
        "slos": {slo.name: _conditions(slo) for slo in question.slos},
        "by": list(question.by),
        "step_ns": question.step_ns,
        "roles": question.roles.to_dict(),
    }


def _conditions(slo: SLO) -> dict[str, Any]:
    """What decides the integers of one objective, as it comes back from a file."""
    conditions: dict[str, Any] = json.loads(json.dumps(slo.sli.to_dict()))
    return {"sli": conditions, "corrections": [repr(each) for each in slo.corrections]}


def holds_counts(folder: str | os.PathLike[str]) -> bool:
    """Whether *folder* is one that `update_counts` keeps counts in."""
    return Path(folder).is_dir() and bool(_stored(Path(folder)))


def _stored(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _parquet(job: str) -> Any:
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingDependencyError.for_extra(job, "pyarrow", "parquet") from None
    return parquet


def _head(path: Path, schema: pa.Schema) -> dict[str, Any]:
    text = (schema.metadata or {}).get(_KEY)
    if text is None:
        raise SourceFormatError(f"{path} holds no counts; move it away")
    head: dict[str, Any] = json.loads(text)
    return head


def _states(folder: Path, meaning: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Sources whose counts are there, and the state they had, once it is sure that they fit."""
    parquet = _parquet("keeping counts")
    for path in _stored(folder):
        try:
            head = _head(path, parquet.read_schema(path))
        except (OSError, ValueError) as error:
            raise SourceFormatError(f"{path} is damaged: {error}; remove it") from None
        if head["meaning"] != meaning:
            changed = [key for key in meaning if head["meaning"].get(key) != meaning[key]]
            raise InvalidInputError(
                f"{folder} holds counts of other {', '.join(_WORDS[key] for key in changed)}; "
                "keep these counts in another folder"
            )
        yield head["source"], head["state"]


_WORDS = {"slos": "objectives", "by": "labels", "step_ns": "bins", "roles": "columns"}


def _write(
    folder: Path, source: str, counted: Counted, meaning: Mapping[str, Any], state: Any
) -> None:
    import pyarrow as pa

    parquet = _parquet("keeping counts")
    bins = counted.bins
    columns: dict[str, Any] = {"start_ns": bins.start_ns, "on_start": bins.on_start}
    for place, name in enumerate(counted.by):
        texts = np.array([group[place] for group in bins.groups], dtype=object)
        columns[f"label {name}"] = pa.array(texts[bins.group], pa.string()).dictionary_encode()
    for row, slo in enumerate(counted.slos):
        columns[f"good {slo.name}"] = bins.good[row]
        columns[f"total {slo.name}"] = bins.total[row]
        columns[f"left_out {slo.name}"] = bins.left_out[row]
    head = {
        "source": source,
        "state": state,
        "meaning": meaning,
        "engine": counted.engine,
        "skipped": counted.skipped,
    }
    table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(head)})
    content = io.BytesIO()
    parquet.write_table(table, content, compression="zstd")
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    write_blocks([content.getvalue()], folder / f"{digest}{_SUFFIX}")


def _read(path: Path, slos: tuple[SLO, ...]) -> Counted:
    parquet = _parquet("reading counts")
    try:
        table = parquet.read_table(path)
    except (OSError, ValueError) as error:
        raise SourceFormatError(f"{path} is damaged: {error}; remove it and count again") from None
    head = _head(path, table.schema)
    meaning = head["meaning"]
    for slo in slos:
        kept = meaning["slos"].get(slo.name)
        if kept is None:
            raise InvalidInputError(
                f'{path.parent} holds no counts of "{slo.name}"; '
                f"it has {', '.join(meaning['slos'])}"
            )
        if kept != _conditions(slo):
            raise InvalidInputError(
                f'{path.parent} counted "{slo.name}" by other conditions; count again in '
                "another folder"
            )
    by = tuple(meaning["by"])

    def column(name: str) -> Any:
        return table.column(name).to_numpy()

    def counts(word: str) -> Any:
        found = [column(f"{word} {slo.name}") for slo in slos]
        return np.asarray(found, dtype=np.int64).reshape(len(slos), table.num_rows)

    places: dict[tuple[str, ...], int] = {}
    texts = (table.column(f"label {name}").to_pylist() for name in by)
    combined = zip(*texts, strict=True) if by else (() for _ in range(table.num_rows))
    group = np.fromiter(
        (places.setdefault(tuple(each), len(places)) for each in combined),
        dtype=np.int64,
        count=table.num_rows,
    )
    bins = Bins(
        np.asarray(column("start_ns"), dtype=np.int64),
        np.asarray(column("on_start"), dtype=bool),
        group,
        tuple(places),
        counts("good"),
        counts("total"),
        counts("left_out"),
    )
    skipped = tuple((str(file), str(why)) for file, why in head["skipped"])
    return Counted(slos, by, int(meaning["step_ns"]), bins, head["engine"], (), skipped)
