"""The tables of the documentation, made from the tables the engine works with.

    python -m tui_monitor.query.reference docs/query.md

writes them into the page, between its markers.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tui_monitor.query.filters.fields import OFFERED, QUANTITIES
from tui_monitor.query.known import GPU, HOST, OWN
from tui_monitor.query.language import AGGREGATES, GIVEN, RANGES
from tui_monitor.query.metrics import METRICS, Metric, Sampled
from tui_monitor.query.promql.ast import AGGREGATIONS, WITH_PARAM
from tui_monitor.query.promql.functions.table import TABLE

_UNITS = {"ms": "ms", "s": "s", "usd": "US dollars", "ratio": "0–1", "requests": "calls"}
_GROUPS: dict[str, tuple[str, ...]] = {
    "Counters and gauges": ("rates",),
    "Over time": ("over_time", "absence"),
    "Histograms": ("quantiles", "histograms"),
    "What is usual": ("usual",),
    "Labels and order": ("labels", "sorting", "info"),
    "Instants and types": ("instants",),
    "Calendar": ("calendar",),
    "Mathematics": ("maths",),
}
"""Titles of the reference, and the modules whose functions stand below."""
_SECTION = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def metrics_of_calls() -> str:
    """Metrics of calls, with their other names."""
    return _metrics(metric for metric in METRICS if metric.source in ("calls", "starts"))


def metrics_of_events() -> str:
    """Metrics of cache lookups, rate limits, scores and progress."""
    return _metrics(metric for metric in METRICS if metric.source not in ("calls", "starts"))


def host_samples() -> str:
    """What the collector samples of its host."""
    return _samples(HOST)


def gpu_samples() -> str:
    """What the collector samples of graphics processors."""
    return _samples(GPU)


def own_samples() -> str:
    """What the collector writes about providers and itself."""
    return _samples(OWN)


def words() -> str:
    """Words of conditions only."""
    return _table(("word", "is"), ((f"`{name}`", text) for name, text in GIVEN.items()))


def aggregates() -> str:
    """Aggregates and what they are of."""
    return _table(("aggregate", "gives"), ((f"`{name}`", text) for name, text in AGGREGATES.items()))


def ranges() -> str:
    """Ranges that are offered."""
    return _table(("range", "is"), ((f"`[{name}]`", text) for name, text in RANGES.items()))


def fields() -> str:
    """Numbers that filters compare."""
    rows = (
        (
            ", ".join(f"`{name}`" for name, known in QUANTITIES.items() if known is quantity),
            quantity.help,
            _UNITS.get(quantity.unit, quantity.unit),
        )
        for quantity in OFFERED
    )
    return _table(("field", "meaning", "unit"), rows)


def functions() -> str:
    """Every function of PromQL, by what it is for."""
    text = ""
    for title, modules in _GROUPS.items():
        rows = (
            (f"`{f.signature()}`", str(f.returns), f.summary + (", experimental" if f.experimental else ""))
            for f in TABLE.values()
            if f.module in modules
        )
        text += f"\n**{title}**\n\n" + _table(("function", "gives", "meaning"), rows)
    return text


def aggregations() -> str:
    """Every aggregation of PromQL."""
    rows = (
        (f"`{name}({WITH_PARAM[name]}, vector)`" if name in WITH_PARAM else f"`{name}(vector)`", meaning)
        for name, meaning in AGGREGATIONS.items()
    )
    return _table(("aggregation", "gives"), rows)


SECTIONS = {
    "functions": functions,
    "aggregations": aggregations,
    "fields": fields,
    "aggregates": aggregates,
    "ranges": ranges,
    "calls": metrics_of_calls,
    "events": metrics_of_events,
    "host": host_samples,
    "gpu": gpu_samples,
    "own": own_samples,
    "words": words,
}


def filled(page: str) -> str:
    """The page with every table between its markers made anew."""
    return _SECTION.sub(lambda found: f"{found[1]}{SECTIONS[found[2]]()}{found[3]}", page)


def _metrics(metrics: Iterable[Metric]) -> str:
    rows = (
        (
            f"`{m.name}`" + (f", `{m.long}`" if m.long else ""),
            m.help,
            _UNITS.get(m.unit, m.unit),
            ", ".join(f"**{how}**" if how == m.default_aggregate else how for how in m.aggregates),
        )
        for m in metrics
    )
    return _table(("metric", "meaning", "unit", "aggregates"), rows)


def _samples(table: Iterable[Sampled]) -> str:
    rows = ((f"`{s.name}`", s.help, s.type, _UNITS.get(s.unit, s.unit)) for s in table)
    return _table(("metric", "meaning", "type", "unit"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
