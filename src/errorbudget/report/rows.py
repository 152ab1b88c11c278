"""Rows of figures for spreadsheets and data frames; the report has one row an SLO."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errorbudget.report.document import Document
    from errorbudget.status import Status

__all__ = ["rows_to_csv", "safe_cell", "to_csv"]

Cell = str | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, for spreadsheets of any width of letters."""


def to_csv(document: Document) -> str:
    """One row an SLO with exact figures; see `rows_to_csv`."""
    return rows_to_csv(_row(status) for status in document.report)


def rows_to_csv(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = ()) -> str:
    """
    Rows of exact figures; ratios 0 to 1, what is undefined is empty.

    Args:
        rows: A cell for each column.
        columns: Names of those that stand there even without rows.

    Lists and tables within a row are left to JSON. A name that a spreadsheet would take for a
    formula is written with an apostrophe before it.
    """
    listed = [
        {name: cell for name, cell in row.items() if not isinstance(cell, (list, Mapping))}
        for row in rows
    ]
    names = list(dict.fromkeys((*columns, *(name for row in listed for name in row))))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in names])
    for row in listed:
        writer.writerow(
            ["" if (cell := row.get(name)) is None else safe_cell(cell) for name in names]
        )
    return text.getvalue()


def safe_cell(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula; "-inf" is a number."""
    risky = isinstance(cell, str) and cell.startswith(_FORMULA) and cell != "-inf"
    return f"'{cell}" if risky else cell


def _row(status: Status) -> dict[str, Cell]:
    data = status.to_dict()
    budget = data["budget"] or {}
    row: dict[str, Cell] = {
        "name": status.name,
        "state": data["state"],
        "target": str(status.slo.target) if status.slo.target is not None else None,
        "window": data["objective"]["window"],
        "start": data["window"]["start"],
        "end": data["window"]["end"],
        "sli": data["sli"],
        "unit": data["unit"],
        "good": data["counts"]["good"],
        "bad": data["counts"]["bad"],
        "total": data["counts"]["total"],
        **{
            f"budget_{name}": budget.get(name)
            for name in (
                "allowed",
                "consumed",
                "remaining",
                "consumed_ratio",
                "remaining_ratio",
                "remaining_time_s",
            )
        },
        "tier": data["tier"],
        "risk": data["risk"],
        "alerts": " ".join(alert.alert.name for alert in status.active_alerts),
        "coverage": data["coverage"],
    }
    row.update({f"burn_{window}": value for window, value in data["burn_rates"].items()})
    row.update({figure["name"]: figure["value"] for figure in data.get("measurements", ())})
    return row
