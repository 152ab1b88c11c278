"""Specifications of other tools: what they say arrives, and what cannot arrive is accounted for."""

# ruff: noqa: E501 - specifications as they are written

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")

import errorbudget as eb
from errorbudget.alerts import WORKBOOK
from errorbudget.errors import InvalidInputError, SpecError
from errorbudget.sli import QueryRatio, QueryThreshold
from errorbudget.specs import load
from errorbudget.specs.load import trees
from errorbudget.specs.promql import ranged, selector_of, with_label
from errorbudget.specs.pyrra import pyrra_alerts
from errorbudget.specs.tree import plain
from errorbudget.specs.writer import yaml_text
from tests.shared import shared_path

DAY = 86_400 * 10**9


def lost(spec: Any) -> dict[str, str]:
    """Why each field was lost, by the end of its path."""
    return {loss.path.partition(".")[2]: loss.why for loss in spec.losses}


# ---------------------------------------------------------------------------- public examples

EXAMPLES = {
    "openslo/occurences-slo.yaml": ("openslo", 1),
    "openslo/timeslices-slo.yaml": ("openslo", 2),
    "pyrra/apiserver-read-cluster-latency.yaml": ("pyrra", 1),
    "pyrra/caddy-response-latency.yaml": ("pyrra", 1),
    "pyrra/coredns-response-errors.yaml": ("pyrra", 1),
    "pyrra/kubelet-request-errors.yaml": ("pyrra", 1),
    "pyrra/nginx.yaml": ("pyrra", 2),
    "pyrra/prometheus-query-errors.yaml": ("pyrra", 1),
    "slo-generator/availability_ratio.yaml": ("slo-generator", 1),
    "slo-generator/config.yaml": ("slo-generator", 0),
    "slo-generator/latency_distribution_cut.yaml": ("slo-generator", 1),
    "sloth/getting-started.yml": ("sloth", 1),
    "sloth/home-wifi.yml": ("sloth", 2),
    "sloth/k8s-getting-started.yml": ("sloth", 1),
    "sloth/multifile.yml": ("sloth", 2),
    "sloth/no-alerts.yml": ("sloth", 1),
    "sloth/openslo-getting-started.yml": ("openslo", 1),
    "sloth/windows-7d.yaml": ("sloth", 0),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_public_examples_are_read(name: str) -> None:
    """Each is told by its content, and gives the objectives that it holds, or a table."""
    spec = load(shared_path(f"conformance/specs/{name}"))
    assert (spec.format, len(spec)) == EXAMPLES[name]
    assert len(spec) or spec.tables
    assert list(load(eb.dump(spec))) == list(spec) if len(spec) else True


def test_no_example_is_left_out() -> None:
    """Every specification in the folder is in the list above."""
    folder = shared_path("conformance/specs")
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.y*ml")
        if "expected" not in path.parts
    }
    assert found == set(EXAMPLES)


def test_sloth_rules_mean_the_same() -> None:
    """Queries, windows and factors are those of the rules that Sloth itself makes of the example."""
    from ruamel.yaml import YAML

    def squeezed(text: str) -> str:
        return "".join(text.split())

    spec = load(shared_path("conformance/specs/sloth/getting-started.yml"))
    rules = YAML(typ="safe", pure=True).load(
        shared_path("conformance/specs/sloth/expected/getting-started.yml").read_text()
    )
    (slo,) = spec
    sli = slo.sli
    assert isinstance(sli, QueryRatio)
    recorded = {
        rule["labels"]["sloth_window"]: squeezed(rule["expr"])
        for group in rules["groups"]
        for rule in group["rules"]
        if str(rule.get("record", "")).startswith("slo:sli_error:ratio_rate")
    }
    short = {window for window in recorded if window != "30d"}
    assert {eb.alerts.burn.format_duration(w) for w in slo.alerts.windows} | {"1d"} == short
    for window in short:
        bad, total = (
            str(query).replace("{{.window}}", window) for query in (sli.bad_query, sli.total_query)
        )
        assert recorded[window] == squeezed(f"({bad}) / ({total})")
    text = squeezed(str(rules))
    for alert in slo.alerts.alerts:
        assert f"({float(alert.threshold(slo.period_ns)):g}*0.0009999999999999432)" in text


