"""
The JSON Schema of the native format: generated from the models, shipped as a file.

Editors complete and check from it; put this on the first line of a specification:

    # yaml-language-server: $schema=errorbudget-1.schema.json

After a change to the models, `python -m errorbudget.specs` writes the file anew.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from errorbudget.specs.native import models

__all__ = ["SCHEMA_FILE", "generate_schema", "json_schema"]

SCHEMA_FILE = "errorbudget-1.schema.json"
"""Name of the schema within this package."""


def json_schema() -> dict[str, Any]:
    """
    The schema as it ships with the package; needs no further library.

    Example:
        >>> json_schema()["title"]
        'errorbudget specification'
    """
    found: dict[str, Any] = json.loads(
        files("errorbudget.specs").joinpath(SCHEMA_FILE).read_text("utf-8")
    )
    return found


def generate_schema() -> dict[str, Any]:
    """
    The schema as the models say it now.

    Raises:
        MissingDependencyError: pydantic is not installed.
    """
    schema: dict[str, Any] = models().Document.model_json_schema()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:errorbudget:spec:1",
        **schema,
        "title": "errorbudget specification",
        # What a team keeps for its own anchors.
        "patternProperties": {"^x-": {}},
    }
    found: dict[str, Any] = _tidy(schema)
    return found


def _tidy(node: Any) -> Any:
    """Without the titles that repeat the keys, and without nulls where a key may be left out."""
    if isinstance(node, list):
        return [_tidy(part) for part in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        if key == "properties":
            found[key] = {
                name: _tidy(
                    {word: part for word, part in field.items() if word != "title"}
                    | ({} if field.get("default", 0) is not None else {"default": None})
                )
                for name, field in value.items()
            }
        else:
            found[key] = _tidy(value)
    if found.get("default", 0) is None:
        del found["default"]
    return found
