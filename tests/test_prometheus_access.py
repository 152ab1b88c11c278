"""A real Prometheus that lets not everyone in, that scrapes a process which dies, and that dies."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.cli import main
from errorbudget.errors import SourceResponseError, SourceUnavailableError
from errorbudget.sources.prometheus import (
    TLS,
    AsyncClient,
    Basic,
    Client,
    Connection,
    PrometheusSource,
    Request,
    Response,
    Retry,
)
from errorbudget.sources.prometheus.http import HttpTransport
from tests.certificates import make_certificates
from tests.prometheus_server import backfill, free_port, prometheus

pytest.importorskip("httpx2")

METRIC = "http_server_requests_total"
START_S = 1_772_323_200
HISTORY = {
    f'{METRIC}{{status="{status}"}}': [
        ((START_S + 60 * minute) * 1000, float(minute * growth)) for minute in range(121)
    ]
    for status, growth in (("200", 99), ("503", 1))
}
SPAN: Any = {"start": START_S * 10**9, "end": (START_S + 7200) * 10**9}
API = eb.SLO("api", target="99%", window="1h", sli=eb.Availability())
PASSWORD = "swordfish-canary"
HASHED = "$2b$05$OCw27.WPebSz2rMXp8yhheFlaatXvjQiHr3RDDxRf3FMwRzIkT0J2"
WEB = f"""\
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
basic_auth_users: {{slo: '{HASHED}'}}
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server under a prefix that wants a password and a certificate."""
    folder = make_certificates(tmp_path_factory.mktemp("locked"))
    (folder / "web.yml").write_text(WEB)
    (folder / "password").write_text(f"{PASSWORD}\n")
    flags = f"--web.config.file={folder / 'web.yml'}", "--web.route-prefix=/metrics/one"
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    data = backfill(HISTORY, folder)
    with prometheus(data, *flags, tls=context, prefix="/metrics/one") as url:
        yield url, folder


def tls(folder: Path) -> TLS:
    return TLS(ca=folder / "ca.pem", cert=folder / "client.pem", key=folder / "client.key")


def test_password_certificate_and_prefix(locked: tuple[str, Path]) -> None:
    """With all three the server answers, sync and async."""
    url, folder = locked
    let_in = Connection(url, auth=Basic("slo", password_file=folder / "password"), tls=tls(folder))
    with Client(let_in) as client:
        found = PrometheusSource(client).fetch(API, **SPAN)
        assert API.evaluate(found).counts == eb.Counts(99 * 60, 60)

    async def asked() -> str:
        async with AsyncClient(let_in) as other:
            return await other.version()

    assert asyncio.run(asked()).startswith(("2.", "3."))


def test_who_lacks_one_of_them_stays_out(locked: tuple[str, Path]) -> None:
    """A wrong password, no certificate, nobody to trust, no prefix: each is told, with its cure."""
    url, folder = locked
    right = Basic("slo", PASSWORD)
    for refused, error, match in (
        (Connection(url, tls=tls(folder)), SourceResponseError, "401.*wants credentials"),
        (
            Connection(url, auth=Basic("slo", PASSWORD[:-1]), tls=tls(folder)),
            SourceResponseError,
            "401.*Unauthorized",
        ),
        (
            Connection(url.removesuffix("/metrics/one"), auth=right, tls=tls(folder)),
            SourceResponseError,
            "404.*path prefix",
        ),
        (
            Connection(url, auth=right, tls=TLS(ca=folder / "ca.pem")),
            SourceUnavailableError,
            "cannot be reached",
        ),
        (Connection(url, auth=right), SourceUnavailableError, "CERTIFICATE_VERIFY_FAILED"),
    ):
        with Client(refused) as client, pytest.raises(error, match=match) as caught:
            client.query("up", at=START_S * 10**9)
        assert PASSWORD[:-1] not in repr(caught.value) + str(caught.value)


def test_the_command_is_let_in(
    locked: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same by options, whose secrets are files."""
    url, folder = locked
    spec = tmp_path / "slos.yaml"
    spec.write_text("slos: [{name: api, target: 99%, window: 1h, sli: {kind: availability}}]\n")
    ask = ["report", "-s", str(spec), "--prometheus", url, "--at", "2026-03-01T02:00:00Z"]
    ask += ["-f", "json", "--ca", str(folder / "ca.pem")]
    ask += ["--cert", str(folder / "client.pem"), "--key", str(folder / "client.key")]
    assert main([*ask, "--basic", f"slo:@{folder / 'password'}"]) == 0
    [slo] = json.loads(capsys.readouterr().out)["slos"]
    assert (slo["counts"]["bad"], slo["state"]) == (60, "met")
    assert main(ask) == 2
    said = capsys.readouterr().err
    assert "401" in said
    assert said.count("\n") == 1


@pytest.mark.slow
def test_a_target_that_is_gone(tmp_path: Path) -> None:
    """Scraped live, and then dead: what scrapes saw is counted, and nothing is made up later."""
    shown = {"good": 0, "bad": 0}

    class Exporter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown["good"] += 7
            shown["bad"] += 1
            text = f"# TYPE {METRIC} counter\n"
            for status, value in (("200", shown["good"]), ("500", shown["bad"])):
                text += f'{METRIC}{{status="{status}"}} {value}\n'
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    exporter = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    target = f"127.0.0.1:{exporter.server_address[1]}"
    config = (
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    begun = time.time_ns()
    with prometheus(tmp_path / "data", config=config) as url, Client(url) as client:
        while shown["bad"] < 5:
            time.sleep(0.1)
        exporter.shutdown()
        exporter.server_close()
        for _ in range(100):
            time.sleep(0.1)
            if client.query(f'up{{instance="{target}"}} == 0', at=time.time_ns()).only() == 0:
                break
        now = time.time_ns()
        gone = client.query(METRIC, at=now).matrix
        source = PrometheusSource(client, step="1s", lookback="2s")
        samples = client.samples(METRIC, start=begun, end=now).require()
        found = source.fetch(API.replace(window="1m"), start=begun, end=now + 5 * 10**9)
    assert not len(gone)  # the marker hides it from instant queries at once
    assert sorted(int(one.values[-1]) for one in samples) == [shown["bad"], shown["good"]]
    series = found.of(API)
    seen = int(samples.values.min())
    assert int((series.total - series.good).sum()) == shown["bad"] - seen
    assert not series.observed[-3:].any()
    last = found.evaluate(API.replace(window="1m"))
    assert last.coverage < 0.9


def test_a_server_that_dies_midway(tmp_path: Path) -> None:
    """After three of eight pieces it is down; when it is back, the other five are asked for."""
    data, port = backfill(HISTORY, tmp_path), free_port()
    servers, sent = ExitStack(), []
    real = HttpTransport(TLS())

    def transport(request: Request) -> Response:
        sent.append(request)
        if len(sent) == 4:
            servers.close()
        return real(request)

    url = servers.enter_context(prometheus(data, port=port))
    settings: Any = {"retry": Retry(attempts=1), "concurrency": 1, "most_points": 1_000}
    client = Client(url, transport=transport, **settings)
    down = client.query_range(METRIC, **SPAN, step="1s")
    assert len(down.missing) == 5
    assert {type(one.error) for one in down.missing} == {SourceUnavailableError}
    with servers, pytest.raises(SourceUnavailableError, match="cannot be reached"):
        down.require()
    with prometheus(data, port=port):
        whole = client.resume(down).require()
        with Client(url) as fresh:
            expected = fresh.query_range(METRIC, **SPAN, step="1s").require()
    real.close()
    assert len(sent) == 13
    assert whole.values.tolist() == expected.values.tolist()
