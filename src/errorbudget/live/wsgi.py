"""
Counting the requests of a WSGI application: Flask, Django, or any other.

A request lasts until the server has sent its answer to the end, or closes it before; what the
application does on closing is not the client's to wait for. It counts with the status that was
sent, and as 500 when the application raised, also in the middle of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from errorbudget.live.requests import SERVER_ERROR, RequestRecorder

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker

__all__ = ["BudgetMiddleware", "request_labels"]

Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]


def request_labels(environ: Environ) -> Mapping[str, object]:
    """
    Labels of a request: `method`, `path`, and `route`, its template where Flask names one.

    Both begin with the prefix under which the application is mounted, `SCRIPT_NAME`.

    Example:
        >>> request_labels({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/shop", "PATH_INFO": "/cart"})
        {'method': 'GET', 'path': '/shop/cart', 'route': '/shop/cart'}
    """
    prefix, path = _text(environ.get("SCRIPT_NAME", "")), _text(environ.get("PATH_INFO", ""))
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    route = prefix + (path if rule is None else rule.rule)
    return {"method": environ.get("REQUEST_METHOD", ""), "path": prefix + path, "route": route}


def _text(path: str) -> str:
    """WSGI hands over bytes as if they were Latin-1."""
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


class _Request:
    """One request on its way: it records itself once, when it is done."""

    __slots__ = ("_recorder", "_started", "environ", "labels", "sent", "status")

    def __init__(self, recorder: RequestRecorder, environ: Environ) -> None:
        self._recorder: RequestRecorder | None = recorder
        self._started = perf_counter()
        self.environ = environ
        self.status = 0
        self.sent: float | None = None
        self.labels: Mapping[str, object] | None = None

    def done(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            ended = perf_counter() if self.sent is None else self.sent
            duration_s = ended - self._started
            recorder.record(self.environ, self.status or SERVER_ERROR, duration_s, self.labels)


class _Answer:
    """The application's answer, passed on as it is."""

    __slots__ = ("_answer", "_parts", "_request")

    def __init__(self, answer: Iterable[bytes], request: _Request) -> None:
        self._answer = answer
        self._parts = iter(answer)
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            # The server asks for more only when it has sent what there was.
            self._request.sent = perf_counter()
            raise
        except BaseException:
            self._request.status = SERVER_ERROR
            raise

    def __len__(self) -> int:
        # Servers that know there is one part send its length; those of unknown length raise here.
        return len(self._answer)  # type: ignore[arg-type]

    def close(self) -> None:
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        except BaseException:
            if self._request.sent is None:
                self._request.status = SERVER_ERROR
            raise
        finally:
            self._request.done()


class BudgetMiddleware:
    """
    Counts every request of *app* in *tracker*.

    Args:
        app: The application, for Flask `app.wsgi_app`.
        tracker: Where to count.
        labels: From the WSGI environment to the labels that indicators ask for.

    Attributes:
        recorder: Counts, and how often that failed.

    Example:
        >>> from errorbudget import SLO, Availability, Tracker
        >>> tracker = Tracker(SLO("api", target="99.9%", window="30d", sli=Availability()))
        >>> def app(environ, start_response):
        ...     start_response("200 OK", [])
        ...     return [b"hello"]
        >>> app = BudgetMiddleware(app, tracker)
    """

    def __init__(
        self,
        app: Application,
        tracker: Tracker,
        labels: Callable[[Environ], Mapping[str, object]] = request_labels,
    ) -> None:
        self.app = app
        self.recorder = RequestRecorder(tracker, labels)

    def __call__(
        self, environ: Environ, start_response: Callable[..., Callable[[bytes], object]]
    ) -> Iterable[bytes]:
        """Serve one request."""
        request = _Request(self.recorder, environ)

        def watched(status: str, headers: Any, *error: Any) -> Callable[[bytes], object]:
            request.status = int(status[:3])
            # Flask forgets the route as soon as its answer is made.
            request.labels = self.recorder.labels(environ)
            return start_response(status, headers, *error)

        try:
            return _Answer(self.app(environ, watched), request)
        except BaseException:
            request.status = SERVER_ERROR
            request.done()
            raise
