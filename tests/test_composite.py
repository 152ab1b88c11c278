"""Composites: each rule against brute force over every outcome, and bounds that always hold."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, Availability, Composite, Counts, LatencyQuantile, combine
from errorbudget.composite import combined_bounds
from errorbudget.errors import InvalidInputError

shares = st.fractions(0, 1, max_denominator=200)
several = st.lists(shares, min_size=1, max_size=5)


def chance(parts: list[Fraction], at_least: int) -> Fraction:
    """Chance that so many independent parts work: every outcome, one by one."""
    total = Fraction(0)
    for outcome in product([0, 1], repeat=len(parts)):
        weight = Fraction(1)
        for works, share in zip(outcome, parts, strict=True):
            weight *= share if works else 1 - share
        total += weight * (sum(outcome) >= at_least)
    return total


@given(several, st.data())
def test_rules_equal_every_outcome(parts: list[Fraction], data: st.DataObject) -> None:
    """Serial, parallel and k of n are the chance that all, any or k parts work."""
    k = data.draw(st.integers(1, len(parts)))
    assert combine(parts, rule="serial") == chance(parts, len(parts))
    assert combine(parts, rule="parallel") == chance(parts, 1)
    assert combine(parts, rule="k_of_n", k=k) == chance(parts, k)
    assert combine(parts, rule="worst_of") == min(parts)


@given(several)
def test_rules_are_ordered(parts: list[Fraction]) -> None:
    """Asking for more parts never gives a better figure, and the mean lies between the extremes."""
    found = [combine(parts, rule="k_of_n", k=k) for k in range(1, len(parts) + 1)]
    assert found == sorted(found, reverse=True)
    serial, worst = combine(parts, rule="serial"), combine(parts, rule="worst_of")
    mean, parallel = combine(parts), combine(parts, rule="parallel")
    assert serial is not None
    assert worst is not None
    assert mean is not None
    assert parallel is not None
    assert serial <= worst <= mean <= parallel


@given(several, st.data())
def test_bounds_hold_whatever_the_dependence(parts: list[Fraction], data: st.DataObject) -> None:
    """Independent, comonotone and mutually exclusive failures all lie inside the bounds."""
    k = data.draw(st.integers(1, len(parts)))
    low, high = combined_bounds(parts, rule="k_of_n", k=k)
    assert 0 <= low <= high <= 1
    assert low <= chance(parts, k) <= high
    together = sorted(parts, reverse=True)[k - 1]  # one die decides for all: the k-th best share
    assert low <= together <= high


@given(
    st.lists(st.tuples(shares, st.integers(1, 9)), min_size=1, max_size=5),
    st.integers(2, 7),
)
def test_weights_are_relative(parts: list[tuple[Fraction, int]], factor: int) -> None:
    """Scaling all weights changes nothing, and a weight of n is the same part n times."""
    slis, weights = [sli for sli, _ in parts], [weight for _, weight in parts]
    whole = combine(slis, weights=weights)
    assert whole == combine(slis, weights=[weight * factor for weight in weights])
    assert whole == combine([sli for sli, weight in parts for _ in range(weight)])


@given(several, st.sampled_from(["weighted", "serial", "parallel", "worst_of"]))
def test_missing_members(parts: list[Fraction], rule: str) -> None:
    """A part without data is left out, counts as 1 or 0, or leaves the whole without data."""
    known: list[object] = [*parts, None]
    assert combine(known, rule=rule, missing="exclude") == combine(parts, rule=rule)  # type: ignore[arg-type]
    assert combine(known, rule=rule, missing="good") == combine([*parts, 1], rule=rule)  # type: ignore[arg-type]
    assert combine(known, rule=rule, missing="bad") == combine([*parts, 0], rule=rule)  # type: ignore[arg-type]
    assert combine(known, rule=rule, missing="no_data") is None  # type: ignore[arg-type]


def test_published_figures() -> None:
    """Elastic's weighted averages, and the serial example of four parts."""
    assert combine([0.99, 0.98]) == Fraction("0.985")
    assert combine([0.995, None], weights=[3, 7]) == Fraction("0.995")
    serial = combine(["0.9999", "0.9999", "0.9995", "0.999"], rule="serial")
    assert serial is not None
    assert float(serial) == pytest.approx(0.99830081, abs=5e-9)


def test_journey_from_statuses() -> None:
    """A journey takes its parts' exact SLIs by name, and says which part is silent."""
    slos = [SLO(n, target="99%", window="30d", sli=Availability()) for n in ("cart", "pay")]
    at = "2026-03-31T00:00Z"
    statuses = [
        slos[0].assess(Counts(good=999, bad=1), at=at),
        slos[1].assess(Counts(good=998, bad=2), at=at),
    ]
    journey = Composite("checkout", "99.5%", ["cart", "pay"], rule="serial")
    whole = journey.evaluate(statuses)
    assert whole.sli_exact == Fraction(999, 1000) * Fraction(998, 1000)
    assert whole.state == "met"
    assert whole.bounds is not None
    assert whole.bounds[0] <= whole.sli <= whole.bounds[1]
    silent = journey.evaluate([statuses[0], slos[1].assess(Counts(), at=at)])
    assert (silent.state, silent.sli, silent.absent) == ("no_data", None, ("pay",))
    assert silent.to_dict()["budget"] == {"consumed_ratio": None, "remaining_ratio": None}
    with pytest.raises(InvalidInputError, match="no figure for pay"):
        journey.evaluate(statuses[:1])


