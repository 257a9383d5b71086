"""The import contracts: that they hold, that they name everything, that they can be broken."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NEW_PLUGIN = "plugins/studio_median"
"""A plugin that no file names; the rules are to find it by its folder."""


def contracts() -> dict[str, dict[str, Any]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {entry["id"]: entry for entry in project["tool"]["importlinter"]["contracts"]}


def stages() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "studio").glob("*/__init__.py"))


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "packaging" / "contracts.py"],
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root / 'plugins'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("contract", "free"),
    [
        ("plugins", {"api"}),
        ("window", {"api", "settings", "documents", "workspace", "gui", "cli"}),
        ("runtime", {"runtime"}),
    ],
)
def test_contracts_name_every_stage(contract: str, free: set[str]) -> None:
    listed = {name.removeprefix("studio.") for name in contracts()[contract]["forbidden_modules"]}
    assert set(stages()) - listed == free


def test_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


BREACHES = [
    ("studio/models/bad.py", "import PySide6", "Only the window and studio.api.qt"),
    ("studio/workspace/bad.py", "import matplotlib", "Only the module of figures"),
    ("studio/registry/bad.py", "import studio_onnx", "The studio imports no plugin"),
    ("studio/quantization/bad.py", "import onnxruntime", "The studio imports no plugin"),
    ("studio/gui/bad.py", "import studio.models", "The window talks to the workspace"),
    ("studio/jobs/bad.py", "import studio.models", "The stages lie in layers"),
    ("studio/steps/bad.py", "import studio.features", "The stages lie in layers"),
    ("studio/features/rust/bad.py", "import studio.features.rot.bad", "Features do not import"),
    ("studio/features/rot/bad.py", "import studio.features.rust.bad", "Features do not import"),
    ("studio/library/bad.py", "import studio.cli.output", "The stages lie in layers"),
    ("studio/workspace/bad.py", "import studio.library", "The stages lie in layers"),
    (
        "studio/gui/pages/shared/bad.py",
        "import studio.gui.window.rail",
        "The folders of the window lie in layers",
    ),
    (
        "studio/gui/charts/bad.py",
        "import studio.gui.graph.scene",
        "The folders of the window lie in layers",
    ),
    (
        "studio/gui/pages/profile/bad.py",
        "import studio.gui.pages.quantize.rows",
        "A page imports what pages share",
    ),
    (
        "studio/gui/pages/shared/bad.py",
        "import studio.gui.pages.model.page",
        "A page imports what pages share",
    ),
    ("studio/runtime/bad.py", "import studio.api", "The runtime stands alone"),
    (
        "studio/runtime/serve/http/bad.py",
        "import studio.runtime.serve.engine",
        "The server lies in layers",
    ),
    ("studio/registry/bad.py", "import studio_median.bad", "The studio imports no plugin"),
    (f"{NEW_PLUGIN}/bad.py", "import studio.registry", "A plugin imports studio.api"),
    (f"{NEW_PLUGIN}/bad.py", "import studio_ssh", "Plugins do not import each other"),
    (f"{NEW_PLUGIN}/bad.py", "import PySide6", "Only the panel of a plugin"),
    ("plugins/studio_onnx/bad.py", "import studio_median.bad", "Plugins do not import each other"),
]
"""A file, what it may not import, and the contract that forbids it."""


@pytest.fixture(scope="module")
def chapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is reported of each broken contract, with all breaches in one copy of the tree."""
    root = tmp_path_factory.mktemp("broken")
    for name in ("studio", "plugins"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for file in {breach[0] for breach in BREACHES}:
        lines = "\n".join(line for path, line, _ in BREACHES if path == file)
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).with_name("__init__.py").touch()
        (root / file).write_text(f'"""A file that breaks rules."""\n\n{lines}\n')
    done = lint(root)
    assert done.returncode == 1, done.stdout
    assert "Broken contracts" in done.stdout
    _, *parts = re.split(r"^(.+)\n-+\n", done.stdout.partition("Broken contracts")[2], flags=re.M)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("file", "line", "broken"), BREACHES)
def test_contracts_can_be_broken(
    chapters: dict[str, str], file: str, line: str, broken: str
) -> None:
    module = file.removesuffix(".py").removeprefix("plugins/").replace("/", ".")
    imported = line.removeprefix("import ")
    importing = re.compile(rf"{re.escape(module)} -> {re.escape(imported)} ")
    found = [text for name, text in chapters.items() if name.startswith(broken)]
    assert any(importing.search(text) for text in found), found or sorted(chapters)
