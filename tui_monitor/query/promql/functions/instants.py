"""Time, and the way between numbers and vectors."""

import numpy as np

from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.selecting import seconds
from tui_monitor.query.promql.values import Scalar, Vector


def _time(call: Calling) -> Scalar:
    return Scalar(seconds(call.context.instants))


def _timestamp(call: Calling) -> Vector:
    vector = call.vector()
    times = call.context.instants if vector.times is None else vector.times
    return Vector(
        vector.labels,
        np.broadcast_to(seconds(times), vector.present.shape),
        vector.present,
        None,
        vector.unnamed,
    )


def _scalar(call: Calling) -> Scalar:
    vector = call.vector().floats()
    only = vector.present.sum(axis=0) == 1
    if not len(vector):
        return Scalar(np.full(vector.steps, np.nan))
    values = vector.values[vector.present.argmax(axis=0), np.arange(vector.steps)]
    return Scalar(np.where(only, values, np.nan))


def _vector(call: Calling) -> Vector:
    values = call.scalar(0)[None, :]
    return Vector([()], values, np.ones(values.shape, dtype=bool))


FUNCTIONS: dict[str, Implementation] = {
    "time": _time,
    "timestamp": _timestamp,
    "scalar": _scalar,
    "vector": _vector,
}
"""By name."""
