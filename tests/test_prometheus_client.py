"""Asking a server: retries, deadlines, redirects, secrets and pieces, over injected transports."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import logging
import os
import pickle
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    InvalidSeriesError,
    SourceError,
    SourceResponseError,
    SourceUnavailableError,
)
from errorbudget.sources.prometheus import (
    TLS,
    AsyncClient,
    Basic,
    Bearer,
    Client,
    Connection,
    Request,
    Response,
    Retry,
    Secret,
)
from errorbudget.sources.prometheus.ranges import split_grid, split_span
from tests.certificates import make_certificates

URL = "http://127.0.0.1:9090"
CANARY = "swordfish-canary"
OK = {"status": "success", "data": {"resultType": "scalar", "result": [0, "42"]}}


def body(payload: Any) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()


def replies(*answers: Response | Exception) -> Callable[[Request], Response]:
    """A transport that gives each answer once, the last one for ever; `.seen` are the requests."""

    def transport(request: Request) -> Response:
        seen.append(request)
        answer = answers[min(len(seen), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    seen: list[Request] = []
    transport.seen = seen  # type: ignore[attr-defined]
    return transport


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def ask(kind: str, transport: Any, clock: Clock | None = None, **settings: Any) -> Any:
    """The scalar that a sync or an async client gets."""
    clock = clock or Clock()
    settings = {"clock": clock, "draw": lambda: 0.0, **settings}
    server = settings.pop("server", URL)
    if kind == "sync":
        client = Client(server, transport=transport, sleep=clock.sleep, **settings)
        return client.query("42", at=0)

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    other = AsyncClient(server, transport=transport, sleep=sleep, **settings)
    return asyncio.run(other.query("42", at=0))


both = pytest.mark.parametrize("kind", ["sync", "async"])


# --------------------------------------------------------------------------------------- retries


@both
@pytest.mark.parametrize("first", [429, 500, 502, 503, 504])
def test_a_passing_trouble_is_waited_out(kind: str, first: int) -> None:
    """429 and 5xx are tried again, each wait twice the one before."""
    clock, transport = (
        Clock(),
        replies(Response(first), Response(first), Response(200, {}, body(OK))),
    )
    assert ask(kind, transport, clock).only() == 42
    assert clock.waits == [0.5, 1.0]


@both
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422])
def test_a_wrong_question_is_asked_once(kind: str, status: int) -> None:
    """A query that is wrong does not get better by asking again."""
    transport = replies(Response(status, {}, b"no"))
    with pytest.raises(SourceResponseError, match=f"status {status}") as caught:
        ask(kind, transport)
    assert caught.value.status == status
    assert caught.value.query == "42"
    assert len(transport.seen) == 1  # type: ignore[attr-defined]


@both
def test_timeouts_are_tried_again_and_end(kind: str) -> None:
    """A timeout is tried again, as often as allowed, and then it is the error."""
    transport = replies(TimeoutError())
    with pytest.raises(SourceUnavailableError, match="3 attempts: timeout"):
        ask(kind, transport, retry=Retry(attempts=3))
    assert len(transport.seen) == 3  # type: ignore[attr-defined]


@both
def test_a_refused_connection_is_not_tried_again(kind: str) -> None:
    """Nobody listens: that is said at once."""
    transport = replies(ConnectionRefusedError("refused"))
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        ask(kind, transport)
    assert len(transport.seen) == 1  # type: ignore[attr-defined]


@both
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        (
            {
                "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT",
                "date": "Thu, 01 Jan 2026 00:00:00 GMT",
            },
            9.0,
        ),
        ({"retry-after": "soon"}, 0.5),
        ({"retry-after": "0"}, 0.5),
    ],
)
def test_retry_after_is_honoured(kind: str, headers: dict[str, str], wait: float) -> None:
    """The server's own wish comes before our back-off, as seconds or as a date."""
    clock = Clock()
    ask(kind, replies(Response(429, headers), Response(200, {}, body(OK))), clock)
    assert clock.waits == [wait]


