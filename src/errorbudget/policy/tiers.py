"""Tables of tiers: which holds for what is left of the budget, and why it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import isnan
from typing import TYPE_CHECKING, Any

from errorbudget import figures
from errorbudget.budget import Ratio
from errorbudget.counts import Count
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational, shown
from errorbudget.target import format_percent
from errorbudget.times import format_time

__all__ = ["Policy", "Tier", "TierChange"]


def _bound(value: object) -> Fraction | None:
    if value is None:
        return None
    try:
        share = parse_rational(value)
    except ValueError:
        raise InvalidInputError(
            f'a tier\'s bound is a share of the budget such as "20%", got {shown(value)}'
        ) from None
    if share > 1:
        raise InvalidInputError(
            f"a tier's bound is at most 100 % of the budget, got {value}; "
            f'for percent write "{value}%"'
        )
    return share


@dataclass(frozen=True, slots=True)
class Tier:
    """
    One row of a policy.

    Args:
        name: Short name, such as "healthy".
        above: Lower bound on the share of the budget that is left, `"50%"` or 0.5; None for the
            worst tier, which has none.
        inclusive: Whether the bound itself belongs to this tier.
        actions: What to do, by topic (pace, monitoring, what may ship).
        may_deploy: What a deploy gate lets through: "all", "critical" (fixes and security patches
            only) or "none".
    """

    name: str
    above: Fraction | None = None
    inclusive: bool = False
    actions: Mapping[str, str] = field(default_factory=dict)
    may_deploy: str = "all"

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str,
            above: Fraction | float | str | None = None,
            inclusive: bool = False,
            actions: Mapping[str, str] = ...,
            may_deploy: str = "all",
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInputError(f"a tier needs a name, got {shown(self.name)}")
        if not isinstance(self.actions, Mapping):
            raise InvalidInputError(
                f'tier "{self.name}": actions are texts by topic, got {shown(self.actions)}'
            )
        if not isinstance(self.may_deploy, str) or self.may_deploy not in (
            "all",
            "critical",
            "none",
        ):
            raise InvalidInputError(
                f'may_deploy must be "all", "critical" or "none", got {shown(self.may_deploy)}'
            )
        object.__setattr__(self, "above", _bound(self.above))
        object.__setattr__(self, "actions", dict(self.actions))

    def holds(self, remaining: Ratio, margin: Fraction = Fraction(0)) -> bool:
        """Whether *remaining* reaches this tier's bound, and *margin* beyond it."""
        if self.above is None:
            return True
        bound: Ratio = self.above + margin
        if isinstance(remaining, float):
            bound = float(bound)  # a history's 30 % is the nearest float, and still 30 %
        return remaining >= bound if self.inclusive else remaining > bound

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "name": self.name,
            "above": None if self.above is None else format_percent(self.above),
            "inclusive": self.inclusive,
            "actions": dict(self.actions),
            "may_deploy": self.may_deploy,
        }


