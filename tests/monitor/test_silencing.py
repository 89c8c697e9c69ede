"""Taking and silencing alerts: the same in this process, through the socket, and where nobody collects."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.monitor.test_viewing import CLOCK, firing, store_alert
from tests.runtime.collecting import CALL, opened, ready, settings_for, until
from tui_monitor.config import places
from tui_monitor.config.load import Settings
from tui_monitor.model.alert import Matcher
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros
from tui_monitor.model.errors import MonitorError, NotFound, UsageError
from tui_monitor.model.states import AlertState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.local import LocalMonitor
from tui_monitor.monitor.viewing import viewing
from tui_monitor.runtime import Collector
from tui_monitor.server import serve

NEVER = {"name": "r", "expr": "eror_rate > 1"}
"""A rule that is misspelt keeps the alerts of its name as they are."""
OPENAI = Matcher("provider", "openai")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    alerts = {"rules": [NEVER], "shipped": False, "interval": "1h", "command": ["/bin/true"]}
    return settings_for(tmp_path / "monitor.db", alerts=alerts)


@asynccontextmanager
async def collecting(settings: Settings) -> AsyncIterator[Collector]:
    collector = Collector(settings, settings.database_path(), serve=serve, sources=())
    await collector.start()
    try:
        await ready(collector)
        await until(lambda: places.socket_path(collector.path).exists())
        yield collector
    finally:
        await collector.stop()


@pytest.fixture(params=["here", "socket", "nobody"])
async def monitor(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[LocalMonitor]:
    """The façade in its three forms, over one firing alert `abc`."""
    path = settings.database_path()
    await store_alert(path, firing("abc"))
    if request.param == "nobody":
        async with viewing(settings, path, CLOCK) as monitor:
            yield monitor
        return
    async with collecting(settings) as collector:
        if request.param == "here":
            yield collector.monitor
        else:
            async with viewing(settings, path, CLOCK) as monitor:
                yield monitor


async def test_a_silence_takes_effect_at_once_and_is_taken_back(monitor: LocalMonitor) -> None:
    fired = (await monitor.snapshot(TimeRange())).firing
    assert [(one.id, one.rule) for one in fired] == [("abc", firing("abc").rule)]
    ends = CLOCK.now() + HOUR
    silence = await monitor.silence([OPENAI], ends, "ana", "a note")
    (alert,) = (await monitor.alerts()).alerts
    assert (alert.state, alert.silenced_by, alert.silenced_until) == (AlertState.SILENCED, silence.id, ends)
    snapshot = await monitor.snapshot(TimeRange())
    assert (snapshot.firing, snapshot.open_alerts) == ((), 0)
    assert (await monitor.alerts()).silences == (silence,)
    taken = await monitor.acknowledge("ab", "bob", "mine")
    assert (taken.state, taken.acked_by) == (AlertState.SILENCED, "bob")
    ended = await monitor.unsilence(silence.id[:5], "cleo")
    assert (ended.id, ended.ended_by) == (silence.id, "cleo")
    assert (await monitor.alert("abc")).state is AlertState.ACKNOWLEDGED
    assert (await monitor.unacknowledge("abc", "bob")).state is AlertState.FIRING
    history = [(c.state.value, c.who, c.note) for c in await monitor.history("abc")]
    assert history == [
        ("silenced", "ana", f"silence {silence.id}: a note"),
        ("silenced", "bob", "acknowledged: mine"),
        ("acknowledged", "cleo", f"silence taken back ({silence.id})"),
        ("firing", "bob", "acknowledgement taken back"),
    ]
    assert await monitor.silences() == []
    assert await monitor.silences(ended=True) == [ended]


async def states_until(monitor: LocalMonitor, ends: Micros, first: AlertState) -> list[AlertState]:
    """The states an alert goes through until it fires again after that."""
    seen = [first]
    async with asyncio.timeout(30):
        while CLOCK.now() < ends or seen[-1] is not AlertState.FIRING:
            state = (await monitor.alert("abc")).state
            if seen[-1] is not state:
                seen.append(state)
            await asyncio.sleep(0.02)
    return seen


async def test_a_silence_begins_and_ends_by_itself(monitor: LocalMonitor) -> None:
    seen: list[AlertState] = []
    # Who is kept from looking for the whole of a silence sees nothing of it, and then takes a longer one.
    for length in (SECOND // 2, 2 * SECOND, 8 * SECOND):
        first = (await monitor.alert("abc")).state
        starts = CLOCK.now() + SECOND // 2
        silence = await monitor.silence([OPENAI], starts + length, "ana", starts=starts)
        assert silence.starts == starts
        seen = await states_until(monitor, silence.ends, first)
        if AlertState.SILENCED in seen:
            break
    assert seen == [AlertState.FIRING, AlertState.SILENCED, AlertState.FIRING]


async def test_what_makes_no_sense_is_refused_alike(monitor: LocalMonitor) -> None:
    later = CLOCK.now() + HOUR
    for matchers, ends in (
        ([], later),
        ([Matcher("provider", ".*", "=~")], later),
        ([Matcher("provider", "(", "=~")], later),
        ([OPENAI], CLOCK.now() - SECOND),
        ([OPENAI], later + 20 * 365 * DAY),
    ):
        with pytest.raises(UsageError):
            await monitor.silence(matchers, ends, "ana")
    for ask in (
        monitor.unsilence("none", "ana"),
        monitor.acknowledge("none", "ana"),
        monitor.alert("none"),
        monitor.alert(""),
    ):
        with pytest.raises(NotFound):
            await ask
    silence = await monitor.silence([OPENAI], later, "ana")
    await monitor.unsilence(silence.id, "ana")
    with pytest.raises(MonitorError, match="over already"):
        await monitor.unsilence(silence.id, "ana")
    assert (await monitor.alert("abc")).state is AlertState.FIRING


async def test_over_http_with_a_token(settings: Settings) -> None:
    await store_alert(settings.database_path(), firing("abc"))
    async with collecting(settings) as collector:
        base = await opened(collector, "http")
        path = "/monitor/v1/silences"
        body = {"matchers": [{"name": "provider", "value": "open.*", "op": "=~"}], "for": "2h", "who": "eve"}
        async with httpx.AsyncClient(base_url=base) as web:
            for asked in (web.post(path, json=body), web.get(path), web.get("/monitor/v1/alerts/abc")):
                assert (await asked).status_code == 401
        token = {"Authorization": f"Bearer {places.token_file().read_text().strip()}"}
        async with httpx.AsyncClient(base_url=base, headers=token) as web:
            for wrong in (
                {}, {**body, "for": "soon"}, {**body, "matchers": "x"}, {**body, "matchers": [{"op": ">"}]},
                {**body, "for": "", "ends": True}, {**body, "for": "", "ends": "never"},
            ):  # fmt: skip
                answer = await web.post(path, json=wrong)
                assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data"), wrong
            made = (await web.post(path, json=body)).json()["data"]
            assert made["ends"] - made["starts"] == pytest.approx(2 * HOUR, abs=SECOND)
            assert [s["id"] for s in (await web.get(path)).json()["data"]] == [made["id"]]
            shown = (await web.get("/monitor/v1/alerts/ab")).json()["data"]
            assert (shown["alert"]["state"], len(shown["history"])) == ("silenced", 1)
            ended = await web.delete(f"{path}/{made['id']}", params={"who": "eve"})
            assert ended.json()["data"]["ended_by"] == "eve"
            assert (await web.delete(f"{path}/none")).status_code == 404
            assert (await web.get(path)).json()["data"] == []
            assert len((await web.get(path, params={"ended": "1"})).json()["data"]) == 1


async def test_the_chart_shows_what_was_compared(tmp_path: Path) -> None:
    rule = {"name": "many", "expr": "requests [5m] sum by(provider) > 2", "labels": {"team": "core"}}
    alerts = {"rules": [rule], "shipped": False, "interval": "1s"}
    settings = settings_for(tmp_path / "monitor.db", alerts=alerts)
    async with collecting(settings) as collector:
        async with httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=await opened(collector, "socket")), base_url="http://c"
        ) as web:
            await web.post("/monitor/v1/events", json=[CALL] * 3)
        while not (found := (await collector.monitor.alerts()).alerts) or not found[0].spark:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert (found[0].spark[-1], len(found[0].spark)) == (found[0].value, 12) == (3, 12)
        for asked in (collector.monitor, None):
            async with viewing(settings, collector.path, CLOCK) as viewer:
                result = await (asked or viewer).alert_chart(found[0].id, TimeRange(15 * MINUTE), 500)
            columns = {series.label("series"): series.values for series in result.series}
            assert (columns["value"][-1], set(columns["threshold"]) - {None}) == (3, {2})
            assert columns["value"][0] is None
            assert 40 < len(result.times) <= 60
            assert result.unit == found[0].unit


async def test_what_people_did_survives_kill_9(settings: Settings) -> None:
    path = settings.database_path()
    await store_alert(path, firing("abc"))
    await store_alert(path, firing("def"))
    text = (
        "import asyncio, sys\nfrom tests.monitor.test_silencing import stay\nasyncio.run(stay(sys.argv[1]))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", text, str(path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"up\n"
        async with viewing(settings, path, CLOCK) as monitor:
            assert (await monitor.status()).collector.pid == process.pid
            await monitor.acknowledge("abc", "ana", "on it")
            silence = await monitor.silence([OPENAI], CLOCK.now() + HOUR, "bob", "later")
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    async with collecting(settings) as collector:
        for alert_id, taken in (("abc", "ana"), ("def", None)):
            alert = await collector.monitor.alert(alert_id)
            assert (alert.state, alert.silenced_by, alert.acked_by) == (
                AlertState.SILENCED,
                silence.id,
                taken,
            )
        assert [s.id for s in await collector.monitor.silences()] == [silence.id]
        await collector.monitor.unsilence(silence.id, "bob")
        states = {a.id: a.state for a in (await collector.monitor.alerts()).alerts}
        assert states == {"abc": AlertState.ACKNOWLEDGED, "def": AlertState.FIRING}
        notes = [change.note for change in await collector.monitor.history("abc")]
        assert notes == ["on it", f"silence {silence.id}: later", f"silence taken back ({silence.id})"]


async def stay(path: str) -> None:
    """Collect until killed; what the other process runs."""
    alerts = {"rules": [NEVER], "shipped": False, "interval": "1h"}
    async with collecting(settings_for(Path(path), alerts=alerts)):
        print("up", flush=True)
        await asyncio.Event().wait()
