"""From a tree to its text: canonical on one line, or broken over lines where it is long."""

from tui_monitor.model.clock import SECOND
from tui_monitor.model.timerange import format_duration
from tui_monitor.query.language import is_plain
from tui_monitor.query.promql import durations, quoting
from tui_monitor.query.promql.ast import (
    WITH_PARAM,
    Aggregate,
    At,
    Binary,
    Bound,
    Call,
    Cardinality,
    Expr,
    Given,
    Matcher,
    Matching,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Summary,
    Text,
    Unary,
    children,
)

WIDTH = 100
_INDENT = "  "


def printed(node: Expr) -> str:
    """The canonical text; parsing it gives an equal tree."""
    match node:
        case Number():
            return _number(node)
        case Text() | Given():
            return quoting.quoted(node.value) if isinstance(node, Text) else node.name
        case Selector():
            return _selector(node) + _modifiers(node)
        case Range():
            length = durations.written(node.length)
            return f"{_selector(node.selector)}[{length}]{_modifiers(node.selector)}"
        case Summary():
            return _summary(node)
        case Subquery():
            return f"{printed(node.expr)}{_resolution(node)}"
        case Paren():
            return f"({printed(node.expr)})"
        case Unary():
            return f"{node.op}{printed(node.expr)}"
        case Binary():
            return f"{printed(node.left)} {_operator(node)} {printed(node.right)}"
        case Call():
            return f"{node.function}({', '.join(map(printed, node.args))})"
        case Aggregate():
            return f"{_aggregation(node)}({', '.join(map(printed, children(node)))})"


def pretty(node: Expr, depth: int = 0) -> str:
    """The same text over several lines, indented, where it does not fit on one."""
    indent = _INDENT * depth
    line = indent + printed(node)
    if len(line) <= WIDTH:
        return line
    match node:
        case Paren():
            return f"{indent}(\n{pretty(node.expr, depth + 1)}\n{indent})"
        case Subquery():
            return f"{pretty(node.expr, depth)}{_resolution(node)}"
        case Unary():
            return f"{indent}{node.op}{pretty(node.expr, depth).lstrip()}"
        case Binary():
            inner = depth + 1
            operator = f"{_INDENT * depth}{_operator(node)}"
            return f"{pretty(node.left, inner)}\n{operator}\n{pretty(node.right, inner)}"
        case Call():
            return f"{indent}{node.function}(\n{_listed(node.args, depth + 1)}\n{indent})"
        case Aggregate():
            return f"{indent}{_aggregation(node)}(\n{_listed(children(node), depth + 1)}\n{indent})"
    return line


def _listed(nodes: tuple[Expr, ...], depth: int) -> str:
    return ",\n".join(pretty(node, depth) for node in nodes)


def _selector(node: Selector) -> str:
    plain = quoting.is_metric(node.name)
    inner = [] if plain or not node.name else [quoting.quoted(node.name)]
    inner += map(matcher, node.matchers)
    name = node.name if plain else ""
    return f"{name}{{{','.join(inner)}}}" if inner or not name else name


def _number(node: Number) -> str:
    if node.written:
        return node.written
    return durations.written(round(node.value * SECOND)) if node.duration else quoting.number(node.value)


def _summary(node: Summary) -> str:
    plain = is_plain(node.metric)
    inner = [] if plain else [quoting.quoted(node.metric)]
    inner += map(matcher, node.matchers)
    text = (node.metric if plain else "") + (f"{{{', '.join(inner)}}}" if inner else "")
    if node.window is not None:
        text += f" [{node.window if isinstance(node.window, str) else format_duration(node.window)}]"
    if node.offset:
        text += f" offset {'-' if node.offset < 0 else ''}{format_duration(abs(node.offset))}"
    text += f" {node.how}" if node.how else ""
    return f"{text} by({_labels(node.by)})" if node.by else text


def matcher(node: Matcher) -> str:
    """One matcher, as between braces."""
    return f"{quoting.label(node.label)}{node.op}{quoting.quoted(node.value)}"


def _modifiers(node: Selector | Subquery) -> str:
    edges = f" {node.edges}" if isinstance(node, Selector) and node.edges else ""
    at = f" @ {_instant(node.at)}" if node.at is not None else ""
    offset = f" offset {durations.written(node.offset)}" if node.offset else ""
    return edges + at + offset


def _instant(at: At) -> str:
    if isinstance(at, Bound):
        return "end()" if at.end else "start()"
    seconds, rest = divmod(abs(at), SECOND)
    return f"{'-' if at < 0 else ''}{seconds}.{f'{rest:06}'.rstrip('0').ljust(3, '0')}"


def _resolution(node: Subquery) -> str:
    step = durations.written(node.step) if node.step is not None else ""
    return f"[{durations.written(node.length)}:{step}]{_modifiers(node)}"


def _operator(node: Binary) -> str:
    parts = [node.op, "bool" if node.returns_bool else "", _matching(node.matching)]
    return " ".join(part for part in parts if part)


def _matching(matching: Matching | None) -> str:
    if matching is None:
        return ""
    parts = []
    grouped = matching.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
    if matching.labels or matching.on:
        parts.append(f"{'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})")
    if grouped:
        side = "left" if matching.cardinality is Cardinality.MANY_TO_ONE else "right"
        # An empty ignoring() is spoken, as no group_left stands alone.
        parts = parts or ["ignoring ()"]
        parts.append(f"group_{side} ({_labels(matching.include)})")
    return " ".join(parts)


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoting.label, names))


def _aggregation(node: Aggregate) -> str:
    assert (node.param is not None) == (node.op in WITH_PARAM)
    if node.without:
        return f"{node.op} without ({_labels(node.grouping)}) "
    return f"{node.op} by ({_labels(node.grouping)}) " if node.grouping else node.op
