"""The manager of a user's services that systemd runs."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from tui_monitor.cli.services import unit
from tui_monitor.cli.services.api import Plan, Standing, State, run, user
from tui_monitor.config import places
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import MonitorError, NotFound
from tui_monitor.model.text import clean
from tui_monitor.server.named import write_private

_UNITS = Path("systemd", "user")
_LINGERING = Path("/var/lib/systemd/linger")
_BEGIN_S = 100.0
"""Longest time that `install` looks on while it starts; it goes on by itself."""
_LOOK_S = 0.1
_LINES = 10
_ASKED = (
    "ActiveState", "SubState", "Result", "ExecMainStatus", "MainPID", "NRestarts", "UnitFileState",
    "StatusText", "MemoryCurrent", "NeedDaemonReload", "ActiveEnterTimestamp", "InactiveEnterTimestamp",
)  # fmt: skip
_AGAIN = "auto-restart"
_LARGEST = 1 << 62


class Systemd:
    """The user manager. See `Manager`."""

    title = "systemd"

    @cached_property
    def version(self) -> int:
        """Of systemd; 0 where it does not say so."""
        if shutil.which("systemctl") is None:
            return 0
        found = re.match(r"systemd (\d+)", run(["systemctl", "--version"]).stdout)
        return int(found[1]) if found else 0

    def there(self) -> str:
        """Why it cannot be asked; empty where it can."""
        if shutil.which("systemctl") is None:
            return "systemd is not installed"
        asked = self._systemctl("show", "--property=Version", fail=False)
        return "" if asked.returncode == 0 else clean(asked.stderr, 200) or "it does not answer"

    @cached_property
    def folder(self) -> Path:
        """Where it looks for units: its environment need not be ours."""
        if shutil.which("systemctl") is None:
            return Path.home() / ".config" / _UNITS
        asked = self._systemctl("show", "--property=UnitPath", "--value", fail=False)
        chosen = places.expected("config").parent / _UNITS
        return chosen if str(chosen) in asked.stdout else Path.home() / ".config" / _UNITS

    def file(self, name: str) -> Path:
        """As `Manager` says."""
        return self.folder / f"{name}.service"

    def text(self, plan: Plan) -> str:
        """As `Manager` says."""
        return unit.text(plan, self.version)

    def standing(self, name: str) -> Standing:
        """As `Manager` says."""
        try:
            return unit.standing(self.file(name).read_text("utf-8", "surrogateescape"))
        except FileNotFoundError:
            return "absent"
        except OSError as error:
            raise MonitorError(f"cannot read {self.file(name)}: {error.strerror}") from error

    def install(self, plan: Plan, *, changed: bool) -> None:
        """As `Manager` says; returns when its doors are open."""
        name = f"{plan.name}.service"
        if changed:
            self.file(plan.name).parent.mkdir(parents=True, exist_ok=True)
            write_private(self.file(plan.name), os.fsencode(self.text(plan)))
        self._systemctl("daemon-reload")
        self._systemctl("enable", name)
        self._systemctl("reset-failed", name, fail=False)
        if changed and self.state(plan.name).active != "inactive":
            self._systemctl("stop", name)
        self._systemctl("start", "--no-block", name)
        self._begun(plan.name)

    def _begun(self, name: str) -> None:
        end = time.monotonic() + _BEGIN_S
        while not (state := self.state(name)).running:
            if state.active == "failed" or _AGAIN in state.detail:
                said = "\n".join(state.log) or state.words
                raise MonitorError(
                    f"it did not start: {state.detail}" + (f"\n{said}" if said else ""),
                    hint="`tui-monitor service status` tells more; it is tried again by itself",
                )
            if time.monotonic() > end:
                raise MonitorError(
                    f"it is still starting after {_BEGIN_S:g} s: {state.words or state.detail}",
                    hint="it goes on by itself; see `tui-monitor service status`",
                )
            time.sleep(_LOOK_S)

    def uninstall(self, name: str) -> None:
        """As `Manager` says."""
        self._systemctl("disable", "--now", f"{name}.service")
        try:
            self.file(name).unlink(missing_ok=True)
        except OSError as error:
            raise MonitorError(f"cannot remove {self.file(name)}: {error.strerror}") from error
        self._systemctl("daemon-reload")
        self._systemctl("reset-failed", f"{name}.service", fail=False)

    def state(self, name: str) -> State:
        """As `Manager` says."""
        asked = self._systemctl(
            "show", "--timestamp=unix", f"--property={','.join(_ASKED)}", f"{name}.service"
        )
        parts = (line.partition("=") for line in asked.stdout.splitlines())
        told = {name: value for name, _, value in parts}
        active, pid = told.get("ActiveState", "inactive"), _number(told.get("MainPID"))
        broken = active == "failed" or _AGAIN in told.get("SubState", "")
        at = "ActiveEnterTimestamp" if active == "active" else "InactiveEnterTimestamp"
        return State(
            manager=self.title,
            name=name,
            file=self.file(name),
            standing=self.standing(name),
            active=active,
            detail=_detail(told),
            enabled=told.get("UnitFileState", "").startswith("enabled"),
            pid=pid or None,
            since=_instant(told.get(at, "")),
            restarts=_number(told.get("NRestarts")),
            words=clean(told.get("StatusText", ""), 300),
            memory_bytes=_number(told.get("MemoryCurrent")),
            linger=self.linger(),
            reload=told.get("NeedDaemonReload") == "yes",
            log=self._log(name) if broken else (),
        )

    def _log(self, name: str) -> tuple[str, ...]:
        """What it last wrote; empty where there is no journal or it may not be read."""
        if shutil.which("journalctl") is None:
            return ()
        said = run(
            ["journalctl", "--user", f"--unit={name}.service", f"--lines={_LINES}", "--output=cat",
             "--no-pager", "--quiet"],
            environ=_environ(),
        )  # fmt: skip
        return tuple(clean(line, 300) for line in said.stdout.splitlines() if line.strip())

    def linger(self) -> bool | None:
        """As `Manager` says."""
        return (_LINGERING / user()).exists() if _LINGERING.parent.is_dir() else None

    def let_linger(self) -> None:
        """As `Manager` says."""
        asked = run(["loginctl", "enable-linger"])
        if asked.returncode != 0:
            why = clean(asked.stderr, 300) or f"loginctl ended with {asked.returncode}"
            raise MonitorError(
                f"lingering is not allowed: {why}", hint=f"`sudo loginctl enable-linger {user()}` does it"
            )

    def restart_words(self, name: str) -> str:
        """As `Manager` says."""
        return f"systemctl --user restart {name}"

    def _systemctl(self, *words: str, fail: bool = True) -> "subprocess.CompletedProcess[str]":
        asked = run(["systemctl", "--user", "--no-ask-password", *words], environ=_environ())
        if fail and asked.returncode != 0:
            what = " ".join(word for word in words if not word.startswith("--"))
            raise NotFound(f"systemctl {clean(what, 100)}: {clean(asked.stderr, 300) or 'it failed'}")
        return asked


def _environ() -> Mapping[str, str]:
    """Ours, with where the manager is: who came by `su` or cron was not told."""
    runtime = Path(f"/run/user/{os.getuid()}")
    if "XDG_RUNTIME_DIR" in os.environ or not runtime.is_dir():
        return os.environ
    return {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}


def _detail(told: Mapping[str, str]) -> str:
    sub, result, code = told.get("SubState", ""), told.get("Result", ""), told.get("ExecMainStatus", "0")
    if result in ("", "success"):
        return sub
    return f"{sub}, {result}" + (f" {code}" if result == "exit-code" else "")


def _number(text: str | None) -> int | None:
    """None too for the largest number there is, which says that it is not known."""
    return int(text) if text and text.isdigit() and int(text) < _LARGEST else None


def _instant(text: str) -> Micros | None:
    return int(text[1:]) * SECOND if text.startswith("@") and text[1:].isdigit() else None
