"""The dashboard as an application. It draws its frame first; all that is slow comes after."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.notifications import SeverityLevel

from tui_monitor.config import resources
from tui_monitor.model.clock import SECOND
from tui_monitor.model.text import clean
from tui_monitor.tui.ahead import Patient, load_ahead
from tui_monitor.tui.drawing import Glyphs, detect, safe, terminal_encoding
from tui_monitor.tui.dressed import DressedApp
from tui_monitor.tui.keymap import DEFAULT, Keymap
from tui_monitor.tui.link import Backend
from tui_monitor.tui.messages import BackendChanged
from tui_monitor.tui.panes.charts import Colours
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.terminal import Terminal, restore
from tui_monitor.tui.tour import first_start

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.command import Provider
    from textual.dom import DOMNode

    from tui_monitor.config.load import Settings
    from tui_monitor.model.clock import Clock
    from tui_monitor.model.comparison import Against
    from tui_monitor.monitor.target import Target
    from tui_monitor.monitor.thread import CollectorThread, ThreadState
    from tui_monitor.tui.screens.leave import Leaving

log = logging.getLogger(__name__)

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
_RESCUE_S = 1.5
_STOP_S = 2.0
"""Seconds that the screen, and then the collector, have to end by themselves."""


def _palette() -> "type[Provider]":
    from tui_monitor.tui.palette import CommandList

    return CommandList


_SHEETS = ("app", "dashboard", PANES[0].id)
"""Styles of what is there at once; those of a pane are read with it."""


class MonitorApp(Patient, DressedApp, inherit_bindings=False):
    """Settings, keys, and the life of the collector's thread; everything to be seen is in the screens."""

    TITLE = "tui-monitor"
    CSS_PATH: ClassVar = [str(resources.style(f"{name}.tcss")) for name in _SHEETS]
    COMMANDS: ClassVar = {_palette}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, id="app.quit"),
        # The toolkit would bind it by itself, above all else and for good.
        Binding("ctrl+p", "command_palette", "Commands", show=False, id="palette"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="suspend", priority=True),
        Binding("ctrl+l", "redraw", "Draw anew", show=False, id="redraw", priority=True),
    ]
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
        self._dashboard = Dashboard(backend, host or clean(socket.gethostname(), 32))
        super().__init__(self._dashboard, environ)
        self.backend = backend
        self.timer = timer
        self.glyphs: Glyphs = detect("auto", terminal_encoding(environ))
        self.set_class(self.glyphs.plain, "-plain")
        self.keymap: Keymap = Keymap(plain=True) if self.glyphs.plain else DEFAULT
        self.colours = Colours()
        """Shared by all panes, so that a provider or a model is found again on another one."""
        self._environ = environ
        self._settled = False
        self._rescue: threading.Timer | None = None
        self.leaving: Leaving = "quit"
        """What becomes of the collector here when the app has ended."""

    def get_default_screen(self) -> Dashboard:
        return self._dashboard

    def on_mount(self) -> None:
        # The toolkit comes back from the shell with an empty screen.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        # The first paint must not wait for anything: the thread begins when it is done.
        self.call_after_refresh(self._begin)
        if threading.current_thread() is threading.main_thread() and not self.is_headless:
            self._loop_here = asyncio.get_running_loop()
            for number in _ENDING:
                # `nohup` and the like said that it is to be ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, self._told_to_end)

    def _told_to_end(self, _number: int, _frame: object) -> None:
        # Not through the loop alone: that may be waiting for a terminal that takes no more.
        if self._rescue is None:
            self._rescue = threading.Timer(_RESCUE_S, self._leave_anyway)
            self._rescue.daemon = True
            self._rescue.start()
        with suppress(RuntimeError):
            self._loop_here.call_soon_threadsafe(self.exit)

    def _leave_anyway(self) -> None:
        log.warning("the dashboard did not end by itself")
        self.backend.stop(_STOP_S)
        restore(self._driver)
        logging.shutdown()
        os._exit(0)

    def show_round(self) -> None:
        """Begin with the tour, where nobody has seen it yet."""
        self._dashboard.touring.wanted = first_start()

    def ended(self) -> None:
        """The screen is gone, and the terminal as it was: nothing needs to be rescued."""
        if self._rescue is not None:
            self._rescue.cancel()

    def hung_up(self) -> None:
        """Nothing can be seen or typed any more."""
        log.info("the terminal is gone")
        self.exit()

    def action_leave(self) -> None:
        """End the dashboard; where it collects, or something decided waits, ask what becomes of that."""
        self._leave(ask=self._collecting or bool(self._waiting))

    def action_interrupt(self) -> None:
        """End the dashboard, asking once: the key is easily pressed by mistake."""
        self._leave(ask=True)

    def _leave(self, *, ask: bool) -> None:
        settings = self.backend.settings
        wanted = bool(self._waiting) or settings is None or settings.screen.confirm_quit
        if not ask or not wanted:
            self.exit()
            return
        from tui_monitor.tui.screens.leave import LeaveDialog

        if isinstance(self.screen, LeaveDialog):
            # Typed faster than it was drawn.
            self.exit()
            return

        def leave(how: "Leaving | None") -> None:
            if how is not None:
                self.leaving = how
                self.exit()

        self.push_screen(LeaveDialog(self._collecting, self._waiting), leave)

    @property
    def _waiting(self) -> tuple[str, ...]:
        """What was decided and has not reached the collector elsewhere."""
        line = self.backend.state.line
        return line.waiting if line is not None else ()

    @property
    def _collecting(self) -> bool:
        return self.backend.state.mode == "collecting"

    def action_take_over(self) -> None:
        """Collect here, where nobody else does."""
        state = self.backend.state
        if state.mode == "viewing" and state.owner is None:
            self.backend.take_over()
        elif state.mode == "viewing":
            self.notify(f"pid {state.owner} collects already")
        else:
            self.notify("there is nothing to take over")

    def action_suspend_process(self) -> None:
        """Stop until the shell lets it go on, as `^Z` does; whatever started us stops with us."""
        terminal = self._driver
        if not isinstance(terminal, Terminal) or self.is_headless or os.getsid(0) == os.getpid():
            self.notify("there is no shell to come back to", severity="warning")
        else:
            terminal.stop_with_others()

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
        self.dress(screen, self.backend.config_file)
        glyphs = detect(screen.drawing, terminal_encoding(self._environ))
        if glyphs != self.glyphs:
            self.glyphs = glyphs
            self.set_class(glyphs.plain, "-plain")
            self.refresh_css()
        self._use_keys(Keymap(settings.keys.model_dump(), read_only=screen.read_only, plain=glyphs.plain))
        interval = max(screen.update_interval, SECOND // 10)
        self._dashboard.begin(self.keeping.range(), interval, self.keeping.first_pane())
        load_ahead(self, self._dashboard)

    def _use_keys(self, keymap: Keymap) -> None:
        self.keymap = keymap
        self.set_keymap(keymap.bound())
        self.faults.know(self.backend.config_file, [str(fault) for fault in keymap.faults])

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: "DOMNode | None" = None,
        namespaces: "Mapping[str, DOMNode] | None" = None,
    ) -> bool:
        """What every key and every command comes to. A read-only screen refuses what changes something."""
        if self._exit:
            # Typed before the end, and reached after it: what it would act on is being taken down.
            return True
        place = default_namespace.id if default_namespace is not None else None
        if isinstance(action, str):
            refused = self.keymap.refuses("" if place in (None, self._dashboard.id) else place, action)
            if refused is not None:
                self.notify(f"read-only: {refused.label} cannot be done from here", severity="warning")
                return True
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except NoMatches:
            if not self._exit:  # Begun before the end, it lost its widgets on the way.
                raise
        return True

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
    config: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    collect: bool = True,
    demo: bool = False,
) -> int:
    """Open the dashboard and stay until it is left; the exit code. With `demo` its data is made first."""
    from tui_monitor.monitor.thread import CollectorThread
    from tui_monitor.server import serve

    backend = CollectorThread(config, overrides, collect=collect, serve=serve, demo=demo)
    app = _shown(MonitorApp(backend))
    collecting = backend.state.mode == "collecting"
    ended = backend.stop(_STOP_S)
    code = app.return_code or 0
    if app.message:
        _say(app.message)
    elif collecting and app.leaving == "detach":
        code = _go_on(backend, _named(demo))
    elif collecting:
        _say(f"collecting ended; `{_named(demo)} collect --detach` goes on without a window")
    return _left(code, ended)


