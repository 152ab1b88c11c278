"""
The values of a specification: what a field may hold, for the reader and for editors alike.

Each type reads with the constructor of the core, so that a file and Python say the same and refuse
the same, and carries the JSON Schema that an editor completes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, WithJsonSchema

from errorbudget.characters import first_control
from errorbudget.durations import parse_duration
from errorbudget.errors import ErrorBudgetError, InvalidInputError, did_you_mean
from errorbudget.predicates import Predicate, as_predicate
from errorbudget.rationals import parse_rational
from errorbudget.specs.scalars import too_long
from errorbudget.target import Target
from errorbudget.windows import Window, parse_window

__all__ = [
    "Condition",
    "Figure",
    "Length",
    "Line",
    "Share",
    "TargetField",
    "Text",
    "Texts",
    "WindowField",
    "named",
]

T = TypeVar("T")

_LONGEST = 200
_LONGEST_PATTERN = 5_000
_NUMBER = re.compile(r"[0-9.]+(?:[eE][-+]?[0-9]+)?")
_COMPARISON = re.compile(r"\s*(?:<|>)")


def _measured(value: object) -> None:
    """Refuse text whose numbers would take hours to work with."""
    if isinstance(value, str):
        if len(value) > _LONGEST:
            raise InvalidInputError(f'"{value[:20]}..." is too long to be a value')
        for token in _NUMBER.findall(value):
            if reason := too_long(token):
                raise InvalidInputError(reason)


def _read(value: object, read: Callable[[Any], T]) -> T:
    """*read* of *value*, with every way to fail as a named error."""
    try:
        return read(value)
    except ErrorBudgetError:
        raise
    except (ValueError, TypeError, ArithmeticError, RecursionError, AttributeError) as error:
        raise InvalidInputError(f"{_shown(value)} cannot be read: {error}") from None


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _reader(read: Callable[[Any], T]) -> Callable[[Any], T]:
    def validate(value: Any) -> T:
        _measured(value)
        return _read(value, read)

    return validate


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Decimal)):
        return str(value)
    raise InvalidInputError(f"must be text, got {_shown(value)}")


def _line(value: Any) -> str:
    text = _text(value)
    if control := first_control(text, lines=False):
        raise InvalidInputError(f"a name is one line of text, got {control} in {text!r}")
    return text


def _target(value: Any) -> Target:
    if not isinstance(value, (str, int, Decimal, Fraction, Target)) or isinstance(value, bool):
        raise InvalidInputError(f'must be a share such as "99.9%" or 0.999, got {_shown(value)}')
    if isinstance(value, Decimal) and not value.is_finite():
        raise InvalidInputError(f'must be a share such as "99.9%" or 0.999, got {value}')
    return Target(value)


def _share(value: Any) -> Fraction:
    try:
        return parse_rational(value)
    except ValueError:
        raise InvalidInputError(
            f'must be a share such as "20%" or 0.2, got {_shown(value)}'
        ) from None


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise InvalidInputError(f"must be a number or a duration, got {_shown(value)}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise InvalidInputError(f"must be a finite number, got {value}")
    return str(value)  # as it is written: whoever takes it sees whether it has a unit


def _length(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*0+\s*(?:[a-z]+\s*)?", value):
        return 0
    return 0 if value == 0 and value is not False else parse_duration(value)


def _condition_of(value: Any) -> Predicate:
    return as_predicate(_comparable(value))


def _comparable(value: Any, key: str = "") -> Any:
    """Conditions as the core reads them: decimals as the labels that they write."""
    if isinstance(value, Mapping):
        return {name: _comparable(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_comparable(part) for part in value]
    if isinstance(value, str):
        if len(value) > _LONGEST_PATTERN:
            raise InvalidInputError(f'"{value[:20]}..." is too long to be a condition')
        if key == "bound" or _COMPARISON.match(value):
            _measured(value)
        return value
    if isinstance(value, Decimal):
        return str(value) if key == "bound" else [str(value)]
    return value


def _condition_reader(value: Any) -> Predicate:
    return _read(value, _condition_of)


def named(kind: str, known: Mapping[str, T]) -> Callable[[Any], T]:
    """A reader of the name of one of the tables *known*."""

    def read(value: Any) -> T:
        if isinstance(value, str) and value in known:
            return known[value]
        names = tuple(known)
        raise InvalidInputError(
            f"there is no {kind} {_shown(value)}; there are {', '.join(names)}, or write a table"
            f"{did_you_mean(str(value), names)}"
        )

    return read


_STATUS = {
    "type": ["string", "integer", "array", "object"],
    "description": (
        'A status such as 2xx, 429, 500-503 or "2xx|304" ("!" in front: all others), or fields '
        "with their values: text is an anchored regular expression, a list holds exact values, "
        '"<= 200ms" compares.'
    ),
    "examples": ["2xx", {"route": "/api/.*"}, {"duration": "<= 200ms"}],
}

Text = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
Line = Annotated[
    str, BeforeValidator(_line), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
Texts = dict[str, Text]
TargetField = Annotated[
    Target,
    BeforeValidator(_reader(_target)),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "description": 'Share of events that must be good, such as "99.9%" or 0.999.',
            "examples": ["99.9%", "99.95%"],
        }
    ),
]
WindowField = Annotated[
    Window,
    BeforeValidator(_reader(parse_window)),
    WithJsonSchema(
        {
            "type": "string",
            "description": "A length (rolling) or a calendar period with its zone.",
            "examples": ["30d", "7d", "24h", "month Europe/Berlin", "week", "quarter"],
        }
    ),
]
Length = Annotated[
    int,
    BeforeValidator(_reader(_length)),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "description": "A span of time, such as 1m, 1h30m or 250ms.",
            "examples": ["1m", "1h", "200ms"],
        }
    ),
]
Share = Annotated[
    Fraction,
    BeforeValidator(_reader(_share)),
    WithJsonSchema({"type": ["string", "number"], "examples": ["50%", 0.5]}),
]
Figure = Annotated[
    Fraction | str,
    BeforeValidator(_reader(_figure)),
    WithJsonSchema({"type": ["string", "number"], "examples": ["200ms", 1000]}),
]
Condition = Annotated[Predicate, BeforeValidator(_condition_reader), WithJsonSchema(_STATUS)]
