"""The collector's loop that judges providers: samples, reasons, and an event when a state changes."""

import asyncio
from pathlib import Path

import pytest

from tui_monitor.config.load import load
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, SystemClock
from tui_monitor.model.feed import Sample
from tui_monitor.runtime import health
from tui_monitor.runtime.collector import Collector


async def settled(until, within: float = 8.0) -> None:
    async with asyncio.timeout(within):
        while not until():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_states_reasons_and_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "EVERY", SECOND // 20)

    async def main() -> None:
        clock = SystemClock()
        collector = Collector(load(), tmp_path / "m.db", sources=[])
        await collector.start()
        try:
            heard = collector.bus.listen("provider_status")
            now = clock.now()
            calls = [
                Call("t", str(n), ts_end=now, provider="openai", status="error", error_category="server")
                for n in range(12)
            ]
            labels = {"provider": "groq", "target": "t"}
            probes = [
                Sample("probe_success", now, 1.0, labels),
                Sample("probe_failures_in_a_row", now, 0.0, labels),
            ]
            status = Sample("provider_status", now, 0.0, {"provider": "mistral"})
            await collector.submit([*calls, *probes, status])
            await settled(lambda: len(collector.provider_reasons) == 3)
            assert collector.provider_reasons["openai"] == "12 of the last 12 calls failed: server 12"
            assert collector.provider_reasons["groq"] == "reachable"
            await collector.submit([Sample("provider_status", clock.now(), 1.0, {"provider": "groq"})])
            await settled(lambda: "status page" in collector.provider_reasons["groq"])

            def told() -> list[tuple[str, str, str]]:
                return [(e.data["provider"], e.data["before"], e.data["state"]) for e in events]

            events = heard.drain()
            await settled(lambda: events.extend(heard.drain()) or len(events) >= 3)
            assert sorted(told()) == [
                ("groq", "healthy", "degraded"),
                ("groq", "unknown", "healthy"),
                ("openai", "unknown", "unavailable"),
            ]
            found: dict[str, float] = {}
            async with asyncio.timeout(8.0):
                while found.get("groq") != 1.0:
                    result = await collector.monitor.query(
                        "tui_monitor_provider_state{} [5m] last by(provider)"
                    )
                    found = result.by("provider")
            assert found == {"openai": 2.0, "groq": 1.0}, "nothing while unknown"

            def detail() -> str:
                return next(row.detail for row in collector.rows() if row.name == "health")

            await settled(lambda: detail() == "3 providers, 2 not healthy")
        finally:
            await collector.stop()

    asyncio.run(main())
