"""
W7: what a short script pays: one SLO over four windows, by hand, as an SLO, and with slo-generator.

Answers are the SLI and the burn rate of each window, from a backend that returns constant counts.
*events* is how often it is evaluated. The SLO also has its budget, tier, risk and alerts judged;
slo-generator also looks up plugins, and its logging is off. Imports are timed by `imports`.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from benchmarks.data import Case
from benchmarks.harness import Answer, Method

WINDOWS = {"1h": 3_600, "6h": 21_600, "1d": 86_400, "30d": 2_592_000}
GOOD, BAD = 99_950, 50
AT = 1_767_225_600 + 2_592_000


class Backend:
    """slo-generator's backend: the counts are already known."""

    def __init__(self, client: Any = None, **_: Any) -> None:
        pass

    def good_bad_ratio(self, timestamp: int, window: int, config: Any) -> tuple[int, int]:
        return GOOD, BAD


def _scalars(case: Case) -> int:
    import errorbudget  # noqa: F401

    return case.events


def _by_hand(times: Any) -> Answer:
    from errorbudget.budget import sli
    from errorbudget.burn import burn_rate
    from errorbudget.counts import Counts
    from errorbudget.target import Target

    target = Target("99.9%")
    found: list[tuple[Any, Any]] = []
    for _ in range(times):
        found = []
        for _ in WINDOWS:
            counts = Counts(good=GOOD, bad=BAD)
            found.append((sli(counts), burn_rate(counts, target)))
    return [np.array(column, float) for column in zip(*found, strict=True)]


def _slo_setup(case: Case) -> Any:
    import errorbudget as eb
    from errorbudget.series import CountSeries

    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability(good="2xx"))
    # All of the window was observed, and everything happened in its last minute.
    label = np.array([AT - WINDOWS["30d"] + 60, AT]) * 10**9
    series = CountSeries(label, good=[0, GOOD], total=[0, GOOD + BAD], step_ns="1m")
    return case.events, slo, series


def _slo(context: Any) -> Answer:
    times, slo, series = context
    status = None
    for _ in range(times):
        status = slo.evaluate(series)
    assert status is not None
    burns = [status.burn_rates[name] for name in ("1h", "6h", "1d", "3d")]
    return [np.full(len(burns), status.sli, float), np.array(burns, float)]


def _generator_setup(case: Case) -> Any:
    import slo_generator.compute  # noqa: F401

    logging.disable(logging.CRITICAL)
    steps = [
        {
            "name": name,
            "window": window,
            "burn_rate_threshold": 14.4,
            "alert": True,
            "message_alert": "Page",
            "message_ok": "Fine",
        }
        for name, window in WINDOWS.items()
    ]
    config = {
        "backends": {"benchmarks.w7.Backend": {}},
        "error_budget_policies": {"default": {"steps": steps}},
    }
    slo = {
        "apiVersion": "sre.google.com/v2",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": "api", "labels": {}},
        "spec": {
            "description": "API",
            "backend": "benchmarks.w7.Backend",
            "method": "good_bad_ratio",
            "goal": 0.999,
            "exporters": [],
            "error_budget_policy": "default",
            "service_level_indicator": {},
        },
    }
    return case.events, slo, config


def _generator(context: Any) -> Answer:
    from slo_generator.compute import compute

    times, slo, config = context
    reports: list[Any] = []
    for _ in range(times):
        reports = compute(slo, config, timestamp=AT)
    return [
        np.array([report["sli_measurement"] for report in reports], float),
        np.array([report["error_budget_burn_rate"] for report in reports], float),
    ]


METHODS = {
    "errorbudget, counts": Method(_scalars, _by_hand),
    "errorbudget, SLO": Method(_slo_setup, _slo),
    "slo-generator": Method(_generator_setup, _generator, ("slo_generator",), rtol=1e-3),
}
