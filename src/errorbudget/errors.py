"""
Every error and warning of the library, one family, so that one `except` catches it.

    ErrorBudgetError
    ├── InvalidInputError (ValueError)
    │   ├── InvalidTargetError
    │   ├── InvalidDurationError
    │   ├── InvalidWindowError
    │   ├── InvalidTimeError
    │   ├── InvalidCountsError
    │   ├── InvalidPredicateError
    │   ├── InvalidSeriesError          .index of the first offender
    │   └── SpecError                   .path, .line, .column of the offender
    ├── NoDataError
    ├── SourceError
    │   ├── SourceUnavailableError
    │   ├── SourceFormatError           .line of the first offender
    │   └── SourceResponseError         .status, .query
    └── MissingDependencyError (ImportError)

    ErrorBudgetWarning (UserWarning)
    ├── GapWarning
    ├── CounterResetWarning
    ├── LateEventWarning
    ├── LowTrafficWarning
    └── DoubtfulTargetWarning

A message says what came, what fits and what to do, in that order; and of an address that came
never who is let in (`addresses`).
"""

from __future__ import annotations

from typing import Any

from errorbudget.addresses import without_secrets

__all__ = [
    "CounterResetWarning",
    "DoubtfulTargetWarning",
    "ErrorBudgetError",
    "ErrorBudgetWarning",
    "GapWarning",
    "InvalidCountsError",
    "InvalidDurationError",
    "InvalidInputError",
    "InvalidPredicateError",
    "InvalidSeriesError",
    "InvalidTargetError",
    "InvalidTimeError",
    "InvalidWindowError",
    "LateEventWarning",
    "LowTrafficWarning",
    "MissingDependencyError",
    "NoDataError",
    "SourceError",
    "SourceFormatError",
    "SourceResponseError",
    "SourceUnavailableError",
    "SpecError",
    "did_you_mean",
]


class ErrorBudgetError(Exception):
    """The family: everything that the library raises on purpose."""

    def __init__(self, *args: Any, **named: Any) -> None:
        told = (without_secrets(each) if isinstance(each, str) else each for each in args)
        super().__init__(*told, **named)


class InvalidInputError(ErrorBudgetError, ValueError):
    """A value that the question cannot be asked with."""


class InvalidTargetError(InvalidInputError):
    """A target outside (0, 1], or one that cannot be read as a share."""


class InvalidDurationError(InvalidInputError):
    """A span of time that cannot be read, or is not positive."""


class InvalidWindowError(InvalidInputError):
    """A window that cannot be read, or does not fit its use."""


class InvalidTimeError(InvalidInputError):
    """An instant without a zone, out of range, or unreadable."""


class InvalidCountsError(InvalidInputError):
    """Event counts that are negative, not finite or contradict each other."""


class InvalidPredicateError(InvalidInputError):
    """A condition on events that cannot be read or evaluated."""


class InvalidSeriesError(InvalidInputError):
    """
    A series with a wrong element.

    Attributes:
        index: Position of the first offender, or None when the whole series is at fault.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class SpecError(InvalidInputError):
    """
    A specification that cannot be understood.

    Attributes:
        path: Where in the document, as `slos[0].target`.
        line: Line of the offender, from 1, or None.
        column: Column of the offender, from 1, or None.
        problems: Everything that is wrong, in the order of the document, when it was read whole.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: int | None = None,
        problems: tuple[object, ...] = (),
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column
        self.problems = problems


class NoDataError(ErrorBudgetError):
    """There is nothing to answer with: a source without a single event."""


class SourceError(ErrorBudgetError):
    """Data that could not be had."""


class SourceUnavailableError(SourceError):
    """A file or server that is missing, unreadable or does not answer."""


class SourceFormatError(SourceError):
    """
    Data in no form that the library reads, or broken midway.

    Attributes:
        line: Line of the first offender, from 1, or None.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SourceResponseError(SourceError):
    """
    A server's answer that is an error, or makes no sense.

    Attributes:
        status: HTTP status, or None.
        query: What was asked, or None.
    """

    def __init__(
        self, message: str, *, status: int | None = None, query: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.query = query


class MissingDependencyError(ErrorBudgetError, ImportError):
    """An optional part that is not installed; the message names the command that installs it."""

    @classmethod
    def for_extra(cls, job: str, package: str, extra: str) -> MissingDependencyError:
        """The error for *job* lacking *package*, which *extra* brings."""
        return cls(f"{job} needs {package}: pip install 'errorbudget[{extra}]'", name=package)


class ErrorBudgetWarning(UserWarning):
    """Doubtful but legal; silence it by class."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*(without_secrets(x) if isinstance(x, str) else x for x in args))


class GapWarning(ErrorBudgetWarning):
    """Part of a window was not observed."""


class CounterResetWarning(ErrorBudgetWarning):
    """A counter started over."""


class LateEventWarning(ErrorBudgetWarning):
    """Events came out of order, or later than the bound."""


class LowTrafficWarning(ErrorBudgetWarning):
    """Too few events for the target to be judged."""


class DoubtfulTargetWarning(ErrorBudgetWarning):
    """A target that is legal and probably not what was meant."""


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """
    A hint naming the closest known word, ready to append to a message; empty when none is close.

    Example:
        >>> did_you_mean("dayz", ("days", "hours"))
        '; did you mean "days"?'
    """
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
