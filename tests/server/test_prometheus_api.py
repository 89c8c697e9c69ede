"""Prometheus's HTTP API: the same requests to a collector and to a real Prometheus with the same samples."""

import asyncio
import json
import math
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.prometheus_peer import needs_promtool, prometheus
from tests.runtime.collecting import CALL, opened, ready
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.model.clock import MINUTE, SECOND, Micros, SystemClock
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch

NOW: Micros = SystemClock().now() // MINUTE * MINUTE
START = NOW - 60 * MINUTE


ODD = {
    "nan": math.nan, "inf": math.inf, "less": -math.inf, "small": 1e-9, "tiny": 2.5e-5, "great": 1e25,
    "wide": 1.25e17, "half": 5.5, "zero": 0.0,
}  # fmt: skip


def samples() -> list[Sample]:
    """Counters and gauges, among them numbers that JSON has no word for."""
    found = [
        Sample(
            "jobs_total",
            START + step * MINUTE,
            float(step * factor),
            {"queue": queue, "zone": "a"},
            "counter",
        )
        for queue, factor in (("fast", 3), ("slow", 1))
        for step in range(60)
    ]
    return found + [
        Sample("odd", NOW - MINUTE, value, {"kind": kind}, "gauge") for kind, value in ODD.items()
    ]


def seconds(at: Micros) -> str:
    return f"{at / SECOND:.3f}"


AT = seconds(NOW - MINUTE)
SPAN = {"start": seconds(START), "end": seconds(NOW - MINUTE), "step": "60"}
TOLD = "match[]"

SAME: list[tuple[str, dict[str, str]]] = [
    ("query", {"query": "odd", "time": AT}),
    ("query", {"query": "jobs_total", "time": AT}),
    ("query", {"query": 'jobs_total{queue="fast"}[3m]', "time": seconds(NOW - SECOND)}),
    ("query", {"query": "sum by (zone) (jobs_total)", "time": AT}),
    ("query", {"query": "17.25", "time": AT}),
    ("query", {"query": '"text ü"', "time": "1700000100.1236"}),
    ("query", {"query": "1", "time": "2023-11-14T22:15:00Z"}),
    ("query", {"query": "1", "time": "2023-11-14T22:15:00.5+02:00"}),
    ("query", {"query": "1", "time": "-5"}),
    ("query", {"query": "nobody_sent_this", "time": AT}),
    ("query", {"query": "jobs_total", "time": AT, "lookback_delta": "1m"}),
    ("query", {"query": "vector(-0.0)", "time": AT}),
    ("query_range", {"query": "jobs_total", **SPAN}),
    ("query_range", {"query": "odd", **SPAN}),
    ("query_range", {"query": "2", **SPAN, "step": "20m"}),
    ("query_range", {"query": "rate(jobs_total[5m])", **SPAN, "step": "5m"}),
    ("query_range", {"query": "vector(1)", "start": "0", "end": "11000", "step": "1"}),
    ("series", {TOLD: "jobs_total"}),
    ("series", {TOLD: 'odd{kind=~"n.*"}', "start": seconds(START), "end": AT}),
    ("series", {TOLD: "nobody_sent_this"}),
    ("series", {TOLD: "jobs_total", "start": "10", "end": "5"}),
    ("labels", {TOLD: "jobs_total"}),
    ("labels", {TOLD: "nobody_sent_this"}),
    ("label/queue/values", {}),
    ("label/queue/values", {TOLD: 'jobs_total{queue!="fast"}'}),
    ("label/__name__/values", {TOLD: '{zone="a"}'}),
    ("label/nobody_sent_this/values", {}),
    ("query_exemplars", {"query": "odd", "start": "0", "end": "1"}),
    ("rules", {}),
    ("format_query", {"query": "sum(rate(x[5m]))by(a)"}),
]
"""Requests with the same answer, to the letter."""

