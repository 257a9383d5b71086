"""The examples of docs/plugins.md: written to files, run, and checked as their reader would."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Extension, Permission
from studio.plugin_host.scaffold import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"
STUDIO = Path(sys.executable).with_name("studio")
NAME = "top_two"


def blocks(language: str) -> list[str]:
    """The fenced code of a language, in the order of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def files() -> Iterator[tuple[str, str]]:
    """The blocks that are files of the example, with their names."""
    for text in [*blocks("toml"), *blocks("python")]:
        if (named := re.match(r"# file: (\S+)\n", text)) is not None:
            yield named[1], text[named.end() :]


class Terminal:
    """Runs the lines of a block one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, line: str) -> str:
        words = shlex.split(line)
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            return ""
        programs = {"studio": [str(STUDIO)], "python": [sys.executable]}
        command = [*programs[words[0]], *words[1:]]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.mark.slow
def test_the_examples_make_a_plugin_that_passes(tmp_path: Path, studio_home: Path) -> None:
    first, second = blocks("sh")
    terminal = Terminal(tmp_path)
    for line in first.splitlines():
        terminal.run(line)
    project = tmp_path / NAME
    for name, text in files():
        (project / name).write_text(text)
    assert len(list(files())) == 5
    assert terminal.run("studio plugins check .") == f"{NAME} 0.1: no problems.\n"
    terminal.run("python -m pytest -p no:cacheprovider")
    shutil.copytree(project / NAME, studio_home / "config" / "plugins" / NAME)
    told = [terminal.run(line) for line in second.splitlines()]
    states = [re.findall(rf"^{NAME} .*", text, re.M)[0] for text in told]
    assert "needs consent" in states[0]
    allowed, off = f"{NAME} 0.1 may use nothing.", f"{NAME} disabled."
    assert states[1:4] == [allowed, off, allowed]
    assert "safe mode" in states[4]


def test_examples_that_are_no_files_run_as_they_are() -> None:
    alone = [text for text in blocks("python") if not text.startswith("# file:")]
    assert alone
    for text in alone:
        exec(compile(text, str(PAGE), "exec"), {})


def test_the_page_names_everything_there_is() -> None:
    from studio.api.qt import PanelHost

    page = PAGE.read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    assert named == {extension.value for extension in Extension}
    assert all(f"`{kind}`" in page for kind in KINDS)
    assert all(permission.value in page for permission in Permission)
    methods = [name for name in vars(PanelHost) if not name.startswith("_")]
    assert [name for name in methods if f"`{name}`" not in page] == []


def test_the_suites_that_the_page_names_exist() -> None:
    import importlib

    for module, name in re.findall(r"`(testing\w*)\.(check_\w+)`", PAGE.read_text()):
        assert callable(getattr(importlib.import_module(f"studio.api.{module}"), name))
