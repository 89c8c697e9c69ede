"""An attached dashboard over a thin line: how many bytes it takes at rest, and how soon keys are answered.

A collector of its own runs on a copy of a database and takes a few calls a second. The dashboard, without a
terminal, reaches it through a proxy that counts what TCP carries, both ways; for the second part it lets
64 kbit/s through each way and holds everything back for 125 ms, so that an answer takes 250 ms at least.

    python benchmarks/attach.py [--seconds N] monitor.db
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpx
from table import Row, private, show

from tui_monitor.config import places
from tui_monitor.config.load import load
from tui_monitor.monitor.attached import AttachedThread
from tui_monitor.monitor.target import Target
from tui_monitor.server.tokens import read_or_make
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.screens.dashboard import Dashboard

RATE = 8_000.0
ONE_WAY = 0.125
PANES = {
    "1": "overview", "2": "providers", "3": "costs", "4": "alerts", "5": "query", "6": "sources",
    "7": "system",
}  # fmt: skip


KEYS = {
    "another pane": ["2", "3", "7", "4"] * 3,
    "another range of providers": ["2", *["]", "["] * 4],
    "another dimension of costs": ["3", *["b"] * 8],
}


class Line:
    """Forwards TCP, counts it, and may be slow."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.up = self.down = self.connections = 0
        self.rate = self.delay = 0.0
        self._free = [0.0, 0.0]

    async def open(self) -> int:
        """Its own port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # A connection takes a way there and back before anything is said on it.
        await asyncio.sleep(2 * self.delay)
        there, onward = await asyncio.open_connection("127.0.0.1", self._port)
        # One that is called off at the end is no error to tell of.
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, onward, 0), self._pump(there, writer, 1))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: int) -> None:
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

        async def send() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)

        task = asyncio.create_task(send())
        self._tasks.add(task)
        while data := await reader.read(1_400):
            if way:
                self.down += len(data)
            else:
                self.up += len(data)
            # All connections share the line.
            takes = len(data) / self.rate if self.rate else 0.0
            self._free[way] = max(self._free[way], loop.time()) + takes
            queue.put_nowait((self._free[way] + self.delay, data))
        queue.put_nowait((0.0, b""))


async def feed(url: str, pace: float) -> None:
    """A few calls a second, as programs send them."""
    rng = random.Random(1)
    models = {"openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-pro"}
    async with httpx.AsyncClient(base_url=url) as web:
        while True:
            provider = rng.choice(list(models))
            call = {
                "provider": provider, "model": models[provider], "input_tokens": rng.randint(100, 3_000),
                "output_tokens": rng.randint(10, 800), "latency_ms": rng.lognormvariate(7, 0.5),
                "status": "success" if rng.random() < 0.98 else "error",
            }  # fmt: skip
            with suppress(httpx.HTTPError):
                await web.post("/monitor/v1/events", json=call, timeout=30)
            await asyncio.sleep(1 / pace)


def screen_of(app: MonitorApp) -> Dashboard:
    """The screen that everything is on."""
    return cast(Dashboard, app.get_default_screen())


async def answered(app: MonitorApp, pilot: Any, key: str) -> float:
    """Seconds from a key until the pane that it leads to has its answer."""
    began = time.perf_counter()
    await pilot.press(key)
    # The toolkit's pilot waits a little after a key; what was answered by then counts as taking that long.
    pane = screen_of(app).pane
    while pane.answer is None or pane.asking:
        await pilot.pause(0.002)
    return time.perf_counter() - began


def tell(rows: list[Row], row: Row) -> None:
    """Add a row, and say so at once: all of it takes minutes."""
    rows.append(row)
    print(row.what, row.ours, row.reference, file=sys.stderr, flush=True)


async def measure(url: str, pace: float, seconds: float, size: tuple[int, int]) -> list[Row]:
    rows: list[Row] = []
    line = Line(int(url.rpartition(":")[2]))
    target = Target(f"http://127.0.0.1:{await line.open()}", "there", read_or_make(places.token_file()))
    backend = AttachedThread(target, settings=load(None, {"general": {"name": "bench"}}))
    app = MonitorApp(backend, environ={"LANG": "C.UTF-8"})
    feeding = asyncio.create_task(feed(url, pace))
    async with app.run_test(size=size) as pilot:
        while screen_of(app).snapshot is None:
            await pilot.pause(0.05)
        for key, name in PANES.items():
            # From a line in which one types, keys lead nowhere.
            await pilot.press("escape", key)
            await pilot.pause(4)
            up, down, connections, began = line.up, line.down, line.connections, time.monotonic()
            await pilot.pause(seconds)
            spent = time.monotonic() - began
            there, back = (line.up - up) / spent, (line.down - down) / spent
            ways = f"{there:.0f} there, {back:.0f} back, {line.connections - connections} connections"
            tell(
                rows,
                Row(
                    f"{name} at rest, bytes/s",
                    f"{there + back:.0f}",
                    ways,
                    "",
                    "2,000",
                    there + back <= 2_000,
                ),
            )
        for name, keys in KEYS.items():
            found = {}
            for thin in (False, True):
                line.rate, line.delay = (RATE, ONE_WAY) if thin else (0.0, 0.0)
                await pilot.pause(3)
                await pilot.press("escape")
                before = line.up + line.down
                took = [await answered(app, pilot, key) for key in keys]
                found[thin] = statistics.median(took) * 1000
                size_of_one = (line.up + line.down - before) / len(keys)
            ways = f"{found[False]:.0f} without the delays; {size_of_one:.0f} bytes each"
            good = found[True] <= 500
            tell(rows, Row(f"{name}, thin line, ms", f"{found[True]:.0f}", ways, "", "500", good))
    feeding.cancel()
    await asyncio.to_thread(backend.stop, 3)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pace", type=float, default=2.0, help="calls a second")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(private(Path(folder)))
        copy = shutil.copy(args.database, Path(folder) / "copy.db")
        os.environ["TUI_MONITOR_SERVER__LISTEN"] = "127.0.0.1:0"
        command = [sys.executable, "-m", "tui_monitor", "--json", "--db", str(copy), "collect"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as collector:
            assert collector.stdout is not None
            url = json.loads(collector.stdout.readline())["data"]["listening"][0]
            try:
                rows = asyncio.run(measure(url, args.pace, args.seconds, (200, 50)))
            finally:
                collector.terminate()
    show(rows)


if __name__ == "__main__":
    main()
