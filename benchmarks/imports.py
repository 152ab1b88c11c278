"""
Imports: how long until a script's first line runs; `nothing` is bare Python.

Each is a Python of its own; the processor time is only that of the process that waits for it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.data import Case
from benchmarks.harness import Answer, Method


def _importing(module: str) -> Callable[[Any], Answer]:
    def run(_: Any) -> Answer:
        subprocess.run([sys.executable, "-c", f"import {module}" if module else ""], check=True)
        return []

    return run


def _nothing(case: Case) -> None:
    return None


METHODS = {
    "errorbudget": Method(_nothing, _importing("errorbudget")),
    "nothing": Method(_nothing, _importing("")),
    "dataclasses": Method(_nothing, _importing("dataclasses")),
    "numpy": Method(_nothing, _importing("numpy")),
    "pandas": Method(_nothing, _importing("pandas"), ("pandas",)),
    "polars": Method(_nothing, _importing("polars"), ("polars",)),
    "slo-generator": Method(_nothing, _importing("slo_generator.compute"), ("slo_generator",)),
}
