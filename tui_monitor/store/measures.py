"""What is counted of a call: the integers behind every sum."""

import math

from tui_monitor.model.call import Call
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Measure

SUMMED: tuple[Measure, ...] = MEASURES[1:8] + MEASURES[9:]
"""Measures that may be unknown; `calls` and `unpriced` are known of every call."""
CELL_COLUMNS: tuple[str, ...] = (
    "key", "born", "touched", "calls", "unpriced",
    *(column for name in SUMMED for column in (name, f"{name}_n")),
    *(f"{name}_{what}" for name in HISTOGRAMS for what in ("low", "high", "hist")),
)  # fmt: skip
"""Columns of a roll-up cell, in every layer alike."""


def micros(milliseconds: float | None) -> int | None:
    """Milliseconds as whole µs; what is no number is unknown."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return None
    return round(milliseconds * 1000)


def cache_write(call: Call) -> int | None:
    """Tokens written to the cache, however long they stay there; unknown only if both are."""
    if call.cache_write_5m is None and call.cache_write_1h is None:
        return None
    return (call.cache_write_5m or 0) + (call.cache_write_1h or 0)


def measured(call: Call) -> tuple[int | None, ...]:
    """One call's values in the order of `MEASURES`."""
    unpriced = call.cost_status == "unpriced"
    return (
        1, call.total_in, call.cache_read, cache_write(call), call.out_total, call.reasoning,
        call.cost, call.list_cost, int(unpriced), call.total_tokens if unpriced else 0,
        micros(call.latency_ms), micros(call.ttft_ms), micros(call.queue_wait_ms),
    )  # fmt: skip


INPUT: tuple[str, ...] = ("in_uncached", "cache_read", "cache_write_5m", "cache_write_1h")


def _sum_of_known(columns: tuple[str, ...]) -> str:
    unknown = " AND ".join(f"{c} IS NULL" for c in columns)
    return f"CASE WHEN {unknown} THEN NULL ELSE {' + '.join(f'ifnull({c}, 0)' for c in columns)} END"


def raw_expression(measure: Measure, unpriced: int) -> str:
    """The same value as SQL over the row table; `unpriced` is the number of that cost status."""
    match measure:
        case "calls":
            return "1"
        case "input":
            return _sum_of_known(INPUT)
        case "cache_write":
            return _sum_of_known(INPUT[2:])
        case "output":
            return "out_total"
        case "unpriced":
            return f"cost_status_t = {unpriced:d}"
        case "unpriced_tokens":
            tokens = _sum_of_known((*INPUT, "out_total"))
            return f"CASE WHEN cost_status_t = {unpriced:d} THEN {tokens} ELSE 0 END"
        case _:
            return measure
