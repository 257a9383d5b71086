"""The embedding for drift: where it is taken, who sees it, and that answers stay the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from studio.packages.bundle import Bundle
from studio.packages.drift_reference import reference_of
from studio.packages.embedding import (
    EmbeddingGraph,
    EmbeddingPoint,
    NoEmbedding,
    axes_of,
    require_same,
)
from studio.packages.results import PackageResult
from studio.packages.work import package
from studio.runtime.drift.reference import EMBEDDING, MAX_SIGNALS, WINDOW
from studio.runtime.drift.watch import DriftWatch
from studio.runtime.serve.engine.served_model import ServedModel, load
from studio.runtime.serve.engine.source import from_bundle
from tests.rigs.bundles import QuietJob, make_bundle, package_options, reference
from tests.unit.runtime.serve.desk import Client, serving

CHANCE = np.random.default_rng(3)


def two_layers(folder: Path, **options: Any) -> tuple[Bundle, PackageResult]:
    """A bundle of y = relu(x W) V over rows of twenty, of mixed inputs."""
    folder.mkdir(exist_ok=True)
    shapes = {"w": (20, 12), "v": (12, 5)}
    weights = {n: CHANCE.normal(0, 0.4, s).astype(np.float32) for n, s in shapes.items()}
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["a"]),
            helper.make_node("Relu", ["a"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "v"], ["y"]),
        ],
        "two",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    path = folder / "two.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    np.savez(folder / "data.npz", x=frames(1, 200)[:, 0])
    given = {"samples": 2, "data": folder / "data.npz", **options}
    asked = package_options(reference(path, "m"), **given)
    result = package(asked, QuietJob(folder / "job"))
    return Bundle.open(Path(result.bundle)), result


def frames(seed: int, count: int) -> np.ndarray:
    draws = np.random.default_rng(seed)
    mixed = draws.normal(0, 1, (count, 1, 6)) @ np.random.default_rng(9).normal(0, 1, (6, 20))
    return mixed.astype(np.float32)


@pytest.fixture
def served(tmp_path: Path) -> ServedModel:
    bundle, result = two_layers(tmp_path, embedding="auto")
    assert (result.embedding, result.notes) == ("hidden", ())
    model = load(from_bundle(bundle.folder), 1)
    model.inline = True
    model.observe = lambda seconds: None  # type: ignore[method-assign]  # on a busy machine, too
    return model


@pytest.mark.slow
def test_the_watch_sees_it_and_no_description_does(served: ServedModel) -> None:
    assert list(served.outputs) == ["y"]
    assert served.drift is not None
    names = [signal.name for signal in served.drift.reference.signals]
    assert [f"embedding.axis {n}" for n in range(1, 9)] == names[:8]
    for one in frames(2, WINDOW):
        (found,) = served.session.run({"x": one}, ["y"])
        assert found.shape == (1, 5)
    assert served.drift.status()["windows"] == 1
    assert served.drift.fault == ""


@pytest.mark.slow
@pytest.mark.parametrize("batch_rows", [1, 8])
def test_clients_get_the_same_bytes_as_without(
    served: ServedModel, tmp_path: Path, batch_rows: int
) -> None:
    """Read, repeated, and run together: the answers are those of the model as it was."""
    served.batch_rows = batch_rows
    plain = load(from_bundle(two_layers(tmp_path / "plain")[0].folder), 1)
    raw = onnx.load(served.source.path)
    assert EMBEDDING in {output.name for output in raw.graph.output}
    weights = {one.name: numpy_helper.to_array(one) for one in raw.graph.initializer}
    assert served.drift is not None
    with serving(served) as desk, Client(desk) as client:
        for one in frames(5, 3 * WINDOW):
            client.send(one)
            head, body = client.hear()
            size = int(head.lower().partition(b"inference-header-content-length:")[2].split()[0])
            (output,) = json.loads(body[:size])["outputs"]
            assert output["name"] == "y"
            assert EMBEDDING.encode() not in head + body
            hidden = np.maximum(one @ weights["w"], 0)
            found = np.frombuffer(body[size:], np.float32)
            np.testing.assert_allclose(found, (hidden @ weights["v"])[0], rtol=1e-4, atol=1e-5)
        assert desk.read < WINDOW  # most came by the quick way
    assert served.drift.status()["frames"] == 3 * WINDOW
    assert served.drift.fault == ""
    assert plain.drift is not None  # without the option: no embedding, and a watch all the same
    assert "embedding" not in json.dumps(plain.drift.status())


@pytest.mark.slow
def test_answers_are_the_same_to_the_bit(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, image=CHANCE.normal(0, 1, (100, 3, 16, 16)).astype(np.float32))
    plain = make_bundle(tmp_path / "a", 1, data=data)
    other = make_bundle(tmp_path / "b", 1, data=data, embedding="auto")
    one, two = (load(from_bundle(each.folder)) for each in (plain, other))
    picture = CHANCE.normal(0, 1, (3, 3, 16, 16)).astype(np.float32)
    answers = [model.session.run({"image": picture}, ["scores"]) for model in (one, two)]
    assert len(answers[1]) == 1
    assert answers[0][0].tobytes() == answers[1][0].tobytes()
    assert other.raw["model"]["outputs"] == plain.raw["model"]["outputs"]
    assert json.loads((other.folder / "baseline.json").read_text())["drift"]["signals"]


@pytest.mark.slow
def test_places_of_a_picture_are_averaged(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, image=CHANCE.normal(0, 1, (100, 3, 16, 16)).astype(np.float32))
    bundle = make_bundle(tmp_path / "a", 1, data=data, embedding="r1")
    content = onnx.load(bundle.folder / "model.onnx")
    onnx.checker.check_model(content)
    served = load(from_bundle(bundle.folder))
    assert served.drift is not None
    assert sum(s.name.startswith("embedding") for s in served.drift.reference.signals) == 8


@pytest.mark.parametrize("opset", [13, 18])
def test_places_are_averaged_in_every_operator_set(tmp_path: Path, opset: int) -> None:
    """The mean over two axes: its axes are an attribute, and from 18 on an input."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, ["n", 3, 4, 5])],
        [value("y", TensorProto.FLOAT, ["n", 3, 4, 5])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    axes, offset = CHANCE.normal(0, 1, (3, 2)), CHANCE.normal(0, 1, 2)
    grafted = EmbeddingGraph(EmbeddingPoint("y", 1, 4, False, opset), axes, offset).apply(
        model.SerializeToString()
    )
    proto = onnx.load_from_string(grafted)
    onnx.checker.check_model(proto, full_check=True)
    picture = CHANCE.normal(0, 1, (2, 3, 4, 5)).astype(np.float32)
    y, found = ReferenceEvaluator(proto).run(None, {"x": picture})
    np.testing.assert_allclose(found, y.mean(axis=(2, 3)) @ axes + offset, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("nothing", "The model has no tensor 'nothing'"),
        ("w", "The model has no tensor 'w'"),
    ],
)
def test_without_an_embedding_the_rest_is_packaged(
    tmp_path: Path, wanted: str, sentence: str
) -> None:
    bundle, result = two_layers(tmp_path, embedding=wanted)
    assert result.notes == (f"Drift is watched without an embedding. {sentence}.",)
    assert bundle.raw["baseline"]
    assert list(load(from_bundle(bundle.folder)).outputs) == ["y"]


