"""The native format: what is written is read back, and every mistake is named where it stands."""

# ruff: noqa: E501, ISC004 - specifications as they are written, complaints as they are read

from __future__ import annotations

import json
import os
import re
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")

import errorbudget as eb
from errorbudget.alerts import GUIDE, WORKBOOK
from errorbudget.errors import (
    DoubtfulTargetWarning,
    InvalidInputError,
    SourceUnavailableError,
    SpecError,
)
from errorbudget.predicates import label, status_in
from errorbudget.specs import LIMITS, Limits, guide, guide_text, json_schema, load
from errorbudget.specs.load import trees
from errorbudget.specs.schema import generate_schema
from errorbudget.specs.tree import plain
from errorbudget.specs.writer import toml_text, yaml_text
from tests.spec_strategies import TEXTS, several, slos

ONE = "slos:\n  - {name: a, target: 99.9%, window: 30d, sli: {kind: availability}}\n"


def complaints(text: str, **options: Any) -> list[str]:
    """What is wrong with *text*, each with its place."""
    with pytest.raises(SpecError) as caught:
        load(text, **options)
    error = caught.value
    assert error.problems
    assert error.line is not None
    assert error.column is not None
    return [str(problem) for problem in error.problems]


# ---------------------------------------------------------------------------- laws


@given(several(slos()), st.sampled_from(["yaml", "json", "toml"]))
def test_what_is_dumped_is_loaded_back(wanted: list[Any], syntax: Any) -> None:
    """load(dump(x)) is x, in every syntax."""
    assert list(load(eb.dump(wanted, syntax=syntax))) == wanted


@given(several(slos()))
@settings(max_examples=30)
def test_dumping_is_stable(wanted: list[Any]) -> None:
    """What was loaded is dumped as the same text."""
    text = eb.dump(wanted)
    assert eb.dump(load(text)) == text


@given(slos())
@settings(max_examples=40)
def test_repr_pastes_back(slo: eb.SLO) -> None:
    """What is printed in a session is the objective when it is pasted into one."""
    from errorbudget import alerts, corrections, policy, predicates, sli

    names: dict[str, Any] = {"Fraction": Fraction}
    for room in (predicates, alerts, sli, policy, corrections, eb):
        names |= {name: getattr(room, name) for name in room.__all__}
    assert eval(repr(slo), names) == slo


@given(several(slos()))
@settings(max_examples=30)
def test_what_is_dumped_fits_the_schema(wanted: list[Any]) -> None:
    """Every file that the library writes passes its own JSON Schema."""
    jsonschema = pytest.importorskip("jsonschema", reason="missing: jsonschema; make test")
    validator = jsonschema.Draft202012Validator(json_schema())
    assert not list(validator.iter_errors(json.loads(eb.dump(wanted, syntax="json"))))


DATA = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(-(10**20), 10**20), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, DATA, max_size=4))
def test_yaml_is_read_alike_by_everyone(data: dict[str, Any]) -> None:
    """The YAML that is written means the same to this reader and to ruamel.yaml."""
    from ruamel.yaml import YAML

    text = yaml_text(data)
    if data:
        tree = plain(trees(text, source="x.yaml")[0])
        assert tree == data
        assert YAML(typ="safe", pure=True).load(text) == data


@given(st.dictionaries(TEXTS, DATA, max_size=4))
def test_json_is_read_as_the_standard_library_reads_it(data: dict[str, Any]) -> None:
    """A JSON tree holds what json.loads gives."""
    text = json.dumps(data)
    if data:
        assert plain(trees(text, source="x.json")[0]) == json.loads(text)


@given(
    st.dictionaries(
        TEXTS,
        st.one_of(TEXTS, st.booleans(), st.integers(-(2**40), 2**40), st.lists(st.integers(0, 9))),
        max_size=4,
    )
)
def test_toml_is_read_as_the_standard_library_reads_it(data: dict[str, Any]) -> None:
    """A TOML tree holds what tomllib gives."""
    import tomllib

    text = toml_text(data)
    if data:
        assert plain(trees(text, source="x.toml")[0]) == tomllib.loads(text) == data


# ---------------------------------------------------------------------------- reading


