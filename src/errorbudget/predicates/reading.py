"""Conditions from what people write and files hold: texts, mappings, plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

from errorbudget.errors import InvalidPredicateError, did_you_mean
from errorbudget.predicates.combining import EVERYTHING, Predicate
from errorbudget.predicates.labels import LabelIn, LabelMatches, label
from errorbudget.predicates.numeric import Flag, Number
from errorbudget.predicates.status import status_in
from errorbudget.rationals import shown

__all__ = ["PredicateLike", "as_predicate", "from_dict"]


PredicateLike = Predicate | str | Mapping[str, Any] | Sequence[str]
"""
A `Predicate`; a status text such as `"5xx"`; or a mapping such as `{"route": "/api/.*"}`, in which
a text is an anchored regular expression, a list holds exact values, and `status` is a status text.
"""


def as_predicate(value: PredicateLike | None) -> Predicate:
    """
    The predicate that *value* means; None is every event.

    Raises:
        InvalidPredicateError: *value* cannot be read as a condition.

    Example:
        >>> print(as_predicate({"route": "/api/.*", "method": ["GET", "HEAD"]}))
        route =~ "/api/.*" and method in (GET, HEAD)
    """
    if value is None:
        return EVERYTHING
    if isinstance(value, Predicate):
        return value
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return status_in(value)
    if isinstance(value, Mapping):
        if not value:
            raise InvalidPredicateError(
                'an empty condition; leave it out, or write {"route": "/api/.*"}'
            )
        return _conjunction(value, fields=True)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return status_in(*value)
    raise InvalidPredicateError(
        f'{shown(value)} is not a condition; write "5xx", {{"route": "/api/.*"}} or a predicate'
    )


def _field(name: str, wanted: Any) -> Predicate:
    if name == "status":
        if isinstance(wanted, Mapping):
            raise InvalidPredicateError(f'a status is text such as "2xx|304", got {shown(wanted)}')
        return as_predicate(wanted)
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return label(name).isin(*wanted)
    if isinstance(wanted, bool):
        return label(name).equals(wanted)
    if isinstance(wanted, str):
        if compared := re.fullmatch(r"\s*(<=|>=|<|>)\s*(\S.*)", wanted):
            return Number("duration_s" if name == "duration" else name, *compared.groups())
        if name in ("duration", "duration_s"):
            raise InvalidPredicateError(f'say how to compare {name}, such as "<= {wanted}"')
        if wanted.startswith(("=~", "!~")):
            found: Predicate = LabelMatches(name, wanted[2:].strip())
            return ~found if wanted[0] == "!" else found
        text = wanted.removeprefix("!")
        literal = re.escape(text) == text or re.fullmatch(r"[\w /\-]*", text) is not None
        found = LabelIn(name, (text,)) if literal else LabelMatches(name, text)
        return ~found if wanted.startswith("!") else found
    if isinstance(wanted, (int, float)):
        return label(name).equals(wanted)
    raise InvalidPredicateError(
        f'condition on "{name}" must be text or a list, got {shown(wanted)}'
    )


def _label_of(data: dict[str, Any]) -> Predicate:
    name, inside, pattern = data.pop("label"), data.pop("in", None), data.pop("matches", None)
    if (inside is None) == (pattern is None):
        raise InvalidPredicateError(f'condition on label "{name}" is incomplete: "in" or "matches"')
    return label(name).isin(*inside) if pattern is None else label(name).matches(pattern)


def _number_of(data: dict[str, Any]) -> Predicate:
    return Number(data.pop("number"), data.pop("op"), data.pop("bound"))


def _several(parts: Any, join: Callable[[Any, Any], Any]) -> Predicate:
    if isinstance(parts, (str, Mapping)) or not parts:
        raise InvalidPredicateError(f"a list of conditions is needed, got {shown(parts)}")
    found: Predicate = reduce(join, map(as_predicate, parts))
    return found


_READERS: dict[str, Callable[[dict[str, Any]], Predicate]] = {
    "everything": lambda data: EVERYTHING if data.pop("everything") else ~EVERYTHING,
    "flag": lambda data: Flag(data.pop("flag")),
    "number": _number_of,
    "label": _label_of,
    "all": lambda data: _several(data.pop("all"), and_),
    "any": lambda data: _several(data.pop("any"), or_),
    "not": lambda data: ~as_predicate(data.pop("not")),
}


_PARTS = {"in": "label", "matches": "label", "op": "number", "bound": "number"}
"""Keys that belong to another one beside them."""


def _conjunction(data: Mapping[str, Any], *, fields: bool) -> Predicate:
    """Every part of *data* together: structured parts, `status`, and fields if allowed."""
    rest = dict(data)
    found: list[Predicate] = []
    for key in data:
        if key == "status":
            found.append(_field("status", rest.pop("status")))
        elif key in _READERS:
            try:
                found.append(_READERS[key](rest))
            except (KeyError, TypeError, ValueError) as error:
                if isinstance(error, InvalidPredicateError):
                    raise
                raise InvalidPredicateError(
                    f"condition {shown(dict(data))} is incomplete: {error}"
                ) from None
        elif fields and not (key in _PARTS and _PARTS[key] in data):
            found.append(_field(str(key), rest.pop(key)))
    if rest or not found:
        known = ("status", *_READERS)
        hint = did_you_mean(str(next(iter(rest), "")), known)
        raise InvalidPredicateError(
            f"{shown(dict(data))} is not a condition; its keys are of {', '.join(known)}{hint}"
        )
    return reduce(and_, found)


def from_dict(data: Mapping[str, Any]) -> Predicate:
    """
    The predicate that `Predicate.to_dict` wrote; several keys hold together.

    Raises:
        InvalidPredicateError: *data* has an unknown key, or lacks a part.

    Example:
        >>> from_dict({"not": {"status": "5xx"}})
        ~status_in("5xx")
    """
    if not isinstance(data, Mapping):
        raise InvalidPredicateError(f"{shown(data)} is not a condition; it is data with a key")
    return _conjunction(data, fields=False)
