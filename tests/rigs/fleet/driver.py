"""A fleet at work: its process, its plugin in a home, and a look at the boards' disks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from studio.api import TargetSpec
from studio.packages.bundle import Bundle
from studio.workspace import Workspace

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
PLUGIN = "simulated_boards"


class SimulatedFleet:
    """Boards in one process; the studio that is given knows them as its targets."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.names = [f"b{number:03}" for number in range(count)]
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, failing: Mapping[str, str] | None = None) -> None:
        """Switch the boards on, some of them failing; what is on their disks stays."""
        self.stop()
        plan = self.folder / "failing.json"
        plan.write_text(json.dumps(dict(failing or {})))
        (self.folder / "socket").unlink(missing_ok=True)
        words = ["-m", "tests.rigs.fleet.simulator", str(self.folder), str(self.count), str(plan)]
        self._process = subprocess.Popen(
            [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        """Switch them off."""
        if self._process is not None:
            self._process.communicate(timeout=30)
            self._process = None

    def __enter__(self) -> SimulatedFleet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def memory_mb(self) -> float:
        """Resident memory of the simulator's processes."""
        assert self._process is not None
        pages = 0
        for pid in (self._process.pid, *_children(self._process.pid)):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def introduce(self, workspace: Workspace) -> None:
        """Add the plugin, the boards, and a group of all of them."""
        for name in self.names:
            settings = {"socket": str(self.folder / "socket")}
            workspace.add_target(TargetSpec(name, f"simulated:{name}", "", settings))
        workspace.set_group("all", self.names)

    def serving(self) -> dict[str, str]:
        """The digest that each board serves, by what lies on its disk."""
        found = {}
        for name in self.names:
            link = self.folder / name / "current"
            found[name] = os.readlink(link).rpartition("/")[2] if link.is_symlink() else ""
        return found

    def check(self, bundles: Mapping[str, Bundle]) -> None:
        """Nothing is half-done: each board is at rest, serves a whole release and says so."""
        for name, digest in self.serving().items():
            root = self.folder / name
            if not root.is_dir():
                continue
            state = json.loads((root / "state.json").read_text())
            assert state["phase"] == "idle", (name, state)
            assert state["current"] == digest, (name, state["current"], digest)
            releases = {p.name for p in (root / "releases").iterdir() if p.suffix != ".json"}
            assert releases <= set(bundles), (name, releases)
            for release in releases:
                for file in bundles[release].files:
                    path = root / "releases" / release / file.name
                    assert path.stat().st_size == file.size, (name, path)
            if digest:
                assert json.loads((root / "run" / "server.json").read_text())["digest"] == digest


def place_plugin(home: Path) -> None:
    """Put the plugin to where a user puts plugins."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / PLUGIN, home / "config" / "plugins" / PLUGIN, ignore=ignored)


def agree(workspace: Workspace) -> None:
    """Be the user who has looked at it."""
    workspace.allow_plugin(PLUGIN, workspace.plugins.plugin(PLUGIN).digest)


def _children(pid: int) -> list[int]:
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for word in words for one in (int(word), *_children(int(word)))]
