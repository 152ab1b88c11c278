"""The command line over a server's counters: answers, errors with their cures, and rules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.cli import main, prometheus_options
from errorbudget.errors import SourceUnavailableError
from errorbudget.kernels import counters
from errorbudget.rules import overview_dashboard
from errorbudget.sources.prometheus import Client, PrometheusSource, Request, Response
from tests.prometheus_binaries import binary
from tests.prometheus_server import backfill, prometheus
from tests.shared import shared_path

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

Captured = pytest.CaptureFixture[str]
URL = "http://127.0.0.1:9090"
AT = "1970-01-01T02:00:00Z"
SECRET = "swordfish-37"
SPEC = """\
slos:
  - {name: api, target: 99%, window: 1h, sli: {kind: availability}}
  - {name: cart, target: 99%, window: 1h, sli: {kind: availability, where: {route: /cart}}}
"""


def samples(status: str, growth: int, **labels: str) -> tuple[dict[str, str], dict[int, float]]:
    """A counter that grows by *growth* every minute for two hours."""
    named = {"__name__": "http_server_requests_total", "status": status, **labels}
    return named, {60 * i: float(growth * i) for i in range(121)}


class Server:
    """A transport that answers for given samples, and keeps what was asked of it."""

    def __init__(self, *series: tuple[dict[str, str], dict[int, float]]) -> None:
        self.series = series
        self.requests: list[Request] = []
        self.warnings: list[str] = []
        self.before: Callable[[Request], Response | None] = lambda _: None

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        early = self.before(request)
        if early is not None:
            return early
        if request.url.endswith("/buildinfo"):
            return answer({"version": "2.53.3"})
        if request.url.endswith("/__name__/values"):
            return answer(sorted({labels["__name__"] for labels, _ in self.series}))
        form = {name: texts[0] for name, texts in parse_qs(request.body.decode()).items()}
        query, end = form["query"], float(form["time"])
        length = int(query.rpartition("[")[2].removesuffix("ms]")) / 1000
        result = []
        for labels, points in self.series:
            inside = [[t, f"{v:g}"] for t, v in points.items() if end - length < t <= end]
            if inside and query.startswith(labels["__name__"]):
                result.append({"metric": labels, "values": inside})
        return answer({"resultType": "matrix", "result": result}, self.warnings)


def answer(data: Any, warnings: list[str] | None = None) -> Response:
    body = {"status": "success", "data": data, "warnings": warnings or []}
    return Response(200, {}, json.dumps(body).encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with a cart that fails now and then, reached instead of the network."""
    found = Server(
        samples("200", 99, route="/api"),
        samples("200", 95, route="/cart"),
        samples("503", 5, route="/cart"),
    )
    monkeypatch.setattr(prometheus_options, "transport_for", lambda _: found)
    return found


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "slos.yaml"
    path.write_text(SPEC)
    return str(path)


def run(words: list[str], capsys: Captured) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    capsys.readouterr()
    code = main(words)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def ask(spec: str, *more: str, command: str = "report") -> list[str]:
    return [command, "-s", spec, "--prometheus", URL, "--at", AT, *more]


def test_a_report_is_the_librarys(server: Server, spec: str, capsys: Captured) -> None:
    """Figures are those of `PrometheusSource`, and one fetch serves both objectives."""
    code, shown, _ = run(ask(spec, "-f", "json"), capsys)
    assert code == 0
    asked = [(parse_qs(one.body.decode())["time"][0]) for one in server.requests]
    assert len(asked) == len(set(asked))
    found = PrometheusSource(Client(URL, transport=server)).fetch(
        eb.load(spec), start="1969-12-28T00:00:00Z", end=AT
    )
    expected = json.loads(json.dumps(eb.evaluate(eb.load(spec), found).to_dict()["slos"]))
    got = json.loads(shown)["slos"]
    assert [slo["counts"] for slo in got] == [slo["counts"] for slo in expected]
    assert got == expected
    assert (got[1]["counts"]["good"], got[1]["counts"]["bad"]) == (5_700, 300)