def mappings(value: Any) -> list[dict[str, Any]]:
    """Every mapping within plain data."""
    if isinstance(value, dict):
        return [value, *(found for part in value.values() for found in mappings(part))]
    if isinstance(value, list):
        return [found for part in value for found in mappings(part)]
    return []


@pytest.mark.parametrize("name", [name for name, found in EXAMPLES.items() if found[1]])
@given(data=st.data())
@settings(max_examples=15)
def test_no_field_is_passed_over(name: str, data: Any) -> None:
    """A field put anywhere into an example is carried, or is in the account of losses."""
    documents = [
        plain(tree) for tree in trees(shared_path(f"conformance/specs/{name}").read_text())
    ]
    chosen = data.draw(st.sampled_from([m for document in documents for m in mappings(document)]))
    chosen["zzExtra"] = "zzValue"
    spec = load(yaml_text(*documents))
    assert "zzValue" in eb.dump(spec) + "".join(map(str, [loss.value for loss in spec.losses]))


# ---------------------------------------------------------------------------- OpenSLO

ALL_KINDS = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout, displayName: Checkout, labels: {team: [shop, cart], env: prod}, annotations: {a/b: c}}
spec:
  description: People can pay
  service: shop
  indicatorRef: paid
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2022-01-01 00:00:00, timeZone: Europe/Berlin}}]
  budgetingMethod: Timeslices
  objectives:
    - {displayName: good, target: 0.995, timeSliceTarget: 0.99, timeSliceWindow: 5m}
    - {displayName: great, targetPercent: 99.95, timeSliceTarget: 0.99, timeSliceWindow: 2}
  alertPolicies: [fast, {alertPolicyRef: slow}, {alertPolicyRef: missing}]
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: paid}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {metricSourceRef: prom, spec: {query: 'sum(rate(failed[{{.window}}]))'}}}
    total: {metricSource: {metricSourceRef: prom, spec: {query: 'sum(rate(tried[{{.window}}]))'}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prom}
spec: {type: Prometheus, connectionDetails: {url: 'http://x', password: secret}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: shop, displayName: The shop}
spec: {description: Sells things}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenNoData: true
  alertWhenResolved: false
  alertWhenBreaching: true
  conditions: [{conditionRef: burning}]
  notificationTargets: [{targetRef: people}]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: slow}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: simmering}
      spec: {severity: sev1, condition: {kind: burnrate, threshold: 2, lookbackWindow: 1d, alertAfter: 5m}}
  notificationTargets: [{targetRef: people}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: burning}
spec: {severity: page, condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 2m}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: people}
spec: {target: email}
"""


def test_openslo_objects_refer_to_each_other() -> None:
    """An SLO is put together from all seven kinds, in one file of many documents."""
    spec = load(ALL_KINDS)
    good, great = spec
    assert (good.name, great.name) == ("checkout-good", "checkout-great")
    assert (str(good.target), str(great.target)) == ("99.5%", "99.95%")
    assert good.window == eb.Calendar("month", zone="Europe/Berlin", anchor="2022-01-01 00:00")
    assert good.method == eb.Timeslices("5m", "99%")
    assert great.method == eb.Timeslices("2m", "99%")
    assert good.service == "shop"
    assert good.labels == {"team": "shop,cart", "env": "prod"}
    assert good.sli == QueryRatio(
        bad_query="sum(rate(failed[{{.window}}]))", total_query="sum(rate(tried[{{.window}}]))"
    )
    fast, slow = good.alerts.alerts
    assert (fast.name, fast.severity, fast.threshold("30d"), fast.hold) == (
        "burning",
        "page",
        Fraction(72, 5),
        120 * 10**9,
    )
    assert (slow.name, slow.severity, slow.threshold("30d")) == ("simmering", "page", 2)


def test_openslo_losses_name_every_field() -> None:
    """What has no place is reported once, with its path and a reason, and no secret is repeated."""
    spec = load(ALL_KINDS)
    found = lost(spec)
    assert set(found) == {
        "metadata.displayName",
        "metadata.annotations",
        "spec.ratioMetric.bad.metricSource.metricSourceRef",
        "spec.ratioMetric.total.metricSource.metricSourceRef",
        "spec.connectionDetails",
        "spec",
        "spec.alertWhenNoData",
        "spec.notificationTargets",
        "spec.alertPolicies[2]",
        "spec.conditions[0].spec.severity",
    }
    assert "secret" not in str(spec.losses)


@pytest.mark.parametrize(("op", "sign"), [("lt", "<"), ("lte", "<="), ("gt", ">"), ("gte", ">=")])
def test_openslo_thresholds(op: str, sign: Any) -> None:
    """A thresholdMetric is the share of its samples that keep the bound."""
    text = f"""
