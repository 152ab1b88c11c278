"""What an SLO refuses: parts that cannot be read, and parts that do not fit together."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.alerts import AlertPolicy
from errorbudget.characters import first_control
from errorbudget.durations import format_duration
from errorbudget.errors import (
    DoubtfulTargetWarning,
    InvalidInputError,
    InvalidTargetError,
    InvalidWindowError,
)
from errorbudget.methods import RatioTimeslices, Timeslices
from errorbudget.policy import Policy
from errorbudget.rationals import shown
from errorbudget.sli import Freshness, RatioSLI, ThresholdSLI
from errorbudget.target import Target

if TYPE_CHECKING:
    from errorbudget.corrections import BudgetReset, Correction
    from errorbudget.slo.objective import SLO

__all__ = ["as_correction", "as_reset", "check", "listed", "plain_text", "texts_by_name"]


def listed(name: str, word: str, values: Any) -> list[Any]:
    """The *values* of *word*, where they are a list; *name* is the SLO's."""
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise InvalidInputError(f'SLO "{name}": {word} must be a list, got {shown(values)}')
    return list(values)


def plain_text(name: str, word: str, text: Any) -> str:
    """The *text* of *word*, where it is one that a screen shows."""
    if not isinstance(text, str):
        raise InvalidInputError(f'SLO "{name}": {word} must be text, got {shown(text)}')
    if control := first_control(text):
        raise InvalidInputError(
            f'SLO "{name}": {word} holds the character {control}, which no screen shows; remove it'
        )
    return text


def texts_by_name(name: str, word: str, values: Any) -> dict[str, str]:
    """The *values* of *word*, where they are texts by name."""
    found = {} if values is None else values
    if not isinstance(found, Mapping) or not all(
        isinstance(key, str) and isinstance(text, str) for key, text in found.items()
    ):
        raise InvalidInputError(f'SLO "{name}": {word} must be texts by name, got {shown(values)}')
    return {
        plain_text(name, word, key): plain_text(name, f"{word}.{key}", text)
        for key, text in found.items()
    }


def as_correction(value: Any) -> Correction:
    """A correction, or plain data of one."""
    from errorbudget.corrections import parse_correction

    return parse_correction(value)


def as_reset(value: Any) -> BudgetReset:
    """A reset of the budget, or plain data of one."""
    from errorbudget.corrections import BudgetReset

    if isinstance(value, BudgetReset):
        return value
    if isinstance(value, Mapping):
        return BudgetReset.from_dict(value)
    raise InvalidInputError(
        f'{shown(value)} is not a budget reset; write BudgetReset("2026-03-01T00:00Z", "why")'
    )


def check(slo: SLO) -> None:
    """
    Refuse an SLO whose parts do not fit together, and doubt a target below a half.

    Raises:
        InvalidInputError: A table is of another type, or two parts contradict each other.
        InvalidTargetError: There has to be a target, or there must be none.
        InvalidWindowError: A slice is longer than the window.
    """
    where = f'SLO "{slo.name}"'
    for word, kind in (("alerts", AlertPolicy), ("policy", Policy), ("risk_policy", Policy)):
        if not isinstance(getattr(slo, word), kind):
            raise InvalidInputError(
                f"{where}: {word} must be of type {kind.__name__}, got {shown(getattr(slo, word))}"
            )
    _check_target_is_due(slo, where)
    if isinstance(slo.method, (Timeslices, RatioTimeslices)):
        if isinstance(slo.sli, Freshness):
            raise InvalidInputError(
                f"{where}: freshness is a share of time already; leave the method out"
            )
        if slo.method.slice > slo.period_ns:
            raise InvalidWindowError(
                f"{where}: a slice of {format_duration(slo.method.slice)} is longer than the "
                f"window of {slo.window}"
            )
    if not isinstance(slo.min_coverage, (int, float)) or not 0 <= slo.min_coverage <= 1:
        raise InvalidInputError(
            f"{where}: min_coverage lies in [0, 1], got {shown(slo.min_coverage)}"
        )
    if not isinstance(slo.target, Target):
        return
    if slo.warning_target is not None and slo.warning_target < slo.target:
        raise InvalidTargetError(
            f"{where}: the warning target {slo.warning_target} must not be below "
            f"the target {slo.target}"
        )
    if slo.target.ratio < Fraction(1, 2):
        warnings.warn(
            f"{where}: target {slo.target} lets most events fail; for an error rate under "
            f'{slo.target} write target="{Target(1 - slo.target.ratio)}"',
            DoubtfulTargetWarning,
            stacklevel=3,
        )


def _check_target_is_due(slo: SLO, where: str) -> None:
    if slo.target is None:
        if isinstance(slo.sli, RatioSLI):
            raise InvalidTargetError(f'{where} needs a target, such as target="99.9%"')
        if slo.warning_target is not None:
            raise InvalidTargetError(f"{where} has a warning target but no target")
    elif (
        isinstance(slo.sli, ThresholdSLI)
        and not isinstance(slo.sli, Freshness)
        and not isinstance(slo.method, Timeslices)
    ):
        raise InvalidTargetError(
            f"{where} is a threshold ({slo.sli}): leave the target out, or give "
            'method=errorbudget.Timeslices("1m") to judge the share of time slices that keep it'
        )
