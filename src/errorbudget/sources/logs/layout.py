"""
What the lines of one log have in common: a virtual host in front, a duration behind.

Settled once per file on its first lines, so that every line is read by the same rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.sources.columns import UNIT_DECIMALS, known_duration, unit_of
from errorbudget.sources.logs.line import Field, LogLine, segments

__all__ = ["Layout", "find_layout"]

_KEYED = re.compile(rb"([A-Za-z_][\w.-]*[=:])(.*)", re.DOTALL)
_WHOLE = re.compile(rb"[0-9]{1,15}")
_DECIMAL = re.compile(rb"[0-9]{1,15}\.[0-9]{1,15}")
_ADDRESS = re.compile(rb"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+")
_HOST_PORT = re.compile(rb"[\w.*\[\]:-]*[A-Za-z_\]][\w.*-]*:[0-9]{1,5}|[\w.-]+:[0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    How to read the lines of one log.

    Args:
        name: What people call it.
        vhost: The virtual host stands before the client.
        duration: Where the duration stands, or None.
        decimals: The duration is the number divided by 10 to this power [s].
        whole: Only whole numbers are durations (a unit below the second, told by that form).
        unit: Unit of the duration, or None.
        why: What tells the unit.
        notes: Doubts about the layout, as sentences.
    """

    name: str
    vhost: bool = False
    duration: Field | None = None
    decimals: int = 0
    whole: bool = False
    unit: str | None = None
    why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Column:
    """What stands at one place in the sample's lines."""

    lines: int = 0
    whole: int = 0
    decimal: int = 0
    dashes: int = 0

    def numeric(self, total: int) -> bool:
        numbers = self.whole + self.decimal
        return numbers > 0 and 2 * self.lines >= total and numbers + self.dashes >= 0.9 * self.lines


def _columns(sample: Sequence[tuple[bytes, LogLine]]) -> dict[Field, _Column]:
    """The fields behind status and bytes of all lines, in the order in which they stand."""
    found: dict[Field, _Column] = {}

    def count(field: Field, text: bytes) -> None:
        column = found.setdefault(field, _Column())
        column.lines += 1
        column.whole += _WHOLE.fullmatch(text) is not None
        column.decimal += _DECIMAL.fullmatch(text) is not None
        column.dashes += text == b"-"

    for line, parts in sample:
        places = segments(line, parts.close)
        for index, (start, end) in enumerate(places):
            if index % 2:
                count(Field(index, -1), line[start:end])
                continue
            for word, text in enumerate(line[start:end].split(b" ")[1:]):
                if not text or (index == 0 and word < 2):
                    continue  # status and bytes
                keyed = _KEYED.fullmatch(text)
                if keyed is None:
                    count(Field(index, word), text.rstrip(b","))
                elif (
                    not keyed[2] and index + 1 < len(places) and end == start + len(line[start:end])
                ):
                    inner = line[slice(*places[index + 1])]
                    count(Field(index, word, keyed[1] + b'"'), inner)
                else:
                    count(Field(index, word, keyed[1]), keyed[2].rstrip(b","))
    return found


def _key_name(field: Field) -> str:
    return field.key.rstrip(b'=:"').decode("utf-8", "backslashreplace")


def _asked(columns: dict[Field, _Column], wanted: str) -> Field:
    """The field that the user names: by its key, or counted behind the bytes from 1."""
    keyed = {_key_name(field): field for field in columns if field.key}
    if wanted in keyed:
        return keyed[wanted]
    plain = [field for field in columns if not field.key and field.words >= 0]
    if wanted.isdigit() and 1 <= int(wanted) <= len(plain):
        return plain[int(wanted) - 1]
    there = ", ".join([*keyed, *(str(n + 1) for n in range(len(plain)))]) or "none"
    raise InvalidInputError(
        f'the log has no field "{wanted}" for the duration; fields behind the bytes: {there}'
        f"{did_you_mean(wanted, tuple(keyed))}"
    )


def _duration(
    columns: dict[Field, _Column], total: int, wanted: str | None
) -> tuple[Field | None, tuple[str, ...]]:
    if wanted is not None:
        return _asked(columns, wanted), ()
    numeric = {field: column for field, column in columns.items() if column.numeric(total)}
    keyed = [field for field in numeric if field.key and known_duration(_key_name(field))]
    if keyed:
        return keyed[0], ()
    plain = {field: column for field, column in numeric.items() if not field.key}
    for field, column in plain.items():
        if column.decimal:
            return field, ()
    whole = [field for field in plain if field.words >= 0]
    if len(whole) == 1:
        return whole[0], ()
    if len(whole) > 1:
        note = f"{len(whole)} trailing whole numbers per line, none taken for the duration"
        return None, (f'{note}; name it by its place, such as columns={{"duration": "1"}}',)
    return None, ()


def _is_vhost(who: bytes) -> bool:
    words = who.split(b" ", 3)
    if len(words) < 4:
        return False
    if _ADDRESS.fullmatch(words[0]) is None and _ADDRESS.fullmatch(words[1]) is not None:
        return True
    return _HOST_PORT.fullmatch(words[0]) is not None


def find_layout(
    sample: Sequence[tuple[bytes, LogLine]],
    *,
    wanted: str | None = None,
    duration_unit: str | None = None,
) -> Layout:
    """
    The layout that fits most of the lines.

    Args:
        sample: Lines with their parts, at least one.
        wanted: The field that holds the duration, where the user names it.
        duration_unit: Its unit, where the user names it.

    Raises:
        InvalidInputError: There is no field *wanted*.
    """
    total = len(sample)
    vhost = 2 * sum(_is_vhost(parts.who) for _, parts in sample) > total
    quotes = Counter(len(segments(line, parts.close)) // 2 for line, parts in sample)
    name = "combined log" if quotes.most_common(1)[0][0] >= 2 else "common log"
    if vhost:
        name += " with virtual host"
    columns = _columns(sample)
    field, notes = _duration(columns, total, wanted)
    if field is None:
        return Layout(name=name, vhost=vhost, notes=notes)
    column = columns[field]
    by_name = unit_of(_key_name(field)) if field.key else None
    where = f'field "{_key_name(field)}"' if field.key else "the trailing number"
    if duration_unit is not None:
        unit, why = duration_unit, f"{where} is the duration in {duration_unit}, as asked"
    elif by_name is not None:
        unit, why = by_name, f"{where} is the duration in {by_name}, by its name"
    elif column.decimal:
        unit, why = "s", f"{where} is the duration in s, as it has a decimal point (nginx)"
    else:
        unit, why = "us", f"{where} is the duration in us, as it is a whole number (Apache %D)"
    return Layout(
        name=f"{name} with duration",
        vhost=vhost,
        duration=field,
        decimals=UNIT_DECIMALS[unit],
        whole=duration_unit is None and by_name is None and unit == "us",
        unit=unit,
        why=why,
        notes=notes,
    )
