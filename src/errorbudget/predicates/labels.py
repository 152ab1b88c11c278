"""Conditions on the text of a label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from errorbudget.errors import InvalidPredicateError
from errorbudget.predicates.combining import Predicate
from errorbudget.predicates.values import label_text, named

__all__ = ["LabelIn", "LabelMatches", "label"]


@dataclass(frozen=True, slots=True, repr=False)
class LabelIn(Predicate):
    """The label has one of the values; an event without it has the empty text."""

    name: str
    values: tuple[str, ...]

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        return label_text(event.get(self.name)) in self.values

    def holds(self, text: str) -> bool:
        """Whether one label text meets the condition."""
        return text in self.values

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.name,))

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.name, "in": list(self.values)}

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f'{self.name} = "{self.values[0]}"'
        return f"{self.name} in ({', '.join(self.values)})"

    def _denied(self) -> str:
        if len(self.values) == 1:
            return f'{self.name} != "{self.values[0]}"'
        return f"{self.name} not in ({', '.join(self.values)})"

    def __repr__(self) -> str:
        return f"label({self.name!r}).isin({', '.join(map(repr, self.values))})"


@dataclass(frozen=True, repr=False)
class LabelMatches(Predicate):
    """The whole label matches a regular expression, anchored at both ends as in Prometheus."""

    name: str
    pattern: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (re.error, TypeError, RecursionError, OverflowError) as error:
            raise InvalidPredicateError(
                f'"{self.pattern}" is not a regular expression: {error}'
            ) from None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.DOTALL)

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        return self.holds(label_text(event.get(self.name)))

    def holds(self, text: str) -> bool:
        """Whether one label text meets the condition."""
        return self._compiled.fullmatch(text) is not None

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.name,))

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.name, "matches": self.pattern}

    def __str__(self) -> str:
        return f'{self.name} =~ "{self.pattern}"'

    def _denied(self) -> str:
        return f'{self.name} !~ "{self.pattern}"'

    def __repr__(self) -> str:
        return f"label({self.name!r}).matches({self.pattern!r})"


class label:  # reads as a word in `label("route").matches(...)`
    """
    A label to ask about: `label("tool").equals("search")`, `.isin(...)`, `.matches(regex)`.

    Negate with `~`, or with `differs`.

    Example:
        >>> label("success").equals("false").matches({"success": False})
        True
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = named("label", name)

    def equals(self, value: object) -> Predicate:
        """The label is exactly *value*."""
        return LabelIn(self.name, (label_text(value),))

    def differs(self, value: object) -> Predicate:
        """The label is anything but *value*."""
        return ~self.equals(value)

    def isin(self, *values: object) -> Predicate:
        """The label is one of *values*."""
        flat: Iterable[object] = values
        if len(values) == 1 and isinstance(values[0], (list, tuple, set, frozenset)):
            flat = values[0]
        texts = tuple(label_text(value) for value in flat)
        if not texts:
            raise InvalidPredicateError(f'label "{self.name}" needs at least one value')
        return LabelIn(self.name, texts)

    def matches(self, pattern: str) -> Predicate:
        """The whole label matches the regular expression *pattern*."""
        return LabelMatches(self.name, pattern)
