"""Which manager there is, and what it is to run."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.services.api import Manager, Plan
from tui_monitor.cli.services.launchd import Launchd
from tui_monitor.cli.services.systemd import Systemd
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.cli.context import Context

_PLACES = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_NAME = places.APP


def manager(command: str, *, asked: bool = True) -> Manager:
    """The one of this host. Raises `MonitorError`, with what to do without: to run `command`.

    Where it is not going to be `asked` for anything, it need not be there.
    """
    if sys.platform == "darwin":
        return Launchd()
    systemd = Systemd()
    why = systemd.there()
    if why and asked:
        raise MonitorError(
            f"no service manager of yours answers: {why}",
            hint=f"`{command} --detach` collects in the background; in `crontab -e` the line\n"
            f"`@reboot {command} --detach` begins it with the machine",
        )
    return systemd


def plan(context: "Context") -> Plan:
    """The collector of this installation, with the configuration and the database that were named."""
    options: list[str] = []
    if context.config_file is not None:
        options += ["--config", str(context.config_file.expanduser().absolute())]
    named = context.overrides.get("database", {}).get("path")
    if named is not None or "TUI_MONITOR_DATABASE__PATH" in os.environ:
        options += ["--db", str(context.database.absolute())]
    return Plan(
        name(context.config_file, named),
        (sys.executable, "-P", "-m", "tui_monitor"),
        tuple(options),
        {it: os.environ[it] for it in _PLACES if os.environ.get(it)} | _runtime(),
        places.expected("config") / "service.env",
        f"tui-monitor: collects into {clean(str(context.database), 200)}",
    )


def name(config: Path | None, named: Path | None) -> str:
    """One for each database: of the usual one of this configuration without a suffix."""
    from tui_monitor.config.load import load

    if named is None or os.path.realpath(named) == os.path.realpath(load(config, {}).database_path()):
        return _NAME
    return f"{_NAME}-{places.expected_socket(named).stem}"


def _runtime() -> dict[str, str]:
    """Where sockets are, where that is not the usual place: the manager sets that by itself."""
    chosen = os.environ.get("XDG_RUNTIME_DIR", "")
    return {} if chosen in ("", f"/run/user/{os.getuid()}") else {"XDG_RUNTIME_DIR": chosen}


def left_behind() -> list[str]:
    """Variables of this shell that change what a collector does, and that a service does not get."""
    from tui_monitor.model.providers import keys_in

    ours = [name for name in os.environ if name.upper().startswith("TUI_MONITOR_")]
    known = [
        name for name in ("DAILY_BUDGET", "SLACK_WEBHOOK_URL", "PAGERDUTY_SERVICE_KEY") if name in os.environ
    ]
    given = {"TUI_MONITOR_DATABASE__PATH", "TUI_MONITOR_TOKEN"}
    return sorted({*ours, *known, *keys_in(os.environ)} - given)
