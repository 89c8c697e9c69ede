"""Whether the collector is well: one rule at every depth, and no look that hangs holds up the answer."""

import threading
from datetime import UTC, datetime

import httpx
import pytest

from tests.runtime.collecting import opened, row, until
from tests.server.conftest import Start
from tui_monitor.config import places
from tui_monitor.health.upkeep import Check, Wellness, together
from tui_monitor.model.clock import DAY, SECOND
from tui_monitor.model.errors import StoreError
from tui_monitor.model.states import SourceState
from tui_monitor.runtime import Collector
from tui_monitor.runtime.supervisor import Worker
from tui_monitor.server.named import NamedTokens
from tui_monitor.server.roles import Role

HEALTHY, DEGRADED, UNHEALTHY = Wellness.HEALTHY, Wellness.DEGRADED, Wellness.UNHEALTHY
PATH = "/health/monitoring"


@pytest.mark.parametrize(
    ("critical", "optional", "expected"),
    [
        (HEALTHY, HEALTHY, HEALTHY),
        (HEALTHY, DEGRADED, DEGRADED),
        (HEALTHY, UNHEALTHY, DEGRADED),
        (DEGRADED, HEALTHY, DEGRADED),
        (UNHEALTHY, HEALTHY, UNHEALTHY),
    ],
)
def test_one_rule_joins_what_was_found(critical: Wellness, optional: Wellness, expected: Wellness) -> None:
    assert together([Check("store", critical, critical=True), Check("sources", optional)]) is expected


async def test_every_part_is_told(web: httpx.AsyncClient) -> None:
    answer = await web.get(PATH)
    found = answer.json()
    assert (answer.status_code, found["status"]) == (200, "healthy")
    assert set(found["checks"]) == {"store", "listeners", "sources", "alerts", "loops"}
    assert [name for name, check in found["checks"].items() if check["critical"]] == ["store"]
    for check in found["checks"].values():
        assert check["status"] == "healthy"
        assert check["seconds"] >= 0
        assert check["detail"] or check["name"] in ("store", "alerts")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(found["timestamp"])).total_seconds()) < 60


async def test_a_part_that_failed_degrades_all_and_is_named(
    collector: Collector, web: httpx.AsyncClient
) -> None:
    async def broken(_handle: object) -> None:
        raise OSError("no such device")

    collector._supervisor.start(Worker("tapes", broken, kind="source"))
    await until(lambda: row(collector, "tapes").state is SourceState.FAILED)
    found = (await web.get(PATH)).json()
    health = await web.get("/health")

    assert found["status"] == health.json()["status"] == "degraded"
    assert found["checks"]["sources"]["status"] == "degraded"
    assert "no such device" in found["checks"]["sources"]["detail"]
    assert health.status_code == 200
    assert health.json()["broken"] == ["tapes"]
    assert 'tui_monitor_source_up{source="tapes"} 0' in (await web.get("/metrics")).text


@pytest.mark.parametrize(("broken", "ago", "detail"), [
    (["slow"], None, "broken: slow"),
    ([], 3_600, "rules were evaluated 1 h ago"),
    ([], 0, "rules were never evaluated"),
])  # fmt: skip
async def test_rules_that_do_not_work_are_told_at_every_depth(
    collector: Collector, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, broken: list[str],
    ago: int | None, detail: str,
) -> None:  # fmt: skip
    await until(lambda: row(collector, "alerts").state is SourceState.RUNNING)
    monkeypatch.setattr(collector.rules, "broken", lambda: broken)
    if ago is not None:
        collector.rules._evaluated = collector.clock.now() - ago * SECOND if ago else None
        monkeypatch.setattr(Collector, "started", collector.clock.now() - DAY)
    found = (await web.get(PATH)).json()
    assert (found["checks"]["alerts"]["detail"], found["status"]) == (detail, "degraded")
    assert (await web.get("/health")).json()["status"] == "degraded"
    assert "tui_monitor_healthy 0" in (await web.get("/metrics")).text


async def test_a_database_that_cannot_be_read_is_unhealthy(
    collector: Collector, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(collector.store, "extent", fails)
    answer = await web.get(PATH)
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert answer.json()["checks"]["store"]["detail"] == "the disk is gone"


async def test_one_that_hangs_is_told_and_holds_up_nobody(
    collector: Collector, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, reads, store = threading.Event(), [], collector.store

    class Hanging:
        """The store as the check has it: rules are asked of the other one."""

        def extent(self) -> None:
            reads.append(1)
            release.wait(20)

    class Seen:
        def __getattr__(self, name: str) -> object:
            return Hanging() if name == "store" else getattr(collector, name)

    assert collector.checkup._collector.store is store
    monkeypatch.setattr(collector.checkup, "_collector", Seen())
    monkeypatch.setattr(collector.checkup, "_limit", 0.05)
    try:
        for _ in range(3):
            answer = await web.get(PATH)
            check = answer.json()["checks"]["store"]
            assert answer.status_code == 503
            assert check["timed_out"]
            assert check["status"] == "unhealthy"
        assert len(reads) == 1, "the read that hangs is not joined by others"
        assert (await web.get("/live")).status_code == 200
    finally:
        release.set()


async def test_while_nothing_is_taken_every_depth_says_so(
    collector: Collector, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "not_ready", lambda: ("the disk is full",))
    assert (await web.get("/live")).status_code == 200
    for path, status in (("/ready", "starting"), ("/health", "unhealthy"), (PATH, "unhealthy")):
        answer = await web.get(path)
        assert (answer.status_code, answer.json()["status"]) == (503, status)


async def test_off_loopback_any_token_may_ask_and_only_readers_see_metrics(start: Start) -> None:
    collector = await start(server={"listen": "0.0.0.0:0", "insecure": True})
    port = httpx.URL((await opened(collector, "http")).split()[0]).port
    tokens = NamedTokens(places.named_tokens_file())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as far:
        assert (await far.get(PATH)).status_code == (await far.get("/metrics")).status_code == 401
        for role, metrics in ((Role.PUSH, 403), (Role.READ, 200)):
            headers = {"authorization": f"Bearer {tokens.add(role.value, role, 1)}"}
            assert (await far.get(PATH, headers=headers)).status_code in (200, 503)
            assert (await far.get("/metrics", headers=headers)).status_code == metrics
            upkeep = await far.get("/monitor/v1/upkeep", headers=headers)
            assert upkeep.status_code == metrics, "texts of queries are for readers"


async def test_slow_queries_stand_in_the_collector_s_upkeep(
    collector: Collector, local: httpx.AsyncClient
) -> None:
    collector.engine.timing.slow = 0.0
    asked = "requests{} [1h] sum"
    await local.get("/monitor/v1/query", params={"query": asked})
    answer = await local.get("/monitor/v1/upkeep")
    found = answer.json()["data"]
    assert [(slow["text"], slow["who"]) for slow in found["slow"] if slow["text"] == asked] == [
        (asked, "socket")
    ]
    assert found["status"] == "healthy"
    assert found["process"]["memory_bytes"] > 1_000_000
    assert found["connections"]["socket"] >= 1
