"""Adapters of time slices: verdicts, ratios, counts and ranges."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import chain, repeat
from typing import Any

import errorbudget as eb
from errorbudget.budget import budget as budget_of
from errorbudget.burn import burn_rate_exact
from errorbudget.durations import MINUTE_NS
from errorbudget.methods import OCCURRENCES, Method, slice_counts
from errorbudget.series import CountSeries
from errorbudget.times import to_ns
from errorbudget.windows import slice_count
from tests.conformance.answering import (
    Adapter,
    figure_answers,
    in_units,
    note_digits,
    target_or_refused,
)
from tests.conformance.cases import Case
from tests.conformance.figures import (
    Extended,
    Figures,
    refusable_counts,
)
from tests.conformance.reading import counts_of, find, length_ns, ratio_counts
from tests.conformance.verdicts import Answers, Refused, refusable

__all__ = ["ADAPTERS", "outage_answers", "timeslices", "timeslices_of"]


def _slices(inputs: Mapping[str, Any]) -> list[eb.Counts]:
    """The slices of a case, an empty one where it has null for a count."""
    if isinstance(inputs.get("slices"), Sequence):
        return [counts_of(one) for one in inputs["slices"]]
    shares = find(inputs, "ratios", "ratio", "slis")
    if isinstance(shares, Sequence):
        return [counts_of({"sli": share}) for share in shares]
    names = [name for name in ("good", "bad", "total") if isinstance(inputs.get(name), Sequence)]
    columns = zip(*(inputs[name] for name in names), strict=True)
    return [counts_of(dict(zip(names, row, strict=True))) for row in columns]


def _no_data(case: Case) -> Any:
    text = str(case.inputs.get("no_data", ""))
    if not text and (found := re.search(r"missing slices count (\w+)", case.note)):
        text = found[1]
    return text if text in ("good", "bad", "exclude") else "exclude"


def timeslices_of(case: Case) -> eb.Timeslices:
    """The method: how a slice is judged, and whether its target has to be exceeded."""
    rule = f"{case.inputs.get('op', '')} {case.note}"
    reached = ">=" in rule or re.search(r"\bgte\b", rule)
    strict = not reached and bool(re.search(r"\bgt\b|total > ", rule))
    share = find(case.inputs, "slice_target", "timeslice_target", "time_slice_target")
    length = length_ns(case.inputs, "slice", "timeslice", "slice_length") or MINUTE_NS
    if share is None:
        share = 1
    return eb.Timeslices(length, share, no_data=_no_data(case), strict=strict)


def _whole(counts: eb.Counts) -> bool:
    return isinstance(counts.good, int) and isinstance(counts.bad, int)


def evaluated(slices: Sequence[eb.Counts], target: eb.Target | None, method: Method) -> eb.Status:
    """The status at the end of these slices, from a count series through the front door."""
    step = MINUTE_NS if isinstance(method, eb.Occurrences) else method.slice
    ends = [(index + 1) * step for index in range(len(slices))]
    good, total = [int(c.good) for c in slices], [int(c.total) for c in slices]
    series = CountSeries(ends, good, total, step)
    window = eb.Rolling.from_ns(max(1, len(slices)) * step)
    slo = eb.SLO(
        "case",
        target=target or "50%",
        window=window,
        sli=eb.Availability(),
        method=method,
        min_coverage=0,
    )
    return slo.evaluate(series, at=len(slices) * step)


def _sliced(
    case: Case, method: Method, *, figures_of: Sequence[eb.Counts] | None = None
) -> Figures:
    slices = refusable(lambda: _slices(case.inputs) if figures_of is None else figures_of)
    target = target_or_refused(case)
    if isinstance(slices, Refused) or isinstance(target, Refused):
        return Figures(slices if isinstance(slices, Refused) else eb.Counts(), target)
    if all(map(_whole, slices)) and slices:
        status = evaluated(slices, target, method)
        if target is None:
            return Figures(status.counts)
        return Figures(status.counts, target, status.slo.period_ns, status=status)
    assert not isinstance(method, eb.Occurrences)
    span = max(1, len(slices)) * method.slice
    return Figures(slice_counts(slices, method), target, span)


def timeslices(case: Case) -> Answers:
    method = timeslices_of(case)
    figures = _sliced(case, method)
    extra: dict[str, Callable[[], Any]] = {
        "bad": lambda: _verdicts(case, method),
        "verdicts": lambda: [None if bad is None else not bad for bad in _verdicts(case, method)],
        "good_slices": lambda: figures("good"),
        "bad_slices": lambda: figures("bad"),
        "total_slices": lambda: figures("total"),
    }
    if not isinstance(case.expected.get("bad"), list):
        extra["bad"] = lambda: figures("bad")
    return figure_answers(case, Extended(figures, extra), *note_digits(case))


def _verdicts(case: Case, method: eb.Timeslices) -> list[bool | None]:
    good = [method.judge(counts) for counts in _slices(case.inputs)]
    return [None if one is None else not one for one in good]


def ratio_timeslices(case: Case) -> Answers:
    length = length_ns(case.inputs, "slice", "timeslice") or MINUTE_NS
    method = eb.RatioTimeslices(length, no_data=_no_data(case))
    return figure_answers(case, _sliced(case, method), *note_digits(case))


def timeslices_counts(case: Case) -> Answers:
    inputs = case.inputs
    total = find(inputs, "total_slices", "slices", "total")
    bad, good = find(inputs, "bad_slices", "bad"), find(inputs, "good_slices", "good")
    if bad is None and good is not None:
        bad = total - good
    if total is None:
        total = good + bad
    method = eb.Timeslices(MINUTE_NS, "100%", no_data="good")

    def count() -> eb.Counts:
        eb.Counts.from_total(good=bad, total=total)  # refuses what cannot be
        failed = repeat(eb.Counts(bad=1), int(bad))
        return slice_counts(chain(failed, repeat(eb.Counts(), int(total - bad))), method)

    figures = Figures(
        refusable_counts(count), target_or_refused(case), length_ns(inputs, "window", "period")
    )
    extra = {
        "bad_slices": lambda: figures("bad"),
        "good_slices": lambda: figures("good"),
        "total_slices": lambda: figures("total"),
    }
    return figure_answers(case, Extended(figures, extra), *note_digits(case))


def slices_in_range(case: Case) -> Answers:
    inputs = case.inputs
    span = length_ns(inputs, "range", "window", "period")
    if span is None:
        start, end = find(inputs, "from", "start"), find(inputs, "to", "end")
        span = to_ns(end) - to_ns(start)
    name = next(key for key in inputs if key.startswith(("slice", "timeslice")))
    given = inputs[name]
    many = isinstance(given, list)
    lengths = (
        [length_ns({name: one}, name.rpartition("_")[0] or name) or 0 for one in given]
        if (many)
        else [length_ns({name: given}, name.rpartition("_")[0] or name) or 0]
    )
    found = [slice_count(span, length) for length in lengths]
    return Answers.of({"slices": found if many else found[0], "count": found if many else found[0]})


def event_vs_time(case: Case) -> Answers:
    slices = _slices(case.inputs)
    length = length_ns(case.inputs, "slice", "timeslice") or MINUTE_NS
    target = target_or_refused(case)
    methods: dict[str, Callable[[], Method]] = {
        "occurrences": lambda: OCCURRENCES,
        "ratio_timeslices": lambda: eb.RatioTimeslices(length, no_data=_no_data(case)),
        "timeslices": lambda: timeslices_of(case),
    }

    def figure(key: str) -> Any:
        for name, method in methods.items():
            if key == name or key.startswith(f"{name}_"):
                status = evaluated(slices, target, method())
                what = key.removeprefix(name).lstrip("_") or "sli"
                return Figures(
                    status.counts, target, status.slo.period_ns, status=status if target else None
                )(what)
        raise KeyError(key)

    return Answers(figure, note_digits(case))


def avg_of_ratios_bias(case: Case) -> Answers:
    slices, target = _slices(case.inputs), target_or_refused(case)

    def figure(key: str) -> Any:
        found = re.fullmatch(r"(occurrences|mean_of_ratios)_(error|sli)", key)
        if not found:
            raise KeyError(key)
        method: Method = OCCURRENCES if found[1] == "occurrences" else eb.RatioTimeslices("1m")
        counts = evaluated(slices, target, method).counts
        return Figures(counts)("error_rate" if found[2] == "error" else "sli")

    return Answers(figure, note_digits(case))


def outage_answers(
    target: eb.Target,
    window_ns: int,
    slice_ns: int,
    usual: Any,
    during: Any,
    method: eb.Timeslices | eb.RatioTimeslices,
) -> float:
    """How long an outage uses a window's budget up [s], on top of what usual slices spend."""
    slices = slice_count(window_ns, slice_ns)
    before = slice_counts(repeat(ratio_counts(usual), slices), method)
    ordinary = burn_rate_exact(slice_counts([ratio_counts(usual)], method), target)
    outage = burn_rate_exact(slice_counts([ratio_counts(during)], method), target)
    left = budget_of(before, target).remaining_exact
    assert ordinary is not None
    assert outage is not None
    assert left is not None
    # An outage replaces usual slices: only what it spends beyond them counts.
    return eb.time_to_exhaustion(Fraction(outage - ordinary), window_ns, Fraction(left))


def ratio_timeslices_outage(case: Case) -> Answers:
    inputs = case.inputs
    slice_ns = length_ns(inputs, "slice") or MINUTE_NS
    slices = inputs["slices"] if "slices" in inputs else inputs["total_slices"]
    seconds = outage_answers(
        eb.Target(inputs["target"]),
        slices * slice_ns,
        slice_ns,
        inputs["base_ok"],
        inputs["attack_ok"],
        eb.RatioTimeslices(slice_ns),
    )
    return Answers.of(in_units(seconds), note_digits(case))


ADAPTERS: dict[str, Adapter] = {
    "timeslices": timeslices,
    "ratio_timeslices": ratio_timeslices,
    "timeslices_counts": timeslices_counts,
    "slice_count": slices_in_range,
    "event_vs_time": event_vs_time,
    "ratio_timeslices_outage": ratio_timeslices_outage,
    "avg_of_ratios_bias": avg_of_ratios_bias,
}
