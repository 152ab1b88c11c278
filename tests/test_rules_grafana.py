"""Dashboards: the guide's panels, well-formed JSON, and queries over what the rules record."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.rules import (
    GUIDE_METRICS,
    detail_dashboard,
    overview_dashboard,
    prometheus_rules,
)
from tests.conformance.promql import Aggregate, Binary, Call, Range, Selector, parse

SLOS = list(eb.load(str(files("errorbudget.specs") / "guide.yaml")))
DASHBOARDS = [
    overview_dashboard(SLOS, metrics=GUIDE_METRICS),
    *(detail_dashboard(slo, metrics=GUIDE_METRICS) for slo in SLOS),
]


def expressions(dashboard: Any) -> Iterator[str]:
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def selected(tree: Any) -> Iterator[Selector]:
    if isinstance(tree, Selector):
        yield tree
    elif isinstance(tree, Range):
        yield from selected(tree.of)
    elif isinstance(tree, (Call, Aggregate)):
        for part in tree.arguments:
            yield from selected(part)
    elif isinstance(tree, Binary):
        yield from selected(tree.left)
        yield from selected(tree.right)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one["title"])
def test_a_dashboard_is_well_formed(dashboard: Any) -> None:
    """It survives JSON, its panels do not overlap, and every target has a letter of its own."""
    assert json.loads(json.dumps(dashboard)) == dashboard
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0


def test_every_series_that_is_shown_is_recorded() -> None:
    """No panel asks for a series that the rules do not write."""
    rules = prometheus_rules(SLOS, metrics=GUIDE_METRICS)
    recorded = {rule.get("record") for group in rules.groups for rule in group["rules"]}
    for dashboard in DASHBOARDS:
        for expression in expressions(dashboard):
            for selector in selected(parse(expression)):
                [name] = [value for label, _, value in selector.matchers if label == "__name__"]
                assert name == "ALERTS" or name in recorded, expression


def test_the_guides_panels_are_there() -> None:
    """The overview and the detail show what the guide lists."""
    overview = [panel["title"] for panel in DASHBOARDS[0]["panels"]]
    for title in ("SLO status", "Error budget left", "Burn alerts", "Service health"):
        assert title in overview
    detail = " ".join(panel["title"] for panel in DASHBOARDS[1]["panels"])
    for title in ("SLI trend", "burn-down", "Burn rate: fast-burn"):
        assert title in detail


def test_names_with_marks_are_matched_literally() -> None:
    """A name is no regular expression in the overview."""
    slo = eb.SLO("a.b (c)", target="99%", window="30d", sli=eb.Availability())
    [expression] = {
        found
        for found in expressions(overview_dashboard(slo))
        if re.match(r"slo:error_budget:remaining_ratio", found)
    }
    [selector] = selected(parse(expression))
    [pattern] = [value for name, _, value in selector.matchers if name == "slo"]
    assert re.fullmatch(pattern, "a.b (c)")
    assert not re.fullmatch(pattern, "axb (c)")


TYPED = """\
import type { Dashboard } from '@grafana/schema';
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
const d: Plain<Dashboard> = %s;
export default d;
"""
"""A dashboard as TypeScript: its enumerations stand for their texts, as they do in JSON."""


def test_grafanas_own_schema_takes_them(tmp_path: Path) -> None:
    """Type-checked against the published schema, where npm has put it; what is wrong is noticed."""
    given = os.environ.get("NPM_DIR") or Path(__file__).parents[1] / ".venv" / "npm"
    modules = Path(given) / "node_modules"
    if not (modules / "@grafana" / "schema").is_dir() or not shutil.which("node"):
        pytest.skip(
            "missing: Grafana's schema; npm i --prefix DIR @grafana/schema@13.2.3 typescript@5 and "
            "set NPM_DIR=DIR"
        )
    (tmp_path / "node_modules").symlink_to(modules.resolve())
    text = json.dumps(DASHBOARDS[0], indent=1)
    wrong = [text.replace('"schemaVersion"', '"version"'), text.replace('"absolute"', '"absolut"')]
    right = [json.dumps(dashboard, indent=1) for dashboard in DASHBOARDS]
    for number, one in enumerate((*wrong, *right)):
        (tmp_path / f"d{number}.ts").write_text(TYPED % one)
    command = ["node", "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]
    command += ["--moduleResolution", "bundler", "--module", "esnext", "--target", "es2022"]
    done = subprocess.run(
        [*command, *sorted(path.name for path in tmp_path.glob("*.ts"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    files = {line.partition("(")[0] for line in done.stdout.splitlines() if line[:1] == "d"}
    assert files == {"d0.ts", "d1.ts"}, done.stdout[:3000]
