"""
One access log line, read strictly: the meaning that the fast reader of blocks must share.

    [vhost:port] host ident user [time] "request" status bytes ["referer" "agent"] [more]

Whatever stands before the time may hold spaces. Quotes inside a quoted text are escaped by
a backslash, as Apache and nginx do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Field", "LogLine", "field_start", "number_at", "parse_line", "segments", "vhost_of"]

_LINE = re.compile(
    rb"(?:(?P<who>(?:[^\"\\]|\\.)*?) )?"
    rb"\[(?P<time>[^\]\[]{1,40})\] "
    rb"\"(?P<request>[^\"\\]*+(?:\\.[^\"\\]*+)*+)\" "
    rb"(?P<status>[^ ]+)(?: .*)?",
    re.DOTALL,
)
_NUMBER = re.compile(rb"(-|[0-9]{1,15}(?:\.[0-9]{1,15})?)(?=[ \",;]|$)")
_QUOTE = re.compile(rb"\\.|\"", re.DOTALL)
_SHAPE = 'no [time] "request" status in it'


@dataclass(frozen=True, slots=True)
class LogLine:
    """
    The parts of a line.

    Args:
        who: Everything before the time.
        stamp: The time, without its brackets.
        request: The request line as logged, escapes included.
        status: 100 to 599.
        close: Position of the quote that ends the request.
    """

    who: bytes
    stamp: bytes
    request: bytes
    status: int
    close: int


@dataclass(frozen=True, slots=True)
class Field:
    """
    Where a further number stands: after the request, past some quotes, then some words.

    Args:
        quotes: Quotes between the request's last one and the number.
        words: Words between that quote and the number; -1 when it follows the quote at once.
        key: What precedes the number in its word, as `rt=`.
    """

    quotes: int
    words: int
    key: bytes = b""


def parse_line(line: bytes) -> LogLine | str:
    """The parts of *line*, or what is wrong with it."""
    found = _LINE.fullmatch(line)
    if found is None:
        return _SHAPE
    digits = found["status"]
    status = int(digits) if len(digits) == 3 and digits.isdigit() else 0
    if not 100 <= status <= 599:
        return f"status {digits[:20].decode('utf-8', 'backslashreplace')} is not one of 100 to 599"
    return LogLine(
        found["who"] or b"", found["time"], found["request"], status, found.end("request")
    )


def segments(line: bytes, close: int) -> list[tuple[int, int]]:
    """Start and end of the texts between the quotes after position *close*; odd ones are quoted."""
    found = []
    start = close + 1
    for quote in _QUOTE.finditer(line, start):
        if quote[0] == b'"':
            found.append((start, quote.start()))
            start = quote.end()
    found.append((start, len(line)))
    return found


def field_start(line: bytes, close: int, field: Field) -> int:
    """Where the number of *field* begins in *line*, or -1."""
    parts = segments(line, close)
    if field.quotes < len(parts):
        at, end = parts[field.quotes]
        for _ in range(field.words + 1):
            at = line.find(b" ", at, end) + 1
            if not at:
                break
        else:
            if line.startswith(field.key, at):
                return at + len(field.key)
    if field.key:
        for at, end in parts[::2]:
            # The value of a quoted word (`rt="0.1"`) begins in the next segment.
            found = line.find(b" " + field.key, at, end + 1)
            if found >= 0:
                return found + 1 + len(field.key)
    return -1


def number_at(line: bytes, at: int, decimals: int, *, whole: bool = False) -> float | None:
    """
    The number at a position, divided by 10 to the power of *decimals*, correctly rounded.

    Returns:
        The number; None where there is none, a dash stands for it, or it has a point though
        only *whole* numbers fit.
    """
    found = _NUMBER.match(line, at) if at >= 0 else None
    if found is None or found[1] == b"-":
        return None
    digits, _, fraction = found[1].partition(b".")
    if whole and fraction:
        return None
    scale: int = 10 ** (len(fraction) + decimals)
    return int(digits + fraction) / scale


def vhost_of(who: bytes) -> str | None:
    """The virtual host that stands first, without its port; None when there is no room for one."""
    words = who.split(b" ", 3)
    if len(words) < 4 or not words[0]:
        return None
    host, _, port = words[0].rpartition(b":")
    return (host if host and port.isdigit() else words[0]).decode("utf-8", "backslashreplace")
