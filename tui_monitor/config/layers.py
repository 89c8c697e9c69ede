"""Where values come from, the weakest first; a stronger layer wins key by key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tui_monitor.config.toml import KeyPath

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one origin; `place` says where a key of it was set."""

    values: Mapping[str, Any]
    place: Callable[[KeyPath], str]

    def holds(self, key: KeyPath) -> bool:
        """Whether the key is set here."""
        found: Any = self.values
        for part in key:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True


class Layers:
    """All layers, the weakest first."""

    def __init__(self, *layers: Layer) -> None:
        self._layers = layers

    def merged(self) -> dict[str, Any]:
        """One table: tables are merged key by key, anything else is replaced whole."""
        values: dict[str, Any] = {}
        for layer in self._layers:
            values = _merge(values, layer.values)
        return values

    def origin(self, key: KeyPath) -> str:
        """Where a key was set, or `default`."""
        return next((layer.place(key) for layer in reversed(self._layers) if layer.holds(key)), DEFAULT)

    def place(self, key: KeyPath) -> str:
        """Where a key, or the nearest table above it, was set; empty for a default."""
        while key:
            if (origin := self.origin(key)) != DEFAULT:
                return origin
            key = key[:-1]
        return ""


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = (
            _merge(under, value) if isinstance(under, dict) and isinstance(value, Mapping) else value
        )
    return merged
