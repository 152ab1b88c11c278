"""
Enough PromQL to ask our own counters, gauges and buckets what a server was asked.

Text becomes a tree (`parse`), the tree is answered at many instants at once (`evaluate`) from raw
samples. Every function of samples is the library's; selecting, matching and arithmetic live here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from errorbudget.counters import LOOKBACK_MS, Rules
from errorbudget.kernels import buckets, counters, over_time

Labels = frozenset[tuple[str, str]]
Samples = tuple[np.ndarray, np.ndarray]


class PromQLError(ValueError):
    """An expression that cannot be parsed (`bad_data`) or evaluated (`execution`)."""

    def __init__(self, message: str, kind: str = "bad_data") -> None:
        super().__init__(message)
        self.kind = kind


# ------------------------------------------------------------------------------------------ tree


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Selector:
    matchers: tuple[tuple[str, str, str], ...]
    offset_ms: int = 0


@dataclass(frozen=True)
class Range:
    of: Any
    range_ms: int
    step_ms: int | None = None
    offset_ms: int = 0


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Aggregate:
    name: str
    arguments: tuple[Any, ...]
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True)
class Matching:
    labels: tuple[str, ...] = ()
    on: bool = False
    group: str = ""
    include: tuple[str, ...] = ()
    boolean: bool = False


@dataclass(frozen=True)
class Binary:
    op: str
    left: Any
    right: Any
    matching: Matching = Matching()


TOKEN = re.compile(
    r"""\s*(?:(?P<comment>\#[^\n]*)
    |(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![\w.]))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
    |(?P<name>(?:[A-Za-z_]|:(?=[A-Za-z_:]))[\w:]*)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<op>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],:@]))""",
    re.VERBOSE,
)
UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
UNIT_MS |= {"w": 7 * UNIT_MS["d"], "y": 365 * UNIT_MS["d"]}
PRECEDENCE = {"or": 1, "and": 2, "unless": 2}
PRECEDENCE |= dict.fromkeys(("==", "!=", "<=", "<", ">=", ">"), 3)
PRECEDENCE |= {"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6}
AGGREGATES = {"sum", "avg", "min", "max", "count", "group", "quantile", "stddev", "stdvar"}


def duration_ms(text: str) -> int:
    """A PromQL duration such as `1h30m` [ms]."""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", text):
        return round(float(text) * 1000)  # from 3.0 on a plain number is seconds
    found = re.findall(r"([0-9]+)(ms|[smhdwy])", text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise PromQLError(f"not a duration: {text}")
    return sum(int(number) * UNIT_MS[unit] for number, unit in found)


class Parser:
    """Precedence climbing over a list of tokens."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            found = TOKEN.match(text, position)
            if not found:
                raise PromQLError(f"parse error at {position}: {text[position : position + 20]!r}")
            position = found.end()
            if found.lastgroup != "comment":
                self.tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
        self.tokens.append(("end", ""))
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at][1]

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    def take(self, expected: str | None = None) -> str:
        kind, text = self.tokens[self.at]
        if expected is not None and text != expected:
            raise PromQLError(f"parse error: expected {expected!r}, got {text or 'the end'!r}")
        if kind == "end":
            raise PromQLError("parse error: unexpected end of input")
        self.at += 1
        return text

    def skip(self, text: str) -> bool:
        if self.next == text and self.kind != "text":
            self.at += 1
            return True
        return False

    def whole(self) -> Any:
        tree = self.expression(0)
        if self.kind != "end":
            raise PromQLError(f"parse error: unexpected {self.next!r}")
        return tree

    def expression(self, least: int) -> Any:
        left = self.unary()
        while self.kind in {"op", "name"} and PRECEDENCE.get(self.next, 0) > least:
            op = self.take()
            matching = self.matching()
            right = self.expression(PRECEDENCE[op] - (op == "^"))
            left = Binary(op, left, right, matching)
        return left

    def matching(self) -> Matching:
        boolean = self.skip("bool")
        on, labels, group, include = False, (), "", ()
        if self.next in {"on", "ignoring"} and self.kind == "name":
            on = self.take() == "on"
            labels = self.names()
        if self.next in {"group_left", "group_right"} and self.kind == "name":
            group = self.take()
            include = self.names() if self.next == "(" else ()
        return Matching(labels, on, group, include, boolean)

    def names(self) -> tuple[str, ...]:
        self.take("(")
        found = []
        while not self.skip(")"):
            found.append(self.take())
            if self.next != ")":
                self.take(",")
        return tuple(found)

    def unary(self) -> Any:
        if self.skip("-"):
            operand = self.expression(PRECEDENCE["*"])
            if isinstance(operand, Number):
                return Number(-operand.value)
            return Binary("*", Number(-1.0), operand)
        if self.skip("+"):
            return self.expression(PRECEDENCE["*"])
        return self.postfix(self.primary())

    def postfix(self, tree: Any) -> Any:
        while True:
            if self.skip("["):
                length = duration_ms(self.take())
                step = None
                if self.skip(":"):
                    step = duration_ms(self.take()) if self.next != "]" else 60_000
                elif not isinstance(tree, Selector):
                    raise PromQLError("parse error: ranges only allowed for vector selectors")
                self.take("]")
                tree = Range(tree, length, step)
            elif self.next == "offset" and self.kind == "name":
                self.take()
                sign = -1 if self.skip("-") else 1
                offset = sign * duration_ms(self.take())
                if isinstance(tree, Selector):
                    tree = Selector(tree.matchers, offset)
                elif isinstance(tree, Range):
                    tree = Range(tree.of, tree.range_ms, tree.step_ms, offset)
                else:
                    raise PromQLError("parse error: offset must follow a selector")
            else:
                return tree

    def primary(self) -> Any:
        kind, text = self.kind, self.next
        if self.skip("("):
            tree = self.expression(0)
            if self.kind == "end":
                raise PromQLError("parse error: unclosed left parenthesis")
            self.take(")")
            return tree
        if kind == "number":
            self.take()
            return Number(float(int(text, 16)) if text[:2].lower() == "0x" else float(text))
        if kind == "text":
            return Text(unquoted(self.take()))
        if kind == "name" and text.lower() in {"inf", "nan"}:
            self.take()
            return Number(float(text))
        if kind == "name" and text in AGGREGATES:
            return self.aggregate()
        if kind == "name":
            name = self.take()
            if self.next == "(":
                return Call(name, self.arguments())
            matchers = self.matchers() if self.next == "{" else ()
            return Selector((("__name__", "=", name), *matchers))
        if text == "{" and kind == "op":
            return Selector(self.matchers())
        raise PromQLError(f"parse error: unexpected {text or 'end of input'!r}")

    def arguments(self) -> tuple[Any, ...]:
        self.take("(")
        found = []
        while not self.skip(")"):
            found.append(self.expression(0))
            if self.next != ")":
                if self.kind == "end":
                    raise PromQLError("parse error: unclosed left parenthesis")
                self.take(",")
        return tuple(found)

    def aggregate(self) -> Aggregate:
        name = self.take()
        labels, without, grouped = (), False, False
        if self.next in {"by", "without"}:
            grouped, without = True, self.take() == "without"
            labels = self.names()
        arguments = self.arguments()
        if not grouped and self.next in {"by", "without"} and self.kind == "name":
            without = self.take() == "without"
            labels = self.names()
        return Aggregate(name, arguments, labels, without)

    def matchers(self) -> tuple[tuple[str, str, str], ...]:
        self.take("{")
        found = []
        while not self.skip("}"):
            name, op = self.take(), self.take()
            if op not in {"=", "!=", "=~", "!~"} or self.kind != "text":
                raise PromQLError(f"parse error: no matcher: {name} {op} {self.next}")
            found.append((name, op, unquoted(self.take())))
            if self.next != "}":
                self.take(",")
        return tuple(found)


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unquoted(text: str) -> str:
    """The content of a PromQL string."""
    if text[0] == "`":
        return text[1:-1]
    return re.sub(
        r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL
    )


