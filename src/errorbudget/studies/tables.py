"""Answers of studies as rows: text for people, frames for notebooks."""

from __future__ import annotations

from errorbudget.budget import Ratio
from errorbudget.cards import text_table
from errorbudget.frames import frame
from errorbudget.status import json_number

__all__ = ["figure", "frame", "percent", "text_table"]


def figure(value: Ratio | None) -> float | str | None:
    """An exact ratio as strict JSON holds it."""
    return None if value is None else json_number(float(value))


def percent(value: Ratio | None) -> str:
    """An exact ratio for people; a dash where it is undefined."""
    return "-" if value is None else f"{float(value):.2%}"
