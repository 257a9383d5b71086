"""A support archive: what a report of a defect needs, without secrets; it is sent nowhere."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import studio
from studio.api import StudioError
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost, Trust
from studio.registry import Registry
from studio.settings import SETTINGS, Paths, Settings, write_atomically
from studio.settings.redaction import Redactor
from studio.workspace.diagnosis import DoctorCheck

_LEFT_OUT = frozenset({"operator", "window"})
"""Settings that tell who the user is, or nothing."""

_MOST_BYTES = 4 << 20
"""Of one log: a rotated one has half as much."""

_MOST_OUTCOMES = 100
_HOMES = re.compile(r"/(?:home|Users)/[^/\s\"'\\:,;)\]]+")


@dataclass(frozen=True, slots=True)
class SupportArchive:
    """The files of an archive by their names, as they will be written."""

    files: Mapping[str, bytes]

    @classmethod
    def collect(cls, paths: Paths, checks: Sequence[DoctorCheck]) -> SupportArchive:
        """Gather what is there; a part that cannot be read is left out."""
        clean = _Cleaner(paths)
        found = dict(_documents(paths, checks))
        found.update(_logs(paths.logs))
        return cls({name: clean.text(text).encode() for name, text in found.items()})

    @property
    def listing(self) -> list[str]:
        """Each file with its size, for people."""
        return [f"{name}  {len(content):,} B" for name, content in self.files.items()]

    def write(self, path: Path) -> None:
        """Write the archive, readable by its owner alone.

        Raises:
            StudioError: when it cannot be written.
        """
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        try:
            write_atomically(path, content.getvalue(), mode=0o600)
        except OSError as error:
            raise StudioError(f"{path} cannot be written: {error.strerror or error}.") from None


class _Cleaner:
    """A filter that removes secrets, and users' names in the paths of their homes."""

    def __init__(self, paths: Paths) -> None:
        self._redactor = Redactor.of(paths.data)
        homes = {str(Path.home()), os.path.realpath(Path.home())} - {"/"}
        # Logs are JSON, in which other letters than those of ASCII are escaped.
        spelt = {text for home in homes for text in (home, json.dumps(home)[1:-1])}
        self._homes = re.compile("|".join(map(re.escape, sorted(spelt, key=len, reverse=True))))

    def text(self, text: str) -> str:
        """Return the text as it may be passed on."""
        cleaned = self._redactor.text(text)
        if self._homes.pattern:
            cleaned = self._homes.sub("~", cleaned)
        return _HOMES.sub("~", cleaned)


def _documents(paths: Paths, checks: Sequence[DoctorCheck]) -> Iterator[tuple[str, str]]:
    """Yield the files that are generated for the archive."""
    for name, document in (
        ("doctor", [asdict(check) for check in checks]),
        ("versions", _versions()),
        ("plugins", _plugins(paths)),
        ("outcomes", _outcomes(paths)),
        ("settings", _settings(paths)),
    ):
        yield f"{name}.json", json.dumps(document, indent=1, default=str) + "\n"


def _versions() -> dict[str, str]:
    required = metadata.requires("edgewright") or [] if _is_installed("edgewright") else []
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required}
    return {
        "edgewright": studio.__version__,
        "python": sys.version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{name: metadata.version(name) for name in sorted(names) if _is_installed(name)},
    }


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _plugins(paths: Paths) -> list[dict[str, Any]]:
    host = PluginHost.discover(paths.plugins, Trust(paths.trust))
    return [
        {
            "id": plugin.id,
            "version": plugin.manifest.version if plugin.manifest else "",
            "state": plugin.state.value,
            "reason": plugin.reason,
            "built_in": plugin.built_in,
        }
        for plugin in host.plugins
    ]


def _outcomes(paths: Paths) -> list[dict[str, str]]:
    """Return the last steps that succeeded, by name alone; the log has those that failed."""
    try:
        registry = Registry.open(paths.registry)
    except (OSError, StudioError):
        return []  # the report of the doctor has the reason
    with closing(registry):
        actions = registry.ledger.actions(_MOST_OUTCOMES)
        return [
            {"step": one.step, "source": one.source.partition(" ")[0], "at": one.created}
            for one in actions
        ]


def _settings(paths: Paths) -> dict[str, Any]:
    settings = Settings(paths.settings)
    return {name: settings[name] for name in SETTINGS if name not in _LEFT_OUT}


def _logs(folder: Path) -> Iterator[tuple[str, str]]:
    """Logs of the studio, its crashes and its workers' native output; nothing else lies there."""
    patterns = ("studio.log", "studio.log.?", "window.err", "workers/*.err")
    for path in sorted(found for pattern in patterns for found in folder.glob(pattern)):
        text = _read(path)
        if text.strip():
            yield f"logs/{path.relative_to(folder).as_posix()}", text


def _read(path: Path) -> str:
    """Return a regular file's text; empty where it cannot be read, or is a link to another's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
