"""Labels made from others."""

import numpy as np

from tui_monitor.query.captures import Captures
from tui_monitor.query.promql import quoting
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.merging import merged
from tui_monitor.query.promql.labels import Labels, replaced, value
from tui_monitor.query.promql.values import Vector
from tui_monitor.query.regex import PatternError


def _check_name(call: Calling, index: int) -> str:
    name = call.text(index)
    valid = quoting.is_label(name) if call.context.semantics.version == 2 else name and quoting.is_utf8(name)
    if not valid:
        call.fail(f"not a label's name: {quoting.quoted(name)}", index)
    return name


def _relabelled(call: Calling, made: list[Labels | None], changed: str) -> Vector:
    """The vector with other labels; `None` leaves those of a series as they are."""
    vector = call.vector()
    labels = [new if new is not None else old for new, old in zip(made, vector.labels, strict=True)]
    unnamed = vector.unnamed
    if unnamed is not None and changed == NAME:
        # A name that was set on purpose stays.
        unnamed = unnamed & np.array([new is None for new in made], dtype=bool)
    result = Vector(labels, vector.values, vector.present, vector.given, unnamed)
    return merged(call.context, result, call.node.place)


def _replace(call: Calling) -> Vector:
    target, template, source = _check_name(call, 1), call.text(2), call.text(3)
    try:
        pattern = Captures(call.text(4))
    except PatternError as error:
        call.fail(f"not a regular expression: {error}", 4)
    known: dict[str, str | None] = {}

    def made(labels: Labels) -> Labels | None:
        text = value(labels, source)
        if text not in known:
            call.context.budget.check()
            try:
                known[text] = pattern.expanded(text, template)
            except PatternError as error:
                call.fail(str(error), 2)
            call.context.budget.write(len(known[text] or ""))
        new = known[text]
        return None if new is None else replaced(labels, target, new)

    return _relabelled(call, [made(labels) for labels in call.vector().labels], target)


def _join(call: Calling) -> Vector:
    target, between = _check_name(call, 1), call.text(2)
    sources = [_check_name(call, index) for index in range(3, len(call))]

    def made(labels: Labels) -> Labels:
        texts = [value(labels, name) for name in sources]
        # Before there is such a text: each join of joins is longer than all it was made of.
        call.context.budget.write(sum(map(len, texts)) + len(between) * max(0, len(texts) - 1))
        return replaced(labels, target, between.join(texts))

    return _relabelled(call, [made(labels) for labels in call.vector().labels], target)


FUNCTIONS: dict[str, Implementation] = {"label_replace": _replace, "label_join": _join}
"""By name."""
