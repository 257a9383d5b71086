"""A job that is watched, models, and the step's arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, validate
from studio.documents.dataclass_json import to_json
from studio.profiling.step import PROFILE, ProfileOptions
from studio.registry import ModelRef
from tests.unit.runtime.models import make_cnn

OPTIONS = [option for option in PROFILE.form if option.name not in ("model", "target")]


class WatchedJob:
    """A job in this process; it can be told to be cancelled at a certain text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.logged: list[str] = []
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.cancel_at = ""
        self.cancelled = False

    def progress(self, done: float, total: float, text: str = "") -> None:
        assert 0 <= done <= total
        self.lines.append(text)
        if self.cancel_at and self.cancel_at in text:
            self.cancelled = True

    def log(self, text: str) -> None:
        self.logged.append(text)

    def event(self, name: str, **values: Any) -> None:
        self.messages.append((name, values))

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled


@pytest.fixture
def job(tmp_path: Path) -> WatchedJob:
    """A job with a folder of its own."""
    folder = tmp_path / "job"
    folder.mkdir()
    return WatchedJob(folder)


@pytest.fixture
def reference(tmp_path: Path) -> Callable[..., ModelRef]:
    """Makes a reference to a variant."""

    def make(path: Path, name: str, variant: int = 1, precision: str = "fp32") -> ModelRef:
        return ModelRef(str(path), name, variant, 1, "cnn", name, "onnx", precision)

    return make


@pytest.fixture
def cnn(tmp_path: Path) -> Path:
    """A small network."""
    return make_cnn(tmp_path / "cnn.onnx")


@pytest.fixture
def big_cnn(tmp_path: Path) -> Path:
    """The same with twenty times the work; its weights differ, so its outputs do too."""
    return make_cnn(tmp_path / "big.onnx", channels=48)


@pytest.fixture
def arguments() -> Callable[..., ProfileOptions]:
    """Makes checked options of the step, quick ones unless said otherwise."""

    def make(*models: ModelRef, **given: Any) -> ProfileOptions:
        values = validate(OPTIONS, {"rounds": 12, "seconds": 0.5, "threads": 1, **given})
        return PROFILE.options_of({**values, "model": to_json(models), "target": None})

    return make
