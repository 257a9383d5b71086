"""Models that people use, from wheels; where they lie says EDGEWRIGHT_FUZZ_MODELS."""

from __future__ import annotations

import os
from pathlib import Path

from studio.api import StudioError
from tests.fuzzing.mutation import change_message
from tests.fuzzing.target import REAL_MODELS, Target
from tests.fuzzing.targets.models import inspect

VARIABLE = "EDGEWRIGHT_FUZZ_MODELS"


def real_models() -> Target:
    """Each ONNX file below the folder."""
    files = sorted(Path(os.environ[VARIABLE]).rglob("*.onnx"))

    def seeds() -> list[bytes]:
        return [path.read_bytes() for path in files]

    def run(data: bytes, folder: Path) -> None:
        path = folder / "model.onnx"
        path.write_bytes(data)
        inspect(path)

    most = 2 * max(path.stat().st_size for path in files)
    return Target(REAL_MODELS, seeds, run, (StudioError,), change_message, largest=most)
