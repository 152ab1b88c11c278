"""What is wrong with an objective, said for people: what came, what fits, and the line of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from errorbudget.errors import InvalidTargetError, InvalidWindowError, did_you_mean
from errorbudget.sli import KINDS
from errorbudget.specs.tree import Branch, Items, Node, Place, Problem, find

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["ENOUGH", "core_problem", "model_problems", "unknown_key"]

ENOUGH = 200
"""Mistakes at once; nobody reads more."""


def unknown_key(key: str, known: tuple[str, ...]) -> str:
    """
    What to say of a key that is not there.

    Example:
        >>> unknown_key("taget", ("name", "target"))
        'there is no key "taget"; did you mean "target"?'
    """
    shown = key if len(key) <= 60 else key[:57] + "..."
    hint = did_you_mean(shown, known)
    return f'there is no key "{shown}"' + (hint or f"; there are {', '.join(sorted(known))}")


def core_problem(error: Exception, node: Branch, path: str) -> Problem:
    """A contradiction between parts, shown at the part that is to be changed."""
    key = (
        "target"
        if isinstance(error, InvalidTargetError)
        else "window"
        if isinstance(error, InvalidWindowError)
        else ""
    )
    place, part, _ = find(node, [key])
    return Problem(str(error), f"{path}.{part}" if part else path, place)


def model_problems(
    error: ValidationError, node: Branch, path: str, data: Any, known: Mapping[int, tuple[str, ...]]
) -> list[Problem]:
    """
    What a model refused, in the words and at the places of the file.

    Args:
        error: What it said.
        node: The objective.
        path: Its path.
        data: The same as plain data, as the model was given it.
        known: Keys that fit, by the identity of a mapping in *data*.
    """
    found = []
    for fault in error.errors(include_url=False)[:ENOUGH]:
        location = list(fault["loc"])
        place, part, steps = find(node, location)
        full = f"{path}.{part}" if part and part[0] != "[" else path + part
        message = str(fault["msg"])
        last = str(location[-1]) if location else ""
        if fault["type"] == "extra_forbidden":
            keys = known.get(id(_value_at(data, steps[:-1])), ())
            message = unknown_key(last, keys)
            if part.rpartition(".")[0] == "sli" and last in KINDS:
                message = f'there is no key "{last}"; an indicator of that kind has kind: {last}'
            place = _key_place(node, steps) or place
        elif fault["type"] == "missing":
            message = f'"{last}" is missing'
        elif fault["type"] == "value_error":
            message = str(fault.get("ctx", {}).get("error", message))
        elif fault["type"] == "union_tag_invalid":
            context = fault["ctx"]
            kinds = tuple(word.strip(" '") for word in str(context["expected_tags"]).split(","))
            tag = str(context["tag"])
            message = (
                f'there is no kind "{tag}"; there are {", ".join(kinds)}{did_you_mean(tag, kinds)}'
            )
            place = find(node, [*steps, "kind"])[0]
        elif fault["type"] in (
            "model_type",
            "dict_type",
            "model_attributes_type",
            "union_tag_not_found",
        ):
            message = f"must be a mapping, got {_short(fault['input'])}"
            if part == "sli" and fault["input"] in KINDS:
                message += f"; write {{kind: {fault['input']}}}"
        else:
            message = f"{message[0].lower()}{message[1:]}, got {_short(fault['input'])}"
        found.append(Problem(message.replace("input should be", "must be"), full, place))
    return found


def _short(value: Any) -> str:
    text = str(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _value_at(data: Any, steps: list[int | str]) -> Any:
    for step in steps:
        data = data[step]
    return data


def _key_place(root: Node, steps: list[int | str]) -> Place | None:
    node: Node | None = root
    for step in steps[:-1]:
        if isinstance(node, Branch):
            node = node.get(str(step))
        elif isinstance(node, Items) and isinstance(step, int):
            node = node.items[step]
    return node.keys.get(str(steps[-1])) if isinstance(node, Branch) and steps else None