def parse(text: str) -> Any:
    """The tree of a PromQL expression."""
    return Parser(text).whole()


# --------------------------------------------------------------------------------------- answers


@dataclass
class Scalar:
    values: np.ndarray


@dataclass
class Series:
    """One output series: values (m,) and where there is one, mask (m,)."""

    values: np.ndarray
    there: np.ndarray


Vector = dict[Labels, Series]

COUNTER = {"increase", "rate", "delta", "irate", "idelta", "deriv"}
PLAIN = {
    "resets",
    "changes",
    *(name for name in over_time.__all__ if name.endswith("_over_time")),
} - {"quantile_over_time"}


class Evaluator:
    """Answers expressions from raw samples by labels (with `__name__`)."""

    def __init__(self, store: Mapping[Labels, Samples], rules: Rules) -> None:
        self.store = store
        self.rules = rules
        self.by_name: dict[str, list[tuple[Labels, Samples]]] = {}
        for labels, samples in store.items():
            self.by_name.setdefault(dict(labels).get("__name__", ""), []).append((labels, samples))

    def select(self, selector: Selector) -> Iterable[tuple[Labels, Samples]]:
        named = [value for name, op, value in selector.matchers if (name, op) == ("__name__", "=")]
        pool = self.by_name.get(named[0], []) if named else list(self.store.items())
        for labels, samples in pool:
            have = dict(labels)
            if all(_met(op, have.get(name, ""), value) for name, op, value in selector.matchers):
                yield labels, samples

    def answer(self, tree: Any, at: np.ndarray) -> Scalar | Vector:
        if isinstance(tree, Number):
            return Scalar(np.full(len(at), tree.value))
        if isinstance(tree, Selector):
            return self.instant(tree, at)
        if isinstance(tree, Call):
            return self.call(tree, at)
        if isinstance(tree, Aggregate):
            return self.aggregate(tree, at)
        if isinstance(tree, Binary):
            return self.binary(tree, at)
        raise PromQLError(f"a {type(tree).__name__.lower()} is no answer by itself")

    def instant(self, tree: Selector, at: np.ndarray) -> Vector:
        out: Vector = {}
        for labels, (times, values) in self.select(tree):
            moved = at - tree.offset_ms
            found = counters.last_value(times, values, moved, LOOKBACK_MS, self.rules)
            there = counters.last_value(
                times,
                np.where(counters.is_stale(values), values, 1.0),
                moved,
                LOOKBACK_MS,
                self.rules,
            )
            _put(out, labels, found, ~np.isnan(there))
        return out

    def ranges(self, tree: Range, at: np.ndarray) -> Iterable[tuple[Labels, Samples]]:
        """Each series that a range function sees: raw samples, or a subquery's."""
        if tree.step_ms is None:
            yield from self.select(tree.of)
            return
        step, ends = tree.step_ms, at - tree.offset_ms
        low = int(ends.min()) - tree.range_ms
        grid = np.arange(-(-low // step) * step, int(ends.max()) + 1, step, dtype=np.int64)
        inner = self.answer(tree.of, grid)
        if isinstance(inner, Scalar):
            inner = {frozenset(): Series(inner.values, np.ones(len(grid), dtype=bool))}
        for labels, series in inner.items():
            yield labels, (grid[series.there], series.values[series.there])

    def call(self, tree: Call, at: np.ndarray) -> Scalar | Vector:
        name, arguments = tree.name, tree.arguments
        if name in COUNTER | PLAIN or name == "quantile_over_time":
            return self.range_call(name, arguments, at)
        if name in {"histogram_quantile", "histogram_fraction"}:
            *numbers, inner = arguments
            bounds = [self.number(number, at) for number in numbers]
            return self.of_buckets(name, bounds, self.vector(inner, at))
        if name == "vector":
            scalar = self.answer(arguments[0], at)
            assert isinstance(scalar, Scalar)
            return {frozenset(): Series(scalar.values, np.ones(len(at), dtype=bool))}
        if name == "scalar":
            vector = self.vector(arguments[0], at)
            there = sum((series.there.astype(int) for series in vector.values()), np.zeros(len(at)))
            total = sum((np.where(s.there, s.values, 0.0) for s in vector.values()), 0.0)
            return Scalar(np.where(there == 1, total, np.nan))
        if name == "time":
            return Scalar(at / 1000)
        if name in {"absent", "absent_over_time"}:
            return self.absent(name, arguments[0], at)
        simple: dict[str, Callable[..., np.ndarray]] = {
            "abs": np.abs,
            "clamp_min": np.maximum,
            "clamp_max": np.minimum,
            "ceil": np.ceil,
            "floor": np.floor,
        }
        if name not in simple:
            raise PromQLError(f"parse error: unknown function with name {name!r}")
        vector = self.vector(arguments[0], at)
        rest = [self.number(number, at) for number in arguments[1:]]
        out: Vector = {}
        for labels, series in vector.items():
            _put(out, _nameless(labels), simple[name](series.values, *rest), series.there)
        return out

    def range_call(self, name: str, arguments: tuple[Any, ...], at: np.ndarray) -> Vector:
        *numbers, ranged = arguments
        if not isinstance(ranged, Range):
            raise PromQLError(f"parse error: {name} expects a range vector")
        ends, out = at - ranged.offset_ms, {}
        function: Callable[..., np.ndarray] = getattr(
            over_time if hasattr(over_time, name) and name != "windows" else counters, name
        )
        leading = [self.number(number, at) for number in numbers]
        for labels, (times, values) in self.ranges(ranged, at):
            seen = counters.windows(times, values, ends, ranged.range_ms, self.rules)
            there = seen.count >= (2 if name in COUNTER else 1)
            if there.any():
                found = function(*leading, times, values, ends, ranged.range_ms, self.rules)
                kept = name in {"first_over_time", "last_over_time"}
                _put(out, labels if kept else _nameless(labels), found, there)
        return out

    def absent(self, name: str, of: Any, at: np.ndarray) -> Vector:
        if name == "absent":
            vector, selector = self.vector(of, at), of
        else:
            vector, selector = self.range_call("present_over_time", (of,), at), of.of
        there = np.zeros(len(at), dtype=bool)
        for series in vector.values():
            there |= series.there
        equal = selector.matchers if isinstance(selector, Selector) else ()
        labels = frozenset((n, v) for n, op, v in equal if op == "=" and n != "__name__")
        return {labels: Series(np.ones(len(at)), ~there)} if not there.all() else {}

    def of_buckets(self, name: str, bounds: list[float], inner: Vector) -> Vector:
        groups: dict[Labels, dict[float, list[Series]]] = {}
        for labels, series in inner.items():
            try:
                le = float(dict(labels)["le"])
            except (KeyError, ValueError):
                continue
            rest = frozenset(pair for pair in labels if pair[0] not in {"le", "__name__"})
            groups.setdefault(rest, {}).setdefault(le, []).append(series)
        out: Vector = {}
        for rest, by_le in groups.items():
            columns = [(le, series) for le, found in by_le.items() for series in found]
            there = np.stack([series.there for _, series in columns])
            counts = np.stack([series.values for _, series in columns])
            found = np.full(there.shape[1], np.nan)
            # Instants that see the same buckets are answered together.
            for pattern in np.unique(there, axis=1).T:
                alike = (there == pattern[:, None]).all(axis=0)
                if pattern.any():
                    edges = [le for (le, _), seen in zip(columns, pattern, strict=True) if seen]
                    table = counts[pattern][:, alike].T
                    found[alike] = getattr(buckets, name)(*bounds, edges, table, self.rules)
            _put(out, rest, found, there.any(axis=0))
        return out

    def aggregate(self, tree: Aggregate, at: np.ndarray) -> Vector:
        *numbers, inner = tree.arguments
        parameter = self.number(numbers[0], at) if numbers else 0.0
        groups: dict[Labels, list[Series]] = {}
        for labels, series in self.vector(inner, at).items():
            dropped = {*tree.labels, "__name__"}
            key = frozenset(
                pair
                for pair in labels
                if (pair[0] not in dropped if tree.without else pair[0] in tree.labels)
            )
            groups.setdefault(key, []).append(series)
        out: Vector = {}
        for key, members in groups.items():
            there = np.stack([series.there for series in members])
            values = np.stack([series.values for series in members])
            _put(out, key, _aggregated(tree.name, values, there, parameter), there.any(axis=0))
        return out

    def binary(self, tree: Binary, at: np.ndarray) -> Scalar | Vector:
        left, right = self.answer(tree.left, at), self.answer(tree.right, at)
        op, boolean = tree.op, tree.matching.boolean
        if op in {"and", "or", "unless"}:
            assert isinstance(left, dict)
            assert isinstance(right, dict)
            return self.sets(tree, left, right)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return Scalar(_arithmetic(op, left.values, right.values))
        out: Vector = {}
        if isinstance(left, Scalar) or isinstance(right, Scalar):
            vector, scalar = (right, left) if isinstance(left, Scalar) else (left, right)
            assert isinstance(vector, dict)
            assert isinstance(scalar, Scalar)
            for labels, series in vector.items():
                ends = (series.values, scalar.values)
                found = _arithmetic(op, *(reversed(ends) if isinstance(left, Scalar) else ends))
                _keep(out, op, boolean, labels, series.values, found, series.there)
            return out
        return self.matched(tree, left, right)

    def matched(self, tree: Binary, left: Vector, right: Vector) -> Vector:
        matching, out = tree.matching, {}
        swap = matching.group == "group_right"
        many, one = (right, left) if swap else (left, right)
        by_key: dict[Labels, list[tuple[Labels, Series]]] = {}
        for labels, series in one.items():
            by_key.setdefault(_key(labels, matching), []).append((labels, series))
        seen: dict[Labels, np.ndarray] = {}
        for labels, series in many.items():
            key = _key(labels, matching)
            for other_labels, other in by_key.get(key, []):
                there = series.there & other.there
                if not matching.group and (seen.get(key, there & False) & there).any():
                    raise PromQLError("many-to-many matching not allowed", "execution")
                seen[key] = seen.get(key, there & False) | there
                ends = (other.values, series.values) if swap else (series.values, other.values)
                found = _arithmetic(tree.op, *ends)
                included = {name: dict(other_labels).get(name, "") for name in matching.include}
                kept = {name: value for name, value in labels if name not in included}
                kept |= {name: value for name, value in included.items() if value}
                result = frozenset(kept.items()) if matching.group else key
                if tree.op in COMPARE and not matching.boolean:
                    result = labels if not matching.group and not matching.on else result
                _keep(out, tree.op, matching.boolean, result, ends[0], found, there)
        return out

    def sets(self, tree: Binary, left: Vector, right: Vector) -> Vector:
        size = next((len(s.there) for s in (*left.values(), *right.values())), 0)
        nothing, out = np.zeros(size, dtype=bool), {}
        there: dict[Labels, np.ndarray] = {}
        for labels, series in (left if tree.op == "or" else right).items():
            key = _key(labels, tree.matching)
            there[key] = there.get(key, nothing) | series.there
        for labels, series in left.items():
            other = there.get(_key(labels, tree.matching), nothing)
            keep = {"or": series.there, "and": series.there & other}.get(
                tree.op, series.there & ~other
            )
            _put(out, labels, series.values, keep)
        for labels, series in right.items() if tree.op == "or" else ():
            _put(
                out,
                labels,
                series.values,
                series.there & ~there.get(_key(labels, tree.matching), nothing),
            )
        return out

    def vector(self, tree: Any, at: np.ndarray) -> Vector:
        found = self.answer(tree, at)
        if isinstance(found, Scalar):
            raise PromQLError("parse error: expected an instant vector")
        return found

    def number(self, tree: Any, at: np.ndarray) -> float:
        found = self.answer(tree, at[:1])
        if not isinstance(found, Scalar):
            raise PromQLError("parse error: expected a scalar")
        return float(found.values[0])


COMPARE = {"==", "!=", "<=", "<", ">=", ">"}
ARITHMETIC: dict[str, Callable[..., np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    "<=": np.less_equal,
    "<": np.less,
    ">=": np.greater_equal,
    ">": np.greater,
}


def _arithmetic(op: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return ARITHMETIC[op](left, right).astype(float)


def _aggregated(name: str, values: np.ndarray, there: np.ndarray, parameter: float) -> np.ndarray:
    """Each column's members that are there, as one; the rest of the column is NaN or 0."""
    with np.errstate(all="ignore"):
        if name in {"count", "group"}:
            return (
                np.maximum.reduce(there, axis=0) + 0.0
                if name == "group"
                else there.sum(axis=0) + 0.0
            )
        if name in {"sum", "avg"}:
            total = np.where(there, values, 0.0).sum(axis=0)
            return total / there.sum(axis=0) if name == "avg" else total
        if name in {"min", "max"}:
            fold = np.fmin if name == "min" else np.fmax
            return fold.reduce(np.where(there, values, np.nan), axis=0)
    columns = [values[there[:, index], index] for index in range(values.shape[1])]
    if name == "quantile":
        return np.array([over_time.quantile_of(parameter, column.tolist()) for column in columns])
    fold = np.std if name == "stddev" else np.var
    return np.array([fold(column) if len(column) else np.nan for column in columns])


def _met(op: str, have: str, want: str) -> bool:
    if op in {"=", "!="}:
        return (have == want) == (op == "=")
    return (re.fullmatch(want, have, re.DOTALL) is not None) == (op == "=~")


def _nameless(labels: Labels) -> Labels:
    return frozenset(pair for pair in labels if pair[0] != "__name__")


def _key(labels: Labels, matching: Matching) -> Labels:
    return frozenset(
        pair
        for pair in labels
        if pair[0] != "__name__" and (pair[0] in matching.labels) == matching.on
    )


def _keep(
    out: Vector,
    op: str,
    boolean: bool,
    labels: Labels,
    left: np.ndarray,
    found: np.ndarray,
    there: np.ndarray,
) -> None:
    if op in COMPARE and not boolean:
        _put(out, labels, left, there & (found == 1))
    else:
        _put(out, _nameless(labels), found, there)


def _put(out: Vector, labels: Labels, values: np.ndarray, there: np.ndarray) -> None:
    if not there.any():
        return
    if labels in out:
        if (out[labels].there & there).any():
            raise PromQLError("vector cannot contain metrics with the same labelset", "execution")
        values = np.where(there, values, out[labels].values)
        there = there | out[labels].there
    out[labels] = Series(values, there)


def evaluate(
    text: str, store: Mapping[Labels, Samples], at_ms: Iterable[int], rules: Rules
) -> Scalar | Vector:
    """The answer to *text* at each instant, from raw samples."""
    return Evaluator(store, rules).answer(parse(text), np.array(list(at_ms), dtype=np.int64))
