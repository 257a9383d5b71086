"""Servers that the conformance tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance import curl, models
from tests.conftest import Need
from tests.unit.runtime.serve.rig import ServerProcess

Ask = Callable[..., curl.Answer]


@pytest.fixture(scope="session")
def ask(need: Need) -> Ask:
    """``ask(server, path, *options)``: one request with curl."""
    program = need("curl")
    return lambda server, path, *options: curl.curl(program, server, path, *options)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="session")
def doubled(folder: Path) -> Iterator[ServerProcess]:
    """``y = 2 x`` of three columns."""
    model = models.doubled(folder / "doubled.onnx")
    with ServerProcess(f"--model={model}", log=folder / "doubled.log") as server:
        yield server


@pytest.fixture(scope="session")
def named(folder: Path) -> Iterator[ServerProcess]:
    """Several inputs and outputs, one of strings."""
    model = models.sum_and_name(folder / "named.onnx")
    with ServerProcess(f"--model={model}", log=folder / "named.log") as server:
        yield server


@pytest.fixture(scope="session")
def bright(folder: Path) -> Iterator[ServerProcess]:
    """A classifier of pictures, with labels."""
    model = models.brightness(folder / "bright.onnx")
    made = models.bundle(
        folder / "bright", model, preprocess=models.PREPROCESS, labels=["dark", "bright"]
    )
    with ServerProcess(f"--bundle={made}", log=folder / "bright.log") as server:
        yield server


@pytest.fixture(scope="session")
def segmenter(folder: Path) -> Iterator[ServerProcess]:
    """A model that finds objects with masks in pictures that are fitted into its input."""
    made = models.bundle(
        folder / "segmenter",
        models.segmenter(folder / "segmenter.onnx"),
        preprocess={"resize": "fit", "height": 32, "width": 32, "pad_align": "center"},
        labels=["cat", "dog"],
        outputs={"task": "instances", "head": "maskrcnn"},
    )
    with ServerProcess(f"--bundle={made}", log=folder / "segmenter.log") as server:
        yield server


@pytest.fixture(scope="session")
def detector(folder: Path) -> Iterator[ServerProcess]:
    """A detector of pictures that are fitted into its input, with the meaning of its outputs."""
    made = models.bundle(
        folder / "detector",
        models.detector(folder / "detector.onnx"),
        preprocess={"resize": "fit", "height": 32, "width": 32, "pad_align": "center"},
        labels=["cat", "dog"],
        outputs={"task": "detection", "head": "yolov8"},
    )
    with ServerProcess(f"--bundle={made}", log=folder / "detector.log") as server:
        yield server
