"""What the implementation of a function is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import Call, Place
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.values import Scalar, Text, Value, Vector, Windows


@dataclass(slots=True)
class Calling:
    """A call with its arguments evaluated; their types have been checked."""

    context: Context
    node: Call
    args: list[Value]

    def __len__(self) -> int:
        return len(self.args)

    def vector(self, index: int = 0) -> Vector:
        """An argument that is an instant vector."""
        found = self.args[index]
        assert isinstance(found, Vector)
        return found

    def windows(self, index: int = 0) -> Windows:
        """An argument that is a range vector."""
        found = self.args[index]
        assert isinstance(found, Windows)
        return found

    def scalar(self, index: int) -> np.ndarray:
        """An argument that is a number: float64 (steps)."""
        found = self.args[index]
        assert isinstance(found, Scalar)
        return found.values

    def text(self, index: int) -> str:
        """An argument that is a text."""
        found = self.args[index]
        assert isinstance(found, Text)
        return found.value

    def place(self, index: int) -> Place:
        """Where an argument stands."""
        return self.node.args[index].place if self.node.args else self.node.place

    def fail(self, message: str, index: int) -> NoReturn:
        """Raise an error at an argument."""
        place = self.place(index)
        text = self.context.annotations.text
        raise QueryError(message, text=text, position=place.start, length=place.length)


Implementation = Callable[[Calling], Value]
