"""How the SLIs of parts make one: the arithmetic of each rule, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational, shown

__all__ = [
    "MISSING",
    "RULES",
    "Missing",
    "Rule",
    "combine",
    "combined_bounds",
    "parts_needed",
    "share_of",
    "weight_of",
]

Rule = Literal["weighted", "serial", "parallel", "worst_of", "k_of_n"]
RULES: tuple[Rule, ...] = ("weighted", "serial", "parallel", "worst_of", "k_of_n")
Missing = Literal["exclude", "good", "bad", "no_data"]
"""A member without data is left out, counts as 1, counts as 0, or leaves the whole without data."""
MISSING: tuple[Missing, ...] = ("exclude", "good", "bad", "no_data")


def share_of(value: object) -> Fraction | None:
    """An SLI as an exact share; None without data."""
    if value is None:
        return None
    if isinstance(value, bool):
        raise InvalidInputError(f"an SLI is a share in [0, 1], got {shown(value)}")
    try:
        share = parse_rational(value)
    except ValueError:
        raise InvalidInputError(f"an SLI is a share in [0, 1], got {shown(value)}") from None
    if not 0 <= share <= 1:
        raise InvalidInputError(f"an SLI is a share in [0, 1], got {value}")
    return share


def weight_of(value: object) -> Fraction:
    """A weight, exactly."""
    try:
        weight = parse_rational(value)
    except ValueError:
        weight = Fraction(-1)
    if weight < 0 or isinstance(value, bool):
        raise InvalidInputError(f"a weight is a finite number and not negative, got {shown(value)}")
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


def parts_needed(rule: Rule, k: int | None, n: int) -> int | None:
    """How many of *n* parts must work, where the rule is asked with one: *k* itself, checked."""
    if rule != "k_of_n":
        if k is not None:
            raise InvalidInputError(f'k belongs to "k_of_n", not to "{rule}"')
        return None
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= n:
        raise InvalidInputError(f"k_of_n needs k between 1 and {n}, got {shown(k)}")
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
    if not isinstance(rule, str) or rule not in RULES:
        raise InvalidInputError(f"rule must be one of {', '.join(RULES)}, got {shown(rule)}")
    if not slis:
        raise InvalidInputError("nothing to combine; give at least one SLI")
    if not isinstance(missing, str) or missing not in MISSING:
        raise InvalidInputError(
            f"missing must be one of {', '.join(MISSING)}, got {shown(missing)}"
        )
    if weights is not None and len(weights) != len(slis):
        raise InvalidInputError(f"{len(slis)} SLIs need as many weights, got {len(weights)}")
    needed = parts_needed(rule, k, len(slis))
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
        share = share_of(value)
        if share is None and missing == "no_data":
            return []
        share = stand_in if share is None else share
        if share is not None:
            parts.append((share, weight_of(weight)))
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
    shares = sorted(share for share in map(share_of, slis) if share is not None)
    if not shares:
        raise InvalidInputError("nothing to combine; give at least one SLI")
    n = len(shares)
    needed = {"serial": n, "parallel": 1}.get(rule) or parts_needed(rule, k, n)
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
