"""JSON, Markdown, CSV and HTML: the same figures, escaped, and to the schema."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from fractions import Fraction
from functools import cache
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.report import default_slos, document, report_schema, to_csv, to_json, to_markdown
from errorbudget.report.document import DataSummary, FileSummary
from errorbudget.report.markdown import escaped
from errorbudget.report.wording import words

T0 = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z
SECOND = 10**9

REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 3 * 86_400),
        st.sampled_from([200, 204, 301, 404, 429, 500, 503]),
        st.floats(0, 3),
    ),
    min_size=1,
    max_size=60,
)


def events(requests: list[tuple[int, int, float]]) -> eb.Events:
    """Requests as events: seconds, status, duration."""
    return eb.Events(
        time=[T0 + second * SECOND for second, _, _ in requests],
        status=[status for _, status, _ in requests],
        duration_s=[duration for _, _, duration in requests],
    )


def slos(name: str = "plain") -> list[eb.SLO]:
    """One SLO of each kind, with a name that is put everywhere."""
    return [
        eb.SLO(
            name, target="99.9%", window="30d", sli=eb.Availability(), description=name, owner=name
        ),
        eb.SLO(
            "strict", target="100%", window="1d", sli=eb.Availability(good="2xx"), alerts=eb.GUIDE
        ),
        eb.SLO(
            "month",
            target="99%",
            window=eb.Calendar("month", zone="Europe/Berlin"),
            sli=eb.ErrorRate(),
            warning_target="99.5%",
        ),
        eb.SLO(
            "slices",
            target="95%",
            window="7d",
            sli=eb.Availability(),
            method=eb.Timeslices("5m", "99%"),
        ),
        eb.SLO("p95", window="1d", sli=eb.LatencyQuantile({"p95": "200ms", "p99": "500ms"})),
        eb.SLO("rate", window="1h", sli=eb.Throughput(above=10)),
        eb.SLO("nobody", target="99%", window="1h", sli=eb.Availability(where={"status": "2xx"})),
    ]


@cache
def validator() -> Any:
    """The schema that ships with the package."""
    jsonschema = pytest.importorskip("jsonschema", reason="missing: jsonschema; make test")
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@given(requests=REQUESTS, hours=st.integers(-1, 200))
@settings(max_examples=40)
def test_json_keeps_to_its_schema(requests: list[tuple[int, int, float]], hours: int) -> None:
    """Whatever happened and whenever it is judged, the JSON is strict and valid."""
    found = document(slos(), events(requests), at=T0 + hours * 3_600 * SECOND)
    data = json.loads(to_json(found), parse_constant=pytest.fail)
    assert not list(validator().iter_errors(data))
    for slo, status in zip(data["slos"], found.report, strict=True):
        if status.state == "no_data":
            assert slo["sli"] is None
            assert slo["tier"] is None


@given(requests=REQUESTS)
@settings(max_examples=25)
def test_words_agree_with_the_figures(requests: list[tuple[int, int, float]]) -> None:
    """What the faces print lies on the same side of every decision as the exact figure."""
    for status in document(slos(), events(requests)).report:
        said = words(status)
        if status.budget is None or not status.counts:
            assert said.sli == said.left == said.remaining == "-"
            continue
        exact = Fraction(status.counts.good) / Fraction(status.counts.total)
        assert (said.sli == "100%") == (exact == 1)
        left = status.budget.remaining_exact
        assert left is not None
        if said.remaining[0] not in "<>" and "inf" not in said.remaining:
            shown = Fraction(said.remaining.rstrip("%").replace(",", "")) / 100
            tier = status.slo.policy.tier(shown)
            assert tier is not None
            assert tier.name == status.tier
        for alert, state in zip(said.alerts, status.alerts, strict=True):
            assert alert.active == state.active


def test_no_data_is_never_a_number() -> None:
    """Before the first event nothing prints as 0 or 100 %."""
    found = document(slos()[:2], events([(10, 200, 0.1)]), at=T0)
    for status in found.report:
        said = words(status)
        figures = [
            said.sli,
            said.remaining,
            said.spent,
            said.left,
            *(rate for _, rate in said.burn),
        ]
        assert set(figures) == {"-"}
        assert said.tier == said.risk == "-"
        assert said.state == "no data"


def test_exactly_exhausted_prints_zero() -> None:
    """999 good of 1,000 at 99.9 %: met, nothing left, exhausted, and 0 in every face."""
    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
    requests = [(second, 200, 0.1) for second in range(999)] + [(999, 500, 0.1)]
    found = document(slo, events(requests))
    said = words(found.report[0])
    assert (said.state, said.remaining, said.tier) == ("met", "0%", "exhausted (<= 0%)")
    assert said.left == "0 of 1 events (0%), 0 s of 43.2 min"
    assert json.loads(to_json(found))["slos"][0]["budget"]["remaining_ratio"] == 0


EVIL = "<script>alert(1)</script>|*x* `y` {{ 7*7 }} \"q\" 'a' &amp; =cmd()"


def test_markdown_shows_names_as_they_are() -> None:
    """A name with Markdown, HTML and table marks in it stays text, on one line."""
    text = to_markdown(document(slos(EVIL), events([(1, 200, 0.1), (2, 500, 0.2)])))
    assert "<script>" not in text
    assert "| x |" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) in (3, 6, 8), row
    assert escaped("a|b\nc") == r"a\|b c"


def test_many_files_stay_readable() -> None:
    """Two hundred files with a note each are summed up, and none is lost in the sum."""
    files = tuple(FileSummary(f"{n}.log", "common log", 10, 10) for n in range(200))
    data = DataSummary(2_000, (0, 1), files=files, notes=tuple(f"note {n}" for n in range(200)))
    assert data.described_files()[-1] == "192 more files, 1,920 lines"
    assert data.told()[-1] == "188 more notes (in JSON)"
    assert len(DataSummary(1, (0, 1), files=files[:9]).described_files()) == 9


def test_names_cannot_steer_a_terminal() -> None:
    """No SLO takes escape sequences; what turns the line around is shown, not obeyed."""
    said = words(document(slos("a\u202eb")[:1], events([(1, 200, 0.1)])).report[0])
    assert said.name == said.description == r"a\x202eb"


def test_csv_holds_the_exact_figures() -> None:
    """One row an SLO, as many digits as a float has, and no formula."""
    found = document(slos("=cmd()"), events([(1, 200, 0.1), (2, 500, 0.2), (3, 200, 0.1)]))
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert [row["state"] for row in rows] == [status.state for status in found.report]
    assert rows[0]["name"] == "'=cmd()"
    assert float(rows[0]["sli"]) == found.report[0].sli
    assert rows[1]["budget_remaining_ratio"] == "-inf"
    assert rows[4]["sli"] == ""
    assert float(rows[4]["p95"]) == 0.2


class Page(HTMLParser):
    """Tags, addresses and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.classes: list[str] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.text = self.style = self.policy = ""
        self.inline_styles = self.handlers = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""
        for name, value in attrs:
            self.inline_styles += name == "style"
            self.handlers += name.startswith("on")
            if name == "class":
                self.classes += (value or "").split()
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self.cdata_elem == "style":
            self.style += data
        else:
            self.text += data


