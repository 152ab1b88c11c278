"""
A histogram of latencies that merges without loss and answers quantiles to a stated relative error.

Buckets are those of `kernels.histogram`: the leading bits of the value. Only buckets that hold
something are kept, by number, so hours, hosts and routes add up to the same histogram in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidInputError
from errorbudget.kernels.histogram import bucket_bits, bucket_bounds, bucket_keys, bucket_values
from errorbudget.kernels.quantiles import check_quantiles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["LatencyHistogram"]


class LatencyHistogram:
    """
    Counts of values in buckets of equal relative width.

    Args:
        alpha: Largest relative error of a quantile, 1e-6 to 0.5.

    Attributes:
        alpha: The error that is kept to: at most what was asked for.

    Raises:
        InvalidInputError: *alpha* is out of range.

    Example:
        >>> latencies = LatencyHistogram(alpha=0.01)
        >>> latencies.add([0.120, 0.250, 0.080, 3.2])
        >>> latencies.total, round(latencies.quantile(0.5), 2)
        (4, 0.12)
        >>> latencies.count_at_most(0.3)
        (3, 3)
    """

    __slots__ = ("_bits", "_counts")

    def __init__(self, alpha: float = 0.01) -> None:
        self._bits = bucket_bits(alpha)
        self._counts: dict[int, int] = {}

    @property
    def alpha(self) -> float:
        """Largest relative error of a quantile [1]."""
        return float(2.0 ** -(self._bits + 1))

    @property
    def total(self) -> int:
        """All values [events]."""
        return sum(self._counts.values())

    def add(self, values: ArrayLike) -> None:
        """
        Count one value or many.

        Args:
            values: Finite and not negative: a number, or an array of any length.

        Raises:
            InvalidSeriesError: A value is NaN, infinite or negative; none is counted.
        """
        keys, counts = np.unique(bucket_keys(np.ravel(values), self._bits), return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            self._counts[key] = self._counts.get(key, 0) + count

    def __add__(self, other: LatencyHistogram) -> LatencyHistogram:
        if not isinstance(other, LatencyHistogram):
            return NotImplemented
        if self._bits != other._bits:
            raise InvalidInputError(
                f"histograms merge only with one alpha, got {self.alpha} and {other.alpha}"
            )
        merged = LatencyHistogram(self.alpha)
        merged._counts = dict(self._counts)
        for key, count in other._counts.items():
            merged._counts[key] = merged._counts.get(key, 0) + count
        return merged

    def merge(self, *others: LatencyHistogram) -> LatencyHistogram:
        """This histogram and *others* as a new one; the order does not matter."""
        return sum(others, self)

    def quantile(self, quantile: Fraction | float | str) -> float | None:
        """
        The nearest-rank quantile, at most `alpha` off relative to the exact value.

        Args:
            quantile: Share in (0, 1]; a float counts as it is written, so 0.95 is 95/100.

        Returns:
            The middle of the bucket that holds the exact value, or None without values.

        Raises:
            InvalidInputError: *quantile* lies outside (0, 1].

        Time: O(buckets log buckets).
        """
        [share] = check_quantiles([quantile])
        wanted = -(-self.total * share.numerator // share.denominator)
        for key, count in sorted(self._counts.items()):
            wanted -= count
            if wanted <= 0:
                return float(bucket_values(key, self._bits))
        return None

    def count_at_most(self, threshold: float) -> tuple[int, int]:
        """
        Bounds on how many values are at most *threshold*.

        They differ by the values in the bucket that *threshold* falls into: pick thresholds on the
        border of a bucket, or live with both.

        Returns:
            At least and at most this many [events].

        Raises:
            InvalidInputError: *threshold* is NaN.
        """
        if threshold != threshold:
            raise InvalidInputError("threshold must be a number, got NaN")
        if threshold < 0:
            return 0, 0
        if not isfinite(threshold):
            return self.total, self.total
        [edge] = bucket_keys([threshold], self._bits).tolist()
        below = sum(count for key, count in self._counts.items() if key < edge)
        return below, below + self._counts.get(edge, 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "alpha": self.alpha,
            "counts": {str(key): count for key, count in sorted(self._counts.items())},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LatencyHistogram:
        """
        The histogram that `to_dict` wrote.

        Raises:
            InvalidInputError: The data is not such a histogram.

        Example:
            >>> data = {"alpha": 0.0078125, "counts": {"65472": 2}}
            >>> LatencyHistogram.from_dict(data).to_dict() == data
            True
        """
        try:
            histogram = cls(float(data["alpha"]))
            counts = {int(key): count for key, count in data["counts"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InvalidInputError(
                'a histogram has "alpha" and "counts" by bucket, as to_dict() writes them'
            ) from None
        last = int(bucket_keys([np.finfo(np.float64).max], histogram._bits)[0])
        for key, count in counts.items():
            if type(count) is not int or count < 1 or not 0 <= key <= last:
                raise InvalidInputError(f"bucket {key} of a histogram cannot hold {count!r}")
        histogram._counts = counts
        return histogram

    def buckets(self) -> list[tuple[float, float, int]]:
        """Begin, end and count of each bucket that holds something, ascending; [begin, end)."""
        keys = sorted(self._counts)
        begins, ends = bucket_bounds(keys, self._bits)
        return list(
            zip(begins.tolist(), ends.tolist(), [self._counts[key] for key in keys], strict=True)
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LatencyHistogram):
            return NotImplemented
        return self._bits == other._bits and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"LatencyHistogram.from_dict({self.to_dict()!r})"