REFUSED: list[tuple[str, dict[str, str]]] = [
    ("query", {}),
    ("query", {"query": "odd{"}),
    ("query", {"query": "odd", "time": "soon"}),
    ("query", {"query": "odd", "timeout": "soon"}),
    ("query", {"query": "odd", "timeout": "0.0000001"}),
    ("query", {"query": "rate(odd)"}),
    ("query", {"query": "odd + on() odd", "time": AT}),
    ("query", {"query": 'label_replace(odd, "a", "x", "", "(")', "time": AT}),
    ("query_range", {"query": "odd", "end": AT, "step": "1"}),
    ("query_range", {"query": "odd", "start": AT, "end": "soon", "step": "1"}),
    ("query_range", {"query": "odd", "start": AT, "end": AT}),
    ("query_range", {"query": "odd", "start": AT, "end": "5", "step": "1"}),
    ("query_range", {"query": "odd", **SPAN, "step": "0"}),
    ("query_range", {"query": "odd", **SPAN, "step": "-1m"}),
    ("query_range", {"query": "odd", **SPAN, "step": "soon"}),
    ("query_range", {"query": "odd", "start": "0", "end": "11001", "step": "1"}),
    ("query_range", {"query": "odd[5m]", **SPAN}),
    ("query_range", {"query": '"text"', **SPAN}),
    ("query_range", {"query": "sum(", **SPAN}),
    ("series", {}),
    ("series", {TOLD: "{}"}),
    ("series", {TOLD: "odd{"}),
    ("series", {TOLD: "rate(odd[5m])"}),
    ("series", {TOLD: "odd", "start": "soon"}),
    ("labels", {TOLD: "odd{"}),
    ("label/a-b/values", {}),
    ("metadata", {"limit": "few"}),
    ("query_exemplars", {"query": "odd{", "start": "0", "end": "1"}),
    ("format_query", {"query": "sum("}),
    ("rules", {"type": "x"}),
]
"""Requests that both refuse."""

WORD_FOR_WORD = ("timestamp", "duration", "start time", "resolution", "match[] parameter", "expression type")
"""Errors with these in them are the same to the letter."""


@pytest.fixture
async def asker(start: Start) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a collector that has the samples and two calls."""
    collector = await start()
    await ready(collector)
    await asyncio.to_thread(collector.store.write, WriteBatch(samples=samples()))
    async with httpx.AsyncClient(base_url=await opened(collector, "http"), auth=("any", token())) as client:
        for _ in range(2):
            assert (await client.post("/monitor/v1/events", json=CALL)).status_code == 200
        yield client


def token() -> str:
    """The collector's token."""
    return places.token_file().read_text().strip()


async def test_answers_are_those_of_prometheus(asker: httpx.AsyncClient, tmp_path: Path) -> None:
    async with prometheus(tmp_path / "peer", samples=samples()) as peer:
        for path, query in SAME:
            theirs = await peer.get(f"/api/v1/{path}", params=query)
            ours = await asker.get(f"/api/v1/{path}", params=query)
            said = (path, query, ours.text)
            assert (ours.status_code, ours.headers["content-type"]) == (200, "application/json"), said
            assert _in_order(ours.json()) == _in_order(theirs.json()), said
            if path in ("query", "query_range", "series", "labels"):
                posted = await asker.post(f"/api/v1/{path}", data=query)
                assert posted.json() == ours.json(), said


async def test_errors_are_those_of_prometheus(asker: httpx.AsyncClient, tmp_path: Path) -> None:
    async with prometheus(tmp_path / "peer", samples=samples()) as peer:
        for path, query in REFUSED:
            theirs = await peer.get(f"/api/v1/{path}", params=query)
            ours = await asker.get(f"/api/v1/{path}", params=query)
            said = (path, query, theirs.text, ours.text)
            assert ours.status_code == theirs.status_code, said
            assert list(ours.json()) == list(theirs.json()), said
            assert ours.json()["errorType"] == theirs.json()["errorType"], said
            words = theirs.json()["error"]
            if any(part in words for part in WORD_FOR_WORD):
                assert ours.json()["error"] == words, said
            if " parse error: " in words:
                # The place may be told more exactly; the form is the same.
                assert ": parse error: " in ours.json()["error"], said


