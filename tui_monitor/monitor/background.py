"""A collector in the background: started and ended by another process. All of it blocks."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_monitor.model.errors import MonitorError
from tui_monitor.store.lock import held_by, lock_file

_START_SECONDS = 30.0
_END_SECONDS = 10.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Background:
    """A collector that was started."""

    pid: int
    database: str
    listening: tuple[str, ...]
    notes: tuple[str, ...]
    """What it said while it started."""


def start(
    config: Path | None,
    overrides: Mapping[str, Any],
    database: Path,
    told: Callable[[str], None] | None = None,
) -> Background:
    """Start a collector that lives on without this process and its terminal; returns when its doors are open.

    `told` hears what it says while it brings a database of an older version up to date.
    Raises `MonitorError` where one is running already, or with what keeps this one from starting.
    """
    owner = held_by(database)
    if owner is not None:
        raise MonitorError(
            f"{_who(owner)} is writing {database} already",
            hint="`tui-monitor collect --stop` ends it, `--reload` lets it read its settings again",
        )
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_monitor", *_options(config, overrides)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
        try:
            answer = _first_line(child, said.fileno(), told)
        except BaseException:
            child.terminate()
            raise
        finally:
            if child.stdout is not None:
                child.stdout.close()
        said.seek(0)
        return _started(child, answer, said.read().decode(errors="replace").splitlines())


def stop(database: Path) -> int | None:
    """End the collector of a database and wait for it; its process id, None where none is running.

    Raises `MonitorError` where it is not ours to end, or does not end.
    """
    pid = held_by(database)
    if pid is None:
        return None
    if not _is_collector(pid, database):
        raise MonitorError(
            f"{_who(pid)} is writing {database}, and is no collector that can be ended from here",
            hint="wait until it is done, or end it yourself",
        )
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return pid
    except PermissionError:
        raise MonitorError(f"process {pid} is another user's", hint="ask its owner to end it") from None
    end = time.monotonic() + _END_SECONDS
    # In its last moment it has taken its name off the lock already, and holds it still.
    while held_by(database) in (pid, 0):
        if time.monotonic() > end:
            raise MonitorError(
                f"process {pid} did not end within {_END_SECONDS:g} s", hint=f"`kill -9 {pid}` ends it"
            )
        time.sleep(_LOOK_SECONDS)
    return pid


def _options(config: Path | None, overrides: Mapping[str, Any]) -> list[str]:
    options = ["collect", "--detached", "--json"]
    if config is not None:
        options += ["--config", str(config.expanduser().absolute())]
    if path := overrides.get("database", {}).get("path"):
        options += ["--db", str(path)]
    return options


def _first_line(child: "subprocess.Popen[bytes]", said: int, told: Callable[[str], None] | None) -> bytes:
    """What it says when it is ready, or why it cannot start; empty where it ended without a word.

    It has `_START_SECONDS` from the last thing that it wrote to the file `said`.
    """
    assert child.stdout is not None
    fd, end, line, heard = child.stdout.fileno(), time.monotonic() + _START_SECONDS, b"", 0
    while not line.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0:
            raise MonitorError(
                f"the collector did not begin within {_START_SECONDS:g} s", hint="the log tells more"
            )
        if not select.select([fd], [], [], min(left, 1.0))[0]:
            if fresh := os.pread(said, 65_536, heard):
                heard, end = heard + len(fresh), time.monotonic() + _START_SECONDS
                if told is not None:
                    told(fresh.decode(errors="replace").splitlines()[-1])
            continue
        part = os.read(fd, 65_536)
        if not part:
            break
        line += part
    return line


def _started(child: "subprocess.Popen[bytes]", answer: bytes, said: list[str]) -> Background:
    try:
        form = json.loads(answer)
    except ValueError:
        words = said[-1] if said else "it ended without a word"
        raise MonitorError(f"the collector did not start: {words}", hint="the log tells more") from None
    if form.get("status") != "success":
        child.wait()
        raise MonitorError(str(form.get("error")), hint=form.get("hint"))
    data = form["data"]
    notes = [line.removeprefix("note: ") for line in said if line.startswith("note: ")]
    return Background(data["pid"], data["database"], tuple(data["listening"]), (*notes, *form["warnings"]))


def _is_collector(pid: int, database: Path) -> bool:
    """Whether a process is a collector of this database: it holds the lock, and says or looks so."""
    import asyncio

    import psutil

    from tui_monitor.config import places
    from tui_monitor.monitor.remote import SocketClient, somebody_listens

    async def owner() -> int | None:
        async with SocketClient(socket) as client:
            return (await client.status()).pid

    try:
        process = psutil.Process(pid)
        lock = str(lock_file(database.resolve()))
        if all(file.path != lock for file in process.open_files()):
            return False
        if "collect" in process.cmdline():
            return True
        socket = places.socket_path(database)
        return somebody_listens(socket) and asyncio.run(owner()) == pid
    except (psutil.Error, MonitorError):
        return False


def _who(pid: int) -> str:
    return f"process {pid}" if pid else "another process"
