"""
What reading a specification gives: its objectives, and what was said about them on the way.

A `Spec` is a sequence of SLOs, so it goes wherever a list of them goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from errorbudget.alerts import AlertPolicy
from errorbudget.slo import SLO, find_slo

__all__ = ["Loss", "Spec"]


@dataclass(frozen=True, slots=True)
class Loss:
    """
    A field that could not be carried from one format into another.

    Attributes:
        path: Where it stood, as `spec.alertPolicies[0]`, with the name of its document in front.
        value: What it held.
        why: Why it has no place, or what became of it.
    """

    path: str
    value: Any
    why: str

    def __str__(self) -> str:
        text = repr(self.value)
        shown = text if len(text) <= 80 else text[:77] + "..."
        return f"{self.path} = {shown}: {self.why}"

    def to_dict(self) -> dict[str, Any]:
        """The loss as plain data."""
        return {"path": self.path, "value": self.value, "why": self.why}


@dataclass(frozen=True, slots=True)
class Spec(Sequence[SLO]):
    """
    The objectives of a specification, in its order.

    Attributes:
        slos: The objectives.
        warnings: What is legal and probably not meant, with its line.
        losses: Fields of another format that could not be carried.
        tables: Tables of burn alerts that stand in the file by themselves.
        format: "errorbudget", "openslo", "sloth", "pyrra", "slo-generator" or "slo-kit".
        files: Every file that was read, the first one first.
    """

    slos: tuple[SLO, ...]
    warnings: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    tables: tuple[AlertPolicy, ...] = ()
    format: str = "errorbudget"
    files: tuple[str, ...] = ()

    @overload
    def __getitem__(self, key: int | str) -> SLO: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[SLO]: ...
    def __getitem__(self, key: int | str | slice) -> SLO | Sequence[SLO]:
        """The objective at a place, or of a name."""
        return find_slo(self.slos, key) if isinstance(key, str) else self.slos[key]

    def __len__(self) -> int:
        return len(self.slos)

    def __iter__(self) -> Iterator[SLO]:
        return iter(self.slos)

    def __str__(self) -> str:
        return "\n".join(map(str, self.slos))
