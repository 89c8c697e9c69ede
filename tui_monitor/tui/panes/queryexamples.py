"""What the Query pane offers while nothing was asked."""

from tui_monitor.tui.panes.charts import LATENCY_BUCKETS

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("latency{} [1h] p95 by(model)", "95 of 100 calls were at most so slow, by model"),
    ('latency{provider="openai"} [1h] avg', "mean latency of one provider; claude, gemini … are understood"),
    ("cost{} [today] sum by(project)", "what each project has cost since midnight"),
    ("error_rate{} [15m] by(provider)", "share of calls that failed"),
    ("requests{status=\"error\"} [24h] sum by(error_category)", "why calls failed"),
    ("cache_hit_rate{} [7d] by(model)", "share of input tokens from the provider's cache"),
    ("provider=claude AND latency>1000", "single calls, the newest first"),
    ("where cost>$0.05 OR status=error", "single calls that cost much or failed"),
    ("rate(llm_tokens_output_total[5m])", "tokens per second, as Prometheus would ask"),
    (LATENCY_BUCKETS, "how many calls took how long, as a heat map"),
    ("system_cpu_utilization", "this host"),
)  # fmt: skip
