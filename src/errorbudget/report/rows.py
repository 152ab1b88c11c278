"""The report as a table: one row an SLO, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from errorbudget.report.document import Document
    from errorbudget.status import Status

__all__ = ["safe_cell", "to_csv"]

Cell = str | float | None


def to_csv(document: Document) -> str:
    """
    One row an SLO with exact figures: ratios 0 to 1, what is undefined is empty.

    A name that a spreadsheet would take for a formula is written with an apostrophe before it.
    """
    rows = [_row(status) for status in document.report]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            ["" if (cell := row.get(name)) is None else safe_cell(cell) for name in columns]
        )
    return text.getvalue()


def safe_cell(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    risky = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") and cell != "-inf"
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
