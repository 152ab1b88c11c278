"""The report's page in a real Chromium: what it shows, what it answers to, and that it is quiet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.report import document, to_json
from errorbudget.report.document import Document
from tests.browser import DESKTOP, PHONE, axe_source, chromium, opened, violations

pytestmark = pytest.mark.slow

T0 = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z
MINUTE = 60 * 10**9
EVIL = [
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
    "quotes \" and ' and &amp; and </style></title>",
    "🚀 emoji 🧨",
    "توفر الخدمة 99.9%",
    "n" * 200,
    "words of a long name " * 9,
]


def _page(found: Document, path: Path) -> Path:
    pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")
    from errorbudget.report.page import to_html

    path.write_text(to_html(found), "utf-8")
    return path


def _month() -> Document:
    """A month of a service with an outage, a slow burn, and a threshold beside them."""
    rng = np.random.default_rng(10)
    time = np.sort(rng.integers(0, 30 * 1_440, 60_000))
    bad = rng.random(60_000) < np.where((time > 20_000) & (time < 20_030), 0.6, 0.0007)
    events = eb.Events(
        time=T0 + time * MINUTE,
        status=np.where(bad, 500, 200),
        duration_s=rng.lognormal(-2, 0.6, 60_000),
    )
    slos = [
        eb.SLO("api: availability", target="99.9%", window="30d", sli=eb.Availability()),
        eb.SLO("api: latency", target="95%", window="30d", sli=eb.Latency("400ms")),
        eb.SLO("strict", target="100%", window="7d", sli=eb.Availability()),
        eb.SLO("p95", window="1d", sli=eb.LatencyQuantile({"p95": "1s"})),
        *(eb.SLO(name, target="99%", window="7d", sli=eb.Availability()) for name in EVIL),
        eb.SLO("all bad", target="99%", window="1d", sli=eb.Availability(good={"status": "418"})),
        eb.SLO("nobody", target="99%", window="1h", sli=eb.Availability(where={"status": "3xx"})),
    ]
    return document(slos, events, title="A month <of> & 'evil' names")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, Path]:
    """The report, and its page."""
    found = _month()
    return found, _page(found, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all."""
    with chromium() as found:
        yield found


def _alive(page: Any, anchor: str) -> Any:
    """The chart of an objective, once it answers."""
    chart = page.locator(f'.chart[data-of="{anchor}"]')
    chart.scroll_into_view_if_needed()
    chart.locator(".readout").wait_for()
    return chart


def _shown(chart: Any) -> dict[str, str]:
    """The figures under the cursor by name."""
    spans = chart.locator(".readout span")
    texts = [spans.nth(n).inner_text() for n in range(spans.count())]
    return {text.rpartition(" ")[0]: text.rpartition(" ")[2] for text in texts[1:]}


def test_charts_show_the_figures_of_the_json_report(
    browser: Any, month: tuple[Document, Path]
) -> None:
    """Every objective with data has a chart, which opens at the report's own figures."""
    told = json.loads(to_json(month[0]))["slos"]
    with opened(browser, month[1]) as found:
        charts = found.page.locator(".chart[data-of]")
        with_data = [slo for slo in told if slo["state"] != "no_data"]
        assert charts.count() == len(with_data)
        for n, slo in enumerate(with_data):
            chart = _alive(found.page, charts.nth(n).get_attribute("data-of"))
            shown = _shown(chart)
            assert chart.locator(".plot .line").count() >= 1
            if slo["budget"] is None:
                (figure,) = slo["measurements"]
                value, unit = chart.locator(".readout b").nth(1).inner_text().split()
                assert (unit, float(value) / 1_000) == (
                    "ms",
                    pytest.approx(figure["value"], rel=1e-4),
                )
                continue
            left = slo["budget"]["remaining_ratio"]
            if not isinstance(left, str):
                percent = float(shown["budget left"].rstrip("%").replace(",", ""))
                assert percent == pytest.approx(100 * left, rel=1e-4, abs=1e-9)
            for window, rate in slo["burn_rates"].items():
                text = shown.get(f"burn {window}")
                if text is not None and not isinstance(rate, str):
                    assert float(text) == pytest.approx(rate, rel=1e-4)
            firing = [one["name"] for one in slo["alerts"] if one["state"] == "firing"]
            said = chart.locator(".readout span").last.inner_text()
            assert said == f"firing {', '.join(firing) or 'none'}"
        found.quiet()


def test_figures_of_the_table_are_those_of_the_json_report(
    browser: Any, month: tuple[Document, Path]
) -> None:
    """The overview's numbers stand for the same shares as the JSON's."""
    told = json.loads(to_json(month[0]))["slos"]
    with opened(browser, month[1]) as found:
        rows = found.page.locator("#slos tbody tr")
        assert rows.count() == len(told)
        for n, slo in enumerate(told):
            row = rows.nth(n)
            assert row.locator("th").inner_text() == slo["name"].strip()
            if slo["sli"] is not None and slo["budget"] is not None:
                sli = float(row.locator('[data-label="SLI"]').inner_text().rstrip("%"))
                assert sli / 100 == pytest.approx(slo["sli"], abs=1e-4)


