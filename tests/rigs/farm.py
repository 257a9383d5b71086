"""A farm of boards: real SSH servers in namespaces, each with a Python that runs the benchmark."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from studio.registry import Registry
from studio.settings import Paths
from tests.rigs.boards import Board, Network

CODE = "import sys; from studio.cli.main import main; sys.exit(main())"


class Farm:
    """Boards with a label, and a home of a studio that knows them.

    Attributes:
        boards: In the order of their names ``cam-1``, ``cam-2`` ...
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.home = folder / "studio"
        self.boards: list[Board] = []
        self._count = count
        self._open = ExitStack()

    def __enter__(self) -> Farm:
        self.home.mkdir()
        network = self._open.enter_context(Network())
        registry = Registry.open(Paths.of(self.environment).registry)
        try:
            for number in range(1, self._count + 1):
                made = Board(network, self.folder / f"board-{number}")
                board = self._open.enter_context(made)
                give_python(board)
                registry.add_target(board.spec(f"cam-{number}"))
                registry.labels.change(f"cam-{number}", {"site": "lab"})
                self.boards.append(board)
        except BaseException:
            self._open.close()
            raise
        finally:
            registry.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a command of this studio."""
        return {**os.environ, "EDGEWRIGHT_HOME": str(self.home)}

    def command(self, *words: str) -> list[str]:
        """A command of the studio, by this interpreter."""
        return [sys.executable, "-c", CODE, *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=900,
            env=self.environment,
            cwd=self.folder,
            check=False,
        )

    def study(
        self, *models: Path, targets: Sequence[str] = ("@site=lab",), **flags: object
    ) -> dict[str, Any]:
        """Run a study on boards; its result."""
        given = {"seconds": 2, "threads": 1, **flags}
        words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
        named = [word for target in targets for word in ("--target", target)]
        done = self.run("profile", *map(str, models), *named, *words, "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


def give_python(board: Board) -> None:
    """Give a board an interpreter with what this one has, as a deployment would bring it.

    The login's home hides what is below this computer's, so the interpreter of the system of this
    version runs with the packages of this environment.
    """
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    assert system is not None, "boards need the system's interpreter of this version"
    import numpy

    packages = Path(numpy.__file__).parents[1]
    program = board.home / ".edgewright" / "env" / "farm" / "bin" / "python3"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec {system} "$@"\n')
    program.chmod(0o755)
