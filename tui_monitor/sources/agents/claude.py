"""Claude Code: where its transcripts lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui_monitor.sources.agents.api import Kind, LineReader, LogFile, Shelf
from tui_monitor.sources.agents.claude_lines import Transcript

_DESKTOP = ("local-agent-mode-sessions", "claude-code-sessions")
"""Folders of the desktop application with transcripts of its own somewhere below."""


class ClaudeCode:
    """Transcripts of Claude Code: one file for each session, and one for each of its subagents."""

    name = "claude-code"
    title = "Claude Code"
    estimate = True

    def roots(self, environ: Mapping[str, str], home: Path) -> list[Path]:
        """The configured folders, else both usual ones and those of the desktop application."""
        configured = [part.strip() for part in environ.get("CLAUDE_CONFIG_DIR", "").split(",")]
        if any(configured):
            return [_projects(_expanded(part, home)) for part in configured if part]
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        desktop = home / "Library" / "Application Support" / "Claude"
        return [
            config / "claude" / "projects",
            home / ".claude" / "projects",
            *(desktop / name for name in _DESKTOP),
        ]

    def kind(self, place: str) -> Kind | None:
        """Every file of JSON lines: what says nothing about usage is passed over."""
        return "lines" if place.endswith(".jsonl") else None

    def enters(self, place: str) -> bool:
        """Every folder: subagents and workflows have theirs."""
        return True

    def reader(self, file: LogFile, state: Any, shelf: Shelf) -> LineReader:
        """Each line stands for itself, so nothing must be known to go on."""
        return Transcript(self.name, file)


def _projects(folder: Path) -> Path:
    return folder if folder.name == "projects" else folder / "projects"


def _expanded(text: str, home: Path) -> Path:
    return home / text[2:] if text.startswith("~/") else Path(text)
