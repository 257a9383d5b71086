"""Artefacts of bundles, as the plugin writes them."""

from __future__ import annotations

import json
from pathlib import Path

from studio.api import Parcel
from studio.packages import Bundle
from studio_hawkbit.container import write


def parcel_of(bundle: Bundle) -> Parcel:
    """The parcel of a bundle; its runtime is not shipped to boards that pull."""
    manifest = json.loads(bundle.text)
    return Parcel(bundle.folder, bundle.folder / "none.pyz", bundle.digest, manifest)


def artifact_of(bundle: Bundle, folder: Path, downgrade: str = "") -> bytes:
    """The artefact of a bundle."""
    path = folder / f"{bundle.digest}.swu"
    order = json.dumps({"downgrade": downgrade}).encode() if downgrade else b""
    write(parcel_of(bundle), path, "default", order)
    return path.read_bytes()
