"""The collector's own figures: one table of what they are, one reading of what they are now.

`/metrics` serves all of them; those that are worth a course over time are stored as samples too.
"""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING

import psutil

from tui_monitor import __version__
from tui_monitor.health.exposed import Family, Reading
from tui_monitor.health.upkeep import OwnProcess
from tui_monitor.health.views import CollectorStatus, SourceRow
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import SourceState
from tui_monitor.query.promql.histograms import le_text
from tui_monitor.query.timing import BOUNDS

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

FAMILIES: tuple[Family, ...] = (
    Family("tui_monitor_build_info", "info", "version of the program and what it runs on"),
    Family("tui_monitor_healthy", "gauge", "1 where every part is well, by what is known without asking"),
    Family("tui_monitor_uptime_seconds", "gauge", "time since collecting began"),
    Family("tui_monitor_process_start_time_seconds", "gauge", "when the process began, from the epoch"),
    Family("tui_monitor_process_cpu_seconds_total", "counter", "user and system time of the process"),
    Family("tui_monitor_process_resident_memory_bytes", "gauge", "memory of the process"),
    Family("tui_monitor_process_threads", "gauge", "threads of the process"),
    Family("tui_monitor_process_open_fds", "gauge", "files and sockets that the process has open"),
    Family("tui_monitor_ingest_rate", "gauge", "records per second, mean of the last minute",
           stored=True),
    Family("tui_monitor_ingest_lag_seconds", "gauge", "time from a record's arrival to its commit",
           stored=True),
    Family("tui_monitor_queue_length", "gauge", "records that wait to be written", stored=True),
    Family("tui_monitor_queue_limit", "gauge", "records that may wait; more are sent away"),
    Family("tui_monitor_records_total", "counter", "records that came in, by result", stored=True),
    Family("tui_monitor_label_overflow_total", "counter", "label values counted as (other)", stored=True),
    Family("tui_monitor_sampling_one_in", "gauge", "of how many single calls one is kept", stored=True),
    Family("tui_monitor_sampling_left_out_total", "counter", "calls that sampling left out", stored=True),
    Family("tui_monitor_database_bytes", "gauge", "size of the database and its log", stored=True),
    Family("tui_monitor_source_up", "gauge", "1 where a source, door or loop runs, 0 where it failed",
           stored=True),
    Family("tui_monitor_source_errors_total", "counter", "errors of sources, doors and loops", stored=True),
    Family("tui_monitor_source_records_total", "counter", "records that a source, door or loop brought"),
    Family("tui_monitor_source_restarts_total", "counter", "how often one was started anew after a failure"),
    Family("tui_monitor_source_state_seconds", "gauge", "time since one came into its state"),
    Family("tui_monitor_source_lag_seconds", "gauge", "age of the newest record when it was stored"),
    Family("tui_monitor_provider_state", "gauge", "0 healthy, 1 degraded, 2 unavailable; none while unknown"),
    Family("tui_monitor_forward_up", "gauge", "1 where a receiver takes what is forwarded"),
    Family("tui_monitor_forward_lag_seconds", "gauge", "age of what waits longest to be forwarded"),
    Family("tui_monitor_forward_queue_bytes", "gauge", "what waits to be forwarded"),
    Family("tui_monitor_forward_queue_samples", "gauge", "samples that wait to be forwarded"),
    Family("tui_monitor_forward_samples_total", "counter", "samples that were forwarded, by result"),
    Family("tui_monitor_forward_series_left_out", "gauge", "series that are not forwarded for want of room"),
    Family("tui_monitor_query_duration_seconds", "histogram", "time that queries took, by who asked"),
    Family("tui_monitor_query_failures_total", "counter", "queries without an answer, by reason"),
    Family("tui_monitor_slow_queries_total", "counter", "queries as slow as query.slow", stored=True),
    Family("tui_monitor_query_cache_requests_total", "counter", "whether an earlier answer to a query held"),
    Family("tui_monitor_rule_evaluation_duration_seconds", "summary", "time that evaluations of a rule took"),
    Family("tui_monitor_rule_last_evaluation_duration_seconds", "gauge", "time that the last one took"),
    Family("tui_monitor_rule_evaluation_failures_total", "counter", "evaluations of a rule that failed"),
    Family("tui_monitor_http_requests_total", "counter", "requests that were answered, by group and status"),
    Family("tui_monitor_http_refused_total", "counter", "requests that were refused, by reason", stored=True),
    Family("tui_monitor_connections", "gauge", "connections of clients that are open, by kind"),
    Family("tui_monitor_websocket_merged_total", "counter", "messages for several, to slow clients"),
    Family("tui_monitor_derived_series", "gauge", "series of the llm_ metrics served here"),
    Family("tui_monitor_derived_series_left_out", "gauge", "series of the llm_ metrics without room"),
    Family("tui_monitor_derived_up", "gauge", "1 where the llm_ metrics are counted and served"),
)  # fmt: skip
"""In the order in which they are served."""
OWN: Mapping[str, Family] = {family.name: family for family in FAMILIES}


def readings(collector: "Collector") -> Iterator[Reading]:
    """Every own figure that is known at this moment; the rest is added where calls are read."""
    status = collector.status()
    yield from _build(collector)
    yield from _process(own_process(collector.clock.now()))
    yield from _intake(collector, status)
    for row in status.sources:
        yield from _part(row, collector.clock.now())
    for found in collector.figures.values():
        for sample in found:
            if isinstance(sample.value, float | int):
                yield Reading(sample.name, sample.value, sample.labels)
    yield from _queries(collector)
    yield from _rules(collector)
    yield from _doors(collector)


