"""This host and our own process, by OpenTelemetry's names."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psutil

from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Sample, SampleType
from tui_monitor.model.text import clean
from tui_monitor.sources.api import SourceContext
from tui_monitor.sources.processes import Processes
from tui_monitor.sources.sampling import sample_on

_PATIENCE_S = 120.0
"""Longest time between two looks, beside the interval, where nothing hangs."""
_FIRST_LOOK_S = 0.1
"""The first CPU figure needs two looks; later ones compare with the look before."""
_MEMORY_STATES = ("used", "free", "cached", "buffers", "inactive")
_NOT_DISKS = frozenset({"squashfs", "overlay", "tmpfs", "devtmpfs", "iso9660", "ramfs", "autofs"})

T = TypeVar("T")
Figure = tuple[str, float, dict[str, str], SampleType]
"""Name, value, labels, type."""


class HostSource:
    """Samples the host at every interval, the first time at once."""

    name = "host"

    async def run(self, ctx: SourceContext) -> None:
        """Until cancelled."""
        # A thread of its own: one that hangs must not take those from the others that they share.
        thread = ThreadPoolExecutor(1, thread_name_prefix=self.name)
        try:
            loop = asyncio.get_running_loop()
            probe = await loop.run_in_executor(thread, HostProbe, ctx.settings.database_path())
            await sample_on(ctx, thread, probe, _PATIENCE_S, lambda samples: f"{len(samples)} figures")
        finally:
            thread.shutdown(wait=False, cancel_futures=True)


class HostProbe:
    """Reads the figures; blocking, so in a thread."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._process = psutil.Process()
        self._others = Processes(self._process.pid)
        self._elapsed: float | None = None
        """Seconds of all processors between the two newest looks."""
        self._known_problems: set[str] = set()
        # Both compare with their previous look, so they are asked once before it counts. psutil's own
        # cpu_percent remembers that look per thread, and we are called from any thread of a pool.
        self._busy = self._guarded("cpu", _cpu_seconds)[0]
        time.sleep(_FIRST_LOOK_S)
        self._guarded("process cpu", lambda: self._process.cpu_percent(None))

    def sample(self, now: Micros) -> tuple[list[Sample], list[str]]:
        """All figures that can be read, and what could not be that could before."""
        figures: list[Figure] = []
        problems: list[str] = []
        readers: dict[str, Callable[[], Iterator[Figure]]] = {
            "cpu": self._cpu,
            "load": _load,
            "memory": _memory,
            "file systems": self._filesystems,
            "network": _network,
            "disks": _disks,
            "process": self._own_process,
            "processes": self._programs,
        }
        for name, read in readers.items():
            found, problem = self._guarded(name, lambda read=read: list(read()))
            figures.extend(found or ())
            if problem:
                problems.append(problem)
        return [Sample(name, now, value, labels, kind) for name, value, labels, kind in figures], problems

    def _guarded(self, name: str, read: Callable[[], T]) -> tuple[T | None, str]:
        """What can be read; a figure that this host does not have is told once, not at every look."""
        try:
            return read(), ""
        except (psutil.Error, OSError, RuntimeError, NotImplementedError, AttributeError) as error:
            problem = f"{name}: {error or type(error).__name__}"
            if problem in self._known_problems:
                return None, ""
            self._known_problems.add(problem)
            return None, problem

    def _cpu(self) -> Iterator[Figure]:
        before, self._busy = self._busy, _cpu_seconds()
        self._elapsed = None if before is None else self._busy[1] - before[1]
        if before is not None and self._busy[1] > before[1]:
            busy = (self._busy[0] - before[0]) / (self._busy[1] - before[1])
            yield "system_cpu_utilization", _ratio(min(1.0, max(0.0, busy))), {}, "gauge"

    def _filesystems(self) -> Iterator[Figure]:
        for mountpoint in self._mountpoints():
            try:
                usage = psutil.disk_usage(mountpoint)
            except OSError:
                # A mount that is gone or closed to us says nothing about the others.
                continue
            labels = {"mountpoint": mountpoint}
            for state in ("used", "free"):
                yield "system_filesystem_usage", getattr(usage, state), {**labels, "state": state}, "gauge"
            if usage.used + usage.free:
                ratio = usage.used / (usage.used + usage.free)
                yield "system_filesystem_utilization", _ratio(ratio), labels, "gauge"

    def _mountpoints(self) -> list[str]:
        """Real disks, each once, and the one that holds the database."""
        seen: dict[str, str] = {}
        for part in psutil.disk_partitions(all=False):
            if part.fstype not in _NOT_DISKS and Path(part.mountpoint).is_dir():
                # One disk may be mounted at many places: containers do so with single folders.
                best = min(seen.get(part.device, part.mountpoint), part.mountpoint, key=len)
                seen[part.device] = best
        own = _mount_of(self._database)
        return sorted({*seen.values(), own})

    def _own_process(self) -> Iterator[Figure]:
        process = self._process
        with process.oneshot():
            cores = psutil.cpu_count() or 1
            # Times are counted in ticks: over a very short while they make more than there is.
            share = min(1.0, process.cpu_percent(None) / 100 / cores)
            yield "process_cpu_utilization", _ratio(share), {}, "gauge"
            yield "process_memory_usage", process.memory_info().rss, {}, "gauge"
            yield "process_thread_count", process.num_threads(), {}, "gauge"
            if hasattr(process, "num_fds"):
                yield "process_unix_file_descriptor_count", process.num_fds(), {}, "gauge"

    def _programs(self) -> Iterator[Figure]:
        """Programs of LLM workloads, and others that take much of the host."""
        for program in self._others.look(self._elapsed, psutil.virtual_memory().total):
            labels = {"program": clean(program.name, 64)}
            if program.cpu is not None:
                yield "system_program_cpu_utilization", _ratio(min(1.0, program.cpu)), labels, "gauge"
            yield "system_program_memory_usage", program.memory, labels, "gauge"
            yield "system_program_processes", program.processes, labels, "gauge"


