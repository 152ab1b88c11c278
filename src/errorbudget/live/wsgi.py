"""
Counting the requests of a WSGI application: Flask, Django, or any other.

A request lasts until the server has sent its answer to the end, or closes it before; what the
application does on closing is not the client's to wait for. It counts with the status that was
sent, and as 500 when the application raised, also in the middle of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from errorbudget.live.requests import SERVER_ERROR, RequestRecorder

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker

__all__ = ["BudgetMiddleware", "request_labels"]

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
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


class _Answer:
    """One request on its way: the application's answer as it is, which records itself once."""

    __slots__ = ("_answer", "_environ", "_labels", "_recorder", "_start", "_started", "_status")

    def __init__(self, recorder: RequestRecorder, environ: Environ, start: StartResponse) -> None:
        self._started = perf_counter()
        self._recorder: RequestRecorder | None = recorder
        self._environ = environ
        self._start = start
        self._status = 0
        self._labels: Mapping[str, object] | None = None
        self._answer: Iterable[bytes] = ()

    def begin(self, status: str, headers: Any, *error: Any) -> Callable[[bytes], object]:
        """What the application calls to begin its answer."""
        self._status = int(status[:3])
        recorder = self._recorder
        # Flask forgets the route as soon as its answer is made.
        if recorder is not None and recorder.labels is not None:
            self._labels = recorder.labels_of(self._environ)
        return self._start(status, headers, *error)

    def of(self, application: Application) -> Self:
        """The answer of *application*."""
        try:
            self._answer = application(self._environ, self.begin)
        except BaseException:
            self._status = SERVER_ERROR
            self._done()
            raise
        return self

    def _done(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            duration_s = perf_counter() - self._started
            recorder.record(self._environ, self._status or SERVER_ERROR, duration_s, self._labels)

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._answer:  # noqa: UP028 - that would close it, and so will the server
                yield part
        except GeneratorExit:  # the server wants no more; it closes what it has
            raise
        except BaseException:
            self._status = SERVER_ERROR
            raise
        # The server asks for more only when it has sent what there was.
        self._done()

    def __len__(self) -> int:
        # Servers that know there is one part send its length; those of unknown length raise here.
        return len(self._answer)  # type: ignore[arg-type]

    def close(self) -> None:
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        except BaseException:
            self._status = SERVER_ERROR
            raise
        finally:
            self._done()


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

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        return _Answer(self.recorder, environ, start_response).of(self.app)
