"""The configuration, and what it allows."""

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui_monitor.cli.checks.api import Check, Scene
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean

_ITEMS = {
    "agent_logs": "logs of coding agents",
    "provider_keys": "provider keys of the environment",
    "status_pages": "providers' status pages",
}


def config(scene: Scene) -> Iterator[Check]:
    """The file, whether it loads, who may read it."""
    path = scene.config_file
    error = scene.config_error
    there = os.path.exists(path)
    if error is not None:
        lines = clean(error.message, 600)
        yield Check("config", "settings", "fail", lines, error.hint or "`tui-monitor config check` says more")
    elif there:
        yield Check("config", "settings", "ok", str(path))
    else:
        hint = "`tui-monitor config init` writes an example"
        yield Check("config", "settings", "ok", f"no file at {path}: the defaults hold", hint)
    for warning in scene.loaded.warnings if scene.loaded else ():
        yield Check("config", "warning", "warn", clean(warning, 300))
    yield from _keys(scene)
    if there:
        yield from _mode(path)


def _keys(scene: Scene) -> Iterator[Check]:
    """Keys of one's own that cannot be what they are meant to be."""
    from tui_monitor.tui.keymap import Keymap

    if scene.loaded is None:
        return
    for fault in Keymap(scene.loaded.settings.keys.model_dump()).faults:
        place = scene.loaded.layers.place(("keys", *fault.path))
        hint = "`tui-monitor config keys` lists commands and keys"
        yield Check("config", "keys", "warn", clean(f"{place}: {fault}", 300), hint)


def _mode(path: Path) -> Iterator[Check]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and _has_secrets(path):
        words = f"it holds secrets, and others may read it (mode {mode:04o})"
        yield Check("config", "mode", "warn", words, f"chmod 600 {path}")
    else:
        yield Check("config", "mode", "ok", f"{mode:04o}")


def _has_secrets(path: Path) -> bool:
    from tui_monitor.config.redact import names_a_secret
    from tui_monitor.config.toml import read_toml

    def secret(name: str, value: Any) -> bool:
        if isinstance(value, dict):
            return any(secret(key, inner) for key, inner in value.items())
        if isinstance(value, list):
            return any(secret(name, inner) for inner in value)
        # A setting that names the variable of a secret is none.
        named = name == "key" or names_a_secret(name)
        return isinstance(value, str) and bool(value) and named and not name.endswith("_env")

    try:
        return secret("", read_toml(path).values)
    except (MonitorError, tomllib.TOMLDecodeError):
        return False


def consent(scene: Scene) -> Iterator[Check]:
    """What was allowed, refused, or never asked."""
    if scene.loaded is None:
        return
    given = scene.loaded.settings.consent
    for name, title in _ITEMS.items():
        value: bool | None = getattr(given, name)
        if value is None:
            hint = f"`tui-monitor config consent --allow {name}`, or answer in the dashboard"
            yield Check("consent", name, "ok", f"not asked yet: {title} are not used", hint)
        else:
            yield Check("consent", name, "ok", f"{title}: {'allowed' if value else 'never'}")
