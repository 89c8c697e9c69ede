"""The service that runs the collector, where one is installed."""

import shutil
import sys
from collections.abc import Iterator

from tui_monitor.cli.checks.api import Check, Scene
from tui_monitor.model.errors import MonitorError


def service(scene: Scene) -> Iterator[Check]:
    """Whether it is up to date, runs, and goes on without a login."""
    from tui_monitor.cli.services.choose import manager
    from tui_monitor.cli.services.looking import troubles

    if scene.config_error is not None or (sys.platform != "darwin" and shutil.which("systemctl") is None):
        return
    try:
        found = manager("tui-monitor collect")
        state = found.state(scene.service)
    except MonitorError as error:
        yield Check("service", "manager", "ok", error.message, error.hint or "")
        return
    if state.standing == "absent":
        hint = "`tui-monitor service install` lets the system run it"
        yield Check("service", "installed", "ok", "none collects into this database", hint)
        return
    text = f"{state.name} is {state.active} ({state.detail})"
    hint = "" if state.running else "`tui-monitor service status` tells more"
    yield Check("service", "state", "fail" if state.active == "failed" else "ok", text, hint)
    for trouble in troubles(found, state):
        words, _, hint = trouble.partition(": ")
        yield Check("service", "installed", "warn", words, hint)
