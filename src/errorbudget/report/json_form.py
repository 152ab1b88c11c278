"""The report as JSON: the contract `errorbudget.report/1`, whose schema ships with the package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errorbudget.report.document import Document

__all__ = ["report_schema", "to_json"]


def to_json(document: Document) -> str:
    """
    The report as strict JSON: ratios 0 to 1, undefined is null, infinities are "inf" and "-inf".

    Plain ASCII, so that no pipe or terminal can spoil it.
    """
    return json.dumps(document.to_dict(), indent=2, allow_nan=False) + "\n"


def report_schema() -> dict[str, Any]:
    """
    The JSON Schema of the report.

    Example:
        >>> report_schema()["properties"]["schema"]
        {'const': 'errorbudget.report/1'}
    """
    from importlib.resources import files

    text = files("errorbudget.report").joinpath("report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
