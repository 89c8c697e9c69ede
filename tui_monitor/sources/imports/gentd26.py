"""Alibaba's GenAI cluster trace of 2026: image generation with outcome and seconds."""

from typing import Any
from zoneinfo import ZoneInfo

from tui_monitor.model.call import Call
from tui_monitor.recorder.checks import Invalid, nearest, shown
from tui_monitor.sources.imports.api import ImportOptions, Row
from tui_monitor.sources.imports.cells import decimal, indexes, whole
from tui_monitor.sources.times import moment, utc_or

_STATUS = {"SUCCEED": "success", "FAILED": "error", "PENDING": "unknown"}
_COUNTS = (
    "prompt_length",
    "negative_prompt_length",
    "num_images_per_prompt",
    "num_inference_steps",
    "num_lora",
)


class Gentd26:
    """cluster-trace-v2026-GenAI, requests. Its times have no zone: UTC unless the options say otherwise."""

    name = "gentd26"
    about = "Alibaba GenAI cluster trace 2026, requests: gmt_create, predict_status, exec_time_seconds …"
    relative = False
    header = ("gmt_create", "predict_type", "predict_status", "exec_time_seconds", "groupId")

    def row(self, header: list[str], options: ImportOptions) -> Row:
        """The named columns, and those of lengths and counts where they are there."""
        time, kind, status, seconds, group = indexes(header, self.header)
        counts = [(name, header.index(name)) for name in _COUNTS if name in header]
        version = (
            header.index("checkpoint_model_version_id") if "checkpoint_model_version_id" in header else None
        )
        source, provider, model = f"import:{self.name}", options.provider, options.model
        zone = utc_or(ZoneInfo(options.timezone))

        def read(cells: list[str]) -> Call:
            outcome = _STATUS.get(cells[status])
            if outcome is None:
                raise Invalid(
                    f"predict_status {shown(cells[status])} is unknown{nearest(cells[status], _STATUS)}"
                )
            took = decimal("exec_time_seconds", cells[seconds])
            attrs: dict[str, Any] = {name: whole(name, cells[at]) for name, at in counts}
            attrs["predict_type"] = cells[kind]
            if version is not None:
                attrs["checkpoint_model_version_id"] = cells[version]
            return Call(
                source,
                "",
                ts_start=moment("gmt_create", cells[time], zone),
                provider=provider,
                model_served=model,
                operation="image",
                status=outcome,
                # One that still waits has not run at all: its 0 s is no time it took.
                latency_ms=None if took is None or (outcome == "unknown" and took == 0) else took * 1000,
                user=cells[group] or None,
                attrs=attrs,
            )

        return read
