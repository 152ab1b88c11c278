"""
Whether the lowest floors are covered whole, after `make test ARGS=--cov`: `make covered`.

The floors are those of the import contract in `pyproject.toml`; `make test` itself holds the total.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import coverage

FLOORS = 3
LEAST = 99.9
"""A few lines are reached by chosen examples alone: what is missing is printed."""
ROOT = Path(__file__).parents[1]


def patterns() -> list[str]:
    """The files of the lowest floors, as coverage takes them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = config["tool"]["importlinter"]["contracts"]
    names = re.findall(r"\((\w+)\)", " ".join(contract["layers"][-FLOORS:]))
    found = [ROOT / "src" / "errorbudget" / name for name in names]
    return [str(path / "*") if path.is_dir() else f"{path}.py" for path in found]


def main() -> int:
    """Print what is not covered; 1 if it is more than chance."""
    data = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    data.load()
    total = data.report(include=patterns(), show_missing=True, skip_covered=True, precision=2)
    print(f"floors 0 to {FLOORS - 1}: {total:.2f} % of lines and branches")
    return int(total < LEAST)


if __name__ == "__main__":
    sys.exit(main())
