"""
Healthy traffic: when requests come, what they ask for, and how they fare on an ordinary day.

All chance comes from the raw 64-bit stream of numpy's PCG64, which numpy promises to keep; the
distributions are computed here. `Generator.poisson` and its like may change with a numpy release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import frexp, isfinite, ldexp
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.studies.arguments import listed, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROUTES", "Route", "Season", "Stream", "Traffic", "failed_duration", "ordinary_traffic"]

MS = 1_000_000
TIMEOUT_S = 10.0
_FAILURES = ((500, 0.5), (502, 0.2), (503, 0.2), (504, 0.1))


class Stream:
    """
    Random numbers for one purpose, the same for one seed and purpose, whatever others draw.

    Args:
        seed: Seed of the whole simulation [>= 0].
        purpose: What the numbers are for.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, crc32(purpose.encode())]))

    def uniform(self, n: int) -> NDArray[np.float64]:
        """Uniform in [0, 1); shape (n,)."""
        raw: NDArray[np.uint64] = self._bits.random_raw(n)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, n: int) -> NDArray[np.float64]:
        """Standard normal, by Box and Muller (1958); shape (n,)."""
        half = (n + 1) // 2
        radius = np.sqrt(-2.0 * np.log(1.0 - self.uniform(half)))
        angle = 2.0 * np.pi * self.uniform(half)
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]

    def choice(self, n: int, shares: list[float]) -> NDArray[np.intp]:
        """Positions in *shares*, each as often as its share says; shape (n,)."""
        edges = np.cumsum(shares)
        position: NDArray[np.intp] = np.searchsorted(
            edges, self.uniform(n) * edges[-1], side="right"
        )
        return position.clip(max=len(shares) - 1)