def test_loaded_objectives_go_wherever_a_list_goes(tmp_path: Path) -> None:
    """A spec is a sequence of SLOs, read from a path, and evaluated as it is."""
    path = tmp_path / "slos.yaml"
    path.write_text(ONE)
    spec = eb.load(path)
    assert eb.load(str(path)) == spec
    assert spec["a"] is spec[0]
    assert spec.files == (str(path),)
    events = eb.Events(time=[1, 2, 3], status=[200, 200, 500])
    assert [status.name for status in eb.evaluate(spec, events)] == ["a"]


def test_the_three_syntaxes_say_the_same() -> None:
    """YAML, JSON and TOML of one objective are one objective."""
    toml = '[[slos]]\nname = "a"\ntarget = "99.9%"\nwindow = "30d"\nsli = { kind = "availability" }'
    as_json = json.dumps(
        {"slos": [{"name": "a", "target": 0.999, "window": "30d", "sli": {"kind": "availability"}}]}
    )
    assert list(load(ONE)) == list(load(toml)) == list(load(as_json))


def test_numbers_stay_exact() -> None:
    """0.999 is 999/1000, also with more digits than a float has."""
    text = ONE.replace("99.9%", "0.99999999999999999999")
    assert load(text)[0].target.error == Fraction(1, 10**20)


def test_words_of_yaml_1_1_are_text() -> None:
    """`no`, `on` and times are what they look like."""
    text = ONE.replace("window", "labels: {a: no, on: 12:30, v: 1.10, n: 2}, window")
    assert load(text)[0].labels == {"a": "no", "on": "12:30", "v": "1.10", "n": "2"}


def test_defaults_and_bases_fill_up_and_null_takes_back() -> None:
    """An objective lies on its base, the base on its own, and all of them on the defaults."""
    spec = load(
        """
        defaults: {window: 7d, owner: ana, labels: {a: x, b: y}}
        bases:
          web: {target: 99%, sli: {kind: availability, good: 2xx, where: {route: /}}}
          shop: {base: web, team: shop, labels: {b: z}}
        slos:
          - {name: one, base: shop, sli: {where: {method: GET}}}
          - {name: two, base: web, owner: null, sli: {kind: error_rate}, window: 30d}
        """
    )
    assert spec["one"] == eb.SLO(
        "one",
        target="99%",
        window="7d",
        owner="ana",
        team="shop",
        labels={"a": "x", "b": "z"},
        sli=eb.Availability(good="2xx", where={"route": "/", "method": "GET"}),
    )
    assert spec["two"].owner == ""
    assert spec["two"].sli == eb.ErrorRate()
    assert str(spec["two"].window) == "30d"


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("guide", GUIDE), ("workbook", WORKBOOK)],
)
def test_published_alerts_serve_the_window(written: str, wanted: Any) -> None:
    """A table that is named stretches with the window, as the default does."""
    for window, period in (("30d", 30), ("1d", 1)):
        text = ONE.replace("window: 30d", f"window: {window}, alerts: {written}")
        assert load(text)[0].alerts == wanted.for_period(period * 86_400 * 10**9)


def test_no_alerts() -> None:
    """`alerts: none` is an empty table."""
    assert load(ONE.replace("window", "alerts: none, window"))[0].alerts.alerts == ()


def test_merge_keys_and_anchors() -> None:
    """Anchors and << are for those who like them; keys that start with x- are anyone's."""
    text = """
    x-common: &common {window: 30d, target: 99%}
    slos:
      - {<<: *common, name: a, sli: {kind: availability}}
      - {<<: *common, name: b, target: 95%, sli: {kind: availability}}
    """
    assert [str(slo.target) for slo in load(text)] == ["99%", "95%"]


def test_a_doubtful_target_warns_with_its_line() -> None:
    """Legal and probably not meant: a warning, kept in the spec too."""
    with pytest.warns(DoubtfulTargetWarning, match=r"2:5 slos\[0\]: .*error rate under"):
        spec = load(ONE.replace("99.9%", "1%"))
    assert len(spec.warnings) >= 1


def test_a_doubt_about_a_variable_keeps_its_value() -> None:
    """The warning in Python masks what came from the environment, as the one in the spec does."""
    text = ONE.replace("99.9%", "'${env:T}'")
    with pytest.warns(DoubtfulTargetWarning, match=r"target \$\{env:T\} lets most") as caught:
        spec = load(text, allow_env={"T": "1.25%"})
    assert "1.25%" not in str(caught[0].message)
    assert caught[0].filename == __file__
    assert str(caught[0].message) == spec.warnings[0]


