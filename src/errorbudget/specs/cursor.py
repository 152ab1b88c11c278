"""
Reading a format of others, with an account of every field.

A cursor marks what it reads. What nobody read when all is done is a loss, reported by itself: no
importer can forget to mention a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from errorbudget.specs.native import Draft, Native
from errorbudget.specs.spec import Loss
from errorbudget.specs.tree import Branch, Items, Node, Place, Scalar, plain

__all__ = ["Cursor", "Ledger", "make"]

_SECRET = re.compile(r"(?i)(secret|password|passwd|token|api_?key|app_?key|access_?key|credential)")
_HIDDEN_VALUE = "(hidden)"


def make(value: Any, place: Place) -> Node:
    """Plain data as a tree that stands at *place*."""
    if isinstance(value, Scalar | Items | Branch):
        return value
    if isinstance(value, dict):
        values = {key: make(part, place) for key, part in value.items()}
        return Branch(values, dict.fromkeys(values, place), place)
    if isinstance(value, list | tuple):
        return Items(tuple(make(part, place) for part in value), place)
    return Scalar(value, str(value), place)


@dataclass(slots=True)
class Ledger:
    """What was read, what was lost, and what is wrong."""

    native: Native
    losses: list[Loss] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)
    _read: set[int] = field(default_factory=set)

    def mark(self, node: Node) -> None:
        """Count *node* as read, with all that is in it."""
        self._read.add(id(node))
        for part in _parts(node):
            self.mark(part)

    def lose(self, path: str, value: Any, why: str) -> None:
        """Note a field that has no place, or one whose meaning changed."""
        shown = (
            _HIDDEN_VALUE if _SECRET.search(path.rpartition(".")[2]) else _without_secrets(value)
        )
        if (path, why) not in self._told:  # what several objectives refer to is lost once
            self._told.add((path, why))
            self.losses.append(Loss(path, shown, why))

    def close(self, node: Node, path: str) -> None:
        """Report what of a document nobody read."""
        for name, part in _unread(node, path, self._read):
            self.lose(name, plain(part), "has no place in an SLO of this library")

    def draft(self, values: dict[str, Any], place: Place, path: str) -> None:
        """An objective made of *values*, plain data or nodes, that stands at *place*."""
        nodes = {key: make(value, place) for key, value in values.items() if value is not None}
        keys = {key: node.place for key, node in nodes.items()}
        self.native.drafts.append(Draft(Branch(nodes, keys, place), path))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _HIDDEN_VALUE if _SECRET.search(key) else _without_secrets(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    return value


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Branch):
        yield from node.values.values()
    elif isinstance(node, Items):
        yield from node.items


def _touched(node: Node, read: set[int]) -> bool:
    return id(node) in read or any(_touched(part, read) for part in _parts(node))


def _unread(node: Node, path: str, read: set[int]) -> Iterator[tuple[str, Node]]:
    if id(node) in read or (isinstance(node, Scalar) and node.value in (None, "")):
        return
    if isinstance(node, Branch) and _touched(node, read):
        for key, part in node.values.items():
            yield from _unread(part, f"{path}.{key}", read)
    elif isinstance(node, Items) and _touched(node, read):
        for index, part in enumerate(node.items):
            yield from _unread(part, f"{path}[{index}]", read)
    elif not (isinstance(node, Branch | Items) and not list(_parts(node))):
        yield path, node


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    A place in a document.

    Attributes:
        node: What stands there.
        path: Its path, for reports.
        ledger: Where reading is noted.
    """

    node: Node
    path: str
    ledger: Ledger

    @property
    def place(self) -> Place:
        """Line and column."""
        return self.node.place

    def child(self, *keys: str) -> Cursor | None:
        """What stands under the first of *keys* that is there; null counts as absent."""
        if isinstance(self.node, Branch):
            for key in keys:
                node = self.node.get(key)
                if node is not None and not (isinstance(node, Scalar) and node.value is None):
                    return Cursor(node, f"{self.path}.{key}", self.ledger)
        return None

    def within(self, *keys: str) -> Cursor:
        """As `child`, with an empty mapping where nothing is."""
        return self.child(*keys) or Cursor(Branch({}, {}, self.place), self.path, self.ledger)

    def items(self, *keys: str) -> list[Cursor]:
        """The elements of the list under one of *keys*; a single value is a list of one."""
        found = self.child(*keys)
        if found is None:
            return []
        if not isinstance(found.node, Items):
            return [found]
        return [
            Cursor(item, f"{found.path}[{index}]", self.ledger)
            for index, item in enumerate(found.node.items)
        ]

    def take(self) -> Any:
        """Plain data of all that stands here."""
        self.ledger.mark(self.node)
        return plain(self.node)

    def word(self, default: str = "") -> str:
        """The text that stands here, as it was written."""
        if isinstance(self.node, Scalar):
            self.ledger.mark(self.node)
            return default if self.node.value is None else self.node.text
        self.fault("must be text")
        return default

    def text(self, *keys: str, default: str = "") -> str:
        """The text under one of *keys*."""
        found = self.child(*keys)
        return default if found is None else found.word(default)

    def flag(self, *keys: str) -> bool | None:
        """True, false, or None where nothing stands under *keys*."""
        found = self.child(*keys)
        if found is None:
            return None
        value = found.take()
        if not isinstance(value, bool):
            found.fault(f"must be true or false, got {value!r}")
            return None
        return value

    def texts(self, *keys: str) -> dict[str, str]:
        """The texts by name under one of *keys*; several under one name are joined by a comma."""
        found = self.child(*keys)
        if found is None:
            return {}
        if not isinstance(found.node, Branch):
            found.fault("must be a mapping")
            return {}
        self.ledger.mark(found.node)
        return {
            key: ",".join(str(plain(part)) for part in value.items)
            if isinstance(value, Items)
            else value.text
            if isinstance(value, Scalar)
            else str(plain(value))
            for key, value in found.node.values.items()
        }

    def is_read(self, *keys: str) -> bool:
        """Whether anything of what stands under *keys* has been read."""
        return _touched(self.within(*keys).node, self.ledger._read)

    def mark(self, *keys: str) -> None:
        """Count what stands under *keys* as read: it says what is so anyway."""
        for key in keys:
            found = self.child(key)
            if found is not None:
                self.ledger.mark(found.node)

    def usual(self, value: Any, why: str, *keys: str) -> None:
        """Report each of *keys* that holds anything but *value*, which is how it is here anyway."""
        for key in keys:
            found = self.child(key)
            if found is not None and found.take() != value:
                found.lose(why)

    def lose(self, why: str, *keys: str) -> None:
        """Report what stands under each of *keys*, or here, as lost, and why."""
        for found in [self.child(key) for key in keys] if keys else [self]:
            if found is not None:
                self.ledger.lose(found.path, found.take(), why)

    def fault(self, message: str) -> None:
        """Note that something here is wrong."""
        self.ledger.native.fault(message, self.path, self.place)
