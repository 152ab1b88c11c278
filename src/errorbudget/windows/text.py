"""
Windows as people write them: `30d`, `month`, `week Europe/Berlin`.

A number makes it rolling, a bare unit makes it a calendar period; `every 2 weeks from 2026-01-05`
is a calendar period of several units. What `to_text` writes is read back unchanged.
"""

from __future__ import annotations

import datetime as dt
import re

from errorbudget.durations import parse_duration
from errorbudget.errors import InvalidDurationError, InvalidWindowError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.windows.calendar import UNITS, Calendar, Unit
from errorbudget.windows.rolling import Rolling

__all__ = ["Window", "WindowLike", "parse_window"]

Window = Rolling | Calendar
"""The stretch of time an SLO is judged over."""

WindowLike = Rolling | Calendar | str | dt.timedelta
"""A `Window`, or what `parse_window` reads."""

_UNIT: dict[str, Unit] = {
    **{unit: unit for unit in UNITS},
    **{f"{unit}s": unit for unit in UNITS},
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annual": "year",
}
_HINT = (
    'write a length such as "30d" (rolling), or a calendar period such as "month" or '
    '"week Europe/Berlin"'
)
_START = re.compile(
    r"(?P<calendar>calendar\s+)?(?P<every>every\s+)?(?:(?P<count>\d+)\s*)?(?P<unit>[^\W\d_]+)"
    r"(?P<rest>\s.*)?",
    re.DOTALL,
)


def parse_window(value: WindowLike) -> Window:
    """
    The window that a value stands for.

    Args:
        value: A window; a `timedelta` or text such as `"30d"`, `"30 days"`, `"rolling 30d"`; a
            calendar period such as `"month"`, `"calendar month"`, `"week Europe/Berlin"`,
            `"year from 2026-04-01"`, `"every 2 weeks from 2026-01-05 -05:00"`,
            `"calendar 1M"` (units of OpenSLO).

    Returns:
        `Rolling`, or `Calendar`.

    Raises:
        InvalidWindowError: *value* cannot be read, or names no zone there is.

    Example:
        >>> parse_window("30 days"), parse_window("week Europe/Berlin")
        (Rolling("30d"), Calendar("week", zone="Europe/Berlin"))
    """
    if isinstance(value, Rolling | Calendar):
        return value
    if isinstance(value, dt.timedelta):
        return Rolling(value)
    if not isinstance(value, str):
        raise InvalidWindowError(f"{shown(value)} is not a window; {_HINT}")
    text = " ".join(value.split())
    if text in ("", "rolling", "calendar"):
        raise InvalidWindowError(f'"{value}" is not a window; {_HINT}')
    rolling = re.fullmatch(r"(?:rolling (?P<after>.+)|(?P<before>.+?) rolling)", text)
    if rolling is not None:
        return _read_rolling(rolling["after"] or rolling["before"])
    match = _START.fullmatch(text)
    if match is not None and _is_calendar(match):
        return _read_calendar(value, match)
    if match is not None and match["count"] is None:
        word = match["unit"]
        known = (*_UNIT, "rolling", "calendar")
        raise InvalidWindowError(
            f'"{value}" is not a window: "{word}" is not known'
            f"{did_you_mean(word, known) or '; ' + _HINT}"
        )
    return _read_rolling(text)


def _is_calendar(match: re.Match[str]) -> bool:
    if match["calendar"] or match["every"]:
        return True
    rest = (match["rest"] or "").split()
    return match["unit"] in _UNIT and (match["count"] is None or "from" in rest)


def _read_rolling(length: str) -> Rolling:
    try:
        parse_duration(length)
    except InvalidDurationError as error:
        raise InvalidWindowError(f"not a window: {error}") from None
    return Rolling(length)


def _read_calendar(value: str, match: re.Match[str]) -> Calendar:
    words = (match["rest"] or "").split()
    anchor: str | None = None
    if "from" in words:
        place = words.index("from")
        size = 2 if re.match(r"\d\d:", "".join(words[place + 2 : place + 3])) else 1
        anchor = " ".join(words[place + 1 : place + 1 + size])
        del words[place : place + 1 + size]
    if words[:1] == ["in"]:
        del words[0]
    if len(words) > 1:
        raise InvalidWindowError(
            f'window "{value}" cannot be read: "{" ".join(words)}" is not one time zone; {_HINT}'
        )
    zone, word, count = words[0] if words else "UTC", match["unit"], match["count"]
    if word in _UNIT:
        return Calendar(_UNIT[word], zone=zone, anchor=anchor, every=int(count or 1))
    if count is not None and len(word) == 1:
        return Calendar.from_openslo(count + word, start_time=anchor, zone=zone)
    raise InvalidWindowError(
        f'window "{value}" cannot be read: "{word}" is not a calendar unit'
        f"{did_you_mean(word, UNITS) or '; units are ' + ', '.join(UNITS)}"
    )
