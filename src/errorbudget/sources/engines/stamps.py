"""Times that an engine would round or shift, put right before it is asked to count by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from errorbudget.durations import MINUTE_NS
from errorbudget.errors import InvalidSeriesError
from errorbudget.sources.engines.columns import INSTANT, UNITS_NS, Roles

__all__ = ["exact_times"]

_UTC = ("UTC", "Etc/UTC", "Z", "GMT", "+00:00")
_EPOCH = {
    "TIMESTAMP": ("epoch_us", "us"),
    "TIMESTAMP WITH TIME ZONE": ("epoch_us", "us"),
    "TIMESTAMP_S": ("epoch_us", "us"),
    "TIMESTAMP_MS": ("epoch_us", "us"),
    "TIMESTAMP_NS": ("epoch_ns", "ns"),
    "TIMESTAMPTZ_NS": ("epoch_ns", "ns"),
}
"""DuckDB's types of stamps, which function has them as an integer, and its unit."""


def _instant(time: str, unit: str) -> str:
    """
    The start of a minute, or one tick after it, in SQL.

    What `FrameColumns.time` asks for, with one division: narwhals writes out each of its rests in
    SQL as two, and the whole scan took a quarter longer. The rest of a negative time is negative.
    """
    minute = MINUTE_NS // UNITS_NS[unit]
    rest = f"({time} % {minute})"
    past = f"CASE WHEN {rest} > 0 THEN 1 WHEN {rest} < 0 THEN {1 - minute} ELSE 0 END"
    return f"{time} - {rest} + {past}"


def exact_times(frame: Any, engine: str, roles: Roles, source: str) -> tuple[Any, Roles]:
    """
    The frame with times that its engine truncates to the very minute, and how to read them.

    On DuckDB and polars stamps become integers: whole numbers are divided some times faster than
    calendars are asked, DuckDB would round nanoseconds before it truncates them, and zones are out
    of the way. Elsewhere zones become UTC, as wall times are ambiguous when clocks go back.

    Args:
        frame: The events, as narwhals has them.
        engine: Which engine, as narwhals names it.
        roles: Which column is what.
        source: What to call the frame in messages.

    Raises:
        InvalidSeriesError: Spark would shift times without a zone by that of its session.
    """
    import narwhals as nw

    time = roles.time
    schema: Mapping[str, Any] = frame.collect_schema()
    dtype = schema.get(time)
    native = frame.to_native()
    if engine == "duckdb" and time in schema:
        kind = str(native.types[native.columns.index(time)])
        if kind in _EPOCH:
            function, unit = _EPOCH[kind]
            name = '"' + time.replace('"', '""') + '"'
            whole = native.project(
                f"* REPLACE ({function}({name}) AS {name}), "
                f'{_instant(f"{function}({name})", unit)} AS "{INSTANT}"'
            )
            return nw.from_native(whole), replace(roles, time_unit=unit)
    if engine in ("pandas", "dask") and time in schema:
        # narwhals does not know a zone with an underscore, such as America/New_York.
        kind = native[time].dtype
        kind = getattr(kind, "pyarrow_dtype", kind)
        if str(getattr(kind, "tz", None) or "UTC") not in _UTC:
            whole = native.assign(**{time: native[time].dt.tz_convert("UTC")})
            return nw.from_native(whole), roles
    if dtype != nw.Datetime:
        return frame, roles
    zone = dtype.time_zone
    if engine == "polars":
        unit = dtype.time_unit
        return frame.with_columns(nw.col(time).dt.timestamp(unit)), replace(roles, time_unit=unit)
    if engine == "pyarrow" and zone is not None and zone not in _UTC:
        return frame.with_columns(nw.col(time).dt.convert_time_zone("UTC")), roles
    if engine == "pyspark" and zone is None:
        session = native.sparkSession.conf.get("spark.sql.session.timeZone")
        if session not in _UTC:
            raise InvalidSeriesError(
                f'column "{time}" of {source} has no zone, and Spark takes it for {session}; times '
                'without a zone are UTC: set spark.sql.session.timeZone to "UTC"'
            )
    return frame, roles
