"""The bytes of a matrix as columns: the fast path says what `json` says, or steps aside."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errorbudget.errors import InvalidSeriesError, SourceResponseError
from errorbudget.sources.prometheus.blocks import OddShapeError, read_blocks
from errorbudget.sources.prometheus.matrix import EMPTY, Matrix, merged, parse_answer

NUMBERS = (
    st.integers(0, 10**17).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.decimals(0, 10**9, places=3).map(str)
    | st.sampled_from(("NaN", "+Inf", "-Inf", "1e-300", "1.5e+06", "-0", "0.1", "9007199254740993"))
)
SECONDS = st.integers(0, 4 * 10**12).map(lambda ms: ms // 1000 if ms % 1000 == 0 else ms / 1000)
LABELS = st.dictionaries(
    st.sampled_from(("job", "le", "route")),
    st.text(max_size=8) | st.just('"values":[[1,"2"]]'),
    max_size=2,
)


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    rows = []
    for index in range(draw(st.integers(0, 4))):
        times = sorted(draw(st.sets(SECONDS, max_size=6)))
        row: dict[str, Any] = {"metric": {"i": str(index), **draw(LABELS)}}
        if times or draw(st.booleans()):
            row["values"] = [[time, draw(NUMBERS)] for time in times]
        rows.append(row)
    return {"status": "success", "data": {"resultType": "matrix", "result": rows}}


def by_hand(payload: dict[str, Any]) -> list[tuple[list[int], list[float]]]:
    return [
        (
            [round(t * 1000) for t, _ in row.get("values", [])],
            [float(v) for _, v in row.get("values", [])],
        )
        for row in payload["data"]["result"]
    ]


def compact(payload: Any) -> bytes:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


@given(payloads(), st.booleans())
def test_columns_hold_what_json_holds(payload: dict[str, Any], spaced: bool) -> None:
    """Every number, instant and label is as `json` reads it, with and without white space."""
    body = json.dumps(payload).encode() if spaced else compact(payload)
    answer, matrix = parse_answer(body)
    assert answer["status"] == "success"
    assert matrix is not None
    assert list(matrix.labels) == [row["metric"] for row in payload["data"]["result"]]
    for series, (times, values) in zip(matrix, by_hand(payload), strict=True):
        assert series.t_ms.tolist() == times
        np.testing.assert_array_equal(series.values, np.array(values, dtype=float))


@given(st.lists(st.tuples(st.integers(10**9, 2 * 10**9), NUMBERS), min_size=1, max_size=8))
@example([(1_700_000_000, "12345678"), (1_700_000_060, "123456789012345678")])
@example([(1_999_999_999, "1"), (2_000_000_000, "2")])
@example([(1_700_000_000, "0.1"), (1_700_000_060, "123456789.123456")])
def test_blocks_are_read_exactly(samples: list[tuple[int, str]]) -> None:
    """Every float comes out as the nearest one to what was written."""
    block = ",".join(f'[{time},"{value}"]' for time, value in samples).encode()
    times, values, counts = read_blocks([memoryview(block)])
    assert times.tolist() == [time * 1000 for time, _ in samples]
    np.testing.assert_array_equal(values, [float(value) for _, value in samples])
    assert counts.tolist() == [len(samples)]


@pytest.mark.parametrize(
    "block",
    [
        b'[1700000000,"1"],[1700000060,"x"]',
        b'[1700000000,"1"],[17000000:0,"2"]',
        b'[1700000000,"1"] [1700000060,"2"]',
        b'[1700000000,"1"],[1700000060,"2"',
        b"[1700000000,1]",
        b'[,"1"]',
        b'[1700000000,""]',
        b'[1700000000,"1."]',
        b'[1700000000,"1_0"]',
        b'[1.7e9,"1"]',
        b'[-1,"1"]',
        b'[01,"1"]',
        b'[01700000060.5,"1"]',
        b'[1e00000060,"1"]',
        b'[9007199254741,"1"]',
        b'[9223372036854776,"1"]',
        b'[92233720368547758.07,"1"]',
    ],
)
def test_odd_blocks_are_left_to_json(block: bytes) -> None:
    """What is not plainly samples is never guessed at."""
    with pytest.raises(OddShapeError):
        read_blocks([memoryview(block)])


@pytest.mark.parametrize(
    "rows",
    [
        '[{"metric":{},"values":[[1,"x"]]}]',
        '[{"metric":{},"values":[[1,2]]}]',
        '[{"metric":{},"values":[["1","2","3"]]}]',
        '[{"metric":{},"values":[[1,"1_0"]]}]',
        '[{"metric":{},"values":0}]',
        '[{"metric":{"a":1},"values":[[1,"2"]]}]',
        '[{"metric":{},"values":[[01,"1"]]}]',
        '[{"metric":{},"values":[[1e999,"1"]]}]',
        '[{"metric":{},"values":[[Infinity,"1"]]}]',
        '[{"metric":{},"values":[[1700000000e20,"1"]]}]',
        '[{"metric":{},"values":[[9223372036854776,"1"]]}]',
        f'[{{"metric":{{}},"values":[[1{"0" * 400},"1"]]}}]',
        '[{"metric":{},"values":[[true,"1"]]}]',
        '[{"metric":{},"values":[["1","1"]]}]',
        '[{"metric":{},"values":["12"]}]',
        '[{"metric":{},"values":{"12":0}}]',
        '[{"metric":{},"histograms":[[1e999,{"count":"1","sum":"1"}]]}]',
        '[{"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[[1e999,"1","2","3"]]}]]}]',
        '[{"values":[[1,"2"]]}]',
        '{"metric":{}}',
        '[{"metric":{},"histograms":[[1,{"count":"1"}]]}]',
    ],
)
def test_a_broken_matrix_is_an_error(rows: str) -> None:
    """A matrix that makes no sense is a named error, whichever path reads it."""
    with pytest.raises(SourceResponseError):
        parse_answer(
            f'{{"status":"success","data":{{"resultType":"matrix","result":{rows}}}}}'.encode()
        )


def test_a_cut_answer_is_an_error() -> None:
    """Wherever an answer is cut short, it is not taken for a whole one."""
    rows = [{"metric": {"job": "api"}, "values": [[1_700_000_000, "1"], [1_700_000_060, "2"]]}]
    body = compact({"status": "success", "data": {"resultType": "matrix", "result": rows}})
    for length in range(len(body)):
        with pytest.raises(SourceResponseError):
            parse_answer(body[:length])


def test_same_labels_twice_are_refused() -> None:
    """Replicas that are not told apart would be counted twice."""
    rows = [{"metric": {"job": "api"}, "values": [[1_700_000_000, "1"]]}] * 2
    with pytest.raises(InvalidSeriesError, match="same labels") as caught:
        parse_answer(
            compact({"status": "success", "data": {"resultType": "matrix", "result": rows}})
        )
    assert caught.value.index == 1


def test_times_that_go_back_are_refused() -> None:
    """Samples come in the order of time."""
    rows = [{"metric": {}, "values": [[1_700_000_060, "1"], [1_700_000_000, "1"]]}]
    with pytest.raises(InvalidSeriesError, match="do not ascend"):
        parse_answer(
            compact({"status": "success", "data": {"resultType": "matrix", "result": rows}})
        )


def test_native_histograms_are_read() -> None:
    """Beside floats or alone, buckets keep their bounds and their rule."""
    native = {
        "count": "5",
        "sum": "2.5",
        "buckets": [[0, "0.25", "0.5", "2"], [3, "-0.1", "0.1", "3"]],
    }
    rows = [
        {"metric": {"job": "a"}, "histograms": [[1_700_000_000, native]]},
        {
            "metric": {"job": "b"},
            "values": [[1_700_000_000.5, "1"]],
            "histograms": [[1_700_000_060, native]],
        },
    ]
    _, matrix = parse_answer(
        compact({"status": "success", "data": {"resultType": "matrix", "result": rows}})
    )
    assert matrix is not None
    first, second = matrix
    assert (len(first.t_ms), first.histograms[0].count) == (0, 5.0)
    assert first.histograms[0].buckets[1] == (3, -0.1, 0.1, 3.0)
    assert second.t_ms.tolist() == [1_700_000_000_500]
    assert second.histograms[0].t_ms == 1_700_000_060_000


def piece(labels: dict[str, str], times: list[int], values: list[float]) -> Matrix:
    return Matrix((labels,), np.array([0, len(times)]), np.array(times), np.array(values))


def test_pieces_join_in_any_order() -> None:
    """A sample at the seam is kept once, and the order of arrival does not matter."""
    first, second = (
        piece({"a": "1"}, [1, 2], [1.0, math.nan]),
        piece({"a": "1"}, [2, 3], [math.nan, 3.0]),
    )
    other = piece({"a": "2"}, [1], [9.0])
    for parts in ([first, second, other], [other, second, first]):
        whole = merged(parts)
        by_label = {series.labels["a"]: series.t_ms.tolist() for series in whole}
        assert by_label == {"1": [1, 2, 3], "2": [1]}
    assert len(merged([])) == 0
    assert len(merged([EMPTY, first])) == 1


def test_two_values_at_one_instant_are_refused() -> None:
    """Two replicas that scrape the same target disagree: neither is silently dropped."""
    with pytest.raises(InvalidSeriesError, match="two values"):
        merged([piece({}, [1], [1.0]), piece({}, [1], [2.0])])
