"""
What a bare word of a document means: null, true, a number, or text.

The rules are the core schema of YAML 1.2, which JSON and TOML numbers also keep: `no`, `on`,
`12:30` and dates are text. Numbers with a point stay decimal, so that 0.999 is 999/1000.

Source: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["bare", "number", "too_long"]

_DIGITS = 100
_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?[0-9]+")
_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_EXPONENT = re.compile(r"[0-9.][eE][-+]?0*([0-9]*)")


def too_long(text: str) -> str | None:
    """
    Why a number is more than anyone means, or None; such a one could take hours to work with.

    Example:
        >>> too_long("1e999999999")
        'the exponent of "1e999999999" is beyond anything that is measured; at most 3 digits'
    """
    if len(text) > _DIGITS:
        return f'"{text[:20]}..." has {len(text)} digits; a number has at most {_DIGITS}'
    exponent = _EXPONENT.search(text)
    if exponent and len(exponent[1]) > 3:
        return f'the exponent of "{text}" is beyond anything that is measured; at most 3 digits'
    return None


def number(text: str) -> int | Decimal | None:
    """
    The number that *text* writes, or None; `too_long` has been asked before.

    Example:
        >>> number("0.999"), number("0x1F"), number("1.2.3")
        (Decimal('0.999'), 31, None)
    """
    if _INT.fullmatch(text):
        return int(text)
    if _BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return Decimal(text)
    if _SPECIAL.fullmatch(text):
        return Decimal(text.replace(".", "").lower().replace("inf", "Infinity"))
    return None


def looks_numeric(text: str) -> bool:
    """Whether *text* is written as a number, of whatever size."""
    return any(form.fullmatch(text) for form in (_INT, _BASE, _FLOAT))


def bare(text: str) -> str | int | bool | Decimal | None:
    """
    What an unquoted word means.

    Example:
        >>> bare("yes"), bare("true"), bare("99.9%"), bare("~")
        ('yes', True, '99.9%', None)
    """
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    found = number(text)
    return text if found is None else found
