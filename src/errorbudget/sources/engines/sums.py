"""Which zeros and ones an engine adds up for a set of objectives, each of them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.durations import MINUTE_NS
from errorbudget.errors import InvalidInputError
from errorbudget.predicates import Not, Number, Predicate, StatusIn
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO
from errorbudget.sources.engines.conditions import Compiler, both, negated
from errorbudget.times import format_time
from errorbudget.windows import Interval

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import NDArray

    from errorbudget.sources.engines.conditions import Truth

    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["EVENTS", "Sums"]

EVENTS = "events"
"""The name of the sum of all events."""


@dataclass(frozen=True, slots=True)
class _Objective:
    """Names of the sums that an objective is made of; None is nothing at all."""

    slo: SLO
    good: str | None
    total: str | None
    valid: str | None
    possible: str | None


def _asked(predicate: Predicate) -> str:
    """What has to be there for *predicate* to have an answer: two with one text need the same."""
    while isinstance(predicate, Not):
        predicate = predicate.part
    if isinstance(predicate, StatusIn):
        return "status"
    return predicate.column if isinstance(predicate, Number) else repr(predicate)


class Sums:
    """
    The sums of a set of objectives.

    Attributes:
        flags: Expressions to add up, by name.

    Args:
        slos: Objectives on ratios.
        compiler: Turns their conditions into expressions.
    """

    def __init__(self, slos: Sequence[SLO], compiler: Compiler) -> None:
        self.flags: dict[str, nw.Expr] = {}
        self._names: dict[str, str] = {}
        self._objectives = [self._objective(slo, compiler) for slo in slos]

    def _objective(self, slo: SLO, compiler: Compiler) -> _Objective:
        assert isinstance(slo.sli, RatioSLI)  # noqa: S101 - what countable() promises
        good, valid = slo.sli.good_when, slo.sli.valid_when
        judged, chosen = compiler.answer(good), compiler.answer(valid)
        certain = chosen.known is True
        forgiving = any(correction.treat == "good" for correction in slo.corrections)
        total_of = f"valid {valid!r}" if judged.known is True else f"{_asked(good)} of {valid!r}"
        return _Objective(
            slo,
            good=self._name(f"good {good!r} of {valid!r}", both(chosen.yes, judged.yes)),
            total=self._name(total_of, both(chosen.yes, judged.known)),
            valid=self._name(f"valid {valid!r}", chosen.yes) if forgiving else None,
            possible=self._name(
                f"valid {valid!r}" if certain else f"possible {valid!r}",
                chosen.yes if certain else negated(chosen.no),
            ),
        )

    def _name(self, meaning: str, truth: Truth) -> str | None:
        if isinstance(truth, bool):
            return EVENTS if truth else None
        if meaning not in self._names:
            self._names[meaning] = f"sum_{len(self._names)}"
            self.flags[self._names[meaning]] = truth
        return self._names[meaning]

    def counted(
        self, start_ns: Integers, found: Mapping[str, Integers]
    ) -> tuple[Integers, Integers, Integers]:
        """
        Good, total and left out events per objective, maintenance applied.

        Args:
            start_ns: The minute of each row [ns UTC]; shape (n,).
            found: What the engine added up, by name; each of shape (n,).

        Returns:
            Three tables of shape (objectives, n).

        Raises:
            InvalidInputError: Maintenance begins or ends within a minute.
        """
        shape = (len(self._objectives), len(start_ns))
        good, total, left_out = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        nothing = np.zeros(len(start_ns), dtype=np.int64)

        def of(name: str | None) -> Integers:
            return nothing if name is None else found[name]

        for row, each in enumerate(self._objectives):
            excluded, forgiven = _maintenance(each.slo, start_ns)
            valid = of(each.valid)
            good[row] = np.where(excluded, 0, np.where(forgiven, valid, of(each.good)))
            total[row] = np.where(excluded, 0, np.where(forgiven, valid, of(each.total)))
            left_out[row] = np.where(excluded, 0, of(each.possible) - total[row])
        return good, total, left_out


def _maintenance(slo: SLO, start_ns: Integers) -> tuple[Mask, Mask]:
    """Which minutes are left out, and which count as good."""
    excluded, forgiven = np.zeros((2, len(start_ns)), dtype=bool)
    if not len(start_ns) or not slo.corrections:
        return excluded, forgiven
    within = Interval(int(start_ns.min()), int(start_ns.max()) + MINUTE_NS, "left")
    for correction in slo.corrections:
        into = excluded if correction.treat == "exclude" else forgiven
        for interval in correction.intervals(within):
            for edge in (interval.start_ns, interval.end_ns):
                if edge % MINUTE_NS:
                    raise InvalidInputError(
                        f'SLO "{slo.name}": maintenance must begin and end on a whole minute to be '
                        f"counted by minute, got {format_time(edge)}"
                    )
            into |= (start_ns >= interval.start_ns) & (start_ns < interval.end_ns)
    return excluded, forgiven
