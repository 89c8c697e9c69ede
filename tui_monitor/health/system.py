"""The System pane: this host, and the collector's own figures, from the stored samples."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from tui_monitor.health.limits import finished, progress
from tui_monitor.health.views import CollectorStatus, Gauge, Program, Progress, SystemView
from tui_monitor.model.clock import Micros
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import Span, TimeRange, step_for
from tui_monitor.model.units import UNKNOWN, show
from tui_monitor.query.asking import Asking
from tui_monitor.query.engine import Engine
from tui_monitor.query.language import quote
from tui_monitor.store.api import Reader

_NEWEST = ("2m", "10m")
"""Windows that stand for "now": the second where samples are too far apart for the first."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """One or more gauges from one metric: with `by`, one for each value of that label."""

    name: str
    metric: str
    unit: str
    how: str = "avg"
    by: str = ""
    names: Mapping[str, str] | None = None
    """Label value → the gauge's name; else the value stands behind `name`."""
    first: bool = False
    """Whether the value stands before the name."""

    def query(self, window: str = "", value: str | None = None) -> str:
        """The question for all gauges, or for the one of a label value."""
        matchers = "" if value is None else f"{self.by}={quote(value)}"
        grouped = f" by({self.by})" if self.by and value is None else ""
        span = f" [{window}]" if window else ""
        return f"{self.metric}{{{matchers}}}{span} {self.how}{grouped}"

    def title(self, value: str) -> str:
        """The name of the gauge for one label value."""
        if not self.by:
            return self.name
        value = value or UNKNOWN
        return (self.names or {}).get(value) or (
            f"{value} {self.name}" if self.first else f"{self.name} {value}"
        )


_FIGURES = (
    _Figure("processor", "system_cpu_utilization", "ratio"),
    _Figure("load", "system_cpu_load_average_1m", ""),
    _Figure("memory", "system_memory_utilization", "ratio"),
    _Figure("disk", "system_filesystem_utilization", "ratio", by="mountpoint"),
    _Figure(
        "network", "system_network_io", "bytes/s", "rate", "direction",
        {"receive": "network in", "transmit": "network out"},
    ),
    _Figure(
        "disk", "system_disk_io", "bytes/s", "rate", "direction",
        {"read": "disk read", "write": "disk write"},
    ),
)  # fmt: skip
_GPU = (
    _Figure("busy", "hw_gpu_utilization", "ratio", by="hw_name", first=True),
    _Figure("memory", "hw_gpu_memory_utilization", "ratio", by="hw_name", first=True),
    _Figure("temperature", "hw_temperature", "°C", by="hw_name", first=True),
    _Figure("power", "hw_power", "W", by="hw_name", first=True),
)
"""Of graphics processors; asked for where the first one is known."""
_QUEUES = (
    _Figure("to be written", "tui_monitor_queue_length", "", "max"),
    _Figure("under way", "requests_active", "requests", "sum"),
    _Figure("queue wait p95", "queue_wait", "ms", "p95"),
)
_OWN = (
    _Figure("records", "tui_monitor_ingest_rate", "/s"),
    _Figure("lag", "tui_monitor_ingest_lag_seconds", "s", "max"),
    _Figure("waiting", "tui_monitor_queue_length", "", "max"),
    _Figure("processor", "process_cpu_utilization", "ratio"),
    _Figure("memory", "process_memory_usage", "bytes"),
    _Figure("threads", "process_thread_count", "", "max"),
    _Figure("open files", "process_unix_file_descriptor_count", "", "max"),
    _Figure("database", "tui_monitor_database_bytes", "bytes", "max"),
)


def system_view(
    engine: Engine,
    reader: Reader,
    shown: TimeRange,
    points: int,
    now: Micros,
    collector: CollectorStatus,
    queue_size: int = 0,
) -> SystemView:
    """The host's figures at the end of the shown span, each with its course over the span.

    A figure without a sample in the span is left out; one without a recent sample has no value. `queue_size`
    is how many records may wait to be written. Blocks on the store; raises `QueryError` or `StoreError`.
    """
    span = shown.span(now)
    step = step_for(span.length, points)
    asking = Asking(engine)
    gauges = [gauge for figure in _FIGURES for gauge in _gauges(asking, figure, span, step)]
    gauges += _cards(asking, span, step)
    details = _details(asking, span.end)
    if any(gauge.query.startswith("hw_") for gauge in gauges):
        details |= _card_details(asking, span.end)
    active = asking.instant("requests_active{}", span.end).scalar
    queues = [gauge for figure in _QUEUES for gauge in _gauges(asking, figure, span, step)]
    return SystemView(
        at=now,
        span=span,
        host=clean(socket.gethostname(), 64),
        gauges=tuple(replace(gauge, detail=details.get(gauge.name, "")) for gauge in gauges),
        collector=collector,
        step=step,
        active=round(active or 0),
        progress=progress(reader, now),
        finished=_results(asking, finished(reader, now), now),
        queues=tuple(_filled(gauge, queue_size) for gauge in queues),
        programs=_programs(asking, span, step),
    )


