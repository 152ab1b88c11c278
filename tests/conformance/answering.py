"""What every adapter of figures shares: targets, roundings, and differences on purpose."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance.cases import Case
from tests.conformance.figures import (
    Figures,
    clamped,
    no_data,
    refused_counts,
    refused_target,
    rounded,
    total_target,
)
from tests.conformance.reading import target_of
from tests.conformance.verdicts import Answers, Purpose, as_number, refusable

__all__ = [
    "Adapter",
    "few_events",
    "figure_answers",
    "in_units",
    "note_digits",
    "target_or_refused",
]


Adapter = Callable[[Case], Answers]


def note_digits(case: Case, default: int | None = None) -> tuple[Purpose, ...]:
    """Rounding that the case itself speaks of."""
    found = re.search(
        r"round\w* (?:to )?(\d+)|(\d+)[ -]?(?:dp\b|digits?|decimals?)", f"{case.note} {case.about}"
    )
    digits = int(found[1] or found[2]) if found else default
    return () if digits is None else (rounded(digits),)


def figure_answers(case: Case, figures: Figures, *more: Purpose) -> Answers:
    """Figures with every difference that may come up between counts and budget."""
    return Answers(
        figures,
        (
            no_data(figures),
            total_target(figures),
            refused_counts(case.inputs, figures),
            refused_target(case.inputs),
            clamped(figures),
            *more,
        ),
    )


def target_or_refused(case: Case) -> Any:
    return refusable(lambda: target_of(case.inputs))


def few_events(inputs: Mapping[str, Any]) -> Purpose:
    """Less than a minimum of events, markers and all as they are written: no report there."""
    least = as_number(inputs.get("min_valid_events"))
    given = [as_number(inputs.get(name)) for name in ("good", "bad")]
    raw = None if None in given else sum(value for value in given if value is not None)

    def holds(key: str, expected: Any, ours: Any) -> bool:
        few = least is not None and raw is not None and raw < least
        return few and expected in (None, False, "invalid", "no_data") and ours is not None

    return Purpose("few events are events: the figures are given, and a warning with them", holds)


def in_units(seconds: float | None) -> dict[str, Any]:
    """One length in every unit that a file may ask for."""
    if seconds is None:
        return dict.fromkeys(("seconds", "minutes", "hours", "days"))
    return {
        "seconds": seconds,
        "minutes": seconds / 60,
        "hours": seconds / 3600,
        "days": seconds / 86_400,
    }
