"""
What Prometheus, Alertmanager and their tools answered, asked of this library.

Each `check_*` gives None where the library agrees, or a sentence on the first difference.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from errorbudget.counters import STALE, Rules
from errorbudget.errors import SourceResponseError
from errorbudget.sources.prometheus import Client, Response, Retry
from tests.conformance.promql import (
    Labels,
    PromQLError,
    Samples,
    Scalar,
    Vector,
    evaluate,
)
from tests.prometheus_binaries import binary

RELATIVE = 1e-12


def same(expected: float, got: float) -> bool:
    """Whether two figures agree to 1e-12, NaN and infinities included."""
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    return expected == got or math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=1e-300)


def off_by(expected: float, got: float) -> float:
    """The relative difference of two figures; 0 for equal infinities and two NaN."""
    if expected == got or (math.isnan(expected) and math.isnan(got)):
        return 0.0
    if not (math.isfinite(expected) and math.isfinite(got)):
        return math.inf
    return abs(expected - got) / max(abs(expected), abs(got))


def labels_of(metric: Mapping[str, str]) -> Labels:
    """A label set as a server writes it; an empty label is none."""
    return frozenset((name, value) for name, value in metric.items() if value)


def rules_of(version: str) -> Rules:
    """Which set of rules a server of *version* follows."""
    major, minor = (int(part) for part in version.split(".")[:2])
    if major >= 3:
        return "prom3"
    return "prom2.53" if minor >= 51 else "prom2.42"


# -------------------------------------------------------------------------------- promql functions


def _sample(value: float | str | None) -> float | None:
    return STALE if value == "stale" else None if value is None else float(value)


def _case_store(series: Sequence[Mapping[str, Any]]) -> dict[Labels, Samples]:
    store = {}
    for one in series:
        values = [_sample(value) for value in one["values"]]
        kept = [index for index, value in enumerate(values) if value is not None]
        step_ms, start_ms = round(one["step_s"] * 1000), round(one.get("start_s", 0) * 1000)
        times = np.array([start_ms + index * step_ms for index in kept], dtype=np.int64)
        labels = labels_of({"__name__": one["metric"], **one["labels"]})
        store[labels] = times, np.array([values[index] for index in kept], dtype=float)
    return store


def check_promql_case(case: Mapping[str, Any]) -> str | None:
    """One case of `promql_functions.json`: what the function gives over the samples given."""
    at_ms = round(case["t_s"] * 1000)
    try:
        found = evaluate(case["promql"], _case_store(case["series"]), [at_ms], case["flavour"])
    except PromQLError as error:
        return f"{case['promql']}: {error}"
    expected = {labels_of(one["labels"]): float(one["value"]) for one in case["expected"]}
    if isinstance(found, Scalar):
        got = {frozenset(): float(found.values[0])}
    else:
        got = {
            frozenset(pair for pair in labels if pair[0] != "__name__"): float(series.values[0])
            for labels, series in found.items()
        }
    nameless = {frozenset(p for p in key if p[0] != "__name__"): v for key, v in expected.items()}
    return _difference(nameless, got, close=_close_to_written)


def _close_to_written(expected: float, got: float) -> bool:
    # Upstream's own tests compare to 1e-5; a figure written with fewer digits cannot be met closer.
    digits = len(re.sub(r"e.*|[^0-9]", "", repr(expected)).lstrip("0"))
    loose = 0.51 * 10.0 ** -(digits - 1) if 6 <= digits <= 14 else RELATIVE
    return same(expected, got) or math.isclose(expected, got, rel_tol=max(RELATIVE, loose))


def _difference(
    expected: Mapping[Labels, float], got: Mapping[Labels, float], close: Any = same
) -> str | None:
    if set(expected) != set(got):
        missing, extra = set(expected) - set(got), set(got) - set(expected)
        return f"series differ: missing {_shown(missing)}, not expected {_shown(extra)}"
    for labels, value in expected.items():
        if not close(value, got[labels]):
            return f"{_shown([labels])}: expected {value!r}, got {got[labels]!r}"
    return None


def _shown(sets: Any) -> str:
    return (
        ", ".join("{" + ", ".join(f"{n}={v}" for n, v in sorted(s)) + "}" for s in sets) or "none"
    )


# ------------------------------------------------------------------------------------ whole truths


def read_samples(path: str | Path) -> dict[Labels, Samples]:
    """Raw samples of a Parquet file with columns `series`, `t_ms`, `v`, by label set."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    column = table["series"].combine_chunks()
    if not hasattr(column, "indices"):
        column = column.dictionary_encode()
    names, codes = column.dictionary.to_pylist(), column.indices.to_numpy()
    times = table["t_ms"].to_numpy().astype(np.int64)
    values = table["v"].to_numpy().astype(float)
    order = np.lexsort((times, codes))
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    store = {}
    for index, name in enumerate(names):
        mine = order[edges[index] : edges[index + 1]]
        store[parse_series(name)] = times[mine], values[mine]
    return store


