"""
Files as frames of an engine: only the wanted columns, and nothing read before it is asked for.

Text files are read with the types that the objectives need, never with guessed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Literal

from errorbudget.errors import InvalidInputError, MissingDependencyError, did_you_mean
from errorbudget.sources.engines.inventory import Batch
from errorbudget.sources.engines.places import file_system, open_binary

__all__ = ["ENGINES", "ColumnKind", "choose", "installed", "open_frames"]

ColumnKind = Literal["time", "integer", "number", "flag", "text"]
"""What a column of a text file is read as."""

ENGINES: Mapping[str, tuple[str, str]] = {
    "polars": ("polars", "polars"),
    "duckdb": ("duckdb", "duckdb"),
    "pyarrow": ("pyarrow", "parquet"),
    "dask": ("dask", "dask"),
    "spark": ("pyspark", "spark"),
}
"""The package behind each engine, and the extra that brings it."""

_POLARS_SCHEMES = frozenset(
    ("", "s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https")
)
"""Stores that polars reads from by itself."""

_ROWS = 1 << 20
"""Events that pyarrow holds at once."""

IN_MEMORY = 4 * 2**30
"""Bytes of files above which `auto` prefers the engine that spills to disk."""


def installed(engine: str) -> bool:
    """Whether the engine can be imported."""
    return find_spec(ENGINES[engine][0]) is not None


def choose(engine: str, size: int, files: int, schemes: Collection[str] = ("",)) -> tuple[str, str]:
    """
    The engine to use, and a sentence on why.

    Args:
        engine: A name in `ENGINES`, or "auto".
        size: Bytes of all files.
        files: How many there are.
        schemes: Those of their addresses; the empty one for this machine.

    Raises:
        InvalidInputError: There is no such engine.
        MissingDependencyError: It is not installed; for "auto": none is.
    """
    if engine != "auto":
        if engine not in ENGINES:
            raise InvalidInputError(
                f'there is no engine "{engine}"; there are auto, {", ".join(ENGINES)}'
                f"{did_you_mean(engine, ('auto', *ENGINES))}"
            )
        if not installed(engine):
            package, extra = ENGINES[engine]
            raise MissingDependencyError.for_extra(f"engine {engine}", package, extra)
        return engine, f"engine {engine}, as asked for"
    # What reads a store through fsspec finds what was listed, and with the same credentials.
    small = size <= IN_MEMORY and not any(schemes)
    first, second = ("polars", "duckdb") if small else ("duckdb", "polars")
    for name in (first, second, "pyarrow"):
        if installed(name) and (name != "polars" or _POLARS_SCHEMES.issuperset(schemes)):
            return (
                name,
                f"engine {name}, chosen for {size / 1e6:,.1f} MB (files: {files:,})",
            )
    raise MissingDependencyError.for_extra("counting files", "an engine such as polars", "polars")


def open_frames(engine: str, batch: Batch, kinds: Mapping[str, ColumnKind]) -> Iterator[Any]:
    """
    The files of a batch as frames, one for all of them where the engine is lazy.

    Args:
        engine: A name in `ENGINES`.
        batch: Files that are alike.
        kinds: The wanted columns, and what text files hold in them.

    Raises:
        InvalidInputError: The engine does not read such files.
    """
    # Missing, as conditions have it; a time or a yes or no that is missing is refused by name.
    missing = {"number": float("nan"), "text": ""}
    blank = {name: missing[kinds[name]] for name in batch.blank if kinds[name] in missing}
    given: dict[str, Any] = dict(batch.partition) | blank
    own = {name: kind for name, kind in kinds.items() if name not in given}
    opener = _OPENERS.get((engine, batch.kind))
    if opener is None:
        reads = ", ".join(kind for name, kind in _OPENERS if name == engine)
        raise InvalidInputError(f"engine {engine} counts {reads} files, not {batch.kind}")
    if engine == "polars" and batch.scheme not in _POLARS_SCHEMES:
        raise InvalidInputError(
            f"engine polars reads no {batch.scheme}:// paths, such as {batch.paths[0]}; "
            "take duckdb, pyarrow or dask"
        )
    if engine == "spark" and batch.scheme:
        raise InvalidInputError(
            f"engine spark reads stores by connectors of its own; for {batch.paths[0]} open a "
            "frame with session.read, and count that"
        )
    for frame in opener(batch, own):
        yield _with_columns(frame, given)


def _with_columns(frame: Any, given: Mapping[str, Any]) -> Any:
    if not given:
        return frame
    import narwhals as nw

    columns = {name: nw.lit(value) for name, value in given.items()}
    return nw.from_native(frame).with_columns(**columns).to_native()


def _polars(batch: Batch, kinds: Mapping[str, ColumnKind]) -> Iterator[Any]:
    import polars as pl

    paths = list(batch.paths)
    if batch.kind == "parquet":
        yield pl.scan_parquet(paths, hive_partitioning=False, glob=False).select(list(kinds))
        return
    types: dict[str, Any] = {
        "time": pl.String,
        "integer": pl.Int64,
        "number": pl.Float64,
        "flag": pl.Boolean,
        "text": pl.String,
    }
    schema = {name: types[kind] for name, kind in kinds.items()}
    if batch.kind == "csv":
        frame = pl.scan_csv(
            paths, separator=batch.separator, schema_overrides=schema, glob=False
        ).select(list(kinds))
    else:
        frame = pl.scan_ndjson(paths, schema=schema)
    stamps = [name for name, kind in kinds.items() if kind == "time"]
    yield frame.with_columns(pl.col(stamps).str.to_datetime(time_zone="UTC", time_unit="us"))


def _duckdb(batch: Batch, kinds: Mapping[str, ColumnKind]) -> Iterator[Any]:
    import duckdb

    connection: Any = duckdb.connect()  # its stubs know of one path, not of several
    connection.execute("SET TimeZone = 'UTC'")
    if batch.scheme:
        connection.register_filesystem(file_system(batch.paths[0])[0])
    paths = list(batch.paths)
    if batch.kind == "parquet":
        frame = connection.read_parquet(paths, hive_partitioning=False)
        yield frame.select(*map(duckdb.ColumnExpression, kinds))
        return
    types = {
        "time": "TIMESTAMPTZ",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "flag": "BOOLEAN",
        "text": "VARCHAR",
    }
    schema = {name: types[kind] for name, kind in kinds.items()}
    if batch.kind == "csv":
        frame = connection.read_csv(
            paths,
            header=True,
            sep=batch.separator,
            dtype=schema,
            hive_partitioning=False,
        )
    else:
        frame = connection.read_json(paths, columns=schema, format="newline_delimited")
    yield frame.select(*map(duckdb.ColumnExpression, kinds))


def _pyarrow(batch: Batch, kinds: Mapping[str, ColumnKind]) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    wanted, held, rows = list(kinds), [], 0
    for path in batch.paths:
        with open_binary(path) as opened, parquet.ParquetFile(opened) as file:
            held.append(file.schema_arrow.empty_table().select(wanted))
            for part in file.iter_batches(batch_size=_ROWS, columns=wanted):
                # Small files share a frame: each frame costs a scan of its own.
                if rows and rows + len(part) > _ROWS:
                    yield pa.concat_tables(held, promote_options="permissive")
                    held, rows = [], 0
                held.append(pa.Table.from_batches([part]).select(wanted))
                rows += len(part)
    yield pa.concat_tables(held, promote_options="permissive")


def _dask(batch: Batch, kinds: Mapping[str, ColumnKind]) -> Iterator[Any]:
    import dask.dataframe as dd

    paths = list(batch.paths)
    if batch.kind == "parquet":
        yield dd.read_parquet(paths, columns=list(kinds))
        return
    types = {
        "time": "string",
        "integer": "Int64",
        "number": "float64",
        "flag": "boolean",
        "text": "string",
    }
    frame = dd.read_csv(
        paths,
        sep=batch.separator,
        usecols=list(kinds),
        dtype={name: types[kind] for name, kind in kinds.items()},
        keep_default_na=False,
        na_values=[""],
        blocksize=None if paths[0].lower().endswith((".gz", ".bz2", ".xz")) else "64MB",
    )
    for name, kind in kinds.items():
        if kind == "time":
            frame[name] = dd.to_datetime(frame[name], utc=True, format="ISO8601")
    yield frame


def _spark(batch: Batch, kinds: Mapping[str, ColumnKind]) -> Iterator[Any]:
    from pyspark.sql import SparkSession, functions

    session = SparkSession.builder.getOrCreate()
    paths = list(batch.paths)
    if batch.kind == "parquet":
        yield session.read.parquet(*paths).select(*kinds)
        return
    types = {
        "time": "timestamp",
        "integer": "bigint",
        "number": "double",
        "flag": "boolean",
        "text": "string",
    }
    if batch.kind == "csv":
        frame = session.read.csv(paths, header=True, sep=batch.separator)
    else:
        frame = session.read.schema(", ".join(f"`{name}` string" for name in kinds)).json(
            paths, mode="FAILFAST"
        )
    yield frame.select(
        *(functions.col(f"`{name}`").cast(types[kind]).alias(name) for name, kind in kinds.items())
    )


_OPENERS: Mapping[tuple[str, str], Callable[[Batch, Mapping[str, ColumnKind]], Iterator[Any]]] = {
    ("polars", "parquet"): _polars,
    ("polars", "csv"): _polars,
    ("polars", "json"): _polars,
    ("duckdb", "parquet"): _duckdb,
    ("duckdb", "csv"): _duckdb,
    ("duckdb", "json"): _duckdb,
    ("pyarrow", "parquet"): _pyarrow,
    ("dask", "parquet"): _dask,
    ("dask", "csv"): _dask,
    ("spark", "parquet"): _spark,
    ("spark", "csv"): _spark,
    ("spark", "json"): _spark,
}
