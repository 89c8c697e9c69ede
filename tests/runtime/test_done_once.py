"""What people do under a name of its own is done once, however often it is sent, and whoever is killed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.monitor.test_contract import Still
from tests.monitor.test_viewing import firing, store_alert
from tests.runtime.collecting import opened, ready, row, settings_for
from tests.runtime.test_shutdown import launch
from tests.server.test_roles import bearer
from tui_monitor.config import places
from tui_monitor.model.alert import Matcher
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock, SystemClock
from tui_monitor.model.errors import MonitorError, Unreachable
from tui_monitor.model.once import Once
from tui_monitor.model.states import AlertState, SourceState
from tui_monitor.monitor.remote import SocketClient
from tui_monitor.monitor.viewing import viewing
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.server.named import NamedTokens
from tui_monitor.server.roles import Role
from tui_monitor.store import acts
from tui_monitor.store.acts import Done
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store

OPENAI = Matcher("provider", "openai")
NEVER = {"name": "r", "expr": "eror_rate > 1"}
"""A rule that is misspelt keeps the alerts of its name as they are."""
ALERTS: dict[str, Any] = {"rules": [NEVER], "shipped": False, "interval": "1h"}

KILLED = """
import os, signal, sys
from tui_monitor.store.alerts import AlertStore
save = AlertStore.save

async def saved(self, *args, done=None, **more):
    await save(self, *args, done=done, **more)
    if done is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0

