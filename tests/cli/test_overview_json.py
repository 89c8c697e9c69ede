"""What the Overview shows is what `status --json` says of the same moment."""

import asyncio
from typing import Any

from tests.tui.screen_fakes import FakeBackend, lines, settings_of, settle
from tui_monitor.config.load import load
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.units import UNKNOWN, count, milliseconds, ratio, usd
from tui_monitor.monitor.viewing import viewing
from tui_monitor.tui.app import MonitorApp


async def screen(clock: ManualClock) -> list[str]:
    settings = load(None)
    async with viewing(settings, settings.database_path(), clock) as monitor:
        backend: Any = FakeBackend(monitor, settings_of())  # type: ignore[arg-type]
        app = MonitorApp(backend, host="box", environ={"LANG": "C.UTF-8"}, timer=lambda: 0.0)
        async with app.run_test(size=(200, 50)) as pilot:
            async with asyncio.timeout(20):
                while not any(line.strip().startswith("anthropic") for line in lines(app)[:20]):
                    await settle(pilot)
            await settle(pilot)
            return lines(app)


def test_every_figure_is_the_same(fed: Any, clock: ManualClock) -> None:
    told = fed("--json", "status").json["data"]
    shown = asyncio.run(screen(clock))
    providers = told["providers"]["rows"]
    assert {row["provider"] for row in providers} == {"anthropic", "openai"}
    # Only the list has a provider's state, also where what needs somebody names it.
    listed = [line for line in shown if "req/min" in line]
    below = shown[shown.index(listed[0]) :]
    for row in providers:
        line = next(line for line in below if line[2:].startswith(row["provider"]))
        requests = row["requests"]
        figures = (
            row["state"], milliseconds(row["p50_ms"]), milliseconds(row["p95_ms"]),
            ratio(row["success_rate"]), UNKNOWN if requests is None else count(requests / 60),
            usd(row["cost_today"]),
        )  # fmt: skip
        for figure in figures:
            assert f" {figure} " in line, (figure, line)
    spend = next(line for line in shown if line.startswith(" SPEND"))
    for one in told["costs"]["spends"]:
        assert f"{one['period']} {usd(one['cost'])}" in spend
