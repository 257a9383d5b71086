"""The look ahead: what data hold, which do not fit, and how fast int8 will be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Graph, Initializer, Node, TensorType, Value
from studio.datasets.results import DataPreview, DataProblem, InputShape, LabelKind
from studio.documents.dataclass_json import from_json, to_json
from studio.quantization.outlook import timing_cache as timings
from studio.quantization.outlook.layer_shapes import layers
from studio.quantization.outlook.speedup import predict, shapes_to_time
from studio.quantization.preflight import preview
from studio.quantization.results import MachineTimings, PreflightResult
from studio.quantization.step import PREVIEW
from studio.registry import Registry, VariantRecord

from .conftest import DIGITS, FakeJob, options_of

MEASURED = MachineTimings(
    kernels=("VNNI",),
    layers={},
    run_us=4.0,
    quantize=(1.0, 0.0),
    dequantize=(2.0, 0.0),
    cheap=(1.0, 0.0),
    middle=(3.0, 0.0),
    slow=(5.0, 0.0),
)


def ahead(variant: VariantRecord, job: FakeJob, **given: Any) -> PreflightResult:
    result = preview(options_of(PREVIEW, variant, **{"outlook": False, **given}), job)
    assert from_json(PreflightResult, json.loads(json.dumps(to_json(result)))) == result
    return result


def test_what_the_data_hold(digits: VariantRecord, job: FakeJob) -> None:
    found = ahead(digits, job, data=DIGITS / "calibration.npz", eval_data=DIGITS / "heldout.npz")
    data, judged = found.data, found.eval_data
    assert isinstance(data, DataPreview)
    assert isinstance(judged, DataPreview)
    assert data.count == 200
    assert data.inputs == (InputShape("image", "float32 1×1×8×8"),)
    assert data.labels == LabelKind(None, 0)
    assert [s.name for s in data.samples] == ["#0", "#50", "#100", "#150"]
    assert data.samples[0].input.kind == "picture"
    assert judged.labels == LabelKind("class", 10)
    assert judged.samples[0].label is not None


def test_data_that_do_not_fit_are_a_sentence(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    numpy.savez(tmp_path / "d.npz", image=numpy.zeros((4, 1, 9, 9), numpy.float32))
    found = ahead(digits, job, data=tmp_path / "d.npz")
    assert isinstance(found.data, DataProblem)
    assert "'image' has data of shape 4×1×9×9" in found.data.problem
    assert found.eval_data is None


def test_the_outlook_of_digits(digits: VariantRecord, job: FakeJob) -> None:
    found = ahead(digits, job, outlook=True).outlook
    assert found is not None
    assert 0.9 < found.share <= 1
    assert 0 < found.low <= found.high
    assert "of the float time on this machine" in found.sentence
    assert ahead(digits, job, outlook=True, preset='method = "fp16"\n').outlook is None


def chain(*nodes: Node, weights: tuple[str, ...] = ("w",)) -> Graph:
    shape = TensorType("float32", (1, 8, 4, 4))
    kernel = TensorType("float32", (8, 8, 1, 1))
    single = TensorType("float32", (8, 1, 1, 1))
    types = {"x": shape, "y": shape, "v": shape, "z": shape, "w": kernel, "d": single}
    types["m"] = TensorType("float32", (4, 4))
    return Graph(
        name="g",
        inputs=(Value("x", shape),),
        outputs=(Value("z", shape),),
        nodes=nodes,
        initializers={n: Initializer(n, types[n], 256) for n in weights},
        values=types,
    )


def timed(graph: Graph, *times: tuple[float, float]) -> MachineTimings:
    """What was measured, with these times for the layers in their order."""
    shapes = [layer.shape for layer in layers(graph)]
    pairs = {s.key: took for s, took in zip(shapes, times, strict=True) if s is not None}
    return replace(MEASURED, layers=pairs)


def test_the_prediction_adds_layers_borders_and_what_stays_in_float() -> None:
    graph = chain(
        Node("a", "Conv", ("x", "w"), ("y",)),
        Node("s", "Sigmoid", ("y",), ("v",)),
        Node("b", "Conv", ("v", "d"), ("z",), attributes={"group": 8}),
        weights=("w", "d"),
    )
    found = predict(graph, timed(graph, (80, 30), (20, 99)))
    assert found.share == pytest.approx(8 / 9)
    # A run of 4, an operator of 1 to 3; x becomes bytes (1), y floats again (2), z was never bytes.
    ratios = [(4 + other + 20 + 30 + 3) / (4 + other + 20 + 80) for other in (1, 3)]
    unsure = 0.1 + 2 / (4 + 80 + 20)
    assert found.low == pytest.approx(min(ratios) * (1 - unsure))
    assert found.high == pytest.approx(max(ratios) * (1 + unsure))
    assert found.sentence.startswith("Yes: about 0.49 to 0.63")
    assert "from its layers timed alone" in found.sentence


def test_a_tiny_model_is_the_less_sure() -> None:
    graph = chain(Node("a", "Conv", ("x", "w"), ("z",)))
    large, small = (predict(graph, timed(graph, (us, us / 2))) for us in (1000, 4))
    assert small.high - small.low > 2 * (large.high - large.low)
    assert large.high < 0.6


def test_a_layer_that_was_not_timed_is_scaled_from_the_nearest() -> None:
    graph = chain(
        Node("a", "Conv", ("x", "w"), ("y",)),
        Node("b", "MatMul", ("y", "m"), ("z",)),
        weights=("w", "m"),
    )
    shapes = [layer.shape for layer in layers(graph)]
    assert shapes[0] is not None
    measured = replace(MEASURED, layers={shapes[0].key: (100, 40)})
    # The product of 8 x 4 rows with 4 x 4 weights has a half of the multiplications.
    found = predict(graph, measured)
    after, before = 4 + 40 + 20 + 1, 4 + 100 + 50
    assert found.low == pytest.approx(after / before * (1 - 0.1 - 2 / before))


def test_bytes_stay_bytes_between_layers() -> None:
    graph = chain(
        Node("a", "Conv", ("x", "w"), ("y",)),
        Node("r", "Relu", ("y",), ("v",)),
        Node("b", "Conv", ("v", "w"), ("z",)),
    )
    found = predict(graph, timed(graph, (50, 20), (50, 20)))
    assert found.low == pytest.approx((4 + 40 + 1 + 2) / 104 * (1 - 0.1 - 2 / 104))


def test_shapes_that_are_timed() -> None:
    graph = chain(
        Node("a", "Conv", ("x", "w"), ("y",), attributes={"strides": [1, 1], "pads": [0] * 4}),
        Node("b", "Conv", ("y", "w"), ("z",)),
        Node("c", "Conv", ("x", "unknown"), ("z",)),
    )
    (shape,) = shapes_to_time(graph)  # both are alike, and of the third nothing is known
    assert (shape.kind, shape.read, shape.weight) == ("Conv", (1, 8, 4, 4), (8, 8, 1, 1))
    assert (shape.strides, shape.pads) == ((1, 1), (0, 0, 0, 0))


def test_nothing_to_gain_is_said() -> None:
    graph = chain(Node("b", "Conv", ("x", "d"), ("z",), attributes={"group": 8}), weights=("d",))
    assert predict(graph, MEASURED).sentence.startswith("No: this model has no operators")
    plain = chain(Node("a", "Conv", ("x", "w"), ("z",)))
    assert predict(plain, timed(plain, (100, 140))).sentence.startswith("No: about 1.2")
    assert predict(plain, timed(plain, (100, 95))).sentence.startswith("Inconclusive: about 0.86")
    assert predict(chain(), MEASURED).sentence.endswith("is not known.")


def test_what_was_timed_is_kept_for_the_next_look(
    registry: Registry, digits: VariantRecord, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio_onnxruntime import layer_timing as outlook

    asked: list[int] = []
    real = outlook.timed_layers

    def counted(shapes: Any, signed: bool) -> Any:
        asked.append(len(shapes))
        return real(shapes, signed)

    monkeypatch.setattr(outlook, "timed_layers", counted)
    options = options_of(PREVIEW, digits)
    found = []
    for _ in range(2):
        ready = timings.offered(registry, options)
        found.append(timings.record(registry, ready, preview(ready, job), job.folder))
    assert asked == [3]  # at the first look alone
    assert found[0] == found[1]
    assert "timings" not in to_json(found[0])
    place = registry.folder.parent / "timings.json"
    whole = json.loads(place.read_text())
    for damaged in ("{", json.dumps({**whole, "at": 0}), json.dumps({**whole, "machine": "x"})):
        place.write_text(damaged)
        assert timings.offered(registry, options).timings == {}
