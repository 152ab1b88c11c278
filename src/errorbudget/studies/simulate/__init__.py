"""
Traffic that never happened, with incidents whose damage is known exactly.

A study, an alert or a reader can only be judged against what truly happened, and a real log does
not say. A simulation does: it names every incident and counts the requests that each one hurt.
"""

from errorbudget.studies.simulate.incident import Incident
from errorbudget.studies.simulate.incidents import (
    INCIDENTS,
    BrownOut,
    CounterReset,
    DeployRegression,
    Flapping,
    LatencyCreep,
    Outage,
    RetryStorm,
    ScrapeGap,
    SlowBurn,
    ZeroTrafficNights,
    incident_from_dict,
)
from errorbudget.studies.simulate.run import simulate
from errorbudget.studies.simulate.scrapes import (
    BUCKETS_S,
    CounterSeries,
    HistogramSeries,
    Scrapes,
)
from errorbudget.studies.simulate.shops import SHOP_SEASON, SHOP_START, shop, shop_incidents
from errorbudget.studies.simulate.simulation import Impact, Simulation
from errorbudget.studies.simulate.traffic import ROUTES, Route, Season

__all__ = [
    "BUCKETS_S",
    "INCIDENTS",
    "ROUTES",
    "SHOP_SEASON",
    "SHOP_START",
    "BrownOut",
    "CounterReset",
    "CounterSeries",
    "DeployRegression",
    "Flapping",
    "HistogramSeries",
    "Impact",
    "Incident",
    "LatencyCreep",
    "Outage",
    "RetryStorm",
    "Route",
    "ScrapeGap",
    "Scrapes",
    "Season",
    "Simulation",
    "SlowBurn",
    "ZeroTrafficNights",
    "incident_from_dict",
    "shop",
    "shop_incidents",
    "simulate",
]
