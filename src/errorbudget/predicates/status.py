"""Conditions on the HTTP status, as ranges of codes."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from errorbudget.errors import InvalidPredicateError
from errorbudget.predicates.combining import Predicate
from errorbudget.predicates.values import is_missing
from errorbudget.rationals import is_whole, shown

__all__ = ["StatusIn", "status_in"]


@dataclass(frozen=True, slots=True, repr=False)
class StatusIn(Predicate):
    """
    The HTTP status lies in one of the ranges.

    Args:
        ranges: Pairs (lowest, highest), both inside, sorted and apart.
    """

    ranges: tuple[tuple[int, int], ...]

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        status: Any = event.get("status")
        if is_missing(status):
            return None
        if not isinstance(status, numbers.Real):
            raise InvalidPredicateError(
                f"status must be an integer such as 200, got {shown(status)}"
            )
        code: Any = status
        return any(low <= code <= high for low, high in self.ranges) if status else None

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(("status",))

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.text}

    @property
    def text(self) -> str:
        """The ranges as they are written: `2xx|429|500-503`."""
        return "|".join(_range_text(low, high) for low, high in self.ranges)

    def __str__(self) -> str:
        return f"status {self.text}"

    def _denied(self) -> str:
        return f"status not {self.text}"

    def __repr__(self) -> str:
        return f'status_in("{self.text}")'


def _range_text(low: int, high: int) -> str:
    if low == high:
        return str(low)
    if low % 100 == 0 and high % 100 == 99:
        return "|".join(f"{block}xx" for block in range(low // 100, high // 100 + 1))
    return f"{low}-{high}"


def _status_range(text: str) -> tuple[int, int]:
    word = text.strip().lower()
    if shape := re.fullmatch(r"([1-5])(?:xx|\.\.)", word):
        return int(shape[1]) * 100, int(shape[1]) * 100 + 99
    if shape := re.fullmatch(r"([1-5]\d)[x.]", word):
        return int(shape[1]) * 10, int(shape[1]) * 10 + 9
    if shape := re.fullmatch(r"(\d{3})(?:\s*(?:-|\.\.)\s*(\d{3}))?", word):
        low, high = int(shape[1]), int(shape[2] or shape[1])
        if 100 <= low <= high <= 599:
            return low, high
    raise InvalidPredicateError(
        f'"{text}" is not an HTTP status; write "2xx", "429", "500-503" or several as "2xx|304"'
    )


def _word(text: object) -> str:
    if isinstance(text, str):
        return text.strip()
    # HTTPStatus and numpy's integers are numbers, whatever their repr.
    return str(int(text)) if is_whole(text) and 0 <= text < 1_000 else shown(text)  # type: ignore[call-overload,operator]


def status_in(*texts: str | int) -> Predicate:
    """
    The HTTP status is one of those given.

    Args:
        texts: Classes (`"2xx"`), codes (`"429"`, `429`), ranges (`"500-503"`), or several in one
            text (`"2xx|304"`, `"2xx,304"`). A leading `!` means all others.

    Raises:
        InvalidPredicateError: A text is no status between 100 and 599.

    Example:
        >>> status_in("2xx", 304).matches({"status": 304})
        True
    """
    words = [_word(text) for text in texts]
    if len(words) == 1 and words[0].startswith("!"):
        return ~status_in(words[0][1:])
    found = sorted(_status_range(part) for word in words for part in re.split(r"[|,]", word))
    if not found:
        raise InvalidPredicateError('no status given; write "2xx", "429" or "500-503"')
    merged = [found[0]]
    for low, high in found[1:]:
        if low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return StatusIn(tuple(merged))
