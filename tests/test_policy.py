"""Every budget lies in exactly one tier, and hysteresis holds what it has."""

from __future__ import annotations

import json
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import ERROR_BUDGET_POLICY, RISK_TOLERANCE, Policy, Tier
from errorbudget.errors import InvalidInputError
from tests import oracles

remaining = st.one_of(
    st.fractions(-5, 1),
    st.sampled_from(["0", "0.2", "0.25", "0.5", "0.75", "1"]).map(Fraction),
    st.just(-inf),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Tables of falling bounds, each open or closed, with any margin."""
    bounds = draw(st.lists(st.fractions(-1, 1, max_denominator=40), max_size=5, unique=True))
    tiers = [
        Tier(f"t{rank}", bound, draw(st.booleans()))
        for rank, bound in enumerate(sorted(bounds, reverse=True))
    ]
    margin = draw(st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(1, 3)]))
    return Policy("any", [*tiers, Tier("worst")], hysteresis=margin)


@given(remaining)
def test_the_guides_tables(left: Fraction | float) -> None:
    """Both presets are the guide's rows, to the boundary, for fractions and their floats."""
    for value in (left, float(left)):
        assert ERROR_BUDGET_POLICY.tier(value).name == oracles.tier(left)  # type: ignore[union-attr]
        assert RISK_TOLERANCE.tier(value).name == oracles.risk(left)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("left", "tier", "risk"),
    [
        ("1", "healthy", "high"),
        ("0.75", "healthy", "medium"),
        ("0.500001", "healthy", "medium"),
        ("0.5", "consuming", "medium"),
        ("0.499999", "consuming", "low"),
        ("0.25", "consuming", "low"),
        ("0.249999", "consuming", "critical"),
        ("0.2", "consuming", "critical"),
        ("0.199999", "low", "critical"),
        ("0", "exhausted", "critical"),
        ("-3", "exhausted", "critical"),
    ],
)
def test_boundaries(left: str, tier: str, risk: str) -> None:
    """Both ends of 20-50 % are consuming; 0 is exhausted; 75 % is medium."""
    assert ERROR_BUDGET_POLICY.tier(Fraction(left)).name == tier  # type: ignore[union-attr]
    assert RISK_TOLERANCE.tier(Fraction(left)).name == risk  # type: ignore[union-attr]


@given(policies(), remaining)
def test_one_tier_and_only_one(policy: Policy, left: Fraction | float) -> None:
    """The tier's own bound is reached and no better one's is; the words say so too."""
    tier = policy.tier(left)
    assert tier is not None
    rank = policy.tiers.index(tier)
    assert tier.holds(left)
    assert not any(better.holds(left) for better in policy.tiers[:rank])
    assert policy[tier.name] is tier
    assert policy.bounds(tier)


@given(policies(), st.integers(1, 40), st.integers(0, 40))
def test_floats_of_a_history_find_the_same_tier(policy: Policy, whole: int, part: int) -> None:
    """3/10 and its nearest float lie in one tier, also on the boundary itself."""
    exact = Fraction(part, whole)
    assert policy.tier(exact) == policy.tier(float(exact))


@given(
    policies(),
    st.one_of(st.integers(-50, 50), st.fractions(-5, 5, max_denominator=40)),
    st.one_of(st.integers(1, 50), st.fractions("1/40", 5, max_denominator=40)),
)
def test_counts_find_the_tier_of_their_share(
    policy: Policy, left: int | Fraction, allowed: int | Fraction
) -> None:
    """What is left of what is allowed lies in the tier of the quotient, bounds included."""
    assert policy.tier_of(left, allowed) == policy.tier(Fraction(left) / allowed)
    for tier in policy.tiers[:-1]:
        assert tier.above is not None
        on_it = policy.tier_of(tier.above * allowed, allowed)
        assert (on_it == tier) == tier.inclusive


@given(policies(), remaining, remaining)
def test_hysteresis_never_flaps(
    policy: Policy, first: Fraction | float, then: Fraction | float
) -> None:
    """Worse tiers are entered at once; better ones only past the margin; what is held is stable."""
    held = policy.tier(first)
    assert held is not None
    found = policy.tier(then, before=held.name)
    plain = policy.tier(then)
    assert found is not None
    assert plain is not None
    ranks = {tier.name: rank for rank, tier in enumerate(policy.tiers)}
    if ranks[plain.name] >= ranks[held.name]:
        assert found == plain
    else:
        assert ranks[plain.name] <= ranks[found.name] <= ranks[held.name]
        assert found == held or found.holds(then, policy.hysteresis)
    # Where it is now, it stays.
    assert policy.tier(then, before=found.name) == found


