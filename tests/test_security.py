"""
What SECURITY.md promises, over every entry point at once.

Its page, docs/explanation/security.md, names the tests that hold each promise; those that concern
one module alone stand beside that module's other tests.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import csv
import gzip
import html
import io
import json
import logging
import math
import os
import re
import shutil
import ssl
import subprocess
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import errorbudget as eb
from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    SourceFormatError,
    SourceUnavailableError,
    SpecError,
)
from errorbudget.live import Keeper, Shared, SqliteStore, Tracker
from errorbudget.live import state as live_state
from errorbudget.live.keeper import save_state
from errorbudget.sources.prometheus import (
    TLS,
    AsyncClient,
    Basic,
    Bearer,
    Client,
    Connection,
    Retry,
)
from tests.certificates import make_certificates

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

from errorbudget.cli import main

SRC = Path(eb.__file__).parent
API = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
CANARY = "swordfish-canary"
OK = {"status": "success", "data": {"resultType": "scalar", "result": [0, "42"]}}

# ------------------------------------------------------------------------------ secrets

ADDRESSES = {
    "a password": f"https://slo:{CANARY}@127.0.0.1:1/day.log",
    "a password with a slash": f"https://slo:a/{CANARY}@127.0.0.1:1/day.log",
    "a token": f"https://{CANARY}@127.0.0.1:1/day.log",
    "a signed query": f"https://127.0.0.1:1/day.log?X-Sig={CANARY}",
    "a fragment": f"https://127.0.0.1:1/day.log#access_token={CANARY}",
    "a bare fragment": f"https://127.0.0.1:1/day.log#{CANARY}",
    "a parameter": f"https://127.0.0.1:1/day.log;token={CANARY}",
    "keys of a store": f"s3://AKIA:{CANARY}@logs/day.parquet",
    "a chain": f"simplecache::https://slo:{CANARY}@127.0.0.1:1/day.parquet",
    "a Redis": f"redis://:{CANARY}@127.0.0.1:1/0",
}
FUNCTIONS: dict[str, Callable[[str], object]] = {
    "read_events": eb.read_events,
    "load": eb.load,
    "count_files": lambda url: eb.count_files(url, API),
    "update_counts from": lambda url: eb.update_counts("counts", url, API),
    "update_counts to": lambda url: eb.update_counts(url, "day.parquet", API),
    "read_counts": lambda url: eb.read_counts(url, API),
    "SqliteStore": SqliteStore,
    "Shared": lambda url: Shared(Tracker(API), url),  # type: ignore[arg-type]
    "Keeper": lambda url: Keeper(Tracker(API), url),
    "save_state": lambda url: save_state(Tracker(API).state(), url),
    "RedisStore": lambda url: _redis(url),  # noqa: PLW0108 - it stands below
    "Client": lambda url: _ask(Connection(url)),
    "AsyncClient": lambda url: asyncio.run(_ask_async(Connection(url))),
    "Client, kept": lambda url: Client("http://127.0.0.1:1", keep=url),
    "token_file": lambda url: Bearer(token_file=url).header,
    "Target": eb.Target,
    "a name of no column": lambda url: eb.Events.from_frame({"t": [url]}, time="t"),
}
SERVER = "report -s slos.yaml --prometheus http://127.0.0.1:1 --deadline 1s"
COMMANDS = (
    "report URL",
    "report -s URL day.log",
    "report -s slos.yaml URL",
    "report -s slos.yaml --prometheus URL --deadline 1s",
    "report -s slos.yaml day.log -o URL",
    "report --at URL day.log",
    "report --URL",
    "history -s slos.yaml URL",
    "gate -s slos.yaml URL",
    "review -s slos.yaml URL",
    "backtest -s slos.yaml URL",
    "backtest -s slos.yaml day.log --incidents URL",
    "forecast -s slos.yaml URL",
    "attribute -s slos.yaml URL",
    "incidents -s slos.yaml URL",
    "confidence -s slos.yaml URL",
    "advise URL",
    "count -s slos.yaml URL -o counts",
    "count -s slos.yaml day.log -o URL",
    "validate URL",
    "lint URL",
    "convert URL --to openslo",
    "convert slos.yaml --to openslo -o URL",
    "rules -s URL",
    "rules -s slos.yaml --metrics URL",
    "rules -s slos.yaml -o URL",
    "dashboard -s URL",
    "dashboard -s slos.yaml -o URL",
    "alertmanager -s slos.yaml -o URL",
    "allowance URL",
    "schema URL",
    "simulate -o URL",
    "demo --out URL",
    f"{SERVER} --keep URL",
    f"{SERVER} --ca URL",
    f"{SERVER} --metrics URL",
    f"{SERVER} --basic slo:@URL",
    f"{SERVER} --bearer-file URL",
    "URL",
)


def _redis(url: str) -> None:
    pytest.importorskip("redis", reason="missing: redis; pip install 'errorbudget[redis]'")
    from errorbudget.live.redis_store import RedisStore

    shared = Shared(Tracker(API), RedisStore(url), every="1h")
    shared.ticker.stop()
    repr(shared.store)
    shared.sync()


def _ask(connection: Connection) -> object:
    pytest.importorskip("httpx2", reason="missing: httpx2; pip install 'errorbudget[prometheus]'")
    with Client(connection, retry=Retry(attempts=1)) as client:
        return client.query("up", at=0)


async def _ask_async(connection: Connection) -> object:
    pytest.importorskip("httpx2", reason="missing: httpx2; pip install 'errorbudget[prometheus]'")
    async with AsyncClient(connection, retry=Retry(attempts=1)) as client:
        return await client.query("up", at=0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, with objectives."""
    (tmp_path / "slos.yaml").write_text(
        "slos: [{name: api, target: 99%, window: 1h, sli: {kind: availability}}]\n"
    )
    (tmp_path / "day.log").write_text(
        '192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything_said(work: Callable[[], object], caplog: Any, capsys: Any) -> str:
    """Answers, errors with their causes and attributes, logs down to DEBUG, and files."""
    caplog.set_level(logging.DEBUG)
    said = []
    try:
        said.append(repr(work()))
    except Exception as error:  # noqa: BLE001 - whatever it is, it may not tell
        said += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]
    shown = capsys.readouterr()
    said += [shown.out, shown.err, caplog.text]
    for path in Path().rglob("*"):
        said.append(str(path))
        if path.is_file():
            said.append(path.read_bytes().decode("latin-1"))
    return "\n".join(said)


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
@pytest.mark.parametrize("call", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.filterwarnings("ignore::errorbudget.ErrorBudgetWarning")
def test_no_function_tells_the_secret_of_an_address(
    call: Callable[[str], object], address: str, folder: Path, caplog: Any, capsys: Any
) -> None:
    """Wherever an address with a secret is given, also where none belongs, nothing repeats it."""
    assert CANARY not in everything_said(lambda: call(address), caplog, capsys)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("words", COMMANDS)
def test_no_command_tells_the_secret_of_an_address(
    words: str, debug: bool, folder: Path, caplog: Any, capsys: Any
) -> None:
    """The same of every command and option, and of the traceback that --debug shows."""
    for address in ADDRESSES.values():
        line = [word.replace("URL", address) for word in words.split()]
        line += ["--debug"] if debug else []
        assert CANARY not in everything_said(lambda line=line: main(line), caplog, capsys), address


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_addresses_of_stores_carry_no_secret(address: str) -> None:
    """What would end up in kept counts is refused before anything is asked."""
    pytest.importorskip("fsspec", reason="missing: fsspec; pip install 'errorbudget[stores]'")
    with pytest.raises(InvalidInputError, match="leave them out, and put") as caught:
        eb.count_files(address, API)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("secret", [CANARY, f"{CANARY}/and=more", f"Bearer {CANARY}"])
def test_a_secret_in_the_place_of_its_file(
    secret: str, folder: Path, caplog: Any, capsys: Any
) -> None:
    """Whoever gives the secret itself where its file is wanted does not read it in the error."""
    server = ["report", "-s", "slos.yaml", "--prometheus", "http://127.0.0.1:1"]
    for option in (
        ["--bearer-file", secret],
        ["--basic", f"slo:@{secret}"],
        ["--header", f"X-Key: @{secret}"],
    ):
        said = everything_said(lambda option=option: main([*server, *option]), caplog, capsys)
        assert CANARY not in said
        assert "cannot read the secret" in said
    for auth in (Bearer(token_file=secret), Basic("slo", password_file=secret)):
        with pytest.raises(SourceUnavailableError, match="cannot read the secret") as caught:
            auth.header  # noqa: B018 - reads the file
        assert CANARY not in str(caught.value)
    (folder / "binary").write_bytes(b"\xff\xfe" + CANARY.encode())
    assert main([*server, "--bearer-file", "binary"]) == 2
    assert CANARY not in capsys.readouterr().err


def test_nothing_of_the_environment_is_used_or_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, capsys: Any
) -> None:
    """A proxy of the environment is not asked, and no variable stands in a traceback."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://slo:{CANARY}@127.0.0.1:9")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    with serving(OK) as (url, seen):
        assert _ask(Connection(url)).only() == 42  # type: ignore[attr-defined]
        assert len(seen) == 1
    said = everything_said(lambda: main([*SERVER.split(), "--debug"]), caplog, capsys)
    assert "cannot be reached" in said
    assert CANARY not in said


def test_a_variable_of_a_specification_is_in_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, capsys: Any
) -> None:
    """What `${env:...}` brings is in no message, also of a file that is validated or converted."""
    monkeypatch.setenv("SECRET", CANARY)
    (folder / "vars.yaml").write_text(
        "slos: [{name: api, target: '${env:SECRET}', window: '${env:SECRET}', "
        "sli: {kind: '${env:SECRET}'}}]\n"
    )
    for words in (
        "validate vars.yaml --allow-env",
        "report -s vars.yaml day.log --allow-env",
        "validate vars.yaml",
    ):
        for debug in ([], ["--debug"]):
            line = [*words.split(), *debug]
            said = everything_said(lambda line=line: main(line), caplog, capsys)
            assert CANARY not in said


# ------------------------------------------------------------------------------ TLS


@contextlib.contextmanager
def serving(data: Any, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server of one answer on this machine; its address, and what was asked."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            body = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("certificate", "trusted", "why"),
    [
        ("server", True, None),
        ("server", False, "unable to get local issuer"),
        ("elsewhere", True, "IP address mismatch"),
        ("expired", True, "expired"),
    ],
)
def test_a_server_proves_who_it_is(
    kind: str, certificate: str, trusted: bool, why: str | None, certificates: Path
) -> None:
    """Of another issuer, for another host or expired: the question and its token are not sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        certificates / f"{certificate}.pem", certificates / f"{certificate}.key"
    )
    tls = TLS(ca=certificates / "ca.pem") if trusted else TLS()
    with serving(OK, context) as (url, seen):
        there = Connection(url, auth=Bearer(CANARY), tls=tls)
        ask = _ask if kind == "sync" else lambda to: asyncio.run(_ask_async(to))  # type: ignore[arg-type]
        if why is None:
            assert ask(there).only() == 42  # type: ignore[attr-defined]
            return
        with pytest.raises(SourceUnavailableError, match=why):
            ask(there)
        assert not seen


