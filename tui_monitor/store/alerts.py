"""Alerts and their history: small, written as they change, and there again after a restart."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiosqlite
import orjson

from tui_monitor.model.alert import Alert, Change
from tui_monitor.model.clock import Micros
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.store import migrations, opening
from tui_monitor.store.jsontext import to_json

_PATIENCE = 10.0
"""Seconds to wait for another process's transaction."""


class AlertStore:
    """Alerts in the store's database. Every method may raise `StoreError`.

    A writer gives the `guard` of the store that holds the database's lock, so that the two never wait for
    each other inside SQLite.
    """

    def __init__(self, path: Path, conn: aiosqlite.Connection, guard: "threading.Lock | None") -> None:
        self.path = path
        self._conn = conn
        self._guard = guard or threading.Lock()
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, *, write: bool, guard: "threading.Lock | None" = None) -> "AlertStore":
        """Open the alerts of a database, and create or upgrade it when writing."""
        await asyncio.to_thread(_prepare, path, write)
        mode = "rw" if write else "ro"
        with opening.explained(path):
            uri = f"{path.resolve().as_uri()}?mode={mode}"
            conn = await aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
        return cls(path, conn, guard)

    async def close(self) -> None:
        """Close the connection."""
        await self._conn.close()

    async def load(self) -> list[Alert]:
        """All alerts that are not resolved, oldest first."""
        return await self._alerts("state <> ? ORDER BY since, id", AlertState.RESOLVED)

    async def resolved_since(self, instant: Micros) -> list[Alert]:
        """Alerts resolved at or after an instant, newest first."""
        return await self._alerts(
            "state = ? AND resolved >= ? ORDER BY resolved DESC, id", AlertState.RESOLVED, instant
        )

    async def get(self, alert_id: str) -> Alert | None:
        """One alert."""
        found = await self._alerts("id = ?", alert_id)
        return found[0] if found else None

    async def history(self, alert_id: str) -> list[Change]:
        """An alert's changes, oldest first."""
        rows = await self._rows(
            "SELECT alert_id, at, state, who, note, value FROM alert_changes WHERE alert_id = ? ORDER BY id",
            (alert_id,),
        )
        return [Change(i, at, AlertState(state), who, note, value) for i, at, state, who, note, value in rows]

    async def save(self, alerts: Sequence[Alert], changes: Sequence[Change]) -> None:
        """Store alerts as they are now, and add to their history; one transaction."""
        if not alerts and not changes:
            return
        records = [(a.id, a.state, a.since, a.resolved, _record(a)) for a in alerts]
        rows = [(c.alert_id, c.at, c.state, c.who, c.note, c.value) for c in changes]
        async with self._transaction():
            await self._conn.executemany("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?)", records)
            await self._conn.executemany(
                """INSERT INTO alert_changes (alert_id, at, state, who, note, value)
                VALUES (?, ?, ?, ?, ?, ?)""",
                rows,
            )

    async def _alerts(self, condition: str, *bounds: object) -> list[Alert]:
        rows = await self._rows(f"SELECT record FROM alerts WHERE {condition}", bounds)
        return [_alert(orjson.loads(record)) for (record,) in rows]

    async def _rows(self, sql: str, bounds: Sequence[object]) -> list[tuple[Any, ...]]:
        with opening.explained(self.path):
            # The turn keeps a reader out of a transaction that is not committed yet.
            async with self._turn, self._conn.execute(sql, bounds) as cursor:
                return [tuple(row) for row in await cursor.fetchall()]

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        with opening.explained(self.path):
            async with _held(self._guard), self._turn:
                await self._conn.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    await self._conn.execute("COMMIT")
                except BaseException:
                    await self._conn.rollback()
                    raise


def _prepare(path: Path, write: bool) -> None:
    opening.check_file(path, write=write)
    if write:
        opening.create_file(path)
    with opening.explained(path), closing(opening.connect(path, write=write)) as conn:
        migrations.bring_up_to_date(path, conn, write=write)


@asynccontextmanager
async def _held(guard: threading.Lock) -> AsyncIterator[None]:
    """Hold a thread's lock without holding up the loop."""
    taking = asyncio.ensure_future(asyncio.to_thread(guard.acquire))
    try:
        await asyncio.shield(taking)
    except asyncio.CancelledError:
        # The thread goes on waiting; what it gets then must be given back.
        taking.add_done_callback(lambda _: guard.release())
        raise
    try:
        yield
    finally:
        guard.release()


_FIELDS = tuple(f.name for f in dataclasses.fields(Alert))


def _record(alert: Alert) -> str:
    return to_json({name: getattr(alert, name) for name in _FIELDS})


def _alert(record: Mapping[str, Any]) -> Alert:
    # A field that this version does not know is left; one that the record lacks has its default.
    fields = {name: record[name] for name in _FIELDS if name in record}
    fields["severity"] = Severity(fields["severity"])
    fields["state"] = AlertState(fields["state"])
    fields["spark"] = tuple(fields.get("spark", ()))
    return Alert(**fields)
