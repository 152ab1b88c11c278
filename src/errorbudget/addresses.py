"""
Addresses as they may be shown: without what lets someone in.

A password in an address is not the library's way to be let in, but people paste what they have at
hand, also where a path or a time is wanted. So every error passes through here.
"""

from __future__ import annotations

import re

__all__ = ["without_secrets"]

_WORD = re.compile(r"\S+")
_BARE = re.compile(r"""[^\s"'<>]+""")
# One slash where a path was made of it; two characters before, as `C:/` is no address.
_SCHEME = re.compile(r"(?<=[\w+.-][\w+.-]):/{1,2}")


def without_secrets(text: str) -> str:
    """
    *text* without users, passwords, queries, parameters and fragments of the addresses in it.

    Example:
        >>> without_secrets("no file https://slo:swordfish@logs.example/day.log?sig=4a1f here")
        'no file https://***@logs.example/day.log?*** here'
        >>> without_secrets("no file s3://logs/day-0?/a@b.log")
        'no file s3://logs/day-0?/a@b.log'
    """
    if ":/" not in text:
        return text
    return _BARE.sub(_without_rest, _WORD.sub(_without_users, text))


# By hand, as an expression that looks for an end behind every start takes minutes for a long word.
def _without_users(word: re.Match[str]) -> str:
    text, start = word[0], 0
    while (found := _SCHEME.search(text, start)) and (at := text.find("@", found.end())) >= 0:
        start = found.end()
        # With a colon before the @ all up to the last may be the password, slashes and quotes too;
        # without one a user ends at the first slash.
        slash = -1 if ":" in text[start:at] else text.find("/", start)
        end = text.rfind("@", start, len(text) if slash < 0 else slash)
        if end < 0:
            start = at
        else:
            text = f"{text[:start]}***{text[end:]}"
    return text


# In stores `?` is a pattern, `;` and `#` are parts of names, unless a value is set behind them.
def _without_rest(word: re.Match[str]) -> str:
    text = word[0]
    found = _SCHEME.search(text)
    if found is None:
        return text
    web = text[: found.start()].endswith(("http", "https"))
    marks = (text.find(mark, found.end()) for mark in "?;#")
    told = [
        at
        for at in marks
        if at >= 0 and ("=" in text[at:] or (web and text[at] == "#" and at + 1 < len(text)))
    ]
    return f"{text[: min(told) + 1]}***" if told else text
