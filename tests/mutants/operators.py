"""
What a mutant is: one small change to one function, of a kind that people make by mistake.

The kinds are those of mutmut and cosmic-ray, less those that no test could miss (a value turned
into None) and those that change wording only: literal text, and whatever stands in a `raise`, are
held by texts kept elsewhere. Changed are

- comparisons: `<` to `<=`, `==` to `!=`, `in` to `not in`, and so on, each both ways;
- arithmetic: `+` to `-`, `*` to `/`, `//` to `/`, also in `+=`;
- logic: `and` to `or`, `not x` to `x`, `-x` to `x`, conditions held to be always true or never;
- numbers: `n` to `n + 1`, True to False, also as the default of an argument;
- twins: `min` to `max`, `bisect_left` to `bisect_right`, `"left"` to `"right"`, and so on;
- statements and options: a call, a `raise`, a `+=`, a `continue` or `break` left out, a keyword
  argument or a `case` left out.

Only functions are changed, decorated ones too, and methods and properties: not the tables and
defaults that a module or class makes while it is imported.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef

COMPARISONS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Div,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_PAIRS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
    ("floor", "ceil"),
    ("bisect_left", "bisect_right"),
    ("left", "right"),
    ("argmin", "argmax"),
    ("lower", "upper"),
    ("lstrip", "rstrip"),
    ("find", "rfind"),
    ("partition", "rpartition"),
    ("removeprefix", "removesuffix"),
    ("startswith", "endswith"),
    ("popleft", "pop"),
)
TWINS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
TWINS["pop"] = "pop"  # a list has no other
SIDES = ("left", "right")  # as text: `side="left"`


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change: what it is, where, and how to make it in the tree of its module."""

    module: str
    function: str
    lines: range
    before: str
    after: str
    number: int
    owner: ast.AST = field(repr=False)
    place: str = field(repr=False)
    value: Any = field(repr=False)
    outermost: Function = field(repr=False)

    @property
    def key(self) -> str:
        """What it is called, whatever line it stands on."""
        again = f" (number {self.number})" if self.number > 1 else ""
        return f"{self.module} {self.function}: `{self.before}` → `{self.after}`{again}"

    def apply(self) -> None:
        """Make the change, in the tree."""
        setattr(self.owner, self.place, self.value)


def _literal_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _at(new: ast.AST, old: ast.AST) -> Any:
    return ast.fix_missing_locations(ast.copy_location(new, old))


def _always(test: ast.expr) -> ast.expr:
    return _at(ast.BoolOp(ast.Or(), [test, ast.Constant(value=True)]), test)


def _never(test: ast.expr) -> ast.expr:
    return _at(ast.BoolOp(ast.And(), [test, ast.Constant(value=False)]), test)


def _number(value: object) -> object:
    """The other value that stands for *value*; None where there is none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return TWINS[value] if isinstance(value, str) and value in SIDES else None


def _replaced(items: list[Any], index: int, *new: Any) -> list[Any]:
    return [*items[:index], *new, *items[index + 1 :]]


def _expression_edits(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Field and new value of each change to the node itself."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            yield "ops", _replaced(node.ops, i, COMPARISONS[type(op)]())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield "op", ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        yield "op", ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.IfExp):
        yield "test", _always(node.test)
        yield "test", _never(node.test)
    elif isinstance(node, ast.comprehension):
        for i, test in enumerate(node.ifs):
            yield "ifs", _replaced(node.ifs, i, _always(test))
    elif isinstance(node, ast.Call):
        for i, _ in enumerate(node.keywords):
            yield "keywords", _replaced(node.keywords, i)
    elif isinstance(node, ast.Name) and node.id in TWINS and node.id not in SIDES:
        yield "id", TWINS[node.id]
    elif isinstance(node, ast.Attribute) and TWINS.get(node.attr, node.attr) != node.attr:
        yield "attr", TWINS[node.attr]
    elif isinstance(node, ast.Match) and len(node.cases) > 1:
        for i, _ in enumerate(node.cases):
            yield "cases", _replaced(node.cases, i)


def _child_edit(child: ast.AST) -> ast.AST | None:
    """What stands in the place of *child*, where the whole child is replaced."""
    if isinstance(child, ast.Constant) and (other := _number(child.value)) is not None:
        return _at(ast.Constant(value=other), child)
    if isinstance(child, ast.UnaryOp) and isinstance(child.op, ast.Not | ast.USub | ast.Invert):
        return child.operand
    return None


def _statement_edits(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    """Changes to a statement's condition."""
    if isinstance(node, ast.If):
        yield "test", _always(node.test)
        yield "test", _never(node.test)
    elif isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
        yield "test", _never(node.test)


