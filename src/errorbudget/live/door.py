"""
One event, checked before it is judged, by the same rules as the columns of `Events`.

What fits passes after a few comparisons; the rest is read, or refused by name.
"""

from __future__ import annotations

from math import inf, isinf
from numbers import Integral, Real
from typing import Any

from errorbudget.errors import InvalidInputError

__all__ = ["check_event", "check_verdict"]


def check_verdict(good: object) -> bool:
    """
    A verdict as True or False.

    Raises:
        InvalidInputError: It is neither.
    """
    if not isinstance(good, (str, bytes)) and getattr(good, "ndim", 0) == 0 and good in (0, 1):
        return bool(good)
    raise InvalidInputError(f"good must be True or False, got {good!r}")


def check_event(event: dict[str, Any]) -> None:
    """
    Put what an event says into the form that indicators ask for.

    Args:
        event: Values by column name; changed in place.

    Raises:
        InvalidInputError: A status, duration or verdict cannot be one.

    Example:
        >>> event = {"status": "503", "duration_s": 1}
        >>> check_event(event)
        >>> event
        {'status': 503, 'duration_s': 1.0}
    """
    status = event.get("status")
    if status is not None and not (type(status) is int and 100 <= status <= 599):
        event["status"] = _status(status)
    duration_s = event.get("duration_s")
    if duration_s is not None and not (type(duration_s) is float and 0 <= duration_s < inf):
        event["duration_s"] = _duration(duration_s)
    if "good" in event:
        event["good"] = check_verdict(event["good"])


def _status(status: object) -> int | None:
    if status != status:
        return None
    text = status.strip() if isinstance(status, str) else ""
    number = int(text) if text.isdecimal() else status
    if isinstance(number, Real) and not isinstance(number, Integral) and float(number).is_integer():
        number = int(float(number))
    if isinstance(number, Integral) and not isinstance(number, bool):
        found = int(number)
        if found == 0 or 100 <= found <= 599:
            return found or None
    raise InvalidInputError(
        f"status must be from 100 to 599, or 0 or None where missing, got {status!r}"
    )


def _duration(duration_s: object) -> float | None:
    if isinstance(duration_s, Real) and not isinstance(duration_s, bool):
        try:
            found = float(duration_s)
        except OverflowError:
            found = inf
        if found != found:
            return None
        if found >= 0 and not isinf(found):
            return found
    raise InvalidInputError(
        f"duration_s must be a number of seconds, finite and not negative, got {duration_s!r}"
    )
