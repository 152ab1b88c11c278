"""What an alert policy would have done: episodes, pages, and incidents seen or slept through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean, median
from typing import Any

from errorbudget.alerts import AlertPolicy
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.durations import SECOND_NS
from errorbudget.studies.months import MONTH_NS
from errorbudget.studies.tables import figure, frame, percent
from errorbudget.times import format_time

__all__ = ["CostlyPeriod", "Detection", "Episode", "Page", "PolicyResult"]


PERIOD: Columns = {
    "name": "text",
    "start": "instant",
    "end": "instant",
    "bad": "count",
    "cost": "figure",
}
"""A costly period as a row."""
PAGE: Columns = {
    "start": "instant",
    "end": "instant?",
    "alerts": "texts",
    "incident": "text?",
    "spent": "figure",
    "idle_s": "seconds",
    "repeats": "whole",
    "why": "text",
}
"""A page as a row."""
DETECTION: Columns = {
    "incident": "text",
    "detected": "instant?",
    "detection_s": "seconds",
    "reset_s": "seconds",
    "spent": "figure",
    "why": "text",
}
"""What became of an incident as a row."""
POLICY: Columns = {
    "policy": "text",
    "pages": "whole",
    "pages_per_month": "figure",
    "false_pages": "whole",
    "repeats": "whole",
    "idle": "chance",
    "tickets": "whole",
    "precision": "chance",
    "recall": "chance",
    "detection_s": "seconds",
    "reset_s": "seconds",
    "spent_unseen": "figure",
}
"""The figures of a policy as a row."""


@dataclass(frozen=True, slots=True)
class CostlyPeriod:
    """
    What the alerts should have seen.

    Attributes:
        name: Its name.
        start_ns: The instant after which it spent [ns UTC].
        end_ns: The last instant at which it did [ns UTC].
        bad: Bad events in (start, end].
        cost: Part of an average period's budget that it spent [1]; None where there is no budget.
    """

    name: str
    start_ns: int
    end_ns: int
    bad: int
    cost: Fraction | None

    def to_dict(self) -> dict[str, Any]:
        """The period as plain data, ready for JSON."""
        return {
            "name": self.name,
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "bad": self.bad,
            "cost": figure(self.cost),
        }


@dataclass(frozen=True, slots=True)
class Episode:
    """
    One alert firing without a break.

    Attributes:
        alert: Name of the alert.
        severity: Its severity.
        since_ns: When its condition began to hold [ns UTC].
        start_ns: When it began to fire, `hold` later [ns UTC].
        end_ns: First instant at which it no longer did [ns UTC]; None if it still does.
        inhibited: Whether more urgent alerts silenced it all the time.
    """

    alert: str
    severity: str
    since_ns: int
    start_ns: int
    end_ns: int | None
    inhibited: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """
    A stretch in which somebody was paged: paging alerts firing without a break, as one.

    Attributes:
        start_ns: When it came [ns UTC].
        end_ns: First instant at which nothing paged any more [ns UTC]; None if it still does.
        alerts: Names of the alerts that fired when it came.
        incident: The incident that it speaks of, or None for a false page.
        spent: Part of an average period's budget spent when it came: since its incident began, or
            within the longest look-back; None where there is no budget.
        why: What a false page was about; empty for a true one.
        idle_ns: How long it was open while no incident was on [ns].
        repeats: How often it was sent again, every 4 hours, while no incident was on.
    """

    start_ns: int
    end_ns: int | None
    alerts: tuple[str, ...]
    incident: str | None
    spent: Fraction | None
    why: str = ""
    idle_ns: int = 0
    repeats: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The page as plain data, ready for JSON."""
        return {
            "start": format_time(self.start_ns),
            "end": None if self.end_ns is None else format_time(self.end_ns),
            "alerts": list(self.alerts),
            "incident": self.incident,
            "spent": figure(self.spent),
            "idle_s": self.idle_ns / SECOND_NS,
            "repeats": self.repeats,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Detection:
    """
    What became of one incident.

    Attributes:
        incident: The incident.
        detected_ns: When somebody was paged for it, its start if they already were [ns UTC]; None
            when it was missed.
        reset_ns: When the last of its pages stopped [ns UTC]; None when missed or still firing.
        spent: Part of an average period's budget that it had spent by then, all of its cost when
            missed; None where there is no budget.
        why: Why it was missed, or seen late; empty otherwise.
    """

    incident: CostlyPeriod
    detected_ns: int | None
    reset_ns: int | None
    spent: Fraction | None
    why: str = ""

    @property
    def detection_s(self) -> float | None:
        """From its start to the page [s]; None when it was missed."""
        if self.detected_ns is None:
            return None
        return (self.detected_ns - self.incident.start_ns) / SECOND_NS

    @property
    def reset_s(self) -> float | None:
        """
        From its end until the paging stopped [s]; None when missed or still firing.

        0 when it had stopped before the end.
        """
        if self.reset_ns is None:
            return None
        return max(0, self.reset_ns - self.incident.end_ns) / SECOND_NS

    def to_dict(self) -> dict[str, Any]:
        """The outcome as plain data, ready for JSON."""
        return {
            "incident": self.incident.name,
            "detected": None if self.detected_ns is None else format_time(self.detected_ns),
            "detection_s": self.detection_s,
            "reset_s": self.reset_s,
            "spent": figure(self.spent),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True, repr=False)
class PolicyResult(Shown):
    """
    One policy on one history.

    Attributes:
        policy: The policy.
        months: Length of the history in months of 30 days.
        episodes: Every alert's firing stretches, by start.
        pages: When somebody was paged, by start.
        tickets: How often a less urgent alert fired, silenced ones left out.
        detections: What became of each incident.
    """

    policy: AlertPolicy
    months: Fraction
    episodes: Sequence[Episode]
    pages: Sequence[Page]
    tickets: int
    detections: Sequence[Detection]

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self.policy.name

    @property
    def false_pages(self) -> tuple[Page, ...]:
        """Pages that speak of no incident."""
        return tuple(page for page in self.pages if page.incident is None)

    @property
    def seen(self) -> int:
        """How many incidents somebody was paged for."""
        return len(self.detections) - len(self.missed)

    @property
    def missed(self) -> tuple[Detection, ...]:
        """Incidents that nobody was paged for."""
        return tuple(found for found in self.detections if found.detected_ns is None)

    @property
    def pages_per_month(self) -> Fraction | None:
        """Pages in 30 days; None for a history without length."""
        return Fraction(len(self.pages)) / self.months if self.months else None

    @property
    def false_pages_per_month(self) -> Fraction | None:
        """False pages in 30 days; None for a history without length."""
        return Fraction(len(self.false_pages)) / self.months if self.months else None

    @property
    def repeats(self) -> int:
        """How often open pages were sent again, every 4 hours, while no incident was on."""
        return sum(page.repeats for page in self.pages)

    @property
    def noise(self) -> int:
        """How often people were called for nothing: false pages, and repeats."""
        return len(self.false_pages) + self.repeats

    @property
    def noise_per_month(self) -> Fraction | None:
        """False pages and repeats in 30 days; None for a history without length."""
        return self.noise / self.months if self.months else None

    @property
    def idle(self) -> Fraction | None:
        """
        Share of the history in which a page was open while no incident was on.

        None for a history without length.
        """
        idle_ns = sum(page.idle_ns for page in self.pages)
        return idle_ns / (self.months * MONTH_NS) if self.months else None

    @property
    def precision(self) -> Fraction | None:
        """Share of the pages that speak of an incident; None without pages."""
        if not self.pages:
            return None
        return 1 - Fraction(len(self.false_pages), len(self.pages))

    @property
    def recall(self) -> Fraction | None:
        """Share of the incidents that somebody was paged for; None without incidents."""
        if not self.detections:
            return None
        return 1 - Fraction(len(self.missed), len(self.detections))

    @property
    def spent_unseen(self) -> Fraction:
        """Budget that incidents spent before anyone knew, a missed one all of its cost."""
        return sum((found.spent or Fraction(0) for found in self.detections), Fraction(0))

    @property
    def detection_s(self) -> float | None:
        """Median time from an incident's start to its page [s]; None when none was seen."""
        seen = [found.detection_s for found in self.detections if found.detection_s is not None]
        return median(seen) if seen else None

    @property
    def reset_s(self) -> float | None:
        """Mean time from an incident's end until the paging stopped [s]; None when none did."""
        ended = [found.reset_s for found in self.detections if found.reset_s is not None]
        return fmean(ended) if ended else None

    def summary(self) -> dict[str, Any]:
        """The figures of the policy in one row."""
        return {
            "policy": self.name,
            "pages": len(self.pages),
            "pages_per_month": figure(self.pages_per_month),
            "false_pages": len(self.false_pages),
            "repeats": self.repeats,
            "idle": figure(self.idle),
            "tickets": self.tickets,
            "precision": figure(self.precision),
            "recall": figure(self.recall),
            "detection_s": self.detection_s,
            "reset_s": self.reset_s,
            "spent_unseen": figure(self.spent_unseen),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything about the policy as plain data, ready for JSON."""
        return {
            **self.summary(),
            "detections": [found.to_dict() for found in self.detections],
            "page_list": [page.to_dict() for page in self.pages],
        }

    def to_pandas(self) -> Any:
        """One row a page, as a pandas DataFrame."""
        return frame((page.to_dict() for page in self.pages), PAGE)

    def _card(self) -> Card:
        rows = [
            (
                found.incident.name,
                format_time(found.incident.start_ns),
                percent(found.incident.cost),
                "missed" if found.detection_s is None else f"{found.detection_s / 60:.0f} min",
                found.why,
            )
            for found in self.detections
        ]
        notes = [
            f"False page at {format_time(page.start_ns)}: {page.why}" for page in self.false_pages
        ]
        line = f"{len(self.pages)} pages, {len(self.false_pages)} of them false"
        line += f"; {self.seen} of {len(self.detections)} incidents seen"
        header = ("incident", "start", "of a budget", "seen after", "why not sooner")
        return Card(f"Policy {self.name}", "", "", [line], header, rows, notes)

    def __repr__(self) -> str:
        return (
            f"PolicyResult({self.name}: {len(self.pages)} pages, {len(self.false_pages)} of them "
            f"false, {len(self.missed)} of {len(self.detections)} incidents missed)"
        )
