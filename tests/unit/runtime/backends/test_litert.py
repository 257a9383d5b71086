"""TFLite models in LiteRT itself: sizes, types, threads, and a server of one."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from studio.runtime.backends.backend_model import InvalidArgument, LoadSettings
from studio.runtime.backends.catalog import LITERT
from studio.runtime.backends.litert import LiteRtModel
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.session import ModelSession
from studio.runtime.serve.engine.source import from_file
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.serve import rig

DATA = Path(__file__).parents[3] / "plugins" / "data" / "tflite"
LAYERS, INT8, FLOW = (DATA / f"{name}.tflite" for name in ("layers", "int8", "flow"))
IMAGE, ANSWER = "serving_default_image:0", "PartitionedCall:0"


@pytest.fixture
def layers() -> LiteRtModel:
    return LiteRtModel(LAYERS, LoadSettings(threads=1))


def pictures(count: int) -> np.ndarray:
    numbers: np.ndarray = np.random.default_rng(1).random((count, 8, 8, 2), np.float32)
    return numbers


def test_its_ends_are_those_of_the_file() -> None:
    session = ModelSession(INT8, 1, backend=LITERT)
    (image,) = session.inputs.values()
    (answer,) = session.outputs.values()
    assert (image.name, image.kind.name, image.shape) == (IMAGE, "INT8", (-1, 8, 8, 2))
    assert (answer.name, answer.kind.name, answer.shape) == (ANSWER, "INT8", (-1, 5))
    assert session.free_rows
    assert not session.binds
    assert not session.can_end
    assert not session.arena


def test_rows_of_a_batch_are_those_of_single_runs(layers: LiteRtModel) -> None:
    images = pictures(3)
    (together,) = layers.run([ANSWER], {IMAGE: images})
    alone = [layers.run([ANSWER], {IMAGE: images[row : row + 1]})[0][0] for row in range(3)]
    assert together.shape == (3, 5)
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-5, atol=1e-6)
    assert not np.allclose(alone[0], alone[1])


def test_an_array_of_any_layout_is_taken(layers: LiteRtModel) -> None:
    image = pictures(1)
    (expected,) = layers.run([ANSWER], {IMAGE: image})
    (found,) = layers.run([ANSWER], {IMAGE: np.asfortranarray(image)})
    np.testing.assert_array_equal(found, expected)


def test_runs_at_the_same_time_do_not_mix(layers: LiteRtModel) -> None:
    images = pictures(16)
    expected = [layers.run([ANSWER], {IMAGE: images[row : row + 1]})[0] for row in range(16)]

    def answers(row: int) -> bool:
        feeds = {IMAGE: images[row : row + 1]}
        return all(np.array_equal(layers.run([ANSWER], feeds)[0], expected[row]) for _ in range(50))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(answers, range(16)))


def test_sizes_that_do_not_fit_are_named_and_harm_nothing(layers: LiteRtModel) -> None:
    (expected,) = layers.run([ANSWER], {IMAGE: pictures(1)})
    with pytest.raises(InvalidArgument):
        layers.run([ANSWER], {IMAGE: np.zeros((1, 7, 8, 2), np.float32)})
    (found,) = layers.run([ANSWER], {IMAGE: pictures(1)})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 64, LAYERS.read_bytes()[:900]])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=r"^LiteRT \S+ cannot load broken\.tflite: .+\.$"):
        LiteRtModel(path, LoadSettings())


def test_a_model_with_open_sizes_is_not_run_in_the_event_loop() -> None:
    """Its runs cannot be ended, and one with many rows takes as long as a client likes."""
    assert not load(from_file(LAYERS)).inline
    assert load(from_file(FLOW)).inline


def test_it_is_served_like_any_other(tmp_path: Path) -> None:
    expected = LiteRtModel(LAYERS, LoadSettings()).run([ANSWER], {IMAGE: pictures(2)})[0]
    image = {"name": IMAGE, "datatype": "FP32", "shape": [2, 8, 8, 2]}
    request = {"inputs": [{**image, "data": pictures(2).ravel().tolist()}]}
    with rig.ServerProcess(f"--model={LAYERS}", log=tmp_path / "log") as server:
        status, about = server.get("/v2/models/layers")
        assert (status, about["platform"]) == (200, "litert_tflite")
        status, answer = server.call("POST", "/v2/models/layers/infer", request)
        image["shape"] = [1, 7, 8, 2]
        wrong = {"inputs": [{**image, "data": [0.0] * 112}]}
        refused = server.call("POST", "/v2/models/layers/infer", wrong)
    assert status == 200
    np.testing.assert_allclose(answer["outputs"][0]["data"], expected.ravel(), rtol=1e-5)
    assert refused[0] == 400


def test_a_folder_of_models_may_hold_several_formats(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (folder / "versions" / "2").mkdir(parents=True)
    shutil.copy(LAYERS, folder / "layers.tflite")
    shutil.copy(INT8, folder / "versions" / "2" / "model.tflite")
    with rig.ServerProcess(f"--models={folder}", log=tmp_path / "log") as server:
        names = {
            (row["name"], row["version"])
            for row in server.call("POST", "/v2/repository/index", {"ready": True})[1]
        }
    assert {("layers", "1"), ("versions", "2")} <= names
