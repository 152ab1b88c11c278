"""One SLO or several: how functions take them, and find one by its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.slo.objective import SLO

__all__ = ["as_slo", "as_slos", "find_slo"]


def as_slo(value: SLO) -> SLO:
    """
    The SLO itself.

    Raises:
        InvalidInputError: *value* is something else, several SLOs or a composite among it.

    Example:
        >>> as_slo("api")
        Traceback (most recent call last):
        errorbudget.errors.InvalidInputError: one SLO was asked for, got 'api'; give \
errorbudget.SLO(...), of several or of a composite each by itself (are two arguments swapped?)
    """
    if not isinstance(value, SLO):
        raise InvalidInputError(
            f"one SLO was asked for, got {shown(value)}; give errorbudget.SLO(...), of several "
            "or of a composite each by itself (are two arguments swapped?)"
        )
    return value


def as_slos(slos: SLO | Iterable[SLO], *, distinct: bool = True, least: int = 1) -> tuple[SLO, ...]:
    """
    One SLO, or several, as a tuple.

    Args:
        slos: What was handed over.
        distinct: Whether names must differ.
        least: How many there have to be: 0 or 1.

    Raises:
        InvalidInputError: There is none, one is something else, or two share a name.

    Example:
        >>> as_slos([])
        Traceback (most recent call last):
        errorbudget.errors.InvalidInputError: there are no SLOs; give at least one
    """
    several = isinstance(slos, Iterable) and not isinstance(slos, (SLO, str, bytes))
    found: tuple[SLO, ...] = tuple(slos) if several else (slos,)  # type: ignore[arg-type, assignment]
    if len(found) < least:
        raise InvalidInputError("there are no SLOs; give at least one")
    names: set[str] = set()
    for slo in found:
        if not isinstance(slo, SLO):
            raise InvalidInputError(
                f"an SLO was asked for, got {shown(slo)}; give errorbudget.SLO(...), or several "
                "(are two arguments swapped?)"
            )
        if distinct and slo.name in names:
            raise InvalidInputError(f'two SLOs are called "{slo.name}"; names must differ')
        names.add(slo.name)
    return found


def find_slo(slos: Sequence[SLO], name: str) -> SLO:
    """
    The SLO called *name*.

    Raises:
        InvalidInputError: There is none; the message names those that are.
    """
    for slo in slos:
        if slo.name == name:
            return slo
    known = tuple(slo.name for slo in slos)
    raise InvalidInputError(
        f'there is no SLO "{name}"; there are {", ".join(known)}{did_you_mean(str(name), known)}'
    )
