"""Changes to the configuration file that leave all the rest of it as a person wrote it.

A change is refused, and the file stays as it was, if the program would not start with the result. Who else
changes it at the same time loses nothing: processes of ours wait for each other, and what an editor saves
meanwhile is read again.
"""

import errno
import fcntl
import os
import re
import stat
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

from tui_monitor.config import places
from tui_monitor.config.toml import BYTE_ORDER_MARK, KeyPath, parse_toml, read_text
from tui_monitor.model.errors import UsageError

_PATIENCE = 5.0
"""Seconds that another process may take for its change."""
_TRIES = 5
"""Times a change is begun anew because the file became another under it."""

_Edit = Callable[[str], str]
_Check = Callable[[Path, str], None]


def set_values(path: Path, values: Mapping[str, object]) -> None:
    """Set keys like `consent.agent_logs`; None takes a key out. Makes the file if there is none.

    Raises `UsageError`, and changes nothing, where the file cannot be written, is no good itself, or would
    not load afterwards.
    """

    def edit(text: str) -> str:
        for key, value in values.items():
            text = _set(text, tuple(key.split(".")), value)
        return text

    _change(path, edit)


def append_table(path: Path, where: str, table: Mapping[str, object]) -> None:
    """Add one `[[where]]` table after the others of its list. Raises as `set_values`."""
    _change(path, lambda text: _append(text, tuple(where.split(".")), table))


def update_table(path: Path, where: str, name: str, values: Mapping[str, object]) -> None:
    """Set keys of the `[[where]]` table that has this `name`; None takes a key out.

    Raises as `set_values`, and where no table is called so.
    """

    def edit(text: str) -> str:
        listed = tuple(where.split("."))
        found = _at(tomllib.loads(text), listed)
        tables: list[Any] = found if isinstance(found, list) else []
        names = [table.get("name") if isinstance(table, dict) else None for table in tables]
        if name not in names:
            raise UsageError(f"{path}: no {where} is named {name!r}")
        for key, value in values.items():
            text = _set(text, (*listed, names.index(name), key), value)
        return text

    _change(path, edit)


def set_entry(path: Path, key: KeyPath, value: object, check: _Check) -> None:
    """Set one key of another file than the configuration; None takes it out. Makes the file if there is none.

    `check` gets the path and the text to be written. Raises what it raises, and as `set_values`.
    """
    _change(path, lambda text: _set(text, key, value), check)


# The file


def _change(path: Path, edit: _Edit, check: _Check | None = None) -> None:
    # A link stays a link: what it leads to is replaced.
    target = Path(os.path.realpath(path.expanduser()))
    try:
        places.private(target.parent)
        with _alone(target.parent, path):
            for _ in range(_TRIES):
                before = _state(target)
                old = read_text(target) if before else ""
                new = _edited(path, old, edit, check)
                if new == old or _replaced(target, new, before):
                    return
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be changed: {error.strerror}",
            hint="make the file and its folder writable, or name another with --config",
        ) from error
    raise UsageError(f"{path}: another program keeps changing it", hint="try again")


def _edited(path: Path, old: str, edit: _Edit, check: _Check | None) -> str:
    parse_toml(path, old)
    mark = BYTE_ORDER_MARK if old.startswith(BYTE_ORDER_MARK) else ""
    text = old.removeprefix(mark)
    # Files of Windows keep their line ends; in a mixed one each line keeps its own.
    windows = "\r\n" in text and text.count("\r\n") == text.count("\n")
    new = edit(text.replace("\r\n", "\n") if windows else text)
    new = mark + (new.replace("\n", "\r\n") if windows else new)
    if check is not None:
        check(path, new)
        return new
    from tui_monitor.config.load import load_text

    try:
        load_text(path, new)
    except UsageError as error:
        raise UsageError(
            f"not changed, for the configuration would not load:\n  {error.message}", hint=error.hint
        ) from error
    return new


def _state(target: Path) -> os.stat_result | None:
    """What the file is now; None if there is none. Raises OSError for what is no file to change."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only")
    return found


def _replaced(target: Path, text: str, before: os.stat_result | None) -> bool:
    """Put the text in place at once, whole; False if the file is no longer what was read."""
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text.encode())
            file.flush()
            if before is not None:
                os.fchmod(number, stat.S_IMODE(before.st_mode))
                with suppress(OSError):
                    os.fchown(number, before.st_uid, before.st_gid)
            os.fsync(number)
        if _identity(_state(target)) != _identity(before):
            os.unlink(name)
            return False
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    return True


def _identity(found: os.stat_result | None) -> tuple[int, int, int] | None:
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None


@contextmanager
def _alone(folder: Path, path: Path) -> Iterator[None]:
    """Hold the folder, so that processes of ours change its files one after the other."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + _PATIENCE
        while not _locked(number):
            if time.monotonic() > until:
                raise UsageError(f"{path}: another process is changing it", hint="try again")
            time.sleep(0.01)
        yield
    finally:
        os.close(number)


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: what changed meanwhile is still noticed.
        return True
    return True


