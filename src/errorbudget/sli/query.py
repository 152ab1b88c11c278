"""
Indicators that are questions to a metrics server, kept as they were written.

Specifications of other tools hold queries, not conditions on events. They are carried as text, to
be asked of the server (`sources`) or written into rules (`rules`). The stretch of time to ask for
is written `{{.window}}`, as Sloth does; spaces within the braces are taken out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from errorbudget.errors import InvalidInputError
from errorbudget.predicates import Predicate
from errorbudget.rationals import parse_rational, shown
from errorbudget.sli.ratio import RatioSLI

__all__ = ["WINDOW", "QueryRatio", "QueryThreshold"]

WINDOW = "{{.window}}"
"""Where a query wants its stretch of time, such as `5m`."""
_SPACED = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")


def _one_spelling(text: str) -> str:
    """*text* with every `{{ .window }}` written without spaces: Sloth's templates take both."""
    return _SPACED.sub(WINDOW, text)


class _Query(RatioSLI):
    """What indicators by queries have in common: they cannot be told from events."""

    __slots__ = ()

    language: str

    @property
    def good_when(self) -> Predicate:
        """Events cannot be told by a query: raises InvalidInputError."""
        raise self._refused()

    @property
    def columns(self) -> frozenset[str]:
        """Events cannot be told by a query: raises InvalidInputError."""
        raise self._refused()

    def _refused(self) -> InvalidInputError:
        return InvalidInputError(
            f"this indicator is a {self.language} query ({self}) and cannot be told from events; "
            "ask its server, or write the indicator as conditions, such as "
            "errorbudget.Availability()"
        )

    def _without_conditions(self, where: str) -> None:
        if any(getattr(self, name) is not None for name in _CONDITIONS):
            raise InvalidInputError(
                f"an indicator by queries takes no conditions; put them into {where}"
            )

    def _language_data(self) -> dict[str, str]:
        return {} if self.language == "promql" else {"language": self.language}

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in self.to_dict().items() if name != "kind"]
        return f"{type(self).__name__}({', '.join(given)})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class QueryRatio(_Query):
    """
    The share of good events as queries tell it.

    Args:
        good_query: Query for good events.
        bad_query: Query for bad events.
        total_query: Query for all of them.
        ratio_query: Query for the share of bad events itself, instead of the others.
        language: What it is written in, or whose query it is: "promql", "Datadog".

    Raises:
        InvalidInputError: The queries do not make one ratio.

    Example:
        >>> QueryRatio(
        ...     bad_query="sum(rate(e[{{.window}}]))", total_query="sum(rate(t[{{.window}}]))"
        ... )
        QueryRatio(bad_query='sum(rate(e[{{.window}}]))', total_query='sum(rate(t[{{.window}}]))')
    """

    good_query: str | None = None
    bad_query: str | None = None
    total_query: str | None = None
    ratio_query: str | None = None
    language: str = "promql"

    kind: ClassVar[str] = "query"

    def __post_init__(self) -> None:
        self._without_conditions("the queries")
        texts = {name: getattr(self, name) for name in _QUERIES}
        for name, text in texts.items():
            if text is not None and (not isinstance(text, str) or not text.strip()):
                raise InvalidInputError(f"{name} must be the text of a query, got {shown(text)}")
            if text is not None:
                object.__setattr__(self, name, _one_spelling(text))
        given = {name for name, text in texts.items() if text is not None}
        if given not in _RATIOS:
            raise InvalidInputError(
                "queries make a ratio as good_query or bad_query with total_query, as good_query "
                f"with bad_query, or as ratio_query alone; got {', '.join(sorted(given)) or 'none'}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data."""
        data = {name: getattr(self, name) for name in _QUERIES if getattr(self, name) is not None}
        return {"kind": self.kind, **data, **self._language_data()}

    def __str__(self) -> str:
        parts = [f"{name.removesuffix('_query')} is {getattr(self, name)}" for name in _QUERIES]
        return "; ".join(part for part in parts if not part.endswith(" is None"))


_CONDITIONS = ("good", "bad", "valid", "where", "exclude")
_QUERIES = ("good_query", "bad_query", "total_query", "ratio_query")
_RATIOS = (
    {"good_query", "total_query"},
    {"bad_query", "total_query"},
    {"good_query", "bad_query"},
    {"ratio_query"},
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class QueryThreshold(_Query):
    """
    The share of samples of a query that keep a bound, such as OpenSLO's `thresholdMetric`.

    Args:
        query: Query for the figure.
        op: The comparison that makes a sample good: "<", "<=", ">" or ">=".
        bound: What to compare with, in the figure's unit.
        language: What it is written in, or whose query it is.
    """

    query: str
    op: Literal["<", "<=", ">", ">="]
    bound: Fraction
    language: str = "promql"

    kind: ClassVar[str] = "query_threshold"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            query: str,
            op: Literal["<", "<=", ">", ">="],
            bound: Fraction | float | str,
            language: str = "promql",
        ) -> None: ...

    def __post_init__(self) -> None:
        self._without_conditions("the query")
        if not isinstance(self.query, str) or not self.query.strip():
            raise InvalidInputError(f"query must be the text of a query, got {shown(self.query)}")
        object.__setattr__(self, "query", _one_spelling(self.query))
        if not isinstance(self.op, str) or self.op not in ("<", "<=", ">", ">="):
            raise InvalidInputError(f'op must be "<", "<=", ">" or ">=", got {shown(self.op)}')
        try:
            object.__setattr__(self, "bound", parse_rational(self.bound))
        except ValueError:
            raise InvalidInputError(f"bound must be a number, got {shown(self.bound)}") from None

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data."""
        return {
            "kind": self.kind,
            "query": self.query,
            "op": self.op,
            "bound": str(self.bound),
            **self._language_data(),
        }

    def __str__(self) -> str:
        return f"{self.query} {self.op} {self.bound}"
