"""
A matrix of samples as columns, straight from the bytes of the answer.

`json` would build four objects per sample, and the garbage collector would visit each. So the
blocks of samples are cut out and read by `blocks`, and only what is left, the labels and the rest
of the answer, goes through `json`, which thereby checks it whole. What is not of the usual shape,
such as white space between samples, is read by `json` in full.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidSeriesError, SourceResponseError
from errorbudget.sources.prometheus.blocks import MOST_MS, NUMBER, OddShapeError, read_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "EMPTY",
    "Matrix",
    "NativeHistogram",
    "Series",
    "merged",
    "natives",
    "parse_answer",
    "sample_of",
]

Labels = Mapping[str, str]

_OPEN = b'"values":[['


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """
    One sample of a native histogram, as the server writes it.

    Attributes:
        t_ms: When [ms UTC].
        count: Events.
        sum: Sum of what was observed.
        buckets: Rows (boundary rule, lower bound, upper bound, events); rule 0 is open at the
            left, 1 at the right, 2 at both ends, 3 at none.
    """

    t_ms: int
    count: float
    sum: float
    buckets: tuple[tuple[int, float, float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series: its labels, times int64 (n,) [ms UTC] and values float64 (n,)."""

    labels: Labels
    t_ms: Ints
    values: Floats
    histograms: tuple[NativeHistogram, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """
    Samples of many series, end to end in two columns.

    Attributes:
        labels: One label set per series, each once.
        starts: Where each series begins, int64 of shape (series + 1,).
        t_ms: Times, ascending within a series, int64 of shape (n,) [ms UTC].
        values: Values, float64 of shape (n,).
        histograms: Native histograms per series, mostly empty.
    """

    labels: tuple[Labels, ...]
    starts: Ints
    t_ms: Ints
    values: Floats
    histograms: tuple[tuple[NativeHistogram, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Series]:
        for index, labels in enumerate(self.labels):
            inside = slice(self.starts[index], self.starts[index + 1])
            native = self.histograms[index] if self.histograms else ()
            yield Series(labels, self.t_ms[inside], self.values[inside], native)

    @property
    def first_ms(self) -> int:
        """The first sample of any series [ms UTC]; 0 without samples."""
        native = (found[0].t_ms for found in self.histograms if found)
        firsts = [*(int(self.t_ms.min()) for _ in self.t_ms[:1]), *native]
        return min(firsts, default=0)

    def __repr__(self) -> str:
        return f"<Matrix: {len(self)} series, {len(self.t_ms)} samples>"


EMPTY = Matrix((), np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
"""A matrix of no series."""


def parse_answer(body: bytes) -> tuple[dict[str, Any], Matrix | None]:
    """
    The JSON of an answer, with the samples of a matrix taken out as columns.

    Args:
        body: What the server sent.

    Returns:
        The answer without the samples, and the matrix when `resultType` is one, else None.

    Raises:
        SourceResponseError: It is not JSON, or not of the shape that the HTTP API has.
        InvalidSeriesError: Times of a series do not ascend, or two series have the same labels.

    Example:
        >>> answer, matrix = parse_answer(
        ...     b'{"status":"success","data":{"resultType":"matrix","result":'
        ...     b'[{"metric":{"job":"api"},"values":[[1700000000,"1"],[1700000060.5,"+Inf"]]}]}}'
        ... )
        >>> matrix.t_ms, matrix.values
        (array([1700000000000, 1700000060500]), array([ 1., inf]))
    """
    skeleton, blocks = _cut(body)
    answer = _loaded(skeleton)
    data = answer.get("data")
    if not isinstance(data, dict) or data.get("resultType") != "matrix":
        return (_loaded(body) if blocks else answer), None
    if blocks:
        try:
            matrix = _from_blocks(data.get("result"), blocks)
        except OddShapeError:
            answer = _loaded(body)
            matrix = _from_json(answer["data"]["result"])
    else:
        matrix = _from_json(data.get("result"))
    return answer, _checked(matrix)


def _cut(body: bytes) -> tuple[bytes, list[memoryview]]:
    """The answer with each block of samples replaced by its number, and the blocks."""
    kept: list[bytes] = []
    blocks: list[memoryview] = []
    view, position = memoryview(body), 0
    while True:
        # No label can hold these bytes: its quotation marks are escaped.
        found = body.find(_OPEN, position)
        if found < 0:
            break
        # One byte is found faster than two, and a brace is what mostly follows.
        end = body.find(b"}", found) - 2
        if end < 0 or body[end : end + 2] != b"]]" or body.find(b"{", found, end) >= 0:
            end = body.find(b"]]", found)
        if end < 0:
            break
        kept.append(body[position : found + len(_OPEN) - 2])
        kept.append(b"%d" % len(blocks))
        blocks.append(view[found + len(_OPEN) - 1 : end + 1])
        position = end + 2
    kept.append(body[position:])
    return b"".join(kept), blocks


def _loaded(text: bytes) -> dict[str, Any]:
    answer: Any = None
    readable = True
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        readable = False
    # Raised out here, since the exception of `json` holds the text, and a text may echo a secret.
    if not readable:
        raise SourceResponseError(
            f"the answer is not JSON ({len(text)} bytes); it may be cut short, or come from "
            "something else than Prometheus"
        )
    if not isinstance(answer, dict):
        raise SourceResponseError("the answer is JSON, but no object with a status")
    return answer


def _rows(result: Any) -> list[Mapping[str, Any]]:
    if not isinstance(result, list):
        raise SourceResponseError("the answer holds no list of series")
    for row in result:
        metric = row.get("metric") if isinstance(row, dict) else None
        if not isinstance(metric, dict) or not all(isinstance(v, str) for v in metric.values()):
            raise SourceResponseError("a series in the answer has no labels")
    return result


def _from_blocks(result: Any, blocks: Sequence[memoryview]) -> Matrix:
    rows = _rows(result)
    given = [row["values"] for row in rows if "values" in row]
    if any(type(number) is not int for number in given) or given != list(range(len(blocks))):
        raise OddShapeError
    t_ms, values, counts = read_blocks(blocks)
    sizes = np.zeros(len(rows) + 1, dtype=np.int64)
    sizes[[index + 1 for index, row in enumerate(rows) if "values" in row]] = counts
    return Matrix(
        tuple(row["metric"] for row in rows), np.cumsum(sizes), t_ms, values, _natives(rows)
    )


def _from_json(result: Any) -> Matrix:
    rows = _rows(result)
    try:
        series = [[sample_of(pair) for pair in _list(row.get("values", []))] for row in rows]
    except (TypeError, ValueError, OverflowError):
        raise SourceResponseError(
            'a sample in the answer is not of the form [time, "value"]'
        ) from None
    return Matrix(
        tuple(row["metric"] for row in rows),
        np.cumsum([0, *map(len, series)]),
        np.array([t_ms for samples in series for t_ms, _ in samples], dtype=np.int64),
        np.array([value for samples in series for _, value in samples], dtype=np.float64),
        _natives(rows),
    )


def _list(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise TypeError(given)
    return given


def _instant(seconds: Any) -> int:
    if type(seconds) not in (int, float) or abs(seconds * 1000) >= MOST_MS:
        raise ValueError(seconds)
    milliseconds: int = round(seconds * 1000)
    return milliseconds


def sample_of(pair: Any) -> tuple[int, float]:
    """
    Time [ms] and value of `[t, "v"]`.

    Raises:
        TypeError, ValueError, OverflowError: It is none.
    """
    time, value = _list(pair)
    return _instant(time), _number(value)


def _number(text: Any) -> float:
    if not isinstance(text, str) or not NUMBER.fullmatch(text.encode()):
        raise ValueError(text)
    return float(text)


def _natives(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[NativeHistogram, ...], ...]:
    if not any("histograms" in row for row in rows):
        return ()
    return tuple(natives(row.get("histograms") or ()) for row in rows)


def natives(samples: Iterable[Any]) -> tuple[NativeHistogram, ...]:
    """
    The native histograms of one series.

    Raises:
        SourceResponseError: One of them is not of the form that servers write.
    """
    try:
        return tuple(
            NativeHistogram(
                _instant(time),
                _number(native["count"]),
                _number(native["sum"]),
                tuple(
                    (int(rule), _number(low), _number(high), _number(count))
                    for rule, low, high, count in native.get("buckets") or ()
                ),
            )
            for time, native in samples
        )
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        raise SourceResponseError("a native histogram in the answer cannot be read") from None


def _key(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def _checked(matrix: Matrix) -> Matrix:
    known: set[frozenset[tuple[str, str]]] = set()
    for index, labels in enumerate(matrix.labels):
        if _key(labels) in known:
            raise InvalidSeriesError(
                f"two series of the answer have the same labels {dict(labels)}: replicas are to be "
                "told apart by a label, or merged by the server (Thanos: dedup=true)",
                index=index,
            )
        known.add(_key(labels))
    backwards = matrix.t_ms[1:] <= matrix.t_ms[:-1]
    inner = matrix.starts[1:-1]
    backwards[inner[(inner > 0) & (inner < len(matrix.t_ms))] - 1] = False
    wrong = np.flatnonzero(backwards)
    if len(wrong):
        index = int(wrong[0]) + 1
        raise InvalidSeriesError(
            f"times of a series do not ascend: {matrix.t_ms[index]} ms follows "
            f"{matrix.t_ms[index - 1]} ms",
            index=index,
        )
    return matrix


def merged(parts: Iterable[Matrix]) -> Matrix:
    """
    Matrices of neighbouring stretches as one; a sample that two of them hold is kept once.

    Args:
        parts: Matrices in any order.

    Raises:
        InvalidSeriesError: Two parts give the same instant of a series different values.
    """
    held: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for part in parts:
        for series in part:
            held.setdefault(_key(series.labels), []).append(series)
    joined = [_joined(pieces) for pieces in held.values()]
    native = tuple(series.histograms for series in joined)
    return Matrix(
        tuple(series.labels for series in joined),
        np.cumsum([0, *(len(series.t_ms) for series in joined)]),
        np.concatenate([np.zeros(0, np.int64), *(series.t_ms for series in joined)]),
        np.concatenate([np.zeros(0), *(series.values for series in joined)]),
        native if any(native) else (),
    )


def _joined(pieces: Sequence[Series]) -> Series:
    if len(pieces) == 1:
        return pieces[0]
    t_ms = np.concatenate([piece.t_ms for piece in pieces])
    values = np.concatenate([piece.values for piece in pieces])
    order = np.argsort(t_ms, kind="stable")
    t_ms, values = t_ms[order], values[order]
    again = np.flatnonzero(t_ms[1:] == t_ms[:-1])
    differs = again[values[again + 1].view(np.int64) != values[again].view(np.int64)]
    if len(differs):
        index = int(differs[0])
        raise InvalidSeriesError(
            f"{dict(pieces[0].labels)} has two values at {t_ms[index]} ms, {values[index]} and "
            f"{values[index + 1]}: replicas are to be told apart by a label",
            index=index,
        )
    native = {one.t_ms: one for piece in pieces for one in piece.histograms}
    return Series(
        pieces[0].labels,
        np.delete(t_ms, again + 1),
        np.delete(values, again + 1),
        tuple(native[time] for time in sorted(native)),
    )
