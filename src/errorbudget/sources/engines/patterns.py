"""
Regular expressions that mean the same on every engine, and those that do not.

Python, Java, RE2 and Rust read most patterns alike: texts, `.`, sets of plain characters, groups,
alternatives and counts. Such a pattern goes to the engine. Any other, and any at all where the
engine's dialect depends on how a column is stored, is asked here of each distinct text.
"""

from __future__ import annotations

import re

__all__ = ["plain", "portable"]

_TOKEN = re.compile(
    r"""
    (?P<text>  [A-Za-z0-9_/ :;,=@%~'"<>!-]      # a character that stands for itself
             | \\[.*+?()\[\]{}|^$/-]            # one that does so behind a backslash
    )
    | (?P<digit> \\d )
    | (?P<any>   \. )
    | (?P<set>   \[\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_/ .:%]|\\[.\]\[^-])+-?\] )
    | (?P<group> \((?:\?:)? | \) | \| )
    | (?P<count> (?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{]) )
    """,
    re.VERBOSE,
)

_ENDS = {"polars": "$", "duckdb": "$", "pyarrow": "$", "pyspark": r"\z"}
"""How an engine writes "the text ends here", and no earlier than its last character."""


def plain(pattern: str) -> tuple[bool, str, bool] | None:
    r"""
    *pattern* as a text that begins, ends or fills what it is asked of; None if it is no such thing.

    Most patterns in objectives say where a route begins. Engines compare texts some times faster
    than they match expressions.

    Returns:
        Whether the text begins there, the text, and whether it ends there.

    Example:
        >>> plain("/api/.*"), plain(r".*\.png"), plain("/cart"), plain("/api/v[12]/.*")
        ((True, '/api/', False), (False, '.png', True), (True, '/cart', True), None)
    """
    begins, ends = not pattern.startswith(".*"), not pattern.endswith(".*")
    inner = pattern[0 if begins else 2 :]
    inner = inner if ends or not inner else inner[:-2]
    written, place = [], 0
    while place < len(inner):
        token = _TOKEN.match(inner, place)
        if token is None or token.lastgroup != "text":
            return None
        written.append(token.group()[-1])
        place = token.end()
    return (begins, "".join(written), ends) if written else None


def portable(pattern: str, engine: str) -> str | None:
    r"""
    *pattern* for *engine*, over the whole text and with `.` for any character; None if it may not.

    Args:
        pattern: A regular expression that Python accepts.
        engine: Which engine, as narwhals names it.

    Example:
        >>> portable("/api/.*", "duckdb"), portable(r"/users/\d+", "pyspark")
        ('^(?s:/api/.*)$', '^(?s:/users/\\p{Nd}+)\\z')
        >>> portable(r"\w+", "duckdb") is portable("/api", "pandas") is None
        True
    """
    end = _ENDS.get(engine)
    if end is None:
        return None
    written, place = [], 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            return None
        # Python's digits are those of all scripts, RE2's and Java's only those of ASCII.
        written.append(r"\p{Nd}" if token.lastgroup == "digit" else token.group())
        place = token.end()
    return f"^(?s:{''.join(written)}){end}"
