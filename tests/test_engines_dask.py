"""A Dask cluster on this machine, one of whose workers is lost on the way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import errorbudget as eb
from tests.engine_frames import COLUMNS, PLAIN, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
distributed = pytest.importorskip(
    "distributed", reason="missing: distributed; pip install 'errorbudget[dask]'"
)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def forked() -> Iterator[None]:
    """Workers that need not import everything each: they begin as copies of one that has."""
    import multiprocessing

    import dask

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        distributed.utils.get_mp_context()
        multiprocessing.set_forkserver_preload(
            ["distributed", "dask.dataframe", "pyarrow.parquet", "narwhals"]
        )
        yield


def test_a_lost_worker_changes_nothing(forked: None, tmp_path: Path) -> None:
    """A worker that is killed while files are counted costs time, and no event."""
    columns = table(3_000, seed=2)
    events = to_events(columns)
    files = 16
    for number in range(files):
        parquet.write_table(arrow(columns), tmp_path / f"{number:02}.parquet")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))
        killed = threading.Event()

        def kill() -> None:
            # Not before the work has begun: some task is done, and others are waiting.
            while not client.run_on_scheduler(
                lambda dask_scheduler: any(
                    each.state == "memory" for each in dask_scheduler.tasks.values()
                )
            ):
                time.sleep(0.005)
            os.kill(victim, signal.SIGKILL)
            killed.set()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        counted = eb.count_files(tmp_path, PLAIN, engine="dask", **COLUMNS)
        assert killed.wait(30), "the worker outlived the count"
    for slo in PLAIN:
        once = slo.count(events)
        assert counted[slo].total.tolist() == (once.total * files).tolist()
        assert counted[slo].good.tolist() == (once.good * files).tolist()
        assert same(counted[slo], eb.CountSeries.merge([once] * files))
