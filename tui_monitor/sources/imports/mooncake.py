"""Mooncake's traces: arrival from the start of the trace, tokens, and the prefix blocks of each request."""

from tui_monitor.model.call import Call
from tui_monitor.model.clock import MS
from tui_monitor.recorder.checks import Invalid
from tui_monitor.sources.imports.api import ImportOptions, Row
from tui_monitor.sources.imports.cells import decimal, indexes, whole


class Mooncake:
    """FAST25 traces. Which blocks a cache did serve is not in them, so cached tokens are unknown."""

    name = "mooncake"
    about = "Mooncake trace: timestamp (ms from the start), input_length, output_length, hash_ids"
    relative = True
    header = ("timestamp", "input_length", "output_length", "hash_ids")

    def row(self, header: list[str], options: ImportOptions) -> Row:
        """Times count from `options.start`, or from 0 where the whole is shifted afterwards."""
        time, taken, given, blocks = indexes(header, self.header)
        source, provider, model = f"import:{self.name}", options.provider, options.model
        start = options.start or 0

        def read(cells: list[str]) -> Call:
            after_ms = decimal("timestamp", cells[time])
            if after_ms is None or after_ms < 0:
                raise Invalid("timestamp is missing" if after_ms is None else "timestamp is negative")
            return Call(
                source,
                "",
                ts_start=start + round(after_ms * MS),
                provider=provider,
                model_served=model,
                in_uncached=whole("input_length", cells[taken]),
                out_total=whole("output_length", cells[given]),
                attrs={"prefix_blocks": cells[blocks].count(" ") + 1 if cells[blocks] else 0},
            )

        return read
