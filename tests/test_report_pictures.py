"""The pictures of the studies' pages: read back as a person would, they say what the study says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.alerts import GUIDE, WORKBOOK
from errorbudget.report.alert_answers import backtest_sections
from errorbudget.report.alerts_svg import _numbers, firing_picture, front_picture
from errorbudget.report.answers import (
    advice_sections,
    attribution_section,
    confidence_section,
    forecast_section,
    ledger_section,
    paper_of,
)
from errorbudget.report.outlook_svg import forecast_picture, recovery_picture
from errorbudget.report.paper import paper_to_html, paper_to_markdown, paper_to_text
from errorbudget.report.review_paper import review_paper
from errorbudget.report.spending_svg import (
    advice_picture,
    confidence_picture,
    course_picture,
    ledger_picture,
)
from errorbudget.studies.advice import advise
from errorbudget.studies.attribution import attribute
from errorbudget.studies.backtest import backtest
from errorbudget.studies.confidence import confidence_of
from errorbudget.studies.forecast import Scenario, forecast
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.pareto import policy_sweep
from errorbudget.studies.recovery import recovery
from errorbudget.studies.review import review
from tests.browser import DESKTOP, PHONE, axe_source, chromium, opened, violations

T0 = 1_772_323_200_000_000_000  # 2026-03-01T00:00:00Z
MINUTE, DAY = 60 * 10**9, 86_400 * 10**9
pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")

EVIL = "<script>alert(1)</script>\"' onload=x &amp; " + "n" * 60
TWO = eb.SLO("two", target="100%", window="1d", sli=eb.Availability())


def history(days: int = 30, outages: Sequence[tuple[int, int, int]] = ()) -> Any:
    """Ten requests a minute, one of 2,000 bad; in an outage (day, minutes, bad) of ten as said."""
    minutes = np.arange(1, days * 1_440 + 1)
    bad = (minutes % 200 == 0).astype(np.int64)
    for day, length, each in outages:
        bad[day * 1_440 + 600 : day * 1_440 + 600 + length] = each
    total = np.full(len(minutes), 10)
    return eb.CountSeries(T0 + minutes * MINUTE, total - bad, total, "1m")


SERIES = history(outages=[(8, 60, 5), (17, 15, 10), (24, 400, 1)])
SLO = eb.SLO("api", target="99.5%", window="7d", sli=eb.Availability(), alerts=WORKBOOK)


@dataclass
class Seen:
    """What one panel shows: marks by style as points, and what its left axis says of heights."""

    marks: dict[str, list[list[tuple[float, float]]]]
    ticks: dict[float, float]
    width: float

    def value(self, y: float) -> float:
        """What a height stands for, by the two outermost ticks."""
        (y0, v0), *_, (y1, v1) = sorted(self.ticks.items())
        return v0 + (y - y0) * (v1 - v0) / (y1 - y0)

    @property
    def fine(self) -> float:
        """The value of a unit of height, and so how exactly it can be read."""
        return abs(self.value(1) - self.value(0))


def points(path: str) -> list[list[tuple[float, float]]]:
    """The corners of each piece of a path."""
    found: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for letter, words in re.findall(r"([MHVhvlz])([-\d. ]*)", path):
        numbers = [float(word) for word in words.split()]
        if letter == "M":
            x, y = numbers
            found.append([])
        elif letter == "H":
            (x,) = numbers
        elif letter == "V":
            (y,) = numbers
        elif letter == "h":
            x += numbers[0]
        elif letter == "v":
            y += numbers[0]
        elif letter == "l":
            x, y = x + numbers[0], y + numbers[1]
        else:
            continue
        found[-1].append((x, y))
    return found


def panels(html: str) -> list[Seen]:
    """Every panel and strip of a picture, from top to bottom."""
    found = []
    for part in html.partition('<p class="keys">')[0].split('<div class="panel')[1:]:
        plot = re.search(r'<svg class="plot" viewBox="0 0 (\d+) 1000"[^>]*>(.*?)</svg>', part)
        if plot is None:
            continue
        left = re.search(r'<svg class="beside">(.*?)</svg>', part)
        assert left is not None
        ticks = {
            10 * float(y): float(text.replace(",", "").rstrip("%"))
            for y, text in re.findall(r'y="([\d.]+)%"[^>]*>([^<]+)<', left[1])
        }
        marks: dict[str, list[list[tuple[float, float]]]] = {}
        for style, path in re.findall(r'<path class="([^"]+)" d="([^"]*)"/>', plot[2]):
            marks.setdefault(style, []).extend(points(path))
        found.append(Seen(marks, ticks, float(plot[1])))
    return found


def test_the_futures_drawn_are_those_foretold() -> None:
    """Middle and band at every corner; the dot and the bar below are the instants of exhaustion."""
    futures = [
        forecast(SLO, SERIES, horizon="3d", scenario=scenario)
        for scenario in (Scenario(), Scenario("worse", failures=30))
    ]
    seen = panels(forecast_picture(futures))
    fans, bars = ([each for each in seen if style in each.marks] for style in ("line ink", "span"))
    for future, panel in zip(futures, fans, strict=True):
        times = {(int(t) - future.at_ns) // 10**9: row for row, t in enumerate(future.time_ns)}
        (line,) = panel.marks["line ink"]
        assert len(line) >= 3
        for x, y in line:
            left = max(-100, 100 * future.median[times[x]])
            assert panel.value(y) == pytest.approx(left, abs=panel.fine)
        (area,) = panel.marks["area"]
        lows, highs = {}, {}
        for x, y in area:
            lows[x], highs[x] = max(lows.get(x, y), y), min(highs.get(x, y), y)
        last = max(lows)
        assert panel.value(lows[last]) == pytest.approx(
            max(-100, 100 * future.low[-1]), abs=panel.fine
        )
        assert panel.value(highs[last]) == pytest.approx(
            max(-100, 100 * future.high[-1]), abs=panel.fine
        )
    gone = [future for future in futures if future.exhaustion[0] is not None]
    assert gone
    for future, strip in zip(gone, bars, strict=True):
        early, median, late = (
            (int(future.time_ns[-1] if at is None else at) - future.at_ns) // 10**9
            for at in future.exhaustion
        )
        assert [x for x, _ in strip.marks["span"][0]] == [early, late]
        dots = strip.marks.get("dot ink", [])
        assert len(dots) == (future.exhaustion[1] is not None)
        assert all(dot[0][0] == median for dot in dots)


def test_a_future_far_below_zero_does_not_hide_the_rest() -> None:
    """The scale ends at -100 %, and says so."""
    html = forecast_picture(
        [forecast(SLO, SERIES, horizon="3d", scenario=Scenario(failures=1_000))]
    )
    assert "(cut at -100%)" in html
    panel = panels(html)[0]
    assert min(panel.ticks.values()) >= -100
    assert panel.value(max(y for _, y in panel.marks["line ink"][0])) == pytest.approx(
        -100, abs=panel.fine
    )


def test_the_way_back_reaches_tiers_when_the_schedule_does() -> None:
    """The staircase is above a share from the instant on that the schedule names."""
    schedule = recovery(SLO, SERIES, at=T0 + 9 * DAY)
    (panel,) = panels(recovery_picture(schedule))
    (line,) = panel.marks["line ink"]
    at = schedule.back_above("50%")
    assert at is not None
    assert at > schedule.at_ns
    crossed = next(x for x, y in line if panel.value(y) > 50)
    step = (schedule.time_ns[-1] - schedule.at_ns) / 600 / 10**9
    assert crossed == pytest.approx((at - schedule.at_ns) / 10**9, abs=4 * step)
    left = [schedule.remaining_at(t) for t in (schedule.at_ns, int(schedule.time_ns[-1]))]
    for (_, y), share in zip((line[0], line[-1]), left, strict=True):
        assert share is not None
        assert panel.value(y) == pytest.approx(100 * float(share), abs=panel.fine)


def _sweep() -> Any:
    tried = [WORKBOOK, GUIDE, *policy_sweep(budget=["1%", "2%", "10%"], long=["30m", "6h"])]
    return backtest(SLO, SERIES, tried)


def test_every_policy_is_a_dot_at_its_noise_and_what_it_leaves_unseen() -> None:
    """Both axes, all dots; the front is a staircase, and the one to take has the ring."""
    found = _sweep()
    best = found.recommend(5).result
    html = front_picture(found, best)
    panel = panels(html)[0]
    below = re.findall(r'<text x="([\d.]+)%" y="1em"[^>]*>([\d.,]+)<', html)
    (x0, v0), *_, (x1, v1) = [(10 * float(x), float(v.replace(",", ""))) for x, v in below]

    def place(dot: list[tuple[float, float]]) -> tuple[float, float]:
        ((x, y),) = set(dot)
        return v0 + (x - x0) * (v1 - v0) / (x1 - x0), panel.value(y)

    dots = [place(dot) for style in ("dot main", "dot others") for dot in panel.marks[style]]
    expected = [
        (float(result.noise_per_month or 0), 100 * float(result.spent_unseen)) for result in found
    ]
    wide = abs(v1 - v0) / abs(x1 - x0)
    assert len(dots) == len(found)
    for (noise, unseen), (x, y) in zip(sorted(expected), sorted(dots), strict=True):
        assert x == pytest.approx(noise, abs=wide)
        assert y == pytest.approx(unseen, abs=panel.fine)
    assert place(panel.marks["dot ring"][0]) == pytest.approx(
        (float(best.noise_per_month or 0), 100 * float(best.spent_unseen)),
        abs=wide + panel.fine,
    )
    assert f"take: {best.name}" in unescape(html)
    for rank, result in enumerate(found.front(), 1):
        assert f"<span>{rank} {result.name}</span>" in html


def test_strips_hold_every_episode_where_it_was() -> None:
    """As many stretches as were told, at their instants; one page apart from the next."""
    result = backtest(SLO, SERIES, WORKBOOK)[0]
    start, end = T0, T0 + 30 * DAY
    html = firing_picture(result, start, end)
    titles = [unescape(each) for each in re.findall(r'panel-title">([^<]+)<', html)]
    strips = dict(zip(titles, panels(html), strict=True))
    fired = {alert.name: [] for alert in result.policy.alerts}  # type: ignore[var-annotated]
    for each in result.episodes:
        fired[each.alert].append(each)
    shown = 0
    for title, strip in strips.items():
        (pieces,) = strip.marks.values()
        name = re.fullmatch(r"Alert (.+): fired (once|\d+ times), .* in all", title)
        if name is not None:
            episodes = fired[name[1]]
            assert name[2] == ("once" if len(episodes) == 1 else f"{len(episodes)} times")
            drawn = [x for piece in pieces for x, _ in piece]
            for each in episodes:
                assert any(
                    piece[0][0] - 1 <= (each.start_ns - start) // 10**9 <= piece[-1][0] + 1
                    for piece in pieces
                )
            assert min(drawn) == (episodes[0].start_ns - start) // 10**9
            shown += 1
    assert shown == sum(map(bool, fired.values())) > 1
    assert f"Incidents that were seen: {result.seen}" in strips


def test_bars_of_an_attribution_add_up() -> None:
    """Bars are the rows' shares; what is left out has one more, the sum has none."""
    requests = 4_000
    events = eb.Events(
        time=T0 + np.arange(requests) * MINUTE,
        status=np.where(np.arange(requests) % 37 == 0, 500, 200),
        labels={"route": [f"/{n % 9}" for n in range(requests)]},
    )
    found = attribute(
        eb.SLO("api", target="99%", window="7d", sli=eb.Availability()), events, "route"
    )
    html = paper_to_html(paper_of("spent", [attribution_section(found, 4)]))
    bars = [float(width) for width in re.findall(r'tone-main".*?width="([\d.]+)%"', html)]
    assert len(bars) == 5
    assert sum(bars) == pytest.approx(100, abs=0.02)
    assert bars[:4] == pytest.approx([100 * float(each.share or 0) for each in found[:4]], rel=1e-3)
    assert html.count('class="bar none"') == 1


