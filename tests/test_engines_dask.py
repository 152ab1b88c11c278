"""A Dask cluster on this machine, one of whose workers is lost on the way."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import errorbudget as eb
from tests.engine_frames import COLUMNS, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
distributed = pytest.importorskip(
    "distributed", reason="missing: distributed; pip install 'errorbudget[dask]'"
)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_a_lost_worker_changes_nothing(tmp_path: Path) -> None:
    """A worker that is killed while files are counted costs time, and no event."""
    columns = table(3_000, seed=2)
    events = to_events(columns)
    files = 24
    for number in range(files):
        parquet.write_table(arrow(columns), tmp_path / f"{number:02}.parquet")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        started = client.run(os.getpid)
        victim = next(iter(started.values()))
        running = threading.Event()

        def kill() -> None:
            # Not before the work has begun: some task is done, and others are waiting.
            while not client.run_on_scheduler(
                lambda dask_scheduler: any(
                    each.state == "memory" for each in dask_scheduler.tasks.values()
                )
            ):
                time.sleep(0.005)
            os.kill(victim, signal.SIGKILL)
            running.set()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        counted = eb.count_files(tmp_path, SLOS, engine="dask", **COLUMNS)
        assert running.wait(30), "the worker outlived the count"
        client.wait_for_workers(2, timeout=60)
        assert victim not in client.run(os.getpid).values()
    for slo in SLOS:
        once = slo.count(events)
        assert counted[slo].total.tolist() == (once.total * files).tolist()
        assert counted[slo].good.tolist() == (once.good * files).tolist()
        assert same(counted[slo], eb.CountSeries.merge([once] * files))
