"""Events that are alike are judged alike, and only those."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nextafter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.live import Tracker
from errorbudget.predicates import Predicate, duration, label, number, status_in

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
    assert len(tracker._judge.known) == 500
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


def named(judgement: Any) -> dict[str, str]:
    return {feed.slo.name: verdict for feed, verdict in judgement.parts}


def test_what_they_agree_on_and_who_takes_part() -> None:
    """One verdict where all have it; otherwise each its own, of those that the event concerns."""
    judge = Tracker(SLOS)._judge
    same = judge.same("bad")
    assert (same.agreed, named(same)) == ("bad", {"up": "bad", "fast": "bad", "odd": "bad"})
    mixed = judge.of({"status": 200, "duration_s": 0.3, "route": "/"})
    assert (mixed.agreed, named(mixed)) == (None, {"up": "good", "fast": "bad"})
    each = judge.of({"status": 503, "duration_s": 0.3, "route": "/cart/1"})
    assert (each.agreed, named(each)) == (None, {"up": "bad", "fast": "bad", "odd": "good"})
    agreed = judge.of({"status": 200, "duration_s": 0.1, "route": "/cart/1", "shard": "1"})
    assert agreed.agreed == "good"
    alone = Tracker(SLOS[2])._judge.of({"route": "/"})
    assert (alone.agreed, alone.parts) == (None, [])


def test_a_bound_is_a_place_of_its_own() -> None:
    """Below it, on it, above it and without a duration: four kinds, and each is judged once."""
    judge = Tracker(eb.SLO("fast", target="99%", window="1d", sli=eb.Latency("200ms")))._judge
    assert judge.bounds == [0.2, nextafter(0.2, inf)]
    for duration_s, verdict in (
        (None, "unknown"),
        (0.2, "good"),
        (nextafter(0.2, 0), "good"),
        (0.0, "good"),
        (nextafter(0.2, inf), "bad"),
        (30.0, "bad"),
        (None, "unknown"),
    ):
        first = judge.of({"duration_s": duration_s})
        assert judge.of({"duration_s": duration_s}) is first
        assert first.agreed == verdict
    assert len(judge.known) == 4


def test_labels_that_are_remembered() -> None:
    """Texts of up to a hundred characters, and none at all; numbers and longer texts are not."""
    slo = eb.SLO(
        "cart", target="99%", window="1d", sli=eb.Availability(where={"shard": "1|x*", "zone": ""})
    )
    judge = Tracker(slo)._judge
    for event, size in (
        ({"shard": "1"}, 1),
        ({"shard": "1", "zone": "a"}, 2),
        ({"zone": "1"}, 3),
        ({"shard": 1}, 3),
        ({"shard": True, "zone": "a"}, 3),
        ({"shard": 100 * "x"}, 4),
        ({"shard": 101 * "x"}, 4),
        ({}, 5),
    ):
        judge.of({"status": 200, **event})
        judge.of({"status": 200, **event})
        assert len(judge.known) == size


def test_a_number_of_ones_own_beside_a_duration_is_asked_each_time() -> None:
    """As soon as one condition cannot be told by the kind, nothing is remembered."""

    @dataclass(frozen=True)
    class Odd(Predicate):
        def matches(self, event: Any) -> bool | None:
            return bool(event["status"] % 2)

        @property
        def columns(self) -> frozenset[str]:
            return frozenset(("status",))

    own, time_s = number("ttfb_s") < "1s", duration < "1s"
    for good, expected in (
        (own & time_s, ["good", "good", "bad"]),
        (time_s & own, ["good", "good", "bad"]),
        (Odd() & time_s, ["good", "bad", "good"]),
    ):
        slo = eb.SLO("own", target="99%", window="1d", sli=eb.RatioSLI(good=good))
        judge = Tracker(slo)._judge
        agreed = [
            judge.of({"status": status, "duration_s": 0.1, "ttfb_s": ttfb_s}).agreed
            for status, ttfb_s in ((201, 0.5), (202, 0.5), (201, 1.5))
        ]
        assert agreed == expected
        assert not judge.known