def test_names_do_nothing_but_stand_there(browser: Any, month: tuple[Document, Path]) -> None:
    """Markup, quotes, emoji, long names and right-to-left text are text; nothing overflows."""
    for size in (DESKTOP, PHONE):
        with opened(browser, month[1], size=size) as found:
            assert found.page.title() == month[0].title
            for name in EVIL:
                assert found.page.get_by_role("heading", name=name).count() == 1
            width = found.page.evaluate("document.documentElement.scrollWidth")
            assert width <= size[0]
            found.quiet()


def test_the_table_sorts_and_finds(browser: Any, month: tuple[Document, Path]) -> None:
    """A heading sorts up, down and back, by mouse and by keyboard; what is unknown stays last."""
    with opened(browser, month[1]) as found:
        names = found.page.locator("#slos tbody th:visible")
        first = names.all_inner_texts()
        left = found.page.get_by_role("columnheader", name="Budget left")
        left.get_by_role("button").click()
        assert left.get_attribute("aria-sort") == "ascending"
        up = names.all_inner_texts()
        told = {slo["name"].strip(): slo for slo in json.loads(to_json(month[0]))["slos"]}

        def share(name: str) -> float | None:
            slo = told[name]
            if slo["budget"] is None or slo["state"] == "no_data":
                return None
            return float(slo["budget"]["remaining_ratio"])

        shares = [share(name) for name in up]
        known = [one for one in shares if one is not None]
        assert known == sorted(known)
        assert shares[len(known) :] == [None] * (len(shares) - len(known))
        left.get_by_role("button").focus()
        found.page.keyboard.press("Enter")
        assert left.get_attribute("aria-sort") == "descending"
        down = names.all_inner_texts()
        assert [share(name) for name in down][: len(known)] == known[::-1]
        found.page.keyboard.press("Enter")
        assert left.get_attribute("aria-sort") is None
        assert names.all_inner_texts() == first
        found.page.get_by_label("Find").fill("API:")
        assert names.all_inner_texts() == ["api: availability", "api: latency"]
        assert found.page.locator("#found").inner_text() == f"2 of {len(first)}"
        found.quiet()


def test_the_chart_answers_to_mouse_and_keyboard(
    browser: Any, month: tuple[Document, Path]
) -> None:
    """Hovering and arrow keys read moments out; a stretch is chosen, moved, and left again."""
    with opened(browser, month[1]) as found:
        chart = _alive(found.page, "slo-api-availability")
        plot = chart.locator(".plot").first
        end = _shown(chart)
        box = plot.bounding_box()
        found.page.mouse.move(box["x"] + 3, box["y"] + 20)
        early = _shown(chart)
        assert float(early["budget left"].rstrip("%")) > float(end["budget left"].rstrip("%"))
        slider = chart.get_by_role("slider")
        slider.focus()
        before = slider.get_attribute("aria-valuetext")
        found.page.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") != before
        assert "budget left" in slider.get_attribute("aria-valuetext")
        whole = plot.get_attribute("viewBox")
        chart.get_by_role("button", name="1d around").click()
        day = plot.get_attribute("viewBox")
        assert float(day.split()[2]) == 86_400
        assert chart.get_by_role("button", name="1d around").get_attribute("aria-pressed") == "true"
        chart.get_by_role("button", name="Later stretch").click()
        assert plot.get_attribute("viewBox") != day
        slider.focus()
        found.page.keyboard.press("Escape")
        assert plot.get_attribute("viewBox") == whole
        box = plot.bounding_box()
        found.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
        found.page.mouse.down()
        found.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
        found.page.mouse.up()
        width = float(whole.split()[2])
        assert float(plot.get_attribute("viewBox").split()[2]) == pytest.approx(width / 4, rel=0.05)
        found.quiet()


def test_light_and_dark(browser: Any, month: tuple[Document, Path]) -> None:
    """The system decides until the switch is pressed, which is remembered."""
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(245, 246, 248)", "rgb(14, 17, 22)"
    with opened(browser, month[1], dark=True) as found:
        assert found.page.evaluate(ground) == dark
        switch = found.page.get_by_role("button", name="Theme")
        switch.click()
        assert (switch.inner_text(), found.page.evaluate(ground)) == ("Theme: light", light)
        found.page.reload()
        assert found.page.evaluate(ground) == light
        switch.press("Enter")
        assert (switch.inner_text(), found.page.evaluate(ground)) == ("Theme: dark", dark)
        found.quiet()
    with opened(browser, month[1]) as found:
        assert found.page.evaluate(ground) == light
        found.page.get_by_role("button", name="Theme").click()
        found.page.emulate_media(media="print")
        assert "color-scheme: dark" not in found.page.evaluate(ground)


