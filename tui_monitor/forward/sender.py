"""Takes what waits to one receiver: in order, again after a failure, and never what it refused."""

import asyncio
import base64
import logging
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tui_monitor.config.forwarding import ForwardReceiver
from tui_monitor.config.redact import Redactor
from tui_monitor.forward.queue import Batch, Queue, Standing
from tui_monitor.forward.wire import HEADERS
from tui_monitor.model.clock import SECOND, Clock, Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.sources.web import Request, Trust, Web

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui_monitor.sources.web import Answer

log = logging.getLogger(__name__)

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
LONGEST_ASKED = 600.0
"""Seconds that a receiver may ask us to wait."""
_REDIRECTS = 3
_WORDS = 16_384
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What came of one request."""

    taken: bool = False
    refused: bool = False
    """For good: it is not sent again."""
    words: str = ""
    """What went wrong."""
    wait: float | None = None
    """Seconds that the receiver asked us to wait."""


@dataclass(frozen=True, slots=True)
class State:
    """How a receiver is doing."""

    standing: Standing
    error: str = ""
    """Why the last request was not taken; empty when it was."""
    again: Micros | None = None
    """When it is tried again (µs), where it is."""
    taken: int = 0
    """Samples it took since we are up."""
    failures: int = 0
    """Requests it did not take since then."""


class Sender:
    """One receiver's postman. A request that was under way at a stop is sent again."""

    def __init__(
        self, receiver: ForwardReceiver, queue: Queue, clock: Clock, told: Callable[[], None],
        environment: Mapping[str, str] = os.environ,
    ) -> None:  # fmt: skip
        """`told` is called when something changed. Raises `UsageError` for a secret that is not there."""
        self.title = receiver.title
        self.state = State(Standing(0, 0, None, 0, 0, 0))
        self._receiver = receiver
        credentials = _credentials(receiver, environment)
        self._headers = {**HEADERS, **credentials}
        self._redactor = Redactor()
        for secret in credentials.values():
            self._redactor.learn(secret.partition(" ")[2] or secret)
        self._queue = queue
        self._clock = clock
        self._told = told
        self._woken = asyncio.Event()
        self._refreshed = clock.monotonic()

    def wake(self) -> None:
        """There is something new in the queue."""
        self._woken.set()

    async def refresh(self) -> None:
        """Look how much waits. Raises `QueueError`."""
        self._refreshed = self._clock.monotonic()
        standing = await asyncio.to_thread(self._queue.standing, self.title)
        self.state = replace(self.state, standing=standing)

    def give_up(self, why: str) -> None:
        """It is not tried again with these settings."""
        self.state = replace(self.state, error=why, again=None, failures=self.state.failures + 1)
        self._told()

    async def run(self) -> None:
        """Send until cancelled. Raises `QueueError`, and `UsageError` for what cannot be read."""
        receiver, failures = self._receiver, 0
        trust = Trust(receiver.ca_file, receiver.cert_file, receiver.key_file, receiver.insecure_skip_verify)
        async with Web(self._clock, at_once=1, trust=trust) as web:
            while True:
                self._woken.clear()
                batch = await asyncio.to_thread(self._queue.next, self.title)
                if batch is None:
                    await self.refresh()
                    self._told()
                    await self._woken.wait()
                    continue
                fate = await self._send(web, batch)
                failures = 0 if fate.taken or fate.refused else failures + 1
                wait = 0.0
                if failures:
                    wait = backoff(failures) if fate.wait is None else fate.wait
                await self._note(batch, fate, wait)
                await asyncio.sleep(wait)

    async def _send(self, web: Web, batch: Batch) -> Fate:
        request = Request(
            self._receiver.url, self._headers, self._receiver.timeout / SECOND, _WORDS, _REDIRECTS,
            content=batch.body, cut=True,
        )  # fmt: skip
        try:
            fate = fate_of(await web.get(request), self._now())
            # Whoever answers may repeat what was sent.
            return replace(fate, words=self._redactor.clean(fate.words))
        except Unanswered as error:
            return Fate(words=error.words)

    async def _note(self, batch: Batch, fate: Fate, wait: float) -> None:
        before = self.state
        if fate.taken:
            await asyncio.to_thread(self._queue.done, self.title, batch)
            self.state = replace(before, error="", again=None, taken=before.taken + batch.samples)
        else:
            again = None
            if fate.refused:
                await asyncio.to_thread(self._queue.done, self.title, batch, refused=True)
                log.warning("%s refused %d samples: %s", self.title, batch.samples, fate.words)
            else:
                again = self._clock.now() + round(wait * SECOND)
                if not before.error:
                    log.warning("forwarding to %s: %s", self.title, fate.words)
            self.state = replace(before, error=fate.words, again=again, failures=before.failures + 1)
        if self._clock.monotonic() - self._refreshed >= 1.0:
            await self.refresh()
        self._told()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / SECOND, UTC)


def fate_of(answer: "Answer", now: datetime) -> Fate:
    """What an answer means; only 429 and what is from 500 on asks to come again."""
    if 200 <= answer.status < 300:
        return Fate(taken=True)
    words = f"HTTP {answer.status}"
    if said := clean(answer.body.decode("utf-8", "replace").strip().partition("\n")[0], 200):
        words += f": {said}"
    if answer.status != 429 and answer.status < 500:
        return Fate(refused=True, words=words)
    return Fate(words=words, wait=asked_to_wait(answer.headers.get("retry-after", ""), now))


def asked_to_wait(text: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header, a number or a date; `None` where it says nothing."""
    text = text.strip()
    if text.isdecimal() and len(text) < 9:
        return min(float(text), LONGEST_ASKED)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_ASKED)


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: twice as long each time, a random share less."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 20)) * random.uniform(0.5, 1.0)


def _credentials(receiver: ForwardReceiver, environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    token = _secret(receiver.bearer_token, receiver.bearer_token_env, environment)
    if token:
        found["authorization"] = f"Bearer {token}"
    elif receiver.username:
        password = _secret(receiver.password, receiver.password_env, environment)
        pair = f"{receiver.username}:{password}".encode()
        found["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    if receiver.tenant:
        found[receiver.tenant_header] = receiver.tenant
    return found


def _secret(given: "SecretStr | None", variable: str | None, environment: Mapping[str, str]) -> str:
    if given is not None:
        return given.get_secret_value()
    if variable is None:
        return ""
    if not environment.get(variable):
        raise UsageError(f"forward: {variable} is not set", hint="set it, or give the secret otherwise")
    return environment[variable]
