"""The commands of studies: what they print, that it is what Python says, and how they end."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.cli import main, prometheus_options
from errorbudget.errors import SourceFormatError
from errorbudget.sources.incident_files import read_incidents
from errorbudget.studies.attribution import attribute
from errorbudget.studies.backtest import backtest
from errorbudget.studies.confidence import confidence_of
from errorbudget.studies.forecast import forecast
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.review import review
from tests.test_cli_prometheus import Server, samples

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

Captured = pytest.CaptureFixture[str]
STUDIES = ("review", "backtest", "forecast", "attribute", "incidents", "confidence", "advise")
SPEC = """\
slos:
  - {name: all, target: 99%, window: 3d, sli: {kind: availability}}
  - {name: cart, target: 99.5%, window: 3d, sli: {kind: availability, where: {route: /cart}}}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of the shop: a log, a spec and the truth."""
    folder = tmp_path_factory.mktemp("shop")
    words = ["simulate", "-o", str(folder / "access.log"), "--days", "4"]
    assert main([*words, "--truth", str(folder / "truth.json")]) == 0
    (folder / "slos.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def read(shop: Path) -> tuple[Any, eb.Events]:
    """The same objectives and events in Python."""
    return eb.load(shop / "slos.yaml"), eb.read_events(shop / "access.log")


def run(words: list[str], capsys: Captured) -> tuple[int, str]:
    """Exit code and standard output."""
    capsys.readouterr()
    code = main(words)
    return code, capsys.readouterr().out


def inputs(shop: Path) -> list[str]:
    return ["-s", str(shop / "slos.yaml"), str(shop / "access.log")]


@pytest.mark.parametrize("command", STUDIES)
def test_every_form_names_every_slo(command: str, shop: Path, capsys: Captured) -> None:
    """Each study comes out in each form, and as a file with the same content."""
    pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")
    for form in ("text", "json", "markdown", "html", "csv"):
        words = [command, *inputs(shop), "--format", form]
        code, shown = run(words, capsys)
        assert code == 0, (command, form)
        assert "all" in shown
        assert "cart" in shown
    path = shop / f"{command}.md"
    assert main([command, *inputs(shop), "-o", str(path)]) == 0
    code, shown = run([command, *inputs(shop), "-f", "markdown"], capsys)
    assert path.read_text("utf-8") == shown
    code, shown = run([command, *inputs(shop), "-f", "json"], capsys)
    data = json.loads(shown, parse_constant=pytest.fail)
    assert re.fullmatch(r"errorbudget\.\w+/1", data["schema"])
    assert len(data["slos"]) == 2


def test_json_is_what_python_says(shop: Path, read: Any, capsys: Captured) -> None:
    """The figures of the commands are those of the functions."""
    slos, events = read

    def asked(command: str, *words: str) -> Any:
        code, shown = run([command, *inputs(shop), *words, "-f", "json"], capsys)
        assert code == 0
        return json.loads(shown)

    def plain(value: Any) -> Any:
        return json.loads(json.dumps(value))

    truth = read_incidents(shop / "truth.json")
    tried = asked("backtest", "--policy", "own", "--incidents", str(shop / "truth.json"))
    for slo, data in zip(slos, tried["slos"], strict=True):
        expected = plain(backtest(slo, events, incidents=truth).to_dict())
        assert {key: data[key] for key in expected} == expected
    by_route = asked("attribute", "--by", "route", "--by", "status")
    assert by_route["slos"] == [
        plain(attribute(slo, events, ["route", "status"]).to_dict()) for slo in slos
    ]
    ledgers = asked("incidents")
    assert ledgers["slos"] == [plain(incident_ledger(slo, events).to_dict()) for slo in slos]
    sure = asked("confidence", "--method", "jeffreys")
    for slo, data in zip(slos, sure["slos"], strict=True):
        expected = plain(confidence_of(slo, events, method="jeffreys").to_dict())
        assert {key: data[key] for key in expected} == expected
    ahead = asked("forecast", "--horizon", "2d", "--traffic", "2")
    for slo, data in zip(slos, ahead["slos"], strict=True):
        assert data["scenarios"][0] == plain(forecast(slo, events, horizon="2d").to_dict())
        assert data["scenarios"][1]["scenario"] == "2 times the traffic"
    week = asked("review", "--period", "weekly")
    assert week == plain(review(slos, events).to_dict())


@pytest.mark.parametrize(
    "words",
    [
        *((command,) for command in STUDIES),
        ("review", "--period", "monthly"),
        ("attribute", "--deploy", "2026-03-03T10:00Z"),
        ("forecast", "--traffic", "2"),
        ("lint",),
    ],
)
def test_json_keeps_to_its_schema(words: tuple[str, ...], shop: Path, capsys: Captured) -> None:
    """What is written fits the schema that `errorbudget schema` prints, and less does not."""
    jsonschema = pytest.importorskip("jsonschema", reason="missing: jsonschema; make test")
    given = [str(shop / "slos.yaml")] if words[0] == "lint" else inputs(shop)
    _, shown = run([*words, *given, "-f", "json"], capsys)
    data = json.loads(shown)
    name = data["schema"].removeprefix("errorbudget.").removesuffix("/1")
    code, shown = run(["schema", name], capsys)
    schema = json.loads(shown)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert (code, [error.message for error in validator.iter_errors(data)]) == (0, [])
    entry = data.get("slos", data.get("files"))[0]
    del entry[next(iter(entry))]
    assert not validator.is_valid(data)


def test_reviews_speak_of_what_the_guide_lists(shop: Path, capsys: Captured) -> None:
    """Every topic is a heading, in the guide's order; longer reviews hold the shorter ones."""
    weekly = ["Current Status", "Trend Analysis", "Alert Effectiveness", "Action Items"]
    monthly = [
        "Performance Analysis",
        "Target Adjustment",
        "Process Improvement",
        "Stakeholder Communication",
    ]
    quarterly = [
        "Strategic Assessment",
        "Business Alignment",
        "Architecture Review",
        "Long-term Planning",
    ]
    for period, topics in (
        ("weekly", weekly),
        ("monthly", weekly + monthly),
        ("quarterly", weekly + monthly + quarterly),
    ):
        code, shown = run(["review", *inputs(shop), "--period", period, "-f", "markdown"], capsys)
        assert code == 0
        assert re.findall(r"^## (.*)$", shown, re.MULTILINE) == ["Summary", *topics]


