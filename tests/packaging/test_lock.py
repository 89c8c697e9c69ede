"""The pinned versions are those of the lock, and they are what pyproject asks for."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_requirements_are_those_of_the_lock() -> None:
    locked = {
        _normal(package["name"]): package["version"]
        for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if "version" in package
    }
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", "\n".join(lines), re.MULTILINE))
    assert pins
    assert {name: version for name, version in pins.items() if locked.get(_normal(name)) != version} == {}
    assert sum("--hash=sha256:" in line for line in lines) >= len(pins)


def test_everything_that_is_asked_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    text = (ROOT / "requirements.lock").read_text()
    pins = {_normal(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)}
    names = {_normal(re.split(r"[\[<>=~!; ]", requirement)[0]) for requirement in wanted}
    assert names - pins == set()


def test_the_limits_that_were_found_the_hard_way_hold() -> None:
    text = (ROOT / "requirements.lock").read_text()
    versions = dict(re.findall(r"^([a-z-]+)==(\d+)", text, re.MULTILINE))
    assert int(versions["plotext"]) < 6
    assert int(versions["pytest"]) < 9


def test_ci_runs_what_the_readme_says() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert "make test" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    command = ["make", "-C", str(ROOT), "setup", f"PYTHON={old}", f"VENV={tmp_path}/venv"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "tui-monitor needs Python 3.11 or newer" in ran.stderr
    assert "Python 3.9.2" in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_pages_that_are_linked_are_there() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+\.md)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
