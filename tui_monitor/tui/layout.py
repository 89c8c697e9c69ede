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
from typing import Any

from tui_monitor.config import places

log = logging.getLogger(__name__)

_VERSION = 1
_MAX_BYTES = 65_536
"""A larger file is not ours."""


class Layout:
    """Choices by name; those of a pane are a table of their own. Plain values as JSON has them."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a path nothing is kept."""
        self._path = path
        self._values: dict[str, Any] = {} if path is None else _read(path)
        self._written = json.dumps(self._values, sort_keys=True)

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

    def clear(self) -> None:
        """Forget everything."""
        self._values = {}

    def save(self) -> None:
        """Write what differs from the file, whole or not at all."""
        text = json.dumps(self._values, sort_keys=True)
        if self._path is None or text == self._written or len(text) > _MAX_BYTES:
            return
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with open(fresh, "w", encoding="utf-8", opener=_private) as file:
                file.write(json.dumps({"version": _VERSION, **self._values}, indent=1, sort_keys=True))
            fresh.replace(self._path)
            self._written = text
        except OSError as error:
            log.info("the layout is not kept: %s", error)
            with suppress(OSError):
                fresh.unlink(missing_ok=True)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


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
