"""What an empty pane says: how data gets in, in commands that work as they stand."""

from tui_monitor.model.clock import Micros
from tui_monitor.tui.link import Backend, Look
from tui_monitor.tui.words import long_age

IMPORT = "tui-monitor import --format azure-llm-2023 --provider openai --model gpt-4o --rebase now FILE"
_CALL = '{"provider":"openai","model":"gpt-4o","input_tokens":900,"output_tokens":120,"latency_ms":850}'


def address(backend: Backend) -> str:
    """Where the event feed listens; empty where that door is shut."""
    settings = backend.settings
    return "127.0.0.1:4319" if settings is None else settings.server.listen


def lessons(backend: Backend) -> list[str]:
    """The ways in, one line each."""
    lines = [f"from a file:  {IMPORT}"]
    if listen := address(backend):
        url = f"http://{listen}/monitor/v1/events"
        lines.append(f"live:         curl -H content-type:application/json -d '{_CALL}' {url}")
    return lines


def no_calls(backend: Backend, look: Look, what: str = "No calls yet.") -> str:
    """What stands where there are no calls: none at all, or none in this range."""
    if look.newest is None:
        return "\n".join([what, "", *lessons(backend)])
    return f"No calls in this time range; the newest is {_how_old(look.newest, look)}. n goes there."


def _how_old(newest: Micros, look: Look) -> str:
    return f"{long_age(look.at - newest)} old" if newest <= look.at else "ahead of this clock"
