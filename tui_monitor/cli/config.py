"""`config`: what holds and why, what is wrong, where it stands, and an example to start from."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.cli import consenting
from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.config.load import Loaded


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="show")
    verbs.add("show", "every value that holds and where it comes from; never a secret")
    verbs.add("check", "say everything that is wrong; exit code 2 if something is")
    verbs.add("keys", "every command of the dashboard with its keys, and what is wrong with yours")
    verbs.add("path", "where the files are")
    init = verbs.add("init", "write the example file, every key with its default")
    init.add_argument("--force", action="store_true", help="replace a file that is there")
    theme = verbs.add("theme", "the colour themes there are; with a name, that one as a file to start from")
    theme.add_argument("name", nargs="?", metavar="NAME", help="a theme that comes with the program")
    consenting.arguments(verbs.add("consent", "show or say what may be used of what is on this machine"))
    examples(
        parser,
        """
        tui-monitor config
        tui-monitor config check --config new.toml
        tui-monitor config keys
        tui-monitor config init
        tui-monitor config theme tui-monitor-light > ~/.config/tui-monitor/themes/mine.toml
        tui-monitor config consent --allow agent_logs status_pages --deny provider_keys
        """,
    )


def run(context: Context) -> int:
    """Do one of them; raises `UsageError` for a configuration that is wrong."""
    match context.args.action:
        case "check":
            return _check(context)
        case "keys":
            return _keys(context)
        case "path":
            return _path(context)
        case "init":
            return _init(context)
        case "theme":
            return _theme(context)
        case "consent":
            return consenting.run(context)
        case _:
            return _show(context)


def _show(context: Context) -> int:
    from tui_monitor.cli.tables import Column, name, table

    rows = values(context.loaded)
    data = [{"key": key, "value": value, "origin": origin} for key, value, origin in rows]
    cells = [[key, value, (origin, "dim" if origin == "default" else "")] for key, value, origin in rows]
    columns = [Column("key"), name("value"), name("from", 1)]
    context.out.answer(data, lambda: table(context.out, columns, cells), context.loaded.warnings)
    return 0


def values(loaded: "Loaded") -> list[tuple[str, str, str]]:
    """Key, value as it is written, origin; secrets replaced by stars."""
    from tui_monitor.config.problems import dotted
    from tui_monitor.config.shown import every

    return [
        (dotted(where), _shown(key, value), loaded.layers.origin(where))
        for where, key, value in every(loaded.settings)
    ]


def _shown(key: Any, value: Any) -> str:
    from tui_monitor.config.logs import redactor
    from tui_monitor.config.redact import HIDDEN
    from tui_monitor.config.shown import harmless, is_secret, presentable
    from tui_monitor.config.written import written

    if value is None:
        return ""
    if is_secret(key, value):
        return HIDDEN
    redactor.learn_variables(os.environ)
    return harmless(written(key.field, presentable(key, value)))


def _check(context: Context) -> int:
    loaded = context.loaded
    if wrong := _wrong_keys(context):
        raise UsageError("\n".join(wrong), hint="`tui-monitor config keys` lists commands and keys")
    from tui_monitor.cli.rulecheck import problems

    broken = [problem for problem in problems(context) if problem.fatal]
    if broken:
        lines = [f"alerts.rules: {problem.rule}:\n{problem.message}" for problem in broken]
        raise UsageError("\n".join(lines), hint="see `tui-monitor rules check`")
    _check_themes(context)
    where = str(loaded.file) if loaded.file else "no file, the defaults hold"
    data = {"file": loaded.file, "valid": True}
    context.out.answer(data, lambda: context.out.line(f"the configuration is good: {where}"), loaded.warnings)
    return 0


def _check_themes(context: Context) -> None:
    """Refuse theme files that are wrong, and a theme that is none."""
    from tui_monitor.config import theming
    from tui_monitor.config.palettes import OF_THE_TOOLKIT, SHIPPED
    from tui_monitor.config.problems import nearest

    own = theming.load_themes(_themes_folder(context))
    if own.problems:
        raise UsageError(
            "\n".join(own.problems), hint="`tui-monitor config theme NAME` prints one to start from"
        )
    wanted = context.loaded.settings.screen.theme
    known = ["auto", *SHIPPED, *own.palettes, *OF_THE_TOOLKIT]
    if wanted not in known:
        raise UsageError(
            f"screen.theme: no theme is called {clean(wanted, 40)!r}{nearest(wanted, known)}",
            hint="`tui-monitor config theme` lists them",
        )


def _themes_folder(context: Context) -> Path:
    from tui_monitor.config import places, theming

    return theming.folder(context.config_file or places.config_file())


def _wrong_keys(context: Context) -> list[str]:
    """What is wrong with `[keys]`, each with where it stands."""
    from tui_monitor.tui.keymap import Keymap

    loaded = context.loaded
    faults = Keymap(loaded.settings.keys.model_dump()).faults
    return [f"{loaded.layers.place(('keys', *fault.path))}: {fault}" for fault in faults]


def _keys(context: Context) -> int:
    from tui_monitor.cli.tables import Column, name, table
    from tui_monitor.tui.keymap import Keymap
    from tui_monitor.tui.keynames import shown_key

    keymap = Keymap(context.settings.keys.model_dump())
    data = [
        {
            "id": c.id,
            "keys": [shown_key(key) for key in c.keys.split(",") if key],
            "where": c.pane or "everywhere",
            "help": c.help,
            "changed": c.id in keymap.changes,
        }
        for c in keymap.commands
    ]
    cells = [
        [row["id"], ("  ".join(row["keys"]), "accent" if row["changed"] else ""), row["where"], row["help"]]
        for row in data
    ]
    columns = [name("command", 1), Column("keys"), Column("where"), Column("what it does")]
    context.out.answer(data, lambda: table(context.out, columns, cells), _wrong_keys(context))
    return 0


def _path(context: Context) -> int:
    from tui_monitor.cli.tables import facts

    settings = context.settings
    from tui_monitor.config.logs import log_path

    config = context.config_file or places.config_file()
    found = {
        "config": config,
        "database": settings.database_path(),
        "log": log_path(settings.log),
        "token": places.token_file(),
        "socket": places.socket_path(settings.database_path()),
    }
    context.out.answer(found, lambda: facts(context.out, [(key, str(path)) for key, path in found.items()]))
    return 0


def _init(context: Context) -> int:
    from tui_monitor.config.resources import example_config

    path = context.config_file or places.config_file()
    if path.exists() and not context.args.force:
        raise MonitorError(f"{path} is there already", hint="--force replaces it")
    try:
        places.private(path.parent)
        _write(path, example_config())
    except OSError as error:
        raise MonitorError(f"cannot write {path}: {error.strerror}") from error
    context.out.answer({"path": path}, lambda: context.out.line(f"written: {path}"))
    return 0


def _theme(context: Context) -> int:
    from tui_monitor.config import theming
    from tui_monitor.config.palettes import SHIPPED
    from tui_monitor.config.problems import nearest

    name = context.args.name
    if name is None:
        return _themes(context)
    if name not in SHIPPED:
        raise UsageError(
            f"no theme called {clean(name)} comes with the program{nearest(name, list(SHIPPED))}"
        )
    text = theming.written(name)
    context.out.answer({"name": name, "file": text}, lambda: context.out.line(text.rstrip("\n")))
    return 0


def _themes(context: Context) -> int:
    from tui_monitor.cli.tables import Column, name, table
    from tui_monitor.config import theming
    from tui_monitor.config.palettes import SHIPPED

    folder = _themes_folder(context)
    own = theming.load_themes(folder)
    rows = [(key, one.mode, one.about, "") for key, one in SHIPPED.items()]
    rows += [(key, one.mode, one.about, str(folder / f"{key}.toml")) for key, one in own.palettes.items()]
    data = [
        {"name": key, "mode": mode, "about": about, "file": file or None} for key, mode, about, file in rows
    ]
    columns = [Column("theme"), Column("mode"), name("for"), name("file", 1)]
    cells = [list(row) for row in rows]
    context.out.answer(data, lambda: table(context.out, columns, cells), own.problems)
    return 0


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for the owner alone."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(
            fresh, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)
        ) as file:
            file.write(text)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
