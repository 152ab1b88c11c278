"""One line a case; the exit code is 1 if any case fails, and 2 for a wrong question."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from errorbudget.errors import MissingDependencyError
from tests.conformance.runner import run_files, summary
from tests.conformance.servers import compare_truth


def main(arguments: list[str] | None = None) -> int:
    """Run the files, print, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files of cases")
    parser.add_argument("--prometheus-truth", type=Path, metavar="TRUTH.json.gz")
    parser.add_argument("--samples", type=Path, metavar="SAMPLES.parquet")
    options = parser.parse_args(arguments)
    if not options.files and options.prometheus_truth is None:
        parser.error("give a file of cases, or --prometheus-truth with --samples")
    if (options.prometheus_truth is None) != (options.samples is None):
        parser.error("--prometheus-truth and --samples go together")
    failed = 0
    if options.prometheus_truth is not None:
        try:
            lines, failures = compare_truth(options.prometheus_truth, options.samples)
        except (OSError, MissingDependencyError) as error:
            lines, failures = [f"FAIL {options.prometheus_truth.name}: {error}"], ["unreadable"]
        print("\n".join(lines))
        print(f"{len(lines)} expressions and ranges, {len(failures)} fail")
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
