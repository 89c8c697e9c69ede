"""Calls over HTTP: page by page, while others come in, each exactly once."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.collecting import CALL
from tui_monitor.model.clock import SECOND, iso
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.query.result import After
from tui_monitor.runtime import Collector
from tui_monitor.server.calls import Cursor
from tui_monitor.server.refusal import Refusal

CALLS = "/monitor/v1/calls"


async def push(
    local: httpx.AsyncClient, collector: Collector, ids: range, ago: int = 60, **more: Any
) -> None:
    """Calls that ended so many seconds ago, two in every microsecond."""
    now = collector.clock.now()
    events = [{**CALL, "id": f"c{i}", "ts_end": iso(now - ago * SECOND - i // 2), **more} for i in ids]
    answer = await local.post("/monitor/v1/events", json=events)
    assert answer.json()["accepted"] == len(ids)


async def page(local: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await local.get(CALLS, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_every_call_comes_once_while_others_come_in(
    local: httpx.AsyncClient, collector: Collector
) -> None:
    await push(local, collector, range(25))
    told: list[str] = []
    after: dict[str, str] = {}
    for turn in range(9):
        found = await page(local, limit=3, range="1h", **after)
        told += [call["source_key"] for call in found["calls"]]
        # Newer ones lie outside of what is being paged through.
        await push(local, collector, range(100 + 2 * turn, 102 + 2 * turn), ago=-1)
        if found["next"] is None:
            break
        after = {"after": found["next"]}
    assert len(told) == len(set(told)) == 25
    assert set(told) == {f"c{i}" for i in range(25)}


async def test_filtered_counted_and_one_by_its_id(local: httpx.AsyncClient, collector: Collector) -> None:
    await push(local, collector, range(4))
    await push(local, collector, range(4, 7), provider="anthropic", model="claude-sonnet-4-5")
    found = await page(local, filter="provider=anthropic", limit=2)
    assert [call["provider"] for call in found["calls"]] == ["anthropic"] * 2
    assert (found["filter"], bool(found["next"])) == ("provider=anthropic", True)
    assert await page_count(local, filter="provider=anthropic") == 3
    assert await page_count(local) == 7
    (one,) = (await page(local, filter='source_key="c5"'))["calls"]
    assert one["provider"] == "anthropic"


async def page_count(local: httpx.AsyncClient, **params: str) -> int:
    return (await local.get(f"{CALLS}/count", params=params)).json()["data"]


async def test_a_cursor_is_of_one_filter(local: httpx.AsyncClient, collector: Collector) -> None:
    await push(local, collector, range(4))
    cursor = (await page(local, limit=2))["next"]
    other = await local.get(CALLS, params={"filter": "provider=openai", "after": cursor})
    assert (other.status_code, other.json()["error"]) == (400, "after is of a page of another filter")
    for wrong in ("x", "1", "1:2:3", "1:2:9:3:00000000", "٣:1", cursor + "0", "1:2:5:5:00000000"):
        assert (await local.get(CALLS, params={"after": wrong})).status_code == 400, wrong


@pytest.mark.parametrize(
    "query", ["filter=provider%3D", "limit=0", "limit=10001", "range=x", "limit=1&limit=2"]
)
async def test_what_cannot_be_meant_is_refused(local: httpx.AsyncClient, query: str) -> None:
    answer = await local.get(f"{CALLS}?{query}")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")


INSTANT = st.integers(0, 10**17)


@given(INSTANT, st.integers(0, 10**6), INSTANT, st.integers(1, 10**16), st.text())
def test_a_cursor_is_read_as_it_was_written(
    booked: int, number: int, start: int, length: int, text: str
) -> None:
    from tui_monitor.query.result import CallList

    span = Span(start, start + length)
    cursor = Cursor.behind(CallList(text, text, span, (), After(booked, number)))
    assert cursor is not None
    again = Cursor.read(cursor.text())
    assert again == cursor
    assert again.shown(text, TimeRange()).span(0) == span


@given(st.text(max_size=60).filter(lambda text: ":" not in text))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        Cursor.read(text)
