"""The dashboard on a collector behind a line that breaks: every pane, and what is decided meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.monitor.proxying import Proxy
from tests.runtime.collecting import CALL, opened, ready, settings_for
from tests.tui.screen_fakes import KEY, text
from tui_monitor.config import places
from tui_monitor.config.load import Settings
from tui_monitor.model.states import SourceState
from tui_monitor.monitor import line as lines
from tui_monitor.monitor.attached import AttachedThread
from tui_monitor.monitor.target import Target
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.server.tokens import read_or_make
from tui_monitor.tui.app import MonitorApp

RULE = {"name": "any", "expr": "requests{} [1h] > 0"}


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[Collector]:
    settings = settings_for(
        tmp_path / "monitor.db",
        general={"timezone": "Asia/Tokyo"},
        server={"socket": False},
        budgets=[{"name": "theirs", "amount_usd": 0.001}],
        alerts={"rules": [RULE], "interval": "1s", "shipped": False},
    )
    made = Collector(settings, settings.database_path(), serve=serve)
    await made.start()
    await ready(made)
    yield made
    await made.stop()


async def sees(pilot: Any, *words: str, seconds: float = 20.0) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not all(word in text(pilot.app) for word in words):
                await pilot.pause(0.1)
    except TimeoutError:
        pytest.fail(f"never seen: {words}\n{text(pilot.app)}")


async def test_all_of_it_over_a_line_that_breaks(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 0.2)
    url = (await opened(collector, "http")).split()[0]
    async with httpx.AsyncClient() as web:
        calls = [CALL | {"id": f"c{n}", "latency_ms": 100 + n, "project": "search"} for n in range(20)]
        assert (await web.post(f"{url}/monitor/v1/events", json=calls)).json()["accepted"] == 20
    async with Proxy(int(url.rpartition(":")[2])) as proxy:
        target = Target(proxy.url, "box:4319", read_or_make(places.token_file()))
        ana = {"general": {"name": "ana"}, "screen": {"update_interval": "250ms"}}
        mine = settings_for(tmp_path / "none.db", **ana)
        thread = AttachedThread(target, settings=mine)
        app = MonitorApp(thread, host="laptop", environ={"LANG": "C.UTF-8"})
        try:
            async with app.run_test(size=(120, 40)) as pilot:
                await visit(pilot, proxy, collector)
        finally:
            assert await asyncio.to_thread(thread.stop, 5)
        await look_alone(AttachedThread(target, settings=read_only(mine)), collector)
    assert not (tmp_path / "none.db").exists()


def read_only(settings: Settings) -> Settings:
    return settings.model_copy(update={"screen": settings.screen.model_copy(update={"read_only": True})})


async def look_alone(thread: AttachedThread, collector: Collector) -> None:
    """Where one only looks, nothing is decided there either."""
    app = MonitorApp(thread, host="laptop", environ={"LANG": "C.UTF-8"})
    try:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await sees(pilot, "read-only", "● attached")
            await pilot.press(KEY["alerts"])
            await sees(pilot, "any", "not taken")
            await pilot.press("a")
            await sees(pilot, "read-only: acknowledge cannot be done from here")
            await pilot.press(KEY["sources"], "p")
            await sees(pilot, "read-only: pause/resume cannot be done from here")
    finally:
        assert await asyncio.to_thread(thread.stop, 5)
    assert (await collector.monitor.alerts()).alerts[0].acked_by is None
    assert all(row.state is not SourceState.PAUSED for row in collector.rows())


async def visit(pilot: Any, proxy: Proxy, collector: Collector) -> None:
    await sees(pilot, "box:4319", "● attached", "openai", "● healthy", "LATENCY p95")
    await pilot.press(KEY["costs"])
    await sees(pilot, "of $0.0010", "gpt-4o")
    await pilot.press(KEY["query"])
    await pilot.press(*"requests{}", "enter")
    await sees(pilot, "1 series", "20")
    await pilot.press("escape", KEY["sources"])
    await sees(pilot, "WAYS IN", "● running")
    await pilot.press(KEY["system"])
    await sees(pilot, "● running")
    await pilot.press(KEY["collector"])
    await sees(pilot, "● running", "20 calls")
    await pilot.press(KEY["boards"])
    await sees(pilot, "APPLICATION", "gpt-4o", "118 ms")
    await pilot.press(KEY["alerts"])
    await sees(pilot, "any", "not taken")
    proxy.refusing = True
    proxy.cut()
    await sees(pilot, "✖ line lost", "no line to box:4319 since", "below stands what was known at")
    await sees(pilot, "not taken")
    await pilot.press("a")
    await sees(pilot, "takes it")
    await pilot.press(*"mine", "enter")
    await sees(pilot, "1 decided, waits for the line: acknowledge any")
    assert all(alert.acked_by is None for alert in (await collector.monitor.alerts()).alerts)
    proxy.refusing = False
    await sees(pilot, "● attached", "(1 taken)", "“mine”")
    alert = (await collector.monitor.alerts()).alerts[0]
    assert alert.acked_by == "ana"
    await collector.monitor.unacknowledge(alert.id, "ben")
    await sees(pilot, "not taken")
