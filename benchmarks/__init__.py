"""Benchmarks by workload, size, shape of data and engine; `python -m benchmarks --help`."""