def test_inside_the_margin_nothing_moves() -> None:
    """Swinging by less than the margin around a boundary changes the tier once, not every time."""
    calm = ERROR_BUDGET_POLICY.with_hysteresis("5%")
    lefts = [0.51, 0.49, 0.51, 0.49, 0.549, 0.49, 0.551]
    names = [change.after for change in calm.timeline(range(7), lefts)]
    assert names == ["healthy", "consuming", "healthy"]
    reasons = [change.reason for change in calm.timeline(range(7), lefts)]
    assert reasons[0] == "51.00% of the budget left: healthy (> 50%)"
    assert reasons[1] == "49.00% of the budget left: no longer healthy (> 50%)"
    assert "by more than the margin of 5%" in reasons[2]
    assert len(ERROR_BUDGET_POLICY.timeline(range(7), lefts)) == 7


def test_a_timeline_knows_gaps() -> None:
    """Without data there is no tier, and the one before the gap still steers hysteresis."""
    lefts = [None, Fraction(3, 5), nan, 0.1, 0.6, -inf]
    changes = ERROR_BUDGET_POLICY.timeline(range(6), lefts)
    assert [change.after for change in changes] == [
        *(None, "healthy", None, "low", "healthy", "exhausted"),
    ]
    assert changes[0].reason == "no data to judge by"
    assert changes[4].reason == "60.00% of the budget left: healthy again (> 50%)"
    assert str(changes[5]).startswith("1970-01-01T00:00:00.000000005Z healthy -> exhausted")
    assert ERROR_BUDGET_POLICY.timeline([], []) == []


@given(policies())
def test_tables_are_data(policy: Policy) -> None:
    """Written as JSON and read back, a table is the same."""
    assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


def test_bounds_in_words() -> None:
    """Each row says both of its ends."""
    words = [ERROR_BUDGET_POLICY.bounds(tier) for tier in ERROR_BUDGET_POLICY.tiers]
    assert words == ["> 50%", "20% to 50%", "> 0% to < 20%", "<= 0%"]
    only = Policy("one", [Tier("all")])
    assert only.bounds(only.tiers[0]) == "any"
    point = Policy("p", [Tier("a", "50%"), Tier("b", "50%", inclusive=True), Tier("c")])
    assert point.tier(Fraction(1, 2)).name == "b"  # type: ignore[union-attr]
    half = Policy("q", [Tier("a", 0.5, inclusive=True), Tier("c")])
    assert [half.bounds(tier) for tier in half.tiers] == [">= 50%", "< 50%"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Tier(""), "needs a name"),
        (lambda: Tier(None), "needs a name"),
        (lambda: Tier("a", 50), 'for percent write "50%"'),
        (lambda: Tier("a", "abc"), "such as"),
        (lambda: Tier("a", float("nan")), "such as"),
        (lambda: Tier("a", True), "such as"),
        (lambda: Tier("a", actions=5), "texts by topic"),
        (lambda: Tier("a", may_deploy="some"), "may_deploy"),
        (lambda: Policy("a", []), "no lower bound"),
        (lambda: Policy("a", 5), "must be a list"),
        (lambda: Policy("a", ["b"]), "each row is a Tier"),
        (lambda: Policy("a", [Tier("b", 0.5)]), "no lower bound"),
        (lambda: Policy("a", [Tier("b"), Tier("c")]), "only the last"),
        (lambda: Policy("a", [Tier("b", 0.5), Tier("b")]), "different names"),
        (lambda: Policy("a", [Tier("b", 0.2), Tier("c", 0.5), Tier("d")]), "must fall"),
        (lambda: Policy("a", [Tier("b", 0.5, True), Tier("c", 0.5), Tier("d")]), "must fall"),
        (lambda: Policy("a", [Tier("b")], hysteresis=-0.1), "negative"),
        (lambda: Policy.from_dict(None), "name and tiers"),
        (lambda: Policy.from_dict({}), "name and tiers"),
        (lambda: Policy.from_dict({"tiers": [{"nam": "x"}]}), "name and tiers"),
        (lambda: RISK_TOLERANCE["exhausted"], "it has high, medium, low, critical"),
        (lambda: RISK_TOLERANCE.tier("abc"), "a share of the budget"),
        (
            lambda: RISK_TOLERANCE.with_hysteresis("1%").tier(Fraction(1), before="x"),
            'no tier "x"',
        ),
    ],
)
def test_tables_that_contradict_themselves(build: object, message: str) -> None:
    """Each is refused with what is wrong."""
    with pytest.raises(InvalidInputError, match=message):
        build()  # type: ignore[operator]
