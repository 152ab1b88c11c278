"""Cards: what a notebook shows of an answer, escaped, without scripts, as HTML and as text."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.cards import MOST_ROWS, STYLE, Card, Shown, text_table
from errorbudget.studies.advice import advise
from errorbudget.studies.attribution import attribute
from errorbudget.studies.backtest import backtest
from errorbudget.studies.confidence import confidence_of
from errorbudget.studies.deploys import deploy_effect
from errorbudget.studies.forecast import forecast
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.lint import lint
from errorbudget.studies.low_traffic import quiet_alert
from errorbudget.studies.noise import burn_or_noise, least_traffic
from errorbudget.studies.recovery import recovery
from errorbudget.studies.review import review
from errorbudget.studies.simulate import Outage, simulate
from errorbudget.studies.spend import daily_spend
from errorbudget.studies.trend import trend

T0 = 1_772_366_400_000_000_000
HOUR = 3_600 * 10**9
DAY = 24 * HOUR
NASTY = '<script>alert("1")</script>&'


def answers(events: eb.Events) -> dict[str, Any]:
    """One of everything that has a card, over *events* of ten days."""
    slo = eb.SLO(NASTY, target="99%", window="7d", sli=eb.Availability(), description=NASTY)
    end = T0 + 10 * DAY
    status = slo.evaluate(events, at=end)
    tried = backtest(slo, events, [eb.WORKBOOK, eb.GUIDE], start=T0, end=end, step="5m")
    return {
        "Status": status,
        "Report": eb.evaluate([slo], events, at=end),
        "History": slo.history(events, step="1h", start=T0, end=end),
        "SLO": slo,
        "CountSeries": slo.count(events),
        "Backtest": tried,
        "PolicyResult": tried[0],
        "Recommendation": tried.recommend(),
        "Forecast": forecast(slo, events, at=end, paths=20),
        "Recovery": recovery(slo, events, at=end),
        "Confidence": confidence_of(slo, events, at=end),
        "BurnVerdict": burn_or_noise(status.counts, "99%"),
        "LeastTraffic": least_traffic("99%"),
        "Attribution": attribute(slo, events, "route", at=end),
        "Ledger": incident_ledger(slo, events, at=end),
        "DeployEffect": deploy_effect(slo, events, T0 + 3 * DAY),
        "Advice": advise(slo, events, targets=["95%"]) if len(events) else None,
        "LintReport": lint(slo),
        "DailySpend": daily_spend(slo, events),
        "Review": review(slo, events, at=end),
        "SLOReview": review(slo, events, at=end)[0],
        "Comparison": slo.compare_methods(events, at=end),
        "CompositeStatus": eb.Composite(
            NASTY, "99%", ["a", NASTY, "c"], missing="exclude", rule="serial"
        ).of({"a": "0.999", NASTY: status.sli, "c": None}),
        "Trend": trend(eb.Counts(99, 1), status.counts),
        "QuietAlert": quiet_alert("99%", "30d", 60),
        "Simulation": simulate(
            T0,
            "10d",
            rate=0.01 if len(events) else 0,
            incidents=[Outage(T0 + DAY, "1h", name=NASTY)],
        ),
    }


def ten_days(n: int = 4_000) -> eb.Events:
    """Traffic with one outage, and routes with names that bite."""
    rng = np.random.default_rng(3)
    time = T0 + np.sort(rng.integers(1, 10 * DAY, n))
    bad = (time > T0 + 5 * DAY) & (time < T0 + 5 * DAY + 2 * HOUR)
    routes = np.where(rng.random(n) < 0.5, "/", NASTY).tolist()
    return eb.Events(time=time, status=np.where(bad, 503, 200), labels={"route": routes})


HISTORIES = {
    "ten days": ten_days(),
    "all bad": eb.Events(time=[T0 + DAY], status=[500], labels={"route": ["/"]}),
    "nothing": eb.Events(time=[], status=[], labels={"route": []}),
}


class Reader(HTMLParser):
    """Tags that are open, and those that were seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("history", HISTORIES)
