"""NVIDIA's graphics processors by OpenTelemetry's names, through the driver's own library (NVML).

Names and labels: https://opentelemetry.io/docs/specs/semconv/hardware/gpu/, with `hw.power`, `hw.energy` and
`hw.temperature` of the common hardware metrics.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Sample, SampleType
from tui_monitor.model.text import clean
from tui_monitor.sources.api import SourceContext
from tui_monitor.sources.sampling import sample_on

_LOOK_AGAIN_S = 600.0
"""Seconds until it is looked again whether there is a card by now."""
_PATIENCE_S = 60.0
"""Longest time that the driver takes, beside the interval, where nothing hangs."""
_MILLI = 1000.0
_MOST = 64
"""Cards that are sampled at most."""

Labels = dict[str, str]
Figure = tuple[str, float, Labels, SampleType]
"""Name, value, labels, type."""


class NoGpu(Exception):
    """There is nothing to sample; the text says why, and what to do about it."""


class GpuSource:
    """Samples every card at every interval; where there is none it says so, and looks again now and then."""

    name = "gpu"

    async def run(self, ctx: SourceContext) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        # A thread of its own: a driver that hangs must not take those from the others that they share.
        thread = ThreadPoolExecutor(1, thread_name_prefix=self.name)
        try:
            while True:
                ctx.expect(_PATIENCE_S + _LOOK_AGAIN_S)
                try:
                    probe = await loop.run_in_executor(thread, GpuProbe)
                    words = f"{probe.cards} {'card' if probe.cards == 1 else 'cards'}, {probe.names}"
                    await sample_on(ctx, thread, probe, _PATIENCE_S, lambda _, words=words: words)
                except NoGpu as why:
                    ctx.off(str(why))
                await asyncio.sleep(_LOOK_AGAIN_S)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Card:
    """One card: the library's handle, and the labels of all its series."""

    handle: Any
    labels: Labels


class GpuProbe:
    """Reads the figures; blocking, so in a thread. Raises `NoGpu` where there are none to read."""

    def __init__(self) -> None:
        try:
            import pynvml
        except ImportError as error:
            raise NoGpu(
                "needs NVIDIA's library: install tui-monitor[gpu], or nvidia-ml-py beside it"
            ) from error
        self._nvml: Any = pynvml
        self._known_problems: set[str] = set()
        try:
            pynvml.nvmlInit()
            count = min(pynvml.nvmlDeviceGetCount(), _MOST)
            self._cards = [self._card(index) for index in range(count)]
        except pynvml.NVMLError as error:
            raise NoGpu(f"no NVIDIA driver answers: {_words(error)}") from error
        if not self._cards:
            raise NoGpu("the NVIDIA driver knows no card")

    @property
    def cards(self) -> int:
        """How many there are."""
        return len(self._cards)

    @property
    def names(self) -> str:
        """Their models, each once."""
        return ", ".join(dict.fromkeys(card.labels["hw_model"] for card in self._cards))

    def _card(self, index: int) -> _Card:
        nvml = self._nvml
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        labels = {
            "hw_id": _text(nvml.nvmlDeviceGetUUID(handle)),
            "hw_name": f"gpu {index}",
            "hw_model": _text(nvml.nvmlDeviceGetName(handle)),
            "hw_vendor": "NVIDIA",
        }
        return _Card(handle, labels)

    def sample(self, now: Micros) -> tuple[list[Sample], list[str]]:
        """All figures that can be read, and what could not be that could before. Raises `NoGpu`."""
        figures: list[Figure] = []
        problems: list[str] = []
        for card in self._cards:
            for read in (_busy, _memory, _temperature, _power, _energy):
                try:
                    figures += self._read(card, read)
                except self._nvml.NVMLError as error:
                    problem = f"{card.labels['hw_name']}: {_words(error)}"
                    if problem not in self._known_problems:
                        self._known_problems.add(problem)
                        problems.append(problem)
        if not figures:
            raise NoGpu(problems[0] if problems else "the NVIDIA driver tells nothing of its cards")
        return [Sample(name, now, value, labels, kind) for name, value, labels, kind in figures], problems

    def _read(self, card: _Card, read: "Callable[[Any, _Card], Iterator[Figure]]") -> list[Figure]:
        """One kind of figures; none where this card does not have it."""
        try:
            return list(read(self._nvml, card))
        except self._nvml.NVMLError_NotSupported:
            return []


def _busy(nvml: Any, card: _Card) -> Iterator[Figure]:
    labels = {**card.labels, "hw_gpu_task": "general"}
    yield "hw_gpu_utilization", nvml.nvmlDeviceGetUtilizationRates(card.handle).gpu / 100, labels, "gauge"


def _memory(nvml: Any, card: _Card) -> Iterator[Figure]:
    memory = nvml.nvmlDeviceGetMemoryInfo(card.handle)
    yield "hw_gpu_memory_usage", memory.used, card.labels, "gauge"
    yield "hw_gpu_memory_limit", memory.total, card.labels, "gauge"
    if memory.total:
        yield "hw_gpu_memory_utilization", round(memory.used / memory.total, 6), card.labels, "gauge"


def _temperature(nvml: Any, card: _Card) -> Iterator[Figure]:
    degrees = nvml.nvmlDeviceGetTemperature(card.handle, nvml.NVML_TEMPERATURE_GPU)
    labels = {
        "hw_id": f"{card.labels['hw_id']}/die", "hw_type": "temperature",
        "hw_name": card.labels["hw_name"], "hw_parent": card.labels["hw_id"],
    }  # fmt: skip
    yield "hw_temperature", degrees, labels, "gauge"


def _power(nvml: Any, card: _Card) -> Iterator[Figure]:
    watts = nvml.nvmlDeviceGetPowerUsage(card.handle) / _MILLI
    yield "hw_power", watts, {**card.labels, "hw_type": "gpu"}, "gauge"


def _energy(nvml: Any, card: _Card) -> Iterator[Figure]:
    joules = nvml.nvmlDeviceGetTotalEnergyConsumption(card.handle) / _MILLI
    yield "hw_energy", joules, {**card.labels, "hw_type": "gpu"}, "counter"


def _text(value: "str | bytes") -> str:
    return clean(value.decode("utf-8", "replace") if isinstance(value, bytes) else value, 100)


def _words(error: Exception) -> str:
    return clean(str(error), 200) or type(error).__name__
