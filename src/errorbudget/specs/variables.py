"""
Variables from the environment, where they are asked for and nowhere else.

`${env:NAME}` inside a value stands for a variable, once the caller allows it; `$${env:NAME}` is
that text itself. Keys never change, and what comes out is always text: an environment cannot add
structure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from errorbudget.characters import first_control
from errorbudget.specs.tree import Branch, Items, Node, Problem, Scalar, path_text

__all__ = ["as_literal", "fill_in", "masked"]

_VARIABLE = re.compile(r"(\$?)\$\{env:([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 4_096
_SECRET = 4
_QUOTED = re.compile(r"""(['"])(.+?)\1""")


def fill_in(
    node: Node,
    variables: Mapping[str, str] | None,
    problems: list[Problem],
    steps: tuple[int | str, ...] = (),
    *,
    used: dict[str, str] | None = None,
) -> Node:
    """
    The tree with its variables filled in.

    Args:
        node: The tree; it stays as it is.
        variables: Values by name; None refuses every variable.
        problems: Where to note what is missing or not allowed.
        steps: Path of *node*, for messages.
        used: Where to note the values that were filled in, by name.
    """
    if isinstance(node, Branch):
        values = {
            key: fill_in(value, variables, problems, (*steps, key), used=used)
            for key, value in node.values.items()
        }
        return Branch(values, node.keys, node.place)
    if isinstance(node, Items):
        items = tuple(
            fill_in(item, variables, problems, (*steps, index), used=used)
            for index, item in enumerate(node.items)
        )
        return Items(items, node.place)
    if not isinstance(node.value, str) or "${env:" not in node.value:
        return node

    def value_of(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        reason = _refusal(match[2], variables)
        if reason:
            problems.append(Problem(reason, path_text(steps), node.place))
            return match[0]
        value = (variables or {})[match[2]]
        if used is not None:
            used[match[2]] = value
        return value

    text = _replaced(node.value, value_of)
    return Scalar(text, text, node.place)


def masked(message: str, used: Mapping[str, str]) -> str:
    """
    *message* without the values of variables, which may be secrets, or the beginnings of them.

    Values of fewer than four characters are none, and stay.

    Example:
        >>> masked("must be a share, got 'hunter2'", {"PASSWORD": "hunter2"})
        "must be a share, got '${env:PASSWORD}'"
    """
    for name, value in used.items():
        if len(value) >= _SECRET:
            message = _quotes_masked(message, name, value)
            message = _starts_masked(message, name, value)
    return message


def _quotes_masked(message: str, name: str, value: str) -> str:
    """A part of the value may stand in quotes, as an unknown unit of a duration does."""

    def hide(match: re.Match[str]) -> str:
        inner = match[2].removesuffix("...")
        return f"{match[1]}${{env:{name}}}{match[1]}" if inner and inner in value else match[0]

    return _QUOTED.sub(hide, message)


def _starts_masked(message: str, name: str, value: str) -> str:
    """Messages cut what is long: its beginning is hidden, as far as it goes."""
    parts, at = [], 0
    while (found := message.find(value[:_SECRET], at)) >= 0:
        end = found + _SECRET
        for said, meant in zip(message[end:], value[_SECRET:], strict=False):
            if said != meant:
                break
            end += 1
        parts += [message[at:found], f"${{env:{name}}}"]
        at = end
    return "".join([*parts, message[at:]])


def as_literal(text: str) -> str:
    """
    *text* written so that nothing in it is filled in.

    Example:
        >>> as_literal("costs ${env:PRICE}")
        'costs $${env:PRICE}'
    """
    return _replaced(text, lambda match: f"{match[1]}${match[0].removeprefix(match[1])}")


def _replaced(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    """Every variable of *text* replaced. Time: O(length)."""
    # What follows the last brace cannot end; looking for its end, sign by sign, would be quadratic.
    end = text.rfind("}") + 1
    return _VARIABLE.sub(replace, text[:end]) + text[end:]


def _refusal(name: str, variables: Mapping[str, str] | None) -> str | None:
    if not _NAME.fullmatch(name):
        return f'"{name[:40]}" is no name of a variable; write ${{env:NAME}}'
    if variables is None:
        return (
            f"${{env:{name}}} is not filled in unless you allow it: pass allow_env=True, or "
            "--allow-env on the command line"
        )
    if name not in variables:
        return f"the environment has no variable {name}"
    if len(variables[name]) > _LONGEST:
        return f"the variable {name} is longer than {_LONGEST} characters"
    if control := first_control(variables[name]):
        return f"the variable {name} holds the character {control}; remove it"
    return None
