"""A collector elsewhere over a line that breaks in every way: what is noticed, what waits, what is done."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.monitor.proxying import Proxy
from tests.runtime.collecting import CALL, opened, ready, settings_for, until
from tui_monitor.config import places
from tui_monitor.model.alert import Alert, Matcher
from tui_monitor.model.clock import HOUR, MINUTE, Clock, Micros, SystemClock
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import AlertState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor import attached
from tui_monitor.monitor import line as lines
from tui_monitor.monitor import transport as transports
from tui_monitor.monitor.api import Monitor, Snapshot
from tui_monitor.monitor.attached import AttachedThread
from tui_monitor.monitor.line import LineState
from tui_monitor.monitor.target import Target
from tui_monitor.monitor.thread import ThreadState
from tui_monitor.runtime import Collector
from tui_monitor.server import serve
from tui_monitor.server.tokens import read_or_make, replace

RULE = {"name": "always", "expr": "requests{} [1h] > 0", "severity": "warning"}
Start = Callable[..., Awaitable[Collector]]
Attach = Callable[..., AttachedThread]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a try."""
    monkeypatch.setattr(lines, "FIRST", 0.02)
    monkeypatch.setattr(lines, "LONGEST", 0.1)


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a collector whose one alert fires; its port stays the same."""
    running: list[Collector] = []

    async def begin(port: int = 0, **server: str) -> Collector:
        settings = settings_for(
            tmp_path / "monitor.db",
            server={"listen": f"127.0.0.1:{port}", "socket": False, **server},
            alerts={"rules": [RULE], "interval": "1s", "shipped": False},
        )
        collector = Collector(settings, settings.database_path(), serve=serve, sources=())
        await collector.start()
        running.append(collector)
        await ready(collector)
        await opened(collector, "http")
        return collector

    yield begin
    for collector in running:
        await collector.stop()


async def port_of(collector: Collector) -> int:
    return int((await opened(collector, "http")).split()[0].rpartition(":")[2])


@pytest.fixture
async def collector(start: Start) -> Collector:
    return await start()


@pytest.fixture
async def proxy(collector: Collector) -> AsyncIterator[Proxy]:
    async with Proxy(await port_of(collector)) as made:
        yield made


@pytest.fixture
def attach(tmp_path: Path) -> Iterator[Attach]:
    """Attaches through the proxy; all are stopped at the end."""
    threads: list[AttachedThread] = []

    def begin(
        url: str,
        token: str = "",
        interval: str = "100ms",
        ca_file: Path | None = None,
        clock: Clock | None = None,
    ) -> AttachedThread:
        target = Target(url, "box:4319", token or read_or_make(places.token_file()), ca_file)
        settings = settings_for(tmp_path / "unused.db", screen={"update_interval": interval})
        thread = AttachedThread(target, settings=settings, clock=clock)
        threads.append(thread)
        thread.start()
        return thread

    yield begin
    for thread in threads:
        assert thread.stop(5)


async def frame(monitor: Monitor) -> Snapshot:
    return await monitor.snapshot(TimeRange())


def line_of(thread: AttachedThread) -> LineState:
    line = thread.state.line
    assert line is not None
    return line


async def up(thread: AttachedThread) -> None:
    await until(lambda: thread.state.line is not None and thread.state.line.up, 10)


async def down(thread: AttachedThread) -> LineState:
    """The state once it is noticed; as long as that takes the frame is asked, as the screen does."""
    async with asyncio.timeout(10):
        while (line := thread.state.line) is None or line.up or line.error is None:
            with contextlib.suppress(MonitorError):
                await thread.call(frame)
            await asyncio.sleep(0.01)
    return line


async def firing(collector: Collector) -> Alert:
    """The alert that a call makes fire."""
    async with httpx.AsyncClient() as web:
        url = f"http://127.0.0.1:{await port_of(collector)}/monitor/v1/events"
        assert (await web.post(url, json=CALL)).json()["accepted"] == 1
    async with asyncio.timeout(10):
        while True:
            view = await collector.monitor.alerts()
            for alert in view.alerts:
                if alert.state is AlertState.FIRING:
                    return alert
            await asyncio.sleep(0.05)


async def test_it_shows_what_the_other_one_collects(
    proxy: Proxy, attach: Attach, collector: Collector
) -> None:
    thread = attach(proxy.url)
    snapshot = await thread.call(frame)
    assert snapshot.collector.pid == collector.status().pid
    assert snapshot.calendar == (await collector.monitor.snapshot(TimeRange())).calendar
    assert thread.state.mode == "attached"
    assert line_of(thread).up
    assert line_of(thread).place == "box:4319"


async def test_what_others_do_is_seen_without_waiting_for_the_next_look(
    proxy: Proxy, attach: Attach, collector: Collector
) -> None:
    thread = attach(proxy.url, interval="1h")
    await up(thread)
    known = await thread.call(frame)
    assert known.open_alerts == 0
    async with asyncio.timeout(10):
        # What the collector tells as it begins is looked at; then nobody looks before the hour is over.
        while (again := await thread.call(frame)) is not known:
            known = again
    alert = await firing(collector)
    async with asyncio.timeout(10):
        while (await thread.call(frame)).open_alerts == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await collector.monitor.acknowledge(alert.id, "ben")
    async with asyncio.timeout(10):
        while (await thread.call(frame)).firing:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_lost_line_is_told_and_what_was_known_stays(proxy: Proxy, attach: Attach) -> None:
    thread = attach(proxy.url)
    await up(thread)
    known = await thread.call(frame)
    proxy.refusing = True
    proxy.cut()
    lost = await down(thread)
    assert lost.lost is not None
    assert lost.heard is not None
    assert lost.heard <= lost.lost
    again = await thread.call(frame)
    assert again.version == known.version
    assert again.at > known.at
    with pytest.raises(MonitorError):
        await thread.call(lambda monitor: monitor.costs())
    proxy.refusing = False
    await up(thread)
    assert line_of(thread).lost is None
    assert line_of(thread).error is None
    assert (await thread.call(frame)).at > known.at


async def test_a_collector_that_comes_back_on_its_port_is_found(
    proxy: Proxy, attach: Attach, collector: Collector, start: Start
) -> None:
    thread = attach(proxy.url)
    first = await thread.call(frame)
    port = await port_of(collector)
    await collector.stop()
    await down(thread)
    second = await start(port)
    await up(thread)
    snapshot = await thread.call(frame)
    assert snapshot.collector.started != first.collector.started
    assert second.status().started == snapshot.collector.started


async def test_a_line_on_which_nothing_comes_any_more_is_noticed(
    proxy: Proxy, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "QUIET", 0.3)
    monkeypatch.setattr(transports, "_ALIVE_WITHIN", 0.3)
    thread = attach(proxy.url)
    await thread.call(frame)
    proxy.holding = True
    lost = await down(thread)
    assert lost.error is not None
    assert lost.error.why == "timeout"
    proxy.holding = False
    proxy.cut()
    await up(thread)


async def test_a_slow_answer_is_no_lost_line(
    proxy: Proxy, attach: Attach, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How long it may take to say that it is there is as in earnest: the machine may be busy.
    monkeypatch.setattr(transports, "QUIET", 0.3)
    thread = attach(proxy.url)
    await thread.call(frame)
    costs = collector.monitor.costs

    async def slow(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(1.5)
        return await costs(*args, **options)

    monkeypatch.setattr(collector.monitor, "costs", slow)
    assert (await thread.call(lambda monitor: monitor.costs())).period == "month"
    assert line_of(thread).up


async def test_something_else_on_the_port_is_told(attach: Attach) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\nhey!")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        lost = await down(attach(proxy.url, "secret"))
        assert lost.error is not None
        assert "no collector" in lost.error.message
        assert lost.never


async def test_a_token_that_holds_no_more_is_told_and_nobody_hammers(
    proxy: Proxy, attach: Attach, collector: Collector
) -> None:
    thread = attach(proxy.url)
    await thread.call(frame)
    replace(places.token_file())
    lost = await down(thread)
    assert lost.error is not None
    assert lost.error.why == "token"
    assert lost.error.settled
    asked = proxy.sent
    await asyncio.sleep(0.5)
    assert proxy.sent - asked < 1_000


async def test_what_is_decided_without_a_line_is_done_when_it_is_back(
    proxy: Proxy, attach: Attach, collector: Collector
) -> None:
    alert = await firing(collector)
    thread = attach(proxy.url)
    await thread.call(frame)
    await thread.call(lambda monitor: monitor.alerts())
    proxy.refusing = True
    proxy.cut()
    taking = asyncio.create_task(thread.call(lambda monitor: monitor.acknowledge(alert.id, "ana", "mine")))
    await until(lambda: line_of(thread).waiting == ("acknowledge always",))
    await down(thread)
    giving = asyncio.create_task(thread.call(lambda monitor: monitor.unacknowledge(alert.id, "ana")))
    await until(lambda: line_of(thread).waiting == ("acknowledge always", "give back always"))
    assert (await collector.monitor.alert(alert.id)).acked_by is None
    proxy.refusing = False
    assert (await taking).acked_by == "ana"
    assert (await giving).acked_by is None
    await until(lambda: line_of(thread).waiting == ())
    states = [change.state for change in await collector.monitor.history(alert.id)]
    assert states.count(AlertState.ACKNOWLEDGED) == 1


@pytest.mark.parametrize("cuts", [1, 3])
async def test_an_answer_that_is_lost_does_not_do_it_twice(
    proxy: Proxy, attach: Attach, collector: Collector, cuts: int
) -> None:
    await firing(collector)
    thread = attach(proxy.url)
    at = (await thread.call(frame)).at
    proxy.cut_answers = cuts
    made = await thread.call(
        lambda monitor: monitor.silence([Matcher("alertname", "always")], at + HOUR, "ana", "quiet")
    )
    assert proxy.cut_answers == 0
    assert [silence.id for silence in await collector.monitor.silences()] == [made.id]


async def test_a_refusal_is_told_and_does_not_wait(proxy: Proxy, attach: Attach) -> None:
    thread = attach(proxy.url)
    at = (await thread.call(frame)).at
    with pytest.raises(MonitorError, match="no alert"):
        await thread.call(lambda monitor: monitor.acknowledge("nothing", "ana"))
    with pytest.raises(MonitorError):
        await thread.call(lambda monitor: monitor.silence([Matcher("alertname", "x")], at - MINUTE, "ana"))
    assert line_of(thread).up
    assert line_of(thread).waiting == ()


async def test_it_ends_with_decisions_that_wait(proxy: Proxy, attach: Attach, collector: Collector) -> None:
    thread = attach(proxy.url)
    await thread.call(frame)
    proxy.refusing = True
    proxy.cut()
    waiting = asyncio.create_task(thread.call(lambda monitor: monitor.pause_source("host", "ana")))
    await until(lambda: line_of(thread).waiting == ("pause host",))
    assert await asyncio.to_thread(thread.stop, 3)
    with pytest.raises(MonitorError, match="stopped"):
        await waiting


async def test_a_name_that_nobody_knows_is_told(attach: Attach) -> None:
    thread = attach("http://no-such-host.invalid:4319", "secret")
    lost = await down(thread)
    assert lost.error is not None
    assert lost.error.why == "dns"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
async def test_a_certificate_that_is_not_trusted_is_told(
    attach: Attach, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    whose = ["-subj", "/CN=box", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "9"]
    await asyncio.to_thread(
        subprocess.run, [*made, *whose, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    key.chmod(0o600)
    collector = await start(tls_cert=str(cert), tls_key=str(key))
    url = f"https://127.0.0.1:{await port_of(collector)}"
    thread = attach(url, ca_file=cert)
    assert (await thread.call(frame)).collector.running
    stranger = attach(url)
    lost = await down(stranger)
    assert lost.error is not None
    assert (lost.error.why, lost.error.settled) == ("tls", True)
    assert "certificate" in lost.error.message


async def test_after_this_host_slept_the_line_is_made_anew(
    proxy: Proxy, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sleeper(SystemClock):
        slept = 0

        def now(self) -> Micros:
            return super().now() + self.slept

    monkeypatch.setattr(attached, "_LOOK_SECONDS", 0.05)
    clock = Sleeper()
    thread = attach(proxy.url, clock=clock)
    await thread.call(frame)
    await up(thread)
    told: list[str] = []

    def note(state: ThreadState) -> None:
        if state.line is not None and state.line.error is not None:
            told.append(state.line.error.why)

    thread.subscribe(note)
    clock.slept = HOUR
    await until(lambda: "slept" in told)
    await up(thread)
    assert told.count("slept") == 1


async def test_a_collector_of_another_version_is_told(
    proxy: Proxy, attach: Attach, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = attach(proxy.url)
    await thread.call(frame)

    async def other(*_: Any, **__: Any) -> dict[str, str]:
        return {"month": "another form"}

    monkeypatch.setattr(collector.monitor, "system", other)
    with pytest.raises(MonitorError, match="cannot be read") as told:
        await thread.call(lambda monitor: monitor.system(TimeRange()))
    assert "version" in str(told.value.hint)
    assert line_of(thread).up
