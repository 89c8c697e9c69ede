"""Graphics processors: NVIDIA's library as it is, against a driver that is compiled for the test."""

import asyncio
import ctypes
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tui_monitor.config.settings import Collector
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.query.known import GPU
from tui_monitor.recorder.recorder import Receipt
from tui_monitor.sources.gpu import GpuProbe, GpuSource, NoGpu

pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
DRIVER = Path(__file__).with_name("nvml_driver.c")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the driver that the test stands in for")
    folder = tmp_path_factory.mktemp("nvml")
    made = folder / "driver.so"
    subprocess.run([compiler, "-w", "-shared", "-fPIC", "-o", made, DRIVER], check=True)
    return made


@pytest.fixture
def driver(library: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    loaded = ctypes.CDLL(str(library))
    monkeypatch.setattr(pynvml, "nvmlLib", loaded)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    for name, value in (("cards", 2), ("lost", 0)):
        ctypes.c_int.in_dll(loaded, name).value = value
    return loaded


def set_to(driver: Any, name: str, value: int) -> None:
    ctypes.c_int.in_dll(driver, name).value = value


def test_every_figure_of_every_card_and_none_that_it_does_not_have(driver: Any) -> None:
    samples, problems = GpuProbe().sample(7)
    assert problems == []
    first = {s.name: s for s in samples if "GPU-1" in s.labels["hw_id"]}
    assert {name: s.value for name, s in first.items()} == {
        "hw_gpu_utilization": 0.87,
        "hw_gpu_memory_usage": 60e9,
        "hw_gpu_memory_limit": 80e9,
        "hw_gpu_memory_utilization": 0.75,
        "hw_temperature": 64,
        "hw_power": 412.5,
    }
    assert len(samples) == 2 * len(first)
    assert set(first) <= {sampled.name for sampled in GPU}
    assert {s.labels["hw_name"] for s in samples} == {"gpu 0", "gpu 1"}
    assert all("\x1b" not in value for s in samples for value in s.labels.values())
    assert first["hw_temperature"].labels["hw_parent"] == "GPU-1"


def test_a_card_that_is_lost_is_told_once_and_ends_it(driver: Any) -> None:
    probe = GpuProbe()
    set_to(driver, "lost", 1)
    with pytest.raises(NoGpu, match="gpu 0: GPU is lost"):
        probe.sample(7)


@pytest.mark.parametrize(("cards", "why"), [(0, "knows no card"), (-1, "driver")])
def test_without_a_card_it_says_why(driver: Any, cards: int, why: str) -> None:
    set_to(driver, "cards", cards)
    with pytest.raises(NoGpu, match=why):
        GpuProbe()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    with pytest.raises(NoGpu, match=r"tui-monitor\[gpu\]"):
        GpuProbe()


class Context:
    """What the source sees of its runner."""

    def __init__(self) -> None:
        self.clock = ManualClock(0)
        collector = Collector.model_validate({"interval": "10ms"})
        self.settings = SimpleNamespace(collector=collector)
        self.samples: list[Sample] = []
        self.said: list[str | None] = []
        self.taken, self.offs = asyncio.Event(), asyncio.Event()

    async def submit(self, records: list[Sample], **_: object) -> Receipt:
        self.samples += records
        self.taken.set()
        return Receipt(accepted=len(records))

    def expect(self, seconds: float) -> None:
        assert seconds > 0

    def running(self, detail: str | None = None) -> None:
        self.said.append(detail)

    def off(self, why: str) -> None:
        self.said.append(why)
        self.offs.set()

    def problem(self, error: str) -> None:
        self.said.append(error)


async def test_it_samples_until_the_driver_goes(driver: Any) -> None:
    ctx = Context()
    task = asyncio.create_task(GpuSource().run(ctx))  # type: ignore[arg-type]
    await asyncio.wait_for(ctx.taken.wait(), 10)
    set_to(driver, "lost", 1)
    await asyncio.wait_for(ctx.offs.wait(), 10)
    task.cancel()
    assert ctx.said[0] == "2 cards, H100 [31m"
    assert "lost" in str(ctx.said[-1])
