"""
A shop's month: the traffic that the demonstration, the tutorial and the notebooks look at.

About 400,000 requests, small enough to write and read in seconds, with six incidents that leave a
99.9 % availability budget partly spent, latency somewhat hurt, and a slow burn still going on.
"""

from __future__ import annotations

from collections.abc import Callable

from errorbudget.durations import DAY_NS, MINUTE_NS, SECOND_NS, format_duration
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.studies.arguments import number
from errorbudget.studies.simulate.incident import Incident, span_ns
from errorbudget.studies.simulate.incidents import (
    BrownOut,
    DeployRegression,
    Flapping,
    LatencyCreep,
    Outage,
    SlowBurn,
)
from errorbudget.studies.simulate.run import MOST_REQUESTS, simulate
from errorbudget.studies.simulate.simulation import Simulation
from errorbudget.studies.simulate.traffic import Route, Season
from errorbudget.times import TimeLike

__all__ = ["SHOP_ROUTES", "SHOP_SEASON", "SHOP_START", "shop", "shop_incidents"]

SHOP_START = "2026-03-01T00:00:00Z"
SHOP_SEASON = Season(daily=0.65, peak_hour=19.0, weekdays=(0.9, 0.9, 0.95, 1.0, 1.1, 1.15, 1.0))
"""Evenings and week-ends are busy."""

SHOP_RATE = 400_000 / (30 * 86_400)
_PAGE = {200: 0.915, 304: 0.06, 301: 0.005, 404: 0.02}
SHOP_ROUTES: dict[str, Route] = {
    "/": Route(20, 0.050, 0.45, statuses=_PAGE, error_share=0.0002, bytes=24_000),
    "/search": Route(18, 0.085, 0.50, statuses={200: 0.995, 400: 0.005}, error_share=0.0003),
    "/product": Route(34, 0.065, 0.45, statuses=_PAGE, error_share=0.0002, bytes=18_000),
    "/cart": Route(
        9,
        0.075,
        0.45,
        "POST",
        {200: 0.6, 201: 0.36, 400: 0.02, 409: 0.02},
        error_share=0.0002,
        bytes=900,
    ),
    "/checkout": Route(
        4,
        0.140,
        0.50,
        "POST",
        {201: 0.90, 303: 0.05, 402: 0.03, 400: 0.02},
        error_share=0.0004,
        bytes=1_200,
    ),
    "/login": Route(
        4, 0.110, 0.35, "POST", {200: 0.93, 401: 0.06, 429: 0.01}, error_share=0.0002, bytes=400
    ),
    "/health/live": Route(8, 0.002, 0.30, statuses={200: 1.0}, error_share=0.0, bytes=15),
    "/health/ready": Route(3, 0.004, 0.40, statuses={200: 1.0}, error_share=0.0001, bytes=60),
}
"""What a shop is asked for."""

_SHOPPING = ("/", "/search", "/product", "/cart", "/checkout", "/login")


def _days(days: float) -> float:
    """So many days, if they make a simulation that fits."""
    most = MOST_REQUESTS / (SHOP_RATE * DAY_NS / SECOND_NS)
    try:
        return number("days", days, least=0.1, most=most)
    except InvalidInputError:
        raise InvalidInputError(
            f"days must be a number from 0.1 to {most:,.0f}, which make {MOST_REQUESTS:,} "
            f"requests, got {shown(days)}"
        ) from None


def _length(days: float) -> str:
    """So many days, to the minute."""
    return format_duration(round(_days(days) * DAY_NS / MINUTE_NS) * MINUTE_NS)


def shop_incidents(start: TimeLike = SHOP_START, days: float = 30) -> tuple[Incident, ...]:
    """
    What goes wrong in the shop: six incidents spread over *days*.

    Their places scale with *days*, and so do the two long ones; the short ones stay as they are.
    """
    days = _days(days)
    start_ns, end_ns = span_ns(start, _length(days))
    scale = days / 30

    def at(day: float) -> int:
        return start_ns + round(day * scale * DAY_NS / MINUTE_NS) * MINUTE_NS

    def lasting(length_days: float) -> str:
        minutes = max(1, round(length_days * scale * DAY_NS / MINUTE_NS))
        return format_duration(minutes * MINUTE_NS)

    burn_from = at(28.5)
    return (
        Outage(at(5.81), "6m", 0.9, name="database failover"),
        DeployRegression(at(10.45), "50m", 0.25, ("/checkout", "/cart"), "release 2026.10"),
        BrownOut(at(14.79), "20m", 0.06, _SHOPPING, "spring campaign"),
        Flapping(at(18.40), "45m", 0.12, name="flapping instance", period="10m"),
        LatencyCreep(at(22.30), lasting(3.5), 1.4, ("/search", "/product"), "index growth"),
        SlowBurn(
            burn_from,
            format_duration(end_ns - burn_from),
            0.0030,
            _SHOPPING,
            "connection leak",
        ),
    )


def shop(
    start: TimeLike = SHOP_START,
    days: float = 30,
    seed: int = 30,
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Simulation:
    """
    A shop's traffic with six named incidents: about 13,300 requests a day.

    Args:
        start: The instant after which requests come.
        days: How many days, 0.1 to 15,000; the incidents are spread over them.
        seed: Any whole number of 0 or more.
        progress: As for `simulate`.

    Raises:
        InvalidInputError: *days* is below 0.1 or above 15,000, or another argument does not fit.

    Example:
        >>> day = shop(days=1)
        >>> day.incidents[-1].name, 10_000 < len(day) < 16_000
        ('connection leak', True)
    """
    return simulate(
        start,
        _length(days),
        rate=SHOP_RATE,
        routes=SHOP_ROUTES,
        incidents=shop_incidents(start, days),
        season=SHOP_SEASON,
        seed=seed,
        progress=progress,
    )
