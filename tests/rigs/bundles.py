"""Bundles of small generated models, made by the work of the package step itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.packages.bundle import Bundle
from studio.packages.results import LatencyFile
from studio.packages.step import BundleNumber, Numbering, PackageOptions
from studio.packages.work import package
from studio.registry import ModelRef
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


def reference(path: Path, name: str = "cnn", precision: str = "fp32") -> ModelRef:
    """A model option's value, as the registry would make it."""
    return ModelRef(str(path), "0" * 64, 1, 1, name, precision, "onnx", precision)


def package_options(
    model: Path | ModelRef,
    version: int = 1,
    known: Sequence[Path] = (),
    latency: LatencyFile | None = None,
    notice: Mapping[str, Any] | None = None,
    **options: Any,
) -> PackageOptions:
    """Options of the step, with the number that the registry would give."""
    number = BundleNumber(version, version, "2026-01-01T00:00:00+00:00")
    numbering = Numbering(number, tuple(known), latency=latency, notice=notice or {})
    ref = reference(model) if isinstance(model, Path) else model
    return PackageOptions(model=ref, numbering=numbering, **options)


def make_bundle(folder: Path, version: int = 1, seed: int | None = None, **options: Any) -> Bundle:
    """A bundle; each version has weights of its own unless a seed is given."""
    folder.mkdir(parents=True, exist_ok=True)
    model = make_cnn(folder / "cnn.onnx", seed=version if seed is None else seed)
    job = QuietJob(folder / f"job-{version}")
    asked = package_options(**{"model": model, "version": version, "samples": 2, **options})
    return Bundle.open(Path(package(asked, job).bundle))
