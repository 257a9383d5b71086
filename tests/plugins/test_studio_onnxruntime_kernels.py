"""The onnxruntime runner's kernels: which values they make, and times without those within."""

import importlib.util
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from studio.api import Silent
from studio.documents.dataclass_json import from_json
from studio.profiling.attribution import attribute
from studio.runtime.bench.facts import Kernel
from studio_onnx.format import OnnxFormat

RUNNER = Path(__file__).parents[2] / "plugins" / "studio_onnxruntime" / "runner.py"


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("runner", RUNNER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def weight(name, *shape):
    array = numpy.random.RandomState(0).random_sample(shape).astype("float32")
    return onnx.numpy_helper.from_array(array, name)


def save(path, nodes, inputs, outputs, weights=(), functions=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("my", 1)]
    model = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=9)
    onnx.save(model, path)
    return path


def attributed(runner, path, feeds):
    session = runner.load(str(path), {"threads": 1})
    found = session.operators(feeds, 3)
    session.close()
    model = OnnxFormat().read(path, Silent())
    kernels = [from_json(Kernel, each) for each in found["operators"]]
    return found, attribute(kernels, model.graph, model.functions)


@pytest.fixture
def branching(tmp_path):
    product = helper.make_node("MatMul", ["x", "w"], ["then_out"], name="product")
    branches = {
        "then_branch": helper.make_graph([product], "then", [], [value("then_out", 256, 256)]),
        "else_branch": helper.make_graph(
            [helper.make_node("Identity", ["x"], ["else_out"], name="same")],
            "else", [], [value("else_out", 256, 256)],
        ),
    }  # fmt: skip
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], name="sum", keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"], name="positive"),
        helper.make_node("If", ["positive"], ["y"], name="choice", **branches),
    ]
    zero = onnx.numpy_helper.from_array(numpy.array(0, "float32"), "zero")
    return save(
        tmp_path / "model.onnx",
        nodes,
        [value("x", 256, 256)],
        [value("y", 256, 256)],
        [zero, weight("w", 256, 256)],
    )


def test_a_kernel_counts_without_the_kernels_within_it(runner, branching):
    told, found = attributed(runner, branching, {"x": numpy.ones((256, 256), "float32")})
    kernels = {each["name"]: each for each in told["operators"]}
    assert kernels["choice"]["us"] < kernels["product"]["us"], "the If does nothing by itself"
    assert found.share == 1.0
    assert found.shares["choice", "product"].us == kernels["product"]["us"]
    # All kernels together take no longer than the inference that they are part of (a rounded
    # microsecond for each aside): nothing is counted twice.
    assert found.total_us < 1.2 * told["profiled_us"] + len(kernels)


def test_a_fused_model_is_given_back_to_its_file(runner, tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name=""),
        helper.make_node("GlobalAveragePool", ["r"], ["y"], name=""),
    ]
    path = save(
        tmp_path / "model.onnx",
        nodes,
        [value("x", 1, 16, 32, 32)],
        [value("y", 1, 16, 1, 1)],
        [weight("w", 16, 16, 3, 3)],
    )
    told, found = attributed(runner, path, {"x": numpy.ones((1, 16, 32, 32), "float32")})
    assert found.share == 1.0
    assert not found.unknown_us
    (conv,) = [share for share in found.shares.values() if share.owner.node.operator == "Conv"]
    assert len(conv.fused) == 1, "the Relu is in its kernel"
    assert told["plain_us"] > 0
    assert all(each["outputs"] for each in told["operators"])


def test_calls_of_one_function_are_told_apart(runner, tmp_path):
    body = [helper.make_node("MatMul", ["a", "b"], ["m"], name="mm")]
    body += [helper.make_node("Softmax", ["m"], ["s"], name="soft")]
    opsets = [helper.make_opsetid("", 18)]
    function = helper.make_function("my", "Block", ["a", "b"], ["s"], body, opsets)
    nodes = [
        helper.make_node("Block", ["x", "w"], ["h"], domain="my", name="first"),
        helper.make_node("Block", ["h", "w"], ["y"], domain="my", name="second"),
    ]
    inputs, outputs = [value("x", 64, 64)], [value("y", 64, 64)]
    path = save(tmp_path / "model.onnx", nodes, inputs, outputs, [weight("w", 64, 64)], [function])
    _, found = attributed(runner, path, {"x": numpy.ones((64, 64), "float32")})
    assert found.share == 1.0
    assert {"first", "second"} == set(found.nodes)
    assert ("first", "mm") in found.shares
    assert ("second", "soft") in found.shares


def test_a_graph_that_cannot_be_saved_is_profiled_all_the_same(runner, branching, monkeypatch):
    monkeypatch.setattr(runner, "_MOST_SAVED", 0)
    told, found = attributed(runner, branching, {"x": numpy.ones((256, 256), "float32")})
    assert not any(each.get("outputs") for each in told["operators"])
    assert found.share > 0.9, "names alone"
