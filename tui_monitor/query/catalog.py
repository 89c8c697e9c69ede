"""Which metrics there are at this moment: the derived ones and those that are stored as samples."""

from tui_monitor.model.errors import QueryError, UnknownMetric
from tui_monitor.model.feed import SampleType
from tui_monitor.query.context import Context
from tui_monitor.query.known import KNOWN, unit_of_name
from tui_monitor.query.language import nearest
from tui_monitor.query.metrics import BY_NAME, Metric, Sampled
from tui_monitor.query.promql.ast import Summary
from tui_monitor.store.api import Reader

Found = Metric | Sampled


def find(name: str, reader: Reader) -> Found | None:
    """The metric of that name; a derived one goes before samples of the same name."""
    metric = BY_NAME.get(name)
    if metric is not None:
        return metric
    stored = reader.series(name)
    if stored:
        known = KNOWN.get(name)
        return Sampled(name, stored[0].type, unit_of_name(name), known.help if known else "")
    return KNOWN.get(name)


def type_of(name: str, reader: Reader) -> SampleType | None:
    """What kind of samples a metric has; `None` for one of calls, and for one that nobody has sent."""
    found = find(name, reader)
    return found.type if isinstance(found, Sampled) else None


def names(reader: Reader) -> list[str]:
    """Every name that can be asked for, the short ones first."""
    stored = sorted({info.name for info in reader.series()} - BY_NAME.keys())
    return list(dict.fromkeys([*BY_NAME, *stored, *KNOWN]))


def resolve(node: Summary, context: Context) -> tuple[Found, str]:
    """The metric of a short form and its aggregate. Raises `QueryError` for an unknown or senseless one."""
    metric = find(node.metric, context.reader)
    if metric is None:
        meant = nearest(node.metric, names(context.reader))
        place = node.named
        message = f'unknown metric "{node.metric}"' + (f", did you mean {meant}?" if meant else "")
        error = UnknownMetric(message, text=context.text, position=place.start, length=place.length)
        error.name, error.meant = node.metric, meant or ""
        raise error
    if not metric.aggregates:
        raise context.error(f"{node.metric} holds native histograms: they have no aggregates", node.named)
    how = node.how or metric.default_aggregate
    if not metric.allows(how):
        raise _senseless(metric, node, how, context)
    return metric, how


def _senseless(metric: Found, node: Summary, how: str, context: Context) -> QueryError:
    allowed = ", ".join(metric.aggregates)
    hint = f"{node.metric} has {allowed}"
    if how.startswith("p") and isinstance(metric, Metric):
        spread = [name for name, known in BY_NAME.items() if "pNN" in known.aggregates and name != known.long]
        hint += f"; quantiles have {', '.join(spread)}"
    return context.error(f"{how} of {node.metric} has no meaning", node.told, hint=hint)
