"""
W6: the JSON of a Prometheus range query to columns: *events* series of 11,000 samples.

What does reading an answer cost, against general JSON readers and a loop? The other methods trust
the payload; ours checks all of it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarks.data import START_NS, Case
from benchmarks.harness import Answer, Method

SAMPLES = 11_000


def _body(case: Case) -> bytes:
    rng = np.random.default_rng(1)
    result = []
    for number in range(case.events):
        counter = rng.poisson(50, SAMPLES).cumsum()
        for reset in sorted(rng.integers(1, SAMPLES, 3)):
            counter[reset:] -= counter[reset]
        labels = {"__name__": "http_requests_total", "code": "200", "instance": f"i{number}"}
        begin = START_NS // 10**9
        values = [[begin + 60 * i, str(v)] for i, v in enumerate(counter.tolist())]
        result.append({"metric": labels, "values": values})
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    return json.dumps(answer, separators=(",", ":")).encode()


def _kernel(body: Any) -> Answer:
    from errorbudget.sources.prometheus.matrix import parse_answer

    _, matrix = parse_answer(body)
    assert matrix is not None
    return [matrix.t_ms, matrix.values]


def _loop(body: Any) -> Answer:
    series = json.loads(body)["data"]["result"]
    times = [np.array([sample[0] for sample in one["values"]], float) for one in series]
    values = [np.array([float(sample[1]) for sample in one["values"]]) for one in series]
    return [np.concatenate(times) * 1000, np.concatenate(values)]


def _iterated(series: Any) -> Answer:
    times, values = [], []
    for samples in series:
        stamps, texts = zip(*samples, strict=True)
        times.append(np.fromiter(stamps, np.float64, len(stamps)))
        values.append(np.fromiter(map(float, texts), np.float64, len(texts)))
    return [np.concatenate(times) * 1000, np.concatenate(values)]


def _fromiter(body: Any) -> Answer:
    return _iterated(one["values"] for one in json.loads(body)["data"]["result"])


def _orjson(body: Any) -> Answer:
    import orjson

    return _iterated(one["values"] for one in orjson.loads(body)["data"]["result"])


def _msgspec_setup(case: Case) -> Any:
    import msgspec

    series = msgspec.defstruct(
        "Series", [("metric", dict[str, str]), ("values", list[tuple[float, str]])]
    )
    data = msgspec.defstruct("Data", [("result", list[series])])  # type: ignore[valid-type]
    answer = msgspec.defstruct("Answer", [("status", str), ("data", data)])
    return msgspec.json.Decoder(answer), _body(case)


def _msgspec(context: Any) -> Answer:
    decoder, body = context
    return _iterated(one.values for one in decoder.decode(body).data.result)


METHODS = {
    "errorbudget": Method(_body, _kernel),
    "json + loop": Method(_body, _loop),
    "json + fromiter": Method(_body, _fromiter),
    "orjson + fromiter": Method(_body, _orjson, ("orjson",)),
    "msgspec + fromiter": Method(_msgspec_setup, _msgspec, ("msgspec",)),
}
