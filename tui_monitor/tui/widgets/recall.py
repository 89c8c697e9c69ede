"""What was asked before: walked through from what is typed, or searched by words."""

from collections.abc import Sequence

REMEMBERED = 200
"""Lines of history kept."""


class History:
    """Lines, the oldest first, none of them twice."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self._lines = tuple(dict.fromkeys(reversed(lines)))[::-1][-REMEMBERED:]
        self._draft: str | None = None
        """What was typed when somebody began to go back; None while nobody does."""
        self._way: tuple[str, ...] = ()
        """The lines that begin with it."""
        self._back = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them, the newest last."""
        return self._lines

    def know(self, lines: Sequence[str]) -> None:
        """Older lines are known now; those of this session stay the newest."""
        both = tuple(dict.fromkeys(reversed((*lines, *self._lines))))
        self._lines = both[::-1][-REMEMBERED:]

    def add(self, text: str) -> None:
        """Put a line at the end, once."""
        if text.strip():
            self._lines = (*(line for line in self._lines if line != text), text)[-REMEMBERED:]
        self.leave()

    def leave(self) -> None:
        """Somebody types: going back begins from there."""
        self._draft, self._back = None, 0

    def step(self, typed: str, step: int) -> str | None:
        """The line so far back, 1, or on, -1, of those that begin with what was typed; None without one."""
        if self._draft is None:
            self._draft, self._back = typed, 0
            self._way = tuple(line for line in self._lines if line.startswith(typed) and line != typed)
        if not 0 <= self._back + step <= len(self._way):
            return None
        self._back += step
        return self._way[-self._back] if self._back else self._draft

    def found(self, words: str) -> list[str]:
        """Lines that have all these words in them, in any order and case; the newest first."""
        wanted = words.lower().split()
        return [line for line in reversed(self._lines) if all(word in line.lower() for word in wanted)]
