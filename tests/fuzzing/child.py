"""A process that fuzzes one target: ``python -m tests.fuzzing.child TARGET --folder F``."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.fuzzing import engines, findings
from tests.fuzzing.findings import Finding
from tests.fuzzing.progress import Progress
from tests.fuzzing.target import Target, target
from tests.fuzzing.watch import Watch

_MEMORY = 6 << 30
"""Of addresses; what an input of a megabyte has no business with."""

_SMALLER_TRIES = 150


class Cases:
    """Runs inputs one by one; what must not be is written down, and the next one is tried."""

    def __init__(self, chosen: Target, folder: Path) -> None:
        self._target = chosen
        self._room = folder / "case"
        self._found = folder / "findings"
        self._progress = Progress(folder / "progress")
        self._watch = Watch(self._room, folder / "home", chosen.programs)
        self._found.mkdir(exist_ok=True)
        self._clear()

    def __call__(self, data: bytes) -> None:
        """One case, which counts."""
        self._progress.begin(data)
        finding = self.try_it(data)
        if finding is not None and finding.save(self._found, data):
            self._save_smaller(finding, data)
        self._progress.end()

    def try_it(self, data: bytes) -> Finding | None:
        """What is wrong with how the target takes an input, if anything is."""
        name = self._target.name
        try:
            with self._watch.case():
                self._target.run(data, self._room)
        except self._target.accepted:
            pass
        except (Exception, SystemExit) as error:
            return findings.of_exception(name, error)
        finally:
            self._clear()
        if self._watch.seen:
            first = self._watch.seen[0]
            return Finding(
                name, "outside", " ".join(first.split()[:1]), "\n".join(self._watch.seen)
            )
        return None

    def _save_smaller(self, finding: Finding, data: bytes) -> None:
        def fails(smaller: bytes) -> bool:
            again = self.try_it(smaller)
            return again is not None and again.where == finding.where

        small = findings.minimised(data, fails, _SMALLER_TRIES)
        for path in self._found.glob("*.bin"):
            if path.read_bytes() == data:
                path.write_bytes(small)

    def _clear(self) -> None:
        if not self._room.exists():
            self._room.mkdir()
        for path in list(self._room.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def main() -> int:
    """Fuzz, or run one input again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--again", type=Path, help="an input to run, and no other")
    given = parser.parse_args()
    _confine(given.folder)
    guided = not given.plain and given.again is None and engines.find_atheris()
    with engines.instrumented(guided):
        chosen = target(given.target)
        chosen.run(chosen.seeds()[0], _scratch(given.folder))  # what it loads when first used
    run = Cases(chosen, given.folder)
    if given.again is not None:
        return _again(run, given.again, given.folder)
    limits = {"seconds": given.seconds, "cases": given.cases, "seed": given.seed}
    if guided:
        engines.guided(chosen, run, corpus=given.folder / "corpus", **limits)
    else:
        engines.plain(chosen, run, **limits)
    return 0


def _again(run: Callable[[bytes], None], path: Path, folder: Path) -> int:
    before = len(list((folder / "findings").iterdir()))
    run(path.read_bytes())
    return 1 if len(list((folder / "findings").iterdir())) > before else 0


def _confine(folder: Path) -> None:
    """Memory is limited, temporary files lie in the case's folder, nothing is compiled to disk."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.dont_write_bytecode = True
    home = folder / "home"
    home.mkdir(exist_ok=True)
    os.environ.update(HOME=str(home), EDGEWRIGHT_HOME=str(home / "edgewright"))
    (folder / "case").mkdir(exist_ok=True)
    tempfile.tempdir = str(folder / "case")


def _scratch(folder: Path) -> Path:
    path = folder / "first"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


if __name__ == "__main__":
    sys.exit(main())
