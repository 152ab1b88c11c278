"""The guide's rules, corrected, as they ship: what the library writes, and fit for the tools."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

import pytest

from tests.prometheus_binaries import binary

FOLDER = Path(__file__).parents[1] / "docs" / "examples" / "guide"


def test_the_examples_are_what_the_library_writes(tmp_path: Path) -> None:
    """Whoever changes the rules runs docs/examples/guide/make.py again."""
    runpy.run_path(str(FOLDER / "make.py"))["write"](tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert (FOLDER / path.name).read_text("utf-8") == path.read_text("utf-8"), path.name


@pytest.mark.parametrize(
    "command",
    [
        "promtool check rules --lint=all --lint-fatal rules.yml",
        "promtool check rules --lint=all --lint-fatal availability.yml",
        "promtool test rules availability_test.yml",
        "amtool check-config alertmanager.yml",
    ],
)
def test_the_tools_take_the_examples(command: str) -> None:
    """Where the guide's own rules fail (a bare list, undefined receivers), these pass."""
    program, *arguments = command.split()
    done = subprocess.run(
        [binary(program), *arguments],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
