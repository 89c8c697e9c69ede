"""While nothing can be written pushers are told to come again, the database's row says why; it goes on."""

import asyncio

import httpx

from tests.runtime.collecting import CALL, row, until
from tui_monitor.model.states import SourceState
from tui_monitor.runtime import Collector


async def test_a_disk_that_is_full_for_a_while(collector: Collector, web: httpx.AsyncClient) -> None:
    conn = collector.store._writing.conn  # a disk that is full, without filling one

    def pages(more: int) -> None:
        (now,) = conn.execute("PRAGMA page_count").fetchone()
        conn.execute(f"PRAGMA max_page_count = {now + more}")

    def calls(start: int, count: int = 400) -> list[dict[str, object]]:
        return [{**CALL, "id": f"c{n}", "note": f"{n}" * 100} for n in range(start, start + count)]

    first = await web.post("/monitor/v1/events", json=calls(0))
    assert first.json()["accepted"] == 400
    await asyncio.to_thread(pages, 0)
    refused = await web.post("/monitor/v1/events", json=calls(400))
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert "disk is full" in refused.json()["error"]
    await until(lambda: row(collector, "database").state is SourceState.FAILED)
    shown = row(collector, "database")
    assert "disk is full" in shown.last_error
    assert "goes on by itself" in shown.detail
    assert "disk is full" in collector.status().trouble
    assert (await web.get("/ready")).status_code == 503

    await asyncio.to_thread(pages, 10_000)
    again = await web.post("/monitor/v1/events", json=calls(400))
    assert (again.status_code, again.json()["accepted"]) == (200, 400)
    await until(lambda: row(collector, "database").state is SourceState.RUNNING)
    assert (await web.get("/ready")).status_code == 200
    assert collector.store.extent().calls == 800
