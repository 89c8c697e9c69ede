"""`dashboards`: list, make, edit and show the boards of panels."""

import os
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli import ranges
from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.times import instant
from tui_monitor.config import boards, places
from tui_monitor.model.clock import HOUR
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import TimeRange

if TYPE_CHECKING:
    from tui_monitor.config.boards import Board

_TITLE = re.compile(r"^title\s*=.*$", re.MULTILINE)


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="list")
    verbs.add("list", "every dashboard, and what is wrong with it")
    new = verbs.add("new", "write a file to start from; none that is there is ever replaced")
    new.add_argument("name", metavar="NAME", help="its name: letters, digits, - and _")
    new.add_argument("--like", metavar="NAME", help="a copy of this one; else a file that explains itself")
    edit = verbs.add("edit", "open one in $VISUAL or $EDITOR and check it; of a shipped one, a copy of yours")
    edit.add_argument("name", metavar="NAME")
    check = verbs.add("check", "say what is wrong with one, or with all; exit code 1 if something is")
    check.add_argument("name", metavar="NAME", nargs="?")
    show = verbs.add("show", "every panel as text, all from one moment")
    show.add_argument("name", metavar="NAME")
    ranges.arguments(show, "of this range instead of the last hour")
    show.add_argument("--at", metavar="TIME", help="as of this moment instead of now")
    examples(
        parser,
        """
        tui-monitor dashboards
        tui-monitor dashboards show application --range today
        tui-monitor dashboards new my-team --like application
        tui-monitor dashboards edit my-team
        tui-monitor dashboards check my-team
        tui-monitor --json dashboards show executive
        """,
    )


def run(context: Context) -> int:
    """Do one of them; raises `UsageError`, `NotFound` and `StoreError`."""
    args = context.args
    match args.action:
        case "new":
            return _new(context)
        case "edit":
            return _edit(context)
        case "check":
            return _check(context)
        case "show":
            from tui_monitor.cli.boardtext import show

            board = boards.find(boards.load_boards(folder(context)), args.name)
            _whole(board)
            at = instant(args.at, context.calendar, context.now) if args.at else None
            asked = ranges.asked(args, context.calendar, context.now, TimeRange(), at)
            return show(context, board, asked or TimeRange(HOUR, at))
        case _:
            return _list(context)


def folder(context: Context) -> Path:
    """Where one's own are: beside the configuration file."""
    return boards.folder(context.config_file or places.config_file())


def _list(context: Context) -> int:
    from tui_monitor.cli.tables import BAD, DIM, Column, name, number, table

    found = boards.load_boards(folder(context))
    data = [
        {
            "name": board.name,
            "title": board.title,
            "about": board.about,
            "panels": len(board.panels),
            "shipped": board.shipped,
            "file": board.path,
            "problems": list(board.problems),
        }
        for board in found
    ]
    rows = [
        [
            board.name,
            ("broken", BAD) if board.problems else str(len(board.panels)),
            ("shipped" if board.shipped else "yours", DIM),
            board.about if not board.problems else board.problems[0],
        ]
        for board in found
    ]
    columns = [Column("dashboard"), number("panels"), Column("from", rank=1), name("about")]
    context.out.answer(data, lambda: table(context.out, columns, rows))
    if not context.out.json:
        context.out.note(f"note: yours are in {folder(context)}")
    return 0


def _whole(board: "Board") -> None:
    """Raises `UsageError` with all that is wrong with a file."""
    if board.problems:
        raise UsageError("\n".join(board.problems), hint=f"`tui-monitor dashboards edit {board.name}`")


def _new(context: Context) -> int:
    from tui_monitor.config import resources
    from tui_monitor.config.toml import read_text

    args = context.args
    like = args.like and boards.find(boards.load_boards(folder(context)), args.like)
    text = read_text(like.path) if like else resources.example_dashboard()
    path = _write(context, args.name, _titled(text, args.name))
    context.out.answer({"path": path}, lambda: context.out.line(f"written: {path}"))
    if not context.out.json:
        context.out.note(f"`:{args.name}` in the dashboard shows it; `dashboards edit {args.name}` opens it")
    return 0


def _titled(text: str, name: str) -> str:
    """A file with a title of its own, so that the list tells it from the one it is like."""
    words = re.sub("[-_]+", " ", name).strip()
    return _TITLE.sub(f'title = "{words[:1].upper()}{words[1:]}"', text, count=1)


def _write(context: Context, name: str, text: str) -> Path:
    """A new file; raises `UsageError` where there is one, or for a name that is none."""
    if not boards.good_name(name):
        raise UsageError(
            f"no name for a dashboard: {clean(name, 60)!r}", hint="letters, digits, - and _, like my-team"
        )
    path = folder(context) / f"{name}.toml"
    try:
        places.private(path.parent)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint=f"`tui-monitor dashboards edit {name}`") from None
    except OSError as error:
        raise MonitorError(f"cannot write {path}: {error.strerror}") from error
    return path


def _edit(context: Context) -> int:
    import shlex
    import subprocess

    from tui_monitor.config.toml import read_text

    board = boards.find(boards.load_boards(folder(context)), context.args.name)
    path = _write(context, board.name, read_text(board.path)) if board.shipped else board.path
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        ran = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        raise MonitorError(f"cannot start {clean(editor, 60)!r}", hint="set EDITOR to your editor") from error
    if ran.returncode:
        raise MonitorError(f"{clean(editor, 60)} ended with {ran.returncode}", hint=f"the file is {path}")
    context.args.name = board.name
    return _check(context)


def _check(context: Context) -> int:
    from tui_monitor.cli.boardcheck import wrong_with

    found = boards.load_boards(folder(context))
    chosen = [boards.find(found, context.args.name)] if context.args.name else found
    said = {board.name: wrong_with(context, board) for board in chosen}
    data = [{"name": name, "problems": problems, "notes": notes} for name, (problems, notes) in said.items()]

    def show() -> None:
        for name, (problems, notes) in said.items():
            context.out.line(f"{name}: {'broken' if problems else 'good'}")
            for problem in problems:
                for line in problem.splitlines():
                    context.out.line(f"  {line}")
            for note in notes:
                context.out.note(f"note: {note}")

    context.out.answer(data, show)
    return 1 if any(problems for problems, _ in said.values()) else 0
