"""launchd, on a Mac: an agent of the user, by launchd.plist(5)."""

import os
import plistlib
import re
from pathlib import Path
from typing import Any

from tui_monitor.cli.services.api import Plan, Standing, State, run
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean
from tui_monitor.server.named import write_private

_WRITTEN = "Written by `tui-monitor service install`"
_SHELL = 'set -a; [ ! -r "$0" ] || . "$0"; set +a; exec "$@"'
"""launchd has no file of variables: a shell reads it, and becomes the collector."""
_AGAIN_S = 10
_LINES = 10


class Launchd:
    """The user's agents. See `Manager`."""

    title = "launchd"

    def file(self, name: str) -> Path:
        """As `Manager` says."""
        return Path.home() / "Library" / "LaunchAgents" / f"{name}.plist"

    def text(self, plan: Plan) -> str:
        """As `Manager` says."""
        said = str(_said(plan.name))
        agent: dict[str, Any] = {
            "Label": plan.name,
            "ServiceDescription": f"{plan.about}. {_WRITTEN}.",
            "ProgramArguments": ["/bin/sh", "-c", _SHELL, str(plan.secrets), *plan.collect],
            "EnvironmentVariables": dict(plan.environment),
            "RunAtLoad": True,
            # What ends by itself in good order, or because of its configuration, was meant to.
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": _AGAIN_S,
            "ProcessType": "Background",
            "Umask": 0o077,
            "SoftResourceLimits": {"NumberOfFiles": 16_384, "Core": 0},
            "StandardOutPath": said,
            "StandardErrorPath": said,
        }
        return plistlib.dumps(agent).decode()

    def standing(self, name: str) -> Standing:
        """As `Manager` says."""
        try:
            agent = plistlib.loads(self.file(name).read_bytes())
        except FileNotFoundError:
            return "absent"
        except (plistlib.InvalidFileException, ValueError, OSError):
            return "foreign"
        if not isinstance(agent, dict) or _WRITTEN not in str(agent.get("ServiceDescription")):
            return "foreign"
        arguments = agent.get("ProgramArguments")
        program = arguments[4] if isinstance(arguments, list) and len(arguments) > 4 else ""
        return "current" if os.access(str(program), os.X_OK) else "broken"

    def install(self, plan: Plan, *, changed: bool) -> None:
        """As `Manager` says."""
        path = self.file(plan.name)
        if changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, self.text(plan).encode())
            run(["launchctl", "bootout", _target(plan.name)])
        asked = run(["launchctl", "bootstrap", _domain(), str(path)])
        if asked.returncode != 0 and not self.state(plan.name).running:
            raise MonitorError(f"launchctl bootstrap: {clean(asked.stderr, 300) or 'it failed'}")

    def uninstall(self, name: str) -> None:
        """As `Manager` says."""
        run(["launchctl", "bootout", _target(name)])
        try:
            self.file(name).unlink(missing_ok=True)
        except OSError as error:
            raise MonitorError(f"cannot remove {self.file(name)}: {error.strerror}") from error

    def state(self, name: str) -> State:
        """As `Manager` says."""
        asked = run(["launchctl", "print", _target(name)])
        told = {
            found[1]: found[2] for found in re.finditer(r"^\t([a-z ]+) = (.*)$", asked.stdout, re.MULTILINE)
        }
        pid, code = told.get("pid", ""), told.get("last exit code", "")
        failed = not pid and code.split(":")[0] not in ("", "0", "(never exited)")
        return State(
            manager=self.title,
            name=name,
            file=self.file(name),
            standing=self.standing(name),
            active="active" if pid else "failed" if failed else "inactive",
            detail=clean(told.get("state", ""), 100) + (f", exit code {clean(code, 60)}" if failed else ""),
            enabled=asked.returncode == 0,
            pid=int(pid) if pid.isdigit() else None,
            restarts=max(0, int(told["runs"]) - 1) if told.get("runs", "").isdigit() else None,
            log=_last(_said(name)) if failed else (),
        )

    def linger(self) -> bool | None:
        """As `Manager` says: an agent runs while its user is logged in, and there is no way round."""
        return None

    def let_linger(self) -> None:
        """As `Manager` says."""
        raise MonitorError(
            "on a Mac an agent runs while its user is logged in",
            hint="`tui-monitor collect --detach` from a daemon of the system runs without",
        )

    def restart_words(self, name: str) -> str:
        """As `Manager` says."""
        return f"launchctl kickstart -k {_target(name)}"


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _target(name: str) -> str:
    return f"{_domain()}/{name}"


def _said(name: str) -> Path:
    return places.expected("state") / f"{name}.out"


def _last(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(clean(line, 300) for line in lines[-_LINES:])
