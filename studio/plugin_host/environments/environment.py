"""Where a plugin's environment lies, and in which condition it is."""

from __future__ import annotations

import enum
import fcntl
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

from studio.api import StudioError, Unavailable
from studio.api.toolchains import EnvironmentNeed
from studio.documents.dataclass_json import from_json, to_json
from studio.lazy_dataclass import dataclass

RECORD = "environment.json"
"""Written last, so that an environment without it was never finished."""


class EnvironmentCondition(enum.Enum):
    """The state of an environment, read without starting a process in it."""

    MISSING = "missing"
    INSTALLED = "installed"
    BROKEN = "broken"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """An environment as it was found.

    Attributes:
        reason: Why it cannot be used, in one sentence; empty when it can.
        python: Version of its interpreter, as far as it is known.
        versions: Installed distributions by name.
        bytes: Room that it takes on the disk.
    """

    condition: EnvironmentCondition
    reason: str = ""
    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """The record of a finished environment.

    Attributes:
        requirements: SHA-256 of the lock that it was made from.
    """

    plugin: str = ""
    requirements: str = ""
    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of one plugin.

    Attributes:
        plugin: Its id, which names the folder.
        source: The plugin's own folder, in which the lock lies.
        parent: The folder of all environments.
        title: What people call what it is for (NNCF); the plugin's id where nothing is given.
        name: What ``studio backends install`` takes for it; the same.
    """

    plugin: str
    need: EnvironmentNeed
    source: Path
    parent: Path
    title: str = ""
    name: str = ""

    @property
    def folder(self) -> Path:
        """Where it lies, or would lie."""
        return self.parent / self.plugin

    @property
    def interpreter(self) -> Path:
        """Its Python, or where that would be."""
        return self.folder / "bin" / "python"

    @property
    def lock(self) -> Path:
        """The file of requirements that it is made from."""
        return self.source / self.need.requirements

    @property
    def digest(self) -> str:
        """SHA-256 of the lock and the npm packages: others make another environment."""
        digest = hashlib.sha256(self.lock.read_bytes())
        for package in self.need.npm:
            digest.update("\n".join((package.integrity, *package.files)).encode())
        return digest.hexdigest()

    def state(self) -> EnvironmentState:
        """Read the state of the environment without starting a process."""
        if not self.folder.is_dir():
            return EnvironmentState(EnvironmentCondition.MISSING, "It is not installed.")
        try:
            text = (self.folder / RECORD).read_text(encoding="utf-8")
            record = from_json(EnvironmentRecord, json.loads(text))
        except (OSError, ValueError):
            return EnvironmentState(
                EnvironmentCondition.BROKEN, "Its record is missing or damaged."
            )
        if not self.interpreter.exists():
            text = f"Its Python {record.python} is not on this machine any more."
            return EnvironmentState(EnvironmentCondition.BROKEN, text, record.python)
        try:
            current = self.digest
        except OSError:
            text = f"The plugin's file {self.need.requirements} cannot be read."
            return EnvironmentState(EnvironmentCondition.BROKEN, text, record.python)
        condition, text = EnvironmentCondition.INSTALLED, ""
        if record.requirements != current:
            condition = EnvironmentCondition.OUTDATED
            text = "The plugin has other requirements than it was made from."
        return EnvironmentState(condition, text, record.python, record.versions, record.bytes)

    def usable(self) -> EnvironmentState:
        """Return the state of an installed environment.

        Raises:
            Unavailable: when it is not, with the reason and the command that repairs it.
        """
        state = self.state()
        if state.condition is not EnvironmentCondition.INSTALLED:
            title = self.title or self.plugin
            reason = f"{state.reason[:1].lower()}{state.reason[1:]}"
            raise Unavailable(
                f"{title} is not installed yet."
                if state.condition is EnvironmentCondition.MISSING
                else f"{title} must be installed again: {reason}",
                hint=f"Install it with: studio backends install {self.name or self.plugin}, or "
                "on the Plugins page.",
            )
        return state

    def adopt(self, made: Path) -> None:
        """Put a finished environment in its place; the one before it is removed.

        Raises:
            StudioError: when it is being changed by another process.
        """
        with self.changing():
            old = self.parent / f".{self.plugin}-{uuid.uuid4().hex[:8]}"
            if self.folder.exists():
                self.folder.rename(old)
            try:
                made.rename(self.folder)
            except OSError:
                if old.exists():
                    old.rename(self.folder)
                raise
            shutil.rmtree(old, ignore_errors=True)

    def remove(self) -> bool:
        """Remove it; False when there was none.

        Raises:
            StudioError: when it is being changed by another process.
        """
        with self.changing():
            if not self.folder.exists():
                return False
            gone = self.parent / f".{self.plugin}-{uuid.uuid4().hex[:8]}"
            self.folder.rename(gone)  # at once for everyone; the files follow
            shutil.rmtree(gone, ignore_errors=True)
            return True

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock of those that make or remove it; the kernel frees it with the process.

        Raises:
            StudioError: when another process holds it.
        """
        self.parent.mkdir(parents=True, exist_ok=True)
        with (self.parent / f".{self.plugin}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StudioError(
                    f"The environment of {self.plugin} is being installed or removed.",
                    hint="Wait for it to finish.",
                ) from None
            yield


def interpreters(parent: Path) -> list[Path]:
    """Return where the Pythons lie that the environments in a folder were made with."""
    found = set()
    for settings in parent.glob("*/pyvenv.cfg"):
        for line in settings.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                found.add(Path(value.strip()).parent)
    return sorted(path for path in found if path != Path("/usr") and path.is_dir())


def write_record(folder: Path, record: EnvironmentRecord) -> None:
    """Declare an environment finished."""
    (folder / RECORD).write_text(json.dumps(to_json(record), indent=1), encoding="utf-8")
