"""Every notebook runs from top to bottom, ends in an assertion, and is kept without outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*.ipynb")])

pytestmark = pytest.mark.skipif(not NOTEBOOKS, reason="no notebooks in this checkout")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Executed in a folder of its own, no cell raises; public logs lie beside the checkout."""
    import jupytext
    from nbclient import NotebookClient

    if "ERRORBUDGET_SHARED" not in os.environ:
        monkeypatch.setenv("ERRORBUDGET_SHARED", str(FOLDER.parents[1] / "shared"))
    notebook = jupytext.read(path)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_kept_clean(path: Path) -> None:
    """Outputs are cleared, and the last code cell asserts."""
    import jupytext

    cells = [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    assert not any(cell.get("outputs") for cell in cells)
    assert "assert " in cells[-1].source
