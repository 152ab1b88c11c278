"""Predicates are data: asked of one event or of columns, printed, stored, read back."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from errorbudget import Events
from errorbudget import predicates as p
from errorbudget.errors import InvalidPredicateError, InvalidSeriesError
from errorbudget.kernels.predicates import matches, numbers
from errorbudget.predicates import (
    EVERYTHING,
    All,
    Any_,
    Everything,
    Flag,
    LabelIn,
    LabelMatches,
    Not,
    Number,
    Predicate,
    StatusIn,
    as_predicate,
    atoms,
    duration,
    from_dict,
    label,
    number,
    status_in,
)
from tests import oracles, strategies

NAMES = {**vars(p)}


def plainly(predicate: Predicate, event: dict[str, Any]) -> bool | None:
    """The answer worked out from what the predicate says, case by case."""
    match predicate:
        case Everything():
            return True
        case StatusIn(ranges):
            status = event["status"]
            return None if not status else status in {s for a, b in ranges for s in range(a, b + 1)}
        case LabelIn(name, values):
            return text_of(event[name]) in values
        case LabelMatches(name, pattern):
            return re.fullmatch(f"(?s:{pattern})", text_of(event[name])) is not None
        case Number(column, op, bound):
            value = event[column]
            if value is None:
                return None
            value, limit = float(value), float(bound)
            above, same = value > limit, value == limit
            return {"<=": not above, "<": not above and not same, ">=": above or same, ">": above}[
                op
            ]
        case Flag(column):
            return event[column]
        case Not(part):
            answer = plainly(part, event)
            return None if answer is None else not answer
        case All(parts):
            return oracles.kleene([plainly(part, event) for part in parts], every=True)
        case Any_(parts):
            return oracles.kleene([plainly(part, event) for part in parts], every=False)
    raise AssertionError(predicate)


def text_of(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def row_of(events: Events, index: int) -> dict[str, Any]:
    """One event as the columns hold it."""
    row: dict[str, Any] = {
        "status": int(events.status[index]),  # type: ignore[index]
        "good": bool(events.good[index]),  # type: ignore[index]
        "route": events.labels["route"].decode()[index],
    }
    for name, column in (("duration_s", events.duration_s), *events.values.items()):
        value = float(column[index])  # type: ignore[index]
        row[name] = None if np.isnan(value) else value
    return row


@settings(max_examples=200)
@given(strategies.predicates, strategies.event_dicts(max_size=12))
def test_columns_answer_as_events_do(predicate: Predicate, rows: list[dict[str, Any]]) -> None:
    """Numpy twin, scalar and the plain reading agree on yes, no and unknown, for every tree."""
    events = strategies.to_events(rows)
    yes, no = matches(predicate, events)
    assert not (yes & no).any()
    for index in range(len(events)):
        row = row_of(events, index)
        found = True if yes[index] else False if no[index] else None
        assert found == predicate.matches(row) == plainly(predicate, row)


@given(strategies.predicates)
def test_predicates_are_data(predicate: Predicate) -> None:
    """Stored as JSON, or pasted from its repr, a predicate is the same."""
    assert from_dict(json.loads(json.dumps(predicate.to_dict()))) == predicate
    assert eval(repr(predicate), dict(NAMES)) == predicate
    assert hash(predicate) == hash(from_dict(predicate.to_dict()))
    assert str(predicate)
    assert predicate.columns <= {"status", "route", "duration_s", "good", "connections"}
    with pytest.raises(TypeError, match="no truth of its own"):
        bool(predicate)


@given(strategies.predicates, strategies.predicates)
def test_atoms_are_what_is_left_of_a_combination(a: Predicate, b: Predicate) -> None:
    """Joined or denied, conditions keep their atoms in order; none is a combination itself."""
    joined = Any_((All((a, Not(b))), a))
    assert list(atoms(joined)) == [*atoms(a), *atoms(b), *atoms(a)]
    assert not any(isinstance(atom, (All, Any_, Not)) for atom in atoms(joined))
    assert frozenset().union(*(atom.columns for atom in atoms(joined))) == joined.columns


@given(strategies.predicates, strategies.predicates, strategies.event_dicts(max_size=5))
def test_the_laws_of_logic(a: Predicate, b: Predicate, rows: list[dict[str, Any]]) -> None:
    """De Morgan, double negation and order hold in three values."""
    assert ~~a == a or isinstance(a, Not)
    for row in rows:
        assert (a & b).matches(row) == (b & a).matches(row)
        assert (a | b).matches(row) == (b | a).matches(row)
        assert (~(a & b)).matches(row) == (~a | ~b).matches(row)
        assert (~(a | b)).matches(row) == (~a & ~b).matches(row)
        assert (EVERYTHING & a).matches(row) == a.matches(row)


@pytest.mark.parametrize(
    ("text", "holds", "fails"),
    [
        ("2xx", [200, 299], [199, 300]),
        ("5..", [500, 599], [499]),
        ("20x", [200, 209], [210]),
        ("429", [429], [428, 430]),
        ("500-503", [500, 503], [499, 504]),
        ("500..503", [500, 503], [499, 504]),
        ("2xx|304,418", [204, 304, 418], [301]),
        ("!5xx", [200, 404], [500]),
        ("200-299|300-399", [250, 350], [400]),
    ],
)
def test_status_texts(text: str, holds: list[int], fails: list[int]) -> None:
    """Classes, codes, ranges, lists and negation."""
    condition = status_in(text)
    assert all(condition.matches({"status": status}) for status in holds)
    assert not any(condition.matches({"status": status}) for status in fails)
    assert condition.matches({}) is condition.matches({"status": 0}) is None
    assert condition.matches({"status": float("nan")}) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5xx", "status 5xx"),
        (503, "status 503"),
        (["2xx", "304"], "status 2xx|304"),
        ({"status": "!4xx"}, "status not 4xx"),
        ({"status": status_in("2xx")}, "status 2xx"),
        ({"route": "/api/.*"}, 'route =~ "/api/.*"'),
        ({"route": "!/api/.*"}, 'route !~ "/api/.*"'),
        ({"route": "/healthz"}, 'route = "/healthz"'),
        ({"route": "=~ /api"}, 'route =~ "/api"'),
        ({"route": "!~/api"}, 'route !~ "/api"'),
        ({"method": ["GET", "HEAD"]}, "method in (GET, HEAD)"),
        ({"success": False}, 'success = "false"'),
        ({"code": 7}, 'code = "7"'),
        ({"duration": "<= 200ms"}, "duration <= 200ms"),
        ({"bytes": "> 1000"}, "bytes > 1000"),
        ({"a": "x", "b": "y"}, 'a = "x" and b = "y"'),
        (None, "every event"),
    ],
)
def test_short_forms(value: Any, text: str) -> None:
    """What a specification may write, in words."""
    assert str(as_predicate(value)) == text


def test_words_of_combinations() -> None:
    """Brackets stand where the reader needs them."""
    a, b, c = label("a").equals("1"), label("b").differs("2"), duration > "1s"
    assert str((a | b) & c) == '(a = "1" or b != "2") and duration > 1s'
    assert str(a & b | c) == '(a = "1" and b != "2") or duration > 1s'
    assert str(~(a & b)) == 'not (a = "1" and b != "2")'
    assert repr(~(a | c)) == "~(label('a').isin('1') | (number('duration_s') > '1s'))"
    assert str(Flag("good")) == "good"
    assert (duration < "1s").columns == {"duration_s"}
    assert (number("x") >= Fraction(1, 3)).to_dict()["bound"] == "1/3"


def test_labels_that_are_missing_are_empty() -> None:
    """As in Prometheus: absent, None and NaN are the empty text, and booleans are words."""
    empty = label("route").equals("")
    for event in ({}, {"route": None}, {"route": float("nan")}, {"route": ""}):
        assert empty.matches(event) is True
    assert label("ok").equals(True).matches({"ok": "true"})
    assert label("ok").isin(["true", "false"]).matches({"ok": False})
    assert label("a").matches("x.y").matches({"a": "x\ny"})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: status_in("6xx"), "not an HTTP status"),
        (lambda: status_in("99"), "not an HTTP status"),
        (lambda: status_in("503-500"), "not an HTTP status"),
        (status_in, "no status given"),
        (lambda: status_in(True), "not an HTTP status"),
        (lambda: label(""), "needs a name"),
        (lambda: label(5), "needs a name"),
        (lambda: label("a").isin(), "at least one value"),
        (lambda: label("a").matches("("), "not a regular expression"),
        (lambda: label("a").matches(5), "not a regular expression"),
        (lambda: number(""), "needs a name"),
        (lambda: duration <= "abc", "cannot compare duration_s"),
        (lambda: duration <= True, "cannot compare duration_s"),
        (lambda: duration <= None, "cannot compare duration_s"),
        (
            lambda: duration <= float("nan"),  # noqa: PLW0177
            "cannot compare duration_s",
        ),
        (lambda: duration == 5, "no equality"),
        (lambda: Number("x", "~", Fraction(1)), "not a comparison"),
        (lambda: All(()), "conditions as its parts"),
        (lambda: Any_(("5xx",)), "conditions as its parts"),
        (lambda: as_predicate({}), "an empty condition"),
        (lambda: as_predicate([]), "no status given"),
        (lambda: as_predicate(True), "not a condition"),
        (lambda: as_predicate(1.5), "not a condition"),
        (lambda: as_predicate(b"5xx"), "not a condition"),
        (lambda: as_predicate({"route": None}), "must be text or a list"),
        (lambda: as_predicate({"route": "("}), "not a regular expression"),
        (lambda: as_predicate({"route": "=~ ("}), "not a regular expression"),
        (lambda: as_predicate({"duration": "200ms"}), 'compare duration, such as "<= 200ms"'),
        (lambda: as_predicate({"duration_s": "0.2"}), 'compare duration_s, such as "<= 0.2"'),
        (lambda: from_dict({"lable": "x"}), 'did you mean "label"'),
        (lambda: from_dict({}), "not a condition"),
        (lambda: from_dict("5xx"), "not a condition"),
        (lambda: from_dict({"all": []}), "a list of conditions"),
        (lambda: from_dict({"all": 5}), "incomplete"),
        (lambda: from_dict({"not": {"label": "x"}}), "incomplete"),
        (lambda: from_dict({"number": "x", "op": "<="}), "incomplete"),
        (lambda: from_dict({"status": "9xx"}), "not an HTTP status"),
        (lambda: status_in("5xx").matches({"status": "503"}), "must be an integer"),
        (lambda: (duration <= "1s").matches({"duration_s": "0.5"}), "must be a number"),
        (lambda: Flag("good").matches({"good": "yes"}), "must be true or false"),
    ],
)
def test_conditions_that_cannot_be_read(build: Any, message: str) -> None:
    """Each is refused with what fits."""
    with pytest.raises(InvalidPredicateError, match=message):
        build()


def test_what_does_not_combine() -> None:
    """Only predicates do."""
    for combine in (lambda: status_in("5xx") & "4xx", lambda: status_in("5xx") | "4xx"):
        with pytest.raises(TypeError):
            combine()
    with pytest.raises(TypeError):
        hash(duration)


def test_columns_that_do_not_fit() -> None:
    """A text is no number, a missing column is named with the nearest, a stranger is refused."""
    events = Events(time=[1], status=[200], labels={"route": ["/a"]})
    for wrong in (number("route") <= 5, Flag("route")):
        with pytest.raises(InvalidSeriesError, match="holds texts, not numbers"):
            matches(wrong, events)
    assert numbers(events, "status").dtype == np.float64
    with pytest.raises(InvalidSeriesError, match='did you mean "route"'):
        matches(label("rout").equals("x"), events)

    class Stranger(Predicate):
        pass

    with pytest.raises(TypeError, match="no columnar reading"):
        matches(Stranger(), events)


def test_a_range_of_status_codes_ends_where_it_ends() -> None:
    """The codes at both ends are in it, those beyond are not, and 0 is no code."""
    codes = [0, 199, 200, 299, 300, 499, 500, 599]
    events = Events(time=range(1, 9), status=codes)
    yes, no = matches(p.status_in("2xx", "5xx"), events)
    assert yes.tolist() == [False, False, True, True, False, False, True, True]
    assert no.tolist() == [False, True, False, False, True, True, False, False]


def test_a_condition_has_to_answer() -> None:
    """What every condition can do is said by those that come after it."""
    bare = Predicate()
    for ask in (lambda: bare.matches({}), lambda: bare.columns, bare.to_dict):
        with pytest.raises(NotImplementedError):
            ask()


def test_statuses_may_be_numbers_of_other_kinds() -> None:
    """HTTPStatus and numpy's integers, whatever their repr."""
    for code in (HTTPStatus.BAD_GATEWAY, np.int64(502), np.uint16(502), 502):
        assert status_in(code).matches({"status": 502})
        assert not status_in(code).matches({"status": 200})
    with pytest.raises(InvalidPredicateError, match="HTTP status"):
        status_in(10**5000)
