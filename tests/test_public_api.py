"""
The public interface, as a page of text: no name comes, goes or changes by accident.

After a change that is meant, `python -m tests.test_public_api` writes the page anew; the difference
then stands in the review, and a removal in the changelog.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import errorbudget

pytest.importorskip("numpy")
PAGE = Path(__file__).parent / "golden" / "public-api.txt"


def signature(thing: Any) -> str:
    """How *thing* is called, as far as callers can tell: the values of defaults are its own."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parts, star = [], False
    for parameter in found.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        mark = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        optional = parameter.default is not parameter.empty
        parts.append(f"{mark}{parameter.name}{'=...' if optional else ''}")
    return f"({', '.join(parts)})"


def members(thing: type) -> list[str]:
    """The public attributes of a class, its own and those of its kin here."""
    lines = []
    names = set(dir(thing)) - set(dir(BaseException))  # whose signatures hang on the Python
    for name in sorted(name for name in names if not name.startswith("_")):
        member = inspect.getattr_static(thing, name)
        kind = next(
            (word for base, word in ((classmethod, "classmethod "), (staticmethod, "staticmethod "))
             if isinstance(member, base)),
            "",
        )  # fmt: skip
        bound = getattr(thing, name)
        lines.append(f"    {kind}{name}{signature(bound) if callable(bound) else ''}")
    return lines


def page() -> str:
    """Each name of the front door, and what it offers."""
    lines = []
    for name in errorbudget.__all__:
        thing = getattr(errorbudget, name)
        if inspect.isclass(thing):
            lines += [f"class {name}{signature(thing)}", *members(thing)]
        elif callable(thing):
            lines.append(f"{name}{signature(thing)}")
        else:
            lines.append(f"{name}: {type(thing).__name__}")
    return re.sub(r" at 0x[0-9a-f]+", "", "\n".join(lines)) + "\n"


def test_the_interface_is_as_written() -> None:
    """Names, arguments and methods are those that the page promises."""
    assert page().splitlines() == PAGE.read_text(encoding="utf-8").splitlines()


def test_what_pages_import_stands_in_the_reference() -> None:
    """Every module below the faces that a page takes a name from has its entry."""
    docs = Path(__file__).parent.parent / "docs"
    if not docs.is_dir():
        pytest.skip("missing: the docs; these tests run without a checkout")
    reference = "".join(page.read_text(encoding="utf-8") for page in docs.glob("reference/*.md"))
    entries = re.findall(r"^::: (errorbudget[\w.]*)", reference, re.MULTILINE)
    used = {
        module
        for page in docs.rglob("*.md")
        for module in re.findall(r"from (errorbudget\.[\w.]+) import", page.read_text("utf-8"))
        if not module.startswith(("errorbudget.cli", "errorbudget.plot"))
    }
    assert len(used) > 20
    missing = {
        module
        for module in used
        if not any(f"{entry}.".startswith(f"{module}.") for entry in entries)
        and not any(f"{module}.".startswith(f"{entry}.") for entry in entries)
    }
    assert missing == set()


def test_every_public_name_says_what_it_is() -> None:
    """Each class, function and method of the front door has a docstring."""
    silent = [
        f"{name}.{member}"
        for name in errorbudget.__all__
        if inspect.isclass(thing := getattr(errorbudget, name))
        for member in dir(thing)
        if not member.startswith("_")
        and callable(getattr(thing, member))
        and not inspect.getdoc(getattr(thing, member))
    ]
    assert not silent


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
