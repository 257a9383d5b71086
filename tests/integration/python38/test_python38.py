"""A release on this computer under a Python 3.8, as boards of some years ago have it."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from studio.api import TargetSpec
from studio.deployment.step import UndeployOptions
from studio.deployment.work import undeploy
from tests.rigs.bundles import make_bundle
from tests.unit.deployment.test_board import Studio, rows

SCRIPT = Path(__file__).parents[3] / "packaging" / "python38.sh"


def python38() -> str:
    """An interpreter of that age: one that is here, or one that is fetched; else a failure."""
    home = pwd.getpwuid(os.getuid()).pw_dir  # the tests have another HOME
    done = subprocess.run(
        [str(SCRIPT)], capture_output=True, text=True, check=False, env={**os.environ, "HOME": home}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_board_with_python_3_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a release with that interpreter: its wheels, the golden samples, the server."""
    python = python38()
    monkeypatch.setattr("studio.targets.connect.interpreter_of", lambda target: python)
    monkeypatch.setattr("studio.deployment.work.interpreter_of", lambda target: python)
    monkeypatch.setenv("EDGEWRIGHT_SERVICE", "process")
    bundles = [make_bundle(tmp_path / str(version), version) for version in (1, 2)]
    root = tmp_path / "root"
    studio = Studio(tmp_path / "jobs", TargetSpec("old", "local:", "", {"root": str(root)}))
    try:
        done = studio.deploy(bundles[0])
        assert "Python 3.8" in rows(done)["connect"]["text"]
        assert done["state"] == "serving"
        assert "golden samples agree" in rows(done)["probe"]["text"]
        assert studio.deploy(bundles[1])["state"] == "serving"
        assert (studio.rollback()["from"], studio.releases()["releases"][0]["version"]) == (2, 1)
    finally:
        undeploy(UndeployOptions(target=studio.target, purge=True), studio.job())
