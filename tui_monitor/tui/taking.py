"""Taking along what a pane shows: a file, or the clipboard. Each says what it took, and where it went."""

import asyncio
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean
from tui_monitor.tui.clipboard import copying
from tui_monitor.tui.exporting import Export, as_json, file_name, save
from tui_monitor.tui.naming import place_of
from tui_monitor.tui.paint.painted import write_to_terminal
from tui_monitor.tui.screens.saving import Chosen, SaveDialog

if TYPE_CHECKING:
    from tui_monitor.tui.screens.dashboard import Dashboard

_FONTS = re.compile(r"\s*@font-face \{[^}]*\}")
_TOLD = 60
"""Characters of what was copied that are told."""


def copy(app: App[Any], taken: tuple[str, str] | None) -> None:
    """Copy a text to the terminal's clipboard; `taken` is what it is, and the text."""
    if taken is None:
        app.notify("nothing is under the cursor to be copied", severity="warning")
        return
    what, text = taken
    sequence = copying(text, os.environ)
    if sequence is None:
        app.notify(f"the {what} is too long for the clipboard: x writes it to a file", severity="warning")
        return
    if not write_to_terminal(app, sequence):
        app.notify("not copied: the terminal takes nothing now", severity="warning")
        return
    app.notify(f"copied the {what}: {clean(text, _TOLD)}")


def ask_where(dashboard: "Dashboard", export: Export, now: int | None) -> None:
    """Ask for a kind of file and its name, and write it."""
    snapshot = dashboard.snapshot
    if snapshot is None:
        dashboard.app.notify("nothing is shown yet", severity="warning")
        return
    name = file_name(export.name, "", snapshot.at if now is None else now, snapshot.calendar)
    stem = f"~/{name.removesuffix('.')}"

    def take(chosen: Chosen | None) -> None:
        if chosen is not None:
            # A picture is taken when the dialog is gone.
            dashboard.call_after_refresh(
                lambda: dashboard.run_worker(partial(_write, dashboard, export, chosen), group="export")
            )

    dashboard.app.push_screen(SaveDialog(export, stem), take)


def picture_of(app: App[Any]) -> str:
    """The screen as SVG that loads nothing when it is looked at: the toolkit's fetches a font."""
    return _FONTS.sub("", app.export_screenshot(title="tui-monitor"))


async def _write(dashboard: "Dashboard", export: Export, chosen: Chosen) -> None:
    app = dashboard.app
    picture = picture_of(app) if chosen.kind == "svg" else ""
    try:
        await asyncio.to_thread(_save, export, chosen, picture)
    except MonitorError as error:
        app.notify(error.message, severity="error")
        return
    app.notify(f"written to {place_of(chosen.path)}")


def _save(export: Export, chosen: Chosen, picture: str) -> None:
    if chosen.kind == "csv":
        content = b"" if export.table is None else export.table.csv()
    else:
        content = picture.encode("utf-8", "replace") if chosen.kind == "svg" else as_json(export.data)
    save(chosen.path, content, replace=chosen.replace)
