"""What becomes of the sign of a zero."""

import math

import pytest

from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.memory import MemoryStorage
from tui_monitor.query.promql.values import Vector


@pytest.mark.parametrize(("value", "sign"), [(-0.0, -0.0), (0.0, 0.0), (-3.0, -1.0), (2.5, 1.0)])
def test_sgn_keeps_the_sign_of_a_zero(value: float, sign: float) -> None:
    storage = MemoryStorage()
    storage.add({"__name__": "m"}, [(1_000_000, value)])
    found = Engine(storage).instant("sgn(m)", 1_000_000).value
    assert isinstance(found, Vector)
    (got,) = found.values[:, 0].tolist()
    assert (got, math.copysign(1, got)) == (sign, math.copysign(1, sign))
