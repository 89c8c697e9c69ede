"""The wheel alone, in an environment that has only its dependencies: it starts, and draws."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import sysconfig
import termios
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tui-monitor` in an environment of its own: the wheel, and this environment's libraries behind it."""
    home = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    site = next((home / "lib").glob("python*/site-packages"))
    # A folder in a .pth file does not bring its own .pth files, so this tree is not on the path.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "tui-monitor"


def test_styles_and_example_are_inside(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "tui_monitor/_data/config.example.toml" in names
    boards = {f"tui_monitor/_data/dashboards/{path.name}" for path in (ROOT / "dashboards").iterdir()}
    assert boards <= set(names)
    styles = {f"tui_monitor/_data/styles/{path.name}" for path in (ROOT / "styles").glob("*.tcss")}
    assert styles
    assert styles <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "styles/"))]


def test_it_runs_from_the_wheel_alone(program: Path, tmp_path: Path) -> None:
    def ran(*argv: str) -> str:
        return subprocess.run(
            [str(program), *argv], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout

    assert ran("--version").startswith("tui-monitor ")
    where = subprocess.run(
        [str(program.with_name("python")), "-c", "import tui_monitor; print(tui_monitor.__file__)"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    assert str(program.parents[1]) in where
    written = Path(ran("config", "init").removeprefix("written: ").strip())
    assert written.read_text() == (ROOT / "config.example.toml").read_text()
    ran("config", "check")


def test_the_dashboard_opens_and_is_left_by_q(program: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "TERM": "xterm-256color", "TUI_MONITOR_SERVER__LISTEN": "", "LANG": "C.UTF-8"}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(
        [str(program), "--db", str(tmp_path / "d.db")], stdin=slave, stdout=slave, stderr=slave, env=environ,
        cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        seen = _read_until(master, b"PROVIDERS", 20)
        assert b"PROVIDERS" in seen, seen[-2000:]
        _read_until(master, b"\0never", 1.5)
        os.write(master, b"qq")
        _read_until(master, b"\0never", 5, process)
        assert process.wait(5) == 0
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(master)


def _read_until(
    terminal: int, wanted: bytes, seconds: float, process: subprocess.Popen[bytes] | None = None
) -> bytes:
    """What is drawn until the words come, the time is over, or the process has ended."""
    seen = b""
    end = time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < end and (process is None or process.poll() is None):
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:
                break
    return seen
