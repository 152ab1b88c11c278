"""
Conditions on events, as data.

A predicate is built once, printed, stored, and then answered wherever events live: here for one
event, in `kernels.predicates` for columns, in `rules` as PromQL matchers. It answers yes, no, or
*unknown*: an event without a status is neither 5xx nor not 5xx. Combinations follow Kleene's
three-valued logic, so an unknown stays unknown under `~`. A label that an event lacks is the empty
text, as in Prometheus, and hence always known.

    >>> slow_checkout = label("route").matches("/checkout/.*") & ~(duration <= "200ms")
    >>> slow_checkout.matches({"route": "/checkout/pay", "duration_s": 0.3})
    True
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, reduce
from operator import and_, ge, gt, le, lt, or_
from typing import TYPE_CHECKING, Any

from errorbudget.durations import SECOND_NS, format_duration, parse_duration
from errorbudget.errors import InvalidDurationError, InvalidPredicateError, did_you_mean
from errorbudget.rationals import parse_rational

__all__ = [
    "EVERYTHING",
    "All",
    "Any_",
    "Everything",
    "Flag",
    "LabelIn",
    "LabelMatches",
    "Not",
    "Number",
    "Predicate",
    "PredicateLike",
    "StatusIn",
    "as_predicate",
    "duration",
    "from_dict",
    "is_missing",
    "label",
    "label_text",
    "number",
    "status_in",
]


class Predicate:
    """A condition on one event; combine with `&`, `|` and `~`."""

    __slots__ = ()

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        """
        Whether *event* meets the condition; None when it lacks what the condition asks for.

        Args:
            event: Values by column name: `status`, `duration_s`, `good`, labels, other numbers.
        """
        raise NotImplementedError  # pragma: no cover - abstract

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the condition looks at."""
        raise NotImplementedError  # pragma: no cover - abstract

    def to_dict(self) -> dict[str, Any]:
        """The condition as plain data, read back by `from_dict`."""
        raise NotImplementedError  # pragma: no cover - abstract

    def __and__(self, other: Predicate) -> Predicate:
        if not isinstance(other, Predicate):
            return NotImplemented
        if isinstance(self, Everything):
            return other
        if isinstance(other, Everything):
            return self
        return All((*_parts(self, All), *_parts(other, All)))

    def __or__(self, other: Predicate) -> Predicate:
        if not isinstance(other, Predicate):
            return NotImplemented
        return Any_((*_parts(self, Any_), *_parts(other, Any_)))

    def __invert__(self) -> Predicate:
        return self.part if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError("a predicate has no truth of its own; combine with & | ~, not and/or/not")


def _parts(predicate: Predicate, kind: type[All | Any_]) -> tuple[Predicate, ...]:
    return predicate.parts if isinstance(predicate, kind) else (predicate,)


@dataclass(frozen=True, slots=True)
class Everything(Predicate):
    """True for every event."""

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        return True

    @property
    def columns(self) -> frozenset[str]:
        return frozenset()

    def to_dict(self) -> dict[str, Any]:
        return {"everything": True}

    def __str__(self) -> str:
        return "every event"

    def __repr__(self) -> str:
        return "EVERYTHING"


EVERYTHING = Everything()


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
            raise InvalidPredicateError(f"status must be an integer such as 200, got {status!r}")
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
    if len(texts) == 1 and str(texts[0]).strip().startswith("!"):
        return ~status_in(str(texts[0]).strip()[1:])
    found = sorted(
        _status_range(word) for text in texts for word in re.split(r"[|,]", str(text).strip())
    )
    if not found:
        raise InvalidPredicateError('no status given; write "2xx", "429" or "500-503"')
    merged = [found[0]]
    for low, high in found[1:]:
        if low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return StatusIn(tuple(merged))


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

    def __repr__(self) -> str:
        return f"label({self.name!r}).matches({self.pattern!r})"


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


