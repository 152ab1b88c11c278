"""
A real Chromium for pages that people open.

`opened` gives a page that may ask for nothing but its own file: every message of its console, every
error and every request beyond it is kept, and `Opened.quiet` says that there was none. Screenshots
go to build/screenshots, for eyes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SCREENSHOTS = ROOT / "build" / "screenshots"
PHONE = (360, 740)
DESKTOP = (1280, 900)


@dataclass
class Opened:
    """
    A page, and what it did that it should not.

    Attributes:
        page: Playwright's page.
        complaints: Console messages, errors and requests for anything else.
    """

    page: Any
    complaints: list[str] = field(default_factory=list)

    def quiet(self) -> None:
        """Fails unless nothing was complained of and nothing asked for."""
        assert self.complaints == []

    def keep(self, name: str, *, whole: bool = True) -> None:
        """A screenshot of the page, or of what the window shows."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)


def _program() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("missing: chromium; apt-get install chromium")
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium under Playwright."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="missing: playwright; uv pip install --group browser"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=_program(), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Any,
    path: Path,
    *,
    size: tuple[int, int] = DESKTOP,
    dark: bool = False,
    scripts: bool = True,
    at: str = "",
    strict: bool = True,
) -> Iterator[Opened]:
    """
    The page at *path*.

    Args:
        browser: What `chromium` gives.
        path: The file.
        size: Width and height of the window.
        dark: Whether the system is dark.
        scripts: Whether scripts run.
        at: What follows the path, such as "#slo-api".
        strict: Whether the page's content security policy binds; not while axe looks.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        bypass_csp=not strict,
        reduced_motion="reduce",
    )
    try:
        found = Opened(context.new_page())
        own = path.resolve().as_uri()
        found.page.on("console", lambda said: found.complaints.append(f"console: {said.text}"))
        found.page.on("pageerror", lambda error: found.complaints.append(f"error: {error}"))
        found.page.on(
            "request",
            lambda asked: (
                None
                if asked.url.partition("#")[0] == own or asked.url == "data:,"
                else found.complaints.append(f"request: {asked.url}")
            ),
        )
        found.page.goto(own + at)
        yield found
    finally:
        context.close()


def axe_source() -> str:
    """The text of axe-core, where npm has put it."""
    folders = [os.environ.get("NPM_DIR"), ROOT / ".venv" / "npm"]
    for folder in folders:
        path = Path(folder or ".") / "node_modules" / "axe-core" / "axe.min.js"
        if folder and path.is_file():
            return path.read_text("utf-8")
    pytest.skip("missing: axe-core; npm install --prefix .venv/npm axe-core@4")
    return ""


def violations(
    page: Any,
    source: str,
    *,
    rules: Sequence[str] = (),
    without: Sequence[str] = (),
    inside: str = "html",
) -> list[str]:
    """
    What axe-core finds serious or critical: rule, and the first elements.

    Args:
        page: Playwright's page.
        source: axe-core.
        rules: Those to ask; all, when none is named.
        without: Those to leave out.
        inside: The part of the page to look at.
    """
    page.evaluate(f"window.axe ? undefined : {source}")
    options: dict[str, Any] = {
        "resultTypes": ["violations"],
        "rules": {rule: {"enabled": False} for rule in without},
        "preload": False,
    }
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate(
        "([inside, options]) => axe.run(inside, options)",
        [inside, options],
    )
    return [
        f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes'][:3]]} "
        f"{one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
