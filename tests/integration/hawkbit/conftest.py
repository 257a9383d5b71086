"""goosebit itself, the studio's command, and a board whose client is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.pull.goosebit import PASSWORD, USER, Goosebit, install

ENVIRONMENT = {**os.environ, "EDGEWRIGHT_SERVICE": "process"}


class PullingBoard:
    """A folder of releases whose client polls goosebit.

    Attributes:
        name: Of the target and of the board at the server.
    """

    def __init__(self, studio: Studio, root: Path, name: str, server: str, *more: str) -> None:
        self.name, self.root, self.server = name, root, server
        self._studio = studio
        studio.ok("target", "add", name, "local:", "--root", root)
        words = (
            "target",
            "pull",
            "--target",
            name,
            "--server",
            server,
            "--plain",
            "--soak-s",
            "0.5",
        )
        self.set_up = studio.ok(*words, *more)

    def poll(self) -> subprocess.CompletedProcess[str]:
        """One poll by a client process of its own."""
        program = str(self.root / "pull" / "edgewright.pyz")
        words = [sys.executable, program, "pull", "run", "--once", "--root", str(self.root)]
        return subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)

    def start(self) -> subprocess.Popen[bytes]:
        """The client as a service."""
        program = str(self.root / "pull" / "edgewright.pyz")
        words = [sys.executable, program, "pull", "run", "--root", str(self.root)]
        return subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.DEVNULL)

    @property
    def state(self) -> dict[str, Any]:
        """State of its release machine."""
        found: dict[str, Any] = json.loads((self.root / "state.json").read_bytes())
        return found


@pytest.fixture(scope="session")
def python(rigs: Path) -> Path:
    """The interpreter of goosebit's environment."""
    return install(rigs)


@pytest.fixture(scope="module")
def server(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Goosebit]:
    with Goosebit(python, tmp_path_factory.mktemp("goosebit")) as one:
        yield one


@pytest.fixture(scope="module")
def fleet(studio: Studio, server: Goosebit) -> Studio:
    """The studio with the target ``fleet``."""
    studio.environment["EDGEWRIGHT_SERVICE"] = "process"
    login = studio.home / "login"
    login.write_text(f"{USER}:{PASSWORD}")
    login.chmod(0o600)
    url = f"goosebit://127.0.0.1:{server.port}/DEFAULT/default"
    studio.ok("target", "add", "fleet", url, "--set", f"login={login}", "--set", "plain=yes")
    return studio
