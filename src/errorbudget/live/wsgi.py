"""
Counting the requests of a WSGI application: Flask, Django, or any other.

A request lasts until the server closes its answer. It counts with the status that was sent, and as
500 when the application raised, also in the middle of an answer.
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
    Labels of a request: `method`, `path`, and `route`, which WSGI knows as the path only.

    Example:
        >>> request_labels({"REQUEST_METHOD": "GET", "PATH_INFO": "/cart"})
        {'method': 'GET', 'path': '/cart', 'route': '/cart'}
    """
    path = environ.get("PATH_INFO", "")
    return {"method": environ.get("REQUEST_METHOD", ""), "path": path, "route": path}


class _Request:
    """One request on its way: it records itself once, when it is done."""

    __slots__ = ("_recorder", "_started", "environ", "status")

    def __init__(self, recorder: RequestRecorder, environ: Environ) -> None:
        self._recorder: RequestRecorder | None = recorder
        self._started = perf_counter()
        self.environ = environ
        self.status = 0

    def done(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            duration_s = perf_counter() - self._started
            recorder.record(self.environ, self.status or SERVER_ERROR, duration_s)


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
            return start_response(status, headers, *error)

        try:
            return _Answer(self.app(environ, watched), request)
        except BaseException:
            request.status = SERVER_ERROR
            request.done()
            raise
