"""What arrives at real servers: nothing is lost while they are gone, and a day there is what it is here."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from native_histograms import growing
from peers import Peer, free_port, prometheus, victoria

from tui_monitor.config.forwarding import Forward, ForwardReceiver
from tui_monitor.forward import sender as sending
from tui_monitor.forward.gather import Gatherer
from tui_monitor.forward.queue import Queue
from tui_monitor.forward.sender import Sender
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Clock, ManualClock
from tui_monitor.model.feed import STALE, Retract, Sample
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.memory import MemoryStorage
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

Serving = Callable[[Path], AbstractContextManager[Peer]]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(sending, "LONGEST_WAIT", 0.1)


@dataclass
class House:
    """A store whose news go into a queue."""

    store: Store
    engine: LocalEngine
    clock: ManualClock
    folder: Path
    settings: Forward
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def __post_init__(self) -> None:
        self.queue = Queue(self.folder / "queue", 10_000_000, ["peer"])
        self.begin()

    def begin(self) -> None:
        self.gatherer = Gatherer(self.settings, self.engine, StoredSamples(self.store), self.queue)

    def call(self, ago: int = SECOND, **fields: object) -> str:
        key = str(next(self.numbers))
        known = {"provider": "openai", "model_served": "m", "status": "success", "latency_ms": 300.0}
        call = Call("test", key, ts_end=self.clock.now() - ago, **(known | fields))
        self.store.write(WriteBatch([call]))
        return key

    def look(self, later: int) -> None:
        self.clock.advance(later)
        self.gatherer.look(self.clock.now())

    async def deliver(self, url: str, clock: Clock, *, within: float = 30.0) -> Sender:
        """Send until nothing waits."""
        sender = Sender(ForwardReceiver(url=url, name="peer"), self.queue, clock, lambda: None)
        await sender.refresh()
        async with asyncio.timeout(within):
            task = asyncio.create_task(sender.run())
            while sender.state.standing.waiting_samples:
                await asyncio.sleep(0.01)
                await sender.refresh()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return sender


@pytest.fixture
def house(store: Store, engine: LocalEngine, clock: ManualClock, tmp_path: Path) -> Iterator[House]:
    house = House(store, engine, clock, tmp_path, Forward(keep=["llm_requests_total|llm_cost_usd_total"]))
    yield house
    house.queue.close()


@pytest.mark.parametrize("serving", [prometheus, victoria])
async def test_a_day_there_adds_up_to_the_day_here(house: House, tmp_path: Path, serving: Serving):
    random = Random(1)
    with serving(tmp_path / "peer") as peer:
        house.look(0)
        keys: list[str] = []
        for number in range(DAY // (20 * MINUTE)):
            if keys and random.random() < 0.2:
                # A correction: without care it would be a reset, and all that ever was would count again.
                house.store.write(WriteBatch(retracts=[Retract("test", keys[0])]))
            keys = [
                house.call(
                    random.randrange(20 * MINUTE),
                    status=random.choice(["success", "success", "error"]),
                    cost=random.randrange(10**7),
                    cost_status="reported",
                )
                for _ in range(random.randrange(6))
            ]
            if number == 35:
                for _ in range(200):
                    house.call(30 * DAY)
            house.look(20 * MINUTE)
        await house.deliver(peer.write_url, house.clock)
        peer.settle()
        at = house.clock.now()
        for name in ("llm_requests_total", "llm_cost_usd_total"):
            ours = house.engine.instant(f"sum(increase({name}[1d]))", at).series[0].value
            theirs = peer.value(f"sum(increase({name}[1d]))", at / SECOND)
            assert ours is not None
            assert theirs == pytest.approx(ours, rel=0.03)
        assert peer.value("sum(resets(llm_requests_total[1d]))", at / SECOND) == 0


@pytest.mark.parametrize("serving", [prometheus, victoria])
async def test_a_receiver_that_dies_for_a_while_misses_nothing(
    house: House, tmp_path: Path, serving: Serving
):
    with serving(tmp_path / "peer") as peer:
        for number in range(60):
            house.call()
            house.look(15 * SECOND)
            if number == 20:
                await house.deliver(peer.write_url, house.clock)
                # VictoriaMetrics says 2xx to what a kill takes from it for 5 s; that is its own affair.
                peer.stop(kill=peer.name == "prometheus")
            if number == 30:
                # So does the collector.
                house.queue.close()
                house.queue = Queue(tmp_path / "queue", 10_000_000, ["peer"])
                house.begin()
            if number == 40:
                peer.start()
        sender = await house.deliver(peer.write_url, house.clock)
        peer.settle()
        assert (sender.state.standing.refused, sender.state.standing.lost) == (0, 0)
        at = house.clock.now() / SECOND
        assert peer.value("count_over_time(llm_requests_total[1h])", at) == 60
        assert peer.value("llm_requests_total", at) == 60


async def test_samples_arrive_as_they_are(house: House, tmp_path: Path):
    house.settings = Forward(calls=False, drop=["secret_.*"], labels={"instance": "here", "site": "x"})
    house.begin()
    with prometheus(tmp_path / "peer") as peer:
        house.look(15 * SECOND)
        now = house.clock.now()

        def put(name: str, at: int, value: float, **labels: str) -> None:
            house.store.write(WriteBatch(samples=[Sample(name, at, value, labels)]))

        put("system_load", now + SECOND, 1.5)
        put("system_load", now + SECOND + 200, 2.5)
        put("up", now + SECOND, 1.0, job="scraped", instance="there")
        put("secret_figure", now + SECOND, 1.0)
        house.look(15 * SECOND)
        # Stored late, and newer than what was sent of its series; and of a series that is older.
        put("system_load", now + 10 * SECOND, 3.5)
        put("my.own metric", now + 10 * SECOND, 4.0, **{"a.b": "c"})
        put("system_load", now - HOUR, 9.0)
        put("up", now + 20 * SECOND, STALE, job="scraped", instance="there")
        house.look(15 * SECOND)
        await house.deliver(peer.write_url, house.clock)
        at = house.clock.now() / SECOND
        found = peer.ask("query", query='{__name__=~".+"}', time=at)["data"]["result"]
        here = {"job": "tui-monitor", "instance": "here", "site": "x"}
        assert {row["metric"]["__name__"]: (row["metric"], row["value"][1]) for row in found} == {
            "my_own_metric": ({"__name__": "my_own_metric", "a_b": "c", **here}, "4"),
            "system_load": ({"__name__": "system_load", **here}, "3.5"),
        }
        values = peer.ask("query", query="system_load[1h]", time=at)["data"]["result"][0]["values"]
        assert [value for _, value in values] == ["2.5", "3.5"]
        assert peer.value('up{job="scraped",instance="there",site="x"}', now / SECOND + 5) == 1
        assert peer.value('up{job="scraped"}', at) is None


@pytest.mark.parametrize("natives", [True, False])
async def test_native_histograms_go_where_they_are_taken(house: House, tmp_path: Path, natives: bool):
    samples = MemoryStorage()
    settings = Forward(calls=False, native_histograms=natives)
    gatherer = Gatherer(settings, house.engine, samples, house.queue)
    with prometheus(tmp_path / "peer") as peer:
        now = house.clock.now()
        (histogram,) = growing([[1, 0, 2, 3]])
        samples.add({"__name__": "waits"}, [(now - SECOND, histogram)])
        samples.add({"__name__": "seen"}, [(now - SECOND, 1.0)])
        gatherer.look(now)
        await house.deliver(peer.write_url, house.clock)
        assert peer.value("seen", now / SECOND) == 1
        assert peer.value("histogram_count(waits)", now / SECOND) == (6 if natives else None)


async def test_a_receiver_without_native_histograms_gets_all_else(house: House, tmp_path: Path):
    house.settings = Forward(keep=["llm_request.*"], native_histograms=True)
    house.begin()
    with prometheus(tmp_path / "peer") as peer:
        peer.stop()
        peer.command = [word for word in peer.command if not word.startswith("--enable-feature")]
        peer.start()
        house.call()
        house.look(15 * SECOND)
        sender = await house.deliver(peer.write_url, house.clock)
        assert (sender.state.standing.refused, sender.state.failures) == (1, 1)
        assert "native histograms are disabled" in sender.state.error
        assert peer.value("llm_requests_total", house.clock.now() / SECOND) == 1
        assert peer.value("llm_request_duration_seconds_count", house.clock.now() / SECOND) == 1


@contextmanager
def collecting(folder: Path, listen: str, receiver: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A collector as a process of its own."""
    config = folder / "config.toml"
    config.write_text(
        f'[server]\nlisten = "{listen}"\nsocket = false\n[database]\npath = "{folder / "monitor.db"}"\n'
        f'[[forward.receivers]]\nurl = "{receiver}"\nname = "peer"\n'
    )
    command = [sys.executable, "-m", "tui_monitor", "--config", str(config), "collect"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not _holds(condition):
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def _holds(condition: Callable[[], object]) -> bool:
    with suppress(OSError):
        return bool(condition())
    return False


def push(listen: str, number: int) -> None:
    """Push one call."""
    body = f'{{"id": "{number}", "provider": "openai", "model": "m", "status": "success"}}'.encode()
    request = urllib.request.Request(
        f"http://{listen}/monitor/v1/events", body, {"content-type": "application/json"}
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).read()


def waiting(folder: Path) -> int:
    """Samples in the queue, read as another process would."""
    queue = Queue(folder / "monitor.db-forward", 10**9, ["peer"])
    try:
        return queue.standing("peer").waiting_samples
    finally:
        queue.close()


def test_a_collector_that_is_killed_sends_what_waited(tmp_path: Path):
    listen = f"127.0.0.1:{free_port()}"
    with prometheus(tmp_path / "peer") as peer:
        peer.stop(kill=True)
        with collecting(tmp_path, listen, peer.write_url) as process:
            until(lambda: push(listen, 1) is None)
            # The first look is at once; of the receiver nothing is to be seen.
            until(lambda: (tmp_path / "monitor.db-forward").exists() and waiting(tmp_path) > 0)
            push(listen, 2)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        queued = waiting(tmp_path)
        assert queued > 0
        peer.start()
        with collecting(tmp_path, listen, peer.write_url):
            until(lambda: waiting(tmp_path) == 0 and peer.value("llm_requests_total", time.time()) == 2)


def test_a_clock_that_was_ahead_holds_nothing_up(house: House):
    house.look(0)
    house.clock.advance(40 * DAY)
    house.look(0)
    house.clock.advance(-40 * DAY)
    house.queue.close()
    house.queue = Queue(house.folder / "queue", 10_000_000, ["peer"])
    house.settings = Forward(keep=["llm_requests_total|load"])
    house.begin()
    house.call()
    house.look(15 * SECOND)
    house.store.write(WriteBatch(samples=[Sample("load", house.clock.now(), 1.0, {})]))
    assert house.gatherer.look(house.clock.now()) == 1
    house.call()
    house.clock.advance(15 * SECOND)
    assert house.gatherer.look(house.clock.now()) == 1