def test_an_incident_of_the_ledger_is_read_back(shop: Path, capsys: Captured) -> None:
    """What `incidents` writes as CSV are incidents for the other commands."""
    ledger = shop / "ledger.csv"
    words = ["incidents", *inputs(shop), "--slo", "all", "-f", "csv", "-o", str(ledger)]
    assert main(words) == 0
    code, shown = run(
        ["backtest", *inputs(shop), "--slo", "all", "--incidents", str(ledger), "-f", "json"],
        capsys,
    )
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(ledger.read_text())))
    assert [row["name"] for row in rows] == [
        each["name"] for each in json.loads(shown)["slos"][0]["incidents"]
    ]
    words = ["forecast", *inputs(shop), "--slo", "all", "--incidents", str(ledger)]
    code, shown = run([*words, "--repeat", rows[0]["name"], "-f", "json"], capsys)
    assert code == 0
    assert json.loads(shown)["slos"][0]["scenarios"][1]["scenario"].endswith("again")


def test_incidents_of_several_objectives_are_read_back(tmp_path: Path, capsys: Captured) -> None:
    """Each objective gets its own from what `incidents` wrote, though names come twice."""
    log, ledger, spec = (str(tmp_path / name) for name in ("a.log", "ledger.csv", "slos.yaml"))
    assert main(["simulate", "-o", log, "--days", "8"]) == 0
    sli = "{kind: availability, where: {route: /cart}}"
    Path(spec).write_text(
        "defaults: {target: 99.9%, window: 7d}\n"
        f"slos: [{{name: all, sli: {{kind: availability}}}}, {{name: cart, sli: {sli}}}]\n",
        encoding="utf-8",
    )
    known = ["-s", spec, log, "--incidents", ledger]
    assert main(["incidents", "-s", spec, log, "-f", "csv", "-o", ledger]) == 0
    rows = list(csv.DictReader(io.StringIO(Path(ledger).read_text(encoding="utf-8"))))
    of = {slo: [row["name"] for row in rows if row["slo"] == slo] for slo in ("all", "cart")}
    assert len(of["all"]) > len(of["cart"]) > 0
    assert of["all"][0] == of["cart"][0]
    for command in ("backtest", "incidents"):
        code, shown = run([command, *known, "-f", "json"], capsys)
        assert code == 0
        for each in json.loads(shown)["slos"]:
            name = each["slo"] if isinstance(each["slo"], str) else each["slo"]["name"]
            assert [found["name"] for found in each["incidents"]] == of[name]
    code, shown = run(["attribute", *known, "-f", "csv"], capsys)
    assert code == 0
    shared = [row for row in csv.DictReader(io.StringIO(shown)) if row["slo"] == "cart"]
    assert len(shared) == len(of["cart"]) + 1
    code, shown = run(["review", *known, "-f", "json"], capsys)
    assert code == 0
    for each in json.loads(shown)["slos"]:
        assert [found["name"] for found in each["incidents"]] == of[each["name"]]
    code = main(["forecast", *known, "--repeat", of["all"][-1], "-f", "csv"])
    shown, said = capsys.readouterr()
    assert code == 0
    assert said == f'errorbudget: cart has no incident "{of["all"][-1]}" to repeat\n'
    told = [(row["slo"], row["scenario"]) for row in csv.DictReader(io.StringIO(shown))]
    assert told == [
        ("all", "as before"),
        ("all", f"{of['all'][-1]} again"),
        ("cart", "as before"),
    ]


