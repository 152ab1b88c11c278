"""
JSON into a tree that knows its lines.

The standard library reads JSON faster, and forgets where everything stood. Duplicate keys, which it
lets pass, are refused here.

Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field

from errorbudget.specs.scalars import number, too_long
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

__all__ = ["Lines", "json_tree"]

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_]+")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class Lines:
    """Lines and columns of positions in a text."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, position: int) -> Place:
        """Where the character at *position* stands."""
        line = bisect_right(self._starts, position)
        return Place(line, position - self._starts[line - 1] + 1, self.source)


@dataclass(slots=True)
class _Reader:
    text: str
    lines: Lines
    limits: Limits
    position: int = 0
    nodes: int = 0
    problems: list[Problem] = field(default_factory=list)

    def fail(self, message: str, position: int | None = None) -> Exception:
        place = self.lines.place(self.position if position is None else position)
        return spec_error([*self.problems, Problem(message, place=place)])

    def space(self) -> str:
        """Step over white space; the next character, or nothing at the end."""
        match = _SPACE.match(self.text, self.position)
        self.position = match.end() if match else self.position
        return self.text[self.position : self.position + 1]

    def expect(self, wanted: str, what: str) -> None:
        got = self.space()
        if got != wanted:
            raise self.fail(f'not JSON: expected "{wanted}" {what}, got {got or "the end"!r}')
        self.position += 1

    def string(self, what: str) -> tuple[str, Place]:
        self.space()
        match = _STRING.match(self.text, self.position)
        if match is None:
            raise self.fail(f"not JSON: expected {what} in double quotes")
        place = self.lines.place(self.position)
        text = str(json.loads(match[0]))
        if reason := escaped_control(text):
            raise self.fail(reason)
        self.position = match.end()
        return text, place

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise self.fail(f"more than {self.limits.nodes:,} keys and values; split the file")

    def value(self, depth: int) -> Node:
        first = self.space()
        place = self.lines.place(self.position)
        self.count()
        if first in ("{", "["):
            if depth >= self.limits.depth:
                raise self.fail(
                    f"nested more than {self.limits.depth} levels deep; no specification needs that"
                )
            self.position += 1
            return self.branch(place, depth) if first == "{" else self.items(place, depth)
        if first == '"':
            text, _ = self.string("text")
            return Scalar(text, text, place)
        return self.bare(place)

    def bare(self, place: Place) -> Scalar:
        if match := _NUMBER.match(self.text, self.position):
            if reason := too_long(match[0]):
                raise self.fail(reason)
            self.position = match.end()
            return Scalar(number(match[0]), match[0], place)
        word = _WORD.match(self.text, self.position)
        if word and word[0] in _WORDS:
            self.position = word.end()
            return Scalar(_WORDS[word[0]], word[0], place)
        got = word[0][:40] if word else self.text[self.position : self.position + 1]
        raise self.fail(f"not JSON: expected a value, got {got or 'the end'!r}")

    def branch(self, place: Place, depth: int) -> Branch:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        if self.space() == "}":
            self.position += 1
            return Branch(values, keys, place)
        while True:
            key, key_place = self.string("a key")
            self.count()
            self.expect(":", "after a key")
            value = self.value(depth + 1)
            if key in values:
                if len(self.problems) > 200:
                    raise self.fail("there are too many mistakes to read on")
                self.problems.append(
                    Problem(
                        f'key "{key}" is written twice, first in line {keys[key].line}; '
                        "keep one of them",
                        place=key_place,
                    )
                )
            else:
                values[key], keys[key] = value, key_place
            if self.space() == "}":
                self.position += 1
                return Branch(values, keys, place)
            self.expect(",", 'or "}" after a value')

    def items(self, place: Place, depth: int) -> Items:
        found: list[Node] = []
        if self.space() == "]":
            self.position += 1
            return Items((), place)
        while True:
            found.append(self.value(depth + 1))
            if self.space() == "]":
                self.position += 1
                return Items(tuple(found), place)
            self.expect(",", 'or "]" after a value')


def json_tree(text: str, *, source: str, limits: Limits) -> Node:
    """
    A JSON text as a tree.

    Raises:
        SpecError: It is not JSON, has a duplicate key, or exceeds a limit.

    Time: O(length).
    """
    reader = _Reader(text, Lines(text, source), limits)
    root = reader.value(0)
    if reader.space():
        raise reader.fail("not JSON: something follows the end")
    raise_problems(reader.problems)
    return root