apiVersion: openslo.com/v2alpha
kind: SLO
metadata: {{name: a}}
spec:
  service: s
  sli: {{metadata: {{name: i}}, spec: {{thresholdMetric: {{dataSourceSpec: {{type: redshift, connectionDetails: {{x: y}}}}, spec: {{query: SELECT 1}}}}}}}}
  timeWindow: [{{duration: 4w, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{op: {op}, value: 0.5, target: 0.98}}]
"""
    (slo,) = load(text)
    assert slo.sli == QueryThreshold(query="SELECT 1", op=sign, bound=0.5, language="redshift")
    assert slo.window == eb.Rolling("28d")


def test_openslo_v2alpha_lists_and_v1alpha() -> None:
    """The words of the other versions mean the same."""
    v2 = """
- apiVersion: openslo.com/v2alpha
  kind: SLO
  metadata: {name: web, labels: {env: prod}}
  spec:
    serviceRef: web
    sli:
      metadata: {name: ratio}
      spec:
        ratioMetric:
          counter: true
          good: {dataSourceRef: prom, spec: {query: g}}
          total: {dataSourceRef: prom, spec: {query: t}}
    timeWindow: [{duration: 1w, isRolling: false, calendar: {startTime: '2022-01-01 12:00:00', timeZone: America/New_York}}]
    budgetingMethod: RatioTimeslices
    objectives: [{displayName: Good, target: 0.995, timeSliceWindow: 1m}]
"""
    (slo,) = load(v2)
    assert slo.method == eb.RatioTimeslices("1m")
    assert slo.window.interval("2022-03-14T00:00:00Z").length_ns == 167 * 3_600 * 10**9
    v1alpha = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: api}
spec:
  service: s
  budgetingMethod: Occurrences
  objectives:
    - ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: g}
        total: {source: prometheus, queryType: promql, query: t}
      target: 0.999
  timeWindows: [{count: 1, unit: Month, isRolling: true}]
"""
    (slo,) = (spec := load(v1alpha))
    assert slo.sli == QueryRatio(good_query="g", total_query="t")
    assert slo.window == eb.Rolling("30d")
    assert "no fixed length" in lost(spec)["spec.timeWindows[0].duration"]


def test_openslo_raw_ratios() -> None:
    """A share of good ones is turned into a share of bad ones."""
    text = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: s
  indicator: {spec: {ratioMetric: {rawType: %s, raw: {metricSource: {type: Prometheus, spec: {query: r}}}}}}
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
"""
    assert load(text % "failure")[0].sli == QueryRatio(ratio_query="r")
    assert load(text % "success")[0].sli == QueryRatio(ratio_query="1 - (r)")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("indicatorRef: paid", "indicatorRef: payed"),
            'there is no SLI "payed" in this file; did you mean "paid"?',
        ),
        (("kind: Service", "kind: Servce"), 'there is no kind "Servce"'),
        (
            ("budgetingMethod: Timeslices", "budgetingMethod: Timeslice"),
            'did you mean "Timeslices"?',
        ),
        (("target: 0.995, timeSliceTarget: 0.99", "target: 0.995"), '"timeSliceTarget" is missing'),
        (("target: 0.995", "target: 99.5"), 'for percent write "99.5%"'),
        (("target: 0.995", "tarqet: 0.995"), '"target" is missing'),
        (("duration: 1M", "duration: 1x"), '"1x" is not a calendar window'),
        (("threshold: 14.4", "threshold: much"), "needs threshold and lookbackWindow"),
    ],
)
def test_openslo_mistakes_have_places(change: tuple[str, str], said: str) -> None:
    """What is wrong in an OpenSLO file is named with its line, as in the native format."""
    with pytest.raises(SpecError) as caught:
        load(ALL_KINDS.replace(*change))
    assert caught.value.line is not None
    assert said in str(caught.value)


# ---------------------------------------------------------------------------- Sloth

SLOTH = """
version: prometheus/v1
service: shop
labels: {owner: ana}
slos:
  - name: pay
    objective: 99.9
    labels: {tier: 1}
    sli: {%s}
    alerting:
      name: Pay
      annotations: {runbook: 'http://r', summary: s}
      page_alert: {%s}
      ticket_alert: {%s}
"""
EVENTS = "events: {error_query: 'e[{{.window}}]', total_query: 't[{{.window}}]'}"


@pytest.mark.parametrize(
    ("page", "ticket", "wanted"),
    [
        ("", "", ["page", "page", "ticket", "ticket"]),
        ("disable: true", "", ["ticket", "ticket"]),
        ("", "disable: true", ["page", "page"]),
        ("disable: true", "disable: true", []),
    ],
)
def test_sloth_alerts_are_the_workbooks(page: str, ticket: str, wanted: list[str]) -> None:
    """Both severities of the Workbook, but for those that are disabled."""
    (slo,) = load(SLOTH % (EVENTS, page, ticket))
    assert [alert.severity for alert in slo.alerts.alerts] == wanted
    assert slo.labels == {"owner": "ana", "tier": "1"}
    assert slo.runbook == "http://r"


def test_sloth_windows_come_from_the_command_line_or_a_table() -> None:
    """30 days unless told otherwise, or the period of the alert windows beside."""
    text = SLOTH % (EVENTS, "", "")
    assert str(load(text)[0].window) == "30d"
    assert str(load(text, window="7d")[0].window) == "7d"
    table = shared_path("conformance/specs/sloth/windows-7d.yaml").read_text()
    spec = load(f"{text}---\n{table}")
    assert str(spec[0].window) == "7d"
    assert [float(a.threshold("7d")) for a in spec[0].alerts.alerts] == [13.44, 3.5, 1.4, 0.98]


def test_sloth_raw_and_plugins() -> None:
    """A ratio that was worked out already is kept; a plugin's query is its name, and a loss."""
    (slo,) = load(SLOTH % ("raw: {errorRatioQuery: 'r[{{.window}}]'}", "", ""))
    assert slo.sli == QueryRatio(ratio_query="r[{{.window}}]")
    spec = load(SLOTH % ("plugin: {id: a/b, options: {job: x}}", "", ""))
    assert spec[0].sli == QueryRatio(ratio_query="a/b(job=x)", language="sloth-plugin")
    assert any("put the query" in why for why in lost(spec).values())


# ---------------------------------------------------------------------------- Pyrra

PYRRA = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: up, namespace: m, labels: {a: b}}
spec: {target: '99.9', window: %s, indicator: {%s}, alerting: {%s}}
"""


@pytest.mark.parametrize(
    ("indicator", "good", "total"),
    [
        (
            "bool_gauge: {metric: 'up{job=\"x\"}'}",
            'sum(sum_over_time(up{job="x"}[{{.window}}]))',
            'sum(count_over_time(up{job="x"}[{{.window}}]))',
        ),
        (
            "latencyNative: {total: {metric: d}, latency: 200ms}",
            "histogram_fraction(0,0.2,sum(rate(d[{{.window}}])))*histogram_count(sum(rate(d[{{.window}}])))",
            "histogram_count(sum(rate(d[{{.window}}])))",
        ),
        (
            "latency: {success: {metric: 'b{le=\"1\"} offset 1m'}, total: {metric: c}}",
            'sum(rate(b{le="1"}[{{.window}}] offset 1m))',
            "sum(rate(c[{{.window}}]))",
        ),
    ],
)
def test_pyrra_indicators_become_queries(indicator: str, good: str, total: str) -> None:
    """Each of Pyrra's shapes is the queries that Pyrra asks."""
    (slo,) = load(PYRRA % ("28d", indicator, ""))
    assert slo.sli == QueryRatio(good_query=good, total_query=total)
    assert slo.labels == {"a": "b", "namespace": "m"}


