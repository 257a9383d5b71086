"""A third party's plugin, installed from its wheel beside the studio, and the real command."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Ended, Studio
from tests.rigs.third_party import ID, PROJECT
from tests.unit.runtime.models import make_cnn, make_cnn_versions

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


class Installed(Studio):
    """The command of another environment, which sees the studio and has the plugin's wheel."""

    def __init__(self, home: Path, python: Path) -> None:
        super().__init__(home)
        self._python = python

    def run(self, *words: str | Path, timeout: float = 300, under: Any = ()) -> Ended:
        done = subprocess.run(
            [str(self._python), "-m", "studio.cli.main", *map(str, words)],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel of the example; what it needs it borrows from this one."""
    folder = tmp_path_factory.mktemp("environment")
    tool("hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=PROJECT)
    tool("uv", "venv", "--offline", "--python", sys.executable, str(folder / "venv"))
    made = folder / "venv" / "bin" / "python"
    (wheel,) = (folder / "dist").glob("*.whl")
    install = ["pip", "install", "--offline", "--no-deps", "--python", str(made), str(wheel)]
    tool("uv", *install)
    (site,) = (folder / "venv" / "lib").glob("*/site-packages")
    seen = [ROOT, ROOT / "plugins", sysconfig.get_path("purelib")]
    (site / "studio.pth").write_text("".join(f"{path}\n" for path in seen))
    return made


def tool(*words: str, cwd: Path | None = None) -> None:
    """Run a Python tool of this environment."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def installed(python: Path, tmp_path: Path) -> Iterator[Installed]:
    studio = Installed(tmp_path / "home", python)
    yield studio
    studio.run("undeploy", "--target", "attic", "--purge")


def plugin(studio: Studio) -> dict[str, Any]:
    found = studio.ok("plugins", "list")["plugins"]
    return next(one for one in found if one["id"] == ID)


def served(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    link.request("GET", "/edgewright/status")
    answer = json.loads(link.getresponse().read())
    link.close()
    return str(answer["digest"])


def test_nothing_of_it_is_used_before_consent(installed: Installed, tmp_path: Path) -> None:
    found = plugin(installed)
    assert found["state"] == "needs consent"
    assert found["permissions"] == ["network", "processes"]
    assert len(found["digest"]) == 64
    refused = installed.run("target", "add", "attic", f"folder:{tmp_path / 'attic'}")
    assert refused.code == 1
    assert "Folder is not available: no consent yet" in refused.err
    other = installed.run("plugins", "allow", ID, "--digest", "0" * 64)
    assert other.code == 4
    assert "have changed since you reviewed them" in other.err
    assert plugin(installed)["state"] == "needs consent"


def test_deploy_update_roll_back_and_remove(installed: Installed, tmp_path: Path) -> None:
    first, second = make_cnn_versions(tmp_path)
    allowed = installed.ok("plugins", "allow", ID, "--digest", plugin(installed)["digest"])
    assert allowed["state"] == "available"
    facts = installed.ok("target", "add", "attic", f"folder:{tmp_path / 'attic'}")
    assert facts["os"] == "Folder"

    planned = installed.ok("deploy", first, "--target", "attic", "--dry-run")
    assert planned["state"] == "planned"
    one = installed.ok("deploy", first, "--target", "attic")
    assert served(one["endpoint"]) == one["release"]
    two = installed.ok("deploy", second, "--target", "attic")
    assert served(two["endpoint"]) == two["release"]
    releases = installed.ok("releases", "--target", "attic")
    rows = releases["releases"] if isinstance(releases, dict) else releases
    assert [row["state"] for row in rows] == ["serving", "replaced"]
    back = installed.ok("rollback", "--target", "attic")
    assert back["release"] == one["release"]
    assert "ready" in installed.run("logs", "--target", "attic").out
    left = installed.ok("undeploy", "--target", "attic", "--purge")
    assert left["left"] == []
    with pytest.raises(ConnectionRefusedError):
        served(one["endpoint"])


def test_its_backend_is_measured_beside_the_studios(installed: Installed, tmp_path: Path) -> None:
    model = make_cnn(tmp_path / "m.onnx")
    installed.ok("plugins", "allow", ID)
    words = ["--backend", "onnxruntime", "--backend", "reference", "--rounds", "3"]
    found = installed.ok("profile", model, *words)
    runs = {run["backend"]: run for run in found["runs"]}
    assert set(runs) == {"onnxruntime", "reference"}
    assert runs["reference"]["max_error"] < 1e-3


def test_safe_mode_and_a_prohibition_leave_it_out(installed: Installed, tmp_path: Path) -> None:
    installed.ok("plugins", "allow", ID)
    installed.ok("target", "add", "attic", f"folder:{tmp_path / 'attic'}")
    safe = installed.run("--no-plugins", "target", "probe", "attic")
    assert safe.code == 1
    assert "Folder is not available: this is the safe mode" in safe.err
    assert installed.run("target", "probe", "attic", "--no-plugins").err == safe.err
    assert installed.ok("plugins", "disable", ID)["state"] == "off"
    assert "you switched it off" in installed.run("target", "probe", "attic").err


def test_changed_files_are_asked_about_again(
    installed: Installed, python: Path, tmp_path: Path
) -> None:
    installed.ok("plugins", "allow", ID)
    (file,) = python.parents[1].glob(f"lib/*/site-packages/{ID}/backend.py")
    before = file.read_text()
    file.unlink()  # uv links what it installs; the original in its cache stays as it is
    try:
        file.write_text(before + "\nimport os\n")
        found = plugin(installed)
    finally:
        file.write_text(before)
    assert found["state"] == "needs consent"
    assert "files have changed since you allowed it" in found["reason"]
    assert plugin(installed)["state"] == "available"


def test_the_command_makes_and_checks_a_panel(installed: Installed, tmp_path: Path) -> None:
    project = tmp_path / "project"
    made = installed.ok("plugins", "new", "my_panel", "--kind", "panel", "--out", project)
    assert "my_panel/panel.py" in made["files"]
    checked = installed.ok("plugins", "check", project)
    assert (checked["ok"], checked["plugins"][0]["capabilities"]) == (True, ["panels/my_panel"])
    panel = project / "my_panel" / "panel.py"
    panel.write_text(panel.read_text().replace("def refresh(self):", "def refresh(self, x):"))
    bad = installed.run("plugins", "check", project)
    assert bad.code == 1
    assert "panels/my_panel: TypeError" in bad.out
    none = installed.run("plugins", "check", tmp_path)
    assert none.code == 2
    assert os.fspath(tmp_path) in none.err
