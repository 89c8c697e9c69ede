"""The keys of the dashboard. Which commands there are, the screen knows: it reads what stands here."""

from pydantic import ConfigDict

from tui_monitor.config.fields import Section


class Keys(Section):
    """Other keys for the dashboard: a command's id and its key or keys, like `refresh = ["r", "f5"]`, or `[]`
    for none. `tui-monitor config keys` lists ids and keys; docs/keys.md tells more."""

    model_config = ConfigDict(extra="allow")
