"""
What an HTTP response means: data, or an error with a name.

Source: Prometheus, web/api/v1 (error types); measured on 2.42, 2.53 and 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from errorbudget.errors import InvalidSeriesError, SourceResponseError
from errorbudget.sources.prometheus.http import Response
from errorbudget.sources.prometheus.matrix import (
    EMPTY,
    Matrix,
    Series,
    merged,
    natives,
    parse_answer,
    sample_of,
)

__all__ = ["Answer", "read_answer"]

_CURES = {
    400: "the query or a parameter is wrong",
    401: "the server wants credentials, or other ones: auth=Basic(...) or Bearer(...)",
    403: "these credentials may not ask this",
    404: "nothing is there: does the address need a path prefix, such as /prometheus?",
    405: 'the server does not take this method: try method="GET"',
    413: "the query is too long, or would return too much",
    414: 'the query is too long for an address: use method="POST"',
    422: "the query cannot be evaluated",
    429: "the server asks for fewer queries",
    503: "the server is overloaded, or the query took too long",
}


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """
    What a server answered.

    Attributes:
        kind: "matrix", "vector", "scalar", "string", or "other" for pages that are no query.
        matrix: Samples; of a vector or a scalar one per series.
        text: The text of a string.
        data: What `data` held, for "other".
        warnings: What may be wrong or missing, such as a store that did not answer.
        infos: Hints on the query.
    """

    kind: str
    matrix: Matrix = EMPTY
    text: str = ""
    data: Any = None
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()

    def only(self) -> float | None:
        """The value, when there is exactly one; None when there is none."""
        if len(self.matrix.values) > 1:
            raise SourceResponseError(f"one value was expected, got {len(self.matrix.values)}")
        return float(self.matrix.values[0]) if len(self.matrix.values) else None


def read_answer(response: Response, *, query: str | None = None, hide: Any = str) -> Answer:
    """
    The data of a response.

    Args:
        response: What came back.
        query: What was asked, for errors.
        hide: Takes secrets out of a text.

    Raises:
        SourceResponseError: The server reports an error, or the answer makes no sense; with its
            status and query, and the server's own words.
        InvalidSeriesError: Two series have the same labels, or times do not ascend.
    """
    if not 200 <= response.status < 300:
        raise _refused(response, query, hide)
    said = ""
    try:
        answer, matrix = parse_answer(response.body)
        if answer.get("status") == "success":
            return _meant(answer, matrix)
    except SourceResponseError as error:
        said = str(error)
    # Raised out here, since a cause could hold the text, and a text may echo a secret.
    if not said:
        raise _refused(response, query, hide)
    raise SourceResponseError(hide(said), status=response.status, query=query)


def _refused(response: Response, query: str | None, hide: Any) -> SourceResponseError:
    import json

    try:
        given = json.loads(response.body)
        said = f"{given['errorType']}: {given['error']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        said = response.body[:200].decode("utf-8", "replace").strip() or "no text"
    cure = _CURES.get(response.status, "the server could not answer")
    return SourceResponseError(
        hide(f"status {response.status}, {said} ({cure})"),
        status=response.status,
        query=query or "",
    )


def _meant(answer: Mapping[str, Any], matrix: Matrix | None) -> Answer:
    said = [_texts(answer, name) for name in ("warnings", "infos")]
    # From 2.48 to 2.53 hints came among the warnings.
    hints = tuple(text for text in said[0] if text.startswith("PromQL info"))
    notes: dict[str, Any] = {
        "warnings": tuple(text for text in said[0] if text not in hints),
        "infos": hints + said[1],
    }
    data = answer.get("data")
    if matrix is not None:
        return Answer("matrix", matrix, **notes)
    if not isinstance(data, dict) or "resultType" not in data:
        return Answer("other", data=data, **notes)
    kind, result = data["resultType"], data.get("result")
    try:
        if kind == "string":
            return Answer("string", text=str(list(result or [])[1]), **notes)
        if kind == "scalar":
            return Answer("scalar", _instants([{"metric": {}, "value": result}]), **notes)
        if kind == "vector":
            return Answer("vector", _instants(result), **notes)
    except InvalidSeriesError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        raise SourceResponseError(f"the {kind} in the answer cannot be read") from None
    raise SourceResponseError(f'the answer is of the unknown type "{kind}"')


def _texts(answer: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = answer.get(name) or ()
    return tuple(str(text) for text in given) if isinstance(given, (list, tuple)) else (str(given),)


def _instants(result: Any) -> Matrix:
    """A vector as a matrix of one sample per series: a value, or a native histogram."""
    series = []
    for row in result or []:
        samples = [sample_of(row["value"])] if "value" in row else []
        series.append(
            Series(
                dict(row["metric"]),
                np.array([t_ms for t_ms, _ in samples], dtype=np.int64),
                np.array([value for _, value in samples], dtype=np.float64),
                natives([row["histogram"]]) if "histogram" in row else (),
            )
        )
    return merged([_matrix_of(one) for one in series])


def _matrix_of(series: Series) -> Matrix:
    return Matrix(
        (series.labels,),
        np.array([0, len(series.t_ms)]),
        series.t_ms,
        series.values,
        (series.histograms,),
    )