def _filled(gauge: Gauge, most: int) -> Gauge:
    """The queue before the disk with how full it is: beyond that, pushers are turned away."""
    if gauge.name != _QUEUES[0].name or not most:
        return gauge
    share = None if gauge.value is None else gauge.value / most
    return replace(gauge, fraction=share, detail=f"of {show(most)}")


def _programs(asking: Asking, span: Span, step: Micros) -> tuple[Program, ...]:
    """What ran at the end of the span, by what it took of the processors."""
    memory = _newest(
        asking, "system_program_memory_usage{{}} [{}] last by(program)".format, "program", span.end
    )
    if not memory:
        return ()
    busy = "system_program_cpu_utilization{{}} [{}] avg by(program)"
    cpu = _newest(asking, busy.format, "program", span.end)
    number = _newest(asking, "system_program_processes{{}} [{}] last by(program)".format, "program", span.end)
    total = _newest(asking, "system_memory_limit{{}} [{}] last".format, "", span.end).get("")
    course = asking.range("system_program_cpu_utilization{} avg by(program)", span.start, span.end, step)
    sparks = {series.label("program"): series.values for series in course.series}
    rows = [
        Program(
            name=clean(name) or UNKNOWN,
            cpu=cpu.get(name),
            memory=size,
            share=size / total if total else None,
            processes=round(number.get(name, 0)),
            spark=sparks.get(name, ()),
            query=f"system_program_cpu_utilization{{program={quote(name)}}} avg",
        )
        for name, size in memory.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.cpu or 0.0), -(row.memory or 0.0), row.name)))


def own_gauges(
    engine: Engine, shown: TimeRange, points: int, now: Micros
) -> tuple[tuple[Gauge, ...], Micros]:
    """The collector's own figures, as `system_view` has the host's, and the step of their courses."""
    span = shown.span(now)
    step = step_for(span.length, points)
    asking = Asking(engine)
    return tuple(gauge for figure in _OWN for gauge in _gauges(asking, figure, span, step)), step


def _cards(asking: Asking, span: Span, step: Micros) -> list[Gauge]:
    """Figures of graphics processors, card by card."""
    busy, *others = _GPU
    found = list(_gauges(asking, busy, span, step))
    if found:
        found += [gauge for figure in others for gauge in _gauges(asking, figure, span, step)]
    return sorted(found, key=lambda gauge: gauge.name.rpartition(" ")[0])


def _card_details(asking: Asking, end: Micros) -> dict[str, str]:
    """Gauge → how much memory of a card that is, and which model the card is."""
    used = _newest(asking, "hw_gpu_memory_usage{{}} [{}] avg by(hw_name)".format, "hw_name", end)
    total = _newest(asking, "hw_gpu_memory_limit{{}} [{}] last by(hw_name)".format, "hw_name", end)
    details = {
        clean(f"{name} memory"): f"{show(size, 'bytes')} of {show(total.get(name), 'bytes')}"
        for name, size in used.items()
    }
    models = asking.instant("hw_gpu_utilization{} [10m] last by(hw_name, hw_model)", end).series
    return details | {clean(f"{one.label('hw_name')} busy"): clean(one.label("hw_model")) for one in models}


def _results(asking: Asking, over: tuple[Progress, ...], now: Micros) -> tuple[Progress, ...]:
    """What is over, with how long it took and how it was scored."""
    if not over:
        return ()
    scores = asking.instant("llm_evaluation_score{} [1d] avg by(name)", now).by("name")
    took = asking.instant("llm_benchmark_duration_seconds{} [1d] max by(name)", now).by("name")
    return tuple(replace(one, score=scores.get(one.name), seconds=took.get(one.name)) for one in over)


def _gauges(asking: Asking, figure: _Figure, span: Span, step: Micros) -> Iterator[Gauge]:
    course = asking.range(figure.query(), span.start, span.end, step)
    sparks = {series.label(figure.by): series.values for series in course.series}
    newest = _newest(asking, figure.query, figure.by, span.end)
    for value in sorted({*sparks, *newest}):
        now = newest.get(value)
        yield Gauge(
            name=clean(figure.title(value)),
            value=now,
            unit=figure.unit,
            fraction=now if figure.unit == "ratio" else None,
            spark=sparks.get(value, ()),
            query=figure.query(value=value if figure.by else None),
        )


def _newest(asking: Asking, query: Callable[[str], str], by: str, end: Micros) -> Mapping[str, float]:
    """Label value → the mean of the last minutes."""
    answers = (asking.instant(query(window), end).by(by) for window in _NEWEST)
    return next((found for found in answers if found), {})


def _details(asking: Asking, end: Micros) -> dict[str, str]:
    """Gauge → how much that is in bytes."""
    used = _newest(asking, 'system_memory_usage{{state="used"}} [{}] avg'.format, "", end)
    free = _newest(
        asking, 'system_filesystem_usage{{state="free"}} [{}] avg by(mountpoint)'.format, "mountpoint", end
    )
    details = {clean(f"disk {where}"): f"{show(size, 'bytes')} free" for where, size in free.items()}
    return details | {"memory": f"{show(used[''], 'bytes')} used"} if used else details
