"""
Sloth: `prometheus/v1` files, the Kubernetes `PrometheusServiceLevel`, and `AlertWindows`.

Sloth leaves the window to its command line (30 days unless told otherwise) and gives every
objective the Workbook's alerts, in two severities. What slokit adds to Sloth's format is read as
well: `period`, `alerting.windows` and the indicator `latency`.

Source: slok/sloth `pkg/prometheus/api/v1`, `pkg/kubernetes/api/sloth/v1`,
`pkg/prometheus/alertwindows/v1`; rodmen07/slokit `schema/slokit-spec.schema.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from errorbudget.alerts import WORKBOOK, AlertPolicy, BurnAlert
from errorbudget.durations import parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational
from errorbudget.specs.cursor import Cursor
from errorbudget.specs.promql import ranged, with_label
from errorbudget.specs.tree import Scalar
from errorbudget.windows import Rolling, Window

__all__ = ["read_sloth"]

_RULES = "belongs to the rules that Sloth generates"
_FOUR_WEEKS = AlertPolicy(
    "sloth-28d", WORKBOOK.alerts, "28d", "slok/sloth, internal/alert/windows/google-28d.yaml"
)
_BUILT_IN = {table.period: table for table in (_FOUR_WEEKS, WORKBOOK)}


def read_sloth(documents: list[Cursor], window: Window | None) -> list[AlertPolicy]:
    """Every objective of Sloth's documents, and the tables of alert windows among them."""
    tables: list[AlertPolicy] = []
    services = []
    for document in documents:
        if document.text("kind") == "AlertWindows":
            table = _alert_windows(document)
            tables += [table] if table is not None else []
        else:
            services.append(document)
    for document in services:
        _service(document, window, tables)
    return tables


def _service(document: Cursor, window: Window | None, tables: list[AlertPolicy]) -> None:
    root = document
    if document.child("apiVersion") is not None:
        document.mark("apiVersion", "kind")
        metadata = document.within("metadata")
        metadata.lose("belongs to the cluster", "name", "namespace", "labels", "annotations")
        root = document.within("spec")
    else:
        document.mark("version")
    service = root.text("service")
    labels = root.texts("labels")
    root.lose("runs inside of Sloth", "sloPlugins", "slo_plugins")
    chosen = window or (Rolling.from_ns(tables[0].period) if tables else None)
    slos = root.items("slos")
    if chosen is None and not all(slo.child("period") for slo in slos):
        document.ledger.lose(
            f"{root.path}.window", None, "Sloth takes it from its command line: 30 days are assumed"
        )
    for slo in slos:
        own = _period(slo)
        _slo(slo, service, labels, own or chosen or Rolling("30d"), tables)


def _period(slo: Cursor) -> Window | None:
    period = slo.child("period")
    if period is None:
        return None
    try:
        return Rolling(period.word())
    except InvalidInputError as error:
        period.fault(str(error))
        return None


def _slo(
    slo: Cursor, service: str, labels: dict[str, str], window: Window, tables: list[AlertPolicy]
) -> None:
    name = slo.text("name")
    slo.lose("runs inside of Sloth", "plugins")
    values: dict[str, Any] = {
        "name": f"{service}-{name}" if service else name,
        "window": window.to_text(),
        "sli": _sli(slo.within("sli")),
        "description": slo.text("description") or None,
        "service": service or None,
        "labels": {**labels, **slo.texts("labels")} or None,
    }
    objective = slo.child("objective")
    if objective is None:
        slo.fault('"objective" is missing')
    else:
        values["target"] = _percent(objective)
    values |= _alerting(slo.within("alerting"), window, tables)
    if values["sli"] is not None:
        slo.ledger.draft(values, slo.place, slo.path)


def _percent(cursor: Cursor) -> Scalar:
    """A target that is written in percent, at the place of its number."""
    text = cursor.word()
    return Scalar(f"{text.removesuffix('%')}%", text, cursor.place)


