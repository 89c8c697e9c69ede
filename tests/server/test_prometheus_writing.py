"""Answers as the HTTP API writes them: every number as it would be written alone."""

import json
import math
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tui_monitor.model.clock import SECOND
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import ValueType
from tui_monitor.query.promql.values import Vector
from tui_monitor.server.prometheus import writing

WHOLE = (0.0, -0.0, 1.0, -3.0, 1e15, 2.0**53, 2.0**53 + 2)
"""Near where integers, floats and their texts part."""
BROKEN = (0.1, -7.125, 1e-4, 1 / 3, 1e15 + 0.5)
ODD = (9.9e-5, 1e16, 1e21, 5e-324, 1.7e308, math.nan, math.inf, -math.inf)


@st.composite
def vectors(draw: st.DrawFn) -> Vector:
    """Rows of one or several kinds of numbers, some with gaps, which hold anything."""
    many, steps = draw(st.integers(0, 5)), draw(st.integers(1, 9))
    values, present = np.zeros((many, steps)), np.ones((many, steps), dtype=bool)
    for row in range(many):
        kinds = draw(st.sets(st.sampled_from((WHOLE, BROKEN, ODD)), min_size=1))
        numbers = st.sampled_from([value for kind in kinds for value in kind])
        if draw(st.booleans()):
            numbers = st.floats()
        values[row] = draw(st.lists(numbers, min_size=steps, max_size=steps))
        if draw(st.booleans()):
            present[row] = draw(arrays.arrays(bool, steps))
    return Vector([(("row", str(row)),) for row in range(many)], values, present)


@given(vectors(), st.integers(1, 20))
def test_each_number_is_written_as_if_it_were_alone(vector: Vector, block: int) -> None:
    instants = np.arange(vector.steps, dtype=np.int64) * SECOND * 3 // 2
    with patch.object(writing, "BLOCK", block):
        body = b"".join(writing.written(Answer(ValueType.MATRIX, instants, vector), None, 0))
    expected = []
    for row, of in enumerate(vector.labels):
        points = [
            [time / SECOND, writing.number_text(float(value))]
            for time, value, there in zip(
                instants.tolist(), vector.values[row], vector.present[row], strict=True
            )
            if there
        ]
        expected.append({"metric": dict(of)} | ({"values": points} if points else {}))
    assert json.loads(body)["data"] == {"resultType": "matrix", "result": expected}


def test_numbers_are_written_with_as_few_digits_as_tell_them() -> None:
    numbers = {
        b"1": 1.0, b"-0": -0.0, b"0.30000000000000004": 0.1 + 0.2, b"9007199254740994": 2.0**53 + 2,
        b"0.00001": 1e-5, b"5e-324": 5e-324, b"1e+21": 1e21, b"NaN": math.nan, b"-Inf": -math.inf,
    }  # fmt: skip
    assert writing.number_texts(np.array(list(numbers.values()))) == list(numbers)
