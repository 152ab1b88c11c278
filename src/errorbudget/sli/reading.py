"""Indicators from plain data: the reverse of their `to_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from errorbudget import predicates
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.sli.freshness import Freshness
from errorbudget.sli.latency import Latency, LatencyQuantile
from errorbudget.sli.query import QueryRatio, QueryThreshold
from errorbudget.sli.ratio import Availability, ErrorRate, RatioSLI
from errorbudget.sli.threshold import ThresholdSLI
from errorbudget.sli.traffic import Concurrency, Throughput

__all__ = ["KINDS", "SLI", "from_dict"]

SLI = RatioSLI | ThresholdSLI
"""Anything that an SLO can be set on."""

KINDS: dict[str, type[RatioSLI | ThresholdSLI]] = {
    kind.kind: kind
    for kind in (
        RatioSLI,
        Availability,
        ErrorRate,
        Latency,
        LatencyQuantile,
        Throughput,
        Concurrency,
        Freshness,
        QueryRatio,
        QueryThreshold,
    )
}
_CONDITIONS = ("good", "bad", "valid", "where", "exclude")


def from_dict(data: Mapping[str, Any]) -> SLI:
    """
    The indicator that `to_dict` wrote, or that a specification holds.

    A condition may be plain data of a predicate, or short as in Python: `"5xx"`,
    `{"route": "/api/.*"}`.

    Raises:
        InvalidInputError: The kind or a key is unknown.

    Example:
        >>> from_dict({"kind": "availability", "good": "2xx"})
        Availability(good=status_in("2xx"))
    """
    if not isinstance(data, Mapping):
        raise InvalidInputError(f'an indicator is data with a "kind", got {shown(data)}')
    rest = dict(data)
    kind = str(rest.pop("kind", "ratio"))
    if kind not in KINDS:
        raise InvalidInputError(
            f'there is no indicator "{kind}"; there are {", ".join(KINDS)}'
            f"{did_you_mean(str(kind), tuple(KINDS))}"
        )
    known = tuple(item.name for item in fields(KINDS[kind]))
    if KINDS[kind] is Latency:
        known = tuple(name for name in known if name not in ("good", "bad"))
    elif KINDS[kind] in (QueryRatio, QueryThreshold):
        known = tuple(name for name in known if name not in _CONDITIONS)
    for name in rest:
        if name not in known:
            raise InvalidInputError(
                f'indicator "{kind}" has no "{name}"; it has {", ".join(known)}'
                f"{did_you_mean(name, known)}"
            )
    arguments = {
        name: predicates.as_predicate(value) if name in _CONDITIONS and value is not None else value
        for name, value in rest.items()
    }
    try:
        return KINDS[kind](**arguments)
    except TypeError as error:
        raise InvalidInputError(f'indicator "{kind}" is incomplete: {error}') from None