def parse_series(text: str) -> Labels:
    """The label set of `name{label="value"}`."""
    name, _, rest = text.partition("{")
    found = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', rest)
    unescaped = {
        k: v.replace(r"\"", '"').replace(r"\n", "\n").replace(r"\\", "\\") for k, v in found
    }
    return labels_of({"__name__": name, **unescaped})


class DisagreementError(AssertionError):
    """An answer that differs from the server's."""


def _as_served(result: Sequence[Mapping[str, Any]]) -> dict[Labels, dict[int, float]]:
    """A vector or matrix as values by label set and instant [ms]."""
    return {
        labels_of(one["metric"]): {
            round(float(t) * 1000): float(v)
            for t, v in (one["values"] if "values" in one else [one["value"]])
        }
        for one in result
    }


def _as_found(found: Scalar | Vector, at_ms: Sequence[int]) -> dict[Labels, dict[int, float]]:
    if isinstance(found, Scalar):
        return {frozenset(): dict(zip(at_ms, found.values.tolist(), strict=True))}
    return {
        labels: {
            at: value
            for at, value, there in zip(
                at_ms, series.values.tolist(), series.there.tolist(), strict=True
            )
            if there
        }
        for labels, series in found.items()
    }


def _compare(expected: Any, got: Any) -> tuple[int, float]:
    """How many figures there were and the worst relative difference."""
    points = {(labels, at): v for labels, values in expected.items() for at, v in values.items()}
    ours = {(labels, at): v for labels, values in got.items() for at, v in values.items()}
    if points.keys() != ours.keys():
        missing, extra = points.keys() - ours.keys(), ours.keys() - points.keys()
        first = next(iter(missing or extra))
        kind = "missing" if missing else "not expected"
        raise DisagreementError(
            f"{len(missing)} answers missing and {len(extra)} too many; {kind}: "
            f"{_shown([first[0]])} at {first[1]} ms"
        )
    worst = 0.0
    for key, value in points.items():
        if not same(value, ours[key]):
            raise DisagreementError(
                f"{_shown([key[0]])} at {key[1]} ms: the server says {value!r}, we {ours[key]!r}"
            )
        worst = max(worst, off_by(value, ours[key]))
    return len(points), worst


def _ask_instants(
    text: str, answers: Mapping[str, Any], at: Mapping[str, float], store: Any, rules: Rules
) -> tuple[int, float]:
    errors = {name: one for name, one in answers.items() if one.get("status") == "error"}
    fine = {name: one for name, one in answers.items() if name not in errors}
    at_ms = [round(at[name] * 1000) for name in fine]
    try:
        found = _as_found(evaluate(text, store, at_ms, rules), at_ms) if fine else {}
        if errors and not fine:
            evaluate(text, store, [0], rules)
    except PromQLError as error:
        kinds = {one["errorType"] for one in errors.values()}
        if fine or kinds != {error.kind}:
            raise DisagreementError(f"we say {error.kind}: {error}") from None
        return len(errors), 0.0
    if errors:
        name, one = next(iter(errors.items()))
        raise DisagreementError(f"at {name} the server says {one['errorType']}: {one['error']}")
    expected: dict[Labels, dict[int, float]] = {}
    for one in fine.values():
        result = one["result"]
        if one["type"] in {"scalar", "string"}:
            result = [{"metric": {}, "value": result}]
        for labels, values in _as_served(result).items():
            expected.setdefault(labels, {}).update(values)
    count, worst = _compare(expected, found)
    return count + sum(not one["result"] for one in fine.values()), worst


