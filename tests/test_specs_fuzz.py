"""Damaged specifications end in a specification, or in a named error with a place."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")

from tests.fuzz_specs import CORPUS, PIECES, mutants, outcome


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_the_corpus_is_whole(text: str) -> None:
    """What is damaged is right before."""
    assert outcome(text.encode()) == "spec"


@pytest.mark.parametrize("seed", range(4))
def test_mutants(seed: int) -> None:
    """Seeded damage; `python -m tests.fuzz_specs` runs more of it."""
    for data in itertools.islice(mutants(seed), 100):
        outcome(data)


@pytest.mark.parametrize("huge", ["1e999999999", "-1e-999999999", "1/1e999999999", "9" * 5_000])
@pytest.mark.parametrize("text", CORPUS[:-1], ids=range(len(CORPUS) - 1))
def test_no_figure_takes_forever(text: str, huge: str) -> None:
    """A number written as text is as far out of bounds as one that is not."""
    for found in re.finditer(r"(?<![\w.])\d[\d.]*%?(?![\w.:-])", text):
        outcome(f'{text[: found.start()]}"{huge}"{text[found.end() :]}'.encode())


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12))
@settings(max_examples=100)
def test_heaps_of_pieces(pieces: list[str]) -> None:
    """Whatever is put together of the signs that YAML, JSON and TOML know."""
    outcome("".join(pieces).encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=40))
@settings(max_examples=100)
def test_bytes(data: bytes) -> None:
    """Bytes of any kind."""
    outcome(data)
