"""Requests through real servers are counted once each, with what the client saw."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest

import errorbudget as eb
from errorbudget.live import Tracker, asgi, wsgi

API = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
FAST = eb.SLO("fast", target="99%", window="1d", sli=eb.Latency("400ms"))
CART = eb.SLO(
    "cart", target="99%", window="1d", sli=eb.Availability(where={"route": r"/items/\{item\}"})
)


def ask(port: int, *paths: str) -> list[tuple[int, bytes]]:
    """Status and body of each path, over one connection where the server keeps it."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in paths:
        connection.request("GET", path)
        try:
            response = connection.getresponse()
            found.append((response.status, response.read()))
        except http.client.HTTPException:
            found.append((0, b""))
            connection.close()
    connection.close()
    return found


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 10 s"
        time.sleep(0.005)


@contextmanager
def uvicorn_server(app: Any) -> Iterator[int]:
    uvicorn = pytest.importorskip("uvicorn", reason="missing: uvicorn; make test")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", ws="none", lifespan="off", http="h11")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def wsgi_server(app: Any) -> Iterator[int]:
    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def get_stderr(self) -> Any:
            import io

            return io.StringIO()

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(10)


# ------------------------------------------------------------------ ASGI


def test_starlette_under_uvicorn() -> None:
    """Answers, failures, streams that break, and slow ones count as what they are."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route

    async def hello(request: Request) -> Response:
        return PlainTextResponse("hello")

    async def broken(request: Request) -> Response:
        raise RuntimeError("boom")

    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.5)
        return PlainTextResponse("at last")

    async def torn(request: Request) -> Response:
        async def parts() -> Any:
            yield b"some"
            raise RuntimeError("boom")

        return StreamingResponse(parts())

    tracker = Tracker([API, FAST])
    routes = [Route(f"/{f.__name__}", f) for f in (hello, broken, slow, torn)]
    app = asgi.BudgetMiddleware(Starlette(routes=routes), tracker)
    with uvicorn_server(app) as port:
        answers = ask(port, "/hello", "/hello", "/nothing", "/slow", "/broken")
        answers += ask(port, "/torn")  # a server closes the connection on which an app failed
        until(lambda: tracker.counts("api").total == 6)
    assert [status for status, _ in answers] == [200, 200, 404, 200, 500, 0]
    assert answers[0][1] == b"hello"
    assert tracker.counts("api") == eb.Counts(good=4, bad=2)
    assert tracker.counts("fast").bad == 1
    assert app.recorder.failures == 0


def test_fastapi_names_the_route() -> None:
    """An SLO on one route template counts that route's requests only."""
    fastapi = pytest.importorskip("fastapi", reason="missing: fastapi; make test")
    api = fastapi.FastAPI()

    @api.get("/items/{item}")
    def item(item: int) -> dict[str, int]:
        if item == 13:
            raise fastapi.HTTPException(503)
        return {"item": item}

    @api.get("/health")
    def health() -> str:
        return "ok"

    tracker = Tracker([API, CART])
    api.add_middleware(asgi.BudgetMiddleware, tracker=tracker)
    with uvicorn_server(api) as port:
        answers = ask(port, "/items/1", "/items/13", "/health", "/items/x")
        until(lambda: tracker.counts("api").total == 4)
    assert [status for status, _ in answers] == [200, 503, 200, 422]
    assert tracker.counts("cart") == eb.Counts(good=2, bad=1)


def test_what_runs_after_the_answer_is_no_latency() -> None:
    """Background tasks, also failing ones, change neither the duration nor the verdict."""
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    done = []

    async def late() -> None:
        await asyncio.sleep(0.5)
        done.append(True)

    async def fails() -> None:
        done.append(True)
        raise RuntimeError("boom")

    async def quick(request: Request) -> Response:
        return PlainTextResponse("hello", background=BackgroundTask(late))

    async def doomed(request: Request) -> Response:
        return PlainTextResponse("hello", background=BackgroundTask(fails))

    tracker = Tracker([API, FAST])
    routes = [Route(f"/{f.__name__}", f) for f in (quick, doomed)]
    with uvicorn_server(asgi.BudgetMiddleware(Starlette(routes=routes), tracker)) as port:
        answers = ask(port, "/quick") + ask(port, "/doomed")
        until(lambda: len(done) == 2)
    assert [status for status, _ in answers] == [200, 200]
    assert tracker.counts("api") == eb.Counts(good=2, bad=0)
    assert tracker.counts("fast") == eb.Counts(good=2, bad=0)