@both
def test_no_wait_goes_past_the_deadline(kind: str) -> None:
    """A wait that would end too late is not begun."""
    clock = Clock()
    with pytest.raises(SourceUnavailableError, match="after the deadline"):
        ask(kind, replies(Response(503, {"retry-after": "600"})), clock, deadline="10s")
    assert clock.waits == []


@both
def test_a_hanging_server_is_left_at_the_deadline(kind: str) -> None:
    """A transport that never returns does not keep the caller."""
    release = threading.Event()

    def hangs(_: Request) -> Response:
        release.wait(20)
        return Response(200, {}, body(OK))

    async def hangs_too(_: Request) -> Response:
        await asyncio.sleep(20)
        return Response(200, {}, body(OK))

    begun = time.monotonic()
    try:
        with pytest.raises(SourceUnavailableError):
            _really(kind, hangs, hangs_too)
    finally:
        release.set()
    assert time.monotonic() - begun < 2


def _really(kind: str, hangs: Any, hangs_too: Any) -> Any:
    settings: dict[str, Any] = {"deadline": "200ms", "retry": Retry(attempts=1)}
    if kind == "sync":
        return Client(URL, transport=hangs, **settings).query("42", at=0)
    return asyncio.run(AsyncClient(URL, transport=hangs_too, **settings).query("42", at=0))


@given(st.integers(1, 12), st.floats(0, 0.999))
def test_waits_grow_to_a_limit(attempt: int, draw: float) -> None:
    """A wait is never longer than the longest, nor shorter than three quarters of its plan."""
    retry = Retry()
    planned = min(30.0, 0.5 * 2 ** (attempt - 1))
    assert 0.75 * planned <= retry.wait_s(attempt, draw) <= planned


# ----------------------------------------------------------------------- redirects and credentials

LOCKED = Connection(
    f"http://slo:{CANARY}-url@127.0.0.1:9090/prom",
    headers={"X-Key": f"{CANARY}-header"},
    tenant="team-a",
)


@both
@pytest.mark.parametrize(
    "target",
    [
        "http://elsewhere:9090/prom",
        "https://127.0.0.1:9090/prom",
        "http://127.0.0.1:9091/x",
        "//evil/x",
    ],
)
def test_no_other_host_gets_the_credentials(kind: str, target: str) -> None:
    """A redirect to another scheme, host or port is refused before anything is sent there."""
    transport = replies(Response(302, {"location": target}), Response(200, {}, body(OK)))
    with pytest.raises(SourceResponseError, match="another server") as caught:
        ask(kind, transport, server=LOCKED)
    assert len(transport.seen) == 1  # type: ignore[attr-defined]
    assert CANARY not in str(caught.value)


@both
def test_a_redirect_on_the_same_server_is_followed(kind: str) -> None:
    """A server may move its paths."""
    transport = replies(
        Response(308, {"location": "/other/api/v1/query"}), Response(200, {}, body(OK))
    )
    assert ask(kind, transport, server=LOCKED).only() == 42
    first, second = transport.seen  # type: ignore[attr-defined]
    assert first.url == "http://127.0.0.1:9090/prom/api/v1/query"
    assert second.url == "http://127.0.0.1:9090/other/api/v1/query"
    assert second.headers["Authorization"].startswith("Basic ")


def test_a_redirect_in_a_circle_ends() -> None:
    """Going round is noticed."""
    with pytest.raises(SourceResponseError, match="circle"):
        ask("sync", replies(Response(302, {"location": "/api/v1/query"})))


