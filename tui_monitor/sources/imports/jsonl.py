"""Our own lines: the objects of the event feed, one on each line."""

from collections.abc import Callable

from tui_monitor.model.call import Call
from tui_monitor.model.feed import Record
from tui_monitor.recorder.checks import Invalid, Rejection
from tui_monitor.sources.feed import Origin, load_line, parse_event
from tui_monitor.sources.imports.api import ImportOptions


class JsonLines:
    """Every kind of the feed; `id` is the identity, and without one it is the line."""

    name = "jsonl"
    about = "one object of the event feed on each line"
    relative = False

    def line(self, options: ImportOptions) -> Callable[[bytes], Record]:
        """Reads a line; times must be written, there is no arrival to stand for them."""
        # An empty key: who a line without an id is, depends on its equals in the file.
        origin = Origin("", None, None, f"import:{self.name}")
        defaults = {"provider": options.provider, "model_served": options.model}
        given = [(name, value) for name, value in defaults.items() if value]

        def read(raw: bytes) -> Record:
            item = load_line(raw)
            parsed = item if isinstance(item, Rejection) else parse_event(item, origin)
            if isinstance(parsed, Rejection):
                raise Invalid(parsed.reason)
            if isinstance(parsed, Call):
                for name, value in given:
                    if getattr(parsed, name) is None:
                        setattr(parsed, name, value)
            return parsed

        return read
