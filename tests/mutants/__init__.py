"""Mutation testing of the lowest floors: `python -m tests.mutants --help`."""
