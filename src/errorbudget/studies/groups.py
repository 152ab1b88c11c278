"""
Attribution where events are gone and counts were kept apart: by the labels of a server's counters,
or by those that an engine counted by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from errorbudget.counts import Counts
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.methods import Occurrences
from errorbudget.rationals import shown
from errorbudget.series import CountSeries
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO, as_slo
from errorbudget.studies.arguments import listed
from errorbudget.studies.attribution import Attribution, Progress, shared_out
from errorbudget.times import TimeLike

__all__ = ["attribute_groups"]


def attribute_groups(
    slo: SLO,
    groups: Mapping[tuple[str, ...], CountSeries],
    by: str | Iterable[str],
    *,
    at: TimeLike | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """
    Who spent the budget of the window that ends at *at*, from a count series for each group.

    Args:
        slo: The objective.
        groups: Count series by the texts of their labels, as `Counted.groups` and
            `PrometheusCounts.groups` give them; an empty text is a label that is missing.
        by: Names of the labels, in the order of the texts.
        at: The instant; by default the end of the data.
        progress: Told now and then how many groups are done, and how many there are.

    Returns:
        Rows that add up exactly to the sum of the groups.

    Raises:
        InvalidInputError: *slo* is no SLO, or groups have other labels than *by*.
        InvalidSeriesError: The objective's units are no events.
        NoDataError: There are no counts and *at* is not given.

    Time: O(n) for n bins of all groups.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="1h", sli=Availability())
        >>> minute = 60 * 10**9
        >>> parts = {
        ...     ("/a",): CountSeries([minute], [10], [10], "1m"),
        ...     ("/b",): CountSeries([minute], [7], [10], "1m"),
        ... }
        >>> print(attribute_groups(slo, parts, "route"))
        route     bad  total  of the bad  of the budget
        /b          3     10     100.00%        150.00%
        /a          0     10       0.00%          0.00%
        together    3     20     100.00%        150.00%
    """
    names = (by,) if isinstance(by, str) else tuple(listed("by", by, '["route", "method"]'))
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(f"by must name labels, got {shown(by)}")
    if not isinstance(groups, Mapping):
        raise InvalidInputError(
            'groups are series by the texts of labels, such as {("/a",): ...}, '
            f"got {shown(groups)}"
        )
    if not isinstance(as_slo(slo).sli, RatioSLI) or not isinstance(slo.method, Occurrences):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" counts no events ({slo.sli}, {slo.method.name}), so they have no '
            'share in it; ask slo.replace(method="occurrences")'
        )
    for texts in groups:
        if not isinstance(texts, tuple) or len(texts) != len(names):
            raise InvalidInputError(
                f"a group by {', '.join(names)} is a tuple of as many texts, got {shown(texts)}"
            )
    whole = CountSeries.merge(groups.values()) if groups else CountSeries([], [], [], "1m")
    status = slo.evaluate(whole, at=at)
    edges = np.array([status.interval.start_ns, status.interval.end_ns], dtype=np.int64)
    right = status.interval.closed == "right"
    rows = []
    for done, (texts, series) in enumerate(groups.items()):
        if progress is not None and done % 1_000 == 0:
            progress(done, len(groups))
        before_good, before = series.cumulative(edges[:1], inclusive=right)
        good, total = series.cumulative(edges[1:])
        fine, units = int(good[0] - before_good[0]), int(total[0] - before[0])
        if units:
            rows.append((tuple(text or None for text in texts), Counts(fine, units - fine)))
    return shared_out(slo, status, names, rows)
