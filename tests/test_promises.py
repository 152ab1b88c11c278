"""The pages that say what is promised name tests that exist."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("faults.md", "security.md")
NAMED = re.compile(r"`(tests/test_\w+\.py)::(\w+)`")


@cache
def names_in(path: str) -> frozenset[str]:
    """Tests of a module, and classes that are made into tests."""
    found = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(name for name in found if name.lower().startswith("test"))


def rows(page: str) -> list[str]:
    """Rows of its tables, without heads and lines."""
    text = (ROOT / "docs" / "explanation" / page).read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()[2:]]


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test_that_exists(page: str) -> None:
    """No promise without a test, and no test that is gone."""
    if not (ROOT / "docs").is_dir():
        pytest.skip("missing: the docs; these tests run without a checkout")
    found = rows(page)
    assert len(found) >= 30
    for row in found:
        named = NAMED.findall(row)
        assert named, row
        for path, name in named:
            assert name in names_in(path), row
    text = (ROOT / "docs" / "explanation" / page).read_text(encoding="utf-8")
    assert all(name in names_in(path) for path, name in NAMED.findall(text))


def test_the_checks_are_on() -> None:
    """Security rules for the source, zizmor in `make lint`, an audit of every release."""
    if not (ROOT / ".github").is_dir():
        pytest.skip("missing: the workflows; these tests run without a checkout")
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"][
        "lint"
    ]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S") and rule != "SIM"]
    for pattern, rules in lint["per-file-ignores"].items():
        assert "src" not in pattern or "S" not in rules
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    assert "zizmor" in recipe[1]
    assert "pip-audit" in (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
