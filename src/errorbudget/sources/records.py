"""
Rows with named columns as events: which column plays which role, and the conversion of batches.

The plan is made once per file on its first rows, so that every row is read by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from errorbudget.errors import InvalidTimeError, SourceFormatError
from errorbudget.sources.batches import Assembly, Batch, FileFacts
from errorbudget.sources.columns import (
    ROLES,
    count_columns,
    find_columns,
    unit_of,
    unknown_column,
)
from errorbudget.sources.convert import (
    NAIVE,
    NUMBER,
    Coded,
    Column,
    Ints,
    Wrong,
    durations,
    epochs,
    flags,
    further_numbers,
    is_missing,
    statuses,
    typed_times,
    written_times,
)
from errorbudget.sources.options import Options
from errorbudget.sources.reading import Skips
from errorbudget.sources.requests import REQUEST_LABELS, Requests, route_of
from errorbudget.sources.stamps import iso, naive_to_ns

__all__ = ["EXTRA_LABELS", "CountsFoundError", "Plan"]

EXTRA_LABELS = (
    *("service", "app", "region", "instance", "pod", "cluster"),
    *("env", "environment", "upstream", "backend", "tenant", "version"),
)
"""Columns kept as labels without being asked for, beside method, route and host."""

_USUAL = ("method", "route", "host")


class CountsFoundError(SourceFormatError):
    """A table of counts where events were to be read."""


class Plan:
    """
    How the rows of one file become events.

    Args:
        names: Columns that there are.
        sample: Values of the first rows by column.
        options: What the user decided.
        facts: Where to note what was found.
        assembly: Whose dictionaries hold the labels.
        naive: Typed columns of times without a zone: UTC, or the zone that the user names.

    Raises:
        InvalidInputError: A named column does not exist.
        InvalidTimeError: Times have no zone, and none was given.
        SourceFormatError: There is no column of times, or the rows are no events but counts, or no
            counts where counts were to be read.
    """

    def __init__(
        self,
        names: Sequence[str],
        sample: Mapping[str, Column],
        options: Options,
        facts: FileFacts,
        assembly: Assembly,
        *,
        naive: Collection[str] = (),
    ) -> None:
        self._facts = facts
        self._zone = options.zone
        self._twice = 0
        found = find_columns(names, options.columns, source=facts.file)
        if "time" not in found:
            raise SourceFormatError(
                f"{facts.file} has no column of times; its columns are "
                f'{", ".join([*names][:20])}; name it: columns={{"time": ...}}'
            )
        counts = count_columns(names)
        if options.counts:
            if not counts:
                raise SourceFormatError(
                    f"{facts.file} is no table of counts, which has two of the columns good, bad "
                    f"and total; its columns are {', '.join([*names][:20])}"
                )
            found = {"time": found["time"]}
        elif "good" not in options.columns and _are_counts(counts, found, sample):
            raise CountsFoundError(
                f"{facts.file} is a table of counts (columns {', '.join(counts.values())}), not of "
                "single events; report, history, gate and the studies read it, as a named file and "
                "without --watch, and in Python errorbudget.sources.count_table.read_count_table "
                "does. If each row is an event, name "
                'the column of verdicts: columns={"good": ...}'
            )
        self.roles: dict[str, str] = {
            role: found[role] for role in ("time", "status", "duration", "good") if role in found
        }
        self._naive = self.roles["time"] in naive
        self._set_time(sample, options)
        self._set_duration(sample, options)
        self._set_labels(names, found, options, assembly)
        self._values = {name: name for name in options.values}
        if options.counts:  # events cannot have values called good
            self._values = {f"{role} count": name for role, name in counts.items()}
        for name in options.values:
            if name not in names:
                raise unknown_column(name, names, facts.file)
        facts.columns = {**self.roles, **self._sources}

    def _set_time(self, sample: Mapping[str, Column], options: Options) -> None:
        name = self.roles["time"]
        raw = sample[name]
        self._time_unit: str | None = None
        if isinstance(raw, np.ndarray) and raw.dtype.kind == "M":
            return
        values = [value for value in raw if not is_missing(value)]
        numeric = [value for value in values if _numeric(value)]
        if values and 2 * len(numeric) > len(values):
            self._time_unit = options.time_unit or unit_of(name)
            if self._time_unit is None:
                self._time_unit = _magnitude(numeric)
                self._facts.notes.append(
                    f'times in "{name}" are taken for {self._time_unit} since 1970, by their size'
                )
            self._facts.time_unit = self._time_unit
        elif options.zone is None:
            texts = [str(value).strip().encode() for value in values]
            _, real, zoned = iso(texts)
            if texts and 2 * int((real & ~zoned).sum()) > len(texts):
                raise InvalidTimeError(f'{self._facts.file}: time "{values[0]}" {NAIVE}')

    def _set_duration(self, sample: Mapping[str, Column], options: Options) -> None:
        name = self.roles.get("duration")
        self._duration_unit: str | None = None
        if name is None:
            return
        facts = self._facts
        values = [value for value in sample[name] if not is_missing(value)]
        numeric = [value for value in values if _numeric(value)]
        unit: str | None
        if options.duration_unit is not None:
            unit, why = options.duration_unit, "as asked"
        elif unit_of(name) is not None:
            unit, why = unit_of(name), "by its name"
        elif values and 2 * len(numeric) <= len(values):
            facts.duration_unit, facts.duration_why = "s", f'column "{name}" writes its unit'
            return
        elif any("." in str(value) for value in numeric):
            unit, why = "s", "as it has a decimal point"
        elif not values:
            unit, why = "s", "though none is there at first"
        else:
            del self.roles["duration"]
            facts.notes.append(
                f'column "{name}" holds whole numbers without a unit: not taken for the duration; '
                f'say which, such as duration_unit="ms"'
            )
            return
        self._duration_unit = facts.duration_unit = unit
        facts.duration_why = f'column "{name}" is the duration in {unit}, {why}'

    def _set_labels(
        self,
        names: Sequence[str],
        found: Mapping[str, str],
        options: Options,
        assembly: Assembly,
    ) -> None:
        sources: dict[str, str] = {}
        request: list[str] = []
        self._coded: dict[str, Coded] = {}
        wanted = options.labels if options.labels is not None else (*_USUAL, *EXTRA_LABELS)
        for label in wanted:
            role = "target" if label == "route" and "route" not in found else label
            if role in ROLES and role in found and role in (*REQUEST_LABELS, "host", "target"):
                text_of: Callable[[str], str | None] = route_of if role == "target" else str
                sources[label] = found[role]
                self._coded[label] = Coded(text_of, assembly.dictionary(label))
            elif label in REQUEST_LABELS and "request" in found:
                request.append(label)
                assembly.dictionary(label)
            elif label in names:
                sources[label] = label
                self._coded[label] = Coded(str, assembly.dictionary(label))
            elif options.labels is not None:
                raise unknown_column(label, names, self._facts.file)
        self._sources = sources
        self._requests = Requests(request, assembly.dictionaries) if request else None
        self._request = found.get("request") if request else None

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that batches must bring."""
        own = (*self.roles.values(), *self._sources.values(), *self._values.values())
        return tuple(dict.fromkeys((*own, self._request) if self._request else own))

    def batch(
        self,
        columns: Mapping[str, Column],
        line: Ints,
        text: Callable[[int], str | bytes],
        *,
        lines: int,
        skips: Skips,
    ) -> Batch:
        """
        The events of some rows.

        Args:
            columns: Values by name; each of shape (n,).
            line: Line number of each row; shape (n,).
            text: The row at a position, for examples of bad ones.
            lines: Lines that the rows took, bad ones included.
            skips: Bad lines that are known already.
        """
        wrong: Wrong = {}
        values = {}
        for key, name in self._values.items():
            values[key], bad = further_numbers(name, columns[name])
            wrong |= bad
        good = status = duration = None
        if "good" in self.roles:
            good, bad = flags(columns[self.roles["good"]])
            wrong |= bad
        if "duration" in self.roles:
            duration, bad = durations(columns[self.roles["duration"]], self._duration_unit)
            wrong |= bad
        if "status" in self.roles:
            status, bad = statuses(columns[self.roles["status"]])
            wrong |= bad
        raw = columns[self.roles["time"]]
        twice = 0
        if isinstance(raw, np.ndarray) and raw.dtype.kind == "M":
            time, bad = typed_times(raw)
            if self._naive and self._zone is not None:
                time, twice = naive_to_ns(time, self._zone)
        elif self._time_unit is None:
            time, bad, twice = written_times(raw, self._zone)
        else:
            time, bad = epochs(raw, self._time_unit)
        wrong |= bad
        self._twice += twice
        labels = {
            name: coded.codes(columns[self._sources[name]]) for name, coded in self._coded.items()
        }
        if self._requests is not None and self._request is not None:
            lines_of = (
                value.encode() if isinstance(value, str) else b""
                for value in columns[self._request]
            )
            labels.update(self._requests.codes(lines_of))
        own = Skips()
        for index in sorted(wrong):
            own.add(int(line[index]), text(index) if len(own.samples) < 10 else "", wrong[index])
        own.join(skips)
        keep: Any = slice(None)
        if wrong:
            keep = np.ones(len(line), dtype=np.bool_)
            keep[list(wrong)] = False
        return Batch(
            time=time[keep],
            line=line[keep],
            status=None if status is None else status[keep],
            duration_s=None if duration is None else duration[keep],
            good=None if good is None else good[keep],
            labels={name: codes[keep] for name, codes in labels.items()},
            values={name: column[keep] for name, column in values.items()},
            lines=lines,
            skips=own,
        )

    def close(self) -> None:
        """Note what only the whole file shows."""
        if self._twice:
            self._facts.notes.append(
                f"{self._twice:,} times stand in an hour that the clock showed twice: "
                "taken as the first one"
            )


def _are_counts(
    counts: Mapping[str, str], found: Mapping[str, str], sample: Mapping[str, Column]
) -> bool:
    """Whether columns called good, bad and total count requests instead of judging one."""
    if not counts or "status" in found or "duration" in found:
        return False
    values = [value for name in counts.values() for value in sample[name] if not is_missing(value)]
    return bool(values) and all(_numeric(value) and float(value) % 1 == 0 for value in values)


def _numeric(value: Any) -> bool:
    if isinstance(value, str):
        return NUMBER.fullmatch(value.strip()) is not None
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


def _magnitude(values: Sequence[Any]) -> str:
    """The unit in which most of the numbers lie between the years 1973 and 5138."""
    middle = sorted(abs(float(value)) for value in values)[len(values) // 2]
    for unit, limit in (("s", 1e11), ("ms", 1e14), ("us", 1e17)):
        if middle < limit:
            return unit
    return "ns"