def test_little_data_gives_none(tmp_path: Path) -> None:
    _, result = two_layers(tmp_path, embedding="auto", drift_samples=10)
    assert "needs 64 samples" in result.notes[0]


@pytest.mark.slow
def test_the_same_data_give_the_same_bundle(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, image=CHANCE.normal(0, 1, (100, 3, 16, 16)).astype(np.float32))
    options = {"data": data, "embedding": "auto"}
    assert make_bundle(tmp_path / "a", 1, **options).digest == (
        make_bundle(tmp_path / "b", 1, **options).digest
    )


def test_a_bit_is_a_difference() -> None:
    one = np.float32([1.0, np.nan])
    require_same({"y": one}, {"y": one.copy()})
    for other in (np.nextafter(one, np.float32(2)), one.astype(np.float64), np.float32([1.0])):
        with pytest.raises(NoEmbedding, match="if only by a bit"):
            require_same({"y": one}, {"y": other})
    with pytest.raises(NoEmbedding):
        require_same({"y": np.float32([0.0])}, {"y": np.float32([-0.0])})


def test_what_does_not_vary_has_no_axes() -> None:
    with pytest.raises(NoEmbedding, match="the same"):
        axes_of(np.ones((80, 4), np.float32))
    with pytest.raises(NoEmbedding, match="no numbers"):
        axes_of(np.full((80, 4), np.nan, np.float32))


@pytest.mark.slow
def test_the_most_signals_there_are_stay_below_four_kilobytes() -> None:
    draws = np.random.default_rng(4)

    def frame() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        picture = draws.normal(0, 1, (1, 1, 8, 8)).astype(np.float32)
        return {"a": picture, "b": picture * 2}, {
            EMBEDDING: draws.normal(0, 1, (1, 8)).astype(np.float32),
            "y": draws.normal(0, 1, (1, 6)).astype(np.float32),
        }

    found = reference_of(frame() for _ in range(300))
    assert found is not None
    assert len(found.signals) > MAX_SIGNALS - 3
    watch = DriftWatch(found)
    for _ in range(4 * WINDOW + 7):
        watch.observe(*frame())
    assert watch.fault == ""
    assert watch.state_bytes <= 4096
    assert watch.state_bytes + (MAX_SIGNALS - len(found.signals)) * 160 <= 4096