AlertStore.save = saved
from tui_monitor.__main__ import main
sys.exit(main())
"""
"""The program, but that it is killed once an act is on disk, before anybody hears of it."""


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[Collector]:
    """With one firing alert `abc`, an import `batch` of three calls, and a source `one`."""
    settings = settings_for(tmp_path / "monitor.db", alerts=ALERTS)
    path = settings.database_path()
    await store_alert(path, firing("abc"))
    store = Store.open(path, write=True, clock=SystemClock())
    now = SystemClock().now()
    store.begin_import(ImportInfo("batch", now, (), "csv", 0))
    store.write(
        WriteBatch(calls=[Call("import", str(n), ts_end=now - n, batch_id="batch") for n in range(3)])
    )
    store.close()
    collector = Collector(settings, path, serve=serve, sources=[Still()], configure=lambda: settings)
    await collector.start()
    await ready(collector)
    yield collector
    await collector.stop()


async def test_the_first_answer_is_given_again_and_no_more_is_done(collector: Collector) -> None:
    monitor, once = collector.monitor, [Once(str(n), "body") for n in range(6)]
    taken = await monitor.acknowledge("abc", "ana", "mine", once=once[0])
    await monitor.unacknowledge("abc", "bob", once=once[1])
    # Bob has undone it: that Ana's word comes again must not undo what he did.
    assert await monitor.acknowledge("abc", "ana", "mine", once=once[0]) == taken
    assert (await monitor.alert("abc")).state is AlertState.FIRING
    assert [change.who for change in await monitor.history("abc")] == ["ana", "bob"]

    ends = collector.clock.now() + HOUR
    silence = await monitor.silence([OPENAI], ends, "ana", once=once[2])
    ended = await monitor.unsilence(silence.id, "bob", once=once[3])
    assert await monitor.silence([OPENAI], ends, "ana", once=once[2]) == silence
    assert await monitor.unsilence(silence.id, "bob", once=once[3]) == ended
    assert await monitor.silences(ended=True) == [ended]

    await monitor.pause_source("one", "ana", once=once[4])
    await monitor.resume_source("one", "bob", once=once[5])
    await monitor.pause_source("one", "ana", once=once[4])
    assert row(collector, "one").state is SourceState.RUNNING

    undone = Once("undo")
    assert await asyncio.gather(*(monitor.undo_import("batch", once=undone) for _ in range(3))) == [3, 3, 3]
    with pytest.raises(MonitorError, match="already"):
        await monitor.undo_import("batch", once=Once("another"))
    reloaded = Once("reload")
    assert await monitor.reload(once=reloaded) == await monitor.reload(once=reloaded)


async def test_what_is_sent_twice_at_the_same_time(collector: Collector) -> None:
    once, ends = Once("same"), collector.clock.now() + HOUR
    made = await asyncio.gather(
        *(collector.monitor.silence([OPENAI], ends, "ana", once=once) for _ in range(5))
    )
    assert [made[0]] == await collector.monitor.silences() == list(set(made))


async def test_a_failure_is_no_answer(collector: Collector) -> None:
    once = Once("k")
    with pytest.raises(MonitorError, match="not acknowledged"):
        await collector.monitor.unacknowledge("abc", "ana", once=once)
    await collector.monitor.acknowledge("abc", "ana")
    assert (await collector.monitor.unacknowledge("abc", "ana", once=once)).state is AlertState.FIRING


async def test_a_name_is_its_callers_and_of_one_request(collector: Collector) -> None:
    where = await opened(collector, "http")
    tokens = NamedTokens(places.named_tokens_file())
    ana, bob = (
        {**bearer(tokens.add(name, Role.OPERATE, 1)), "Idempotency-Key": "1"} for name in ("ana", "bob")
    )
    path, body = "/monitor/v1/silences", {"matchers": [{"name": "provider", "value": "x"}], "for": "2h"}
    async with httpx.AsyncClient(base_url=where) as web:
        first = await web.post(path, json=body, headers=ana)
        assert (await web.post(path, json=body, headers=ana)).json() == first.json()
        for other in (
            web.post(path, json={**body, "for": "3h"}, headers=ana),
            web.post("/monitor/v1/alerts/abc/ack", json={}, headers=ana),
            web.post("/monitor/v1/reload", headers=ana),
            web.post("/monitor/v1/sources/one/pause", headers=ana),
        ):
            answer = await other
            assert (answer.status_code, answer.json()["status"]) == (422, "error")
            assert "used for something else" in answer.json()["error"]
        assert (await web.post(path, json=body, headers=bob)).json()["data"]["created_by"] == "bob"
        assert len(await collector.monitor.silences()) == 2
        assert (
            await web.post(path, json=body, headers={**ana, "Idempotency-Key": "x" * 201})
        ).status_code == 400
        assert (
            await web.post("/monitor/v1/alerts/abc/ack", headers=bearer(tokens.add("c", Role.OPERATE, 1)))
        ).is_success


async def test_where_nobody_collects(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "monitor.db", alerts=ALERTS)
    path = settings.database_path()
    await store_alert(path, firing("abc"))
    once, paused = Once("k"), Once("p")
    async with viewing(settings, path, SystemClock()) as monitor:
        taken = await monitor.acknowledge("abc", "ana", once=once)
        assert await monitor.acknowledge("abc", "ana", once=once) == taken
        assert len(await monitor.history("abc")) == 1
        await monitor.pause_source("one", "ana", once=paused)
        await monitor.resume_source("one", "bob")
        await monitor.pause_source("one", "ana", once=paused)
    store = Store.open(path, write=False, clock=SystemClock())
    assert store.offsets("paused:") == {}
    store.close()


async def test_killed_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_MONITOR_ALERTS__RULES", orjson.dumps([NEVER]).decode())
    path = tmp_path / "monitor.db"
    await store_alert(path, replace(firing("abc"), labels={"provider": "nobody"}))
    ends = SystemClock().now() + HOUR
    names = {what: Once.new() for what in ("ack", "silence")}

    async def act(client: SocketClient, what: str) -> Any:
        if what == "ack":
            return await client.acknowledge("abc", "ana", "mine", once=names[what])
        return await client.silence([OPENAI], ends, "ana", once=names[what])

    for what in names:
        process = await launch(tmp_path, "-c", KILLED)
        async with SocketClient(places.socket_path(path)) as client:
            with pytest.raises(Unreachable):
                await act(client, what)
        assert await process.wait() == -9
    process = await launch(tmp_path, "-c", KILLED)
    async with SocketClient(places.socket_path(path)) as client:
        answers = {what: await act(client, what) for what in names}
        assert {what: await act(client, what) for what in names} == answers
    process.terminate()
    await process.communicate()
    async with viewing(settings_for(path), path, SystemClock()) as monitor:
        assert [change.who for change in await monitor.history("abc") if change.who != "rules"] == ["ana"]
        assert await monitor.silences() == [answers["silence"]]
    assert (answers["ack"].acked_by, answers["ack"].note) == ("ana", "mine")


def test_few_are_remembered_and_not_for_ever(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "MAX_ACTS", 5)

    def do(key: str) -> None:
        store.write(WriteBatch(done=Done(Once(key), "source", True)))

    def known() -> list[str]:
        with sqlite3.connect(f"file:{store.path}?mode=ro", uri=True) as conn:
            return [key for (key,) in conn.execute("SELECT key FROM acts ORDER BY id")]

    for number in range(9):
        do(str(number))
    assert known() == ["4", "5", "6", "7", "8"]
    clock.advance(acts.KEPT + MINUTE)
    do("late")
    assert known() == ["late"]
    clock.advance(-40 * DAY)
    do("early")
    assert known() == ["late", "early"]
    assert store.answered(Once("late"), "source") is True
    assert store.answered(Once("never"), "source") is None
    with pytest.raises(MonitorError, match="something else"):
        store.answered(Once("late", "other"), "source")