def test_everything_has_a_card(history: str) -> None:
    """Every answer is well-formed HTML without scripts or handlers, and plain text, of any data."""
    for name, answer in answers(HISTORIES[history]).items():
        if answer is None:
            continue
        assert type(answer).__name__ == name
        html = answer._repr_html_()
        reader = Reader(html)
        assert not reader.open, name
        assert set(reader.seen) <= {
            *("div", "style", "p", "strong", "span", "table", "thead", "tbody", "tr", "th", "td"),
        }
        assert reader.attributes <= {"class", "scope"}
        assert "<script" not in html
        text = answer._card().text()
        assert text.strip()
        assert "nan" not in re.findall(r"[a-z]+", text), f"{name}: {text}"


def test_every_answer_is_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gives a frame whose columns are those of its rows, of the same types for any data."""
    pandas = pytest.importorskip(
        "pandas", reason="missing: pandas; pip install 'errorbudget[pandas]'"
    )
    from errorbudget import cards, frames

    rows_seen = []

    def strict(rows: Any, columns: Any) -> Any:
        kept = list(rows)
        rows_seen.extend(kept)
        assert all(list(row) == list(columns) for row in kept)
        return frame(kept, columns)

    frame = frames.frame
    for module in list(sys.modules.values()):
        if getattr(module, "frame", None) in (frame, cards.frame):
            monkeypatch.setattr(module, "frame", strict)
    found = {
        history: {name: each.to_pandas() for name, each in answers(events).items() if each}
        for history, events in HISTORIES.items()
    }
    assert rows_seen
    for name, full in found["ten days"].items():
        assert len(full), name
        for others in found.values():
            other = others.get(name, full)
            assert isinstance(other, pandas.DataFrame)
            assert list(other) == list(full), name
            for column, kind in full.dtypes.items():
                missing = len(other) > 0 and other[column].isna().all()
                assert other[column].dtype == kind or missing, (name, column)


def test_no_answer_is_left_out() -> None:
    """All types of the library that have a card are in the list above."""
    import errorbudget

    found = set()
    for module in pkgutil.walk_packages(errorbudget.__path__, "errorbudget."):
        if not module.name.startswith(
            ("errorbudget.studies", "errorbudget.s", "errorbudget.e", "errorbudget.c")
        ):
            continue
        if module.name.startswith(("errorbudget.sources", "errorbudget.specs")):
            continue
        for name, value in inspect.getmembers(importlib.import_module(module.name)):
            if inspect.isclass(value) and issubclass(value, Shown) and value is not Shown:
                found.add(name)
    assert found <= {*answers(HISTORIES["ten days"]), *ELSEWHERE}


ELSEWHERE: set[str] = set()
"""Types with tests of their own."""


def test_an_outage_is_said() -> None:
    """The cards hold the figures of their answers."""
    found = answers(HISTORIES["ten days"])
    status = found["Status"]
    assert "missed" in status._repr_html_()
    assert f"{status.counts.bad}" in status._card().text()
    assert "incident 1" in found["Ledger"]._repr_html_()
    assert "&lt;script&gt;" in found["Attribution"]._repr_html_()


@given(
    st.lists(st.lists(st.text(max_size=9), min_size=2, max_size=2), max_size=5),
    st.text(min_size=1, max_size=20),
)
def test_any_text_is_escaped(rows: list[list[str]], title: str) -> None:
    """Whatever the texts are, only the card's own tags are tags."""
    html = Card(title, title, "", [title], ["a", "b"], rows, [title]).html()
    plain = Card("x", "x", "", ["x"], ["a", "b"], [["x", "x"]] * len(rows), ["x"]).html()
    assert len(Reader(html).seen) == len(Reader(plain).seen)


def test_a_card_reads_without_its_style() -> None:
    """Title and state are apart where styles are left out, as in notebooks that nobody trusts."""
    html = re.sub(r"<style>.*?</style>", "", Card("api", "met").html())
    assert re.sub(r"<[^>]+>", "", html) == "api met"
    assert "<strong>api</strong>" in html


def test_long_tables_end() -> None:
    """A table of many rows says how many more there are."""
    card = Card("x", header=["a"], rows=[[str(n)] for n in range(MOST_ROWS + 7)])
    assert "and 7 more" in card.html()
    assert "and 7 more" in card.text()


def test_the_page_outranks_the_system() -> None:
    """Jupyter's own theme comes after the preference of the system, and letters are the page's."""
    assert STYLE.index("prefers-color-scheme:dark") < STYLE.index("[data-jp-theme-light=true]")
    assert "[data-jp-theme-light=false]" in STYLE
    assert "color:inherit" in STYLE