def _dropped(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    return isinstance(node, ast.Raise | ast.AugAssign | ast.Break | ast.Continue)


def _guarded(owner: ast.AST, node: ast.stmt) -> bool:
    """Whether it is all that an `if` does: never entering that is the same change."""
    return isinstance(owner, ast.If) and owner.body == [node] and not owner.orelse


_UNCHANGED = {"annotation", "returns", "decorator_list", "type_comment", "ctx"}
_BODIES = {"body", "orelse", "finalbody", "handlers", "cases"}


class _Walk:
    """Goes through one module, and gives each change with the statement that it is part of."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.seen: dict[tuple[str, str, str], int] = {}

    def functions(self, body: list[ast.stmt], prefix: str = "") -> Iterator[Mutant]:
        """The changes of every function of *body*, and of its classes."""
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from self.functions(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, Function):
                if not any("overload" in ast.unparse(one) for one in node.decorator_list):
                    yield from self.function(node, prefix + node.name)
            elif isinstance(node, ast.If) and not _typing_only(node):
                yield from self.functions(node.body, prefix)

    def function(self, node: Function, name: str) -> Iterator[Mutant]:
        head = range(node.body[0].lineno, (node.body[-1].end_lineno or 0) + 1)
        for place in ("defaults", "kw_defaults"):
            values = getattr(node.args, place)
            for i, value in enumerate(values):
                new = _child_edit(value) if value is not None else None
                if new is not None:
                    edit = (node.args, place, _replaced(values, i, new))
                    yield self.mutant(name, node, node.args, head, *edit)
        yield from self.block(node, "body", name, node)

    def block(self, owner: ast.AST, place: str, name: str, outermost: Function) -> Iterator[Mutant]:
        statements = getattr(owner, place)
        for i, node in enumerate(statements):
            if _typing_only(node) or (isinstance(node, ast.Expr) and _literal_text(node.value)):
                continue
            lines = _own_lines(node)
            if isinstance(node, ast.stmt) and _dropped(node) and not _guarded(owner, node):
                edit = (owner, place, _replaced(statements, i, _at(ast.Pass(), node)))
                yield self.mutant(name, outermost, node, lines, *edit)
            if isinstance(node, ast.Raise):
                continue
            if isinstance(node, ast.stmt):
                for field_name, value in _statement_edits(node):
                    yield self.mutant(name, outermost, node, lines, node, field_name, value)
            yield from self.expressions(node, name, outermost, node, lines)
            inner = f"{name}.<locals>.{node.name}" if isinstance(node, Function) else name
            for body in _BODIES:
                if isinstance(getattr(node, body, None), list):
                    yield from self.block(node, body, inner, outermost)

    def expressions(
        self, node: ast.AST, name: str, outermost: Function, statement: ast.AST, lines: range
    ) -> Iterator[Mutant]:
        """The changes within *node*, short of the statements below it."""
        for field_name, value in _expression_edits(node):
            yield self.mutant(name, outermost, statement, lines, node, field_name, value)
        for field_name, child in ast.iter_fields(node):
            if field_name in _UNCHANGED or (field_name in _BODIES and isinstance(child, list)):
                continue
            children = child if isinstance(child, list) else [child]
            for i, one in enumerate(children):
                if not isinstance(one, ast.AST) or _typed_only(node, one):
                    continue
                if (new := _child_edit(one)) is not None:
                    whole = _replaced(child, i, new) if isinstance(child, list) else new
                    yield self.mutant(name, outermost, statement, lines, node, field_name, whole)
                yield from self.expressions(one, name, outermost, statement, lines)

    def mutant(
        self,
        name: str,
        outermost: Function,
        statement: ast.AST,
        lines: range,
        owner: ast.AST,
        place: str,
        value: Any,
    ) -> Mutant:
        old = getattr(owner, place)
        before = _shown(statement)
        setattr(owner, place, value)
        dropped = owner is not statement and place in _BODIES and isinstance(value, list)
        after = "pass" if dropped else _shown(statement)
        setattr(owner, place, old)
        found = (name, before, after)
        self.seen[found] = self.seen.get(found, 0) + 1
        return Mutant(
            self.module,
            name,
            lines,
            before,
            after,
            self.seen[found],
            owner,
            place,
            value,
            outermost,
        )


def _typed_only(node: ast.AST, child: ast.AST) -> bool:
    """Whether *child* matters to a type checker alone."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("cast", "TypeVar")
        and bool(node.args)
        and child is node.args[0]
    )


def _own_lines(node: ast.AST) -> range:
    """The lines of a statement, without those of the statements below it."""
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    inner = getattr(node, "body", None)
    if isinstance(node, ast.match_case):
        first, last = node.pattern.lineno, node.pattern.end_lineno
    elif isinstance(node, ast.Match):
        last = max(first, node.cases[0].pattern.lineno - 1)
    elif isinstance(inner, list) and inner:
        last = max(first, inner[0].lineno - 1)
    return range(first, last + 1)


def _shown(node: ast.AST) -> str:
    """The statement in one line, without the statements below it."""
    bare = copy.copy(node)
    for body in _BODIES - {"cases"}:
        if isinstance(getattr(bare, body, None), list):
            setattr(bare, body, [])
    if isinstance(bare, ast.Match):
        bare.cases = []
        patterns = [ast.unparse(case.pattern) for case in node.cases]
        return f"match {ast.unparse(bare.subject)}: {' | '.join(patterns)}"
    text = ast.unparse(bare)
    return " ".join(text.split())


def mutants_of(module: str, tree: ast.Module) -> list[Mutant]:
    """Every mutant of *tree*, in the order of the source; each is made in that tree itself."""
    return list(_Walk(module).functions(tree.body))
