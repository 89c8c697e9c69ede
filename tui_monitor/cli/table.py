"""Every verb: which module does it, and what it is for. Reading this loads none of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the command line."""

    name: str
    help: str
    module: str
    elsewhere: bool = False
    """Whether it can ask a collector on another machine."""


def _verb(name: str, help_line: str, module: str | None = None, *, elsewhere: bool = False) -> Verb:
    return Verb(name, help_line, f"tui_monitor.cli.{module or name}", elsewhere)


DASHBOARD = _verb("", "the dashboard", "dashboard", elsewhere=True)
VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        _verb("collect", "collect without a screen, until told to stop"),
        _verb("import", "load traces from files; `list` and `undo` imports", "import_"),
        _verb("status", "one look at everything; the exit code tells how it is", elsewhere=True),
        _verb("metrics", "one metric over time or by group, from flags", elsewhere=True),
        _verb("query", "ask a query and print or chart the answer", elsewhere=True),
        _verb("calls", "single calls: the newest, of a filter, or one whole", "onecall", elsewhere=True),
        _verb("costs", "spend by model, provider, user …, projection and budgets", elsewhere=True),
        _verb("prices", "which price holds for a model"),
        _verb("reprice", "price stored calls anew, after the prices have changed"),
        _verb("alerts", "list, acknowledge, and look into alerts", elsewhere=True),
        _verb("rules", "list, check, write and switch the alert rules"),
        _verb("sources", "each way in and how it is doing; pause and resume one", elsewhere=True),
        _verb("events", "what the collector tells, as it happens", elsewhere=True),
        _verb("dashboards", "boards of panels of your own: list, make, edit, check, show", elsewhere=True),
        _verb("db", "look after the database: sizes, check, backup, restore"),
        _verb("config", "show, check, find or write the configuration"),
        _verb("token", "the token that opens the TCP door"),
        _verb("service", "let the system run the collector, from the start of the machine on"),
        _verb("doctor", "what is wrong with this machine or installation, and what to do"),
    )
}
