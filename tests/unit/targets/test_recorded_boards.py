"""Boards of the catalogue, as files and commands: the real script reads them, the parser tells.

Each case in ``boards/`` says whether it was recorded from a real machine or written after
documentation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetFacts
from studio.settings.boards import WrongBoard, boards, match, read
from studio.targets.facts import SCRIPT, parse

CASES = sorted((Path(__file__).parent / "boards").glob("*.toml"))
TOOLS = ("sh", "tr", "sed", "head", "tail", "cat", "date", "id", "timeout")


def answers(case: dict[str, Any], folder: Path) -> TargetFacts:
    """Let the script loose on the files and commands of a case, and nothing of this machine."""
    root, tools = folder / "root", folder / "bin"
    for name, text in case["files"].items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name) or "")
    for name, text in case["commands"].items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", SCRIPT, "sh", "~/.edgewright", "python3", str(root)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"PATH": str(tools), "HOME": "/home/user", "LANG": os.environ.get("LANG", "C")},
    )
    assert done.stderr == ""
    return parse(done.stdout, "board", "ssh://board")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_recorded_board(path: Path, tmp_path: Path) -> None:
    case = tomllib.loads(path.read_text())
    assert "recorded" in case["source"]
    found = asdict(answers(case, tmp_path))
    wanted = {key: None if value == "none" else value for key, value in case["facts"].items()}
    told = {key: list(v) if isinstance(v := found[key], tuple) else v for key in wanted}
    assert told == wanted


def test_every_kind_of_the_catalogue_that_can_be_told_apart_has_a_case() -> None:
    seen = {tomllib.loads(path.read_text())["facts"]["board_id"] for path in CASES}
    families = {one.id.split("-")[0] for one in boards() if not one.id.startswith("generic")}
    assert families == {name.split("-")[0] for name in seen} - {"generic"}


def test_the_catalogue_is_whole() -> None:
    for one in boards():
        assert one.source
        for image in one.images:
            assert image.match, (one.id, image.name)
    assert [one.id for one in boards()][-1].startswith("generic")
    assert match("", "riscv64") is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('arch = "aarch64"', "arch = 7"),
        ('arch = "aarch64"', 'arch = "sparc"'),
        ("memory_mb = [4096, 8192]", "memory_mb = []"),
        ("memory_mb = [4096, 8192]", 'memory_mb = ["big"]'),
        ('title = "NVIDIA', 'colour = "green"\ntitle = "NVIDIA'),
        ('python = "3.10"', 'python = "three"'),
        ("[[images]]", "[[pictures]]"),
        ('glibc = "2.35"\n', ""),
    ],
)
def test_a_file_that_is_wrong_says_so(change: str, told: str, tmp_path: Path) -> None:
    good = (Path(__file__).parents[3] / "resources/boards/jetson-orin-nano.toml").read_text()
    assert change in good
    (tmp_path / "odd.toml").write_text(good.replace(change, told, 1))
    with pytest.raises(WrongBoard, match=r"^odd\.toml: "):
        read(tmp_path / "odd.toml")
