"""The clock: calls are booked by it, and days are cut in a time zone."""

import os
import time as system_time
from collections.abc import Iterator

from tui_monitor.cli.checks.api import Check, Scene
from tui_monitor.model.clock import DAY, SECOND, from_datetime, iso

_MOMENT = 0.1
_JUMP = 0.5
"""Seconds by which the wall clock may run apart from the steady one within a moment."""


def clock(scene: Scene) -> Iterator[Check]:
    """Sane, steady, and in which zone."""
    yield _sane(scene)
    yield _steady(scene)
    yield _zone(scene)


def _sane(scene: Scene) -> Check:
    from datetime import UTC, datetime

    now = scene.clock.now()
    said = iso(now // SECOND * SECOND)
    if now < from_datetime(datetime(2025, 1, 1, tzinfo=UTC)):
        return Check("clock", "time", "fail", f"{said} is long past", "set the system's clock")
    if now > from_datetime(datetime(2100, 1, 1, tzinfo=UTC)):
        return Check("clock", "time", "fail", f"{said} is far ahead", "set the system's clock")
    newest = _newest_file(scene)
    if newest is not None and newest > now + DAY:
        words = f"{said}, but the database was written at {iso(newest // SECOND * SECOND)}"
        return Check("clock", "time", "warn", words, "the clock has gone back, or was ahead: check it")
    return Check("clock", "time", "ok", said)


def _newest_file(scene: Scene) -> int | None:
    try:
        return os.stat(scene.database).st_mtime_ns // 1_000
    except (OSError, ValueError):
        return None


def _steady(scene: Scene) -> Check:
    wall, steady = scene.clock.now(), scene.clock.monotonic()
    system_time.sleep(_MOMENT)
    apart = (scene.clock.now() - wall) / SECOND - (scene.clock.monotonic() - steady)
    if abs(apart) > _JUMP:
        words = f"it jumped by {apart:+.1f} s within a moment"
        return Check("clock", "steady", "warn", words, "something sets it in steps: see the time service")
    return Check("clock", "steady", "ok", "no jump seen")


def _zone(scene: Scene) -> Check:
    from tui_monitor.config.load import system_zone

    settings = scene.loaded.settings if scene.loaded else None
    if settings is not None and settings.general.timezone:
        return Check("clock", "time zone", "ok", f"{settings.general.timezone}, from general.timezone")
    zone = system_zone()
    wanted = scene.environ.get("TZ", "").lstrip(":")
    if zone == "UTC" and wanted and wanted.upper() not in ("UTC", "UTC0", "ETC/UTC", "GMT", "ZULU"):
        words = f"TZ names no known zone ({wanted[:40]!r}): days are cut in UTC"
        return Check("clock", "time zone", "warn", words, 'set general.timezone, like "Europe/Berlin"')
    return Check("clock", "time zone", "ok", f"{zone}, the system's")
