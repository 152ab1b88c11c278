"""
A tracker's figures for OpenTelemetry, as observable instruments.

The meter asks when it collects. Names are dotted and units are UCUM's, as OpenTelemetry's semantic
conventions have them; what is not known is not observed instead of being 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from errorbudget.errors import MissingDependencyError

try:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter
except ModuleNotFoundError:
    raise MissingDependencyError.for_extra(
        "exporting a tracker to OpenTelemetry", "opentelemetry-api", "otel"
    ) from None

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker
    from errorbudget.status import Status

__all__ = ["observe"]

_Figure = tuple[float | None, dict[str, str]]


def _sli(status: Status) -> Iterable[_Figure]:
    yield status.sli, {}


def _remaining(status: Status) -> Iterable[_Figure]:
    yield (None if status.budget is None else status.budget.remaining_ratio), {}


def _burn(status: Status) -> Iterable[_Figure]:
    for window, rate in status.burn_rates.items():
        yield rate, {"errorbudget.window": window}


def _firing(status: Status) -> Iterable[_Figure]:
    for alert in status.alerts:
        told = {
            "errorbudget.alert": alert.alert.name,
            "errorbudget.severity": alert.alert.severity,
        }
        yield int(alert.state == "firing"), told


_GAUGES: dict[str, tuple[str, Callable[[Status], Iterable[_Figure]]]] = {
    "errorbudget.sli": ("Share of good events in the SLO's window", _sli),
    "errorbudget.remaining": ("Share of the error budget left", _remaining),
    "errorbudget.burn_rate": ("Burn rate; 1 is an even spend", _burn),
    "errorbudget.alert.firing": ("Whether a burn alert fires", _firing),
}


def observe(tracker: Tracker, meter: Meter | None = None) -> None:
    """
    Observe every SLO of *tracker* through *meter*.

    Gauges `errorbudget.sli`, `.remaining`, `.burn_rate` and `.alert.firing`, all of unit 1, and the
    counter `errorbudget.events` of unit {event}, by `errorbudget.result`. The SLO's name is the
    attribute `errorbudget.slo`, its service `service.name`.

    Args:
        tracker: What to observe.
        meter: Of whom to make the instruments; by default the global provider's.
    """
    source = get_meter("errorbudget") if meter is None else meter

    def asking(
        figures: Callable[[Status], Iterable[_Figure]],
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            for status in tracker.report():
                for value, told in figures(status):
                    if value is not None:
                        yield Observation(value, _attributes(status) | told)

        return callback

    for name, (text, figures) in _GAUGES.items():
        source.create_observable_gauge(name, [asking(figures)], unit="1", description=text)

    def events(status: Status) -> Iterable[_Figure]:
        totals = tracker.totals(status.name)
        yield float(totals.good), {"errorbudget.result": "good"}
        yield float(totals.bad), {"errorbudget.result": "bad"}

    source.create_observable_counter(
        "errorbudget.events", [asking(events)], unit="{event}", description="Events counted"
    )


def _attributes(status: Status) -> dict[str, str]:
    told = {"errorbudget.slo": status.name}
    return told | ({"service.name": status.slo.service} if status.slo.service else {})
