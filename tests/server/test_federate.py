"""What another Prometheus scrapes here: the samples it should have, with their own labels."""

import asyncio
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
from tui_monitor.model.clock import MINUTE, MS, SECOND, SystemClock
from tui_monitor.model.feed import STALE, Sample
from tui_monitor.query.plain import Newest
from tui_monitor.query.promql.labels import labels
from tui_monitor.query.promql.listing import About
from tui_monitor.server.prometheus.federate import Form, exposed, form_of
from tui_monitor.store.api import WriteBatch

EVERY = {"match[]": ['{__name__=~"jobs_total|ended|llm_.*"}', "jobs_total"]}


OWN = {"queue": 'a "b"\n', "job": "mine", "instance": "i"}


@pytest.fixture
async def asker(start: Start) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a collector with a call of a minute ago and samples, among them of a series that ended."""
    collector = await start()
    await ready(collector)
    now = SystemClock().now()
    samples = [
        Sample(
            "jobs_total",
            now - 30 * SECOND,
            7.0,
            {"queue": 'a "b"\n', "job": "mine", "instance": "i"},
            "counter",
        ),
        Sample("ended", now - 20 * SECOND, 1.0, {}, "gauge"),
        Sample("ended", now - 10 * SECOND, STALE, {}, "gauge"),
    ]
    await asyncio.to_thread(collector.store.write, WriteBatch(samples=samples))
    token = places.token_file().read_text().strip()
    async with httpx.AsyncClient(base_url=await opened(collector, "http"), auth=("any", token)) as client:
        event: dict[str, Any] = {**CALL, "ts_end": (now - MINUTE) / SECOND, "latency_ms": 120, "ttft_ms": 30}
        assert (await client.post("/monitor/v1/events", json=event)).status_code == 200
        yield client


async def test_it_is_what_promtool_takes_for_metrics(asker: httpx.AsyncClient) -> None:
    answer = await asker.get("/federate", params={"match[]": '{__name__=~"llm_request.*|llm_cost.*"}'})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert "# TYPE llm_request_duration_seconds histogram\n" in answer.text
    assert 'le="+Inf"' in answer.text
    command = [needs_promtool(), "check", "metrics"]
    ran = await asyncio.to_thread(subprocess.run, command, input=answer.text, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


async def test_a_prometheus_that_scrapes_it_has_the_series(asker: httpx.AsyncClient, tmp_path: Path) -> None:
    password = places.token_file().read_text().strip()
    config = f"""
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: collector
  honor_labels: true
  metrics_path: /federate
  params: {{'match[]': ['{{__name__=~"jobs_total|ended|llm_.*"}}']}}
  basic_auth: {{username: any, password: {password}}}
  static_configs: [{{targets: ['{asker.base_url.host}:{asker.base_url.port}']}}]
"""
    async with prometheus(tmp_path / "peer", config=config) as peer:
        async with asyncio.timeout(20):
            while not (found := await _instant(peer, '{__name__=~"jobs_total|ended|llm_.*"}')):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    ours = await _instant(asker, '{__name__=~"jobs_total|ended|llm_.*"}')
    assert found.keys() == {of for of in ours if "llm_request_duration_seconds'" not in of}
    assert {of: number for of, number in ours.items() if of in found} == found
    assert any("('job', 'mine')" in of for of in found)
    assert not any("'collector')" in of for of in found)


async def _instant(client: httpx.AsyncClient, query: str) -> dict[str, str]:
    """Values by labels."""
    answer = (await client.get("/api/v1/query", params={"query": query})).json()["data"]["result"]
    return {str(sorted(row["metric"].items())): row["value"][1] for row in answer if "value" in row}


async def test_nothing_asked_and_nonsense(asker: httpx.AsyncClient) -> None:
    assert (await asker.get("/federate")).text == ""
    refused = await asker.get("/federate", params={"match[]": "jobs{"})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    text = (await asker.get("/federate", params=EVERY)).text
    assert text.count("jobs_total{") == 1
    assert "\nended{" not in text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Form()),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", Form(openmetrics=True)),
        ("application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.2", Form()),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.9", Form(True, True)),
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=x", Form(utf8=True)),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", Form()),
    ],
)
def test_which_form_is_liked_best(accept: str, wanted: Form) -> None:
    assert form_of(accept) == wanted


def test_names_of_any_letters() -> None:
    found = [
        Newest(
            labels({"__name__": "my.metric", "a-b": 'x"\\\n', "job": "j", "instance": "i"}), 1_500 * MS, 2.5
        )
    ]
    assert exposed(found, {}, Form()) == (
        '# TYPE my_metric untyped\nmy_metric{a_b="x\\"\\\\\\n",instance="i",job="j"} 2.5 1500\n'
    )
    assert exposed(found, {}, Form(openmetrics=True, utf8=True)) == (
        '# TYPE "my.metric" unknown\n'
        '{"my.metric","a-b"="x\\"\\\\\\n",instance="i",job="j"} 2.5 1.500\n# EOF\n'
    )


def test_types_in_openmetrics() -> None:
    found = [
        Newest(labels({"__name__": name, "job": "j", "instance": "i"}), 0, 1.0) for name in ("a_total", "b")
    ]
    about = {"a_total": About("counter", "what it is"), "b": About("counter")}
    assert exposed(found, about, Form(openmetrics=True)) == (
        '# HELP a what it is\n# TYPE a counter\na_total{instance="i",job="j"} 1 0.000\n'
        '# TYPE b unknown\nb{instance="i",job="j"} 1 0.000\n# EOF\n'
    )
