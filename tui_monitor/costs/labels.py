"""Labels that spend can be split by."""

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
