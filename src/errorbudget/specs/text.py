"""The characters of a specification: decoded, measured, and free of what no editor shows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from errorbudget.characters import character_name
from errorbudget.errors import SourceUnavailableError
from errorbudget.specs.tree import Limits, Place, Problem, spec_error

__all__ = ["HIDDEN", "check_text", "decode", "is_text", "read_file"]

# What YAML calls printable, and JSON and TOML need no more.
HIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _place(text: str, position: int, source: str) -> Place:
    before = text[:position]
    line = before.count("\n") + 1
    return Place(line, position - (before.rfind("\n") + 1) + 1, source)


def check_text(text: str, *, source: str, limits: Limits) -> str:
    """
    *text* without its byte order mark, once it may be read.

    Raises:
        SpecError: It is too large, or holds a character that cannot be seen.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > limits.bytes:
        raise spec_error([_too_large(source, limits)])
    hidden = HIDDEN.search(text)
    if hidden:
        raise spec_error(
            [
                Problem(
                    f"the character {character_name(hidden[0])} does not belong in a "
                    "specification; remove it",
                    place=_place(text, hidden.start(), source),
                )
            ]
        )
    return text


def _too_large(source: str, limits: Limits) -> Problem:
    return Problem(
        f"these are more than a specification may have ({limits.bytes:,} bytes); "
        "split it into files, or pass limits=Limits(bytes=...)",
        place=Place(1, 1, source),
    )


def decode(data: bytes, *, source: str, limits: Limits) -> str:
    """
    The text that *data* are, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

    Raises:
        SpecError: They are too large, or in no such encoding; it names the first bad byte.
    """
    if len(data) > limits.bytes:
        raise spec_error([_too_large(source, limits)])
    encoding = "utf-8"
    for mark, name in (
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            encoding = name
            break
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "ignore")
        raise spec_error(
            [
                Problem(
                    f"byte 0x{data[error.start]:02x} is not {encoding.upper()}; "
                    "save the file as UTF-8",
                    place=_place(before, len(before), source),
                )
            ]
        ) from None
    return check_text(text, source=source, limits=limits)


def is_text(value: str) -> bool:
    """
    Whether *value* is a specification itself, and not the path of one.

    Example:
        >>> is_text("slos.yaml"), is_text("slos: []"), is_text("{}")
        (False, True, True)
    """
    return "\n" in value or value.lstrip().startswith(("{", "[")) or ": " in value


def read_file(path: str | Path, *, limits: Limits) -> str:
    """
    The text of a file; `-` is standard input.

    Raises:
        SourceUnavailableError: It is missing, or cannot be read.
        SpecError: It is too large, or not text.
    """
    name = str(path)
    try:
        if name == "-":
            data = sys.stdin.buffer.read(limits.bytes + 1)
        else:
            with Path(path).open("rb") as stream:
                data = stream.read(limits.bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceUnavailableError(
            f'specification "{name[:200]}" cannot be read: {reason.lower()}'
        ) from None
    return decode(data, source="" if name == "-" else name, limits=limits)
