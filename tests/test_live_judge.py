"""Events that are alike are judged alike, and only those."""

from __future__ import annotations

from math import inf, nextafter

from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.live import Tracker
from errorbudget.predicates import duration, label, number, status_in

SLOS = [
    eb.SLO("up", target="99%", window="1d", sli=eb.Availability()),
    eb.SLO("fast", target="99%", window="1d", sli=eb.Latency("200ms")),
    eb.SLO(
        "odd",
        target="99%",
        window="1d",
        sli=eb.RatioSLI(
            good=~(duration < "1s") | status_in("5xx") | label("shard").isin("1"),
            valid=label("route").matches("/cart/.*"),
        ),
    ),
]
EDGES = [0.2, 1.0]
NEAR = [nextafter(edge, to) for edge in EDGES for to in (0, inf)]
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([200, 404, 500, 503]),
        "duration_s": st.sampled_from([0.0, *EDGES, *NEAR, 30.0]),
        "route": st.sampled_from(["/cart/1", "/", "/cart/" + 200 * "x"]),
        # Equal to Python, and different labels.
        "shard": st.sampled_from(["1", 1, True, "true", None, 1.0]),
    },
)


@given(st.lists(EVENTS.filter(bool), min_size=1, max_size=20))
def test_what_is_remembered_is_what_the_indicator_says(events: list[dict[str, object]]) -> None:
    """However many events came before, each is judged as if it were the first."""
    tracker = Tracker(SLOS)
    expected = {slo.name: [0, 0, 0] for slo in SLOS}
    for event in events * 2:
        tracker.record(**event)  # type: ignore[arg-type]
        for slo in SLOS:
            one = Tracker(slo)
            one.record(**event)  # type: ignore[arg-type]
            for i, units in enumerate(one.totals()):
                expected[slo.name][i] += units
    assert {slo.name: list(tracker.totals(slo.name)) for slo in SLOS} == expected


def test_what_is_remembered_is_bounded() -> None:
    """Labels without end do not fill the memory."""
    tracker = Tracker(
        eb.SLO("cart", target="99%", window="1d", sli=eb.Availability(where={"path": "/cart/.*"}))
    )
    for i in range(2_000):
        tracker.record(status=200, path=f"/cart/{i}")
    assert len(tracker._judge.known) <= 500
    assert tracker.counts().total == 2_000


def test_other_numbers_are_judged_each_time() -> None:
    """An indicator on a number of its own is asked for every event."""
    slo = eb.SLO(
        "first byte", target="99%", window="1d", sli=eb.RatioSLI(good=number("ttfb_s") < "1s")
    )
    tracker = Tracker(slo)
    for ttfb_s in (0.5, 1.0, 2.0, 0.7):
        tracker.record(ttfb_s=ttfb_s)
    assert tracker.counts() == eb.Counts(good=2, bad=2)
    assert not tracker._judge.known
