"""The studio in the menu of a desktop: its entry, its icon and its file types (freedesktop.org)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from studio.api import StudioError, Unavailable
from studio.lazy_dataclass import dataclass
from studio.settings.installation import NAME
from studio.settings.paths import HOME_VARIABLE, Paths
from studio.settings.resources import resource

_UPDATE_S = 60
_RESERVED = re.compile(r"[^\w/.,:@+-]")


@dataclass(frozen=True, slots=True)
class DesktopFiles:
    """The files of the entry below a folder of shared data.

    Attributes:
        data: ``~/.local/share`` for one user, ``/usr/share`` for all.
    """

    data: Path

    @classmethod
    def of_user(cls, environment: Mapping[str, str] | None = None) -> DesktopFiles:
        """Return the user's own, where the desktop looks for them."""
        env = os.environ if environment is None else environment
        # A workspace elsewhere has no menu of its own.
        return cls(Paths.of({k: v for k, v in env.items() if k != HOME_VARIABLE}).data.parent)

    @property
    def entry(self) -> Path:
        """The entry of the menu."""
        return self.data / "applications" / f"{NAME}.desktop"

    @property
    def icon(self) -> Path:
        """The icon, which scales."""
        return self.data / "icons" / "hicolor" / "scalable" / "apps" / f"{NAME}.svg"

    @property
    def types(self) -> Path:
        """The file types."""
        return self.data / "mime" / "packages" / f"{NAME}.xml"

    def contents(self, program: str) -> dict[Path, str]:
        """Return the text of each file.

        Args:
            program: The command that the entry starts.
        """
        entry = resource("desktop", f"{NAME}.desktop").read_text(encoding="utf-8")
        entry = entry.replace("Exec=studio open", f"Exec={exec_word(program)} open", 1)
        entry = entry.replace("TryExec=studio", f"TryExec={program}", 1)
        return {
            self.entry: entry,
            self.icon: resource("icons", f"{NAME}.svg").read_text(encoding="utf-8"),
            self.types: resource("desktop", f"{NAME}.xml").read_text(encoding="utf-8"),
        }

    def install(self, program: str) -> list[Path]:
        """Write the files and update the desktop's caches; returns the files.

        Raises:
            StudioError: when a file cannot be written.
        """
        contents = self.contents(program)
        try:
            for path, text in contents.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StudioError(f"{error.filename} cannot be written: {error.strerror}.") from None
        self._update_caches()
        return list(contents)

    def remove(self) -> list[Path]:
        """Delete the files and update the caches; returns the files that were there.

        Raises:
            StudioError: when a file cannot be deleted.
        """
        found = [path for path in (self.entry, self.icon, self.types) if os.path.lexists(path)]
        try:
            for path in found:
                path.unlink()
        except OSError as error:
            raise StudioError(f"{error.filename} cannot be deleted: {error.strerror}.") from None
        if found:
            self._update_caches()
        return found

    def _update_caches(self) -> None:
        """Run the desktop's own programs; without them the desktop finds out later."""
        for program, folder in (
            ("update-desktop-database", self.entry.parent),
            ("update-mime-database", self.types.parent.parent),
        ):
            place = shutil.which(program)
            if place:
                command = [place, str(folder)]
                subprocess.run(command, capture_output=True, timeout=_UPDATE_S, check=False)


def own_program() -> str:
    """Return the command that starts this studio, whatever a desktop's search path is.

    Raises:
        Unavailable: when there is no such command, as in a Python that only has the modules.
    """
    appimage = os.environ.get("APPIMAGE")
    if appimage and Path(sys.prefix).is_relative_to(os.environ.get("APPDIR") or "/nowhere"):
        return appimage
    # Tools such as uv and pipx link the program into a folder that outlives an upgrade.
    for place in (shutil.which("studio"), Path(sys.prefix) / "bin" / "studio"):
        if place and Path(place).resolve().parent == (Path(sys.prefix) / "bin").resolve():
            return str(Path(place).absolute())
    found = shutil.which("studio")
    if found:
        return found
    raise Unavailable("The command studio is not installed.", hint="Install the wheel with pip.")


def exec_word(program: str) -> str:
    """Return a program's path as a word of the key ``Exec``, quoted by its rules."""
    if not _RESERVED.search(program):
        return program
    inner = re.sub(r'(["`$\\])', r"\\\1", program).replace("\\", "\\\\")
    return f'"{inner}"'.replace("%", "%%")
