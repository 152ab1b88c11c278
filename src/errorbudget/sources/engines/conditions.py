"""
Predicates as an engine's own expressions: the twin of `kernels.predicates` where data is far away.

The three answers are two expressions, *yes* and *no*, neither ever null; where both are false the
answer is unknown. Comparisons are written so that NaN meets none of them: some engines hold NaN to
be greater than every number, others hold it to be nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from errorbudget.errors import InvalidInputError
from errorbudget.predicates import (
    All,
    Any_,
    Everything,
    Flag,
    LabelIn,
    LabelMatches,
    Not,
    Number,
    Predicate,
    StatusIn,
)
from errorbudget.sources.engines.patterns import plain, portable

if TYPE_CHECKING:
    import narwhals as nw

    from errorbudget.sources.engines.columns import FrameColumns

    Truth = nw.Expr | bool

__all__ = ["MOST_TEXTS", "Answer", "Compiler", "both", "either", "negated"]

MOST_TEXTS = 100_000
"""Distinct texts of a label that a pattern is asked of one by one."""

_GREATEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A predicate as expressions, or as constants where every event has the same answer.

    Attributes:
        yes: Which events meet it.
        no: Which do not.
        known: Which do either; True where no event can lack what the condition asks for.
    """

    yes: Truth
    no: Truth
    known: Truth


def both(left: Truth, right: Truth) -> Truth:
    """Left and right."""
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    return left & right


def either(left: Truth, right: Truth) -> Truth:
    """Left or right."""
    if isinstance(left, bool):
        return True if left else right
    if isinstance(right, bool):
        return True if right else left
    return left | right


def negated(truth: Truth) -> Truth:
    """Not."""
    return not truth if isinstance(truth, bool) else ~truth


class Compiler:
    """
    Turns predicates into expressions over the columns of one frame.

    Args:
        columns: The frame's columns.
        engine: Which engine, as narwhals names it.
        distinct: Gives the distinct texts of a label, of an engine that is asked for them.
    """

    def __init__(
        self, columns: FrameColumns, engine: str, distinct: Callable[[str], Iterable[str]]
    ) -> None:
        self._columns = columns
        self._engine = engine
        self._distinct = distinct
        self._texts: dict[str, list[str]] = {}

    def answer(self, predicate: Predicate) -> Answer:
        """
        *predicate* as expressions.

        Raises:
            InvalidSeriesError: The frame lacks a column, or one holds something else.
            InvalidInputError: A label has too many texts for a pattern that the engine cannot read.
        """
        if isinstance(predicate, Everything):
            return Answer(True, False, True)
        if isinstance(predicate, Not):
            part = self.answer(predicate.part)
            return Answer(part.no, part.yes, part.known)
        if isinstance(predicate, (All, Any_)):
            return self._combined(predicate)
        if isinstance(predicate, StatusIn):
            status = self._columns.status()
            within = ((status >= low) & (status <= high) for low, high in predicate.ranges)
            yes = reduce(lambda left, right: left | right, within).fill_null(False)
            known = ((status >= 100) & (status <= 599)).fill_null(False)
            return Answer(yes, known & ~yes, known)
        if isinstance(predicate, Number):
            return self._compared(predicate)
        if isinstance(predicate, Flag):
            flag = self._columns.flag(predicate.column)
            return Answer(flag, ~flag, True)
        if isinstance(predicate, LabelIn):
            yes = self._columns.text(predicate.name).is_in(predicate.values)
            return Answer(yes, ~yes, True)
        if isinstance(predicate, LabelMatches):
            yes = self._matched(predicate)
            return Answer(yes, ~yes, True)
        raise TypeError(f"no reading of {type(predicate).__name__} on an engine")

    def _combined(self, predicate: All | Any_) -> Answer:
        parts = [self.answer(part) for part in predicate.parts]
        joined, other = (both, either) if isinstance(predicate, All) else (either, both)
        yes = reduce(joined, (part.yes for part in parts))
        no = reduce(other, (part.no for part in parts))
        certain = all(part.known is True for part in parts)
        return Answer(yes, no, True if certain else either(yes, no))

    def _compared(self, predicate: Number) -> Answer:
        value, bound = self._columns.number(predicate.column), float(predicate.bound)
        known = (value <= _GREATEST).fill_null(False)
        if predicate.op in ("<=", "<"):
            yes = ((value <= bound) if predicate.op == "<=" else (value < bound)).fill_null(False)
            return Answer(yes, known & ~yes, known)
        no = ((value < bound) if predicate.op == ">=" else (value <= bound)).fill_null(False)
        return Answer(known & ~no, no, known)

    def _matched(self, predicate: LabelMatches) -> nw.Expr:
        text = self._columns.text(predicate.name)
        simple = plain(predicate.pattern)
        if simple is not None:
            begins, literal, ends = simple
            if begins and ends:
                return text == literal
            if begins:
                return text.str.starts_with(literal)
            if ends:
                return text.str.ends_with(literal)
            return text.str.contains(literal, literal=True)
        pattern = portable(predicate.pattern, self._engine)
        if pattern is not None:
            return text.str.contains(pattern)
        if predicate.name not in self._texts:
            self._texts[predicate.name] = list(self._distinct(predicate.name))
        texts = self._texts[predicate.name]
        if len(texts) > MOST_TEXTS:
            raise InvalidInputError(
                f'label "{predicate.name}" has more than {MOST_TEXTS:,} texts, and '
                f'"{predicate.pattern}" is a pattern that {self._engine} may read otherwise; '
                "write it with plain characters, sets, groups, `.` and counts, or ask a label "
                "with fewer texts"
            )
        held = [each for each in texts if predicate.holds(each)]
        return text.is_in(held) if held else text != text
