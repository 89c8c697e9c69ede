"""The demo's own places: its configuration, data and sockets lie apart, and nothing of the user's is read."""

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from tui_monitor.config import places
from tui_monitor.model.providers import KEY_VARIABLES

_KEPT = ("TUI_MONITOR_SCREEN__", "TUI_MONITOR_GENERAL__")
"""How somebody wants a screen to look, and their days, hold in the demo too."""
_CONFIG = """\
# The configuration of the demo. Change it if you like; without this file it is written anew.

[consent]
agent_logs = false
provider_keys = false
status_pages = false

[server]
# What your programs send belongs into your own database.
listen = ""

[costs]
daily_budget = 220

[[budgets]]
name = "everything"
period = "month"
amount_usd = 4200

[[budgets]]
name = "research"
period = "week"
amount_usd = 700
scope = { project = "research" }
"""


def home() -> Path:
    """The folder of this user's demo. Raises `MonitorError` where somebody else put one there."""
    return places.own_temporary(Path(tempfile.gettempdir())) / "demo"


def enter(environ: MutableMapping[str, str] = os.environ) -> None:
    """From here on everything of this process, and of those that it starts, is the demo's."""
    folder = places.private(home())
    for name in [name for name in environ if _is_users(name)]:
        del environ[name]
    for kind in ("config", "data", "state"):
        environ[f"XDG_{kind.upper()}_HOME"] = str(folder / kind)
    environ["XDG_RUNTIME_DIR"] = str(places.private(folder / "run"))
    path = places.config_file()
    if not path.exists():
        places.private(path.parent)
        # Somebody else who begins at this moment writes the same.
        path.write_text(_CONFIG, encoding="utf-8")


def _is_users(name: str) -> bool:
    """Whether a variable says something of the user's own monitoring, or opens their accounts."""
    upper = name.upper()
    if upper.startswith("TUI_MONITOR_"):
        return not upper.startswith(_KEPT)
    return name in KEY_VARIABLES or name == "DAILY_BUDGET"
