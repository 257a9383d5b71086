"""The plugin kit: what is made passes its own check at once, and the check finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from studio.api import UsageError
from studio.plugin_host.check.examination import examine
from studio.plugin_host.check.results import PluginCheckResult
from studio.plugin_host.plugin_import import forget
from studio.plugin_host.scaffold import KINDS, make_plugin
from studio.workspace import Workspace
from tests.rigs import toolchain

pytestmark = pytest.mark.slow

NAME = "example_kit"
PLUGINS = Path(__file__).parents[3] / "plugins"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    forget(NAME)


def checked(folder: Path, tmp_path: Path) -> PluginCheckResult:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return examine(folder, scratch)


def checked_by_itself(folder: Path, home: Path) -> PluginCheckResult:
    """What the step finds, in a worker of its own: panels need Qt, and formats stay loaded."""
    with Workspace.open(home / "home") as workspace:
        outcome = workspace.run("plugins-check", folder=str(folder))
    assert outcome.ok, outcome.sentence
    return cast(PluginCheckResult, outcome.result)


def problems(result: PluginCheckResult, level: str = "error") -> str:
    return "\n".join(one.text for one in result.findings if one.level == level)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "panel"])
def test_what_is_made_passes_the_check_and_its_own_tests(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "project"
    files = make_plugin(NAME, kind, folder)
    assert {"README.md", "pyproject.toml", f"{NAME}/plugin.toml"} <= set(files)
    assert not [path for path in folder.rglob("*") if path.is_file() and "@" in path.read_text()]
    result = checked(folder, tmp_path)
    assert result.ok, problems(result)
    assert problems(result, "warning") == ""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def metric(tmp_path: Path) -> Path:
    """The project of a metric."""
    make_plugin(NAME, "metric", tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import studio.registry", "studio.registry is not public; a plugin has studio.api"),
        ("from studio.gui import forms", "studio.gui is not public"),
        ("import onnxruntime", "onnxruntime belongs to none of the plugin's requirements"),
        ("from PySide6 import QtGui", "PySide6 may be imported by panel.py alone"),
        ("from studio.api import qt", "studio.api.qt needs Qt"),
        ("import PyQt6", "PyQt6 is not the window's Qt"),
        ("from . import panel", "imports the panel, which needs Qt"),
        ("def f(:", "cannot be read as Python"),
    ],
)
def test_imports_that_a_plugin_may_not_have(
    tmp_path: Path, metric: Path, line: str, words: str
) -> None:
    (metric / NAME / "more.py").write_text(line + "\n")
    result = checked(metric, tmp_path)
    assert not result.ok
    assert words in problems(result)
    assert "more.py" in problems(result)


def test_a_runner_travels_alone(tmp_path: Path) -> None:
    make_plugin(NAME, "backend", tmp_path / "project")
    runner = tmp_path / "project" / NAME / "runner.py"
    runner.write_text(f"from {NAME} import backend\n" + runner.read_text())
    assert "travels alone" in problems(checked(tmp_path / "project", tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("return sum(right) / len(right)", "return 1", "a score is a float"),
        ("strict=True", "strict=False", "a label too few was not refused"),
        ('id = "example_kit"', 'id = "other"', "its id is 'other'"),
        ("options = ()", "options = None", "metrics/example_kit: TypeError"),
        ("def score(self, outputs, labels, options)", "def score(self)", "does not take what"),
        ("def score(", "def points(", "it has no method 'score'"),
        ("higher_is_better = True", "", "it has no attribute 'higher_is_better'"),
        ("class ExampleKit", "class Other", "AttributeError"),
    ],
)
def test_contracts_that_are_not_kept(
    tmp_path: Path, metric: Path, old: str, new: str, words: str
) -> None:
    module = metric / NAME / "metric.py"
    assert old in module.read_text()
    module.write_text(module.read_text().replace(old, new))
    assert words in problems(checked(metric, tmp_path))


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("plugin.toml", f"{NAME}.metric:", "os.path:", "lies outside the package"),
        ("plugin.toml", f'id = "{NAME}"\nname', 'id = "another"\nname', "is named example_kit"),
        ("plugin.toml", "api = 2", "api = 99", "version 99 of the plugin API"),
        ("plugin.toml", "numpy>=1.26", "no-such-library", "no-such-library is not installed here"),
        ("plugin.toml", 'version = "0.1"', "", "the key 'version' is missing"),
        ("../pyproject.toml", f'{NAME} = "{NAME}"', "", "has no entry point"),
    ],
)
def test_manifests_that_are_wrong(
    tmp_path: Path, metric: Path, file: str, old: str, new: str, words: str
) -> None:
    path = metric / NAME / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    result = checked(metric, tmp_path)
    assert not result.ok
    assert words in problems(result)
    assert result.plugins[0].state == "broken"


def test_what_comes_with_a_requirement_is_to_be_named(tmp_path: Path, metric: Path) -> None:
    manifest = metric / NAME / "plugin.toml"
    manifest.write_text(manifest.read_text().replace("numpy>=1.26", "onnx>=1.21"))
    result = checked(metric, tmp_path)
    assert result.ok
    (metric / NAME / "more.py").write_text("import numpy\n")
    forget(NAME)
    assert "numpy comes with a requirement" in problems(examine(metric, tmp_path), "warning")


def test_permissions_are_hinted_at(tmp_path: Path, metric: Path) -> None:
    (metric / NAME / "more.py").write_text("import socket\nimport subprocess\n")
    manifest = metric / NAME / "plugin.toml"
    manifest.write_text(manifest.read_text().replace("permissions = []", 'permissions = ["home"]'))
    result = checked(metric, tmp_path)
    assert result.ok
    warned = problems(result, "warning")
    assert "more.py, line 1: socket seems to need the permission 'network'" in warned
    assert "subprocess seems to need the permission 'processes'" in warned
    assert "'home' is asked for; its use is not to be seen" in problems(result, "info")


@pytest.mark.parametrize("name", ["Upper", "a", "studio_x", "with-dash", "1abc"])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="Invalid plugin name"):
        make_plugin(name, "metric", tmp_path / "project")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        make_plugin(NAME, "metric", tmp_path)


def test_a_folder_without_a_plugin_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no plugin\.toml"):
        checked(tmp_path, tmp_path)


@pytest.mark.parametrize("name", sorted(path.name for path in PLUGINS.glob("studio_*")))
def test_the_built_in_plugins_pass_the_check(tmp_path: Path, name: str) -> None:
    result = checked_by_itself(PLUGINS / name, tmp_path)
    assert result.ok, problems(result)


def test_what_runs_in_an_environment_may_import_what_is_in_it(tmp_path: Path) -> None:
    wheel = toolchain.make_wheel(tmp_path / "wheels")
    good = toolchain.make_plugin(tmp_path / "good", toolchain.lock_of(wheel))
    assert problems(checked(good, tmp_path)) == ""
    more = {"parts.py": toolchain.PARTS + "\nimport example_tool\n"}
    bad = toolchain.make_plugin(tmp_path / "bad", "numpy>=2\n", more)
    (tmp_path / "other").mkdir()
    found = problems(checked(bad, tmp_path / "other"))
    assert "example_tool belongs to none of the plugin's requirements" in found
    assert "requirements.lock is no lock: 'numpy>=2' is not pinned with ==" in found


def test_a_table_without_effect_is_a_warning(tmp_path: Path, metric: Path) -> None:
    manifest = metric / NAME / "plugin.toml"
    row = f'\n[[commands]]\nid = "hello"\nfactory = "{NAME}.hello:Hello"\n'
    manifest.write_text(manifest.read_text() + row)
    result = checked(metric, tmp_path)
    assert result.ok, problems(result)
    assert "[[commands]] has no effect" in problems(result, "warning")


def test_a_plugin_of_the_first_version_of_the_api_passes(tmp_path: Path, metric: Path) -> None:
    manifest = metric / NAME / "plugin.toml"
    text = manifest.read_text()
    assert "api = 2" in text
    manifest.write_text(text.replace("api = 2", "api = 1"))
    result = checked(metric, tmp_path)
    assert result.ok, problems(result)
