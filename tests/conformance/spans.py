"""Windows at an instant: rolling lengths, calendar periods of any unit, anchor and zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import errorbudget as eb
from errorbudget.durations import HOUR_NS, MINUTE_NS, SECOND_NS
from errorbudget.windows import Interval, parse_window
from tests.conformance.cases import Case
from tests.conformance.reading import find, length_ns
from tests.conformance.verdicts import Answers, Instant, Purpose, Refused, instant_ns, refusable

__all__ = ["calendar_answers", "rolling_answers", "span_answers", "window_of"]

MILLISECOND_NS = 1_000_000
_UNIT = {"day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "Y"}


def _zone(inputs: Mapping[str, Any]) -> str:
    offset = inputs.get("tz_fixed_offset_h")
    if offset is not None:
        minutes = round(float(offset) * 60)
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return str(find(inputs, "tz", "zone", "timezone", "timeZone", "time_zone", "iana") or "UTC")


def _duration_text(inputs: Mapping[str, Any]) -> str:
    text = find(inputs, "unit", "duration", "window", "period")
    text = str(text).strip()
    every = inputs.get("every", 1)
    word = text.lower().removeprefix("calendar").strip()
    word = {"weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}.get(
        word, {"daily": "day", "bi-weekly": "2w", "biweekly": "2w"}.get(word, word)
    )
    if word.removesuffix("s") in _UNIT:
        return f"{every}{_UNIT[word.removesuffix('s')]}"
    if word == "2w":
        return word
    if text in _UNIT.values():
        return f"{every}{text}"
    return text


def window_of(inputs: Mapping[str, Any]) -> eb.Rolling | eb.Calendar:
    """
    The window that a case writes, in any of the ways there are.

    Raises:
        InvalidWindowError: There is no such window.
    """
    inner = inputs.get("window")
    if isinstance(inner, Mapping):
        calendar = inner.get("calendar")
        merged = {**inputs, **inner, **(calendar if isinstance(calendar, Mapping) else {})}
        merged.pop("window", None)
        return window_of(merged)
    kind = str(find(inputs, "type", "window_type") or "").lower()
    rolling = inputs.get("isRolling", inputs.get("is_rolling"))
    anchor = find(inputs, "anchor", "startTime", "start_time", "start")
    word = str(inputs.get("window", ""))
    calendar = "calendar" in f"{kind} {word}" or rolling is False or anchor is not None
    if rolling is True or kind == "rolling":
        calendar = False
    if calendar:
        start = anchor.replace("T", " ") if isinstance(anchor, str) else anchor
        return eb.Calendar.from_openslo(
            _duration_text(inputs), start_time=_local(start), zone=_zone(inputs)
        )
    for stem in ("days", "hours", "weeks", "minutes", "seconds"):
        if stem in inputs:
            length = length_ns({f"x_{stem}": inputs[stem]}, "x")
            assert length is not None
            return eb.Rolling.from_ns(length)
    if (length := _fixed(inputs)) is not None:
        return eb.Rolling.from_ns(length)
    return parse_window(_duration_text(inputs))


def _local(anchor: Any) -> Any:
    """An anchor with a zone is an instant; one without is wall time of the window's zone."""
    if not isinstance(anchor, str):
        return anchor
    return anchor.replace(" ", "T") if re.search(r"Z$|[+-]\d\d:\d\d$", anchor) else anchor


def _fixed(inputs: Mapping[str, Any]) -> int | None:
    for stem in ("window", "duration", "period"):
        if isinstance(inputs.get(stem), (int, float)) or any(
            f"{stem}_{unit}" in inputs for unit in ("s", "m", "h", "d", "w")
        ):
            return length_ns(inputs, stem)
    return None


def _month_that_ends(inputs: Mapping[str, Any], now: int) -> Interval | None:
    """A "rolling month" as the calendar month that ends now; None for windows of a fixed length."""
    text = _duration_text(inputs)
    if not re.fullmatch(r"\d+\s*[MQYqy]", text):
        return None
    window = eb.Calendar.from_openslo(text, start_time=now)
    return window.previous(window.interval(now))


LAST_MILLISECOND = Purpose(
    "a period ends where the next begins, [start, end); theirs is its last millisecond",
    lambda key, expected, ours: (
        isinstance(ours, Instant)
        and isinstance(expected, str)
        and instant_ns(expected) in (ours.ns - MILLISECOND_NS, ours.ns - SECOND_NS, ours.ns - 1)
    ),
)


def _off_step(interval: Interval, expected: Mapping[str, Any], every: int) -> Purpose:
    """Periods of several units that move on by one unit overlap: a slip of the source."""
    start = next((expected[name] for name in ("start", "from", "from_utc") if name in expected), "")
    end = next((expected[name] for name in ("end", "to", "to_utc") if name in expected), "")

    def holds(key: str, value: Any, ours: Any) -> bool:
        if every < 2 or not isinstance(ours, Instant) or not start or not end:
            return False
        first, last = instant_ns(start), instant_ns(end)
        shift = abs(first - interval.start_ns)
        return last - first == interval.length_ns and shift % (interval.length_ns // every) == 0

    return Purpose("periods of several units tile the time from their anchor", holds)


def span_answers(case: Case) -> Answers:
    """Where the window of a case starts and ends, and how long it is."""
    now = instant_ns(str(find(case.inputs, "now", "at", "end")))
    window = refusable(lambda: window_of(case.inputs))
    if isinstance(window, Refused):
        interval = refusable(lambda: _month_that_ends(case.inputs, now)) or window
    else:
        interval = window.interval(now)
    if isinstance(interval, Refused):
        valid = {"valid": False, "error": True, "throws": True}
        return Answers.of({**dict.fromkeys(case.expected, interval), **valid})
    start, end, length = Instant(interval.start_ns), Instant(interval.end_ns), interval.length_ns
    names: dict[str, Any] = {
        **dict.fromkeys(("from", "from_utc", "start", "start_utc", "start_time"), start),
        **dict.fromkeys(("to", "to_utc", "end", "end_utc", "end_time"), end),
        **dict.fromkeys(("hours", "length_h", "duration_h"), length / HOUR_NS),
        **dict.fromkeys(("minutes", "length_min"), length / MINUTE_NS),
        **dict.fromkeys(("seconds", "length_s", "duration_s"), length / SECOND_NS),
        **dict.fromkeys(("days", "length_d"), length / (24 * HOUR_NS)),
        "valid": True,
        "error": False,
        "throws": False,
    }
    every = window.every if isinstance(window, eb.Calendar) else 1
    anchored_later = Purpose(
        "periods go back before their anchor as they go on after it",
        lambda key, expected, ours: (
            key in ("valid", "error", "throws")
            and isinstance(window, eb.Calendar)
            and window.anchor is not None
            and expected is not ours
            and interval.end_ns <= instant_ns(str(_anchor(case.inputs)))
        ),
    )
    return Answers.of(
        names, (LAST_MILLISECOND, _off_step(interval, case.expected, every), anchored_later)
    )


def _anchor(inputs: Mapping[str, Any]) -> Any:
    inner = inputs.get("window")
    merged = {**inputs, **inner} if isinstance(inner, Mapping) else inputs
    return find(merged, "anchor", "startTime", "start_time", "start")


rolling_answers = calendar_answers = span_answers
