"""Rows of equal labels made one, and names that go away."""

import numpy as np

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import Place
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.labels import Labels, LabelSets, remembered, without_name
from tui_monitor.query.promql.values import Vector


def merged(context: Context, vector: Vector, place: Place) -> Vector:
    """The vector with each set of labels once. Raises `QueryError` where two of its series meet at a step."""
    first, again = remembered(vector.labels, "merged", lambda: _met(vector.labels))
    if not again:
        return vector
    vector = vector.rows(np.arange(len(vector)))
    for into, row in again:
        here = vector.present[row]
        if (vector.present[into] & here).any():
            raise QueryError(
                f"two series have the same labels: {shown(vector.labels[row])}",
                text=context.annotations.text, position=place.start, length=place.length,
            )  # fmt: skip
        vector.values[into] = np.where(here, vector.values[row], vector.values[into])
        vector.present[into] |= here
        if vector.histograms is not None:
            vector.histograms[into] = np.where(here, vector.histograms[row], vector.histograms[into])
        if vector.unnamed is not None:
            vector.unnamed[into] |= vector.unnamed[row]
    return vector.rows(first)


def _met(labels: list[Labels]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """The rows whose labels come first, and each other row behind the one that it meets."""
    first: dict[Labels, int] = {}
    again: list[tuple[int, int]] = []
    for row, of in enumerate(labels):
        found = first.setdefault(of, row)
        if found != row:
            again.append((found, row))
    return np.array(list(first.values()), dtype=np.int64), again


def nameless(context: Context, vector: Vector, place: Place) -> Vector:
    """The vector after an operation whose results are no longer that metric."""
    if context.semantics.keeps_names:
        vector.unnamed = np.ones(len(vector), dtype=bool)
        return vector
    return merged(context, _without_names(vector, np.ones(len(vector), dtype=bool)), place)


def finished(context: Context, vector: Vector, place: Place) -> Vector:
    """The vector with all names gone that were to go away in the end."""
    if vector.unnamed is None or not vector.unnamed.any():
        return merged(context, vector, place)
    return merged(context, _without_names(vector, vector.unnamed), place)


def _without_names(vector: Vector, which: np.ndarray) -> Vector:
    if which.all():
        labels = remembered(vector.labels, "nameless", lambda: LabelSets(map(without_name, vector.labels)))
    else:
        pairs = zip(vector.labels, which.tolist(), strict=True)
        labels = [without_name(of) if drop else of for of, drop in pairs]
    return Vector(labels, vector.values, vector.present, vector.given)


def shown(labels: Labels) -> str:
    """Labels as an error names them."""
    return "{" + ", ".join(f"{name}={value!r}" for name, value in labels) + "}"
