"""
Plain data as YAML that people like to read, and that every YAML reader reads alike.

Text goes without quotes only where YAML 1.1 and 1.2 agree that it is text; text of several lines
goes into a block; everything else goes into double quotes, escaped as in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from errorbudget.specs.text import HIDDEN

__all__ = ["toml_text", "yaml_text"]

# Words and numbers that some version of YAML takes for something else than text.
_SPECIAL = re.compile(r"~|null|true|false|yes|no|on|off|y|n|[-+.]?(?:inf|nan)|<<|=", re.IGNORECASE)
_NUMBER_LIKE = re.compile(r"[-+.]*[0-9][0-9_.:]*(?:[eE][-+]?[0-9]*)?|[-+]?0[xXoObB][0-9a-fA-F_]*")
_TIME_LIKE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*")
_PLAIN = re.compile(r"[A-Za-z0-9_./(+<>=~$^\\][A-Za-z0-9_./()+<>=~$^\\ @%|*?;-]*")
_WRAP = 100
_UNSEEN = re.compile(HIDDEN.pattern + "|[\x85\xa0\u2028\u2029\ufeff]")
_ESCAPED = re.compile(HIDDEN.pattern + "|[\t\n\r\x85\xa0\u2028\u2029\ufeff]")


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _word(str(value))


def _word(text: str) -> str:
    plain = (
        _PLAIN.fullmatch(text)
        and not text.endswith(" ")
        and not text.startswith((">", "=", "<<"))
        and not _SPECIAL.fullmatch(text)
        and not _NUMBER_LIKE.fullmatch(text)
        and not _TIME_LIKE.fullmatch(text)
    )
    return text if plain else quoted(text)


def quoted(text: str) -> str:
    """The text in quotes: single ones where that spares escapes."""
    if ('"' in text or "\\" in text) and not _ESCAPED.search(text):
        return "'" + text.replace("'", "''") + "'"
    return double_quoted(text)


def double_quoted(text: str) -> str:
    """The text in double quotes, with what cannot be seen escaped."""
    return escaped(json.dumps(text, ensure_ascii=False))


def escaped(text: str) -> str:
    """JSON, or what is quoted as in JSON, with what cannot be seen escaped."""

    def escape(match: re.Match[str]) -> str:
        return f"\\u{ord(match[0]):04x}"  # all of them have four digits

    return _UNSEEN.sub(escape, text)


def _is_block(value: Any) -> bool:
    if not isinstance(value, str) or "\n" not in value:
        return False
    lines = value.split("\n")
    return (
        not HIDDEN.search(value)
        and not re.search("[\t\r\x85\u2028\u2029\ufeff]", value)
        and bool(lines[0].strip())
        and not lines[0].startswith(" ")
        and not any(line != line.rstrip() for line in lines)
        and not value.endswith("\n\n")
        and bool(value.strip("\n"))
    )


def _flow(value: Any) -> str | None:
    """The value in one line, if it is small and simple."""
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        parts = [(_flow_word(str(key)), _flow(part)) for key, part in value.items()]
        if any(part is None for _, part in parts):
            return None
        text = "{" + ", ".join(f"{key}: {part}" for key, part in parts) + "}"
    elif isinstance(value, list | tuple):
        parts_list = [_flow(part) for part in value]
        if any(part is None for part in parts_list):
            return None
        text = "[" + ", ".join(str(part) for part in parts_list) + "]"
    elif isinstance(value, str):
        if "\n" in value:
            return None
        text = _flow_word(value)
    else:
        text = _scalar(value)
    return text if len(text) <= _WRAP - 20 else None


def _flow_word(text: str) -> str:
    return quoted(text) if re.search(r"[,{}\[\]]", text) else _word(text)


def _lines(value: Any, indent: int, key: str = "") -> Iterator[str]:
    """The lines of *value*, the first to be put behind `key:` or `-`."""
    pad = " " * indent
    if isinstance(value, Mapping) and value and not (key in _IN_ONE_LINE and _flow(value)):
        yield ""
        for name, part in value.items():
            yield from _entry(f"{pad}{_word(str(name))}:", part, indent, str(name))
    elif isinstance(value, list | tuple) and value and not _flow_list(value):
        yield ""
        for part in value:
            yield from _item(part, indent)
    elif _is_block(value):
        text = value.removesuffix("\n")
        yield " |" if value.endswith("\n") else " |-"
        for line in text.split("\n"):
            yield f"{pad}{line}" if line else ""
    elif isinstance(value, Mapping | list | tuple):
        yield f" {_flow(value)}"
    else:
        yield f" {_scalar(value)}"


_IN_ONE_LINE = ("where", "exclude", "good", "bad", "valid", "bounds", "method", "tiers", "alerts")


def _flow_list(value: Iterable[Any]) -> bool:
    items = list(value)
    return not any(isinstance(part, Mapping | list | tuple) for part in items) and bool(
        _flow(items)
    )


def _entry(head: str, value: Any, indent: int, key: str) -> Iterator[str]:
    lines = _lines(value, indent + 2, key)
    yield head + next(lines)
    yield from lines


def _item(value: Any, indent: int) -> Iterator[str]:
    pad = " " * indent
    if isinstance(value, Mapping) and value:
        lines = [
            line
            for name, part in value.items()
            for line in _entry(f"{pad}  {_word(str(name))}:", part, indent + 2, str(name))
        ]
        yield f"{pad}- {lines[0][indent + 2 :]}"
        yield from lines[1:]
    else:
        yield from _entry(f"{pad}-", value, indent, "")


def yaml_text(*documents: Mapping[str, Any]) -> str:
    """
    Documents as YAML.

    Args:
        documents: Mappings of text, numbers, booleans, None, lists and mappings.

    Example:
        >>> print(yaml_text({"name": "api", "target": "99.9%", "labels": {"tier": "2"}}), end="")
        name: api
        target: 99.9%
        labels:
          tier: "2"
    """
    texts = []
    for document in documents:
        lines = [
            line
            for name, part in document.items()
            for line in _entry(f"{_word(str(name))}:", part, 0, str(name))
        ]
        texts.append("\n".join(lines or ["{}"]) + "\n")
    return "---\n".join(texts)


# ---------------------------------------------------------------------------- TOML


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_toml_key(k)} = {_toml_value(v)}" for k, v in value.items()) + " }"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(part) for part in value) + "]"
    return re.sub("[\x7f]", lambda _: "\\u007f", double_quoted(str(value)))


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml_value(key)


def toml_text(document: Mapping[str, Any]) -> str:
    """
    A document as TOML: lists of mappings as tables, what is in them in one line each.

    Example:
        >>> print(toml_text({"version": "errorbudget/1", "slos": [{"name": "api"}]}), end="")
        version = "errorbudget/1"
        <BLANKLINE>
        [[slos]]
        name = "api"
    """
    lines, tables = [], []
    for key, value in document.items():
        if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
            for part in value:
                tables += ["", f"[[{_toml_key(key)}]]"]
                tables += [
                    f"{_toml_key(name)} = {_toml_value(item)}" for name, item in part.items()
                ]
        else:
            lines.append(f"{_toml_key(key)} = {_toml_value(value)}")
    return "\n".join([*lines, *tables]) + "\n"
