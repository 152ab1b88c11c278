"""
A tracker's figures for Prometheus.

Figures are worked out when they are scraped, and not before. Names follow Prometheus' rules: base
units, ratios as `_ratio`, counters as `_total`; what is not known, such as a burn rate without
events, is not exported instead of being 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from errorbudget.errors import MissingDependencyError
from errorbudget.target import Target

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError:
    raise MissingDependencyError.for_extra(
        "exporting a tracker to Prometheus", "prometheus_client", "live"
    ) from None

if TYPE_CHECKING:
    from errorbudget.live.tracker import Tracker

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
    Every SLO of a tracker, as a collector for a `prometheus_client` registry.

    Args:
        tracker: What to export.
        prefix: What the names begin with.
        counters: Whose events to export as counters; by default the tracker's own. For the view
            of a shared budget give the worker's tracker: a view counts nothing itself. Counters
            rise as long as the process lives and begin at 0 with the next, whatever was restored:
            Prometheus takes a fall for a restart, and counts all that is there after it as new.

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

    def __init__(
        self, tracker: Tracker, prefix: str = "errorbudget", *, counters: Tracker | None = None
    ) -> None:
        self.tracker = tracker
        self.counters = tracker if counters is None else counters
        self.prefix = prefix

    def _families(self) -> dict[str, Metric]:
        families: dict[str, Metric] = {}
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

        def add(name: str, labels: tuple[str, ...], value: float | None) -> None:
            if value is not None:
                families[name].add_metric((*key, *labels), value)  # type: ignore[attr-defined]

        for status in self.tracker.report():
            slo = status.slo
            key = (slo.name, slo.service)
            if isinstance(slo.target, Target):
                add("objective_ratio", (), float(slo.target))
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
                labels = (alert.alert.name, alert.alert.severity)
                add("alert_firing", labels, float(alert.state == "firing"))
            totals = self.counters.totals(slo.name)
            add("events", ("good",), float(totals.good))
            add("events", ("bad",), float(totals.bad))
            add("left_out_events", (), float(totals.left_out))
        families["late"].add_metric((), self.counters.late_totals)  # type: ignore[attr-defined]
        yield from families.values()
