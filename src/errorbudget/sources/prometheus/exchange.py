"""
One question until it is answered: retries, redirects and deadlines, without doing any of it.

The generator asks for what it needs, a request to be sent or a time to wait, and whoever drives it
does that, blocking or not. So the sync and the async client share every decision.

Tried again: 429, 5xx and timeouts, as queries change nothing. Nothing else is: a refused
connection or a bad query will not get better by itself. `Retry-After` is honoured; a wait beyond
the deadline is not begun.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urljoin

from errorbudget.durations import SECOND_NS, DurationLike, parse_duration
from errorbudget.errors import (
    InvalidInputError,
    SourceError,
    SourceResponseError,
    SourceUnavailableError,
)
from errorbudget.sources.prometheus.connection import Connection, origin
from errorbudget.sources.prometheus.http import Request, Response

__all__ = ["Exchange", "Retry", "Wait", "exchange"]

_MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Retry:
    """
    How often and how soon to try again.

    Args:
        attempts: How often a request is sent at most [>= 1].
        first: Wait before the second attempt; text or `timedelta`.
        factor: How much longer each next wait is.
        longest: No wait is longer, unless the server asks for it.
        spread: Share of a wait that is drawn at random, so that many clients do not return at once.
    """

    attempts: int = 4
    first: DurationLike = "500ms"
    factor: float = 2.0
    longest: DurationLike = "30s"
    spread: float = 0.25

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.factor < 1 or not 0 <= self.spread <= 1:
            raise InvalidInputError(
                "a retry needs at least 1 attempt, a factor of at least 1 and a spread in [0, 1], "
                f"got {self.attempts}, {self.factor} and {self.spread}"
            )

    def wait_s(self, attempt: int, draw: float) -> float:
        """How long to wait after *attempt*, counted from 1 [s]; *draw* lies in [0, 1)."""
        first, longest = (parse_duration(span) / SECOND_NS for span in (self.first, self.longest))
        wait = min(longest, first * self.factor ** (attempt - 1))
        return float(wait * (1 - self.spread * draw))


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause that is asked for [s]."""

    seconds: float


Exchange = Generator[Request | Wait, Response | Exception | None, Response]


def _asked_wait(response: Response) -> float | None:
    """What `Retry-After` asks for [s]: seconds, or a date, read against the server's own clock."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def exchange(
    connection: Connection,
    path: str,
    params: Mapping[str, str],
    *,
    retry: Retry,
    request_s: float,
    deadline: float,
    clock: Callable[[], float],
    method: str = "POST",
    draw: Callable[[], float] = random.random,
) -> Exchange:
    """
    Ask once, and again where that can help.

    Args:
        connection: The server.
        path: Path of the API, such as `/api/v1/query`.
        params: Parameters.
        retry: How often and how soon to try again.
        request_s: Longest time for one attempt [s].
        deadline: When to have given up, on *clock* [s].
        clock: A clock that only goes forward [s].
        method: POST sends the parameters as a form, for long queries; GET in the address.
        draw: Random numbers in [0, 1).

    Yields:
        A `Request`, to be answered by a `Response`, `TimeoutError` or `OSError`; or a `Wait`.

    Returns:
        The response, whatever its status, once no further attempt can help.

    Raises:
        SourceUnavailableError: The server does not answer, or not in time.
        SourceResponseError: It redirects to another host, or in a circle.
    """
    url, query = connection.url + path, params.get("query")
    redirects, attempt = 0, 0
    while True:
        attempt += 1
        left = deadline - clock()
        if left <= 0:
            raise SourceUnavailableError(f"{connection.url} did not answer before the deadline")
        outcome = yield _request(connection, url, params, method, min(left, request_s))
        if isinstance(outcome, Response) and outcome.status in {301, 302, 303, 307, 308}:
            redirects, attempt = redirects + 1, attempt - 1
            url = _redirected(connection, url, outcome, redirects, query)
            continue
        if isinstance(outcome, Response) and outcome.status != 429 and outcome.status < 500:
            return outcome
        wait, reason = _judged(connection, outcome)
        if attempt >= retry.attempts:
            if isinstance(outcome, Response):
                return outcome
            raise SourceUnavailableError(
                f"{connection.url} did not answer in {attempt} attempts: {reason}"
            )
        pause = wait or retry.wait_s(attempt, draw())
        if clock() + pause >= deadline:
            raise SourceUnavailableError(
                f"{connection.url}: {reason}; the next attempt is due in {pause:.1f} s, "
                "which is after the deadline"
            )
        yield Wait(pause)


def _request(
    connection: Connection, url: str, params: Mapping[str, str], method: str, timeout_s: float
) -> Request:
    form = urlencode({**connection.params, **params})
    headers = connection.request_headers()
    if method == "GET":
        return Request("GET", f"{url}?{form}" if form else url, headers, b"", timeout_s)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Request("POST", url, headers, form.encode(), timeout_s)


def _judged(connection: Connection, outcome: Response | Exception | None) -> tuple[float, str]:
    """How long the server asks to wait [s], 0 for as usual; and why to try again."""
    if isinstance(outcome, Response):
        return _asked_wait(outcome) or 0.0, f"it answered with status {outcome.status}"
    if isinstance(outcome, TimeoutError):
        return 0.0, "timeout"
    if isinstance(outcome, SourceError):
        raise outcome
    raise SourceUnavailableError(
        f"{connection.url} cannot be reached, or broke off: {connection.hidden(str(outcome))}; "
        "does the server run, and is the address right?"
    )


def _redirected(
    connection: Connection, url: str, response: Response, redirects: int, query: str | None
) -> str:
    target = urljoin(url, response.headers.get("location", ""))
    scheme, host, port = origin(target)
    if origin(target) != connection.origin:
        raise SourceResponseError(
            f"{connection.url} redirects to another server, {scheme}://{host}:{port}; nothing was "
            "sent there, as it would get the credentials; if it is the right one, give its address",
            status=response.status,
            query=query,
        )
    if redirects > _MOST_REDIRECTS:
        raise SourceResponseError(
            f"{connection.url} redirects in a circle", status=response.status, query=query
        )
    return target.partition("?")[0]
