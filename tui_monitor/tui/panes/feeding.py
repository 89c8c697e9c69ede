"""What an empty pane says: how data gets in, in commands that work as they stand, at this moment."""

import re
import shlex
import socket
from collections.abc import Hashable
from urllib.parse import urlsplit

from tui_monitor.model.clock import Micros
from tui_monitor.model.states import SourceState
from tui_monitor.tui.keymap import Keymap
from tui_monitor.tui.link import Backend, Look
from tui_monitor.tui.words import long_age

_DOOR = "http"
_BEARER = """
-H "authorization: Bearer $(tui-monitor token)" \\"""
_NAMED = re.compile(r"certificate for (\S+) until ")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ALL = frozenset({"0.0.0.0", "::"})
"""What a door listens on that stands on all addresses; none that could be asked."""
_IMPORT = """tui-monitor{options} import --format azure-llm-2023 \\
--provider openai --model gpt-4o --rebase now FILE"""
_PUSH = """curl {url}/monitor/v1/events \\{bearer}
-H content-type:application/json \\
-d '{{"provider":"openai","model":"gpt-4o",
"input_tokens":900,"output_tokens":120,"latency_ms":850}}'"""


def lessons(backend: Backend, look: Look, keys: Keymap) -> list[str]:
    """The ways in. The lines are short, so that they can be copied from a small screen."""
    line = backend.state.line
    if line is not None:
        # Files and logs of this machine are not those of that one.
        return [f"On the machine of {line.place}:", "", *_live(backend, look)]
    lines = ["From a file:", "", _IMPORT.format(options=_options(backend)), ""]
    return [*_agents(backend, look, keys), *lines, *_live(backend, look)]


def no_calls(backend: Backend, look: Look, keys: Keymap) -> str:
    """What stands where there are no calls: none at all, or none in this range."""
    if look.newest is None:
        return "\n".join(["No calls yet. This is how they get here.", "", *lessons(backend, look, keys)])
    key = keys.key("range.newest")
    return f"No calls in this time range; the newest is {_how_old(look.newest, look)}. {key} goes there."


def taught_by(look: Look) -> Hashable:
    """Differs when the lessons may: while there are no calls, with what the collector says of its ways in."""
    if look.newest is not None or look.collector is None:
        return None
    return look.collector.running, tuple((row.name, row.state, row.detail) for row in look.collector.sources)


def _agents(backend: Backend, look: Look, keys: Keymap) -> list[str]:
    """Logs of agents need a word from the person, and then nothing more."""
    settings = backend.settings
    if settings is None or settings.consent.agent_logs is False:
        return []
    if settings.consent.agent_logs is None:
        if keys.get("consent") is None:
            # Where the screen is for looking alone nobody is asked.
            return []
        return [f"From coding agents: {keys.key('consent')} asks whether their logs may be read.", ""]
    if look.collector is None or not look.collector.running:
        return []
    key = keys.key("pane.sources")
    return [f"From coding agents: their logs are read as they grow; {key} shows how far.", ""]


def _live(backend: Backend, look: Look) -> list[str]:
    status = look.collector
    if status is None:
        return []
    if status.silent:
        return [f"Live, from a program: {status.silent} writes this database and does not answer."]
    if not status.running:
        start = f"tui-monitor{_options(backend)} collect --detach"
        return ["Live, from a program: nobody collects now. This does:", "", start]
    door = next((row for row in status.sources if row.name == _DOOR), None)
    if door is None or door.state is not SourceState.RUNNING or not door.detail.startswith("http"):
        return []
    url = _reached(door.detail)
    line = backend.state.line
    if line is not None and line.url and urlsplit(line.url).hostname not in _LOOPBACK:
        # Not the near end of a tunnel, which nobody over there knows.
        url = line.url
    open_ = urlsplit(door.detail.split()[0]).hostname in _LOOPBACK and urlsplit(url).hostname in _LOOPBACK
    return ["Live, from a program:", "", _PUSH.format(url=url, bearer="" if open_ else _BEARER)]


def _reached(detail: str) -> str:
    """An address at which the door of this detail can be asked, by a name of its certificate."""
    url = detail.split()[0]
    parts = urlsplit(url)
    if parts.hostname not in _ALL:
        return url
    if parts.scheme == "http":
        return f"http://127.0.0.1:{parts.port}"
    named = _NAMED.search(detail)
    host = named[1] if named else socket.gethostname()
    return f"https://{f'[{host}]' if ':' in host else host}:{parts.port}"


def _options(backend: Backend) -> str:
    path = backend.settings.database.path if backend.settings else None
    return f" --db {shlex.quote(str(path))}" if path else ""


def _how_old(newest: Micros, look: Look) -> str:
    return f"{long_age(look.at - newest)} old" if newest <= look.at else "ahead of this clock"
