"""Answers of studies as rows: text for people, frames for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from errorbudget.budget import Ratio
from errorbudget.errors import MissingDependencyError
from errorbudget.status import json_number

__all__ = ["figure", "frame", "percent", "text_table"]


def figure(value: Ratio | None) -> float | str | None:
    """An exact ratio as strict JSON holds it."""
    return None if value is None else json_number(float(value))


def percent(value: Ratio | None) -> str:
    """An exact ratio for people; a dash where it is undefined."""
    return "-" if value is None else f"{float(value):.2%}"


def frame(rows: Iterable[Mapping[str, Any]]) -> Any:
    """
    Rows as a pandas DataFrame.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingDependencyError.for_extra("a DataFrame", "pandas", "pandas") from None
    return pd.DataFrame(list(rows))


def plain(value: Fraction | float | None) -> float | None:
    """An exact number as the nearest float."""
    return None if value is None else float(value)


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """
    Rows under a header; the first column to the left, figures to the right.

    Example:
        >>> print(text_table(["who", "bad"], [["/a", "12"], ["/long", "3"]]))
        who    bad
        /a      12
        /long    3
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
