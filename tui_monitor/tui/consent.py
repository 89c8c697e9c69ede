"""When the dashboard asks what may be used, and what becomes of the answers."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.model.errors import MonitorError, UsageError
from tui_monitor.tui.link import ask
from tui_monitor.tui.panes.table import PANES

if TYPE_CHECKING:
    from tui_monitor.monitor.consent import Asking
    from tui_monitor.tui.screens.dashboard import Dashboard
    from tui_monitor.tui.widgets.consent import Form

COMMAND = "consent"
_SHOWN = 8
"""Lines of the configuration that are shown where it cannot be written."""


class Consenting:
    """Asks once, after the first look at the data; and again whenever somebody wants it."""

    def __init__(self, screen: "Dashboard") -> None:
        self._screen = screen
        self._begun = False
        self._pending = False
        self._kept: Form | None = None
        """The answers given in this run."""

    def skipped(self) -> tuple[str, ...]:
        """The command is offered in the footer while there are questions without an answer."""
        return () if self._pending else (COMMAND,)

    def begin(self, *, empty: bool) -> None:
        """Ask if something was never answered. Where there is no data yet, the question has the focus."""
        settings = self._screen.backend.settings
        if self._begun or settings is None or self._elsewhere or settings.screen.read_only:
            return
        self._begun = True
        given = settings.consent
        if None in (given.agent_logs, given.provider_keys, given.status_pages):
            self._screen.run_worker(self._offer(wanted=False, focus=empty), group="consent", exclusive=True)

    def ask(self) -> None:
        """Somebody wants to answer, or to change an answer."""
        if self._elsewhere:
            self._screen.app.notify("what the collector may use is said on its own machine")
            return
        found = self._screen.query("#consent")
        if found:
            found.first().add_class("-asked").focus()
        else:
            self._screen.run_worker(self._offer(wanted=True, focus=True), group="consent", exclusive=True)

    def moved(self) -> None:
        """Another pane is shown. A class of the screen would have the styles of all widgets matched anew."""
        for banner in self._screen.children:
            if banner.id == "consent":
                banner.set_class(self._away, "-away")

    @property
    def _away(self) -> bool:
        return self._screen.active != PANES[0].id

    @property
    def _elsewhere(self) -> bool:
        """Whether what is shown is collected on another machine, of which this one knows nothing."""
        return self._screen.backend.state.line is not None

    async def _offer(self, *, wanted: bool, focus: bool) -> None:
        asking = await self._look()
        if asking is None:
            return
        self._pending = asking.open
        self._screen.show_footer()
        if not any(map(asking.there, asking.given)):
            if wanted:
                self._screen.app.notify("nothing found on this machine that could be used")
            return
        if not (wanted or asking.open):
            return
        from tui_monitor.tui.widgets.consent import ConsentBanner, Form

        banner = ConsentBanner(Form(asking))
        # What nobody asked for stands on the first pane alone.
        banner.set_class(wanted, "-asked")
        banner.set_class(self._away, "-away")
        await self._screen.mount(banner, before="#panes")
        if focus:
            banner.focus()

    async def _look(self) -> "Asking | None":
        from tui_monitor.monitor.consent import look, providers_used

        settings = self._screen.backend.settings
        if settings is None:
            return None
        try:
            used = await ask(self._screen.backend, providers_used)
        except MonitorError:
            used = ()
        asking = await asyncio.to_thread(look, settings, os.environ, _home(), used)
        if self._kept is None:
            return asking
        given = {**asking.given, **self._kept.answers}
        return replace(asking, given=given, billing={**asking.billing, **self._kept.billing})

    def decided(self, form: "Form | None") -> None:
        """Keep the answers, or none for now."""
        if form is None or all(answer is None for answer in form.answers.values()):
            self._close()
        else:
            self._screen.run_worker(self._keep(form), group="consent", exclusive=True)

    async def _keep(self, form: "Form") -> None:
        from tui_monitor.config.edit import set_values
        from tui_monitor.monitor.consent import as_settings

        values, file = as_settings(form.answers, form.billing), self._screen.backend.config_file
        try:
            await asyncio.to_thread(set_values, file, values)
        except UsageError as error:
            self._cannot_write(file, values, error)
            return
        self._kept = form
        self._pending = None in form.answers.values()
        self._close()
        try:
            await ask(self._screen.backend, lambda monitor: monitor.reload())
        except MonitorError as error:
            words = f"kept in {file}, but not taken over: {error.message}"
            self._screen.app.notify(words, severity="warning")
        else:
            self._screen.app.notify(f"kept in {file}")

    def _cannot_write(self, file: Path, values: dict[str, Any], error: UsageError) -> None:
        from tui_monitor.monitor.consent import as_text
        from tui_monitor.tui.widgets.consent import ConsentBanner

        lines = [
            (error.message.splitlines()[0], "crit bold"),
            (f"Write this into {file} yourself:", "warn"),
            *((f"  {line}", "bright") for line in as_text(values)[:_SHOWN]),
        ]
        self._screen.query_one(ConsentBanner).tell(lines)

    def _close(self) -> None:
        found = self._screen.query("#consent")
        focused = bool(found) and found.first().has_focus
        found.remove()
        if focused:
            self._screen.pane.first().focus()
        self._screen.show_footer()


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None
