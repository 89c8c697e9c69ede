"""This host's figures: present at once, sane, and one that fails takes no other with it."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tui_monitor.config.settings import Collector
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Record, Sample
from tui_monitor.recorder.recorder import Receipt
from tui_monitor.sources.host import HostProbe, HostSource
from tui_monitor.sources.table import SOURCES


class Context:
    """What a source sees of its runner."""

    def __init__(self, clock: ManualClock, database: Path) -> None:
        self.clock = clock
        collector = Collector.model_validate({"interval": "20ms"})
        self.settings = SimpleNamespace(collector=collector, database_path=lambda: database)
        self.batches: list[list[Record]] = []
        self.problems: list[str] = []
        self.details: list[str | None] = []
        self.busy = False

    async def submit(
        self, records: Sequence[Record], *, remember: bool = False, offsets: Mapping[str, str] | None = None
    ) -> Receipt:
        if self.busy:
            self.busy = False
            raise Busy("the write queue is full")
        self.batches.append(list(records))
        return Receipt(accepted=len(records))

    def expect(self, seconds: float) -> None:
        assert seconds > 0

    def running(self, detail: str | None = None) -> None:
        self.details.append(detail)

    def paused(self, why: str) -> None:
        raise AssertionError(why)

    def problem(self, error: str) -> None:
        self.problems.append(error)


def by_name(samples: Sequence[Record]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        assert isinstance(sample, Sample)
        found.setdefault(sample.name, []).append(sample)
    return found


def test_the_figures_of_this_host(tmp_path: Path, clock: ManualClock) -> None:
    samples, problems = HostProbe(tmp_path / "monitor.db").sample(clock.now())
    found = by_name(samples)
    assert problems == []
    for name in (
        "system_cpu_utilization", "system_memory_utilization", "system_filesystem_utilization",
        "process_cpu_utilization",
    ):  # fmt: skip
        assert all(0 <= sample.value <= 1 for sample in found[name]), name
    used = {s.labels["state"]: s.value for s in found["system_memory_usage"]}
    assert 0 < used["used"] < psutil.virtual_memory().total
    assert {s.labels["direction"] for s in found["system_network_io"]} == {"receive", "transmit"}
    assert {s.type for s in found["system_network_io"]} == {"counter"}
    assert found["process_memory_usage"][0].value > 1_000_000
    assert found["process_thread_count"][0].value >= 1
    assert found["system_cpu_load_average_1m"][0].value >= 0
    assert all(s.ts == clock.now() for s in samples)


def test_the_disk_of_the_database_is_among_them(tmp_path: Path, clock: ManualClock) -> None:
    samples, _ = HostProbe(tmp_path / "not" / "yet" / "monitor.db").sample(clock.now())
    mounts = {s.labels["mountpoint"] for s in by_name(samples)["system_filesystem_usage"]}
    assert any(str(tmp_path).startswith(mount) for mount in mounts)


def test_one_figure_that_fails_is_skipped_and_told_once(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> None:
        raise PermissionError("no permission")

    probe = HostProbe(tmp_path / "monitor.db")
    monkeypatch.setattr(psutil, "net_io_counters", denied)
    samples, problems = probe.sample(clock.now())
    assert problems == ["network: no permission"]
    assert "system_network_io" not in by_name(samples)
    assert "system_memory_usage" in by_name(samples)
    assert probe.sample(clock.now())[1] == []


async def test_it_samples_at_once_and_again(tmp_path: Path, clock: ManualClock) -> None:
    ctx = Context(clock, tmp_path / "monitor.db")
    ctx.busy = True
    task = asyncio.create_task(HostSource().run(ctx))
    for _ in range(200):
        await asyncio.sleep(0.01)
        if len(ctx.batches) >= 2:
            break
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ctx.batches) >= 2
    assert ctx.problems == ["the write queue is full"]
    assert "system_cpu_utilization" in by_name(ctx.batches[0])


def test_every_source_has_a_name_of_its_own() -> None:
    names = [source.name for source in SOURCES]
    assert "host" in names
    assert len(set(names)) == len(names)