# ------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [touch pwned]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/object/new:subprocess.Popen [[touch, pwned]]",
        "!!binary aGVsbG8=",
        "!!set {a, b}",
        "!custom {a: b}",
    ],
)
def test_tags_of_yaml_make_no_objects(tag: str, folder: Path) -> None:
    """A specification is text, numbers, lists and mappings; other tags are refused by name."""
    with pytest.raises(SpecError, match="tag"):
        eb.load(f"slos:\n  - name: {tag}\n")
    assert not (folder / "pwned").exists()


def test_merge_keys_cannot_blow_up() -> None:
    """Merging is counted as what it stands for: a few lines do not become a billion keys."""
    lines = ["x-0: &m0 {" + ", ".join(f"k{i}: 1" for i in range(50)) + "}"]
    for level in range(1, 12):
        merged = ", ".join(f"*m{level - 1}" for _ in range(20))
        lines.append(f"x-{level}: &m{level} {{<<: [{merged}], own{level}: 1}}")
    with pytest.raises(SpecError, match="aliases counted as often as they are used"):
        eb.load("\n".join(lines) + "\nslos: []\n")


def test_no_code_is_read_from_files() -> None:
    """No module of the library unpickles, evaluates, or starts a shell; SQL is not among it."""
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
    calls = {"eval", "exec", "compile", "__import__"}
    found = []
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").partition(".")[0]]
            told = forbidden.intersection(names)
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name):
                    told |= calls & {node.func.id}
                told |= {
                    word.arg
                    for word in node.keywords
                    if word.arg in {"allow_pickle", "shell"}
                    and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                }
            found += [f"{path.relative_to(SRC)}:{node.lineno} {each}" for each in told]
    assert not found


