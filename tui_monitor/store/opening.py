"""Opening a database file: what can be wrong with it, said so that a person can act on it."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui_monitor.config import places
from tui_monitor.model.errors import StoreError

APPLICATION_ID = 0x544D4F4E
"""Marks the file as ours in SQLite's header."""
_SMALL = 16_000_000
"""Bytes up to which a database that was not closed cleanly is checked when it is opened."""
_STEPS = 20_000
"""Instructions of SQLite between two looks at the time: a millisecond or so."""

_REASONS: tuple[tuple[str, str, str], ...] = (
    ("SQLITE_FULL", "the disk is full", "free some space, or lower retention.size"),
    ("SQLITE_NOTADB", "it is not a database", "name another file with --db, or move this one aside"),
    ("SQLITE_CORRUPT", "it is damaged", "put a copy back (`tui-monitor db restore FILE`) or move it aside"),
    ("SQLITE_READONLY", "it is read-only", "allow writing to it and its folder, or name another with --db"),
    ("SQLITE_PERM", "access is denied", "allow reading and writing the file and its folder"),
    ("SQLITE_CANTOPEN", "it cannot be opened", "check that the folder exists and may be written to"),
    ("SQLITE_BUSY", "another program holds it", "close what else has the file open and try again"),
    ("SQLITE_LOCKED", "another program holds it", "close what else has the file open and try again"),
    ("SQLITE_IOERR", "the disk reports an error", "check the disk and the free space"),
)  # fmt: skip


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a `StoreError` that names the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(path, error) from error
    except OverflowError as error:
        raise StoreError(f"cannot use {path}: a number does not fit in 64 bits") from error


def explain(path: Path, error: sqlite3.Error) -> StoreError:
    """The `StoreError` for one of SQLite's errors."""
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, reason, hint in _REASONS:
        if name.startswith(prefix):
            return StoreError(f"cannot use {path}: {reason}", hint=hint)
    return StoreError(f"cannot use {path}: {error}")


def check_file(path: Path, *, write: bool) -> None:
    """Refuse what can never be opened: a directory, another kind of file, no permission."""
    if path.is_dir():
        raise StoreError(f"cannot use {path}: it is a directory", hint="name a file with --db")
    if not path.exists():
        if not write:
            raise StoreError(
                f"no database yet at {path}",
                hint="run tui-monitor or tui-monitor collect to gather data, or tui-monitor import FILE",
            )
        return
    # The file is not opened to look into it: as soon as a process closes any descriptor of a file, POSIX
    # gives up all its locks on it, those of SQLite's connections too. The collector would then believe that
    # nobody reads when it ends, and take the log away under a viewer. SQLite tells what is no database.
    if not os.access(path, os.R_OK):
        raise StoreError(f"cannot read {path}: Permission denied", hint="check its permissions")
    if write and not os.access(path, os.W_OK):
        raise StoreError(
            f"cannot write {path}: it is read-only",
            hint="allow writing to it, or name another file with --db",
        )


def create_file(path: Path) -> None:
    """Make an empty file that only its owner can read, and its folder where that is missing."""
    try:
        places.make(path.parent)
        with suppress(FileExistsError):
            # Never one that is there: see `check_file`.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"cannot create {path}: {error.strerror}",
            hint="check that the folder may be written to, or name another file with --db",
        ) from error


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection of either kind."""
    return connect_writer(path) if write else connect_reader(path)


def connect_writer(path: Path, synchronous: str = "normal") -> sqlite3.Connection:
    """The one connection that writes; used by one thread at a time."""
    conn = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        # Only takes effect before the first table; lets space be given back in small steps.
        conn.execute("PRAGMA auto_vacuum = INCREMENTAL")
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute(f"PRAGMA synchronous = {'FULL' if synchronous == 'full' else 'NORMAL'}")
        conn.execute("PRAGMA wal_autocheckpoint = 8000")
        conn.execute("PRAGMA journal_size_limit = 67108864")
        conn.execute("PRAGMA cache_size = -65536")
        conn.execute("PRAGMA temp_store = MEMORY")
        # Nothing that was deleted or corrected can be read from the file; some builds do it unasked.
        conn.execute("PRAGMA secure_delete = ON")
    except BaseException:
        conn.close()
        raise
    return conn


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; any number of them, each used by one thread at a time."""
    uri = path.resolve().as_uri()
    try:
        return _reading(f"{uri}?mode=ro")
    except sqlite3.OperationalError:
        wal = path.with_name(path.name + "-wal")
        # On a read-only disk SQLite cannot make its shared memory; without a log none is needed.
        if wal.exists() and wal.stat().st_size:
            raise
        return _reading(f"{uri}?mode=ro&immutable=1")


def _reading(uri: str) -> sqlite3.Connection:
    conn = sqlite3.connect(uri, uri=True, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        conn.execute("PRAGMA query_only = ON")
        conn.execute("PRAGMA cache_size = -16384")
        conn.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        conn.close()
        raise
    return conn


@contextmanager
def moment(conn: sqlite3.Connection) -> Iterator[None]:
    """What is read within is of one moment."""
    conn.execute("BEGIN")
    try:
        yield
    finally:
        conn.execute("ROLLBACK")


def connect_quietly(path: Path, seconds: float = 1.0) -> sqlite3.Connection:
    """A connection that reads and leaves no trace, not even the files of a log; waits so long for a lock."""
    # Without a log and its index SQLite would make them even to read.
    logged = all(path.with_name(path.name + end).exists() for end in ("-wal", "-shm"))
    mode = "mode=ro" if logged else "mode=ro&immutable=1"
    uri = f"{path.resolve().as_uri()}?{mode}"
    return sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None)


def stop_after(conn: sqlite3.Connection, seconds: float) -> None:
    """Interrupt what takes longer, from now on."""
    until = time.monotonic() + seconds
    conn.set_progress_handler(lambda: time.monotonic() > until, _STEPS)


def check_ours(path: Path, conn: sqlite3.Connection) -> None:
    """Refuse a database that another program made."""
    (mark,) = conn.execute("PRAGMA application_id").fetchone()
    (tables,) = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if mark != APPLICATION_ID and tables:
        raise StoreError(
            f"cannot use {path}: it is another program's database",
            hint="name another file with --db; it was not changed",
        )


def verdicts(conn: sqlite3.Connection, check: str) -> list[str]:
    """What a pragma like `quick_check(1)` finds wrong, without headings like `*** in database main ***`."""
    rows = conn.execute(f"PRAGMA {check}").fetchall()
    lines = [line for (text,) in rows for line in text.splitlines() if line != "ok"]
    return [line for line in lines if not line.startswith("*** in database ")] or lines


def check_after_crash(path: Path, conn: sqlite3.Connection) -> None:
    """A quick look for damage in a small database; a large one would make the start slow."""
    if path.stat().st_size > _SMALL:
        return
    found = verdicts(conn, "quick_check(1)")
    if found:
        raise StoreError(
            f"cannot use {path}: it is damaged ({found[0][:120]})",
            hint="move it aside and start again; it was not changed",
        )
