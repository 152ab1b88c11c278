"""
Numbers out of bytes, many at a time: eight digits are read from one machine word.

Source: Daniel Lemire, "Quickly parsing eight digits" (2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Text", "eight", "pointed", "whole"]

_POWERS = 10 ** np.arange(19, dtype=np.int64)
_BYTE = np.uint64(8)
_HIGH = np.uint64(0xF0F0F0F0F0F0F0F0)
_ZEROS = np.uint64(0x3030303030303030)
_SIX = np.uint64(0x0606060606060606)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_PAIRS = np.uint64(0x000000FF000000FF)
_LOW, _HALF = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """
    Bytes seen three ways.

    Attributes:
        raw: The bytes.
        data: One number per byte.
        words: The eight bytes from each byte on, as one number.
        dots: Where the points are.
    """

    raw: bytes
    data: NDArray[np.uint8]
    words: NDArray[np.uint64]
    dots: Ints

    @classmethod
    def of(cls, raw: bytes) -> Text:
        data = np.frombuffer(raw, dtype=np.uint8)
        words = np.ndarray((len(raw) - 7,), dtype="<u8", buffer=raw, strides=(1,))
        return cls(raw, data, words, np.flatnonzero(data == ord(".")))

    def has_dots(self, start: Ints, end: Ints) -> bool:
        """Whether any of the stretches holds a point."""
        if not len(self.dots):
            return False
        return bool((np.searchsorted(self.dots, end) > np.searchsorted(self.dots, start)).any())


def eight(word: NDArray[np.uint64]) -> tuple[Ints, bool | NDArray[np.bool_]]:
    """The numbers written in words of eight digits, and which of them all are digits."""
    digits = ((word & _HIGH) == _ZEROS) & (((word + _SIX) & _HIGH) == _ZEROS)
    word = word - _ZEROS
    word = word * np.uint64(10) + (word >> _BYTE)
    word = ((word & _PAIRS) * _LOW + ((word >> np.uint64(16)) & _PAIRS) * _HALF) >> np.uint64(32)
    return word.view(np.int64), digits


def upto_eight(text: Text, end: Ints, length: Ints) -> tuple[Ints, Any]:
    """The numbers in the *length* <= 8 bytes before *end*; no bytes are 0."""
    # What stands before a number is shifted out, and zeros take its place.
    shift = np.maximum(8 - length, 0).astype(np.uint64) * _BYTE
    kept = np.where(length > 0, _ALL << np.minimum(shift, np.uint64(63)), np.uint64(0))
    return eight((text.words[end - 8] & kept) | (_ZEROS & ~kept))


def whole(text: Text, start: Ints, end: Ints) -> tuple[Ints, Any]:
    """The numbers written in `[start, end)`, and which are 1 to 16 plain digits."""
    length = end - start
    low, digits = upto_eight(text, end, np.minimum(length, 8))
    if length.max(initial=0) > 8:
        high, more = upto_eight(text, np.maximum(end - 8, 8), np.clip(length - 8, 0, 8))
        low, digits = low + high * 100_000_000, digits & more
    return low, digits & (length >= 1) & (length <= 16)


def pointed(text: Text, start: Ints, end: Ints) -> tuple[Floats, Any]:
    """The numbers of at most 15 digits, with or without a point, and which are such."""
    first = np.searchsorted(text.dots, start)
    dot = np.append(text.dots, len(text.raw))[first]
    has = dot < end
    point = np.where(has, dot, end)
    before, read = whole(text, start, point)
    places = np.where(has, end - point - 1, 0)
    part, part_read = whole(text, np.minimum(point + 1, end), end)
    read &= (point - start + places <= 15) & (~has | part_read)
    # An int below 2**53 over a power of ten up to 10**22 is rounded once, and hence rightly.
    scale = _POWERS[np.clip(places, 0, 15)]
    return (before * scale + np.where(has, part, 0)) / scale, read
