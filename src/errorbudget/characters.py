"""
Characters that no name has a use for: they steer terminals, or cannot be written at all.

A specification that was written by others ends up on screens, in reports and in files of rules.
"""

from __future__ import annotations

import re

__all__ = ["character_name", "first_control"]

# C0 but for tab and line feed, DEL, C1, half characters, and what Unicode calls none.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NAMES = {"\x00": "NUL", "\x1b": "ESC", "\x08": "backspace", "\x0c": "form feed", "\x7f": "DEL"}


def character_name(character: str) -> str:
    r"""
    What a character that cannot be seen is called.

    Example:
        >>> character_name("\x1b"), character_name("\x9b")
        ('ESC', 'U+009B')
    """
    return _NAMES.get(character, f"U+{ord(character):04X}")


def first_control(text: str, *, lines: bool = True) -> str | None:
    r"""
    The name of the first control character or half character of *text*, or None.

    Args:
        text: The text.
        lines: Whether it may have several lines, and tabs.

    Example:
        >>> first_control("a\x1b[31m"), first_control("a\tb\n"), first_control("a\n", lines=False)
        ('ESC', None, 'U+000A')
    """
    found = _CONTROL.search(text) or (None if lines else re.search("[\t\n]", text))
    return None if found is None else character_name(found[0])
