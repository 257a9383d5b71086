"""One sitting at the window: a Keras file with pictures becomes an int8 endpoint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.e2e.conftest import Studio
from tests.e2e.person import MAIN, Person, names, place_of, released
from tests.e2e.person import person as person
from tests.e2e.person import screen as screen
from tests.e2e.screen import wait_for
from tests.integration.toolchains.test_toolchains import install

pytestmark = pytest.mark.needs("Xvfb", "xdotool")

TRAIN = """
import glob, os, sys
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy
from PIL import Image
folder, output = sys.argv[1:]
paths = sorted(glob.glob(folder + "/*/*.png"))
x = numpy.stack([numpy.array(Image.open(one), "float32")[..., None] for one in paths])
y = numpy.array([int(os.path.basename(os.path.dirname(one))) for one in paths])
keras.utils.set_random_seed(1)
layers = keras.layers
net = keras.Sequential([
    keras.Input((8, 8, 1), name="picture"),
    layers.Rescaling(1 / 255),
    layers.Conv2D(16, 3, activation="relu", padding="same"),
    layers.MaxPooling2D(),
    layers.Conv2D(32, 3, activation="relu", padding="same"),
    layers.Flatten(),
    layers.Dense(10, activation="softmax", name="predictions"),
])
net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
net.fit(x, y, epochs=40, batch_size=32, verbose=0)
net.save(output)
"""


def write_pictures(folder: Path, first: int, last: int) -> None:
    """Write handwritten digits as PNG files, a folder for each class."""
    digits = load_digits()
    for number in range(first, last):
        place = folder / str(digits.target[number])
        place.mkdir(parents=True, exist_ok=True)
        grey = (digits.images[number] * (255 / 16)).round().astype(numpy.uint8)
        Image.fromarray(grey).save(place / f"{number:04}.png")


@pytest.fixture
def trained(kept_folder: Path, tmp_path: Path) -> Path:
    """A folder as a user has it: a trained model, pictures to calibrate and to measure with."""
    folder = tmp_path / "my digits"
    write_pictures(tmp_path / "training", 0, 1200)
    write_pictures(folder / "calibration", 0, 200)
    write_pictures(folder / "heldout", 1200, 1797)
    model = folder / "digits.keras"
    python = kept_folder / "studio_pytorch" / "bin" / "python"
    command = [str(python), "-c", TRAIN, str(tmp_path / "training"), str(model)]
    subprocess.run(command, check=True, timeout=600)
    return model


@pytest.fixture
def kept_folder(studio: Studio, rigs: Path, tmp_path: Path) -> Path:
    """Where the environments of the toolchains lie."""
    mine = studio.environment["EDGEWRIGHT_HOME"]
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    install(studio, "keras")
    studio.environment["EDGEWRIGHT_HOME"] = mine
    return rigs / "toolchains" / "data" / "environments"


@pytest.fixture
def fresh(studio: Studio, kept_folder: Path) -> Path:
    """A profile without anything but the environment, whose installation takes minutes."""
    target = Path(studio.environment["EDGEWRIGHT_HOME"]) / "data" / "environments"
    source = kept_folder / "studio_pytorch"
    shutil.copytree(source, target / source.name, symlinks=True, copy_function=os.link)
    return target


def test_a_keras_file_with_pictures_is_served_in_int8(
    trained: Path, fresh: Path, person: Person, studio: Studio, digits: Path, tmp_path: Path
) -> None:
    """Ctrl+O and the path; Enter in the dialog; one click on the project."""
    place = place_of("Run it all", person, tmp_path, digits / "digits.onnx", "project")
    began = time.monotonic()
    person.screen.press("ctrl+o")
    person.screen.focus("Open a model")
    person.screen.type(str(trained))
    person.screen.press("Return")
    person.screen.settle()
    person.look("dialog")
    person.screen.press("Return")
    wait_for(lambda: names(person) == ["fp32"], "it was not converted", seconds=600)
    person.screen.focus(MAIN)
    person.look("converted")
    print(f"converted {time.monotonic() - began:.1f} s after the first key")
    person.screen.click(*place)
    wait_for(released(person), "it was not deployed", seconds=600)
    print(f"served {time.monotonic() - began:.1f} s after the first key")
    person.look("served")
    assert names(person) == ["fp32", "int8"]
    wait_for(lambda: _pipeline(studio)["state"] != "running", "the pipeline did not end")
    assert _pipeline(studio)["state"] == "succeeded"
    (version,) = person.registry.versions()
    assert "dtype" in (version.path / "preprocess.toml").read_text()
    _check_numbers(studio, trained.parent / "heldout")
    assert studio.ok("call", "--requests", "5")["failed"] == 0
    assert person.leave() == ""


@pytest.fixture(autouse=True)
def ended(studio: Studio) -> Iterator[None]:
    """End what the window has deployed, also after a failure."""
    yield
    if studio.has_deployed:
        studio.run("undeploy", "--target", "local")


def _pipeline(studio: Studio) -> dict[str, Any]:
    found: dict[str, Any] = studio.ok("run", "--list")["runs"][0]
    return found


def _check_numbers(studio: Studio, pictures: Path) -> None:
    scores = {
        precision: studio.ok("evaluate", f"digits:{precision}", "--data", pictures)["metric"]
        for precision in ("fp32", "int8")
    }
    print(json.dumps(scores))
    assert scores["fp32"]["value"] > 0.9  # what this small net has learned
    assert scores["int8"]["value"] > scores["fp32"]["value"] - 0.01
