"""A real Prometheus on loopback over a history made up here, for as long as a test needs it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.prometheus_binaries import binary

History = Mapping[str, Sequence[tuple[int, float]]]
"""Samples (ms, value) by series, such as `x_total{a="1"}`; counters end in `_total`."""


def backfill(history: History, folder: Path) -> Path:
    """Blocks of *history* under *folder*."""
    families: dict[str, list[str]] = {}
    for series, samples in history.items():
        name = series.partition("{")[0]
        family = name.removesuffix("_total").removesuffix("_bucket").removesuffix("_count")
        lines = [f"{series} {value:.17g} {ms // 1000}.{ms % 1000:03d}\n" for ms, value in samples]
        families.setdefault(family, []).extend(lines)
    with (folder / "history.om").open("w") as file:
        for family, lines in families.items():
            counts = any(line.startswith(f"{family}_total") for line in lines)
            buckets = any(line.startswith(f"{family}_bucket") for line in lines)
            kind = "counter" if counts else "histogram" if buckets else "gauge"
            file.write(f"# TYPE {family} {kind}\n")
            file.writelines(lines)
        file.write("# EOF\n")
    data = folder / "data"
    command = [binary("promtool"), "tsdb", "create-blocks-from"]
    # Without longer blocks the whole text is read once for every two hours of it.
    command += ["--max-block-duration=720h", "openmetrics"]
    subprocess.run(
        [*command, str(folder / "history.om"), str(data)], check=True, capture_output=True
    )
    return data


def backfill_rules(rules: Path, url: str, start_s: int, end_s: int, data: Path) -> None:
    """What recording rules would have written, asked of the server at *url*."""
    command = [binary("promtool"), "tsdb", "create-blocks-from", "rules", f"--url={url}"]
    span = [f"--start={start_s}", f"--end={end_s}", f"--output-dir={data}", "--eval-interval=1m"]
    subprocess.run([*command, *span, str(rules)], check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def prometheus(
    data: Path,
    *flags: str,
    port: int | None = None,
    config: str = "global: {scrape_interval: 15s}\n",
    tls: ssl.SSLContext | None = None,
    prefix: str = "",
) -> Iterator[str]:
    """The address of a server over the blocks in *data*."""
    port = port or free_port()
    file = data.parent / "prometheus.yml"
    file.write_text(config)
    with (data.parent / "prometheus.log").open("a") as log:
        process = subprocess.Popen(
            [
                binary("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
                *flags,
            ],
            stdout=log,
            stderr=log,
        )
    url = f"{'http' if tls is None else 'https'}://127.0.0.1:{port}{prefix}"
    try:
        _wait_until_ready(url, process, tls)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_ready(
    url: str, process: subprocess.Popen[bytes], tls: ssl.SSLContext | None
) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("prometheus ended before it was ready; see prometheus.log")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1, context=tls):
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code == 401:  # it answers, and wants a password
                return
            time.sleep(0.05)
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("prometheus was not ready within 10 s")
