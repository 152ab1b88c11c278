"""
Starts that repeat by an RFC 5545 rule, in the wall time of a zone.

dateutil expands the rule. Around it stand three guards: a rule is checked when it is written
down, a rule that can never happen is found out at once, and a rule that would need too many starts
is refused with their number before any is worked out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from errorbudget.errors import InvalidWindowError, MissingDependencyError, did_you_mean
from errorbudget.times import MAX_NS, format_time, to_ns
from errorbudget.windows.localtime import first_instant, wall_time

if TYPE_CHECKING:
    from dateutil.rrule import rrule

__all__ = ["MAX_STARTS", "parse_rule", "starts"]

MAX_STARTS = 200_000
"""Most starts that a rule may need from its first one on: hourly for 22 years, say."""

_SECONDS = {
    "SECONDLY": 1,
    "MINUTELY": 60,
    "HOURLY": 3_600,
    "DAILY": 86_400,
    "WEEKLY": 7 * 86_400,
    "MONTHLY": 28 * 86_400,
    "YEARLY": 365 * 86_400,
}
_PARTS = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY"),
    *("BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND"),
)
_DAY_PARTS = ("BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "WKST")
# dateutil looks for the next start until the year 9999. The Gregorian calendar repeats every
# 400 years, weekdays included, so rules are expanded 19 such cycles later: the search for a start
# that never comes then ends after centuries and not after millennia.
_CYCLES = 19 * 400


def parse_rule(text: str) -> dict[str, str]:
    """
    The parts of a recurrence rule, in capitals.

    Args:
        text: An RFC 5545 `RRULE` value, with or without `RRULE:` in front.

    Raises:
        InvalidWindowError: It is not one rule, or has unknown, repeated or contradicting parts.

    Example:
        >>> parse_rule("RRULE:FREQ=WEEKLY;BYDAY=SU")
        {'FREQ': 'WEEKLY', 'BYDAY': 'SU'}

    Source: RFC 5545, section 3.3.10.
    """
    if not isinstance(text, str):
        raise InvalidWindowError(f'a rule is text such as "FREQ=WEEKLY;BYDAY=SU", got {text!r}')
    parts: dict[str, str] = {}
    for piece in re.sub(r"^RRULE:", "", text.strip().upper()).rstrip(";").split(";"):
        name, equals, value = piece.partition("=")
        if name not in _PARTS or not equals or not value or re.search(r"\s", value):
            raise InvalidWindowError(
                f'rule "{text}" cannot be read at "{piece}"'
                f"{did_you_mean(name, _PARTS) or '; write one such as FREQ=WEEKLY;BYDAY=SU'}"
            )
        if name in parts:
            raise InvalidWindowError(f'rule "{text}" says {name} twice')
        parts[name] = value
    if parts.get("FREQ") not in _SECONDS:
        raise InvalidWindowError(
            f'rule "{text}" needs FREQ, one of {", ".join(reversed(_SECONDS))}'
        )
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not re.fullmatch(r"0*[1-9]\d{0,8}", parts[name]):
            raise InvalidWindowError(f'rule "{text}": {name} must be a whole number from 1')
    if "COUNT" in parts and "UNTIL" in parts:
        raise InvalidWindowError(f'rule "{text}" must not have both COUNT and UNTIL')
    return parts


def _load(origin: dt.datetime, parts: dict[str, str]) -> rrule:
    try:
        from dateutil.rrule import rrulestr
    except ModuleNotFoundError:
        raise MissingDependencyError.for_extra(
            "a recurring maintenance", "python-dateutil", "calendar"
        ) from None
    text = ";".join(f"{name}={value}" for name, value in parts.items() if name != "UNTIL")
    try:
        rule = rrulestr(text, dtstart=origin.replace(year=origin.year + _CYCLES))
    except (ValueError, TypeError) as error:
        raise InvalidWindowError(f'rule "{text}" cannot be read: {error}') from None
    return cast("rrule", rule)  # one line is one rule, and never a set of them


def _until_ns(text: str, zone: dt.tzinfo) -> int:
    """The last instant at which something may start."""
    if text[:4].isdigit() and int(text[:4]) > 2261:
        return MAX_NS  # 99991231 is how people write "for ever"
    try:
        if text.endswith("Z"):
            return to_ns(dt.datetime.strptime(text, "%Y%m%dT%H%M%S%z"))
        if "T" in text:
            return first_instant(dt.datetime.fromisoformat(text), zone)
        day_after = dt.datetime.fromisoformat(text) + dt.timedelta(days=1)
        return first_instant(day_after, zone) - 1
    except ValueError:
        raise InvalidWindowError(
            f"UNTIL={text} cannot be read; write 20260401, 20260401T120000 or 20260401T120000Z"
        ) from None


def check_rule(origin: dt.datetime, parts: dict[str, str], zone: dt.tzinfo) -> None:
    """
    Refuse a rule that dateutil cannot read, or that never happens.

    Raises:
        InvalidWindowError: So it is.
        MissingDependencyError: dateutil is not installed.
    """
    rule = _load(origin, parts)
    days = {name: value for name, value in parts.items() if name in _DAY_PARTS}
    # Days first: looking through 86,400 seconds of each of them for nothing would take hours.
    some_day = next(iter(_load(origin, {"FREQ": "DAILY", **days})), None)
    first = next(iter(rule), None) if some_day is not None else None
    if first is None:
        raise InvalidWindowError(f'rule "{_text(parts)}" never happens')
    start_ns = first_instant(first.replace(year=first.year - _CYCLES), zone)
    if "UNTIL" in parts and start_ns > _until_ns(parts["UNTIL"], zone):
        raise InvalidWindowError(f'rule "{_text(parts)}" never happens: it ends before it starts')


def _text(parts: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _needed(parts: dict[str, str], span_s: int) -> int:
    """At most so many starts, from the first one on, over this many seconds."""
    frequency = parts["FREQ"]
    step_s = _SECONDS[frequency]
    finer = {"SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYMINUTE", "BYSECOND")}
    if frequency in ("WEEKLY", "MONTHLY", "YEARLY") and any(name in parts for name in _DAY_PARTS):
        step_s = 86_400  # any of its days
    needed = span_s // (step_s * int(parts.get("INTERVAL", "1"))) + 1
    for name in finer.get(frequency, ("BYHOUR", "BYMINUTE", "BYSECOND")):
        needed *= parts[name].count(",") + 1 if name in parts else 1
    return min(needed, int(parts["COUNT"])) if "COUNT" in parts else needed


def starts(
    origin: dt.datetime, parts: dict[str, str], zone: dt.tzinfo, before_ns: int
) -> Iterator[int]:
    """
    Every start before an instant, in order [ns].

    Args:
        origin: The rule's beginning (`DTSTART`), naive wall time in *zone*.
        parts: The rule, as `parse_rule` gives it.
        zone: Where the clock hangs.
        before_ns: The instant that all starts lie before [ns].

    Raises:
        InvalidWindowError: More than `MAX_STARTS` starts would be needed.

    Time: O(starts since *origin*).
    """
    end_ns = before_ns
    if "UNTIL" in parts:
        end_ns = min(end_ns, _until_ns(parts["UNTIL"], zone) + 1)
    first_ns = first_instant(origin, zone)
    if end_ns <= first_ns:
        return
    # Wall clocks differ from elapsed time by a day at most.
    span = wall_time(end_ns, zone) - origin
    needed = _needed(parts, max(0, span.days * 86_400 + span.seconds))
    if needed > MAX_STARTS:
        raise InvalidWindowError(
            f'rule "{_text(parts)}" would need up to {needed:,} starts between '
            f"{format_time(first_ns)} and {format_time(end_ns)}, and at most {MAX_STARTS:,} are "
            "worked out; repeat it less often, or start it later"
        )
    for local in _load(origin, parts):
        start_ns = first_instant(local.replace(year=local.year - _CYCLES), zone)
        if start_ns >= end_ns:
            return
        yield start_ns
