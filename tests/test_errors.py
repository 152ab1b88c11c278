"""Errors say their sentence, keep what they know, and suggest one word at most."""

from __future__ import annotations

import pytest

from errorbudget import errors
from errorbudget.characters import character_name, first_control


def test_errors_keep_what_they_know() -> None:
    """The sentence is the text of the error; the rest are attributes."""
    series = errors.InvalidSeriesError("no order", index=3)
    assert (str(series), series.index) == ("no order", 3)
    assert errors.InvalidSeriesError("no order").index is None
    broken = errors.SourceFormatError("no JSON", line=7)
    assert (str(broken), broken.line) == ("no JSON", 7)
    answer = errors.SourceResponseError("too many", status=422, query="up")
    assert (str(answer), answer.status, answer.query) == ("too many", 422, "up")
    wrong = errors.SpecError("no target", path="slos[0]", line=4, column=2)
    assert str(wrong).endswith("no target")
    assert (wrong.path, wrong.line, wrong.column) == ("slos[0]", 4, 2)


def test_one_word_is_suggested() -> None:
    """The closest, and none when nothing is close."""
    known = ["month", "months", "moth"]
    assert errors.did_you_mean("mont", known) == '; did you mean "month"?'
    assert errors.did_you_mean("quux", known) == ""
    assert errors.did_you_mean("abcde", ["abxyz"]) == ""
    assert errors.did_you_mean("abcde", ["abcyz"]) == '; did you mean "abcyz"?'


@pytest.mark.parametrize(
    ("text", "lines", "found"),
    [
        ("a\tb\n", True, None),
        ("a\tb", False, "U+0009"),
        ("a\n", False, "U+000A"),
        ("plain", False, None),
        ("a\x1b[31m", True, "ESC"),
        ("a\x1b\n", False, "ESC"),
        ("\ud800", True, "U+D800"),
    ],
)
def test_the_first_control_character_is_named(text: str, lines: bool, found: str | None) -> None:
    """Tabs and line feeds are some where there is one line."""
    assert first_control(text, lines=lines) == found
    assert character_name("\x7f") == "DEL"


def test_what_is_missing_has_its_name_and_cure() -> None:
    """The package is named for whoever catches it, the extra for whoever reads it."""
    error = errors.MissingDependencyError.for_extra("a plot", "matplotlib", "plot")
    assert error.name == "matplotlib"
    assert str(error) == "a plot needs matplotlib: pip install 'errorbudget[plot]'"


def test_a_text_may_have_lines_unless_it_is_said() -> None:
    """Tabs and line feeds are no control characters by default."""
    assert first_control("a\tb\nc") is None
