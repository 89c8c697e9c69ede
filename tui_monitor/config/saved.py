"""Queries with a name: `queries.toml` beside the configuration file, for people to read, edit and share."""

from pathlib import Path

from tui_monitor.config.edit import set_entry
from tui_monitor.config.toml import BYTE_ORDER_MARK, parse_toml, read_toml
from tui_monitor.model.errors import UsageError

FILE = "queries.toml"
TABLE = "queries"
MOST = 500
"""Queries in the file."""
LONGEST_NAME, LONGEST_QUERY = 60, 10_000
"""Characters of each."""


def saved_file(config_file: Path) -> Path:
    """Where they are, there or not, for a configuration file, there or not."""
    return config_file.with_name(FILE)


def saved_queries(path: Path) -> dict[str, str]:
    """Query by name, in order; none where there is no file. Raises `UsageError` with file and key. Blocks."""
    if not path.exists():
        return {}
    file = read_toml(path)
    table = file.values.get(TABLE, {})
    if not isinstance(table, dict):
        raise UsageError(f"{file.place((TABLE,))}: {TABLE} must be a table of names and queries")
    for name, text in table.items():
        if not isinstance(text, str) or not text.strip():
            hint = f'a query stands in quotes: "{name}" = "latency{{}} [1h] p95"'
            raise UsageError(f"{file.place((TABLE, name))}: {name} is no query", hint=hint)
    return dict(sorted(table.items(), key=lambda pair: pair[0].lower()))


def save_query(path: Path, name: str, text: str | None) -> None:
    """Keep a query under a name, in place of what had it before; None takes the name away. Blocks.

    Raises `UsageError`, and changes nothing, for what is no name or no query, and where the file cannot be
    changed; all else in it stays as it was written.
    """
    if text is not None:
        _check(name, text)
    set_entry(path, (TABLE, name), text, _loads)


def _check(name: str, text: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"a name has 1 to {LONGEST_NAME} characters on one line")
    if not text.strip() or len(text) > LONGEST_QUERY:
        raise UsageError(f"a query has 1 to {LONGEST_QUERY:,} characters")


def _loads(path: Path, text: str) -> None:
    file = parse_toml(path, text.removeprefix(BYTE_ORDER_MARK))
    if len(file.values.get(TABLE, {})) > MOST:
        raise UsageError(f"{path}: holds {MOST} queries already", hint="take one away")
