"""`/federate`: the newest samples as a scrape finds them, in Prometheus's text or in OpenMetrics."""

import re
import threading
from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tui_monitor.model.clock import MS, SECOND, Micros
from tui_monitor.query.plain import Newest
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.labels import Labels, value
from tui_monitor.query.promql.listing import About
from tui_monitor.query.promql.quoting import is_label, is_metric
from tui_monitor.server.declare import theirs
from tui_monitor.server.needs import Need
from tui_monitor.server.prometheus.asked import asked
from tui_monitor.server.prometheus.asking import Asking, evaluated
from tui_monitor.server.prometheus.forms import Form, escaped, form_of
from tui_monitor.server.prometheus.writing import number_text
from tui_monitor.server.refusal import Refusal

_FOREIGN = re.compile("[^a-zA-Z0-9_:]")
_PARTS = ("_bucket", "_count", "_sum")


class Federating(Asking):
    """The route that other Prometheus servers scrape."""

    @theirs("/federate", Need.READ)
    async def federate(self, request: Request) -> Response:
        """The newest sample of every series that a `match[]` takes and that has not ended."""
        given = await asked(request)
        form = form_of(request.headers.get("accept", ""))
        now = self._collector.clock.now()

        def work(cancel: threading.Event) -> Response:
            try:
                selectors = given.selectors()
                budget = self.plain.budget(cancel)
                found = evaluated(lambda: self.plain.newest(selectors, now, budget, Semantics()))
                about = evaluated(self.plain.listing(budget).about)
            except Refusal as refusal:
                # Who scrapes shows the body as it is.
                return PlainTextResponse(refusal.error + "\n", refusal.status)
            return Response(exposed(found, about, form), media_type=form.media_type)

        return await self._running.run(request, work)


def exposed(found: Iterable[Newest], about: dict[str, About], form: Form) -> str:
    """The samples, each metric's together, with what is known of it."""
    families: dict[str, list[Newest]] = {}
    for one in found:
        families.setdefault(_family(value(one.labels, NAME), about), []).append(one)
    lines: list[str] = []
    for name in sorted(families):
        rows = sorted(families[name], key=_order)
        lines += _head(name, rows, about.get(name, About("")), form)
        lines += [_line(one, form) for one in rows]
    if form.openmetrics:
        lines.append("# EOF")
    return "".join(line + "\n" for line in lines)


def _family(name: str, about: dict[str, About]) -> str:
    """The metric that a name belongs to: a histogram's for its buckets, count and sum."""
    for part in _PARTS:
        stem = name.removesuffix(part)
        if stem != name and stem in about and about[stem].type == "histogram":
            return stem
    return name


def _order(one: Newest) -> tuple[Labels, str, float]:
    """The parts of one histogram stand together, its buckets by their bounds."""
    rest = tuple(pair for pair in one.labels if pair[0] not in (NAME, "le"))
    name = value(one.labels, NAME)
    try:
        bound = float(value(one.labels, "le") or "nan")
    except ValueError:
        bound = 0.0
    return rest, name, bound


def _head(name: str, rows: list[Newest], about: About, form: Form) -> Iterator[str]:
    kind = about.type
    names = {value(one.labels, NAME) for one in rows}
    if kind == "histogram" and f"{name}_bucket" not in names:
        # Without its buckets it is none for who reads it: each part is a metric of its own.
        kind = ""
    if not kind and names != {name}:
        for each in sorted(names):
            yield _type(each, "", form)
        return
    shown = name.removesuffix("_total") if form.openmetrics and kind == "counter" else name
    if form.openmetrics and kind == "counter" and shown == name:
        kind = ""
    if about.help:
        yield f"# HELP {_name(shown, form)} {escaped(about.help, form.openmetrics)}"
    yield _type(shown, kind, form)


def _type(name: str, kind: str, form: Form) -> str:
    return f"# TYPE {_name(name, form)} {kind or ('unknown' if form.openmetrics else 'untyped')}"


def _line(one: Newest, form: Form) -> str:
    name = value(one.labels, NAME)
    pairs = [(label, text) for label, text in one.labels if label != NAME]
    # Said to be empty, so that with `honor_labels` they do not become those of this scrape.
    pairs += [(label, "") for label in ("instance", "job") if not value(one.labels, label)]
    labels = [f'{_label(label, form)}="{escaped(text)}"' for label, text in pairs]
    if form.utf8 and not is_metric(name):
        return (
            f"{{{','.join([_name(name, form), *labels])}}} {number_text(one.value)} {_time(one.time, form)}"
        )
    return f"{_name(name, form)}{{{','.join(labels)}}} {number_text(one.value)} {_time(one.time, form)}"


def _time(time: Micros, form: Form) -> str:
    return f"{time // MS / (SECOND // MS):.3f}" if form.openmetrics else str(time // MS)


def _name(name: str, form: Form) -> str:
    if is_metric(name):
        return name
    return f'"{escaped(name)}"' if form.utf8 else _plain(name)


def _label(name: str, form: Form) -> str:
    if is_label(name):
        return name
    return f'"{escaped(name)}"' if form.utf8 else _plain(name).replace(":", "_")


def _plain(name: str) -> str:
    """The name with `_` for what is foreign to Prometheus of old."""
    plain = _FOREIGN.sub("_", name)
    return f"_{plain}" if plain[:1].isdigit() else plain