@pytest.mark.parametrize("days", [28, 7])
def test_pyrra_alerts_are_its_own(days: int) -> None:
    """Windows, holds and factors are those of the published cases."""
    import json

    cases = json.loads(shared_path("conformance/burn_rate_windows.json").read_text())["cases"]
    case = next(case for case in cases if case["id"] == f"pyrra/{days}d")
    minute = 60 * 10**9
    for alert, wanted in zip(
        pyrra_alerts(days * DAY).alerts, case["expected"]["windows"], strict=True
    ):
        assert alert.severity == wanted["severity"]
        assert alert.hold == wanted["for_min"] * minute
        assert alert.long == wanted["long_min"] * minute
        assert alert.short == wanted["short_min"] * minute
        factor = alert.threshold(days * DAY) * Fraction(days * DAY, alert.long)
        assert factor == Fraction(wanted["factor"]) * Fraction(days * DAY, alert.long)


@given(st.integers(1, 10_000))
def test_pyrra_alerts_fit_any_window(minutes: int) -> None:
    """However short the window, the table can be built and its short windows are shorter."""
    table = pyrra_alerts(minutes * 60 * 10**9)
    assert all(alert.short is None or alert.short < alert.long for alert in table.alerts)


def test_pyrra_alerts_can_be_off() -> None:
    """Either of Pyrra's two switches takes them away."""
    for switch in ("disabled: true", "burnrates: false"):
        (slo,) = load(PYRRA % ("28d", "bool_gauge: {metric: up}", switch))
        assert slo.alerts.alerts == ()


