"""
TOML into a tree that knows its lines.

`tomllib` says whether a text is TOML and what it holds; a second look finds where each key and
value stand, which only has to understand texts that are known to be right.

Source: TOML 1.0.0.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from decimal import Decimal
from typing import Any

from errorbudget.specs.json_tree import Lines
from errorbudget.specs.scalars import too_long
from errorbudget.specs.tree import (
    Branch,
    Items,
    Limits,
    Node,
    Place,
    Problem,
    Scalar,
    escaped_control,
    spec_error,
)

__all__ = ["toml_tree"]

_TOKEN = re.compile(
    r'(?P<text>"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
    r"|(?P<comment>\#[^\n]*)|(?P<line>\r?\n)|(?P<mark>\[\[|\]\]|[\[\]{}=,.])"
    r"|(?P<bare>[^\s\[\]{}=,.\#\"']+)",
    re.DOTALL,
)


def toml_tree(text: str, *, source: str, limits: Limits) -> Node:
    """
    A TOML text as a tree.

    Raises:
        SpecError: It is not TOML, or exceeds a limit.
    """
    lines = Lines(text, source)
    _check_depth(text, lines, limits)
    try:
        data = tomllib.loads(text.replace("\r\n", "\n"), parse_float=_decimal)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        place = Place(int(where[1]), int(where[2]), source) if where else Place(1, 1, source)
        said = str(error).split(" (at ")[0] or "nested too deep"
        raise spec_error([Problem(f"not TOML: {said}", place=place)]) from None
    places = _places(text, lines)
    builder = _Builder(places, limits, source)
    return builder.node(data, (), Place(1, 1, source))


def _decimal(word: str) -> Decimal:
    reason = too_long(word)
    if reason:
        raise ValueError(reason)
    return Decimal(word.replace("_", "").replace("inf", "Infinity"))


def _check_depth(text: str, lines: Lines, limits: Limits) -> None:
    """Refuse what `tomllib`, which calls itself for each level, could not hold."""
    depth = 0
    dots = 0
    for match in _TOKEN.finditer(text):
        mark = match["mark"]
        depth += {"[": 1, "[[": 2, "{": 1, "]": -1, "]]": -2, "}": -1}.get(mark or "", 0)
        dots = dots + 1 if mark == "." else 0 if mark or match["line"] else dots
        if depth > limits.depth or dots > limits.depth:
            raise spec_error(
                [
                    Problem(
                        f"nested more than {limits.depth} levels deep; no specification needs that",
                        place=lines.place(match.start()),
                    )
                ]
            )
        if match["bare"] and (reason := too_long(match["bare"])) and match["bare"][0].isdigit():
            raise spec_error([Problem(reason, place=lines.place(match.start()))])


class _Builder:
    """Values and places, joined."""

    def __init__(
        self, places: dict[tuple[str | int, ...], Place], limits: Limits, source: str
    ) -> None:
        self.places, self.limits, self.source = places, limits, source
        self.nodes = 0

    def node(self, value: Any, steps: tuple[str | int, ...], place: Place) -> Node:
        self.nodes += 1 + (len(value) if isinstance(value, dict) else 0)
        if self.nodes > self.limits.nodes:
            message = f"more than {self.limits.nodes:,} keys and values; split the file"
            raise spec_error([Problem(message, place=place)])
        place = self.places.get((*steps, "="), self.places.get(steps, place))
        if isinstance(value, dict):
            for key in value:
                self.refuse_control(key, self.places.get((*steps, key), place))
            keys = {key: self.places.get((*steps, key), place) for key in value}
            values = {key: self.node(part, (*steps, key), keys[key]) for key, part in value.items()}
            return Branch(values, keys, place)
        if isinstance(value, list):
            items = [self.node(part, (*steps, index), place) for index, part in enumerate(value)]
            return Items(tuple(items), place)
        if isinstance(value, dt.datetime | dt.date | dt.time):
            text = value.isoformat()
            return Scalar(text, text, place)
        if isinstance(value, str):
            self.refuse_control(value, place)
        if isinstance(value, bool):
            return Scalar(value, "true" if value else "false", place)
        return Scalar(value, str(value), place)

    def refuse_control(self, text: str, place: Place) -> None:
        if reason := escaped_control(text):
            raise spec_error([Problem(reason, place=place)])


class _Scanner:
    """A second look at a text that is TOML."""

    def __init__(self, text: str, lines: Lines) -> None:
        self.tokens = [match for match in _TOKEN.finditer(text) if not match["comment"]]
        self.lines = lines
        self.at = 0
        self.places: dict[tuple[str | int, ...], Place] = {}
        self.tables: dict[tuple[str | int, ...], int] = {}

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def skip_lines(self) -> None:
        while self.at < len(self.tokens) and self.tokens[self.at]["line"]:
            self.at += 1

    def here(self) -> Place:
        return self.lines.place(self.tokens[self.at].start())

    def key(self) -> list[tuple[str, Place]]:
        """A dotted key."""
        parts = []
        while True:
            parts.append((_key_text(self.peek()), self.here()))
            self.at += 1
            if self.peek() != ".":
                return parts
            self.at += 1

    def value(self, steps: tuple[str | int, ...]) -> None:
        self.places[(*steps, "=")] = self.here()
        if self.peek() in ("[", "[["):
            self._list(steps)
        elif self.peek() == "{":
            self.at += 1
            while self.peek() != "}":
                self.pair(steps)
                if self.peek() == ",":
                    self.at += 1
            self.at += 1
        else:
            self.at += 1
            # A date, or a number with a point, is several tokens.
            while self.at < len(self.tokens) and (
                self.tokens[self.at]["bare"] or self.peek() == "."
            ):
                self.at += 1

    def _list(self, steps: tuple[str | int, ...]) -> None:
        # "[[" opens two lists here: take it apart.
        if self.peek() == "[[":
            self._split()
        self.at += 1
        index = 0
        while True:
            self.skip_lines()
            if self.peek() == "]]":
                self._split()
            if self.peek() == "]":
                self.at += 1
                return
            if self.peek() == ",":
                self.at += 1
                continue
            self.value((*steps, index))
            index += 1

    def _split(self) -> None:
        match = self.tokens[self.at]
        halves = [
            single
            for offset in (0, 1)
            if (single := _BRACKET.match(match.string, match.start() + offset)) is not None
        ]
        self.tokens[self.at : self.at + 1] = halves

    def pair(self, steps: tuple[str | int, ...]) -> None:
        path = steps
        for word, place in self.key():
            path = (*path, word)
            self.places.setdefault(path, place)
        self.at += 1  # the equals sign
        self.value(path)

    def run(self) -> None:
        table: tuple[str | int, ...] = ()
        while True:
            self.skip_lines()
            if self.at >= len(self.tokens):
                return
            mark = self.peek()
            if mark in ("[", "[["):
                self.at += 1
                table = self._header(self.key(), is_list=mark == "[[")
                self.at += 1
            else:
                self.pair(table)

    def _header(self, words: list[tuple[str, Place]], *, is_list: bool) -> tuple[str | int, ...]:
        path: tuple[str | int, ...] = ()
        for number, (word, place) in enumerate(words):
            path = (*path, word)
            self.places.setdefault(path, place)
            last = number == len(words) - 1
            if last and is_list:
                self.tables[path] = self.tables.get(path, -1) + 1
            if path in self.tables:
                path = (*path, self.tables[path])
                self.places.setdefault(path, place)
        return path


_BRACKET = re.compile(
    r"(?P<text>\Z.)?(?P<comment>\Z.)?(?P<line>\Z.)?(?P<mark>[\[\]])(?P<bare>\Z.)?", re.DOTALL
)


def _key_text(token: str) -> str:
    if token.startswith(('"', "'")):
        return str(next(iter(tomllib.loads(f"{token} = 0"))))
    return token


def _places(text: str, lines: Lines) -> dict[tuple[str | int, ...], Place]:
    scanner = _Scanner(text, lines)
    scanner.run()
    return scanner.places
