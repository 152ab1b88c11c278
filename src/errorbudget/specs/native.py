"""
The native format: defaults, bases and objectives, judged whole.

Parts are joined on the tree, where every value still knows its line; then each objective is read by
its model; then the core builds it. Every mistake of every objective is reported at once.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from errorbudget.errors import (
    DoubtfulTargetWarning,
    ErrorBudgetError,
    MissingDependencyError,
    did_you_mean,
)
from errorbudget.slo import SLO
from errorbudget.specs.mistakes import ENOUGH, core_problem, model_problems, unknown_key
from errorbudget.specs.tables import ALERTS, serving
from errorbudget.specs.tree import (
    Branch,
    Items,
    Node,
    Place,
    Problem,
    Scalar,
    find,
    plain,
)
from errorbudget.target import Target

__all__ = ["Draft", "Native", "join", "read_native", "warn_of"]

# Replaced whole, never joined key by key: half of one table and half of another is no table.
_WHOLE = ("target", "alerts", "policy", "risk_policy", "bounds")
# Text as it is written, whatever a bare word means: 007 and 1.10 are no numbers here.
_TEXTS = ("name", "description", "service", "criticality", "owner", "team", "runbook")
_TEXTS_BY_NAME = ("links", "labels")
_TOP = ("version", "include", "defaults", "bases", "slos", "overrides")


@dataclass(frozen=True, slots=True)
class Draft:
    """One objective as it was written, and the path at which."""

    node: Branch
    path: str


@dataclass(slots=True)
class Native:
    """What a file, and those it includes, hold so far."""

    defaults: Branch | None = None
    bases: dict[str, Branch] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def fault(self, message: str, path: str, place: Place | None) -> None:
        """Note one more thing that is wrong."""
        self.problems.append(Problem(message, path, place))


def join(under: Node | None, over: Node) -> Node:
    """
    *over* laid on *under*: mappings join key by key, everything else is replaced.

    An indicator or a method of another kind, and tables such as policies, are replaced whole.
    """
    if not isinstance(under, Branch) or not isinstance(over, Branch):
        return over
    kinds = [node.values.get("kind") for node in (under, over)]
    if kinds[1] is not None and (kinds[0] is None or plain(kinds[0]) != plain(kinds[1])):
        return over
    values, keys = dict(under.values), dict(under.keys)
    for key, value in over.values.items():
        values[key] = value if key in _WHOLE else join(values.get(key), value)
        keys[key] = over.key_place(key)
    return Branch(values, keys, over.place)


def take_branch(native: Native, node: Node | None, path: str, what: str) -> Branch | None:
    """*node* if it is a mapping; else a problem that says what *what* holds."""
    if isinstance(node, Branch):
        return node
    if node is not None and not (isinstance(node, Scalar) and node.value is None):
        native.fault(f"{what} is a mapping", path, node.place)
    return None


def take_named(native: Native, node: Node | None, path: str, what: str) -> dict[str, Branch]:
    """A mapping of mappings by name."""
    found = {}
    branch = take_branch(native, node, path, f"{path} hold {what} by name; it")
    for name, value in branch.values.items() if branch else ():
        part = take_branch(native, value, f"{path}.{name}", f"each of the {path}")
        if part is not None:
            found[name] = part
    return found


def check_top(native: Native, root: Branch) -> None:
    """Unknown keys and versions at the top of a document; `x-` keys are anyone's."""
    from errorbudget.specs.models import VERSION

    for key, place in root.keys.items():
        if len(native.problems) > ENOUGH:
            native.fault("there are too many mistakes to read on", "", place)
            return
        if key not in _TOP and not key.startswith("x-"):
            native.fault(unknown_key(key, _TOP), key, place)
    version = root.get("version")
    if version is not None and plain(version) != VERSION:
        native.fault(
            f'version must be "{VERSION}", got {plain(version)!r}', "version", version.place
        )


