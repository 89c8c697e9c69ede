"""The dashboard on a real collector, and as a process in a real terminal."""

import asyncio
import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import CALL, settings_for
from tests.tui.screen_fakes import KEY, text
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.server import serve
from tui_monitor.tui.app import MonitorApp

HEAVY = (
    "numpy",
    "pydantic",
    "httpx",
    "genai_prices",
    "starlette",
    "uvicorn",
    "aiosqlite",
    "orjson",
    "plotext",
)


@pytest.fixture
def thread(tmp_path: Path) -> Iterator[CollectorThread]:
    settings = settings_for(
        tmp_path / "monitor.db",
        screen={"update_interval": "100ms"},
        budgets=[{"name": "month", "amount_usd": 0.001}],
        alerts={
            "rules": [{"name": "any", "expr": "requests{} [1h] > 0"}],
            "interval": "1s",
            "shipped": False,
        },
    )
    made = CollectorThread(settings=settings, serve=serve)
    yield made
    assert made.stop(5)


async def sees(pilot: Any, *words: str, seconds: float = 15.0) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not all(word in text(pilot.app) for word in words):
                await pilot.pause(0.05)
    except TimeoutError:
        pytest.fail(f"never seen: {words}\n{text(pilot.app)}")


async def address(thread: CollectorThread) -> str:
    """Where the door is, once it is open."""
    async with asyncio.timeout(10):
        while True:
            status = (await thread.call(lambda monitor: monitor.system(TimeRange()))).collector
            door = next((row.detail for row in status.sources if row.name == "http"), "")
            if door.startswith("http://"):
                return door
            await asyncio.sleep(0.05)


async def test_pushed_calls_show_up_on_every_pane(thread: CollectorThread) -> None:
    app = MonitorApp(thread, host="box", environ={"LANG": "C.UTF-8"})
    async with app.run_test(size=(120, 40)) as pilot:
        await sees(pilot, "No calls yet.", "● collecting", "curl http://127.0.0.1:")
        assert "127.0.0.1:0/" not in text(app)
        url = await address(thread)
        calls = [CALL | {"id": f"c{n}", "latency_ms": 100 + n, "project": "search"} for n in range(20)]
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{url}/monitor/v1/events", json=calls)
        assert answer.json()["accepted"] == 20
        await sees(pilot, "openai", "● healthy", "LATENCY p95", "WHAT CHANGED")
        await pilot.press(KEY["providers"])
        await sees(pilot, "none of the last 20 calls failed")
        await pilot.press(KEY["costs"])
        await sees(pilot, "$0.0070 of $0.0010", "gpt-4o", "BY model")
        await pilot.press(KEY["alerts"])
        await sees(pilot, "any", "not taken")
        await pilot.press("a")
        await sees(pilot, "takes it")
        await pilot.press(*"looking", "enter")
        await sees(pilot, "(1 taken)", "“looking”")
        await pilot.press("s")
        await sees(pilot, "keeps quiet until")
        await pilot.press("enter")
        await sees(pilot, "SILENCED 1")
        await pilot.press("u")
        await sees(pilot, "SILENCED 0", "(1 taken)")
        await pilot.press("u")
        await sees(pilot, "not taken")
        await pilot.press(KEY["query"])
        await pilot.press(*"requests{} sum by(project)", "enter")
        await sees(pilot, "1 series", "search")
        await pilot.press("escape", KEY["sources"])
        await sees(pilot, "WAYS IN", "● running")
        await pilot.press(KEY["system"])
        await sees(pilot, "● running")
        await pilot.press(KEY["collector"])
        await sees(pilot, "● running", "20 calls", "monitor.db", "● healthy")


def test_importing_the_app_loads_nothing_heavy() -> None:
    imports = "import sys, tui_monitor.tui.app, tui_monitor.tui.panes.providers"
    code = f"{imports}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


class Terminal:
    """A process in a pseudo terminal."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (24, 80), **environ: str) -> None:
        self.fd, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        known = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui_monitor", *arguments],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            env={**os.environ, **known, **environ},
        )
        os.close(inside)
        self.output = b""

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def read(self, until: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, self.output[-2000:]
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.output += os.read(self.fd, 65_536)
                except OSError:
                    # Linux's way to say that the other side is gone.
                    time.sleep(0.02)

    def sees(self, words: str) -> None:
        self.read(lambda: words.encode() in self.output)

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def ended(self) -> bool:
        return self.code is not None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(tmp_path: Path, empty_database: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals on a database without calls."""
    shutil.copy(empty_database, tmp_path / "t.db")
    opened: list[Terminal] = []

    def start(*arguments: str, **options: Any) -> Terminal:
        opened.append(Terminal("--db", str(tmp_path / "t.db"), *arguments, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_at_rest_nothing_is_written(terminal: Callable[..., Terminal]) -> None:
    process = terminal("--no-collect")
    process.sees("not collecting")
    deadline = time.monotonic() + 0.5
    process.read(lambda: time.monotonic() > deadline)
    # Away from the turn of a minute, which may change an age.
    time.sleep(max(0.0, 60 - time.time() % 60) + 1.5 if time.time() % 60 > 56 else 0)
    deadline = time.monotonic() + 0.3
    process.read(lambda: time.monotonic() > deadline)
    before = len(process.output)
    deadline = time.monotonic() + 1.6
    process.read(lambda: time.monotonic() > deadline)
    assert process.output[before:] == b""


def test_an_alert_that_begins_to_fire_rings(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[alerts]\ninterval = "1s"\nshipped = false\n[[alerts.rules]]\nname = "memory"\n'
        'expr = "system_memory_utilization{} [5m] avg > 0"\n[server]\nlisten = ""\n'
    )
    process = terminal("--config", str(tmp_path / "config.toml"), TMUX="")
    process.read(lambda: b"\x1b]9;tui-monitor: warning: memory" in process.output)
    told = process.output.partition(b"\x1b]9;")
    assert b"\x07" in told[0][-200:]
    assert b"\x07" in told[2][:200]


@pytest.mark.parametrize(
    "environ", [{"LANG": "C", "LC_ALL": "", "TERM": "screen-256color"}, {"NO_COLOR": "1"}]
)
def test_other_terminals(terminal: Callable[..., Terminal], environ: dict[str, str]) -> None:
    process = terminal("--no-collect", **environ)
    process.sees("not collecting")
    seen = {"costs": "MONTH", "alerts": "FIRING", "sources": "SOURCES", "calls": "following"}
    for pane, words in seen.items():
        process.press(KEY[pane])
        process.sees(words)
    process.press("q")
    process.read(process.ended)
    assert process.code == 0
