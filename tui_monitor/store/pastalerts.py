"""Alerts and silences that are over: kept for a while, with their history, and no more than so many."""

import json

from tui_monitor.model.clock import DAY, Micros
from tui_monitor.store.writing import WriteSide

FIRED_KEPT = 400 * DAY
"""How long an alert that fired is kept after its end."""
PENDING_KEPT = 30 * DAY
"""How long one that never fired is kept, and a silence after its end."""
MOST = 100_000
"""Alerts that are over; beyond it the oldest go, those that never fired first."""
_STEP = 1_000
_NEVER_FIRED = "json_extract(record, '$.fired') IS NULL"


def expire(side: WriteSide, now: Micros) -> int:
    """Drop alerts that ended long ago, in short transactions; how many. Open ones are never touched."""
    dropped = _drop(side, "resolved <= ?", now - FIRED_KEPT)
    dropped += _drop(side, f"resolved <= ? AND {_NEVER_FIRED}", now - PENDING_KEPT)
    for condition in (f"resolved <= ? AND {_NEVER_FIRED}", "resolved <= ?"):
        dropped += _drop(side, condition, now, _beyond(side))
    with side.transaction():
        side.conn.execute("DELETE FROM silences WHERE ends < ?", (now - PENDING_KEPT,))
    return dropped


def _beyond(side: WriteSide) -> int:
    """How many there are too many."""
    with side.transaction():
        (count,) = side.conn.execute("SELECT count(*) FROM alerts WHERE state = 'resolved'").fetchone()
    return max(0, count - MOST)


def _drop(side: WriteSide, condition: str, instant: Micros, most: int | None = None) -> int:
    """Drop the oldest for which the condition holds, so many at most; how many there were."""
    dropped = 0
    while (limit := _STEP if most is None else min(_STEP, most - dropped)) > 0:
        with side.transaction():
            found = side.conn.execute(
                f"SELECT id FROM alerts WHERE state = 'resolved' AND {condition} ORDER BY resolved LIMIT ?",
                (instant, limit),
            ).fetchall()
            ids = json.dumps([alert_id for (alert_id,) in found])
            # What still waits to be told of them goes too: it is told with the row of history.
            for table, column in (("outbox", "alert_id"), ("alert_changes", "alert_id"), ("alerts", "id")):
                side.conn.execute(
                    f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (ids,)
                )
        dropped += len(found)
        if len(found) < limit:
            break
    return dropped
