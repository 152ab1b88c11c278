"""
A tracker's figures for Prometheus.

Figures are worked out when they are scraped, and not before. Names follow Prometheus' rules: base
units, ratios as `_ratio`, counters as `_total`; what is not known, such as a burn rate without
events, is not exported instead of being 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from errorbudget.errors import MissingDependencyError, SourceUnavailableError
from errorbudget.live.answers import check_tracker
from errorbudget.live.tracker import Tracker

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError:
    raise MissingDependencyError.for_extra(
        "exporting a tracker to Prometheus", "prometheus_client", "live"
    ) from None

if TYPE_CHECKING:
    from errorbudget.live.shared import Shared
    from errorbudget.status import Status

__all__ = ["BudgetCollector"]

_GAUGES = {
    "objective_ratio": ("Share of events that must be good.", ()),
    "sli_ratio": ("Share of good events in the SLO's window.", ()),
    "remaining_ratio": ("Share of the error budget left; negative when overspent.", ()),
    "coverage_ratio": ("Share of the SLO's window that was observed.", ()),
    "burn_rate": ("Burn rate; 1 spends the budget exactly by the end of the window.", ("window",)),
    "tier": ("Tier of the error budget policy: 1 for the one that holds.", ("tier",)),
    "alert_firing": ("Whether a burn alert fires.", ("alert", "severity")),
}
_COUNTERS = {
    "events": ("Events counted, by result.", ("result",)),
    "left_out_events": ("Events without the value that the indicator asks for.", ()),
}


class BudgetCollector(Collector):
    """
    Every SLO of a tracker or of a shared budget, as a collector for a `prometheus_client` registry.

    Counters of a tracker rise as long as the process lives and begin at 0 with the next, whatever
    was restored: Prometheus takes a fall for a restart, and counts all that is there after it as
    new. Of a shared budget gauges and counters are those of all workers, whichever of them answers;
    each scrape exchanges first, and while the store does not answer counters are absent, not old.

    Args:
        source: What to export.
        prefix: What the names begin with.

    Raises:
        InvalidInputError: *source* is neither.

    Example:
        >>> from prometheus_client import CollectorRegistry, generate_latest
        >>> from errorbudget import SLO, Availability, Tracker
        >>> tracker = Tracker(SLO("api", target="99.9%", window="30d", sli=Availability()))
        >>> tracker.record(good=True)
        >>> registry = CollectorRegistry()
        >>> registry.register(BudgetCollector(tracker))
        >>> print(generate_latest(registry).decode())
        # HELP ...
        errorbudget_sli_ratio{service="",slo="api"} 1.0
        ...
    """

    def __init__(self, source: Tracker | Shared, prefix: str = "errorbudget") -> None:
        from errorbudget.live.shared import Shared

        if not isinstance(source, Shared):
            check_tracker(source)
        self.source = source
        self.prefix = prefix

    def _families(self) -> dict[str, Any]:
        families: dict[str, Any] = {}
        for name, (text, labels) in _GAUGES.items():
            families[name] = GaugeMetricFamily(
                f"{self.prefix}_{name}", text, labels=("slo", "service", *labels)
            )
        for name, (text, labels) in _COUNTERS.items():
            families[name] = CounterMetricFamily(
                f"{self.prefix}_{name}", text, labels=("slo", "service", *labels)
            )
        families["late"] = CounterMetricFamily(
            f"{self.prefix}_late_events_dropped", "Events that came too late to be counted."
        )
        return families

    def describe(self) -> Iterator[Metric]:
        """The families without samples, so that registering asks the tracker nothing."""
        yield from self._families().values()

    def collect(self) -> Iterator[Metric]:
        """Everything, as of now."""
        families = self._families()
        if isinstance(self.source, Tracker):
            tracker: Tracker = self.source
            self._count(families, self.source)
        else:
            tracker = self.source.view
            if _exchanged(self.source):
                self._count(families, self.source)
        for status in tracker.report():
            _measure(families, status)
        yield from families.values()

    def _count(self, families: dict[str, Any], counters: Tracker | Shared) -> None:
        slos = (counters if isinstance(counters, Tracker) else counters.view).slos
        for slo in slos:
            totals = counters.totals(slo.name)
            for result in ("good", "bad"):
                labels = (slo.name, slo.service, result)
                families["events"].add_metric(labels, getattr(totals, result))
            families["left_out_events"].add_metric((slo.name, slo.service), totals.left_out)
        families["late"].add_metric((), counters.late_totals)


def _measure(families: dict[str, Any], status: Status) -> None:
    slo = status.slo

    def add(name: str, labels: tuple[str, ...], value: float | None) -> None:
        if value is not None:
            families[name].add_metric((slo.name, slo.service, *labels), value)

    add("objective_ratio", (), float(slo.target_at(status.at_ns)))
    add("sli_ratio", (), status.sli)
    add("coverage_ratio", (), status.coverage)
    if status.budget is not None:
        add("remaining_ratio", (), status.budget.remaining_ratio)
    for window, rate in status.burn_rates.items():
        add("burn_rate", (window,), rate)
    if status.tier is not None:
        for tier in slo.policy.tiers:
            add("tier", (tier.name,), float(tier.name == status.tier))
    for alert in status.alerts:
        told = (alert.alert.name, alert.alert.severity)
        add("alert_firing", told, float(alert.state == "firing"))


def _exchanged(shared: Shared) -> bool:
    """Whether *shared* is as new as this moment: counters of a worker that lags would fall."""
    try:
        shared.sync()
    except SourceUnavailableError:
        return False
    return True
