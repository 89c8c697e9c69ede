"""Labels of info series added to those that they describe."""

import numpy as np

from tui_monitor.query.promql.ast import NAME, Matcher, Selector, bare
from tui_monitor.query.promql.evaluate import selecting
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.merging import merged
from tui_monitor.query.promql.labels import Labels, value
from tui_monitor.query.promql.values import Vector

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
    if infos.histograms is not None:
        call.fail("an info series is a float, not a histogram", len(call.node.args) - 1)
    chosen = {matcher.label for matcher in matchers} - {NAME}
    described: dict[Labels, list[int]] = {}
    for row, labels in enumerate(infos.labels):
        described.setdefault(_identity(labels), []).append(row)
    labelled: list[Labels] = []
    rows: list[int] = []
    present: list[np.ndarray] = []
    names = {value(found, NAME) for found in infos.labels}
    for row, found in enumerate(vector.labels):
        if value(found, NAME) in names:
            rows.append(row)
            labelled.append(found)
            present.append(vector.present[row])
            continue
        free = vector.present[row].copy()
        for other in described.get(_identity(found), ()):
            both = vector.present[row] & infos.present[other]
            if both.any():
                rows.append(row)
                labelled.append(_extended(found, infos.labels[other], chosen))
                present.append(both)
                free &= ~both
        rows.append(row)
        labelled.append(found)
        present.append(free)
    whole = vector.rows(np.array(rows, dtype=np.int64))
    whole.labels = labelled
    whole.present = np.array(present).reshape(whole.present.shape)
    return merged(call.context, whole.pruned(), call.node.place)


def _identity(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] in _IDENTIFYING)


def _extended(labels: Labels, info: Labels, chosen: set[str]) -> Labels:
    known = dict(labels)
    for name, text in info:
        if name not in (*_IDENTIFYING, NAME) and (not chosen or name in chosen):
            known.setdefault(name, text)
    return tuple(sorted(known.items()))


FUNCTIONS: dict[str, Implementation] = {"info": _info}
"""By name."""
