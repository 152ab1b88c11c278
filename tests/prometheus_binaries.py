"""Where the real Prometheus, promtool and amtool are, for the tests that run them."""

from __future__ import annotations

import os
import shutil

import pytest

CURE = (
    "run `apt-get download prometheus prometheus-alertmanager`, unpack both with `dpkg -x FILE.deb "
    "DIR` and set ERRORBUDGET_PROMETHEUS_BIN=DIR/usr/bin"
)


def binary(name: str) -> str:
    """The program *name*; skips the test, saying how to get it, when there is none."""
    folder = os.environ.get("ERRORBUDGET_PROMETHEUS_BIN")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if not found:
        pytest.skip(f"missing: {name}; {CURE}")
    return found
