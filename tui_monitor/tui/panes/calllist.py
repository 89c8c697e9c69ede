"""Single calls as rows of a list, and one of them with all that is known: pure functions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY
from tui_monitor.model.units import UNKNOWN, count, exact_usd, milliseconds, money, significant
from tui_monitor.query.filters.fields import text_of, texts_of
from tui_monitor.query.filters.parser import parse
from tui_monitor.tui.drawing import Glyphs, width_of, wrap
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow

if TYPE_CHECKING:
    from tui_monitor.query.result import CallList

_STATUS = {"success": "ok", "error": "crit", "cancelled": "warn"}
_NAME = 20
_SECOND = 1000.0
"""From so many ms on a length is also told as the list tells it."""
_SHOWN = frozenset(("provider", "model", "status", "error_category"))
_USUAL = ("user", "project", "session")
_WIDER = ("operation", "app", "agent", "team", "environment", "finish_reason")
"""Who called and what for, where there is room."""
_DEFAULT = {"operation": "chat"}
"""What says nothing where all calls have it."""


def call_columns(found: "CallList", width: int) -> tuple[Column, ...]:
    """The list's columns; besides the usual ones those that the filter names. Empty ones are left out."""
    wide, narrow = width >= 150, width < 110
    long = found.span.length > DAY
    calls = found.calls
    waited = any(call.ttft_ms is not None for call in calls)
    ttft = (Column("ttft", "ttft", width=8, align="right", rank=9),) if waited or not calls else ()
    cached = any(call.cache_read for call in calls)
    named = max((width_of(call.provider or "") for call in calls), default=0)
    return (
        Column("time", "time", width=15 if long else 8),
        Column("provider", "provider", width=12 if wide else 9 if narrow else min(12, max(9, named))),
        Column("model", "model", min=16 if narrow else 24, max=34),
        Column("status", "status", width=12 if narrow else 16),
        Column("latency", "latency", width=8, align="right"),
        *ttft,
        Column("in", "in", width=7, align="right", rank=3),
        *((Column("cached", "cached", width=7, align="right", rank=30),) if cached else ()),
        Column("out", "out", width=7, align="right", rank=4),
        *((Column("speed", "tokens/s", width=8, align="right", rank=29),) if any(map(_rate, calls)) else ()),
        Column("cost", "cost", width=9, align="right"),
        *(
            Column(f"text.{label}", label, min=8, max=24, rank=5 + index)
            for index, label in enumerate(_asked(found))
        ),
    )


def call_rows(found: "CallList", look: Look, glyphs: Glyphs) -> list[GridRow]:
    """One row for each call."""
    asked, long = _asked(found), found.span.length > DAY
    return [GridRow(key_of(call), _cells(call, asked, long, look, glyphs)) for call in found.calls]


def key_of(call: Call) -> str:
    """What tells a call from all others."""
    return f"{call.source}\n{call.source_key}"


def _asked(found: "CallList") -> list[str]:
    told = [name for name in (*_USUAL, *_WIDER) if _tells(found.calls, name)]
    names = dict.fromkeys([*texts_of(parse(found.query)), *told])
    return [label for label in names if label not in _SHOWN]


def _tells(calls: "Sequence[Call]", name: str) -> bool:
    """Whether a label says something of one of the calls."""
    return any(text not in ("", _DEFAULT.get(name)) for text in (text_of(call, name) for call in calls))


def _rate(call: Call) -> float | None:
    """Tokens that came out per second of the call."""
    return call.out_total / call.latency_ms * 1000 if call.out_total and call.latency_ms else None


def _cells(call: Call, asked: Sequence[str], long: bool, look: Look, glyphs: Glyphs) -> Mapping[str, Cell]:
    wall = look.calendar.local(call.booked)
    token = _STATUS.get(call.status, "dim")
    rate = _rate(call)
    status = call.error_category or call.status if call.status == "error" else call.status
    return {
        "time": Cell(f"{wall:%d %b %H:%M:%S}"[:15] if long else f"{wall:%H:%M:%S}", "dim", sort=call.booked),
        "provider": _text(call.provider),
        "model": _text(call.model, "bright"),
        "status": Cell(status, token, glyph=glyphs.state(token), sort=status),
        "latency": Cell(milliseconds(call.latency_ms), "bright", sort=call.latency_ms),
        "ttft": Cell(milliseconds(call.ttft_ms), sort=call.ttft_ms),
        "in": Cell(count(call.total_in), sort=call.total_in),
        "cached": Cell(count(call.cache_read), sort=call.cache_read),
        "out": Cell(count(call.out_total), sort=call.out_total),
        "speed": Cell(UNKNOWN if rate is None else significant(rate), sort=rate),
        "cost": Cell(money(call.cost), "bright", sort=call.cost),
        **{f"text.{label}": _text(text_of(call, label), "dim") for label in asked},
    }


