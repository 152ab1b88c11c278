"""Counters on a server as count series: which series count, from where on, and what is said."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.errors import (
    GapWarning,
    InvalidInputError,
    InvalidSeriesError,
    NoDataError,
    SourceResponseError,
)
from errorbudget.rules import GUIDE_METRICS, Metrics
from errorbudget.sources.prometheus import Client, PrometheusSource, Request, Response, Retry

API = eb.SLO("api", target="99%", window="1h", sli=eb.Availability())
MINUTE = 60 * 10**9


class Server:
    """Serves samples (s, value) by labels; fails for the days that it is told to."""

    def __init__(self, *series: tuple[dict[str, str], dict[int, float]]) -> None:
        self.series = series
        self.asked: list[str] = []
        self.failing = False

    def __call__(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.asked.append(form["query"])
        end = float(form["time"])
        length = int(form["query"].rpartition("[")[2].removesuffix("ms]")) / 1000
        if self.failing and end % 86_400:
            return Response(422, {}, b'{"status":"error","errorType":"execution","error":"no"}')
        result = []
        for labels, samples in self.series:
            inside = [[t, f"{v:g}"] for t, v in samples.items() if end - length < t <= end]
            if inside:
                result.append({"metric": labels, "values": inside})
        data = {"resultType": "matrix", "result": result}
        return Response(200, {}, json.dumps({"status": "success", "data": data}).encode())


def source(server: Server, **settings: Any) -> PrometheusSource:
    client = Client("http://127.0.0.1:9090", transport=server, retry=Retry(attempts=1))
    return PrometheusSource(client, **settings)


def counter(status: str, values: dict[int, float], **labels: str) -> Any:
    return {"__name__": "http_server_requests_total", "status": status, **labels}, values


def every_minute(*values: float, start: int = 0) -> dict[int, float]:
    return {start + 60 * index: value for index, value in enumerate(values)}


def fetched(server: Server, slo: eb.SLO = API, end: int = 600, **settings: Any) -> Any:
    return source(server, **settings).fetch(slo, start=0, end=end * 10**9)


def test_growth_is_summed_after_never_before() -> None:
    """A restart of one instance takes nothing from the other."""
    server = Server(
        counter("200", every_minute(0, 10, 20, 5), instance="a"),
        counter("200", every_minute(0, 10, 20, 30), instance="b"),
        counter("500", every_minute(0, 1, 1, 1), instance="a"),
    )
    counts = fetched(server, end=180).of(API)
    assert counts.good.tolist() == [20, 20, 15]
    assert (counts.total - counts.good).tolist() == [1, 0, 0]


def test_a_late_child_counts_from_zero() -> None:
    """The first 503 of a process that was there counts, unless it is said to have been before."""
    server = Server(
        counter("200", every_minute(*range(0, 110, 10))),
        counter("503", every_minute(3, 4, start=540)),
    )
    assert int(fetched(server).of(API).good.sum()) == 100
    assert API.evaluate(fetched(server)).counts.bad == 4
    assert API.evaluate(fetched(server, born="before")).counts.bad == 1


def test_a_child_that_an_earlier_scrape_did_not_show_counts_from_zero() -> None:
    """However soon it comes: a scrape shows all series of its target at once."""
    was = counter("200", every_minute(*range(0, 110, 10)), instance="a")
    child = counter("503", every_minute(3, 4, start=60), instance="a")
    other = counter("200", every_minute(500, 510, start=30), instance="b")
    status = API.evaluate(fetched(Server(was, child, other)))
    assert status.counts == eb.Counts(good=110, bad=4)
    # Where no label tells targets apart, the other series may be another target's.
    same = [counter("200", every_minute(*range(0, 110, 10))), counter("503", {60: 3, 120: 4})]
    assert API.evaluate(fetched(Server(*same))).counts.bad == 1


def test_a_child_that_comes_back_after_a_restart_counts_from_zero() -> None:
    """Gone while its target started over: as many errors as before are new ones."""
    was = counter("200", every_minute(50, 60, 70, 5, 10, 15), instance="a")
    child = counter("503", {0: 2, 60: 2, 120: 2, 300: 2}, instance="a")
    assert API.evaluate(fetched(Server(was, child))).counts == eb.Counts(good=35, bad=2)
    # Without a restart it was only not told.
    was = counter("200", every_minute(50, 60, 70, 75, 80, 85), instance="a")
    assert API.evaluate(fetched(Server(was, child))).counts == eb.Counts(good=35, bad=0)


def test_a_bucket_that_outgrows_its_histogram_is_told() -> None:
    """Fast requests are at most all of them; what a bucket has beyond that is left out and said."""
    name = {"__name__": "http_server_request_duration_bucket"}
    latency = eb.SLO("l", target="99%", window="1h", sli=eb.Latency("200ms"))
    server = Server(
        ({**name, "le": "0.2"}, every_minute(0, 5, 9, 12)),
        ({**name, "le": "+Inf"}, every_minute(0, 5, 8, 18)),
    )
    found = fetched(server, latency, end=180)
    assert found.of(latency).good.tolist() == [5, 3, 3]
    [said] = found.warnings
    assert "grew by 1 more" in said


def test_replicas_of_a_scraper_are_told() -> None:
    """One target scraped by two servers behind one address counts once where one is matched."""

    def scraped(by: str, status: str, *, start: int, **more: str) -> Any:
        values = every_minute(*range(0, 110, 10), start=start)
        return counter(status, values, instance="a", prometheus_replica=by, **more)

    twice = Server(*(scraped(by, "200", start=s) for by, s in (("0", 0), ("1", 7))))
    [said] = [text for text in fetched(twice).warnings if "replica" in text]
    assert "differ in prometheus_replica alone" in said
    assert "counts 2 times" in said
    apart = Server(scraped("0", "200", start=0), scraped("1", "500", start=7))
    assert not any("replica" in text for text in fetched(apart).warnings)
    once = fetched(Server(twice.series[0]), metrics=Metrics(match={"prometheus_replica": "0"}))
    assert once.of(API).total.sum() == 100
    assert not once.warnings


def test_what_was_there_from_the_start_is_not_growth() -> None:
    """A counter that stands at a million when first looked at has not just served a million."""
    server = Server(counter("200", every_minute(1_000_000, 1_000_010)))
    assert API.evaluate(fetched(server)).counts.good == 10


def test_a_value_before_the_start_is_the_anchor() -> None:
    """The samples of the look-back before the start make the first bin whole."""
    server = Server(counter("200", {0: 100.0, 240: 150.0, 300: 160.0}))
    found = source(server).fetch(API, start=241 * 10**9, end=300 * 10**9)
    assert found.of(API).good.tolist() == [10]


def test_gaps_are_unobserved_and_their_events_kept() -> None:
    """What happened in a gap counts at its end; the bins of the gap were not observed."""
    server = Server(counter("200", {0: 0.0, 60: 10.0, 1200: 500.0, 1260: 510.0}, instance="a"))
    found = fetched(server, end=1260)
    counts = found.of(API)
    assert int(counts.good.sum()) == 510
    assert counts.observed is not None
    assert counts.observed.tolist() == [True] + [False] * 19 + [True]
    assert "no samples of a from 1970-01-01T00:01:00Z for 19m" in found.warnings[0]
    assert API.evaluate(found).coverage == pytest.approx(2 / 60, abs=0.02)


def test_one_fetch_serves_every_objective() -> None:
    """Objectives of one metric share its samples; buckets are fetched for all bounds at once."""
    bucket = {"__name__": "http_server_request_duration_bucket"}
    server = Server(
        counter("200", every_minute(0, 10), route="/a"),
        counter("500", every_minute(0, 2), route="/b"),
        ({**bucket, "le": "0.2"}, every_minute(0, 9)),
        ({**bucket, "le": "1.0"}, every_minute(0, 11)),
        ({**bucket, "le": "+Inf"}, every_minute(0, 12)),
    )
    slos = [
        API,
        eb.SLO("b", target="99%", window="1h", sli=eb.Availability(where={"route": "/b"})),
        eb.SLO("fast", target="95%", window="1h", sli=eb.Latency("200ms")),
        eb.SLO("slow", target="95%", window="1h", sli=eb.Latency("1s")),
    ]
    found = source(server).fetch(slos, start=0, end=MINUTE)
    assert sorted({query.partition("[")[0] for query in server.asked}) == [
        r'http_server_request_duration_bucket{le=~"0\\.2|1|1\\.0|\\+Inf"}',
        "http_server_requests_total",
    ]
    counts = {slo.name: slo.evaluate(found).counts for slo in slos}
    assert counts["api"] == eb.Counts(10, 2)
    assert counts["b"] == eb.Counts(0, 2)
    assert counts["fast"] == eb.Counts(9, 3)
    assert counts["slow"] == eb.Counts(11, 1)
    assert len(eb.evaluate(slos, found)) == 4


def test_other_names_and_fixed_labels() -> None:
    """Labels called otherwise, and the job that every series must have."""
    server = Server(
        ({"__name__": "hits_total", "code": "500", "job": "shop"}, every_minute(0, 3)),
        ({"__name__": "hits_total", "code": "odd", "job": "shop"}, every_minute(0, 9)),
    )
    metrics = Metrics("hits_total", labels={"status": "code"}, match={"job": "shop"})
    found = fetched(server, metrics=metrics)
    assert server.asked[0].startswith('hits_total{job="shop"}[')
    assert API.evaluate(found).counts == eb.Counts(0, 3)


def test_missing_pieces_are_an_error_unless_wanted() -> None:
    """By default half an answer is none; asked for, it is kept, named and can be completed."""
    day = 86_400
    server = Server(counter("200", {t: float(t) for t in range(0, 2 * day + 3600, 600)}))
    server.failing = True
    span = {"start": 0, "end": (2 * day + 3000) * 10**9}
    with pytest.raises(SourceResponseError, match="execution"):
        source(server, lookback="20m").fetch(API, **span)
    partial = source(server, lookback="20m", partial=True)
    with pytest.warns(GapWarning, match="stretches"):
        found = partial.fetch(API, **span)
    assert len(found.missing) == 1
    assert any(warning.startswith("missing: ") for warning in found.warnings)
    server.failing = False
    whole = partial.resume(API, found)
    assert not whole.missing
    assert int(whole.of(API).good.sum()) == 2 * day + 3000


def test_the_same_call_again_asks_for_the_rest_only() -> None:
    """What came before a fetch broke off is kept by the source, and not asked for twice."""
    day = 86_400
    server = Server(counter("200", {t: float(t) for t in range(0, 2 * day + 3600, 600)}))
    server.failing = True
    span = {"start": 0, "end": (2 * day + 3000) * 10**9}
    one = source(server, lookback="20m")
    with pytest.raises(SourceResponseError, match="execution"):
        one.fetch(API, **span)
    asked, server.failing = len(server.asked), False
    assert int(one.fetch(API, **span).of(API).good.sum()) == 2 * day + 3000
    assert len(server.asked) == asked + 1
    one.fetch(API, **span)
    assert len(server.asked) == 2 * asked + 1


def test_what_cannot_be_counted_is_said() -> None:
    """Ages, no series, an absent bound, and a counter that is none."""
    server = Server(counter("200", every_minute(0, 0.5)))
    with pytest.raises(InvalidInputError, match="not counted from labels"):
        fetched(server, eb.SLO("f", window="1h", sli=eb.Freshness("5m")))
    with pytest.raises(InvalidSeriesError, match="whole ones"):
        fetched(server)
    with pytest.raises(NoDataError, match="no series"):
        fetched(Server())
    latency = eb.SLO("l", target="99%", window="1h", sli=eb.Latency("300ms"))
    bucket = {"__name__": "http_server_request_duration_bucket", "le": "+Inf"}
    with pytest.raises(InvalidSeriesError, match=r'no bucket le="0\.3"'):
        fetched(Server((bucket, every_minute(0, 1))), latency)
    found = fetched(Server(counter("200", every_minute(0, 1))))
    with pytest.raises(InvalidInputError, match="nothing was fetched"):
        found.of(latency)
    with pytest.raises(InvalidInputError, match="milliseconds"):
        source(server, step="1ns")


def test_the_guides_metrics_are_known() -> None:
    """Every objective of the guide that has counters finds its metric by name."""
    assert GUIDE_METRICS["Tool Execution Error Rate"].counter == "tool_executions_total"


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40), st.data())
def test_counts_are_the_events_that_scrapes_saw(events: list[int], data: st.DataObject) -> None:
    """Whatever scrapes are lost, all that was counted before the last one is there, once."""
    kept = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    kept[0] = kept[-1] = True
    total = np.cumsum(events)
    samples = {60 * i: float(total[i]) for i in range(len(events)) if kept[i]}
    end = 60 * (len(events) - 1)
    counts = fetched(Server(counter("200", samples)), end=max(end, 60)).of(API)
    assert int(counts.good.sum()) == total[-1] - total[0]


def test_history_and_methods_work_on_counters() -> None:
    """Fetched counters go wherever events go."""
    server = Server(
        counter("200", every_minute(*range(0, 1210, 10))),
        counter("500", every_minute(*range(121))),
    )
    found = fetched(server, end=7200)
    history = API.history(found, step="10m")
    assert len(history.time_ns) > 0
    assert API.count(found, step="10m").total.sum() == 1320
    assert API.compare_methods(found) is not None


class Figures:
    """Answers each query by the first of its parts that is in it."""

    def __init__(self, **values: float) -> None:
        self.values = values
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Response:
        query = parse_qs(request.body.decode())["query"][0]
        self.asked.append(query)
        found = [value for part, value in self.values.items() if part in query]
        result = [
            {"metric": {}, "value": [600, f"{value:g}".replace("nan", "NaN")]}
            for value in found[:1]
        ]
        data = {"resultType": "vector", "result": result}
        return Response(200, {}, json.dumps({"status": "success", "data": data}).encode())


def asked(slo: eb.SLO, **values: float) -> Any:
    return slo.evaluate(fetched(Figures(**values), slo))  # type: ignore[arg-type]


def test_thresholds_are_asked_of_the_server() -> None:
    """Quantiles, rates and gauges, met or missed, and no data where there is none."""
    quantile = eb.SLO("p", window="7d", sli=eb.LatencyQuantile({"p95": "200ms"}))
    assert asked(quantile, histogram_quantile=0.19).state == "met"
    assert asked(quantile, histogram_quantile=0.2).state == "missed"
    assert asked(quantile, histogram_quantile=float("nan")).state == "no_data"
    rate = eb.SLO("r", window="1h", sli=eb.Throughput(1000))
    assert asked(rate, rate=1000.5).state == "met"
    gauge = eb.SLO("g", window="24h", sli=eb.Concurrency(1000))
    assert asked(gauge, max_over_time=1000.0).state == "missed"
    assert asked(gauge).state == "no_data"
    with pytest.raises(InvalidInputError, match="has no counts"):
        fetched(Figures(), gauge).of(gauge)  # type: ignore[arg-type]


def test_slices_that_keep_a_bound_are_asked_of_the_server() -> None:
    """A threshold with a target has the budget of its slices."""
    slices = eb.Timeslices("1m")
    rate = eb.SLO("r", window="1h", target="90%", method=slices, sli=eb.Throughput(1000))
    status = asked(rate, sum_over_time=3.0, count_over_time=60.0)
    assert status.counts == eb.Counts(57, 3)
    assert (status.unit, status.state) == ("slices", "met")
    assert asked(rate).state == "no_data"
    quantile = rate.replace(sli=eb.LatencyQuantile({"p95": "200ms"}))
    server = Figures(sum_over_time=12.0, count_over_time=60.0)
    status = quantile.evaluate(fetched(server, quantile))  # type: ignore[arg-type]
    assert status.state == "missed"
    assert "_bucket" in server.asked[0]
    nothing = Figures()
    assert quantile.evaluate(fetched(nothing, quantile)).state == "no_data"  # type: ignore[arg-type]
    assert any("_bucket" not in query for query in nothing.asked)


def test_sampled_thresholds_are_asked_of_the_server() -> None:
    """A query against a bound, one sample a minute."""
    sli = eb.QueryThreshold(query="avg(up)", op=">=", bound="0.5")
    slo = eb.SLO("up", target="90%", window="1h", sli=sli)
    assert asked(slo, count_over_time=60.0).counts.total == 60


def test_written_queries_are_asked_of_the_server() -> None:
    """Bad and all events over the window and every burn window; nonsense is refused."""
    sli = eb.QueryRatio(bad_query="sum(wrong[{{.window}}])", total_query="sum(all[{{.window}}])")
    slo = eb.SLO("q", target="99%", window="30d", sli=sli)
    status = asked(slo, wrong=2.5, all=1000.0)
    assert status.counts == eb.Counts(997.5, 2.5)
    assert status.burn_rates["1h"] == pytest.approx(0.25)
    with pytest.raises(InvalidInputError, match="must be among"):
        asked(slo, wrong=3.0, all=2.0)
    assert asked(slo).state == "no_data"


def test_what_the_server_has_nothing_for_is_named() -> None:
    """No figure at all: the query is shown, so that a wrong name is found."""
    gauge = eb.SLO("g", window="1h", sli=eb.Concurrency(10))
    [said] = asked(gauge).warnings
    assert "nothing came of max_over_time(sum(" in said
    assert not asked(gauge, max_over_time=20.0).warnings
    sli = eb.QueryRatio(bad_query="sum(wrong[{{.window}}])", total_query="sum(all[{{.window}}])")
    ratio = eb.SLO("q", target="99%", window="30d", sli=sli)
    assert sum("nothing came of" in text for text in asked(ratio).warnings) == 1


def test_what_is_said_of_several_objectives_is_said_once() -> None:
    """Gaps are those of the targets, whoever is counted from them."""
    server = Server(counter("200", {0: 0, 60: 5, 1200: 9}, instance="a"))
    other = API.replace(name="other")
    [gap] = source(server).fetch([API, other], start=0, end=1200 * 10**9).warnings
    assert gap.startswith("api, other: no samples of a from")
