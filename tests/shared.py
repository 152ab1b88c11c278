"""Where the public reference data lies: beside the checkout, read in place, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOLDER = Path(os.environ.get("ERRORBUDGET_SHARED", Path(__file__).parents[2] / "shared"))


def shared_path(name: str) -> Path:
    """The file or folder *name*; skips the test, saying what is missing, when it is not there."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip(
            f"missing: reference data {name}; put the folder `shared` beside the checkout "
            "or point ERRORBUDGET_SHARED at it"
        )
    return path
