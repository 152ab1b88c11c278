"""Our rules of an imported Sloth file, and those that Sloth itself makes of it, mean the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")

from ruamel.yaml import YAML

import errorbudget as eb
from errorbudget.durations import format_duration
from errorbudget.rules import prometheus_rules
from errorbudget.specs import load
from tests.shared import shared_path
from tests.sloth_rules import (
    Story,
    ask,
    firing,
    question,
    ratios,
    same_alert,
    same_ratio,
    series,
)

FOLDER = "conformance/specs/sloth"


def examples() -> list[str]:
    """Every example whose rules are published with it."""
    try:
        folder = shared_path(f"{FOLDER}/expected")
    except pytest.skip.Exception:
        return ["getting-started.yml"]
    return sorted(path.name for path in folder.iterdir())


def theirs(name: str) -> list[dict[str, Any]]:
    """Sloth's own groups of rules, whether they stand alone or in a Kubernetes object."""
    text = shared_path(f"{FOLDER}/expected/{name}").read_text()
    found = []
    for document in YAML(typ="safe", pure=True).load_all(text):
        found += (document.get("spec") or document)["groups"] if document else []
    return found


def identities(groups: list[dict[str, Any]]) -> list[str]:
    """The objectives of Sloth's rules, in their order."""
    rules = [rule for group in groups for rule in group["rules"]]
    return list(dict.fromkeys(rule["labels"]["sloth_id"] for rule in rules if "record" in rule))


def windows_of(rules: list[dict[str, Any]], identity: str) -> set[str]:
    """The windows for which Sloth records an objective's ratio."""
    found = [rule["labels"] for rule in rules if rule.get("record", "").startswith("slo:sli_error")]
    return {one["sloth_window"] for one in found if one["sloth_id"] == identity}


def comparison(slo: eb.SLO, identity: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions to which a server answers as expected only where both files agree."""
    ours, sloths = ratios(slo), windows_of(rules, identity)
    alerts = [rule for rule in rules if "alert" in rule and f'"{identity}"' in rule["expr"]]
    # Without alerts, nobody here asks for the windows that only they need.
    needed = {word for rule in alerts for word in re.findall(r"ratio_rate(\w+){", rule["expr"])}
    assert needed <= set(ours)
    assert {"5m", "1h", format_duration(slo.period_ns)} <= sloths & set(ours)
    questions = []
    for window in sorted(sloths & set(ours)):
        long = window == format_duration(slo.period_ns)
        series = f'slo:sli_error:ratio_rate{window}{{sloth_id="{identity}"}}'
        # Traffic is even here, so that an average of ratios comes near their ratio of sums.
        questions += same_ratio(ours[window], series, 0.005 if long else 1e-9)
    for severity in ("page", "ticket"):
        fires = any(rule["labels"]["sloth_severity"] == severity for rule in alerts)
        if alerts or not slo.alerts.alerts:
            questions += same_alert(
                f'slo="{slo.name}",burn=~"{severity}-.*"',
                f'sloth_id="{identity}",sloth_severity="{severity}"',
                fires=fires,
            )
    return questions


@pytest.mark.parametrize(
    "name",
    [
        name if name == "getting-started.yml" else pytest.param(name, marks=pytest.mark.slow)
        for name in examples()
    ],
)
def test_rules_mean_what_sloths_mean(name: str, tmp_path: Path) -> None:
    """Every window's ratio and every severity's alert agree at each evaluation, over bad hours."""
    slos, groups = list(load(shared_path(f"{FOLDER}/{name}"))), theirs(name)
    rules = [rule for group in groups for rule in group["rules"]]
    inputs: dict[str, dict[str, str]] = {}
    questions: list[dict[str, Any]] = []
    for slo, identity in zip(slos, identities(groups), strict=True):
        for one in series(slo, Story(float(slo.target.error))):
            inputs.setdefault(one["series"], one)
        questions += comparison(slo, identity, rules)
    ours = prometheus_rules(slos).groups
    ask(tmp_path, {"ours.yml": ours, "theirs.yml": groups}, list(inputs.values()), questions)


@pytest.mark.slow
def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """Rules with another factor, or with another window, are told apart, and nothing else is."""
    (slo,) = load(shared_path(f"{FOLDER}/getting-started.yml"))
    groups = theirs("getting-started.yml")
    rules = [rule for group in groups for rule in group["rules"]]
    questions = comparison(slo, identities(groups)[0], rules)
    inputs = list(series(slo, Story(0.001)))
    ours = json.dumps(prometheus_rules(slo).groups)
    wrong = ours.replace("> 0.0144", "> 0.95").replace("[30m]", "[31m]")
    with pytest.raises(AssertionError, match="FAILED") as caught:
        ask(tmp_path, {"ours.yml": json.loads(wrong), "theirs.yml": groups}, inputs, questions)
    assert "ratio_rate30m" in str(caught.value)
    assert 'severity=\\"page' in str(caught.value)
    assert "ratio_rate1h" not in str(caught.value)


@pytest.mark.slow
def test_an_average_of_ratios_is_another_figure(tmp_path: Path) -> None:
    """Where traffic is uneven, Sloth's 30 days weigh a quiet hour like a busy one; ours do not."""
    (slo,) = load(shared_path(f"{FOLDER}/getting-started.yml"))
    groups = theirs("getting-started.yml")
    # The hour that fails has a hundredth of the traffic of the others.
    inputs = list(series(slo, Story(0.0, quiet={4: 0.01})))
    month = "sum(slo:sli_error:ratio_rate30d)", f"sum({ratios(slo)['30d']})"
    averaged, summed = 0.9 * 1 / 20, 0.9 * 0.01 / 19.01
    questions = [
        question(f"abs({said} / {value} - 1) < bool 0.1", 1)
        for said, value in zip(month, (averaged, summed), strict=True)
    ]
    ours = prometheus_rules(slo).groups
    ask(tmp_path, {"ours.yml": ours, "theirs.yml": groups}, inputs, questions)


@pytest.mark.slow
def test_on_the_line_only_sloth_fires(tmp_path: Path) -> None:
    """Ten times too fast for 216 of 360 minutes is six times, which Sloth's rounding makes more."""
    (slo,) = load(shared_path(f"{FOLDER}/getting-started.yml"))
    groups = theirs("getting-started.yml")
    sloths = 'sloth_id="myservice-requests-availability",sloth_severity="page"'
    questions = [
        question(firing(f'slo="{slo.name}",burn="page-slow"'), 0, 755),
        question(firing(sloths), 1, 755),
        question(firing(f'slo="{slo.name}",burn="page-slow"'), 1, 760),
    ]
    ours = prometheus_rules(slo).groups
    inputs = list(series(slo, Story(0.001, slow=10)))
    ask(tmp_path, {"ours.yml": ours, "theirs.yml": groups}, inputs, questions)
