"""What is to be told to the channels: written with the change it tells of, gone once it is delivered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.model.alert import Alert, Change
from tui_monitor.model.clock import Micros

if TYPE_CHECKING:
    import aiosqlite

MAX_WAITING = 1_000
"""Notices that wait for one channel; beyond it the oldest go."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of an alert, to be told to one channel; `alert` is as it was after the change."""

    id: int
    channel: str
    key: str
    """The same at each attempt, and of no other notice: whoever gets it twice can tell."""
    alert: Alert
    change: Change
    queued: Micros
    attempts: int = 0
    """Those that failed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a channel's queue stands; `due` is the earliest instant at which something may be tried."""

    count: int = 0
    due: Micros | None = None


FIRST = """NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.channel = outbox.channel
    AND earlier.alert_id = outbox.alert_id AND earlier.id < outbox.id)"""
"""Of one alert the earlier notice goes first, so that nobody hears of an end before the beginning."""


async def put(
    conn: "aiosqlite.Connection",
    channels: Collection[str],
    rows: Sequence[tuple[str, int, str]],
    now: Micros,
) -> int:
    """Queue (alert id, change id, alert's record) for each channel; how many had to go for them.

    Inside a transaction.
    """
    dropped = 0
    for channel in channels if rows else ():
        await conn.executemany(
            "INSERT INTO outbox (channel, alert_id, change, record, queued, due) VALUES (?, ?, ?, ?, ?, ?)",
            [(channel, alert_id, change, record, now, now) for alert_id, change, record in rows],
        )
        cursor = await conn.execute(
            """DELETE FROM outbox WHERE channel = ?1 AND id <= (
            SELECT id FROM outbox WHERE channel = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)""",
            (channel, MAX_WAITING),
        )
        dropped += max(0, cursor.rowcount)
        await cursor.close()
    return dropped


def key_of(alert_id: str, state: str, change: int) -> str:
    """The key that tells notices apart."""
    return f"{alert_id}-{state}-{change}"
