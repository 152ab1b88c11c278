"""Studies on public logs: the parts are the whole, and pages are where histories fire."""

from __future__ import annotations

import numpy as np
import pytest

from errorbudget import GUIDE, SLO, WORKBOOK, Availability, Counts, Events, read_events
from errorbudget.studies.attribution import attribute
from errorbudget.studies.backtest import backtest
from errorbudget.studies.confidence import confidence_of
from errorbudget.studies.forecast import forecast
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.recovery import recovery
from tests.shared import shared_path

LOG = "data/elastic_apache.log.gz"
# The log has 3 failures of the server in 10,000 requests, so a request not found is bad here.
FOUND = SLO("found", target="99%", window="7d", sli=Availability(bad="4xx|5xx"))


@pytest.fixture(scope="module")
def log() -> Events:
    """The public combined log."""
    return read_events(shared_path(LOG))


def test_attribution_adds_up(log: Events) -> None:
    """By status, by every label, and by incident."""
    status = FOUND.evaluate(log)
    assert status.counts.bad > 0
    for by in ("status", "status_class", *log.labels):
        found = attribute(FOUND, log, by)
        assert sum((row.counts for row in found), Counts()) == status.counts
        assert sum(row.consumed for row in found) == status.budget.consumed_exact
    ledger = incident_ledger(FOUND, log)
    assert sum((entry.counts for entry in ledger), ledger.elsewhere) == status.counts


def test_backtests_equal_histories(log: Events) -> None:
    """Minutes that fire are those of the history, for both published tables."""
    result = backtest(FOUND, log, [WORKBOOK, GUIDE])
    for policy in (WORKBOOK, GUIDE):
        history = FOUND.replace(alerts=policy).history(log)
        served = history.slo.alerts
        assert served is not None
        for alert in served.alerts:
            fires = np.zeros(len(history), dtype=bool)
            for episode in result[policy.name].episodes:
                if episode.alert == alert.name:
                    end = np.inf if episode.end_ns is None else episode.end_ns
                    fires |= (history.time_ns >= episode.start_ns) & (history.time_ns < end)
            assert np.array_equal(fires, history.firing(alert.name))


def test_the_rest_answers(log: Events) -> None:
    """Intervals hold the figures, the schedule ends whole, and the forecast has its days."""
    status = FOUND.evaluate(log)
    sure = confidence_of(FOUND, log)
    assert sure.counts == status.counts
    assert sure.sli[0] <= status.sli <= sure.sli[1]
    schedule = recovery(FOUND, log)
    assert schedule.remaining_at(status.at_ns) == status.budget.remaining_exact
    assert schedule.remaining_at(status.at_ns + FOUND.period_ns) == 1
    assert forecast(FOUND, log, paths=50).blocks == 3