def test_a_pickle_is_no_state_and_no_data(folder: Path) -> None:
    """A pickled file, which could run code, is refused by its form."""
    payload = b"cos\nsystem\n(S'touch pwned'\ntR."
    (folder / "x.log").write_bytes(payload)
    for read in (eb.read_events, eb.load, lambda path: Keeper(Tracker(API), path)):
        with pytest.raises((SourceFormatError, SpecError)):
            read("x.log")  # type: ignore[operator]
    assert not (folder / "pwned").exists()


def test_a_packed_state_is_unpacked_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot with a right checksum that stands for far more than it is long is refused."""
    saved = Tracker(API).snapshot()
    packed = len(zlib.decompress(saved[len(live_state._MARK) + live_state._DIGEST_BYTES :]))
    monkeypatch.setattr(live_state, "_MOST_BYTES", packed)
    assert live_state.State.from_bytes(saved).feeds
    monkeypatch.setattr(live_state, "_MOST_BYTES", packed - 1)
    with pytest.raises(SourceFormatError, match="state of more than"):
        live_state.State.from_bytes(saved)


def test_a_kept_answer_is_unpacked_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece in the folder that is longer than a server may answer is asked for again."""
    from errorbudget.sources.prometheus import keep

    folder = keep.Folder(tmp_path, Connection("http://127.0.0.1:1"))
    folder._file("/q", {}).write_bytes(gzip.compress(b"x" * 1_000))
    assert folder.get("/q", {}) is not None
    monkeypatch.setattr(keep, "MAX_BYTES", 999)
    assert folder.get("/q", {}) is None