@pytest.fixture(scope="module")
def page() -> Page:
    """The page of a report with an evil name."""
    pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")
    from errorbudget.report.page import to_html

    requests = [(60 * n, 500 if n % 50 == 0 else 200, 0.1) for n in range(2_000)]
    return Page(to_html(document(slos(EVIL), events(requests), title=EVIL)))


def test_page_is_escaped_and_whole(page: Page) -> None:
    """Nothing loaded from anywhere, every id once, every inner link answered, names as text."""
    assert EVIL.split("|", 1)[0] in page.text
    assert "{{ 7*7 }}" in page.text
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link.startswith(("#", "data:,")), link
        if link.startswith("#"):
            assert link[1:] in page.ids


def test_page_allows_its_own_script_and_style_alone(page: Page) -> None:
    """The policy names what is there by its hash; data cannot end the element that holds it."""
    own = [text for kind, text in page.scripts if kind is None]
    assert len(own) == 1
    for text, directive in ((own[0], "script-src"), (page.style, "style-src")):
        found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{found}';" in page.policy
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy
    assert page.inline_styles == page.handlers == 0
    data = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    assert len(data) == page.classes.count("chart") == 7


def test_charts_end_at_the_figures_of_the_report() -> None:
    """The last moment of every line is what the JSON report says, with infinities and gaps."""
    from errorbudget.report.chart import chart
    from errorbudget.report.chart_data import chart_data

    requests = [(60 * n, 500 if n % 50 == 0 else 200, 0.1) for n in range(2_000)]
    found = document(slos(), events(requests))
    for status in found.report:
        drawn = chart(status, found.source, stretches=60)
        assert drawn is not None
        told = status.to_dict()
        lines = {line["name"]: line["values"] for line in chart_data(drawn, status.slo)["lines"]}
        if status.budget is None:
            for figure in told["measurements"]:
                scale = 1_000 if figure["unit"] == "s" else 1
                assert lines[figure["name"]][-1] == pytest.approx(scale * figure["value"], rel=1e-4)
            continue
        left = told["budget"]["remaining_ratio"]
        assert ("budget left" in lines) == (left != "-inf")
        if left != "-inf":
            assert lines["budget left"][-1] == pytest.approx(100 * left, rel=1e-4)
        for window, rate in told["burn_rates"].items():
            if window in lines:
                same = rate if isinstance(rate, str) else pytest.approx(rate, rel=1e-4)
                assert lines[window][-1] == same