def _name(kind: str, name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidPredicateError(f"a {kind} needs a name, got {name!r}")
    return name


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
        self.name = _name("label", name)

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


def _bound(column: str, bound: Any) -> Fraction:
    try:
        return parse_rational(bound)
    except ValueError:
        try:
            return Fraction(parse_duration(bound), SECOND_NS)
        except InvalidDurationError as error:
            raise InvalidPredicateError(f"cannot compare {column}: {error}") from None


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<=": le, "<": lt, ">=": ge, ">": gt}


@dataclass(frozen=True, slots=True, repr=False)
class Number(Predicate):
    """
    A numeric column compared with a bound.

    Args:
        column: Name of the column, such as `duration_s`.
        op: One of `<=`, `<`, `>=`, `>`.
        bound: What to compare with, in the column's unit.
    """

    column: str
    op: str
    bound: Fraction
    _edge: float = field(init=False, compare=False)

    if TYPE_CHECKING:

        def __init__(self, column: str, op: str, bound: Fraction | float | str) -> None: ...

    def __post_init__(self) -> None:
        if self.op not in _COMPARE:
            raise InvalidPredicateError(f'"{self.op}" is not a comparison; use <=, <, >= or >')
        object.__setattr__(self, "bound", _bound(_name("number", self.column), self.bound))
        object.__setattr__(self, "_edge", float(self.bound))

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        value: Any = event.get(self.column)
        if type(value) is float and value == value:
            return _COMPARE[self.op](value, self._edge)
        if is_missing(value):
            return None
        if not isinstance(value, (numbers.Real, Decimal)):
            raise InvalidPredicateError(f"{self.column} must be a number, got {value!r}")
        # Columns hold the nearest float of what was logged: the bound is rounded the same way,
        # so that a logged 0.2 is not above a bound of 200 ms.
        return _COMPARE[self.op](float(value), self._edge)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.column,))

    def to_dict(self) -> dict[str, Any]:
        return {"number": self.column, "op": self.op, "bound": str(self.bound)}

    @property
    def bound_text(self) -> str:
        """The bound as it is written: a duration where the column is in seconds."""
        in_ns = self.bound * SECOND_NS
        if self.column.endswith("_s") and in_ns > 0 and in_ns.denominator == 1:
            return format_duration(int(in_ns))
        decimal = str(float(self.bound))
        return decimal if Fraction(decimal) == self.bound != int(self.bound) else str(self.bound)

    def __str__(self) -> str:
        return f"{self.column.removesuffix('_s')} {self.op} {self.bound_text}"

    def __repr__(self) -> str:
        return f"(number({self.column!r}) {self.op} {self.bound_text!r})"


class number:  # reads as a word in `number("ttfb_s") <= "100ms"`
    """
    A numeric column to compare: `number("ttfb_s") <= "100ms"`, `number("bytes") > 0`.

    Text with a unit is a duration and means seconds.
    """

    __slots__ = ("column",)
    __hash__ = None  # type: ignore[assignment]  # comparisons build predicates

    def __init__(self, column: str) -> None:
        self.column = _name("number", column)

    def _compare(self, op: str, bound: Any) -> Predicate:
        return Number(self.column, op, bound)

    def __le__(self, bound: object) -> Predicate:
        return self._compare("<=", bound)

    def __lt__(self, bound: object) -> Predicate:
        return self._compare("<", bound)

    def __ge__(self, bound: object) -> Predicate:
        return self._compare(">=", bound)

    def __gt__(self, bound: object) -> Predicate:
        return self._compare(">", bound)

    def __eq__(self, other: object) -> bool:
        raise InvalidPredicateError(f"{self.column} has no equality; compare with <= or >=")


duration = number("duration_s")
"""The duration of a request, to compare: `duration <= "200ms"`."""


@dataclass(frozen=True, slots=True, repr=False)
class Flag(Predicate):
    """A yes-or-no column, such as `good` of events that were judged already."""

    column: str = "good"

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        value = event.get(self.column)
        if is_missing(value):
            return None
        if str(value) not in ("True", "False", "0", "1") or isinstance(value, str):
            raise InvalidPredicateError(f"{self.column} must be true or false, got {value!r}")
        return bool(value)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.column,))

    def to_dict(self) -> dict[str, Any]:
        return {"flag": self.column}

    def __str__(self) -> str:
        return self.column

    def __repr__(self) -> str:
        return f"Flag({self.column!r})"