def run_attached(
    target: "Target", config: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> int:
    """Show a collector elsewhere, and stay until it is left; the exit code."""
    from tui_monitor.monitor.attached import AttachedThread

    backend = AttachedThread(target, config, overrides)
    app = _shown(MonitorApp(backend))
    line = backend.state.line
    ended = backend.stop(_STOP_S)
    if app.message:
        _say(app.message)
    elif line is not None and line.waiting:
        _say("decided, and not known to have been done: " + "; ".join(line.waiting))
    return _left(app.return_code or 0, ended)


def read(
    config: Path | None,
    overrides: Mapping[str, Any] | None,
    panes: Sequence[str],
    give: Callable[[str, object, list[str]], None],
    *,
    target: "Target | None" = None,
    clock: "Clock | None" = None,
    compare: "Against | None" = None,
) -> int:
    """Give each of the panes, what it was answered and its lines, without opening a screen; the exit code.

    `compare` is with what they compare, courses too; the period before, without courses, unless given.
    Raises `MonitorError` where none of them can be answered, such as `StoreError`.
    """
    from tui_monitor.monitor.attached import AttachedThread
    from tui_monitor.monitor.thread import CollectorThread
    from tui_monitor.tui import plain

    given = overrides or {}
    # Drawings are left out by their signs; in ASCII they could not be told from text.
    overrides = {**given, "screen": {**given.get("screen", {}), "drawing": "braille"}}
    backend: Any = (
        CollectorThread(config, overrides, collect=False, clock=clock)
        if target is None
        else AttachedThread(target, config, overrides)
    )
    app = MonitorApp(backend)
    try:
        asyncio.run(plain.panes(app, panes, give, compare))
    finally:
        backend.stop(_STOP_S)
    if app.message:
        _say(app.message)
    return app.return_code or 0


def _shown(app: MonitorApp) -> MonitorApp:
    app.show_round()
    app.run()
    app.ended()
    return app


def _left(code: int, ended: bool) -> int:
    """The exit code; leaves at once where work is under way, as a long question on a thread."""
    if not ended or any(thread is not threading.main_thread() for thread in threading.enumerate()):
        log.debug("leaving with work under way")
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    return code


def _named(demo: bool) -> str:
    """What to type to reach the same database again."""
    return "tui-monitor --demo" if demo else "tui-monitor"


def _go_on(backend: "CollectorThread", name: str) -> int:
    """Collect without a window from now on; the exit code. `name` is what reaches the same database."""
    from tui_monitor.model.errors import MonitorError
    from tui_monitor.monitor import background

    assert backend.settings is not None
    try:
        started = background.start(*backend.origin, backend.settings.database_path())
    except MonitorError as error:
        hint = f"\n  {error.hint}" if error.hint else ""
        _say(f"tui-monitor: collecting ended, and does not go on: {error.message}{hint}")
        return error.exit_code
    _say(f"collecting goes on in the background, pid {started.pid}; `{name} collect --stop` ends it")
    return 0


def _say(words: str) -> None:
    """Tell it on standard error, if anybody is there."""
    with suppress(OSError):
        print(words, file=sys.stderr, flush=True)
