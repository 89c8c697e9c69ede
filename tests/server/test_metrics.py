"""`/metrics` over a real door: read by promtool, by prometheus_client, and scraped by a real Prometheus."""

import asyncio
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from tests.prometheus_peer import needs_promtool, prometheus
from tests.runtime.collecting import CALL, opened, ready, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.health.exposed import Family, Reading
from tui_monitor.model.clock import SECOND, SystemClock
from tui_monitor.runtime import Collector
from tui_monitor.server.exposition import exposition
from tui_monitor.server.metrics import FAMILIES
from tui_monitor.server.named import NamedTokens
from tui_monitor.server.prometheus.forms import Form
from tui_monitor.server.roles import Role
from tui_monitor.server.tokens import read_or_make

OPEN = {"accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"}
ODD = 'a "b" \\c'
ROOT = Path(__file__).resolve().parents[2]


async def fill(client: httpx.AsyncClient) -> None:
    """Three calls of a while ago, one of a model with an odd name, one under way, a score and progress."""
    ended = SystemClock().now() / SECOND - 60
    known: dict[str, Any] = {**CALL, "ts_end": ended, "latency_ms": 120}
    failed = {**known, "status": "error", "error_category": "server"}
    start = {"kind": "start", "provider": "openai", "model": "gpt-4o", "id": "s"}
    score = {"kind": "score", "ts": ended, "name": "accuracy", "value": 0.75, "model": ODD}
    progress = {"kind": "progress", "ts": ended, "name": "mmlu", "done": 30, "total": 120}
    body = [known, failed, {**known, "model": ODD}, start, score, progress]
    answer = await client.post("/monitor/v1/events", json=body)
    assert answer.json()["accepted"] == 6, answer.text


