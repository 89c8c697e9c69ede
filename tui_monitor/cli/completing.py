"""Answers the shell's question how a command line can go on. Loads what that takes and nothing more."""

import argparse
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tui_monitor.cli.options import COMPLETION, PROG, Parser, common
from tui_monitor.cli.table import VERBS
from tui_monitor.config import places
from tui_monitor.model.call import DIMENSIONS, RAW_DIMENSIONS

if TYPE_CHECKING:
    from tui_monitor.model.feed import SampleType

_DRIVES_A_SHELL = set("$`\"'\\!*?[](){}<>|&;#~^")
"""Names with these are not offered: what came from outside must not mean anything to a shell."""
_LONGEST = 120
_FROM_OUTSIDE = frozenset(("metric", "label", "value"))
"""Completions that may be names which somebody sent."""

Ask = Callable[[Path], Iterable[str]]


def answer() -> None:
    """Write the ways to go on where the shell reads them, and end the process."""
    from argcomplete.finders import CompletionFinder

    line = os.environ.get("COMP_LINE", "")
    try:
        parser = parser_for(line, _database(_words(line)))
    except Exception:
        # Whoever types must not be disturbed by what only would have helped.
        sys.exit(1)
    CompletionFinder()(parser, always_complete_options=False)


def parser_for(line: str, database: Path) -> argparse.ArgumentParser:
    """The parser of a line: every verb's name, and the arguments of the one that is typed."""
    parser = Parser(prog=PROG, parents=[common()], allow_abbrev=False)
    parser.add_argument("--version", action="store_true")
    for option in COMPLETION:
        parser.add_argument(option, nargs="?", choices=("bash", "zsh", "fish"))
    words = _words(line)
    if not set(COMPLETION).isdisjoint(words):
        return parser
    verbs = parser.add_subparsers(parser_class=Parser)
    typed = next((word for word in words if word in VERBS), "")
    for name, verb in VERBS.items():
        if name == typed:
            sub = verbs.add_parser(name, help=verb.help, parents=[common()], allow_abbrev=False)
            import_module(verb.module).arguments(sub)
            _attach(sub, name, database)
        else:
            verbs.add_parser(name, help=verb.help)
    return parser


def _attach(parser: argparse.ArgumentParser, verb: str, database: Path) -> None:
    """Tell every argument that names something stored how to ask for its names."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                _attach(sub, f"{verb} {name}", database)
            continue
        ask = _OFFERS.get((verb, action.dest)) or _OFFERS.get(("", action.dest))
        if ask is not None and action.choices is None:
            action.completer = _completer(ask, database)  # pyright: ignore[reportAttributeAccessIssue]
        elif (verb, action.dest) == ("query", "text"):
            action.completer = _queries(database)  # pyright: ignore[reportAttributeAccessIssue]
        elif (verb, action.dest) == ("import", "files"):
            action.completer = _files(database)  # pyright: ignore[reportAttributeAccessIssue]


def _completer(ask: Ask, database: Path) -> Callable[..., list[str]]:
    def offer(prefix: str, **_: object) -> list[str]:
        try:
            return [name for name in ask(database) if name.startswith(prefix) and _harmless(name)]
        except Exception:
            return []

    return offer


def _queries(database: Path) -> Callable[..., list[str]]:
    """Ways to go on with a query or a filter, as in the query line."""

    def offer(prefix: str, **_: object) -> list[str]:
        from tui_monitor.query.complete import complete

        try:
            found = complete(prefix, len(prefix), _Words(database))
        except Exception:
            return []
        ways = [
            prefix[: len(prefix) - one.length] + one.text
            for one in found
            if one.kind not in _FROM_OUTSIDE or _harmless(one.text.strip('"'))
        ]
        # A shell keeps only what begins with the word as typed: no alias that stands for another name.
        ways = list(dict.fromkeys(way for way in ways if way.startswith(prefix)))
        if len(ways) == 1 and (closing := _closing(ways[0])):
            # After the only way a shell closes the quotation, although the query goes on.
            ways.append(ways[0] + closing)
        return ways

    return offer


def _closing(text: str) -> str:
    """What closes the brackets that a query leaves open, outside of its strings."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    open_: list[str] = []
    for char in re.sub(r'"(?:\\.|[^"\\])*"', "", text):
        if char in pairs:
            open_.append(pairs[char])
        elif open_ and char == open_[-1]:
            open_.pop()
    return "".join(reversed(open_))


