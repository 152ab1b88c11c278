"""
The files of a folder, and which of them can be counted in one go.

Files that hold the wanted columns in the same types go to the engine together; files that differ
are counted apart and added up, since counts add. A folder called `day=2026-03-01` gives its files a
column `day`.
"""

from __future__ import annotations

import bz2
import csv
import glob
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from errorbudget.errors import (
    InvalidInputError,
    MissingDependencyError,
    SourceFormatError,
    SourceUnavailableError,
    did_you_mean,
)
from errorbudget.sources.engines.places import listed, local, open_binary, scheme_of

__all__ = ["Batch", "FileKind", "TimeKind", "batches", "files_of", "partition_of"]

FileKind = Literal["parquet", "csv", "json"]
TimeKind = Literal["typed", "integer", "text"]
_SAMPLE = 200
_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Files that are alike.

    Attributes:
        kind: What they are.
        paths: Where they are.
        time: How their times are written.
        separator: Between the columns of CSV.
        partition: Columns that their folder's name gives them.
        blank: Columns that hold nothing, and have no type because of it.
    """

    kind: FileKind
    paths: tuple[str, ...]
    time: TimeKind
    separator: str
    partition: tuple[tuple[str, str], ...]
    blank: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        """The store that all of them lie in; empty for this machine."""
        return scheme_of(self.paths[0])


def files_of(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """
    The files that *paths* name: files, patterns such as `logs/*.parquet`, or whole folders.

    Hidden files and those that begin with `_`, as engines leave behind, are passed over in folders.
    Addresses such as `s3://logs/day=*/*.parquet` are listed by fsspec.

    Raises:
        SourceUnavailableError: A path is not there, or a folder has no files.
        InvalidInputError: No path was given, or a folder is a table of Delta or Iceberg.
        MissingDependencyError: What a store needs is not installed.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise InvalidInputError("no files were given; give a path or several")
    found: dict[str, None] = {}
    for path in [local(os.fspath(each)) for each in given]:
        if scheme_of(path):
            found |= dict.fromkeys(_of_store(path))
            continue
        here = [path] if Path(path).exists() else sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - any folder
        if not here:
            raise SourceUnavailableError(f"there is no file {path}")
        for each in here:
            inside = _inside(Path(each)) if Path(each).is_dir() else [each]
            if not inside:
                raise SourceUnavailableError(f"there are no files in {each}")
            found |= dict.fromkeys(inside)
    return list(found)


_LOGS = (("Delta", "_delta_log", "scan_delta"), ("Iceberg", "metadata", "scan_iceberg"))


def _table(folder: str, kind: str, opened: str) -> InvalidInputError:
    # A table's log says which of its files still count; the folder alone would count too many.
    return InvalidInputError(
        f"{folder} is a table of {kind}, which keeps files that count no longer; open it with its "
        f'engine and count the frame, as in count(polars.{opened}("{folder}"), slos)'
    )


def _hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith((".", "_")) for part in parts)


def _of_store(path: str) -> list[str]:
    files = listed(path)
    if files == (path,):
        return [path]
    folder = path.rstrip("/")
    # Above the first star stands what was asked for by name.
    root = folder.split("*")[0].rpartition("/")[0] if "*" in folder else folder
    inside = {file: file.removeprefix(root).strip("/").split("/") for file in files}
    for parts in inside.values():
        for kind, mark, opened in _LOGS:
            if mark in parts[:-1] and (kind == "Delta" or parts[-1].endswith(".metadata.json")):
                raise _table(folder, kind, opened)
    return [file for file, parts in inside.items() if not _hidden(parts)]


def _inside(folder: Path) -> list[str]:
    for kind, mark, opened in _LOGS:
        if next(folder.glob(mark if kind == "Delta" else f"{mark}/*.metadata.json"), None):
            raise _table(str(folder), kind, opened)
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _hidden(path.relative_to(folder).parts)
    ]


def partition_of(path: str) -> dict[str, str]:
    """
    The columns that the folders of *path* give.

    Example:
        >>> partition_of("logs/day=2026-03-01/region=eu/part-0.parquet")
        {'day': '2026-03-01', 'region': 'eu'}
    """
    pairs = (part.partition("=") for part in Path(path).parts[:-1] if "=" in part)
    return {name: value for name, _, value in pairs if name}


