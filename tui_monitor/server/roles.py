"""What a token may do."""

from enum import StrEnum


class Role(StrEnum):
    """What the holder of a token may do. To operate is to read and to push as well."""

    PUSH = "push"
    """Send data, and nothing else: for the programs that are watched."""
    READ = "read"
    """Look at everything, and change nothing."""
    OPERATE = "operate"
    """Read, push, and change: acknowledge, silence, pause."""

    def covers(self, wanted: "Role") -> bool:
        """Whether a token of this role will do where `wanted` is asked for."""
        return self is wanted or self is Role.OPERATE