def test_nothing_to_tell_has_a_header(shop: Path, tmp_path: Path, capsys: Captured) -> None:
    """A CSV without rows has the columns of one with rows."""
    quiet = tmp_path / "quiet.csv"
    quiet.write_text("time,status\n2026-03-02T10:00:00Z,200\n")
    spec = tmp_path / "slos.yaml"
    spec.write_text("slos: [{name: api, target: 99%, window: 7d, sli: {good: 2xx}}]")
    later = ["--at", "2026-05-01T00:00Z"]
    for full, bare, without in (
        (["incidents", *inputs(shop)], ["incidents", "-s", str(spec), str(quiet)], 0),
        (["attribute", *inputs(shop)], ["attribute", "-s", str(spec), str(quiet), *later], 3),
        (["lint", str(shop / "slos.yaml")], ["lint", str(spec), "--ignore", "EB103"], 0),
    ):
        _, rows = run([*full, "-f", "csv"], capsys)
        assert rows.count("\n") > 1
        code, header = run([*bare, "-f", "csv"], capsys)
        assert (code, header) == (without, rows.splitlines(keepends=True)[0])


def test_a_sweep_recommends(shop: Path, capsys: Captured) -> None:
    """Many variants in one call, none that a healthy service sets off; the best is on the front."""
    code, shown = run(["backtest", *inputs(shop), "--sweep", "-f", "json"], capsys)
    assert code == 0
    slos = json.loads(shown)["slos"]
    for slo in slos:
        assert slo["recommendation"]["policy"]["name"] in slo["front"]
    _, text = run(["backtest", *inputs(shop), "--sweep"], capsys)
    untried = re.findall(r"(\d+) variants of the sweep were not tried: over \w+ they", text)
    assert all(0 < int(number) < 100 for number in untried)
    # The Workbook's, the guide's, and a hundred variants.
    assert [len(slo["policies"]) + int(n) for slo, n in zip(slos, untried, strict=True)] == [
        102 for _ in slos
    ]
    _, text = run(["backtest", *inputs(shop)], capsys)
    assert "not tried" not in text


