"""Mender's update module: its states (protocol version 3) as verbs of the release machine.

Mender calls a program of the name of the payload with a state and a folder: the payload is in
``files``, and ``tmp`` is the module's own until the update is over. A state that a module does not
know succeeds without output, as the protocol wants it.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Callable, Mapping, NamedTuple

from ..shared.files import write_atomically
from ..shared.records import read
from .artefact_folder import ArtefactFolder
from .delivery import Delivery
from .errors import PullError
from .settings import MENDER, PullFolder

MODULE = "edgewright"
"""Name of the update module, and type of the payloads that it takes."""

_NOTE = "edgewright.json"
_MOST_BYTES = 1 << 12
_SCRIPT = """\
#!/bin/sh
# Written by edgewright: Mender's update module, which hands releases to the release machine.
exec {python} {application} pull module --root {root} "$1" "$2"
"""


class InstallNote(NamedTuple):
    """Note of an installation, for a rollback.

    Attributes:
        release: Digest of the release that was brought.
        before: Digest of the one that was served; empty without one.
    """

    release: str
    before: str = ""


def module_of(folder: PullFolder) -> Path:
    """Return the place of the update module below the folder of releases."""
    return folder.folder / MENDER / MODULE


def write_module(folder: PullFolder) -> Path:
    """Write the update module below the folder of releases and return its path."""
    words = {
        "python": shlex.quote(sys.executable),
        "application": shlex.quote(str(folder.application)),
        "root": shlex.quote(str(folder.root)),
    }
    place = module_of(folder)
    place.parent.mkdir(mode=0o755, exist_ok=True)
    write_atomically(place, _SCRIPT.format(**words).encode(), 0o755)
    return place


def state(root: Path, name: str, files: Path) -> int:
    """Do what a state of the update wants, and return the exit status.

    Args:
        root: Folder of releases.
        name: Name of the state.
        files: Folder that Mender has laid out.

    Raises:
        PullError: when the state fails; Mender then rolls back.
    """
    if name in _ANSWERS:
        print(_ANSWERS[name])
    elif name in _STATES:
        _STATES[name](Delivery(root, MENDER), files)
    return 0


def _install(delivery: Delivery, files: Path) -> None:
    artefact = ArtefactFolder(files / "files")
    note = InstallNote(artefact.manifest.digest, delivery.status().current)
    content = json.dumps(note._asdict(), sort_keys=True).encode()
    write_atomically(files / "tmp" / _NOTE, content, 0o600)
    delivery.install(artefact)


def _commit(delivery: Delivery, files: Path) -> None:
    """Refuse to keep a release that has ended, or was replaced, since it was installed."""
    note, now = _note(files), delivery.status()
    if now.current != note.release or not now.running:
        raise PullError("The release {} does not serve.".format(note.release[:12]))


def _roll_back(delivery: Delivery, files: Path) -> None:
    if not (files / "tmp" / _NOTE).exists():
        print("No release was installed.")
        return
    note = _note(files)
    now = delivery.go_back(note.release, note.before)
    print("Release {} serves.".format(now[:12]) if now else "No release serves.")


def _note(files: Path) -> InstallNote:
    try:
        with open(str(files / "tmp" / _NOTE), "rb") as file:
            return read(InstallNote, json.loads(file.read(_MOST_BYTES)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise PullError("The folder {} has no note of an installation.".format(files)) from None


_ANSWERS: Mapping[str, str] = {"NeedsArtifactReboot": "No", "SupportsRollback": "Yes"}

_STATES: Mapping[str, Callable[[Delivery, Path], None]] = {
    "ArtifactInstall": _install,
    "ArtifactCommit": _commit,
    "ArtifactRollback": _roll_back,
}
