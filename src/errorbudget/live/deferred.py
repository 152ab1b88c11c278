"""
A status that is read now and worked out when someone looks.

What counts is the moment of reading, a few microseconds under a lock. Exact fractions, alerts and
projections follow from that moment's whole numbers at any time after, and most of those who ask
look at one or two of them.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

from errorbudget.budget import spent
from errorbudget.counts import Counts
from errorbudget.live.reading import Figures, Reading, figures
from errorbudget.status import Status

__all__ = ["DeferredStatus"]

_FIELDS = tuple(field.name for field in fields(Status))


class DeferredStatus(Status):
    """
    A `Status` whose parts are filled in when the first of them is asked for.

    It equals, copies, pickles and prints as the plain `Status` that it stands for. The SLI, the
    burn rates and the tier cost a few microseconds, everything else the whole.
    """

    __slots__ = ("_figures", "_names", "_reading")

    _reading: Reading
    _names: tuple[str, ...]
    _figures: Figures | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A plain status: `dataclasses.replace` and copies make one."""
        return Status(*args, **kwargs)

    @classmethod
    def of(cls, reading: Reading, names: tuple[str, ...]) -> Self:
        """The status that follows from *reading*; *names* are its burn windows as text."""
        self = object.__new__(cls)
        put = object.__setattr__
        put(self, "_reading", reading)
        put(self, "_names", names)
        put(self, "_figures", None)
        return self

    def __getattr__(self, name: str) -> Any:
        if name not in _FIELDS:
            raise AttributeError(f"'Status' object has no attribute {name!r}")
        plain = self.plain()
        for field in _FIELDS:
            object.__setattr__(self, field, getattr(plain, field))
        return getattr(plain, name)

    def plain(self) -> Status:
        """The status with every part worked out."""
        read = self._reading
        warnings = []
        if read.left_out:
            warnings.append(
                f"{read.left_out:,} events since the start lacked what the indicator asks for: "
                "they are neither good nor bad"
            )
        pairs = zip(read.slo.all_burn_windows, read.burning, read.errors, strict=True)
        return read.slo.assess(
            Counts(*read.own),
            at=read.at_ns,
            error=read.error,
            burn={window: spent(Counts(*pair), error) for window, pair, error in pairs},
            held=read.held,
            coverage=read.coverage,
            left_out=read.left_out,
            warnings=warnings,
        )

    def figures(self) -> Figures:
        """The plain numbers of it."""
        found = self._figures
        if found is None:
            found = figures(self._reading, self._names)
            object.__setattr__(self, "_figures", found)
        return found

    @property
    def name(self) -> str:
        """Name of the SLO."""
        return self._reading.slo.name

    @property
    def sli(self) -> float | None:
        """Share of good units, correctly rounded; None without any."""
        return self.figures().sli

    @property
    def burn_rates(self) -> dict[str, float | None]:
        """Burn rate [1] by window; None where there was nothing."""
        return dict(self.figures().burn_rates)

    @property
    def tier(self) -> str | None:
        """Name of the policy's tier."""
        return self.figures().tier

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Status):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in _FIELDS)

    __hash__ = Status.__hash__

    def __repr__(self) -> str:
        return repr(self.plain())

    def __reduce__(self) -> tuple[Any, ...]:
        return Status, tuple(getattr(self, field) for field in _FIELDS)
