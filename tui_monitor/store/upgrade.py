"""Bringing a database that an older version wrote up to date: a copy first, then every step or none."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.errors import StoreError, StoreLocked
from tui_monitor.model.units import size
from tui_monitor.store import lock, migrations, opening
from tui_monitor.store.backup import backup, log_of
from tui_monitor.store.lock import WriteLock
from tui_monitor.store.migrations import Migration

Told = Callable[[str, float], None]
"""Called with what is being done and how much of the whole (0 to 1) is; several times a second."""
UPDATING = "brings it up to date"
"""What the lock's file says of its owner meanwhile."""
COPIES = 2
_SIGN_S = 0.25
_STEPS = 20_000
"""Instructions of SQLite between two looks at the time: a millisecond or so."""
_COPYING = 0.5
"""The copy's part of the whole, where there is one."""
_ROOM = 1.05
_WORK = 0.1
_LEAST = 16_000_000
"""Room that the steps need for the log: a tenth of the database, and so many bytes at least."""


@dataclass(frozen=True, slots=True)
class Update:
    """How it is done. `copies` of before are kept beside the database; with 0 none is made."""

    copies: int = COPIES
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """What was done; `copy` is the database as it was before."""

    steps: tuple[str, ...]
    copy: Path | None

    @property
    def words(self) -> str:
        """For a person: what was done, and how to go back."""
        done = "the database of an older version was brought up to date"
        if self.copy is None:
            return done
        back = f"`tui-monitor db restore {self.copy}`"
        return f"{done}; as it was is {self.copy}; to go back: {back}, then the older version"


class BeingUpdated(StoreLocked):
    """Another process brings the database up to date at this moment."""


def bring_up_to_date(
    path: Path, conn: sqlite3.Connection, update: Update, held: WriteLock | None = None
) -> Updated | None:
    """Apply what is missing; `None` where that is nothing, or the database is new.

    Raises `StoreError` for a file of another program or of a newer version, for a disk with too little room,
    and where a step fails: then the database is as it was.
    """
    opening.check_ours(path, conn)
    steps = migrations.check(path, conn)
    if not steps:
        return None
    if not migrations.applied(conn):
        conn.execute(f"PRAGMA application_id = {opening.APPLICATION_ID}")
        migrations.migrate(conn, steps)
        return None
    if held is not None:
        held.tell(UPDATING)
    signs = _Signs(update.told)
    _check_room(path, update.copies)
    copy = _copy(path, steps[-1].name, update.copies, signs) if update.copies else None
    try:
        _apply(path, conn, steps, signs)
    except BaseException:
        if copy is not None:
            # The database is as it was, so this says nothing that is not there.
            copy.unlink(missing_ok=True)
        raise
    if held is not None:
        held.tell("")
    _prune([copy for step in migrations.known() for copy in _copies(path, step.name)], update.copies)
    return Updated(tuple(step.name for step in steps), copy)


class _Signs:
    """Says how far it is, now and then."""

    def __init__(self, told: Told | None) -> None:
        self._told = told
        self._words = ""
        self.share = 0.0
        """How much of all is done."""
        self._began = 0.0
        self._next = 0.0

    def begin(self, words: str, share: float) -> None:
        """Something begins; `share` of all is done."""
        self._words, self.share, self._began = words, share, time.monotonic()
        self._next = 0.0
        self.sign()

    def sign(self, share: float | None = None) -> None:
        """It goes on."""
        if self._told is None or (now := time.monotonic()) < self._next:
            return
        self._next = now + _SIGN_S
        self.share = self.share if share is None else share
        seconds = int(now - self._began)
        self._told(f"{self._words}, {seconds} s" if seconds else self._words, self.share)

    @contextmanager
    def of(self, conn: sqlite3.Connection) -> Iterator[None]:
        """Signs of life while a connection works."""

        def go_on() -> int:
            self.sign()
            return 0

        if self._told is not None:
            conn.set_progress_handler(go_on, _STEPS)
        try:
            yield
        finally:
            conn.set_progress_handler(None, 0)


