"""What runs LLM workloads on this host, and what else takes much of it: processor and memory by program."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

import psutil

MOST = 8
"""Programs that are told at most, those of LLM workloads first, then the largest."""
_MUCH = 0.02
"""Share of all processors or of the memory from which any other program is told."""
_WORKLOADS = {
    "ollama": "ollama", "llama-server": "llama.cpp", "llama-cli": "llama.cpp", "llama_cpp": "llama.cpp",
    "vllm": "vllm", "sglang": "sglang", "text-generation-launcher": "tgi", "text-generation-server": "tgi",
    "text-generation-router": "tgi", "text-embeddings-router": "tei", "tritonserver": "triton",
    "litellm": "litellm", "lmdeploy": "lmdeploy", "xinference": "xinference", "mlx_lm": "mlx",
    "lm-studio": "lmstudio", "lms": "lmstudio", "local-ai": "localai", "koboldcpp": "koboldcpp",
    "tabbyapi": "tabbyapi", "aphrodite": "aphrodite", "open-webui": "open-webui", "comfyui": "comfyui",
    "ray": "ray",
}  # fmt: skip
"""A word of a command → the program that it is."""
_INTERPRETERS = ("python", "node", "ruby", "java", "pypy", "uv")
_WORDS = 4
"""Words of an interpreter's command that may name what it runs."""


@dataclass(slots=True)
class _Known:
    """A process between two looks."""

    program: str
    """Empty where it has no memory of its own: a thread of the kernel."""
    workload: bool
    seconds: float


@dataclass(slots=True)
class Program:
    """Processes of one name."""

    name: str
    workload: bool
    """Whether it is known to run or to serve models."""
    processes: int = 0
    memory: float = 0.0
    """Resident, bytes; what processes share counts for each of them."""
    cpu: float | None = None
    """Share of all processors since the look before; unknown at the first one."""


class Processes:
    """Looks at all processes; blocking, so in a thread. Names of programs alone are kept, no arguments."""

    def __init__(self, own: int) -> None:
        """`own` is the process that looks, which others tell about."""
        self._own = own
        self._known: dict[int, _Known] = {}

    def look(self, elapsed: float | None, memory: float) -> list[Program]:
        """The programs of LLM workloads, and the others that take much.

        `elapsed` is the seconds of all processors together since the look before, `memory` the host's, bytes.
        """
        found: dict[str, Program] = {}
        seen: dict[int, _Known] = {}
        for process in psutil.process_iter():
            if process.pid == self._own:
                continue
            try:
                self._add(process, elapsed, seen, found)
            except psutil.Error:
                # It has ended, or it is none of ours to look at.
                continue
        self._known = seen
        return _largest(found.values(), memory)

    def _add(
        self,
        process: psutil.Process,
        elapsed: float | None,
        seen: dict[int, _Known],
        found: dict[str, Program],
    ) -> None:
        known = self._known.get(process.pid)
        if known is not None and not known.program:
            seen[process.pid] = known
            return
        times = process.cpu_times()
        seconds, size = times.user + times.system, process.memory_info().rss
        spent = None if known is None or not elapsed else (seconds - known.seconds) / elapsed
        if known is None or seconds < known.seconds:
            # Its number may be that of another one which has ended.
            program, workload = program_of(process) if size else ("", False)
            known, spent = _Known(program, workload, seconds), None
        known.seconds = seconds
        seen[process.pid] = known
        if known.program:
            one = found.setdefault(known.program, Program(known.program, known.workload))
            one.processes += 1
            one.memory += size
            if spent is not None:
                one.cpu = (one.cpu or 0.0) + max(0.0, spent)


def program_of(process: psutil.Process) -> tuple[str, bool]:
    """What a process is called, and whether that is known to run or to serve models."""
    name = process.name().removesuffix(".exe")
    if program := _WORKLOADS.get(name.lower()):
        return program, True
    if not name.lower().startswith(_INTERPRETERS):
        return name, False
    for word in process.cmdline()[1 : 1 + _WORDS]:
        # A script by its path, or a module: `vllm.entrypoints.openai.api_server`.
        for part in (PurePath(word).stem.lower(), PurePath(word).name.lower(), word.split(".", 1)[0].lower()):
            if program := _WORKLOADS.get(part):
                return program, True
    return name, False


def _largest(programs: Iterable[Program], memory: float) -> list[Program]:
    def size(program: Program) -> float:
        return max(program.cpu or 0.0, program.memory / memory if memory else 0.0)

    told = [program for program in programs if program.workload or size(program) >= _MUCH]
    return sorted(told, key=lambda one: (not one.workload, -size(one), one.name))[:MOST]
