"""Whether there is anything at all."""

import numpy as np

from tui_monitor.query.promql.ast import NAME, Expr, Range, Selector, bare
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.values import Vector, Windows


def _expected(node: Expr) -> Labels:
    """Labels that a selector asks for by equality, each once: what is missing would have them."""
    node = bare(node)
    selector = node.selector if isinstance(node, Range) else node
    if not isinstance(selector, Selector):
        return ()
    names = [matcher.label for matcher in selector.matchers]
    return labels(
        {
            matcher.label: matcher.value
            for matcher in selector.matchers
            if matcher.op == "=" and matcher.label != NAME and names.count(matcher.label) == 1
        }
    )


def _absent(call: Calling) -> Vector:
    found = call.args[0]
    present = found.counts > 0 if isinstance(found, Windows) else call.vector().present
    missing = ~np.atleast_1d(present.any(axis=0))[None, :]
    return Vector([_expected(call.node.args[0])], np.ones(missing.shape), missing)


FUNCTIONS: dict[str, Implementation] = {"absent": _absent, "absent_over_time": _absent}
"""By name."""
