"""Labels that spend can be split by."""

import re

BY: tuple[str, ...] = (
    "provider",
    "model",
    "user",
    "project",
    "operation",
    "team",
    "agent",
    "app",
    "key",
    "host",
)
"""Dimensions offered on the screen; any other label can be asked for as well."""
LABEL = re.compile(r"[A-Za-z_][\w.\-]*")
"""What a label may be called; attributes of calls have dots and dashes in their names too."""