def test_deploys_are_compared(shop: Path, capsys: Captured) -> None:
    """Before and after an instant, as rows."""
    words = ["attribute", *inputs(shop), "--deploy", "2026-03-02T12:00Z", "-f", "csv"]
    code, shown = run(words, capsys)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert [(row["slo"], row["side"]) for row in rows] == [
        (name, side) for name in ("all", "cart") for side in ("before", "after")
    ]


def test_the_proposal_has_six_steps(shop: Path, capsys: Captured) -> None:
    """--proposal is the guide's document."""
    code, shown = run(["advise", *inputs(shop), "--slo", "all", "--proposal"], capsys)
    assert code == 0
    steps = ["Proposal", "Analysis", "Review", "Approval", "Implementation", "Monitoring"]
    assert re.findall(r"^## \d\. (.*)$", shown, re.MULTILINE) == steps


def test_counts_that_were_kept_answer_alike(shop: Path, tmp_path: Path, capsys: Captured) -> None:
    """A folder of what `errorbudget count` keeps stands for the files, and says the same."""
    pytest.importorskip("polars", reason="missing: polars; pip install 'errorbudget[polars]'")
    table = tmp_path / "events.csv"
    events = eb.read_events(shop / "access.log")
    rows = zip(
        events.time.tolist(), events.status.tolist(), events.labels["route"].decode(), strict=True
    )
    table.write_text("time,status,route\n" + "".join(f"{t},{s},{r}\n" for t, s, r in rows))
    folder = tmp_path / "kept"
    spec = ["-s", str(shop / "slos.yaml")]
    assert main(["count", str(table), *spec, "-o", str(folder)]) == 0
    for command in ("incidents", "confidence"):
        code, kept = run([command, *spec, str(folder), "-f", "csv"], capsys)
        assert code == 0
        words = [command, *spec, str(table), "--time-unit", "ns", "-f", "csv"]
        code, direct = run([*words, "--at", "2026-03-05T00:00Z"], capsys)
        assert code == 0
        if command == "incidents":
            assert [row["bad"] for row in csv.DictReader(io.StringIO(kept))] == [
                row["bad"] for row in csv.DictReader(io.StringIO(direct))
            ]


HISTORIES = {
    "empty": "",
    "one event": "2026-03-02T10:00:00Z,200,0.1\n",
    "one failure": "2026-03-02T10:00:00Z,500,0.1\n",
    "all bad": "".join(
        f"2026-03-0{day}T{hour:02d}:30:00Z,500,0.1\n" for day in (2, 3, 4) for hour in range(24)
    ),
}


@pytest.mark.parametrize("name", list(HISTORIES))
@pytest.mark.parametrize("command", STUDIES)
def test_awkward_histories_end_well(
    command: str, name: str, tmp_path: Path, capsys: Captured
) -> None:
    """Empty histories are no data (3), all others an answer, without a traceback."""
    log = tmp_path / "requests.csv"
    log.write_text("time,status,duration_s\n" + HISTORIES[name])
    (tmp_path / "slos.yaml").write_text(
        "slos:\n  - {name: api, target: 99%, window: 3d, sli: {kind: availability}}\n"
    )
    words = [command, "-s", str(tmp_path / "slos.yaml"), str(log)]
    for form in ("json", "text", "markdown", "csv"):
        capsys.readouterr()
        code = main([*words, "-f", form])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert "defect" not in shown.err
        if name == "empty":
            assert code == 3, shown
            assert "no " in shown.err
            continue
        assert code == 0 or (command == "forecast" and code == 3), shown.err
        if form == "json":
            json.loads(shown.out, parse_constant=pytest.fail)