def samples(collector: "Collector", now: Micros) -> list[Sample]:
    """Those that are stored."""
    return [
        Sample(
            found.name, now, float(found.value), dict(found.labels),
            "counter" if OWN[found.name].type == "counter" else "gauge",
        )
        for found in readings(collector)
        if OWN[found.name].stored
    ]  # fmt: skip


@cache
def _me() -> psutil.Process:
    return psutil.Process()


def own_process(now: Micros) -> OwnProcess:
    """This process. What the host does not tell is unknown."""
    process = _me()
    try:
        with process.oneshot():
            began = process.create_time()
            return OwnProcess(
                cpu_seconds=time.process_time(),
                uptime=max(0.0, now / SECOND - began),
                memory_bytes=process.memory_info().rss,
                threads=process.num_threads(),
                open_files=process.num_fds() if hasattr(process, "num_fds") else None,
                started=round(began * SECOND),
            )
    except (psutil.Error, OSError):
        return OwnProcess(time.process_time(), 0.0)


def _one(name: str, value: float | None, **labels: str) -> Iterator[Reading]:
    if value is not None:
        yield Reading(f"tui_monitor_{name}", float(value), labels)


def _build(collector: "Collector") -> Iterator[Reading]:
    yield from _one("build_info", 1, version=__version__, python=platform.python_version(), os=os.name)
    yield from _one("healthy", collector.checkup.glance() == "healthy")
    yield from _one("uptime_seconds", (collector.clock.now() - collector.started) / SECOND)


def _process(process: OwnProcess) -> Iterator[Reading]:
    yield from _one("process_start_time_seconds", process.started and process.started / SECOND)
    yield from _one("process_cpu_seconds_total", process.cpu_seconds)
    yield from _one("process_resident_memory_bytes", process.memory_bytes)
    yield from _one("process_threads", process.threads)
    yield from _one("process_open_fds", process.open_files)


def _intake(collector: "Collector", status: CollectorStatus) -> Iterator[Reading]:
    yield from _one("ingest_rate", status.rate)
    yield from _one("ingest_lag_seconds", None if status.lag_ms is None else status.lag_ms / 1000)
    yield from _one("queue_length", status.queued)
    yield from _one("queue_limit", collector.settings.collector.queue_size)
    results = {
        "accepted": status.accepted, "duplicate": status.duplicates, "rejected": status.rejected,
        "late": status.late,
    }  # fmt: skip
    for result, count in results.items():
        yield from _one("records_total", count, result=result)
    yield from _one("label_overflow_total", status.overflowed_labels)
    for scope in status.sampling:
        known = {"provider": scope.provider, "model": scope.model}
        yield from _one(
            "sampling_one_in", scope.one_in, **{name: text for name, text in known.items() if text}
        )
    if collector.settings.sampling.on:
        yield from _one("sampling_left_out_total", status.left_out)
    yield from _one("database_bytes", status.database_bytes)


def _part(row: SourceRow, now: Micros) -> Iterator[Reading]:
    if row.state in (SourceState.RUNNING, SourceState.FAILED):
        yield from _one("source_up", row.state is SourceState.RUNNING, source=row.name)
        yield from _one("source_errors_total", row.errors, source=row.name)
    yield from _one("source_records_total", row.records, source=row.name)
    yield from _one("source_restarts_total", row.restarts, source=row.name)
    if row.since is not None:
        seconds = max(0, now - row.since) / SECOND
        yield from _one("source_state_seconds", seconds, source=row.name, state=row.state.value)
    yield from _one("source_lag_seconds", row.lag_s, source=row.name)


def _queries(collector: "Collector") -> Iterator[Reading]:
    timing, keeping = collector.engine.timing, collector.engine.keeping
    name = "tui_monitor_query_duration_seconds"
    for who, found in timing.durations().items():
        if not any(found.counts):
            continue
        for bound, count in zip((*BOUNDS, inf), accumulate(found.counts), strict=True):
            yield Reading(name, count, {"by": who, "le": le_text(bound)}, "_bucket")
        yield Reading(name, found.sum, {"by": who}, "_sum")
        yield Reading(name, sum(found.counts), {"by": who}, "_count")
    stats = timing.stats()
    yield from _one("query_failures_total", stats.failed, reason="failed")
    yield from _one("query_failures_total", stats.cancelled, reason="cancelled")
    yield from _one("slow_queries_total", stats.slow)
    yield from _one("query_cache_requests_total", keeping.hits, result="hit")
    yield from _one("query_cache_requests_total", keeping.misses, result="miss")


def _rules(collector: "Collector") -> Iterator[Reading]:
    times = sorted(collector.rules.times(), key=lambda time: time.rule)
    for each in times:
        name = "tui_monitor_rule_evaluation_duration_seconds"
        yield Reading(name, each.sum, {"rule": each.rule}, "_sum")
        yield Reading(name, each.count, {"rule": each.rule}, "_count")
    for each in times:
        yield from _one("rule_last_evaluation_duration_seconds", each.last, rule=each.rule)
        yield from _one("rule_evaluation_failures_total", each.failed, rule=each.rule)


def _doors(collector: "Collector") -> Iterator[Reading]:
    traffic = collector.traffic
    for (group, status), count in sorted(traffic.requests.items()):
        yield from _one("http_requests_total", count, group=group, status=str(status))
    for reason, count in sorted(collector.refused.items()):
        yield from _one("http_refused_total", count, reason=reason)
    for kind, count in traffic.open().items():
        yield from _one("connections", count, kind=kind)
    yield from _one("websocket_merged_total", traffic.merged)
