"""
Between instants and what a clock on the wall shows in some zone.

One rule answers for every local time: it stands for the first instant at which the wall clock
shows it or something later. A time that the clocks skip in spring is therefore the instant of the
jump, and a time that they show twice in autumn is the first of the two.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from errorbudget.durations import SECOND_NS
from errorbudget.errors import (
    InvalidTimeError,
    InvalidWindowError,
    MissingDependencyError,
    did_you_mean,
)
from errorbudget.rationals import shown
from errorbudget.times import format_time, to_ns

__all__ = ["LocalLike", "first_instant", "load_zone", "read_local", "wall_time", "write_local"]

LocalLike = str | int | dt.datetime | dt.date | Any
"""Wall time in some zone (text, `datetime`, `date`), or an instant, which has a zone of its own."""

_EPOCH = dt.datetime.fromisoformat("1970-01-01")
_SECOND = dt.timedelta(seconds=1)


def load_zone(name: str) -> tuple[str, dt.tzinfo]:
    """
    The zone of this name, and the name in its canonical form.

    Args:
        name: IANA name such as `"Europe/Berlin"`, `"UTC"`, or an offset such as `"-05:00"`.

    Raises:
        InvalidWindowError: There is no such zone.
        MissingDependencyError: This machine has no time zone data.

    Example:
        >>> load_zone("+0530")[0]
        '+05:30'
    """
    if not isinstance(name, str):
        raise InvalidWindowError(f'a zone is a name such as "Europe/Berlin", got {shown(name)}')
    text = name.strip()
    if text.upper() in ("UTC", "Z"):
        return "UTC", dt.UTC
    if match := re.fullmatch(r"(?:UTC)?([+-])(\d\d?)(?::?([0-5]\d))?", text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes >= 24 * 60:
            raise InvalidWindowError(f'"{name}" is not an offset: it must be less than 24 hours')
        if not minutes:
            return "UTC", dt.UTC
        offset = dt.timedelta(minutes=-minutes if match[1] == "-" else minutes)
        return f"{match[1]}{minutes // 60:02}:{minutes % 60:02}", dt.timezone(offset)
    import zoneinfo

    try:
        return text, zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
    if not known:
        raise MissingDependencyError.for_extra(f'the zone "{name}"', "tzdata", "calendar")
    exact = {zone.lower(): zone for zone in known}.get(text.lower())
    hint = f'; did you mean "{exact}"?' if exact else did_you_mean(text, known)
    raise InvalidWindowError(
        f'there is no time zone "{name}"'
        + (hint or '; write an IANA name such as "Europe/Berlin", or an offset such as "-05:00"')
    )


def read_local(value: LocalLike, zone: dt.tzinfo) -> dt.datetime:
    """
    The wall time that a value means in *zone*, naive.

    Args:
        value: Text, `datetime` or `date` without a zone are wall time; what has a zone of its own
            is an instant, and is read off the clock in *zone*.
        zone: Where the clock hangs.

    Raises:
        InvalidTimeError: *value* cannot be read, or is finer than a microsecond.

    Example:
        >>> print(read_local("2026-04-01T10:00Z", load_zone("Europe/Berlin")[1]))
        2026-04-01 12:00:00
    """
    local: dt.datetime | None = None
    if isinstance(value, str):
        try:
            local = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            raise InvalidTimeError(
                f'"{value}" is not a local time; write it as "2026-04-01" or "2026-04-01 12:00:00"'
            ) from None
    elif isinstance(value, dt.datetime):
        local = value
    elif isinstance(value, dt.date):
        local = dt.datetime.combine(value, dt.time(0))
    if local is None or local.tzinfo is not None:
        instant = to_ns(value if local is None else local)
        if instant % 1_000:
            raise InvalidTimeError(
                f"a local time must not be finer than a microsecond, got {format_time(instant)}"
            )
        local = wall_time(instant, zone)
    if not 1678 <= local.year <= 2261:
        raise InvalidTimeError(f"{value} lies outside the years 1678 to 2261")
    # A plain datetime: pandas' timestamps are a subclass with other rules.
    return dt.datetime.combine(local.date(), local.time())


def write_local(local: dt.datetime) -> str:
    """
    The wall time as short text, readable by `read_local`.

    Example:
        >>> write_local(dt.datetime.fromisoformat("2026-04-01T12:00:00"))
        '2026-04-01T12:00'
    """
    if local.time() == dt.time(0):
        return local.date().isoformat()
    if not (local.second or local.microsecond):
        return local.isoformat(timespec="minutes")
    return local.isoformat()


def wall_time(time_ns: int, zone: dt.tzinfo) -> dt.datetime:
    """What the wall clock in *zone* shows at an instant, rounded down to a microsecond; naive."""
    utc = (_EPOCH + dt.timedelta(microseconds=time_ns // 1_000)).replace(tzinfo=dt.UTC)
    return utc.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(local: dt.datetime, zone: dt.tzinfo) -> int:
    """
    The first instant [ns] at which the wall clock in *zone* shows *local* or later.

    Args:
        local: Wall time, without a zone.
        zone: Where the clock hangs.

    Example:
        >>> berlin = load_zone("Europe/Berlin")[1]
        >>> skipped = dt.datetime(2026, 3, 29, 2, 30)  # the clock jumps from 2:00 to 3:00
        >>> print(wall_time(first_instant(skipped, berlin), berlin))
        2026-03-29 03:00:00
    """
    utc = _utc(local, zone, fold=0)
    if _wall(utc, zone) != local:  # skipped: look for the jump, which is on a whole second
        before = _utc(local, zone, fold=1)
        low, high = 0, -((before - utc) // _SECOND)
        while low < high:
            middle = (low + high) // 2
            if _wall(before + middle * _SECOND, zone) >= local:
                high = middle
            else:
                low = middle + 1
        utc = (before + low * _SECOND).replace(microsecond=0)
    since = utc - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def _utc(local: dt.datetime, zone: dt.tzinfo, *, fold: int) -> dt.datetime:
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset()
    return local - (offset or dt.timedelta(0))


def _wall(utc: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return utc.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None, fold=0)
