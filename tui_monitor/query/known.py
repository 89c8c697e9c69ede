"""Samples that the program writes itself: their names, types, units and meaning."""

from tui_monitor.query.metrics import Sampled

HOST: tuple[Sampled, ...] = (
    Sampled("system_cpu_utilization", "gauge", "ratio", "how busy this host's processors are"),
    Sampled("system_cpu_load_average_1m", "gauge", "", "processes that want to run, mean of a minute"),
    Sampled("system_memory_usage", "gauge", "bytes", "memory by state"),
    Sampled("system_memory_limit", "gauge", "bytes", "how much memory there is"),
    Sampled("system_memory_utilization", "gauge", "ratio", "how full the memory is"),
    Sampled("system_filesystem_usage", "gauge", "bytes", "disk space by mountpoint and state"),
    Sampled("system_filesystem_utilization", "gauge", "ratio", "how full the disks are, by mountpoint"),
    Sampled("system_network_io", "counter", "bytes", "network traffic by direction"),
    Sampled("system_disk_io", "counter", "bytes", "disk traffic by direction"),
    Sampled(
        "system_program_cpu_utilization", "gauge", "ratio",
        "how much of the processors a program takes: of LLM workloads, and what else takes much",
    ),
    Sampled("system_program_memory_usage", "gauge", "bytes", "memory of a program's processes, by program"),
    Sampled("system_program_processes", "gauge", "", "how many processes a program has, by program"),
    Sampled("process_cpu_utilization", "gauge", "ratio", "how much of the processors this program takes"),
    Sampled("process_memory_usage", "gauge", "bytes", "memory of this program"),
    Sampled("process_thread_count", "gauge", "", "threads of this program"),
    Sampled("process_unix_file_descriptor_count", "gauge", "", "files and sockets this program has open"),
)  # fmt: skip
"""What the collector samples of its host; known before the first sample."""

GPU: tuple[Sampled, ...] = (
    Sampled("hw_gpu_utilization", "gauge", "ratio", "how busy a graphics processor is, by hw_name"),
    Sampled("hw_gpu_memory_usage", "gauge", "bytes", "memory in use on a graphics processor"),
    Sampled("hw_gpu_memory_limit", "gauge", "bytes", "memory of a graphics processor"),
    Sampled("hw_gpu_memory_utilization", "gauge", "ratio", "how full the memory of a graphics processor is"),
    Sampled("hw_temperature", "gauge", "°C", "temperature of a part of the host, by hw_name"),
    Sampled("hw_power", "gauge", "W", "power that a part of the host draws, by hw_name and hw_type"),
    Sampled("hw_energy", "counter", "J", "energy that a part of the host took, by hw_name and hw_type"),
)
"""What the collector samples of graphics processors, where there are any."""

OWN: tuple[Sampled, ...] = (
    Sampled("tui_monitor_provider_state", "gauge", "state", "0 healthy, 1 degraded, 2 unavailable"),
    Sampled("probe_success", "gauge", "", "1 where the last probe was answered, by provider and target"),
    Sampled("probe_duration_seconds", "gauge", "s", "how long a probe took, by provider and target"),
    Sampled(
        "provider_status", "gauge", "",
        "of a status page: 0 operational, 1 degraded, 2 partly out, 3 out, -1 maintenance",
    ),
    Sampled("probe_failures_in_a_row", "gauge", "", "probes that failed one after the other, and why"),
    Sampled("probe_network_up", "gauge", "", "0 where no provider answers any probe: our own network"),
    Sampled("provider_status_drift", "gauge", "", "1 where a status page lacks the components that matter"),
    Sampled("provider_incident", "gauge", "", "the incident on a status page, by provider, title and url"),
    Sampled("llm_ratelimit_limit", "gauge", "", "what a provider's rate limit allows, by provider and kind"),
    Sampled("llm_ratelimit_remaining", "gauge", "", "what is left of a rate limit, by provider and kind"),
    Sampled("llm_ratelimit_reset_seconds", "gauge", "s", "time until a provider's rate limit is full again"),
    Sampled("llm_quota_used_ratio", "gauge", "ratio", "how much of a plan is used, by provider and window"),
    Sampled("tui_monitor_source_up", "gauge", "", "1 where a source or loop runs, 0 where it failed"),
    Sampled("tui_monitor_source_errors_total", "counter", "", "errors of sources and loops, by source"),
    Sampled("tui_monitor_records_total", "counter", "", "records that came in, by result"),
    Sampled("tui_monitor_http_refused_total", "counter", "", "requests that were refused, by reason"),
    Sampled("tui_monitor_slow_queries_total", "counter", "", "queries that took query.slow or longer"),
    Sampled("tui_monitor_label_overflow_total", "counter", "", "label values counted as (other)"),
    Sampled("tui_monitor_sampling_one_in", "gauge", "", "of how many single calls one is kept, by model"),
    Sampled("tui_monitor_sampling_left_out_total", "counter", "", "calls that sampling left out"),
    Sampled("tui_monitor_queue_length", "gauge", "", "records that wait to be written"),
    Sampled("tui_monitor_ingest_rate", "gauge", "", "records per second"),
    Sampled("tui_monitor_ingest_lag_seconds", "gauge", "s", "time from a record's arrival to its commit"),
    Sampled("tui_monitor_database_bytes", "gauge", "bytes", "size of the database"),
)  # fmt: skip
"""What the collector writes about providers and about itself."""
KNOWN: dict[str, Sampled] = {sampled.name: sampled for sampled in (*HOST, *GPU, *OWN)}
"""Samples that are known before the first of them is stored."""

_SUFFIXES = (
    ("_milliseconds", "ms"), ("_ms", "ms"), ("_seconds", "s"), ("_bytes", "bytes"), ("_usd", "usd"),
    ("_dollars", "usd"), ("_ratio", "ratio"), ("_utilization", "ratio"), ("_tokens", "tokens"),
)  # fmt: skip


def unit_of_name(name: str) -> str:
    """The unit of a stored metric, as its name tells it by the usual suffixes."""
    if name in KNOWN:
        return KNOWN[name].unit
    stem = name.removesuffix("_total")
    return next((unit for suffix, unit in _SUFFIXES if stem.endswith(suffix)), "")
