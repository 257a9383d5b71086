"""Debian's docker-registry on the loopback, and the programs that read what is in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.benchmarks.serve.peers import free_port
from tests.rigs.engine import RegistryServer

LIMIT_S = 120.0
Program = Callable[..., str]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of an empty registry without a login."""
    with RegistryServer(tmp_path_factory.mktemp("registry") / "store", free_port()) as server:
        yield server.address


@pytest.fixture(scope="module")
def program() -> Program:
    """Runs a program that must succeed; its standard output."""

    def run(*words: str | Path) -> str:
        done = subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            env={**os.environ, "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def podman(program: Program, tmp_path: Path) -> Iterator[Program]:
    """Podman with folders of its own."""
    own = ["podman", "--root", f"{tmp_path}/root", "--runroot", f"{tmp_path}/run"]
    own += ["--tmpdir", f"{tmp_path}/tmp", "--storage-driver", "vfs"]
    own += ["--cgroup-manager=cgroupfs", "--runtime=runc"]

    def run(*words: str | Path) -> str:
        return program(*own, *words)

    yield run
    program(*own, "rmi", "--all", "--force")
