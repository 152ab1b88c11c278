"""The latency histogram: merging is a law, bounds hold."""

from __future__ import annotations

import json
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.histogram import LatencyHistogram

VALUES = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e4)), max_size=20)


def of(values, alpha=0.01):
    histogram = LatencyHistogram(alpha)
    histogram.add(values)
    return histogram


@given(st.lists(VALUES, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_merged_parts_equal_the_whole_in_any_order(parts, random):
    """However the values were split, and whichever part comes first."""
    whole = of([value for part in parts for value in part])
    histograms = [of(part) for part in parts]
    random.shuffle(histograms)
    assert reduce(LatencyHistogram.__add__, histograms) == whole
    assert histograms[0].merge(*histograms[1:]) == whole
    assert whole.total == sum(map(len, parts))


@given(VALUES.filter(bool), st.sampled_from([0.5, 0.95, 1.0, "1/3"]), st.sampled_from([0.01, 0.1]))
def test_a_quantile_keeps_to_its_error(values, quantile, alpha):
    """Against numpy's inverted CDF."""
    histogram = of(values, alpha)
    share = 1 / 3 if quantile == "1/3" else quantile
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    if quantile != "1/3" or len(values) % 3:
        assert abs(histogram.quantile(quantile) - exact) <= histogram.alpha * exact
    assert histogram.alpha <= alpha


@given(VALUES, st.floats(0, 1e4))
def test_counts_below_a_threshold_are_bounded(values, threshold):
    """The true count lies between both answers."""
    low, high = of(values).count_at_most(threshold)
    assert low <= sum(value <= threshold for value in values) <= high


@given(VALUES)
def test_data_and_repr_lead_back(values):
    """Through JSON, and as pasted code."""
    histogram = of(values)
    assert LatencyHistogram.from_dict(json.loads(json.dumps(histogram.to_dict()))) == histogram
    assert eval(repr(histogram)) == histogram
    assert sum(count for _, _, count in histogram.buckets()) == histogram.total


def test_values_come_one_or_many():
    """A number, an array, nothing."""
    histogram = LatencyHistogram()
    histogram.add(0.25)
    histogram.add(np.array([[0.25, 0.5]], dtype=np.float32))
    histogram.add([])
    assert histogram.total == 3
    assert histogram.quantile(0.5) == pytest.approx(0.25, rel=0.01)
    assert LatencyHistogram().quantile(0.5) is None
    assert histogram.count_at_most(-1) == (0, 0)
    assert histogram.count_at_most(float("inf")) == (3, 3)
    assert histogram != 3


def test_wrong_input_is_refused_and_changes_nothing():
    """A bad value among good ones leaves the histogram as it was."""
    histogram = of([0.1])
    with pytest.raises(InvalidSeriesError, match="at index 1"):
        histogram.add([0.2, float("nan")])
    assert histogram == of([0.1])
    with pytest.raises(InvalidInputError, match="one alpha"):
        histogram + of([0.1], 0.1)
    with pytest.raises(TypeError):
        histogram + 1
    with pytest.raises(InvalidInputError, match="NaN"):
        histogram.count_at_most(float("nan"))
    with pytest.raises(InvalidInputError, match="a quantile"):
        histogram.quantile(95)
    for data in ({}, {"alpha": 0.01, "counts": []}, {"alpha": "x", "counts": {}}):
        with pytest.raises(InvalidInputError, match="to_dict"):
            LatencyHistogram.from_dict(data)
    for counts in ({"1": -1}, {"-1": 1}, {"1": 0.5}, {str(2**60): 1}):
        with pytest.raises(InvalidInputError, match="cannot hold"):
            LatencyHistogram.from_dict({"alpha": 0.01, "counts": counts})


def test_ranks_and_buckets_at_their_bounds():
    """The smallest value that reaches its share; a threshold inside a bucket bounds both ways."""
    histogram = of([1.0, 2.0, 4.0, 8.0])
    for share, value in ((0.25, 1), ("0.2501", 2), (0.5, 2), (0.75, 4), ("0.7501", 8), (1, 8)):
        assert histogram.quantile(share) == pytest.approx(value, rel=0.01)
    for threshold, bounds in (
        (0.9, (0, 0)),
        (1.0, (0, 1)),
        (1.5, (1, 1)),
        (2.0, (1, 2)),
        (9, (4, 4)),
    ):
        assert histogram.count_at_most(threshold) == bounds
    assert [
        (low <= value < high, count)
        for value, (low, high, count) in zip((1, 2, 4, 8), histogram.buckets(), strict=True)
    ] == [(True, 1)] * 4
    assert histogram.quantile("1/3") == pytest.approx(2, rel=0.01)


def test_histograms_differ_by_alpha_and_by_counts():
    """Either is enough; the last bucket there is holds the largest number."""
    assert of([1.0]) != of([1.0], 0.1)
    assert of([1.0]) != of([2.0])
    assert of([1.0]) == of([1.0])
    assert of([], 0.01) != of([], 0.1)
    largest = of([np.finfo(np.float64).max, 0.0])
    assert LatencyHistogram.from_dict(largest.to_dict()) == largest
    (last,) = (int(key) for key in largest.to_dict()["counts"] if key != "0")
    with pytest.raises(InvalidInputError, match="cannot hold"):
        LatencyHistogram.from_dict({"alpha": 0.01, "counts": {str(last + 1): 1}})
