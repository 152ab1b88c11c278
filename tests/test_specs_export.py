"""Out and back: what a format carries comes back, and what it does not carry is said."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.sli import QueryRatio
from errorbudget.slo import SLO
from errorbudget.specs import export, guide, load
from errorbudget.specs.load import trees
from errorbudget.specs.tree import plain
from tests.shared import shared_path
from tests.spec_strategies import NAMES, query_ratios, several, slos

METRICS = st.from_regex(
    r"sum\(rate\([a-z_]{1,6}(\{le=\"1\"\})?\[\{\{\.window\}\}\]\)\)", fullmatch=True
)
PROMQL = st.one_of(METRICS, NAMES)


def carried(slo: SLO) -> bool:
    """Whether OpenSLO has a place for it: it has a target, below 100 % at its last change."""
    if slo.target is None:
        return False
    last = (
        list(slo.target.targets.values())[-1]
        if isinstance(slo.target, eb.TargetSchedule)
        else slo.target
    )
    return bool(last.ratio < 1)


@given(several(slos()))
@settings(max_examples=40)
def test_openslo_carries_everything_with_a_target(wanted: list[SLO]) -> None:
    """Out to OpenSLO and back is the same, but for thresholds without a target, which are named."""
    done = export(wanted, "openslo")
    kept = [slo for slo in wanted if carried(slo)]
    assert [loss.path for loss in done.losses] == [slo.name for slo in wanted if not carried(slo)]
    if kept:
        assert list(load(done.text)) == kept


@pytest.mark.parametrize("format", ["sloth", "pyrra"])
@given(data=st.data())
@settings(max_examples=40)
def test_what_is_not_named_as_lost_comes_back(format: str, data: Any) -> None:
    """Every field of an objective is carried, or is in the account of losses."""
    slo = data.draw(slos(query_ratios(PROMQL)))
    if data.draw(st.booleans()):
        slo = slo.replace(method=eb.Occurrences(), target="99.9%", alerts=None)
    done = export(slo, format)
    if not done.text:
        assert [loss.path for loss in done.losses] == [slo.name]
        return
    (back,) = load(done.text)
    before, after = (json.loads(eb.dump(one, syntax="json"))["slos"][0] for one in (slo, back))
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    assert changed <= {loss.path.removeprefix(f"{slo.name}.") for loss in done.losses}


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("sloth/getting-started.yml", "sloth"),
        ("sloth/home-wifi.yml", "sloth"),
        ("sloth/multifile.yml", "sloth"),
        ("sloth/no-alerts.yml", "sloth"),
        ("pyrra/nginx.yaml", "pyrra"),
        ("pyrra/prometheus-query-errors.yaml", "pyrra"),
        ("pyrra/caddy-response-latency.yaml", "pyrra"),
        ("openslo/timeslices-slo.yaml", "openslo"),
        ("openslo/occurences-slo.yaml", "openslo"),
        ("slo-generator/availability_ratio.yaml", "openslo"),
    ],
)
def test_public_examples_go_home(name: str, format: str) -> None:
    """What came from a format goes back into it without a loss."""
    spec = load(shared_path(f"conformance/specs/{name}"))
    done = export(spec, format)
    assert done.losses == ()
    assert list(load(done.text)) == list(spec)


# ---------------------------------------------------------------------------- OpenSLO's schema
#
# The rules of the published schema (OpenSLO/OpenSLO, schemas/v1) that bear on what is written here.

NAME = re.compile(r"^[a-z0-9][a-z0-9.|/\\-]*[a-z0-9]*$")
DURATION = re.compile(r"^[1-9][0-9]*[mhdwMQY]$")
LABEL = re.compile(r"^[a-z0-9A-Z][a-z0-9A-Z._-]*[a-z0-9A-Z]*$")
START = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d$")
ZONE = re.compile(r"[A-Z][a-zA-Z_]+/[A-Z][a-zA-Z_]+")


def check_metadata(metadata: dict[str, Any]) -> None:
    assert NAME.match(metadata["name"])
    assert len(metadata["name"]) <= 255
    for value in metadata.get("labels", {}).values():
        assert LABEL.match(value)
        assert len(value) <= 63


def check_slo(spec: dict[str, Any]) -> None:
    assert NAME.match(spec["service"])
    assert 0 < len(spec["description"]) <= 1_050
    assert spec["budgetingMethod"] in ("Occurrences", "Timeslices", "RatioTimeslices")
    check_metadata(spec["indicator"]["metadata"])
    (kind,) = spec["indicator"]["spec"]
    assert kind in ("ratioMetric", "thresholdMetric")
    if kind == "ratioMetric":
        ratio = spec["indicator"]["spec"][kind]
        assert isinstance(ratio["counter"], bool)
        assert ("good" in ratio) != ("bad" in ratio)
        for role in {"good", "bad", "total"} & set(ratio):
            assert isinstance(ratio[role]["metricSource"]["spec"], dict)
        assert "total" in ratio
    (window,) = spec["timeWindow"]
    assert DURATION.match(window["duration"])
    if not window["isRolling"]:
        assert START.match(window["calendar"]["startTime"])
        assert ZONE.search(window["calendar"]["timeZone"])
    for objective in spec["objectives"]:
        assert 0 <= objective["target"] < 1
        if spec["budgetingMethod"] == "Timeslices":
            assert 0 < objective["timeSliceTarget"] <= 1
        if spec["budgetingMethod"] != "Occurrences":
            assert DURATION.match(objective["timeSliceWindow"])
    assert all(NAME.match(name) for name in spec.get("alertPolicies", []))


def check_policy(spec: dict[str, Any]) -> None:
    for key in ("alertWhenNoData", "alertWhenResolved", "alertWhenBreaching"):
        assert isinstance(spec[key], bool)
    (condition,) = spec["conditions"]
    check_metadata(condition["metadata"])
    assert spec["notificationTargets"]
    burn = condition["spec"]["condition"]
    assert burn["kind"] == "burnrate"
    assert burn["op"] == "gt"
    assert burn["threshold"] > 0
    assert DURATION.match(burn["lookbackWindow"])
    assert DURATION.match(burn["alertAfter"])


@given(several(slos()))
@settings(max_examples=30)
def test_exported_openslo_keeps_the_rules_of_its_schema(wanted: list[SLO]) -> None:
    """Names, durations, zones, targets and required fields are as the published schema has them."""
    done = export(wanted, "openslo")
    if not done.text:
        return
    documents = [plain(tree) for tree in trees(done.text)]
    names = set()
    for document in documents:
        assert document["apiVersion"] == "openslo/v1"
        check_metadata(document["metadata"])
        identity = (document["kind"], document["metadata"]["name"])
        assert identity not in names
        names.add(identity)
        if document["kind"] == "SLO":
            check_slo(document["spec"])
        elif document["kind"] == "AlertPolicy":
            check_policy(document["spec"])
    for document in documents:
        if document["kind"] == "SLO":
            for name in document["spec"].get("alertPolicies", []):
                assert ("AlertPolicy", name) in names


# ---------------------------------------------------------------------------- examples


def test_the_guide_in_openslo() -> None:
    """Ten objectives with a budget go; the seven thresholds are named as left out."""
    done = export(guide(), "openslo")
    assert len(load(done.text)) == 10
    assert len(done.losses) == 7


def test_sloth_gets_its_shape() -> None:
    """Percent, queries and alerts, as Sloth writes them itself."""
    slo = SLO(
        "shop-pay",
        service="shop",
        target="99.9%",
        window="30d",
        sli=QueryRatio(bad_query="e", total_query="t"),
        owner="ana",
    )
    done = export(slo, "sloth")
    assert done.text == (
        "version: prometheus/v1\n"
        "service: shop\n"
        "slos:\n"
        "  - name: pay\n"
        "    objective: 99.9\n"
        "    sli:\n"
        "      events:\n"
        "        error_query: e\n"
        "        total_query: t\n"
        "    alerting:\n"
        "      name: ShopPay\n"
        "      page_alert: {}\n"
        "      ticket_alert: {}\n"
    )
    assert [str(loss) for loss in done.losses] == [
        "shop-pay.owner = 'ana': Sloth has no place for it"
    ]


def test_conditions_on_events_go_through_a_translator() -> None:
    """Without one they are left out of Sloth and Pyrra, with the cure; with one they go."""
    slo = SLO("a", target="99%", window="30d", sli=eb.Availability())
    done = export(slo, "sloth")
    assert done.text == ""
    assert "give metrics=" in done.losses[0].why

    def as_query(_: SLO) -> QueryRatio:
        return QueryRatio(
            bad_query='sum(rate(r{code=~"5.."}[{{.window}}]))',
            total_query="sum(rate(r[{{.window}}]))",
        )

    for target in ("sloth", "pyrra"):
        (back,) = load(export(slo, target, as_query=as_query).text)
        assert back.sli == as_query(slo)


def test_a_service_of_two_lines_is_no_part_of_a_name() -> None:
    """Sloth's names begin with the service; one that would break them is told as lost."""
    ratio = QueryRatio(bad_query="bad[{{.window}}]", total_query="total[{{.window}}]")
    done = export(SLO("api", service="a\nb", target="99%", window="30d", sli=ratio), "sloth")
    assert ("api.service", "a\nb") in [(loss.path, loss.value) for loss in done.losses]
    assert load(done.text)[0].name == "default-api"