def test_ipython_writes_plain_text() -> None:
    """A terminal gets the table."""
    pretty = pytest.importorskip(
        "IPython.lib.pretty", reason="missing: IPython; make test (or the dependency group `dev`)"
    ).pretty
    assert "budget left" in pretty(answers(HISTORIES["ten days"])["Status"])


def test_a_card_to_the_letter() -> None:
    """Sentences, a tag in its tone, figures to the right, instants unbroken, notes at the end."""
    card = Card(
        "api",
        "met",
        "good",
        lines=["All is well."],
        header=["who", "bad", "since", "why"],
        rows=[["/a", "12", "2026-03-01 12:00Z", "load"], ["2", "3 of 4", "never", "1"]],
        notes=["That is all."],
    )
    assert card.text().splitlines() == [
        "api: met",
        "All is well.",
        "who     bad              since   why",
        "/a       12  2026-03-01 12:00Z  load",
        "2    3 of 4              never     1",
        "That is all.",
    ]
    html = card.html().partition("</style>")[2]
    assert html == (
        '<p class="eb-title"><strong>api</strong> <span class="eb-tag eb-good">met</span></p>'
        '<p>All is well.</p><div class="eb-rows"><table><thead><tr><th scope="col">who</th>'
        '<th scope="col" class="eb-n">bad</th><th scope="col">since</th><th scope="col">why</th>'
        '</tr></thead><tbody><tr><td>/a</td><td class="eb-n">12</td>'
        '<td class="eb-w">2026-03-01 12:00Z</td><td>load</td></tr>'
        '<tr><td>2</td><td class="eb-n">3 of 4</td><td>never</td><td>1</td></tr></tbody></table>'
        "</div><p>That is all.</p></div>"
    )
    assert Card("api").text() == "api"
    assert Card("api").html().endswith('<p class="eb-title"><strong>api</strong></p></div>')
    assert '<span class="eb-tag">met</span>' in Card("api", "met").html()


@pytest.mark.parametrize(
    ("cell", "figure"),
    [
        *((word, True) for word in ("12", "-1.5", "1,234", "<0.1%", "3 of 4", "3/4", "17 m", "2s")),
        *((word, True) for word in ("inf", "-inf", "-", "")),
        *((word, False) for word in ("api", "no", "x", "%", "/a", "of 4", "infinite", "12 days")),
    ],
)
def test_short_words_are_no_figures(cell: str, figure: bool) -> None:
    """A column stands to the right when it has digits, or says that there is no number."""
    body = Card("api", header=["who", "n"], rows=[["a", cell]]).html().partition("<tbody>")[2]
    assert ('class="eb-n"' in body) == figure


def test_no_more_rows_than_fit() -> None:
    """What is left out is counted; an empty table has a header and no figures."""
    full = Card("api", header=["n"], rows=[["1"]] * MOST_ROWS)
    assert "more" not in full.text() + full.html()
    more = Card("api", header=["n"], rows=[["1"]] * (MOST_ROWS + 1_000))
    assert more.text().splitlines()[-1] == "and 1,000 more"
    assert more.html().count("<td") == MOST_ROWS
    assert more.html().endswith("<p>and 1,000 more</p></div>")
    assert "eb-n" not in Card("api", header=["n", "m"]).html().partition("</style>")[2]


def test_kin_may_take_arguments_and_cycles_are_cut_short() -> None:
    """A class is made as its parents want it; IPython asks for no answer within itself."""

    class Named:
        def __init_subclass__(cls, name: str, **arguments: Any) -> None:
            super().__init_subclass__(**arguments)
            cls.name = name  # type: ignore[attr-defined]

    class One(Shown, Named, name="one"):
        def _card(self) -> Card:
            return Card("one")

    class Printer(list[str]):
        text = list.append

    assert One.name == "one"  # type: ignore[attr-defined]
    printed = Printer()
    One()._repr_pretty_(printed, cycle=False)
    One()._repr_pretty_(printed, cycle=True)
    assert printed == ["one", "One(...)"]


def test_a_table_of_text_ends_where_its_letters_do() -> None:
    """An empty cell keeps its place, and leaves no spaces behind."""
    assert text_table(["a", "bb"], [["x", ""], ["", "y"]]) == "a  bb\nx\n    y"
