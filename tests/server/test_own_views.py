"""Budgets and settings over HTTP."""

import httpx

from tests.runtime.collecting import CALL, opened, ready
from tests.server.conftest import Start


async def test_budgets_tell_what_is_spent_of_them(start: Start) -> None:
    collector = await start(costs={"daily_budget": 0.001})
    await ready(collector)
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as local:
        empty = (await local.get("/monitor/v1/budgets")).json()["data"]["budgets"]
        assert [(one["name"], one["amount"], one["spent"]) for one in empty] == [("daily", 0.001, 0.0)]
        await local.post("/monitor/v1/events", json=[CALL, CALL])
        (daily,) = (await local.get("/monitor/v1/budgets")).json()["data"]["budgets"]
        assert round(daily["spent"], 9) == 0.0007


async def test_settings_without_a_secret(start: Start) -> None:
    secret = "s3cretly-hidden-8"
    probes = {"targets": [{"provider": "vllm", "url": f"http://a:{secret}@127.0.0.1:9/v1", "key": secret}]}
    collector = await start(probes=probes)
    transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as local:
        answer = await local.get("/monitor/v1/config")
    assert secret not in answer.text
    rows = {row["key"]: row for row in answer.json()["data"]}
    assert rows["probes.targets[1].key"] == {
        "key": "probes.targets[1].key", "value": "set", "default": False, "secret": True,
    }  # fmt: skip
    assert rows["server.listen"]["value"] == "127.0.0.1:0"
