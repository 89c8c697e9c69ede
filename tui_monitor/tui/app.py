"""The dashboard as an application. It draws its frame first; all that is slow comes after."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel

from tui_monitor.config import resources
from tui_monitor.model.clock import SECOND
from tui_monitor.model.text import clean
from tui_monitor.tui import theme
from tui_monitor.tui.drawing import Glyphs, detect, safe, terminal_encoding
from tui_monitor.tui.link import Backend
from tui_monitor.tui.messages import BackendChanged
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.toolkit import QuietEnd, mouse_off

if TYPE_CHECKING:
    from textual.command import Provider

    from tui_monitor.config.load import Settings
    from tui_monitor.monitor.thread import ThreadState

log = logging.getLogger(__name__)


def _palette() -> "type[Provider]":
    from tui_monitor.tui.palette import CommandList

    return CommandList


_SHEETS = ("app", "dashboard", *(entry.id for entry in PANES))


class MonitorApp(QuietEnd, inherit_bindings=False):
    """Themes, settings, and the life of the collector's thread; everything to be seen is in the screens."""

    TITLE = "tui-monitor"
    CSS_PATH: ClassVar = [str(resources.style(f"{name}.tcss")) for name in _SHEETS]
    COMMANDS: ClassVar = {_palette}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "Quit", show=False, id="app.quit")]
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        backend: Backend,
        *,
        host: str = "",
        environ: Mapping[str, str] = os.environ,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`timer` counts seconds; it measures how long answers take."""
        super().__init__(ansi_color=False)
        self.backend = backend
        self.timer = timer
        self.glyphs: Glyphs = detect("auto", terminal_encoding(environ))
        self.set_class(self.glyphs.plain, "-plain")
        self._environ = environ
        self._dashboard = Dashboard(backend, host or clean(socket.gethostname(), 32))
        self._settled = False
        theme.install(self)
        self.theme = theme.DEFAULT

    def get_css_variables(self) -> dict[str, str]:
        base = super().get_css_variables()
        self.theme_variables = {**theme.variables(base), **base}
        return self.theme_variables

    def get_default_screen(self) -> Dashboard:
        return self._dashboard

    def on_mount(self) -> None:
        # The first paint must not wait for anything: the thread begins when it is done.
        self.call_after_refresh(self._begin)
        if threading.current_thread() is threading.main_thread() and not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.exit)

    def _begin(self) -> None:
        self.backend.start()
        self.backend.subscribe(self._tell)

    def _tell(self, state: "ThreadState") -> None:
        # Called on the other thread, and when the app is ending too.
        self.post_message(BackendChanged(state))

    def on_backend_changed(self, event: BackendChanged) -> None:
        """Take the settings over once they are there; a wrong configuration ends the app."""
        state, settings = event.state, self.backend.settings
        if state.mode == "failed" and settings is None and state.error is not None:
            hint = f"\nhint: {state.error.hint}" if state.error.hint else ""
            self.end_with(f"tui-monitor: {state.error.message}{hint}", state.error.exit_code)
            return
        if settings is not None and not self._settled:
            self._settled = True
            self._settle(settings)
        self._dashboard.backend_changed(state)

    def _settle(self, settings: "Settings") -> None:
        screen = settings.screen
        if screen.theme in self.available_themes:
            self.theme = screen.theme
        else:
            self.notify(f"no theme is called {screen.theme}", severity="warning")
        glyphs = detect(screen.drawing, terminal_encoding(self._environ))
        if glyphs != self.glyphs:
            self.glyphs = glyphs
            self.set_class(glyphs.plain, "-plain")
            self.refresh_css()
        if not screen.mouse:
            mouse_off(self)
        self._dashboard.begin(screen.range, max(screen.update_interval, SECOND // 10))

    def action_use_theme(self, name: str) -> None:
        """Show everything in other colours."""
        self.theme = name

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A toast. Whatever the text is, it is text: no markup, nothing that drives the terminal."""
        lines = "\n".join(safe(line, self.glyphs) for line in message.split("\n"))
        super().notify(lines, title=title, severity=severity, timeout=timeout, markup=False)


def run(
    config: Path | None = None, overrides: Mapping[str, Any] | None = None, *, collect: bool = True
) -> int:
    """Open the dashboard and stay until it is left; the exit code."""
    from tui_monitor.monitor.thread import CollectorThread
    from tui_monitor.server import serve

    backend = CollectorThread(config, overrides, collect=collect, serve=serve)
    app = MonitorApp(backend)
    app.run()
    code = app.return_code or 0
    ended = backend.stop(2.0)
    if app.message:
        print(app.message, file=sys.stderr)
    if not ended or any(thread is not threading.main_thread() for thread in threading.enumerate()):
        # A long question may still run on a thread; who leaves does not wait for it.
        log.debug("leaving with work under way")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
