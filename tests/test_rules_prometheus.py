"""Rules: what they say, that real tools take them, and that they fire when the library says so."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.alerts import GUIDE
from errorbudget.errors import InvalidInputError
from errorbudget.kernels import counters
from errorbudget.rules import GUIDE_METRICS, Metrics, prometheus_rules, prometheus_tests
from errorbudget.rules.alerting import camel
from errorbudget.rules.metrics import metrics_for
from errorbudget.rules.promql import decimal, promql_duration, selectors, sli_queries
from errorbudget.rules.yaml_text import to_yaml
from tests.conformance.prometheus_cases import rules_of
from tests.conformance.promql import evaluate, parse
from tests.prometheus_binaries import binary

LABELS = ("200", "404", "500", "503", "")
ROUTES = ("/api/a", "/api/b", "/health", "")


def slo(**given: Any) -> eb.SLO:
    settings: dict[str, Any] = {"target": "99.9%", "window": "30d", "sli": eb.Availability()}
    return eb.SLO("api-availability", **{**settings, **given})


def guide() -> list[eb.SLO]:
    from importlib.resources import files

    return list(eb.load(str(files("errorbudget.specs") / "guide.yaml")))


CONDITIONS = st.recursive(
    st.sampled_from(
        (
            eb.status_in("5xx"),
            eb.status_in("2xx|404"),
            eb.status_in("500-503"),
            eb.label("route").equals("/health"),
            eb.label("route").isin("/api/a", "/health"),
            eb.label("route").matches("/api/.*"),
        )
    ),
    lambda part: st.one_of(
        part.map(lambda one: ~one),
        st.tuples(part, part).map(lambda two: two[0] & two[1]),
        st.tuples(part, part).map(lambda two: two[0] | two[1]),
    ),
    max_leaves=4,
)


def samples() -> dict[Any, Any]:
    store = {}
    for status, route in itertools.product(LABELS, ROUTES):
        labels = {"__name__": "x_total", "status": status, "route": route}
        key = frozenset((name, value) for name, value in labels.items() if value)
        store[key] = np.array([0, 60_000]), np.array([0.0, float(len(store) + 1)])
    return store


STORE = samples()


@given(CONDITIONS, CONDITIONS)
def test_matchers_select_what_the_condition_means(bad: Any, where: Any) -> None:
    """Bad and all events in PromQL are those that the indicator tells from the labels."""
    sli = eb.RatioSLI(bad=bad, where=where)
    expected = {True: 0.0, False: 0.0}
    for labels, (_, values) in STORE.items():
        event: dict[str, Any] = dict(labels)
        status = event.get("status", "")
        event["status"] = int(status) if status.isdigit() else None
        if (good := sli.classify(event)) is not None:
            expected[good] += values[1]
    try:
        queries = sli_queries(sli, Metrics(counter="x_total"))
    except InvalidInputError:
        assert not expected[False]  # a condition that contradicts itself
        return
    total = sum(expected.values())
    answers = []
    for text in queries.over(60_000_000_000):
        found = evaluate(text, STORE, [60_000], "prom2.53")
        answers.append(sum(float(series.values[0]) for series in found.values()))  # type: ignore[union-attr]
    assert answers == [pytest.approx(expected[False]), pytest.approx(total)]


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=10**6))
def test_decimals_are_the_nearest_float(value: Fraction) -> None:
    """A threshold in a rule is the float that is nearest to the exact one."""
    assert float(decimal(value)) == float(value)


@given(st.integers(1, 10**9))
def test_durations_are_exact(ms: int) -> None:
    """Spans come back from PromQL as they went in."""
    selector = f"x[{promql_duration(ms * 1_000_000)}]"
    assert parse(selector).range_ms == ms


def test_what_cannot_be_asked_is_said() -> None:
    """Durations of single events, ratios without counts and queries in other languages."""
    metrics = Metrics()
    with pytest.raises(InvalidInputError, match="cannot be asked"):
        sli_queries(eb.RatioSLI(bad=eb.number("bytes") > 5), metrics)
    with pytest.raises(InvalidInputError, match="Datadog"):
        sli_queries(eb.QueryRatio(good_query="a", total_query="b", language="Datadog"), metrics)
    with pytest.raises(InvalidInputError, match="milliseconds"):
        promql_duration(1)
    with pytest.raises(InvalidInputError, match="no form in PromQL"):
        prometheus_rules(eb.SLO("f", window="1d", sli=eb.Freshness("5m")))
    with pytest.raises(InvalidInputError, match="no metrics"):
        metrics_for({"other": metrics}, "api")
    with pytest.raises(InvalidInputError, match="name of a metric"):
        Metrics(counter="a b")
    with pytest.raises(InvalidInputError, match="name of a label"):
        Metrics(labels={"status": "a-b"})
    with pytest.raises(InvalidInputError, match="two SLOs"):
        prometheus_rules([slo(), slo()])
    with pytest.raises(InvalidInputError, match="placement"):
        prometheus_rules(slo(), placement="moon")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="no series"):
        selectors("x", ~eb.predicates.EVERYTHING, metrics)  # type: ignore[attr-defined]


def test_names_of_metrics_and_labels_are_used() -> None:
    """Other names, fixed labels and written queries end up in the rules."""
    metrics = Metrics("hits_total", labels={"status": "code"}, match={"job": 'a"b'})
    queries = sli_queries(eb.Availability(good="2xx"), metrics)
    assert queries.bad.startswith(r'sum(increase(hits_total{job="a\"b",code!~"2..",code!=""}[')
    written = eb.QueryRatio(good_query="sum(g[{{.window}}])", total_query="sum(t[{{.window}}])")
    assert sli_queries(written, metrics).over(300_000_000_000)[0] == "((sum(t[5m])) - (sum(g[5m])))"


def test_a_written_ratio_is_asked_for_each_window() -> None:
    """A ratio without counts is never added up: the long window is asked of the server too."""
    file = prometheus_rules(slo(sli=eb.QueryRatio(ratio_query="1 - sum(x[{{.window}}])")))
    found = {
        rule["record"]: rule["expr"]
        for one in file.groups
        for rule in one["rules"][:30]
        if "record" in rule
    }
    assert found["slo:error_ratio:30d"].startswith(
        "(1 - sum(x[30d])) / ((0 * (1 - sum(x[30d])) + 1)"
    )
    assert "slo:bad_events:count5m" not in found
    assert any("asked for 30d at once" in warning for warning in file.warnings)
    for text in found.values():
        parse(text)


def test_a_written_threshold_counts_samples() -> None:
    """The share of minutes in which a figure keeps its bound, as OpenSLO's thresholdMetric."""
    sli = eb.QueryThreshold(query="avg(up)", op=">=", bound="0.5")
    bad, total = sli_queries(sli, Metrics()).over(3_600_000_000_000)
    kept = "((avg(up)) >= bool 0.5)[1h:1m]"
    assert total == f"sum(count_over_time({kept}))"
    assert bad == f"({total} - sum(sum_over_time({kept})))"
    times = np.arange(61, dtype=np.int64) * 60_000
    values = np.where(times < 600_000, 0.0, 1.0)
    store = {frozenset({("__name__", "up")}): (times, values)}
    answers = [
        float(next(iter(evaluate(text, store, [3_600_000], "prom3").values())).values[0])
        for text in (bad, total)
    ]
    assert answers == [9, 60]


