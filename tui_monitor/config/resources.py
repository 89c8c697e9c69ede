"""Files that come with the program: in the package once it is built, beside it in a source tree."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parent)


def style(name: str) -> Path:
    """A style sheet by its path below styles/, like `app.tcss`. Raises FileNotFoundError."""
    return _find(f"styles/{name}")


def example_config() -> str:
    """The text of config.example.toml."""
    return _find("config.example.toml").read_text(encoding="utf-8")


def dashboards() -> list[Path]:
    """The files of the boards that come with the program, by name."""
    for root in _ROOTS:
        if (folder := root / "dashboards").is_dir():
            return sorted(folder.glob("*.toml"))
    raise FileNotFoundError("the dashboards are missing from the installation of tui-monitor")


def example_dashboard() -> str:
    """The text of the file that explains what a board is made of."""
    return _find("dashboards/example.toml.txt").read_text(encoding="utf-8")


def _find(name: str) -> Path:
    for root in _ROOTS:
        if (path := root / name).is_file():
            return path
    raise FileNotFoundError(f"{name} is missing from the installation of tui-monitor")
