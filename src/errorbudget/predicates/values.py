"""What the values of an event say: whether they are there at all, and their text."""

from __future__ import annotations

from errorbudget.errors import InvalidPredicateError
from errorbudget.rationals import shown

__all__ = ["is_missing", "label_text", "named"]


def is_missing(value: object) -> bool:
    """Whether *value* is how some library says "nothing": None, NaN, NaT or pandas' NA."""
    if isinstance(value, str):
        return False
    if type(value) is float or type(value) is int:
        return value != value
    return value is None or str(value) in ("nan", "NaN", "NaT", "<NA>")


def label_text(value: object) -> str:
    """A label's value as text: empty where it is missing, and `true` or `false` as in JSON."""
    if isinstance(value, str):
        return value
    text = "" if is_missing(value) else str(value)
    return text.lower() if text in ("True", "False") else text


def named(kind: str, name: object) -> str:
    """
    The *name* of a column.

    Raises:
        InvalidPredicateError: It is no text, or empty.
    """
    if not isinstance(name, str) or not name:
        raise InvalidPredicateError(f"a {kind} needs a name, got {shown(name)}")
    return name
