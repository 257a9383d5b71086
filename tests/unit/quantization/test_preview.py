"""The look ahead: what data hold, which do not fit, and how fast int8 will be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Graph, Initializer, Node, TensorType, Value, validate
from studio.quantization.outlook import predict
from studio.quantization.preview import preview
from studio.quantization.preview_step import PREVIEW
from studio.registry import VariantRecord

from .conftest import DIGITS, FakeJob, reference

MEASURED = {
    "kernels": ["VNNI"],
    "ratios": {"Conv": (0.3, 0.5), "depthwise": (1.2, 1.4), "MatMul": (0.4, 0.4)},
    "rates": {"Conv": 128.0, "depthwise": 64.0, "MatMul": 128.0},
    "node_us": 1.0,
    "run_us": 4.0,
    "layer_us": [1.0, 2.0],
}


def ahead(variant: VariantRecord, job: FakeJob, **given: Any) -> dict[str, Any]:
    checked = validate(PREVIEW.options, {"model": "digits", "outlook": False, **given})
    result = preview({**checked, "model": reference(variant)}, job)
    assert json.loads(json.dumps(result)) == result
    return result


def test_what_the_data_hold(digits: VariantRecord, job: FakeJob) -> None:
    found = ahead(digits, job, data=DIGITS / "calibration.npz", eval_data=DIGITS / "heldout.npz")
    data, judged = found["data"], found["eval_data"]
    assert data["count"] == 200
    assert data["inputs"] == [{"name": "image", "found": "float32 1×1×8×8"}]
    assert data["labels"] == {"kind": None, "different": 0}
    assert [s["name"] for s in data["samples"]] == ["#0", "#50", "#100", "#150"]
    assert data["samples"][0]["input"]["kind"] == "picture"
    assert judged["labels"] == {"kind": "class", "different": 10}
    assert judged["samples"][0]["label"] is not None


def test_data_that_do_not_fit_are_a_sentence(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    numpy.savez(tmp_path / "d.npz", image=numpy.zeros((4, 1, 9, 9), numpy.float32))
    found = ahead(digits, job, data=tmp_path / "d.npz")
    assert "'image' has data of shape 4×1×9×9" in found["data"]["problem"]
    assert found["eval_data"] is None


def test_the_outlook_of_digits(digits: VariantRecord, job: FakeJob) -> None:
    found = ahead(digits, job, outlook=True)["outlook"]
    assert 0.9 < found["share"] <= 1
    assert 0 < found["low"] <= found["high"]
    assert "of the float time on this machine" in found["sentence"]
    assert ahead(digits, job, outlook=True, recipe='method = "fp16"\n')["outlook"] is None


def chain(*nodes: Node, weights: tuple[str, ...] = ("w",)) -> Graph:
    shape = TensorType("float32", (1, 8, 4, 4))
    kernel = TensorType("float32", (8, 8, 1, 1))
    single = TensorType("float32", (8, 1, 1, 1))
    types = {"x": shape, "y": shape, "z": shape, "w": kernel, "d": single}
    return Graph(
        name="g",
        inputs=(Value("x", shape),),
        outputs=(Value("z", shape),),
        nodes=nodes,
        initializers={n: Initializer(n, types[n], 256) for n in weights},
        values=types,
    )


def test_the_prediction_weighs_each_kind_by_its_time() -> None:
    graph = chain(
        Node("a", "Conv", ("x", "w"), ("y",)),
        Node("s", "Sigmoid", ("y",), ("y",)),
        Node("b", "Conv", ("y", "d"), ("z",), attributes={"group": 8}),
        weights=("w", "d"),
    )
    found = predict(graph, MEASURED)
    assert found.share == pytest.approx(8 / 9)
    # 8 us of work in the plain convolution, 2 in the depthwise one; a run of 4, a node of 1,
    # two layers of 1 each in float; in int8 the plain one has 2 of its own.
    before = 8 + 2 + 4 + 1 + 2
    rest = 2 + 4 + 1 + 1
    assert found.low == pytest.approx((rest + 2 + 8 * 0.3) / before)
    assert found.high == pytest.approx(((rest + 2 + 8 * 0.5) / before + 0.25) / 1.25)
    assert found.sentence.startswith("Yes: about 0.73 to 0.86")


def test_nothing_to_gain_is_said() -> None:
    graph = chain(Node("b", "Conv", ("x", "d"), ("z",), attributes={"group": 8}), weights=("d",))
    assert predict(graph, MEASURED).sentence.startswith("No: nothing in this model")
    slow = {**MEASURED, "ratios": {"Conv": (1.1, 1.3), "MatMul": (1.0, 1.0)}}
    plain = chain(Node("a", "Conv", ("x", "w"), ("z",)))
    assert predict(plain, slow).sentence.startswith("No: about 1.14 to 1.21")
    even = {**MEASURED, "ratios": {"Conv": (0.8, 1.2), "MatMul": (1.0, 1.0)}}
    assert predict(plain, even).sentence.startswith("Hardly: about 0.95")
    assert predict(chain(), slow).sentence.endswith("is not known.")
