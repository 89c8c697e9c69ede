"""One look at everything, and how bad it is."""

from collections.abc import Iterable

from tui_monitor.costs.views import BudgetStatus, CostsView
from tui_monitor.health.limits import rate_limits
from tui_monitor.health.views import CollectorStatus, ProvidersView, StatusView
from tui_monitor.model.alert import Alert, AlertsView
from tui_monitor.model.clock import Micros
from tui_monitor.model.states import AlertState, Health, Severity
from tui_monitor.query.engine import Engine
from tui_monitor.store.api import Reader

HEALTHY, WARNING, CRITICAL, UNKNOWN = range(4)
"""What `status` exits with."""
BUDGET_WARNING = 0.8
"""Share of a budget from which it is worth a warning; the whole of it is critical."""

_HEALTH = (Health.HEALTHY, Health.DEGRADED, Health.UNAVAILABLE, Health.UNKNOWN)
_PROVIDER = {Health.HEALTHY: HEALTHY, Health.DEGRADED: WARNING, Health.UNAVAILABLE: CRITICAL}
_ALERT = {Severity.WARNING: WARNING, Severity.CRITICAL: CRITICAL}


def health_level(providers: ProvidersView, alerts: AlertsView) -> int:
    """The worst of providers and alerts as an exit code; 3 when there is nothing to judge.

    An acknowledged alert counts as much as one that nobody took: the trouble is still there. Pending
    alerts and those of severity info count for nothing.
    """
    return level_of((row.state for row in providers.rows), alerts.alerts)


def level_of(providers: Iterable[Health], alerts: Iterable[Alert]) -> int:
    """The worst of the states of providers and of alerts, as `health_level`."""
    levels = [_PROVIDER[state] for state in providers if state in _PROVIDER]
    firing = (a for a in alerts if a.state in (AlertState.FIRING, AlertState.ACKNOWLEDGED))
    levels.extend(_ALERT[alert.severity] for alert in firing if alert.severity in _ALERT)
    return max(levels, default=UNKNOWN)


def severity(level: int, budgets: tuple[BudgetStatus, ...]) -> int:
    """The exit code: `health_level` made worse by a budget that is nearly or wholly spent.

    A budget within its bounds says nothing about the providers, so it makes nothing healthy.
    """
    used = max((budget.used or 0.0 for budget in budgets), default=0.0)
    money = CRITICAL if used >= 1 else WARNING if used >= BUDGET_WARNING else HEALTHY
    return max(money, level) if level != UNKNOWN else money or UNKNOWN


def status_view(
    engine: Engine,
    reader: Reader,
    now: Micros,
    *,
    providers: ProvidersView,
    costs: CostsView,
    alerts: AlertsView,
    collector: CollectorStatus,
    own: Engine | None = None,
) -> StatusView:
    """The views of now put together; `own` answers what only this collector knows.

    Blocks on the store; raises `QueryError` or `StoreError`.
    """
    level = health_level(providers, alerts)
    return StatusView(
        at=now,
        health=_HEALTH[level],
        # Who loses what is sent must hear of it, however well the providers are.
        severity=CRITICAL if collector.trouble else severity(level, costs.budgets),
        providers=providers,
        costs=costs,
        alerts=alerts,
        collector=collector,
        cache_hit_rate=engine.instant("cache_hit_rate{} [1h]", now).scalar,
        response_cache_hit_rate=(own or engine).instant("response_cache_hit_rate{} [1h]", now).scalar,
        rate_limits=rate_limits(reader, now),
        newest=reader.extent().last,
    )
