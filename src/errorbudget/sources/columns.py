"""
Which column means what: names in use for time, status, duration and labels, and their units.

Names are compared in lower snake case: `@timestamp`, `Time-Stamp` and `timestamp` are one,
`durationMs` is `duration_ms`, and nested `{"request": {"method": ...}}` is `request_method`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from errorbudget.errors import InvalidInputError, did_you_mean

__all__ = [
    "ROLES",
    "UNIT_DECIMALS",
    "count_columns",
    "find_columns",
    "known_duration",
    "plain_name",
    "unit_argument",
    "unit_of",
]

UNIT_DECIMALS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""Units of bare numbers: one second is 10 to this power of them."""

_UNIT_WORDS = {
    "s": "s sec secs second seconds",
    "ms": "ms msec msecs milli millis millisecond milliseconds",
    "us": "us usec usecs micro micros microsecond microseconds",
    "ns": "ns nsec nsecs nano nanos nanosecond nanoseconds",
}
_UNITS = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The first name found wins. Sources: nginx ngx_http_core_module and ngx_http_log_module variables,
# Apache mod_log_config, Elastic Common Schema, OpenTelemetry semantic conventions, Caddy, Traefik.
ROLES: Mapping[str, tuple[str, ...]] = {
    "time": _names(
        "timestamp time ts datetime date_time msec time_iso8601 event_time start_time startutc "
        "start_utc started_at logged_at created_at epoch unix_time time_unix time_local "
        "startlocal start_local date t"
    ),
    "status": _names(
        "status status_code http_status http_status_code response_status response_code "
        "http_response_status_code downstream_status sc_status resp_status statuscode "
        "response_status_code code"
    ),
    "duration": _names(
        "duration request_time latency response_time request_duration elapsed elapsed_time "
        "time_taken took event_duration http_request_duration total_time rt reqtime dur "
        "latency_s duration_s"
    ),
    "good": ("good", "is_good", "success", "ok"),
    "method": _names("method request_method http_method http_request_method verb cs_method"),
    "route": ("route", "http_route", "endpoint", "handler", "path_template"),
    "target": _names(
        "path uri url request_uri request_path url_path url_original http_target cs_uri_stem target"
    ),
    "host": _names(
        "host vhost server_name http_host virtual_host request_host server_address domain authority"
    ),
    "proto": ("proto", "protocol", "server_protocol", "request_proto", "http_version"),
    "request": ("request", "request_line"),
}

_FIXED_UNITS = {"request_time": "s", "event_duration": "ns"}


def plain_name(name: str) -> str:
    """
    The name in lower snake case, without marks around it.

    Example:
        >>> plain_name("@timestamp"), plain_name("durationMs"), plain_name("request.method")
        ('timestamp', 'duration_ms', 'request_method')
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^0-9a-zµμ]+", "_", snake.lower()).strip("_")


def _split_unit(name: str) -> tuple[str, str | None]:
    base, _, last = name.rpartition("_")
    return (base, _UNITS[last]) if base and last in _UNITS else (name, None)


def unit_of(name: str) -> str | None:
    """
    The unit that a column's name states, or None.

    Example:
        >>> unit_of("latency_ms"), unit_of("request_time"), unit_of("latency")
        ('ms', 's', None)
    """
    plain = plain_name(name)
    return _FIXED_UNITS.get(plain) or _split_unit(plain)[1]


def known_duration(name: str) -> bool:
    """Whether a field of this name holds the duration of a request."""
    plain = plain_name(name)
    return plain in ROLES["duration"] or _split_unit(plain)[0] in ROLES["duration"]


def unit_argument(name: str, unit: str | None) -> str | None:
    """
    The unit that an argument names, in its short form.

    Raises:
        InvalidInputError: There is no such unit.
    """
    if unit is None:
        return None
    short = _UNITS.get(unit) or ("us" if unit in ("µs", "μs") else None)
    if short is None:
        raise InvalidInputError(
            f'{name} must be "s", "ms", "us" or "ns", got "{unit}"'
            f"{did_you_mean(unit, tuple(_UNITS))}"
        )
    return short


def find_columns(names: Sequence[str], asked: Mapping[str, str], *, source: str) -> dict[str, str]:
    """
    The column that plays each role.

    Args:
        names: Columns that there are.
        asked: Columns that the user names, by role; they win.
        source: How messages call the file.

    Raises:
        InvalidInputError: A role or a column does not exist.
    """
    roles = [*ROLES]
    for role, name in asked.items():
        if role not in ROLES:
            raise InvalidInputError(
                f'columns cannot name "{role}"; there are {", ".join(roles)}'
                f"{did_you_mean(role, roles)}"
            )
        if name not in names:
            raise unknown_column(name, names, source)
    found = dict(asked)
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(plain_name(name), name)
    taken = set(found.values())
    for role, known in ROLES.items():
        if role not in found:
            match = _match(known, by_plain, taken, with_unit=role in ("time", "duration"))
            if match is not None:
                found[role] = match
                taken.add(match)
    return found


def count_columns(names: Iterable[str]) -> dict[str, str]:
    """
    The columns called good, bad and total; empty unless there are two of them, which are enough.

    Example:
        >>> count_columns(["time", "Good", "total"]), count_columns(["time", "good"])
        ({'good': 'Good', 'total': 'total'}, {})
    """
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(plain_name(name), name)
    roles: tuple[str, ...] = ("good", "bad", "total")
    found = {role: by_plain[role] for role in roles if role in by_plain}
    return found if len(found) > 1 else {}


def _match(
    known: tuple[str, ...], by_plain: Mapping[str, str], taken: set[str], *, with_unit: bool
) -> str | None:
    for word in known:
        if word in by_plain and by_plain[word] not in taken:
            return by_plain[word]
        if with_unit:
            for plain, name in by_plain.items():
                base, unit = _split_unit(plain)
                if base == word and unit is not None and name not in taken:
                    return name
    return None


def unknown_column(name: str, names: Iterable[str], source: str) -> InvalidInputError:
    """The error for a column that is not there."""
    known = [*names]
    there = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return InvalidInputError(
        f'{source} has no column "{name}"; there are {there}{did_you_mean(name, known)}'
    )
