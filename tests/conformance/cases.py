"""Files of cases, in either shape, as one list; and what kind each case is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Case", "ShapeError", "read_cases"]

PREFIXES = (
    "kibana/sli",
    "kibana/budget",
    "kibana/burn",
    "kibana/status",
    "kibana/window",
    "kibana/validate",
    "seed/budget",
    "slo-generator",
    "openslo",
    "sloth",
    "sre-workbook",
    "pyrra",
    "exhaustion",
    "detection",
    "time-to-detect",
)
"""Kinds that files of the second shape put in front of an id, the more special ones first."""


class ShapeError(ValueError):
    """A file that is in neither shape."""


@dataclass(frozen=True, slots=True)
class Case:
    """
    One question and what its source answers.

    Attributes:
        id: Its name, unique in its file.
        kind: What is asked.
        inputs: What is given.
        expected: The figures, by name.
        note: What its source says about it.
        about: What the file says about all of its cases.
        whole: The case as it was written.
        folder: Where its file lies.
    """

    id: str
    kind: str
    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    note: str = ""
    about: str = ""
    whole: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()


def _kind(name: str, whole: Mapping[str, Any]) -> str:
    if "kind" in whole:
        return str(whole["kind"])
    for prefix in PREFIXES:
        if name == prefix or name.startswith(f"{prefix}/"):
            return prefix
    if {"promql", "flavour", "series"} <= whole.keys():
        return "promql"
    if {"path", "params", "answers"} <= whole.keys():
        return "prometheus http"
    if {"file", "cmd"} <= whole.keys():
        return "alertmanager"
    return name.rpartition("/")[0] or name


def _first(whole: Mapping[str, Any], *names: str) -> Any:
    for name in names:
        if name in whole:
            return whole[name]
    return None


def _case(name: str, whole: Any, about: str, folder: Path) -> Case:
    if not isinstance(whole, Mapping):
        raise ShapeError(f"case {name} is not an object: {whole!r}")
    kind = _kind(name, whole)
    inputs, expected = _first(whole, "inputs", "input"), _first(whole, "expected", "expect")
    note = " ".join(str(whole[key]) for key in ("note", "rule") if whole.get(key))
    return Case(
        id=name,
        kind=kind,
        inputs=inputs if isinstance(inputs, Mapping) else {},
        expected=expected if isinstance(expected, Mapping) else {},
        note=note,
        about=about,
        whole=whole,
        folder=folder,
    )


def _named(data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        yield from ((str(name), whole) for name, whole in data.items())
    else:
        for number, whole in enumerate(data):
            named = isinstance(whole, Mapping) and "id" in whole
            yield str(whole["id"]) if named else f"#{number}", whole


def read_cases(path: str | Path) -> list[Case]:
    """
    Every case of a file.

    Args:
        path: A file in either shape; `cases` may be a list or a mapping from id to case.

    Raises:
        ShapeError: It is in neither shape.
    """
    path = Path(path)
    data = json.loads(path.read_text("utf-8"))
    if isinstance(data, list):
        return [_case(name, whole, "", path.parent) for name, whole in _named(data)]
    if not isinstance(data, Mapping):
        raise ShapeError(f"{path.name} holds neither a list nor an object")
    about = str(data.get("description", ""))
    if "cases" in data:
        return [_case(name, whole, about, path.parent) for name, whole in _named(data["cases"])]
    if isinstance(data.get("inputs"), Mapping) and "expected" in data:
        kinds = {"exprs": "alert timeline", "last_ms": "prometheus counters"}
        found = [kind for key, kind in kinds.items() if key in data["inputs"]]
        whole = {"kind": (found or [path.stem])[0], **data, "path": str(path)}
        return [_case(path.stem, whole, about, path.parent)]
    raise ShapeError(
        f"{path.name} is in neither shape: a list of {{id, kind, input, expect}}, "
        "or {description, provenance, cases}"
    )
