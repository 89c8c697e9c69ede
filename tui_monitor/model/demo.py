"""How a database says that it is the demo's, and what its calls depend on."""

import json
from dataclasses import asdict, dataclass

from tui_monitor.model.clock import Micros

MARK = "demo"
"""The key under which a database keeps its plan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the demo's calls depend on: when it began, and what its days and nights follow."""

    anchor: Micros
    offset: Micros
    """What is added to a moment so that the hour of its day in UTC is the hour of the demo's traffic, µs."""
    origin: str
    """What is replayed, for people."""

    def text(self) -> str:
        """As the database keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str | None) -> "Plan | None":
        """The plan that a database keeps; None where it is no demo."""
        return cls(**json.loads(text)) if text else None


def origin_of(text: str | None) -> str:
    """What is replayed in the database that keeps this under its mark; empty where it is no demo."""
    plan = Plan.of(text)
    return plan.origin if plan is not None else ""
