"""
Addresses as they may be shown: without what lets someone in.

A password in an address is not the library's way to be let in, but people paste what they have at
hand, also where a path or a time is wanted. So every error passes through here.
"""

from __future__ import annotations

import re

__all__ = ["without_secrets"]

# One slash where a path was made of it; two letters, as `C:/` is no address. With a colon before
# the @ all between may be the password, slashes too; without one a user ends at the first slash.
_USER = re.compile(r"""([A-Za-z][\w+.-]+:/{1,2})(?:[^\s"'<>@]*:[^\s"'<>]*|[^\s"'<>/]*)@""")
_QUERY = re.compile(r"""([A-Za-z][\w+.-]+:/{1,2}[^\s"'<>?]*\?)[^\s"'<>]*=[^\s"'<>]*""")


def without_secrets(text: str) -> str:
    """
    *text* without users, passwords and queries of the addresses in it.

    Example:
        >>> without_secrets("no file https://slo:swordfish@logs.example/day.log?sig=4a1f here")
        'no file https://***@logs.example/day.log?*** here'
        >>> without_secrets("no file s3://logs/day-0?/a@b.log")
        'no file s3://logs/day-0?/a@b.log'
    """
    if ":/" not in text:
        return text
    return _QUERY.sub(r"\1***", _USER.sub(r"\1***@", text))
