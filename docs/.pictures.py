"""
Draws the pictures that Markdown shows without being built: `make pictures`.

    docs/images/burn-down.png       the month of the demo, by the library
    docs/images/burn-down-dark.png  the same on dark paper
    docs/images/report-page.png     the top of the demo's page, in Chromium (when there is one)
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import errorbudget as eb
from errorbudget.cli import main
from errorbudget.durations import DAY_NS
from errorbudget.plot import picture, status_figure
from errorbudget.plot.canvas import Picture
from errorbudget.studies.simulate import shop

IMAGES = Path(__file__).parent / "images"


def burn_down() -> Picture:
    """The shop's month: its budget, its SLI and its burn rates."""
    month = shop()
    slo = eb.SLO("shop", target="99.9%", window="30d", sli=eb.Availability(bad="5xx"))
    start, end = month.end_ns - 30 * DAY_NS, month.end_ns
    status = slo.evaluate(month.events, at=end)
    history = slo.history(month.events, step="10m", start=start, end=end)
    return status_figure(status, month.events, history)


def report_page(target: Path) -> None:
    """The demo's page as a window shows it."""
    import shutil

    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        with chdir(folder):
            if main(["demo"]) != 0:
                raise SystemExit("the demo failed")
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": 1080, "height": 1500}, reduced_motion="reduce", color_scheme="light"
        )
        page.goto((Path(folder) / "demo" / "report.html").as_uri())
        page.locator(".chart .readout").first.wait_for()
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    drawn = burn_down()
    (IMAGES / "burn-down.png").write_bytes(picture(drawn))
    (IMAGES / "burn-down-dark.png").write_bytes(picture(drawn, theme="dark"))
    try:
        report_page(IMAGES / "report-page.png")
    except ImportError as error:
        sys.exit(f"{error}: report-page.png stays as it was; cure: make env")
