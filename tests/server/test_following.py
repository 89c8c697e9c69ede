"""The WebSocket over real connections, with a client library of others."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import InvalidStatus

from tests.runtime.collecting import CALL, opened
from tests.server.test_hostile_clients import bearer
from tui_monitor.runtime import Collector
from tui_monitor.runtime.eventlog import NAMES

Message = dict[str, Any]


@asynccontextmanager
async def followed(collector: Collector, query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket over TCP, with the token."""
    url = (await opened(collector, "http")).replace("http://", "ws://")
    options.setdefault("additional_headers", bearer())
    # What nobody reads here would hold back the answer to its close.
    options.setdefault("max_queue", None)
    async with connect(f"{url}/ws{query}", proxy=None, **options) as socket:
        yield socket


async def heard(socket: ClientConnection, kind: str, **fields: Any) -> Message:
    """The next message of a type, or event of a name, with these fields."""
    async with asyncio.timeout(30):
        while True:
            message = json.loads(await socket.recv())
            same = kind in (message["type"], message.get("event"))
            if same and all(
                message.get("data", message).get(name) == value for name, value in fields.items()
            ):
                return message


async def push(web: httpx.AsyncClient, *calls: dict[str, Any]) -> None:
    answer = await web.post("/monitor/v1/events", json=[{**CALL, **call} for call in calls])
    assert answer.status_code == 200


async def test_how_things_stand_and_then_what_happens(collector: Collector, web: httpx.AsyncClient) -> None:
    async with followed(collector) as socket:
        hello = json.loads(await socket.recv())
        assert hello["type"] == "connected"
        assert hello["client_id"]
        start = json.loads(await socket.recv())
        assert (start["type"], start["event"], start["id"]) == (
            "event",
            "initial_status",
            hello["last_event_id"],
        )
        assert start["data"]["costs"]["daily_total"] is None
        await push(web, {"latency_ms": 900})
        call = await heard(socket, "request_completed")
        assert call["data"] == {
            "provider": "openai", "model": "gpt-4o", "operation": "chat", "status": "success",
            "calls": 1, "latency_ms": 900, "cost_usd": 0.00035,
        }  # fmt: skip
        assert call["id"] > start["id"]
        costs = await heard(socket, "cost_update")
        while costs["data"]["daily_total"] is None:
            # One from before the call may still have been under way.
            costs = await heard(socket, "cost_update")
        assert costs["data"]["daily_total"] == pytest.approx(0.00035)
        assert costs["data"]["latest_operation"]["model"] == "gpt-4o"


async def test_over_the_unix_socket_by_the_other_name_and_without_a_token(collector: Collector) -> None:
    path = await opened(collector, "socket")
    async with unix_connect(path, "ws://collector/ws/monitoring") as socket:
        await socket.send('{"type": "ping"}')
        assert (await heard(socket, "pong"))["ts"]


async def test_events_are_chosen(collector: Collector, web: httpx.AsyncClient) -> None:
    async with followed(collector, "?event_types=data_changed") as socket:
        assert (await heard(socket, "connected"))["event_types"] == ["data_changed"]
        await socket.send('{"type": "subscribe", "event_types": ["request_completed"]}')
        both = ["data_changed", "request_completed"]
        assert (await heard(socket, "subscribed"))["event_types"] == both
        await socket.send('{"type": "unsubscribe", "event_types": ["data_changed"]}')
        assert (await heard(socket, "subscribed"))["event_types"] == ["request_completed"]
        await push(web, {})
        assert json.loads(await socket.recv())["event"] == "request_completed"
        await socket.send('{"type": "subscribe", "event_types": ["nothing"]}')
        assert "there is no event nothing" in (await heard(socket, "error"))["error"]


async def test_going_on_where_one_left_off(collector: Collector, web: httpx.AsyncClient) -> None:
    async with followed(collector, "?event_types=request_completed") as socket:
        await push(web, {"model": "first"})
        seen = await heard(socket, "request_completed", model="first")
    for model in ("second", "third"):
        await push(web, {"model": model})
    async with followed(collector, f"?event_types=request_completed&last_event_id={seen['id']}") as socket:
        await heard(socket, "initial_status")
        again = [json.loads(await socket.recv())["data"]["model"] for _ in range(2)]
    assert again == ["second", "third"]


