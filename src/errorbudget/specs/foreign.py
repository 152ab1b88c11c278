"""
Specifications of other tools, as objectives of this library.

Each importer turns its documents into drafts, which the native reader then judges as if they had
been written here; so an imported objective is checked like any other, at its own line.
"""

from __future__ import annotations

from errorbudget.specs.cursor import Cursor, Ledger
from errorbudget.specs.native import Native, read_native, warn_of
from errorbudget.specs.openslo import read_openslo
from errorbudget.specs.pyrra import read_pyrra
from errorbudget.specs.slo_generator import read_slo_generator
from errorbudget.specs.slo_kit import read_slo_kit
from errorbudget.specs.sloth import read_sloth
from errorbudget.specs.spec import Spec
from errorbudget.specs.tree import Node, Problem, raise_problems, spec_error
from errorbudget.windows import Window

__all__ = ["read_foreign"]

_READERS = {
    "openslo": read_openslo,
    "sloth": read_sloth,
    "pyrra": read_pyrra,
    "slo-generator": read_slo_generator,
    "slo-kit": read_slo_kit,
}


def read_foreign(
    documents: list[Node], kinds: list[str], *, source: str, window: Window | None
) -> Spec:
    """
    The objectives of documents in other formats.

    Args:
        documents: Mappings.
        kinds: The format of each.
        source: Name of the file.
        window: For formats that leave it to the command line.

    Raises:
        SpecError: A document cannot be understood.
    """
    ledger = Ledger(Native())
    tables = []
    for kind, reader in _READERS.items():
        cursors = []
        for number, (document, found) in enumerate(zip(documents, kinds, strict=True)):
            if found == kind:
                cursors.append(Cursor(document, _title(document, number), ledger))
        if cursors:
            tables += reader(cursors, window)
            for cursor in cursors:
                ledger.close(cursor.node, cursor.path)
    for document, kind in zip(documents, kinds, strict=True):
        if kind not in _READERS:
            message = f"a document in the format {kind} among others; put it into its own file"
            raise spec_error([Problem(message, place=document.place)])
    slos = read_native(ledger.native)
    raise_problems(ledger.native.problems)
    warn_of(ledger.native.doubts)
    return Spec(
        tuple(slos),
        warnings=tuple(ledger.native.warnings),
        losses=tuple(ledger.losses),
        tables=tuple(tables),
        format=next(kind for kind in kinds),
        files=(source,) if source else (),
    )


def _title(document: Node, number: int) -> str:
    """How a document is called in reports: by its kind and its name, or its number."""
    from errorbudget.specs.tree import Branch, Scalar

    if isinstance(document, Branch):
        kind = document.get("kind")
        metadata = document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Branch) else document.get("service")
        words = [node.text for node in (kind, name) if isinstance(node, Scalar)]
        if words:
            return " ".join(words)
    return f"document {number + 1}"
