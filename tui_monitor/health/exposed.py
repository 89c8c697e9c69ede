"""Metrics as a scrape finds them: what each is, and its values at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["counter", "gauge", "histogram", "summary", "info"]
UNITS = ("seconds", "bytes", "ratio", "usd")
"""Units that stand at the end of a name, before `_total`."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name as text 0.0.4 has it, what it is, and whether its values are stored too."""

    name: str
    type: Type
    help: str
    stored: bool = False

    @property
    def stem(self) -> str:
        """The name as OpenMetrics declares it."""
        if self.type == "counter":
            return self.name.removesuffix("_total")
        return self.name.removesuffix("_info") if self.type == "info" else self.name

    @property
    def unit(self) -> str:
        """Of its values; empty where the name tells none."""
        return next((unit for unit in UNITS if self.stem.endswith(f"_{unit}")), "")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a family; `part` is what stands behind its name, like `_sum`."""

    name: str
    value: float
    labels: Mapping[str, str]
    part: str = ""
