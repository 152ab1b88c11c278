"""Figures that someone else published, or that fit on a napkin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from errorbudget import SLO, Counts, RatioSLI, burn_rate
from errorbudget.status import json_number

CASES = json.loads((Path(__file__).parent / "golden" / "budgets.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['bad']} bad at {case['target']}")
def test_budgets(case: dict[str, Any]) -> None:
    """Burn rate, what is left and the verdict, to the last bit."""
    counts = Counts(case["good"], case["bad"])
    assert json_number(burn_rate(counts, case["target"])) == case["burn"]
    status = SLO("x", target=case["target"], window="30d", sli=RatioSLI()).assess(counts, at=0)
    assert status.state == case["state"]
    budget = status.to_dict()["budget"]
    assert budget["remaining_ratio"] == case["remaining"]
