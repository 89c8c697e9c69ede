"""Which sources people have paused: kept in the database, so that it outlasts the collector."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.once import Once
from tui_monitor.model.text import clean
from tui_monitor.store.acts import Done
from tui_monitor.store.api import WriteBatch, WriteResult

_PREFIX = "paused:"
_KIND = "source"


class Notes(Protocol):
    """What is asked of the store."""

    def write(self, batch: WriteBatch) -> WriteResult:
        """Store a batch in one transaction."""
        ...

    def answered(self, once: Once, kind: str) -> Any:
        """What was answered to an act, where it is done already."""
        ...

    def offsets(self, prefix: str) -> dict[str, str]:
        """Every key that begins so, with its text."""
        ...


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused a source, and when."""

    who: str
    at: Micros

    def words(self, calendar: Calendar, now: Micros) -> str:
        """`paused by ana 14:02`; with the day where that is another one."""
        wall = calendar.local(self.at)
        today = wall.date() == calendar.day_of(now)
        return f"paused by {self.who} {wall:%H:%M}" if today else f"paused by {self.who} {wall:%d %b %H:%M}"


def load(store: Notes) -> dict[str, Pause]:
    """Every paused source by its name. Blocks; raises `StoreError`."""
    found: dict[str, Pause] = {}
    for key, text in store.offsets(_PREFIX).items():
        try:
            note = json.loads(text)
            found[key.removeprefix(_PREFIX)] = Pause(clean(str(note["who"]), 64), int(note["at"]))
        except (ValueError, KeyError, TypeError):
            # Somebody wrote it by hand: the pause holds, whoever it was.
            found[key.removeprefix(_PREFIX)] = Pause("somebody", 0)
    return found


def keep(store: Notes, name: str, pause: Pause | None, once: Once | None = None) -> bool:
    """Note that a source is paused, or with None that it is not. Blocks; raises `StoreError`.

    Gives false, and changes nothing, where that act is done already.
    """
    if once is not None and store.answered(once, _KIND):
        return False
    text = json.dumps(asdict(pause)) if pause else ""
    done = None if once is None else Done(once, _KIND, True)
    store.write(WriteBatch(offsets={_PREFIX + name: text}, done=done))
    return True