def test_incidents_are_as_high_as_they_cost_and_stand_where_they_were() -> None:
    """Blocks from start to end; of an endless cost the share of the bad is drawn, and said."""
    slo = SLO.replace(window="30d")
    ledger = incident_ledger(slo, SERIES)
    assert len(ledger) > 1
    (panel,) = panels(ledger_picture(ledger))
    for entry, block in zip(ledger, panel.marks["block"], strict=True):
        start = ledger.interval.start_ns
        assert block[0][0] == (entry.start_ns - start) // 10**9
        assert block[-1][0] == (entry.end_ns - start) // 10**9
        assert panel.value(block[1][1]) == pytest.approx(100 * float(entry.cost), abs=panel.fine)
    endless = incident_ledger(TWO.replace(window="30d"), SERIES, threshold=20)
    html = ledger_picture(endless)
    assert "in parts of all" in html
    (panel,) = panels(html)
    heights = [panel.value(block[1][1]) for block in panel.marks["block"]]
    assert heights == pytest.approx([100 * float(entry.share) for entry in endless], abs=panel.fine)


def test_each_candidate_is_a_row_of_its_tiers() -> None:
    """Widths are shares of the time, and rows are named by their targets."""
    found = advise(SLO, SERIES)
    judged = [each for each in found if each.tiers]
    html = advice_picture(found)
    rows = panels(html)
    names = re.findall(r'<svg class="beside"><text[^>]*>([^<]+)<', html)
    assert names == [str(each.target) for each in judged]
    for each, row in zip(judged, rows[: len(judged)], strict=True):
        widths = {}
        for style, ((corners),) in row.marks.items():
            xs = [x for x, _ in corners]
            widths[style.removeprefix("fill ")] = max(xs) - min(xs)
        shares = dict(zip(("good", "fair", "poor", "bad"), each.tiers.values(), strict=True))
        for tone, share in shares.items():
            assert widths.get(tone, 0) == pytest.approx(1_000 * float(share), abs=1)
        assert sum(widths.values()) == pytest.approx(1_000, abs=4)