def read_parts(native: Native, root: Branch) -> None:
    """Take in the defaults, bases and objectives of one document."""
    check_top(native, root)
    defaults = take_branch(native, root.get("defaults"), "defaults", "what defaults hold")
    if defaults is not None:
        _check_partial(native, defaults, "defaults")
        joined = join(native.defaults, defaults)
        assert isinstance(joined, Branch)  # noqa: S101 - two mappings join to one
        native.defaults = joined
    for name, base in take_named(native, root.get("bases"), "bases", "parts").items():
        _check_partial(native, base, f"bases.{name}")
        native.bases[name] = base
    slos = root.get("slos")
    if isinstance(slos, Items):
        for index, item in enumerate(slos.items):
            draft = take_branch(native, item, f"slos[{index}]", "an objective")
            if draft is not None:
                filled = _fill(native, draft, f"slos[{index}]")
                native.drafts.append(Draft(filled, f"slos[{index}]"))
    elif slos is not None and not (isinstance(slos, Scalar) and slos.value is None):
        native.fault("slos is a list: write each objective as - name: ...", "slos", slos.place)
    _override(native, root)


def _check_partial(native: Native, branch: Branch, path: str) -> None:
    from errorbudget.specs.models import Partial

    known = tuple(Partial.model_fields)
    for key, place in branch.keys.items():
        if key not in known:
            why = "a name belongs to one objective" if key == "name" else unknown_key(key, known)
            native.fault(why, f"{path}.{key}", place)


def _override(native: Native, root: Branch) -> None:
    for name, change in take_named(native, root.get("overrides"), "overrides", "changes").items():
        _check_partial(native, change, f"overrides.{name}")
        if "base" in change.values:
            why = "a change brings no base along; write base: at the objective, or the values here"
            native.fault(why, f"overrides.{name}.base", change.key_place("base"))
        names = [_name(draft) for draft in native.drafts]
        if name not in names:
            native.fault(
                f'there is no objective "{name}" to change{did_you_mean(name, names)}',
                f"overrides.{name}",
                root.values["overrides"].place
                if not isinstance(root.values["overrides"], Branch)
                else root.values["overrides"].key_place(name),
            )
            continue
        place = names.index(name)
        joined = join(native.drafts[place].node, change)
        assert isinstance(joined, Branch)  # noqa: S101 - two mappings join to one
        native.drafts[place] = Draft(joined, native.drafts[place].path)


def _name(draft: Draft) -> str:
    node = draft.node.get("name")
    return node.text if isinstance(node, Scalar) else ""


def _fill(native: Native, draft: Branch, path: str) -> Branch:
    """The objective on its base, and both on the defaults."""
    layers: list[Branch] = [draft]
    seen: list[str] = []
    current = draft
    while (wanted := current.get("base")) is not None:
        name = wanted.text if isinstance(wanted, Scalar) else ""
        if name not in native.bases or name in seen:
            if name in seen:
                message = f"bases go round in a circle: {' -> '.join([*seen, name])}"
            else:
                known = tuple(native.bases)
                message = (
                    f'there is no base "{name}"; there are {", ".join(known) or "none"}'
                    f"{did_you_mean(name, known)}"
                )
            native.fault(message, f"{path}.base", wanted.place)
            break
        seen.append(name)
        current = native.bases[name]
        layers.append(current)
    filled: Node | None = native.defaults
    for layer in reversed(layers):
        filled = join(filled, layer)
    assert isinstance(filled, Branch)  # noqa: S101 - the objective itself is one
    return Branch(filled.values, filled.keys, draft.place)


