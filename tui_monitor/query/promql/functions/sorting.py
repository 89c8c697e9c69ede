"""The order of the series of an instant query."""

import re

import numpy as np

from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.labels import value
from tui_monitor.query.promql.values import Vector

_DIGITS = re.compile(r"(\d+)")


def _ordered(call: Calling) -> bool:
    if not call.context.instant:
        call.context.annotations.warn(
            "the order of a range query is that of the labels: sorting has no effect", call.place(0)
        )
    return call.context.instant


def _by_value(*, descending: bool) -> Implementation:
    def applied(call: Calling) -> Vector:
        vector = call.vector().floats()
        if not _ordered(call) or not len(vector):
            return vector
        values = vector.values[:, 0]
        # NaN comes last, whichever way the others are sorted.
        return vector.rows(np.argsort(-values if descending else values, kind="stable"))

    return applied


def natural(text: str) -> tuple[tuple[str, int], ...]:
    """A key that sorts numbers within texts by their size."""
    parts = _DIGITS.split(text)
    return tuple((part, -1) if not part.isdigit() else ("", int(part)) for part in parts if part)


def _by_label(*, descending: bool) -> Implementation:
    def applied(call: Calling) -> Vector:
        vector = call.vector()
        if not _ordered(call):
            return vector
        names = [call.text(index) for index in range(1, len(call))]
        keys = [
            (*(natural(value(labels, name)) for name in names), natural(repr(labels)))
            for labels in vector.labels
        ]
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
        return vector.rows(np.array(order, dtype=np.int64))

    return applied


FUNCTIONS: dict[str, Implementation] = {
    "sort": _by_value(descending=False),
    "sort_desc": _by_value(descending=True),
    "sort_by_label": _by_label(descending=False),
    "sort_by_label_desc": _by_label(descending=True),
}
"""By name."""
