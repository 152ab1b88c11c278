"""
May this be deployed? The answer that a pipeline needs, and the sentence that says why.

A gate decides on exact figures. It is closed by the first SLO that closes it, and every reason is
named. Without data it is closed, unless told otherwise: silence is no permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

from errorbudget.budget import Ratio
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.figures import percent, rate

if TYPE_CHECKING:
    from errorbudget.status import Status

__all__ = ["Rules", "Standing", "Verdict", "decide", "standing_of", "standings_in"]

SCHEMA = "errorbudget.report/1"


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What a gate asks for.

    Args:
        change: "normal", or "critical" for fixes and security patches.
        on_no_data: "closed" or "open": what an SLO without data means.
        min_remaining: Least share of the budget that has to be left, or None.
        max_burn: Burn rate that may not be exceeded, by window such as "1h".
        policy: Whether the tier of each SLO's policy decides too.
    """

    change: str = "normal"
    on_no_data: str = "closed"
    min_remaining: Fraction | None = None
    max_burn: Mapping[str, Fraction] = field(default_factory=dict)
    policy: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """
    Where one SLO stands, as far as a gate looks at it.

    Attributes:
        name: Name of the SLO.
        state: "met", "missed" or "no_data".
        remaining: Share of the budget left, exactly; None without data or budget.
        burn: Burn rate by window; None where the window has no events.
        tier: Name of the policy's tier, or None.
        may_deploy: What that tier lets through, or None.
    """

    name: str
    state: str
    remaining: Ratio | None
    burn: Mapping[str, Ratio | None]
    tier: str | None
    may_deploy: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The gate's answer.

    Attributes:
        open: Whether the change may go.
        reasons: Why it is closed, or would be, one sentence for each cause.
        notes: What to know although it does not close the gate.
        override: Why somebody opened it by hand, or None.
        slos: How many SLOs were asked.
        least: The SLO with the least budget left, as text, or empty.
        change: The kind of change.
    """

    open: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    override: str | None
    slos: int
    least: str
    change: str

    def __str__(self) -> str:
        why = "; ".join(self.reasons)
        notes = "".join(f"; {note}" for note in self.notes)
        if self.override is not None:
            closed = f"it would be closed: {why}" if why else "it would be open anyway"
            return f'gate open by override ("{self.override}"); {closed}{notes}'
        if not self.open:
            return f"gate closed for a {self.change} change: {why}{notes}"
        every = "1 SLO allows" if self.slos == 1 else f"all {self.slos} SLOs allow"
        least = f"; least budget left: {self.least}" if self.least else ""
        return f"gate open: {every} a {self.change} change{least}{notes}"

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {
            "schema": "errorbudget.gate/1",
            "open": self.open,
            "change": self.change,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "override": self.override,
            "slos": self.slos,
        }


def standing_of(status: Status) -> Standing:
    """Where *status* stands, with its exact figures."""
    from errorbudget.durations import format_duration

    tier = status.policy_tier
    return Standing(
        status.name,
        status.state,
        None if status.budget is None else status.budget.remaining_exact,
        {format_duration(window): value for window, value in status.burn.items()},
        None if tier is None else tier.name,
        None if tier is None else tier.may_deploy,
    )


def _number(value: Any) -> Ratio | None:
    if value is None:
        return None
    if value in ("inf", "-inf"):
        return float(value)
    return Fraction(repr(value) if isinstance(value, float) else value)


def _remaining(slo: Mapping[str, Any]) -> Ratio | None:
    """The share of budget left, from the counts where they and the target are exact."""
    budget = slo["budget"]
    if budget is None:
        return None
    counts, target = slo["counts"], slo["objective"]["target"]
    whole = isinstance(counts["bad"], int) and isinstance(counts["total"], int)
    if not (whole and isinstance(target, str) and counts["total"]):
        return _number(budget["remaining_ratio"])
    from errorbudget.target import Target

    allowed: Fraction = counts["total"] * Target(target).error
    bad: int = counts["bad"]
    if allowed:
        return 1 - bad / allowed
    return -inf if bad else Fraction(1)


def _standing_in(slo: Mapping[str, Any]) -> Standing:
    if slo["state"] not in ("met", "missed", "no_data"):
        raise ValueError(f"state is {slo['state']!r}")
    if slo.get("may_deploy") not in (None, "all", "critical", "none"):
        raise ValueError(f"may_deploy is {slo['may_deploy']!r}")
    for name in ("good", "bad", "total"):
        count = slo["counts"][name]
        if isinstance(count, bool) or not isinstance(count, (int, float)) or count < 0:
            raise ValueError(f"{name} is {count!r}")
    return Standing(
        slo["name"],
        slo["state"],
        _remaining(slo),
        {window: _number(value) for window, value in slo["burn_rates"].items()},
        slo["tier"],
        slo.get("may_deploy"),
    )


def standings_in(report: Mapping[str, Any]) -> list[Standing]:
    """
    Where the SLOs of a JSON report stand.

    Raises:
        InvalidInputError: It is not a report of a version that is known, or lacks a part.
    """
    if report.get("schema") != SCHEMA:
        raise InvalidInputError(
            f"the report has the schema {report.get('schema')!r}, and this gate reads {SCHEMA!r}; "
            "make it with: errorbudget report --format json"
        )
    try:
        return [_standing_in(slo) for slo in report["slos"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"the report is not complete ({error}); make it with: errorbudget report --format json"
        ) from None


def decide(
    standings: Iterable[Standing],
    rules: Rules,
    *,
    override: str | None = None,
    doubts: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Verdict:
    """
    The gate's answer.

    Args:
        standings: Where each SLO stands.
        rules: What to ask for.
        override: Open it whatever they say, for this reason.
        doubts: Reasons to think that there is no data, such as a report that is too old.
        notes: What else to say.

    Raises:
        InvalidInputError: There are no SLOs, or the rules name a window that was not measured.
    """
    every = list(standings)
    if not every:
        raise InvalidInputError("there are no SLOs to ask")
    unknown: list[str] = list(doubts)
    reasons: list[str] = []
    for standing in every:
        without, against = _judged(standing, rules)
        unknown += without
        reasons += against
    closing = rules.on_no_data == "closed"
    if closing:
        reasons = [*unknown, *reasons]
    with_budget = [one for one in every if one.remaining is not None]
    least = min(with_budget, key=lambda one: one.remaining or Fraction(0), default=None)
    return Verdict(
        not reasons or override is not None,
        tuple(reasons),
        (*(() if closing else (f"{one} (open on no data)" for one in unknown)), *notes),
        override,
        len(every),
        "" if least is None else f"{least.name} {_left(least)}",
        rules.change,
    )


def _left(standing: Standing, line: Fraction | None = None) -> str:
    lines = [Fraction(0), Fraction(1, 5), Fraction(1, 2), *([] if line is None else [line])]
    share = percent(standing.remaining, 1, lines=lines)
    return f"{share} ({standing.tier})" if standing.tier else share


def _judged(standing: Standing, rules: Rules) -> tuple[list[str], list[str]]:
    """What is not known about one SLO, and what speaks against a deployment."""
    name = standing.name
    if standing.state == "no_data":
        return [f"{name}: no data"], []
    unknown: list[str] = []
    against: list[str] = []
    if rules.policy:
        if standing.remaining is not None and standing.may_deploy is None:
            unknown.append(f"{name}: its report does not say what the tier lets through")
        elif verdict := _policy_verdict(standing, rules.change):
            against.append(f"{name}: {verdict}")
    floor = rules.min_remaining
    if floor is not None and standing.remaining is not None and standing.remaining < floor:
        against.append(
            f"{name}: {_left(standing, floor)} of the budget left is less than {percent(floor, 1)}"
        )
    for window, limit in rules.max_burn.items():
        if not standing.burn:
            continue  # a threshold objective has no burn rate
        burn = _burn(standing, window)
        if burn is None:
            unknown.append(f"{name}: no events in the last {window}")
        elif burn > limit:
            shown = rate(burn, lines=[limit])
            against.append(f"{name}: burns at {shown} over {window}, above {rate(limit)}")
    return unknown, against


def _policy_verdict(standing: Standing, change: str) -> str:
    """Why the policy of one SLO is against a change; empty when it is not."""
    if standing.remaining is None:
        missed = standing.state == "missed" and change != "critical"
        return "the objective is missed" if missed else ""
    if standing.may_deploy == "none":
        return f"{_left(standing)} of the budget left lets nothing through"
    if standing.may_deploy == "critical" and change != "critical":
        return f"{_left(standing)} of the budget left lets only critical changes through"
    return ""


def _burn(standing: Standing, window: str) -> Ratio | None:
    if window not in standing.burn:
        known = tuple(standing.burn)
        raise InvalidInputError(
            f"{standing.name} has no burn rate over {window}; there are {', '.join(known)}"
            f"{did_you_mean(window, known)}"
        )
    return standing.burn[window]
