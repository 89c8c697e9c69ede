"""The configuration file that a collector runs by, looked at for what it says by now and is not in effect."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.config.load import Settings
from tui_monitor.model.errors import MonitorError
from tui_monitor.runtime.reload import compare
from tui_monitor.runtime.supervisor import Handle, Worker

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

EVERY_S = 5.0
_NAMED = 3
"""Settings that are named."""
_SCREENS = ("screen.", "keys.")
"""A dashboard reads these when it begins; what collects has no use for them."""
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration file, there or not, and as what it was read."""

    path: Path
    read: Callable[[], Settings]
    """The settings as they would be now, with nothing taken over. Blocks, raises `UsageError`."""
    stamp: Stamp

    @classmethod
    def by(cls, path: Path, read: Callable[[], Settings]) -> "Configured":
        """The file as it is at this moment. Blocks."""
        return cls(path, read, stamp_of(path))

    def differs(self, settings: Settings) -> str:
        """In words what it would change and is not in effect; empty for nothing. Blocks."""
        try:
            found = compare(settings, self.read())
        except MonitorError as error:
            return f"not taken over: {error.message.splitlines()[0]}"
        at_once, later = (_ours(names) for names in (found.changed, found.restart))
        if at_once:
            where = f"{_some(at_once)} in {self.path.name}"
            return f"changed: {where}; `tui-monitor collect --reload` takes it over"
        if later:
            return f"changed: {_some(later)} in {self.path.name} takes effect at a restart"
        return ""


def stamp_of(path: Path) -> Stamp:
    """What becomes another one when a file is written or put in place of it; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def config_worker(collector: "Collector", file: Configured | None) -> Worker:
    """The row `config`; it warns while the file says something else than what holds."""

    async def run(handle: Handle) -> None:
        handle.running()
        if file is None:
            await asyncio.Event().wait()
            return
        seen = (file.stamp, id(collector.settings))
        while True:
            now = (await asyncio.to_thread(stamp_of, file.path), id(collector.settings))
            if now != seen:
                handle.warn(await asyncio.to_thread(file.differs, collector.settings))
                seen = now
            await asyncio.sleep(EVERY_S)

    return Worker("config", run)


def _ours(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not name.startswith(_SCREENS)]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