# ---------------------------------------------------------------------------- slo-generator


def test_slo_generator_takes_window_and_alerts_from_its_policy() -> None:
    """With the configuration in the same file its longest step is the window."""
    config = shared_path("conformance/specs/slo-generator/config.yaml").read_text()
    slo_text = shared_path("conformance/specs/slo-generator/availability_ratio.yaml").read_text()
    spec = load(f"{config}\n---\n{slo_text}")
    (slo,) = spec
    assert str(slo.window) == "28d"
    assert [float(a.threshold(slo.period_ns)) for a in slo.alerts.alerts] == [9, 3, 1.5, 1]
    assert slo.service == "prom"


def test_slo_generator_of_other_backends() -> None:
    """The question is kept as it stands, with the backend that it is for."""
    text = """
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: a, labels: {service: elk}}
spec: {backend: elasticsearch, method: good_bad_ratio, service_level_indicator: %s, goal: 0.99}
"""
    (slo,) = load(text % "{filter_good: g, filter_valid: v}")
    assert slo.sli == QueryRatio(good_query="g", total_query="v", language="elasticsearch")
    (slo,) = load(text % "{index: i, query_good: {}, query_bad: {must: {term: {name: x}}}}")
    assert slo.sli.language == "elasticsearch"
    assert '"index": "i"' in str(slo.sli.good_query)


def test_slo_generator_of_the_first_version() -> None:
    """The older words, and query_sli, whose expression tells the good share."""
    text = """
service_name: prom
feature_name: metrics
slo_name: availability
slo_description: most requests are good
slo_target: 0.999
backend: {class: Prometheus, method: query_sli, url: 'http://x', api_key: secret, measurement: {expression: 'g[window] / t[window]'}}
"""
    spec = load(text, window="7d")
    (slo,) = spec
    assert slo.name == "prom-metrics-availability"
    assert slo.sli == QueryRatio(ratio_query="1 - (g[{{.window}}] / t[{{.window}}])")
    assert "secret" not in str(spec.losses)


def test_a_goal_is_needed() -> None:
    """An objective without a goal is a mistake, with its place."""
    with pytest.raises(SpecError, match="the goal is missing"):
        load(
            "apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nspec: {backend: prometheus}\n"
        )


# ---------------------------------------------------------------------------- the rest


def test_formats_can_be_told_apart_and_forced() -> None:
    """The format is found by content, and can be said."""
    text = SLOTH % (EVENTS, "", "")
    assert load(text, format="sloth") == load(text)
    with pytest.raises(SpecError, match="there is no key"):
        load(text, format="errorbudget")
    with pytest.raises(InvalidInputError, match='did you mean "sloth"'):
        load(text, format="slooth")


def test_native_documents_do_not_mix_with_others() -> None:
    """One file holds the native format, or formats of others."""
    with pytest.raises(SpecError, match="put it into its own file"):
        load(SLOTH % (EVENTS, "", "") + "\n---\nslos: []\n")