def test_thresholds_are_exact() -> None:
    """72 bad of 5,000 is exactly 14.4 times 0.1 %, and does not fire."""
    rules = prometheus_rules(slo()).to_dict()["groups"][0]["rules"]
    [fast] = [rule for rule in rules if rule.get("alert") == "ApiAvailabilityPageFast"]
    [limit] = set(re.findall(r"> ([\d.]+)", fast["expr"]))
    assert limit == "0.0144"
    assert not float(limit) < 72 / 5_000
    assert fast["labels"]["severity"] == "page"


def test_long_windows_are_sums_of_counts() -> None:
    """Thirty days add up events; no ratio is averaged anywhere."""
    text = prometheus_rules(slo()).to_yaml()
    assert "avg_over_time" not in text
    assert "sum_over_time(slo:bad_events:count5m" in text
    assert "[29d23h59m59s999ms]" in text


def test_shards_count_and_the_ruler_judges() -> None:
    """Together the two halves are the whole, and only the ruler alerts."""

    def names(placement: Any) -> set[str]:
        file = prometheus_rules(slo(), placement=placement)
        rules = [rule for group in file.groups for rule in group["rules"]]
        return {str(rule.get("record") or rule["alert"]) for rule in rules}

    assert names("shard") | names("global") == names("single")
    assert not names("shard") & names("global")
    assert all("_events:" in name or ":events:" in name for name in names("shard"))


