"""Verbs that have verbs of their own, like `alerts ack`."""

import argparse

from tui_monitor.cli.options import Parser, common


class Actions:
    """The inner verbs of one verb."""

    def __init__(self, parser: argparse.ArgumentParser, default: str | None) -> None:
        parser.set_defaults(action=default)
        self._inner = parser.add_subparsers(
            dest="action", metavar="ACTION", required=default is None, parser_class=Parser, title="actions"
        )

    def add(self, name: str, help_line: str) -> argparse.ArgumentParser:
        """One more, with the options that every verb takes."""
        description = help_line[:1].upper() + help_line[1:] + "."
        return self._inner.add_parser(
            name, help=help_line, description=description, parents=[common()], allow_abbrev=False
        )


def actions(parser: argparse.ArgumentParser, *, default: str | None = None) -> Actions:
    """Give a verb inner verbs. The name goes to `args.action`; `default` is taken when none is given."""
    return Actions(parser, default)