def test_metrics_put_conditions_into_promql() -> None:
    """With the names of metrics, indicators on events go to Sloth and Pyrra as queries."""
    from errorbudget.rules import Metrics

    metrics = Metrics(counter="r_total", histogram="r_seconds", labels={"status": "code"})
    slo = SLO("s-a", service="s", target="99%", window="30d", sli=eb.Availability(where={"x": "y"}))
    (back,) = load(export(slo, "sloth", metrics=metrics).text)
    bad = 'sum(increase(r_total{x="y",code=~"5.."}[{{.window}}]))'
    total = back.sli.total_query
    assert 'code!=""' in total
    assert back.sli == QueryRatio(bad_query=f"({bad} or 0 * {total})", total_query=total)
    done = export(slo, "pyrra", metrics=metrics)
    ratio = plain(trees(done.text)[0])["spec"]["indicator"]["ratio"]
    assert ratio["errors"] == {"metric": 'r_total{x="y",code=~"5.."}'}
    assert "[{{.window}}]" not in str(ratio)
    fast = SLO("fast", target="95%", window="30d", sli=eb.Latency("250ms"))
    latency = plain(trees(export(fast, "pyrra", metrics=metrics).text)[0])["spec"]["indicator"]
    assert latency["latency"]["success"]["metric"] == 'r_seconds_bucket{le="0.25"}'
    freshness = SLO("f", target="99%", window="30d", sli=eb.Freshness("5m"))
    assert export(freshness, "sloth", metrics=metrics).text == ""


def test_wrong_formats_are_named() -> None:
    """With what there is."""
    slo = SLO("a", target="99%", window="30d", sli=eb.Availability())
    with pytest.raises(InvalidInputError, match='did you mean "openslo"'):
        export(slo, "openslow")
    with pytest.raises(InvalidInputError, match="written as YAML"):
        export(slo, "sloth", syntax="toml")
    with pytest.raises(InvalidInputError, match="no SLOs"):
        export([], "sloth")
    assert export(slo, "errorbudget", syntax="toml").text == eb.dump(slo, syntax="toml")
