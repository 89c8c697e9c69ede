"""A copy of the database while it is in use, and the way back."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.config import places
from tui_monitor.model.errors import StoreError
from tui_monitor.store import migrations, opening
from tui_monitor.store.lock import WriteLock

Progress = Callable[[int, int], None]
"""Called with pages done and pages in all."""
_PAGES = 2_000
"""Pages copied at a time; between two steps others may write."""
_PAUSE = 0.005
_INSTRUCTIONS = 20_000
"""Of SQLite, between two signs that it is still checking."""
_ROOM = 1.05
"""How much more room than the database takes there must be before anything is copied."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy."""

    path: Path
    bytes: int
    calls: int


def backup(source: Path, target: Path, progress: Progress | None = None) -> Backup:
    """Copy the database as it is at one moment; a collector may go on writing.

    The copy appears under its name only when it is whole and was checked. Raises `StoreError` for a target
    that exists, a disk with too little room, and a source that cannot be read or is damaged.
    """
    opening.check_file(source, write=False)
    part = target.with_name(target.name + ".part")
    try:
        if os.path.lexists(target):
            raise StoreError(f"{target} exists already", hint="name another file, or remove that one first")
        _check_room(source, target.parent)
        _remove(part)
        opening.create_file(part)
        with opening.explained(source), closing(opening.connect_reader(source)) as conn:
            opening.check_ours(source, conn)
            with opening.explained(part), closing(sqlite3.connect(part, isolation_level=None)) as copy:
                try:
                    with _naming_damage():
                        _copy(conn, copy, progress)
                    # A copy is one file, whoever looks into it; the database gets its log back when used.
                    copy.execute("PRAGMA journal_mode = DELETE")
                    calls = _checked(copy, progress)
                except _Damaged as error:
                    raise _no_copy(source, str(error)) from error
        _settle(part)
        os.replace(part, target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from error
    finally:
        _remove(part)
    return Backup(target, target.stat().st_size, calls)


def restore(copy: Path, target: Path, progress: Progress | None = None) -> Path | None:
    """Put a copy in the place of the database; what was there is set aside, and its new name returned.

    Raises `StoreLocked` while a collector writes the database, and `StoreError` for a copy that is not
    whole, of another program or of a newer version; then nothing was changed.
    """
    opening.check_file(copy, write=False)
    with opening.explained(copy), closing(opening.connect_reader(copy)) as conn:
        opening.check_ours(copy, conn)
        migrations.check(copy, conn)
        if not migrations.applied(conn):
            raise StoreError(f"{copy} holds no data", hint="name a copy made with `tui-monitor db backup`")
        try:
            _checked(conn)
        except _Damaged as error:
            raise StoreError(f"{copy} is damaged ({error})", hint="use another copy") from error
    # A link stays a link; the lock and the log lie beside the file that it leads to.
    target = target.resolve()
    try:
        places.make(target.parent)
        lock = WriteLock.take(target)
        try:
            return _put_in_place(copy, target, progress)
        finally:
            lock.release()
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from error


def _put_in_place(copy: Path, target: Path, progress: Progress | None) -> Path | None:
    fresh = target.with_name(target.name + ".restored")
    _remove(fresh)
    try:
        backup(copy, fresh, progress)
        version = _fold_log(target)
        _go_on_from(fresh, version)
        aside = _set_aside(target)
        os.replace(fresh, target)
    finally:
        _remove(fresh)
    return aside


def _fold_log(target: Path) -> int:
    """Put what is in the log into the file, so that one name is all of the database; its version.

    Whoever ends this process at any moment then leaves the old database or the new one. Raises `StoreError`
    while somebody reads it. Where it is too damaged for that, its log goes with it.
    """
    if not target.exists() or not target.stat().st_size:
        return 0
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(target, isolation_level=None)) as conn:
        conn.execute("PRAGMA busy_timeout = 10000")
        (busy, *_) = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"{target} is being read by another process",
                hint="close what shows it (tui-monitor, a query) for a moment, and try again",
            )
        return conn.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0]
    return 0