def values(families: Iterator[Metric], name: str, /, **labels: str) -> list[float]:
    return [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


async def test_promtool_finds_nothing_to_say(web: httpx.AsyncClient) -> None:
    await fill(web)
    answer = await web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4; charset=utf-8")
    command = [needs_promtool(), "check", "metrics"]
    done = await asyncio.to_thread(subprocess.run, command, input=answer.content, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


async def test_both_forms_say_the_same_to_strict_readers(web: httpx.AsyncClient) -> None:
    await fill(web)
    text = (await web.get("/metrics")).text
    answer = await web.get("/metrics", headers=OPEN)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("\n# EOF\n")

    for families in (list(text_families(text)), list(open_families(answer.text))):
        assert values(iter(families), "llm_requests_total", status="success", model="gpt-4o") == [1]
        assert values(iter(families), "llm_requests_total", model=ODD) == [1]
        assert values(iter(families), "llm_errors_total", error_type="server") == [1]
        assert values(iter(families), "llm_requests_active", model="gpt-4o") == [1]
        assert values(iter(families), "llm_evaluation_score", name="accuracy", model=ODD) == [0.75]
        assert values(iter(families), "llm_benchmark_progress", name="mmlu") == [0.25]
        assert values(iter(families), "llm_benchmark_duration_seconds", name="mmlu") == [0]
        assert sum(values(iter(families), "llm_request_duration_seconds_count")) == 3
        assert sum(values(iter(families), "llm_request_duration_seconds_bucket", le="+Inf")) == 3
        assert values(iter(families), "llm_cost_usd_total", model="gpt-4o") == [pytest.approx(0.0007)]
        assert values(iter(families), "tui_monitor_records_total", result="accepted")[0] >= 4
        assert values(iter(families), "tui_monitor_build_info") == [1]
    kinds = {family.name: family for family in open_families(answer.text)}
    assert kinds["llm_cost_usd"].unit == "usd"
    assert kinds["llm_request_duration_seconds"].unit == "seconds"
    assert kinds["llm_benchmark_duration_seconds"].unit == "seconds"
    assert kinds["tui_monitor_build"].type == "info"


async def test_requests_and_clients_are_counted_by_group(
    collector: Collector, web: httpx.AsyncClient, local: httpx.AsyncClient
) -> None:
    for path in ("/live", "/live", "/monitor/v1/status"):
        await web.get(path)
    for path in ("/nowhere/at/all", "/monitor/v1/nowhere", "/monitor/v1/status"):
        await local.get(path)
    await until(lambda: collector.traffic.requests["monitor", 200])
    families = list(text_families((await web.get("/metrics")).text))

    name = "tui_monitor_http_requests_total"
    assert values(iter(families), name, group="health", status="200") == [2]
    assert values(iter(families), name, group="other", status="404") == [2]
    assert values(iter(families), name, group="monitor", status="401") == [1]
    assert values(iter(families), name, group="monitor", status="200") == [1]
    assert values(iter(families), "tui_monitor_connections", kind="http")[0] >= 1
    assert values(iter(families), "tui_monitor_connections", kind="socket")[0] >= 1


async def test_one_scrape_after_the_other_never_falls(web: httpx.AsyncClient) -> None:
    await fill(web)
    before = list(text_families((await web.get("/metrics")).text))
    await web.get("/monitor/v1/nothing")
    after = list(text_families((await web.get("/metrics")).text))
    counters = {family.name for family in before if family.type == "counter"}
    now = {
        (sample.name, *sorted(sample.labels.items())): sample.value for one in after for sample in one.samples
    }
    for family in before:
        if family.name in counters:
            for sample in family.samples:
                assert now[sample.name, *sorted(sample.labels.items())] >= sample.value


async def test_a_real_prometheus_scrapes_it_with_a_token(start: Start, tmp_path: Path) -> None:
    collector = await start(server={"listen": "0.0.0.0:0", "insecure": True})
    await ready(collector)
    port = httpx.URL((await opened(collector, "http")).split()[0]).port
    tokens = NamedTokens(places.named_tokens_file())
    reader, pusher = (tokens.add(role.value, role, 1) for role in (Role.READ, Role.PUSH))
    owner = {"authorization": f"Bearer {read_or_make(places.token_file())}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=owner) as client:
        await fill(client)
    jobs = {
        "bearer": f'authorization: {{credentials: "{reader}"}}',
        "basic": f'basic_auth: {{username: any, password: "{reader}"}}',
        "pusher": f'authorization: {{credentials: "{pusher}"}}',
        "nobody": "honor_labels: false",
    }
    config = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n" + "".join(
        f'- job_name: {job}\n  {how}\n  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]\n'
        for job, how in jobs.items()
    )
    async with prometheus(tmp_path / "peer", config=config) as peer:
        expected = {"bearer": "1", "basic": "1", "pusher": "0", "nobody": "0"}
        await asked(peer, "up", lambda up: {one["metric"]["job"]: one["value"][1] for one in up} == expected)
        (found,) = await asked(peer, 'sum(llm_requests_total{job="bearer"})', bool)
        (here,) = collector.engine.instant(
            'sum(sum without () (llm_requests_total{job=""}))', SystemClock().now()
        ).series
        assert float(found["value"][1]) == here.value == 3


async def asked(
    peer: httpx.AsyncClient, query: str, told: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """The answer, as soon as it tells what is waited for."""
    async with asyncio.timeout(30):
        while True:
            answer = await peer.get("/api/v1/query", params={"query": query})
            result = answer.json()["data"]["result"]
            if told(result):
                return result
            await asyncio.sleep(0.1)


def test_what_comes_from_outside_stays_inside_its_quotes() -> None:
    family = Family("odd_total", "counter", 'about "it"\n\\')
    found = exposition([family], [Reading("odd_total", 1, {"x": 'a\n"b"\\\ud800'})], Form(openmetrics=True))
    (one,) = open_families(found.decode())
    assert one.samples[0].labels == {"x": 'a\n"b"\\?'}
    assert one.documentation == 'about "it"\n\\'


def test_every_metric_stands_in_the_documentation_and_no_other() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (\w+) \|(?: (\w+))? \|", page, re.MULTILINE)
    assert told == [(family.name, family.type, family.unit) for family in FAMILIES]