def test_what_rules_cannot_say_is_a_warning() -> None:
    """Calendar windows, alerts that cannot fire and other methods are named in the file."""
    calendar = slo(window=eb.Calendar("month"), target="90%", method=eb.Timeslices("1m"))
    file = prometheus_rules(calendar)
    shown = "\n".join(file.warnings)
    assert "no form in PromQL" in shown
    assert "page-fast is left out" in shown
    assert "each slice is judged" in shown
    assert file.to_yaml().startswith("# api-availability")
    assert prometheus_rules(slo(), alerts=False).groups[0]["rules"][-1].get("alert") is None


def test_every_expression_is_promql() -> None:
    """Our own parser and an independent one read every expression of the guide's rules."""
    other = pytest.importorskip("promql_parser")
    for objective in guide():
        for group in prometheus_rules(objective, metrics=GUIDE_METRICS).groups:
            for rule in group["rules"]:
                parse(rule["expr"])
                other.parse(rule["expr"])


@pytest.mark.parametrize(
    "text", ["yes", "1e3", "12:30", "- x", "a: b", '"', "\\", "'", "", "é", "a\nb"]
)
def test_yaml_gives_texts_back(text: str) -> None:
    """No text becomes a number, a truth or a list on the way through YAML."""
    yaml = pytest.importorskip("ruamel.yaml").YAML(typ="safe")
    data = {"a": text, text or "k": [text, [], {}, {"b": [text]}], "n": 1.5, "t": True, "x": None}
    assert yaml.load(to_yaml(data, comment="one\ntwo")) == data


# ------------------------------------------------------------------------------------ real tools


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary("promtool"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def answered(
    folder: Path, objective: eb.SLO, interval: str, inputs: list[Any], questions: list[Any]
) -> None:
    """That the objective's rules answer *questions* as expected, over series of that interval."""
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": interval, "input_series": inputs, "promql_expr_test": questions}],
    }
    (folder / "rules.yml").write_text(prometheus_rules(objective).to_yaml())
    (folder / "tests.yml").write_text(json.dumps(tests))
    done = promtool("test", "rules", "tests.yml", folder=folder)
    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]


