"""
Two files of rules over the same made-up series: do they say the same, at every evaluation?

The series follow from the queries of an objective, whatever they are: each selector names its
metric and what its labels may be. A counter grows evenly and fails for a while, now fast, now
slowly; a gauge sinks for as long.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errorbudget.durations import format_duration
from errorbudget.sli import QueryRatio
from errorbudget.slo import SLO
from tests.conformance.promql import Call, Selector, parse
from tests.prometheus_binaries import binary

STEP = 5  # minutes between evaluations
HOURS = 20
VALUES = ("200", "404", "429", "500", "503", "GET", "LIST", "POST", "a", "b", "1", "0.5", "softirq")
CLIENTS = 10


@dataclass(frozen=True)
class Asked:
    """A selector of a query, and whether it stands for a counter."""

    matchers: tuple[tuple[str, str, str], ...]
    counter: bool

    def meets(self, labels: Mapping[str, str]) -> bool:
        return all(_met(op, labels.get(name, ""), want) for name, op, want in self.matchers)

    @property
    def metric(self) -> str:
        return next(want for name, _, want in self.matchers if name == "__name__")


def _met(op: str, have: str, want: str) -> bool:
    same = have == want if op in ("=", "!=") else re.fullmatch(want, have) is not None
    return same != op.startswith("!")


def asked(query: str | None) -> list[Asked]:
    """Every selector of *query*."""
    if query is None:
        return []
    text = re.sub(r"\b(AND|OR|UNLESS|ON|BY)\b", lambda word: word[0].lower(), query)
    return list(_asked(parse(text.replace("{{.window}}", "5m")), counter=False))


def _asked(tree: Any, *, counter: bool) -> Iterator[Asked]:
    if isinstance(tree, Selector):
        yield Asked(tree.matchers, counter)
        return
    counts = counter or (isinstance(tree, Call) and tree.name in ("rate", "increase", "irate"))
    parts = (
        [getattr(tree, found.name) for found in dataclasses.fields(tree)]
        if dataclasses.is_dataclass(tree)
        else tree
        if isinstance(tree, tuple)
        else []
    )
    for part in parts:
        yield from _asked(part, counter=counts)


@dataclass
class Story:
    """How an objective's events go: the share that fails in each minute, and how many there are."""

    error: float
    slow: float = 9.7
    quiet: Mapping[int, float] = field(default_factory=dict)

    def share(self, minute: int) -> float:
        if 240 <= minute < 300:
            return 0.9
        return min(0.95, self.slow * self.error) if 540 <= minute < 840 else 0.0

    def traffic(self, minute: int) -> float:
        return 60 * self.quiet.get(minute // 60, 1.0)


def series(slo: SLO, story: Story) -> Iterator[dict[str, str]]:
    """The series that the queries of *slo* ask for, as promtool reads them."""
    sli = slo.sli
    assert isinstance(sli, QueryRatio)
    roles = {
        "bad": asked(sli.bad_query),
        "good": asked(sli.good_query),
        "total": asked(sli.total_query) + asked(sli.ratio_query),
    }
    every = [one for found in roles.values() for one in found]
    for metric in dict.fromkeys(one.metric for one in every):
        mine = [one for one in every if one.metric == metric]
        names = {name for one in mine for name, _, _ in one.matchers} - {"__name__"}
        domains = {name: _domain(name, mine) for name in sorted(names)}
        found = [
            dict(zip(domains, values, strict=True))
            for values in itertools.product(*domains.values())
        ]
        if any(one.counter for one in mine):
            yield from _counters(metric, found, roles, story)
        else:
            yield from _gauges(metric, found, story)


def _domain(name: str, mine: list[Asked]) -> list[str]:
    """Values of a label: one at least that each matcher takes, and one that it does not."""
    wanted: dict[str, None] = {}
    for one in mine:
        for label, op, want in one.matchers:
            if label != name:
                continue
            if op == "=":
                wanted[want] = None
                continue
            pool = [*VALUES, *re.split(r"[|()]", want)]
            fitting = [value for value in pool if value and _met(op, value, want)]
            assert fitting, f"no value is known that meets {name}{op}{want!r}"
            wanted[fitting[0]] = None
            other = [value for value in VALUES if not _met(op, value, want)]
            wanted |= dict.fromkeys(other[:1])
    if any(name not in {label for label, _, _ in one.matchers} for one in mine):
        wanted |= dict.fromkeys(["other"])
    return list(wanted)


def _counters(
    metric: str, found: list[dict[str, str]], roles: Mapping[str, list[Asked]], story: Story
) -> Iterator[dict[str, str]]:
    def is_in(role: str, labels: dict[str, str]) -> bool:
        return any(one.meets({"__name__": metric, **labels}) for one in roles[role])

    bad = [one for one in found if (is_in("bad", one) if roles["bad"] else not is_in("good", one))]
    good = [one for one in found if one not in bad]
    for labels in found:
        mates = bad if labels in bad else good
        grown, values = 0.0, []
        for minute in range(HOURS * 60):
            share = story.share(minute) if labels in bad else 1 - story.share(minute)
            grown += story.traffic(minute) * share / len(mates)
            values.append(f"{grown:.6f}")
        yield _input(metric, labels, values)


def _gauges(metric: str, found: list[dict[str, str]], story: Story) -> Iterator[dict[str, str]]:
    for labels, client in itertools.product(found, range(CLIENTS)):
        values = [
            "0.1" if client < round(CLIENTS * story.share(minute)) else "1"
            for minute in range(HOURS * 60)
        ]
        yield _input(metric, {**labels, "client": str(client)}, values)


def _input(metric: str, labels: Mapping[str, str], values: list[str]) -> dict[str, str]:
    shown = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return {"series": f"{metric}{{{shown}}}", "values": " ".join(values)}


# ---------------------------------------------------------------------------- questions


def _largest(difference: str) -> str:
    return f"max_over_time((abs({difference}))[{HOURS}h:{STEP}m])"


def firing(matchers: str) -> str:
    """1 where such an alert fires, else 0."""
    return f'(max(0 * ALERTS{{{matchers},alertstate="firing"}} + 1) or vector(0))'


def same_ratio(ours: str, theirs: str, tolerance: float) -> list[dict[str, Any]]:
    """Two recorded series never differ by more than *tolerance*, and are there as often."""
    ours, theirs = f"sum({ours})", f"sum({theirs})"
    there = f"count_over_time({ours}[{HOURS}h:{STEP}m])"
    also = f"count_over_time({theirs}[{HOURS}h:{STEP}m])"
    return [
        question(f"{_largest(f'{ours} - {theirs}')} > bool {tolerance}", 0),
        question(f"{there} - {also}", 0),
        question(f"{there} > bool {HOURS * 60 // STEP - 3}", 1),
        question(f"max_over_time({ours}[{HOURS}h:{STEP}m]) > bool 0", 1),
    ]


def same_alert(ours: str, theirs: str, *, fires: bool) -> list[dict[str, Any]]:
    """Two alerts fire at the same evaluations; at some of them, or at none, and not at the last."""
    return [
        question(_largest(f"{firing(ours)} - {firing(theirs)}"), 0),
        question(f"max_over_time({firing(ours)}[{HOURS}h:{STEP}m])", int(fires)),
    ]


def question(expression: str, value: float, minute: int = HOURS * 60 - STEP) -> dict[str, Any]:
    """A question, by default at the end of the story, and its one answer."""
    return {
        "expr": expression,
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": "{}", "value": value}],
    }


def ratios(slo: SLO) -> dict[str, str]:
    """Our error ratio of each recorded window."""
    return {
        format_duration(window): f'slo:error_ratio:{format_duration(window)}{{slo="{slo.name}"}}'
        for window in (*slo.all_burn_windows, slo.period_ns)
    }


def ask(
    folder: Path,
    rules: Mapping[str, Sequence[Mapping[str, Any]]],
    inputs: list[dict[str, str]],
    questions: list[dict[str, Any]],
) -> None:
    """Have promtool evaluate *rules* over *inputs*; fails where an answer is not as expected."""
    for name, groups in rules.items():
        (folder / name).write_text(json.dumps({"groups": groups}))
    tests = {
        "rule_files": list(rules),
        # A server evaluates groups side by side; in order, an alert sees the ratios of its instant.
        "group_eval_order": [group["name"] for groups in rules.values() for group in groups],
        "evaluation_interval": f"{STEP}m",
        "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": questions}],
    }
    (folder / "tests.yml").write_text(json.dumps(tests))
    done = subprocess.run(
        [binary("promtool"), "test", "rules", "tests.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:4_000]