def compare_truth(truth_path: str | Path, samples_path: str | Path) -> tuple[list[str], list[str]]:
    """
    Every expression and instant that a truth file names, answered from raw samples.

    Args:
        truth_path: What a server answered: `exprs`, `t`, `instant`, `range` (JSON, gzip or plain).
        samples_path: The raw samples it had: Parquet with `series`, `t_ms`, `v`.

    Returns:
        One line per expression or range, and of these the ones that differ.
    """
    packed = Path(truth_path).read_bytes()
    truth = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    store, rules = read_samples(samples_path), rules_of(truth["server"])
    lines, failures = [], []

    def note(name: str, ask: Any) -> None:
        try:
            count, worst = ask()
        except (DisagreementError, PromQLError) as difference:
            lines.append(f"FAIL {name}: {difference}")
            failures.append(lines[-1])
        else:
            lines.append(f"ok   {name}: {count} answers, worst relative difference {worst:.1e}")

    for name, answers in truth["instant"].items():
        text = truth["exprs"][name]
        note(name, lambda t=text, a=answers: _ask_instants(t, a, truth["t"], store, rules))
    for key, answer in truth.get("range", {}).items():
        if "result" not in answer:
            lines.append(f"skip {key}: the server refused, {answer.get('error')}")
            continue
        name, *numbers = key.rsplit("|", 3)
        start, end, step = (round(float(number) * 1000) for number in numbers)
        grid = list(range(start, end + 1, step))

        def ask(name: str = name, grid: Any = grid, answer: Any = answer) -> tuple[int, float]:
            found = _as_found(evaluate(truth["exprs"][name], store, grid, rules), grid)
            return _compare(_as_served(answer["result"]), found)

        note(f"{name} over {len(grid)} instants", ask)
    return lines, failures


def check_counters_case(case: Mapping[str, Any], folder: Path) -> list[str]:
    """The figures of a `*_counters.case.json`: exact and extrapolated growth of real counters."""
    from errorbudget.kernels import counters

    store, inputs, wrong = read_samples(folder / case["inputs"]["file"]), case["inputs"], []
    for name, expected in case["expected"].items():
        times, values = store[parse_series(name)]
        span = int(times[-1] - times[0])
        got: dict[str, float] = {
            "first": values[0],
            "last": values[-1],
            "exact_in_window_all": counters.anchored_increase(
                times, values, [times[-1]], span + 1, born="before"
            )[0],
            "resets": counters.resets(times, values, [times[-1]], span + 1)[0],
        }
        for key in expected:
            if found := re.fullmatch(r"increase_(\d+)m_at_(end|mid)_(prom[\d.]+)", key):
                at = inputs["last_ms"] if found[2] == "end" else inputs["mid_ms"]
                length = int(found[1]) * 60_000
                got[key] = counters.increase(times, values, [at], length, found[3])[0]  # type: ignore[arg-type]
        for key, value in expected.items():
            ours = got.get(key, math.nan)
            if value is None and math.isnan(ours):
                continue
            if value is None or not same(float(value), float(ours)):
                wrong.append(f"{name} {key}: expected {value!r}, got {ours!r}")
    return wrong


# ------------------------------------------------------------------------------- alerts and routes


