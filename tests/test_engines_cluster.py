"""A standalone Spark master with two workers on this machine, one of which is killed midway."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine_frames import PLAIN, arrow, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
pyspark = pytest.importorskip(
    "pyspark", reason="missing: pyspark; pip install 'errorbudget[spark]'"
)
pytestmark = pytest.mark.slow

FILES = 20
OPENED = (
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
)
PATIENCE_S = 240
"""Six JVMs start here, beside whatever else the machine does."""

# A driver of its own: this process may hold a session already, and sessions know one master.
_DRIVER = """
import json, os, signal, sys, threading, time, urllib.request
import numpy as np
from pyspark.sql import SparkSession
import errorbudget as eb
from tests.engine_frames import COLUMNS, PLAIN

master, logs, answer, victim = sys.argv[1:]
session = (
    SparkSession.builder.master(master)
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.ui.port", "0")
    .config("spark.cores.max", "2")
    .config("spark.executor.memory", "512m")
    .config("spark.sql.files.maxPartitionBytes", "100000")
    .config("spark.sql.files.openCostInBytes", "100000")  # a task for each file
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.codegen.wholeStage", "false")  # files this small are read before it pays
    .getOrCreate()
)
context = session.sparkContext
while context._jsc.sc().getExecutorMemoryStatus().size() < 3:  # the driver's own, and two
    time.sleep(0.1)
started, tracker = time.monotonic(), context.statusTracker()


def stages_now():
    return filter(None, map(tracker.getStageInfo, tracker.getActiveStageIds()))


def kill():
    # Not before the work has begun: some files are counted, most are not.
    while not any(4 <= stage.numCompletedTasks < stage.numTasks - 4 for stage in stages_now()):
        time.sleep(0.01)
    os.killpg(int(victim), signal.SIGKILL)  # the worker and its executor
    print("killed", flush=True)


threading.Thread(target=kill, daemon=True).start()
counted = eb.count_files(logs, PLAIN, engine="spark", **COLUMNS)
bins = counted.bins
np.savez(answer, start_ns=bins.start_ns, good=bins.good, total=bins.total)
api = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}"


def ask(what):
    return json.load(urllib.request.urlopen(f"{api}/{what}"))


def lost():
    return sum(not each["isActive"] for each in ask("allexecutors"))


while not lost() and time.monotonic() < started + 120:
    time.sleep(0.2)
stages = ask("stages")
print(json.dumps({
    "read": sum(stage["inputRecords"] for stage in stages),
    "shuffled": sum(stage["shuffleWriteRecords"] for stage in stages),
    "lost": lost(),
    "tasks": sum(stage["numCompleteTasks"] for stage in stages if stage["inputRecords"]),
}), flush=True)
os._exit(0)
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def surroundings() -> dict[str, str]:
    """The environment of each process: small, and quick to start."""
    return {
        **os.environ,
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SCALA_VERSION": "2.13",  # as `load-spark-env.sh` has it
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The master's address, and its workers' processes."""
    if shutil.which("java") is None:
        pytest.skip("missing: Java 17; apt install default-jre-headless")
    jars = Path(pyspark.__file__).parent / "jars" / "*"
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, *words: str) -> None:
        # What `spark-class` does, without the JVM that it asks for the command.
        with (tmp_path / f"{kind}-{len(started)}.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [
                        *("java", "-cp", str(jars), *OPENED, "-Xmx256m"),
                        f"org.apache.spark.deploy.{kind.lower()}.{kind}",
                        *("--host", "127.0.0.1", "--webui-port", "0", *words),
                    ],
                    stdout=log,
                    stderr=log,
                    env=surroundings(),
                    start_new_session=True,
                )
            )

    port = free_port()
    try:
        start("Master", "--port", str(port))
        patience = time.monotonic() + PATIENCE_S
        while not listens(port) and time.monotonic() < patience:
            assert started[0].poll() is None, (tmp_path / "Master-0.log").read_text()
            time.sleep(0.05)
        for number in range(2):
            folder = str(tmp_path / f"work-{number}")
            start(
                "Worker",
                *("--cores", "1", "--memory", "600m", "--work-dir", folder),
                f"spark://127.0.0.1:{port}",
            )
        yield f"spark://127.0.0.1:{port}", started[1:]
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_killed_spark_worker_changes_nothing(cluster: Any, tmp_path: Path) -> None:
    """The other worker does the rest, to the same integers; the shuffle holds bins, not events."""
    address, workers = cluster
    columns = table(20_000, seed=2)
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(FILES):
        parquet.write_table(arrow(columns), logs / f"{number:02}.parquet")
    answer = tmp_path / "answer.npz"
    arguments = [address, str(logs), str(answer), str(workers[0].pid)]
    with subprocess.Popen(
        [sys.executable, "-c", _DRIVER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=surroundings(),
        cwd=Path(__file__).parents[1],
        start_new_session=True,
    ) as driver:
        try:
            out, _ = driver.communicate(timeout=2 * PATIENCE_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(driver.pid, signal.SIGKILL)
    assert driver.returncode == 0
    killed, told = out.splitlines()
    assert killed == "killed", "the worker outlived the count"
    said = json.loads(told)
    found = np.load(answer)
    events = to_events(columns)
    for row, slo in enumerate(PLAIN):
        once = slo.count(events)
        assert found["total"][row].sum() == once.total.sum() * FILES
        assert found["good"][row].sum() == once.good.sum() * FILES
    assert said["lost"] >= 1, said
    assert said["read"] >= FILES * len(events)
    minutes = len(set(found["start_ns"].tolist()))
    # At most a row for each task, minute and side of it; events are hundreds of times as many.
    assert 0 < said["shuffled"] <= said["tasks"] * 2 * minutes, said
    assert said["shuffled"] < said["read"] / 100, said
