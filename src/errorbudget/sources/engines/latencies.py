"""
Histograms of durations as a plain group-by, so that quantiles merge on every engine.

The buckets are those of `kernels.histogram`, the leading bits of a float: its power of two, and in
how many equal parts of the next doubling it lies. An engine that cannot look at bits finds the
power by a logarithm, which may be one off in its last digit, and puts it right by comparing. So the
buckets are the same on every engine, to the last event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from errorbudget.errors import InvalidSeriesError
from errorbudget.histogram import LatencyHistogram
from errorbudget.kernels.histogram import bucket_bits
from errorbudget.sources.engines.columns import FrameColumns, Roles
from errorbudget.sources.engines.scan import home, labels_of, offender

__all__ = ["latencies"]

_BIAS = 1023
"""What a float64 adds to its exponent."""
_LEAST = 2.0**-40
"""Below this, a picosecond, a duration counts as 0."""


def latencies(
    frame: Any,
    by: Iterable[str] = (),
    *,
    alpha: float = 0.01,
    duration: str = "duration_s",
    duration_unit: str = "s",
    columns: Mapping[str, str] | None = None,
) -> dict[tuple[str, ...], LatencyHistogram]:
    """
    The histogram of durations for each combination of labels, counted where the frame lives.

    Args:
        frame: The events, as in `count`.
        by: Labels to keep histograms apart by.
        alpha: Largest relative error of a quantile, 1e-6 to 0.5.
        duration: Column of the duration; events without one are left out.
        duration_unit: Its unit: "s", "ms", "us" or "ns".
        columns: Further columns by the name that labels have for them.

    Raises:
        InvalidSeriesError: There is no such column, or a duration is negative or infinite.
        InvalidInputError: *alpha* or a unit is out of range.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"ms": [12.5, 80.0, 81.0], "route": ["/a", "/b", "/b"]})
        >>> found = latencies(frame, ["route"], duration="ms", duration_unit="ms")
        >>> round(found[("/b",)].quantile(0.5), 3), found[("/a",)].total
        (0.08, 1)
    """
    import narwhals as nw

    bits = bucket_bits(alpha)
    labels = labels_of(by)
    roles = Roles(duration=duration, duration_unit=duration_unit, columns=dict(columns or {}))
    try:
        whole = nw.from_native(frame)
    except TypeError:
        raise InvalidSeriesError(f"{type(frame).__name__} is not a dataframe") from None
    named = FrameColumns(dict(whole.collect_schema()), roles)
    value = named.number("duration_s")
    keys = {f"label_{index}": named.text(name) for index, name in enumerate(labels)}
    refused = home(whole.filter(*named.checks.values()).select(nw.len().alias("n")))
    if int(refused["n"].to_list()[0]):
        raise offender(whole, named, "the frame")
    # NaN and null are below no bound, so what is left is a number.
    known = whole.select(**keys, value=value).filter(nw.col("value") <= 1.7e308)
    small = nw.col("value") < _LEAST
    safe = nw.when(small).then(nw.lit(1.0)).otherwise(nw.col("value"))
    guess = known.with_columns(small=small, safe=safe).with_columns(
        power=nw.col("safe").log(2).floor()
    )
    scaled = guess.with_columns(part=nw.col("safe") / (nw.lit(2.0) ** nw.col("power")))
    low, high = nw.col("part") < 1, nw.col("part") >= 2
    right = scaled.with_columns(
        power=nw.when(low)
        .then(nw.col("power") - 1)
        .otherwise(nw.when(high).then(nw.col("power") + 1).otherwise(nw.col("power"))),
        part=nw.when(low)
        .then(nw.col("part") * 2)
        .otherwise(nw.when(high).then(nw.col("part") / 2).otherwise(nw.col("part"))),
    )
    place = (nw.col("power") + _BIAS) * 2**bits + ((nw.col("part") - 1) * 2**bits).floor()
    bucket = nw.when(nw.col("small")).then(nw.lit(0.0)).otherwise(place).cast(nw.Int64)
    grouped = right.select(*keys, bucket=bucket).group_by(*keys, "bucket").agg(nw.len().alias("n"))
    table = home(grouped)
    texts = [table[name].to_list() for name in keys]
    combined = zip(*texts, strict=True) if texts else (() for _ in range(len(table)))
    numbers = np.asarray(table["bucket"].to_numpy(), dtype=np.int64).tolist()
    counts = np.asarray(table["n"].to_numpy(), dtype=np.int64).tolist()
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for group, number, count in zip(combined, numbers, counts, strict=True):
        found.setdefault(tuple(group), {})[str(number)] = count
    return {
        group: LatencyHistogram.from_dict({"alpha": alpha, "counts": held})
        for group, held in sorted(found.items())
    }