@dataclass(frozen=True, slots=True)
class Season:
    """
    How traffic breathes over the day and the week, in UTC; its mean over a week is 1.

    Args:
        daily: How far the day swings about its mean, in [0, 1]: 0 is flat, 1 has an hour
            without anybody.
        peak_hour: The busiest hour [hour of the UTC day].
        weekdays: Weight of each day, Monday first.

    Example:
        >>> Season(daily=0.0).factor(np.array([0, 1])).tolist()
        [1.0, 1.0]
    """

    daily: float = 0.6
    peak_hour: float = 14.0
    weekdays: tuple[float, ...] = (1.0,) * 7

    def __post_init__(self) -> None:
        object.__setattr__(self, "daily", number("daily", self.daily, least=0, most=1))
        object.__setattr__(self, "peak_hour", number("peak_hour", self.peak_hour, least=0, most=24))
        weights = tuple(
            number("a weight of weekdays", weight, least=0)
            for weight in listed("weekdays", self.weekdays, "[1, 1, 1, 1, 1, 0.5, 0.5]")
        )
        if len(weights) != 7 or not (sum(weights) > 0 and isfinite(sum(weights))):
            raise InvalidInputError(
                "weekdays must be seven weights of 0 or more, not all 0, Monday first, "
                f"got {shown(self.weekdays)}"
            )
        object.__setattr__(self, "weekdays", weights)

    def factor(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many times the mean traffic comes at *time* [ns UTC]; shape (n,)."""
        hour = (time % DAY_NS) / HOUR_NS
        day = 1.0 + self.daily * np.cos((hour - self.peak_hour) * (np.pi / 12))
        weekday = (time // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday
        # Brought near 1 by a power of two, which is exact: the sum of tiny weights is as tiny.
        near = -frexp(max(self.weekdays))[1]
        weights = [ldexp(weight, near) for weight in self.weekdays]
        week = np.array(weights) * (7 / sum(weights))
        return day * week[weekday]


@dataclass(frozen=True, slots=True)
class Route:
    """
    One route and how it fares when all is well.

    Args:
        weight: Its part of the traffic, against the other routes' weights.
        median_s: Half of its requests take no longer [s].
        spread: Standard deviation of the logarithm of the duration [1]: latencies are log-normal.
        method: HTTP method.
        statuses: Weights of the answers other than 5xx.
        error_share: Share of its requests that fail (5xx) on an ordinary day, in [0, 1].
        bytes: Median size of an answer [bytes].
    """

    weight: float = 1.0
    median_s: float = 0.08
    spread: float = 0.5
    method: str = "GET"
    statuses: Mapping[int, float] = field(
        default_factory=lambda: {200: 0.92, 304: 0.05, 301: 0.01, 404: 0.018, 403: 0.002}
    )
    error_share: float = 0.0003
    bytes: float = 8_000.0

    def __post_init__(self) -> None:
        for name in ("weight", "median_s", "bytes"):
            found = number(f"{name} of a route", getattr(self, name), above=0)
            object.__setattr__(self, name, found)
        spread = number("spread of a route", self.spread, least=0)
        object.__setattr__(self, "spread", spread)
        share = number("error_share of a route", self.error_share, least=0, most=1)
        object.__setattr__(self, "error_share", share)
        if not isinstance(self.method, str) or not self.method:
            raise InvalidInputError(
                f'method of a route is a text such as "GET", got {shown(self.method)}'
            )
        if not isinstance(self.statuses, Mapping) or not self.statuses:
            raise InvalidInputError(
                f"statuses of a route are weights such as {{200: 1}}, got {shown(self.statuses)}"
            )
        weights = {}
        for status, weight in self.statuses.items():
            if status not in range(100, 500):
                raise InvalidInputError(
                    "statuses of a route must be 100 to 499 (5xx come from error_share), got "
                    f"{shown(status)}"
                )
            weights[int(status)] = number(f"the weight of {status} of a route", weight, above=0)
        object.__setattr__(self, "statuses", weights)


ROUTES: dict[str, Route] = {
    "/": Route(weight=4, median_s=0.060),
    "/api/items": Route(weight=3, median_s=0.080),
    "/api/orders": Route(
        weight=1,
        median_s=0.120,
        method="POST",
        statuses={201: 0.97, 400: 0.02, 409: 0.01},
        bytes=600,
    ),
    "/health/live": Route(
        weight=0.5, median_s=0.002, spread=0.3, statuses={200: 1.0}, error_share=0.0, bytes=15
    ),
}
"""What `simulate` asks for unless told otherwise."""


@dataclass(slots=True)
class Traffic:
    """
    Requests while they are being made: columns that incidents rewrite, ordered by time.

    `cause` and `slow_cause` name the incident that failed a request, or pushed it over the limit
    for slow ones: its position, or -1 for none.
    """

    time: NDArray[np.int64]
    route: NDArray[np.int32]
    status: NDArray[np.int16]
    duration_s: NDArray[np.float64]
    size: NDArray[np.float64]
    cause: NDArray[np.int16]
    slow_cause: NDArray[np.int16]

    def rows(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Traffic:
        """The requests at *rows*."""
        return Traffic(**{name: getattr(self, name)[rows] for name in self.__slots__})

    def merged(self, other: Traffic) -> Traffic:
        """These requests and those of *other*, ordered by time."""
        joined = Traffic(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in self.__slots__
            }
        )
        return joined.rows(np.argsort(joined.time, kind="stable"))


def failed_duration(
    status: NDArray[np.int16], duration_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    How long a request takes once it has failed [s]: a 503 is refused at the door, a 504 waits for
    the timeout, other failures take their time; shape (n,).
    """
    refused = np.where(status == 503, whole_ms_up(0.05 * duration_s), duration_s)
    return np.where(status == 504, np.maximum(TIMEOUT_S, duration_s), refused)


def whole_ms_up(duration_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Durations as a log with milliseconds has them, at least one [s]; shape (n,)."""
    return np.maximum(1.0, np.ceil(duration_s * 1_000.0)) / 1_000.0


def _arrivals(
    start_ns: int, end_ns: int, rate: float, season: Season, seed: int
) -> NDArray[np.int64]:
    """
    Instants of requests in (start, end], ascending, on whole milliseconds.

    Given their number, the arrivals of a Poisson process are independent draws with a density
    proportional to its rate: so the number is the expected one, and chance decides the rest.
    """
    edges = np.append(np.arange(start_ns, end_ns, 5 * MINUTE_NS, dtype=np.int64), end_ns)
    widths = np.diff(edges)
    expected = season.factor(edges[:-1] + widths // 2) * (widths * (rate / 1e9))
    cumulative = np.concatenate([[0.0], np.cumsum(expected)])
    n = round(float(cumulative[-1]))
    place = np.sort(1.0 - Stream(seed, "arrivals").uniform(n)) * cumulative[-1]
    offset_ms = np.ceil(np.interp(place, cumulative, (edges - start_ns) / MS))
    time: NDArray[np.int64] = offset_ms.clip(1, (end_ns - start_ns) // MS).astype(np.int64)
    return start_ns + time * MS


def ordinary_traffic(
    start_ns: int,
    end_ns: int,
    *,
    rate: float,
    routes: Mapping[str, Route],
    season: Season,
    seed: int,
) -> Traffic:
    """Traffic without a single incident, in (start, end]."""
    time = _arrivals(start_ns, end_ns, rate, season, seed)
    n = len(time)
    route = Stream(seed, "routes").choice(n, [item.weight for item in routes.values()])
    luck, which = Stream(seed, "status").uniform(n), Stream(seed, "failure").uniform(n)
    chance, girth = Stream(seed, "duration").normal(n), Stream(seed, "size").normal(n)
    status = np.zeros(n, dtype=np.int16)
    duration_s, size = np.zeros(n), np.zeros(n)
    for code, item in enumerate(routes.values()):
        rows = np.flatnonzero(route == code)
        shares = np.array(list(item.statuses.values()))
        weights = np.concatenate(
            [[item.error_share], shares * (1 - item.error_share) / sum(shares)]
        )
        drawn = np.searchsorted(np.cumsum(weights), luck[rows], side="right")
        table = np.array([0, *item.statuses], dtype=np.int16)
        status[rows] = table[np.minimum(drawn, len(table) - 1)]
        duration_s[rows] = item.median_s * np.exp(item.spread * chance[rows])
        size[rows] = np.rint(item.bytes * np.exp(0.6 * girth[rows]))
    duration_s = whole_ms_up(duration_s)
    failed = np.flatnonzero(status == 0)
    status[failed] = failure_statuses(which[failed], _FAILURES)
    duration_s[failed] = failed_duration(status[failed], duration_s[failed])
    size[(status == 304) | (status == 204)] = 0.0
    none = np.full(n, -1, dtype=np.int16)
    return Traffic(time, route.astype(np.int32), status, duration_s, size, none, none.copy())


def failure_statuses(
    luck: NDArray[np.float64], failures: tuple[tuple[int, float], ...]
) -> NDArray[np.int16]:
    """A status per draw of *luck* in [0, 1), by the shares of *failures*; shape (n,)."""
    edges = np.cumsum([share for _, share in failures])
    table = np.array([status for status, _ in failures], dtype=np.int16)
    position = np.searchsorted(edges, luck * edges[-1], side="right")
    drawn: NDArray[np.int16] = table[position.clip(max=len(table) - 1)]
    return drawn