def test_alerts_that_can_never_fire_are_named() -> None:
    """At 90 % a burn rate of 14.4 takes more errors than there are requests."""
    (warning,) = load(ONE.replace("99.9%", "90%")).warnings
    assert warning.startswith('2:23 slos[0]: alert "page-fast" of "a" can never fire')


# ---------------------------------------------------------------------------- mistakes


def test_every_mistake_is_named_at_once() -> None:
    """Unknown keys with a suggestion, wrong values and missing parts, each at its line and column."""
    found = complaints(
        """slos:
  - name: api
    taget: 99.9%
    target: 99.9
    window: 30dayz
    sli: {kind: availability, god: 2xx}
  - name: api
    sli: {kind: latenci}
    alerts: guid
    corrections: [{start: now, end: 3}]
    policy: {tiers: [{name: x, above: 120%}]}
"""
    )
    assert (
        found
        == [
            '3:5 slos[0].taget: there is no key "taget"; did you mean "target"?',
            "4:13 slos[0].target: target must be greater than 0 and at most 1, got 99.9; "
            'for percent write "99.9%"',
            '5:13 slos[0].window: not a window: "30dayz" is not a duration: unit "dayz" is not known; '
            'did you mean "day"?',
            '6:31 slos[0].sli.god: there is no key "god"; did you mean "good"?',
            '7:5 slos[1]: "window" is missing',
            '7:11 slos[1].name: a second objective is called "api"; the first stands in line 2',
            '8:17 slos[1].sli.kind: there is no kind "latenci"; there are ratio, availability, '
            "error_rate, latency, latency_quantile, throughput, concurrency, freshness, query, "
            'query_threshold; did you mean "latency"?',
            "9:13 slos[1].alerts: there is no table of alerts 'guid'; there are workbook, "
            'workbook-three, guide, none, or write a table; did you mean "guide"?',
            "10:31 slos[1].corrections[0].end: must be a valid string, got 3",
            "11:39 slos[1].policy.tiers[0].above: a tier's bound is at most 100 % of the budget, got "
            '6/5; for percent write "6/5%"',
        ]
        or found
    )


def test_a_mistake_in_the_defaults_is_named_once() -> None:
    """However many objectives start from it, at its own line."""
    text = "defaults: {window: 30q}\nslos:\n" + "".join(
        f"  - {{name: s{n}, target: 99%, sli: {{kind: availability}}}}\n" for n in range(3)
    )
    (found,) = complaints(text)
    assert found.startswith("1:20 slos[0].window: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the specification is empty"),
        ("slos: []", "there are no objectives"),
        ("slos: {a: 1}\n", "slos is a list"),
        ("- 1\n- 2\n", "a specification is a mapping"),
        ("version: errorbudget/2\n" + ONE, 'version must be "errorbudget/1"'),
        ("slo: []\n" + ONE, 'there is no key "slo"; did you mean "slos"?'),
        (ONE + "  - {name: b, base: wbe, window: 1d}\n", 'there is no base "wbe"'),
        ("bases: {a: {base: a}}\nslos:\n  - {name: x, base: a}\n", "bases go round in a circle"),
        ("slos:\n\t- name: a\n", "indent with spaces"),
        ("slos: [\n", "not YAML"),
        ("a: b: c\n", "put the text in quotes"),
        ("a: !!python/object:os.system x\n", 'tag "!!python/object:os.system" is refused'),
        ("a: !5xx\n", "goes in quotes"),
        ("a: *b\n", "stands for nothing"),
        ("a: &a [*a]\n", "stands inside of what it stands for"),
        ("a: \x00\n", "the character NUL"),
        ("a: \x1b[31m\n", "the character ESC"),
        ('a: "\\x1b[31m"\n', "1:4: the character ESC does not belong"),
        ('a: "\\0"\n', "1:4: the character NUL"),
        ('"\\ud800": b\n', "1:1: the character U+D800"),
        ('a: "\\x9b"\n', "the character U+009B"),
        ('{"a": "\\u0007"}', "1:7: the character U+0007"),
        ('{"a\\udfff": 1}', "1:2: the character U+DFFF"),
        ('b = 1\na = "\\u001b"\n', "2:5: the character ESC"),
        ('["a\\u0008"]\n', "1:2: the character backspace"),
        (
            'slos:\n  - {name: "a\\nb"}\n',
            "2:12 slos[0].name: a name is one line of text, got U+000A",
        ),
        ("a: 1\na: 2\n", 'key "a" is written twice, first in line 1'),
        ('{"a": 1, "a": 2}', "written twice"),
        ('{"a": 01}', "not JSON"),
        ('{"a": 1} x', "something follows the end"),
        ("a = \n", "not TOML"),
        ("a: " + "1" * 5_000 + "\n", "a number has at most 100"),
        ("a: 1e999999999\n", "beyond anything that is measured"),
        ("a = 1e999999999\n", "beyond anything that is measured"),
        ('{"a": 1e999999999}', "beyond anything that is measured"),
        ("a: " + "[" * 100 + "\n", "levels deep"),
        ('{"a": ' + "[" * 100_000, "levels deep"),
        ("a = " + "[" * 100_000, "levels deep"),
        (".".join(["a"] * 100_000) + " = 1\n", "levels deep"),
        ("? [a]\n: b\n", "a key must be text"),
    ],
)
def test_what_is_no_specification_is_refused_with_its_place(text: str, said: str) -> None:
    """One named error, at a line and a column."""
    assert any(said in found for found in complaints(text + "\n")), complaints(text + "\n")


