"""
What OpenSLO's documents refer to, and its alert policies as tables of burn alerts.

Source: OpenSLO/OpenSLO `README.md`, "AlertPolicy", "AlertCondition".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from errorbudget.alerts.burn import SEVERITIES
from errorbudget.durations import parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational
from errorbudget.specs.cursor import Cursor
from errorbudget.specs.tree import Scalar
from errorbudget.windows import Rolling, Window

__all__ = ["ASSUMED_ALERTS", "NOTIFY", "Objects", "alerts_of", "name_only"]

ASSUMED_ALERTS = "the alerts of the SRE Workbook are assumed"
_NO_TEXT = "an alert here has a name and no text"
NOTIFY = "says whom to notify; alerts here say when"


@dataclass(slots=True)
class Objects:
    """Documents by kind and name: what may be referred to."""

    known: dict[str, dict[str, Cursor]] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Cursor | None:
        return self.known.get(kind, {}).get(name)

    def names(self, kind: str) -> tuple[str, ...]:
        return tuple(self.known.get(kind, {}))


def name_only(holder: Cursor) -> None:
    """Parts that an SLO takes in have names, which are not its own; the rest is accounted for."""
    holder.mark("kind", "apiVersion")
    metadata = holder.within("metadata")
    metadata.mark("name")
    metadata.lose("has no place here", "displayName")


def alerts_of(spec: Cursor, objects: Objects, window: Window) -> dict[str, Any]:
    """The table of an objective's alert policies, as plain data; nothing where it has none."""
    policies = spec.items("alertPolicies")
    if not policies:
        return {}
    period = Rolling(window.to_text()).length_ns if isinstance(window, Rolling) else 0
    rows: list[dict[str, Any]] = []
    for policy in policies:
        rows += _policy(policy, objects, period)
    if not rows:
        spec.ledger.lose(
            f"{spec.path}.alertPolicies",
            None,
            f"none of them could be carried: {ASSUMED_ALERTS}",
        )
        return {}
    seen: dict[str, int] = {}
    for row in rows:
        del row["threshold"], row["length"]
        seen[row["name"]] = seen.get(row["name"], 0) + 1
        if seen[row["name"]] > 1:
            row["name"] += f"-{seen[row['name']]}"
    table: dict[str, Any] = {"name": "openslo", "alerts": rows}
    if period:
        table["period"] = window.to_text()
    return {"alerts": table}


def _policy(entry: Cursor, objects: Objects, period: int) -> list[dict[str, Any]]:
    if isinstance(entry.node, Scalar):
        reference: str = entry.word()
    else:
        reference = entry.text("alertPolicyRef", "targetRef")
    policy = entry
    if reference:
        known = objects.find("AlertPolicy", reference)
        if known is None:
            entry.ledger.lose(entry.path, reference, "no AlertPolicy of that name is in this file")
            return []
        policy = known
    name_only(policy)
    inside = policy.within("spec")
    inside.lose(_NO_TEXT, "description")
    inside.usual(True, "an alert here fires when its condition holds", "alertWhenBreaching")
    inside.usual(False, NOTIFY, "alertWhenNoData", "alertWhenResolved")
    inside.lose(NOTIFY, "notificationTargets")
    rows = []
    for condition in inside.items("conditions"):
        condition.mark("operator")  # of drafts of v1, which had one condition all the same
        rows += _either(condition, objects, period)
    return rows


def _either(entry: Cursor, objects: Objects, period: int) -> list[dict[str, Any]]:
    """The alerts of one condition; drafts of v2 combine several with `or` and `and`."""
    parts = entry.items("or")
    if parts:
        return [row for part in parts for row in _either(part, objects, period)]
    both = entry.items("and")
    found = [_condition(part, objects, period) for part in both or [entry]]
    rows = [row for row in found if row is not None]
    if len(rows) < 2:
        return rows
    if len(rows) == 2 and all(row["threshold"] == rows[0]["threshold"] for row in rows):
        short, long = sorted(rows, key=lambda row: int(row["length"]))
        return [{**long, "short": short["long"]}]
    entry.ledger.lose(
        f"{entry.path}.and",
        [row["name"] for row in rows],
        "an alert here has two windows and one threshold: each condition is an alert of its own",
    )
    return rows


def _condition(entry: Cursor, objects: Objects, period: int) -> dict[str, Any] | None:
    reference = entry.text("conditionRef")
    holder = entry
    if reference:
        known = objects.find("AlertCondition", reference)
        if known is None:
            entry.ledger.lose(
                entry.path, reference, "no AlertCondition of that name is in this file"
            )
            return None
        holder = known
    holder.mark("kind", "apiVersion")
    metadata, spec = holder.within("metadata"), holder.within("spec")
    name = metadata.text("name") or reference or "burn"
    metadata.lose(_NO_TEXT, "displayName")
    metadata.lose("has no place here", "labels", "annotations")
    spec.lose(_NO_TEXT, "description")
    burn = spec.within("condition")
    burn.usual("burnrate", "alerts here are on burn rates", "kind")
    burn.usual("gt", "an alert here fires above its threshold, strictly", "op")
    # A look-back is written with a minus sign by some.
    threshold, long = burn.text("threshold"), burn.text("lookbackWindow").removeprefix("-")
    try:
        length = parse_duration(long)
        factor = parse_rational(threshold)
        budget = factor * length / (period or 30 * 86_400 * 10**9)
    except (InvalidInputError, ValueError, ZeroDivisionError) as error:
        burn.fault(f"a burn-rate condition needs threshold and lookbackWindow: {error}")
        return None
    if not 0 < budget <= 1:
        burn.ledger.lose(
            f"{burn.path}.threshold",
            threshold,
            f"a burn rate of {threshold} over {long} is no part of the budget of this window",
        )
        return None
    hold = burn.text("alertAfter", default="0m")
    return {
        "name": name,
        "severity": _severity(spec),
        "budget": f"{budget.numerator}/{budget.denominator}",
        "long": long,
        "hold": hold,
        "threshold": factor,
        "length": length,
    }


def _severity(spec: Cursor) -> str:
    word = spec.text("severity", default="page")
    if word.lower() in SEVERITIES:
        return word.lower()
    taken = "page" if re.search(r"(?i)(crit|high|urgent|sev-?[01]|p-?[01])\b", word) else "ticket"
    spec.ledger.lose(f"{spec.path}.severity", word, f"is taken for {taken}")
    return taken
