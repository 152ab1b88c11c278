"""
The door for specifications: whatever format, told apart by content.

    load(path or text)  ->  characters  ->  tree  ->  objectives
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from errorbudget.errors import InvalidInputError, SourceUnavailableError, did_you_mean
from errorbudget.specs.native import Native, read_native, read_parts, warn_of
from errorbudget.specs.spec import Spec
from errorbudget.specs.text import check_text, decode, is_text, read_file
from errorbudget.specs.tree import (
    LIMITS,
    Branch,
    Items,
    Limits,
    Node,
    Place,
    Problem,
    Scalar,
    raise_problems,
    spec_error,
)
from errorbudget.specs.variables import fill_in, masked
from errorbudget.windows import WindowLike, parse_window

__all__ = ["FORMATS", "load", "load_path", "trees"]

FORMATS = ("errorbudget", "openslo", "sloth", "pyrra", "slo-generator", "slo-kit")
"""Formats that are read."""

_JSON = re.compile(r"[ \t\r\n]*(?:\[[ \t\r\n]*)?\{[ \t\r\n]*[\"}]")
_TOML = re.compile(r"(?:\s|#.*\n)*(?:\[\[?[\w.\" -]+\]|[\w.\"-]+\s*=)")


def load(
    source: str | bytes | os.PathLike[str],
    *,
    format: str = "auto",
    window: WindowLike | None = None,
    allow_env: bool | Mapping[str, str] = False,
    root: str | os.PathLike[str] | None = None,
    limits: Limits = LIMITS,
) -> Spec:
    """
    The objectives of a specification.

    Reads the native format (YAML, TOML or JSON), OpenSLO, Sloth (and slokit), Pyrra, google
    slo-generator and slo-kit, told apart by content. Every mistake is reported at once, with its
    line and column.

    Args:
        source: A path; `"-"` for standard input; or the text itself, which has a line break, begins
            with `{` or `[`, or holds `: `.
        format: "auto", or what it must be: "errorbudget", "openslo", "sloth", "pyrra",
            "slo-generator", "slo-kit".
        window: Window for formats that leave it to their command line (Sloth, slo-generator).
        allow_env: Whether `${env:NAME}` is filled in, or a mapping to fill it in from.
        root: Folder that includes may not leave; by default that of the file.
        limits: How much it may hold.

    Returns:
        The objectives, a sequence, with warnings and with what could not be carried.

    Raises:
        SpecError: It cannot be understood; `problems` holds all that is wrong.
        SourceUnavailableError: A file is missing or unreadable.
        MissingDependencyError: The extra `specs` is not installed.

    Example:
        >>> spec = load(
        ...     "slos: [{name: api, target: 99.9%, window: 30d, sli: {kind: availability}}]"
        ... )
        >>> spec["api"].target
        Target("99.9%")
    """
    text, name = _text(source, limits)
    return _load(text, name, format, window, allow_env, root, limits)


def load_path(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    window: WindowLike | None = None,
    allow_env: bool | Mapping[str, str] = False,
    root: str | os.PathLike[str] | None = None,
    limits: Limits = LIMITS,
) -> Spec:
    """
    As `load`, for what can only be a path, such as an argument of a command line.

    Args:
        path: A path, or `"-"` for standard input.
        format: As in `load`.
        window: As in `load`.
        allow_env: As in `load`.
        root: As in `load`.
        limits: As in `load`.

    Raises:
        SpecError: It cannot be understood; `problems` holds all that is wrong.
        SourceUnavailableError: A file is missing or unreadable.
    """
    name = os.fspath(path)
    text = read_file(name, limits=limits)
    return _load(text, "" if name == "-" else name, format, window, allow_env, root, limits)


def _load(
    text: str,
    name: str,
    format: str,
    window: WindowLike | None,
    allow_env: bool | Mapping[str, str],
    root: str | os.PathLike[str] | None,
    limits: Limits,
) -> Spec:
    if format not in ("auto", *FORMATS):
        raise InvalidInputError(
            f'format must be "auto" or one of {", ".join(FORMATS)}, got {format!r}'
            f"{did_you_mean(str(format), FORMATS)}"
        )
    variables: Mapping[str, str] | None = None
    if allow_env is True:
        variables = os.environ
    elif allow_env is not False:
        variables = allow_env
    reading = _Reading(limits, variables, _root(root, name))
    documents = trees(text, source=name, limits=limits)
    kinds = [_kind(document) if format == "auto" else format for document in documents]
    if set(kinds) != {"errorbudget"}:
        from errorbudget.specs.foreign import read_foreign

        chosen = None if window is None else parse_window(window)
        spec = read_foreign(documents, kinds, source=name, window=chosen)
    else:
        spec = reading.spec(documents, name)
    return spec


def _text(source: str | bytes | os.PathLike[str], limits: Limits) -> tuple[str, str]:
    if isinstance(source, bytes):
        return decode(source, source="", limits=limits), ""
    if isinstance(source, str) and is_text(source):
        return check_text(source, source="", limits=limits), ""
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return read_file(path, limits=limits), "" if path == "-" else str(path)
    raise InvalidInputError(f"a specification is a path, or text, got {source!r}")


def _root(root: str | os.PathLike[str] | None, name: str) -> Path | None:
    if root is not None:
        return Path(root).resolve()
    return Path(name).resolve().parent if name else None


def trees(text: str, *, source: str = "", limits: Limits = LIMITS) -> list[Node]:
    """
    Every document of a text, as trees; lists of documents are taken apart.

    Args:
        text: YAML, JSON or TOML, told by the name of *source*, or by the text.
        source: Name of the file.
        limits: What it may hold.

    Raises:
        SpecError: It is none of them, is empty, or exceeds a limit.
    """
    suffix = Path(source).suffix.lower()
    if suffix == ".toml" or (not suffix and _TOML.match(text)):
        from errorbudget.specs.toml_tree import toml_tree

        found = [toml_tree(text, source=source, limits=limits)]
    elif suffix == ".json" or (not suffix and _JSON.match(text)):
        from errorbudget.specs.json_tree import json_tree

        found = [json_tree(text, source=source, limits=limits)]
    else:
        from errorbudget.specs.yaml_tree import yaml_trees

        found = yaml_trees(text, source=source, limits=limits)
    documents = [
        part
        for document in found
        for part in _apart(document)
        if not (isinstance(part, Scalar) and part.value is None)
    ]
    problems = [
        Problem("a specification is a mapping, such as slos: [...]", place=document.place)
        for document in documents
        if not isinstance(document, Branch)
    ]
    raise_problems(problems)
    if not documents:
        raise spec_error([Problem("the specification is empty", place=Place(1, 1, source))])
    return documents


def _apart(document: Node) -> Iterator[Node]:
    """The documents of a list of documents, as Kubernetes and OpenSLO write them."""
    if isinstance(document, Items):
        yield from document.items
        return
    if isinstance(document, Branch):
        kind, items = document.get("kind"), document.get("items")
        if isinstance(kind, Scalar) and kind.value == "List" and isinstance(items, Items):
            yield from items.items
            return
    yield document


def _kind(document: Node) -> str:
    """Which format a document is in."""
    if not isinstance(document, Branch):
        return "errorbudget"

    def word(key: str) -> str:
        node = document.get(key)
        return node.text if isinstance(node, Scalar) else ""

    api, version = word("apiVersion"), word("version")
    for start, kind in (
        ("openslo/", "openslo"),
        ("openslo.com/", "openslo"),
        ("sloth.slok.dev/", "sloth"),
        ("pyrra.dev/", "pyrra"),
        ("sre.google.com/", "slo-generator"),
        ("slo-kit/", "slo-kit"),
    ):
        if api.startswith(start):
            return kind
    if version.startswith("prometheus/"):
        return "sloth"
    keys = set(document.values)
    if {"error_budget_policies", "error_budget_policy_step_name"} & keys or (
        {"slo_name", "slo_target"} <= keys
    ):
        return "slo-generator"
    if {"service", "slos"} <= keys and "version" not in keys:
        return "sloth"  # as slokit reads it
    return "errorbudget"


@dataclass(slots=True)
class _Reading:
    """One native specification and the files that it includes."""

    limits: Limits
    variables: Mapping[str, str] | None
    root: Path | None
    native: Native = field(default_factory=Native)
    files: list[str] = field(default_factory=list)
    taken: set[Path] = field(default_factory=set)
    used: dict[str, str] = field(default_factory=dict)

    def spec(self, documents: list[Node], name: str) -> Spec:
        self._take(documents, name, ())
        slos = read_native(self.native)
        seen: dict[tuple[str, object], Problem] = {}
        for problem in self.native.problems:
            # What a default has wrong is wrong once, however many objectives start from it.
            told = replace(problem, message=masked(problem.message, self.used))
            seen.setdefault((told.message, told.place), told)
        raise_problems(list(seen.values()))
        if not slos:
            place = documents[0].place
            raise spec_error(
                [Problem("there are no objectives: slos is missing or empty", "slos", place)]
            )
        warnings = tuple(masked(warning, self.used) for warning in self.native.warnings)
        warn_of(masked(doubt, self.used) for doubt in self.native.doubts)
        return Spec(tuple(slos), warnings, files=tuple(self.files))

    def _take(self, documents: list[Node], name: str, within: tuple[Path, ...]) -> None:
        if name:
            self.files.append(name)
        for document in documents:
            filled = fill_in(document, self.variables, self.native.problems, used=self.used)
            assert isinstance(filled, Branch)  # noqa: S101 - what trees() lets through
            for path, node in self._included(filled):
                self._include(path, node, name, within)
            read_parts(self.native, filled)

    def _included(self, document: Branch) -> Iterator[tuple[str, Scalar]]:
        node = document.get("include")
        wanted = node.items if isinstance(node, Items) else [node] if node is not None else []
        for part in wanted:
            if isinstance(part, Scalar) and isinstance(part.value, str):
                yield part.value, part
            else:
                self.native.fault("include holds paths", "include", part.place)

    def _include(self, wanted: str, node: Scalar, name: str, within: tuple[Path, ...]) -> None:
        def fault(message: str) -> None:
            self.native.fault(message, "include", node.place)

        if self.root is None:
            return fault("text has no folder to include from; load a file, or pass root=")
        base = Path(name).resolve().parent if name else self.root
        path = (base / wanted).resolve()
        if Path(wanted).is_absolute() or not path.is_relative_to(self.root):
            return fault(f'"{wanted}" lies outside of {self.root}, which includes may not leave')
        here = (*within, Path(name).resolve()) if name else within
        if path in here:
            return fault(f'"{wanted}" includes itself')
        if path in self.taken:  # two files that share a base bring it in once
            return None
        if len(self.files) >= self.limits.files:
            return fault(f"more than {self.limits.files} files")
        shown = os.path.relpath(path) if not Path(name).is_absolute() else str(path)
        if not path.is_file():  # nor a pipe, which might never end
            return fault(
                f'"{wanted}" is {"no file" if path.exists() else "not there"}: looked for {path}'
            )
        self.taken.add(path)
        try:
            text = read_file(path, limits=self.limits)
        except SourceUnavailableError as error:
            return fault(str(error))
        documents = trees(text, source=shown, limits=self.limits)
        foreign = {_kind(document) for document in documents} - {"errorbudget"}
        if foreign:
            return fault(
                f'"{wanted}" is in the format {foreign.pop()}; convert it first: '
                "errorbudget convert"
            )
        return self._take(documents, shown, here)
