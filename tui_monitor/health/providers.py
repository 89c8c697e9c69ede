"""The Providers pane: one row per provider, each figure from one query over all of them."""

from collections.abc import Mapping

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.freshness import stopped
from tui_monitor.health.judging import Judging
from tui_monitor.health.outside import headrooms
from tui_monitor.health.state import Evidence, judge
from tui_monitor.health.views import ProviderRow, ProvidersView
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, WEEK, Micros
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import Span, TimeRange, format_duration, step_for
from tui_monitor.query.asking import Asking
from tui_monitor.query.engine import Engine
from tui_monitor.store.api import Reader

Spark = tuple[float | None, ...]

_CALLS = "requests{} sum by(provider)"
_COLUMNS: dict[str, tuple[str, str, str]] = {
    # column: metric, range ({span} is the shown one), aggregate
    "p50_ms": ("latency", "{span}", "p50"),
    "p95_ms": ("latency", "{span}", "p95"),
    "p99_ms": ("latency", "{span}", "p99"),
    "success_rate": ("success_rate", "{span}", "avg"),
    "error_rate": ("error_rate", "{span}", "avg"),
    "requests": ("requests", "{span}", "sum"),
    "tokens": ("tokens", "{span}", "sum"),
    "cost_today": ("cost", "today", "sum"),
    "unpriced": ("unpriced", "today", "sum"),
}
_BESIDE: dict[str, tuple[str, str, str]] = {
    "probe": ("probe_duration_seconds", "{span}", "last by(target)"),
    "page": ("provider_status", "{span}", "last by(component)"),
    "headroom": ("llm_ratelimit_remaining", "{span}", "last by(kind)"),
}
"""What is known besides calls: figures of their own, which these queries show in full."""
_REFINED = 4
"""Hours that are looked at by the minute."""
_BADNESS = {Health.UNAVAILABLE: 0, Health.DEGRADED: 1, Health.HEALTHY: 2, Health.UNKNOWN: 3}


def providers_view(
    engine: Engine,
    reader: Reader,
    settings: HealthSettings,
    calendar: Calendar,
    shown: TimeRange,
    points: int,
    now: Micros,
    *,
    believed: Micros | None = None,
) -> ProvidersView:
    """Every provider seen in the shown span or in the seven days before its end, or asked, the worst first.

    States are judged on the `settings.window` that ends where the shown span ends, so that travelling in
    time shows the state of then; "today" is the day of that end. `believed` is how long probes and status
    pages are believed, `settings.probe_age` by default. Blocks on the store; raises `QueryError` or
    `StoreError`.
    """
    span = shown.span(now)
    asking = Asking(engine)
    length = format_duration(span.length)
    texts = [
        f"{metric}{{}} [{window.format(span=length)}] {how} by(provider)"
        for metric, window, how in _COLUMNS.values()
    ]
    answers = asking.together(texts, span.end)
    figures = {column: answer.by("provider") for column, answer in zip(_COLUMNS, answers, strict=True)}
    seen, newest = _last_seen(asking, span), reader.extent().last
    if newest is not None:
        # A minute that is not over ends after its last call.
        seen = {name: min(at, newest) for name, at in seen.items()}
    believed = believed or settings.probe_age
    told, beside = Judging(asking, reader, settings, calendar, believed).at(span.end, now)
    rooms = headrooms(asking, reader, span.end, believed)
    names = set(seen).union(
        figures["requests"], figures["cost_today"], figures["unpriced"], beside.probes, beside.pages
    )
    step = step_for(span.length, points)
    sparks = _sparks(asking, span, step)
    rows = []
    for name in names:
        spark = sparks.get(name, ())
        verdict = told.get(name) or judge(Evidence(), settings)
        values = {column: by_name.get(name) for column, by_name in figures.items()}
        row = ProviderRow(
            name,
            *verdict,
            **values,
            last_call=seen.get(name),
            quiet_since=seen.get(name) if stopped(spark, step) is not None else None,
            spark=spark,
            probe=beside.probe(name),
            page=beside.pages.get(name),
            headroom=rooms.get(name),
        )
        rows.append(row)
    rows.sort(key=lambda row: (_BADNESS[row.state], row.provider))
    return ProvidersView(
        now, span, tuple(rows), spark_step=step, warnings=asking.warnings,
        approximate=asking.approximate, queries=_queries(length),
    )  # fmt: skip


def _sparks(asking: Asking, span: Span, step: Micros) -> Mapping[str, Spark]:
    result = asking.range(_CALLS, span.start, span.end, step)
    return {series.label("provider"): series.values for series in result.series}


def _last_seen(asking: Asking, span: Span) -> dict[str, Micros]:
    """When each provider was last called: to the minute, or to the day where the span is long."""
    start = span.end - max(WEEK, span.length)
    if span.end - start > 2 * WEEK:
        return _newest(asking, start, span.end, DAY)
    # What is over has an answer that is kept, for it rests on no day that changes: only today is read anew.
    edge = span.end // DAY * DAY - HOUR
    seen = _newest(asking, start // DAY * DAY, edge, HOUR) | _newest(asking, edge, span.end, HOUR)
    seen = {name: at for name, at in seen.items() if at > start}
    seen |= _newest(asking, span.end - HOUR, span.end, MINUTE)
    # Those not called in the last hour are few, and what is known of an old hour stays known.
    old = sorted({at for at in seen.values() if at <= span.end - HOUR}, reverse=True)[:_REFINED]
    for end in old:
        finer = _newest(asking, end - HOUR, end, MINUTE)
        seen |= {name: at for name, at in finer.items() if seen.get(name) == end}
    return seen


def _newest(asking: Asking, start: Micros, end: Micros, step: Micros) -> dict[str, Micros]:
    """The end of the newest step with calls of each provider."""
    result = asking.range(_CALLS, start, end, step)
    found: dict[str, Micros] = {}
    for series in result.series:
        hits = [t for t, value in zip(result.times, series.values, strict=True) if value]
        if hits:
            found[series.label("provider")] = min(hits[-1], end)
    return found


def _queries(length: str) -> dict[str, str]:
    """Column → the query behind it; `{provider}` stands for the row's name as a quoted label value."""
    return {
        column: f"{metric}{{provider={{provider}}}} [{window.format(span=length)}] {how}"
        for column, (metric, window, how) in (_COLUMNS | _BESIDE).items()
    }
