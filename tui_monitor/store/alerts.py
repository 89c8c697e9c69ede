"""Alerts, their history, silences and what is to be told: written together, there again after a restart."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiosqlite
import orjson

from tui_monitor.model.alert import Alert, Change, Matcher, Silence
from tui_monitor.model.clock import Micros
from tui_monitor.model.once import Once
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.store import acts, migrations, opening, outbox, upgrade
from tui_monitor.store.acts import Done
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.outbox import Notice, Waiting
from tui_monitor.store.turns import TurnLock
from tui_monitor.store.upgrade import Update

MAX_SILENCES = 20_000
"""Silences that are kept, those that are over included."""
_PATIENCE = 10.0
"""Seconds to wait for another process's transaction."""


class AlertStore:
    """Alerts in the store's database. Every method may raise `StoreError`.

    A writer gives the `guard` of the store that holds the database's lock, so that the two never wait for
    each other inside SQLite.
    """

    def __init__(self, path: Path, conn: aiosqlite.Connection, guard: TurnLock | None) -> None:
        self.path = path
        self._conn = conn
        self._guard = guard or TurnLock()
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, *, write: bool, guard: TurnLock | None = None) -> "AlertStore":
        """Open the alerts of a database, and create or upgrade it when writing."""
        await asyncio.to_thread(_prepare, path, write)
        mode = "rw" if write else "ro"
        with opening.explained(path):
            uri = f"{path.resolve().as_uri()}?mode={mode}"
            conn = await aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
            try:
                await conn.execute("PRAGMA secure_delete = ON")
            except BaseException:
                await conn.close()
                raise
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

    async def starting_with(self, start: str) -> list[Alert]:
        """Alerts whose id begins so, ended ones too; two at most."""
        return await self._alerts("substr(id, 1, ?) = ? ORDER BY id LIMIT 2", len(start), start)

    async def history(self, alert_id: str) -> list[Change]:
        """An alert's changes, oldest first."""
        rows = await self._rows(
            "SELECT alert_id, at, state, who, note, value FROM alert_changes WHERE alert_id = ? ORDER BY id",
            (alert_id,),
        )
        return [_change(row) for row in rows]

    async def silences(self, since: Micros) -> list[Silence]:
        """Silences that end after an instant, the first to end first."""
        rows = await self._rows("SELECT record FROM silences WHERE ends > ? ORDER BY ends, id", (since,))
        return [_silence(orjson.loads(record)) for (record,) in rows]

    async def save(
        self,
        alerts: Sequence[Alert],
        changes: Sequence[Change],
        silences: Sequence[Silence] = (),
        *,
        tell: Collection[str] = (),
        channels: Collection[str] = (),
        now: Micros = 0,
        done: Done | None = None,
    ) -> int:
        """Store alerts and silences as they are now, and add to the history; one transaction.

        The changes of the alerts in `tell` (ids) are queued for the channels. Returns how many older
        notices had to make room for them. `done` is the act that all this comes of.
        """
        if not alerts and not changes and not silences and done is None:
            return 0
        records = {a.id: _record(a) for a in alerts}
        told: list[tuple[str, int, str]] = []
        async with self._transaction():
            await self._conn.executemany(
                "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?)",
                [(a.id, a.state, a.since, a.resolved, records[a.id]) for a in alerts],
            )
            await self._conn.executemany(
                "INSERT OR REPLACE INTO silences VALUES (?, ?, ?, ?)",
                [(s.id, s.starts, s.ends, to_json(dataclasses.asdict(s))) for s in silences],
            )
            for change in changes:
                number = await self._write(change)
                if change.alert_id in tell and change.alert_id in records:
                    told.append((change.alert_id, number, records[change.alert_id]))
            if done is not None:
                await self._conn.execute(acts.NOTE, done.row(now))
                await self._conn.execute(acts.FORGET, acts.bounds(now))
            return await outbox.put(self._conn, channels, told, now)

    async def alert_of(self, once: Once) -> Alert | None:
        """What was answered to an act about an alert, where it was done; see `acts.answer_in`."""
        record = acts.answer_in(await self._rows(acts.FIND, (once.key,)), once, "alert")
        return None if record is None else _alert(record)

    async def silence_of(self, once: Once) -> Silence | None:
        """What was answered to an act about a silence, where it was done; see `acts.answer_in`."""
        record = acts.answer_in(await self._rows(acts.FIND, (once.key,)), once, "silence")
        return None if record is None else _silence(record)

    async def forget_silences(self, before: Micros) -> None:
        """Delete silences that ended before an instant, and the oldest beyond `MAX_SILENCES`."""
        async with self._transaction():
            await self._conn.execute(
                """DELETE FROM silences WHERE ends < ? OR ends < (
                SELECT ends FROM silences ORDER BY ends DESC LIMIT 1 OFFSET ?)""",
                (before, MAX_SILENCES),
            )

    async def waiting(self, channel: str) -> Waiting:
        """How a channel's queue stands."""
        sql = f"SELECT count(*), min(CASE WHEN {outbox.FIRST} THEN due END) FROM outbox WHERE channel = ?"
        ((count, due),) = await self._rows(sql, (channel,))
        return Waiting(count, due)

    async def due_notices(self, channel: str, now: Micros, longest: Micros, limit: int = 20) -> list[Notice]:
        """What may be tried now, the oldest first; of one alert only its earliest notice.

        One that would wait for more than `longest` was put off by a clock that has been set back since.
        """
        rows = await self._rows(
            f"""SELECT outbox.id, channel, outbox.record, queued, attempts, c.id,
            c.alert_id, c.at, c.state, c.who, c.note, c.value
            FROM outbox JOIN alert_changes AS c ON c.id = outbox.change
            WHERE channel = ? AND (due <= ? OR due > ?) AND {outbox.FIRST} ORDER BY outbox.id LIMIT ?""",
            (channel, now, now + longest, limit),
        )
        return [_notice(row) for row in rows]

    async def delivered(self, notice: Notice) -> None:
        """Forget a notice that its channel has taken."""
        async with self._transaction():
            await self._conn.execute("DELETE FROM outbox WHERE id = ?", (notice.id,))

    async def put_off(self, notice: Notice, due: Micros, error: str) -> None:
        """Try a notice again at an instant, because of an error."""
        async with self._transaction():
            await self._conn.execute(
                "UPDATE outbox SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?",
                (due, error, notice.id),
            )

    async def give_up(self, before: Micros) -> int:
        """Delete notices of every channel that were queued before an instant; how many."""
        async with self._transaction():
            cursor = await self._conn.execute("DELETE FROM outbox WHERE queued < ?", (before,))
            count = cursor.rowcount
            await cursor.close()
        return count

    async def _write(self, change: Change) -> int:
        """Add to the history; the number of the row."""
        cursor = await self._conn.execute(
            "INSERT INTO alert_changes (alert_id, at, state, who, note, value) VALUES (?, ?, ?, ?, ?, ?)",
            (change.alert_id, change.at, change.state, change.who, change.note, change.value),
        )
        number = cursor.lastrowid
        await cursor.close()
        assert number is not None
        return number

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
        if write:
            upgrade.bring_up_to_date(path, conn, Update())
        else:
            migrations.refuse_older(path, conn)


@asynccontextmanager
async def _held(guard: TurnLock) -> AsyncIterator[None]:
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


def _change(row: Sequence[Any]) -> Change:
    alert_id, at, state, who, note, value = row
    return Change(alert_id, at, AlertState(state), who, note, value)


def _silence(record: Mapping[str, Any]) -> Silence:
    known = {field.name: record[field.name] for field in dataclasses.fields(Silence) if field.name in record}
    known["matchers"] = tuple(Matcher(**matcher) for matcher in known["matchers"])
    return Silence(**known)


def _notice(row: Sequence[Any]) -> Notice:
    number, channel, record, queued, attempts, change_id, *change = row
    told = _change(change)
    key = outbox.key_of(told.alert_id, told.state, change_id)
    return Notice(number, channel, key, _alert(orjson.loads(record)), told, queued, attempts)
