"""Queries with a name, for `query`: listed, kept, or put in the place of the text that is asked."""

from tui_monitor.cli.context import Context
from tui_monitor.config import places
from tui_monitor.config.saved import save_query, saved_file, saved_queries
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.query.language import nearest


def is_done(context: Context) -> bool:
    """Whether that was all; else the saved query stands where one is typed. Raises `UsageError`."""
    args, out = context.args, context.out
    config = context.config_file
    path = saved_file(config.expanduser().absolute() if config else places.config_file())
    if args.save is not None:
        if args.text is None or args.saved is not None:
            raise UsageError("--save NAME takes the query to keep behind it")
        save_query(path, args.save, args.text)
        out.answer({args.save: args.text}, lambda: out.line(f"saved as {args.save} in {path}"))
        return True
    known = saved_queries(path)
    if not args.saved:
        if args.text is not None:
            raise UsageError("--saved takes the name of a query; QUERY is asked without it")
        out.answer(known, lambda: _show(context, known))
        return True
    if args.saved not in known:
        meant = nearest(args.saved, known)
        asked = f", did you mean {meant}?" if meant else ""
        raise UsageError(f"no query is saved as {args.saved}{asked}", hint="`query --saved` lists them")
    if args.text is not None:
        raise UsageError("either a saved query or one that is typed")
    args.text = known[args.saved]
    return False


def _show(context: Context, known: dict[str, str]) -> None:
    if not known:
        context.out.line("no query is saved; `query --save NAME QUERY` keeps one, and s on the Query pane")
    width = max(map(len, known), default=0)
    for name, text in known.items():
        context.out.line(f"{clean(name):<{width}}  {clean(' '.join(text.split()))}")
