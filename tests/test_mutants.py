"""The mutants are what they say, those that live are explained, and the page is what was kept."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.mutants import page
from tests.mutants.operators import mutants_of


def changes(source: str) -> list[str]:
    """What each mutant of *source*, one function with one statement, turns that statement into."""
    return [one.after for one in mutants_of("m.py", ast.parse(source))]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("return a < b", ["return a <= b"]),
        ("return a <= b == c", ["return a < b == c", "return a <= b != c"]),
        ("return a // b % c", ["return a // b / c", "return a / b % c"]),
        ("return a and not b", ["return a or not b", "return a and b"]),
        ("return -x", ["return x"]),
        ("return x[1:], True, 2.5", ["return (x[2:], True, 2.5)", "return (x[1:], False, 2.5)"]),
        ("return f'{a + b:.1f} is text'", ["return f'{a - b:.1f} is text'"]),
        ("x += 1", ["pass", "x -= 1", "x += 2"]),
        ("note(x)", ["pass"]),
        ("return sorted(x, key=f)", ["return sorted(x)"]),
        ("return max(x, side='left')", ["return max(x)", "return min(x, side='left')"]),
        ("return a.popleft()", ["return a.pop()"]),
        ("raise ValueError(f'{a + 1} is too many')", ["pass"]),
        ("x: int = cast('int', y)", []),
        ("return 'text'", []),
    ],
)
def test_one_small_change_each(statement: str, expected: list[str]) -> None:
    """Each kind of change, and nothing where only wording or types would change."""
    found = changes(f"def f(a: int | None, *, b: str) -> int:\n    {statement}")
    assert found[: len(expected)] == expected
    assert len(found) <= len(expected) + 1


def test_conditions_defaults_and_cases() -> None:
    """Branches are forced both ways, defaults and cases are changed too, `raise` once only."""
    found = changes("def f(n=1, *, on=True):\n    if n:\n        raise ValueError")
    assert found == ["n=2, *, on=True", "n=1, *, on=False", "if n or True:", "if n and False:"]
    cases = "        case 1:\n            return 1\n        case _:\n            pass"
    found = changes(f"def f(x):\n    match x:\n{cases}")
    assert found[:2] == ["match x: _", "match x: 1"]


def test_a_change_is_made_in_the_tree_and_only_there() -> None:
    """Listing changes nothing; making one changes its place alone."""
    tree = ast.parse("class A:\n    @property\n    def x(self):\n        return self.y + 1 + 1")
    before = ast.unparse(tree)
    found = {one.key: one for one in mutants_of("m.py", tree)}
    assert ast.unparse(tree) == before
    assert {one.function for one in found.values()} == {"A.x"}
    found["m.py A.x: `return self.y + 1 + 1` → `return self.y + 2 + 1`"].apply()
    assert ast.unparse(tree) == before.replace("self.y + 1 +", "self.y + 2 +")


def test_every_mutant_that_lives_is_explained_once() -> None:
    """Those kept as alive are those explained, no more and no fewer."""
    alive = [key for module in page.kept().values() for key in page.alive(module)]
    explained = [key for group in page.groups() for key in group["mutants"]]
    assert Counter(explained) == Counter(alive)


def test_nine_in_ten_are_noticed_on_the_lowest_floors() -> None:
    """Of all that were run, whatever they change."""
    totals = page.totals()
    assert [floor for floor in range(4) if page.score(totals[floor]) < 90] == []
    assert page.score(totals[2]) >= 95


def test_the_page_is_what_was_kept() -> None:
    """`python -m tests.mutants.page` writes it."""
    assert page.page() == page.PAGE.read_text("utf-8")
