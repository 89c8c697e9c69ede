"""Settings of who answers queries: the database of this machine, or a Prometheus-compatible server."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from tui_monitor.config.connecting import Connection, read_address
from tui_monitor.config.fields import Bytes, Duration, Section
from tui_monitor.model.clock import MS, SECOND


class RemotePrometheus(Connection):
    """The server that is asked with `query.engine = "prometheus"`: Prometheus, VictoriaMetrics, Mimir …"""

    url: str | None = None
    """Its base address, before `/api/v1/`, like `http://prometheus.example:9090`."""
    headers: dict[str, SecretStr] = {}
    """Further headers to send, like a proxy's key."""
    timeout: Duration = 10 * SECOND
    """Time for one answer, from the name's look-up to the last byte."""
    max_answer: Bytes = 50_000_000
    """Size above which an answer is refused."""
    interval: Duration = 15 * SECOND
    """Time between two samples that collectors write to it; shorter windows are read from longer ones."""

    @field_validator("url")
    @classmethod
    def _is_base(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(read_address(value))
        if parts.query or parts.fragment:
            raise ValueError("an address without parameters")
        return value.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in value.items():
            text = secret.get_secret_value()
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name!r} is no name of a header")
            if not text.isascii() or not text.isprintable():
                raise ValueError(f"the header {name} holds what cannot be sent")
        return value


class Query(Section):
    """Who answers queries, and what one may cost."""

    engine: Literal["local", "prometheus"] = "local"
    """`prometheus` asks a server that collectors write to; filters and calls are answered from here."""
    prometheus: RemotePrometheus = Field(default_factory=RemotePrometheus)
    """The server that is asked then."""
    timeout: Duration = 60 * SECOND
    """Longest time of one query over the database; a request may ask for less."""
    slow: Duration = 500 * MS
    """Time from which on a query is listed as slow, with its text and who asked it."""
    max_series: int = Field(default=200_000, ge=1)
    """Most series that one query may look at, or make, at once."""
    max_samples: int = Field(default=20_000_000, ge=1_000)
    """Most samples that one query may read and make, all its parts together."""
    at_once: int = Field(default=4, ge=1, le=64)
    """Queries over HTTP that run at the same time; others wait, and beyond 60 of them are refused."""
