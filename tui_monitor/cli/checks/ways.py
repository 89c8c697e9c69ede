"""The ways in: agents' logs, keys, doors, and the collector that runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

from tui_monitor.cli.checks.api import Check, Scene
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean


def sources(scene: Scene) -> Iterator[Check]:
    """What was found on this machine, and whether the doors can be used."""
    yield from _found(scene)
    if scene.collector is not None:
        for row in scene.collector.sources:
            if row.last_error and row.state.value == "failed":
                words = f"{row.state.value}: {clean(row.last_error, 300)}"
                yield Check("sources", clean(row.name, 40), "warn", words)
    if scene.loaded is not None:
        yield _door(scene)


def _found(scene: Scene) -> Iterator[Check]:
    from tui_monitor.sources.offers import find

    loaded = scene.loaded
    if loaded is None:
        return
    offers = find(scene.environ, Path.home(), loaded.settings.agents, ())
    agents = ", ".join(f"{a.title} ({a.files}{'+' if a.more else ''})" for a in offers.agents)
    yield Check("sources", "agent logs", "ok", f"found: {agents}" if agents else "none found")
    keys = ", ".join(name for name, _ in offers.keys)
    yield Check("sources", "provider keys", "ok", f"in the environment: {keys}" if keys else "none found")


def _door(scene: Scene) -> Check:
    from tui_monitor.server.doors import parse_listen

    assert scene.loaded is not None
    text = scene.loaded.settings.server.listen
    if not text.strip():
        return Check("sources", "door", "ok", "off, for server.listen is empty")
    try:
        address = parse_listen(text)
    except MonitorError as error:
        return Check("sources", "door", "fail", error.message, error.hint or "")
    if address.port is None:
        # It moves to a free port by itself, so nobody can be in its way.
        return Check(
            "sources", "door", "ok", f"{text.strip()}; `tui-monitor token url` prints where it stands"
        )
    owner = listener(address.host, address.port)
    if owner is None:
        if scene.collector is not None:
            words = f"nobody answers on {address.text}, though a collector runs"
            return Check("sources", "door", "warn", words, "see `tui-monitor sources`")
        return Check("sources", "door", "ok", f"{address.text} is free")
    if scene.collector is not None and owner == scene.collector.pid:
        return Check("sources", "door", "ok", f"{address.text} is open")
    who = f"process {owner} ({_name(owner)})" if owner else "another program"
    words = f"{address.text} is in use by {who}"
    return Check("sources", "door", "warn", words, "set server.listen to another port, or to nothing")


def listener(host: str, port: int) -> int | None:
    """The process that listens on an address of this host; 0 if unknown which, `None` if nobody does."""
    import socket

    import psutil

    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((target, port), timeout=0.5):
            pass
    except OSError:
        return None
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr[1] == port and found.pid:
                return found.pid
    except (psutil.Error, OSError):
        pass
    return 0


def _name(pid: int) -> str:
    import psutil

    try:
        return clean(psutil.Process(pid).name(), 40)
    except psutil.Error:
        return "unknown"


def collector(scene: Scene) -> Iterator[Check]:
    """The one that runs, if one does."""
    status = scene.collector
    path = places.expected_socket(scene.database)
    if status is not None:
        yield Check("collector", "running", "ok", f"process {status.pid}, {path}")
        return
    hint = "`tui-monitor` collects while it is open; `tui-monitor collect --detach` without a screen"
    yield Check("collector", "running", "ok", "none for this database", hint)
    if os.path.exists(path):
        words = f"{path} is left over from one that was killed"
        yield Check("collector", "socket", "ok", words, "the next collector removes it")
