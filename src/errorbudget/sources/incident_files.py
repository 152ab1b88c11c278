"""Incidents and deploys that people keep in a file: CSV or JSON, a name and two instants each."""

from __future__ import annotations

import csv
import io
import json
from os import PathLike
from typing import Any

from errorbudget.errors import InvalidInputError, SourceFormatError
from errorbudget.sources.files import open_bytes
from errorbudget.studies.stretches import Stretch, read_stretches
from errorbudget.times import to_ns

__all__ = ["read_incidents"]

MOST_BYTES = 16_000_000
_COLUMNS = ("name", "start", "end")


def read_incidents(path: str | PathLike[str], slo: str | None = None) -> tuple[Stretch, ...]:
    """
    The stretches in a file, by start.

    Args:
        path: CSV with the columns `name`, `start` and `end`; or JSON: a list of objects with these
            keys, or an object that holds one as `incidents`, as `errorbudget simulate --truth`
            writes it.
        slo: Name of an objective: leave out what names another one as its `slo`, as
            `errorbudget incidents` writes it.

    Raises:
        SourceUnavailableError: The file cannot be read.
        SourceFormatError: It is neither, or an entry lacks a name or an instant.
    """
    stream, name, _ = open_bytes(path)
    with stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SourceFormatError(f"{name}: more than {MOST_BYTES:,} bytes of incidents")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceFormatError(f"{name}: not UTF-8 ({error.reason})") from None
    entries = _from_json(name, text) if text.lstrip()[:1] in ("[", "{") else _from_csv(name, text)
    try:
        found = [(_stretch(name, *entry), entry[1].get("slo")) for entry in entries]
        return read_stretches([each for each, of in found if slo is None or of in (None, "", slo)])
    except InvalidInputError as error:
        raise SourceFormatError(f"{name}: {error}") from None


def _stretch(file: str, place: str, entry: Any) -> Stretch:
    if not isinstance(entry, dict) or any(not entry.get(key) for key in _COLUMNS):
        raise SourceFormatError(
            f"{file}: {place} needs {', '.join(_COLUMNS)}, such as "
            '{"name": "outage", "start": "2026-03-01T12:00Z", "end": "2026-03-01T12:20Z"}; '
            f"got {entry!r}"
        )
    start, end = (to_ns(entry[key]) for key in ("start", "end"))
    return Stretch(str(entry["name"]), start, end)


def _from_json(file: str, text: str) -> list[tuple[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SourceFormatError(f"{file}: not JSON: {error}") from None
    listed = found.get("incidents") if isinstance(found, dict) else found
    if not isinstance(listed, list):
        raise SourceFormatError(
            f'{file}: a list of incidents was asked for, or {{"incidents": ...}}'
        )
    return [(f"incident {place}", entry) for place, entry in enumerate(listed, 1)]


def _from_csv(file: str, text: str) -> list[tuple[str, Any]]:
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    head = tuple(rows.fieldnames or ())
    if missing := [name for name in _COLUMNS if name not in head]:
        raise SourceFormatError(
            f"{file}: no column {', '.join(missing)}; the first line names the columns: "
            f"{','.join(_COLUMNS)}"
        )
    return [(f"line {rows.line_num}", row) for row in rows]
