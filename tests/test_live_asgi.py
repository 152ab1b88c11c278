"""Which message ends an answer, what it counts as, and what its route is called."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.live import Tracker, asgi

API = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
HTTP = {"type": "http", "method": "GET", "path": "/"}


class Noted:
    """In the place of a recorder: what it is told, as status and milliseconds."""

    labels = None

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self.told: list[tuple[int, int]] = []
        moments = iter(count(7.0, 0.5))
        monkeypatch.setattr(module, "perf_counter", lambda: next(moments))

    def record(self, request: Any, status: int, duration_s: float, labels: Any = None) -> None:
        self.told.append((status, round(1_000 * duration_s)))


START = {"type": "http.response.start", "status": 404}
BODY = {"type": "http.response.body"}


def test_each_answer_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the status that was sent, when its last part was; what fails or is cut off, as that."""
    more = {**BODY, "more_body": True}
    trailers = {**START, "trailers": True}
    late = {"type": "http.response.trailers"}
    cases: list[tuple[list[Any], list[tuple[int, int]]]] = [
        ([START, BODY], [(404, 500)]),
        ([START, more, more, BODY], [(404, 500)]),
        ([START, BODY, BODY], [(404, 500)]),
        ([START, more], [(404, 500)]),
        ([trailers, BODY, late], [(404, 500)]),
        ([BODY], [(500, 500)]),
        ([], [(500, 500)]),
        ([START, RuntimeError()], [(500, 500)]),
        ([START, more, RuntimeError()], [(500, 500)]),
        ([START, BODY, RuntimeError()], [(404, 500)]),
        ([asyncio.CancelledError()], [(499, 500)]),
        ([START, more, asyncio.CancelledError()], [(404, 500)]),
    ]
    for messages, expected in cases:

        async def app(scope: Any, receive: Any, send: Any, messages: Any = messages) -> None:
            for message in messages:
                if isinstance(message, BaseException):
                    raise message
                await send(message)

        wrapped = asgi.BudgetMiddleware(app, Tracker(API))
        noted: Any = Noted(monkeypatch, asgi)
        wrapped.recorder = noted
        fails = [one for one in messages if isinstance(one, BaseException)]
        sent: list[Any] = []

        async def send(message: Any, sent: Any = sent) -> None:
            sent.append(message)

        if fails:
            with pytest.raises(type(fails[0])):
                asyncio.run(wrapped(HTTP, send, send))
        else:
            asyncio.run(wrapped(HTTP, send, send))
        assert sent == [one for one in messages if one not in fails]
        assert noted.told == expected


def test_an_answer_that_cannot_be_sent_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the client went away: then it had the status that was sent."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(BODY)

    for error, status in ((OSError, 500), (asyncio.CancelledError, 404)):

        async def send(message: Any, error: Any = error) -> None:
            if message is BODY:
                raise error

        wrapped = asgi.BudgetMiddleware(app, Tracker(API))
        noted: Any = Noted(monkeypatch, asgi)
        wrapped.recorder = noted
        with pytest.raises(error):
            asyncio.run(wrapped(HTTP, send, send))
        assert noted.told == [(status, 500)]


@pytest.mark.parametrize(
    ("kind", "told", "trailers", "ends"),
    [
        ("zerocopysend", {}, False, True),
        ("zerocopysend", {"more_body": True}, False, False),
        ("zerocopysend", {}, True, False),
        ("trailers", {}, True, True),
        ("trailers", {"more_trailers": True}, True, False),
        ("pathsend", {}, False, True),
        ("pathsend", {}, True, False),
        ("debug", {}, False, False),
        ("body", {}, True, False),
    ],
)
def test_which_part_is_the_last(kind: str, told: Any, trailers: bool, ends: bool) -> None:
    """Where a body is followed by trailers, these end it."""
    assert asgi._ends(f"http.response.{kind}", told, trailers) is ends


class Thing:
    """Has what it is given, as routes and routers do."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)


def test_the_route_is_told_from_the_root_of_the_site() -> None:
    """As the framework says, below the prefixes of its mounts, and else as the path."""
    base = {"method": "GET", "path": "/at/shop/items/7"}
    item = Thing(path="/items/{item}")
    endpoint = Thing()
    inner = Thing(routes=[Thing(path="/items/{item}", endpoint=endpoint)])
    router = Thing(routes=[Thing(path="/shop", routes=inner.routes)])
    asked = {"router": router, "endpoint": endpoint, "path_params": {"item": "7"}}
    for scope, route in (
        ({}, "/at/shop/items/7"),
        ({"route": Thing(path="/shop", routes=[])}, "/at/shop/items/7"),
        ({"route": item}, "/items/{item}"),
        ({"route": item, "root_path": "/at"}, "/items/{item}"),
        ({"route": item, "root_path": "/at/shop", "app_root_path": "/at"}, "/shop/items/{item}"),
        ({"route": item, "root_path": "/a", "app_root_path": "/b"}, "/items/{item}"),
        ({"route": item, "root_path": "/x/at", "app_root_path": "/at"}, "/items/{item}"),
        ({"root_path": "/at/shop", "app_root_path": "/at"}, "/at/shop/items/7"),
        (asked, "/shop/items/{item}"),
        ({"route": item, **asked}, "/items/{item}"),
        ({"route": item, "root_path": "/y", "app_root_path": "", **asked}, "/shop/items/{item}"),
    ):
        assert asgi.request_labels({**base, **scope}) == {**base, "route": route}
