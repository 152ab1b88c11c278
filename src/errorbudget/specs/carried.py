"""What two formats have in common: names, queries, and the account of what was left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.sli import QueryRatio
from errorbudget.slo import SLO
from errorbudget.specs.cursor import Cursor, Ledger, make
from errorbudget.specs.dump import slo_data
from errorbudget.specs.native import Native, read_native
from errorbudget.specs.spec import Loss
from errorbudget.specs.tree import Place
from errorbudget.windows import Window

if TYPE_CHECKING:
    from errorbudget.specs.export import AsQuery

__all__ = [
    "as_read",
    "changed",
    "decimal_text",
    "left_out",
    "query_of",
    "read_back",
    "slug",
    "unsaid",
]

Reader = Callable[[list[Cursor], Window | None], object]
_NOWHERE = Place(1, 1)


def slug(text: str, taken: Iterable[str] = ()) -> str:
    """
    *text* as a name of Kubernetes: lower case, 63 characters, and none of those *taken*.

    Example:
        >>> slug("API Endpoints Availability"), slug("api", ["api"])
        ('api-endpoints-availability', 'api-2')
    """
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "slo"
    names, number, found = set(taken), 2, base
    while found in names:
        suffix = f"-{number}"
        found, number = base[: 63 - len(suffix)] + suffix, number + 1
    return found


def decimal_text(value: Fraction) -> str | None:
    """
    The fraction as a decimal number, or None when it has no end.

    Example:
        >>> decimal_text(Fraction(999, 1000)), decimal_text(Fraction(1, 3))
        ('0.999', None)
    """
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    if rest != 1:
        return None
    digits = len(str(value.numerator)) + len(str(value.denominator)) * 4
    with localcontext() as context:
        context.prec = max(28, digits)
        return format((Decimal(value.numerator) / Decimal(value.denominator)).normalize(), "f")


def query_of(slo: SLO, as_query: AsQuery | None) -> QueryRatio | None:
    """The objective's indicator as PromQL; None when it has none."""
    if isinstance(slo.sli, QueryRatio):
        return slo.sli if slo.sli.language == "promql" else None
    return as_query(slo) if as_query is not None else None


def as_read(value: Any) -> Any:
    """Plain data as YAML would give them back: numbers with a point are decimals."""
    if isinstance(value, dict):
        return {key: as_read(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_read(part) for part in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def read_back(documents: Iterable[dict[str, Any]], reader: Reader) -> dict[str, Any]:
    """What *reader* makes of the first objective of *documents*; nothing where it refuses them."""
    ledger = Ledger(Native())
    reader([Cursor(make(as_read(part), _NOWHERE), "", ledger) for part in documents], None)
    slos = read_native(ledger.native)
    return slo_data(slos[0]) if slos and not ledger.native.problems else {}


def changed(slo: SLO, got: dict[str, Any], losses: Iterable[Loss], format: str) -> list[Loss]:
    """What reads back otherwise than it was, and has not been said yet."""
    wanted = slo_data(slo)
    said = {loss.path for loss in losses}
    return [
        Loss(f"{slo.name}.{key}", wanted.get(key), f"{format} gives it back as {got.get(key)!r}")
        for key in {**wanted, **got}
        if wanted.get(key) != got.get(key) and f"{slo.name}.{key}" not in said
    ]


def left_out(slo: SLO, why: str) -> Loss:
    """A whole objective that a format cannot hold."""
    return Loss(slo.name, str(slo), why)


def unsaid(slo: SLO, carried: Iterable[str], format: str) -> list[Loss]:
    """The parts of an objective that a format has no words for."""
    said = set(carried)
    return [
        Loss(f"{slo.name}.{key}", value, f"{format} has no place for it")
        for key, value in slo_data(slo).items()
        if key not in said
    ]