def test_an_interval_lies_where_the_budget_may() -> None:
    """Its ends, what was seen, and the line at nothing left."""
    found = confidence_of(SLO, SERIES, at=T0 + 9 * DAY)
    assert found.remaining is not None
    html = confidence_picture(found, SLO.policy)
    (strip,) = panels(html)
    below = re.findall(r'<text x="([\d.]+)%" y="1em"[^>]*>([-\d.,]+)%<', html)
    (x0, v0), *_, (x1, v1) = [(10 * float(x), float(v)) for x, v in below]
    xs = [strip.marks["axis"][0][0][0], *(x for x, _ in strip.marks["span"][0])]
    xs.append(strip.marks["dot ink"][0][0][0])
    values = [v0 + (x - x0) * (v1 - v0) / (x1 - x0) for x in xs]
    seen = 1 - Fraction(found.counts.bad, found.counts.total) / found.error
    expected = [0, *found.remaining, float(seen)]
    assert values == pytest.approx(
        [100 * each for each in expected], abs=1.5 * (v1 - v0) / (x1 - x0)
    )


def test_the_course_of_a_review_ends_at_its_figures() -> None:
    """Period and period before meet; start and end are what the table says."""
    (each,) = review([SLO], SERIES, period="weekly", at=T0 + 21 * DAY)
    html = course_picture(each)
    panel, incidents = panels(html)
    (now,), (before,) = panel.marks["line main"], panel.marks["line calm"]
    assert now[-1][0] == panel.width == 14 * 86_400
    assert before[-1][0] == pytest.approx(7 * 86_400, abs=1)
    for (_, y), share in ((now[-1], each.remaining), (before[-1], each.remaining_before)):
        assert panel.value(y) == pytest.approx(100 * float(share), abs=panel.fine)
    assert len(incidents.marks["episode"]) == len(each.incidents) > 0


