"""A board with Mender's update module, whose states are called as Mender's client calls them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from studio.packages import Bundle
from studio_mender.packager import MenderPackager
from tests.rigs.bundles import QuietJob
from tests.rigs.pull.artifacts import parcel_of
from tests.unit.runtime.release.machine import Machine

DEVICE = "board-a"
ENVIRONMENT = {**os.environ, "EDGEWRIGHT_SERVICE": "process"}


def mender_artefact(bundle: Bundle, folder: Path, **options: Any) -> Path:
    """The artefact of a bundle, as the packager writes it."""
    given = {"device_type": DEVICE, "artefact_name": "", "key": None, **options}
    made = MenderPackager().build(parcel_of(bundle), folder, given, QuietJob(folder / "job"))
    return Path(str(made["path"]))


def unpacked(artefact: Path, tree: Path) -> Path:
    """The folder of the published protocol of update modules, version 3, for an artefact."""
    for name in ("files", "tmp", "header"):
        (tree / name).mkdir(parents=True)
    (tree / "version").write_text("3\n")
    (tree / "current_artifact_name").write_text("before\n")
    (tree / "current_artifact_group").write_text("\n")
    (tree / "current_device_type").write_text(DEVICE + "\n")
    with tarfile.open(artefact) as outer:
        for member, place in (("data/0000.tar.gz", "files"), ("header.tar.gz", "header")):
            found = outer.extractfile(member)
            assert found is not None
            with tarfile.open(fileobj=io.BytesIO(found.read())) as inner:
                inner.extractall(tree / place, filter="data")
    return tree


class ModuleBoard:
    """A folder of releases whose update module is called.

    Attributes:
        module: The update module.
    """

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root, self.machine = root, Machine(root)
        given: dict[str, Any] = {
            "server": "",
            "tenant": "DEFAULT",
            "id": "board-1",
            "client": "mender",
        }
        given.update({"unsigned": True, "soak_s": 0.0, **settings})
        self.set_up = self.pull("install", content=json.dumps(given))
        self.module = root / "pull" / "mender" / "edgewright"

    def pull(self, *words: str, content: str = "") -> subprocess.CompletedProcess[str]:
        """A verb of the pull client."""
        line = [sys.executable, str(self.machine.runtime), "pull", *words, "--root", str(self.root)]
        return subprocess.run(
            line, input=content, capture_output=True, text=True, env=ENVIRONMENT, timeout=300
        )

    def call(self, state: str, tree: Path) -> subprocess.CompletedProcess[str]:
        """A state of the module, in the folder that Mender has laid out."""
        line = [str(self.module), state, str(tree)]
        return subprocess.run(
            line, cwd=tree, capture_output=True, text=True, env=ENVIRONMENT, timeout=300
        )

    @property
    def current(self) -> str:
        """Digest of the release that is served; empty without one."""
        place = self.root / "state.json"
        return str(json.loads(place.read_bytes())["current"]) if place.exists() else ""

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return bool(Machine(self.root, runtime=self.machine.runtime).ok("status")["running"])

    def stop(self) -> None:
        """End the server."""
        self.machine.call("stop", seconds=2.0)
