"""What is said of a service: by its manager, by the collector itself, and what is not as it should be."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.services.api import Manager, State
from tui_monitor.cli.times import written
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.model.units import size

if TYPE_CHECKING:
    from tui_monitor.health.views import CollectorStatus
    from tui_monitor.model.calendar import Calendar


def collector(database: Path) -> "CollectorStatus | None":
    """What the collector of a database says on its socket; None where none answers."""
    from tui_monitor.monitor.remote import SocketClient, somebody_listens

    path = places.expected_socket(database)
    if not somebody_listens(path):
        return None

    async def ask() -> "CollectorStatus | None":
        async with SocketClient(path) as client:
            try:
                return await client.status()
            except MonitorError:
                return None

    return asyncio.run(ask())


def lines(
    state: State, found: "CollectorStatus | None", calendar: "Calendar", standing: str
) -> list[tuple[str, str]]:
    """Name and words of each line of `service status`."""
    said = [
        ("service", f"{state.name} ({state.manager})"),
        ("file", f"{state.file}, {standing}"),
        ("state", f"{state.active} ({state.detail})" if state.detail else state.active),
    ]
    if state.words and not state.running:
        said.append(("says", state.words))
    if state.since is not None:
        said.append(("since", written(state.since, calendar)))
    if state.restarts:
        said.append(("restarts", str(state.restarts)))
    if state.enabled is not None:
        said.append(("starts", "by itself" if state.enabled else "only when told to"))
    if state.linger is not None:
        said.append(
            ("linger", "on: runs without a login, too" if state.linger else "off: ends at your logout")
        )
    if state.memory_bytes is not None:
        said.append(("memory", size(state.memory_bytes)))
    said.append(("collector", _words(found)))
    return said


def _words(found: "CollectorStatus | None") -> str:
    if found is None:
        return "does not answer"
    failed = [row.name for row in found.sources if row.state is SourceState.FAILED]
    words = f"process {found.pid}, {found.rate:.1f} records/s, {found.queued} waiting"
    return f"{words}; failed: {', '.join(failed)}" if failed else words


def troubles(manager: Manager, state: State) -> list[str]:
    """What is not as it should be, and what to do."""
    told: list[str] = []
    if state.standing == "absent":
        return ["`tui-monitor service install` installs it"]
    if state.standing in ("older", "broken"):
        told.append("its file is stale: `tui-monitor service install` writes it anew")
    if state.reload:
        told.append("its file was changed: `systemctl --user daemon-reload` lets it be read again")
    if state.running and state.pid is not None and older(state.pid):
        told.append(f"the program was updated since it began: `{manager.restart_words(state.name)}`")
    if state.linger is False:
        told.append("it ends when you log out: `tui-monitor service install --linger` lets it run on")
    return told


def older(pid: int) -> bool:
    """Whether a process began before the program was installed that is here now."""
    import psutil

    import tui_monitor

    try:
        # The time of the change of the entry: an installer may keep the time of the content.
        return psutil.Process(pid).create_time() < Path(tui_monitor.__file__).stat().st_ctime
    except (psutil.Error, OSError):
        return False
