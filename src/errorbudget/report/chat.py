"""
The summary as a message for a chat: Slack's Block Kit and Microsoft Teams' Adaptive Card.

Both are JSON to be posted to a webhook as it is. Names stand where no markup is read. Both services
refuse what is too long, so texts are cut and the objectives in the worst state come first; a last
line says how many are left out.

Source of the limits: Slack, "Block Kit: blocks" and "Composition objects" (50 blocks, 150
characters in a header, 3,000 in a text, 2,000 in a field); Microsoft, "Adaptive Cards for Teams"
(28 KB).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from errorbudget.report.wording import STATES, words

if TYPE_CHECKING:
    from errorbudget.report.document import Document
    from errorbudget.report.wording import Words
    from errorbudget.status import Status

__all__ = ["to_slack", "to_teams"]

BLOCKS = 50
HEADER = 150
FIELD = 2_000
NAME = 200
CARD_BYTES = 24_000
"""Less than Teams' 28 KB, as its gateway adds an envelope of its own."""

_SIGNS = {"met": "✅", "missed": "❌", "no data": "➖"}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _worst_first(document: Document) -> list[Words]:
    """The objectives that ask for somebody first: alerts, missed, least left."""

    def rank(status: Status) -> tuple[bool, int, float]:
        ratio = (
            None if status.budget is None or not status.counts else status.budget.remaining_ratio
        )
        firing = any(alert.active for alert in status.alerts)
        order = ("missed", "no_data", "met").index(status.state)
        return (not firing, order, float("inf") if ratio is None else ratio)

    return [words(status) for status in sorted(document.report, key=rank)]


def _tally(said: list[Words]) -> str:
    counts = {state: sum(one.state == state for one in said) for state in STATES.values()}
    parts = [f"{n} {state}" for state, n in counts.items() if n]
    firing = sum(bool(one.active_alerts) for one in said)
    return f"{', '.join(parts)}; alerts fire for {firing}"


def _facts(one: Words) -> list[tuple[str, str]]:
    """The figures of one objective, in the order people ask for them."""
    if one.threshold_based:
        return [(m.name, f"{m.value} ({m.bound}): {m.state}") for m in one.measurements]
    alerts = ", ".join(alert.name for alert in one.active_alerts) or "none"
    return [
        ("SLI", f"{one.sli} of {one.target}"),
        ("Budget left", one.left if one.left != "-" else one.remaining),
        ("Tier", one.tier),
        ("Alerts", alerts),
    ]


def _heading(one: Words) -> str:
    return f"{_SIGNS[one.state]} {_cut(one.name, NAME)}: {one.state}"


# ------------------------------------------------------------------------------ Slack


def _plain(text: str, most: int) -> dict[str, Any]:
    """Text in which Slack reads no markup, and no `:name:` as a picture."""
    return {"type": "plain_text", "text": _cut(text, most) or "-", "emoji": False}


def to_slack(document: Document) -> str:
    """
    The summary as a Slack message: `{"text": ..., "blocks": [...]}` for an incoming webhook.

    At most 50 blocks, every text within Slack's limits; nothing in it is read as markup.
    """
    said = _worst_first(document)
    room = BLOCKS - 4
    shown = said if len(said) <= room else said[: room - 1]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(document.title, HEADER)},
        {"type": "section", "text": _plain(_tally(said), FIELD)},
        {"type": "divider"},
    ]
    for one in shown:
        facts = [f"{name}: {value}" for name, value in _facts(one)]
        blocks.append(
            {
                "type": "section",
                "text": _plain(_heading(one), FIELD),
                "fields": [_plain(fact, FIELD) for fact in facts[:10]],
            }
        )
    if len(said) > len(shown):
        left_out = f"and {len(said) - len(shown)} more, in a better state"
        blocks.append({"type": "section", "text": _plain(left_out, FIELD)})
    note = " ".join(document.notes)
    blocks.append({"type": "context", "elements": [_plain(note, FIELD)]})
    # Read aloud and shown in notifications; there Slack wants these three escaped.
    fallback = f"{_cut(document.title, HEADER)}: {_tally(said)}"
    for mark, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        fallback = fallback.replace(mark, name)
    return json.dumps({"text": fallback, "blocks": blocks}, indent=1) + "\n"


# ------------------------------------------------------------------------------ Teams


def _line(*runs: tuple[str, dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """Text runs, in which Teams reads no Markdown, unlike in its other texts."""
    return {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": text, **how} for text, how in runs],
        **settings,
    }


def _card(document: Document, said: list[Words], shown: int) -> dict[str, Any]:
    body = [
        _line((_cut(document.title, HEADER), {"weight": "Bolder", "size": "Large"})),
        _line((_tally(said), {})),
    ]
    for one in said[:shown]:
        colour = {"met": "Good", "missed": "Attention", "no data": "Default"}[one.state]
        facts = "; ".join(f"{name} {value}" for name, value in _facts(one))
        body.append(
            _line(
                (_heading(one), {"weight": "Bolder", "color": colour}),
                (f"\n{_cut(facts, FIELD)}", {}),
                separator=True,
            )
        )
    if shown < len(said):
        body.append(_line((f"and {len(said) - shown} more, in a better state", {})))
    body.append(_line((" ".join(document.notes), {"isSubtle": True, "size": "Small"})))
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "msteams": {"width": "Full"},
                    "body": body,
                },
            }
        ],
    }


def to_teams(document: Document) -> str:
    """
    The summary as a Teams message with one Adaptive Card, for a workflow or an incoming webhook.

    Never above 28 KB, which Teams refuses.
    """
    said = _worst_first(document)
    shown = len(said)
    while True:
        text = json.dumps(_card(document, said, shown))
        if len(text) <= CARD_BYTES or not shown:
            return text + "\n"
        shown = max(0, min(shown - 1, shown * CARD_BYTES // len(text)))