def _copy(path: Path, name: str, most: int, signs: _Signs) -> Path:
    # Of those that are left of attempts that were killed, one makes room.
    _prune(_copies(path, name), most - 1)
    number = 1
    while os.path.lexists(target := path.with_name(f"{path.name}.before-{name}-{number}")):
        number += 1
    signs.begin("copying it first", 0.0)

    def told(done: int, total: int) -> None:
        signs.sign(_COPYING * done / max(1, total))

    try:
        backup(path, target, told)
    except StoreError as error:
        raise StoreError(
            f"{path} was not brought up to date, for it could not be copied first: {error.message}",
            hint=error.hint,
        ) from error
    return target


def _apply(path: Path, conn: sqlite3.Connection, steps: list[Migration], signs: _Signs) -> None:
    at = ""
    begun = signs.share

    def told(number: int, step: Migration) -> None:
        nonlocal at
        at = step.name
        share = begun + (1 - begun) * number / len(steps)
        signs.begin(f"step {number + 1} of {len(steps)}, {step.name}", share)

    try:
        with signs.of(conn):
            migrations.migrate(conn, steps, told)
    except Exception as error:
        words = opening.explain(path, error).message if isinstance(error, sqlite3.Error) else str(error)
        raise StoreError(
            f"{path} could not be brought up to date, step {at!r} failed ({words}); it is as it was",
            hint="free some space if the disk is full; the version that wrote it can go on with it",
        ) from error


def _check_room(path: Path, copies: int) -> None:
    stored = path.stat().st_size + log_of(path)
    needed = round(max(_LEAST, stored * _WORK) + (stored * _ROOM if copies else 0))
    with suppress(OSError):
        room = os.statvfs(path.parent)
        free = room.f_bavail * room.f_frsize
        if free < needed:
            what = "for a copy of it and the change" if copies else "for the change"
            raise StoreError(
                f"too little room to bring {path} up to date: {size(needed)} are needed {what}, "
                f"{size(free)} are free in {path.parent}",
                hint="free some space; or copy it to another disk with `tui-monitor db backup FILE`, "
                "and set database.update_copies = 0",
            )


def _copies(path: Path, name: str) -> list[Path]:
    """Copies that were made before this step."""
    prefix = f"{path.name}.before-{name}-"
    with suppress(OSError):
        return [
            file
            for file in path.parent.iterdir()
            if file.name.startswith(prefix) and file.name[len(prefix) :].isdecimal()
        ]
    return []


def _prune(copies: list[Path], most: int) -> None:
    """Keep the newest."""
    with suppress(OSError):
        for old in sorted(copies, key=lambda file: file.stat().st_mtime_ns)[: max(0, len(copies) - most)]:
            old.unlink()


def refused(path: Path, error: StoreLocked) -> StoreLocked:
    """The words for a database that another process writes: who does, since when, and what to do."""
    since = lock.since(path)
    who = f"process {error.owner}" if error.owner else "another process"
    words = f", since {since}" if since else ""
    if lock.told(path) == UPDATING:
        return _updating(path, error.owner)
    if not _older(path):
        return StoreLocked(f"{error.message}{words}", owner=error.owner, hint=error.hint)
    return StoreLocked(
        f"{who} is writing {path}{words}, and is an older version of tui-monitor than this one",
        owner=error.owner,
        hint="end it with `tui-monitor collect --stop`, or q in its window, and start this one again: "
        "it brings the database up to date",
    )


def being_updated(path: Path) -> BeingUpdated | None:
    """The words for a database that another process brings up to date at this moment."""
    owner = lock.held_by(path)
    return None if owner is None or lock.told(path) != UPDATING else _updating(path, owner)


def _updating(path: Path, owner: int | None) -> BeingUpdated:
    who = f"process {owner}" if owner else "another process"
    return BeingUpdated(
        f"{who} is bringing {path} up to date, since {lock.since(path)}",
        owner=owner,
        hint="wait until it is done",
    )


def _older(path: Path) -> bool:
    try:
        with opening.explained(path):
            conn = opening.connect_quietly(path)
            try:
                return bool(migrations.check(path, conn))
            finally:
                conn.close()
    except StoreError:
        return False