@dataclass(frozen=True, slots=True)
class _Words:
    """The names in a database, for completing queries."""

    database: Path

    def label_names(self) -> list[str]:
        return _labels(self.database)

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        from tui_monitor.store import names

        return names.label_values(self.database, label)[:limit] if label in DIMENSIONS else []

    def sample_names(self) -> list[str]:
        from tui_monitor.store import names

        return names.samples(self.database)

    def sample_labels(self, metric: str | None = None) -> list[str]:
        from tui_monitor.store import names

        return names.sample_labels(self.database, metric or "")

    def sample_label_values(self, label: str, metric: str | None = None) -> list[str]:
        from tui_monitor.store import names

        return names.sample_label_values(self.database, label, metric or "")

    def sample_type(self, metric: str) -> "SampleType | None":
        from tui_monitor.store import names

        found = names.sample_types(self.database, metric)
        return cast("SampleType", found[0]) if found else None


def _files(database: Path) -> Callable[..., list[str]]:
    """Files to import, or the import that `undo` takes back."""
    from argcomplete.completers import FilesCompleter

    batches, files = _completer(_batches, database), FilesCompleter()

    def offer(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        named: list[str] = getattr(parsed_args, "files", None) or []
        if named[:1] == ["undo"]:
            return batches(prefix)
        words = [] if named else [word for word in ("list", "undo") if word.startswith(prefix)]
        return [*words, *files(prefix)]

    return offer


def _harmless(name: str) -> bool:
    return len(name) <= _LONGEST and name.isprintable() and _DRIVES_A_SHELL.isdisjoint(name)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)[1:]
    except ValueError:
        # A quotation that is still open.
        return line.split()[1:]


def _database(words: list[str]) -> Path:
    """The database of a line, without the seconds that reading all settings would take."""
    named = _value(words, "--db") or os.environ.get("TUI_MONITOR_DATABASE__PATH")
    if named:
        return Path(named).expanduser()
    path = Path(_value(words, "--config") or places.config_file()).expanduser()
    named = _table(path).get("database", {}).get("path")
    return path.parent / Path(named).expanduser() if named else places.expected("data") / "monitor.db"


def _value(words: list[str], option: str) -> str:
    for word, after in pairwise([*words, ""]):
        if word == option:
            return after
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}


# What is offered.


def _values(label: str) -> Ask:
    def ask(database: Path) -> list[str]:
        from tui_monitor.store import names

        return names.label_values(database, label)

    return ask


def _labels(database: Path) -> list[str]:
    from tui_monitor.store import names

    return [*DIMENSIONS, *RAW_DIMENSIONS, *names.attributes(database)]


def _metrics(database: Path) -> list[str]:
    from tui_monitor.query.metrics import BY_NAME
    from tui_monitor.store import names

    return list(dict.fromkeys([*BY_NAME, *names.samples(database)]))


def _alerts(database: Path) -> list[str]:
    from tui_monitor.store import names

    return names.alerts(database)


def _silences(database: Path) -> list[str]:
    from tui_monitor.store import names

    return names.silences(database)


def _batches(database: Path) -> list[str]:
    from tui_monitor.store import names

    return names.batches(database)


def _rules(database: Path) -> list[str]:
    from tui_monitor.store import names

    return list(dict.fromkeys([*_configured(), *names.rules(database)]))


def _configured() -> list[str]:
    """Rules of the settings and those that ship; all settings must be read for that, so it takes a moment."""
    from tui_monitor.alerts.shipped import shipped_rules
    from tui_monitor.config.load import load
    from tui_monitor.model.errors import MonitorError

    try:
        settings = load()
    except MonitorError:
        return []
    return [rule.name for rule in (*settings.alerts.rules, *shipped_rules(settings))]


def _sources(_database: Path) -> list[str]:
    from tui_monitor.sources.agents.table import ADAPTERS

    return ["host", "probes", "status pages", *ADAPTERS]


def _formats(_database: Path) -> list[str]:
    from tui_monitor.cli.import_ import FORMATS
    from tui_monitor.sources.agents.table import ADAPTERS

    return [*FORMATS, *ADAPTERS]


_OFFERS: dict[tuple[str, str], Ask] = {
    **{("", label): _values(label) for label in DIMENSIONS},
    ("", "by"): _labels,
    ("", "group_by"): _labels,
    ("metrics", "name"): _metrics,
    **{(f"alerts {verb}", "id"): _alerts for verb in ("show", "history", "ack", "unack")},
    ("alerts silence", "what"): _alerts,
    ("alerts unsilence", "id"): _silences,
    **{
        (f"{verb} {action}", dest): _rules
        for verb in ("rules", "alerts")
        for action, dest in (("enable", "names"), ("disable", "names"), ("show", "name"))
    },
    ("sources pause", "name"): _sources,
    ("sources resume", "name"): _sources,
    ("import", "format"): _formats,
}
"""(verb, argument) → its names; an empty verb is every verb. `alerts ack` is one too."""
