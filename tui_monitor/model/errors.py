"""Errors a person can act on. Everything else that escapes is a bug."""

import unicodedata

_ROOM = 160
"""Characters of a query that are shown around the place of an error."""


class MonitorError(Exception):
    """An expected failure: what happened, and what to do about it.

    `hint` is one sentence that tells the reader the next step; it is printed below the message.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MonitorError):
    """The command line or the configuration is wrong (exit code 2)."""

    exit_code = 2


class StoreError(MonitorError):
    """The database cannot be used: damaged, newer, read-only, full."""


class FileGone(StoreError):
    """The file that is open is no longer the one of its name: nothing that is written stays."""


class StoreLocked(StoreError):
    """Another process writes this database.

    `owner` is that process's id where it is known.
    """

    def __init__(self, message: str, *, owner: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.owner = owner


class NotFound(MonitorError):
    """There is nothing of the name or id that was given."""


class Unreachable(MonitorError):
    """A collector elsewhere does not answer: whether it did what it was asked is not known."""


class Forbidden(MonitorError):
    """A collector elsewhere does not let us in, or not do that."""


class Busy(MonitorError):
    """The write queue is full; try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message, hint=f"try again in {retry_after:g} s")
        self.retry_after = retry_after


class QueryError(MonitorError):
    """A query that cannot be answered; `position` is the character (from 0) and `length` how many.

    `text` is the query as written, so that a reader can be shown the place.
    """

    def __init__(
        self, message: str, *, text: str = "", position: int = 0, length: int = 1, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.position = position
        self.length = max(1, length)

    def pointed(self) -> str:
        """The line of the query with carets under the place, then the message; plain text."""
        if not self.text.strip():
            return self.message
        # The end of the query is after its last word, not after blank lines.
        position = min(self.position, len(self.text.rstrip()))
        start = self.text.rfind("\n", 0, position) + 1
        line = _printable(self.text[start:].split("\n", 1)[0])
        at = position - start
        cut = max(0, at - _ROOM // 2) if len(line) > _ROOM else 0
        line, at = line[cut : cut + _ROOM], at - cut
        before = _width(line[:at])
        marks = "^" * max(1, _width(line[at : at + self.length]))
        return f"{line}\n{' ' * before}{marks} {self.message}"


def _printable(text: str) -> str:
    """Blanks for what cannot be seen, so that every character keeps its place."""
    return "".join(char if char.isprintable() else " " for char in text)


def _width(text: str) -> int:
    """Columns that a printable text takes."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


class UnknownMetric(QueryError):
    """A query about a metric of which nothing is known: misspelt, or nobody has sent it yet.

    `name` is what was asked for, `meant` the known name that resembles it; empty where none does.
    """

    name: str = ""
    meant: str = ""