def without_nulls(value: Any) -> Any:
    """Plain data without keys that hold null: written so, they take a default back."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_nulls(part) for part in value]
    return value


def read_native(native: Native) -> list[SLO]:
    """
    The objectives of all that was read; what is wrong is noted in `native.problems`.

    Raises:
        MissingDependencyError: pydantic, or what a part asks for, is not installed.
    """
    _check_names(native)
    found = []
    for draft in native.drafts:
        slo = _read_draft(native, draft)
        if slo is not None:
            found.append(slo)
        if len(native.problems) > ENOUGH:
            native.fault("there are too many mistakes to read on", draft.path, draft.node.place)
            break
    return found


def _check_names(native: Native) -> None:
    first: dict[str, Place] = {}
    for draft in native.drafts:
        node = draft.node.get("name")
        if not isinstance(node, Scalar) or node.value is None:
            continue
        if node.text in first:
            before = first[node.text]
            where = before if before.source != node.place.source else f"line {before.line}"
            native.fault(
                f'a second objective is called "{node.text}"; the first stands in {where}',
                f"{draft.path}.name",
                node.place,
            )
            if len(native.problems) > ENOUGH:
                return
        first.setdefault(node.text, node.place)


def models() -> Any:
    """
    The models of the native format.

    Raises:
        MissingDependencyError: pydantic is not installed.
    """
    try:
        from errorbudget.specs import models as found
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pydantic":
            raise
        raise MissingDependencyError.for_extra(
            "reading a specification", "pydantic", "specs"
        ) from None
    return found


def _plain_objective(node: Branch) -> Any:
    data = plain(node)
    for key in _TEXTS:
        _as_written(node, data, key)
    for key in _TEXTS_BY_NAME:
        part = node.get(key)
        if isinstance(part, Branch):
            for name in part.values:
                _as_written(part, data[key], name)
    return data


def _as_written(node: Branch, data: Any, key: str) -> None:
    value = node.get(key)
    if isinstance(value, Scalar) and value.value is not None:
        data[key] = value.text


def _read_draft(native: Native, draft: Draft) -> SLO | None:
    from pydantic import ValidationError

    data = without_nulls(_plain_objective(draft.node))
    known: dict[int, tuple[str, ...]] = {}
    try:
        arguments = models().SLOModel.model_validate(data, context=known).arguments()
    except ValidationError as error:
        native.problems += model_problems(error, draft.node, draft.path, data, known)
        return None
    chosen = arguments.get("alerts")
    published = chosen if any(chosen is table for table in ALERTS.values()) else None
    if published is not None:
        del arguments["alerts"]
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always", DoubtfulTargetWarning)
        try:
            slo = SLO(arguments.pop("name"), **arguments)
            if published is not None:
                # A published table serves the window at hand, whatever period it was printed for.
                slo = slo.replace(alerts=serving(published, slo))
        except MissingDependencyError:
            raise
        except (ErrorBudgetError, ValueError, ArithmeticError) as error:
            native.problems.append(core_problem(error, draft.node, draft.path))
            return None
    for doubt in dict.fromkeys(str(warning.message) for warning in caught):
        said = f"{draft.node.place} {draft.path}: {doubt}"
        native.warnings.append(said)
        native.doubts.append(said)
    native.warnings += _doubts(slo, draft)
    return slo


def warn_of(doubts: Iterable[str]) -> None:
    """Warn of targets that are legal and probably not meant, at the line that called `load`."""
    for doubt in doubts:
        python_warnings.warn(doubt, DoubtfulTargetWarning, stacklevel=5)


def _doubts(slo: SLO, draft: Draft) -> list[str]:
    """Alerts that even a total outage could not fire."""
    if not isinstance(slo.target, Target) or slo.target.error == 0:
        return []
    dead = slo.alerts.unreachable(slo.target, slo.period_ns)
    place = find(draft.node, ["alerts" if "alerts" in draft.node.values else "target"])[0]
    return [
        f'{place} {draft.path}: alert "{alert.name}" of "{slo.name}" can never fire: burning '
        f"faster than {float(alert.threshold(slo.period_ns)):g} takes more errors than there are "
        f"requests at a target of {slo.target}"
        for alert in dead
    ]
