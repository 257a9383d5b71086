"""A board on which the scripts of a Greengrass component are run, as their recipe has them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.packages import Bundle
from studio_greengrass.packager import GreengrassPackager
from tests.rigs.bundles import QuietJob
from tests.rigs.pull.artifacts import parcel_of
from tests.rigs.pull.board import PORT
from tests.unit.runtime.release.machine import Machine

OPTIONS = {"component": "", "bucket": "", "soak_s": 0, "trial": False, "unsigned": True}


class Component:
    """A component that was written and unpacked as Greengrass unpacks it.

    Attributes:
        made: What the packager returned.
        recipe: The recipe.
        folder: Folder of the unpacked artefact.
    """

    def __init__(
        self, bundle: Bundle, runtime: Path, folder: Path, root: Path, **options: Any
    ) -> None:
        parcel = replace(parcel_of(bundle), runtime=runtime)
        given = {**OPTIONS, "board_root": str(root), **options}
        made = GreengrassPackager().build(parcel, folder, given, QuietJob(folder / "job"))
        self.made: dict[str, Any] = dict(made)
        self.recipe = json.loads(Path(self.made["recipe"]).read_text())
        self._unpacked = folder / "unpacked"
        self.folder = self._unpacked / "release"
        with zipfile.ZipFile(self.made["path"]) as archive:
            archive.extractall(self.folder)
        settings = self.folder / "settings.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "port": PORT}))

    def words(self, phase: str) -> list[str]:
        """The command line of a phase."""
        script = str(self.recipe["Manifests"][0]["Lifecycle"][phase]["Script"])
        return ["sh", "-c", script.replace("{artifacts:decompressedPath}", str(self._unpacked))]


class ComponentBoard:
    """A folder of releases, at first without any settings."""

    def __init__(self, root: Path, machine: Machine) -> None:
        self.root, self.machine = root, machine
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        more = {"EDGEWRIGHT_SERVICE": "process", "AWS_IOT_THING_NAME": "thing:7", "PATH": path}
        self._environment = {**os.environ, **more}
        self._running: list[subprocess.Popen[str]] = []

    def phase(self, component: Component, name: str) -> subprocess.CompletedProcess[str]:
        """Run a phase to its end."""
        return subprocess.run(
            component.words(name),
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=300,
        )

    def start(self, component: Component) -> subprocess.Popen[str]:
        """Start the phase that lasts, until it serves."""
        process = subprocess.Popen(
            component.words("Run"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
            start_new_session=True,
        )
        self._running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "The release serves.\n"
        return process

    @property
    def status(self) -> dict[str, Any]:
        """What the release machine serves."""
        return Machine(self.root, runtime=self.machine.runtime).ok("status")

    def end(self) -> None:
        """End whatever still runs."""
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        Machine(self.root, runtime=self.machine.runtime).call("stop", seconds=2.0)
