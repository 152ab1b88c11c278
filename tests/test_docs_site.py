"""The built documentation in a real Chromium: pages are quiet, whole, and can be read by all."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser import DESKTOP, ROOT, SCREENSHOTS, axe_source, chromium, violations

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844}
WIDE = {"width": DESKTOP[0], "height": DESKTOP[1]}
COLOURS = ("color-contrast", "link-in-text-block")
KEPT = (
    "index.html",
    "how-to/plots/index.html",
    "explanation/meaning/index.html",
    "explanation/performance/index.html",
    "reference/values/index.html",
    "tutorial/first-report/index.html",
)
"""One of each kind: looked at with its frame, in the dark too; screenshots are kept, for eyes."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built pages: site/ where it is newer than what it is made from."""
    built = ROOT / "site" / "index.html"
    sources = [ROOT / "mkdocs.yml", *(ROOT / "docs").rglob("*"), *(ROOT / "src").rglob("*.py")]
    if built.is_file() and all(
        one.stat().st_mtime <= built.stat().st_mtime for one in sources if one.is_file()
    ):
        return built.parent
    pytest.importorskip("mkdocs", reason="missing: mkdocs; make env")
    folder = tmp_path_factory.mktemp("docs") / "site"
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        check=True,
    )
    return folder


@dataclass
class Visit:
    """One window on the site, and what went wrong in it since the last look."""

    page: Any
    base: str
    complaints: list[str] = field(default_factory=list)

    def quiet(self) -> list[str]:
        """What was complained of; forgotten afterwards."""
        found = list(self.complaints)
        self.complaints.clear()
        return found


@pytest.fixture(scope="module")
def base(site: Path) -> Iterator[str]:
    """Where the site is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all."""
    with chromium() as found:
        yield found


@contextmanager
def visiting(browser: Any, base: str, size: dict[str, int]) -> Iterator[Visit]:
    """A window that keeps every message, error, failed request and request beyond the site."""
    context = browser.new_context(viewport=size, reduced_motion="reduce")
    found = Visit(context.new_page(), base)
    say = found.complaints.append
    found.page.on("console", lambda said: say(f"console: {said.text}"))
    found.page.on("pageerror", lambda error: say(f"error: {error}"))
    # A page that is left gives up what it was still asking for, such as its icon.
    found.page.on(
        "requestfailed",
        lambda asked: (
            None
            if asked.failure == "net::ERR_ABORTED"
            else say(f"failed: {asked.url} {asked.failure}")
        ),
    )
    found.page.on(
        "response", lambda got: say(f"{got.status}: {got.url}") if got.status >= 400 else None
    )
    found.page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((base, "data:", "blob:"))
            else say(f"beyond the site: {asked.url}")
        ),
    )
    try:
        yield found
    finally:
        context.close()


_SOUND = """() => [
    ...[...document.images].filter(one => !one.complete || !one.naturalWidth)
        .map(one => "image not shown: " + one.src),
    ...[...document.images].filter(one => !one.alt).map(one => "image without words: " + one.src),
    ...(document.documentElement.scrollWidth > innerWidth
        ? ["wider than the window by " + (document.documentElement.scrollWidth - innerWidth)] : []),
]"""

# The reference is hundreds of entries and rows of one make: a dozen of each page and of each table,
# one entry with its source open.
_A_DOZEN = """() => {
    document.querySelectorAll("article tbody").forEach(one => {
        [...one.rows].slice(12).forEach(row => row.remove()); });
    document.querySelectorAll(".doc-object").forEach((one, place) => {
        if (place > 12 && one.isConnected) one.remove(); });
    document.querySelectorAll("details.mkdocstrings-source").forEach((one, place) => {
        if (place) one.remove(); else one.open = true; });
}"""

_SCHEME = "scheme => document.body.setAttribute('data-md-color-scheme', scheme)"


def test_every_page(browser: Any, base: str, site: Path) -> None:
    """No error, no failed request, whole images, no sideways scrolling, nothing for axe to say."""
    source = axe_source()
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert len(pages) > 50
    troubles: list[str] = []
    with visiting(browser, base, PHONE) as visit:
        page = visit.page
        for place, name in enumerate(pages):
            page.goto(base + name)
            found = page.evaluate(_SOUND)
            # Each page in both widths; the next begins in the one where this ends.
            page.set_viewport_size(PHONE if place % 2 else WIDE)
            found += page.evaluate(_SOUND)
            if name not in KEPT:
                # Colours are one palette for all, and are looked at where a page is kept.
                page.evaluate(_A_DOZEN)
                found += violations(page, source, without=COLOURS, inside="article")
            else:
                page.set_viewport_size(WIDE)
                _keep(page, name)
                page.set_viewport_size(PHONE)
                page.evaluate(_A_DOZEN)
                found += violations(page, source)
                page.evaluate(_SCHEME, "slate")
                found += [f"dark: {one}" for one in violations(page, source, rules=COLOURS)]
                _keep(page, f"{name}-phone-dark")
                page.set_viewport_size(PHONE if place % 2 else WIDE)
            found += visit.quiet()
            troubles += [f"{name}: {one}" for one in found]
    assert not troubles, "\n".join(troubles)


def _keep(page: Any, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    flat = name.replace("/index.html", "").replace(".html", "").replace("/", "-")
    page.screenshot(path=SCREENSHOTS / f"docs-{flat}.png", full_page=True)


def test_search_needs_no_network(browser: Any, base: str) -> None:
    """Words typed into the search lead to the page that is about them."""
    with visiting(browser, base, WIDE) as visit:
        page = visit.page
        page.goto(base)
        page.get_by_role("textbox", name="Search").click()
        page.get_by_role("textbox", name="Search").fill("calendar window")
        result = page.locator(".md-search-result__link").first
        result.wait_for()
        _keep(page, "search")
        result.click()
        page.wait_for_url("**/*?h=*")
        page.locator("article", has_text="calendar window").wait_for()
        assert visit.quiet() == []


def test_dark_is_switched_and_kept(browser: Any, base: str) -> None:
    """The switch darkens the page, and the next page is dark too, figures and cards with it."""
    ground = "() => getComputedStyle(document.body).backgroundColor"
    line = "() => getComputedStyle(document.querySelector('.eb')).getPropertyValue('--line')"
    with visiting(browser, base, WIDE) as visit:
        page = visit.page
        page.goto(base + "how-to/plots/")
        light, blue = page.evaluate(ground), page.evaluate(line)
        page.locator("label[title='Switch to dark']").click()
        page.wait_for_function(
            "() => document.body.getAttribute('data-md-color-scheme') === 'slate'"
        )
        assert page.evaluate(ground) != light
        assert page.evaluate(line) != blue
        page.goto(base + "explanation/alerts/")
        assert page.evaluate("() => document.body.getAttribute('data-md-color-scheme')") == "slate"
        assert page.evaluate(ground) != light
        _keep(page, "alerts-dark")
        assert visit.quiet() == []
