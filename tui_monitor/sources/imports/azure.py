"""Azure's traces of LLM inference, 2023: arrival and tokens of each request, nothing else."""

from datetime import UTC

from tui_monitor.model.call import Call
from tui_monitor.sources.imports.api import ImportOptions, Row
from tui_monitor.sources.imports.cells import indexes, whole
from tui_monitor.sources.times import moment


class AzureLlm2023:
    """AzureLLMInferenceTrace_{code,conv}. Times are UTC; model, latency and outcome are unknown."""

    name = "azure-llm-2023"
    about = "Azure LLM inference trace 2023: TIMESTAMP, ContextTokens, GeneratedTokens"
    relative = False
    header = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")

    def row(self, header: list[str], options: ImportOptions) -> Row:
        """Reads the three columns, wherever they stand."""
        time, context, generated = indexes(header, self.header)
        source, provider, model = f"import:{self.name}", options.provider, options.model

        def read(cells: list[str]) -> Call:
            return Call(
                source,
                "",
                ts_start=moment("TIMESTAMP", cells[time], UTC),
                provider=provider,
                model_served=model,
                in_uncached=whole("ContextTokens", cells[context]),
                out_total=whole("GeneratedTokens", cells[generated]),
            )

        return read
