"""`service`: the collector under the system's service manager, which keeps it running."""

import shlex
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import MonitorError, NotFound, UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.cli.services.api import Manager, Plan, State
    from tui_monitor.health.views import CollectorStatus

_WORDS = {
    "absent": "not installed",
    "current": "up to date",
    "older": "of an older version: `tui-monitor service install` writes it anew",
    "broken": "starts a program that is gone: `tui-monitor service install` writes it anew",
    "changed": "changed by hand since it was written",
    "foreign": "not written by tui-monitor",
}


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="status")
    sub = verbs.add("install", "write the service of this installation, and start it; again after an update")
    sub.add_argument(
        "--linger", action="store_true", help="let your services run while you are not logged in, too"
    )
    sub.add_argument("--dry-run", action="store_true", help="print what would be written, and do nothing")
    verbs.add("status", "how the service is, and what the collector says; 0 while it runs, else 1")
    verbs.add("uninstall", "stop the service and take it away; the data stays")
    examples(
        parser,
        """
        tui-monitor service install             # starts with your session
        tui-monitor service install --linger    # starts with the machine
        tui-monitor service status
        tui-monitor --db /srv/llm/monitor.db service install
        tui-monitor service uninstall
        """,
    )


def run(context: Context) -> int:
    """Do it. Raises `MonitorError`, also where there is no service manager."""
    if context.demo:
        # There is one service of this user, and it is not the demo's to replace or to take away.
        raise UsageError(
            "the service of this user collects into their own database, and the demo has none",
            hint="`tui-monitor --demo collect --detach` goes on without a screen",
        )
    from tui_monitor.cli.services import choose

    plan = choose.plan(context)
    dry = context.args.action == "install" and context.args.dry_run
    manager = choose.manager(shlex.join(plan.collect), asked=not dry)
    match context.args.action:
        case "install":
            return _install(context, manager, plan)
        case "uninstall":
            return _uninstall(context, manager, plan)
        case _:
            return _status(context, manager, plan.name)


def _install(context: Context, manager: "Manager", plan: "Plan") -> int:
    context.loaded  # noqa: B018  # a configuration that is wrong is told now, and not by a service that fails
    path, text = manager.file(plan.name), manager.text(plan)
    before = manager.standing(plan.name)
    if before in ("foreign", "changed"):
        raise MonitorError(
            f"{path} is {_WORDS[before]}", hint="it is left alone; move it away, and install again"
        )
    changed = before == "absent" or path.read_bytes() != text.encode("utf-8", "surrogateescape")
    done = {"manager": manager.title, "name": plan.name, "file": path, "changed": changed, "text": text}
    if not context.out.json:
        _show_text(context, path, text, changed)
    if context.args.dry_run:
        context.out.answer({**done, "dry_run": True}, lambda: None)
        return 0
    _refuse_second(context, manager, plan.name)
    _make_secrets(plan.secrets)
    manager.install(plan, changed=changed)
    if context.args.linger:
        manager.let_linger()
    state = manager.state(plan.name)

    def show() -> None:
        context.out.line(
            f"{plan.name} runs, pid {state.pid or '?'}; variables for it go into {clean(str(plan.secrets))}"
        )

    form = {**done, "pid": state.pid, "linger": manager.linger(), "variables": plan.secrets}
    context.out.answer(form, show, _notes(manager))
    return 0


def _show_text(context: Context, path: Path, text: str, changed: bool) -> None:
    context.out.line(f"{clean(str(path), 500)}{'' if changed else ' is up to date'}")
    if changed:
        for line in text.splitlines():
            context.out.line(f"  {clean(line, 2_000)}")


def _refuse_second(context: Context, manager: "Manager", name: str) -> None:
    from tui_monitor.store.lock import held_by

    owner = held_by(context.database)
    if owner is None or owner == manager.state(name).pid:
        return
    who = f"process {owner}" if owner else "another process"
    raise MonitorError(
        f"{who} is writing {context.database} already",
        hint="`tui-monitor collect --stop` ends a collector, `q` a dashboard; then install again",
    )


def _make_secrets(path: Path) -> None:
    """An empty file that only its owner reads, so that nobody writes a key into one that all may read."""
    from tui_monitor.config import places
    from tui_monitor.server.named import write_private

    if not path.exists():
        places.private(path.parent)
        write_private(path, b"# NAME=value lines: what the service gets besides, such as API keys.\n")


def _notes(manager: "Manager") -> list[str]:
    from tui_monitor.cli.services.choose import left_behind

    notes: list[str] = []
    if manager.linger() is False:
        notes.append("it ends when you log out; `tui-monitor service install --linger` lets it run on")
    if names := left_behind():
        notes.append(f"set in this shell, and not for the service: {clean(', '.join(names), 400)}")
    return notes


def _uninstall(context: Context, manager: "Manager", plan: "Plan") -> int:
    path, found = manager.file(plan.name), manager.standing(plan.name)
    if found == "absent":
        raise NotFound(f"no service {plan.name} is installed", hint=f"there is no {path}")
    if found == "foreign":
        raise MonitorError(f"{path} is {_WORDS[found]}", hint="it is left alone")
    manager.uninstall(plan.name)
    data = {"name": plan.name, "removed": path, "database": context.database}
    words = f"{plan.name} is gone; the data stays: {clean(str(context.database), 500)}"
    left = [f"{clean(str(plan.secrets), 500)} stays, too"] if plan.secrets.exists() else []
    context.out.answer(data, lambda: context.out.line(words), left)
    return 0


def _status(context: Context, manager: "Manager", name: str) -> int:
    from tui_monitor.cli.services import looking

    state = manager.state(name)
    collector = looking.collector(context.database)
    notes = looking.troubles(manager, state)
    form = {**asdict(state), "running": state.running, "collector": collector}
    context.out.answer(form, lambda: _show(context, state, collector), notes)
    return 0 if state.running else 1


def _show(context: Context, state: "State", collector: "CollectorStatus | None") -> None:
    from tui_monitor.cli.services import looking

    lines = looking.lines(state, collector, context.settings.calendar(), _WORDS[state.standing])
    width = max(len(name) for name, _ in lines)
    for name, words in lines:
        context.out.line(f"{name:<{width}}  {clean(words, 600)}")
    for line in state.log:
        context.out.line(f"  {line}")