def _text(text: str | None, style: str = "") -> Cell:
    return Cell(text or UNKNOWN, style if text else "dim", sort=text or "")


# One call.

FACT_COLUMNS = (Column("name", "", width=_NAME), Column("value", "", min=20, max=400))


def fact_rows(call: Call, look: Look, width: int, glyphs: Glyphs) -> list[GridRow]:
    """All that is known of a call, below headings; what is unknown is left out."""
    rows: list[GridRow] = []
    for title, facts in _facts(call, look):
        known = [(name, text) for name, text in facts if text]
        if not known:
            continue
        rows.append(GridRow(f"heading {title}", heading=title))
        for name, text in known:
            for index, line in enumerate(wrap(text, max(20, width - _NAME - 6), glyphs)):
                shown = Cell("" if index else name, "dim")
                value = Cell(line, "bright" if title in ("CALL", "PRICE") else "")
                rows.append(GridRow(f"{title} {name} {index}", {"name": shown, "value": value}))
    return rows


def _facts(call: Call, look: Look) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        ("CALL", _what(call, look)),
        ("TOKENS", _tokens(call)),
        ("PRICE", _price(call)),
        ("WHO", [(name, text_of(call, name)) for name in _WHO]),
        ("IDENTITY", _identity(call)),
        ("ATTRIBUTES", [(name, text_of(call, name)) for name in sorted(call.attrs)]),
    ]


_WHO = (
    "user",
    "project",
    "team",
    "key",
    "agent",
    "session",
    "app",
    "host",
    "environment",
    "region",
    "api_base",
)


def _what(call: Call, look: Look) -> list[tuple[str, str]]:
    model = call.model or ""
    if call.model_requested and call.model_requested != call.model_served:
        model += f", asked for as {call.model_requested}"
    status = " ".join(part for part in (call.status, call.error_category, call.error_code) if part)
    return [
        ("ended", _moment(call.ts_end, look)),
        ("began", _moment(call.ts_start, look)),
        ("provider", call.provider or UNKNOWN),
        ("model", (model or UNKNOWN) + (" (guessed)" if call.model_guessed else "")),
        ("operation", call.operation),
        ("status", status),
        ("HTTP status", _plain(call.http_status)),
        ("finish reason", call.finish_reason or ""),
        ("latency", _exact_ms(call.latency_ms)),
        ("time to first token", _exact_ms(call.ttft_ms)),
        ("queue wait", _exact_ms(call.queue_wait_ms)),
        ("speed", _speed(call)),
        ("attempts", _plain(call.attempts)),
        ("streamed", _yes(call.stream)),
        ("batch", _yes(call.batch)),
        ("service tier", call.service_tier or ""),
    ]


def _tokens(call: Call) -> list[tuple[str, str]]:
    return [
        ("input", _plain(call.total_in)),
        ("not cached", _plain(call.in_uncached)),
        ("read from cache", _plain(call.cache_read)),
        ("written, 5 min", _plain(call.cache_write_5m)),
        ("written, 1 h", _plain(call.cache_write_1h)),
        ("output", _plain(call.out_total)),
        ("reasoning", _plain(call.reasoning)),
    ]


def _price(call: Call) -> list[tuple[str, str]]:
    source = " ".join(part for part in (call.price_source, call.price_version) if part)
    return [
        ("cost", exact_usd(call.cost) if call.cost is not None else f"{UNKNOWN}, {call.cost_status}"),
        ("how it is known", call.cost_status + (", tier estimated" if call.tier_estimated else "")),
        ("list price", _usd(call.list_cost)),
        ("reported", _usd(call.cost_reported)),
        ("computed", _usd(call.cost_computed)),
        ("price from", source),
    ]


def _identity(call: Call) -> list[tuple[str, str]]:
    return [
        ("source", call.source),
        ("id", call.source_key),
        ("other ids", ", ".join(call.call_keys)),
        ("trace", call.trace_id or ""),
        ("span", call.span_id or ""),
        ("parent span", call.parent_span_id or ""),
        ("import", call.batch_id or ""),
    ]


def _moment(instant: int | None, look: Look) -> str:
    return "" if instant is None else f"{look.calendar.local(instant):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def _plain(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _exact_ms(value: float | None) -> str:
    if value is None:
        return ""
    exact = f"{value:,.3f}".rstrip("0").rstrip(".") + " ms"
    return exact if value < _SECOND else f"{milliseconds(value)}  ({exact})"


def _usd(nano: int | None) -> str:
    return "" if nano is None else exact_usd(nano)


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _speed(call: Call) -> str:
    rate = _rate(call)
    return "" if rate is None else f"{significant(rate)} tokens/s"