# ------------------------------------------------------------------------------ what is written

MARK = "alert(1)"
EVIL = (
    f"<script>{MARK}</script>",
    f'"><img src=x onerror={MARK}>',
    "=HYPERLINK(\"javascript:x\",'a')",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "[click](javascript:alert(1))",
    "![](https://evil.example/pixel)",
    "`code` *bold* _x_ ~~y~~ | cell | # head",
    "{{ 7 * 7 }} {% raw %} $labels.x ${jndi:x} %s",
    '"} or vector(0) # ',
    "a\\b'; DROP TABLE counts; --",
    "../../../outside",
    "C:\\windows\\x",
    "CON",
    "$(touch pwned)",
    "a\u202eb",
)
FORMS = ("text", "json", "markdown", "html", "csv")
STUDIES = (
    "report",
    "review",
    "backtest",
    "forecast",
    "attribute --by route",
    "incidents",
    "confidence",
    "advise",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Objectives and a log of three days whose every name wants to be something else."""
    folder = tmp_path_factory.mktemp("hostile")
    slos = [
        {
            "name": name,
            "service": EVIL[i - 1],
            "owner": EVIL[i - 2],
            "team": EVIL[i - 3],
            "description": EVIL[i - 4],
            "runbook": "javascript:alert(1)",
            "links": {EVIL[i - 5]: "javascript:alert(1)"},
            "labels": {"note": EVIL[i - 6]},
            "target": "99%",
            "window": "1d",
            "sli": {"kind": "availability"},
        }
        for i, name in enumerate(EVIL)
    ]
    (folder / "slos.json").write_text(json.dumps({"slos": slos}))
    with (folder / "day.ndjson").open("w") as log:
        for n in range(2_000):
            second = 130 * n
            stamp = f"2026-03-0{1 + second // 86_400}T{second % 86_400 // 3_600:02d}"
            event = {
                "time": f"{stamp}:{second % 3_600 // 60:02d}:{second % 60:02d}Z",
                "status": 503 if n % 40 < 3 else 200,
                "duration_s": 0.1,
                "route": EVIL[n % len(EVIL)],
            }
            log.write(json.dumps(event) + "\n")
    return folder


def run(folder: Path, words: str, capsys: Any) -> str:
    """What a command answers on standard output."""
    before = sorted(folder.rglob("*"))
    here = Path.cwd()
    os.chdir(folder)
    try:
        capsys.readouterr()
        code = main(words.split())
        shown = capsys.readouterr()
    finally:
        os.chdir(here)
    assert code in {0, 1, 3}, shown.err
    assert sorted(folder.rglob("*")) == before
    assert "\x1b" not in shown.err
    return str(shown.out)


class Hostile(HTMLParser):
    """Whatever of a page could act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "link" and dict(attrs) == {"rel": "icon", "href": "data:,"}:
            return  # no icon, so that none is asked for
        if tag in {"img", "iframe", "object", "embed", "form", "base", "link"}:
            self.acts.append(tag)
        for name, value in attrs:
            address = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or (
                name in {"href", "src", "action", "xlink:href"} and not address.startswith("#")
            ):
                self.acts.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts.append(data)


@pytest.mark.parametrize("command", [*STUDIES, "lint"])
def test_pages_show_names_and_obey_none(command: str, hostile: Path, capsys: Any) -> None:
    """No name becomes a tag, a handler, an address or a part of a script in any page."""
    pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")
    source = "slos.json" if command == "lint" else "-s slos.json day.ndjson"
    text = run(hostile, f"{command} {source} -f html", capsys)
    page = Hostile(text)
    assert not page.acts
    for script in page.scripts:
        assert MARK not in script or "<" not in script
    assert html.escape(EVIL[0]).replace("&#x27;", "&#39;") in text


@pytest.mark.parametrize("command", [*STUDIES, "lint"])
def test_markdown_shows_names_and_obeys_none(command: str, hostile: Path, capsys: Any) -> None:
    """No name becomes a tag, a link, a picture, code or a cell of a table."""
    source = "slos.json" if command == "lint" else "-s slos.json day.ndjson"
    text = run(hostile, f"{command} {source} -f markdown", capsys)
    assert EVIL[0].replace("<", r"\<").replace(">", r"\>") in text
    assert not re.search(r"(?<!\\)<(?:script|img)", text)
    assert not re.search(r"(?<!\\)\]\s*\((?:javascript|https://evil)", text)
    assert "\\`code\\`" in text
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(widths) <= 1, rows


@pytest.mark.parametrize("command", [*STUDIES, "lint", "history --step 1d"])
def test_no_cell_of_a_csv_is_a_formula(command: str, hostile: Path, capsys: Any) -> None:
    """Text that a spreadsheet would work out is quoted with an apostrophe; numbers are numbers."""
    source = "slos.json" if command == "lint" else "-s slos.json day.ndjson"
    text = run(hostile, f"{command} {source} -f csv", capsys)
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    for cell in cells:
        if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
            assert math.isfinite(float(cell)) or cell == "-inf", cell
    if command != "advise":
        assert f"'{EVIL[2]}" in cells
        assert f"'{EVIL[4]}" in cells


@pytest.mark.parametrize("command", [*STUDIES, "lint", "history --step 1d"])
def test_a_terminal_shows_names_and_obeys_none(command: str, hostile: Path, capsys: Any) -> None:
    """What turns a line around or steers a terminal is shown by its number."""
    source = "slos.json" if command == "lint" else "-s slos.json day.ndjson"
    text = run(hostile, f"{command} {source}", capsys)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_drawings_hold_names_as_text(hostile: Path, tmp_path: Path, capsys: Any) -> None:
    """An SVG is well-formed, and nothing in it acts."""
    pytest.importorskip("matplotlib", reason="missing: matplotlib; pip install 'errorbudget[plot]'")
    out = tmp_path / "plot.svg"
    run(hostile, f"history -s slos.json day.ndjson --slo {EVIL[14]} --step 1h -o {out}", capsys)
    for element in ET.parse(out).iter():
        assert element.tag.rpartition("}")[2] not in {"script", "foreignObject", "image", "a"}
        assert not [name for name in element.attrib if name.startswith("on")]


def test_rules_routes_and_dashboards_hold_names_as_values(hostile: Path, capsys: Any) -> None:
    """Names arrive in YAML and JSON as they are, and no expression is other than ours."""
    from ruamel.yaml import YAML

    from errorbudget.rules import detail_dashboard

    parser = pytest.importorskip("promql_parser", reason="missing: promql-parser")
    yaml = YAML(typ="safe")
    rules = yaml.load(run(hostile, "rules -s slos.json", capsys))
    held = set()
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        parser.parse(rule["expr"])
        assert "vector(0) #" not in re.sub(r'"(?:[^"\\]|\\.)*"', '""', rule["expr"])
        held |= {text for text in rule.get("labels", {}).values() if text in EVIL}
        for text in rule.get("annotations", {}).values():
            # Prometheus reads templates there: names may not bring any.
            ours = re.compile(r"\{\{ \$value \| humanize(Percentage)? \}\}")
            assert "{{" not in ours.sub("", text.replace('{{"{{"}}', "")), text
    assert held >= set(EVIL) - {EVIL[9]}
    routes = yaml.load(run(hostile, "alertmanager -s slos.json", capsys))
    assert set(routes) <= {"global", "route", "receivers", "inhibit_rules", "time_intervals"}
    board = json.loads(run(hostile, "dashboard -s slos.json", capsys))
    for target in _find(board, "expr"):
        parser.parse(re.sub(r"\$__\w+", "5m", target))
        for found in re.findall(r'slo=~"((?:[^"\\]|\\.)*)"', target):
            pattern = re.compile(json.loads(f'"{found}"'))
            assert {name for name in (*EVIL, *map(str.lower, EVIL)) if pattern.fullmatch(name)} == (
                set(EVIL)
            )
    details = [detail_dashboard(slo) for slo in eb.load(str(hostile / "slos.json"))]
    assert not [url for url in _find(details, "url") if url.lower().startswith("javascript")]


def _find(data: Any, key: str) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key and isinstance(value, str):
                yield value
            yield from _find(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _find(value, key)


@pytest.mark.slow
def test_prometheus_itself_takes_the_hostile_rules(
    hostile: Path, tmp_path: Path, capsys: Any
) -> None:
    """The rules of every hostile name load; every third fires with its neighbours' names in it."""
    if shutil.which("promtool") is None:
        pytest.skip("missing: promtool; apt-get install prometheus")
    run(hostile, f"rules -s slos.json --tests {tmp_path}", capsys)
    tests = sorted(str(path) for path in tmp_path.glob("*_test.yml"))
    assert len(tests) == len(EVIL)
    rules = sorted({str(path) for path in tmp_path.glob("*.yml")} - set(tests))
    for words in (["check", "rules", *rules], ["test", "rules", *tests[::3]]):
        done = subprocess.run(
            ["promtool", *words], capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------------------ files


def test_names_lead_to_no_path(hostile: Path, tmp_path: Path, capsys: Any) -> None:
    """Whatever an SLO is called, a command writes the files that it was told to, and no other."""
    pytest.importorskip("pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'")
    home = tmp_path / "deep" / "home"
    home.mkdir(parents=True)
    for words in (
        "report -s slos.json day.ndjson -o HOME/report.html",
        "count -s slos.json day.ndjson -o HOME/counts",
        "rules -s slos.json -o HOME/rules.yaml --tests HOME/tests",
        "dashboard -s slos.json -o HOME/board.json",
        "convert slos.json --to openslo -o HOME/openslo.yaml",
        "convert slos.json --to errorbudget -o HOME/native.yaml",
    ):
        run(hostile, words.replace("HOME", str(home)), capsys)
    with Shared(Tracker(eb.load(str(hostile / "slos.json"))), SqliteStore(home / "budget.db")):
        pass
    with Keeper(Tracker(eb.load(str(hostile / "slos.json"))), home / "kept"):
        pass
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    many = re.compile(
        r"deep/home/(counts/[0-9a-f]+\.counts\.parquet|tests/[a-z0-9-]+(_test)?\.yml)"
    )
    several = {path for path in written if many.fullmatch(path)}
    assert len(several) == 1 + 2 * len(EVIL)
    assert not [path for path in several if re.search(r"/(con|nul|aux|prn)[._]", path)]
    names = ("report.html", "rules.yaml", "board.json", "openslo.yaml", "native.yaml")
    assert written - several == {f"deep/home/{name}" for name in (*names, "budget.db", "kept")}


@pytest.mark.posix
@pytest.mark.parametrize("write", ["output", "state"])
def test_a_link_in_the_place_of_a_draft_is_not_followed(write: str, folder: Path) -> None:
    """In a folder that others may write to, nobody can have another file written over."""
    victim = folder / "victim"
    victim.write_text("precious")
    thread = threading.get_ident()
    draft = {"output": f".out.{os.getpid()}.part", "state": f".out.{os.getpid()}.{thread}.part"}
    (folder / draft[write]).symlink_to(victim)
    if write == "output":
        assert main(["rules", "-s", "slos.yaml", "-o", "out"]) == 0
    else:
        save_state(Tracker(API).state(), folder / "out")
    assert victim.read_text() == "precious"
    assert (folder / "out").stat().st_size > 0
    assert not (folder / "out").is_symlink()


@pytest.mark.posix
def test_a_link_that_comes_back_in_the_place_of_a_draft(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Whoever lays the link again, between taking it away and writing, gets an error."""
    victim = folder / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    (folder / f".out.{os.getpid()}.part").symlink_to(victim)
    (folder / f".out.{os.getpid()}.{threading.get_ident()}.part").symlink_to(victim)
    assert main(["rules", "-s", "slos.yaml", "-o", "out"]) == 2
    assert "cannot write out" in capsys.readouterr().err
    with pytest.raises(SourceUnavailableError, match="cannot write"):
        save_state(Tracker(API).state(), folder / "out")
    assert victim.read_text() == "precious"


def test_nothing_is_written_to_an_address(folder: Path, capsys: Any) -> None:
    """An address where a file of this machine is wanted makes no folder of that name."""
    before = sorted(folder.rglob("*"))
    for words in (
        "rules -s slos.yaml -o s3://bucket/rules.yaml",
        "simulate -o https://host/x.log",
        "demo --out s3://bucket/demo",
        f"{SERVER} --keep s3://bucket/kept",
    ):
        assert main(words.split()) == 2
        assert "is an address" in capsys.readouterr().err
    for path in ("s3://bucket/kept", "https://host/x"):
        with pytest.raises(InvalidInputError, match="is an address"):
            Keeper(Tracker(API), path)
    assert sorted(folder.rglob("*")) == before


# ------------------------------------------------------------------------------ SQL

QUOTED = "st\"at'us; DROP TABLE x; --"


@pytest.mark.parametrize("engine", ["duckdb", "polars", "pyarrow", "dask"])
@pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning")
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_names_with_quotes_are_names_to_every_engine(engine: str, folder: Path) -> None:
    """Columns, files, labels and values with quotes and commands in them are only names."""
    pytest.importorskip("dask.dataframe" if engine == "dask" else engine, reason="missing")
    pa = pytest.importorskip("pyarrow", reason="missing: pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    label = "ro\"u'te"
    times = pa.array([1_772_366_400_000_000_000 + n for n in range(100)], pa.int64())
    values = ["it's", 'a "b"', "'; DROP TABLE x; --", "%", "_", "\\"]
    routes = [values[n % len(values)] for n in range(100)]
    columns = {
        "t'i\"me": times,
        QUOTED: pa.array([503 if n % 10 == 0 else 200 for n in range(100)]),
        label: pa.array(routes),
    }
    path = folder / 'o\'clock "x"; --.parquet'
    parquet.write_table(pa.table(columns), path)
    if engine == "duckdb" and int(pytest.importorskip("duckdb").__version__.split(".")[0]) < 2:
        # Before 2 it takes a quote or a dot in a name for its own: an error, and never a count.
        with pytest.raises(SourceFormatError, match="qualified name"):
            eb.count_files(
                [str(path)], API, time="t'i\"me", status=QUOTED, time_unit="ns", engine=engine
            )
        return
    for value in values:
        slo = API.replace(sli=eb.Availability(where={label: re.escape(value)}))
        found = eb.count_files(
            [str(path)], slo, time="t'i\"me", status=QUOTED, time_unit="ns", engine=engine
        )["api"]
        expected = [n for n in range(100) if routes[n] == value]
        assert int(found.total.sum()) == len(expected)
        assert int((found.total - found.good).sum()) == sum(n % 10 == 0 for n in expected)


# ------------------------------------------------------------------------------ every error


def test_every_error_of_the_family_hides_secrets() -> None:
    """It is the family that hides them: no message has to think of it."""

    def kinds(kind: type[Exception]) -> Iterator[type[Exception]]:
        yield kind
        for each in kind.__subclasses__():
            yield from kinds(each)

    for root in (ErrorBudgetError, eb.ErrorBudgetWarning):
        for kind in kinds(root):
            for address in ADDRESSES.values():
                error = kind(f'cannot read "{address}": gone')
                assert CANARY not in str(error) + repr(error)
                assert str(error).endswith(": gone")
