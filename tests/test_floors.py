"""
The seven floors: what each may import.

Which module stands on which floor is said once, in pyproject.toml, where import-linter reads it
too. Here: every module is on a floor, imports point down, the lower floors know only the standard
library, and what an extra brings is imported by its own room alone.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import errorbudget

PACKAGE = Path(errorbudget.__file__).parent
SETTINGS = Path(__file__).parents[1] / "pyproject.toml"

# Never imported when a module is imported: only inside the function that converts.
CONVERSIONS = {"dask", "distributed", "duckdb", "fsspec", "pandas", "polars", "pyarrow", "pyspark"}

# Imported at the top only in the room that the extra is for.
ROOMS = {
    "click": ("cli",),
    "dateutil": ("corrections",),
    "httpx2": ("sources",),
    "jinja2": ("report",),
    "matplotlib": ("plot", "report"),
    "opentelemetry": ("live",),
    "prometheus_client": ("live",),
    "pydantic": ("specs",),
    "rich": ("cli",),
    "ruamel": ("specs",),
}

# Below the kernels, numpy is met only by a function that was handed one of its values.
HANDED_NUMPY = {"errorbudget.times"}


def floors() -> dict[str, int]:
    """The floor of each module and room of the package, by its first name."""
    contracts = tomllib.loads(SETTINGS.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["id"] == "floors")["layers"]
    return {
        name.strip(" ()"): floor
        for floor, layer in enumerate(reversed(layers))
        for name in layer.split(":")
    }


FLOORS = floors()
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_name(path: Path) -> str:
    """The dotted name of the module in *path*."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, *, nested: bool = False) -> Iterator[tuple[str, bool, int]]:
    """Each import of a module but for types: its name, whether in a function, its line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from ((name.name, nested, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for name in node.names:
                yield f"{base}.{name.name}" if base else name.name, nested, node.lineno
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from imports(node, nested=nested or inside)


def absolute(imported: str, module: str, path: Path) -> str:
    """The dotted name of a relative import in *module*."""
    dots = len(imported) - len(imported.lstrip("."))
    if dots == 0:
        return imported
    up = dots - 1 if path.name == "__init__.py" else dots
    base = module.split(".")[: len(module.split(".")) - up]
    return ".".join([*base, imported[dots:].lstrip(".")])


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_keeps_to_its_floor(path: Path) -> None:
    """A module stands on a floor and imports only what that floor may know."""
    module = module_name(path)
    room = module.split(".")[1]
    assert room in FLOORS, f"{module} is on no floor: name it in pyproject.toml"
    faults = []
    for written, nested, line in imports(ast.parse(path.read_text("utf-8"))):
        imported = absolute(written, module, path)
        top, *rest = imported.split(".")
        at = f"{path.name}:{line}: {imported}"
        if top == "errorbudget":
            if rest and rest[0] in FLOORS and FLOORS[rest[0]] > FLOORS[room]:
                faults.append(f"{at} is on a floor above")
        elif top not in sys.stdlib_module_names:
            if top == "numpy" and nested and module in HANDED_NUMPY:
                continue
            faults += [f"{at} {fault}" for fault in _library_faults(top, room, nested=nested)]
    assert not faults, "\n".join(faults)


def _library_faults(top: str, room: str, *, nested: bool) -> Iterator[str]:
    floor = FLOORS[room]
    if top in ROOMS:
        if room not in ROOMS[top] and not (nested and floor >= 3):
            yield f"belongs to {' and '.join(ROOMS[top])}"
    elif floor <= 1:
        yield "is more than the standard library, which is all that floors 0 and 1 know"
    elif floor == 2 and top != "numpy":
        yield "is more than numpy, which is all that the kernels know"
    elif top in CONVERSIONS and not nested:
        yield "is for conversions: import it inside the function that converts"


def test_floors_are_complete() -> None:
    """The table has seven floors, with values at the bottom and faces at the top."""
    assert FLOORS["errors"] == FLOORS["windows"] == 0
    assert FLOORS["burn"] == 1
    assert FLOORS["kernels"] == 2
    assert FLOORS["events"] == 3
    assert FLOORS["studies"] == 4
    assert FLOORS["sources"] == FLOORS["rules"] == 5
    assert FLOORS["cli"] == FLOORS["report"] == 6
