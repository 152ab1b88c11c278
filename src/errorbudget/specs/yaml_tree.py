"""
YAML into trees, event by event.

The parser is asked for its events alone: nothing is constructed, so no tag can run code, and
every limit is checked before the next event is read. An alias is one node used twice; it is
counted at the size that it stands for, which is what stops the "billion laughs".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from errorbudget.errors import ErrorBudgetError, MissingDependencyError
from errorbudget.specs.scalars import bare, looks_numeric, number, too_long
from errorbudget.specs.tree import (
    Branch,
    Items,
    Limits,
    Node,
    Place,
    Problem,
    Scalar,
    escaped_control,
    raise_problems,
    spec_error,
)

__all__ = ["yaml_trees"]

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}


@dataclass(slots=True)
class _Frame:
    """A list or mapping under construction."""

    place: Place
    is_map: bool
    anchor: str | None
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: str | None = None
    key_place: Place | None = None
    merging: bool = False
    merge: list[Node] = field(default_factory=list)
    weight: int = 1
    height: int = 1


@dataclass(slots=True)
class _Builder:
    """What is known while the events of one text go by."""

    source: str
    limits: Limits
    problems: list[Problem] = field(default_factory=list)
    documents: list[Node] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int, int] | None] = field(default_factory=dict)
    nodes: int = 0
    aliases: int = 0
    bare_word: bool = False

    def place(self, mark: Any) -> Place:
        return Place(mark.line + 1, mark.column + 1, self.source)

    def stop(self, message: str, place: Place) -> NoReturn:
        """Give up at once: what follows could not be trusted, or not be afforded."""
        raise spec_error([*self.problems, Problem(message, place=place)])

    def count(self, weight: int, place: Place) -> None:
        self.nodes += weight
        if self.nodes > self.limits.nodes:
            self.stop(
                f"the document stands for more than {self.limits.nodes:,} keys and values, "
                "aliases counted as often as they are used; split it into files",
                place,
            )

    def depth(self, extra: int, place: Place) -> None:
        if len(self.stack) + extra > self.limits.depth:
            self.stop(
                f"nested more than {self.limits.depth} levels deep; no specification needs that",
                place,
            )

    def add(self, node: Node, weight: int, height: int) -> None:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.documents.append(node)
            if len(self.documents) > self.limits.documents:
                self.stop(f"more than {self.limits.documents:,} documents", node.place)
            return
        frame = self.stack[-1]
        frame.weight += weight
        frame.height = max(frame.height, height + 1)
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key_place is None:
            self._key(frame, node)
        else:
            self._value(frame, node)

    def _key(self, frame: _Frame, node: Node) -> None:
        if not isinstance(node, Scalar) or node.value is None:
            self.stop("a key must be text; put it in quotes if it has brackets", node.place)
        # A key is its text: `on:` and `2024:` are those words, whatever a bare word means.
        frame.key, frame.key_place = str(node.text), node.place
        frame.merging = self.bare_word and node.text == "<<"

    def _value(self, frame: _Frame, node: Node) -> None:
        key, key_place = frame.key, frame.key_place
        assert key is not None  # noqa: S101 - a value follows its key
        assert key_place is not None  # noqa: S101
        frame.key = frame.key_place = None
        if frame.merging:
            frame.merge += node.items if isinstance(node, Items) else [node]
        elif key in frame.values:
            if len(self.problems) > 200:
                self.stop("there are too many mistakes to read on", key_place)
            self.problems.append(
                Problem(
                    f'key "{key}" is written twice, first in line {frame.keys[key].line}; '
                    "keep one of them",
                    place=key_place,
                )
            )
        else:
            frame.values[key], frame.keys[key] = node, key_place

    def start(self, event: Any, *, is_map: bool) -> None:
        place = self.place(event.start_mark)
        self._refuse_tag(event.tag, place)
        self.count(1, place)
        self.depth(1, place)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Frame(place, is_map, event.anchor))

    def end(self) -> None:
        frame = self.stack.pop()
        node: Node
        if frame.is_map:
            for other in frame.merge:
                if not isinstance(other, Branch):
                    self.stop("<< merges mappings only", other.place)
                for key, value in other.values.items():
                    if key not in frame.values:
                        frame.values[key], frame.keys[key] = value, other.keys[key]
            node = Branch(frame.values, frame.keys, frame.place)
        else:
            node = Items(tuple(frame.items), frame.place)
        if frame.anchor:
            self.anchors[frame.anchor] = (node, frame.weight, frame.height)
        self.add(node, frame.weight, frame.height)

    def scalar(self, event: Any) -> None:
        place = self.place(event.start_mark)
        self._refuse_tag(event.tag, place)
        self.count(1, place)
        text = event.value
        if event.style == '"' and (reason := escaped_control(text)):
            self.stop(reason, place)
        node = Scalar(text, text, place)
        self.bare_word = event.style is None
        tag = str(event.tag or "").removeprefix(_TAG)
        if (event.style is None and tag in ("", "None")) or tag in ("int", "float", "bool", "null"):
            if looks_numeric(text) and (reason := too_long(text)):
                self.stop(reason, place)
            node = Scalar(bare(text), text, place)
            if (tag in ("int", "float") and number(text) is None) or (
                (tag == "bool" and not isinstance(node.value, bool))
                or (tag == "null" and node.value is not None)
            ):
                self.stop(f'"{text[:40]}" is no {tag}', place)
        if event.anchor:
            self.anchors[event.anchor] = (node, 1, 0)
        self.add(node, 1, 0)

    def alias(self, event: Any) -> None:
        place = self.place(event.start_mark)
        self.aliases += 1
        if self.aliases > self.limits.aliases:
            self.stop(f"more than {self.limits.aliases:,} aliases", place)
        if event.anchor not in self.anchors:
            self.stop(f'alias "*{event.anchor}" stands for nothing written before it', place)
        found = self.anchors[event.anchor]
        if found is None:
            self.stop(f'alias "*{event.anchor}" stands inside of what it stands for', place)
        node, weight, height = found
        self.bare_word = False
        self.count(weight, place)
        self.depth(height, place)
        self.add(node, weight, height)

    def _refuse_tag(self, tag: object, place: Place) -> None:
        text = "" if tag is None else str(tag)
        if text in ("", "!", "None") or text in _PLAIN_TAGS:
            return
        shown = "!!" + text.removeprefix(_TAG) if text.startswith(_TAG) else text
        self.stop(
            f'tag "{shown[:60]}" is refused: a specification is plain data. '
            'Text that begins with "!" goes in quotes, such as "!5xx"',
            place,
        )


def _events(text: str) -> Iterator[Any]:
    try:
        from ruamel.yaml import YAML
    except ModuleNotFoundError:
        raise MissingDependencyError.for_extra("reading YAML", "ruamel.yaml", "specs") from None
    yield from YAML(typ="safe", pure=True).parse(text)


def yaml_trees(text: str, *, source: str, limits: Limits) -> list[Node]:
    """
    Every document of a YAML text.

    Args:
        text: The text; `text.decode` has checked its size and its characters.
        source: Name of the file, for messages.
        limits: What it may hold.

    Raises:
        SpecError: It is not YAML, holds a duplicate key or a tag, or exceeds a limit.
        MissingDependencyError: ruamel.yaml is not installed.

    Time: O(length); memory: O(limits.nodes).
    """
    builder = _Builder(source, limits)
    try:
        for event in _events(text):
            kind = type(event).__name__
            if kind == "ScalarEvent":
                builder.scalar(event)
            elif kind == "MappingStartEvent":
                builder.start(event, is_map=True)
            elif kind == "SequenceStartEvent":
                builder.start(event, is_map=False)
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                builder.end()
            elif kind == "AliasEvent":
                builder.alias(event)
            elif kind == "DocumentStartEvent":
                builder.anchors.clear()
    except ErrorBudgetError:
        raise
    except Exception as error:
        _translate(error, builder)
        raise
    raise_problems(builder.problems)
    return builder.documents


def _translate(error: Exception, builder: _Builder) -> None:
    """Raise the parser's complaint as ours; do nothing for errors that are not its own."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        place = builder.place(mark) if mark is not None else Place(1, 1, builder.source)
        said = str(error.problem or error.context or "cannot be read")
        if "'\\t'" in said:
            said = "a tab where YAML wants spaces; indent with spaces"
        elif "'%'" in said or "'@'" in said or "'`'" in said:
            said += "; put the text in quotes"
        elif "mapping values are not allowed" in said:
            said = 'a second ":" in one line; put the text in quotes'
        context = re.sub(r"\s+", " ", error.context or "")
        said += f" ({context})" if context and context not in said else ""
        builder.stop(f"not YAML: {said}", place)
    elif isinstance(
        error, YAMLError | RecursionError | ValueError | IndexError | KeyError
    ) and not (hasattr(error, "problems")):
        place = builder.stack[-1].place if builder.stack else Place(1, 1, builder.source)
        builder.stop(f"not YAML: {str(error) or type(error).__name__}", place)