def test_kubernetes_lists() -> None:
    """A List of kubectl is its items."""
    item = PYRRA % ("28d", "bool_gauge: {metric: up}", "")
    indented = "\n".join("    " + line for line in item.strip().splitlines())
    text = "apiVersion: v1\nkind: List\nitems:\n  -\n" + indented
    assert list(load(text)) == list(load(item))


def test_queries_cannot_be_asked_of_events() -> None:
    """Evaluating a query over events says what to do instead."""
    (slo,) = load(SLOTH % (EVENTS, "", ""))
    events = eb.Events(time=[1], status=[200])
    with pytest.raises(InvalidInputError, match=r"is a promql query .* ask its server"):
        slo.evaluate(events)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"good_query": "g"},
        {"good_query": "g", "bad_query": "b", "total_query": "t"},
        {"ratio_query": "r", "total_query": "t"},
        {"ratio_query": " "},
        {"good_query": "g", "total_query": "t", "where": {"a": "b"}},
    ],
)
def test_queries_make_one_ratio(arguments: dict[str, Any]) -> None:
    """Anything but one of the four shapes is refused."""
    with pytest.raises(InvalidInputError):
        QueryRatio(**arguments)


@given(
    st.from_regex(
        r"[a-z_:]{1,9}(\{[a-z]{1,3}=\"[a-z./]{0,5}\"\})?( offset [1-9]m)?", fullmatch=True
    )
)
def test_metrics_come_back_from_their_queries(metric: str) -> None:
    """selector_of takes apart what ranged put together."""
    assert selector_of(ranged(metric)) == metric


def test_labels_join_selectors() -> None:
    """With and without braces, and after a trailing comma."""
    assert with_label("m", "le", "1") == 'm{le="1"}'
    assert with_label("m{}", "le", "1") == 'm{le="1"}'
    assert with_label('m{a="b",}', "le", "1") == 'm{a="b",le="1"}'


def test_workbook_is_what_sloth_uses() -> None:
    """The default table is Sloth's: the same windows and budgets."""
    (slo,) = load(SLOTH % (EVENTS, "", ""))
    assert slo.alerts == WORKBOOK


def test_this_file_reads_trees(tmp_path: Path) -> None:
    """Nodes become plain values, decimals exact."""
    (tree,) = trees("a: [1, 0.10, x, null, true]\n")
    assert str(plain(tree)) == "{'a': [1, Decimal('0.10'), 'x', None, True]}"


# ---------------------------------------------------------------------------- what others wrote


def test_openslo_drafts_combine_conditions() -> None:
    """`or` gives alerts of their own, `and` of one threshold the two windows of one alert."""
    burn = "{kind: AlertCondition, spec: {condition: {kind: burnrate, threshold: %s, lookbackWindow: %s}}}"
    pairs = [[burn % ("14.4", "-1h"), burn % ("14.4", "-5m")], [burn % ("6", "-6h")]]
    either = ", ".join(f"{{and: [{', '.join(pair)}]}}" for pair in pairs)
    text = f"""
apiVersion: openslo/v2alpha1
kind: SLO
metadata: {{name: a}}
spec:
  service: s
  sli: {{spec: {{ratioMetric: {{good: {{spec: {{query: g}}}}, total: {{spec: {{query: t}}}}}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.98}}]
  alertPolicies: [fast]
---
apiVersion: openslo/v2alpha1
kind: AlertPolicy
metadata: {{name: fast}}
spec: {{conditions: [{{or: [{either}]}}]}}
"""
    (slo,) = load(text)
    minute = 60 * 10**9
    assert [(float(a.threshold("30d")), a.long, a.short) for a in slo.alerts.alerts] == [
        (14.4, 60 * minute, 5 * minute),
        (6.0, 360 * minute, None),
    ]


def test_openslo_with_good_bad_and_total() -> None:
    """Good and total are taken; bad, which they say already, is named."""
    source = "{metricSource: {type: Prometheus, spec: {query: %s}}}"
    ratio = ", ".join(f"{role}: {source % role}" for role in ("good", "bad", "total"))
    spec = load(f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: a}}
spec:
  service: s
  indicator: {{metadata: {{name: i}}, spec: {{ratioMetric: {{counter: true, {ratio}}}}}}}
  budgetingMethod: Occurrences
  objectives: [{{target: 0.98}}]
