"""The front door: light to open, and every name that it promises is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import errorbudget

# What costs is loaded where it is used: these stay out of a bare `import errorbudget`.
HEAVY = {
    "asyncio",
    "dataclasses",
    "datetime",
    "decimal",
    "email",
    "enum",
    "fractions",
    "http",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "re",
    "socket",
    "ssl",
    "statistics",
    "tempfile",
    "typing",
    "urllib",
    "zoneinfo",
}


def modules_after(statement: str) -> set[str]:
    """The modules that *statement* adds to a bare interpreter, which finds nothing installed."""
    source = str(Path(errorbudget.__file__).parents[1])
    code = (
        "import sys; "
        f"sys.path.insert(0, {source!r}); "
        f"before = set(sys.modules); {statement}; "
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_is_light() -> None:
    """`import errorbudget` brings in nothing but itself: no library, no costly standard module."""
    loaded = modules_after("import errorbudget")
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "errorbudget"
    }
    assert not loaded & HEAVY


def test_scalar_maths_needs_no_library() -> None:
    """A burn rate is worked out with the standard library alone."""
    loaded = modules_after(
        "import errorbudget as eb; assert eb.burn_rate(eb.Counts(good=4_928, bad=72), '99.9%')"
    )
    others = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert others == {"errorbudget"}


def test_all_is_what_can_be_imported() -> None:
    """`__all__` is sorted, each name is there, and `dir()` shows them all."""
    assert list(errorbudget.__all__) == sorted(set(errorbudget.__all__))
    assert set(errorbudget.__all__) <= set(dir(errorbudget))
    for name in errorbudget.__all__:
        assert getattr(errorbudget, name) is not None


def test_a_wrong_name_is_an_attribute_error() -> None:
    """A name that is not there is refused as any module refuses it."""
    with pytest.raises(AttributeError, match="no_such_name"):
        errorbudget.no_such_name  # noqa: B018


def test_version_is_that_of_the_package() -> None:
    """`__version__` is the version that was installed."""
    from importlib.metadata import version

    assert errorbudget.__version__ == version("errorbudget")


def test_names_are_never_modules() -> None:
    """Whatever was imported before, a public name is the thing and not a module of that name."""
    code = (
        "import importlib, pkgutil, types, errorbudget as eb\n"
        "for found in pkgutil.walk_packages(eb.__path__, 'errorbudget.'):\n"
        "    if not found.name.endswith('__main__'):\n"
        "        try: importlib.import_module(found.name)\n"
        "        except ImportError: pass\n"
        "print([n for n in eb.__all__ if isinstance(getattr(eb, n), types.ModuleType)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
