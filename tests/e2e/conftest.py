"""The installed ``studio`` command, run as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from studio.api import Parcel
    from tests.rigs.engine import DockerEngine

STUDIO = Path(sys.executable).with_name("studio")


def interruptible() -> None:
    """For ``preexec_fn``: Ctrl-C ends it, as in a terminal.

    What a shell starts in the background ignores that signal, and all that it starts do.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Ended:
    """The end of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


class Studio:
    """The command with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.user = home / "user"
        self.user.mkdir(parents=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_"))},
            "EDGEWRIGHT_HOME": str(home / "edgewright"),
            "HOME": str(self.user),
        }

    def run(self, *words: str | Path, timeout: float = 300, under: Sequence[str] = ()) -> Ended:
        """Run a command to its end; ``under`` is put in front of it (a tracer)."""
        from tests.rigs import warm_start

        texts = list(map(str, words))
        if not under and (
            warm := warm_start.run(STUDIO, texts, self.home, self.environment, timeout)
        ):
            return Ended(warm.returncode, warm.stdout, warm.stderr)
        done = subprocess.run(
            [*under, str(STUDIO), *texts],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @property
    def has_deployed(self) -> bool:
        """Whether something was ever deployed to this computer."""
        return (self.home / "edgewright" / "data" / "releases").exists()

    def ok(self, *words: str | Path, timeout: float = 300) -> Any:
        """Run a command with ``--json`` that must succeed; its document."""
        ended = self.run(*words, "--json", timeout=timeout)
        assert ended.code == 0, ended.err or ended.out
        return ended.json


@pytest.fixture
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The command; what it serves on this computer is ended with the test."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    if studio.has_deployed:
        studio.run("undeploy", "--target", "local")


@pytest.fixture(scope="session")
def digits() -> Path:
    """The folder of the sample."""
    from studio.settings import resource

    return resource("samples", "digits")


Waiter = Callable[[Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """A real container engine with a base image, for all tests that run containers."""
    from tests.rigs.engine import docker_engine

    with docker_engine() as engine:
        engine.load_base()
        yield engine


@pytest.fixture(scope="session")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    """Two versions of one small model, for platforms."""
    from tests.rigs.containers import make_parcels

    return make_parcels(tmp_path_factory.mktemp("parcels"))