@pytest.mark.parametrize(
    "value",
    [
        "1e999999999%",
        "9" * 5_000 + "%",
        "1/0",
        "nan",
        ".inf",
        "[]",
        "{}",
        "true",
        "99,9%",
        "-1",
        "0",
    ],
)
def test_targets_that_are_none(value: str) -> None:
    """Named errors at once, and no arithmetic with monsters."""
    started = time.perf_counter()
    (found, *_) = complaints(ONE.replace("99.9%", value))
    assert found.startswith("2:")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "condition",
    [
        "{duration: '<= 1e999999999'}",
        "{x: '('}",
        "{x: 'a{99999999999}'}",
        "{x: '" + "a|" * 5_000 + "'}",
        "{x: '" + "(" * 5_000 + "'}",
        "{not: 1}",
        "{}",
        "9xx",
        "[]",
    ],
)
def test_conditions_that_are_none(condition: str) -> None:
    """A condition that cannot be read is refused where it stands."""
    (found, *_) = complaints(
        ONE.replace("kind: availability", f"kind: availability, where: {condition}")
    )
    assert found.startswith("2:")
    assert "where" in found


def test_billion_laughs() -> None:
    """Aliases count as what they stand for: nine lines do not become a billion values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    tracemalloc.start()
    (found,) = complaints("\n".join(lines) + "\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "stands for more than 100,000 keys and values" in found
    assert peak < 20_000_000


@pytest.mark.parametrize("text", ["a: " + "x" * 50_000_000, "- a\n" * 1_000_000])
def test_too_much_text_is_refused_at_once(text: str) -> None:
    """50 MB are not read to find out that they are too many."""
    started = time.perf_counter()
    (found,) = complaints(text + "\n")
    assert "more than a specification may have" in found
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "slos:\n" + "- {aa: 1}\n" * 2_000,
        "a: b\n" * 5_000,
        "".join(f"k{number}: 1\n" for number in range(5_000)),
        "slos:\n- {" + ", ".join(f"k{number}: 1" for number in range(5_000)) + "}\n",
        '{"a": [' + "{" + ",".join(['"a": 1'] * 5_000) + "}]}",
    ],
)
def test_nobody_reads_ten_thousand_mistakes(text: str) -> None:
    """Reading stops when there are too many, and the message stays short."""
    with pytest.raises(SpecError) as caught:
        load(text)
    assert 200 <= len(caught.value.problems) < 1_000
    assert len(str(caught.value)) < 50_000


@pytest.mark.parametrize("syntax", ["yaml", "json", "toml"])
def test_what_is_dumped_can_be_loaded(syntax: Any) -> None:
    """At the limit both work, one value beyond it neither does, and the dump says so first."""
    slo = eb.SLO("a", target="99%", window="30d", sli=eb.Availability(), labels={"k": "v"})
    nodes = 22  # keys, values, lists and mappings
    assert list(load(eb.dump(slo, syntax=syntax), limits=Limits(nodes=nodes))) == [slo]
    with pytest.raises(InvalidInputError, match="keys and values are more"):
        eb.dump(slo, syntax=syntax, limits=Limits(nodes=nodes - 1))
    assert "keys and values" in str(
        complaints(eb.dump(slo, syntax=syntax), limits=Limits(nodes=nodes - 1))
    )
    with pytest.raises(
        InvalidInputError, match=r"pass limits=Limits\(bytes=...\) here and to load"
    ):
        eb.dump(slo.replace(description="x" * LIMITS.bytes), syntax=syntax)
    deep = label("a").equals("1")
    for number in range(40):
        deep = (deep & label(f"k{number}").equals("x")) | status_in("2xx")
    with pytest.raises(InvalidInputError, match="levels of nesting are more"):
        eb.dump(slo.replace(sli=eb.Availability(where=deep)), syntax=syntax)


def test_json_is_told_by_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indented JSON given as text goes to the reader of JSON, not to the slow one of YAML."""
    from errorbudget.specs import yaml_tree

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("read as YAML")

    monkeypatch.setattr(yaml_tree, "yaml_trees", refuse)
    slo = eb.SLO("a", target="99%", window="30d", sli=eb.Availability())
    text = eb.dump(slo, syntax="json")
    assert list(load(text)) == list(load(f"\n [\n{text}]")) == [slo]