def _in_order(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its series in one order."""
    data = answer["data"]
    if isinstance(data, dict) and data.get("resultType") in ("vector", "matrix"):
        data["result"] = sorted(data["result"], key=lambda row: json.dumps(row["metric"]))
    if isinstance(data, list):
        answer["data"] = sorted(data, key=json.dumps)
    return answer


async def test_promtool_asks_through_http_basic(asker: httpx.AsyncClient) -> None:
    url = str(asker.base_url).rstrip("/").replace("//", f"//any:{token()}@")
    asked = [
        (["instant", "--time", AT, url, 'jobs_total{queue="fast"}'], ["=> 177 @["]),
        (
            ["range", "--start", SPAN["start"], "--end", AT, "--step", "10m", url, "sum(jobs_total)"],
            ["0 @[", "200 @["],
        ),
        (["series", "--match", "jobs_total", url], ['queue="fast"', 'queue="slow"']),
        (["labels", url, "queue"], ["fast\nslow\n"]),
        (
            ["instant", "--time", seconds(SystemClock().now() + MINUTE), url, "sum(llm_requests_total)"],
            ["=> 2 @["],
        ),
    ]
    for arguments, wanted in asked:
        command = [needs_promtool(), "query", *arguments]
        ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert all(part in ran.stdout for part in wanted), ran.stdout


async def test_reading_over_tcp_needs_the_token(web: httpx.AsyncClient) -> None:
    for path in ("/api/v1/query?query=1", "/api/v1/labels", "/api/v1/status/buildinfo"):
        assert (await web.get(path)).status_code == 401
    assert (await web.get("/-/healthy")).text == "tui-monitor is healthy.\n"
    assert (await web.get("/-/ready")).text == "tui-monitor is ready.\n"


async def test_what_a_data_source_lists(asker: httpx.AsyncClient) -> None:
    names = (await asker.get("/api/v1/label/__name__/values")).json()["data"]
    assert {"odd", "jobs_total", "llm_requests_total", "llm_request_duration_seconds_bucket"} <= set(names)
    assert {"__name__", "provider", "le", "queue"} <= set((await asker.get("/api/v1/labels")).json()["data"])
    assert (await asker.get("/api/v1/label/provider/values")).json()["data"] == ["openai"]
    about = (await asker.get("/api/v1/metadata")).json()["data"]
    assert about["jobs_total"] == [{"type": "counter", "help": "", "unit": ""}]
    assert about["llm_requests_total"][0]["type"] == "counter"
    assert list((await asker.get("/api/v1/metadata?metric=odd")).json()["data"]) == ["odd"]
    assert len((await asker.get("/api/v1/metadata?limit=2")).json()["data"]) == 2
    few = (await asker.get("/api/v1/label/queue/values?limit=1")).json()
    assert few == {"status": "success", "data": ["fast"], "warnings": ["results truncated due to limit"]}
    assert (await asker.get("/api/v1/status/buildinfo")).json()["data"]["version"].startswith("3.")


async def test_series_of_calls_are_those_that_a_query_finds(asker: httpx.AsyncClient) -> None:
    for name in ("llm_requests_total", "llm_request_duration_seconds_bucket", "llm_cost_usd_total"):
        listed = (await asker.get("/api/v1/series", params={TOLD: name})).json()["data"]
        asked = {"query": name, "time": seconds(SystemClock().now() + 15 * SECOND)}
        found = (await asker.get("/api/v1/query", params=asked)).json()["data"]["result"]
        assert sorted(map(json.dumps, listed)) == sorted(json.dumps(row["metric"]) for row in found)
