"""When a WSGI answer has ended, what it counts as, and whose labels it has."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.live import Tracker, wsgi

API = eb.SLO("api", target="99%", window="1d", sli=eb.Availability())
CART = API.replace(name="cart", sli=eb.Availability(where={"route": r"/items/\{item\}"}))


class Noted:
    """In the place of a recorder: what it is told, as status and milliseconds."""

    labels = None

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self.told: list[tuple[int, int]] = []
        moments = iter(count(7.0, 0.5))
        monkeypatch.setattr(module, "perf_counter", lambda: next(moments))

    def record(self, request: Any, status: int, duration_s: float, labels: Any = None) -> None:
        self.told.append((status, round(1_000 * duration_s)))


class Parts:
    """An answer in two parts, which fails where it is asked to."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails

    def __iter__(self) -> Any:
        yield b"a"
        if self.fails == "between":
            raise RuntimeError
        yield b"b"

    def close(self) -> None:
        if self.fails == "close":
            raise RuntimeError


def test_each_answer_to_a_server_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server has asked for what comes after its last part, or closes it before."""

    def answered(app: Any) -> tuple[Any, Any]:
        noted: Any = Noted(monkeypatch, wsgi)
        wrapped = wsgi.BudgetMiddleware(app, Tracker(API))
        wrapped.recorder = noted
        return wrapped({}, lambda *_: print), noted

    def app(answer: Any) -> Any:
        def begun(environ: Any, start_response: Any) -> Any:
            assert start_response("404 Not Found", [], None) is print
            return answer

        return begun

    answer, noted = answered(app(Parts()))
    parts = iter(answer)
    assert [next(parts), next(parts), noted.told] == [b"a", b"b", []]
    assert next(parts, None) is None
    assert noted.told == [(404, 500)]
    answer.close()
    answer, noted = answered(app([b"x"]))
    assert len(answer) == 1
    answer.close()
    assert noted.told == [(404, 500)]
    answer, noted = answered(app(Parts("between")))
    with pytest.raises(RuntimeError):
        list(answer)
    answer.close()
    assert noted.told == [(500, 500)]
    answer, noted = answered(app(Parts("close")))
    parts = iter(answer)
    next(parts)
    parts.close()
    assert noted.told == []
    with pytest.raises(RuntimeError):
        answer.close()
    assert noted.told == [(500, 500)]
    answer, noted = answered(lambda environ, start_response: [])
    assert list(answer) == []
    assert noted.told == [(500, 500)]


def test_what_a_request_is_labelled_with() -> None:
    """Paths as they were meant, below the prefix; the rule where Flask names one."""
    rule = type("Request", (), {"url_rule": type("Rule", (), {"rule": "/items/<item>"})})
    base = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/shop", "PATH_INFO": "/caf\xc3\xa9"}
    for environ, path, route in (
        (base, "/shop/caf\u00e9", "/shop/caf\u00e9"),
        ({**base, "werkzeug.request": rule}, "/shop/caf\u00e9", "/shop/items/<item>"),
        ({**base, "PATH_INFO": "/a"}, "/shop/a", "/shop/a"),
        ({**base, "PATH_INFO": "/\xff"}, "/shop/\ufffd", "/shop/\ufffd"),
    ):
        assert wsgi.request_labels(environ) == {"method": "GET", "path": path, "route": route}
    assert wsgi.request_labels({}) == {"method": "", "path": "", "route": ""}


def test_labels_are_those_of_when_the_answer_begins() -> None:
    """A framework may forget them before the answer is sent; what begins late is passed on."""
    kept: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        environ["route"] = "/items/{item}"
        start_response("200 OK", [])
        del environ["route"]
        kept.append(start_response)
        return []

    tracker = Tracker(CART)
    labels = lambda environ: {"route": environ["route"]}  # noqa: E731
    answer = wsgi.BudgetMiddleware(app, tracker, labels)({}, lambda *_: print)
    list(answer)
    assert tracker.counts() == eb.Counts(good=1, bad=0)
    assert kept[0]("500 Too late", []) is print
    answer.close()  # type: ignore[attr-defined]
    assert tracker.counts() == eb.Counts(good=1, bad=0)
