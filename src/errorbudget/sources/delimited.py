"""CSV and TSV: a header, then one request a row; the delimiter is found by trying."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.errors import SourceFormatError
from errorbudget.sources.batches import Assembly, Batch, FileFacts
from errorbudget.sources.blocks import Block
from errorbudget.sources.options import Options
from errorbudget.sources.reading import Skips
from errorbudget.sources.records import Plan

__all__ = ["DELIMITERS", "delimited_batches", "delimiter_of"]

DELIMITERS = {",": "CSV", "\t": "TSV", ";": "CSV with semicolons", "|": "CSV with bars"}

if TYPE_CHECKING:
    from _csv import Reader as _Reader

_ROWS = 20_000
_SAMPLE = 200


def delimiter_of(lines: Sequence[str]) -> str | None:
    """The delimiter that splits the header and most lines into as many fields, at least two."""
    best: tuple[float, int, str] | None = None
    for delimiter in DELIMITERS:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 0
        names = [name.strip() for name in rows[0]] if rows else []
        if width < 2 or not all(names) or any(name[0].isdigit() for name in names):
            continue
        alike = sum(len(row) == width for row in rows[1:]) / max(len(rows) - 1, 1)
        if (alike >= 0.5 or len(rows) == 1) and (best is None or (alike, width) > best[:2]):
            best = (alike, width, delimiter)
    return best[2] if best else None


class _Lines:
    """The lines of the blocks as text, and the bad ones on the way."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self.skips = Skips()

    def __iter__(self) -> Iterator[str]:
        for block in self._blocks:
            self.skips.join(block.skips)
            text = block.data.decode("utf-8", "backslashreplace")
            yield from (f"{line}\n" for line in text.split("\n")[:-1])

    def take_skips(self) -> Skips:
        skips, self.skips = self.skips, Skips()
        return skips


def delimited_batches(
    blocks: Iterator[Block],
    sample: Sequence[str],
    delimiter: str,
    options: Options,
    facts: FileFacts,
    assembly: Assembly,
) -> Iterator[Batch]:
    """
    The events of a table with a header.

    Args:
        blocks: The file.
        sample: Its first lines, the header among them, from which the plan is made.
        delimiter: What stands between the fields.
        options: What the user decided.
        facts: Where to note what was found.
        assembly: Whose dictionaries hold the labels.
    """
    names, head = _head(sample, delimiter)
    columns = {name: [row[index] for row in head] for index, name in enumerate(names)}
    plan = Plan(names, columns, options, facts, assembly)
    needed = [(name, names.index(name)) for name in plan.needed]
    lines = _Lines(blocks)
    reader = csv.reader(lines, delimiter=delimiter)
    next(row for row in reader if any(row))  # the header
    before = 0
    for rows, line, skips in _pieces(reader, len(names), delimiter, lines):
        transposed = list(zip(*rows, strict=True)) or [()] * len(names)
        # The reader's count includes blank lines and those within quotes.
        yield plan.batch(
            {name: transposed[index] for name, index in needed},
            np.array(line, dtype=np.int64),
            lambda index, rows=rows: delimiter.join(rows[index]),  # type: ignore[misc]
            lines=reader.line_num - before,
            skips=skips,
        )
        before = reader.line_num
    plan.close()


def _head(sample: Sequence[str], delimiter: str) -> tuple[list[str], list[list[str]]]:
    """The names in the header and the first rows of the right width."""
    reader = csv.reader(sample, delimiter=delimiter)
    names: list[str] = []
    rows: list[list[str]] = []
    try:
        for row in itertools.islice(reader, _SAMPLE + 1):
            if not names and any(row):
                names = [name.strip() for name in row]
            elif names and len(row) == len(names):
                rows.append(row)
    except csv.Error:
        pass  # the rows themselves are read, and judged, later
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice and rows:
        raise SourceFormatError(
            f"the header names {', '.join(twice)} more than once; rename the columns, as one of "
            "them would be taken blindly"
        )
    return names, rows


def _pieces(
    reader: _Reader, width: int, delimiter: str, lines: _Lines
) -> Iterator[tuple[list[list[str]], list[int], Skips]]:
    """Rows of the right width with their line numbers, some thousand at a time."""
    rows: list[list[str]] = []
    line: list[int] = []
    skips = Skips()
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            taken = reader.line_num - start + 1
            skips.add(start, "", f"not a row: {error}", lines=max(taken, 1))
            continue
        if row is None:
            break
        if len(row) == width:
            rows.append(row)
            line.append(start)
        elif row and any(row):
            why = f"{len(row)} fields where the header has {width}"
            skips.add(start, delimiter.join(row), why)
        if len(rows) >= _ROWS:
            skips.join(lines.take_skips())
            yield rows, line, skips
            rows, line, skips = [], [], Skips()
    skips.join(lines.take_skips())
    yield rows, line, skips
