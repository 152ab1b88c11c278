"""The one place that hands columns over to pandas, loaded only when someone asks for a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from errorbudget.errors import MissingDependencyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["to_pandas"]


def to_pandas(time_ns: NDArray[np.int64], columns: Mapping[str, Any]) -> Any:
    """
    A pandas DataFrame of *columns*, indexed by time in UTC.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingDependencyError.for_extra("a DataFrame", "pandas", "pandas") from None
    index = pd.DatetimeIndex(time_ns.view("datetime64[ns]"), tz="UTC", name="time")
    return pd.DataFrame(dict(columns), index=index)
