"""Two vectors: which series of one side meet which of the other.

Series are matched once for all steps, as pairs of rows; whether a pair meets at a step is a matter of both
being there.
"""

from typing import NoReturn

import numpy as np

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import NAME, Binary, Cardinality, Matching
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.evaluate.merging import merged, nameless, shown
from tui_monitor.query.promql.evaluate.operators import COMPARE, COMPUTE
from tui_monitor.query.promql.labels import (
    Labels,
    LabelSets,
    only,
    remembered,
    replaced,
    signature,
    value,
    without,
)
from tui_monitor.query.promql.native import operators as native
from tui_monitor.query.promql.values import Vector, empty, joined, masked


def _numbered(vector: Vector, matching: Matching, numbers: dict[Labels, int]) -> np.ndarray:
    """The number of each row's signature."""
    sign = signature(matching.on, matching.labels)
    key = ("signed", matching.on, matching.labels)
    signed = remembered(vector.labels, key, lambda: [sign(labels) for labels in vector.labels])
    return np.array([numbers.setdefault(one, len(numbers)) for one in signed], dtype=np.int64)


def combined(context: Context, node: Binary, matching: Matching, left: Vector, right: Vector) -> Vector:
    """`and`, `or` and `unless`."""
    numbers: dict[Labels, int] = {}
    left_ids, right_ids = _numbered(left, matching, numbers), _numbered(right, matching, numbers)
    if node.op == "or":
        free = ~_there(left, left_ids, len(numbers))[right_ids]
        return merged(context, joined([left, _masked(right, free)], context.steps), node.place)
    there = _there(right, right_ids, len(numbers))[left_ids]
    return _masked(left, there if node.op == "and" else ~there)


def _there(vector: Vector, ids: np.ndarray, count: int) -> np.ndarray:
    """bool (signatures, steps): whether any series of that signature is there."""
    found = np.zeros((count, vector.steps), dtype=bool)
    np.logical_or.at(found, ids, vector.present)
    return found


def _masked(vector: Vector, mask: np.ndarray) -> Vector:
    present = vector.present & mask
    histograms = masked(vector.given, present)
    return Vector(vector.labels, vector.values, present, histograms, vector.unnamed).pruned()


def matched(context: Context, node: Binary, matching: Matching, left: Vector, right: Vector) -> Vector:
    """Arithmetic and comparisons, with the sides of one-to-many the right way round."""
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    numbers: dict[Labels, int] = {}
    one_ids, many_ids = _numbered(one, matching, numbers), _numbered(many, matching, numbers)
    # Where the many side is empty nothing can match, and so nothing twice.
    there = one.present & many.present.any(axis=0)
    _check_one(context, node, one, there, one_ids, "left" if swapped else "right")
    rows: dict[int, list[int]] = {}
    for row, number in enumerate(one_ids.tolist()):
        rows.setdefault(number, []).append(row)
    met = sum(len(rows.get(number, ())) for number in many_ids.tolist())
    context.budget.spend(met, met * context.steps)
    pairs = [(i, j) for i, number in enumerate(many_ids.tolist()) for j in rows.get(number, ())]
    if not pairs:
        return empty(context.steps)
    i, j = np.array(pairs, dtype=np.int64).T
    result = _computed(context, node, many.rows(i), one.rows(j), swapped=swapped)
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        _check_many(context, node, result, many_ids[i])
    result.labels = _pair_labels(context, node, matching, many.labels, one.labels, pairs)
    result = _merged_pairs(context, node, matching, result if node.finite else result.pruned())
    if node.op in ("</", ">/") or (node.op in COMPARE and not node.returns_bool):
        return result
    return nameless(context, result, node.place)


def _fail(context: Context, node: Binary, message: str, hint: str | None = None) -> NoReturn:
    raise QueryError(
        message, text=context.annotations.text, position=node.place.start, length=node.place.length, hint=hint
    )


