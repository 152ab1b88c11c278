"""`python -m errorbudget.specs`: write the JSON Schema that ships with the package anew."""

from __future__ import annotations

import json
from pathlib import Path

from errorbudget.specs.schema import SCHEMA_FILE, generate_schema

if __name__ == "__main__":
    text = json.dumps(generate_schema(), indent=2, ensure_ascii=False) + "\n"
    Path(__file__).with_name(SCHEMA_FILE).write_text(text, "utf-8")
