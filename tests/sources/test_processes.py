"""Programs on this host: those of LLM workloads by what they are, others where they take much."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tui_monitor.query.known import HOST
from tui_monitor.sources.host import HostProbe
from tui_monitor.sources.processes import Processes, program_of

SPIN = "import time\nprint(flush=True)\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass\n"


@pytest.mark.parametrize(
    ("name", "command", "program"),
    [
        ("ollama", ["ollama", "serve"], ("ollama", True)),
        ("llama-server", ["/opt/llama-server", "-m", "x.gguf"], ("llama.cpp", True)),
        ("python3.11", ["python3", "-m", "vllm.entrypoints.openai.api_server"], ("vllm", True)),
        ("python3", ["python3", "/usr/local/bin/litellm", "--port", "4000"], ("litellm", True)),
        ("python3", ["python3", "train.py", "--model", "secret"], ("python3", False)),
        ("postgres", ["postgres: ollama db"], ("postgres", False)),
    ],
)
def test_a_program_is_known_by_its_command(name: str, command: list[str], program: tuple[str, bool]) -> None:
    process = SimpleNamespace(name=lambda: name, cmdline=lambda: command)
    assert program_of(process) == program  # type: ignore[arg-type]


def test_what_serves_models_is_told_and_what_takes_nothing_is_not(tmp_path: Path) -> None:
    script = tmp_path / "vllm.py"
    script.write_text(SPIN)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            processes = Processes(os.getpid())
            memory = float(psutil.virtual_memory().total)
            first = {program.name: program for program in processes.look(None, memory)}
            assert first["vllm"].processes >= 1
            assert first["vllm"].memory > 1e6
            assert first["vllm"].cpu is None, "the first look has none to compare with"
            before = psutil.Process(child.pid).cpu_times().user
            while psutil.Process(child.pid).cpu_times().user - before < 0.05:
                pass
            second = {program.name: program for program in processes.look(0.5, memory)}
            assert (second["vllm"].cpu or 0) > 0.09
        finally:
            child.kill()
    third = {program.name: program for program in processes.look(0.5, memory)}
    assert third.get("vllm") is None or third["vllm"].processes < first["vllm"].processes
    told = [*first.values(), *second.values(), *third.values()]
    assert all(one.workload or (one.cpu or 0) >= 0.02 or one.memory >= 0.02 * memory for one in told)


def test_samples_of_programs_are_known_metrics(tmp_path: Path) -> None:
    samples, _ = HostProbe(tmp_path).sample(0)
    names = {sample.name for sample in samples}
    assert names <= {known.name for known in HOST}
    assert "system_memory_limit" in names
