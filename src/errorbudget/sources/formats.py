"""What a file holds, told by its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from errorbudget.errors import InvalidInputError, NoDataError, SourceFormatError, did_you_mean
from errorbudget.sources.delimited import DELIMITERS, delimiter_of
from errorbudget.sources.files import ByteStream
from errorbudget.sources.json_lines import objects_of
from errorbudget.sources.logs.line import LogLine, parse_line
from errorbudget.sources.reading import shown

__all__ = ["FORMATS", "Found", "find_format", "format_argument"]

FORMATS = {
    "log": "log",
    "combined": "log",
    "common": "log",
    "apache": "log",
    "nginx": "log",
    "json": "json",
    "ndjson": "json",
    "jsonl": "json",
    "csv": "csv",
    "tsv": "csv",
    "parquet": "parquet",
}
"""Names that `format` takes beside "auto", and what each means."""

SAMPLE_BYTES = 1 << 18
_SAMPLE_LINES = 1_000

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive", "unpack it first: unzip -p {0}"),
    (b"\x89PNG", "a PNG image", "give a request log"),
    (b"\xff\xd8\xff", "a JPEG image", "give a request log"),
    (b"%PDF", "a PDF document", "give a request log"),
    (b"\x7fELF", "a program", "give a request log"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV first"),
    (b"ORC", "an ORC file", "convert it to Parquet first"),
    (b"Obj\x01", "an Avro file", "convert it to Parquet first"),
    (b"ARROW1", "an Arrow file", "convert it to Parquet first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first: 7z x -so {0}"),
    (b"\xff\xfe", "text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 {0}"),
    (b"\xfe\xff", "text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 {0}"),
)
_TRIED = "combined and common log, JSON lines, CSV/TSV with a header, Parquet"


@dataclass(frozen=True, slots=True)
class Found:
    """
    The format of a file and the lines that show it.

    Args:
        kind: "log", "json", "csv" or "parquet".
        lines: The first lines, without their ends.
        log: Those that are log lines, with their parts.
        delimiter: Of a table, else None.
    """

    kind: str
    lines: tuple[bytes, ...] = ()
    log: tuple[tuple[bytes, LogLine], ...] = ()
    delimiter: str | None = None


def format_argument(name: str) -> str | None:
    """
    The kind that the argument *name* asks for, None for "auto".

    Raises:
        InvalidInputError: There is no such format.
    """
    if name == "auto":
        return None
    if name not in FORMATS:
        known = ["auto", *FORMATS]
        raise InvalidInputError(
            f'format must be one of {", ".join(known)}, got "{name}"{did_you_mean(name, known)}'
        )
    return FORMATS[name]


def _sample_lines(stream: ByteStream) -> list[bytes]:
    head = stream.peek(SAMPLE_BYTES)
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(head) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # cut off
    kept = (line.removesuffix(b"\r") for line in lines)
    return [line for line in kept if line.strip()][:_SAMPLE_LINES]


def find_format(stream: ByteStream, kind: str | None) -> Found:
    """
    What *stream* holds.

    Args:
        stream: The file, which is only peeked at.
        kind: The format, where the user names it.

    Raises:
        NoDataError: The file is empty.
        SourceFormatError: It holds nothing that the library reads, or not *kind*.
    """
    name = stream.name
    head = stream.peek(16)
    if not head:
        raise NoDataError(f"{name} is empty; there are no requests to answer with")
    if head.startswith(b"PAR1"):
        if kind not in (None, "parquet"):
            raise SourceFormatError(f"{name} is Parquet, not {kind}; leave the format out")
        return Found("parquet")
    if kind == "parquet":
        raise SourceFormatError(f"{name} is not Parquet; leave the format out to have it found")
    for magic, what, cure in _FOREIGN:
        if head.startswith(magic):
            raise SourceFormatError(f"{name} is {what}; {cure.format(name)}")
    lines = _sample_lines(stream)
    if not lines:
        raise NoDataError(f"{name} holds only blank lines; there are no requests to answer with")
    log = [(line, parts) for line in lines if isinstance(parts := parse_line(line), LogLine)]
    objects = sum(found is not None for found in objects_of([line.strip() for line in lines]))
    text = [line.decode("utf-8", "backslashreplace") for line in lines]
    delimiter = delimiter_of(text)
    if kind is None:
        kind = _winner(len(log), objects, delimiter, len(lines))
    if kind == "log" and log:
        return Found("log", tuple(lines), tuple(log))
    if kind == "json" and objects:
        return Found("json", tuple(lines))
    if kind == "csv" and delimiter is not None:
        return Found("csv", tuple(lines), delimiter=delimiter)
    raise _unknown(name, lines, kind)


def _winner(log: int, objects: int, delimiter: str | None, total: int) -> str | None:
    """The format of most lines; a table only where less than half are anything else."""
    if delimiter is not None and 2 * max(log, objects) < total:
        return "csv"
    if log or objects:
        return "log" if log >= objects else "json"
    return "csv" if delimiter is not None else None


def _unknown(name: str, lines: Sequence[bytes], kind: str | None) -> SourceFormatError:
    first = lines[0]
    if b"\0" in b"".join(lines[:20])[:65_536]:
        return SourceFormatError(
            f"{name} is a binary file, not a request log; tried {_TRIED}", line=1
        )
    hint = ""
    if first.lstrip().startswith(b"["):
        hint = f"; for a JSON array write one object a line: jq -c '.[]' {name}"
    if kind == "csv":
        hint = (
            f"; a table needs a header and one of the delimiters {' '.join(map(repr, DELIMITERS))}"
        )
    wanted = f"not readable as {kind}" if kind else "in no known format"
    return SourceFormatError(
        f'{name} is {wanted}; its first line is "{shown(first)}"; tried {_TRIED}{hint}', line=1
    )