async def test_what_another_collector_told_is_gone(collector: Collector) -> None:
    for query in ("last_event_id=7", f"last_event_id={collector.events.newest}&run=other"):
        async with followed(collector, "?" + query) as socket:
            gone = await heard(socket, "gone")
            assert gone["from"] <= gone["to"] == collector.events.oldest


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
async def test_who_does_not_belong_is_not_let_in(
    collector: Collector, headers: dict[str, str], status: int
) -> None:
    if status == 403:
        headers = {**bearer(), **headers}
    with pytest.raises(InvalidStatus) as refused:
        async with followed(collector, additional_headers=headers):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body or b"")["status"] == "error"


async def test_a_name_that_is_not_ours_leads_nowhere(collector: Collector) -> None:
    url = httpx.URL(await opened(collector, "http"))
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://evil.example:{url.port}/ws", host=url.host, additional_headers=bearer(), proxy=None
        ):
            pass
    assert refused.value.response.status_code == 403
    assert collector.refused["host"] == 1


async def test_a_plain_request_is_told_to_upgrade(local: httpx.AsyncClient) -> None:
    response = await local.get("/ws")
    assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")


async def test_the_log_page_by_page(local: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    async def page(**params: object) -> Message:
        answer = await local.get("/monitor/v1/feed", params={"event_types": "request_completed", **params})
        return answer.json()["data"]

    begin = await page()
    assert begin["events"] == []
    for model in ("first", "second", "third"):
        await push(web, {"model": model})
    found, after = [], begin["through"]
    async with asyncio.timeout(30):
        while len(found) < 3:
            part = await page(after=after, limit=2, run=begin["run"])
            assert len(part["events"]) <= 2
            found += [event["data"]["model"] for event in part["events"]]
            after = part["through"]
    assert found == ["first", "second", "third"]
    assert (await page(after=7))["gone"][0]["first"] == 8
    assert (await local.get("/monitor/v1/feed?event_types=nothing")).status_code == 400


async def test_a_part_of_the_collector_that_breaks_is_told(collector: Collector) -> None:
    async with followed(collector, "?event_types=system_alert") as socket:
        await heard(socket, "initial_status")
        collector._config.failed("no such file", "mend it")
        alarm = (await heard(socket, "system_alert"))["data"]
        assert alarm == {"subject": "config", "state": "firing", "summary": "no such file", "hint": "mend it"}
        collector._config.running()
        assert (await heard(socket, "system_alert"))["data"]["state"] == "resolved"


async def test_every_event_there_is_has_its_line_in_the_docs() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "websocket.md").read_text()
    assert {name for name in NAMES if f"`{name}`" not in page} == set()


async def test_a_client_that_cannot_be_told_is_let_go_and_the_others_are_told(
    collector: Collector, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        followed(collector, "?event_types=request_failed,request_completed") as odd,
        followed(collector, "?event_types=request_completed") as usual,
    ):
        for socket in (odd, usual):
            await heard(socket, "initial_status")
        take = collector.events.take

        def broken(after: int, wanted: frozenset[str]) -> Any:
            if "request_failed" in wanted:
                raise ValueError("broken")
            return take(after, wanted)

        monkeypatch.setattr(collector.events, "take", broken)
        await push(web, {})
        await heard(usual, "request_completed")
        async with asyncio.timeout(30):
            await odd.wait_closed()
        assert odd.close_code == 1011


async def test_many_who_come_at_once_share_a_look_at_how_things_stand(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, go_on, began = 0, asyncio.Event(), asyncio.Event()
    health = collector.pulse.health

    async def slow() -> dict[str, Any]:
        nonlocal looks
        looks += 1
        began.set()
        await go_on.wait()
        return {**await health(), "look": looks}

    collector.events.note_use()
    monkeypatch.setattr(collector.pulse, "_look", collector.events.until_followed)
    monkeypatch.setattr(collector.pulse, "health", slow)
    first = asyncio.create_task(collector.pulse.start())
    await began.wait()
    later = [asyncio.create_task(collector.pulse.start()) for _ in range(20)]
    await asyncio.sleep(0)
    later[0].cancel()
    go_on.set()
    # Who came while it was looked sees what there was after that, and one that leaves takes nothing along.
    assert (await first)["health"]["look"] == 1
    assert {(await task)["health"]["look"] for task in later[1:]} == {2}
    assert looks == 2
