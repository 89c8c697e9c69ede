"""Imports run downwards only, and only the screen knows the toolkit it is drawn with."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "tui_monitor"
NAME = PACKAGE.name

_READING = ("model", "config", "store", "query")
_MEANING = (*_READING, "costs", "alerts", "health")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "model": (),
    "config": ("model",),
    "store": ("model", "config"),
    "query": ("model", "config", "store"),
    "costs": _READING,
    "alerts": _READING,
    "health": (*_READING, "costs"),
    "pricing": ("model", "config"),
    "recorder": ("model", "config", "pricing", "store"),
    # What an import writes into is an interface of the store; its inside is not theirs.
    "sources": ("model", "config", "recorder", "store.api"),
    # It asks other servers as a source does.
    "forward": ("model", "config", "store.api", "query", "sources.web"),
    # The façade and what runs behind it know each other.
    "monitor": (*_MEANING, "pricing", "runtime", "sources.offers"),
    "runtime": (*_MEANING, "pricing", "recorder", "sources", "forward", "monitor"),
    "server": (*_MEANING, "recorder", "sources", "runtime", "monitor"),
    # Drawing characters and naming keys needs no toolkit, so both faces use the same; the dashboard is
    # opened from here.
    "cli": (
        *_MEANING, "pricing", "recorder", "sources", "runtime", "monitor", "server", "tui.drawing",
        "tui.widgets.axes", "tui.widgets.figure", "tui.widgets.plot", "tui.app", "tui.plain",
        "tui.keymap", "tui.keynames",
    ),
    # The store is behind the façade: a pane that reads it would be a second truth.
    # What it writes of calls is what the command line writes.
    "tui": ("model", "config", "query", "costs", "alerts", "health", "monitor", "server", "sources.written"),
    # What tools of others drive the program with.
    "testing": ("model", "query"),
    "__main__": ("cli",),
    "__init__": (),
}  # fmt: skip
"""Part → what it may import, besides itself: a part, or one module of it."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    "textual": ("tui",),
    "plotext": (),
    "sqlite3": ("store", "recorder", "sources", "forward"),
    "aiosqlite": ("store",),
    "genai_prices": ("pricing",),
    "starlette": ("server",),
    "uvicorn": ("server",),
}
"""Library → the parts that know it."""


@cache
def nodes() -> dict[Path, list[ast.AST]]:
    """Every file of the package, as it is read."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {file: list(ast.walk(ast.parse(file.read_text(encoding="utf-8")))) for file in files}


@cache
def imports() -> list[tuple[Path, str, int]]:
    """Every absolute import: file, module, line."""
    return list(_imports())


def _imports() -> Iterator[tuple[Path, str, int]]:
    for file, inside in nodes().items():
        for node in inside:
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}:{node.lineno}: imports are written whole"
                assert node.module is not None
                # `from tui_monitor.config import places` is an import of `places`.
                parent = (
                    node.module.count(".") == 0 or (PACKAGE.parent / Path(*node.module.split("."))).is_dir()
                )
                for alias in node.names:
                    yield file, f"{node.module}.{alias.name}" if parent else node.module, node.lineno
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield file, alias.name, node.lineno


def part_of(file: Path) -> str:
    """The part that a file belongs to."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def test_every_part_has_its_rule() -> None:
    assert {part_of(file) for file in PACKAGE.rglob("*.py")} <= set(MAY_IMPORT)


def _libraries_elsewhere() -> Iterator[str]:
    for file, module, line in imports():
        library = module.split(".")[0]
        if part_of(file) not in ONLY_IN.get(library, (part_of(file),)):
            yield f"{file.relative_to(PACKAGE.parent)}:{line}: {part_of(file)} may not know {library}"


def _long_files() -> Iterator[str]:
    for file in nodes():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > 400:
            yield f"{file.relative_to(PACKAGE.parent)} has {lines} lines"


def _wrong_imports() -> Iterator[str]:
    for file, module, line in imports():
        head, _, inner = module.partition(".")
        part = part_of(file)
        if head != NAME or inner.split(".")[0] in (part, "__version__", ""):
            continue
        if not any(inner == name or inner.startswith(f"{name}.") for name in MAY_IMPORT[part]):
            yield f"{file.relative_to(PACKAGE.parent)}:{line}: {part} may not import {inner}"


# One test, as every process that runs a part of it would read the whole package.
def test_imports_run_downwards_and_files_and_functions_stay_small() -> None:
    assert [*_wrong_imports(), *_libraries_elsewhere(), *_long_files()] == []
    lengths = [
        node.end_lineno - node.lineno + 1
        for inside in nodes().values()
        for node in inside
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]
    assert sorted(lengths)[int(len(lengths) * 0.9)] <= 30


def test_test_files_have_names_of_their_own() -> None:
    # pytest takes two files of one name in two folders for one module.
    names = [path.name for path in (PACKAGE.parent / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
