"""How much of a plan Codex has used: the limits that come with each answer, as samples."""

from collections.abc import Iterator
from typing import Any

from tui_monitor.model.clock import MINUTE, SECOND, Micros
from tui_monitor.model.feed import Sample
from tui_monitor.sources.agents.values import Table, count, number, table, text

USED = "llm_quota_used_ratio"
RESET = "llm_quota_reset_timestamp_seconds"
_STEP = 0.01
"""A change that is told at once; smaller ones once a minute."""
_BY_TOKEN = frozenset({"api", "api_key", "apikey"})
"""Plans that are none: each token is paid."""


def billing(plan: str | None) -> str | None:
    """The cost status of calls under a plan; `None` where the plan is unknown."""
    if plan is None or plan.lower() == "unknown":
        return None
    return "computed" if plan.lower() in _BY_TOKEN else "subscription"


def plan(limits: Table) -> str | None:
    """The plan that limits belong to."""
    return text(limits.get("plan_type"))


class Limits:
    """Makes samples of one file's limits; `told` is what was told last of each window: (time, ratio)."""

    def __init__(self, told: Any = None) -> None:
        self.told: dict[str, tuple[Micros, float]] = {}
        for window, pair in table(told).items():
            ts, ratio = pair
            self.told[str(window)] = int(ts), float(ratio)

    def samples(self, ts: Micros, limits: Table) -> Iterator[Sample]:
        """What is new at an instant."""
        for name in ("primary", "secondary"):
            limit = table(limits.get(name))
            percent = number(limit.get("used_percent"))
            if percent is None:
                continue
            window = _window(count(limit.get("window_minutes"))) or name
            ratio = min(1.0, max(0.0, percent / 100))
            before = self.told.get(window)
            if before and 0 <= ts - before[0] < MINUTE and abs(ratio - before[1]) < _STEP:
                continue
            self.told[window] = ts, ratio
            labels = {"provider": "openai", "window": window}
            if (named := plan(limits)) is not None:
                labels["plan"] = named
            yield Sample(USED, ts, ratio, labels)
            if (reset := _reset(ts, limit)) is not None:
                yield Sample(RESET, ts, reset, labels)


def _window(minutes: int | None) -> str | None:
    """`5h`, `7d`: some versions are a minute short."""
    if not minutes:
        return None
    for length, unit in ((1440, "d"), (60, "h")):
        whole = round(minutes / length)
        if whole and abs(minutes - whole * length) <= 1:
            return f"{whole}{unit}"
    return f"{minutes}m"


def _reset(ts: Micros, limit: Table) -> float | None:
    """When the window starts anew, seconds since the epoch."""
    at = number(limit.get("resets_at"))
    if at is None and (after := number(limit.get("resets_in_seconds"))) is not None:
        at = ts / SECOND + after
    return at if at is not None and 0 < at < 1e11 else None
