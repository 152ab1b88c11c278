"""A promise over several SLOs, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget import figures
from errorbudget.budget import Ratio
from errorbudget.cards import Card, Shown, frame
from errorbudget.composite.rules import (
    MISSING,
    RULES,
    Missing,
    Rule,
    combine,
    combined_bounds,
    parts_needed,
    share_of,
    weight_of,
)
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.status import State, Status, json_number
from errorbudget.target import Target, TargetLike

__all__ = ["Composite", "CompositeStatus", "Member"]


@dataclass(frozen=True, slots=True)
class Member:
    """
    One part of a composite.

    Attributes:
        name: Name of the part.
        sli: Its exact share of good events, or None without data.
        weight: Its weight in `weighted` [>= 0].
    """

    name: str
    sli: Fraction | None
    weight: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Composite:
    """
    A promise over several SLOs.

    Args:
        name: Name of the composite, such as a user journey.
        target: Exact share that the composite must reach.
        members: Names of its parts, or weights by name.
        rule: How they combine.
        k: How many parts must work, for `k_of_n`.
        missing: What a part without data is.

    Example:
        >>> checkout = Composite("checkout", "99.5%", ["cart", "payment"], rule="serial")
        >>> checkout.of({"cart": "0.999", "payment": "0.998"}).budget_remaining
        0.4004
    """

    name: str
    target: Target
    members: Mapping[str, Fraction]
    rule: Rule = "weighted"
    k: int | None = None
    missing: Missing = "no_data"

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str,
            target: TargetLike,
            members: Iterable[str] | Mapping[str, Any],
            rule: Rule = "weighted",
            k: int | None = None,
            missing: Missing = "no_data",
        ) -> None: ...

    def __post_init__(self) -> None:
        if isinstance(self.members, str):
            raise InvalidInputError(f'members are names in a list, such as ["{self.members}"]')
        if not isinstance(self.members, Mapping):
            names = list(self.members)
            if len(set(names)) != len(names):
                raise InvalidInputError(f'composite "{self.name}" names a member twice')
        if not isinstance(self.missing, str) or self.missing not in MISSING:
            raise InvalidInputError(
                f"missing must be one of {', '.join(MISSING)}, got {shown(self.missing)}"
            )
        weights = (
            self.members if isinstance(self.members, Mapping) else dict.fromkeys(self.members, 1)
        )
        if not weights:
            raise InvalidInputError(f'composite "{self.name}" needs at least one member')
        if not isinstance(self.rule, str) or self.rule not in RULES:
            raise InvalidInputError(
                f"rule must be one of {', '.join(RULES)}, got {shown(self.rule)}"
            )
        parts_needed(self.rule, self.k, len(weights))
        object.__setattr__(self, "target", Target(self.target))
        object.__setattr__(self, "members", {name: weight_of(w) for name, w in weights.items()})

    def of(self, slis: Mapping[str, object]) -> CompositeStatus:
        """
        The composite of *slis* by member name.

        Raises:
            InvalidInputError: A member is not among them; a part without data is there as None.
        """
        absent = [name for name in self.members if name not in slis]
        if absent:
            raise InvalidInputError(
                f'composite "{self.name}" has no figure for {", ".join(absent)}; '
                "pass None for a part without data"
            )
        members = tuple(
            Member(name, share_of(slis[name]), weight) for name, weight in self.members.items()
        )
        return CompositeStatus(self, members)

    def evaluate(self, statuses: Iterable[Status]) -> CompositeStatus:
        """
        The composite of the statuses of its members, found by name.

        Raises:
            InvalidInputError: A member is not among them, or is a threshold without an SLI.
        """
        slis: dict[str, object] = {}
        for status in statuses:
            if status.name in self.members and status.budget is None:
                raise InvalidInputError(
                    f'"{status.name}" is a threshold and has no SLI to combine; '
                    "use its ratio or time-slice form"
                )
            counts = status.counts
            slis[status.name] = Fraction(counts.good) / Fraction(counts.total) if counts else None
        return self.of(slis)


@dataclass(frozen=True, slots=True)
class CompositeStatus(Shown):
    """
    A composite at one instant.

    Attributes:
        composite: The promise.
        members: Its parts with their exact SLIs.
    """

    composite: Composite
    members: tuple[Member, ...]

    @property
    def sli_exact(self) -> Fraction | None:
        """The composite share of good, exactly; None without data."""
        return combine(
            [member.sli for member in self.members],
            rule=self.composite.rule,
            weights=[member.weight for member in self.members],
            k=self.composite.k,
            missing=self.composite.missing,
        )

    @property
    def sli(self) -> float | None:
        """The composite share of good; None without data."""
        exact = self.sli_exact
        return None if exact is None else float(exact)

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the members without data."""
        return tuple(member.name for member in self.members if member.sli is None)

    @property
    def consumed_exact(self) -> Ratio | None:
        """Spent share of the composite's budget, exactly; None without data."""
        share = self.sli_exact
        if share is None:
            return None
        error = self.composite.target.error
        if error:
            return (1 - share) / error
        return float("inf") if share < 1 else Fraction(0)

    @property
    def budget_consumed(self) -> float | None:
        """Spent share of the composite's budget [1]; None without data."""
        consumed = self.consumed_exact
        return None if consumed is None else float(consumed)

    @property
    def budget_remaining(self) -> float | None:
        """Share of the composite's budget that is left [1], unclamped; None without data."""
        consumed = self.consumed_exact
        return None if consumed is None else float(1 - consumed)

    @property
    def state(self) -> State:
        """Whether the composite reaches its target."""
        share = self.sli_exact
        if share is None:
            return "no_data"
        return "met" if share >= self.composite.target.ratio else "missed"

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Where it lies whatever the dependence; None for other rules or without data."""
        known = [member.sli for member in self.members if member.sli is not None]
        if self.composite.rule not in ("serial", "parallel", "k_of_n") or len(known) < len(
            self.members
        ):
            return None
        low, high = combined_bounds(known, rule=self.composite.rule, k=self.composite.k)
        return float(low), float(high)

    def to_dict(self) -> dict[str, Any]:
        """The composite as plain data."""
        return {
            "name": self.composite.name,
            "state": self.state,
            "rule": self.composite.rule,
            "target": str(self.composite.target),
            "sli": self.sli,
            "bounds": None if self.bounds is None else list(self.bounds),
            "budget": {
                "consumed_ratio": json_number(self.budget_consumed),
                "remaining_ratio": json_number(self.budget_remaining),
            },
            "members": [
                {
                    "name": member.name,
                    "sli": None if member.sli is None else float(member.sli),
                    "weight": float(member.weight),
                }
                for member in self.members
            ],
            "absent": list(self.absent),
        }

    def to_pandas(self) -> Any:
        """The members, and the whole as the last row, as a pandas DataFrame."""
        rows = [
            {"name": each["name"], "sli": each["sli"], "weight": each["weight"]}
            for each in self.to_dict()["members"]
        ]
        whole = {"name": self.composite.name, "sli": self.sli, "weight": None}
        return frame([*rows, whole], {"name": "text", "sli": "figure", "weight": "figure"})

    def _card(self) -> Card:
        target = self.composite.target
        rule = self.composite.rule.replace("_", " ")
        rows = [
            (
                each.name,
                "no data" if each.sli is None else figures.percent(each.sli, 4),
                figures.decimal(each.weight, 4),
            )
            for each in self.members
        ]
        share, spent = self.sli_exact, self.consumed_exact
        notes = []
        if share is not None and spent is not None:
            whole = figures.percent(share, 4, lines=[target.ratio])
            left = figures.percent(1 - spent, lines=[Fraction(0)])
            notes.append(f"together: SLI {whole}, {left} of the budget left")
        if self.bounds is not None:
            low, high = (figures.percent(each, 4) for each in self.bounds)
            notes.append(f"whatever the parts' dependence: from {low} to {high}")
        if self.absent:
            notes.append(f"without data: {', '.join(self.absent)}")
        return Card(
            self.composite.name,
            self.state.replace("_", " "),
            {"met": "good", "missed": "bad", "no_data": ""}[self.state],
            [f"{target} of {len(self.members)} parts, {rule}"],
            ("part", "SLI", "weight"),
            rows,
            notes,
        )