def test_limits_can_be_raised_and_lowered() -> None:
    """The limits are an argument."""
    assert "may have (10 bytes)" in complaints(ONE, limits=Limits(bytes=10))[0]
    many = "slos:\n" + "".join(
        f"  - {{name: s{n}, target: 99%, window: 1d, sli: {{kind: availability}}}}\n"
        for n in range(300)
    )
    assert len(load(many)) == 300
    assert "values" in complaints(many, limits=Limits(nodes=100))[0]
    assert LIMITS.bytes == 2 * 1024 * 1024


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"slos: \xff\n", "1:7: byte 0xff is not UTF-8"),
        (ONE.encode("utf-16")[:-1], "is not UTF-16"),
        ("é".encode("latin-1"), "byte 0xe9 is not UTF-8"),
    ],
)
def test_wrong_encodings(data: bytes, said: str) -> None:
    """The first byte that is no text is named."""
    with pytest.raises(SpecError, match=re.escape(said)):
        load(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(encoding: str) -> None:
    """UTF-8 with and without a mark, and what editors of Windows write."""
    assert load(ONE.encode(encoding)) == load(ONE)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The path and the reason are named."""
    with pytest.raises(SourceUnavailableError, match=r"nowhere\.yaml.*no such file"):
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(SourceUnavailableError, match="is a directory"):
        load(tmp_path)


# ---------------------------------------------------------------------------- variables, includes


def test_variables_are_filled_in_only_where_allowed() -> None:
    """Without leave a variable is an error; with it, it is text and never structure."""
    text = ONE.replace("name: a", "name: 'a ${env:WHO} $${env:WHO}'")
    assert "pass allow_env=True" in complaints(text)[0]
    assert load(text, allow_env={"WHO": "x: [y"})[0].name == "a x: [y ${env:WHO}"
    assert "has no variable WHO" in complaints(text, allow_env={})[0]
    assert "is no name of a variable" in complaints(text.replace("WHO", "a b"), allow_env={})[0]


def test_variables_keep_their_values_to_themselves() -> None:
    """A variable that steers a terminal is refused by its name; its value is shown nowhere."""
    text = ONE.replace("name: a", "name: 'a ${env:WHO}'")
    for value in ("hush\x1b[31m", "hush\ud800", "hush" * 2_000):
        (found,) = complaints(text, allow_env={"WHO": value})
        assert "the variable WHO" in found
        assert "hush" not in found


def test_variables_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """allow_env=True reads the environment."""
    monkeypatch.setenv("EB_TARGET", "0.995")
    assert (
        str(load(ONE.replace("99.9%", "'${env:EB_TARGET}'"), allow_env=True)[0].target) == "99.5%"
    )


BASE = """
defaults: {window: 30d}
bases:
  availability: {target: 99.9%, sli: {kind: availability, exclude: {route: /health}}}
slos:
  - {name: shared, base: availability}
"""


def test_one_base_serves_many_services(tmp_path: Path) -> None:
    """Bases, defaults and objectives of an included file join in; overrides change them."""
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "base.yaml").write_text(BASE)
    (tmp_path / "cart.yaml").write_text(
        "include: common/base.yaml\nslos:\n"
        "  - {name: cart, base: availability, sli: {where: {service: cart}}}\n"
        "overrides: {shared: {target: 99.5%}}\n"
    )
    spec = load(tmp_path / "cart.yaml")
    assert [(slo.name, str(slo.target)) for slo in spec] == [("shared", "99.5%"), ("cart", "99.9%")]
    assert spec["cart"].sli == eb.Availability(
        exclude={"route": "/health"}, where={"service": "cart"}
    )
    assert len(spec.files) == 2


def test_a_mistake_in_an_included_file_is_named_there(tmp_path: Path) -> None:
    """The place says which file."""
    (tmp_path / "base.yaml").write_text(BASE.replace("99.9%", "99.9"))
    (tmp_path / "a.yaml").write_text("include: base.yaml\n")
    with pytest.raises(SpecError, match=r"base\.yaml:4:26 slos\[0\]\.target"):
        load(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("../outside.yaml", "which includes may not leave"),
        ("/etc/passwd", "which includes may not leave"),
        pytest.param("link.yaml", "which includes may not leave", marks=pytest.mark.posix),
        ("a.yaml", "includes itself"),
        ("sloth.yaml", "convert it first"),
        ("nowhere.yaml", r'a\.yaml:1:11 include: "nowhere\.yaml" is not there'),
        (".", "is no file"),
        pytest.param("pipe.yaml", "is no file", marks=pytest.mark.posix),
    ],
)
def test_includes_stay_at_home(tmp_path: Path, wanted: str, said: str) -> None:
    """No path leads out, neither by dots nor by a link, and none goes round in a circle."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "outside.yaml").write_text(ONE)
    if os.name == "posix":
        (home / "link.yaml").symlink_to(tmp_path / "outside.yaml")
        os.mkfifo(home / "pipe.yaml")
    (home / "sloth.yaml").write_text("version: prometheus/v1\nservice: x\nslos: []\n")
    (home / "a.yaml").write_text(f"include: [{wanted}]\n{ONE}")
    with pytest.raises(SpecError, match=said):
        load(home / "a.yaml")


def test_a_base_that_several_include_joins_in_once(tmp_path: Path) -> None:
    """One base, many services: what two files share is there once."""
    (tmp_path / "base.yaml").write_text(BASE)
    for name in ("b", "c"):
        text = ONE.replace("name: a", f"name: {name}")
        (tmp_path / f"{name}.yaml").write_text(f"include: base.yaml\n{text}")
    (tmp_path / "all.yaml").write_text("include: [b.yaml, c.yaml]\n")
    spec = load(tmp_path / "all.yaml")
    assert [slo.name for slo in spec] == ["shared", "b", "c"]


def test_a_change_brings_no_base_along() -> None:
    """A base in overrides would come too late; it is refused, not passed over."""
    text = "bases: {q: {target: 98%}}\noverrides: {a: {base: q}}\n" + ONE
    assert complaints(text) == [
        "2:17 overrides.a.base: a change brings no base along; write base: at the objective, "
        "or the values here"
    ]


@pytest.mark.parametrize(
    "part",
    [
        "target: V",
        "window: V",
        "sli: V",
        "alerts: V",
        "policy: V",
        "method: V",
        "base: V",
        "min_coverage: V",
        "warning_target: V",
        "burn_windows: [V]",
        "corrections: [{start: V, end: 2026-01-01T00:00:00Z}]",
        "resets: [{at: V}]",
        "sli: {kind: V}",
        "sli: {kind: latency, threshold: V}",
        "sli: {kind: availability, where: {x: (V}}",
    ],
)
@pytest.mark.parametrize("value", ["hunter2-secret", "30hunter2", "hunter2 " * 40])
def test_what_a_variable_holds_is_in_no_message(part: str, value: str) -> None:
    """A value that does not fit may be a password in the wrong place."""
    key, _, rest = part.partition(": ")
    written = {"target": "99%", "window": "7d", "sli": "{kind: availability}", key: rest}
    pairs = ", ".join(f"{name}: {text}" for name, text in written.items())
    text = f"slos:\n  - {{name: a, {pairs}}}\n".replace("V", "'${env:SECRET}'")
    text = text.replace("('${env:SECRET}'", "'(${env:SECRET}'")
    found = "\n".join(complaints(text, allow_env={"SECRET": value}))
    assert "hunter" not in found
    assert "2:" in found


def test_text_has_no_folder_to_include_from(tmp_path: Path) -> None:
    """Text includes only below a root that it is given."""
    (tmp_path / "base.yaml").write_text(BASE)
    assert "has no folder" in complaints("include: base.yaml\n" + ONE)[0]
    assert [slo.name for slo in load("include: base.yaml\n" + ONE, root=tmp_path)] == [
        "shared",
        "a",
    ]


# ---------------------------------------------------------------------------- schema, guide


def test_the_shipped_schema_is_current() -> None:
    """The file in the package is what the models say; `python -m errorbudget.specs` writes it."""
    assert json_schema() == json.loads(json.dumps(generate_schema()))


def test_the_schema_is_a_schema_and_knows_the_guide() -> None:
    """It is valid itself, takes the guide, and refuses a mistake."""
    jsonschema = pytest.importorskip("jsonschema", reason="missing: jsonschema; make test")
    jsonschema.Draft202012Validator.check_schema(json_schema())
    validator = jsonschema.Draft202012Validator(json_schema())
    document = json.loads(json.dumps(plain(trees(guide_text())[0]), default=float))
    assert not list(validator.iter_errors(document))
    document["slos"][0]["taget"] = "99%"
    assert list(validator.iter_errors(document))


GUIDE_NAMES = {
    "API Endpoints Availability": ("99.9%", "30d", "High"),
    "Health Check Availability": ("99.95%", "30d", "Critical"),
    "HTTP Request Latency": (None, "7d", "High"),
    "Tool Execution Latency": (None, "7d", "High"),
    "Streaming Response Latency": (None, "1d", "Medium"),
    "HTTP Error Rate": ("99%", "1d", "High"),
    "Tool Execution Error Rate": ("99.9%", "1d", "Critical"),
    "Authentication Error Rate": ("95%", "1d", "Medium"),
    "Request Throughput": (None, "1h", "High"),
    "Streaming Connection Throughput": (None, "1d", "Medium"),
}


@pytest.mark.parametrize("name", GUIDE_NAMES)
def test_the_guide_has_its_ten_objectives(name: str) -> None:
    """Each by its name, with its target, window and criticality."""
    slo = guide()[name]
    target = None if slo.target is None else str(slo.target)
    assert (target, str(slo.window), slo.criticality) == GUIDE_NAMES[name]


def test_each_quantile_of_the_guide_has_its_ratio_beside_it() -> None:
    """The forms with a budget are those that the thresholds themselves name."""
    spec = guide()
    ratios = [(slo.sli, slo.target) for slo in spec if isinstance(slo.sli, eb.Latency)]
    for slo in spec:
        if isinstance(slo.sli, eb.LatencyQuantile):
            for pair in slo.sli.as_ratios():
                assert pair in ratios


def test_the_guide_is_dumped_and_loaded_back() -> None:
    """The guide keeps the law, too."""
    assert list(load(eb.dump(guide()))) == list(guide())


def test_text_stays_as_it_is_written() -> None:
    """A label of 007 is no number, nor is the name."""
    text = (
        "slos: [{name: 007, target: 99%, window: 7d, sli: {kind: availability}, labels: {v: 1e3}}]"
    )
    (slo,) = load(text)
    assert (slo.name, slo.labels) == ("007", {"v": "1e3"})


def test_variables_that_never_end_cost_no_time() -> None:
    """Half a million signs of them are read in a moment: looking for an end is not repeated."""
    name = "${env:" * 80_000
    text = f"slos: [{{name: '{name}', target: 99%, window: 7d, sli: {{kind: availability}}}}]"
    before = time.process_time()
    (slo,) = load(text)
    assert slo.name == name
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    ("sli", "wanted"),
    [("latency", "write {kind: latency}"), ("{latency: 300ms}", "that kind has kind: latency")],
)
def test_an_indicator_without_its_kind_is_told_how(sli: str, wanted: str) -> None:
    """What newcomers write first gets the cure."""
    with pytest.raises(SpecError) as caught:
        load(f"slos: [{{name: a, target: 99%, window: 7d, sli: {sli}}}]")
    assert wanted in str(caught.value)
