"""Set-up of the pull client on a board: its settings, its secret, its application, its service."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Dict

from ..shared.files import digest_of, replacement, sync, write_atomically
from ..shared.records import read
from . import unit
from .errors import PullError
from .mender import write_module
from .settings import BRINGERS, MENDER, SWUPDATE, PullFolder, PullSettings, checked
from .swupdate import SwupdateFiles


def set_up(root: Path, content: bytes) -> Dict[str, object]:
    """Set up the client from JSON: the settings, ``token``, ``ca_pem`` and ``swupdate_pem``.

    Raises:
        PullError: when they cannot be used.
    """
    try:
        document = json.loads(content)
        names = ("token", "ca_pem", "swupdate_pem")
        token, authority, certificate = (str(document.get(one) or "") for one in names)
        settings = read(PullSettings, document)._replace(ca=bool(authority))
        (authority + certificate).encode("ascii")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PullError("The settings cannot be used: {!r}.".format(error)) from None
    checked(settings)
    if settings.client == SWUPDATE and not certificate:
        raise PullError("SWUpdate needs the certificate of those who sign its artefacts.")
    folder = PullFolder(root)
    folder.make()
    _place(folder)
    folder.write(settings, token, authority)
    if certificate:
        write_atomically(SwupdateFiles(folder).certificate, certificate.encode("ascii"), 0o600)
    if settings.client == MENDER:
        write_module(folder)
    starts = settings.client not in BRINGERS and document.get("start", True)
    service = unit.start(root) if starts else ""
    return {"service": service, "id": settings.id, "server": settings.server}


def _place(folder: PullFolder) -> None:
    """Copy this application to where the service runs it from."""
    own = Path(os.path.abspath(sys.argv[0]))
    if own.suffix != ".pyz" or not own.is_file():
        raise PullError("The pull client is set up from its application only.")
    place = folder.application
    if place.is_file() and digest_of(place) == digest_of(own):
        return
    with replacement(place) as aside:
        shutil.copyfile(str(own), str(aside))
        sync(aside)