@pytest.mark.parametrize("command", STUDIES)
def test_wrong_questions_are_told_in_one_line(command: str, shop: Path, capsys: Captured) -> None:
    """Exit code 2 and what to do."""
    for words, part in (
        ([command], "no files"),
        ([command, *inputs(shop), "--slo", "al"], 'did you mean "all"'),
        ([command, "-s", str(shop / "missing.yaml"), str(shop / "access.log")], "missing.yaml"),
        ([command, *inputs(shop), "--prometheus", "http://127.0.0.1:1"], "either files or"),
        ([command, *inputs(shop), "-o", str(shop / "access.log"), "-f", "json"], "read here"),
    ):
        capsys.readouterr()
        assert main(words) == 2, words
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1, said
        assert part in said[0]


def test_incident_files_are_read_or_refused(tmp_path: Path) -> None:
    """CSV and JSON, with the entry that is wrong."""
    path = tmp_path / "incidents"
    path.write_text("name,start,end\nfailover,2026-03-01T12:00Z,2026-03-01T12:20Z\n")
    (one,) = read_incidents(path)
    assert (one.name, one.end_ns - one.start_ns) == ("failover", 20 * 60 * 10**9)
    path.write_text(
        '[{"name": "failover", "start": "2026-03-01T12:00Z", "end": "2026-03-01T12:20Z"}]'
    )
    assert read_incidents(path) == (one,)
    for text, part in (
        ("", "name"),
        ("name,start\n", "no column end"),
        ("name,start,end\n,2026-03-01T12:00Z,2026-03-01T12:20Z\n", "line 2"),
        ("name,start,end\nx,yesterday,2026-03-01T12:20Z\n", "yesterday"),
        ("name,start,end\nx,2026-03-01T13:00Z,2026-03-01T12:20Z\n", "before it starts"),
        ('{"a": 1}', "list of incidents"),
        ("[1]", "incident 1"),
        ("[", "not JSON"),
    ):
        path.write_text(text)
        with pytest.raises(SourceFormatError, match=part):
            read_incidents(path)