def test_promtool_takes_every_rule(tmp_path: Path) -> None:
    """The guide's objectives, as one file and as the halves of a sharded one, pass every lint."""
    for placement in ("single", "shard", "global"):
        file = prometheus_rules(guide(), metrics=GUIDE_METRICS, placement=placement)  # type: ignore[arg-type]
        (tmp_path / "rules.yml").write_text(file.to_yaml(), "utf-8")
        done = promtool(
            "check", "rules", "--lint=all", "--lint-fatal", "rules.yml", folder=tmp_path
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("objective", "metrics"),
    [
        (slo(), None),
        pytest.param(
            slo(alerts=GUIDE, window="24h", target="99%", sli=eb.ErrorRate(), burn_windows=()),
            None,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            slo(
                sli=eb.Latency("200ms", where={"route": "/api/.*"}),
                target="99%",
                window="7d",
                service="shop",
                team="a",
                alerts=GUIDE,
                burn_windows=(),
            ),
            Metrics(match={"job": "shop"}),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            slo(
                method=eb.Timeslices("5m", "99%", no_data="good", strict=True),
                target="99.5%",
                window="7d",
            ),
            None,
            marks=pytest.mark.slow,
        ),
        pytest.param(slo(method=eb.RatioTimeslices("1m")), None, marks=pytest.mark.slow),
        *(
            pytest.param(
                slo(sli=sli, method=method, target="98%", window="7d", alerts=GUIDE),
                Metrics(match={"job": "shop"}),
                marks=pytest.mark.slow,
            )
            for sli, method in (
                (eb.LatencyQuantile({"p95": "200ms", "p99": "1s"}), eb.Timeslices("1m")),
                (eb.Throughput(5, where={"route": "/api/.*"}), eb.Timeslices("7m")),
                (eb.Concurrency(10, statistic="sustained"), eb.Timeslices("5m")),
            )
        ),
    ],
)
def test_generated_unit_tests_pass(tmp_path: Path, objective: eb.SLO, metrics: Any) -> None:
    """Each alert fires and resolves in promtool as the library says, and silence is noticed."""
    (tmp_path / "rules.yml").write_text(prometheus_rules(objective, metrics=metrics).to_yaml())
    tests = prometheus_tests(objective, metrics=metrics)
    asked = tests.tests[0]["promql_expr_test"]
    fired = {sample["labels"] for one in asked for sample in one["exp_samples"]}
    alerts = [
        a for a in objective.alerts.alerts if a.reachable(objective.target, objective.period_ns)
    ]  # type: ignore[union-attr]
    assert len(fired) == len(alerts) + 1
    (tmp_path / "tests.yml").write_text(tests.to_yaml())
    done = promtool("test", "rules", "tests.yml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_unit_tests_can_fail(tmp_path: Path) -> None:
    """The generated tests notice rules that are wrong."""
    text = prometheus_rules(slo()).to_yaml().replace("> 0.0144", "> 0.9")
    (tmp_path / "rules.yml").write_text(text)
    (tmp_path / "tests.yml").write_text(prometheus_tests(slo()).to_yaml())
    assert promtool("test", "rules", "tests.yml", folder=tmp_path).returncode != 0


def test_what_is_not_tested_is_named() -> None:
    """Thresholds, written queries and targets of 100 % have no unit test, and say so."""
    others = [
        eb.SLO("p95", window="7d", sli=eb.LatencyQuantile({"p95": "200ms"})),
        eb.SLO("all", window="7d", target="100%", sli=eb.Availability()),
        eb.SLO("q", window="7d", target="99%", sli=eb.QueryRatio(bad_query="b", total_query="t")),
    ]
    tests = prometheus_tests(others)
    assert set(tests.untested) == {"p95", "all", "q"}
    assert "# not tested: p95" in tests.to_yaml()


def test_native_histograms_have_unit_tests(tmp_path: Path) -> None:
    """Series follow each other, none too long for promtool; one that can read them passes them."""
    native = Metrics(native=True)
    by_minute = slo(sli=eb.Latency("200ms"), target="95%", method=eb.Timeslices("1m", "95%"))
    tests = prometheus_tests(by_minute, metrics=native)
    first, outage, *_ = series = tests.tests[0]["input_series"]
    one = "{{schema:0 sum:7.5 count:150 offset:-4 buckets:[150]}}"
    assert first["values"] == f"{one}+{one}x479"
    assert outage["values"].startswith("_x480 {{schema:0 sum:120.0 count:150 offset:0 ")
    begin = 0
    for each in series:
        before, length = re.fullmatch(r"(?:_x(\d+) )?\{.*x(\d+)", each["values"]).groups()  # type: ignore[union-attr]
        assert (int(before or 0), int(length) < 500) == (begin, True)
        begin += int(length) + 1
    assert tests.to_yaml().startswith("# native histograms: promtool of 2.53")
    if "version 2.4" in promtool("--version", folder=tmp_path).stdout:
        pytest.skip("promtool of 2.42 reads no native histograms in tests")
    text = prometheus_rules(by_minute, metrics=native).to_yaml()
    for rules, code in ((text, 0), (text.replace("> 0.72", "> 1.5"), 1)):
        (tmp_path / "rules.yml").write_text(rules)
        (tmp_path / "tests.yml").write_text(tests.to_yaml())
        done = promtool("test", "rules", "tests.yml", folder=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr


def test_alerts_fire_at_the_same_evaluation_steps(tmp_path: Path) -> None:
    """Minute by minute, over an uneven history with a restart, promtool and the library agree."""
    version = promtool("--version", folder=tmp_path).stdout
    flavour = rules_of(re.search(r"version (\S+)", version)[1])  # type: ignore[index]
    objective = slo(alerts=GUIDE, target="99%", window="24h")
    random = np.random.default_rng(7)
    minutes = 400
    share = np.zeros(minutes)
    share[60:75], share[180:200], share[300:302] = 0.9, 0.2, 1.0
    total = random.integers(50, 150, minutes)
    bad = random.binomial(total, share)
    series = {"200": np.cumsum(total - bad), "500": np.cumsum(bad)}
    series["500"][190:] -= series["500"][189]
    times = np.arange(minutes, dtype=np.int64) * 60_000

    def grown(status: str, length_ns: int) -> Any:
        values = series[status].astype(float)
        return counters.increase(times, values, times, length_ns // 1_000_000, flavour)

    alerts, expected = objective.alerts.alerts, []  # type: ignore[union-attr]
    for alert in alerts:
        limit = float(alert.threshold(objective.period_ns) * objective.target.error)  # type: ignore[union-attr]
        burning = np.ones(minutes, dtype=bool)
        for window in alert.windows:
            good, wrong = grown("200", window), grown("500", window)
            with np.errstate(invalid="ignore"):
                burning &= wrong / (good + wrong) > limit
        held = list(itertools.accumulate(burning, lambda n, now: (n + 1) * int(now), initial=0))[1:]
        expected.append([n > alert.hold // 60_000_000_000 for n in held])
    assert all(any(one) and not all(one) for one in expected[:2])
    questions = [
        {
            "expr": 'count by (burn) (ALERTS{alertstate="firing",burn!=""})',
            "eval_time": f"{minute}m",
            "exp_samples": [
                {"labels": f'{{burn="{alert.name}"}}', "value": 1}
                for alert, fires in zip(alerts, expected, strict=True)
                if fires[minute]
            ],
        }
        for minute in range(minutes)
    ]
    inputs = [
        {
            "series": f'http_server_requests_total{{status="{status}"}}',
            "values": " ".join(str(value) for value in values.tolist()),
        }
        for status, values in series.items()
    ]
    answered(tmp_path, objective, "1m", inputs, questions)


@pytest.mark.parametrize(
    "method",
    [
        eb.Timeslices("1m", "95%"),
        eb.Timeslices("3m", "95%", no_data="bad"),
        eb.RatioTimeslices("2m", no_data="good"),
    ],
)
def test_time_slices_burn_at_the_same_steps(tmp_path: Path, method: Any) -> None:
    """Slices that promtool judges are the library's, minute by minute, silence included."""
    objective = slo(method=method, alerts=GUIDE, target="98%", window="24h", burn_windows=("1h",))
    minutes, minute_ns = 240, 60_000_000_000
    bad = np.zeros(minutes, dtype=np.int64)
    # In whole slices: inside one, rules of 3.x do not see its first scrape interval.
    bad[36:54], bad[102:108], bad[150:156] = 40, 4, 1
    total = np.full(minutes, 40)
    total[60:66] = bad[60:66] = 0
    ends = (np.arange(minutes, dtype=np.int64) + 1) * minute_ns
    series = eb.CountSeries(ends, total - bad, total, "1m", "right")
    history = objective.history(series, step="1m", start=minute_ns, end=int(ends[-1]))
    burn = history.columns()["burn_1h"]
    share = float(objective.target.error)  # type: ignore[union-attr]
    matcher = 'slo="api-availability"'
    expr = f"slo:error_ratio:1h{{{matcher}}}"
    questions = [
        {
            "expr": f"round(1e9 * {expr})",
            "eval_time": f"{minute}m",
            "exp_samples": [
                {"labels": f"{{{matcher}}}", "value": round(1e9 * value * share)}
                for value in burn[minute - 1 : minute].tolist()
                if not np.isnan(value)
            ],
        }
        for minute in range(66, minutes + 1)  # whole hours only
    ]
    inputs = [
        {
            "series": f'http_server_requests_total{{status="{status}"}}',
            "values": "0 " + " ".join(str(v) for v in np.cumsum(np.repeat(grown / 4, 4)).tolist()),
        }
        for status, grown in (("200", total - bad), ("500", bad))
    ]
    answered(tmp_path, objective, "15s", inputs, questions)


def test_slices_of_a_threshold_burn_at_the_same_steps(tmp_path: Path) -> None:
    """A floor on traffic, kept by 98 % of minutes: alerts fire in promtool as in the library."""
    objective = slo(
        sli=eb.Throughput(2, where={"route": "/api"}),
        method=eb.Timeslices("1m"),
        alerts=GUIDE,
        target="98%",
        window="24h",
        burn_windows=("1h",),
    )
    minutes, minute_ns = 240, 60_000_000_000
    per_minute = np.full(minutes, 240)
    per_minute[70:100], per_minute[150:153], per_minute[200:215] = 60, 120, 0
    ends = (np.arange(minutes, dtype=np.int64) + 1) * minute_ns
    low = (per_minute <= 120).astype(np.int64)
    series = eb.CountSeries(ends, 1 - low, np.ones(minutes, dtype=np.int64), "1m", "right")
    judged = slo(method="occurrences", alerts=GUIDE, target="98%", window="24h")
    columns = judged.history(series, step="1m", start=minute_ns, end=int(ends[-1])).columns()
    limits = {a.name: (a, a.threshold(objective.period_ns)) for a in objective.alerts.alerts}  # type: ignore[union-attr]
    questions, fired = [], set()
    matcher = 'slo="api-availability"'
    for minute in range(62, minutes + 1):
        firing = []
        for name, (alert, limit) in limits.items():
            burns = [_burned(low, minute, window // minute_ns) for window in alert.windows]
            if all(burn > limit * objective.target.error for burn in burns):  # type: ignore[union-attr]
                firing.append(f"ApiAvailability{camel(name)}")
        fired |= set(firing)
        questions.append(
            {
                "expr": f'count by (alertname) (ALERTS{{burn!="",{matcher}}})',
                "eval_time": f"{minute}m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)
                ],
            }
        )
        ratio = columns["burn_1h"][minute - 1] * float(objective.target.error)  # type: ignore[union-attr]
        assert ratio == pytest.approx(float(_burned(low, minute, 60)))
    assert fired
    values = "0 " + " ".join(str(v) for v in np.cumsum(np.repeat(per_minute / 4, 4)).tolist())
    inputs = [{"series": 'http_server_requests_total{route="/api"}', "values": values}]
    answered(tmp_path, objective, "15s", inputs, questions)


@pytest.mark.parametrize(
    "sli", [eb.LatencyQuantile({"p95": "200ms", "p99": "500ms"}), eb.Concurrency(10)]
)
def test_slices_of_quantiles_and_gauges_burn_at_the_same_steps(tmp_path: Path, sli: Any) -> None:
    """Slow minutes and quiet ones: every minute has the library's share of missed slices."""
    objective = slo(
        sli=sli,
        method=eb.Timeslices("1m"),
        alerts=GUIDE,
        target="98%",
        window="24h",
        burn_windows=("1h",),
    )
    random, minutes = np.random.default_rng(3), 200
    low = (random.random(minutes) < 0.15).astype(np.int64)
    low[70:90] = 1
    limits = {a.name: (a, a.threshold(objective.period_ns)) for a in objective.alerts.alerts}  # type: ignore[union-attr]
    error, minute_ns = objective.target.error, 60_000_000_000  # type: ignore[union-attr]
    questions, fired = [], set()
    for minute in range(62, minutes + 1):
        firing = {
            name
            for name, (alert, limit) in limits.items()
            if all(_burned(low, minute, w // minute_ns) > limit * error for w in alert.windows)
        }
        fired |= firing
        questions.append(
            {
                "expr": 'count by (burn) (ALERTS{burn!="",slo="api-availability"})',
                "eval_time": f"{minute}m",
                "exp_samples": [
                    {"labels": f'{{burn="{name}"}}', "value": 1} for name in sorted(firing)
                ],
            }
        )
    assert fired
    if isinstance(sli, eb.Concurrency):
        # A slice has its own scrapes, and not the one on its left edge.
        levels = np.where(np.repeat(low, 4) == 1, 10, 11)
        inputs = [{"series": "connections", "values": " ".join(map(str, [11, *levels.tolist()]))}]
    else:
        # 20 events a scrape; one in ten of a slow minute takes longer than 200 ms.
        slow = np.cumsum(np.repeat(low, 4) * 2)
        every = np.cumsum(np.full(4 * minutes, 20))
        inputs = [
            {
                "series": f'http_server_request_duration_bucket{{le="{le}"}}',
                "values": " ".join(map(str, [0, *values.tolist()])),
            }
            for le, values in (
                ("0.1", every - slow),
                ("0.2", every - slow),
                ("0.5", every),
                ("+Inf", every),
            )
        ]
    answered(tmp_path, objective, "15s", inputs, questions)


def _burned(low: Any, minute: int, length: int) -> Fraction:
    """The share of low minutes among the last *length*."""
    window = low[max(0, minute - length) : minute]
    return Fraction(int(window.sum()), len(window))


@pytest.mark.parametrize(
    "sli",
    [
        eb.LatencyQuantile({"p95": "200ms", "p99": "1s"}),
        eb.Throughput(5, sustained="1m"),
        eb.Concurrency(10, statistic="sustained"),
    ],
)
def test_thresholds_with_a_target_have_a_budget(tmp_path: Path, sli: Any) -> None:
    """Rules, alerts and panels of their slices; promtool takes them."""
    objective = slo(sli=sli, method=eb.Timeslices("5m"), target="99%")
    for metrics in (Metrics(), Metrics(native=True)):
        file = prometheus_rules(objective, metrics=metrics)
        names = {rule.get("record") or rule["alert"] for g in file.groups for rule in g["rules"]}
        assert {"slo:error_budget:remaining_ratio", "ApiAvailabilityNoData"} <= names
        assert len([name for name in names if name.startswith("ApiAvailability")]) > 3
        (tmp_path / "rules.yml").write_text(file.to_yaml())
        done = promtool("check", "rules", "rules.yml", folder=tmp_path)
        assert done.returncode == 0, done.stderr


def test_slices_are_judged_where_all_events_come_together() -> None:
    """A shard cannot tell whether a slice was good: it records none."""
    sliced = slo(method=eb.Timeslices("1m", "95%"))
    assert not prometheus_rules(sliced, placement="shard").groups
    assert prometheus_rules(sliced, placement="global").groups


def test_words_for_statuses_and_columns_without_a_label() -> None:
    """A label that says "failure", and a counter that counts nothing but tools."""
    metrics = Metrics(
        "auth_total",
        labels={"status": "result"},
        statuses={"ok": 200, "failure": 401},
        implied={"route": "/auth"},
    )
    sli = eb.ErrorRate(where={"route": "/auth"}, exclude=eb.label("probe").equals("1"))
    queries = sli_queries(sli, metrics)
    assert 'auth_total{probe!="1",result=~"failure"}' in queries.bad
    assert 'auth_total{result!="",probe!="1"}' in queries.total
    with pytest.raises(InvalidInputError, match="no series"):
        sli_queries(eb.ErrorRate(where={"route": "/other"}), metrics)


def test_labels_that_would_share_a_name_are_both_kept() -> None:
    """Prometheus has one name for "a-b" and "a_b"; the label that has it already keeps it."""
    names = {"a-b": "1", "a_b": "2", "a.b": "3"}
    slo = eb.SLO(
        "api", target="99%", window="30d", sli=eb.Availability(), labels=names, links=names
    )
    groups = prometheus_rules(slo).to_dict()["groups"]
    alert = next(rule for group in groups for rule in group["rules"] if "alert" in rule)
    for kind in ("labels", "annotations"):
        kept = {name: alert[kind].get(name) for name in ("a_b", "a_b_", "a_b__")}
        assert kept == {"a_b": "2", "a_b_": "1", "a_b__": "3"}
