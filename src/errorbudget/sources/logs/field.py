"""One further number of every line at once: the twin of `line.field_start` and `number_at`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from errorbudget.sources.logs.line import Field

__all__ = ["PAD", "field_numbers"]

PAD = 128
"""Bytes that must follow the text, as the windows below may reach past its end."""

_SPACE = ord(" ")
_WORDS_WIDTH = 64  # bytes within which the words before the number must fit
_NUMBER_WIDTH = 20
_ENDS = np.zeros(256, dtype=np.bool_)
_ENDS[[*b' ",;\n']] = True
_POWERS = np.array([float(10**power) for power in range(23)])  # all exact

Ints = NDArray[np.int64]


def field_numbers(
    text: NDArray[np.uint8],
    places: Ints,
    close: Ints,
    left: Ints,
    stops: Ints,
    field: Field,
    decimals: int,
    *,
    whole: bool,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """
    The numbers of *field*, and for which lines they are certain; the others are odd.

    Args:
        text: The block, followed by `PAD` more bytes.
        places: Positions of quotes and line ends.
        close: Index in *places* of each request's closing quote.
        left: Quotes of the line behind that one.
        stops: Where each line stops.
        field: Where the number stands.
        decimals: Power of ten of the unit.
        whole: Numbers with a point are missing.
    """
    sure = left >= field.quotes
    at = places[np.where(sure, close + field.quotes, close)] + 1
    if field.words >= 0:
        ends = np.where(sure, places[np.where(sure, close + field.quotes + 1, close)], at)
        # The space before the wanted word: found by counting spaces in a window.
        window = text[at + np.arange(_WORDS_WIDTH)[:, None]] == _SPACE
        seen = np.zeros(len(at), dtype=np.int16)
        start = np.full(len(at), -1, dtype=np.int64)
        for offset in range(_WORDS_WIDTH):
            seen += window[offset]
            start = np.where((start < 0) & (seen == field.words + 1), at + offset + 1, start)
        sure &= (start >= 0) & (start <= ends)
        at = np.where(sure, start, at)
    for index, char in enumerate(field.key):
        sure &= text[np.minimum(at + index, len(text) - 1)] == char
    at = at + len(field.key)
    sure &= at <= stops
    at = np.where(sure, at, 0)
    chars = text[np.minimum(at + np.arange(_NUMBER_WIDTH)[:, None], len(text) - 1)]
    dash = (chars[0] == ord("-")) & _ended(chars[1], at + 1, stops)
    mantissa = np.zeros(len(at), dtype=np.int64)
    count = np.zeros(len(at), dtype=np.int64)
    after = np.zeros(len(at), dtype=np.int64)
    point = np.zeros(len(at), dtype=np.bool_)
    over = np.zeros(len(at), dtype=np.bool_)
    number = np.zeros(len(at), dtype=np.bool_)
    for offset in range(_NUMBER_WIDTH):
        char = chars[offset]
        digit = (char - np.uint8(ord("0"))) <= 9
        running = digit & ~over
        mantissa = np.where(running, mantissa * 10 + (char.astype(np.int64) - ord("0")), mantissa)
        count += running
        after += running & point
        dot = (char == ord(".")) & ~point & ~over & (count > 0)
        ending = ~over & ~digit & ~dot
        number |= ending & _ended(char, at + offset, stops) & (count > 0) & (point <= (after > 0))
        point |= dot
        over |= ending
    sure &= dash | (number & (count <= 15) & (after + decimals < len(_POWERS)))
    exact = mantissa / _POWERS[np.minimum(after + decimals, len(_POWERS) - 1)]
    missing = dash | (point if whole else np.zeros_like(point))
    return np.where(missing, np.nan, exact), sure


def _ended(char: NDArray[np.uint8], at: Ints, stops: Ints) -> NDArray[np.bool_]:
    """Whether a number ends before *char* at the positions *at*."""
    return _ENDS[char] | (at >= stops)
