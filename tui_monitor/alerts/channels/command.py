"""The channel `command`: a program of the user's own, with the notification as JSON on standard input."""

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from tui_monitor.alerts.channels.api import ChannelError, Notification
from tui_monitor.config.logs import redactor
from tui_monitor.config.settings import Alerts
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import format_duration

log = logging.getLogger(__name__)

MAX_OUTPUT = 4_000
"""Bytes of a program's output that are kept; the rest is read and dropped."""
_GRACE = 1.0
"""Seconds between asking a program to end and ending it."""
_PASSED = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
        "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
    }
)  # fmt: skip


class Command:
    """Runs the program once for each notification, without a shell; any exit code but 0 is a failure.

    It has a session and process group of its own, so that all it started ends with it when its time is up.
    """

    def __init__(self, argv: Sequence[str], timeout: Micros) -> None:
        self._argv = (os.path.expanduser(argv[0]), *argv[1:])
        self._timeout = timeout

    @classmethod
    def of(cls, settings: Alerts) -> "Command | None":
        """The program of the settings, where there is one."""
        return cls(settings.command, settings.command_timeout) if settings.command else None

    async def send(self, notification: Notification) -> None:
        """Run the program and wait for it. Raises `ChannelError`."""
        name = clean(Path(self._argv[0]).name, 60)
        output = _Output()
        try:
            process = await self._start(notification, output)
        except (OSError, ValueError) as error:
            output.close()
            raise ChannelError(f"cannot run {name}: {_reason(error)}") from error
        except asyncio.CancelledError:
            output.close()
            raise
        try:
            async with asyncio.timeout(self._timeout / SECOND):
                code = await process.wait()
        except TimeoutError:
            await _end(process, _GRACE)
            raise ChannelError(
                f"{name} was ended: it took more than {format_duration(self._timeout)}"
            ) from None
        except asyncio.CancelledError:
            await _end(process, 0)
            raise
        finally:
            said = output.close()
        if said:
            log.info("%s said of %s: %s", name, notification.key, said)
        if code != 0:
            words = f"{name} ended with code {code}" if code > 0 else f"{name} was ended by signal {-code}"
            raise ChannelError(f"{words}: {clean(said, 200)}" if said else words)

    async def _start(self, notification: Notification, output: "_Output") -> asyncio.subprocess.Process:
        # A file as its input: a program that reads none of it cannot hold us up.
        with tempfile.TemporaryFile() as given:
            given.write(orjson.dumps(notification.form(), option=orjson.OPT_APPEND_NEWLINE))
            given.seek(0)
            return await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=given,
                stdout=output.theirs,
                stderr=output.theirs,
                env=environment(os.environ),
                cwd=Path.home() if Path.home().is_dir() else Path("/"),
                start_new_session=True,
            )


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program may know of our environment: where things are, and no secrets."""
    return {name: value for name, value in environ.items() if name in _PASSED or name.startswith("LC_")}


class _Output:
    """What a program writes, read as it comes, so that it never waits for us; its beginning is kept.

    A pipe of our own: what a program leaves running in the background may hold on to it.
    """

    def __init__(self) -> None:
        self._ours, self.theirs = os.pipe()
        os.set_blocking(self._ours, False)
        self._kept = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._ours, self._read)

    def close(self) -> str:
        """Stop listening; what was written, cleaned."""
        os.close(self.theirs)
        while self._read():
            pass
        self._loop.remove_reader(self._ours)
        os.close(self._ours)
        return redactor.clean(clean(self._kept.decode("utf-8", "replace"), MAX_OUTPUT))

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, 65_536)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._ours)
            return False
        self._kept += data[: MAX_OUTPUT - len(self._kept)]
        return True


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    """End a program and all that it started."""
    if grace:
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await process.wait()
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
