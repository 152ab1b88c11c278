"""
Damaged specifications, by the hundred thousand: `python -m tests.fuzz_specs --inputs 1000000`.

Every input must end in a specification, or in a named error that knows where it is, soon and in
little memory. Mutations come from a seed, so a finding can be had again; with `--atheris` they come
from coverage instead (`pip install atheris`). The suite runs a few of them (`test_specs_fuzz.py`).
"""

# ruff: noqa: E501 - specifications as they are written

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator

from errorbudget.characters import first_control
from errorbudget.errors import SpecError
from errorbudget.specs import Limits, guide_text, load
from errorbudget.specs.load import trees
from errorbudget.specs.tree import plain

LIMITS = Limits(bytes=20_000, nodes=5_000)
SLOWEST_S = 5.0
HANGS_S = 120
"""After so long on one input the traceback is printed, and that is the end."""

CORPUS = [
    """version: errorbudget/1
defaults: {window: 30d, labels: {a: b}}
bases:
  web: {target: 99.9%, sli: {kind: availability, good: 2xx, where: {route: /api/.*}}}
slos:
  - {name: a, base: web, alerts: guide, policy: risk-tolerance}
  - name: b
    target: {targets: {2026-01-01T00:00:00Z: 99%, 2026-02-01T00:00:00Z: 0.995}, judge_by: event}
    window: month Europe/Berlin
    method: {kind: timeslices, slice: 1m, slice_target: 99%}
    sli: {kind: latency, threshold: 200ms, exclude: {not: {any: [{status: 5xx}, {flag: good}]}}}
    corrections: [{start: 2026-01-01T00:00:00Z, end: 2026-01-02T00:00:00Z}]
    resets: [{at: 2026-01-01T00:00:00Z, note: agreed}]
    alerts: {alerts: [{name: x, severity: page, budget: 2%, long: 1h, short: 5m}]}
""",
    '[[slos]]\nname = "a"\ntarget = 0.999\nwindow = "7d"\n[slos.sli]\nkind = "error_rate"\nbad = "4xx|5xx"\n',
    '{"slos": [{"name": "a", "target": "99%", "window": "1d", "sli": {"kind": "latency", "threshold": "1s", "where": {"x": ["\\u00e9", "b"]}}}]}',
    """apiVersion: openslo/v1
kind: SLO
metadata: {name: a, displayName: A}
spec:
  service: s
  indicator: {metadata: {name: i}, spec: {ratioMetric: {counter: true, good: {metricSource: {type: P, spec: {query: g}}}, total: {metricSource: {spec: {query: t}}}}}}
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}]
  alertPolicies: [p]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: p}
spec: {conditions: [{or: [{and: [{kind: AlertCondition, spec: {condition: {kind: burnrate, threshold: 2, lookbackWindow: -5m}}}]}]}, {kind: AlertCondition, metadata: {name: c}, spec: {severity: page, condition: {kind: burnrate, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}}}]}
""",
    """version: prometheus/v1
service: s
slos:
  - {name: n, objective: 99.9, sli: {events: {error_query: e, total_query: t}}, alerting: {page_alert: {disable: true}}}
""",
    """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: n, namespace: m, labels: {a: b}}
spec: {target: '99', window: 2w, indicator: {latencyNative: {total: {metric: m}, latency: 1s}}, alerting: {disabled: false}}
""",
    """service: s
slos:
  - {name: n, objective: 99.9, period: 7d, sli: {latency: {histogram_metric: h, threshold: "1"}}, alerting: {windows: [{severity: page, long: 2h, short: 5m, factor: 9}]}}
""",
    """apiVersion: slo-kit/v1
name: n
objective: 0.999
window: 30d
sli: {good_query: 'g[{window}]', total_query: t}
alerting: {conditions: [{name: c, long_window: 1h, short_window: 5m, threshold: 14.4, severity: page}]}
""",
    """apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: n}
spec: {backend: prometheus, method: distribution_cut, service_level_indicator: {expression: m_bucket, threshold_bucket: 0.25}, goal: 0.99}
---
error_budget_policies: {default: {steps: [{name: 1 hour, burn_rate_threshold: 9, alert: true, window: 3600}]}}
""",
    guide_text()[
        : guide_text().index(
            "  # ------------------------------------------------------------------ 3."
        )
    ],
]

PIECES = [
    *(
        "&a ",
        "*a",
        "&a [*a]",
        "<<: *a",
        "!!python/object:os.system x",
        "!x ",
        "? ",
        "- ",
        ": ",
        ", ",
        "\n",
        "\t",
    ),
    *(
        "\x00",
        "\x1b",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ud7ff",
        "é",
        "🙂",
        '"',
        "'",
        "|\n",
        ">-\n",
        "#",
        "%YAML 1.1\n---\n",
        "---\n",
        "...\n",
    ),
    *(
        "[" * 60,
        "{" * 60,
        "{a: " * 60,
        "9" * 200,
        "1e999999999",
        "-1",
        "0",
        "null",
        "~",
        "[]",
        "{}",
        "true",
        "nan",
        ".inf",
        "1/0",
    ),
    *(
        "(" * 200,
        "(a*)*$",
        "a{99999}",
        "${env:X}",
        "include: x.yaml\n",
        "99.9",
        "100%",
        "0%",
        "1ns",
        "999999999w",
        "1M",
        "FREQ=SECONDLY",
    ),
    *(
        "2026-13-01",
        "9999-12-31T23:59:59Z",
        "Nowhere/Zone",
        "every 99999 years",
        "=",
        "@",
        "`",
        "\\",
        "\\u0000",
        "\\x1b",
        "\\ud800",
        '"""',
        "'''",
        "[[",
        "]]",
    ),
]


