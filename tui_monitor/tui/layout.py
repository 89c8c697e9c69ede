"""What a person chose on the screen, kept for the next time: a small file in the state directory.

It may be lost, and one that is broken is as good as none: nothing here fails. The last dashboard that is
left wins.
"""

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from tui_monitor.config import places

log = logging.getLogger(__name__)

_VERSION = 1
_PATIENCE_S = 0.5
"""Seconds that a disk has to answer."""
_MAX_BYTES = 65_536
"""A larger file is not ours."""


class Layout:
    """Choices by name; those of a pane are a table of their own. Plain values as JSON has them."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a path nothing is kept, nor where the disk does not answer."""
        found = None if path is None else _read_soon(path)
        self._path = None if found is None else path
        self._values: dict[str, Any] = found or {}
        self._written = json.dumps(self._values, sort_keys=True)
        self._writing: Thread | None = None

    @classmethod
    def usual(cls) -> "Layout":
        """The one of this user."""
        return cls(places.state_dir() / "layout.json")

    def get(self, name: str) -> Any:
        """What was chosen, None if nothing was."""
        return self._values.get(name)

    def pane(self, id: str) -> Mapping[str, Any]:
        """What was chosen on a pane."""
        found = self._values.get("panes")
        mine = found.get(id) if isinstance(found, dict) else None
        return mine if isinstance(mine, dict) else {}

    def keep(self, name: str, value: Any) -> None:
        """Keep a choice; None forgets it."""
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value

    def keep_pane(self, id: str, values: Mapping[str, Any]) -> None:
        """Keep what was chosen on a pane."""
        panes = self._values.get("panes")
        self._values["panes"] = {**(panes if isinstance(panes, dict) else {}), id: dict(values)}

    def clear(self) -> dict[str, Any]:
        """Forget everything; what it was."""
        values, self._values = self._values, {}
        return values

    def put_back(self, values: dict[str, Any]) -> None:
        """Have what `clear` gave."""
        self._values = values

    def save(self, wait_s: float = 0.0) -> None:
        """Begin to write what differs from the file, whole or not at all, and wait so many seconds for it.

        The file is written on a thread of its own: a disk that does not answer holds nobody. Until it does,
        nothing more is written.
        """
        text = json.dumps(self._values, sort_keys=True)
        if self._writing is not None and self._writing.is_alive():
            self._writing.join(wait_s)
        busy = self._writing is not None and self._writing.is_alive()
        if self._path is None or busy or text == self._written or len(text) > _MAX_BYTES:
            return
        body = json.dumps({"version": _VERSION, **self._values}, indent=1, sort_keys=True)
        self._writing = Thread(target=self._write, args=(self._path, text, body), daemon=True)
        self._writing.start()
        self._writing.join(wait_s)

    def _write(self, path: Path, text: str, body: str) -> None:
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(fresh, "w", encoding="utf-8", opener=_private) as file:
                file.write(body)
            fresh.replace(path)
            self._written = text
        except OSError as error:
            log.info("the layout is not kept: %s", error)
            with suppress(OSError):
                fresh.unlink(missing_ok=True)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _read_soon(path: Path) -> dict[str, Any] | None:
    """What is in the file; None where the disk takes too long."""
    found: list[dict[str, Any]] = []
    reading = Thread(target=lambda: found.append(_read(path)), daemon=True)
    reading.start()
    reading.join(_PATIENCE_S)
    if not found:
        log.info("the layout of the last time is not used: the disk does not answer")
    return found[0] if found else None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_BYTES + 1)
        values = json.loads(body) if len(body) <= _MAX_BYTES else None
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.info("the layout of the last time is not used: %s", error)
        return {}
    if not isinstance(values, dict) or values.pop("version", None) != _VERSION:
        log.info("the layout of the last time is not used: it is of another version")
        return {}
    return values
