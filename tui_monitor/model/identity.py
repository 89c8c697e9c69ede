"""Who acts: the name that stands in an alert's history."""

import getpass
import os

from tui_monitor.model.text import clean


def actor(configured: str | None = None) -> str:
    """The configured name, else the sudo or SSH identity, else the user name."""
    for name in (configured, os.environ.get("SUDO_USER"), os.environ.get("SSH_USER")):
        if name:
            return clean(name, 64)
    try:
        return clean(getpass.getuser(), 64)
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