@pytest.mark.parametrize(
    ("messages", "ends"),
    [
        ([("body", {"more_body": True}), ("body", {})], 2),
        ([("body", {}), ("trailers", {"more_trailers": True}), ("trailers", {})], 3),
        ([("pathsend", {"path": "/etc/hostname"})], 1),
    ],
)
def test_where_an_answer_ends(messages: list[tuple[str, dict[str, Any]]], ends: int) -> None:
    """Streams end with their last part, trailers after it, files that the server sends at once."""
    tracker = Tracker(API)
    counted = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        trailers = any(kind == "trailers" for kind, _ in messages)
        await send({"type": "http.response.start", "status": 200, "trailers": trailers})
        for kind, told in messages:
            await send({"type": f"http.response.{kind}", **told})
            counted.append(int(tracker.counts().total))

    async def send(message: Any) -> None: ...

    asyncio.run(asgi.BudgetMiddleware(app, tracker)({"type": "http"}, send, send))
    assert counted == [0] * (ends - 1) + [1] * (len(messages) - ends + 1)


def test_a_mounted_application_keeps_its_prefix() -> None:
    """Routes are named from the root of the site, whatever serves them below."""
    fastapi = pytest.importorskip("fastapi", reason="missing: fastapi; make test")
    site, shop, cart = fastapi.FastAPI(), fastapi.FastAPI(), fastapi.FastAPI()
    for app in (site, shop, cart):
        app.get("/items/{item}")(lambda item: item)
    shop.mount("/cart", cart)
    site.mount("/shop", shop)
    found = []

    def labels(scope: Any) -> Any:
        found.append(asgi.request_labels(scope)["route"])
        return {"route": ""}

    watched = asgi.BudgetMiddleware(site, Tracker([API, CART]), labels)

    async def proxied(scope: Any, receive: Any, send: Any) -> None:
        await watched({**scope, "root_path": "/at", "path": "/at" + scope["path"]}, receive, send)

    with uvicorn_server(proxied) as port:
        answers = ask(port, "/items/1", "/shop/items/2", "/shop/cart/items/3")
        until(lambda: len(found) == 3)
    assert [status for status, _ in answers] == [200, 200, 200]
    assert found == ["/items/{item}", "/shop/items/{item}", "/shop/cart/items/{item}"]


@pytest.mark.parametrize("told", [True, False])
def test_starlette_names_the_route_under_its_mounts(told: bool) -> None:
    """From the root of the site, whether or not a release of Starlette says which route it took."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route

    async def one(request: Any) -> Any:
        return PlainTextResponse("x")

    async def other(request: Any) -> Any:
        return PlainTextResponse("y")

    items = Route("/items/{item:int}", one)
    again = Starlette(routes=[Route("/again/{item}", other), Route("/{item}/again", other)])
    routes = [items, Mount("/shop/{tenant}", routes=[items]), Mount("/sub", app=again)]
    site = Starlette(routes=routes)
    found = []

    def labels(scope: Any) -> Any:
        if not told:
            scope.pop("route", None)
        found.append(asgi.request_labels(scope)["route"])
        return {"route": ""}

    watched = asgi.BudgetMiddleware(site, Tracker([API, CART]), labels)
    paths = {
        "/items/1": "/items/{item:int}",
        "/shop/a/items/2": "/shop/{tenant}/items/{item:int}",
        "/shop/a/nothing": "/shop/a/nothing",
        "/sub/again/3": "/sub/again/{item}",
        "/sub/4/again": "/sub/{item}/again",
    }
    for path in [*paths, *paths]:
        scope = {"type": "http", "method": "GET", "path": "/at" + path, "root_path": "/at"}
        call(watched, {**scope, "headers": [], "query_string": b""})
    assert [route.removeprefix("/at") for route in found] == [*paths.values()] * 2


def test_flask_names_the_route_under_its_prefix() -> None:
    """Flask's rule, behind what a dispatcher has taken off the path."""
    flask = pytest.importorskip("flask", reason="missing: flask; make test")
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    shop = flask.Flask("shop")

    @shop.get("/items/<int:item>")
    def one(item: int) -> str:
        return str(item)

    site = flask.Flask("site")
    found = []

    def labels(environ: Any) -> Any:
        found.append(wsgi.request_labels(environ))
        return {"route": ""}

    app = DispatcherMiddleware(site, {"/shop": shop})
    with wsgi_server(wsgi.BudgetMiddleware(app, Tracker([API, CART]), labels)) as port:
        answers = ask(port, "/shop/items/7") + ask(port, "/shop/nothing/%C3%A9")
    assert [status for status, _ in answers] == [200, 404]
    assert [told["route"] for told in found] == ["/shop/items/<int:item>", "/shop/nothing/é"]
    assert [told["path"] for told in found] == ["/shop/items/7", "/shop/nothing/é"]


def test_what_runs_on_closing_is_no_latency() -> None:
    """The client has its answer before the application is closed."""

    class Answer:
        def __iter__(self) -> Any:
            yield b"hello"

        def close(self) -> None:
            time.sleep(0.5)
            raise RuntimeError("boom")

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Answer()

    tracker = Tracker([API, FAST])
    answer = wsgi.BudgetMiddleware(app, tracker)({}, lambda *_: None)
    assert b"".join(answer) == b"hello"
    with pytest.raises(RuntimeError):
        answer.close()  # type: ignore[attr-defined]
    assert tracker.counts("api") == eb.Counts(good=1, bad=0)
    assert tracker.counts("fast") == eb.Counts(good=1, bad=0)


