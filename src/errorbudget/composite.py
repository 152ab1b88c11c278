"""
Several SLOs as one promise.

A user journey is only as good as its parts, and how the parts combine is a choice that changes the
figure. Each rule here is one line of arithmetic on the members' exact SLIs:

    weighted   sum(w x sli) / sum(w)          an overall score; a member without data is named
    serial     product of slis                every part must work, failures independent
    parallel   1 - product of (1 - sli)       any part suffices, failures independent
    worst_of   minimum of slis                every part must work, failures together
    k_of_n     P(at least k parts work)       failures independent

Independence is an assumption. When failures come together the truth lies between `serial` and
`worst_of`; `bounds` gives the range that holds whatever the dependence.

Source: OpenSLO and Nobl9 composite SLOs; Elastic weighted SLOs; Fréchet's bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from errorbudget import figures
from errorbudget.budget import Ratio
from errorbudget.cards import Card, Shown, frame
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational
from errorbudget.status import State, Status, json_number
from errorbudget.target import Target, TargetLike

__all__ = [
    "Composite",
    "CompositeStatus",
    "Member",
    "Missing",
    "Rule",
    "combine",
    "combined_bounds",
]

Rule = Literal["weighted", "serial", "parallel", "worst_of", "k_of_n"]
RULES: tuple[Rule, ...] = ("weighted", "serial", "parallel", "worst_of", "k_of_n")
MISSING: tuple[Missing, ...] = ("exclude", "good", "bad", "no_data")
Missing = Literal["exclude", "good", "bad", "no_data"]
"""A member without data is left out, counts as 1, counts as 0, or leaves the whole without data."""


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


def _share(value: object) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise InvalidInputError(f"an SLI is a share in [0, 1], got {value!r}")
    try:
        share = parse_rational(value)
    except ValueError:
        raise InvalidInputError(f"an SLI is a share in [0, 1], got {value!r}") from None
    if not 0 <= share <= 1:
        raise InvalidInputError(f"an SLI is a share in [0, 1], got {value}")
    return share


def _weight(value: object) -> Fraction:
    try:
        weight = parse_rational(value)
    except ValueError:
        weight = Fraction(-1)
    if weight < 0 or isinstance(value, bool):
        raise InvalidInputError(f"a weight is a finite number and not negative, got {value!r}")
    return weight


def _at_least(k: int, shares: Sequence[Fraction]) -> Fraction:
    """Chance that at least *k* of independent parts work: one part added at a time."""
    chances = [Fraction(1)]
    for share in shares:
        chances = [
            (chances[i] * (1 - share) if i < len(chances) else Fraction(0))
            + (chances[i - 1] * share if i else Fraction(0))
            for i in range(len(chances) + 1)
        ]
    return sum(chances[k:], Fraction(0))


def _needed(rule: Rule, k: int | None, n: int) -> int | None:
    if rule != "k_of_n":
        if k is not None:
            raise InvalidInputError(f'k belongs to "k_of_n", not to "{rule}"')
        return None
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= n:
        raise InvalidInputError(f"k_of_n needs k between 1 and {n}, got {k!r}")
    return k


def combine(
    slis: Sequence[object],
    *,
    rule: Rule = "weighted",
    weights: Sequence[object] | None = None,
    k: int | None = None,
    missing: Missing = "exclude",
) -> Fraction | None:
    """
    The composite of several SLIs, exactly.

    Args:
        slis: Shares of good events in [0, 1], None for a part without data; shape (n,).
        rule: How they combine.
        weights: Weights for `weighted` [>= 0]; all 1 by default; shape (n,).
        k: How many parts must work, for `k_of_n`.
        missing: What a part without data is.

    Returns:
        The composite share, or None without data.

    Raises:
        InvalidInputError: A share or weight is out of range, or the rule lacks what it needs.

    Example:
        >>> float(combine([0.99, 0.98]))
        0.985
        >>> float(combine(["0.9999", "0.9999", "0.9995", "0.999"], rule="serial"))
        0.998300809885005
    """
    if rule not in RULES:
        raise InvalidInputError(f"rule must be one of {', '.join(RULES)}, got {rule!r}")
    if not slis:
        raise InvalidInputError("nothing to combine; give at least one SLI")
    if missing not in MISSING:
        raise InvalidInputError(f"missing must be one of {', '.join(MISSING)}, got {missing!r}")
    if weights is not None and len(weights) != len(slis):
        raise InvalidInputError(f"{len(slis)} SLIs need as many weights, got {len(weights)}")
    needed = _needed(rule, k, len(slis))
    parts = _present(slis, [1] * len(slis) if weights is None else weights, missing)
    if not parts:
        return None
    shares = [share for share, _ in parts]
    if rule == "weighted":
        total = sum((weight for _, weight in parts), Fraction(0))
        weighed = sum((share * weight for share, weight in parts), Fraction(0))
        return weighed / total if total else None
    if rule == "worst_of":
        return min(shares)
    if needed is None:
        needed = len(shares) if rule == "serial" else 1
    # A part that was left out neither works nor fails: fewer can be asked of those that remain.
    return _at_least(min(needed, len(shares)), shares)


def _present(
    slis: Sequence[object], weights: Sequence[object], missing: Missing
) -> list[tuple[Fraction, Fraction]]:
    """Share and weight of each part that takes part; none when a silent part silences all."""
    stand_in = {"good": Fraction(1), "bad": Fraction(0)}.get(missing)
    parts = []
    for value, weight in zip(slis, weights, strict=True):
        share = _share(value)
        if share is None and missing == "no_data":
            return []
        share = stand_in if share is None else share
        if share is not None:
            parts.append((share, _weight(weight)))
    return parts


def combined_bounds(
    slis: Sequence[object], *, rule: Rule, k: int | None = None
) -> tuple[Fraction, Fraction]:
    """
    The range in which the composite lies, whatever the dependence between failures.

    Args:
        slis: Shares of good events in [0, 1]; shape (n,).
        rule: "serial", "parallel" or "k_of_n".
        k: How many parts must work, for `k_of_n`.

    Returns:
        Lowest and highest possible share.

    Example:
        >>> [float(bound) for bound in combined_bounds(["0.99", "0.98"], rule="serial")]
        [0.97, 0.98]

    Source: Fréchet; for k of n, Rüger (1978): the extremes of P(at least k of n events).
    """
    shares = sorted(share for share in map(_share, slis) if share is not None)
    if not shares:
        raise InvalidInputError("nothing to combine; give at least one SLI")
    n = len(shares)
    needed = {"serial": n, "parallel": 1}.get(rule) or _needed(rule, k, n)
    if needed is None:
        raise InvalidInputError(f'bounds exist for "serial", "parallel" and "k_of_n", not "{rule}"')
    low, high = Fraction(0), Fraction(1)
    # The extremes are linear programs over exchangeable unions; each candidate drops some parts.
    for dropped in range(needed):
        # with the `dropped` best parts taken as always working, needed - dropped others must work
        rest = shares[: n - dropped]
        high = min(high, sum(rest, Fraction(0)) / (needed - dropped))
    for dropped in range(n - needed + 1):
        rest = shares[dropped:]
        spare = sum(rest, Fraction(0)) - (needed - 1)
        low = max(low, spare / (len(rest) - needed + 1))
    return low, high


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
        if self.missing not in MISSING:
            raise InvalidInputError(
                f"missing must be one of {', '.join(MISSING)}, got {self.missing!r}"
            )
        weights = (
            self.members if isinstance(self.members, Mapping) else dict.fromkeys(self.members, 1)
        )
        if not weights:
            raise InvalidInputError(f'composite "{self.name}" needs at least one member')
        if self.rule not in RULES:
            raise InvalidInputError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        _needed(self.rule, self.k, len(weights))
        object.__setattr__(self, "target", Target(self.target))
        object.__setattr__(self, "members", {name: _weight(w) for name, w in weights.items()})

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
            Member(name, _share(slis[name]), weight) for name, weight in self.members.items()
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
