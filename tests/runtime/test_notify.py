"""What a service manager is told, over a socket of the kind that it listens on."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_monitor.config import places
from tui_monitor.monitor.remote import somebody_listens
from tui_monitor.runtime.notify import Notifier

BLOCKED = """
import pathlib, sys, time
from tui_monitor.runtime import own
before = own.samples
def own_samples(collector, now):
    while pathlib.Path(sys.argv[-1]).with_name("block").exists():
        time.sleep(60)
    return before(collector, now)
own.samples = own_samples
from tui_monitor.__main__ import main
sys.exit(main())
"""
"""The program, but with a part that holds up the event loop as soon as there is a file `block`."""


class Manager:
    """The end of the protocol that asks."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(address.replace("@", "\0", 1))
        self._sock.setblocking(False)

    async def next(self, seconds: float = 20.0) -> dict[str, str]:
        """What is said next. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            said = await asyncio.get_running_loop().sock_recv(self._sock, 4096)
        lines = (line.partition("=") for line in said.decode().splitlines())
        return {name: value for name, _, value in lines}

    async def until(self, name: str) -> dict[str, str]:
        """The next that says this."""
        while name not in (told := await self.next()):
            pass
        return told

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


async def collect(
    tmp_path: Path, manager: Manager, *program: str, watchdog: float = 0.6
) -> asyncio.subprocess.Process:
    """`tui-monitor collect` as a manager starts it."""
    config = tmp_path / "config.toml"
    config.write_text('[server]\nlisten = ""\n[collector]\ninterval = "100ms"\n')
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(round(watchdog * 1_000_000))}
    return await asyncio.create_subprocess_exec(
        sys.executable, *(program or ("-m", "tui_monitor")), "--config", config, "collect",
        "--db", tmp_path / "m.db", env=os.environ | told,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_its_life_is_told(tmp_path: Path, manager: Manager) -> None:
    process = await collect(tmp_path, manager)
    starting = await manager.next()
    assert starting["STATUS"] == "starting"
    assert int(starting["EXTEND_TIMEOUT_USEC"]) > 0
    assert (await manager.until("READY"))["READY"] == "1"
    assert somebody_listens(places.socket_path(tmp_path / "m.db"))
    alive = await manager.until("WATCHDOG")
    assert alive["STATUS"].startswith("collecting")
    assert "EXTEND_TIMEOUT_USEC" not in alive
    process.send_signal(signal.SIGHUP)
    reloading = await manager.until("RELOADING")
    assert 0 < int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    await manager.until("READY")
    process.terminate()
    await manager.until("STOPPING")
    assert await process.wait() == 0


async def test_a_loop_that_does_not_turn_gives_no_sign_of_life(tmp_path: Path, manager: Manager) -> None:
    process = await collect(tmp_path, manager, "-c", BLOCKED)
    try:
        await manager.until("READY")
        await manager.until("WATCHDOG")
        (tmp_path / "block").touch()
        said_last = time.monotonic()
        # What was said before it hung is read; then nothing comes for many times as long as it may take.
        with contextlib.suppress(TimeoutError):
            while await manager.next(1.5):
                said_last = time.monotonic()
        assert time.monotonic() - said_last >= 1.5
        # The manager's signal: what is left says where it hangs.
        process.send_signal(signal.SIGABRT)
        _, said = await process.communicate()
        assert b"own_samples" in said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="addresses without a file are Linux's")
async def test_an_address_without_a_file() -> None:
    manager = Manager(f"@{secrets.token_hex(8)}")
    Notifier(manager.address).ready()
    assert await manager.next() == {"READY": "1", "STATUS": "collecting"}
    manager.close()


def test_who_is_started_by_us_is_not_asked() -> None:
    environ = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1", "PATH": "/bin"}
    notifier = Notifier.taken(environ)
    assert environ == {"PATH": "/bin"}
    # Signs of life are asked of another process.
    assert (notifier.asked, notifier.watched) == (True, False)
    mine = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid())}
    assert Notifier.taken(mine).watched


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1"])
def test_an_address_of_another_kind_is_none(address: str) -> None:
    assert not Notifier.taken({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "x"}).asked


async def test_a_manager_that_is_gone_and_words_that_fail_end_nothing(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "gone"), 1.0)
    notifier.ready()
    notifier.stopping()
    manager = Manager(str(tmp_path / "notify"))
    keeping = asyncio.create_task(Notifier(manager.address, 1.0).keep(lambda: str(1 // 0)))
    assert (await manager.next())["STATUS"] == "collecting"
    assert (await manager.next())["WATCHDOG"] == "1"
    keeping.cancel()
    manager.close()
