"""
Columns of a table, as they come out of CSV, JSON or Parquet, turned into columns of events.

Each function takes the usual case as a whole and what is left value by value, and says for each
value that does not fit what is wrong with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errorbudget.sources.columns import UNIT_DECIMALS
from errorbudget.sources.reading import shown
from errorbudget.sources.requests import Dictionary
from errorbudget.sources.stamps import CLF_WIDTH, Zone, clf, iso, matrix, naive_to_ns
from errorbudget.times import MAX_NS, MIN_NS

__all__ = [
    "NAIVE",
    "NUMBER",
    "Coded",
    "Wrong",
    "durations",
    "epochs",
    "flags",
    "further_numbers",
    "is_missing",
    "statuses",
    "typed_times",
    "written_times",
]

Column = Sequence[Any] | NDArray[Any]
Wrong = dict[int, str]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
NAIVE = 'has no zone; say which, such as zone="UTC" or zone="Europe/Berlin"'
_WITH_UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ns|us|µs|μs|ms|s)")
_ABSENT = frozenset(("", "-", "null", "NULL", "None", "NaN", "nan", "NA", "N/A", "\\N"))


def is_missing(value: object) -> bool:
    """Whether the value stands for "there is none"."""
    if value is None:
        return True
    if isinstance(value, str):
        return value.strip() in _ABSENT
    return isinstance(value, float) and math.isnan(value)


def _array(values: Column) -> NDArray[Any] | None:
    """The values as one array of numbers where they are all of one numeric type, else None."""
    if isinstance(values, np.ndarray):
        return values if values.dtype.kind in "iuf" else None
    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            return np.array(values, dtype=np.int64)
        except OverflowError:
            return None
    if kinds == {float}:
        return np.array(values, dtype=np.float64)
    if kinds == {str}:
        try:
            # Of plain digits only: int() would take "1_000" and blanks as well.
            return np.array(values).astype(np.int64) if "".join(values).isdecimal() else None
        except (OverflowError, ValueError):
            return None
    return None


def epochs(values: Column, unit: str) -> tuple[Ints, Wrong]:
    """
    Numbers since the epoch as nanoseconds; floats are exact to a microsecond and rounded to it.

    Args:
        values: Integers, floats or their text; shape (n,).
        unit: "s", "ms", "us" or "ns".
    """
    scale = 10 ** (9 - UNIT_DECIMALS[unit])
    array = _array(values)
    if array is not None and len(array):
        if array.dtype.kind in "iu":
            if -(MAX_NS // scale) <= int(array.min()) and int(array.max()) <= MAX_NS // scale:
                return array.astype(np.int64) * scale, {}
        elif np.isfinite(array).all():
            micros = np.rint(array.astype(np.float64) * (scale / 1_000))
            if np.abs(micros).max() < MAX_NS // 1_000:
                return micros.astype(np.int64) * 1_000, {}
    times = np.zeros(len(values), dtype=np.int64)
    wrong: Wrong = {}
    for index, value in enumerate(values):
        answer = _epoch(value, scale)
        if isinstance(answer, str):
            wrong[index] = answer
        else:
            times[index] = answer
    return times, wrong


def _epoch(value: Any, scale: int) -> int | str:
    if is_missing(value):
        return "time is missing"
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        time_ns = int(Decimal(value.strip()) * scale)
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        time_ns = int(value) * scale
    elif isinstance(value, (float, np.floating)) and math.isfinite(value):
        time_ns = int(np.rint(float(value) * (scale / 1_000))) * 1_000
    else:
        return f'time "{shown(str(value))}" is not a number'
    return time_ns if MIN_NS <= time_ns <= MAX_NS else f"time {value} is out of range"


def typed_times(values: NDArray[np.datetime64]) -> tuple[Ints, Wrong]:
    """Typed timestamps [ns]; NaT is wrong."""
    missing = np.isnat(values)
    wrong: Wrong = dict.fromkeys(np.flatnonzero(missing).tolist(), "time is missing")
    return np.where(missing, 0, values.view(np.int64)), wrong


def written_times(values: Column, zone: Zone | None) -> tuple[Ints, Wrong, int]:
    """
    Times in ISO 8601, or as common logs write them, as nanoseconds.

    Args:
        values: Texts; shape (n,).
        zone: Zone of times that name none, None to refuse them.

    Returns:
        Times, what is wrong with which, and how many stand in an hour that the clock showed
        twice.
    """
    texts = [value.strip().encode() if isinstance(value, str) else b"" for value in values]
    times, real, zoned = iso(texts)
    others = np.flatnonzero(~real)
    if len(others):
        chars, lengths = matrix([texts[index] for index in others.tolist()], CLF_WIDTH)
        found, fits = clf(chars)
        fits &= lengths == CLF_WIDTH
        times[others], real[others], zoned[others] = found, fits, fits
    wrong: Wrong = {}
    for index in np.flatnonzero(~real).tolist():
        missing = is_missing(values[index])
        said = shown(str(values[index]))
        wrong[index] = "time is missing" if missing else f'time "{said}" cannot be read'
    naive = np.flatnonzero(real & ~zoned)
    twice = 0
    if len(naive) and zone is None:
        wrong.update(
            (index, f'time "{shown(str(values[index]))}" {NAIVE}') for index in naive.tolist()
        )
    elif len(naive) and zone is not None:
        times[naive], twice = naive_to_ns(times[naive], zone)
    return times, wrong, twice


_STATUS: dict[Any, int] = {code: code for code in range(100, 600)}
_STATUS.update({str(code): code for code in range(100, 600)})
_STATUS.update(dict.fromkeys((*_ABSENT, None), 0))


def statuses(values: Column) -> tuple[NDArray[np.int16], Wrong]:
    """Statuses 100 to 599, 0 where missing; anything else is wrong."""
    integers = isinstance(values, np.ndarray) and values.dtype.kind in "iu"
    if integers and (not len(values) or (np.min(values) >= 100 and np.max(values) <= 599)):
        return np.asarray(values, dtype=np.int16), {}
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    try:
        found = [_STATUS.get(value, -1) for value in listed]
    except TypeError:  # a list or an object of JSON
        found = [-1] * len(listed)
    wrong: Wrong = {}
    if -1 in found:
        for index, code in enumerate(found):
            if code == -1:
                found[index] = _status(listed[index])
                if found[index] < 0:
                    found[index] = 0
                    said = shown(str(listed[index]))
                    wrong[index] = f"status {said} is not one of 100 to 599"
    return np.array(found, dtype=np.int16), wrong


def _status(value: Any) -> int:
    """A status written as 200.0 or with blanks around it, 0 where missing, -1 where wrong."""
    if is_missing(value):
        return 0
    try:
        number = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        return -1
    return int(number) if number.is_integer() and 100 <= number <= 599 else -1


def durations(values: Column, unit: str | None) -> tuple[Floats, Wrong]:
    """
    Durations in seconds, NaN where missing, each rounded once.

    Args:
        values: Numbers, their text, or text with a unit such as "12ms"; shape (n,).
        unit: Unit of bare numbers, None when every value brings its own.
    """
    array = _array(values)
    if array is not None and unit is not None:
        seconds = array.astype(np.float64) / float(10 ** UNIT_DECIMALS[unit])
        # Floats of JSON and text are as they are written: 200.1 ms is 0.2001 s to the last bit.
        once = array.dtype.kind in "iu" or unit == "s" or isinstance(values, np.ndarray)
        if once and not (np.isinf(seconds) | (seconds < 0)).any():
            return seconds, {}
    found = np.full(len(values), np.nan)
    wrong: Wrong = {}
    for index, value in enumerate(values):
        answer = _duration(value, unit)
        if isinstance(answer, str):
            wrong[index] = answer
        else:
            found[index] = answer
    return found, wrong


def _duration(value: Any, unit: str | None) -> float | str:
    if is_missing(value):
        return math.nan
    text = value.strip() if isinstance(value, str) else repr(value)
    if isinstance(value, np.generic):
        text = repr(value.item())
    with_unit = _WITH_UNIT.fullmatch(text)
    if with_unit:
        text, unit = with_unit[1], "us" if with_unit[2] in ("µs", "μs") else with_unit[2]
    elif unit is None:
        return f"duration {shown(text)} has no unit"
    try:
        seconds = float(Decimal(text).scaleb(-UNIT_DECIMALS[unit]))
    except ArithmeticError:
        return f"duration {shown(text)} is not a number"
    if math.isnan(seconds):
        return seconds
    if seconds < 0 or math.isinf(seconds) or isinstance(value, bool):
        return f"duration {shown(text)} is not a length of time"
    return seconds


def further_numbers(name: str, values: Column) -> tuple[Floats, Wrong]:
    """Any finite numbers, NaN where missing."""
    array = _array(values)
    if array is not None and not np.isinf(array.astype(np.float64)).any():
        return array.astype(np.float64), {}
    found = np.full(len(values), np.nan)
    wrong: Wrong = {}
    for index, value in enumerate(values):
        if is_missing(value):
            continue
        try:
            found[index] = float(value)
        except (TypeError, ValueError):
            wrong[index] = f"{name} {shown(str(value))} is not a number"
            continue
        if np.isinf(found[index]):
            wrong[index] = f"{name} {shown(str(value))} is not finite"
    return found, wrong


_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def flags(values: Column) -> tuple[NDArray[np.bool_], Wrong]:
    """True and false, as such, as 1 and 0, or written; a missing one is wrong."""
    found = np.zeros(len(values), dtype=np.bool_)
    wrong: Wrong = {}
    for index, value in enumerate(values):
        flag = _FLAGS.get(str(value).strip().lower())
        if flag is None:
            missing = is_missing(value)
            said = shown(str(value))
            wrong[index] = "good is missing" if missing else f"good {said} is not true or false"
        else:
            found[index] = flag
    return found, wrong


class Coded(dict[Any, int]):
    """
    Codes of label values, each distinct value looked at once.

    Args:
        text_of: The label of a value, None for none.
        dictionary: Where the codes come from.
    """

    _KEPT = 1 << 16

    def __init__(self, text_of: Callable[[str], str | None], dictionary: Dictionary) -> None:
        super().__init__()
        self._text_of = text_of
        self._dictionary = dictionary

    def __missing__(self, value: Any) -> int:
        if is_missing(value):
            code = -1
        else:
            said = str(value).lower() if isinstance(value, bool) else str(value)
            text = self._text_of(said)
            code = -1 if text is None else self._dictionary[text]
        self[value] = code
        return code

    def codes(self, values: Column) -> NDArray[np.int32]:
        """Codes, -1 where there is no label; shape (n,), int32."""
        if len(self) > self._KEPT:  # raw values may be endless (query strings), labels rarely are
            self.clear()
        listed = values.tolist() if isinstance(values, np.ndarray) else values
        try:
            found = [self[value] for value in listed]
        except TypeError:  # a list or an object of JSON is no label
            found = [-1 if isinstance(value, (list, dict)) else self[value] for value in listed]
        return np.array(found, dtype=np.int32)
