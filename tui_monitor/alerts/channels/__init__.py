"""Ways in which people are told of alerts beside the screen: one file each, and a line in the table."""

from tui_monitor.alerts.channels.table import configured

__all__ = ["configured"]
