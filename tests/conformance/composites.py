"""Adapters of composites and counters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import errorbudget as eb
from errorbudget.counters import anchored_increase, resets
from errorbudget.durations import SECOND_NS
from tests.conformance.answering import (
    Adapter,
    note_digits,
)
from tests.conformance.cases import Case
from tests.conformance.figures import (
    guarded,
)
from tests.conformance.reading import find, length_ns, number, target_of
from tests.conformance.verdicts import Answers, Purpose, Refused, as_number, close, refusable

__all__ = ["ADAPTERS", "composite", "counter_increase"]


def _weighted_there(
    key: str, expected: Any, members: Sequence[Any], weights: Any, target: eb.Target | None
) -> bool:
    """Whether this is what peers make of members of which some weigh nothing."""
    parts = [
        (number(weight), number(one))
        for weight, one in zip(weights or [], members, strict=False)
        if one is not None and number(weight) >= 0
    ]
    total, plain = sum(weight for weight, _ in parts), as_number(expected)
    if not total or plain is None:
        return False
    share = sum(weight * one for weight, one in parts) / total
    theirs = [share]
    if target is not None and target.error:
        theirs = {"consumed": [(1 - share) / target.error]}.get(key, theirs)
        theirs = {"remaining": [1 - (1 - share) / target.error]}.get(key, theirs)
    return any(close(plain, float(one)) for one in theirs)


def composite(case: Case) -> Answers:
    inputs, rule = case.inputs, case.kind.removeprefix("composite_")
    members = find(inputs, "sli", "slis", "values", "members")
    weights = find(inputs, "w", "weights", "weight")
    if members and isinstance(members[0], Mapping):
        weights = [find(one, "w", "weight") or 1 for one in members]
        members = [find(one, "sli", "sli_value", "sliValue") for one in members]
    members = [None if one in (-1, "NO_DATA") else one for one in members]
    target = target_of(inputs)
    names = [str(position) for position in range(len(members))]

    def status() -> Any:
        made = eb.Composite(
            "case",
            target or "50%",
            dict(zip(names, weights or [1] * len(names), strict=True)),
            rule=rule,  # type: ignore[arg-type]
            k=inputs.get("k"),
            missing=inputs.get("missing", "exclude"),
        )
        return made.of(dict(zip(names, members, strict=True)))

    found = refusable(status)

    def figure(key: str) -> Any:
        if isinstance(found, Refused):
            return found
        if key in ("sli", "sli_value"):
            return found.sli
        if target is None:
            raise KeyError(key)
        figures: dict[str, Callable[[], Any]] = {
            "consumed": lambda: found.budget_consumed,
            "remaining": lambda: found.budget_remaining,
            "initial": lambda: found.composite.target.error,
            "status": lambda: {"met": "HEALTHY", "missed": "VIOLATED", "no_data": "NO_DATA"}[
                found.state
            ],
            "state": lambda: found.state,
            "breached": lambda: {"met": False, "missed": True}.get(found.state),
        }
        return figures[key]()

    return Answers(
        figure,
        (
            Purpose(
                "no data is its own answer, never a silent 0 or 1",
                lambda key, expected, ours: (
                    (ours is None or key == "initial")
                    and not isinstance(found, Refused)
                    and found.sli is None
                    and as_number(expected) in (-1, 0, 1)
                ),
            ),
            Purpose(
                "shares outside [0, 1], weights not above 0 and composites of nothing are refused",
                lambda key, expected, ours: (
                    isinstance(ours, Refused)
                    and (
                        guarded(key, expected)
                        or _weighted_there(key, expected, members, weights, target)
                    )
                    and (
                        not members
                        or any(
                            plain is not None and not 0 <= plain <= 1
                            for plain in map(as_number, members)
                        )
                        or any(number(weight) <= 0 for weight in weights or ())
                    )
                ),
            ),
            Purpose(
                "at a target of 100 % any error is an infinite burn",
                lambda key, expected, ours: (
                    target is not None
                    and not target.error
                    and as_number(ours) in (math.inf, -math.inf)
                    and as_number(expected) in (0, 1, None)
                ),
            ),
            Purpose(
                "an overspent budget is negative, not clamped at 0",
                lambda key, expected, ours: (
                    key == "remaining"
                    and expected == 0
                    and target is not None
                    and not isinstance(found, Refused)
                    and found.sli is not None
                    and bool(target.error)
                    and close(ours, 1 - (1 - found.sli) / float(target.error))
                    and ours < 0
                ),
            ),
            *note_digits(case),
        ),
    )


def counter_increase(case: Case) -> Answers:
    inputs = case.inputs
    step = length_ns(inputs, "step", "interval") or 15 * SECOND_NS
    samples = inputs["samples"]
    if samples and isinstance(samples[0], list):
        pairs = [(round(at * 1000), value) for at, value in samples if value is not None]
    else:
        pairs = [
            (index * step // 1_000_000, value)
            for index, value in enumerate(samples)
            if value is not None
        ]
    times, values = [at for at, _ in pairs], [float(value) for _, value in pairs]
    span = times[-1] - times[0] if times else 0
    look_back = max(span, 1)

    def grown() -> float | None:
        if len(times) < 2:
            return anchored_increase(times, values, times[-1] if times else 0, 1, born="before")
        return anchored_increase(times, values, times[-1], span, lookback_ms=look_back)

    return Answers.of(
        {
            "increase": grown,
            "resets": lambda: resets(times, values, times[-1], span + 1),
        },
        (
            Purpose(
                "a window without growth that could be seen has no figure",
                lambda key, expected, ours: ours is None and expected in (0, 0.0),
            ),
        ),
    )


ADAPTERS: dict[str, Adapter] = {
    "composite_weighted": composite,
    "composite_serial": composite,
    "composite_parallel": composite,
    "composite_worst_of": composite,
    "composite_k_of_n": composite,
    "counter_increase": counter_increase,
}
