"""Hints of plugins name what installs a package here, and no command of another installer."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTRA = re.compile(r"edgewright\[(\w+)\]")
SOURCES = sorted(ROOT.glob("plugins/*/*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_hint_names_pip(path: Path) -> None:
    """``pip`` is wrong where uv, pipx or a Debian package has installed the studio."""
    assert "pip install" not in path.read_text(encoding="utf-8")


def test_the_extras_of_hints_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {name for path in SOURCES for name in EXTRA.findall(path.read_text(encoding="utf-8"))}
    assert {"discovery", "sagemaker"} <= named
    assert named <= set(project["optional-dependencies"])
