"""Docstrings say "Example:", one word for one thing; the section of that meaning is "Examples:"."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension

_EXAMPLE = re.compile(r"^(\s*)Example:[ ]*$", re.MULTILINE)


class Examples(Extension):
    """Reads the examples of docstrings as code with its output, not as quotations."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Each object, once it is read."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(r"\1Examples:", obj.docstring.value)
