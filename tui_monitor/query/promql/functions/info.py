"""Labels of info series added to those that they describe."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tui_monitor.query.promql.ast import NAME, Matcher, Selector, bare
from tui_monitor.query.promql.evaluate import selecting
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.merging import merged
from tui_monitor.query.promql.labels import Labels, value
from tui_monitor.query.promql.matchers import takes_empty, test
from tui_monitor.query.promql.values import Vector, joined, masked

_IDENTIFYING = ("instance", "job")
_DEFAULT = Matcher(NAME, "=", "target_info")


def _wanted(call: Calling) -> tuple[Matcher, ...]:
    """The matchers of the info series, of their name at least."""
    node = bare(call.node.args[1]) if len(call.node.args) > 1 else None
    given = node.tests() if isinstance(node, Selector) else ()
    return given if any(matcher.label == NAME for matcher in given) else (_DEFAULT, *given)


def _info(call: Calling) -> Vector:
    vector = call.vector()
    matchers = _wanted(call)
    infos = selecting.instant(call.context, Selector(matchers=matchers, place=call.node.place))
    if infos.given is not None:
        call.fail("an info series is a float, not a histogram", len(call.node.args) - 1)
    of_data = [matcher for matcher in matchers if matcher.label != NAME]
    needed = not all(map(takes_empty, of_data))
    described: dict[Labels, list[int]] = {}
    for row, labels in enumerate(infos.labels):
        described.setdefault(_identity(labels), []).append(row)
    is_info = [test(matcher) for matcher in matchers if matcher.label == NAME]
    parts: list[Vector] = []
    for row, labels in enumerate(vector.labels):
        part = vector.rows(np.array([row]))
        if all(passes(value(labels, NAME)) for passes in is_info):
            parts.append(part)
            continue
        rows = np.array(described.get(_identity(labels), []), dtype=np.int64)
        chosen = {matcher.label for matcher in of_data}
        parts += _described(call, part, infos.rows(rows), chosen, needed=needed)
    return merged(call.context, joined(parts, call.context.steps).pruned(), call.node.place)


def _described(
    call: Calling, part: Vector, infos: Vector, chosen: set[str], *, needed: bool
) -> Iterator[Vector]:
    """One series with the labels of the info series that are there at each step."""
    kinds, kind_of = np.unique(infos.present, axis=1, return_inverse=True)
    for kind in range(kinds.shape[1]):
        rows = np.flatnonzero(kinds[:, kind]).tolist()
        if needed and not rows:
            continue
        known = dict(part.labels[0])
        for row in rows:
            _add(call, known, infos.labels[row], chosen, dict(part.labels[0]))
        steps = part.present & (kind_of.reshape(-1) == kind)
        yield dataclasses.replace(
            part,
            labels=[tuple(sorted(known.items()))],
            present=steps,
            given=masked(part.given, steps),
        )


def _add(call: Calling, known: dict[str, str], info: Labels, chosen: set[str], own: dict[str, str]) -> None:
    for name, text in info:
        if name in (*_IDENTIFYING, NAME) or name in own or (chosen and name not in chosen):
            continue
        if known.setdefault(name, text) != text:
            call.fail(f"conflicting label {name}: {known[name]!r} and {text!r}", 0)


def _identity(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] in _IDENTIFYING)


FUNCTIONS: dict[str, Implementation] = {"info": _info}
"""By name."""