# The text


def _set(text: str, key: KeyPath, value: object) -> str:
    """The text with one key set, in its place if it has one, else where a person would write it."""
    values = tomllib.loads(text)
    there = _at(values, key) is not None
    if not there and value is None:
        return text
    wanted = _with(values, key, value)
    ways = (_by_document,) if there else (_by_line, _by_document, _at_top)
    return _first_right(text, wanted, (lambda way=way: way(text, key, value) for way in ways))


def _append(text: str, where: KeyPath, table: Mapping[str, object]) -> str:
    values = tomllib.loads(text)
    listed = _at(values, where)
    count = len(listed) if isinstance(listed, list) else 0
    wanted = _with(values, (*where, count), table)

    def as_lines() -> str:
        block = [f"[[{_header(where)}]]", *(_line((key,), value) for key, value in table.items())]
        lines = _split(text)
        start = _headers(text).get((*where, count - 1))
        at = len(lines) if start is None else _end(lines, start)
        return _put(lines, at, ["", *block] if at else block)

    return _first_right(text, wanted, (as_lines, lambda: _by_document(text, where, [*(listed or []), table])))


def _first_right(text: str, wanted: dict[str, Any], ways: Any) -> str:
    """The first result that means what is wanted, and nothing besides."""
    for way in ways:
        with suppress(ValueError):
            if _said(tomllib.loads(new := way())) == _said(wanted):
                return new
    raise UsageError("the file is written in a way that cannot be changed here", hint="edit it by hand")


def _by_line(text: str, key: KeyPath, value: object) -> str:
    """A new line below the key as a comment if there is one, else below the last key of its table."""
    headers = _headers(text)
    known = next((key[:n] for n in range(len(key) - 1, 0, -1) if key[:n] in headers), None)
    lines = _split(text)
    if known is None:
        return _put(lines, len(lines), [*([""] if lines else []), f"[{key[0]}]", _line(key[1:], value)])
    start, line = headers[known], _line(key[len(known) :], value)
    stop = min((other for other in headers.values() if other > start), default=len(lines) + 1)
    comment = re.compile(rf"\s*#\s*{re.escape(str(key[-1]))}\s*=")
    example = next((n for n in range(start, stop - 1) if comment.match(lines[n])), None)
    return _put(lines, _end(lines, start) if example is None else example + 1, [line])


def _at_top(text: str, key: KeyPath, value: object) -> str:
    """A new line below the dotted keys that stand above all tables."""
    lines = _split(text)
    return _put(lines, _end(lines, 0), [_line(key, value)])


def _by_document(text: str, key: KeyPath, value: object) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for part in key[:-1]:
        if not isinstance(part, int) and part not in table:
            table[part] = tomlkit.table()
        table = table[part]
    if value is None:
        table.pop(key[-1])
    else:
        table[key[-1]] = tomlkit.item(_plain(value))
    return tomlkit.dumps(document)


def _headers(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table that has a header of its own."""
    return parse_toml(Path(), text).headers


def _end(lines: list[str], header: int) -> int:
    """The lines up to the last that says something in the table below a header line, counted from 1."""
    last = header
    for number, line in enumerate(lines[header:], header + 1):
        if line.lstrip().startswith("["):
            break
        if line.strip() and not line.lstrip().startswith("#"):
            last = number
    return last


def _split(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _put(lines: list[str], at: int, new: list[str]) -> str:
    return "\n".join([*lines[:at], *new, *lines[at:]]) + "\n"


def _line(key: KeyPath, value: object) -> str:
    from tui_monitor.config.written import toml

    return f"{_header(key)} = {toml(_plain(value))}"


def _header(key: KeyPath) -> str:
    from tui_monitor.config.written import bare

    return ".".join(bare(str(part)) for part in key)


def _plain(value: object) -> Any:
    """The value in types that TOML has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    # Strings of an enumeration are strings.
    return value if isinstance(value, bool | int | float) else str(value)


def _said(values: Any) -> Any:
    """The values without empty tables, which say no more than absent ones."""
    if isinstance(values, list):
        return [_said(inner) for inner in values]
    if not isinstance(values, dict):
        return values
    return {key: said for key, inner in values.items() if (said := _said(inner)) != {}}


def _at(values: Any, key: KeyPath) -> Any:
    for part in key:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _with(values: dict[str, Any], key: KeyPath, value: object) -> dict[str, Any]:
    """A copy of the values with one more, or without it. Raises `UsageError` where no table can be."""
    result = deepcopy(values)
    table: Any = result
    for part, below in pairwise(key):
        if isinstance(table, dict):
            table = table.setdefault(part, [] if isinstance(below, int) else {})
        elif isinstance(table, list) and isinstance(part, int):
            table = table[part]
        if not isinstance(table, dict | list):
            raise UsageError(f"{_header(key[:-1])} is no table", hint="see `tui-monitor config check`")
    last: Any = key[-1]
    if value is None:
        del table[last]
    elif isinstance(table, list):
        table.append(_plain(value))
    else:
        table[last] = _plain(value)
    return result