def _sli(sli: Cursor) -> Any:
    events = sli.child("events")
    raw = sli.child("raw")
    latency = sli.child("latency")
    plugin = sli.child("plugin")
    if events is not None:
        return {
            "kind": "query",
            "bad_query": events.text("error_query", "errorQuery").rstrip("\n"),
            "total_query": events.text("total_query", "totalQuery").rstrip("\n"),
        }
    if raw is not None:
        query = raw.text("error_ratio_query", "errorRatioQuery")
        return {"kind": "query", "ratio_query": query.rstrip("\n")}
    if latency is not None:
        metric, inner = latency.text("histogram_metric"), latency.text("selector").strip()
        braces = f"{{{inner}}}" if inner else ""
        bucket = with_label(f"{metric}_bucket{braces}", "le", latency.text("threshold"))
        return {
            "kind": "query",
            "good_query": ranged(bucket),
            "total_query": ranged(f"{metric}_count{braces}"),
        }
    if plugin is not None:
        # The query is written by a program of Sloth's; its name and options are what there is.
        identity = plugin.text("id")
        options = plugin.texts("options")
        written = ", ".join(f"{key}={value}" for key, value in options.items())
        plugin.ledger.lose(
            plugin.path,
            {"id": identity, "options": options},
            "the plugin writes the query inside of Sloth; put the query of its rules here",
        )
        return {
            "kind": "query",
            "ratio_query": f"{identity}({written})",
            "language": "sloth-plugin",
        }
    sli.fault("sli needs events, raw, latency or plugin")
    return None


def _alerting(alerting: Cursor, window: Window, tables: list[AlertPolicy]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    annotations = alerting.child("annotations")
    if annotations is not None:
        runbook = annotations.text("runbook", "runbook_url")
        if runbook:
            found["runbook"] = runbook
    alerting.lose(_RULES, "name", "labels")
    off = set()
    for severity, keys in (
        ("page", ("page_alert", "pageAlert")),
        ("ticket", ("ticket_alert", "ticketAlert")),
    ):
        part = alerting.within(*keys)
        if part.flag("disable"):
            off.add(severity)
        part.lose(_RULES, "labels", "annotations")
    period = Rolling(window.to_text()).length_ns if isinstance(window, Rolling) else 0
    given = [*tables, _FOUR_WEEKS]
    table = _own_windows(alerting, period) or next(
        (table for table in given if table.period == period), None
    )
    rows = (table or WORKBOOK.for_period(period or WORKBOOK.period)).alerts
    kept = [row for row in rows if row.severity not in off]
    if kept and table is None and period not in _BUILT_IN:
        alerting.ledger.lose(
            "windows of alerts",
            window.to_text(),
            "Sloth has none for this window unless AlertWindows stand beside: the Workbook's are "
            "assumed",
        )
    if not kept:
        found["alerts"] = "none"
    elif off or table is not None:
        data = (table or WORKBOOK.for_period(period)).to_dict()
        name = data["name"] if len(kept) == len(rows) else f"{data['name']} without {off.pop()}"
        found["alerts"] = {**data, "name": name, "alerts": [row.to_dict() for row in kept]}
    return found


def _own_windows(alerting: Cursor, period: int) -> AlertPolicy | None:
    """The table that an objective brings along itself; none where it has none."""
    rows = []
    for number, part in enumerate(alerting.items("windows"), start=1):
        severity = part.text("severity", default="page")
        long = part.text("long")
        try:
            factor = part.text("factor")
            budget = parse_rational(factor) * parse_duration(long) / period
            if budget > 1:
                part.lose(f"burning {factor} times too fast for {long} is more than the budget")
                continue
            rows.append(
                BurnAlert(f"{severity}-{number}", severity, budget, long, part.text("short"))
            )
        except (InvalidInputError, ValueError, ZeroDivisionError) as error:
            part.fault(f"alert windows have severity, long, short and factor: {error}")
    try:
        return AlertPolicy("slokit", rows, period, "slokit, alerting.windows") if rows else None
    except InvalidInputError as error:
        alerting.fault(str(error))
        return None


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    severity: str
    keys: tuple[str, str]


_ROWS = (
    _Row("page-quick", "page", ("page", "quick")),
    _Row("page-slow", "page", ("page", "slow")),
    _Row("ticket-quick", "ticket", ("ticket", "quick")),
    _Row("ticket-slow", "ticket", ("ticket", "slow")),
)


def _alert_windows(document: Cursor) -> AlertPolicy | None:
    document.mark("apiVersion", "kind")
    spec = document.within("spec")
    period = spec.text("sloPeriod", default="30d")
    rows = []
    try:
        for row in _ROWS:
            part = spec.within(row.keys[0]).within(row.keys[1])
            rows.append(
                BurnAlert(
                    row.name,
                    row.severity,
                    f"{part.text('errorBudgetPercent')}%",
                    part.text("longWindow"),
                    part.text("shortWindow"),
                )
            )
        return AlertPolicy(f"sloth-{period}", rows, period, "Sloth, AlertWindows")
    except InvalidInputError as error:
        spec.fault(str(error))
        return None
