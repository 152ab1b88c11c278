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


def _objective(status: Status) -> Iterable[_Figure]:
    yield float(status.slo.target_at(status.at_ns)), {}


def _coverage(status: Status) -> Iterable[_Figure]:
    yield status.coverage, {}


def _tier(status: Status) -> Iterable[_Figure]:
    held = status.tier
    for tier in () if held is None else status.slo.policy.tiers:
        yield int(tier.name == held), {"errorbudget.tier": tier.name}


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
    "errorbudget.objective": ("Share of events that must be good", _objective),
    "errorbudget.coverage": ("Share of the SLO's window that was observed", _coverage),
    "errorbudget.tier": ("Tier of the error budget policy: 1 for the one that holds", _tier),
    "errorbudget.sli": ("Share of good events in the SLO's window", _sli),
    "errorbudget.remaining": ("Share of the error budget left", _remaining),
    "errorbudget.burn_rate": ("Burn rate; 1 is an even spend", _burn),
    "errorbudget.alert.firing": ("Whether a burn alert fires", _firing),
}


def observe(
    tracker: Tracker, meter: Meter | None = None, *, counters: Tracker | None = None
) -> None:
    """
    Observe every SLO of *tracker* through *meter*.

    Gauges `errorbudget.objective`, `.sli`, `.remaining`, `.coverage`, `.burn_rate`, `.tier` and
    `.alert.firing`, all of unit 1; counters of unit {event}: `errorbudget.events`, by
    `errorbudget.result`, `errorbudget.left_out_events` and `errorbudget.late_events`. The SLO's
    name is the attribute `errorbudget.slo`, its service `service.name`.

    Args:
        tracker: What to observe.
        meter: Of whom to make the instruments; by default the global provider's.
        counters: Whose events to observe as counters; by default the tracker's own. For the view of
            a shared budget give the worker's tracker: a view counts nothing itself.
    """
    counted = tracker if counters is None else counters
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
        totals = counted.totals(status.name)
        yield totals.good, {"errorbudget.result": "good"}
        yield totals.bad, {"errorbudget.result": "bad"}

    def left_out(status: Status) -> Iterable[_Figure]:
        yield counted.totals(status.name).left_out, {}

    def late(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(counted.late_totals)

    for name, text, callback in (
        ("errorbudget.events", "Events counted", asking(events)),
        ("errorbudget.left_out_events", "Events that could not be judged", asking(left_out)),
        ("errorbudget.late_events", "Events that came too late", late),
    ):
        source.create_observable_counter(name, [callback], unit="{event}", description=text)


def _attributes(status: Status) -> dict[str, str]:
    told = {"errorbudget.slo": status.name}
    return told | ({"service.name": status.slo.service} if status.slo.service else {})
