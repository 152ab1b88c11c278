"""Histograms of durations: the same buckets on every engine, to the last event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorbudget.errors import InvalidSeriesError
from errorbudget.histogram import LatencyHistogram
from errorbudget.kernels.histogram import bucket_bounds, bucket_keys
from errorbudget.sources.engines import latencies
from tests.engine_frames import FRAMES, table

pa = pytest.importorskip("pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's own use of pandas 3
]
ENGINES = ("pandas", "arrow", "nans", "polars_lazy", "duckdb", "dask")


def here(values: Any, alpha: float) -> LatencyHistogram:
    histogram = LatencyHistogram(alpha)
    histogram.add(values)
    return histogram


@pytest.mark.parametrize("engine", ENGINES)
def test_buckets_are_the_kernel_s(engine: str) -> None:
    """Each label's histogram is the one that its values make here, and quantiles follow."""
    columns = table(20_000, seed=5)
    # Values at the edges of buckets, and one float beside them.
    begin, _ = bucket_bounds(bucket_keys(np.geomspace(1e-6, 1e4, 2_000), 6), 6)
    edges = np.concatenate([begin, np.nextafter(begin, 0), np.nextafter(begin, np.inf), [0.0]])
    columns["took"][: len(edges)] = edges
    found = latencies(FRAMES[engine](columns), ["route"], duration="took", alpha=0.01)
    routes = np.array([route or "" for route in columns["route"]], dtype=object)
    there = np.array([took is not None for took in columns["took"]])
    assert {route for (route,) in found} == set(routes[there])
    for (route,), histogram in found.items():
        values = columns["took"][there & (routes == route)].astype(float)
        assert histogram == here(values, 0.01)
        exact = np.sort(values)[-(-len(values) * 99 // 100) - 1]
        assert histogram.quantile(0.99) == pytest.approx(exact, rel=histogram.alpha)


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.floats(2.0**-39, 1e9), min_size=1, max_size=20),
    alpha=st.sampled_from([0.5, 0.1, 0.01, 1e-3]),
    engine=st.sampled_from(["arrow", "pandas", "polars", "duckdb"]),
)
def test_any_value_of_any_error(values: list[float], alpha: float, engine: str) -> None:
    """Whatever the values and the error, the buckets agree."""
    found: Any = pa.table({"duration_s": values})
    if engine == "pandas":
        found = found.to_pandas()
    elif engine == "polars":
        found = pytest.importorskip("polars", reason="missing: polars").from_arrow(found)
    elif engine == "duckdb":
        connection = pytest.importorskip("duckdb", reason="missing: duckdb").connect()
        found = connection.from_arrow(found)
    assert latencies(found, alpha=alpha) == {(): here(values, alpha)}


def test_bad_durations_are_refused() -> None:
    """Negative and infinite durations are named."""
    for value in (-1.0, float("inf")):
        with pytest.raises(InvalidSeriesError, match=f"holds {value}"):
            latencies(pa.table({"duration_s": [0.1, value]}))
    with pytest.raises(InvalidSeriesError, match="not a dataframe"):
        latencies([1])
