"""JSON lines: one object a request, nested ones by their joined names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from errorbudget.sources.batches import Assembly, Batch, FileFacts
from errorbudget.sources.blocks import Block
from errorbudget.sources.options import Options
from errorbudget.sources.records import Plan

__all__ = ["json_batches", "objects_of", "paths_of"]

_DEPTH = 4
_SAMPLE = 200

Path = tuple[str, ...]
Object = dict[str, Any]


def objects_of(lines: Sequence[bytes]) -> list[Object | None]:
    """The object of each line, None for what is none."""
    # One call for all costs half of one call for each.
    if all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        try:
            together = json.loads(b"[" + b",".join(lines) + b"]")
        except (ValueError, RecursionError):
            together = []
        if len(together) == len(lines):
            return list(together)
    return [_object(line) for line in lines]


def _object(line: bytes) -> Object | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def paths_of(objects: Sequence[Object]) -> dict[str, Path]:
    """Where each plain value of the objects lies, by its joined name such as `request.method`."""
    found: dict[str, Path] = {}

    def walk(value: Mapping[str, Any], path: Path) -> None:
        for key, inner in value.items():
            if isinstance(inner, dict) and len(path) < _DEPTH:
                walk(inner, (*path, key))
            elif not isinstance(inner, list):
                found.setdefault(".".join((*path, key)), (*path, key))

    for each in objects:
        walk(each, ())
    return found


def _values(objects: Sequence[Object], path: Path) -> list[Any]:
    if len(path) == 1:
        (key,) = path
        return [each.get(key) for each in objects]
    found: list[Any] = list(objects)
    for key in path:
        found = [each.get(key) if isinstance(each, dict) else None for each in found]
    return found


def json_batches(
    blocks: Iterator[Block],
    sample: Sequence[bytes],
    options: Options,
    facts: FileFacts,
    assembly: Assembly,
) -> Iterator[Batch]:
    """
    The events of a file with one JSON object a line.

    Args:
        blocks: The file.
        sample: Its first lines, from which the plan is made.
        options: What the user decided.
        facts: Where to note what was found.
        assembly: Whose dictionaries hold the labels.
    """
    head = [found for found in objects_of(sample) if found is not None][:_SAMPLE]
    paths = paths_of(head)
    plan = Plan(
        [*paths], {name: _values(head, path) for name, path in paths.items()},
        options, facts, assembly,
    )  # fmt: skip
    for block in blocks:
        skips = block.skips.copy()
        numbers, lines = [], []
        for number, line in enumerate(block.data.split(b"\n")[:-1], block.line):
            text = line.strip()
            if text:
                numbers.append(number)
                lines.append(text)
        objects: list[Object] = []
        kept: list[int] = []
        for index, found in enumerate(objects_of(lines)):
            if found is None:
                skips.add(numbers[index], lines[index], "not a JSON object")
            else:
                objects.append(found)
                kept.append(index)
        yield plan.batch(
            {name: _values(objects, paths[name]) for name in plan.needed},
            np.array([numbers[index] for index in kept], dtype=np.int64),
            lambda index, lines=lines, kept=kept: lines[kept[index]],  # type: ignore[misc]
            lines=block.lines,
            skips=skips,
        )
    plan.close()
