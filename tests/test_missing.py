"""How the suite treats what is not there: named, skipped, and never skipped where all must be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = """
import pytest
from errorbudget.errors import MissingDependencyError

def test_named():
    pytest.skip("missing: a thing; fetch it")

def test_extra():
    raise MissingDependencyError("plot needs matplotlib: pip install 'errorbudget[plot]'")

def test_module():
    raise ModuleNotFoundError("no module", name="pandas.core")

def test_other_reason():
    pytest.skip("only on Windows")
"""
WHOLE_FILE = "raise ModuleNotFoundError('no module', name='duckdb')"
OWN_FAULT = "import errorbudget.no_such_module"


def run(folder: Path, whole_file: str, *, require_all: bool) -> str:
    """What pytest prints for the cases, with the suite's own conftest."""
    (folder / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text("utf-8"))
    (folder / "test_cases.py").write_text(CASES)
    (folder / "test_whole_file.py").write_text(whole_file)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-c", os.devnull, "."],
        cwd=folder,
        env={**os.environ, "ERRORBUDGET_REQUIRE_ALL": "1" if require_all else "0"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def test_missing_things_are_skipped_by_name(tmp_path: Path) -> None:
    """A missing thing, extra, module or whole file is a skip that says how to get it."""
    shown = run(tmp_path, WHOLE_FILE, require_all=False)
    assert "5 skipped" in shown
    assert "failed" not in shown
    assert "missing: a thing; fetch it" in shown
    assert "pip install 'errorbudget[pandas]'" in shown
    assert "pip install 'errorbudget[duckdb]'" in shown


def test_a_whole_missing_file_fails_where_all_must_be_there(tmp_path: Path) -> None:
    """With ERRORBUDGET_REQUIRE_ALL=1 a test file that cannot be imported is an error."""
    shown = run(tmp_path, WHOLE_FILE, require_all=True)
    assert "may not be skipped: missing: duckdb" in shown
    assert "1 error" in shown


def test_nothing_missing_is_skipped_where_all_must_be_there(tmp_path: Path) -> None:
    """With ERRORBUDGET_REQUIRE_ALL=1 missing things fail, and other skips stay skips."""
    assert "3 failed, 1 skipped" in run(tmp_path, "", require_all=True)


def test_a_missing_module_of_our_own_is_a_failure(tmp_path: Path) -> None:
    """Only optional parts may be absent: a broken import of the library itself is an error."""
    assert "1 error" in run(tmp_path, OWN_FAULT, require_all=False)


def test_sets_of_optional_parts_are_read_from_the_package() -> None:
    """The names of extras come from the package's own metadata."""
    from tests.conftest import OPTIONAL

    assert OPTIONAL["pandas"].startswith("pip install 'errorbudget[")
    assert OPTIONAL["ruamel"] == "pip install 'errorbudget[specs]'"
    assert "numpy" not in OPTIONAL
    with pytest.raises(KeyError):
        OPTIONAL["errorbudget"]
