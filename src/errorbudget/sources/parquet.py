"""Parquet files, a batch of rows at a time; needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from errorbudget.errors import MissingDependencyError, NoDataError, SourceFormatError
from errorbudget.sources.batches import Assembly, Batch, FileFacts
from errorbudget.sources.convert import Column
from errorbudget.sources.options import Options
from errorbudget.sources.reading import Skips
from errorbudget.sources.records import Plan

__all__ = ["parquet_batches"]

_ROWS = 65_536
_SAMPLE = 200


def parquet_batches(
    file: IO[bytes], options: Options, facts: FileFacts, assembly: Assembly
) -> Iterator[Batch]:
    """
    The events of a Parquet file.

    Typed timestamps without a zone are UTC, as numpy and pandas have them; a zone given by the
    user applies to them instead.

    Args:
        file: The file, which can be sought in.
        options: What the user decided.
        facts: Where to note what was found.
        assembly: Whose dictionaries hold the labels.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        SourceFormatError: The file is damaged.
        NoDataError: It has no rows.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingDependencyError.for_extra(
            f"reading {facts.file}", "pyarrow", "parquet"
        ) from None
    try:
        table = parquet.ParquetFile(file)
        if not table.metadata.num_rows:
            raise NoDataError(f"{facts.file} has no rows")
        names = list(table.schema_arrow.names)
        head = next(table.iter_batches(batch_size=_SAMPLE))
        sample = {name: _column(head.column(index)) for index, name in enumerate(names)}
        naive = {
            field.name
            for field in table.schema_arrow
            if pa.types.is_timestamp(field.type) and field.type.tz is None
        }
        plan = Plan(names, sample, options, facts, assembly, naive=naive)
        row = 1
        for part in table.iter_batches(batch_size=_ROWS, columns=list(plan.needed)):
            found = {name: _column(part.column(name)) for name in plan.needed}
            yield plan.batch(
                found,
                np.arange(row, row + part.num_rows, dtype=np.int64),
                lambda index, part=part: ", ".join(  # type: ignore[misc]
                    str(value) for value in part.slice(index, 1).to_pylist()[0].values()
                ),
                lines=part.num_rows,
                skips=Skips(),
            )
            row += part.num_rows
        plan.close()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise SourceFormatError(f"{facts.file} is a damaged Parquet file: {first}") from error


def _column(column: Any) -> Column:
    """An Arrow column as numbers without a gap where it can be, else as a list."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind):
        in_ns = column.cast(pa.timestamp("ns", kind.tz))  # refuses what lies out of range
        return np.asarray(in_ns.to_numpy(zero_copy_only=False), dtype="datetime64[ns]")
    if pa.types.is_decimal(kind):
        return [None if value is None else str(value) for value in column.to_pylist()]
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if number and not column.null_count:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind):
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    return list(column.to_pylist())