def _merged_pairs(context: Context, node: Binary, matching: Matching, result: Vector) -> Vector:
    try:
        return merged(context, result, node.place)
    except QueryError as error:
        if matching.cardinality is Cardinality.ONE_TO_ONE:
            raise
        _fail(context, node, error.message, "the labels of the many side must tell its series apart")


def _meeting(present: np.ndarray, ids: np.ndarray) -> tuple[int, int] | None:
    """Two rows of one signature that are there at the same step."""
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    counts = np.add.reduceat(present[order].astype(np.int64), starts, axis=0)
    twice = np.argwhere(counts > 1)
    if not len(twice):
        return None
    group, step = twice[0].tolist()
    rows = [row for row in order[starts[group] :].tolist() if present[row, step]]
    return rows[0], rows[1]


def _check_one(
    context: Context, node: Binary, one: Vector, present: np.ndarray, ids: np.ndarray, side: str
) -> None:
    if len(set(ids.tolist())) == len(ids):
        return
    pair = _meeting(present, ids)
    if pair is not None:
        first, second = (shown(one.labels[row]) for row in pair)
        _fail(
            context, node, f"two series of the {side} side match alike: {first} and {second}",
            "many-to-many matching is for and, or, unless",
        )  # fmt: skip


def _check_many(context: Context, node: Binary, result: Vector, ids: np.ndarray) -> None:
    if len(set(ids.tolist())) == len(ids):
        return
    pair = _meeting(result.present, ids)
    if pair is not None:
        first, second = (shown(result.labels[row]) for row in pair)
        _fail(
            context, node, f"two series of the left side match the same series: {first} and {second}",
            "say group_left or group_right where many match one",
        )  # fmt: skip


def _computed(context: Context, node: Binary, many: Vector, one: Vector, *, swapped: bool) -> Vector:
    """The values of pairs of rows, side by side."""
    left, right = (one, many) if swapped else (many, one)
    both = left.is_float() & right.is_float()
    histograms = None
    with np.errstate(all="ignore"):
        if node.op in COMPARE:
            true = COMPARE[node.op](left.values, right.values)
            values = true.astype(np.float64) if node.returns_bool else left.values
            present = both if node.returns_bool else both & true
        elif node.op in COMPUTE:
            values, present = COMPUTE[node.op](left.values, right.values), both
        else:
            values, present = left.values, np.zeros_like(both)
    if left.histograms is not None or right.histograms is not None:
        values, present, histograms = native.of_pairs(context, node, left, right, values, present)
    labels = many.labels
    unnamed = _either(left.unnamed, right.unnamed) if node.op not in COMPARE else left.unnamed
    return Vector(labels, values, present, histograms, unnamed)


def _either(left: np.ndarray | None, right: np.ndarray | None) -> np.ndarray | None:
    return right if left is None else left if right is None else left | right


def _pair_labels(
    context: Context, node: Binary, matching: Matching, many: list[Labels], one: list[Labels],
    pairs: list[tuple[int, int]],
) -> list[Labels]:  # fmt: skip
    """The labels of what each pair gives. The same two vectors are likely to meet again."""
    key = ("paired", node.op, node.returns_bool, matching, context.semantics.keeps_names)

    def made() -> tuple[list[Labels], list[tuple[int, int]], LabelSets]:
        return one, pairs, LabelSets(_labels(context, node, matching, many[a], one[b]) for a, b in pairs)

    other, met, labels = remembered(many, key, made)
    return labels if other is one and met == pairs else made()[2]


def _labels(context: Context, node: Binary, matching: Matching, many: Labels, one: Labels) -> Labels:
    """The labels of what two series give."""
    renames = node.op in COMPUTE or node.returns_bool
    labels = without(many, (NAME,)) if renames and not context.semantics.keeps_names else many
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        return only(labels, matching.labels) if matching.on else without(labels, matching.labels)
    for name in matching.include:
        labels = replaced(labels, name, value(one, name))
    return labels
