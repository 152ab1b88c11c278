"""The summary for chats: within the limits that Slack and Teams publish, and never markup."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.report import document, to_slack, to_teams
from errorbudget.report.document import Document

T0 = 1_772_366_400_000_000_000
EVENTS = eb.Events(
    time=[T0 + n * 10**9 for n in range(100)],
    status=[500 if n % 9 == 0 else 200 for n in range(100)],
    duration_s=[0.1] * 100,
)


def _report(names: list[str], title: str = "Week 10") -> Document:
    slos = [
        eb.SLO(name, target=("80%", "99%")[n % 2], window="1d", sli=eb.Availability())
        for n, name in enumerate(names)
    ]
    slos.append(eb.SLO("p95 of all", window="1d", sli=eb.LatencyQuantile({"p95": "1s"})))
    return document(slos, EVENTS, title=title)


def _texts(data: Any) -> list[str]:
    """Every text in a message."""
    if isinstance(data, dict):
        own = [data["text"]] if isinstance(data.get("text"), str) else []
        return own + [text for part in data.values() for text in _texts(part)]
    return [text for part in data for text in _texts(part)] if isinstance(data, list) else []


@pytest.mark.parametrize("n", [1, 45, 46, 120])
def test_slack_takes_the_message(n: int) -> None:
    """Slack's own library finds every block valid, and there are not too many of them."""
    blocks = pytest.importorskip("slack_sdk.models.blocks", reason="missing: slack_sdk; make test")
    names = [f"{rank}: " + "long " * 200 for rank in range(n)]
    message = json.loads(to_slack(_report(names, "title " * 60)))
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        blocks.Block.parse(block).validate_json()
        for field in block.get("fields", ()):
            assert len(field["text"]) <= 2_000
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert len(message["text"]) < 4_000
    shown = sum("fields" in block for block in message["blocks"])
    rest = [text for text in _texts(message) if text.startswith("and ")]
    assert rest == ([] if shown == n + 1 else [f"and {n + 1 - shown} more, in a better state"])


@given(name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip))
@settings(max_examples=40)
def test_slack_reads_no_markup(name: str) -> None:
    """A name is plain text; only the fallback is read, and there nothing can mention or link."""
    message = json.loads(to_slack(_report([name or "x"], "<!here> & <@U1>")))
    assert message["text"].startswith("&lt;!here&gt; &amp; &lt;@U1&gt;: ")

    def kinds(data: Any) -> set[str]:
        if isinstance(data, dict):
            found = {data["type"]} if "text" in data and isinstance(data["text"], str) else set()
            return found.union(*(kinds(part) for part in data.values()))
        return set().union(*map(kinds, data)) if isinstance(data, list) else set()

    assert kinds(message["blocks"]) == {"plain_text"}


def test_the_worst_comes_first() -> None:
    """What asks for somebody stands above what does not."""
    headings = [
        block["text"]["text"]
        for block in json.loads(to_slack(_report(["fine", "broken"])))["blocks"]
        if "fields" in block
    ]
    assert headings == ["❌ broken: missed", "✅ fine: met", "✅ p95 of all: met"]
    for text in (to_slack(_report(["a", "b"])), to_teams(_report(["a", "b"]))):
        assert text.isascii()


@pytest.mark.parametrize("n", [1, 30, 400])
def test_a_card_for_teams_stays_small(n: int) -> None:
    """Less than 28 KB with any number of objectives; what is left out is counted."""
    text = to_teams(_report([f"service {rank} *bold* [link](http://x)" for rank in range(n)]))
    assert len(text.encode()) < 28_000
    card = json.loads(text)["attachments"][0]["content"]
    # RichTextBlock shows its runs as they are; a TextBlock would read Markdown.
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    shown = sum(block.get("separator", False) for block in card["body"])
    rest = [text for text in _texts(card) if text.startswith("and ")]
    assert rest == ([] if shown == n + 1 else [f"and {n + 1 - shown} more, in a better state"])


CHECK = """
globalThis.self = globalThis.window = globalThis; globalThis.document = {};
const cards = require('./node_modules/adaptivecards/dist/adaptivecards.js');
const card = new cards.AdaptiveCard();
const context = new cards.SerializationContext(cards.Versions.v1_4);
card.parse(JSON.parse(require('fs').readFileSync(0, 'utf8')).attachments[0].content, context);
const events = [];
for (let n = 0; n < context.eventCount; n++) events.push(context.getEventAt(n).message);
events.push(...card.validateProperties().validationEvents.map(one => one.message));
console.log(JSON.stringify({events, items: card.getItemCount()}));
"""


def test_the_cards_own_library_takes_it() -> None:
    """Microsoft's library parses the card and finds nothing to complain of."""
    folders = [os.environ.get("NPM_DIR", ""), str(Path(__file__).parents[1] / ".venv" / "npm")]
    folder = next(
        (one for one in folders if one and (Path(one) / "node_modules/adaptivecards").is_dir()),
        None,
    )
    if folder is None:
        pytest.skip("missing: adaptivecards; npm install --prefix .venv/npm adaptivecards@3")
    done = subprocess.run(
        ["node", "-e", CHECK],
        input=to_teams(_report(["a", "b"])),
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"events": [], "items": 7 - 1}
