"""One line a case; the exit code is 1 if any case fails, and 2 for a wrong question."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from errorbudget.errors import MissingDependencyError
from tests.conformance.runner import run_files, summary
from tests.conformance.servers import compare_true_counts, compare_truth


def main(arguments: list[str] | None = None) -> int:
    """Run the files, print, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files of cases")
    parser.add_argument("--prometheus-truth", type=Path, metavar="TRUTH.json.gz")
    parser.add_argument("--prometheus-exact", type=Path, metavar="EXACT.csv.gz")
    parser.add_argument("--samples", type=Path, metavar="SAMPLES.parquet")
    options = parser.parse_args(arguments)
    tables = (
        (options.prometheus_truth, compare_truth, "expressions and ranges"),
        (options.prometheus_exact, compare_true_counts, "counters"),
    )
    given = [(path, compare, what) for path, compare, what in tables if path is not None]
    if not options.files and not given:
        parser.error("give a file of cases, or --prometheus-truth with --samples")
    if bool(given) != (options.samples is not None):
        parser.error("--prometheus-truth or --prometheus-exact, and --samples go together")
    failed = 0
    for path, compare, what in given:
        try:
            lines, failures = compare(path, options.samples)
        except (OSError, MissingDependencyError) as error:
            lines, failures = [f"FAIL {path.name}: {error}"], ["unreadable"]
        print("\n".join(lines))
        print(f"{len(lines)} {what}, {len(failures)} fail")
        failed += len(failures)
    if options.files:
        lines, count = run_files(options.files)
        print("\n".join(lines))
        print(summary(count))
        failed += count["FAIL"]
        # A run of nothing is no pass.
        failed += not count
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
