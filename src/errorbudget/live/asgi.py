"""
Counting the requests of an ASGI application: Starlette, FastAPI, or any other.

A request lasts until its answer has been sent to the end; what the application does after that, as
background tasks do, is not the client's to wait for. It counts with the status that was sent, as
500 when the application raised before the end or never answered, as 499 when it was cancelled
before it could answer, as when the client went away.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from errorbudget.live.requests import CLIENT_CLOSED, SERVER_ERROR, RequestRecorder
from errorbudget.live.routes import route_template

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker

__all__ = ["BudgetMiddleware", "request_labels"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def request_labels(scope: Scope) -> Mapping[str, object]:
    """
    Labels of a request: `method`, `path`, and `route`, its template where the framework names one.

    Templates are as they were written, from the root of the site: with the prefixes under which
    applications are mounted, and without the `root_path` of a proxy.

    Example:
        >>> request_labels({"type": "http", "method": "GET", "path": "/cart/7"})
        {'method': 'GET', 'path': '/cart/7', 'route': '/cart/7'}
    """
    path = scope["path"]
    root = scope.get("root_path", "")
    outside = scope.get("app_root_path", root)
    taken = scope.get("route")
    # A mount is not what answers: below it, nothing was found.
    route = None if hasattr(taken, "routes") else getattr(taken, "path", None)
    if route is None or root != outside:
        template = route_template(scope)
        if template is not None:
            route = template
        elif route is None:
            route = path
        elif root.startswith(outside):
            route = root[len(outside) :] + route
    return {"method": scope["method"], "path": path, "route": route}


class BudgetMiddleware:
    """
    Counts every HTTP request of *app* in *tracker*; all else passes through.

    Args:
        app: The application.
        tracker: Where to count.
        labels: From the ASGI scope of a request that is done to the labels that indicators ask for.

    Attributes:
        recorder: Counts, and how often that failed.

    Example:
        >>> from errorbudget import SLO, Availability, Tracker
        >>> tracker = Tracker(SLO("api", target="99.9%", window="30d", sli=Availability()))
        >>> async def app(scope, receive, send):
        ...     await send({"type": "http.response.start", "status": 200, "headers": []})
        ...     await send({"type": "http.response.body", "body": b"hello"})
        >>> app = BudgetMiddleware(app, tracker)
    """

    def __init__(
        self,
        app: Application,
        tracker: Tracker,
        labels: Callable[[Scope], Mapping[str, object]] = request_labels,
    ) -> None:
        self.app = app
        self.recorder = RequestRecorder(tracker, labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        trailers = answered = False
        record = self.recorder.record

        # A plain function: whatever is not the last part goes on without a coroutine around it.
        def watched(message: Message) -> Awaitable[None]:
            nonlocal status, trailers, answered
            kind = message["type"]
            if kind == "http.response.start":
                status = message["status"]
                trailers = message.get("trailers", False)
                return send(message)
            # What ends nearly every answer is told apart first.
            if kind == "http.response.body" and not trailers:
                ends = not message.get("more_body", False)
            else:
                ends = _ends(kind, message, trailers)
            if answered or not ends:
                return send(message)
            answered = True
            return _last(send, message, record, scope, status or SERVER_ERROR, started)

        started = perf_counter()
        try:
            await self.app(scope, receive, watched)
        except CancelledError:
            status = status or CLIENT_CLOSED
            raise
        except BaseException:
            status = SERVER_ERROR
            raise
        finally:
            if not answered:
                record(scope, status or SERVER_ERROR, perf_counter() - started)


async def _last(
    send: Send,
    message: Message,
    record: Callable[[Scope, int, float], None],
    scope: Scope,
    status: int,
    started: float,
) -> None:
    try:
        await send(message)
    except CancelledError:
        raise
    except BaseException:
        status = SERVER_ERROR
        raise
    finally:
        record(scope, status, perf_counter() - started)


def _ends(kind: str, message: Message, trailers: bool) -> bool:
    """Whether *message* is the last of an answer."""
    if kind == "http.response.zerocopysend":
        return not trailers and not message.get("more_body", False)
    if kind == "http.response.trailers":
        return not message.get("more_trailers", False)
    return kind == "http.response.pathsend" and not trailers