@pytest.mark.parametrize(
    "connection",
    [
        LOCKED,
        Connection(URL, auth=Bearer(CANARY)),
        Connection(URL, auth=Basic("slo", CANARY), headers={"X-Key": CANARY + "2"}),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_secrets_are_shown_nowhere(
    connection: Connection, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a repr, an error, its cause, its attributes or a log, even when echoed to us."""
    caplog.set_level(logging.DEBUG)

    def echoing(request: Request) -> Response:
        shown.append(repr(request))
        echo = f"who sent {dict(request.headers)}?"
        return Response(status, {}, echo.encode())

    shown: list[str] = []
    client = Client(connection, transport=echoing, retry=Retry(attempts=1))
    with pytest.raises(ErrorBudgetError) as caught:
        client.query("up", at=0)
    error: BaseException | None = caught.value
    while error is not None:
        shown += [repr(error), str(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    shown += [repr(client), repr(connection), repr(connection.auth), str(connection.auth)]
    shown += [caplog.text]
    assert not [text for text in shown if CANARY in text]


def test_a_secret_is_not_pickled() -> None:
    """A secret does not slip to disk or to another process."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    assert str(Secret(CANARY)) == "Secret('***')"


def test_requests_carry_what_was_asked_for(tmp_path: Any) -> None:
    """Credentials, tenant, further headers and parameters, and the path prefix."""
    token = tmp_path / "token"
    token.write_text("first\n")
    connection = Connection(
        URL + "/mimir/prometheus/",
        auth=Bearer(token_file=token),
        tenant="a|b",
        headers={"X-More": "1"},
        params={"dedup": "true"},
    )
    transport = replies(Response(200, {}, body(OK)))
    client = Client(connection, transport=transport)
    client.query("up", at="2026-03-01T00:00:00.5Z")
    token.write_text("second")
    client.query("up", at=0)
    first, second = transport.seen  # type: ignore[attr-defined]
    assert first.url == URL + "/mimir/prometheus/api/v1/query"
    assert first.headers["Authorization"] == "Bearer first"
    assert second.headers["Authorization"] == "Bearer second"
    assert first.headers["X-Scope-OrgID"] == "a|b"
    form = parse_qs(first.body.decode())
    assert form == {"query": ["up"], "time": ["1772323200.500"], "dedup": ["true"]}
    Client(connection, transport=transport, method="GET").query("up", at=0)
    last = transport.seen[-1]  # type: ignore[attr-defined]
    assert (last.method, last.body) == ("GET", b"")
    assert parse_qs(urlsplit(last.url).query)["query"] == ["up"]


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "ftp://x/", "http://", f"htp://u:{CANARY}@x/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """And what is shown of it holds no password."""
    with pytest.raises(InvalidInputError, match="not the address") as caught:
        Connection(url)
    assert CANARY not in str(caught.value)


def test_contradictions_are_refused(tmp_path: Any) -> None:
    """Credentials twice, no secret, an unreadable file, a query in the address, no concurrency."""
    with pytest.raises(InvalidInputError, match="both"):
        Connection("http://a:b@x/", auth=Bearer("c"))
    with pytest.raises(InvalidInputError, match="either"):
        Basic("user")
    with pytest.raises(InvalidInputError, match="either"):
        Bearer("a", "b")
    with pytest.raises(InvalidInputError, match="params"):
        Connection("http://x/?a=b")
    with pytest.raises(SourceUnavailableError, match="cannot read"):
        Bearer(token_file=tmp_path / "none").header  # noqa: B018
    with pytest.raises(SourceUnavailableError, match="certificates"):
        TLS(ca=tmp_path / "none").context()
    for wrong in ({"concurrency": 0}, {"method": "PUT"}):
        with pytest.raises(InvalidInputError):
            Client(URL, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        Retry(attempts=0)


# ----------------------------------------------------------------------------------------- pieces


@given(st.integers(-1000, 1000), st.integers(0, 5000), st.integers(1, 60), st.integers(1, 50))
def test_pieces_of_a_grid_are_the_grid(start: int, length: int, step: int, most: int) -> None:
    """Every instant is in exactly one piece, and no piece has too many."""
    pieces = split_grid(start, start + length, step, most)
    covered = [t for piece in pieces for t in range(piece.start_ms, piece.end_ms + 1, step)]
    assert covered == list(range(start, start + length + 1, step))
    assert all((piece.end_ms - piece.start_ms) // step < most for piece in pieces)


@given(st.integers(-1000, 1000), st.integers(1, 5000), st.integers(1, 700))
def test_pieces_of_a_span_are_the_span(start: int, length: int, longest: int) -> None:
    """Pieces (a, b] follow each other without gap or overlap, newest first."""
    pieces = split_span(start, start + length, longest)
    assert pieces[0].end_ms == start + length
    assert pieces[-1].start_ms == start
    assert all(a.start_ms == b.end_ms for a, b in pairwise(pieces))
    assert all(0 < piece.end_ms - piece.start_ms <= longest for piece in pieces)


def grid_server(request: Request, fail: Callable[[int], bool] = lambda _: False) -> Response:
    """A server of one counter that grows by one a second."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    start, end, step = (float(form[name]) for name in ("start", "end", "step"))
    if fail(int(start)):
        return Response(422, {}, body({"status": "error", "errorType": "execution", "error": "no"}))
    count = int((end - start) // step) + 1
    values = [[start + i * step, str(int(start + i * step))] for i in range(count)]
    result = {"resultType": "matrix", "result": [{"metric": {"job": "a"}, "values": values}]}
    return Response(
        200, {}, body({"status": "success", "data": result, "warnings": ["slow store"]})
    )


def fetch(kind: str, client: Any, wanted: str, *args: Any, **given: Any) -> Any:
    found = getattr(client, wanted)(*args, **given)
    return asyncio.run(found) if inspect.isawaitable(found) else found


def client_of(kind: str, transport: Any, **settings: Any) -> Any:
    return (Client if kind == "sync" else AsyncClient)(URL, transport=transport, **settings)


@both
def test_a_long_range_comes_in_pieces(kind: str) -> None:
    """25,000 points are three requests and one matrix."""
    seen = []

    def transport(request: Request) -> Response:
        seen.append(request)
        return grid_server(request)

    client = client_of(kind, transport)
    fetched = fetch(kind, client, "query_range", "x", start=0, end=24_999 * 10**9, step="1s")
    assert len(seen) == 3
    assert fetched.complete
    assert fetched.warnings == ("slow store",)
    matrix = fetched.require()
    assert matrix.t_ms.tolist() == [1000 * i for i in range(25_000)]
    assert matrix.values.tolist() == [float(i) for i in range(25_000)]


@both
def test_what_came_is_kept_and_resumed(kind: str) -> None:
    """Half the pieces fail: they are named, the others stay, asking again fills the gaps."""
    failing, seen = True, []

    def transport(request: Request) -> Response:
        seen.append(request)
        return grid_server(request, lambda start: failing and start // 1000 % 2 == 1)

    client = client_of(kind, transport, most_points=1000)
    fetched = fetch(kind, client, "query_range", "x", start=0, end=9_999 * 10**9, step="1s")
    assert len(fetched.matrix.values) == 5000
    assert [one.stretch.start_ms for one in fetched.missing] == [
        1_000_000 * i for i in (1, 3, 5, 7, 9)
    ]
    assert "1970-01-01T00:16:40Z" in str(fetched.missing[0])
    with pytest.raises(SourceResponseError, match="execution: no") as caught:
        fetched.require()
    assert "and 4 more" in "".join(caught.value.__notes__)
    failing, asked = False, len(seen)
    whole = fetch(kind, client, "resume", fetched)
    assert len(seen) - asked == 5
    assert whole.complete
    assert whole.matrix.values.tolist() == [float(i) for i in range(10_000)]


@both
def test_what_came_is_kept_in_a_folder(kind: str, tmp_path: Path) -> None:
    """Another process goes on with the rest; broken files and young pieces are asked for anew."""
    failing, seen = True, []
    date = {"date": "Thu, 01 Jan 1970 03:30:00 GMT"}

    def transport(request: Request) -> Response:
        seen.append(request)
        found = grid_server(request, lambda start: failing and start == 3 * 1000)
        return Response(found.status, date, found.body.replace(b"slow store", b"PromQL info: x"))

    def asked(**settings: Any) -> tuple[Any, list[int]]:
        seen.clear()
        server = Connection(URL, auth=Basic("slo", CANARY), headers={"X-Key": CANARY})
        kinds = {"sync": Client, "async": AsyncClient}
        client = kinds[kind](
            settings.pop("server", server), transport=transport, most_points=1000, keep=tmp_path
        )
        span = {"start": 0, "end": 9_999 * 10**9, "step": "1s", **settings}
        found = fetch(kind, client, "query_range", "x", **span)
        starts = sorted(int(parse_qs(one.body.decode())["start"][0]) for one in seen)
        return found, [start // 1000 for start in starts]

    broken, starts = asked()
    assert starts == [*range(10)]
    assert len(broken.missing) == 1
    failing = False
    # What ended in the hour before the server's own time may still get samples.
    whole, starts = asked()
    assert starts == [3, 9]
    assert whole.require().values.tolist() == [float(i) for i in range(10_000)]
    assert whole.infos == broken.infos == ("PromQL info: x",)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 9
    assert not any(CANARY.encode() in gzip.decompress(file.read_bytes()) for file in files)
    files[0].write_bytes(files[0].read_bytes()[:-9])
    again, starts = asked()
    assert len(starts) == 2
    assert again.require().values.tolist() == whole.matrix.values.tolist()
    # Another tenant, user or step is another question.
    assert len(asked(server=Connection(URL, tenant="b"))[1]) == 10
    assert len(asked(step="2s")[1]) == 5


def test_what_is_doubtful_is_not_kept(tmp_path: Path) -> None:
    """Warnings, errors, broken answers and servers without a clock leave no file."""
    date = {"date": "Fri, 02 Jan 1970 00:00:00 GMT"}
    span = {"start": 0, "end": 60 * 10**9, "step": "1s"}
    good = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    for answer in (
        Response(200, {}, body(good)),
        Response(200, {"date": "soon"}, body(good)),
        Response(200, date, body({**good, "warnings": ["store s3 did not answer"]})),
        Response(200, date, body(good)[:-5]),
        Response(422, date, body({"status": "error", "errorType": "execution", "error": "no"})),
    ):
        Client(URL, transport=replies(answer), keep=tmp_path).query_range("x", **span)
        assert not list(tmp_path.iterdir())
    client = Client(URL, transport=replies(Response(200, date, body(good))), keep=tmp_path)
    client.query_range("x", **span)
    assert len(list(tmp_path.iterdir())) == 1
    file = next(tmp_path.iterdir())
    with pytest.raises(SourceUnavailableError, match="another folder"):
        Client(URL, keep=file)


def test_halves_of_a_killed_process(tmp_path: Path) -> None:
    """A file that was being written does not count; old ones are swept, those of the living not."""
    date = {"date": "Fri, 02 Jan 1970 00:00:00 GMT"}
    good = body({"status": "success", "data": {"resultType": "matrix", "result": []}})
    asked = replies(*[Response(200, date, good)] * 2)
    span = {"start": 0, "end": 60 * 10**9, "step": "1s"}
    Client(URL, transport=asked, keep=tmp_path).query_range("x", **span)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(b"")
    for name, age_s in (("old.half", 7200), ("new.half", 0)):
        (tmp_path / name).write_bytes(good[:9])
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    Client(URL, transport=asked, keep=tmp_path).query_range("x", **span)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([kept.name, "new.half"])
    assert gzip.decompress(kept.read_bytes()) == good


def test_one_deadline_for_all_calls() -> None:
    """Where a person waits, every further call has what is left of the time."""
    clock = Clock()

    def slow(_: Request) -> Response:
        clock.now += 2
        return Response(200, {}, body(OK))

    settings: Any = {"transport": slow, "clock": clock, "sleep": clock.sleep, "deadline": "5s"}
    client = Client(URL, **settings)
    assert [client.query("42", at=0).only() for _ in range(4)] == [42.0] * 4
    client.one_deadline()
    for _ in range(3):
        client.query("42", at=0)
    with pytest.raises(SourceUnavailableError, match="deadline"):
        client.query("42", at=0)


@both
def test_no_more_requests_at_once_than_allowed(kind: str) -> None:
    """Concurrency is bounded."""
    under_way, most, lock = 0, 0, threading.Lock()

    def transport(request: Request) -> Response:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.01)
        with lock:
            under_way -= 1
        return grid_server(request)

    client = client_of(kind, transport, most_points=100, concurrency=3)
    fetch(kind, client, "query_range", "x", start=0, end=1_999 * 10**9, step="1s")
    assert 1 < most <= 3


@both
def test_raw_samples_come_by_the_day(kind: str) -> None:
    """Raw samples are range selectors in instant queries, on whole days."""
    seen = []

    def transport(request: Request) -> Response:
        seen.append({name: value[0] for name, value in parse_qs(request.body.decode()).items()})
        result = {"resultType": "matrix", "result": []}
        return Response(200, {}, body({"status": "success", "data": result}))

    client = client_of(kind, transport, concurrency=1)
    start, end = "2026-02-27T12:00:00Z", "2026-03-01T06:00:00Z"
    assert fetch(kind, client, "samples", "up", start=start, end=end).complete
    assert [(one["query"], one["time"]) for one in seen] == [
        ("up[21600000ms]", "1772344800"),
        ("up[86400000ms]", "1772323200"),
        ("up[43200000ms]", "1772236800"),
    ]


@both
def test_the_version_tells_the_rules(kind: str) -> None:
    """The server says which rules it follows; a server that does not is no Prometheus."""
    for version, rules in (("2.42.0", "prom2.42"), ("2.53.3", "prom2.53"), ("3.5.3+ds1", "prom3")):
        reply = Response(200, {}, body({"status": "success", "data": {"version": version}}))
        assert fetch(kind, client_of(kind, replies(reply)), "rules") == rules
    with pytest.raises(SourceResponseError, match="version"):
        fetch(kind, client_of(kind, replies(Response(200, {}, body(OK)))), "rules")


@pytest.mark.parametrize(
    ("payload", "match"),
    [
        (b"", "not JSON"),
        (b"<html>login</html>", "not JSON"),
        (b"[]", "no object"),
        (b'{"status":"error","errorType":"bad_data","error":"oh"}', "bad_data: oh"),
        (b'{"status":"success","data":{"resultType":"vector","result":[{}]}}', "vector"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1]}}', "scalar"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1e999,"1"]}}', "scalar"),
        (b'{"status":"success","data":{"resultType":"scalar","result":[1,"1_0"]}}', "scalar"),
        (b'{"status":"success","data":{"resultType":"scalar","result":"12"}}', "scalar"),
        (b'{"status":"success","data":{"resultType":"tensor","result":[]}}', "tensor"),
    ],
)
def test_an_answer_without_sense_is_named(payload: bytes, match: str) -> None:
    """Whatever comes with status 200 is looked at before it is believed."""
    with pytest.raises(SourceResponseError, match=match) as caught:
        ask("sync", replies(Response(200, {}, payload)))
    assert caught.value.query == "42"


def test_replicas_in_a_vector_are_told_as_such() -> None:
    """Not as an answer that cannot be read."""
    rows = [{"metric": {"a": "b"}, "value": [1, value]} for value in ("1", "2")]
    reply = body({"status": "success", "data": {"resultType": "vector", "result": rows}})
    with pytest.raises(InvalidSeriesError, match="told apart by a label"):
        ask("sync", replies(Response(200, {}, reply)))


# --------------------------------------------------------------------------- over real connections


@contextmanager
def serving(
    answer: Callable[[BaseHTTPRequestHandler], None], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(
    handler: BaseHTTPRequestHandler, payload: bytes, length: int | None = None, **headers: str
) -> None:
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(payload) if length is None else length))
    handler.end_headers()
    handler.wfile.write(payload)


def truncated(handler: BaseHTTPRequestHandler) -> None:
    send(handler, body(OK)[:20], len(body(OK)))
    handler.close_connection = True


def broken_gzip(handler: BaseHTTPRequestHandler) -> None:
    send(handler, gzip.compress(body(OK))[:-12] + b"x" * 12, Content_Encoding="gzip")


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)
    send(handler, body(OK))