def test_lint_speaks_to_people_and_to_ci(
    shop: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Severity decides the exit code; SARIF and annotations stand at the line of the objective."""
    spec = tmp_path / "slos.yaml"
    spec.write_text(
        "slos:\n"
        "  - name: api\n    target: 90%\n    window: 30d\n    sli: {kind: availability}\n"
        "  - name: slow\n    target: 99%\n    window: 30d\n"
        "    sli: {kind: latency, threshold: 500ms}\n"
    )
    code, shown = run(["lint", str(spec)], capsys)
    assert (code, "EB103" in shown) == (1, True)
    code, _ = run(["lint", str(spec), "--fail-on", "never"], capsys)
    assert code == 0
    code, _ = run(["lint", str(spec), "--ignore", "EB103"], capsys)
    assert code == 0
    code, shown = run(["lint", str(spec), "-f", "github"], capsys)
    assert shown.startswith(f"::error file={spec},line=2,title=EB103")
    code, shown = run(["lint", str(spec), str(spec), "-f", "sarif"], capsys)
    log = json.loads(shown)
    assert [len(each["results"]) for each in log["runs"]] == [1, 1]
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 2
    monkeypatch.delenv("COLUMNS", raising=False)
    code, shown = run(["lint", "--checks"], capsys)
    assert (code, shown.count("EB")) == (0, shown.count("EB1") + shown.count("EB2"))
    assert max(map(len, shown.splitlines())) > 80  # a pipe can be searched by line
    monkeypatch.setenv("COLUMNS", "60")
    code, narrow = run(["lint", "--checks"], capsys)
    assert max(map(len, narrow.splitlines())) <= 60
    assert narrow.split() == shown.split()
    monkeypatch.delenv("COLUMNS")
    code, shown = run(
        ["lint", str(shop / "slos.yaml"), "--data", str(shop / "access.log"), "-f", "json"], capsys
    )
    found = json.loads(shown)
    assert found["schema"] == "errorbudget.lint/1"
    assert all(finding["why"] and finding["cure"] for finding in found["files"][0]["findings"])
    assert main(["lint", str(spec), "--ignore", "EB999"]) == 2


@pytest.mark.parametrize("command", [*STUDIES, "lint"])
def test_servers_are_asked_alike(
    command: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each study reads a server's counters, each objective its own."""
    server = Server(
        samples("200", 99, route="/api"),
        samples("200", 95, route="/cart"),
        samples("503", 5, route="/cart"),
    )
    monkeypatch.setattr(prometheus_options, "transport_for", lambda _: server)
    spec = tmp_path / "slos.yaml"
    spec.write_text(
        "slos:\n"
        "  - {name: all, target: 99%, window: 1h, sli: {kind: availability}}\n"
        "  - name: cart\n    target: 99%\n    window: 1h\n"
        "    sli: {kind: availability, where: {route: /cart}}\n"
    )
    asked = ["--prometheus", "http://127.0.0.1:9090", "--at", "1970-01-01T02:00:00Z"]
    if command == "lint":
        code, shown = run(["lint", str(spec), *asked, "-f", "json"], capsys)
        assert "EB201" in {each["id"] for each in json.loads(shown)["files"][0]["findings"]}
        assert code == 1
        return
    more = ["--by", "status"] if command == "attribute" else []
    code, shown = run([command, "-s", str(spec), *asked, *more, "-f", "json"], capsys)
    assert code == (3 if command == "forecast" else 0)
    slos = json.loads(shown)["slos"]
    assert len(slos) == 2
    if command == "confidence":
        assert [(slo["good"], slo["bad"]) for slo in slos] == [(11_640, 300), (5_700, 300)]
    if command == "attribute":  # the series are kept apart by their labels
        rows = {row["status"]: (row["bad"], row["total"]) for row in slos[0]["spenders"]}
        assert rows == {"200": (0, 11_640), "503": (300, 300)}
        words = [command, "-s", str(spec), *asked, "--by", "route", "--by", "status_class"]
        slos = json.loads(run([*words, "-f", "json"], capsys)[1])["slos"]
        assert [
            ((row["route"], row["status_class"]), row["bad"]) for row in slos[0]["spenders"]
        ] == [
            (("/cart", "5xx"), 300),
            (("/api", "2xx"), 0),
            (("/cart", "2xx"), 0),
        ]
        assert run([command, "-s", str(spec), *asked, "--by", "rout"], capsys)[0] == 2


def test_counts_are_shared_out_by_the_labels_they_were_kept_by(
    shop: Path, capsys: Captured
) -> None:
    """The rows are those of the events themselves; another label is refused with the cure."""
    pytest.importorskip("polars", reason="missing: polars; pip install 'errorbudget[polars]'")
    table = shop / "events.csv"
    log = shop / "log.csv"
    words = ["simulate", "-o", str(log), "--days", "4", "--log-format", "csv"]
    assert main(words) == 0
    header, _, rest = log.read_text().partition("\n")
    table.write_text(header + "\n" + rest)
    spec = ["-s", str(shop / "slos.yaml")]
    home = str(shop / "counts")
    named = ["--columns", "time=time,status=status"]
    counting = ["count", *spec, str(table), "-o", home, "--by", "route", "--engine", "polars"]
    assert main([*counting, *named]) == 0
    code, shown = run(["attribute", *spec, home, "--by", "route", "-f", "json"], capsys)
    assert code == 0
    kept = json.loads(shown)["slos"]
    at = kept[0]["end"]
    words = ["attribute", *spec, str(table), "--by", "route", "--at", at, "-f", "json"]
    assert [each["spenders"] for each in json.loads(run(words, capsys)[1])["slos"]] == [
        each["spenders"] for each in kept
    ]
    counted = ["attribute", *spec, str(table), "--engine", "polars", *named, "--by", "route"]
    assert json.loads(run([*counted, "-f", "json"], capsys)[1])["slos"] == kept
    capsys.readouterr()
    assert main(["attribute", *spec, home, "--by", "method"]) == 2
    assert "errorbudget count --by method" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("x.csv", b"time,status,"),
        ("X.JSON", b'{"msec":'),
        ("x.ndjson.gz", b'{"msec":'),
        ("x.om", b"# TYPE process_start"),
        ("x.log.gz", b"- - - [01/Mar/2026"),
        ("X.CSV.GZ", b"time,status,"),
        ("x", b"- - - [01/Mar/2026"),
    ],
)
def test_a_simulation_is_written_as_its_name_says(
    name: str, start: bytes, tmp_path: Path, capsys: Captured
) -> None:
    """The suffix tells the format, packed or not; a format that is named goes before it."""
    words = ["simulate", "-o", str(tmp_path / name), "--days", "0.1"]
    assert run(words, capsys)[0] == 0
    content = (tmp_path / name).read_bytes()
    found = gzip.decompress(content) if name.lower().endswith(".gz") else content
    assert found.startswith(start)
    assert run([*words, "--log-format", "counts"], capsys)[0] == 0
    content = (tmp_path / name).read_bytes()
    found = gzip.decompress(content) if name.lower().endswith(".gz") else content
    assert found.startswith(b"time,good,total\n")


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("advise", "candidates"),
        ("attribute", "by"),
        ("backtest", "policies"),
        ("confidence", "level"),
        ("forecast", "horizon"),
        ("incidents", "incidents"),
        ("review", "period"),
    ],
)
def test_help_begins_with_what_a_study_is_about(name: str, own: str) -> None:
    """Its own options, then the form of the answer, then where data come from, as all have it."""
    import click

    from errorbudget.cli.app import app

    command = app.get_command(click.Context(app), name)
    assert command is not None
    names = [param.name for param in command.params]
    assert names[0] == own
    assert names[names.index("form") : names.index("spec")][:4] == [
        "form",
        "out",
        "files",
        "columns",
    ]


