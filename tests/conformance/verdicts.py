"""
What counts as the same answer, and which differences are on purpose.

A difference is on purpose only where a `Purpose` says so *and* recognises both sides: what the
source answers by its rule, and what this library answers by its own. Anything else is a failure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, Literal

from errorbudget.durations import SECOND_NS, parse_duration
from errorbudget.errors import ErrorBudgetError
from errorbudget.times import format_time, to_ns

__all__ = [
    "ROUND_WORDS",
    "Answers",
    "Instant",
    "Purpose",
    "Refused",
    "Result",
    "Spoken",
    "agree",
    "as_number",
    "close",
    "judge",
    "refusable",
]

RELATIVE = 6e-7
ABSOLUTE = 1e-9
"""Where a source writes 0 and computed 8.9e-16."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No figure: the library says what is wrong with the question."""

    error: ErrorBudgetError

    def __repr__(self) -> str:
        return f"{type(self.error).__name__}({str(self.error)!r})"


@dataclass(frozen=True, slots=True)
class Instant:
    """A time [ns UTC], compared exactly."""

    ns: int

    def __repr__(self) -> str:
        return format_time(self.ns)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A length [s] that a source puts into words."""

    seconds: float

    def __repr__(self) -> str:
        return f"{self.seconds:.10g} s"


@dataclass(frozen=True, slots=True)
class Purpose:
    """
    A difference that design.md wants.

    Attributes:
        reason: The rule, in a sentence.
        holds: Whether (key, expected, ours) is this difference and no other.
    """

    reason: str
    holds: Callable[[str, Any, Any], bool]


@dataclass(frozen=True)
class Answers:
    """
    What the library answers, by the name that the source uses.

    Attributes:
        figure: Name to answer; a `KeyError` says that no adapter knows the name.
        purposes: Differences that may come up.
    """

    figure: Callable[[str], Any]
    purposes: tuple[Purpose, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any], purposes: Iterable[Purpose] = ()) -> Answers:
        """Answers from a mapping; a value that is a function is called when it is asked for."""

        def figure(key: str) -> Any:
            value = values[key]
            return value() if callable(value) else value

        return cls(figure, tuple(purposes))


@dataclass(frozen=True, slots=True)
class Result:
    """
    What came of one case.

    Attributes:
        verdict: PASS, DIFFERS (on purpose), WAITING or FAIL.
        details: Sentences: what was expected and got, or why it differs.
    """

    verdict: Literal["PASS", "DIFFERS", "WAITING", "FAIL"]
    details: tuple[str, ...] = field(default=())


def refusable(ask: Callable[[], Any]) -> Any:
    """What *ask* answers, or `Refused` where the library refuses the question."""
    try:
        return ask()
    except ErrorBudgetError as error:
        return Refused(error)


def as_number(value: Any) -> float | None:
    """A figure as JSON may write it, "inf" and "NaN" included; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float, Fraction)):
        return float(value)
    if isinstance(value, str) and value.strip().lower().lstrip("+-") in (
        "inf",
        "infinity",
        "nan",
    ):
        return float(value)
    return None


def close(expected: float, ours: float, relative: float = RELATIVE) -> bool:
    """Whether two figures are the same to the tolerance."""
    return expected == ours or math.isclose(expected, ours, rel_tol=relative, abs_tol=ABSOLUTE)


def instant_ns(text: str) -> int:
    """A time of a file; one without a zone is UTC."""
    zoned = re.search(r"(Z|[+-]\d\d:?\d\d)$", text.strip())
    return to_ns(text if zoned else f"{text.strip()}Z")


def spoken_seconds(text: str) -> float | None:
    """The length that words such as "2 days 2 h" stand for [s]; None where there is none."""
    bare = re.sub(r"\b(about|approx\.?|ca\.?|roughly|nearly)\b|[~≈<>]", " ", text)
    bare = re.sub(r"\([^)]*\)|\band\b|,", " ", bare).strip()
    try:
        return parse_duration(bare) / SECOND_NS
    except ErrorBudgetError:
        return None


def _round_words(key: str, expected: Any, ours: Any) -> bool:
    if not isinstance(ours, Spoken) or not isinstance(expected, str):
        return False
    said = spoken_seconds(expected)
    return said is not None and abs(said - ours.seconds) <= 0.01 * ours.seconds


ROUND_WORDS = Purpose("theirs is said in round words", _round_words)


def agree(expected: Any, ours: Any, relative: float = RELATIVE) -> bool:
    """Whether an answer is the expected one."""
    if isinstance(ours, Refused):
        return False
    if isinstance(ours, Instant):
        return isinstance(expected, str) and instant_ns(expected) == ours.ns
    if isinstance(ours, Spoken):
        seconds = spoken_seconds(expected) if isinstance(expected, str) else None
        return seconds is not None and close(seconds, ours.seconds)
    if isinstance(expected, bool) or isinstance(ours, bool):
        return expected is ours
    if ours is None or expected is None:
        number = as_number(expected if ours is None else ours)
        return expected is ours or (number is not None and math.isnan(number))
    if isinstance(ours, (list, tuple)):
        return (
            isinstance(expected, list)
            and len(expected) == len(ours)
            and all(agree(one, mine, relative) for one, mine in zip(expected, ours, strict=True))
        )
    if isinstance(ours, Mapping):
        return isinstance(expected, Mapping) and all(
            key in ours and agree(value, ours[key], relative) for key, value in expected.items()
        )
    one, mine = as_number(expected), as_number(ours)
    if one is not None and mine is not None:
        return close(one, mine, relative) or (math.isnan(one) and math.isnan(mine))
    return bool(expected == ours)


def tolerance(note: str) -> float:
    """The relative tolerance that a note asks for; the usual one where it says nothing."""
    found = re.search(
        r"(?:tolerance|rtol|rel(?:ative)?)\W{0,3}(?:of\s)?(\d*\.?\d+(?:e-?\d+)?)\s*(%)?",
        note,
        re.IGNORECASE,
    )
    if not found:
        return RELATIVE
    return float(found[1]) / (100 if found[2] else 1)


def judge(expected: Mapping[str, Any], answers: Answers, *, note: str = "") -> Result:
    """The verdict on one case: every expected figure has to be answered."""
    if not expected:
        return Result("FAIL", ("the case expects nothing that could be checked",))
    relative = tolerance(note)
    failed, differing = [], []
    for key, value in expected.items():
        try:
            ours = refusable(partial(answers.figure, key))
        except KeyError:
            failed.append(f"no adapter for expected key {key}")
            continue
        if agree(value, ours, relative):
            continue
        shown = f"{key}: expected {value!r}, got {_shown(ours)}"
        purpose = next((one for one in answers.purposes if one.holds(key, value, ours)), None)
        if purpose is None:
            failed.append(shown)
        else:
            differing.append(f"{shown}; {purpose.reason}")
    if failed:
        return Result("FAIL", (*failed, *differing))
    return Result("DIFFERS" if differing else "PASS", tuple(differing))


def _shown(ours: Any) -> str:
    return f"{float(ours)!r}" if isinstance(ours, Fraction) else repr(ours)
