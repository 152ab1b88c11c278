"""Cases to verdicts, verdicts to lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.conformance import (
    burn_kinds,
    burn_tables,
    composites,
    kibana,
    openslo,
    peers,
    slices,
    slo_generator,
)
from tests.conformance.answering import Adapter
from tests.conformance.cases import Case, ShapeError, read_cases
from tests.conformance.servers import CHECKS
from tests.conformance.verdicts import Result, judge

__all__ = ["ADAPTERS", "run_case", "run_files"]

ADAPTERS: dict[str, Adapter] = {
    **peers.ADAPTERS,
    **slices.ADAPTERS,
    **burn_kinds.ADAPTERS,
    **composites.ADAPTERS,
    **kibana.ADAPTERS,
    **slo_generator.ADAPTERS,
    **openslo.ADAPTERS,
    **burn_tables.ADAPTERS,
}


def run_case(case: Case) -> Result:
    """The verdict on one case; a kind that nobody knows fails."""
    if case.kind in CHECKS:
        return CHECKS[case.kind](case)
    if case.kind not in ADAPTERS:
        return Result("FAIL", (f"unknown kind {case.kind!r}",))
    try:
        answers = ADAPTERS[case.kind](case)
        return judge(case.expected, answers, note=case.note)
    except Exception as error:  # noqa: BLE001 - a case may be anything; the others still run
        return Result("FAIL", (f"cannot be asked: {type(error).__name__}: {error}",))


def run_files(paths: Iterable[str | Path]) -> tuple[list[str], Counter[str]]:
    """
    Every case of every file.

    Returns:
        One line per case, and how many there are of each verdict.
    """
    lines, count = [], Counter[str]()
    for path in paths:
        name = Path(path).name
        try:
            cases = read_cases(path)
        except (OSError, ShapeError, json.JSONDecodeError) as error:
            lines.append(f"FAIL    {name}: {error}")
            count["FAIL"] += 1
            continue
        for case in cases:
            result = run_case(case)
            count[result.verdict] += 1
            details = f": {'; '.join(result.details)}" if result.details else ""
            shown = "DIFFERS on purpose" if result.verdict == "DIFFERS" else result.verdict
            lines.append(f"{shown:7} {name} {case.id} ({case.kind}){details}")
    return lines, count


def summary(count: Counter[str]) -> str:
    """The last line: how many cases there were of each verdict."""
    total = sum(count.values())
    return (
        f"{total} cases: {count['PASS']} pass, {count['DIFFERS']} differ on purpose, "
        f"{count['WAITING']} wait, {count['FAIL']} fail"
    )
