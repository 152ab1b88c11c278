"""
The types as users see them: checked by `make types`, never run.

Each line is something a user writes; `assert_type` says what they should see.
"""

from __future__ import annotations

from typing import assert_type

from errorbudget.counts import Counts
from errorbudget.durations import format_duration, parse_duration
from errorbudget.errors import ErrorBudgetError, InvalidTargetError
from errorbudget.times import format_time, to_ns


def values() -> None:
    assert_type(Counts(good=4_928, bad=72), Counts)
    assert_type(Counts(good=4_928, bad=72) + Counts(good=1, bad=0), Counts)
    assert_type(parse_duration("1h30m"), int)
    assert_type(format_duration(5_400_000_000_000), str)
    assert_type(format_time(to_ns("2026-01-01T00:00:00Z")), str)


def errors() -> None:
    try:
        parse_duration("30 dayz")
    except InvalidTargetError as error:
        assert_type(error, InvalidTargetError)
    except ErrorBudgetError as error:
        assert_type(error, ErrorBudgetError)
