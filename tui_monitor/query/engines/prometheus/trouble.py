"""Why the remote server gave no answer, in words that say what to do about it.

Nothing that the server or the HTTP library says is passed on but short, cleaned texts of errors in
Prometheus's own form: the rest may hold anything.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tui_monitor.model.errors import QueryError, StoreError
from tui_monitor.model.text import clean
from tui_monitor.model.unanswered import Unanswered

_LONGEST = 300
_HINTS = {
    "dns": "correct query.prometheus.url",
    "connect": "is the server running, and is query.prometheus.url right?",
    "tls": "set query.prometheus.ca_file to its authority's certificate, or write http://",
    "timeout": "ask for less, or raise query.prometheus.timeout",
    "too large": "group by fewer labels, take a longer step, or raise query.prometheus.max_answer",
    "proxy": "correct HTTP_PROXY or HTTPS_PROXY, or name the host in NO_PROXY",
}
_UNTYPED = "it is no Prometheus-compatible server, or a proxy answers for it: correct query.prometheus.url"


class RemoteError(StoreError):
    """The server that answers queries cannot be used. `gone` where nothing was heard of it at all."""

    def __init__(self, message: str, *, hint: str | None = None, gone: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.gone = gone


class Refused(Exception):
    """The server does not take the query: it was understood, and is wrong or too large."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def unanswered(place: str, error: Unanswered) -> RemoteError:
    """Nothing came back, or more than is read."""
    return RemoteError(
        f"{place} gives no answer: {error.words}",
        hint=_HINTS.get(error.why), gone=error.why != "too large",
    )  # fmt: skip


def data_of(
    place: str, status: int, headers: Mapping[str, str], body: bytes, hide: Callable[[str], str]
) -> dict[str, Any]:
    """The JSON object of an answer that succeeded. Raises `RemoteError`, and `Refused` for the query.

    `hide` takes secrets out of what is passed on.
    """
    if 300 <= status < 400:
        raise RemoteError(
            f"{place} redirects elsewhere, which is not followed with credentials",
            hint="set query.prometheus.url to where it really is",
        )
    found = _object(body)
    if found is not None and found.get("status") == "success" and status < 300:
        return found
    if found is not None and found.get("status") == "error" and status not in (401, 403):
        _raise_typed(place, status, found, hide)
    raise _untyped(place, status, headers)


def query_error(refused: Refused, text: str) -> QueryError:
    """What the server says of a query, as an error of that query."""
    return QueryError(f"the server refuses it: {refused.words}", text=text, length=len(text))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _raise_typed(place: str, status: int, found: dict[str, Any], hide: Callable[[str], str]) -> None:
    words = clean(hide(str(found.get("error", ""))), _LONGEST) or f"HTTP {status}"
    kind = str(found.get("errorType", ""))
    if kind in ("timeout", "canceled", "unavailable", "internal") or status in (429, 500, 502, 503, 504):
        hint = _HINTS["timeout"] if kind in ("timeout", "canceled") else "see the log of the server"
        raise RemoteError(f"{place} could not answer: {words}", hint=hint)
    raise Refused(words)


def _untyped(place: str, status: int, headers: Mapping[str, str]) -> RemoteError:
    kind = clean(headers.get("content-type", "").partition(";")[0], 60) or "something"
    match status:
        case 401 | 403:
            return RemoteError(
                f"{place} does not let us in (HTTP {status})",
                hint="set bearer_token_env, username and password_env, or tenant in [query.prometheus]",
            )
        case 404 | 405:
            return RemoteError(
                f"{place} has no Prometheus API at this address (HTTP {status})",
                hint="query.prometheus.url is what stands before /api/v1/, like http://host:9090",
            )
        case 429:
            return RemoteError(f"{place} is asked too much (HTTP 429)", hint="try again in a minute")
        case _ if status >= 500:
            return RemoteError(f"{place} is in trouble (HTTP {status})", hint="see the log of the server")
        case _ if "html" in kind:
            return RemoteError(f"{place} answers with a web page (HTTP {status})", hint=_UNTYPED)
        case _:
            return RemoteError(
                f"{place} answers with what is not Prometheus's JSON (HTTP {status}, {kind})", hint=_UNTYPED
            )