""")
    assert spec[0].sli == QueryRatio(good_query="good", total_query="total")
    assert "good and total say it already" in lost(spec).values()


def test_openslo_objects_that_nothing_refers_to() -> None:
    """An indicator and a policy without an SLO are named as such."""
    text = ALL_KINDS.replace(
        "indicatorRef: paid",
        "indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: q}}}}}",
    )
    text = text.replace("target: 0.995,", "target: 0.995, op: lt, value: 1,").replace(
        "targetPercent: 99.95,", "targetPercent: 99.95, op: lt, value: 1,"
    )
    spec = load(text)
    assert lost(spec)["spec"] == "no SLO of this file refers to it"
    assert {loss.path for loss in spec.losses} >= {"SLI paid.spec"}


def test_slokit_adds_to_sloth() -> None:
    """Periods, windows and histograms of slokit, which needs no version either."""
    latency, weekly = load("""
service: shop
slos:
  - name: latency
    objective: 99.5
    period: 28d
    sli: {latency: {histogram_metric: took_seconds, threshold: "0.3", selector: 'job="shop"'}}
  - name: weekly
    objective: 99.9
    period: 7d
    sli: {events: {error_query: 'e[{{.window}}]', total_query: 't[{{.window}}]'}}
    alerting:
      windows:
        - {severity: page, long: 2h, short: 10m, factor: 20}
        - {severity: ticket, long: 2d, short: 4h, factor: 2}
""")
    assert latency.sli == QueryRatio(
        good_query='sum(rate(took_seconds_bucket{job="shop",le="0.3"}[{{.window}}]))',
        total_query='sum(rate(took_seconds_count{job="shop"}[{{.window}}]))',
    )
    assert (str(latency.window), str(weekly.window)) == ("28d", "7d")
    assert latency.alerts.alerts == WORKBOOK.alerts  # Sloth's own windows of 28 days: 1h to 3d
    found = [(a.severity, float(a.threshold("7d"))) for a in weekly.alerts.alerts]
    assert found == [("page", 20.0), ("ticket", 2.0)]
    over = "      windows: [{severity: page, long: 2h, short: 5m, factor: 999}]\n"
    spec = load(SLOTH % (EVENTS, "", "") + over)
    assert "more than the budget" in " ".join(lost(spec).values())
    with pytest.raises(SpecError, match="factor"):
        load(
            SLOTH % (EVENTS, "", "") + "      windows: [{severity: page, long: 2h, factor: much}]\n"
        )


SLO_KIT = """
apiVersion: slo-kit/v1
name: checkout
service: shop
objective: 0.999
window: %s
sli: {good_query: 'sum(rate(g[{window}]))', total_query: 'sum(rate(t[{window}]))'}
alerting:
  conditions: [{name: fast, long_window: 1h, short_window: {duration: 5m}, threshold: %s, severity: page}]
"""


@pytest.mark.parametrize("window", ["30d", "{duration: 30d}"])
def test_slo_kit(window: str) -> None:
    """One objective a document; its conditions are burn alerts."""
    (slo,) = (spec := load(SLO_KIT % (window, "14.4")))
    assert (spec.format, spec.losses) == ("slo-kit", ())
    assert (slo.name, slo.service, str(slo.target), str(slo.window)) == (
        "checkout",
        "shop",
        "99.9%",
        "30d",
    )
    assert slo.sli == QueryRatio(
        good_query="sum(rate(g[{{.window}}]))", total_query="sum(rate(t[{{.window}}]))"
    )
    assert [float(a.threshold("30d")) for a in slo.alerts.alerts] == [14.4]
    with pytest.raises(SpecError, match="threshold"):
        load(SLO_KIT % (window, "much"))
    with pytest.raises(SpecError, match="objective is missing"):
        load("apiVersion: slo-kit/v1\nname: a\n")


def test_slo_generator_policies_of_the_first_version() -> None:
    """A list of steps is the policy of the objectives beside it."""
    spec = load("""
