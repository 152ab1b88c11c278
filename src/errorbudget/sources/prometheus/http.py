"""
One request and one response, and the transport between them.

A transport is any callable from `Request` to `Response` (or to an awaitable of one, for
`AsyncClient`). It raises `TimeoutError` when the time is up and `OSError` for whatever else keeps
bytes from coming; it follows no redirect and retries nothing, as both are decided in `exchange`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from errorbudget.errors import MissingDependencyError, SourceResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from errorbudget.sources.prometheus.connection import TLS

__all__ = [
    "MAX_BYTES",
    "AsyncHttpTransport",
    "AsyncTransport",
    "HttpTransport",
    "Request",
    "Response",
    "Transport",
]

MAX_BYTES = 1 << 30
"""The longest answer that is read [bytes, unpacked]."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    What is sent.

    Attributes:
        method: GET or POST.
        url: Where to, with the query of a GET.
        headers: Headers, credentials among them; not shown.
        body: Form of a POST.
        timeout_s: When to give up [s].
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: status, headers with names in lower case, and the whole body, unpacked."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


Transport = Callable[[Request], Response]
AsyncTransport = Callable[[Request], Awaitable[Response]]


def _httpx() -> Any:
    try:
        import httpx2
    except ImportError:
        raise MissingDependencyError.for_extra(
            "asking Prometheus over HTTP", "httpx2", "prometheus"
        ) from None
    return httpx2


@contextmanager
def _translated(httpx: Any) -> Iterator[None]:
    """The transport's exceptions as the two kinds that `exchange` knows; none carries a header."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimeoutError(type(error).__name__) from None
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from None


def _checked(size: int, deadline: float) -> None:
    if size > MAX_BYTES:
        raise SourceResponseError(
            f"the answer is longer than {MAX_BYTES:,} bytes; ask for fewer series or less time"
        )
    if time.monotonic() > deadline:
        raise TimeoutError("the answer did not end in time")


class HttpTransport:
    """
    Requests over real connections, which are kept and used again.

    Args:
        tls: Certificates.

    Raises:
        MissingDependencyError: httpx2 is not installed.
    """

    def __init__(self, tls: TLS) -> None:
        self._httpx = _httpx()
        self._client = self._httpx.Client(
            verify=tls.context(), follow_redirects=False, trust_env=False
        )

    def __call__(self, request: Request) -> Response:
        deadline = time.monotonic() + request.timeout_s
        with (
            _translated(self._httpx),
            self._client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=request.timeout_s,
            ) as answer,
        ):
            chunks, size = [], 0
            for chunk in answer.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                _checked(size, deadline)
            return Response(answer.status_code, dict(answer.headers), b"".join(chunks))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncHttpTransport:
    """`HttpTransport` for asyncio."""

    def __init__(self, tls: TLS) -> None:
        self._httpx = _httpx()
        self._client = self._httpx.AsyncClient(
            verify=tls.context(), follow_redirects=False, trust_env=False
        )

    async def __call__(self, request: Request) -> Response:
        deadline = time.monotonic() + request.timeout_s
        with _translated(self._httpx):
            async with self._client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=request.timeout_s,
            ) as answer:
                chunks, size = [], 0
                async for chunk in answer.aiter_bytes():
                    chunks.append(chunk)
                    size += len(chunk)
                    _checked(size, deadline)
                return Response(answer.status_code, dict(answer.headers), b"".join(chunks))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
