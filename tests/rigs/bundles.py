"""Bundles of small generated models, made by the work of the package step itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.packages.bundle import Bundle
from studio.packages.work import package
from tests.unit.runtime.models import make_cnn


class QuietJob:
    """What a step's work needs of its job; keeps the messages."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.events: list[tuple[str, dict[str, Any]]] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Nobody watches."""

    def log(self, text: str) -> None:
        """Nobody reads."""

    def check(self) -> None:
        """Nobody cancels."""

    def event(self, name: str, **values: Any) -> None:
        """Keep it."""
        self.events.append((name, values))


def reference(path: Path, name: str = "cnn", precision: str = "fp32") -> dict[str, Any]:
    """A model option's value, as the pipeline would make it."""
    return {
        "path": str(path),
        "digest": "0" * 64,
        "variant": 1,
        "model": 1,
        "model_name": name,
        "name": precision,
        "format": "onnx",
        "precision": precision,
    }


def number(version: int) -> dict[str, Any]:
    """What tells bundles apart."""
    return {"version": version, "counter": version, "created": "2026-01-01T00:00:00+00:00"}


def make_bundle(folder: Path, version: int = 1, seed: int | None = None, **options: Any) -> Bundle:
    """A bundle; each version has weights of its own unless a seed is given."""
    folder.mkdir(parents=True, exist_ok=True)
    model = make_cnn(folder / "cnn.onnx", seed=version if seed is None else seed)
    job = QuietJob(folder / f"job-{version}")
    arguments = {"model": reference(model), "number": number(version), "known": [], "samples": 2}
    result = package({**arguments, **options}, job)
    return Bundle.open(Path(result["bundle"]))
