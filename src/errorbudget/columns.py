"""
What stands in the columns of an answer's rows, said once in a word for each.

From the word follow the type of a frame's column, which an answer without rows has as well, the
header of a CSV file, and the JSON Schema of the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["Columns", "Kind"]

Kind = Literal[
    "text",
    "text?",  # or missing
    "instant",
    "instant?",
    "flag",
    "whole",
    "whole?",
    "count",  # whole, unless events count in part
    "number",
    "figure",  # a number, missing, or infinite
    "chance",  # in [0, 1], or missing
    "seconds",  # of 0 or more, or missing
    "texts",  # a list of them
    "shares",  # figures by name
]

Columns = Mapping[str, Kind]
"""Kinds by the names of their columns, in order."""
