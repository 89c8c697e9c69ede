"""What stands beside a provider's calls: whether it can be reached, its page's word, what is left to use."""

from typing import TYPE_CHECKING

from tui_monitor.model.clock import Micros
from tui_monitor.model.text import clean
from tui_monitor.model.units import UNKNOWN, count, milliseconds
from tui_monitor.tui.drawing import Span
from tui_monitor.tui.widgets.columns import Cell, Column
from tui_monitor.tui.words import ago

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_monitor.health.views import Headroom, PageLook, ProbeLook, ProviderRow

SCARCE = 0.1
"""Share of a limit below which it is told in colour."""
_SHORT = {
    "operational": "ok", "partial outage": "partial", "major outage": "outage", "maintenance": "maint.",
}  # fmt: skip
_PAGE_TOKENS = {0: "", 1: "warn", 2: "warn", 3: "crit", -1: "dim"}


def columns(rows: "Sequence[ProviderRow]") -> list[Column]:
    """The columns that have something to say: where nothing is asked there are none."""
    shown = []
    if any(row.probe for row in rows):
        shown.append(Column("probe", "reach", width=9, align="right", rank=3))
    if any(row.page for row in rows):
        shown.append(Column("page", "page", width=8, rank=4))
    if any(row.headroom for row in rows):
        shown.append(Column("limit", "left", width=7, align="right", rank=9))
    return shown


def cells(row: "ProviderRow") -> dict[str, Cell]:
    """The cells of one provider."""
    return {"probe": _probe(row), "page": _page(row.page), "limit": _limit(row.headroom)}


def details(row: "ProviderRow", now: Micros) -> list[list[Span]]:
    """All of it in words, in parts that may stand on lines of their own."""
    parts: list[list[Span]] = []
    if row.probe is not None:
        parts.append(_probe_words(row.probe, now, told=row.flag == "probe"))
    if row.page is not None:
        parts.append(_page_words(row.page))
    if row.headroom is not None:
        parts.append(_limit_words(row.headroom))
    return parts


def _probe(row: "ProviderRow") -> Cell:
    probe = row.probe
    if probe is None:
        return Cell(UNKNOWN, "dim")
    if not probe.reachable:
        return Cell("failed", "crit bold" if row.flag == "probe" else "warn", sort=float("inf"))
    return Cell(milliseconds(probe.ms) if probe.ms is not None else "yes", sort=probe.ms)


def _page(page: "PageLook | None") -> Cell:
    if page is None:
        return Cell(UNKNOWN, "dim")
    drift = "*" if page.drift else ""
    return Cell(_SHORT.get(page.word, page.word) + drift, _PAGE_TOKENS.get(page.level, ""), sort=page.level)


def _limit(room: "Headroom | None") -> Cell:
    if room is None:
        return Cell(UNKNOWN, "dim")
    return Cell(_percent(room), "warn" if room.share < SCARCE else "", sort=room.share)


def _probe_words(probe: "ProbeLook", now: Micros, *, told: bool) -> list[Span]:
    """The last probe; why it failed is left out where the reason of the state has `told` it."""
    where = clean(probe.targets[0], 40) if len(probe.targets) == 1 else f"{len(probe.targets)} addresses"
    when = f", {where}, probed {ago(probe.at, now)}" if probe.at is not None else f", {where}"
    if not probe.reachable:
        times = f" {probe.failures} times in a row" if probe.failures > 1 else ""
        why = f": {probe.why}" if probe.why and not told else ""
        return [("reachability ", "dim"), (f"failed{times}{why}", "warn"), (when, "dim")]
    took = "answered" if probe.ms is None else milliseconds(probe.ms)
    return [("reachability ", "dim"), (took, ""), (when, "dim")]


def _page_words(page: "PageLook") -> list[Span]:
    spans: list[Span] = [("status page ", "dim"), (page.word, _PAGE_TOKENS.get(page.level, ""))]
    if page.title:
        spans.append((f' "{clean(page.title, 120)}"', ""))
    if page.drift:
        spans.append((" for all of it (component drift)", "dim"))
    if page.url:
        spans.append((f" {clean(page.url, 120)}", "dim"))
    return spans


def _limit_words(room: "Headroom") -> list[Span]:
    exact = f" ({count(room.remaining)} of {count(room.limit)})" if room.limit is not None else ""
    token = "warn" if room.share < SCARCE else ""
    return [("limit ", "dim"), (f"{_percent(room)} of {clean(room.kind, 40)} left{exact}", token)]


def _percent(room: "Headroom") -> str:
    """Whole percent, never rounded up to all or down to nothing."""
    percent = room.share * 100
    if 0 < percent < 1:
        return "<1 %"
    return f"{min(percent, 99) if percent < 100 else 100:.0f} %"