def _check_parts(parts: tuple[Predicate, ...]) -> None:
    if not parts or not all(isinstance(part, Predicate) for part in parts):
        raise InvalidPredicateError(f"a combination has conditions as its parts, got {parts!r}")


@dataclass(frozen=True, slots=True, repr=False)
class All(Predicate):
    """Every part holds."""

    parts: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        answers = [part.matches(event) for part in self.parts]
        return False if False in answers else None if None in answers else True

    @property
    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns for part in self.parts))

    def to_dict(self) -> dict[str, Any]:
        return {"all": [part.to_dict() for part in self.parts]}

    def __str__(self) -> str:
        return " and ".join(
            f"({part})" if isinstance(part, Any_) else str(part) for part in self.parts
        )

    def __repr__(self) -> str:
        return "(" + " & ".join(map(repr, self.parts)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class Any_(Predicate):  # `Any` is typing's
    """At least one part holds."""

    parts: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        answers = [part.matches(event) for part in self.parts]
        return True if True in answers else None if None in answers else False

    @property
    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns for part in self.parts))

    def to_dict(self) -> dict[str, Any]:
        return {"any": [part.to_dict() for part in self.parts]}

    def __str__(self) -> str:
        return " or ".join(
            f"({part})" if isinstance(part, All) else str(part) for part in self.parts
        )

    def __repr__(self) -> str:
        return "(" + " | ".join(map(repr, self.parts)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class Not(Predicate):
    """The part does not hold; what is unknown stays unknown."""

    part: Predicate

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        answer = self.part.matches(event)
        return None if answer is None else not answer

    @property
    def columns(self) -> frozenset[str]:
        return self.part.columns

    def to_dict(self) -> dict[str, Any]:
        return {"not": self.part.to_dict()}

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, (All, Any_)) else f"not {self.part}"

    def __repr__(self) -> str:
        return f"~{self.part!r}"


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
        f'{value!r} is not a condition; write "5xx", {{"route": "/api/.*"}} or a predicate'
    )


def _field(name: str, wanted: Any) -> Predicate:
    if name == "status":
        if isinstance(wanted, Mapping):
            raise InvalidPredicateError(f'a status is text such as "2xx|304", got {wanted!r}')
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
    raise InvalidPredicateError(f'condition on "{name}" must be text or a list, got {wanted!r}')


def _label_of(data: dict[str, Any]) -> Predicate:
    name, inside, pattern = data.pop("label"), data.pop("in", None), data.pop("matches", None)
    if (inside is None) == (pattern is None):
        raise InvalidPredicateError(f'condition on label "{name}" is incomplete: "in" or "matches"')
    return label(name).isin(*inside) if pattern is None else label(name).matches(pattern)


def _number_of(data: dict[str, Any]) -> Predicate:
    return Number(data.pop("number"), data.pop("op"), data.pop("bound"))


def _several(parts: Any, join: Callable[[Any, Any], Any]) -> Predicate:
    if isinstance(parts, (str, Mapping)) or not parts:
        raise InvalidPredicateError(f"a list of conditions is needed, got {parts!r}")
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
                    f"condition {dict(data)!r} is incomplete: {error}"
                ) from None
        elif fields and not (key in _PARTS and _PARTS[key] in data):
            found.append(_field(str(key), rest.pop(key)))
    if rest or not found:
        known = ("status", *_READERS)
        hint = did_you_mean(str(next(iter(rest), "")), known)
        raise InvalidPredicateError(
            f"{dict(data)!r} is not a condition; its keys are of {', '.join(known)}{hint}"
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
        raise InvalidPredicateError(f"{data!r} is not a condition; it is data with a key")
    return _conjunction(data, fields=False)
