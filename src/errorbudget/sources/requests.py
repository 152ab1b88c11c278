"""
Method, route and protocol out of request lines, each distinct line taken apart once.

A route is the path without its query string: `GET /cart?item=7 HTTP/1.1` has the route `/cart`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["REQUEST_LABELS", "Dictionary", "Requests", "method_of", "route_of", "split_request"]

REQUEST_LABELS = ("method", "route", "proto")

_CACHED = 1 << 16
_METHOD = re.compile(r"[A-Z][A-Z_-]{1,31}")
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_CONTROL = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}


class Dictionary(dict[str, int]):
    """Codes of texts, given out in the order in which the texts come: `dictionary[text]`."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


def _unescaped(text: bytes) -> bytes:
    r"""The bytes before a server wrote `\"`, `\\` or `\x22` for them."""
    return _ESCAPE.sub(
        lambda found: (
            bytes.fromhex(found[1].decode()) if found[1] else _CONTROL.get(found[2], found[2])
        ),
        text,
    )


def method_of(text: str) -> str | None:
    """The text where it is an HTTP method, else None."""
    return text if _METHOD.fullmatch(text) else None


def route_of(target: str) -> str | None:
    """
    The path of a request target, without query string and fragment; None when nothing is left.

    Example:
        >>> route_of("https://shop.example/cart?item=7")
        '/cart'
    """
    route = target.partition("?")[0].partition("#")[0]
    if not route.startswith("/") and "://" in route:
        _, slash, path = route.partition("://")[2].partition("/")
        route = slash + path or "/"
    return route or None


def split_request(line: bytes) -> tuple[str | None, str | None, str | None]:
    r"""
    Method, route and protocol; all None for what is no request, as `-` or `\x16\x03`.

    Example:
        >>> split_request(b"GET /cart?item=7 HTTP/1.1")
        ('GET', '/cart', 'HTTP/1.1')
    """
    if b"\\" in line:
        line = _unescaped(line)
    text = line.decode("utf-8", "backslashreplace")
    head, _, rest = text.partition(" ")
    method = method_of(head)
    if method is None or not rest:
        return None, None, None
    target, _, proto = rest.rpartition(" ")
    if not target or not proto.startswith("HTTP/"):
        target, proto = rest, ""
    return method, route_of(target), proto or None


class Requests:
    """
    Codes for request lines.

    Args:
        names: Which of `REQUEST_LABELS` are wanted.
        dictionaries: The codes of each label; shared by all files of a reading.
    """

    def __init__(self, names: Iterable[str], dictionaries: dict[str, Dictionary]) -> None:
        self.names = tuple(name for name in REQUEST_LABELS if name in set(names))
        self._wanted = [
            (REQUEST_LABELS.index(name), dictionaries[name], array("i")) for name in self.names
        ]
        self._known = _Positions(self._wanted)

    def codes(self, lines: Iterable[bytes]) -> dict[str, NDArray[np.int32]]:
        """The codes of each wanted label, -1 where a line has none; each of shape (n,), int32."""
        known = self._known
        return self._codes([known[line] for line in lines])

    def codes_between(
        self, data: bytes, starts: Iterable[int], ends: Iterable[int]
    ) -> dict[str, NDArray[np.int32]]:
        """The same for the request lines `data[start:end]`."""
        known = self._known
        return self._codes([known[data[a:b]] for a, b in zip(starts, ends, strict=True)])

    def _codes(self, positions: list[int]) -> dict[str, NDArray[np.int32]]:
        known = self._known
        rows = np.array(positions, dtype=np.intp)
        codes = {
            name: np.array(table, dtype=np.int32)[rows]
            for name, (_, _, table) in zip(self.names, self._wanted, strict=True)
        }
        if len(known) > _CACHED:  # distinct lines may be endless, distinct routes rarely are
            known.clear()
        return codes


class _Positions(dict[bytes, int]):
    """Where in the tables a request line stands; an unknown one is taken apart and added."""

    def __init__(self, wanted: list[tuple[int, Dictionary, array[int]]]) -> None:
        super().__init__()
        self._wanted = wanted
        self._proto = any(part == REQUEST_LABELS.index("proto") for part, _, _ in wanted)
        self._count = 0

    def __missing__(self, line: bytes) -> int:
        method_and_path, query, _ = line.partition(b"?")
        plain = method_and_path.count(b" ") == 1 and not method_and_path.endswith(b" ")
        if query and plain and not self._proto:
            # Queries differ from line to line, paths do not.
            position = self[line] = self[method_and_path]
            return position
        parts = split_request(line)
        for part, dictionary, table in self._wanted:
            text = parts[part]
            table.append(-1 if text is None else dictionary[text])
        position = self[line] = self._count
        self._count += 1
        return position

    def clear(self) -> None:
        """Forget all lines and empty the tables."""
        super().clear()
        self._count = 0
        for _, _, table in self._wanted:
            del table[:]
