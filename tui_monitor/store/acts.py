"""Acts that are done once: noted in the transaction that does them, with what was answered.

Who asks again under the same name gets that answer, also where the collector was killed in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.once import Once
from tui_monitor.store.jsontext import to_json

if TYPE_CHECKING:
    import sqlite3

KEPT = 7 * DAY
"""How long an act is remembered."""
MAX_ACTS = 10_000
"""Of those, the newest."""

FIND = "SELECT body, answer FROM acts WHERE key = ?"
NOTE = "INSERT OR REPLACE INTO acts (key, body, answer, at) VALUES (?, ?, ?, ?)"
FORGET = "DELETE FROM acts WHERE at < ? OR id <= (SELECT max(id) FROM acts) - ?"


@dataclass(frozen=True, slots=True)
class Done:
    """An act and its answer: `kind` names what the answer is, `answer` can be written as JSON."""

    once: Once
    kind: str
    answer: Any

    def row(self, now: Micros) -> tuple[Any, ...]:
        """For `NOTE`."""
        return self.once.key, self.once.body, to_json({self.kind: self.answer}), now


def bounds(now: Micros) -> tuple[Micros, int]:
    """For `FORGET`."""
    return now - KEPT, MAX_ACTS


def answer_in(rows: Sequence[Sequence[Any]], once: Once, kind: str) -> Any:
    """The first answer, from what `FIND` gives; None where the act is not done yet.

    Raises `MonitorError` where something else was asked under this name.
    """
    if not rows:
        return None
    ((body, text),) = rows
    answer = orjson.loads(text)
    if body != once.body or kind not in answer:
        raise MonitorError(
            "this Idempotency-Key was used for something else", hint="give each act a key of its own"
        )
    return answer[kind]


def find(conn: "sqlite3.Connection", once: Once, kind: str) -> Any:
    """As `answer_in`."""
    return answer_in(conn.execute(FIND, (once.key,)).fetchall(), once, kind)


def note(conn: "sqlite3.Connection", done: Done, now: Micros) -> None:
    """Note an act, inside the transaction that does it."""
    conn.execute(NOTE, done.row(now))
    conn.execute(FORGET, bounds(now))
