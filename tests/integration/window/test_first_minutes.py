"""From an opened model to a served endpoint by the mouse: text recognition, and an own model."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import Studio
from tests.e2e.conftest import studio as studio  # a fixture of these tests too
from tests.e2e.person import Person, names, place_of, released
from tests.e2e.person import person as person
from tests.e2e.person import screen as screen
from tests.e2e.screen import wait_for

pytestmark = pytest.mark.needs("Xvfb", "xdotool")

RUN_S = 600.0


def run_it_all(person: Person, model: Path, tmp_path: Path) -> float:
    """Open a model, and press *Run it all*; returns the seconds until it is served."""
    place = place_of("Run it all", person, tmp_path, model, "project")
    person.open(model)
    wait_for(lambda: names(person) == ["fp32"], "the model was not opened")
    person.screen.settle()
    began = time.monotonic()
    person.screen.click(*place)
    wait_for(released(person), "it was not deployed", seconds=RUN_S)
    return time.monotonic() - began


def test_text_recognition_is_served_by_one_click_with_its_dictionary(
    person: Person, studio: Studio, tmp_path: Path
) -> None:
    folder = tmp_path / "ocr"
    studio.ok("samples", "get", "ocr", "--out", folder, timeout=900)
    seconds = run_it_all(person, folder / "ppocrv5-rec.onnx", tmp_path)
    print(f"served {seconds:.0f} s after the click")
    person.look("ocr")
    made = person.registry.runs("quantize")[0].result
    assert made["metric"]["name"] == "exact"
    assert made["metric"]["before"] - made["metric"]["after"] <= 0.01
    (version,) = person.registry.versions()
    assert (version.path / "preprocess.toml").exists()
    assert person.leave() == ""


def test_an_own_model_with_folders_of_pictures_is_served_by_one_click(
    person: Person, digits: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    model = own_model(folder, digits)
    seconds = run_it_all(person, model, tmp_path)
    print(f"served {seconds:.0f} s after the click")
    person.look("own")
    made = person.registry.runs("quantize")[0].result
    assert made["metric"]["name"] == "top1"
    (version,) = person.registry.versions()
    assert (version.path / "labels.txt").read_text().split() == list("0123456789")
    assert person.leave() == ""


def own_model(folder: Path, digits: Path) -> Path:
    """A model with pictures in folders by class, as a person has them."""
    folder.mkdir()
    for name in ("labels.txt", "preprocess.toml"):
        shutil.copy(digits / name, folder / name)
    data = np.load(digits / "heldout.npz")
    for number, (pixels, label) in enumerate(zip(data["image"], data["labels"], strict=True)):
        place = folder / ("calibration" if number % 3 == 0 else "heldout") / str(int(label))
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((pixels[0] * 255).astype(np.uint8))
        picture.save(place / f"{number}.png")
    return Path(shutil.copy(digits / "digits.onnx", folder / "counter.onnx"))
