"""Two versions of a small model as parcels, and a request that both answer."""

from __future__ import annotations

import json
from pathlib import Path

from studio.api import Parcel
from studio.packages import build_runtime
from tests.rigs.bundles import make_bundle

IMAGE = "registry.example/models/cnn"


def make_parcel(folder: Path, version: int) -> Parcel:
    """A bundle and the runtime."""
    bundle = make_bundle(folder / str(version), version)
    runtime = build_runtime(folder / str(version))
    return Parcel(bundle.folder, runtime.path, bundle.digest, bundle.raw, "ann@workstation")


def images(*parcels: Parcel) -> dict[str, Path]:
    """What the fake's registry holds."""
    return {f"{IMAGE}:{parcel.version}": parcel.bundle for parcel in parcels}


def request() -> bytes:
    """One picture of noughts for the model."""
    tensor = {"name": "image", "datatype": "FP32", "shape": [1, 3, 16, 16], "data": [0.0] * 768}
    return json.dumps({"inputs": [tensor]}).encode()