def test_addresses_lead_to_their_objective(browser: Any, month: tuple[Document, Path]) -> None:
    """An address with an objective's name opens at it."""
    with opened(browser, month[1], at="#slo-p95") as found:
        found.page.wait_for_timeout(200)
        top = found.page.evaluate("document.getElementById('slo-p95').getBoundingClientRect().top")
        assert -5 <= top < DESKTOP[1]


def test_without_scripts_the_page_is_whole(browser: Any, month: tuple[Document, Path]) -> None:
    """Charts stand still, no control is there that does nothing."""
    with opened(browser, month[1], scripts=False) as found:
        assert found.page.locator(".chart .plot .line").count() > 10
        for control in (".theme", "#find"):
            assert not found.page.locator(control).is_visible()
        assert found.page.locator("button:visible").count() == 0
        found.quiet()


@pytest.mark.parametrize(
    ("size", "dark"),
    [(DESKTOP, False), (DESKTOP, True), (PHONE, False)],
    ids=["desktop-light", "desktop-dark", "phone-light"],
)
def test_axe_finds_nothing_serious(
    browser: Any, month: tuple[Document, Path], size: tuple[int, int], dark: bool
) -> None:
    """Contrast, names, roles and keyboard, at both sizes and in both colours."""
    source = axe_source()
    with opened(browser, month[1], size=size, dark=dark, strict=False) as found:
        for n in range(3):
            _alive(found.page, found.page.locator(".chart").nth(n).get_attribute("data-of"))
        assert violations(found.page, source) == []
        name = f"report-{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}"
        found.page.evaluate("scrollTo(0, 0)")
        found.keep(name)


def test_texts_of_a_chart_do_not_overlap(browser: Any, month: tuple[Document, Path]) -> None:
    """Labels stand apart, inside the page, at both sizes."""
    boxes = """chart => [...chart.querySelectorAll('.panel')].map(panel =>
        [...panel.querySelectorAll('text')].map(text => {
            const b = text.getBoundingClientRect();
            return [b.left, b.top, b.right, b.bottom, text.textContent];
        }))"""
    for size in (DESKTOP, PHONE):
        with opened(browser, month[1], size=size) as found:
            for n in range(4):
                anchor = found.page.locator(".chart").nth(n).get_attribute("data-of")
                chart = _alive(found.page, anchor)
                for panel in chart.evaluate(boxes):
                    for rank, (left, top, right, bottom, text) in enumerate(panel):
                        assert left >= 0, text
                        assert right <= size[0], text
                        for x0, y0, x1, y1, other in panel[rank + 1 :]:
                            apart = (
                                right <= x0 + 1
                                or x1 <= left + 1
                                or bottom <= y0 + 2
                                or y1 <= top + 2
                            )
                            assert apart, (text, other)


def test_it_prints(browser: Any, month: tuple[Document, Path]) -> None:
    """On paper there are charts, in light colours, and no controls."""
    with opened(browser, month[1], dark=True) as found:
        found.page.emulate_media(media="print")
        assert found.page.locator(".controls:visible, .theme:visible").count() == 0
        assert found.page.locator(".plot:visible").count() > 10
        # A sheet is as narrow as a small window; its overview is a table all the same.
        found.page.set_viewport_size({"width": 720, "height": 1_000})
        head = found.page.locator("table thead").first.bounding_box()
        assert head is not None
        assert head["x"] >= 0
        assert len(found.page.pdf(print_background=True)) > 50_000


def test_fifty_objectives_and_ninety_days_stay_small(browser: Any, tmp_path: Path) -> None:
    """Less than 2 MB, and every chart comes alive without a complaint."""
    rng = np.random.default_rng(7)
    minutes = 90 * 24 * 60
    total = rng.poisson(40, minutes)
    bad = rng.binomial(total, 0.0008)
    bad[70_000:70_040] = total[70_000:70_040] // 2
    times = T0 + MINUTE * np.arange(1, minutes + 1)
    series = eb.CountSeries(times, total - bad, total, MINUTE)
    slos = [
        eb.SLO(f"service-{n}-availability", target=f"99.{n:02}%", window="90d",
               sli=eb.Availability(), owner="team@shop.example", alerts=eb.GUIDE)
        for n in range(50, 100)
    ]  # fmt: skip
    path = _page(document(slos, series), tmp_path / "fifty.html")
    assert path.stat().st_size < 2_000_000
    with opened(browser, path) as found:
        assert found.page.locator(".chart[data-of]").count() == 50
        _alive(found.page, "slo-service-99-availability")
        assert found.page.locator(".episode").count() >= 50
        found.keep("report-fifty", whole=False)
        found.quiet()