@dataclass(frozen=True, slots=True)
class TierChange:
    """
    A move from one tier to another, and why.

    Attributes:
        at_ns: When [ns UTC].
        before: Name of the tier left, or None at the start and after a stretch without data.
        after: Name of the tier entered, or None when data ends.
        remaining: Share of the budget left at that moment, or None without data.
        reason: A sentence that names the boundary that was crossed.
    """

    at_ns: int
    before: str | None
    after: str | None
    remaining: float | None
    reason: str

    def __str__(self) -> str:
        return f"{format_time(self.at_ns)} {self.before} -> {self.after}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Policy:
    """
    A table of tiers, from the most budget left to the least.

    Args:
        name: Name of the table.
        tiers: Rows with falling bounds; the last one has none.
        source: Where the table comes from.
        hysteresis: How far above a boundary the budget has to climb before a better tier is taken
            again; 0 is off. Worse tiers are always entered at once.

    Raises:
        InvalidInputError: The bounds do not fall, or the last tier has one.

    Example:
        >>> from errorbudget import ERROR_BUDGET_POLICY, RISK_TOLERANCE
        >>> ERROR_BUDGET_POLICY.tier(Fraction(1, 2)).name
        'consuming'
        >>> RISK_TOLERANCE.tier(Fraction(1, 2)).name
        'medium'
    """

    name: str
    tiers: Sequence[Tier]
    source: str = ""
    hysteresis: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not isinstance(self.tiers, Iterable):
            raise InvalidInputError(
                f'policy "{self.name}": tiers must be a list, got {shown(self.tiers)}'
            )
        tiers = tuple(self.tiers)
        object.__setattr__(self, "tiers", tiers)
        object.__setattr__(self, "hysteresis", _bound(self.hysteresis) or Fraction(0))
        for tier in tiers:
            if not isinstance(tier, Tier):
                raise InvalidInputError(
                    f'policy "{self.name}": each row is a Tier, got {shown(tier)}'
                )
        if not tiers or tiers[-1].above is not None:
            raise InvalidInputError(f'policy "{self.name}": the last tier must have no lower bound')
        if len({tier.name for tier in tiers}) != len(tiers):
            raise InvalidInputError(f'policy "{self.name}": tiers must have different names')
        edges = [(tier.above, not tier.inclusive) for tier in tiers[:-1] if tier.above is not None]
        if len(edges) < len(tiers) - 1:
            raise InvalidInputError(f'policy "{self.name}": only the last tier may have no bound')
        for tier, better, worse in zip(tiers[1:], edges, edges[1:], strict=False):
            if worse >= better:
                raise InvalidInputError(
                    f'policy "{self.name}": bounds must fall, but "{tier.name}" does not lie '
                    "below the tier before it"
                )
        if self.hysteresis < 0:
            raise InvalidInputError(f'policy "{self.name}": hysteresis must not be negative')

    def _rank(self, remaining: Ratio, margin: Fraction = Fraction(0)) -> int:
        return next(rank for rank, tier in enumerate(self.tiers) if tier.holds(remaining, margin))

    def tier(self, remaining: Ratio | None, *, before: str | None = None) -> Tier | None:
        """
        The tier for a share of budget left.

        Args:
            remaining: Share of the budget left, exact where it can be; None without data.
            before: Name of the tier held until now, for hysteresis.

        Returns:
            The tier, or None without data.
        """
        if remaining is None or (isinstance(remaining, float) and isnan(remaining)):
            return None
        if not isinstance(remaining, (int, float, Fraction)):
            raise InvalidInputError(f"a share of the budget was asked for, got {shown(remaining)}")
        rank = self._rank(remaining)
        if before is not None and self.hysteresis:
            held = self._named(before)
            if rank < held:
                # Better tiers are open only as far as the budget clears their bound by the margin.
                rank = min(self._rank(remaining, self.hysteresis), held)
        return self.tiers[rank]

    def tier_of(self, left: Count, allowed: Count) -> Tier:
        """
        The tier for *left* of what is *allowed*, which is more than 0; no fraction is made.

        Example:
            >>> from errorbudget import ERROR_BUDGET_POLICY
            >>> ERROR_BUDGET_POLICY.tier_of(1, 2).name
            'consuming'
        """
        rank = 0
        while (bound := self.tiers[rank].above) is not None:
            have, need = left * bound.denominator, bound.numerator * allowed
            if have > need or (self.tiers[rank].inclusive and have == need):
                break
            rank += 1
        return self.tiers[rank]

    def _named(self, name: str) -> int:
        for rank, tier in enumerate(self.tiers):
            if tier.name == str(name):
                return rank
        known = ", ".join(tier.name for tier in self.tiers)
        raise InvalidInputError(f'policy "{self.name}" has no tier "{name}"; it has {known}')

    def __getitem__(self, name: str) -> Tier:
        return self.tiers[self._named(name)]

    def bounds(self, tier: Tier) -> str:
        """
        The rows' range in words, with both ends.

        Example:
            >>> from errorbudget import RISK_TOLERANCE
            >>> [RISK_TOLERANCE.bounds(tier) for tier in RISK_TOLERANCE.tiers]
            ['> 75%', '50% to 75%', '25% to < 50%', '< 25%']
        """
        rank = self._named(tier.name)
        better = self.tiers[rank - 1] if rank else None
        upper = "" if better is None else ("< " if better.inclusive else "")
        top = "" if better is None or better.above is None else format_percent(better.above)
        if tier.above is None:
            return (
                f"{'<' if better is not None and better.inclusive else '<='} {top}"
                if top
                else "any"
            )
        low = format_percent(tier.above)
        if not top:
            return f"{'>=' if tier.inclusive else '>'} {low}"
        return f"{'' if tier.inclusive else '> '}{low} to {upper}{top}"

    def timeline(
        self, times_ns: Iterable[int], remaining: Iterable[Ratio | None]
    ) -> list[TierChange]:
        """
        Every change of tier along a history, with its reason; the first entry says where it began.

        Args:
            times_ns: Instants [ns UTC], ascending; shape (n,).
            remaining: Share of the budget left at each; None or NaN without data; shape (n,).

        Time: O(n).
        """
        changes: list[TierChange] = []
        held: str | None = None
        known: str | None = None  # the last tier before a gap still steers hysteresis
        started = False
        for at_ns, left in zip(times_ns, remaining, strict=True):
            tier = self.tier(left, before=known)
            name = None if tier is None else tier.name
            if name == held and started:
                continue
            started = True
            share = None if tier is None or left is None else float(left)
            changes.append(
                TierChange(int(at_ns), held, name, share, self._reason(held, tier, share))
            )
            held = name
            known = name or known
        return changes

    def _reason(self, before: str | None, tier: Tier | None, share: float | None) -> str:
        if tier is None or share is None:
            return "no data to judge by"
        bounds = [tier.above for tier in self.tiers if tier.above is not None]
        left = f"{figures.percent(share, lines=bounds)} of the budget left"
        if before is None:
            return f"{left}: {tier.name} ({self.bounds(tier)})"
        if self._named(before) < self._named(tier.name):
            lost = self[before]
            return f"{left}: no longer {before} ({self.bounds(lost)})"
        margin = (
            f", by more than the margin of {format_percent(self.hysteresis)}"
            if self.hysteresis
            else ""
        )
        return f"{left}: {tier.name} again ({self.bounds(tier)}){margin}"

    def with_hysteresis(self, margin: Any) -> Policy:
        """The same table, taking better tiers again only *margin* above their bound."""
        return replace(self, hysteresis=margin)

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data, read back by `Policy.from_dict`."""
        return {
            "name": self.name,
            "source": self.source,
            "hysteresis": format_percent(self.hysteresis),
            "tiers": [tier.to_dict() for tier in self.tiers],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Policy:
        """
        The table that `to_dict` wrote, or that a specification holds.

        Raises:
            InvalidInputError: A part is missing or unknown.
        """
        if not isinstance(data, Mapping):
            raise InvalidInputError(f"a policy has a name and tiers, got {shown(data)}")
        try:
            tiers = [Tier(**row) for row in data["tiers"]]
            return cls(
                data.get("name", "custom"), tiers, data.get("source", ""), data.get("hysteresis", 0)
            )
        except (KeyError, TypeError) as error:
            raise InvalidInputError(f"a policy has a name and tiers: {error}") from None
