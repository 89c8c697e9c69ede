"""Pushing over HTTP: what is acknowledged is stored, once; what is not says why, one by one."""

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest

from tests.runtime.collecting import CALL, opened
from tests.server.conftest import Start
from tui_monitor.model.errors import Busy, StoreError
from tui_monitor.runtime import Collector
from tui_monitor.sources import feed

EVENTS = "/monitor/v1/events"


def calls(collector: Collector) -> int:
    """How many are stored."""
    return collector.store.extent().calls


async def test_an_object_an_array_and_lines(web: httpx.AsyncClient, collector: Collector) -> None:
    one = await web.post(EVENTS, json=CALL)
    assert one.status_code == 200
    assert one.json() == {"accepted": 1, "duplicate": 0, "rejected": []}
    two = await web.post(EVENTS, json=[CALL, CALL])
    assert two.json()["accepted"] == 2
    lines = "\n".join(json.dumps(CALL) for _ in range(3)) + "\n\n"
    three = await web.post(EVENTS, content=lines, headers={"content-type": "application/x-ndjson"})
    assert three.json()["accepted"] == 3
    assert calls(collector) == 6


async def test_a_broken_line_leaves_its_neighbours(web: httpx.AsyncClient, collector: Collector) -> None:
    lines = [
        json.dumps(CALL),
        '{"provider": "openai", ',
        json.dumps({**CALL, "input_tokens": -5}),
        json.dumps({"kind": "nonsense"}),
        json.dumps({"kind": "cache", "result": "hit", "saved_usd": 0.1}),
        json.dumps({**CALL, "ts_end": "2999-01-01T00:00:00Z"}),
    ]
    answer = await web.post(
        EVENTS, content="\n".join(lines), headers={"content-type": "application/x-ndjson"}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["accepted"] == 2
    assert [rejected["index"] for rejected in body["rejected"]] == [1, 2, 3, 5]
    assert "input_tokens -5 is negative" in body["rejected"][1]["error"]
    assert calls(collector) == 1
    assert collector.status().rejected == 4


async def test_the_door_says_what_came_through_it(
    web: httpx.AsyncClient, local: httpx.AsyncClient, collector: Collector
) -> None:
    await web.post(EVENTS, json=[CALL, {**CALL, "input_tokens": -5}, CALL, {"kind": "nonsense"}])
    await local.post(EVENTS, json=CALL)
    rows = {row.name: row for row in collector.rows()}
    http, sock = rows["http"], rows["socket"]
    assert (http.records, http.errors, sock.records, sock.errors) == (2, 2, 1, 0)
    assert "nonsense" in http.last_error
    assert http.rate
    assert http.last_seen is not None


async def test_nothing_good_is_a_bad_request(web: httpx.AsyncClient) -> None:
    for content in (b"{", b'"text"', b"\x00\xff\xfe binary", b"[1, 2]"):
        answer = await web.post(EVENTS, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400, content
        assert answer.json()["status"] == "error"
        assert answer.json()["accepted"] == 0
        assert answer.json()["rejected"][0]["index"] == 0
    assert (
        await web.post(EVENTS, content=b" \n", headers={"content-type": "application/json"})
    ).status_code == 400
    assert (await web.post(EVENTS, json=[])).json() == {"accepted": 0, "duplicate": 0, "rejected": []}


async def test_the_same_key_twice_counts_once(web: httpx.AsyncClient, collector: Collector) -> None:
    events = [{**CALL, "ts_end": "2026-11-01T12:00:00Z"}, {**CALL, "ts_end": "2026-11-01T12:00:01Z"}]
    key = {"Idempotency-Key": "batch-7"}
    assert (await web.post(EVENTS, json=events, headers=key)).json()["accepted"] == 2
    assert (await web.post(EVENTS, json=events, headers=key)).json()["duplicate"] == 2
    assert (await web.post(EVENTS, json=events, headers={"Idempotency-Key": "batch-8"})).json()[
        "accepted"
    ] == 2
    assert calls(collector) == 4


async def test_an_id_with_other_content_is_a_correction(web: httpx.AsyncClient, collector: Collector) -> None:
    call = {**CALL, "id": "x", "ts_end": "2026-11-01T12:00:00Z"}
    for content, counts in (
        (call, (1, 0)),
        (call, (0, 1)),
        ({**call, "output_tokens": 99}, (1, 0)),
    ):
        body = (await web.post(EVENTS, json=content)).json()
        assert (body["accepted"], body["duplicate"]) == counts
    assert calls(collector) == 1


async def test_gzip(web: httpx.AsyncClient, collector: Collector) -> None:
    packed = gzip.compress(json.dumps([CALL] * 500).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert (await web.post(EVENTS, content=packed, headers=headers)).json()["accepted"] == 500
    assert calls(collector) == 500


async def test_the_socket_takes_them_too(local: httpx.AsyncClient, collector: Collector) -> None:
    assert (await local.post(EVENTS, json=CALL)).json()["accepted"] == 1
    assert calls(collector) == 1


async def test_a_form_is_no_json(web: httpx.AsyncClient) -> None:
    answer = await web.post(EVENTS, data={"provider": "openai"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["hint"]


async def test_more_events_than_the_queue_takes_are_refused_whole(start: Start) -> None:
    collector = await start(collector={"queue_size": 1000})
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        answer = await web.post(EVENTS, json=[CALL] * 1001)
        assert answer.status_code == 413
        assert calls(collector) == 0
        assert (await web.post(EVENTS, json=[CALL] * 900)).json()["accepted"] == 900


@pytest.mark.parametrize(("kind", "between"), [("application/json", ","), ("application/x-ndjson", "\n")])
async def test_no_record_is_made_of_too_many_events(
    start: Start, monkeypatch: pytest.MonkeyPatch, kind: str, between: str
) -> None:
    collector = await start(collector={"queue_size": 1000})
    made: list[object] = []
    plain = feed.parse_event
    monkeypatch.setattr(feed, "parse_event", lambda *event: made.append(event) or plain(*event))
    body = between.join(["{}"] * 20_000)
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        answer = await web.post(
            EVENTS, content=f"[{body}]" if between == "," else body, headers={"Content-Type": kind}
        )
    assert (answer.status_code, "20000 events" in answer.json()["error"]) == (413, True)
    assert made == []


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [(Busy("the queue is full", retry_after=2.5), 429, "3"), (StoreError("the disk is full"), 503, "5")],
)
async def test_what_cannot_be_written_now_is_told_to_come_back(
    collector: Collector,
    web: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    retry: str,
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(collector, "submit", refuse)
    answer = await web.post(EVENTS, json=CALL)
    assert answer.status_code == status
    assert answer.headers["retry-after"] == retry
    assert answer.json()["errorType"] == "unavailable"


async def test_many_at_once_are_all_there(web: httpx.AsyncClient, collector: Collector) -> None:
    answers = await asyncio.gather(*(web.post(EVENTS, json=[CALL] * 20) for _ in range(30)))
    assert sum(answer.json()["accepted"] for answer in answers) == 600
    assert calls(collector) == 600


async def test_priced_though_it_came_before_the_prices(start: Start) -> None:
    collector = await start()
    assert collector.not_ready() == ("prices are being loaded",)
    async with httpx.AsyncClient(base_url=await opened(collector, "http")) as web:
        assert (await web.get("/ready")).status_code in (200, 503)
        assert (await web.post(EVENTS, json=CALL)).json()["accepted"] == 1
        assert (await web.get("/ready")).status_code == 200
    result = await collector.monitor.query("unpriced{} [1h] sum")
    assert not result.scalar
    assert (await collector.monitor.query("cost{} [1h] sum")).scalar == pytest.approx(0.00035)
