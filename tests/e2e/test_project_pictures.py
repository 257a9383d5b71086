"""Pictures without a ``preprocess.toml`` near them: every step takes that of the project."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from PIL import Image

from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow

_PICTURES = 40


@pytest.fixture
def pictures(digits: Path, tmp_path: Path) -> Path:
    """Digits as PNG files, in a folder of their own, a folder for each class."""
    folder = tmp_path / "data" / "pictures"
    with numpy.load(digits / "heldout.npz") as arrays:
        for number in range(_PICTURES):
            place = folder / str(arrays["labels"][number])
            place.mkdir(parents=True, exist_ok=True)
            grey = (arrays["image"][number].reshape(8, 8) * 255).round().astype(numpy.uint8)
            Image.fromarray(grey).save(place / f"{number:02}.png")
    return folder


@pytest.fixture
def opened(studio: Studio, digits: Path, tmp_path: Path) -> Path:
    """A model alone in its folder; returns where its preprocessing is to lie."""
    model = tmp_path / "model" / "digits.onnx"
    model.parent.mkdir()
    model.write_bytes((digits / "digits.onnx").read_bytes())
    studio.ok("project", "show", model)
    settings = tmp_path / "settings" / "preprocess.toml"
    settings.parent.mkdir()
    settings.write_bytes((digits / "preprocess.toml").read_bytes())
    return settings


def test_without_a_project_they_are_refused(studio: Studio, opened: Path, pictures: Path) -> None:
    done = studio.run("evaluate", "digits:fp32", "--data", pictures)
    assert done.code == 1
    assert "no preprocess.toml" in done.err


def test_every_step_takes_that_of_the_project(studio: Studio, opened: Path, pictures: Path) -> None:
    """Also the packaging behind the walls of a deployment, and calls of what is served."""
    studio.ok("project", "set", "digits", "--preprocess", opened, "--calibration", pictures)
    score = studio.ok("evaluate", "digits:fp32", "--data", pictures)
    assert score["metric"]["value"] > 0.95
    studio.ok("quantize", "digits:fp32", "--eval-data", pictures)
    studio.ok("deploy", "digits:int8")
    assert studio.ok("call", "--data", pictures, "--requests", "5")["failed"] == 0


def test_a_preprocessing_that_is_gone_is_named(
    studio: Studio, opened: Path, pictures: Path
) -> None:
    studio.ok("project", "set", "digits", "--preprocess", opened)
    opened.unlink()
    done = studio.run("evaluate", "digits:fp32", "--data", pictures)
    assert done.code == 1
    assert "no preprocess.toml" in done.err
