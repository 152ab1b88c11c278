"""The check that is run on 10^7 events before a release, on a few of them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's own use of pandas 3
]

PACKAGES = {
    "pandas": "pandas",
    "polars": "polars",
    "polars lazy": "polars",
    "pyarrow": "pyarrow",
    "duckdb": "duckdb",
    "dask": "dask.dataframe",
}


@pytest.mark.parametrize("engine", PACKAGES)
def test_engines_agree_over_files_of_several_zones(engine: str, tmp_path: Path) -> None:
    """Each bin of each route, each bucket and each quantile: as the library has them."""
    pytest.importorskip(PACKAGES[engine], reason=f"missing: {PACKAGES[engine]}")
    from tests.engines_agreement import check, make

    said: list[str] = []
    check(make(tmp_path, 4_000, routes=40), [engine], said.append)
    assert len(said) == 1
    assert engine in said[0]