def _go_on_from(fresh: Path, version: int) -> None:
    """Who looks on sees by the version that something else is there now."""
    with closing(sqlite3.connect(fresh, isolation_level=None)) as conn:
        conn.execute("UPDATE meta SET value = max(value, ?) + 1 WHERE name = 'version'", (version,))
        conn.execute(
            """UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'version')
            WHERE name = 'changed'"""
        )
        # An older version of the schema has none.
        conn.execute("UPDATE meta SET value = random() WHERE name = 'samples_changed'")
    _settle(fresh)


def _copy(conn: sqlite3.Connection, copy: sqlite3.Connection, progress: Progress | None) -> None:
    def told(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    # One transaction of a reader: every step sees the same moment, and no writer makes it begin again.
    conn.execute("BEGIN")
    try:
        conn.execute("SELECT 1 FROM sqlite_master").fetchone()
        conn.backup(copy, pages=_PAGES, progress=told, sleep=_PAUSE)
    finally:
        conn.execute("ROLLBACK")


class _Damaged(Exception):
    """A page is damaged; the message is what SQLite says."""


def _no_copy(source: Path, why: str) -> StoreError:
    return StoreError(
        f"the database {source} is damaged ({why}); no copy was kept",
        hint="`tui-monitor db check` names what is damaged; put an older copy back with "
        "`tui-monitor db restore FILE`, or take out the calls that can be read with `tui-monitor db export`",
    )


def _checked(conn: sqlite3.Connection, progress: Progress | None = None) -> int:
    """How many calls it holds; `progress` hears that it goes on. Raises `_Damaged`."""

    def go_on() -> int:
        if progress is not None:
            progress(1, 1)
        return 0

    with _naming_damage():
        conn.set_progress_handler(go_on, _INSTRUCTIONS)
        found = opening.verdicts(conn, "quick_check(1)")
        conn.set_progress_handler(None, 0)
        if found:
            raise _Damaged(found[0][:120])
        return conn.execute("SELECT value FROM meta WHERE name = 'calls'").fetchone()[0]


@contextmanager
def _naming_damage() -> Iterator[None]:
    """Raise `_Damaged` where SQLite meets a page that it cannot use."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith("SQLITE_CORRUPT"):
            raise _Damaged(str(error)) from error
        raise


def log_of(path: Path) -> int:
    """Bytes of the log beside a database."""
    wal = path.with_name(path.name + "-wal")
    return wal.stat().st_size if wal.exists() else 0


def _check_room(source: Path, folder: Path) -> None:
    needed = round((source.stat().st_size + log_of(source)) * _ROOM)
    with suppress(OSError):
        room = os.statvfs(folder)
        free = room.f_bavail * room.f_frsize
        if free < needed:
            raise StoreError(
                f"too little room in {folder}: {needed:,} bytes are needed, {free:,} are free",
                hint="name a file on another disk",
            )


def _settle(path: Path) -> None:
    """On the disk before it gets its name."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _set_aside(target: Path) -> Path | None:
    """Give the database that is there another name, too: the first that is free.

    A log that could not be folded in goes along.
    """
    if not target.exists() or not target.stat().st_size:
        return None
    number = 1
    while _taken(aside := target.with_name(f"{target.name}.before-restore-{number}"), target):
        number += 1
    wal = target.with_name(target.name + "-wal")
    if log_of(target):
        # The log belongs to the old file: beside the new one it would damage it.
        os.replace(wal, aside.with_name(aside.name + "-wal"))
    _remove(wal)
    _remove(target.with_name(target.name + "-shm"))
    try:
        # Its name is not free for a moment: the new one takes it over.
        _remove(aside)
        os.link(target, aside)
    except OSError:
        os.replace(target, aside)
    return aside


def _taken(aside: Path, target: Path) -> bool:
    if aside.exists():
        # The same file is what somebody left who was killed before the last step.
        return not aside.samefile(target)
    return aside.with_name(aside.name + "-wal").exists()


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