def _ratio(value: float) -> float:
    """To a millionth: more digits say nothing, and take eight times the room."""
    return round(value, 6)


def _cpu_seconds() -> tuple[float, float]:
    """(busy, all) seconds of all cores since the start of the host."""
    times = psutil.cpu_times()._asdict()
    # Linux counts the time of guests in `user` and `nice` already.
    total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    return total - times["idle"] - times.get("iowait", 0.0), total


def _load() -> Iterator[Figure]:
    yield "system_cpu_load_average_1m", os.getloadavg()[0], {}, "gauge"


def _memory() -> Iterator[Figure]:
    memory = psutil.virtual_memory()
    for state in _MEMORY_STATES:
        value = getattr(memory, state, None)
        if value is not None:
            yield "system_memory_usage", value, {"state": state}, "gauge"
    if memory.total:
        yield "system_memory_limit", memory.total, {}, "gauge"
        yield "system_memory_utilization", _ratio(1 - memory.available / memory.total), {}, "gauge"


def _network() -> Iterator[Figure]:
    """All interfaces but the loopback: what stays on the host is no traffic."""
    counters = [c for name, c in psutil.net_io_counters(pernic=True).items() if not name.startswith("lo")]
    for direction, field in (("receive", "bytes_recv"), ("transmit", "bytes_sent")):
        total = sum(getattr(counter, field) for counter in counters)
        yield "system_network_io", total, {"direction": direction}, "counter"


def _disks() -> Iterator[Figure]:
    counters = psutil.disk_io_counters()
    if counters is not None:
        yield "system_disk_io", counters.read_bytes, {"direction": "read"}, "counter"
        yield "system_disk_io", counters.write_bytes, {"direction": "write"}, "counter"


def _mount_of(path: Path) -> str:
    """The mount point above a path, or the nearest folder that exists."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    while not place.is_mount() and place != place.parent:
        place = place.parent
    return str(place)
