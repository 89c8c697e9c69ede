"""The Overview's providers and spends as rows and lines. Pure functions from the views."""

from typing import TYPE_CHECKING

from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.states import Health
from tui_monitor.model.units import UNKNOWN, count, milliseconds, ratio, share_of_change, usd
from tui_monitor.monitor.before import Before
from tui_monitor.tui.drawing import Glyphs, Span, about_spans, curve, size_of
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.earlier import safer, slower, total_words
from tui_monitor.tui.panes.money import between, change_span
from tui_monitor.tui.widgets.grid import Cell, Column, GridRow
from tui_monitor.tui.widgets.lines import Line
from tui_monitor.tui.words import length_words, short_age, spend_before

if TYPE_CHECKING:
    from tui_monitor.costs.views import CostsView, Spend
    from tui_monitor.health.views import ProviderRow, ProvidersView

TOKENS = {Health.HEALTHY: "ok", Health.DEGRADED: "warn", Health.UNAVAILABLE: "crit", Health.UNKNOWN: "dim"}
NARROW, WIDE, WIDEST = 100, 150, 190
SPARK, WIDE_SPARK, WIDEST_SPARK = 12, 24, 60


def columns(width: int) -> tuple[Column, ...]:
    """The list's columns for a screen of so many cells; the highest rank goes first."""
    return (
        Column("provider", "provider", min=12, max=28),
        Column("state", "state", width=13),
        Column("p50", "p50  ", width=9, align="right", rank=6),
        Column("p95", "p95  ", width=9, align="right"),
        Column("success", "success  ", width=9, align="right", rank=1),
        Column("rate", "req/min", width=7, align="right", rank=3),
        Column("today", "today", width=9, align="right", rank=2),
        Column("change", "change", width=7, align="right", rank=5),
        Column("last", "last", width=6, align="right", rank=7),
        Column("spark", "requests", width=sparks_of(width), rank=4),
    )


def sparks_of(width: int) -> int:
    """Cells of a sparkline on a screen of so many cells."""
    return WIDEST_SPARK if width >= WIDEST else WIDE_SPARK if width >= WIDE else SPARK


def provider_rows(
    view: "ProvidersView", before: Before, costs: "CostsView", width: int, glyphs: Glyphs
) -> list[GridRow]:
    """One row per provider, in the view's order: the worst first."""
    top = max((v for row in view.rows for v in row.spark if v is not None), default=None)
    minutes = view.span.length / MINUTE
    yesterday = {row.name: row.previous for row in costs.rows}
    cells, at = sparks_of(width), view.at
    return [
        _row(row, before, yesterday.get(row.provider or UNKNOWN), minutes, top, cells, at, glyphs)
        for row in view.rows
    ]


def _row(
    row: "ProviderRow",
    before: Before,
    yesterday: float | None,
    minutes: float,
    top: float | None,
    cells: int,
    at: Micros,
    glyphs: Glyphs,
) -> GridRow:
    name, token = row.provider or UNKNOWN, TOKENS[row.state]
    rate = None if row.requests is None else row.requests / minutes
    changed, worse = change_span(row.cost_today, yesterday)
    return GridRow(
        name,
        {
            "provider": Cell(name, "bright", sort=name, mark=quiet_mark(row, glyphs)),
            "state": Cell(row.state.value, token, glyph=glyphs.state(token), sort=row.state.value),
            "p50": Cell(
                milliseconds(row.p50_ms), sort=row.p50_ms,
                mark=slower(row.p50_ms, before.p50_ms.get(name), glyphs),
            ),
            "p95": Cell(
                milliseconds(row.p95_ms), f"{token} bold" if row.flag == "p95" else "", sort=row.p95_ms,
                mark=slower(row.p95_ms, before.p95_ms.get(name), glyphs),
            ),
            "success": Cell(
                ratio(row.success_rate), f"{token} bold" if row.flag == "success" else "",
                sort=row.success_rate,
                mark=safer(row.success_rate, before.success_rate.get(name), glyphs),
            ),
            "rate": Cell(count(rate), sort=rate),
            "today": Cell(usd(row.cost_today), sort=row.cost_today),
            "change": Cell(changed, worse, sort=share_of_change(row.cost_today, yesterday)),
            "last": last_cell(row, at),
            "spark": Cell(curve(row.spark, cells, top, glyphs), "accent", sort=row.requests),
        },
    )  # fmt: skip


def quiet_mark(row: "ProviderRow", glyphs: Glyphs) -> Span | None:
    """What stands behind the name of a provider that is not called any more."""
    return None if row.quiet_since is None else (glyphs.stale, "stale")


def last_cell(row: "ProviderRow", now: Micros) -> Cell:
    """How long ago the last call was."""
    text = UNKNOWN if row.last_call is None else short_age(max(0, now - row.last_call))
    return Cell(text, "dim" if row.quiet_since is None else "stale", sort=row.last_call)


def providers_head(view: "ProvidersView", before: Before, look: Look, width: int, glyphs: Glyphs) -> Line:
    """The title with the sum of all requests and its change; on the right what the bars mean."""
    left: list[Span] = [(" PROVIDERS", "accent bold"), *about_spans(view.approximate, glyphs)]
    left += total_words(view, before, look)
    top = max((v for row in view.rows for v in row.spark if v is not None), default=None)
    scale = f"bars: requests per {length_words(view.spark_step)}, to {count(top)}"
    return Line(tuple(left), ((scale, "dim"),) if top and width >= NARROW else ())


def spend_lines(view: "CostsView", width: int, glyphs: Glyphs) -> list[Line]:
    """Today, week and month, each with its change; where the month goes; and what it is compared with."""
    left: list[Span] = [(" SPEND", "accent bold"), *about_spans(view.approximate, glyphs)]
    for spend in view.spends:
        left += _spend(spend, spend_before(spend.period, view.against) if width >= WIDE else "")
    on: list[Span] = []
    if view.projection is not None:
        on = [(f" → {glyphs.about} ", "dim"), (usd(view.projection.amount), "bright")]
        if width >= NARROW:
            on.append((between(view.projection), "dim"))
    than = "the ones" if view.against == "previous" else f"a {view.against}"
    compared: Span = ("each up to the same time" if width >= WIDE else f"against {than} before", "dim")
    if width >= NARROW:
        # Figures before words: what does not fit is left out whole.
        if size_of((*left, *on)) > width:
            on = on[:-1]
        fits = size_of((*left, *on, compared)) < width
        return [Line((*left, *on), (compared,) if fits else ())]
    return [Line(tuple(left)), Line((("         month", "dim"), *on) if on else (), (compared,))]


def _spend(spend: "Spend", named: str) -> list[Span]:
    text, token = change_span(spend.cost, spend.previous)
    spans: list[Span] = [(f"   {spend.period} ", "dim"), (usd(spend.cost), "bright bold")]
    if text != UNKNOWN:
        spans.append((f" {text}", token))
        if named:
            spans.append((f" against {named}", "dim"))
    return spans
