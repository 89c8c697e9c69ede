"""Who may come in: checked before any route sees the request."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_monitor.model.errors import MonitorError
from tui_monitor.query.timing import asked_by
from tui_monitor.runtime.traffic import Traffic
from tui_monitor.server.admission import Admission
from tui_monitor.server.bodies import Body, Held, Limits
from tui_monitor.server.refusal import Refusal, Refusals
from tui_monitor.server.targets import settle_target

_REQUEST_SECONDS = 125.0
"""A little more than a query may take, so that it is the query that says so."""
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 16_000_000
"""So much of a request that was answered already is let pass."""


class Guard:
    """ASGI middleware: Host, Origin, token, body and time; errors in one form, counted by reason."""

    def __init__(
        self, app: ASGIApp, admission: Admission, *, refusals: Refusals, limits: Limits, held: Held,
        traffic: Traffic,
    ) -> None:  # fmt: skip
        self._app = app
        self._admission = admission
        self._asker = "socket" if admission.trusted else "http"
        self._refusals = refusals
        self._limits = limits
        self._held = held
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._upgrade(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = _Answer(scope, receive, send)
        body: Body | None = None
        try:
            headers = _headers(scope)
            answer.expect_body(headers)
            settle_target(scope, headers)
            caller = self._admission.admit(scope, headers)
            scope.setdefault("state", {})["caller"] = caller
            encoding, length = headers.get("content-encoding", ""), _length(headers)
            body = Body(answer.receive, encoding, length, self._limits, self._held)
            with asked_by(f"{self._asker} {caller.name}" if caller else self._asker):
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await self._app(scope, body.receive, answer.send)
        except Refusal as refusal:
            await self._refuse(refusal, answer)
        except MonitorError as error:
            # The tokens cannot be read: without them nobody is let in.
            await self._refuse(_unsure(error), answer)
        except TimeoutError:
            words = "the request took too long"
            await self._refuse(Refusal(503, "timeout", words, reason="slow", retry_after=5.0), answer)
        except asyncio.CancelledError:
            # The door closes, and has waited for this request as long as it could. The task ends here,
            # so nobody is kept from being cancelled.
            answer.end_at_once()
            await self._refuse(
                Refusal(503, "unavailable", "the collector is stopping", reason="busy", retry_after=2.0),
                answer,
            )
        finally:
            if body is not None:
                body.release()
            if answer.began:
                self._traffic.answered(scope["path"], answer.status)

    async def _upgrade(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket is let in as a request is; it stays for as long as its token holds."""
        # Which a handshake always has; nothing else is taken for one.
        scope["method"] = "GET"
        try:
            headers = _headers(scope)
            settle_target(scope, headers)
            state = scope.setdefault("state", {})
            state["caller"] = self._admission.admit(scope, headers)
            state["still_admitted"] = partial(self._admission.still, scope, headers)
        except (Refusal, MonitorError) as error:
            refusal = error if isinstance(error, Refusal) else _unsure(error)
            client = scope.get("client")
            self._refusals.note(refusal, client[0] if client else "")
            await refusal.response(scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _refuse(self, refusal: Refusal, answer: "_Answer") -> None:
        self._refusals.note(refusal, answer.client)
        if not answer.began:
            await answer.refuse(refusal)


class _Answer:
    """Between the server and everything behind the guard: knows what has come, and what has gone out.

    An answer may be due before the request has come whole. Then what still comes is thrown away for a while:
    if the connection were closed at once, most clients would see a broken one and no answer.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._coming = False
        self._asks_first = False
        self.began = False
        self.status = 0

    @property
    def client(self) -> str:
        """The address that asks; empty on the socket."""
        client = self._scope.get("client")
        return client[0] if client else ""

    def expect_body(self, headers: Mapping[str, str]) -> None:
        """Note from its headers whether the request has a body."""
        self._coming = "transfer-encoding" in headers or _length(headers) not in (None, 0)
        self._asks_first = headers.get("expect", "").lower() == "100-continue"

    def end_at_once(self) -> None:
        """Wait for nothing more of the request."""
        self._coming = False

    async def receive(self) -> Message:
        """The next part of the request."""
        self._asks_first = False
        message = await self._receive()
        self._coming = message["type"] == "http.request" and bool(message.get("more_body"))
        return message

    async def send(self, message: Message) -> None:
        """The next part of the answer."""
        if message["type"] == "http.response.start":
            self.began, self.status = True, message["status"]
            if self._coming:
                message = {**message, "headers": [*_others(message["headers"]), (b"connection", b"close")]}
        elif self._coming and not self._asks_first and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._let_pass()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal."""
        await refusal.response(self._scope["path"])(self._scope, self._receive, self.send)

    async def _let_pass(self) -> None:
        passed = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while self._coming and passed < _LINGER_BYTES:
                    passed += len((await self.receive()).get("body", b""))


def _others(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return (header for header in headers if header[0].lower() != b"connection")


def _unsure(error: MonitorError) -> Refusal:
    return Refusal(503, "unavailable", error.message, reason="tokens", hint=error.hint, retry_after=5.0)


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name. One that decides who may come in must not come twice."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "authorization", "content-encoding"):
            raise Refusal(400, "bad_data", f"the header {name} is there twice", reason="request")
        found[name] = raw_value.decode("latin-1")
    return found


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
