"""Figures of a status in the form that JSON holds."""

from __future__ import annotations

from fractions import Fraction
from math import inf, nan

import pytest

import errorbudget as eb
from errorbudget import SLO, Counts, RatioTimeslices
from errorbudget.status import json_number, plain_count


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, None), (nan, None), (inf, "inf"), (-inf, "-inf"), (0.5, 0.5), (0, 0)],
)
def test_figures_json_cannot_hold(value: float | None, written: object) -> None:
    """Undefined is null, infinities are words."""
    assert json_number(value) == written


def test_counts_stay_whole() -> None:
    """Integers of any size stay integers; fractions of an event become floats."""
    assert plain_count(2**60 + 1) == 2**60 + 1
    assert plain_count(Fraction(1, 2)) == 0.5
    assert plain_count(0.25) == 0.25


def test_units_are_named() -> None:
    """Events, slices or nanoseconds: a status says what it counts."""
    events = eb.Events(time=[10**9, 2 * 10**9], good=[True, False])
    ask = {"target": "90%", "window": "1h", "sli": eb.RatioSLI()}
    assert SLO("x", **ask).evaluate(events).unit == "events"
    sliced = SLO("x", **ask, method=RatioTimeslices("1s")).evaluate(events, at=2 * 10**9)
    assert (sliced.unit, sliced.counts) == ("slices", Counts(1, 1))
    assert sliced.to_dict()["objective"]["slice"] == "1s"
    fresh = SLO("x", **{**ask, "sli": eb.Freshness("1s")}).evaluate(events)
    assert (fresh.unit, fresh.counts) == ("ns", Counts(10**9, 0))
    assert fresh.name == "x"


def test_an_overflowing_gauge_is_still_json() -> None:
    """A sum of gauges beyond the floats is infinite, and written as a word."""
    import json

    events = eb.Events(time=[1, 1], values={"connections": [1e308, 1e308]})
    status = SLO("x", window="1h", sli=eb.Concurrency(1)).evaluate(events)
    json.dumps(status.to_dict(), allow_nan=False)


def test_a_gauges_card_has_its_measurements_and_no_share_observed_of_no_time() -> None:
    """A threshold has no SLI and no budget; a calendar period that begins now has no coverage."""
    slo = SLO("busy", window="calendar day", sli=eb.Concurrency(above=5))
    status = slo.evaluate(eb.Events([0], values={"connections": [9.0]}), at=0)
    figures = dict(row[:2] for row in status._card().rows)
    assert [name for name in figures if name in ("SLI", "budget left", "observed")] == []
    assert any("bound" in value for value in figures.values())


def test_a_card_to_the_letter() -> None:
    """The share on its side of the target, what is left on its side of every tier."""
    slo = SLO("api", target="99%", window="30d", sli=eb.RatioSLI(), description="Pages.")
    card = slo.assess(Counts(good=990_001, bad=9_999), at=30 * 86_400 * 10**9)._card()
    assert card.lines[0] == "Pages."
    rows = dict(row[:2] for row in card.rows)
    assert rows["SLI"] == "99.0001%"
    assert rows["bad"] == "9,999 of 1,000,000"
    assert rows["budget left"].startswith("0.01% (")
    assert "observed" not in rows
    bare = SLO("api", target="99%", window="30d", sli=eb.RatioSLI())
    status = bare.assess(Counts(1, 0), at=0)
    assert status._card().lines[0].startswith("99% over 30d; ")
    assert "projected" not in status.to_dict()
    month = SLO("api", target="99%", window="month", sli=eb.RatioSLI())
    assert "projected" in month.assess(Counts(99, 1), at=86_400 * 10**9).to_dict()


def test_a_row_to_the_letter() -> None:
    """The headline figures; without events the target stays, and burn rates are None."""
    slo = SLO("api", target="90%", window="30d", sli=eb.RatioSLI(), burn_windows=["1h"])
    burn = {window: Fraction(10) for window in slo.all_burn_windows}
    row = slo.assess(Counts(95, 5), at=0, burn=burn, coverage=0.75).row()
    assert row == {
        "slo": "api",
        "state": "met",
        "sli": 0.95,
        "target": 0.9,
        "good": 95,
        "bad": 5,
        "total": 100,
        "remaining_ratio": 0.5,
        "tier": "consuming",
        "coverage": 0.75,
        "alerts": row["alerts"],
    }
    nothing = slo.assess(Counts(), at=0, burn=dict.fromkeys(burn))
    assert set(nothing.burn_rates.values()) == {None}
    assert (nothing.row()["target"], nothing.row()["remaining_ratio"]) == (0.9, None)


def test_a_card_keeps_to_the_side_of_its_target() -> None:
    """One event of ten million too many is seen, and so is each alert that fires."""
    slo = SLO("api", target="99%", window="30d", sli=eb.RatioSLI())
    burn = {window: Fraction(100) for window in slo.all_burn_windows}
    card = slo.assess(Counts(10**7 - 100_001, 100_001), at=0, burn=burn)._card()
    rows = [tuple(row[:2]) for row in card.rows]
    assert ("SLI", "98.99999%") in rows
    assert slo.alerts is not None
    assert [value for name, value in rows if name == "alert"] == [
        f"{alert.name} fires" for alert in slo.alerts.alerts if alert.severity == "page"
    ]