def real(kind: str, url: str, **settings: Any) -> Any:
    if kind == "sync":
        with Client(url, **settings) as client:
            return client.query("42", at=0)

    async def asked() -> Any:
        async with AsyncClient(url, **settings) as client:
            return await client.query("42", at=0)

    return asyncio.run(asked())


def test_a_hanging_answer_does_not_hold_up_the_process() -> None:
    """A thread that was left at the deadline ends with the process, and not the other way round."""
    pytest.importorskip("httpx2")
    code = (
        "import sys, time\n"
        "from errorbudget.sources.prometheus import Client\n"
        "def hang(request):\n"
        "    time.sleep(60)\n"
        "client = Client('http://127.0.0.1:1', transport=hang, deadline='100ms')\n"
        "try:\n"
        "    client.query('up', at=0)\n"
        "except Exception as error:\n"
        "    print(type(error).__name__)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=True)
    assert done.stdout.strip() == "SourceUnavailableError"


@both
@pytest.mark.parametrize("fault", [truncated, broken_gzip])
def test_a_broken_answer_is_an_error(kind: str, fault: Any) -> None:
    """An answer that breaks off, or does not unpack, is never taken for one."""
    pytest.importorskip("httpx2")
    with serving(fault) as url, pytest.raises(SourceError):
        real(kind, url)


@both
@pytest.mark.parametrize("fault", [dripping, slow])
def test_nothing_hangs_past_its_deadline(kind: str, fault: Any) -> None:
    """A server that is slow to begin, or never ends, is left in time."""
    pytest.importorskip("httpx2")
    with serving(fault) as url:
        begun = time.monotonic()
        with pytest.raises(SourceUnavailableError):
            real(kind, url, deadline="300ms", retry=Retry(attempts=2, first="10ms"))
        assert time.monotonic() - begun < 1.5


@both
def test_gzip_and_basic_auth_over_a_real_connection(kind: str) -> None:
    """The whole way, packed and with a password."""
    pytest.importorskip("httpx2")
    seen = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        send(handler, gzip.compress(body(OK)), Content_Encoding="gzip")

    with serving(answer) as url:
        found = real(kind, Connection(url, auth=Basic("slo", CANARY)))  # type: ignore[arg-type]
    assert found.only() == 42
    assert seen == [Basic("slo", CANARY).header]


@both
def test_nobody_there(kind: str) -> None:
    """A server that is down is said to be."""
    pytest.importorskip("httpx2")
    with serving(slow) as url:
        pass
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        real(kind, url)


# ------------------------------------------------------------------------------------ mutual TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@both
def test_mutual_tls(kind: str, certificates: Path) -> None:
    """With our certificate the server answers; without it, or without trust in it, nobody does."""
    pytest.importorskip("httpx2")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    ca, cert, key = (certificates / name for name in ("ca.pem", "client.pem", "client.key"))
    with serving(lambda handler: send(handler, body(OK)), context) as url:
        address = url.replace("http://", "https://")
        mutual = Connection(address, tls=TLS(ca=ca, cert=cert, key=key))
        assert real(kind, mutual).only() == 42  # type: ignore[arg-type]
        for tls in (TLS(ca=ca), TLS(cert=cert, key=key), TLS(verify=False)):
            with pytest.raises(SourceUnavailableError):
                real(kind, Connection(address, tls=tls))  # type: ignore[arg-type]


def test_the_address_of_a_server_shows_no_parameter() -> None:
    """A parameter of its path may be a token; the server is asked with it all the same."""
    server = Connection("http://prometheus.example/x;token=swordfish")
    assert server.url.endswith("x;token=swordfish")
    assert repr(server) == "Connection('http://prometheus.example/x;***')"