def batches(
    paths: Iterable[str],
    wanted: Sequence[str],
    time: str,
    skip: Callable[[str, Exception], None],
) -> list[Batch]:
    """
    The files, sorted into batches that are alike.

    Args:
        paths: The files.
        wanted: The columns that are asked for.
        time: The column of the time.
        skip: Called with a file that cannot be counted and why; raises unless files are skipped.

    Raises:
        MissingDependencyError: A file is Parquet, and pyarrow is not installed.
    """
    alike: dict[tuple[Any, ...], list[str]] = {}
    for path in paths:
        try:
            partition = {
                name: value for name, value in partition_of(path).items() if name in wanted
            }
            kind, types, separator, times = _look(path, time)
            _check_columns(path, wanted, types)
        except (SourceFormatError, SourceUnavailableError) as error:
            skip(path, error)
            continue
        own = {name: value for name, value in partition.items() if name not in types}
        signature = tuple(types.get(column, "") for column in wanted)
        key = (kind, signature, separator, times, tuple(sorted(own.items())), scheme_of(path))
        alike.setdefault(key, []).append(path)
    return [
        Batch(
            kind,
            tuple(files),
            times,
            separator,
            partition,
            tuple(name for name, held in zip(wanted, types, strict=True) if held == "null"),
        )
        for (kind, types, separator, times, partition, _), files in alike.items()
    ]


def _check_columns(path: str, wanted: Sequence[str], types: Mapping[str, str]) -> None:
    known = (*types, *partition_of(path))
    for column in wanted:
        if column not in known:
            raise SourceFormatError(
                f'{path} has no column "{column}"; it has {", ".join(known)}'
                f"{did_you_mean(column, known)}"
            )


def _look(path: str, time: str) -> tuple[FileKind, dict[str, str], str, TimeKind]:
    """Kind, types by column, separator and how times are written, from the head of a file."""
    try:
        with open_binary(path) as file:
            head = file.read(6)
            file.seek(0)
            if head[:4] == b"PAR1" or path.lower().endswith((".parquet", ".pq")):
                return "parquet", _parquet_types(path, file), "", "typed"
            pack = next((opener for mark, opener in _PACKED.items() if head.startswith(mark)), None)
            text = io.TextIOWrapper(pack(file) if pack else file, "utf-8-sig", "strict", "")
            lines = [line for _, line in zip(range(_SAMPLE), text, strict=False) if line.strip()]
            text.detach()
    except UnicodeDecodeError as error:
        raise SourceFormatError(f"{path} is neither Parquet nor text: {error}") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise SourceUnavailableError(f"cannot read {path}: {error}") from None
    if not lines:
        raise SourceFormatError(f"{path} is empty")
    if lines[0].lstrip().startswith("{"):
        return ("json", *_json_types(path, lines, time))
    return ("csv", *_csv_types(path, lines, time))


def _parquet_types(path: str, file: IO[bytes]) -> dict[str, str]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingDependencyError.for_extra(
            "counting Parquet files", "pyarrow", "parquet"
        ) from None
    try:
        schema = parquet.read_schema(file)
    except (pa.ArrowInvalid, OSError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise SourceFormatError(f"{path} is a damaged Parquet file: {first}") from None
    return {field.name: str(field.type) for field in schema}


def _time_kind(path: str, time: str, value: Any) -> TimeKind:
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer"
    text = str(value).strip()
    if text.lstrip("-").isdigit():
        return "integer"
    clock = text[10:]
    if len(text) > 10 and (text.endswith(("Z", "z")) or "+" in clock or "-" in clock):
        return "text"
    raise SourceFormatError(
        f'column "{time}" of {path} must hold integers or times with a zone, such as '
        f"2026-03-01T12:00:00Z, got {text!r}"
    )


def _json_types(path: str, lines: Sequence[str], time: str) -> tuple[dict[str, str], str, TimeKind]:
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise SourceFormatError(
                f"line {number} of {path} is not JSON: {error}", line=number
            ) from None
    types = {name: "json" for record in records for name in record}
    value = next((record[time] for record in records if record.get(time) is not None), "")
    return types, "", _time_kind(path, time, value) if time in types else "text"


def _csv_types(path: str, lines: Sequence[str], time: str) -> tuple[dict[str, str], str, TimeKind]:
    separator = max(",;\t|", key=lines[0].count)
    rows = list(csv.reader(lines, delimiter=separator))
    types = {name.strip(): "text" for name in rows[0]}
    if time not in types:
        return types, separator, "text"
    place = list(types).index(time)
    values = [row[place] for row in rows[1:] if len(row) > place and row[place]]
    return types, separator, _time_kind(path, time, values[0]) if values else "text"
