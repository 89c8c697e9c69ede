"""The line to a collector elsewhere: whether it stands, since when it does not, when it is tried again."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from tui_monitor.model.clock import SECOND, Clock, Micros
from tui_monitor.model.errors import Unreachable
from tui_monitor.model.unanswered import Misnamed, Unanswered, told_by

FIRST = 0.5
"""Seconds until a lost line is tried for the first time; doubled at each failure."""
LONGEST = 30.0
SETTLED = 120.0
"""Seconds between tries where somebody over there has to change something."""
_REST, _REST_SETTLED = 0.5, 5.0
"""Seconds after a try in which nobody can ask for another."""


class LineLost(Unreachable):
    """Nothing that can be used was heard from over there. `why` is one word, as of `Unanswered`.

    `settled` means that trying again soon is of no use: somebody has to change something.
    """

    def __init__(self, why: str, words: str, *, hint: str | None = None, settled: bool = False) -> None:
        super().__init__(words, hint=hint)
        self.why = why
        self.settled = settled


def lost_by(error: Exception) -> LineLost:
    """What an error of a library on the way over there means, and what to do about it."""
    known = error if isinstance(error, Unanswered) else told_by(error)
    if isinstance(known, Misnamed):
        hint = "ask by a name that is in the certificate, or have one made for this name"
        return LineLost("tls", known.words, hint=hint, settled=True)
    if known.why == "tls":
        hint = "--ca-file names whose certificates are taken"
        return LineLost("tls", known.words, hint=hint, settled=True)
    if known.why == "request" and ("Timeout" in type(error).__name__ or isinstance(error, TimeoutError)):
        return LineLost("timeout", "no answer in time")
    return LineLost(known.why, known.words)


@dataclass(frozen=True, slots=True)
class LineState:
    """How the line is. Instants are of the clock over there as it is known, like all on the screen."""

    place: str
    """Where the collector is, in a few characters."""
    up: bool = False
    lost: Micros | None = None
    """Since when nothing was heard; None while it stands, and until the first try has failed."""
    heard: Micros | None = None
    """When it was noticed last that it stands: what is shown then is not older."""
    error: LineLost | None = None
    again: Micros | None = None
    """When it is tried again; None while it is being tried."""
    waiting: tuple[str, ...] = ()
    """What was decided here and is not known to be done over there, the oldest first."""
    ahead: Micros = 0
    """How far the clock over there is ahead of the one here, as far as answers tell."""
    clear: bool = False
    """Whether everything, the token too, travels so that others can read it."""
    url: str = ""
    """The address that is asked."""

    @property
    def never(self) -> bool:
        """Whether it has not stood yet."""
        return self.heard is None


class Line:
    """Keeps count of one line. Belongs to one event loop; `told` hears each new state."""

    def __init__(
        self,
        place: str,
        clock: Clock,
        told: Callable[[LineState], None],
        *,
        clear: bool = False,
        url: str = "",
        spread: Callable[[], float] = random.random,
    ) -> None:
        """`spread` gives numbers from 0 to 1: many viewers must not come back at one moment."""
        self.state = LineState(place, clear=clear, url=url)
        self._clock = clock
        self._told = told
        self._spread = spread
        self._failures = 0
        self._trying = False
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        """Set while it does not stand, and from the start."""
        self.down.set()
        self.knocked = asyncio.Event()
        """Set when somebody does not want to wait for the next try."""
        self._tried = clock.monotonic()

    def barred(self) -> LineLost | None:
        """Why nothing is to be asked now; None where it may."""
        if self.state.up or self._trying:
            return None
        return self.state.error or LineLost("connect", f"no answer from {self.state.place} yet")

    def answered(self) -> None:
        """Something that can be used was heard."""
        now = self._clock.now()
        self._failures = 0
        if not self.state.up:
            self.down.clear()
            self.up.set()
            self._become(replace(self.state, up=True, lost=None, heard=now, error=None, again=None))
        else:
            # Not worth telling anybody.
            self.state = replace(self.state, heard=now)

    def failed(self, error: LineLost) -> None:
        """A question got no answer. Those that fail together count once."""
        now = self._clock.now()
        self.up.clear()
        self.down.set()
        lost = now if self.state.lost is None else self.state.lost
        self._become(replace(self.state, up=False, lost=lost, error=error))

    def begin_wait(self) -> float:
        """The seconds until the next try; told to everybody."""
        error = self.state.error
        if error is not None and error.settled:
            seconds = SETTLED
        else:
            seconds = min(LONGEST, FIRST * 2**self._failures)
        seconds *= 0.5 + 0.5 * self._spread()
        self._failures = min(self._failures + 1, 16)
        self.knocked.clear()
        self._become(replace(self.state, again=self._clock.now() + round(seconds * SECOND)))
        return seconds

    def begin_try(self) -> None:
        """It is tried now."""
        self._trying = True
        self._become(replace(self.state, again=None))

    def end_try(self) -> None:
        """The try is over, however it ended."""
        self._trying = False
        self._tried = self._clock.monotonic()

    def knock(self) -> None:
        """Somebody wants it to be tried now; granted, unless that was just done."""
        settled = self.state.error is not None and self.state.error.settled
        rest = _REST_SETTLED if settled else _REST
        if not self.state.up and self._clock.monotonic() - self._tried >= rest:
            self.knocked.set()

    def shift(self, by: Micros) -> None:
        """The clock is ahead by so much more than was known: what was noted by it moves along."""
        if by:
            lost, heard, again = (
                None if at is None else at + by
                for at in (self.state.lost, self.state.heard, self.state.again)
            )
            state = replace(self.state, lost=lost, heard=heard, again=again, ahead=self.state.ahead + by)
            if abs(by) >= SECOND:
                self._become(state)
            else:
                # What moves by less is not worth telling anybody.
                self.state = state

    def waits(self, decisions: tuple[str, ...]) -> None:
        """These have not been done yet."""
        if decisions != self.state.waiting:
            self._become(replace(self.state, waiting=decisions))

    def _become(self, state: LineState) -> None:
        if state != self.state:
            self.state = state
            self._told(state)
