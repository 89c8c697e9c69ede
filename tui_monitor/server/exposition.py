"""Families of metrics as text: 0.0.4 of Prometheus, and OpenMetrics 1.0."""

from collections.abc import Iterable, Iterator, Mapping

from tui_monitor.health.exposed import Family, Reading
from tui_monitor.server.prometheus.forms import Form, escaped
from tui_monitor.server.prometheus.writing import number_text

_PLACES = {"_bucket": 0, "_count": 1, "_sum": 2}
"""The parts of a histogram, as they stand one behind the other."""


def exposition(families: Iterable[Family], readings: Iterable[Reading], form: Form) -> bytes:
    """The families that have values, in their order, each with its values together.

    Raises KeyError for a value of none of them.
    """
    known = {family.name: family for family in families}
    found: dict[str, list[Reading]] = {name: [] for name in known}
    for reading in readings:
        found[reading.name].append(reading)
    lines: list[str] = []
    for name, rows in found.items():
        if rows:
            lines += _family(known[name], rows, form)
    if form.openmetrics:
        lines.append("# EOF")
    # A lone half of a character is nothing that UTF-8 can say.
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def _family(family: Family, rows: list[Reading], form: Form) -> Iterator[str]:
    name = family.stem if form.openmetrics else family.name
    kind = family.type if form.openmetrics or family.type != "info" else "gauge"
    yield f"# HELP {name} {escaped(family.help, form.openmetrics)}"
    yield f"# TYPE {name} {kind}"
    if form.openmetrics and family.unit:
        yield f"# UNIT {name} {family.unit}"
    if family.type == "histogram":
        rows = sorted(rows, key=_order)
    for row in rows:
        yield f"{family.name}{row.part}{_labels(row.labels, form)} {number_text(row.value)}"


def _order(row: Reading) -> tuple[list[tuple[str, str]], int, float]:
    rest = sorted((name, text) for name, text in row.labels.items() if name != "le")
    return rest, _PLACES[row.part], float(row.labels.get("le", "0"))


def _labels(labels: Mapping[str, str], form: Form) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_value(name, text, form)}"' for name, text in labels.items()) + "}"


def _value(name: str, text: str, form: Form) -> str:
    if name == "le" and form.openmetrics and text != "+Inf":
        # There a bound is written as a float, with its point.
        return repr(float(text))
    return escaped(text)
