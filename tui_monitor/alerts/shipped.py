"""The rules that come with the program. A rule of one's own with the same name replaces one of them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from tui_monitor.config.settings import Alerts, BudgetSettings, Collector, RuleSettings
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.timerange import format_duration
from tui_monitor.model.units import usd

_SPEND = {"day": "daily_spend", "week": "weekly_spend", "month": "monthly_spend"}
_IN_PERIOD = {"day": "today", "week": "this week", "month": "this month"}
_LEVELS = ((0.5, 0.8, "info"), (0.8, 0.95, "warning"), (0.95, 1.0, "warning"), (1.0, None, "critical"))
"""From this share of a budget up to that one; ranges, so that a budget has one alert at a time."""

_AWAKE = 5 * MINUTE
"""A collector that did not sample for this long was asleep, and knows of no silence."""


class RuleContext(Protocol):
    """What the shipped rules need of the settings."""

    @property
    def alerts(self) -> Alerts:
        """Whether they are wanted at all."""
        ...

    @property
    def collector(self) -> Collector:
        """How often it samples, and how much may wait."""
        ...

    def all_budgets(self) -> Sequence[BudgetSettings]:
        """Every budget, the daily one too."""
        ...


def shipped_rules(settings: RuleContext) -> list[RuleSettings]:
    """The shipped rules as these settings make them, those for each budget too; none where they are off."""
    if not settings.alerts.shipped:
        return []
    return [
        *_of_providers(),
        *_of_spend(),
        *(rule for budget in settings.all_budgets() for rule in _of_budget(budget)),
        *_of_sources(settings.collector),
        *_of_this_host(),
        *_of_the_collector(settings.collector),
    ]


def _of_providers() -> Iterator[RuleSettings]:
    state = "tui_monitor_provider_state [2m] last by(provider)"
    yield _rule(
        "provider unavailable", f"{state} == 2", "critical",
        "{{ $labels.provider }} is unavailable: {{ $reason }}",
    )  # fmt: skip
    yield _rule(
        "provider degraded", f"{state} == 1", "warning",
        "{{ $labels.provider }} is degraded: {{ $reason }}", wait="5m",
    )  # fmt: skip
    yield _rule(
        "error rate", "error_rate [5m] by(provider) > 5% and requests [5m] sum by(provider) >= 10", "warning",
        "{{ $value }} of the calls to {{ $labels.provider }} fail: {{ $reason }}", wait="5m",
    )  # fmt: skip
    yield _rule(
        "latency",
        "latency [5m] p95 by(provider) > 2 * baseline and latency [5m] count by(provider) >= 10", "warning",
        # Of a provider the reason is about another moment, and may be about another figure.
        "{{ $labels.provider }} is slow, p95 {{ $value }}: {{ $comparison }}", wait="5m",
    )  # fmt: skip
    yield _rule(
        "quota", "llm_quota_used_ratio [1h] last by(provider, window) > 90%", "warning",
        "{{ $value }} of {{ $labels.provider }}'s quota per {{ $labels.window }} is used",
    )  # fmt: skip


def _of_spend() -> Iterator[RuleSettings]:
    yield _rule(
        "spend spike", "cost [1h] sum > 2 * baseline and cost [1h] sum >= $1", "warning",
        "{{ $value }} spent in the last hour: {{ $reason }}",
    )  # fmt: skip
    yield _rule(
        "calls unpriced", "unpriced [1h] sum by(provider, model) > 0", "warning",
        "no price for calls of {{ $labels.provider }}, model {{ $labels.model }}: "
        "{{ $value }} in the last hour, which no budget counts",
    )  # fmt: skip


def _of_budget(budget: BudgetSettings) -> Iterator[RuleSettings]:
    spend, when, amount = _SPEND[budget.period], _IN_PERIOD[budget.period], usd(budget.amount_usd)
    for least, below, severity in _LEVELS:
        share = f"{least * 100:.0f} %"
        spent = f"{{{{ $value }}}} of {amount} spent {when}"
        told = f"{spent}, {share} of the budget {budget.name} is {{{{ $threshold }}}}"
        above = f"{spend} >= budget * {least:g}" if least < 1 else f"{spend} >= budget"
        yield _rule(
            f"budget {budget.name} {share}",
            above if below is None else f"{above} and {spend} < budget{_times(below)}",
            severity,
            told if least < 1 else f"the budget {budget.name} is used up: {spent}",
            budget=budget.name,
            labels={"budget": budget.name},
        )


def _times(share: float) -> str:
    return f" * {share:g}" if share != 1 else ""


def _of_sources(collector: Collector) -> Iterator[RuleSettings]:
    yield _rule(
        "source failed", "tui_monitor_source_up [5m] avg by(source) < 50%", "warning",
        "{{ $labels.source }} fails and is started again and again; see `tui-monitor sources`", wait="5m",
    )  # fmt: skip
    calls = 'requests{app!=""}'
    window = max(_AWAKE, 3 * collector.interval)
    samples = max(1, int(0.8 * window / collector.interval))
    awake = f"tui_monitor_queue_length [{format_duration(window)}] count >= {samples}"
    yield _rule(
        "app silent",
        # Usual at this hour and on this day of the week, while we were awake, and pushed, not imported.
        f"{calls} [5m] sum by(app) == 0 and baseline >= 2 and {awake}"
        f" and {calls} [1h] sum by(app) offset 7d > 0"
        ' and requests{app!="", source="events", batch_id=""} [1d] sum by(app) > 0',
        "warning",
        "{{ $labels.app }} has sent no calls for an hour; {{ $reason }} in 5 minutes",
        wait="1h",
    )


def _of_this_host() -> Iterator[RuleSettings]:
    yield _rule(
        "disk", "system_filesystem_utilization [5m] last by(mountpoint) > 90%", "warning",
        "the disk at {{ $labels.mountpoint }} is {{ $value }} full", wait="5m",
    )  # fmt: skip
    yield _rule(
        "memory", "system_memory_utilization [5m] avg > 95%", "warning",
        "the memory of this host is {{ $value }} full", wait="10m",
    )  # fmt: skip
    yield _rule(
        "cpu", "system_cpu_utilization [5m] avg > 95%", "warning",
        "the processors of this host are {{ $value }} busy", wait="15m",
    )  # fmt: skip


def _of_the_collector(collector: Collector) -> Iterator[RuleSettings]:
    yield _rule(
        "records rejected", 'tui_monitor_records_total{result="rejected"} [5m] sum >= 10', "warning",
        "{{ $value }} records were rejected in 5 minutes; see `tui-monitor sources`", wait="5m",
    )  # fmt: skip
    full = round(0.8 * collector.queue_size)
    yield _rule(
        "write queue", f"tui_monitor_queue_length [5m] min >= {full}", "critical",
        "{{ $value }} records wait to be written: the disk is too slow, and pushers are being turned away",
    )  # fmt: skip
    yield _rule(
        "slow writes", "tui_monitor_ingest_lag_seconds [5m] min > 10s", "warning",
        "records take {{ $value }} to be stored; what is shown is that old", wait="5m",
    )  # fmt: skip
    yield _rule(
        "failed writes", 'tui_monitor_source_errors_total{source="collector"} [5m] sum >= 3', "critical",
        "{{ $value }} times in 5 minutes nothing could be stored; see `tui-monitor status`",
    )  # fmt: skip


def _rule(
    name: str, expr: str, severity: str, summary: str, *, wait: str | None = None, budget: str | None = None,
    labels: dict[str, str] | None = None,
) -> RuleSettings:  # fmt: skip
    return RuleSettings.model_validate(
        {
            "name": name, "expr": expr, "severity": severity, "summary": summary, "for": wait,
            "budget": budget, "labels": labels or {},
        }
    )  # fmt: skip
