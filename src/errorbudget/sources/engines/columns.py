"""Columns of a frame by the name that predicates know them by, in one form on every engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from errorbudget.errors import InvalidInputError, InvalidSeriesError, did_you_mean

if TYPE_CHECKING:
    from narwhals import Expr

__all__ = ["INSTANT", "UNITS_NS", "FrameColumns", "Roles"]

UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
INSTANT = "errorbudget: instant"
"""The column that `stamps.exact_times` adds where an engine's own words are faster."""
_GREATEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class Roles:
    """
    Which column is what.

    Args:
        time: Column of the time: timestamps (without a zone they are UTC), or integers since the
            epoch in *time_unit*.
        status: Column of the HTTP status.
        duration: Column of the duration, in *duration_unit*.
        good: Column that says whether each event was good.
        columns: Further columns by the name that conditions have for them; a name that is not in
            here is the column's own.
        time_unit: Unit of integer times: "s", "ms", "us" or "ns".
        duration_unit: Unit of durations.

    Raises:
        InvalidInputError: There is no such unit.
    """

    time: str = "time"
    status: str = "status"
    duration: str = "duration_s"
    good: str = "good"
    columns: Mapping[str, str] = field(default_factory=dict)
    time_unit: str = "ns"
    duration_unit: str = "s"

    def __post_init__(self) -> None:
        for name, unit in (("time_unit", self.time_unit), ("duration_unit", self.duration_unit)):
            if unit not in UNITS_NS:
                raise InvalidInputError(f'{name} must be "s", "ms", "us" or "ns", got {unit!r}')
        object.__setattr__(self, "columns", dict(self.columns))

    def column_of(self, name: str) -> str:
        """The frame's column that conditions call *name*."""
        own = {"status": self.status, "duration_s": self.duration, "good": self.good}
        return own.get(name) or self.columns.get(name, name)

    def needed(self, names: Iterable[str]) -> tuple[str, ...]:
        """The frame's columns behind *names*, the time among them."""
        return tuple(dict.fromkeys([self.time, *map(self.column_of, names)]))

    def to_dict(self) -> dict[str, Any]:
        """Plain data that tells two ways of reading apart."""
        return {
            name: getattr(self, name)
            for name in ("time", "status", "duration", "good", "time_unit", "duration_unit")
        } | {"columns": dict(sorted(self.columns.items()))}


class FrameColumns:
    """
    Expressions for the columns of one frame.

    Args:
        schema: The frame's columns and their types, as narwhals tells them.
        roles: Which column is what.
        source: What to call the frame in messages.
    """

    def __init__(self, schema: Mapping[str, Any], roles: Roles, source: str = "the frame") -> None:
        import narwhals

        self._nw: Any = narwhals
        self._schema = {name: dtype for name, dtype in schema.items() if name != INSTANT}
        self._has_instant = INSTANT in schema
        self._source = source
        self.roles = roles
        self.checks: dict[str, Expr] = {}

    def _find(self, name: str) -> tuple[str, Any]:
        column = self.roles.column_of(name)
        return column, self._type_of(column)

    def _type_of(self, column: str) -> Any:
        if column not in self._schema:
            known = tuple(self._schema)
            raise InvalidSeriesError(
                f'{self._source} has no column "{column}"; it has {", ".join(known)}'
                f"{did_you_mean(column, known)}"
            )
        return self._schema[column]

    def _kind(self, column: str, dtype: Any, fits: str) -> InvalidSeriesError:
        return InvalidSeriesError(
            f'column "{column}" of {self._source} must hold {fits}, got {dtype}'
        )

    def time(self) -> dict[str, Expr]:
        """
        What tells each event's minute, and whether the event lies exactly on its start.

        Integers are one column, `instant`: the start, or one tick after it. Timestamps are two,
        `minute` and `on_start`.
        """
        nw = self._nw
        column = self.roles.time
        dtype, time = self._type_of(column), nw.col(column)
        if self._has_instant:
            return {"instant": nw.col(INSTANT)}
        if dtype.is_integer():
            minute = 60 * UNITS_NS["s"] // UNITS_NS[self.roles.time_unit]
            # Twice, as the rest of a negative number is negative on some engines.
            rest = ((time % minute) + minute) % minute
            return {"instant": time - rest + (rest > 0).cast(nw.Int64)}
        if dtype != nw.Datetime:
            raise self._kind(column, dtype, "timestamps or integers; parse texts first")
        start = time.dt.truncate("1m")
        return {"minute": start, "on_start": (time == start).cast(nw.Int64)}

    def number(self, name: str) -> Expr:
        """The numbers called *name* as floats; missing ones are null or NaN."""
        column, dtype = self._find(name)
        if not dtype.is_numeric():
            raise self._kind(column, dtype, "numbers")
        value: Expr = self._nw.col(column).cast(self._nw.Float64)
        if name == "duration_s":
            scale = UNITS_NS["s"] // UNITS_NS[self.roles.duration_unit]
            value = value if scale == 1 else value / scale
        low = value < 0 if name == "duration_s" else value < -_GREATEST
        if not dtype.is_integer() or name == "duration_s":
            self.checks[column] = (low | (value == float("inf"))).fill_null(False)
        return value

    def status(self) -> Expr:
        """The status of each event; missing ones are null, NaN or 0."""
        nw = self._nw
        column, dtype = self._find("status")
        choice = dtype in (nw.Categorical, nw.Enum)
        if not (dtype.is_numeric() or dtype == nw.String or choice):
            raise self._kind(column, dtype, "HTTP statuses such as 200")
        value: Expr = nw.col(column).cast(nw.String) if choice else nw.col(column)
        if not dtype.is_integer():
            value = value.cast(nw.Float64)
        wrong = (value < 0) | ((value > 0) & (value < 100)) | ((value > 599) & (value <= _GREATEST))
        if not dtype.is_integer():
            wrong = wrong | (value == float("inf")) | ((value.floor() != value) & (value <= 599))
        self.checks[column] = wrong.fill_null(False)
        return value

    def flag(self, name: str) -> Expr:
        """The column of yes and no called *name*."""
        column, dtype = self._find(name)
        if dtype != self._nw.Boolean:
            raise self._kind(column, dtype, "true or false in every row")
        value: Expr = self._nw.col(column)
        self.checks[column] = value.is_null()
        return value.fill_null(False)

    def text(self, name: str) -> Expr:
        """The texts called *name*, as `predicates.label_text` has them; a missing one is empty."""
        nw = self._nw
        column, dtype = self._find(name)
        value: Expr = nw.col(column)
        if dtype == nw.Boolean:
            word = nw.when(value.fill_null(False)).then(nw.lit("true")).otherwise(nw.lit("false"))
            texts: Expr = nw.when(value.is_null()).then(nw.lit("")).otherwise(word)
            return texts
        if name == "status" and dtype.is_float():
            there = (value <= 599).fill_null(False)
            value = nw.when(there).then(value).otherwise(nw.lit(0.0)).cast(nw.Int64)
            value = value.cast(nw.String)
        elif dtype in (nw.Categorical, nw.Enum) or dtype.is_integer():
            value = value.cast(nw.String)
        elif dtype != nw.String:
            raise self._kind(column, dtype, "texts, integers, or true and false")
        return value.fill_null("0" if name == "status" else "")
