"""Settings of a connection to a server of others: who we say we are, and whose certificates are taken."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from tui_monitor.config.fields import Section
from tui_monitor.model.errors import UsageError


def read_address(value: str) -> str:
    """An address of the web, without credentials in it. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an address; it begins with http:// or https:// and names a host")
    if "@" in parts.netloc:
        raise ValueError("credentials stand in `username` and `password_env`, not in the address")
    return value


Address = Annotated[str, AfterValidator(read_address)]
"""Where a server is."""


class Connection(Section):
    """What sections of servers that are asked or sent to have in common."""

    bearer_token: SecretStr | None = None
    """The bearer token. Better: `bearer_token_env`."""
    bearer_token_env: str | None = None
    """Environment variable that holds the bearer token."""
    username: str | None = None
    """User name of HTTP Basic, where there is no bearer token."""
    password: SecretStr | None = None
    """Password of HTTP Basic. Better: `password_env`."""
    password_env: str | None = None
    """Environment variable that holds the password."""
    tenant: str | None = None
    """Whose data it is, for servers that keep that of many, like Mimir."""
    tenant_header: str = Field(default="X-Scope-OrgID", pattern=r"^[A-Za-z0-9-]+$")
    """The header that tells so."""
    ca_file: Path | None = None
    """Certificates (PEM) that are trusted besides the usual ones."""
    cert_file: Path | None = None
    """Our own certificate (PEM), where it asks for one."""
    key_file: Path | None = None
    """The key of `cert_file`, unless it is in the same file; not one with a password."""
    insecure_skip_verify: bool = False
    """Whether any certificate is taken. Whoever is between then reads all, credentials too."""

    @model_validator(mode="after")
    def _with_certificate(self) -> "Connection":
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file")
        return self


def credentials(
    section: str, connection: Connection, environment: Mapping[str, str], learn: Callable[[str], None]
) -> dict[str, str]:
    """The headers that say who we are; `learn` is told what must not be repeated.

    Raises `UsageError`, naming the section, for a variable that is not set.
    """

    def secret(given: SecretStr | None, variable: str | None) -> str:
        if given is not None:
            return given.get_secret_value()
        if variable is None:
            return ""
        found = environment.get(variable, "").strip()
        if not found:
            raise UsageError(f"{section}: {variable} is not set", hint="set it, or give the secret otherwise")
        return found

    headers: dict[str, str] = {}
    token = secret(connection.bearer_token, connection.bearer_token_env)
    if token:
        learn(token)
        headers["authorization"] = f"Bearer {token}"
    elif connection.username:
        password = secret(connection.password, connection.password_env)
        pair = base64.b64encode(f"{connection.username}:{password}".encode()).decode()
        learn(password)
        learn(pair)
        headers["authorization"] = f"Basic {pair}"
    if connection.tenant:
        headers[connection.tenant_header] = connection.tenant
    return headers
