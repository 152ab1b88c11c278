"""
Where a server is and how to be let in: address, credentials, headers, TLS.

A secret is shown nowhere: not in a `repr`, not in an error, and it is sent to no other host.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from errorbudget.addresses import without_secrets
from errorbudget.errors import InvalidInputError, SourceUnavailableError

if TYPE_CHECKING:
    import ssl

__all__ = ["TLS", "Basic", "Bearer", "Connection", "Secret"]

TENANT_HEADER = "X-Scope-OrgID"
_HIDDEN = "***"


class Secret:
    """
    Text that is not shown.

    Example:
        >>> Secret("swordfish")
        Secret('***')
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str | Secret) -> None:
        self._text = text._text if isinstance(text, Secret) else str(text)

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN!r})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled")


def _read(path: str | Path) -> Secret:
    try:
        return Secret(Path(path).read_text("utf-8").strip())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no text"
        # Whoever gives the secret where its file is wanted is not shown it again.
        folder = Path(path).parent
        shown = path if folder.name and folder.is_dir() else "a file that is not named here"
        raise SourceUnavailableError(f"cannot read the secret in {shown}: {why}") from None


@dataclass(frozen=True, slots=True)
class Basic:
    """
    User and password.

    Args:
        user: Name of the user.
        password: The password.
        password_file: A file that holds it instead, read at each request.
    """

    user: str
    password: Secret | None = None
    password_file: str | Path | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            user: str,
            password: str | Secret | None = None,
            password_file: str | Path | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if (self.password is None) == (self.password_file is None):
            raise InvalidInputError("basic auth needs either a password or a password_file")
        if self.password is not None:
            object.__setattr__(self, "password", Secret(self.password))

    @property
    def secret(self) -> Secret:
        """The password."""
        return self.password if self.password is not None else _read(self.password_file or "")

    @property
    def header(self) -> str:
        """Value of the `Authorization` header."""
        plain = f"{self.user}:{self.secret.reveal()}".encode()
        return f"Basic {base64.b64encode(plain).decode()}"


@dataclass(frozen=True, slots=True)
class Bearer:
    """
    A token.

    Args:
        token: The token.
        token_file: A file that holds it instead, read at each request as tokens are renewed.
    """

    token: Secret | None = None
    token_file: str | Path | None = None

    if TYPE_CHECKING:

        def __init__(
            self, token: str | Secret | None = None, token_file: str | Path | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        if (self.token is None) == (self.token_file is None):
            raise InvalidInputError("bearer auth needs either a token or a token_file")
        if self.token is not None:
            object.__setattr__(self, "token", Secret(self.token))

    @property
    def secret(self) -> Secret:
        """The token."""
        return self.token if self.token is not None else _read(self.token_file or "")

    @property
    def header(self) -> str:
        """Value of the `Authorization` header."""
        return f"Bearer {self.secret.reveal()}"


@dataclass(frozen=True, slots=True)
class TLS:
    """
    How an https server and we prove who we are.

    Args:
        ca: Certificates to trust instead of the system's, a PEM file.
        cert: Our own certificate for mutual TLS, a PEM file.
        key: Its key, a PEM file; by default in *cert*.
        verify: False trusts anyone; for trying things out only.
    """

    ca: str | Path | None = None
    cert: str | Path | None = None
    key: str | Path | None = None
    verify: bool = True

    def context(self) -> ssl.SSLContext:
        """The settings as the standard library keeps them."""
        import ssl

        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as error:
            raise SourceUnavailableError(f"cannot read the TLS certificates: {error}") from None
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _no_text() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, repr=False)
class Connection:
    """
    A server and how to be let in.

    Args:
        url: Address with any path prefix: `https://mimir/prometheus`,
            `http://vm/select/0/prometheus`. A user and password in it become basic auth.
        auth: `Basic(...)` or `Bearer(...)`.
        headers: Further headers; their values are not shown.
        tenant: Sent as `X-Scope-OrgID`, several joined by `|`.
        tls: Certificates.
        params: Parameters that every query carries, such as `{"dedup": "true"}` for Thanos.

    Raises:
        InvalidInputError: The address is no http or https one, or credentials come twice.

    Example:
        >>> Connection("https://slo:swordfish@prometheus.example:9090/prefix/")
        Connection('https://prometheus.example:9090/prefix')
    """

    url: str
    auth: Basic | Bearer | None = None
    headers: Mapping[str, str] = field(default_factory=_no_text)
    tenant: str | None = None
    tls: TLS = TLS()
    params: Mapping[str, str] = field(default_factory=_no_text)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
            raise InvalidInputError(
                f'"{shown}" is not the address of a server; write it as "http://127.0.0.1:9090"'
            )
        if parts.query or parts.fragment:
            raise InvalidInputError(
                "the address of a server has no ? or #; give further parameters as params={...}"
            )
        netloc = parts.netloc.rpartition("@")[2]
        if parts.username is not None:
            if self.auth is not None:
                raise InvalidInputError("credentials are given both in the address and as auth")
            auth = Basic(unquote(parts.username), unquote(parts.password or ""))
            object.__setattr__(self, "auth", auth)
        bare = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
        object.__setattr__(self, "url", bare)

    @property
    def origin(self) -> tuple[str, str | None, int | None]:
        """Scheme, host and port."""
        return origin(self.url)

    def request_headers(self) -> dict[str, str]:
        """The headers of a request, secrets included."""
        headers = {"Accept": "application/json", **self.headers}
        if self.tenant is not None:
            headers[TENANT_HEADER] = self.tenant
        if self.auth is not None:
            headers["Authorization"] = self.auth.header
        return headers

    def hidden(self, text: str) -> str:
        """*text* without any of the secrets, should a server or a proxy have echoed them."""
        secrets = [*self.headers.values()]
        if self.auth is not None:
            secrets += [self.auth.secret.reveal(), self.auth.header.partition(" ")[2]]
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    def __repr__(self) -> str:
        return f"Connection({without_secrets(self.url)!r})"


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
