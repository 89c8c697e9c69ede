"""The examples of the API's documentation, asked of a running collector; running this records them anew."""

import asyncio
import socket
import tempfile
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.runtime.collecting import opened, ready, settings_for, until
from tui_monitor.model.clock import iso
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.server.pages import EXAMPLES, FOLDER
from tui_monitor.store.api import ImportInfo

ASKED: tuple[tuple[str, str, str, Any], ...] = (
    ("get_live", "GET", "/live", None),
    ("get_ready", "GET", "/ready", None),
    ("get_health", "GET", "/health", None),
    ("get_health_monitoring", "GET", "/health/monitoring", None),
    ("post_events", "POST", "/monitor/v1/events", [
        {"id": "r-1", "provider": "openai", "model": "gpt-4o", "ts_end": "{now}", "latency_ms": 850,
         "input_tokens": 1500, "output_tokens": 200, "status": "success", "project": "search"},
        {"id": "r-2", "provider": "anthropic", "model": "claude-sonnet-4-5", "ts_end": "{now}",
         "status": "error", "error_category": "overloaded", "latency_ms": 2400},
        {"id": "r-3", "input_tokens": -5},
    ]),
    ("get_status", "GET", "/monitor/v1/status", None),
    ("get_snapshot", "GET", "/monitor/v1/snapshot?range=6h", None),
    ("get_providers", "GET", "/monitor/v1/providers?range=1h&points=4", None),
    ("get_system", "GET", "/monitor/v1/system?range=1h&points=4", None),
    ("get_costs", "GET", "/monitor/v1/costs?by=provider&period=today", None),
    ("get_budgets", "GET", "/monitor/v1/budgets", None),
    ("get_query", "GET", "/monitor/v1/query?query=cost%7B%7D+%5B1h%5D+sum+by%28provider%29", None),
    ("get_feed", "GET", "/monitor/v1/feed?limit=2", None),
    ("get_feed_newest", "GET", "/monitor/v1/feed/newest?limit=2", None),
    ("post_query", "POST", "/monitor/v1/query", {"query": "tokens{} [1h] sum by(model)", "form": "full"}),
    ("post_panels", "POST", "/monitor/v1/panels", {
        "queries": [{"query": "cost{} [today] sum"}, {"query": "latncy{} p95"}], "range": "6h",
    }),
    ("get_complete", "GET", "/monitor/v1/complete?query=laten&cursor=5", None),
    ("get_calls", "GET", "/monitor/v1/calls?limit=1", None),
    ("get_calls_count", "GET", "/monitor/v1/calls/count?filter=status%3Derror", None),
    ("get_calls_id", "GET", "/monitor/v1/calls/r-1", None),
    ("get_alerts", "GET", "/monitor/v1/alerts", None),
    ("get_alerts_id", "GET", "/monitor/v1/alerts/{alert}", None),
    ("post_alerts_id_ack", "POST", "/monitor/v1/alerts/{alert}/ack", {"who": "ada", "note": "on it"}),
    ("post_alerts_id_unack", "POST", "/monitor/v1/alerts/{alert}/unack", {"who": "ada"}),
    ("get_alerts_id_history", "GET", "/monitor/v1/alerts/{alert}/history", None),
    ("get_alerts_id_chart", "GET", "/monitor/v1/alerts/{alert}/chart?range=1m&points=2", None),
    ("post_silences", "POST", "/monitor/v1/silences", {
        "matchers": [{"name": "provider", "op": "=", "value": "openai"}],
        "for": "2h", "who": "ada", "note": "they know",
    }),
    ("get_silences", "GET", "/monitor/v1/silences", None),
    ("delete_silences_id", "DELETE", "/monitor/v1/silences/{silence}?who=ada", None),
    ("get_collector", "GET", "/monitor/v1/collector", None),
    ("get_upkeep", "GET", "/monitor/v1/upkeep?range=1h&points=4", None),
    ("get_sources", "GET", "/monitor/v1/sources", None),
    ("post_sources_name_pause", "POST", "/monitor/v1/sources/host/pause", {"who": "ada"}),
    ("post_sources_name_resume", "POST", "/monitor/v1/sources/host/resume", {"who": "ada"}),
    ("post_reload", "POST", "/monitor/v1/reload", None),
    ("get_config", "GET", "/monitor/v1/config", None),
    ("get_imports", "GET", "/monitor/v1/imports", None),
    ("delete_imports_batch", "DELETE", "/monitor/v1/imports/{batch}", None),
)  # fmt: skip
"""Operation, method, target and body, in the order in which they are asked."""
_SHOWN = 2
"""Entries of a list that are recorded."""


async def asked(folder: Path) -> dict[str, dict[str, Any]]:
    """The examples as a collector that has just begun in this folder answers them."""
    rule = {"name": "always", "expr": "vector(1) > 0", "summary": "an alert to look at"}
    settings = settings_for(folder / "monitor.db", alerts={"rules": [rule]}, costs={"daily_budget": 5.0})
    collector = Collector(settings, settings.database_path(), serve=serve, configure=lambda: settings)
    await collector.start()
    try:
        await ready(collector)
        await collector.begin_import(ImportInfo("b-2026-11", collector.clock.now(), ("trace.csv",), "csv", 0))
        transport = httpx.AsyncHTTPTransport(uds=await opened(collector, "socket"))
        async with httpx.AsyncClient(transport=transport, base_url="http://collector", timeout=30) as client:
            await until(lambda: any(row.name == "host" and row.records for row in collector.rows()), 20)
            return await _ask(client, collector, str(folder))
    finally:
        await collector.stop()


async def _ask(client: httpx.AsyncClient, collector: Collector, folder: str) -> dict[str, dict[str, Any]]:
    alert = (await collector.monitor.alerts()).alerts[0].id
    known = {"{alert}": alert, "{batch}": "b-2026-11", "{now}": iso(collector.clock.now())}
    found: dict[str, dict[str, Any]] = {}
    for name, method, target, body in ASKED:
        content = None if body is None else orjson.dumps(body).decode()
        for mark, value in known.items():
            target = target.replace(mark, value)
            content = content and content.replace(mark, value)
        headers = {} if content is None else {"content-type": "application/json"}
        answer = await client.request(method, target, content=content, headers=headers)
        data = answer.json()
        if name == "post_silences":
            known["{silence}"] = data["data"]["id"]
        text = answer.text.replace(folder, "/var/lib/tui-monitor").replace(socket.gethostname(), "laptop")
        found[name] = {
            "request": f"{method} {target}",
            "body": content and orjson.loads(content),
            "status": answer.status_code,
            "answer": _shortened(orjson.loads(text)),
        }
    return found


def _shortened(data: Any) -> Any:
    match data:
        case dict():
            return {name: _shortened(value) for name, value in data.items()}
        case list():
            return [_shortened(value) for value in data[:_SHOWN]]
        case _:
            return data


def main() -> None:
    """Record them."""
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(asked(Path(folder)))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / EXAMPLES).write_bytes(
        orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )


if __name__ == "__main__":
    main()