def _papers(slos: list[eb.SLO], data: Any) -> Iterator[str]:
    """Every picture that these objectives and this history have."""
    for slo in slos:
        yield forecast_picture([forecast(slo, data)])
        yield recovery_picture(recovery(slo, data))
        yield confidence_picture(confidence_of(slo, data), slo.policy)
        ledger = incident_ledger(slo, data)
        yield ledger_picture(ledger)
        yield paper_to_html(paper_of("ledger", [ledger_section(ledger)]))
        tried = backtest(slo, data, [WORKBOOK, GUIDE])
        yield front_picture(tried, tried[0])
        yield firing_picture(tried[0], tried.start_ns, tried.end_ns)
    yield paper_to_html(review_paper(review(slos, data, period="quarterly")))


ONE = eb.CountSeries([T0], [0], [1], "1m")
HISTORIES = {
    "one bad event": ONE,
    "one good event": eb.CountSeries([T0], [1], [1], "1m"),
    "all bad": eb.CountSeries(T0 + np.arange(9_000) * MINUTE, [0] * 9_000, [3] * 9_000, "1m"),
    "all good": eb.CountSeries(T0 + np.arange(9_000) * MINUTE, [3] * 9_000, [3] * 9_000, "1m"),
    "gaps": eb.CountSeries(T0 + np.arange(30) * 777 * MINUTE, [2] * 30, [3] * 30, "1m"),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_awkward_histories_have_no_broken_picture(name: str) -> None:
    """Coordinates are whole numbers within reach; no NaN, no infinity, no empty mark."""
    slos = [
        eb.SLO("api", target="99.9%", window="3d", sli=eb.Availability(), alerts=WORKBOOK),
        TWO.replace(alerts=WORKBOOK),
        eb.SLO("month", target="99%", window="month", sli=eb.Availability(), alerts=WORKBOOK),
    ]
    found = [*_papers(slos, HISTORIES[name])]
    assert any("<html" in each for each in found)
    for html in found:
        for place in re.findall(r' (?:x|y|x2|y1|y2|viewBox)="([^"]*)"', html):
            assert re.fullmatch(r"[-\d.]+([%]|em)?|0 0 [1-9]\d* 1000", place), place
        for path in re.findall(r' d="([^"]*)"', html):
            assert re.fullmatch(r"(M\d+ -?\d+([HVhvlz](-?\d+( -?\d+)?)?)*)+", path), path
        for width in re.findall(r'rect width="([^"]+)%"', html):
            assert 0 <= float(width) <= 100


def test_nothing_foretold_and_nothing_read_is_no_picture() -> None:
    """Where there is nothing to look at, the page is the words alone."""
    assert not forecast_picture([forecast(SLO, ONE)])
    assert not recovery_picture(recovery(SLO, HISTORIES["all good"]))
    assert not ledger_picture(incident_ledger(SLO, HISTORIES["all good"]))
    calm = backtest(SLO, HISTORIES["all good"], [WORKBOOK, GUIDE])
    assert not front_picture(calm, calm[0])
    assert not firing_picture(calm[0], calm.start_ns, calm.end_ns)
    endless = confidence_of(TWO, HISTORIES["all bad"])
    assert not confidence_picture(endless, TWO.policy)
    empty = confidence_of(SLO, ONE, at=T0 - DAY)
    assert not confidence_picture(empty, SLO.policy)


def test_only_pages_have_pictures_and_names_are_text() -> None:
    """Markdown and text are as without; a name that wants to be a tag is letters in a picture."""
    named = SLO.replace(name=EVIL)
    found = review(
        [named], SERIES, period="monthly", incidents={f"1{EVIL}": (T0 + DAY, T0 + 2 * DAY)}
    )
    paper = review_paper(found)
    assert "svg" not in paper_to_markdown(paper) + paper_to_text(paper)
    html = paper_to_html(paper)
    assert html.count('class="panels"') >= 3
    assert "<script" not in html
    assert not re.search(r'<[^>]*"[^>"]*" onload', html)
    future = forecast_picture([forecast(SLO, SERIES, scenario=Scenario(EVIL))])
    assert "&lt;script&gt;" in future
    assert "<script" not in future


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of every study, of an objective and policies with names that want out."""
    slo = SLO.replace(name=EVIL)
    tried = _sweep()
    chosen = tried.recommend(5)
    ledger = incident_ledger(slo.replace(window="30d"), SERIES)
    sections = {
        "forecast": [
            forecast_section(
                slo.name,
                [forecast(slo, SERIES, scenario=each) for each in (Scenario(), Scenario(EVIL, 3))],
                recovery(slo, SERIES, at=T0 + 9 * DAY),
                ["50%"],
            )
        ],
        "backtest": backtest_sections(tried, chosen, detail=[tried[0].name]),
        "incidents": [ledger_section(ledger)],
        "confidence": [confidence_section(slo, confidence_of(slo, SERIES), None, None)],
        "advise": advice_sections(advise(slo, SERIES)),
        "attribute": [attribution_section(attribute(slo, SERIES, [*ledger]), 3)],
    }
    papers = {name: paper_of(name, each) for name, each in sections.items()}
    papers["review"] = review_paper(review([slo], SERIES, period="monthly"))
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, paper in papers.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(paper_to_html(paper), "utf-8")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all."""
    with chromium() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, pages: dict[str, Path], dark: bool) -> None:
    """Contrast, names and roles of every page; in the dark, contrast alone."""
    source, rules = axe_source(), ["color-contrast"] if dark else []
    for name, path in pages.items():
        with opened(browser, path, dark=dark) as found:
            assert violations(found.page, source, rules=rules) == [], name
            found.quiet()
            found.keep(f"{name}-{'dark' if dark else 'light'}")


