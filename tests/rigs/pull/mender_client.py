"""Mender's own client, standalone, with folders of its own in a mount namespace."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.rigs.pull.mender_board import DEVICE, ENVIRONMENT

PROGRAMS = ("mender", "mender-artifact", "unshare", "mount")
_MODULES, _ETC = "/usr/share/mender/modules/v3", "/etc/mender"
_INSIDE = f"""\
mount --bind "$1" {_MODULES} && mount --bind "$2" {_ETC} && shift 2 && exec mender "$@"
"""


class MenderClient:
    """A board's client, which finds one update module and verifies with one key."""

    def __init__(self, folder: Path, module: Path, key: Path | None = None) -> None:
        self._data, self._etc, self._modules = (folder / n for n in ("data", "etc", "modules"))
        for place in (self._data, self._etc, self._modules):
            place.mkdir(parents=True)
        (self._modules / module.name).symlink_to(module)
        (self._data / "device_type").write_text(f"device_type={DEVICE}\n")
        (self._etc / "artifact_info").write_text("artifact_name=before\n")
        settings = {"DeviceTypeFile": str(self._data / "device_type")}
        if key is not None:
            settings["ArtifactVerifyKey"] = str(key)
        (self._etc / "mender.conf").write_text(json.dumps(settings))

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of the client; its log is on standard error."""
        place = ["unshare", "--mount", "sh", "-c", _INSIDE, "sh", self._modules, self._etc]
        options = ["--no-syslog", "--data", self._data]
        line = [str(word) for word in (*place, *options, *words)]
        return subprocess.run(line, capture_output=True, text=True, env=ENVIRONMENT, timeout=600)

    @property
    def name(self) -> str:
        """Name of the artefact that the client says is installed."""
        return self.run("show-artifact").stdout.strip()
