"""A unit of systemd for the collector: its text, and how to tell whose a unit is.

The options are those of systemd.unit(5), systemd.service(5), systemd.exec(5) and systemd.resource-control(5).
"""

import hashlib
import os
import re
from collections.abc import Iterator

from tui_monitor.cli.services.api import Plan, Standing
from tui_monitor.model.errors import UsageError

FORM = 1
"""Grows when what is written changes."""
STEPS_SINCE = 254
"""The first systemd that waits longer after each failure."""
_HEAD = re.compile(r"# Written by `tui-monitor service install`, form (\d+), sha256:([0-9a-f]{64})\n")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_PLAIN = {written: char for char, written in _ESCAPES.items()}
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})|(\\.)|%%")
_NOTE = """\
# Change nothing here, or it is never written anew. What you want otherwise goes into a file beside it:
# `systemctl --user edit {name}`

"""
_UNIT = """\
[Unit]
Description={about}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=:{collect}
ExecReload=:{reload}
{environment}EnvironmentFile=-{secrets}
TimeoutStartSec=90
TimeoutStopSec=15
WatchdogSec=60
KillMode=mixed
Restart=on-failure
RestartPreventExitStatus=2
{again}
UMask=0077
MemoryHigh=40%
MemoryMax=50%
TasksMax=512
OOMScoreAdjust=200
LimitNOFILE=16384
LimitCORE=0

NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""
_STEPS = "RestartSec=2\nRestartSteps=8\nRestartMaxDelaySec=300"
_ALWAYS = "RestartSec=10"


def text(plan: Plan, version: int) -> str:
    """The unit's text for this version of systemd. Raises `UsageError` for a path that none can name."""
    secrets = str(plan.secrets)
    if not secrets.isprintable() or secrets != secrets.strip():
        raise UsageError(
            f"a unit cannot name the file {secrets!r}", hint="set XDG_CONFIG_HOME to another place"
        )
    environment = "".join(
        f"Environment={quoted(f'{name}={value}')}\n" for name, value in sorted(plan.environment.items())
    )
    body = _UNIT.format(
        about=" ".join(plan.about.split()).replace("%", "%%"),
        collect=_line(plan.collect),
        reload=_line((*plan.collect, "--reload")),
        environment=environment,
        secrets=secrets.replace("%", "%%"),
        again=_STEPS if version >= STEPS_SINCE else _ALWAYS,
    )
    body = _NOTE.format(name=plan.name) + body
    return f"# Written by `tui-monitor service install`, form {FORM}, sha256:{_digest(body)}\n{body}"


def standing(found: str) -> Standing:
    """Whose a unit with this text is, and whether it is up to date."""
    head = _HEAD.match(found)
    if head is None:
        return "foreign"
    if _digest(found[head.end() :]) != head[2]:
        return "changed"
    words = command(found)
    if not words or not os.access(words[0], os.X_OK):
        return "broken"
    return "current" if int(head[1]) == FORM else "older"


def command(found: str) -> list[str]:
    """The command that a unit of ours starts; empty where there is none."""
    line = re.search(r"^ExecStart=:(.*)$", found, re.MULTILINE)
    return [_unquoted(word) for word in _WORD.findall(line[1])] if line else []


def quoted(word: str) -> str:
    """One word of a command or an assignment, whatever is in it. Raises `UsageError` for a zero byte."""
    if "\0" in word:
        raise UsageError("no path has a zero byte in it")
    return f'"{"".join(_characters(word))}"'


def _characters(word: str) -> Iterator[str]:
    for char in word:
        if char == "%":
            # Else it would begin a specifier.
            yield "%%"
        elif char in _ESCAPES:
            yield _ESCAPES[char]
        elif char.isprintable():
            yield char
        else:
            # Of names that are no UTF-8 too, byte for byte.
            yield from (f"\\x{byte:02x}" for byte in os.fsencode(char))


def _unquoted(word: str) -> str:
    out, at = bytearray(), 0
    for found in _ESCAPED.finditer(word):
        out += os.fsencode(word[at : found.start()])
        at = found.end()
        if found[1]:
            out.append(int(found[1], 16))
        else:
            out += (_PLAIN.get(found[2], found[2]) if found[2] else "%").encode()
    return os.fsdecode(bytes(out + os.fsencode(word[at:])))


def _line(words: tuple[str, ...]) -> str:
    return " ".join(quoted(word) for word in words)


def _digest(body: str) -> str:
    return hashlib.sha256(os.fsencode(body)).hexdigest()
