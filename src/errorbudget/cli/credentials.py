"""
How to be let in by a server.

A secret is written into no command line, where every list of processes shows it: it stands in a
file. What a server echoes of it is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from errorbudget.errors import InvalidInputError

if TYPE_CHECKING:
    from errorbudget.sources.prometheus import Basic, Bearer, Connection

__all__ = ["connection_of"]


def connection_of(options: Mapping[str, Any]) -> Connection:
    """
    The server that the options name.

    Args:
        options: The values of `prometheus_options`.

    Raises:
        UsageError: A secret stands in the command line, or options contradict each other.
        InvalidInputError: The address is none, or a secret cannot be sent.
        SourceUnavailableError: The file of a secret cannot be read.
    """
    from urllib.parse import urlsplit

    from errorbudget.cli.inputs import pairs
    from errorbudget.sources.prometheus import TLS, Connection

    url = options["prometheus"]
    if "@" in url:
        raise click.UsageError(
            "a user or password in the address is seen by everyone who lists processes; "
            "give --basic USER:@FILE"
        )
    if options["key"] and not options["cert"]:
        raise click.UsageError("--key belongs to --cert")
    try:
        urlsplit(url)
    except ValueError:
        raise click.UsageError("--prometheus wants an address, as http://127.0.0.1:9090") from None
    return Connection(
        url,
        auth=_auth(options),
        headers=_headers(options["header"]),
        tenant=options["tenant"],
        tls=TLS(options["ca"], options["cert"], options["key"]),
        params=pairs("--param", options["param"]),
    )


def _auth(options: Mapping[str, Any]) -> Basic | Bearer | None:
    from errorbudget.sources.prometheus import Basic, Bearer

    basic, bearer = options["basic"], options["bearer_file"]
    if basic and bearer:
        raise click.UsageError("give either --basic or --bearer-file")
    if bearer:
        token = Bearer(token_file=bearer)
        _sendable(token.secret.reveal(), f"the token in {bearer}")
        return token
    if basic:
        user, _, path = basic.partition(":")
        if not user or not path.startswith("@") or len(path) < 2:
            raise click.UsageError(
                "--basic wants USER:@FILE, a file that holds the password, as slo:@password.txt"
            )
        found = Basic(user, password_file=path[1:])
        if not found.secret.reveal():
            raise InvalidInputError(f"the password in {path[1:]} is empty")
        return found
    return None


def _headers(texts: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or not value or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise click.UsageError("--header wants 'NAME: VALUE', as 'X-Api-Key: @key.txt'")
        if name.lower() == "authorization":
            raise click.UsageError(
                "for the header Authorization there are --bearer-file FILE and --basic USER:@FILE"
            )
        if value.startswith("@"):
            from errorbudget.sources.prometheus import Bearer

            value = Bearer(token_file=value[1:]).secret.reveal()
        _sendable(value, f"the value of header {name}")
        found[name] = value
    return found


def _sendable(value: str, what: str) -> None:
    """A header is one line of ASCII; else an error would show the secret."""
    if not value or not value.isascii() or not value.isprintable():
        raise InvalidInputError(f"{what} is empty, or not one line of plain ASCII")
