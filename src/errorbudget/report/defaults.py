"""
The objectives that a report is made for when nobody wrote any.

They are a start for a conversation, not a promise: every face says that they are defaults, and how
to write one's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from errorbudget.errors import InvalidSeriesError
from errorbudget.sli import Availability, Latency, RatioSLI
from errorbudget.slo import SLO
from errorbudget.target import TargetLike
from errorbudget.windows import WindowLike

if TYPE_CHECKING:
    from errorbudget.events import Events
    from errorbudget.predicates import PredicateLike

__all__ = ["default_slos"]


def default_slos(
    events: Events,
    *,
    target: TargetLike = "99.9%",
    window: WindowLike = "30d",
    where: PredicateLike | None = None,
) -> tuple[SLO, ...]:
    """
    Availability by 5xx and by "2xx is good", and latency where there are durations.

    Args:
        events: What is there decides which objectives make sense.
        target: Target of the availabilities.
        window: Window of all of them.
        where: Condition on taking part.

    Raises:
        InvalidSeriesError: The events have neither a status, nor durations, nor a verdict.

    Example:
        >>> from errorbudget.events import Events
        >>> [slo.name for slo in default_slos(Events(time=[1], status=[200], duration_s=[0.1]))]
        ['availability', 'success-2xx', 'latency-200ms', 'latency-500ms']
    """
    slos: list[SLO] = []
    if events.good is not None:
        slos.append(
            SLO(
                "good-events",
                target=target,
                window=window,
                sli=RatioSLI(where=where),
                description="Events that their source calls good.",
            )
        )
    if events.status is not None:
        slos.append(
            SLO(
                "availability",
                target=target,
                window=window,
                sli=Availability(where=where),
                description="Requests that the server did not fail.",
            )
        )
        slos.append(
            SLO(
                "success-2xx",
                target=target,
                window=window,
                sli=Availability(good="2xx", where=where),
                description="Requests answered with 2xx; redirects and clients' mistakes are bad.",
            )
        )
    if events.duration_s is not None:
        slos.extend(
            SLO(
                f"latency-{threshold}",
                target=share,
                window=window,
                sli=Latency(threshold, where=where),
                description=f"Requests that took no longer than {threshold}.",
            )
            for share, threshold in (("95%", "200ms"), ("99%", "500ms"))
        )
    if not slos:
        raise InvalidSeriesError(
            "there is nothing to judge: the events have neither status, nor duration, nor good; "
            "name the columns, such as --columns status=code,duration=took, or write a spec "
            f"(columns found: {', '.join(events.columns) or 'time alone'})"
        )
    return tuple(slos)