def test_a_server_is_watched(
    server: Server, spec: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes to the server is shown at the next look, trouble is said, Ctrl-C ends it."""
    from errorbudget.cli import watch

    looks: list[float] = []

    def rest(pause_s: float, began: float) -> None:
        looks.append(pause_s)
        if len(looks) == 2:
            server.series = (*server.series[:2], samples("503", 20, route="/cart"))
        if len(looks) == 3:
            monkeypatch.setattr(prometheus_options, "transport_for", refuse)
        if len(looks) == 4:
            raise KeyboardInterrupt

    def refuse(_: Any) -> Any:
        raise SourceUnavailableError("the server is away")

    monkeypatch.setattr(watch, "_rest", rest)
    code, shown, _ = run(ask(spec, "--watch"), capsys)
    assert (code, looks) == (0, [15.0] * 4)
    _, first, second = shown.split("judged at")
    assert "95.000%" in first
    assert "95.000%" not in second
    assert shown.rstrip().endswith("the server is away")


@pytest.mark.parametrize("form", ["text", "markdown", "html", "csv"])
def test_every_form_works_on_counters(
    form: str, server: Server, spec: str, capsys: Captured
) -> None:
    """Each form names each objective."""
    code, shown, _ = run(ask(spec, "-f", form), capsys)
    assert code == 0
    assert "cart" in shown


def test_the_gate_asks_the_server(server: Server, spec: str, capsys: Captured) -> None:
    """A missed objective closes it; a burn rate over any window can be asked for."""
    code, shown, _ = run(ask(spec, command="gate"), capsys)
    assert code == 1
    assert "cart" in shown
    words = ask(spec, "--slo", "api", "--no-policy", "--max-burn", "7m=3", command="gate")
    assert run(words, capsys)[0] == 0
    words = ask(spec, "--slo", "cart", "--no-policy", "--min-remaining", "-500%", command="gate")
    assert run([*words, "--max-burn", "7m=5"], capsys)[0] == 0
    assert run([*words, "--max-burn", "7m=4.9"], capsys)[0] == 1


def test_a_history_is_one_window_long(server: Server, spec: str, capsys: Captured) -> None:
    """By default as long as the longest window, and every point of it whole."""
    code, shown, _ = run(ask(spec, "--step", "10m", "-f", "json", command="history"), capsys)
    assert code == 0
    points = json.loads(shown)["slos"][0]["points"]
    assert [points[0]["time"], points[-1]["time"]] == ["1970-01-01T01:00:00Z", AT]
    assert {point["total"] for point in points} == {199 * 60}
    words = ask(spec, "--start", "1970-01-01T01:50:00Z", "-f", "json", command="history")
    code, shown, _ = run([*words, "--step", "5m", "--bin", "30s"], capsys)
    assert len(json.loads(shown)["slos"][0]["points"]) == 3


def test_a_threshold_has_no_history(server: Server, tmp_path: Path, capsys: Captured) -> None:
    """What the server answers for one instant is refused before anything is asked."""
    path = tmp_path / "p95.yaml"
    path.write_text(
        "slos: [{name: p95, window: 1h, sli: {kind: latency_quantile, bounds: {p95: 200ms}}}]\n"
    )
    code, _, said = run(ask(str(path), command="history"), capsys)
    assert code == 2
    assert "choose others with --slo" in said
    assert not server.requests


def test_the_servers_own_reading(server: Server, spec: str, capsys: Captured) -> None:
    """What `increase()` says, by the rules of its version or of the one named."""
    for reading in ("prometheus", "prom2.42", "prom3"):
        code, shown, _ = run(ask(spec, "--reading", reading, "-f", "json"), capsys)
        assert code == 0
        counts = json.loads(shown)["slos"][1]["counts"]
        assert counts["bad"] == pytest.approx(300, rel=0.02)
    code, _, said = run(ask(spec, "--reading", "prom3", command="history"), capsys)
    assert code == 2
    assert "leave out --reading" in said
    sliced = Path(spec).with_name("slices.yaml")
    sliced.write_text(SPEC.replace("window: 1h", "window: 1h, method: timeslices", 1))
    code, _, said = run(ask(str(sliced), "--reading", "prom3"), capsys)
    assert code == 2


def test_secrets_are_sent_and_not_shown(
    server: Server, spec: str, tmp_path: Path, capsys: Captured
) -> None:
    """Password, token and header come out of files; an echo of them is hidden."""
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET + "\n")
    server.before = lambda request: Response(
        401, {}, f"no {SECRET} {request.headers.get('Authorization', '')}".encode()
    )
    sent: list[Request] = []
    for option in (
        ["--basic", f"slo:@{secret}"],
        ["--bearer-file", str(secret)],
        ["--header", f"X-Api-Key: @{secret}", "--tenant", "shop", "--param", "dedup=true"],
        ["--header", f"X-Api-Key: {SECRET}"],
    ):
        code, shown, said = run(ask(spec, *option), capsys)
        assert code == 2
        assert SECRET not in shown + said
        assert "--basic USER:@FILE or --bearer-file FILE" in said
        assert said.count("\n") == 1
        sent.append(server.requests.pop())
        server.requests.clear()
    assert sent[0].headers["Authorization"].startswith("Basic ")
    assert sent[1].headers["Authorization"] == f"Bearer {SECRET}"
    headers = sent[2].headers
    assert (headers["X-Api-Key"], headers["X-Scope-OrgID"]) == (SECRET, "shop")
    assert b"dedup=true" in sent[2].body


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["--prometheus", f"http://slo:{SECRET}@127.0.0.1:9090"], "--basic USER:@FILE"),
        (["--prometheus", f"slo:{SECRET}@127.0.0.1:9090"], "--basic USER:@FILE"),
        (["--prometheus", "127.0.0.1:9090"], "address of a server"),
        (["--prometheus", "http://[::1"], "wants an address"),
        (["--basic", f"slo:{SECRET}"], "--basic wants USER:@FILE"),
        (["--basic", "slo:@a", "--bearer-file", "b"], "either --basic"),
        (["--header", f"Authorization: {SECRET}"], "--bearer-file"),
        (["--header", f"X Key: {SECRET}"], "NAME: VALUE"),
        (["--header", f"X-Key: {SECRET}\n{SECRET}"], "plain ASCII"),
        (["--bearer-file", "/nonexistent/token"], "cannot read the secret"),
        (["--key", "k.pem"], "belongs to --cert"),
        (["--zone", "UTC"], "belongs to files"),
        (["access.log"], "either files"),
        (["--at", "1970-01-01T02:00:07Z"], "judge at 1970-01-01T02:00:00Z"),
        (["--metrics", "/nonexistent.yaml"], "nonexistent"),
    ],
)
def test_wrong_options_have_a_cure(
    words: list[str], cure: str, server: Server, spec: str, capsys: Captured
) -> None:
    """One line that names what to write instead, exit code 2, and no secret in it."""
    code, _, said = run(ask(spec, *words), capsys)
    assert code == 2
    assert cure in said
    assert SECRET not in said
    assert said.count("\n") == 1
    assert not server.requests


def test_servers_options_want_a_server(spec: str, capsys: Captured) -> None:
    """--tenant without --prometheus is a mistake, as is --prometheus without objectives."""
    code, _, said = run(["report", "-s", spec, "--tenant", "a"], capsys)
    assert code == 2
    assert "belongs to --prometheus" in said
    code, _, said = run(["report", "--prometheus", URL], capsys)
    assert code == 2
    assert "-s slos.yaml" in said


def test_faults_end_in_one_line(server: Server, spec: str, capsys: Captured) -> None:
    """Truncated JSON, a timeout and a refused connection: exit code 2, within the deadline."""

    def refuse(_: Request) -> Response:
        raise ConnectionRefusedError("connection refused")

    def linger(_: Request) -> Response:
        raise TimeoutError

    faults: list[tuple[Callable[[Request], Response], str]] = [
        (lambda _: Response(200, {}, b'{"status":"success","data":{"resu'), "JSON"),
        (refuse, "cannot be reached"),
        (linger, "deadline"),
        (lambda _: Response(404, {}, b"404 page not found"), "path prefix"),
        (lambda _: Response(405, {}, b""), "--get"),
    ]
    for fault, said_of_it in faults:
        server.before = fault
        code, shown, said = run(ask(spec, "--deadline", "300ms", "--timeout", "100ms"), capsys)
        assert (code, shown) == (2, "")
        assert said_of_it in said
        assert said.count("\n") == 1


def test_now_ends_with_a_whole_bin(server: Server, spec: str, capsys: Captured) -> None:
    """--at now, or none at all, is the end of the last minute, and without samples no data."""
    for words in (["--at", "now"], []):
        server.requests.clear()
        code, _, _ = run(["report", "-s", spec, "--prometheus", URL, *words], capsys)
        assert code == 3
        asked = [parse_qs(one.body.decode()) for one in server.requests]
        times = [float(form["time"][0]) for form in asked if "time" in form]
        assert max(times) % 60 == 0


def test_503_and_then_fine(server: Server, spec: str, capsys: Captured) -> None:
    """An overloaded server is asked again."""
    refusals = [Response(503, {"retry-after": "0.01"}, b"")]
    server.before = lambda _: refusals.pop() if refusals else None
    code, shown, _ = run(ask(spec, "-f", "json"), capsys)
    assert code == 0
    times = [parse_qs(request.body.decode())["time"][0] for request in server.requests]
    assert len(times) == len(set(times)) + 1
    assert json.loads(shown)["slos"][1]["counts"]["bad"] == 300


def test_missing_pieces_and_warnings_are_said(server: Server, spec: str, capsys: Captured) -> None:
    """Half an answer is none unless --partial asks for it; a server's warning is passed on."""
    server.warnings = ["store s3 did not answer"]
    code, shown, said = run(ask(spec, "-f", "json"), capsys)
    assert code == 0
    assert "warning: store s3 did not answer" in said
    for slo in json.loads(shown)["slos"]:
        assert "store s3 did not answer" in slo["warnings"]

    def first_day(request: Request) -> Response | None:
        fails = float(parse_qs(request.body.decode())["time"][0]) < 7_000
        text = b'{"status":"error","errorType":"execution","error":"no block"}'
        return Response(422, {}, text) if fails else None

    server.before = first_day
    spec_2d = Path(spec).with_name("long.yaml")
    spec_2d.write_text(SPEC.replace("1h", "2d"))
    code, shown, said = run(ask(str(spec_2d)), capsys)
    assert (code, shown) == (2, "")
    assert "missing of http_server_requests_total: 1969" in said
    assert "--keep FOLDER" in said
    assert "is kept" in run(ask(str(spec_2d), "--keep", str(Path(spec).parent / "k")), capsys)[2]
    code, shown, said = run(ask(str(spec_2d), "--partial", "-f", "json"), capsys)
    assert code == 0
    assert "missing" in said
    assert json.loads(shown)["slos"]


def test_no_series_names_what_the_server_has(
    server: Server, spec: str, tmp_path: Path, capsys: Captured
) -> None:
    """Another instant, or another name with the words to write; no page of names, no hint."""
    code, _, said = run(["report", "-s", spec, "--prometheus", URL], capsys)
    assert code == 3
    assert "It has http_server_requests_total at other instants (--at)" in said
    metrics = tmp_path / "metrics.yaml"
    metrics.write_text("counter: http_requests_total\n")
    code, _, said = run(ask(spec, "--metrics", str(metrics), command="review"), capsys)
    assert code == 3
    assert '"counter: http_server_requests_total" in a file for --metrics' in said
    server.before = lambda request: Response(404) if "/label/" in request.url else None
    code, _, said = run(ask(spec, "--metrics", str(metrics)), capsys)
    assert (code, "It has" in said) == (3, False)


@pytest.mark.slow
def test_simulated_counters_answer_every_study(tmp_path: Path, capsys: Captured) -> None:
    """What `simulate` writes is found under the usual names, at the instant that it tells."""
    text, spec = tmp_path / "history.om", tmp_path / "slos.yaml"
    words = "simulate --days 3 --log-format openmetrics --interval 10m --instances 1 -o"
    code, shown, _ = run([*words.split(), str(text)], capsys)
    assert code == 0
    at = shown.split()[-1]
    assert at == "2026-03-04T00:00:00Z"
    spec.write_text(
        SPEC.replace("window: 1h", "window: 1d")
        + "  - {name: fast, target: 90%, window: 1d, sli: {kind: latency, threshold: 300ms}}\n"
    )
    data = tmp_path / "data"
    words = [binary("promtool"), "tsdb", "create-blocks-from", "--max-block-duration=720h"]
    words += ["openmetrics", str(text), str(data)]
    subprocess.run(words, check=True, capture_output=True)
    with prometheus(data) as url:
        for study in (
            "review",
            "backtest",
            "forecast",
            "advise",
            "attribute --by instance",
            "confidence",
        ):
            words = [*study.split(), "-s", str(spec), "--prometheus", url, "--at", at]
            code, shown, said = run([*words, "-f", "json"], capsys)
            assert code == 0, said
            assert len(json.loads(shown)["slos"]) == 3


def test_no_series_is_no_data(server: Server, spec: str, capsys: Captured) -> None:
    """A report without series ends with 3, and a gate stays closed."""
    server.series = ()
    code, shown, said = run(ask(spec), capsys)
    assert (code, shown) == (3, "")
    assert "names of metrics" in said
    assert "http_server_requests_total" in said  # what was asked
    assert "to 1970-01-01T02:00:00Z" in said  # and until when
    code, shown, _ = run(ask(spec, command="gate"), capsys)
    assert code == 3


def test_metrics_come_from_a_file(
    server: Server, spec: str, tmp_path: Path, capsys: Captured
) -> None:
    """Names for all objectives and for one; what cannot be understood is refused."""
    path = tmp_path / "metrics.yaml"
    path.write_text(
        "labels: {status: code}\nmatch: {job: shop}\ncounter: hits_total\n"
        "slos: {cart: {counter: carts_total}}\n"
    )
    for name in ("hits_total", "carts_total"):
        labels = {"__name__": name, "code": "200", "route": "/cart"}
        server.series += ((labels, {60 * i: float(i) for i in range(121)}),)
    code, _, _ = run(ask(spec, "--metrics", str(path)), capsys)
    assert code == 0
    asked = [parse_qs(request.body.decode())["query"][0] for request in server.requests]
    assert sorted({query.partition("[")[0] for query in asked}) == [
        'carts_total{job="shop"}',
        'hits_total{job="shop"}',
    ]
    for text, cure in (
        ("conter: x\n", 'did you mean "counter"'),
        ("counter: [x]\n", "name of a metric"),
        ("labels: {status: 5}\n", "maps names to texts"),
        ("slos: {crat: {counter: x}}\n", '"crat"'),
        ("slos: [1]\n", "slos maps names"),
        ("counter: a\n---\ncounter: b\n", "one mapping"),
    ):
        path.write_text(text)
        code, _, said = run(ask(spec, "--metrics", str(path)), capsys)
        assert code == 2
        assert cure in said


# ---------------------------------------------------------------------- rules, routes, dashboards


def tool(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary(words[0]), *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "more", [[], ["--alerts", "guide"], ["--alerts", "workbook"], ["--placement", "global"]]
)
def test_promtool_takes_the_rules(more: list[str], tmp_path: Path, capsys: Captured) -> None:
    """The guide's objectives with either table of alerts pass every lint."""
    _, text, _ = run(["demo", "--guide"], capsys)
    (tmp_path / "guide.yaml").write_text(text)
    words = ["rules", "-s", str(tmp_path / "guide.yaml"), "--metrics", "guide", *more]
    code, _, said = run([*words, "-o", str(tmp_path / "rules.yml")], capsys)
    assert code == 0
    assert "wrote" in said
    done = tool("promtool", "check", "rules", "--lint=all", "rules.yml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    code, shown, _ = run(words, capsys)
    assert shown == (tmp_path / "rules.yml").read_text("utf-8")


def test_rules_come_with_their_tests(spec: str, tmp_path: Path, capsys: Captured) -> None:
    """A file of rules and a file of tests for each objective, which promtool passes."""
    folder = tmp_path / "tests"
    code, shown, _ = run(["rules", "-s", spec, "--tests", str(folder), "--slo", "api"], capsys)
    assert code == 0
    assert shown.startswith("groups:")
    assert sorted(path.name for path in folder.iterdir()) == ["api.yml", "api_test.yml"]
    done = tool("promtool", "test", "rules", "api_test.yml", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    code, _, said = run(
        ["rules", "-s", spec, "--tests", str(folder), "--placement", "shard"], capsys
    )
    assert code == 2
    assert "leave out --placement" in said


def test_amtool_takes_the_routes(spec: str, tmp_path: Path, capsys: Captured) -> None:
    """Receivers out of a file, with secrets as files only."""
    path = tmp_path / "receivers.yaml"
    path.write_text(
        "page: {name: pager, pagerduty_configs: [{routing_key_file: /run/key}]}\n"
        "ticket: {webhook_configs: [{url: 'http://127.0.0.1:1/'}]}\n"
        "default: {name: rest}\n"
    )
    out = tmp_path / "alertmanager.yml"
    words = ["alertmanager", "-s", spec]
    assert run([*words, "--receivers", str(path), "-o", str(out)], capsys)[0] == 0
    assert tool("amtool", "check-config", str(out), folder=tmp_path).returncode == 0
    code, shown, _ = run(words, capsys)
    assert code == 0
    assert "name: ticket" in shown
    for text, cure in (
        (f"page: {{pagerduty_configs: [{{routing_key: {SECRET}}}]}}\n", "routing_key_file"),
        ("pgae: {}\n", 'did you mean "page"'),
        ("page: 5\n", "is a receiver"),
        ("page: {slack_configs: 5}\n", "list of ways"),
        ("teams: 5\n", "teams maps"),
        ("teams: {core: {page: {name: x}}}\n", "no SLO belongs"),
    ):
        path.write_text(text)
        code, _, said = run([*words, "--receivers", str(path)], capsys)
        assert code == 2
        assert cure in said
        assert SECRET not in said


def test_dashboards_are_the_librarys(spec: str, tmp_path: Path, capsys: Captured) -> None:
    """The overview of all objectives, or the details of one."""
    out = tmp_path / "overview.json"
    assert run(["dashboard", "-s", spec, "-o", str(out)], capsys)[0] == 0
    assert json.loads(out.read_text("utf-8")) == json.loads(
        json.dumps(overview_dashboard(eb.load(spec)))
    )
    code, shown, _ = run(["dashboard", "-s", spec, "--slo", "cart"], capsys)
    assert code == 0
    assert json.loads(shown)["title"] == "SLO: cart"
    assert run(["dashboard", "-s", spec, "--slo", "crat"], capsys)[0] == 2
    assert run(["dashboard", "-s", spec, "--slo", "cart", "--title", "x"], capsys)[0] == 2


# --------------------------------------------------------------------------------- a real server

METRIC = "http_server_requests_total"
END_S = 1_770_940_800
REAL = """\
slos:
  - {name: api, target: 99%, window: 3d, sli: {kind: availability}}
  - {name: success, target: 99.9%, window: 1d, sli: {kind: availability, good: 2xx}}
  - {name: health, target: 99%, window: 6h, sli: {kind: availability, where: {route: /health/.*}}}
"""


@pytest.fixture(scope="module")
def pub3d(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over the requests of the public history of three days, incidents and all."""
    pytest.importorskip("httpx2")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(shared_path("prometheus/data/pub3d.samples.parquet"))
    series = table["series"].combine_chunks()
    names, codes = series.dictionary.to_pylist(), series.indices.to_numpy()
    times, values = table["t_ms"].to_numpy(), table["v"].to_numpy()
    history = {
        name: list(zip(times[rows].tolist(), values[rows].tolist(), strict=True))
        for code, name in enumerate(names)
        if name.startswith(f"{METRIC}{{")
        for rows in [np.flatnonzero(codes == code)]
    }
    folder = tmp_path_factory.mktemp("pub3d")
    with prometheus(backfill(history, folder)) as url:
        yield url


@pytest.fixture(scope="module")
def real_spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("spec") / "slos.yaml"
    path.write_text(REAL)
    return str(path)


def of_server(url: str, spec: str, *more: str, command: str = "report") -> list[str]:
    at = "2026-02-13T00:00:00Z"
    return [command, "-s", spec, "--prometheus", url, "--at", at, "-f", "json", *more]


@pytest.mark.slow
def test_a_real_servers_report_is_the_librarys(
    pub3d: str, real_spec: str, capsys: Captured
) -> None:
    """The command and the library count the same, with the same doubts."""
    code, shown, _ = run(of_server(pub3d, real_spec), capsys)
    assert code == 0
    assert "started over" in shown
    slos = eb.load(real_spec)
    with Client(pub3d) as client:
        found = PrometheusSource(client).fetch(
            slos, start="2026-02-09T00:00:00Z", end="2026-02-13T00:00:00Z"
        )
        expected = eb.evaluate(slos, found).to_dict()["slos"]
    assert json.loads(shown)["slos"] == json.loads(json.dumps(expected))


@pytest.mark.slow
def test_a_real_servers_own_reading(pub3d: str, real_spec: str, capsys: Captured) -> None:
    """Every figure is what the server answers to the query that a person would write."""
    code, shown, _ = run(of_server(pub3d, real_spec, "--reading", "prometheus"), capsys)
    assert code == 0
    where = {"api": "", "success": "", "health": 'route=~"/health/.*",'}
    with Client(pub3d) as client:
        for slo, window in zip(json.loads(shown)["slos"], ("3d", "1d", "6h"), strict=True):
            bad = 'status!~"2.."' if slo["name"] == "success" else 'status=~"5.."'
            for key, matcher in (("total", 'status!=""'), ("bad", bad)):
                query = f"sum(increase({METRIC}{{{where[slo['name']]}{matcher}}}[{window}]))"
                expected = client.query(query, at=END_S * 10**9).only()
                assert slo["counts"][key] == pytest.approx(expected or 0.0, rel=1e-12)


@pytest.mark.slow
def test_alerts_of_both_readings_agree(
    pub3d: str, real_spec: str, tmp_path: Path, capsys: Captured
) -> None:
    """In the middle of an outage alerts that wait have waited, whichever way counters are read."""
    path = tmp_path / "guide.yaml"
    path.write_text(
        REAL.replace("target: 99%, window: 3d", "target: 99.9%, window: 30d, alerts: guide", 1)
    )
    firing = []
    for reading in ("exact", "prometheus"):
        words = of_server(pub3d, str(path), "--reading", reading, "--slo", "api")
        for at in ("2026-02-11T16:01:00Z", "2026-02-11T16:09:00Z", "2026-02-11T12:00:00Z"):
            code, shown, _ = run([*words, "--at", at], capsys)
            assert code == 0
            [found] = json.loads(shown)["slos"]
            firing.append({one["name"] for one in found["alerts"] if one["state"] == "firing"})
    assert firing[:3] == firing[3:]
    assert "fast-burn" in firing[1] - firing[0]


@pytest.mark.slow
def test_a_real_servers_gate_and_history(pub3d: str, real_spec: str, capsys: Captured) -> None:
    """Ten minutes of outage close the gate, and the history shows when."""
    assert run(of_server(pub3d, real_spec, command="gate"), capsys)[0] == 1
    words = ["--slo", "health", "--step", "1h", "--start", "2026-02-11T12:00:00Z"]
    code, shown, _ = run(of_server(pub3d, real_spec, *words, command="history"), capsys)
    assert code == 0
    points = json.loads(shown)["slos"][0]["points"]
    bad = {point["time"][5:13]: point["total"] - point["good"] for point in points}
    assert bad["02-11T16"] == 0
    assert bad["02-11T17"] > 0


@pytest.mark.slow
def test_from_range_data_to_1e9(pub3d: str) -> None:
    """From `query_range` data of raw counters, our reading is the server's answer to 1e-9.

    A grid hides that a scrape was missed, as the server repeats the last value for five minutes, so
    windows that hold a missed scrape have other samples: there the two differ by up to 0.1 %,
    unless it was missed at an end of the window.
    """
    start_s, step = END_S - 3 * 86_400, 15
    compared = 0
    with Client(pub3d) as client:
        rules = client.rules()
        raw = {
            frozenset(one.labels.items()): one.t_ms
            for one in client.samples(
                METRIC, start=start_s * 10**9 - 1, end=END_S * 10**9
            ).require()
        }
        grid = client.query_range(
            METRIC, start=start_s * 10**9, end=END_S * 10**9, step=f"{step}s"
        ).require()
        for minutes in (5, 60, 1_440):
            length = minutes * 60_000
            asked = client.query_range(
                f"increase({METRIC}[{minutes}m])",
                start=(start_s + 600) * 10**9,
                end=END_S * 10**9,
                step="7m",
            ).require()
            answers = {frozenset(one.labels.items()): one for one in asked}
            for series in grid:
                scraped = raw[frozenset(series.labels.items())]
                nameless = {k: v for k, v in series.labels.items() if k != "__name__"}
                answer = answers[frozenset(nameless.items())]
                ours = counters.increase(series.t_ms, series.values, answer.t_ms, length, rules)
                repeated = np.setdiff1d(series.t_ms, scraped)

                def missed(begin: Any, end: Any, points: Any = repeated) -> Any:
                    low = np.searchsorted(points, begin - 60_000)
                    return np.searchsorted(points, end + 60_000, "right") > low

                at = answer.t_ms
                clean = ~missed(at - length, at)
                np.testing.assert_allclose(ours[clean], answer.values[clean], rtol=1e-9, atol=0)
                compared += int(clean.sum())
                inside = ~clean & ~missed(at, at) & ~missed(at - length, at - length)
                np.testing.assert_allclose(ours[inside], answer.values[inside], rtol=1e-3, atol=0)
    assert compared > 10_000, compared
