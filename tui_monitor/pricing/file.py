"""Prices of one's own: a TOML file of `[[prices]]` tables, checked to the last key."""

import difflib
import hashlib
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tui_monitor.model.errors import UsageError
from tui_monitor.model.providers import canonical
from tui_monitor.pricing.names import candidates
from tui_monitor.pricing.rate import Tier

SOURCE = "file"
ANY_MODEL = "*"
_PRICES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "request")
_KEYS = ("provider", "model", *_PRICES, "valid_from", "valid_to", "discount")
_HIGHEST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[prices]]` table. Prices in USD per million tokens, `request` in USD per call.

    An entry without prices takes its discount off the bundled ones. Days are UTC, `valid_to` is the last.
    """

    number: int
    provider: str
    model: str
    prices: dict[str, Decimal]
    valid_from: date | None
    valid_to: date | None
    discount: Decimal

    def holds(self, day: date) -> bool:
        """Whether the entry is for that UTC day."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The one tier an entry has."""
        return (Tier(-1, self.prices),)


@dataclass(frozen=True, slots=True)
class PriceFile:
    """All entries of a file."""

    path: Path | None
    version: str
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, path: Path | None) -> "PriceFile":
        """Read and check a file. Raises `UsageError` naming file, entry and key."""
        if path is None:
            return cls(None, "", ())
        path = path.expanduser()
        try:
            data = path.read_bytes()
            content = tomllib.loads(data.decode(), parse_float=Decimal)
        except OSError as error:
            raise UsageError(f"price file {path}: {error.strerror}", hint="see prices.file") from error
        except (ValueError, RecursionError) as error:
            raise UsageError(f"price file {path}: {error}") from error
        return cls(path, hashlib.sha256(data).hexdigest()[:12], _entries(path, content))

    def find(self, provider: str, model: str, day: date) -> Entry | None:
        """The entry for a model on a UTC day: its own before the provider's `*`."""
        names = candidates(provider, model)
        for name in (*(name for _, name in names), ANY_MODEL):
            for entry in self.entries:
                if (entry.provider, entry.model) == (names[0][0], name) and entry.holds(day):
                    return entry
        return None


def _entries(path: Path, content: dict[str, Any]) -> tuple[Entry, ...]:
    for key in content:
        if key != "prices":
            raise UsageError(
                f"price file {path}: unknown key {key!r}", hint="prices stand in [[prices]] tables"
            )
    tables = content.get("prices", [])
    if not isinstance(tables, list):
        raise UsageError(f"price file {path}: write [[prices]] with two brackets, one for each model")
    entries = tuple(_entry(path, number, table) for number, table in enumerate(tables, 1))
    _refuse_overlap(path, entries)
    return entries


def _entry(path: Path, number: int, table: Any) -> Entry:
    where = f"price file {path}, entry {number}"
    if not isinstance(table, dict):
        raise UsageError(f"{where}: not a table")
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            raise UsageError(
                f"{where}: unknown key {key!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(_KEYS)}",
            )
    prices = {key: _number(where, key, table[key], _HIGHEST) for key in _PRICES if key in table}
    discount = _number(where, "discount", table.get("discount", Decimal(0)), Decimal(1))
    if not prices and "discount" not in table:
        raise UsageError(f"{where}: no price", hint=f"give at least one of {', '.join(_PRICES)} or discount")
    model = _text(where, "model", table.get("model", ANY_MODEL)).lower()
    if model == ANY_MODEL and prices:
        raise UsageError(f"{where}: prices need a model", hint="without one, only a discount makes sense")
    first, last = _day(where, "valid_from", table), _day(where, "valid_to", table)
    if first and last and first > last:
        raise UsageError(f"{where}: valid_from {first} is after valid_to {last}")
    provider = canonical(_text(where, "provider", table.get("provider")))
    return Entry(number, provider, model, prices, first, last, discount)


def _text(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(
            f"{where}: {key} must be a name, not {value!r}" if value else f"{where}: {key} is missing"
        )
    return value.strip()


def _number(where: str, key: str, value: Any, highest: Decimal) -> Decimal:
    good = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not good or not Decimal(value).is_finite() or not 0 <= value <= highest:
        raise UsageError(f"{where}: {key} must be a number from 0 to {highest}, not {str(value)!r}")
    return Decimal(value)


def _day(where: str, key: str, table: dict[str, Any]) -> date | None:
    value = table.get(key)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise UsageError(f"{where}: {key} must be a day like 2026-01-31, not {value!r}") from None
    # A datetime is a date too, and would compare with none.
    if value is not None and type(value) is not date:
        raise UsageError(f"{where}: {key} must be a day like 2026-01-31, not {value!r}")
    return value


def _refuse_overlap(path: Path, entries: tuple[Entry, ...]) -> None:
    by_model: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        others = by_model.setdefault((entry.provider, entry.model), [])
        for other in others:
            if (entry.valid_from or date.min) <= (other.valid_to or date.max) and (
                other.valid_from or date.min
            ) <= (entry.valid_to or date.max):
                raise UsageError(
                    f"price file {path}, entry {entry.number}: same model and days as entry {other.number}",
                    hint="set valid_from and valid_to so that one of them holds on any day",
                )
        others.append(entry)
