"""What an empty pane says: how data gets in, in commands that work as they stand."""

import shlex

from tui_monitor.model.clock import Micros
from tui_monitor.tui.link import Backend, Look
from tui_monitor.tui.words import long_age

_IMPORT = """tui-monitor{database} import --format azure-llm-2023 \\
--provider openai --model gpt-4o --rebase now FILE"""
_PUSH = """curl http://{listen}/monitor/v1/events \\
-H content-type:application/json \\
-d '{{"provider":"openai","model":"gpt-4o",
"input_tokens":900,"output_tokens":120,"latency_ms":850}}'"""


def lessons(backend: Backend) -> list[str]:
    """The ways in. The lines are short, so that they can be copied from a small screen."""
    settings = backend.settings
    path = settings.database.path if settings else None
    listen = settings.server.listen if settings else ""
    database = f" --db {shlex.quote(str(path))}" if path else ""
    lines = ["From a file:", "", _IMPORT.format(database=database)]
    if listen:
        lines += ["", "Live, from a program:", "", _PUSH.format(listen=listen)]
    return lines


def no_calls(backend: Backend, look: Look) -> str:
    """What stands where there are no calls: none at all, or none in this range."""
    if look.newest is None:
        return "\n".join(["No calls yet. This is how they get here.", "", *lessons(backend)])
    return f"No calls in this time range; the newest is {_how_old(look.newest, look)}. n goes there."


def _how_old(newest: Micros, look: Look) -> str:
    return f"{long_age(look.at - newest)} old" if newest <= look.at else "ahead of this clock"
