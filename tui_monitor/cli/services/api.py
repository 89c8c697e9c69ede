"""What a service manager is asked to run, and what it says of it."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError

Standing = Literal["absent", "current", "older", "broken", "changed", "foreign"]
"""Of the file: `older` is of an older version, `broken` starts a program that is gone, `changed` was changed
by hand since it was written, `foreign` was never ours."""

_COMMAND_S = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run."""

    name: str
    """The service's name, one for each database."""
    program: tuple[str, ...]
    """The interpreter and how it is told to be us."""
    options: tuple[str, ...]
    """The configuration and the database, where they were named."""
    environment: Mapping[str, str]
    """What it cannot know otherwise: where files are."""
    secrets: Path
    """A file of `NAME=value` lines that it gets besides, if it is there."""
    about: str

    @property
    def collect(self) -> tuple[str, ...]:
        """The command."""
        return (*self.program, "collect", *self.options)


@dataclass(frozen=True, slots=True)
class State:
    """How a service is."""

    manager: str
    name: str
    file: Path
    standing: Standing
    active: str
    """`active`, `activating`, `deactivating`, `reloading`, `failed` or `inactive`."""
    detail: str = ""
    """More on that, in the manager's words."""
    enabled: bool | None = None
    """Whether it begins by itself."""
    pid: int | None = None
    since: Micros | None = None
    restarts: int | None = None
    words: str = ""
    """What it last said of itself to the manager."""
    memory_bytes: int | None = None
    linger: bool | None = None
    """Whether it runs while its user is not logged in; None where there is no such thing."""
    reload: bool = False
    """Whether the manager still goes by another file than the one that is there."""
    log: tuple[str, ...] = ()
    """Its last lines, where it failed."""

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.active in ("active", "reloading")


class Manager(Protocol):
    """A service manager. Every method raises `MonitorError` where it cannot be asked."""

    title: str

    def file(self, name: str) -> Path:
        """Where a service of this name is described."""
        ...

    def text(self, plan: Plan) -> str:
        """The description."""
        ...

    def standing(self, name: str) -> Standing:
        """Whose the file is, and whether it is up to date; asks nobody."""
        ...

    def state(self, name: str) -> State:
        """How it is."""
        ...

    def install(self, plan: Plan, *, changed: bool) -> None:
        """Begin what is described in the file, or begin it anew where that has `changed`."""
        ...

    def uninstall(self, name: str) -> None:
        """End it, and take its file away."""
        ...

    def linger(self) -> bool | None:
        """Whether services run without a login; None where they do in any case."""
        ...

    def let_linger(self) -> None:
        """Let them."""
        ...

    def restart_words(self, name: str) -> str:
        """The command that begins it anew."""
        ...


def run(
    command: Sequence[str], *, seconds: float = _COMMAND_S, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command of the system, whatever comes of it. Raises `MonitorError` where it cannot be run."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, env=dict(os.environ if environ is None else environ) | {"LC_ALL": "C"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise MonitorError(f"`{' '.join(command[:3])}` did not end within {seconds:g} s") from None
    except OSError as error:
        raise MonitorError(f"cannot run {command[0]}: {error.strerror}") from error


def user() -> str:
    """The login name of who runs us."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
