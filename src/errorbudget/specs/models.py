"""
The native format as models: which keys there are, what each holds, and what is built from them.

One source for three uses: reading with every mistake at once, the JSON Schema that editors complete
from, and this page of the reference.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    WithJsonSchema,
)

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.corrections import BudgetReset, parse_correction
from errorbudget.methods import OCCURRENCES, Method, RatioTimeslices, Timeslices
from errorbudget.policy import Policy, Tier
from errorbudget.schedule import TargetSchedule
from errorbudget.specs.fields import (
    Length,
    Line,
    Share,
    TargetField,
    Text,
    Texts,
    WindowField,
    named,
)
from errorbudget.specs.indicators import SLIField
from errorbudget.specs.strict import Built, Strict
from errorbudget.specs.tables import ALERTS, POLICIES
from errorbudget.target import Target

__all__ = ["VERSION", "Document", "SLOModel"]

VERSION = "errorbudget/1"


# ---------------------------------------------------------------------------- methods


class TimeslicesModel(Built):
    """Every slice counts once, good or bad."""

    kind: Literal["timeslices"]
    slice: Length = Field(description="Length of a slice.")
    slice_target: TargetField = Field(description="Share of good events of a good slice.")
    no_data: Literal["exclude", "good", "bad"] = "exclude"
    strict: StrictBool = Field(False, description="Whether slice_target must be exceeded.")

    def build(self) -> Any:
        """The method of the core."""
        return Timeslices(**self.given("kind"))


class RatioTimeslicesModel(Built):
    """Every slice counts once, with its own ratio."""

    kind: Literal["ratio_timeslices"]
    slice: Length
    no_data: Literal["exclude", "good", "bad"] = "exclude"

    def build(self) -> Any:
        """The method of the core."""
        return RatioTimeslices(**self.given("kind"))


def _occurrences(value: Any) -> Method:
    if value in ("occurrences", {"kind": "occurrences"}):
        return OCCURRENCES
    if value in ("timeslices", "ratio_timeslices"):
        raise ValueError(f"say how long a slice is: {{kind: {value}, slice: 1m, ...}}")
    raise ValueError(
        "must be occurrences, {kind: timeslices, slice: 1m, slice_target: 99%} or "
        f"{{kind: ratio_timeslices, slice: 1m}}, got {value!r}"
    )


def _method_kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else None
    return kind if kind in ("timeslices", "ratio_timeslices") else "occurrences"


MethodField = Annotated[
    Annotated[
        Method,
        BeforeValidator(_occurrences),
        WithJsonSchema({"const": "occurrences", "description": "Every event counts once."}),
        Tag("occurrences"),
    ]
    | Annotated[TimeslicesModel, Tag("timeslices")]
    | Annotated[RatioTimeslicesModel, Tag("ratio_timeslices")],
    Discriminator(_method_kind),
]


# ---------------------------------------------------------------------------- tables


class BurnAlertModel(Built):
    """One burn alert: budget share and windows, from which the threshold follows."""

    name: Text
    severity: Literal["critical", "page", "warning", "ticket", "info"]
    budget: Share = Field(description="Share of the budget that the long window may spend.")
    long: Length = Field(description="Long window.")
    short: Length | None = Field(None, description="Short window.")
    hold: Length = Field(0, description="How long the condition must hold (for: in Prometheus).")

    def build(self) -> Any:
        """The alert of the core."""
        return BurnAlert(**self.given())


class AlertsModel(Built):
    """A table of burn alerts, most urgent first."""

    name: Text = "custom"
    alerts: list[BurnAlertModel]
    period: Length = Field(
        30 * 86_400 * 10**9,
        description="SLO period that the table was published for.",
        json_schema_extra={"default": "30d"},
    )
    source: Text = ""
    inhibit: StrictBool = True

    def build(self) -> Any:
        """The table of the core."""
        rows = [row.value for row in self.alerts]
        return AlertPolicy(self.name, rows, **self.given("name", "alerts"))


class TierModel(Built):
    """One row of a policy, from the most budget left to the least."""

    name: Text
    above: Share | None = Field(None, description="Lower bound; none for the worst tier.")
    inclusive: StrictBool = Field(False, description="Whether the bound itself belongs here.")
    actions: Texts = Field(default_factory=dict)
    may_deploy: Literal["all", "critical", "none"] = "all"

    def build(self) -> Any:
        """The tier of the core."""
        return Tier(**self.given())


class PolicyModel(Built):
    """A table of tiers: what to do at which share of budget left."""

    name: Text = "custom"
    tiers: list[TierModel]
    source: Text = ""
    hysteresis: Share = Fraction(0)

    def build(self) -> Any:
        """The policy of the core."""
        return Policy(self.name, [tier.value for tier in self.tiers], self.source, self.hysteresis)


def _table(value: Any) -> str:
    return "table" if isinstance(value, dict | Strict) else "name"


AlertsField = Annotated[
    Annotated[
        AlertPolicy,
        BeforeValidator(named("table of alerts", ALERTS)),
        WithJsonSchema({"enum": list(ALERTS)}),
        Tag("name"),
    ]
    | Annotated[AlertsModel, Tag("table")],
    Discriminator(_table),
]
PolicyField = Annotated[
    Annotated[
        Policy,
        BeforeValidator(named("policy", POLICIES)),
        WithJsonSchema({"enum": list(POLICIES)}),
        Tag("name"),
    ]
    | Annotated[PolicyModel, Tag("table")],
    Discriminator(_table),
]


# ---------------------------------------------------------------------------- time


class ScheduleModel(Built):
    """Targets by the instant from which they hold."""

    targets: dict[str, TargetField] = Field(
        examples=[{"2026-01-01T00:00:00Z": "99.9%", "2026-03-01T00:00:00Z": "99.95%"}]
    )
    judge_by: Literal["event", "now"] = "event"

    def build(self) -> Any:
        """The schedule of the core."""
        targets: dict[Any, Target] = dict(self.targets.items())
        return TargetSchedule(targets, self.judge_by)


class MaintenanceModel(Built):
    """One stretch of time, [start, end)."""

    start: str
    end: str
    treat: Literal["exclude", "good"] = "exclude"
    reason: Text = ""

    def build(self) -> Any:
        """The correction of the core."""
        return parse_correction(self.given())


class RecurringModel(Built):
    """A maintenance that repeats by an RFC 5545 rule, in the wall time of its zone."""

    rule: str = Field(examples=["FREQ=WEEKLY;BYDAY=SU"])
    start: str
    duration: Text
    zone: str = "UTC"
    treat: Literal["exclude", "good"] = "exclude"
    reason: Text = ""

    def build(self) -> Any:
        """The correction of the core."""
        return parse_correction(self.given())


class ResetModel(Built):
    """The full budget was handed back at an instant; the note says why."""

    at: str
    note: Text
    by: Text = ""

    def build(self) -> Any:
        """The reset of the core."""
        return BudgetReset(**self.given())


CorrectionField = Annotated[
    Annotated[MaintenanceModel, Tag("once")] | Annotated[RecurringModel, Tag("recurring")],
    Discriminator(
        lambda value: "recurring" if isinstance(value, dict) and "rule" in value else "once"
    ),
]
TargetOrSchedule = Annotated[
    Annotated[TargetField, Tag("target")] | Annotated[ScheduleModel, Tag("schedule")],
    Discriminator(lambda value: "schedule" if isinstance(value, dict) else "target"),
]


# ---------------------------------------------------------------------------- objectives


class Partial(Strict):
    """Parts of an objective, as defaults and bases hold them."""

    base: Text | None = Field(None, description="Name of the base whose parts this takes over.")
    target: TargetOrSchedule | None = None
    window: WindowField | None = None
    sli: SLIField | None = None
    method: MethodField | None = None
    warning_target: TargetField | None = Field(
        None, description="A stricter target whose miss is a warning."
    )
    alerts: AlertsField | None = Field(None, description="Burn alerts; the Workbook's by default.")
    policy: PolicyField | None = Field(None, description="What to do at which budget left.")
    risk_policy: PolicyField | None = None
    burn_windows: list[Length] | None = None
    corrections: list[CorrectionField] | None = None
    resets: list[ResetModel] | None = None
    min_coverage: Share | None = None
    description: Text | None = Field(None, description="What is promised, in a sentence.")
    service: Text | None = None
    criticality: Text | None = Field(None, description="Business impact of a miss.")
    owner: Text | None = None
    team: Text | None = None
    runbook: Text | None = None
    links: Texts | None = None
    labels: Texts | None = None


class Entry(Partial):
    """An objective as it is written, before its base and the defaults fill it up."""

    name: Line


class SLOModel(Entry):
    """A whole objective."""

    window: WindowField
    sli: SLIField

    def arguments(self) -> dict[str, Any]:
        """The arguments of `SLO`, as they were written."""
        found: dict[str, Any] = {}
        for name, value in self.given("base").items():
            if isinstance(value, Built):
                found[name] = value.value
            elif isinstance(value, list):
                found[name] = [part.value if isinstance(part, Built) else part for part in value]
            else:
                found[name] = value
        if "min_coverage" in found:
            found["min_coverage"] = float(found["min_coverage"])
        return found


class Document(Strict):
    """A specification: objectives, and what they have in common."""

    version: Literal["errorbudget/1"] = "errorbudget/1"
    include: str | list[str] | None = Field(
        None, description="Files whose bases, defaults and objectives join in."
    )
    defaults: Partial | None = Field(None, description="What every objective here starts from.")
    bases: dict[str, Partial] | None = Field(None, description="Parts to take over by name.")
    slos: list[Entry] = Field(default_factory=list)
    overrides: dict[str, Partial] | None = Field(
        None, description="Changes to objectives that are included, by name."
    )