@pytest.mark.slow
def test_letters_of_pictures_stand_apart_and_within_the_page(
    browser: Any, pages: dict[str, Path]
) -> None:
    """At both sizes and on paper; no page is wider than the window."""
    boxes = """() => [...document.querySelectorAll('.panel')].map(panel =>
        [...panel.querySelectorAll('text')].map(text => {
            const b = text.getBoundingClientRect();
            return [b.left, b.top, b.right, b.bottom, text.textContent];
        }))"""
    for size, media in ((DESKTOP, "screen"), (PHONE, "screen"), ((720, 1_000), "print")):
        for name, path in pages.items():
            with opened(browser, path, size=size, dark=media == "print") as found:
                found.page.emulate_media(media=media)
                page = found.page
                assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
                for panel in page.evaluate(boxes):
                    for rank, (left, top, right, bottom, text) in enumerate(panel):
                        assert left >= 0, (name, text)
                        assert right <= size[0], (name, text)
                        for x0, y0, x1, y1, other in panel[rank + 1 :]:
                            apart = right <= x0 + 1 or x1 <= left + 1
                            apart = apart or bottom <= y0 + 2 or y1 <= top + 2
                            assert apart, (name, size, text, other)


def test_numbers_of_policies_stand_at_their_points() -> None:
    """One far to the left of the one before has a place of its own; neighbours share one."""
    found = _numbers([(30, 1.0), (950, 0.0), (214, 2.0), (220, 3.0)], 120)
    assert found == [(30, 1.0, "1"), (950, 0.0, "2"), (214, 2.0, "3, 4")]
