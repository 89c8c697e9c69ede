"""Small private files of what a person did, one JSON text per line: the queries asked, those pinned.

A line that cannot be read is left out, and what cannot be written is not kept: nobody is kept from working.
"""

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000
"""Of a file; what stands beyond is not read."""


def read(path: Path) -> list[Any]:
    """What stands in the file; nothing where there is none. Blocks."""
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        log.warning("%s cannot be read: %s", path, error.strerror)
        return []
    found: list[Any] = []
    for line in lines:
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def change(path: Path, become: Callable[[list[Any]], Sequence[Any]]) -> None:
    """Put into the file what becomes of what stands there, whole; who else changes it waits. Blocks."""
    try:
        with _alone(path):
            kept = become(read(path))
            _replace(path, b"".join(json.dumps(value).encode() + b"\n" for value in kept))
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    number = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # A file system without locks: the last one to write is right.
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _replace(path: Path, content: bytes) -> None:
    number, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
