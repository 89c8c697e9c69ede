"""What a request that is not answered gets: one form for every error."""

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from tui_monitor.model.errors import (
    Busy,
    MonitorError,
    NotFound,
    QueryError,
    StoreError,
    UnknownMetric,
    UsageError,
)

_PROMETHEUS = "/api/v1/"
_OF_THE_REQUEST = frozenset({"request", "data", "type", "gone", "store"})
"""Reasons that say nothing about who knocks at the door."""


class Refusal(Exception):
    """A request that is refused: the HTTP status, Prometheus's error type, and words for a person.

    `reason` is one word under which refusals are counted. `retry_after` is in seconds.
    """

    def __init__(
        self,
        status: int,
        error_type: str,
        error: str,
        *,
        reason: str = "request",
        hint: str | None = None,
        retry_after: float | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error_type = error_type
        self.error = error
        self.reason = reason
        self.hint = hint
        self.retry_after = retry_after
        self.more = more or {}

    def response(self, path: str = "") -> Response:
        """The refusal as an HTTP answer, in the form that clients of this path understand."""
        form: dict[str, Any] = {"status": "error", "errorType": self.error_type, "error": self.error}
        if self.hint and path.startswith(_PROMETHEUS):
            # Its clients show this one text, and know no other.
            form["error"] = f"{self.error}; {self.hint}"
        elif self.hint:
            form["hint"] = self.hint
        headers: dict[str, str] = {}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="tui-monitor"'
        if self.retry_after is not None:
            # Whole seconds, and never 0: a client that obeys it must not come back at once.
            headers["Retry-After"] = str(max(1, round(self.retry_after + 0.49)))
        if self.status in (408, 413):
            # The rest of the body is not read, so the connection cannot be used again.
            headers["Connection"] = "close"
        return answer({**form, **self.more}, status=self.status, headers=headers)

    def bytes(self) -> bytes:
        """The refusal as it goes over a connection that is closed behind it."""
        response = self.response()
        phrase = HTTPStatus(self.status).phrase
        headers = {**response.headers, "connection": "close"}
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(response.body)


class Refusals:
    """Counts what is refused, and tells the door's row of what it kept out."""

    def __init__(self, counts: Counter[str], tell: Callable[[str], None]) -> None:
        self._counts = counts
        self._tell = tell

    def note(self, refusal: Refusal, client: str) -> None:
        """One more; `client` is the address that asked, empty on the socket."""
        self._counts[refusal.reason] += 1
        if refusal.reason not in _OF_THE_REQUEST:
            self._tell(f"{refusal.status}: {refusal.error}" + (f" (from {client})" if client else ""))


def refusal_of(error: MonitorError) -> Refusal:
    """An expected failure in the words of HTTP."""
    match error:
        case Busy():
            return Refusal(
                429,
                "unavailable",
                error.message,
                reason="busy",
                hint=error.hint,
                retry_after=error.retry_after,
            )
        case NotFound():
            return Refusal(404, "not_found", error.message, hint=error.hint)
        case StoreError():
            return Refusal(
                503, "unavailable", error.message, reason="store", hint=error.hint, retry_after=5.0
            )
        case UsageError():
            return Refusal(400, "bad_data", error.message, hint=error.hint)
        case QueryError():
            place: dict[str, Any] = {
                "position": error.position, "length": error.length, "query": error.text
            }  # fmt: skip
            if isinstance(error, UnknownMetric):
                place |= {"metric": error.name, "meant": error.meant}
            return Refusal(400, "bad_data", error.message, hint=error.hint, more=place)
        case _:
            return Refusal(422, "execution", error.message, hint=error.hint)


def answer(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Any plain data as JSON.

    JSON has no NaN and no infinities: they are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`, so that
    null is left to what is not known. orjson would write null for both; pydantic reads the texts as numbers.
    """
    body = to_json(data, inf_nan_mode="strings")
    return Response(body, status, headers, media_type="application/json")


def success(data: Any, warnings: tuple[str, ...] = ()) -> Response:
    """The envelope of every reading path."""
    return answer({"status": "success", "data": data, "warnings": list(warnings)})
