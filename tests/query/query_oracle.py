"""What a query over calls must answer, worked out one call at a time in plain Python."""

import math
import random
from collections.abc import Callable, Iterable, Sequence

from tui_monitor.model.call import OUR_ERRORS, PROVIDER_ERRORS, Call
from tui_monitor.model.clock import SECOND

Group = tuple[str, ...]

PROVIDERS = ["openai", "anthropic", "google", None]
MODELS = ["gpt-4o", "sonnet", "flash"]
CATEGORIES = ["server", "timeout", "auth", "rate_limit", "context_length", None]


def random_calls(seed: int, count: int, first: int, last: int) -> list[Call]:
    """Calls booked in `(first, last]`, many of them on the borders of minutes, hours and days."""
    draw = random.Random(seed)
    calls = []
    for number in range(count):
        ts = draw.randint(first + 1, last)
        if draw.random() < 0.3:
            unit = draw.choice([60, 3600, 86_400]) * SECOND
            ts = min(last, max(first + 1, ts // unit * unit + draw.choice([-1, 0, 1])))
        status = draw.choice(["success", "success", "success", "error", "cancelled", "unknown"])
        priced = draw.random() < 0.8
        calls.append(
            Call(
                source="test",
                source_key=str(number),
                ts_end=ts,
                provider=draw.choice(PROVIDERS),
                model_served=draw.choice(MODELS),
                status=status,
                error_category=draw.choice(CATEGORIES) if status == "error" else None,
                in_uncached=draw.choice([None, draw.randint(0, 100_000)]),
                cache_read=draw.choice([None, draw.randint(0, 5_000)]),
                out_total=draw.choice([None, draw.randint(0, 8_000)]),
                cost=draw.randint(0, 5 * 10**9) if priced else None,
                list_cost=draw.randint(0, 5 * 10**9) if priced else None,
                cost_status="computed" if priced else "unpriced",
                latency_ms=draw.choice([None, draw.lognormvariate(6, 1.5)]),
                ttft_ms=draw.choice([None, draw.lognormvariate(4, 1)]),
                user=draw.choice(["ana", "ben", None]),
                project=draw.choice(["search", "chat"]),
                attrs={"folder": draw.choice(["a", "b"])} if draw.random() < 0.7 else {},
            )
        )
    return calls


def label(call: Call, name: str) -> str:
    """A call's label; unknown is empty."""
    value = call.attrs.get(name) if name == "folder" else getattr(call, name)
    return value or ""


def _of(value: Callable[[Call], float | None]) -> Callable[[Iterable[Call]], list[float]]:
    return lambda calls: [v for v in map(value, calls) if v is not None]


def _micros(value: float | None) -> float | None:
    """Latencies are stored as whole microseconds."""
    return None if value is None else round(value * 1000) / 1000


AMOUNTS: dict[str, Callable[[Iterable[Call]], list[float]]] = {
    "tokens": _of(lambda c: c.total_tokens),
    "input_tokens": _of(lambda c: c.total_in),
    "output_tokens": _of(lambda c: c.out_total),
    "cost": _of(lambda c: c.cost),
    "list_cost": _of(lambda c: c.list_cost),
    "latency": _of(lambda c: _micros(c.latency_ms)),
    "ttft": _of(lambda c: _micros(c.ttft_ms)),
}
DIVISORS = {"cost": 10**9, "list_cost": 10**9}


def _is_error(call: Call) -> bool:
    return call.status == "error"


def _judged(call: Call) -> bool:
    return call.status in ("success", "error")


COUNTS: dict[str, Callable[[Call], int]] = {
    "requests": lambda call: True,
    "errors": _is_error,
    "unpriced": lambda call: call.cost_status == "unpriced",
    "unpriced_tokens": lambda call: (call.total_tokens or 0) if call.cost_status == "unpriced" else 0,
}
SHARES: dict[str, tuple[Callable[[Call], bool], Callable[[Call], bool]]] = {
    "error_rate": (_is_error, _judged),
    "success_rate": (lambda call: call.status == "success", _judged),
    "provider_error_rate": (
        lambda call: _is_error(call) and call.error_category in PROVIDER_ERRORS,
        lambda call: _judged(call) and call.error_category not in OUR_ERRORS,
    ),
}


def nearest_rank(q: float, values: Sequence[float]) -> float:
    """The sample of rank ⌈q·n⌉."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(q * len(ordered) - 1e-9)) - 1]


def value_of(metric: str, how: str, calls: list[Call], seconds: float) -> float | None:
    """One group's value over one window; `None` is no data."""
    if not calls:
        return None
    if metric in COUNTS:
        count = sum(map(COUNTS[metric], calls))
        return count / seconds if how == "rate" else count
    if metric in SHARES:
        above, below = SHARES[metric]
        judged = sum(map(below, calls))
        return sum(map(above, calls)) / judged if judged else None
    if metric == "cache_hit_rate":
        read = [c.cache_read for c in calls if c.cache_read is not None]
        every = sum(AMOUNTS["input_tokens"](calls))
        return sum(read) / every if read and every else None
    return _amount(metric, how, AMOUNTS[metric](calls), seconds)


def _amount(metric: str, how: str, values: list[float], seconds: float) -> float | None:
    if how == "count":
        return len(values)
    if not values:
        return None
    divisor = DIVISORS.get(metric, 1)
    match how:
        case "sum":
            return sum(values) / divisor
        case "avg":
            return sum(values) / len(values) / divisor
        case "min":
            return min(values) / divisor
        case "max":
            return max(values) / divisor
        case "rate":
            return sum(values) / divisor / seconds
    return nearest_rank(float(how[1:]) / 100, values) / divisor


def answer(
    calls: list[Call], metric: str, how: str, by: Sequence[str], start: int, end: int
) -> dict[Group, float | None]:
    """Value by group over `(start, end]`."""
    groups: dict[Group, list[Call]] = {}
    for call in calls:
        if start < call.booked <= end:
            groups.setdefault(tuple(label(call, name) for name in by), []).append(call)
    seconds = (end - start) / SECOND
    return {group: value_of(metric, how, members, seconds) for group, members in groups.items()}