def check_alert_timeline(
    path: str | Path, samples_path: str | Path, start_s: int | None = None
) -> list[str]:
    """The minutes at which each alert expression of a timeline held; differences, or nothing."""
    timeline = json.loads(Path(path).read_text("utf-8"))
    store, wrong = read_samples(samples_path), []
    first = min(int(times[0]) for times, _ in store.values())
    last = max(int(times[-1]) for times, _ in store.values())
    start = start_s * 1000 if start_s else first - first % 60_000
    grid = np.arange(start, last - last % 60_000 + 1, 60_000, dtype=np.int64)
    for version, alerts in timeline["expected"].items():
        for name, expected in alerts.items():
            text = timeline["inputs"]["exprs"][name]
            found = evaluate(text, store, grid.tolist(), rules_of(version))
            assert isinstance(found, dict)
            held = np.zeros(len(grid), dtype=bool)
            for series in found.values():
                held |= series.there
            length = re.search(r"for (\d+)m", name)
            wait = int(length[1]) if length else 0
            for key, shift in (("true_intervals_s", 0), ("firing_intervals_s", wait)):
                got = _intervals(grid // 1000, held, shift)
                if got != expected[key]:
                    wrong.append(f"{version} {name} {key}: expected {expected[key]}, got {got}")
    return wrong


def _intervals(minutes: np.ndarray, held: np.ndarray, wait: int) -> list[list[int]]:
    """Stretches during which a condition held, those of at least *wait* minutes from then on."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], held.astype(int), [0]))))
    return [
        [int(minutes[a + wait]), int(minutes[b - 1])]
        for a, b in zip(edges[::2], edges[1::2], strict=True)
        if b - a > wait
    ]


def check_alertmanager_case(case: Mapping[str, Any], folder: Path) -> str | None:
    """One case of `alertmanager_routes.json`, asked of `amtool` over the file it names."""
    path, expected = folder / case["file"], case["expected"]
    amtool = binary("amtool")
    command = case["cmd"].removeprefix("amtool ").replace("FILE", str(path))
    arguments = shlex.split(command) if "*" not in command else command.split(" ")
    if "check-config" in arguments:
        arguments.append(str(path))
    done = subprocess.run([amtool, *arguments], capture_output=True, text=True, check=False)
    if "rc" in expected and done.returncode != expected["rc"]:
        return f"exit code {done.returncode}, expected {expected['rc']}: {done.stderr}"
    if (part := expected.get("stderr_contains")) and part not in done.stderr + done.stdout:
        return f"expected {part!r} in {done.stderr!r}"
    if "receivers" in expected and done.stdout.strip() != expected["receivers"]:
        return f"receivers {done.stdout.strip()!r}, expected {expected['receivers']!r}"
    return None


# ------------------------------------------------------------------------------------ HTTP answers


def check_http_case(name: str, case: Mapping[str, Any]) -> str | None:
    """One answer of `prom_http_api.json`: the client yields the data, or the error by its name."""
    for version, answer in case["answers"].items():
        if wrong := _check_http_answer(case, answer):
            return f"{name} ({version}): {wrong}"
    return None


def _check_http_answer(case: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
    body = answer["body"]
    raw = (
        body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()
    )
    client = Client(
        "http://127.0.0.1:9090",
        transport=lambda _: Response(answer["http"], {}, raw),
        retry=Retry(attempts=1),
    )
    params = {name: str(value) for name, value in case["params"].items()}
    try:
        found = client.ask(case["path"], params)
    except SourceResponseError as error:
        kind = body["errorType"] if isinstance(body, dict) and "errorType" in body else "404"
        if answer["http"] == 200 or error.status != answer["http"] or kind not in str(error):
            return f"unexpected error {error}"
        return None
    if answer["http"] != 200:
        return f"no error, but status {answer['http']}"
    notes = (*found.warnings, *found.infos)
    if sorted(notes) != sorted([*body.get("warnings", ()), *body.get("infos", ())]):
        return f"notes differ: {notes}"
    data = body["data"]
    if found.kind != data["resultType"]:
        return f"{found.kind} instead of {data['resultType']}"
    if found.kind == "string":
        return None if found.text == data["result"][1] else f"text {found.text!r}"
    result = data["result"] if found.kind != "scalar" else [{"metric": {}, "value": data["result"]}]
    expected = _as_served(result)
    got = {
        labels_of(series.labels): dict(
            zip(series.t_ms.tolist(), series.values.tolist(), strict=True)
        )
        for series in found.matrix
    }
    try:
        _compare(expected, got)
    except DisagreementError as difference:
        return str(difference)
    return None
