"""Adapters of plain counts and of windows, in lists of `{id, kind, input, expect}`."""

from __future__ import annotations

import re

from tests.conformance.answering import (
    Adapter,
    few_events,
    figure_answers,
    note_digits,
    target_or_refused,
)
from tests.conformance.cases import Case
from tests.conformance.figures import (
    Figures,
    refusable_counts,
)
from tests.conformance.reading import counts_of, find, length_ns
from tests.conformance.spans import calendar_answers, rolling_answers
from tests.conformance.verdicts import Answers

__all__ = ["ADAPTERS", "occurrences"]


def occurrences(case: Case) -> Answers:
    said = f"{case.whole.get('source', '')} {case.note}"
    marker = case.inputs.get(
        "no_data_marker", -1 if re.search("slo-generator|NO_DATA", said) else None
    )
    counts = refusable_counts(lambda: counts_of(case.inputs, marker=marker))
    threshold = find(case.inputs, "burn_rate_threshold", "alert_threshold", "threshold")
    window = length_ns(case.inputs, "window", "period")
    figures = Figures(counts, target_or_refused(case), window, threshold)
    return figure_answers(case, figures, few_events(case.inputs), *note_digits(case))


ADAPTERS: dict[str, Adapter] = {
    "occurrences": occurrences,
    "rolling_range": rolling_answers,
    "calendar_anchored": calendar_answers,
    "calendar_anchored_tz": calendar_answers,
}