- {error_budget_policy_step_name: 1 hour, measurement_window_seconds: 3600, alerting_burn_rate_threshold: 9, urgent_notification: true, achieved_consequence_message: fine}
- {error_budget_policy_step_name: 28 days, measurement_window_seconds: 2419200, alerting_burn_rate_threshold: 1, urgent_notification: false}
- {service_name: a, slo_name: b, slo_target: 0.99, backend: {class: Prometheus, method: good_bad_ratio, measurement: {filter_good: g, filter_bad: b}}}
""")
    (slo,) = spec
    assert str(slo.window) == "28d"
    assert [(a.severity, float(a.threshold("28d"))) for a in slo.alerts.alerts] == [
        ("page", 9.0),
        ("ticket", 1.0),
    ]
    assert len(spec.tables) == 1


def test_sloth_has_windows_of_its_own_for_28_days() -> None:
    """The hours of 30 days stay, and the factors follow; for other windows the report says more."""
    spec = load(SLOTH % (EVENTS, "", ""), window="28d")
    rows = spec[0].alerts.to_dict()["alerts"]
    assert [(row["long"], row["short"]) for row in rows] == [
        ("1h", "5m"),
        ("6h", "30m"),
        ("1d", "2h"),
        ("3d", "6h"),
    ]
    factors = [float(alert.threshold("28d")) for alert in spec[0].alerts.alerts]
    assert factors == pytest.approx([13.44, 5.6, 2.8, 2.8 / 3])
    assert not any("Workbook" in why for why in lost(spec).values())
    week = load(SLOTH % (EVENTS, "", ""), window="7d")
    assert any("the Workbook's are assumed" in why for why in lost(week).values())


def test_windows_in_queries_may_have_spaces() -> None:
    """Templates of Sloth take `{{ .window }}` as well; rules must find it."""
    sli = QueryRatio(ratio_query="a[{{ .window }}]/b[{{- .window -}}]")
    assert sli.ratio_query == "a[{{.window}}]/b[{{.window}}]"


OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: s
  indicator: {metadata: {name: i}, spec: {ratioMetric: %s}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: Good, target: 0.99}, {displayName: good, target: 0.999}]
  alertPolicies: [elsewhere]
"""


def test_openslo_says_what_is_assumed() -> None:
    """Alerts that are not in the file, two languages, and a ratio of no stated kind."""
    two = "{good: {metricSource: {type: Datadog, spec: {query: g}}}, total: {metricSource: {type: Prometheus, spec: {query: t}}}}"
    spec = load(OPENSLO % two)
    assert [slo.name for slo in spec] == ["a-good-1", "a-good-2"]
    said = " ".join(lost(spec).values())
    assert "the alerts of the SRE Workbook are assumed" in said
    assert "Datadog is taken for all" in said
    raw = load(OPENSLO % "{raw: {metricSource: {type: Prometheus, spec: {query: g}}}}")
    assert "success is taken" in " ".join(lost(raw).values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            (
                "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n"
                "  indicator: {metadata: {name: i, displayName: I}, spec: {description: d, "
                "ratioMetric: {good: {metricSource: {spec: {query: g}}}, "
                "total: {metricSource: {spec: {query: t}}}}}}\n"
                "  timeWindow: [{duration: 7d, isRolling: true}]\n"
                "  objectives: [{target: 0.99}]\n"
            ),
            {
                "SLO a.spec.alertPolicies",
                "SLO a.spec.indicator.metadata.displayName",
                "SLO a.spec.indicator.spec.description",
            },
        ),
        (
            (
                "apiVersion: slo-kit/v1\nname: n\nobjective: 0.999\nwindow: 30d\n"
                "sli: {good_query: g, total_query: t}\n"
            ),
            {"document 1.alerting"},
        ),
        (
            (
                "apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata: {name: n}\n"
                "spec: {backend: prometheus, method: good_bad_ratio, error_budget_policy: default, "
                "service_level_indicator: {filter_good: g, filter_bad: b, filter_valid: v}, "
                "goal: 0.99}\n---\n"
                "error_budget_policies: {default: {steps: ["
                "{name: 1h, burn_rate_threshold: 9, alert: true, window: 3600}, "
                "{name: 28d, burn_rate_threshold: 2, alert: true, window: 2419200}]}}\n"
            ),
            {
                "ServiceLevelObjective n.spec.service_level_indicator.bad",
                "document 2.error_budget_policies.default.steps[1]",
            },
        ),
    ],
)
def test_what_is_assumed_or_passed_over_is_told(text: str, said: set[str]) -> None:
    """Alerts that a file does not name, texts and queries that nothing takes: each is a loss."""
    assert {loss.path for loss in load(text).losses} == said
