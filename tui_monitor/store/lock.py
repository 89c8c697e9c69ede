"""One writer per database: an advisory lock that the kernel releases however its owner ends."""

import fcntl
import os
import time
from pathlib import Path

from tui_monitor.model.errors import StoreError, StoreLocked

_TRIES = 4
_NAME = 32
"""Bytes for the owner's process id; what it is doing stands behind them."""
_BETWEEN_S = 0.02
"""Who only asks whether it is held holds it for a moment too."""


class WriteLock:
    """Held from `take` to `release`; the file beside the database names the owner's process id."""

    def __init__(self, fd: int, database: Path) -> None:
        self._fd = fd
        self._database = database

    @classmethod
    def take(cls, database: Path) -> "WriteLock":
        """Take the lock. Raises `StoreLocked` with the owner's process id while another holds it."""
        path = lock_file(database)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot write beside {database}: {error.strerror}",
                hint="allow writing to its folder, or name another file with --db",
            ) from error
        try:
            _lock(fd)
        except OSError as error:
            owner = _owner(fd)
            os.close(fd)
            who = f"process {owner}" if owner else "another process"
            raise StoreLocked(
                f"{who} is writing {database}",
                owner=owner,
                hint="use that one, or stop it first; reading beside it is possible",
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(fd, database)

    def keep(self) -> None:
        """Hold it again where its file was removed, so that others see it. Raises `StoreLocked`."""
        held = os.fstat(self._fd)
        try:
            there = os.stat(lock_file(self._database))
        except FileNotFoundError:
            pass
        else:
            if (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino):
                return
        before, self._fd = self._fd, WriteLock.take(self._database)._fd
        os.close(before)

    def tell(self, words: str) -> None:
        """Say in the file what the owner is doing; a line at most."""
        os.ftruncate(self._fd, _NAME)
        os.pwrite(self._fd, words.encode(), _NAME)

    def release(self) -> None:
        """Let others write; the file stays, because removing it would let two hold it."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def held_by(database: Path) -> int | None:
    """Process id of who writes a database now; 0 where that is not known, None where nobody does."""
    try:
        fd = os.open(lock_file(database.resolve()), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _owner(fd) or 0
    finally:
        os.close(fd)
    return None


def since(database: Path) -> str:
    """When its owner took the lock, in local time; empty where that is not known."""
    try:
        taken = lock_file(database.resolve()).stat().st_mtime
    except OSError:
        return ""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(taken))


def told(database: Path) -> str:
    """What the owner said that it is doing."""
    try:
        with lock_file(database.resolve()).open("rb") as file:
            return file.read()[_NAME:].decode("utf-8", "replace")
    except OSError:
        return ""


def _lock(fd: int) -> None:
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if not left:
                raise
            time.sleep(_BETWEEN_S)


def lock_file(database: Path) -> Path:
    """The lock's file."""
    return database.with_name(database.name + ".lock")


def holder(database: Path) -> int | None:
    """The process that holds the lock, or `None`. Looks only: nobody is kept from taking it."""
    try:
        fd = os.open(lock_file(database.resolve()), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    owner = _owner(fd)
    try:
        # Who lets go empties the file; a number left by a killed process is no proof.
        if owner is None or not _alive(owner):
            return None
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return owner
    finally:
        os.close(fd)
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _owner(fd: int) -> int | None:
    text = os.pread(fd, _NAME, 0).decode("ascii", "replace").strip("\0 \n")
    return int(text) if text.isdigit() else None
