"""`token`: what opens the TCP door, for whom."""

from argparse import ArgumentParser

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.times import written
from tui_monitor.config import places
from tui_monitor.model.clock import iso
from tui_monitor.model.errors import NotFound
from tui_monitor.model.units import UNKNOWN
from tui_monitor.server.roles import Role


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="show")
    verbs.add("show", "print the default token; it is made at first use, in a file that only you can read")
    verbs.add("path", "print where that file is")
    verbs.add("url", "print the address that it opens: where the running collector listens")
    verbs.add("list", "show every token: what it may do, when it was made and last used")
    sub = verbs.add("add", "make a token with a name; it is printed now, and never again")
    sub.add_argument("name", metavar="NAME", help="what it is called: letters, digits, `.`, `_` and `-`")
    sub.add_argument(
        "--role",
        required=True,
        choices=[role.value for role in Role],
        help="push: send data; read: look; operate: read, push, and change",
    )
    sub = verbs.add("rotate", "put a new token in place of one, which opens nothing from now on")
    sub.add_argument("name", nargs="?", metavar="NAME", help="which one (default: the default token)")
    sub = verbs.add("remove", "take a token with a name away; it opens nothing from now on")
    sub.add_argument("name", metavar="NAME", help="which one")
    examples(
        parser,
        """
        curl -H "Authorization: Bearer $(tui-monitor token)" "$(tui-monitor token url)/monitor/v1/snapshot"
        tui-monitor token add search-app --role push
        tui-monitor token add grafana --role read
        tui-monitor token rotate
        """,
    )


def run(context: Context) -> int:
    """Do it; raises `MonitorError` where a file cannot be read or written, or there is no such token."""
    return {
        "show": _show,
        "path": _path,
        "url": _url,
        "list": _list,
        "add": _add,
        "rotate": _rotate,
        "remove": _remove,
    }[context.args.action or "show"](context)


def _show(context: Context) -> int:
    from tui_monitor.server.tokens import read_or_make

    return _told(context, read_or_make(places.token_file()))


def _path(context: Context) -> int:
    path = places.token_file()
    context.out.answer({"path": path}, lambda: print(path))
    return 0


def _url(context: Context) -> int:
    import socket
    from urllib.parse import urlsplit

    try:
        url = places.url_path(context.database).read_text(encoding="ascii").strip()
        found = urlsplit(url)
        with socket.create_connection((found.hostname or "", found.port or 0), timeout=1.0):
            pass
    except (OSError, ValueError) as error:
        raise NotFound(
            f"no collector of {context.database} listens",
            hint="`tui-monitor collect --detach` starts one; `tui-monitor status` says how its doors are",
        ) from error
    context.out.answer({"url": url}, lambda: print(url))
    return 0


def _list(context: Context) -> int:
    from tui_monitor.cli.tables import Column, table
    from tui_monitor.server.named import DEFAULT, NamedTokens, Used, made_at

    used = Used(places.used_tokens_file()).read()
    tokens = [(DEFAULT, Role.OPERATE, made_at(places.token_file()))]
    tokens += [(it.name, it.role, it.created) for it in NamedTokens(places.named_tokens_file()).all()]
    rows = [
        # A name that is given anew begins anew.
        (name, role, made, used[name] if name in used and made is not None and used[name] >= made else None)
        for name, role, made in tokens
    ]

    def show() -> None:
        calendar = context.settings.calendar()
        cells = [
            (name, str(role), *(UNKNOWN if at is None else written(at, calendar) for at in (made, last)))
            for name, role, made, last in rows
        ]
        columns = (Column("name"), Column("role"), Column("made"), Column("last used"))
        table(context.out, columns, cells)

    form = [
        {"name": name, "role": role, "created": made and iso(made), "last_used": last and iso(last)}
        for name, role, made, last in rows
    ]
    context.out.answer(form, show)
    return 0


def _add(context: Context) -> int:
    from tui_monitor.server.named import NamedTokens

    args = context.args
    tokens = NamedTokens(places.named_tokens_file())
    return _told(context, tokens.add(args.name, Role(args.role), context.clock.now()), once=True)


def _rotate(context: Context) -> int:
    from tui_monitor.server.named import DEFAULT, NamedTokens
    from tui_monitor.server.tokens import replace

    name = context.args.name or DEFAULT
    if name == DEFAULT:
        return _told(context, replace(places.token_file()))
    tokens = NamedTokens(places.named_tokens_file())
    return _told(context, tokens.rotate(name, context.clock.now()), once=True)


def _remove(context: Context) -> int:
    from tui_monitor.server.named import NamedTokens

    name = context.args.name
    NamedTokens(places.named_tokens_file()).remove(name)
    context.out.answer({"removed": name}, lambda: print(f"{name} opens nothing from now on"))
    return 0


def _told(context: Context, token: str, *, once: bool = False) -> int:
    context.out.answer({"token": token}, lambda: print(token))
    if once and not context.out.json:
        context.out.note("this is shown once: only its digest is kept")
    return 0
