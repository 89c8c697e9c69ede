"""Takes what waits to one receiver: in order, again after a failure, and never what it refused."""

import asyncio
import logging
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tui_monitor.config.connecting import credentials
from tui_monitor.config.forwarding import ForwardReceiver
from tui_monitor.config.redact import Redactor
from tui_monitor.forward.queue import Batch, Queue, Standing
from tui_monitor.forward.wire import HEADERS, repacked, unpacked, without_histograms
from tui_monitor.model.clock import SECOND, Clock, Micros
from tui_monitor.model.text import clean
from tui_monitor.model.trust import Trust
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.sources.web import Request, Web

if TYPE_CHECKING:
    from tui_monitor.sources.web import Answer

log = logging.getLogger(__name__)

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
LONGEST_ASKED = 600.0
"""Seconds that a receiver may ask us to wait."""
_REDIRECTS = 3
_WORDS = 16_384
"""Bytes of an answer that are read."""
_NOT_THE_SAMPLES = frozenset({401, 403, 404, 405, 407, 408, 421, 425, 429})
"""Answers that say something of the address, the credentials or the moment."""
_NO_HISTOGRAMS = "native histograms are disabled"
"""Words of a Prometheus that does not take them."""
_PARTS = 64
"""Parts of one request that are all refused, after which it is not parted further."""
_PARTED = 400
"""Requests that are made of one at most."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What came of one request."""

    taken: bool = False
    refused: int = 0
    """Samples that are refused for good: they are not sent again."""
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
        """`told` is called when something changed."""
        self.title = receiver.title
        self.state = State(Standing(0, 0, None, 0, 0, 0))
        self._receiver = receiver
        self._environment = environment
        self._headers: Mapping[str, str] = HEADERS
        self._redactor = Redactor()
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
        """Send until cancelled.

        Raises `QueueError`, and `UsageError` for what cannot be read and secrets that are not there.
        """
        receiver, failures = self._receiver, 0
        self._headers = {
            **HEADERS,
            **credentials("forward", receiver, self._environment, self._redactor.learn),
        }
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
                fate = await self._send(web, batch.body, batch.samples)
                if fate.refused:
                    fate = await self._sifted(web, batch, fate)
                failures = 0 if fate.taken or fate.refused else failures + 1
                wait = 0.0
                if failures:
                    wait = backoff(failures) if fate.wait is None else fate.wait
                await self._note(batch, fate, wait)
                await asyncio.sleep(wait)

    async def _sifted(self, web: Web, batch: Batch, fate: Fate) -> Fate:
        """What comes of a request that was refused, part by part: one bad series takes no good one with it.

        A receiver may have taken some of it all the same; it takes the same again.
        """
        try:
            whole = unpacked(batch.body)
        except ValueError:
            return fate
        if _NO_HISTOGRAMS in fate.words:
            whole = without_histograms(whole)
            samples = sum(number for _, number in whole)
            one = await self._send(web, repacked(whole), samples)
            if not one.refused:
                return replace(fate, refused=batch.samples - samples) if one.taken else one
            fate = replace(fate, words=one.words)
        parts = [whole]
        refused, sent = 0, 0
        while parts and sent < _PARTED and len(parts) < _PARTS:
            halves = [half for part in parts for half in _halves(part)]
            parts = []
            for half in halves:
                samples = sum(number for _, number in half)
                one = await self._send(web, repacked(half), samples)
                sent += 1
                if not one.taken and not one.refused:
                    return one
                if one.refused and len(half) > 1:
                    parts.append(half)
                elif one.refused:
                    refused += samples
                fate = replace(fate, words=one.words or fate.words)
        refused += sum(number for part in parts for _, number in part)
        refused += batch.samples - sum(number for _, number in whole)
        return replace(fate, refused=refused or batch.samples)

    async def _send(self, web: Web, body: bytes, samples: int) -> Fate:
        request = Request(
            self._receiver.url, self._headers, self._receiver.timeout / SECOND, _WORDS, _REDIRECTS,
            content=body, cut=True,
        )  # fmt: skip
        try:
            fate = fate_of(await web.get(request), self._now(), samples)
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
                await asyncio.to_thread(self._queue.done, self.title, batch, refused=fate.refused)
                log.warning("%s refused %d samples: %s", self.title, fate.refused, fate.words)
            else:
                again = self._clock.now() + round(wait * SECOND)
                if not before.error:
                    log.warning("forwarding to %s: %s", self.title, fate.words)
            self.state = replace(
                before, error=fate.words, again=again, failures=before.failures + 1,
                taken=before.taken + (batch.samples - fate.refused if fate.refused else 0),
            )  # fmt: skip
        if self._clock.monotonic() - self._refreshed >= 1.0:
            await self.refresh()
        self._told()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / SECOND, UTC)


def _halves(part: list[tuple[bytes, int]]) -> list[list[tuple[bytes, int]]]:
    middle = len(part) // 2
    return [half for half in (part[:middle], part[middle:]) if half and len(half) < len(part)]


def fate_of(answer: "Answer", now: datetime, samples: int) -> Fate:
    """What an answer to so many samples means: only one that is about them is an end of them."""
    if 200 <= answer.status < 300:
        return Fate(taken=True)
    words = f"HTTP {answer.status}"
    if said := clean(answer.body.decode("utf-8", "replace").strip().partition("\n")[0], 200):
        words += f": {said}"
    if _NO_HISTOGRAMS in words:
        # A Prometheus says 500 to what it will never take.
        return Fate(refused=samples, words=words)
    if 400 <= answer.status < 500 and answer.status not in _NOT_THE_SAMPLES:
        return Fate(refused=samples, words=words)
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
