"""A job without a worker, and a registry that holds the digits sample."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from studio.api import Cancelled, validate
from studio.jobs import Step
from studio.registry import ModelRef, Registry, VariantRecord
from studio.settings import resource

OptionsT = TypeVar("OptionsT")
DIGITS = resource("samples", "digits")


class FakeJob:
    """Keeps what a worker would send; can be told to be cancelled at a text."""

    def __init__(self, folder: Path, cancel_at: str = "") -> None:
        self.folder = folder
        self.points: list[tuple[float, str]] = []
        self._cancel_at = cancel_at

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.points.append((done / total if total else 0.0, text))
        if self._cancel_at and self._cancel_at in text:
            raise Cancelled

    def log(self, text: str) -> None:
        """Nobody reads it."""

    def check(self) -> None:
        """Never cancelled here."""

    def event(self, name: str, **values: Any) -> None:
        """Nobody watches."""


@pytest.fixture
def job(tmp_path: Path) -> FakeJob:
    folder = tmp_path / "job"
    folder.mkdir()
    return FakeJob(folder)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    yield registry
    registry.close()


@pytest.fixture
def digits(registry: Registry, tmp_path: Path) -> VariantRecord:
    file = tmp_path / "digits.onnx"
    shutil.copyfile(DIGITS / "digits.onnx", file)
    model = registry.add_model("digits")
    return registry.add_variant(
        model, "fp32", registry.adopt(file), format="onnx", precision="fp32"
    )


def options_of(step: Step[OptionsT, Any], variant: VariantRecord, **given: Any) -> OptionsT:
    """Checked options as the step's work gets them; a target is this computer."""
    checked = validate(step.form, {**given, "model": "digits"})
    if "target" in checked:
        checked["target"] = None  # as a name that is resolved to this computer
    return step.options_of({**checked, "model": ModelRef.of(variant).to_json()})
