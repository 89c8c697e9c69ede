"""`config consent`: what may be used of what is on this machine, for scripts and for who wants no banner."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from tui_monitor.cli.context import Context
from tui_monitor.cli.takeover import take_over
from tui_monitor.config import places
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.sources.offers import Offers

ITEMS = ("agent_logs", "provider_keys", "status_pages")
_ALL = "all"
_WORDS = {True: "allowed", False: "never", None: "not asked"}
_STYLES = {True: "green", False: "dim", None: "yellow"}


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    names = (*ITEMS, _ALL)
    for option, what in (
        ("--allow", "allow these"),
        ("--deny", "never use these, and do not ask"),
        ("--ask", "forget the answer, so that the dashboard asks again"),
    ):
        parser.add_argument(option, nargs="+", action="extend", choices=names, default=[], help=what)


def run(context: Context) -> int:
    """Change what is named, then show what holds. Raises `UsageError` where it cannot be kept."""
    wanted = _wanted(context)
    if wanted:
        from tui_monitor.config.edit import set_values

        file = context.config_file or places.config_file()
        set_values(file, {f"consent.{item}": answer for item, answer in wanted.items()})
        # What was read before is not what holds now.
        vars(context).pop("loaded", None)
        take_over(context)
    given = context.settings.consent
    rows = {item: getattr(given, item) for item in ITEMS}
    for item, answer in wanted.items():
        if rows[item] != answer:
            origin = context.loaded.layers.origin(("consent", item))
            context.out.note(f"note: {item} is {_WORDS[rows[item]]} all the same, by {origin}")
    offers = _offers(context)
    data = {item: {"allowed": answer, "found": _found(item, offers)} for item, answer in rows.items()}
    context.out.answer(data, lambda: _show(context, data))
    return 0


def _wanted(context: Context) -> dict[str, bool | None]:
    args, wanted = context.args, dict[str, bool | None]()
    for names, answer in ((args.allow, True), (args.deny, False), (args.ask, None)):
        for name in names:
            for item in ITEMS if name == _ALL else (name,):
                if item in wanted and wanted[item] != answer:
                    raise UsageError(f"{item} is named twice, with different answers")
                wanted[item] = answer
    return wanted


def _offers(context: Context) -> "Offers":
    import os
    from pathlib import Path

    from tui_monitor.sources.offers import find

    return find(os.environ, Path.home(), context.settings.agents, ())


def _found(item: str, offers: "Offers") -> list[str]:
    match item:
        case "agent_logs":
            return [agent.title for agent in offers.agents]
        case "provider_keys":
            return [variable for variable, _ in offers.keys]
        case _:
            return list(offers.pages)


def _show(context: Context, data: dict[str, Any]) -> None:
    from tui_monitor.cli.tables import Column, name, table

    rows = [
        [item, (_WORDS[row["allowed"]], _STYLES[row["allowed"]]), clean(", ".join(row["found"])) or "nothing"]
        for item, row in data.items()
    ]
    table(context.out, [Column("item"), Column("answer"), name("found here")], rows)
