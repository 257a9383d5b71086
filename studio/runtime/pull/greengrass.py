"""A component of AWS IoT Greengrass: the phases of its life cycle as verbs of the release machine.

The folder of the component has this application, the bundle in ``release``, and settings for a
board that has none yet (``settings.json``).
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Dict

from .artefact_folder import ArtefactFolder, opened
from .board_setup import set_up
from .delivery import Delivery
from .errors import PullError
from .settings import GREENGRASS, PullFolder

PHASES = ("install", "run", "shutdown", "recover")
RELEASE, SETTINGS = "release", "settings.json"
_THING = "AWS_IOT_THING_NAME"
_MOST_BYTES = 1 << 16
_LOOK_S = 5.0
_MOST_MISSED = 3


def phase(root: Path, name: str, folder: Path, release: str = "") -> int:
    """Do what a phase wants, and return the exit status.

    Args:
        root: Folder of releases.
        folder: Folder of the component.
        release: Digest that an installation must find there; empty for any.

    Raises:
        PullError: when the phase fails.
    """
    if name == "install":
        _install(root, folder, release)
        return 0
    delivery = Delivery(root, GREENGRASS)
    if name == "run":
        return _run(delivery)
    if name == "recover":
        delivery.start()
    else:
        delivery.stop()
    return 0


def _install(root: Path, folder: Path, release: str) -> None:
    """Take the release; settings that the board has already are kept."""
    artefact = ArtefactFolder(folder / RELEASE)
    if release and artefact.manifest.digest != release:
        raise PullError("The artefact has another release than the component names.")
    if not PullFolder(root).settings.exists():
        set_up(root, json.dumps(dict(_settings(folder), id=_board())).encode())
    Delivery(root, GREENGRASS).install(artefact)


def _settings(folder: Path) -> Dict[str, object]:
    with opened(folder / SETTINGS) as file:
        try:
            return dict(json.loads(file.read(_MOST_BYTES)))
        except (ValueError, TypeError, RecursionError):
            raise PullError("The component has no usable settings.") from None


def _board() -> str:
    """Return the board's name in the cloud, as far as names of boards have its letters."""
    return re.sub(r"[^A-Za-z0-9._:-]", "-", os.environ.get(_THING, "")).lstrip("._:-") or "board"


def _run(delivery: Delivery) -> int:
    """Serve until a signal arrives; a server that stays away ends the phase with a failure."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    delivery.start()
    print("The release serves.", flush=True)
    missed = 0
    while not over.wait(_LOOK_S):
        missed = 0 if delivery.status().running else missed + 1
        if missed == _MOST_MISSED:
            raise PullError("The server has ended.")
    return 0
