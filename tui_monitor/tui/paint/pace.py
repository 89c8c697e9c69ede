"""How much may be on its way to the terminal: little on a slow line, so that a key's answer does not queue.

With a frame goes a question that every terminal answers (CPR, ECMA-48 8.3.14). How long that takes tells a
slow line, and how much of what was sent has arrived. The window follows the queue as in TCP Vegas (Brakmo and
Peterson, 1995): it grows while answers come as soon as the line allows, and shrinks when they wait. Where no
answer comes, nobody looks: a laptop sleeps, or its network is gone. What is sent then would all be carried
first when it is back, so a little is sent, less and less often, until there is an answer.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

PROBE = "\x1b[6n"
"""Asks where the cursor is. Not from the first row: the answer would be what F3 with a modifier sends."""
_SLOW_S = 0.1
_FAST_S = 0.05
"""An answer that takes longer tells a slow line; one that is sooner, a fast one."""
_SURE = 2
_AGAIN = 6
"""Answers in a row that are believed: to become slow, and to become fast again."""
_EVERY_S = 10.0
"""Between two questions on a fast line."""
_PATIENCE_S, _PATIENT_S = 5.0, 60.0
"""After which an answer is no longer waited for: doubled each time that none came, up to the longest."""
_SOUNDING = 256
"""Bytes that go with a question where the one before was not answered."""
_SOON_S = 1.0
_TRIES = 3
"""Questions to a terminal that has not answered any."""
_UNHEARD = 3
"""Keys without an answer that tell of a terminal that gives none any more."""
_LEAST, _MOST, _BEGIN = 1_536, 65_536, 2_048
"""Bytes under way."""
_SHORT_S, _LONG_S = 0.05, 0.25
"""Seconds in the line's queue below which the window grows, and above which it shrinks."""
_STEP = 1.5
_PARTS, _FIRST = 4, 8
"""Of a window: so much is sent at once, and on an idle line, so that the first of it is seen soon."""
_MEMORY_S = 60.0
"""After which the quickest answer is forgotten, at most twice as long: the way there may be another."""


class Pace:
    """What has been sent and not yet been answered. `sent` is called on one thread, `answered` on another."""

    def __init__(self, timer: Callable[[], float]) -> None:
        """`timer` counts seconds."""
        self._timer = timer
        self._under_way: deque[tuple[int, float]] = deque()
        self._bytes = 0
        """Sent since the last question."""
        self._asked = -_EVERY_S
        self._row = 0
        self._lost = self._typed = 0
        """Questions in a row that were not answered, and keys that came meanwhile."""
        self._window = float(_BEGIN)
        self._quickest = self._lately = float("inf")
        self._since = timer()
        self._tries = 0
        self.answers = False
        """Whether the terminal answers questions at all."""
        self.fixed: bool | None = None
        """Whether the line is slow, where that is set."""
        self._measured = False

    @property
    def slow(self) -> bool:
        """Whether the line is one where every byte counts."""
        return self._measured if self.fixed is None else self.fixed

    @property
    def waiting(self) -> bool:
        """Whether an answer is to come; of a terminal that has given none, not for long."""
        return bool(self._under_way) and (self.answers or self._timer() - self._asked < _SOON_S)

    def room(self) -> int | None:
        """Bytes that may be sent now; None for any number."""
        if not self.answers:
            return None
        self._expire(self._timer())
        if self._lost:
            return 0 if self._under_way else _SOUNDING
        if not self.slow:
            return None
        out = sum(size for size, _ in self._under_way.copy())
        most = self._window / (_PARTS if out else _FIRST)
        return max(int(min(self._window - out, most)), 0)

    def sent(self, size: int) -> str:
        """Note bytes that go to the terminal; the question that has to go behind them, or nothing."""
        now = self._timer()
        self._expire(now)
        self._bytes += size
        if not self.answers and (self._tries >= _TRIES or self._under_way):
            return ""
        unsure = self._row > 0 and not self._under_way
        if not (self.slow or self._lost or unsure) and now - self._asked < _EVERY_S:
            return ""
        self._asked = now
        self._tries += 1
        self._under_way.append((self._bytes, now))
        self._bytes = 0
        return PROBE

    def beside(self, size: int) -> None:
        """Note bytes that are no part of a frame: the question behind the next frame is behind them, too."""
        self._bytes += size

    def answered(self) -> None:
        """The terminal has come to the first of the questions."""
        self._lost = self._typed = 0
        self.answers = True
        if (first := self._take()) is None:
            return
        now = self._timer()
        took = now - first[1]
        against = took < _FAST_S if self._measured else took > _SLOW_S
        self._row = self._row + 1 if against else 0
        if self._row >= (_AGAIN if self._measured else _SURE):
            self._measured = not self._measured
            self._row = 0
        if now - self._since > _MEMORY_S:
            self._quickest, self._lately, self._since = self._lately, float("inf"), now
        self._lately = min(self._lately, took)
        queued = took - min(self._quickest, self._lately)
        if queued < _SHORT_S and first[0] >= self._window / _PARTS:
            self._window = min(self._window * _STEP, _MOST)
        elif queued > _LONG_S:
            self._window = max(self._window / _STEP, _LEAST)

    def typed(self) -> None:
        """A key came: somebody is there."""
        self._typed += 1
        if self._lost and self._typed >= _UNHEARD:
            self.answers = False

    def forget(self) -> None:
        """Nothing is waited for: the terminal was another's meanwhile."""
        self._under_way.clear()
        self._bytes = 0

    def _expire(self, now: float) -> None:
        patience = min(_PATIENCE_S * 2**self._lost, _PATIENT_S)
        # The other thread may take the first one meanwhile.
        with suppress(IndexError):
            if now - self._under_way[0][1] > patience:
                self._under_way.clear()
                self._lost += 1
                self._typed = 0

    def _take(self) -> tuple[int, float] | None:
        try:
            return self._under_way.popleft()
        except IndexError:
            return None