def test_requests_at_once_lose_nothing() -> None:
    """Eight clients at a time through a real server: every request is there."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        status = 503 if scope["path"] == "/bad" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    tracker = Tracker(API)
    with uvicorn_server(asgi.BudgetMiddleware(app, tracker)) as port:
        paths = ["/good"] * 40 + ["/bad"] * 10
        clients = [threading.Thread(target=ask, args=(port, *paths)) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        until(lambda: tracker.counts().total == 400)
    assert tracker.counts() == eb.Counts(good=320, bad=80)


def call(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    asyncio.run(app(scope, receive, send))
    return sent


HTTP = {"type": "http", "method": "GET", "path": "/"}


def test_a_cancelled_request_is_the_clients() -> None:
    """Cancelled before an answer it counts as 499; an app that never answers as 500."""
    codes = eb.SLO("codes", target="99%", window="1d", sli=eb.Availability(bad="499"))
    tracker = Tracker([API, codes])

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        call(asgi.BudgetMiddleware(waits, tracker), HTTP)
    assert tracker.counts("codes") == eb.Counts(good=0, bad=1)
    assert tracker.counts("api") == eb.Counts(good=1, bad=0)

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    call(asgi.BudgetMiddleware(silent, tracker), HTTP)
    assert tracker.counts("api") == eb.Counts(good=1, bad=1)


def test_other_protocols_pass_through() -> None:
    """Websockets and lifespan events reach the app untouched and are not counted."""
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], send.__name__))

    tracker = Tracker(API)
    call(asgi.BudgetMiddleware(app, tracker), {"type": "websocket"})
    call(asgi.BudgetMiddleware(app, tracker), {"type": "lifespan"})
    assert seen == [("websocket", "send"), ("lifespan", "send")]
    assert not tracker.counts()


def test_a_failing_tracker_fails_no_request() -> None:
    """When recording raises, the request is answered and the failure counted."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def labels(scope: Any) -> Any:
        raise KeyError("no such header")

    wrapped = asgi.BudgetMiddleware(app, Tracker(CART), labels=labels)
    assert call(wrapped, HTTP)[0]["status"] == 200
    assert wrapped.recorder.failures == 1


# ------------------------------------------------------------------ WSGI


def test_flask_under_wsgiref() -> None:
    """Answers, failures and streams through Flask and a real server."""
    flask = pytest.importorskip("flask", reason="missing: flask; make test")
    app = flask.Flask("shop")

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("boom")

    @app.get("/stream")
    def stream() -> Any:
        return flask.Response(part for part in ("a", "b"))

    tracker = Tracker(API)
    app.wsgi_app = wsgi.BudgetMiddleware(app.wsgi_app, tracker)
    with wsgi_server(app) as port:
        answers = [ask(port, path)[0] for path in ("/hello", "/broken", "/stream", "/nothing")]
        until(lambda: tracker.counts().total == 4)
    assert [status for status, _ in answers] == [200, 500, 200, 404]
    assert answers[2][1] == b"ab"
    assert tracker.counts() == eb.Counts(good=3, bad=1)


def hello(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def test_it_keeps_to_the_wsgi_protocol() -> None:
    """The standard library's validator finds no fault on either side of the middleware."""
    tracker = Tracker(API)
    app = validator(wsgi.BudgetMiddleware(validator(hello), tracker))
    with wsgi_server(app) as port:
        assert ask(port, "/")[0] == (200, b"hello")
        until(lambda: tracker.counts().total == 1)


def test_an_answer_that_breaks_midway_is_bad() -> None:
    """Once: whether the app raises at once, while it sends, or while it is closed too soon."""

    class Torn:
        def __iter__(self) -> Any:
            yield b"some"
            raise RuntimeError("boom")

    class Unclosable(list[bytes]):
        def close(self) -> None:
            raise RuntimeError("boom")

    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/raise":
            raise RuntimeError("boom")
        start_response("200 OK", [])
        return Torn() if environ["PATH_INFO"] == "/torn" else Unclosable([b"x"])

    for path in ("/raise", "/torn", "/close"):
        tracker = Tracker(API)
        wrapped = wsgi.BudgetMiddleware(app, tracker)
        with (
            pytest.raises(RuntimeError),
            closing(
                wrapped({"PATH_INFO": path}, lambda *_: None)  # type: ignore[type-var]
            ) as answer,
        ):
            list(islice(answer, 0 if path == "/close" else None))
        assert tracker.counts() == eb.Counts(good=0, bad=1), path


def test_labels_of_a_wsgi_request() -> None:
    """Indicators may ask for the method and the path."""
    slo = eb.SLO("posts", target="99%", window="1d", sli=eb.Availability(where={"method": "POST"}))
    tracker = Tracker(slo)
    app = wsgi.BudgetMiddleware(hello, tracker)
    for method in ("GET", "POST"):
        app({"REQUEST_METHOD": method, "PATH_INFO": "/"}, lambda *_: None).close()  # type: ignore[attr-defined]
    assert tracker.counts().total == 1