def test_full_target() -> None:
    """At a target of 100 % any shortfall is an infinite spend, and none is no spend."""
    strict = Composite("all", "100%", {"a": 2, "b": 1})
    assert strict.of({"a": 1, "b": 1}).budget_remaining == 1.0
    assert strict.of({"a": 1, "b": 0.5}).to_dict()["budget"]["remaining_ratio"] == "-inf"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: combine([]), "nothing to combine"),
        (lambda: combine([1.2]), "share in"),
        (lambda: combine([float("nan")]), "share in"),
        (lambda: combine([True]), "share in"),
        (lambda: combine(["x"]), "share in"),
        (lambda: combine([0.5], weights=[-1]), "not negative"),
        (lambda: combine([0.5], weights=["x"]), "not negative"),
        (lambda: combine([0.5], weights=[1, 2]), "as many weights"),
        (lambda: combine([0.5], rule="mean"), "rule must be one of"),  # type: ignore[arg-type]
        (lambda: combine([0.5], rule="k_of_n"), "k between 1 and 1"),
        (lambda: combine([0.5], rule="serial", k=1), 'k belongs to "k_of_n"'),
        (lambda: combine([0.5], missing="skip"), "missing must be"),  # type: ignore[arg-type]
        (lambda: combined_bounds([], rule="serial"), "nothing to combine"),
        (lambda: combined_bounds([0.5], rule="weighted"), "bounds exist for"),
        (lambda: Composite("x", "99%", []), "at least one member"),
        (lambda: Composite("x", "99%", "cart"), "names in a list"),
        (lambda: Composite("x", "99%", ["a", "a"]), "names a member twice"),
        (lambda: Composite("x", "99%", ["a"], missing="zz"), "missing must be"),  # type: ignore[arg-type]
        (lambda: Composite("x", "99%", ["a"], "k_of_n", 1.5), "k between"),  # type: ignore[arg-type]
        (lambda: Composite("x", "99%", ["a"], rule="best"), "rule must be one of"),  # type: ignore[arg-type]
    ],
)
def test_bad_input(call: object, message: str) -> None:
    """What cannot be combined is a named error that says what fits."""
    with pytest.raises(InvalidInputError, match=message):
        call()  # type: ignore[operator]


def test_thresholds_do_not_combine() -> None:
    """A threshold has no SLI, so it cannot be part of a composite."""
    slo = SLO("p95", window="7d", sli=LatencyQuantile({"p95": "200ms"}))
    status = slo.assess(Counts(good=1), at=0)
    with pytest.raises(InvalidInputError, match="is a threshold"):
        Composite("x", "99%", ["p95"]).evaluate([status])


def test_weight_of_nothing() -> None:
    """A weight of 0 takes a part out; when nothing weighs anything there is no figure."""
    assert combine([0.5, 1], weights=[0, 3]) == 1
    assert combine([0.5, 1], weights=[0, 0]) is None


def test_all_without_data() -> None:
    """With every part silent, leaving out leaves nothing to say."""
    assert combine([None, None]) is None
    empty = Composite("x", "99%", ["a"], missing="exclude").of({"a": None})
    assert (empty.state, empty.budget_consumed, empty.bounds) == ("no_data", None, None)


def test_a_card_says_what_is_known() -> None:
    """The figures by hand, and each note only where there is something to say."""
    journey = Composite("checkout", "99.5%", ["cart", "pay"], rule="serial")
    notes = journey.of({"cart": "0.999", "pay": "0.998"})._card().notes
    assert notes == [
        "together: SLI 99.7002%, 40.04% of the budget left",  # (0.997002 - 0.995) / 0.005
        "whatever the parts' dependence: from 99.7000% to 99.8000%",  # 1 - 0.001 - 0.002; the worse
    ]
    assert journey.of({"cart": "0.999", "pay": None})._card().notes == ["without data: pay"]
    strict = Composite("all", "100%", {"a": 2, "b": 1}).of({"a": 1, "b": 0.5})
    assert strict._card().notes == ["together: SLI 83.3333%, -inf of the budget left"]


def test_members_are_data() -> None:
    """Each with its figure, None where it has none, and its weight."""
    status = Composite("x", "99%", {"a": 2, "b": 1}, missing="exclude").of({"a": 1, "b": None})
    assert status.to_dict()["members"] == [
        {"name": "a", "sli": 1.0, "weight": 2.0},
        {"name": "b", "sli": None, "weight": 1.0},
    ]