def test_a_simulation_is_no_answer_on_standard_output(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it is told of; and no file gets the name of a dash."""
    monkeypatch.chdir(tmp_path)
    for more in ([], ["--log-format", "counts"]):
        assert main(["simulate", "-o", "-", "--days", "0.1", *more]) == 2
        assert "a simulation wants a file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_own_incidents_are_simulated_in_every_form(tmp_path: Path, capsys: Captured) -> None:
    """Every kind of incident, as log, counters and counts; the truth names each."""
    from errorbudget.studies.simulate import INCIDENTS

    listed = [
        {"kind": kind, "name": kind, "start": f"2026-03-01T{hour:02d}:00:00Z"}
        | ({} if kind == "CounterReset" else {"duration": "30m"})
        for hour, kind in enumerate(INCIDENTS, 1)
    ]
    (tmp_path / "own.json").write_text(json.dumps(listed))
    for form in ("combined", "json", "csv", "openmetrics", "counts"):
        words = ["simulate", "-o", str(tmp_path / form), "--days", "0.6", "--log-format", form]
        words += ["--incidents", str(tmp_path / "own.json"), "--rate", "0.2"]
        code, _ = run([*words, "--truth", str(tmp_path / "truth.json")], capsys)
        assert code == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert {each["name"] for each in truth["incidents"]} == set(INCIDENTS)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "counts").read_text())))
    assert sum(int(row["total"]) for row in rows) == truth["requests"]
    assert sum(int(row["total"]) - int(row["good"]) for row in rows) == truth["bad"]
    assert (tmp_path / "openmetrics").read_text().endswith("# EOF\n")
    (tmp_path / "own.json").write_text('[{"kind": "Outtage"}]')
    assert (
        main(["simulate", "-o", str(tmp_path / "x"), "--incidents", str(tmp_path / "own.json")])
        == 2
    )
    assert main(["simulate", "-o", str(tmp_path / "x"), "--rate", "1"]) == 2
