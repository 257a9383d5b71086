"""The export of a board, by the settings that it was given to publish its state."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Dict

from ...fleet.settings import FleetSettings
from ...shared.errors import LoadError
from ...shared.web_address import WebAddress
from .settings import NAME, ExportSettings

_DELAY_S = 5.0
_PEM = "-----BEGIN"


def export_of(settings: FleetSettings) -> ExportSettings:
    """Return where a board exports to, with its name and labels as attributes.

    Raises:
        LoadError: when the file of a certificate authority cannot be read.
    """
    secure, host, port = settings.address.secure, settings.address.host, settings.address.port
    labels = {"edgewright.label." + name: value for name, value in settings.labels.items()}
    return ExportSettings(
        metrics=WebAddress(secure, host, port, "/v1/metrics"),
        traces=WebAddress(secure, host, port, "/v1/traces"),
        interval_s=settings.every_s,
        delay_s=_DELAY_S,
        headers=_headers(settings),
        resource={NAME: "edgewright", "service.instance.id": settings.board, **labels},
        ca=_authority(settings.ca),
    )


def _headers(settings: FleetSettings) -> Dict[str, str]:
    if settings.token:
        return {"Authorization": "Bearer " + settings.token}
    if settings.user:
        pair = "{}:{}".format(settings.user, settings.password).encode("utf-8")
        return {"Authorization": "Basic " + b64encode(pair).decode("ascii")}
    return {}


def _authority(given: str) -> str:
    """Return the text of a certificate authority, of which the file or the text is known."""
    if not given or given.startswith(_PEM):
        return given
    try:
        return Path(given).read_text("ascii")
    except (OSError, ValueError):
        raise LoadError("The file {!r} of the ca cannot be read.".format(given[:200])) from None
