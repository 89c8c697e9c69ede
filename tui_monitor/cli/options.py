"""What every verb takes, before or after its name, and the parser of one verb."""

import argparse
import difflib
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tui_monitor.cli.table import DASHBOARD, VERBS, Verb
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean

PROG = "tui-monitor"
COMPLETION = ("--install-completion", "--show-completion")
"""Options that stand alone, in the place of a verb."""
_TAKE_A_VALUE = ("--config", "--db", "--attach", "--token-file", "--ca-file", "--pane", "--compare")
_ABOUT = "A dashboard in the terminal for everyone who runs LLM workloads."


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ours."""

    def error(self, message: str) -> NoReturn:
        """Raises `UsageError`."""
        raise UsageError(clean(message, 500), hint=f"see `{self.prog} --help`")


def split(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The verb (empty for the dashboard) and all other arguments. Raises `UsageError` for an unknown verb."""
    at = 0
    while at < len(argv):
        word = argv[at]
        if word in _TAKE_A_VALUE:
            at += 1
        elif not word.startswith("-"):
            _known(word)
            return word, [*argv[:at], *argv[at + 1 :]]
        at += 1
    return "", list(argv)


def _known(word: str) -> None:
    if word in VERBS:
        return
    near = difflib.get_close_matches(word, VERBS, 1, 0.5)
    hint = f"did you mean `{PROG} {near[0]}`?" if near else f"see `{PROG} --help`"
    raise UsageError(f"unknown command: {clean(word, 60)!r}", hint=hint)


def common() -> Parser:
    """The options of every verb. Absent ones are not set, so that a verb's do not undo those before it."""
    parser = Parser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    group = parser.add_argument_group("common options")
    group.add_argument("--config", type=Path, metavar="FILE", help="configuration file to use")
    group.add_argument("--db", type=Path, metavar="FILE", help="database to use")
    group.add_argument("--json", action="store_true", help="answer as JSON on standard output")
    group.add_argument("--plain", action="store_true", help="text without colour and drawings")
    group.add_argument("-v", "--verbose", action="store_true", help="tell more when something goes wrong")
    group.add_argument("--no-collect", action="store_true", help="open the dashboard without collecting")
    group.add_argument(
        "--demo", action="store_true", help="public traces replayed into a database of their own"
    )
    group.add_argument("--read-only", action="store_true", help="open the dashboard for looking alone")
    there = parser.add_argument_group("a collector on another machine")
    there.add_argument("--attach", metavar="URL", help="ask the collector there, like https://host:4319")
    there.add_argument(
        "--token-file", type=Path, metavar="FILE", help="its token; else the variable TUI_MONITOR_TOKEN"
    )
    there.add_argument("--ca-file", type=Path, metavar="FILE", help="further certificates to trust, PEM")
    there.add_argument(
        "--insecure", action="store_true", help="allow http to another host: the token travels in clear"
    )
    return parser


def parser_of(verb: Verb) -> Parser:
    """The parser of one verb, without its own arguments yet."""
    name = f"{PROG} {verb.name}".strip()
    return Parser(
        prog=name,
        parents=[common()],
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=verb.help[:1].upper() + verb.help[1:] + ".",
    )


def examples(parser: argparse.ArgumentParser, text: str) -> None:
    """Put examples at the end of a help text, one per line."""
    parser.epilog = "examples:\n" + textwrap.indent(textwrap.dedent(text).strip(), "  ")


def main_parser() -> Parser:
    """The parser where no verb is given: of the dashboard, whose help tells the verbs."""
    parser = parser_of(DASHBOARD)
    parser.usage = f"{PROG} [options] [VERB …]"
    parser.description = f"{_ABOUT}\nWithout a verb it opens the dashboard."
    parser.add_argument("--version", action="store_true", help="print the version")
    for option, what in zip(
        COMPLETION, ("let the shell complete commands", "print what does that"), strict=True
    ):
        parser.add_argument(
            option, nargs="?", metavar="SHELL", help=f"{what}: bash, zsh, fish (default: yours)"
        )
    width = max(len(name) for name in VERBS)
    verbs = "\n".join(f"  {name:<{width}}  {verb.help}" for name, verb in VERBS.items())
    parser.epilog = (
        f"verbs:\n{verbs}\n\n`{PROG} VERB --help` tells more about one.\n"
        "exit: 0 done, 1 failed, 2 wrong usage or configuration; `status`: 0 healthy, 1 warning, 2 critical, "
        "3 unknown"
    )
    return parser