def seeds() -> list[str]:
    """The corpus, and each of its documents as JSON, which is read many times faster."""
    documents = [
        json.dumps(plain(tree), default=str, ensure_ascii=False)
        for text in CORPUS
        for tree in trees(text)
    ]
    return [*CORPUS, *documents]


def mutants(seed: int) -> Iterator[bytes]:
    """Endless damage to the corpus, the same for the same seed; the shorter, the more often."""
    chance = random.Random(seed)
    texts = seeds()
    weights = [1 / len(text) for text in texts]
    while True:
        [text] = chance.choices(texts, weights)
        for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
            text = _damaged(text, chance)
        data = text.encode("utf-8", "surrogatepass")
        if chance.random() < 0.05:
            position = chance.randrange(len(data) + 1)
            data = data[:position] + bytes([chance.randrange(256)]) + data[position:]
        yield data


def _damaged(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice([0, 1, 2, 5, 20, 100]))
    kind = chance.randrange(6)
    if kind == 0:
        return text[:start] + text[end:]
    if kind == 1:
        return text[:start] + chance.choice(PIECES) + text[start:]
    if kind == 2:
        return text[:start] + chance.choice(PIECES) + text[end:]
    if kind == 3:
        return text[:end] + text[start:]
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if kind == 4:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines.insert(one, lines[other])
    return "\n".join(lines)


def outcome(data: bytes) -> str:
    """
    What became of an input: "spec", or "error".

    Raises:
        AssertionError: An error without a place, or an answer that took too long.
    """
    started = time.process_time()
    found = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            spec = load(data, limits=LIMITS)
            shown = "".join(map(str, [spec, *spec.losses, *spec.warnings]))
            assert first_control(shown) is None, f"{shown!r} holds a control character"
            answer = "spec"
        except SpecError as error:
            found = error
            answer = "error"
    took = time.process_time() - started
    if found is not None:
        assert found.problems, f"no problem named: {found}"
        assert found.line, f"no line: {found}"
        assert found.column, f"no column: {found}"
        assert first_control(str(found)) is None, f"{found!r} holds a control character"
    assert took < SLOWEST_S, f"took {took:.1f} s"
    return answer


def main() -> int:
    """Run as many as asked for; print each finding; 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", action="store_true")
    options, rest = parser.parse_known_args()
    if options.atheris:
        return _with_atheris(rest, options.inputs)
    seen: Counter[str] = Counter()
    slowest = 0.0
    started = time.perf_counter()
    for number, data in zip(range(options.inputs), mutants(options.seed), strict=False):
        before = time.process_time()
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        try:
            seen[outcome(data)] += 1
        except Exception as error:  # noqa: BLE001 - anything else is the finding
            seen["finding"] += 1
            print(f"#{number}: {type(error).__name__}: {error}\n{data!r}\n")
        slowest = max(slowest, time.process_time() - before)
        if number % 10_000 == 9_999:
            print(f"{number + 1:,}: {dict(seen)}", flush=True)
    import resource  # not everywhere

    print(
        f"{options.inputs:,} inputs in {time.perf_counter() - started:.0f} s, of which "
        f"{time.process_time():.0f} s on the processor, the slowest {slowest * 1e3:.0f} ms, in "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB: {dict(seen)}"
    )
    return 1 if seen["finding"] else 0


def _with_atheris(rest: list[str], inputs: int) -> int:
    import tempfile
    from pathlib import Path

    import atheris

    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("errorbudget", "ruamel")
    ]:
        del sys.modules[name]  # to be imported anew, and watched
    with atheris.instrument_imports(include=["errorbudget", "ruamel"]):
        watched = importlib.import_module("tests.fuzz_specs")

        for text in CORPUS:  # what is imported only when it is needed
            watched.outcome(text.encode())
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "words.dict"
        words.write_text(
            "".join(
                f"{json.dumps(piece)}\n"
                for piece in PIECES
                if piece.isprintable() and piece.isascii()
            )
        )
        corpus = Path(folder) / "seeds"
        corpus.mkdir()
        for number, text in enumerate(watched.seeds()):
            (corpus / str(number)).write_text(text)
        arguments = [f"-runs={inputs}", "-max_len=8192", f"-dict={words}", *rest, str(corpus)]
        atheris.Setup([sys.argv[0], *arguments], watched.outcome)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