def test_burn_rates_are_named_beside_the_plot_and_noise_lies_below_it() -> None:
    """A threshold's name is at its height, apart from the next; a calm hour is out of sight."""
    from errorbudget.report.chart import chart
    from errorbudget.report.chart_svg import chart_html
    from errorbudget.report.panels import BELOW, KEY_ROW

    requests = [(60 * n, 500 if n % 400 == 0 or n > 1_950 else 200, 0.1) for n in range(2_000)]
    objective = eb.SLO("api", target="99%", window="30d", sli=eb.Availability())
    found = document([objective], events(requests))
    (status,) = found.report
    drawn = chart(status, found.source, stretches=60)
    assert drawn is not None
    html = chart_html(drawn, status.slo, label="charts")
    named = html.split("Burn rates and their alerts (dashed)")[1].split('class="names">')[1]
    named = named.split("</svg>")[0]
    heights = [float(y) for y in re.findall(r'<text x="17" y="([^"]+)%"', named)]
    labels = [unescape(text) for text in re.findall(r">([^<>]+)</text>", named)]
    assert sorted(labels) == sorted(f"{line.name} {line.limit_name}" for line in drawn.burn)
    assert all(above - below >= 100 * KEY_ROW - 0.1 for above, below in pairwise(heights))
    for rank, line in enumerate(drawn.burn):
        (path,) = re.findall(rf'class="line c{rank}" d="([^"]+)"', html)
        (limit,) = re.findall(rf'class="limit c{rank}" d="M0 (\d+)H', html)
        y, heights = 0, []
        for step, one, two in re.findall(r"([Mlhv])(-?\d+)(?: (-?\d+))?", path):
            if step == "M":
                y = int(two)
            elif step != "h":
                y += int(two if step == "l" else one)
            heights.append(y)
        assert (min(heights) < int(limit)) == bool(np.nanmax(line.values) > line.limit)
        assert (BELOW in heights) == bool(np.nanmin(line.values) < 1 / 3)


