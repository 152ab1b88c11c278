"""Files that are wrong, each in its own way, by name."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

__all__ = ["lay"]

LINE = '192.0.2.1 - - [01/Mar/2026:12:00:{:02d} +0000] "GET /cart HTTP/1.1" {} 5\n'
OBJECTIVE = "{name: a, target: 99.9%, window: 30d, sli: {kind: availability}}"


def files() -> dict[str, bytes]:
    """What the rows read, by name."""
    log = "".join(LINE.format(second, 200) for second in range(50)).encode()
    spec = f"slos:\n  - {OBJECTIVE}\n"
    aliases = zip("abcdefghi", "bcdefghij", strict=True)
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]\n" for inner, name in aliases
    )
    return {
        "access.log": log,
        "empty.log": b"",
        "blank.log": b"\n\n",
        "binary.log": random.Random(1).randbytes(2_000),
        "odd.txt": b"hello this is not a log\n",
        "damaged.gz": b"\x1f\x8b\x08broken",
        "short.gz": gzip.compress(log, mtime=0)[:-30],
        "999.log": (LINE.format(1, 999) + LINE.format(2, 200)).encode(),
        "headless.csv": b"a,b\n1,2\n",
        "naive.csv": b"time,status\n2026-03-01T12:00:00,200\n",
        "table.csv": b"time,status\n2026-03-01T12:00:00Z,200\n2026-03-01T11:59:59Z,500\n",
        "future.csv": b"time,status\n2026-03-01T12:00:00Z,200\n2199-01-01T00:00:00Z,500\n",
        "only-future.csv": b"time,status\n2199-01-01T00:00:00Z,500\n",
        "two.csv": b"time,status,status\n2026-03-01T12:00:00Z,200,500\n",
        "counts.csv": b"time,good,total\n2026-03-01T12:01:00Z,8,9\n2026-03-01T12:02:00Z,9,9\n",
        "mostly.csv": b"time,status\n2026-03-01T12:00:00Z,200\n"
        + b"2026-03-01T12:00:01Z,999\n" * 3,
        "good.yaml": spec.encode(),
        "typo.yaml": spec.replace("target", "traget").encode(),
        "twice.yaml": f"{spec}  - {OBJECTIVE}\n".encode(),
        "window.yaml": spec.replace("30d", "30 dayz").encode(),
        "percent.yaml": spec.replace("99.9%", "99.9").encode(),
        "tenant.yaml": (
            spec + "  - {name: b, target: 99%, window: 1d, "
            "sli: {kind: availability, where: {tenant: x}}}\n"
        ).encode(),
        "slow.yaml": b"slos: [{name: a, target: 99%, window: 1d, "
        b"sli: {kind: latency, threshold: 200ms}}]\n",
        "bare.yaml": b"slos: [{name: a, target: 99%, window: 1d, "
        b"sli: {kind: latency, threshold: 200}}]\n",
        "bomb.yaml": bomb.encode(),
        "deep.yaml": b"a: " + b"[" * 5_000 + b"]" * 5_000,
        "python.yaml": b"slos: !!python/object/apply:os.system [echo]\n",
        "tab.yaml": b"slos:\n\t- name: a\n",
        "escape.yaml": b'slos:\n  - {name: "a\\x1b[31m", target: 99%}\n',
        "latin.yaml": "slos: [{name: café}]".encode("latin-1"),
        "old.json": b'{"schema": "errorbudget.report/0", "at": "2026-03-01T12:00:00Z", "slos": []}',
        "own.json": b'[{"kind": "Outage", "start": "2026-03-01T12:00:00Z", "duration": "5m"}]',
        "late.json": b'[{"kind": "Outage", "start": "2262-04-01T00:00:00Z", "duration": "60d"}]',
        "cut.json": b'{"schema": "errorbudget.report/1", "at": "2026-03',
    }


def lay(folder: Path) -> None:
    """Write the files, and one empty folder."""
    for name, content in files().items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
