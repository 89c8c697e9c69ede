"""TOML files: read, and where in them each key stands."""

import errno
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from tui_monitor.model.errors import UsageError

KeyPath = tuple[str | int, ...]
"""`("alerts", "rules", 0, "expr")`: a key, by the tables and list positions above it."""

BYTE_ORDER_MARK = "\ufeff"
MAX_BYTES = 4_000_000
"""A larger file is not read: it is something else, or has no end."""

_BARE_OR_QUOTED = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
_DOTTED = rf"{_BARE_OR_QUOTED}(?:\s*\.\s*{_BARE_OR_QUOTED})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_PART = re.compile(_BARE_OR_QUOTED)
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class TomlFile:
    """A file's values, and the lines of its keys."""

    def __init__(self, path: Path, values: dict[str, Any], text: str) -> None:
        self.path = path
        self.values = values
        self._lines, self.headers = _lines(text)
        """`headers`: the line, from 1, of each table that has a header of its own."""

    def line(self, key: KeyPath) -> int | None:
        """The line of a key, or of the nearest one above it that has a line of its own."""
        while key:
            if key in self._lines:
                return self._lines[key]
            key = key[:-1]
        return None

    def place(self, key: KeyPath) -> str:
        """`file:line` of a key."""
        line = self.line(key)
        return f"{self.path}:{line}" if line else str(self.path)


def read_toml(path: Path, *, named: bool = True) -> TomlFile:
    """Read a file. Raises `UsageError` that names the file, and the line and column where it is no TOML.

    `named` where somebody named it: that may be a pipe. What is only found in a folder must be a file.
    """
    return parse_toml(path, read_text(path, named=named))


def read_text(path: Path, *, named: bool = True) -> str:
    """A file's text, with the byte order mark if it has one; `named` as above.

    Raises `UsageError` where it is not text.
    """
    try:
        with path.open("rb") if named else os.fdopen(_file(path), "rb") as file:
            body = file.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB, and so no configuration")
        return body.decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: not UTF-8 text") from error


def _file(path: Path) -> int:
    """Open what is a file. A pipe that nobody writes to would keep whoever opens it for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "is not a file")


def parse_toml(path: Path, text: str) -> TomlFile:
    """Text that is, or shall be, in a file. Raises `UsageError` that names file, line and column."""
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        return TomlFile(path, tomllib.loads(text), text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _PLACE.search(message)
        line, column = (found[1], found[2]) if found else (None, None)
        line = line or str(text.count("\n") + 1)
        where = f"{path}:{line}:{column}" if column else f"{path}:{line}"
        told = _PLACE.sub("", message)
        raise UsageError(f"{where}: {told[:1].lower()}{told[1:]}", hint=_advice(text, int(line))) from error
    except RecursionError as error:
        raise UsageError(f"{path}: brackets within brackets, too deep to be read") from error
    except ValueError as error:
        # A whole number of thousands of digits.
        raise UsageError(f"{path}: a number too long to be read") from error


def _advice(text: str, line: int) -> str | None:
    lines = text.splitlines()
    written = lines[line - 1].strip() if line <= len(lines) else ""
    _, equals, value = written.partition("=")
    if equals and value.strip()[:1].isalnum() and not value.strip().isdigit():
        return 'text and lengths of time stand in quotes, like "30s"'
    return None


def _lines(text: str) -> tuple[dict[KeyPath, int], dict[KeyPath, int]]:
    """Lines of tables and keys, and those of headers alone, of a file that is known to be valid.

    A line inside a multi-line string that looks like a key may be taken for one: then a message names a
    wrong line; who writes by line numbers checks the result.
    """
    lines: dict[KeyPath, int] = {}
    headers: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            table = _table(_parts(header[2]), header[1] == "[[", counts)
            lines.setdefault(table, number)
            headers.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines, headers


def _table(names: list[str], listed: bool, counts: dict[KeyPath, int]) -> KeyPath:
    path: KeyPath = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if listed and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]
