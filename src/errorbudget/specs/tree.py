"""
A document as a tree in which every node knows its place.

YAML, JSON and TOML are read into the same three kinds of node. Whatever is done to a document
before it is judged (defaults, bases, includes, variables) is done on these nodes, so a mistake is
reported at the line where a person wrote it, whichever file that was in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from errorbudget.addresses import without_secrets
from errorbudget.characters import first_control
from errorbudget.errors import SpecError

__all__ = [
    "LIMITS",
    "Branch",
    "Items",
    "Limits",
    "Node",
    "Place",
    "Problem",
    "Scalar",
    "escaped_control",
    "find",
    "path_text",
    "plain",
    "raise_problems",
    "spec_error",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How much a document may hold: what passes is read in bounded time and memory.

    Args:
        bytes: Size of one file or text.
        nodes: Keys and values of one document, aliases counted as often as they are used.
        depth: Nesting of lists and mappings.
        aliases: YAML aliases (`*name`).
        documents: Documents of one file.
        files: Files that one specification may include.
    """

    bytes: int = 2 * 1024 * 1024
    nodes: int = 100_000
    depth: int = 48
    aliases: int = 1_000
    documents: int = 2_000
    files: int = 100


LIMITS = Limits()
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, from 1, and the file that they are in."""

    line: int
    column: int
    source: str = ""

    def __str__(self) -> str:
        where = f"{self.line}:{self.column}"
        return f"{self.source}:{where}" if self.source else where


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number, true, false or null, with the text as it was written."""

    value: str | int | bool | Decimal | None
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping; *keys* holds where each key stands."""

    values: dict[str, Node]
    keys: dict[str, Place] = field(compare=False)
    place: Place

    def get(self, key: str) -> Node | None:
        """The value of *key*, or None."""
        return self.values.get(key)

    def key_place(self, key: str) -> Place:
        """Where *key* is written; the mapping itself when it is not."""
        return self.keys.get(key, self.place)


Node = Scalar | Items | Branch


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that is wrong, and where.

    Attributes:
        message: What came, what fits, what to do.
        path: Where in the document, as `slos[0].target`.
        place: Line and column, or None for the file as a whole.
    """

    message: str
    path: str = ""
    place: Place | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", without_secrets(self.message))

    def __str__(self) -> str:
        where = " ".join(str(part) for part in (self.place, self.path) if part)
        return f"{where}: {self.message}" if where else self.message

    def to_dict(self) -> dict[str, Any]:
        """The problem as plain data, for editors and pipelines."""
        return {
            "source": self.place.source if self.place else "",
            "line": self.place.line if self.place else None,
            "column": self.place.column if self.place else None,
            "path": self.path,
            "message": self.message,
        }


def spec_error(problems: Sequence[Problem]) -> SpecError:
    """One error for all *problems*, one at least, in the order of the document."""
    ordered = sorted(
        dict.fromkeys(problems),
        key=lambda problem: (
            (problem.place.source, problem.place.line, problem.place.column)
            if problem.place
            else ("", 0, 0)
        ),
    )
    first = ordered[0]
    if len(ordered) == 1:
        message = str(first)
    else:
        lines = [f"  {problem}" for problem in ordered[:_SHOWN]]
        more = len(ordered) - _SHOWN
        message = "\n".join(
            [f"{len(ordered)} problems:", *lines, *([f"  and {more} more"] * (more > 0))]
        )
    return SpecError(
        message,
        path=first.path,
        line=first.place.line if first.place else None,
        column=first.place.column if first.place else None,
        problems=tuple(ordered),
    )


def raise_problems(problems: Sequence[Problem]) -> None:
    """
    Raise one error for all *problems*; nothing when there are none.

    Raises:
        SpecError: There are problems; it stands at the first, and `problems` holds them all.
    """
    if problems:
        raise spec_error(problems)


def escaped_control(text: str) -> str | None:
    r"""
    Why a text that was written with escapes is refused, or None.

    Example:
        >>> escaped_control("a\x1b[31mb")
        'the character ESC does not belong in a specification, not as an escape either; remove it'
    """
    control = first_control(text)
    return control and (
        f"the character {control} does not belong in a specification, not as an escape either; "
        "remove it"
    )


def plain(node: Node) -> Any:
    """The node as plain Python values; decimals stay exact as `Decimal`."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.values.items()}


def find(node: Node, location: Sequence[int | str]) -> tuple[Place, str, list[int | str]]:
    """
    Where the value at *location* stands.

    Steps that are not in the document (names that a model adds for its variants, keys that are
    missing) are passed over.

    Returns:
        The place of the value, or of the nearest thing around it that exists; the path as text;
        and the steps that do exist.
    """
    current: Node | None = node
    place = node.place
    steps: list[int | str] = []
    for step in location:
        if isinstance(current, Branch) and isinstance(step, str) and step in current.values:
            key_place, current = current.key_place(step), current.values[step]
            place = current.place if isinstance(current, Scalar) else key_place
        elif isinstance(current, Items) and isinstance(step, int) and step < len(current.items):
            current = current.items[step]
            place = current.place
        else:
            continue
        steps.append(step)
    return place, path_text(steps), steps


def path_text(steps: Sequence[int | str]) -> str:
    """
    Steps as they are written.

    Example:
        >>> path_text(["slos", 0, "target"])
        'slos[0].target'
    """
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def walk(node: Node, steps: tuple[int | str, ...] = ()) -> Iterator[tuple[str, Scalar]]:
    """Every scalar with its path."""
    if isinstance(node, Scalar):
        yield path_text(steps), node
    elif isinstance(node, Items):
        for index, item in enumerate(node.items):
            yield from walk(item, (*steps, index))
    else:
        for key, value in node.values.items():
            yield from walk(value, (*steps, key))
