"""Plain data as YAML that people read: block style, every doubtful text in quotation marks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["to_yaml"]

# What no YAML reader takes for a number, a date, a truth or a mark of its own.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_TAKEN = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}


def to_yaml(data: Mapping[str, Any], *, comment: str = "") -> str:
    r"""
    *data* as a YAML document.

    Args:
        data: Mappings, sequences, texts, numbers, truths and None.
        comment: Lines to put in front.

    Example:
        >>> print(to_yaml({"groups": [{"name": "a", "for": "5m", "on": ["x: y"]}]}), end="")
        groups:
          - name: a
            for: "5m"
            "on":
              - "x: y"
    """
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return head + "".join(f"{line}\n" for line in _lines(data))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _TAKEN:
            return value
        if value.isprintable() and ('"' in value or "\\" in value):
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping) and value:
        found = []
        for name, part in value.items():
            if isinstance(part, (Mapping, list, tuple)) and part:
                found.append(f"{_scalar(name)}:")
                found += [f"  {line}" for line in _lines(part)]
            else:
                found.append(f"{_scalar(name)}: {_lines(part)[0]}")
        return found
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        found = []
        for part in value:
            first, *rest = _lines(part)
            found += [f"- {first}", *(f"  {line}" for line in rest)]
        return found
    if isinstance(value, Mapping):
        return ["{}"]
    return ["[]"] if isinstance(value, (list, tuple)) else [_scalar(value)]