@given(st.lists(st.one_of(st.floats(-5, 5), st.just(float("nan"))), min_size=1, max_size=400))
@settings(max_examples=60)
def test_no_spike_is_left_out(values: list[float]) -> None:
    """Of every stretch the highest, the lowest and the edges of gaps are among the points kept."""
    from errorbudget.report.chart import kept_points

    column = np.array(values)
    kept = kept_points([column], 7)
    if not np.isnan(column).all():
        assert np.nanmax(column[kept]) == np.nanmax(column)
        assert np.nanmin(column[kept]) == np.nanmin(column)
    gaps = np.isnan(column)
    assert (np.diff(gaps[kept].astype(int)) != 0).sum() == (np.diff(gaps.astype(int)) != 0).sum()
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1


def test_three_bad_minutes_in_a_quarter_are_on_the_page() -> None:
    """Three minutes of failures among 90 days keep their drop, their peak and their alert."""
    from errorbudget.report.chart import chart

    minutes = 90 * 24 * 60
    good = np.full(minutes, 100)
    good[60_000:60_003] = 0
    times = T0 + 60 * SECOND * np.arange(minutes)
    series = eb.CountSeries(times, good, np.full(minutes, 100), 60 * SECOND)
    slo = eb.SLO("q", target="99.9%", window="90d", sli=eb.Availability(), alerts=eb.GUIDE)
    (status,) = document(slo, series).report
    drawn = chart(status, series, stretches=50)
    assert drawn is not None
    assert drawn.left is not None
    assert len(drawn.time_ns) < 1_000
    assert drawn.left.values[0] == 100
    assert drawn.left.values[-1] == pytest.approx(100 * status.budget.remaining_ratio)
    for line in drawn.burn:
        assert np.nanmax(line.values) == np.nanmax(drawn.history.burn_rates[line.name])
    assert drawn.episodes


def test_a_page_without_data_says_why() -> None:
    """No data, and all data at one moment: a sentence stands where the chart would be."""
    pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")
    from errorbudget.report.page import to_html

    one = eb.SLO("one", target="99%", window="1d", sli=eb.Availability())
    text = Page(to_html(document(one, events([(1, 200, 0.1)])))).text
    assert "all there is lies at one moment" in text
    text = Page(to_html(document(one, events([(1, 200, 0.1)]), at=T0))).text
    assert "no data in this window" in text


def test_defaults_follow_the_columns() -> None:
    """Latency is judged where there are durations, and a verdict where there is one."""
    names = [slo.name for slo in default_slos(events([(1, 200, 0.1)]))]
    assert names == ["availability", "success-2xx", "latency-200ms", "latency-500ms"]
    judged = eb.Events(time=[1, 2], good=[True, False])
    assert [slo.name for slo in default_slos(judged)] == ["good-events"]
    with pytest.raises(eb.ErrorBudgetError, match="nothing to judge"):
        default_slos(eb.Events(time=[1]))


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_corrections_leave_a_trail(form: str, tmp_path: Path) -> None:
    """What was left out of a budget, and why, stands in every output."""
    for package, extra in (("rich", "cli"), ("ruamel.yaml", "specs"), ("jinja2", "report")):
        cure = f"missing: {package}; pip install 'errorbudget[{extra}]'"
        pytest.importorskip(package, reason=cure)
    from errorbudget.cli import main

    log = tmp_path / "x.csv"
    log.write_text("time,status\n2026-03-01T11:00:00Z,200\n2026-03-01T11:25:00Z,500\n")
    spec = tmp_path / "s.yaml"
    spec.write_text(
        "slos: [{name: a, target: 99%, window: 1d, sli: {kind: availability}, corrections: "
        "[{start: 2026-03-01T11:20:00Z, end: 2026-03-01T11:30:00Z, reason: moved disks}]}]"
    )
    out = tmp_path / f"out.{'txt' if form == 'text' else form}"
    assert main(["report", "-s", str(spec), str(log), "-f", form, "-o", str(out)]) == 0
    assert "moved disks" in out.read_text("utf-8")
