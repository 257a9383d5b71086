"""TFLite, OpenVINO IR and ONNX by OpenVINO on a board: served, measured and tried against ONNX."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Silent
from studio.deployment.platform_verbs import parcel_of
from studio.packages import Bundle
from tests.e2e.conftest import Studio
from tests.e2e.conftest import engine as engine
from tests.integration.toolchains.test_export import export
from tests.integration.toolchains.test_toolchains import install
from tests.rigs.boards import Board, Network, shown
from tests.rigs.bundles import QuietJob, make_bundle
from tests.rigs.containers import options, site_at
from tests.rigs.engine import DockerEngine

pytestmark = pytest.mark.needs("sshd", "ip", "unshare", "nsenter")

NAME = "formats-board"


@pytest.fixture(scope="module")
def board(kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board of the studio with the system's python3 and nothing else."""
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
        kept.run("target", "remove", NAME)
        kept.ok("target", "add", NAME, board.url, *key)
        yield board
        kept.run("target", "remove", NAME)


@pytest.fixture(scope="module")
def tflite(kept: Studio, digits: Path) -> str:
    """Digits in int8, for LiteRT."""
    install(kept, "litert")
    data = ("--precision", "int8", "--data", digits / "calibration.npz")
    return f"#{export(kept, digits / 'digits.onnx', 'tflite', *data)['variant']}"


def deploy(kept: Studio, model: str | Path, digits: Path, *more: str) -> dict[str, Any]:
    """Deploy to the board, for every client."""
    data = ("--data", digits / "calibration.npz", "--labels", digits / "labels.txt")
    # A bundle that was made before keeps its number, which may be below that of the last one.
    more = (*more, "--downgrade", "test")
    found: dict[str, Any] = kept.ok(
        "deploy",
        model,
        "--target",
        NAME,
        "--host",
        "0.0.0.0",
        "--allow-unauthenticated",
        *data,
        *more,
    )
    return found


def ask(endpoint: str, image: numpy.ndarray) -> int:
    """Return the class that an endpoint finds in an image."""
    value = {"name": "image", "datatype": "FP32", "shape": [1, 1, 8, 8]}
    body = json.dumps({"inputs": [{**value, "data": image.ravel().tolist()}]}).encode()
    request = urllib.request.Request(f"{endpoint}/v2/models/digits/infer", body)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(numpy.argmax(json.load(answer)["outputs"][0]["data"]))


def share_of_right(endpoint: str, digits: Path, count: int = 200) -> float:
    with numpy.load(digits / "heldout.npz") as held:
        pairs = list(zip(held["image"][:count], held["labels"][:count], strict=True))
    return sum(ask(endpoint, image) == label for image, label in pairs) / len(pairs)


@contextmanager
def requests(endpoint: str, digits: Path) -> Iterator[list[int]]:
    """A client that sends one image after the other."""
    ended, answers = threading.Event(), list[int]()

    def send() -> None:
        with numpy.load(digits / "heldout.npz") as held:
            images = held["image"]
        while not ended.wait(0.02):
            answers.append(ask(endpoint, images[len(answers) % len(images)]))

    thread = threading.Thread(target=send)
    thread.start()
    yield answers
    ended.set()
    thread.join()


def test_int8_tflite_is_served_by_litert(
    kept: Studio, board: Board, digits: Path, tflite: str
) -> None:
    done = deploy(kept, tflite, digits)
    steps = {row["name"]: row["text"] for row in done["steps"]}
    assert "ai_edge_litert" in steps["wheels"]
    assert "onnxruntime" not in steps["wheels"]
    assert "ai-edge-litert" in steps["probe"]
    assert share_of_right(done["endpoint"], digits) > 0.97


def test_onnx_is_served_by_openvino_with_the_answers_of_onnxruntime(
    kept: Studio, board: Board, digits: Path
) -> None:
    done = deploy(kept, digits / "digits.onnx", digits, "--backend", "openvino")
    steps = {row["name"]: row["text"] for row in done["steps"]}
    assert "golden samples agree" in steps["probe"]
    assert "openvino" in steps["probe"]
    assert share_of_right(done["endpoint"], digits) > 0.97
    with urllib.request.urlopen(f"{done['endpoint']}/v2/models/digits") as answer:
        assert json.load(answer)["platform"] == "openvino_onnx"


def test_openvino_ir_keeps_its_weights(kept: Studio, board: Board, digits: Path) -> None:
    ir = export(kept, digits / "digits.onnx", "openvino")
    done = deploy(kept, f"#{ir['variant']}", digits)
    assert share_of_right(done["endpoint"], digits) > 0.97


def test_a_trial_compares_litert_with_onnxruntime_in_one_server(
    kept: Studio, board: Board, digits: Path, tflite: str
) -> None:
    before = deploy(kept, digits / "digits.onnx", digits)
    with requests(before["endpoint"], digits) as answers:
        done = deploy(kept, tflite, digits, "--trial", "--soak-s", "60")
    assert answers
    wheels = next(row["text"] for row in done["steps"] if row["name"] == "wheels")
    assert "ai_edge_litert" in wheels
    assert "onnxruntime" in wheels
    soak = done["soak"]
    assert soak["decision"] == "kept"
    assert {one["test"]: one["says"] for one in soak["tests"]}["agreement"] == "good"
    back = kept.ok("rollback", "--target", NAME)
    assert back["release"] == before["release"]
    assert share_of_right(before["endpoint"], digits, 50) > 0.95


def test_litert_and_onnxruntime_are_measured_on_the_board(
    kept: Studio, board: Board, digits: Path, tflite: str
) -> None:
    deploy(kept, digits / "digits.onnx", digits, "--replace")
    deploy(kept, tflite, digits, "--endpoint", "small")
    words = ("--target", NAME, "--rounds", "4", "--seconds", "2")
    found = kept.ok("profile", tflite, *words)
    assert [(row["backend"], row["state"]) for row in found["runs"]] == [("litert", "measured")]
    score = kept.ok("evaluate", tflite, "--target", NAME, "--data", digits / "heldout.npz")
    assert score["metric"]["value"] > 0.97


def test_a_board_without_the_backend_is_named(
    kept: Studio, board: Board, digits: Path, tflite: str
) -> None:
    kept.ok("undeploy", "--target", f"{NAME}/small", "--purge")
    kept.ok("undeploy", "--target", NAME, "--purge")
    ended = kept.run("profile", tflite, "--target", NAME)
    assert ended.code == 1
    assert "lacks numpy and ai_edge_litert" in ended.err
    assert "Deploy a model that LiteRT serves" in ended.err


def test_containers_have_the_backend_of_their_bundle(
    kept: Studio, engine: DockerEngine, digits: Path, tflite: str, tmp_path: Path
) -> None:
    """Also without the parts of its wheel that a server never reads."""
    packed = kept.ok("package", tflite, "--data", digits / "calibration.npz")
    bundles = (Bundle.open(Path(packed["bundle"])), make_bundle(tmp_path, backend="openvino"))
    platforms = []
    for number, bundle in enumerate(bundles):
        parcel = parcel_of(bundle, QuietJob(tmp_path / f"job{number}"), "ann")
        with site_at(engine.socket, f"formats-{number}") as site:
            done = site.deploy(parcel, options(), Silent())
            with urllib.request.urlopen(f"{done.endpoint}/v2/models/{bundle.name}") as answer:
                platforms.append(json.load(answer)["platform"])
    assert platforms == ["litert_tflite", "openvino_onnx"]
