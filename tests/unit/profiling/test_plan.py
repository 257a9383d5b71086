"""Candidates, labels, shapes, and kernels given back to nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Graph, Kind, Node, Option, TargetSpec, UsageError
from studio.documents.dataclass_json import to_json
from studio.plugin_host import PluginHost
from studio.profiling.attribution import attribute
from studio.profiling.backends import BackendChoice, check_formats, check_target, choose
from studio.profiling.operator_times import UnknownKernel
from studio.profiling.plan import SAME_MODEL, candidates, configuration, parse_shapes
from studio.registry import ModelRef
from studio.runtime.bench.facts import Kernel


class Backend:
    title = ""
    runner = Path("/plugins/runner.py")

    def __init__(self, identifier: str, *options: str) -> None:
        self.id = identifier
        self.options = tuple(Option(name, Kind.INTEGER) for name in options)


class Host:
    """Backends by their names."""

    def __init__(self, *backends: Backend) -> None:
        self._backends = {backend.id: backend for backend in backends}

    def get(self, extension: object, name: str) -> Backend:
        return self._backends[name]


def on(*backends: Backend) -> list[BackendChoice]:
    return choose(Host(*backends), [backend.id for backend in backends], {})


def model(name: str) -> ModelRef:
    return ModelRef(f"/store/{name}.onnx", name, 1, 1, "net", name, "onnx", "fp32")


def test_labels_are_unique_and_name_the_backend_only_where_there_are_several():
    one = candidates([model("fp32"), model("fp32")], on(Backend("ort")))
    assert [each.label for each in one] == ["net:fp32", "net:fp32 (2)"]
    two = candidates([model("fp32")], on(Backend("ort"), Backend("ncnn")))
    assert [each.label for each in two] == ["net:fp32@ort", "net:fp32@ncnn"]
    assert two[0].model_label == "net:fp32"


def test_a_backend_gets_only_the_options_that_it_has():
    host = Host(Backend("ort", "threads"), Backend("x"))
    made = choose(host, ["ort", "x", "ort: threads=4", "ort"], {"threads": 2})
    assert [each.text for each in made] == ["ort", "x", "ort: threads=4"]
    assert [dict(each.options) for each in made] == [{"threads": 2}, {}, {"threads": 4}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ort:threads", "Invalid backend options"),
        ("ort:streams=2", "Unknown option 'streams'"),
        ("ort:threads=many", "must be a whole number"),
    ],
)
def test_backends_that_cannot_be_understood(text, words):
    with pytest.raises(UsageError, match=words):
        choose(Host(Backend("ort", "threads")), [text], {})


def test_each_variant_is_held_against_itself_on_the_first_backend(arguments):
    other = Backend("ncnn")
    other.python = "/env/bin/python"
    made = candidates([model("fp32"), model("int8")], on(Backend("ort"), other))
    assert [each.like for each in made] == ["", "", "net:fp32@ort", "net:int8@ort"]
    assert [bool(each.memory_mb) for each in made] == [False, False, True, True]
    values = arguments()
    listed = configuration(made, values).candidates
    assert [each.python for each in listed] == ["", "", *["/env/bin/python"] * 2]
    assert listed[3].like == "net:int8@ort"
    assert listed[3].like_tolerance == SAME_MODEL
    wide = configuration(made, arguments(tolerance=0.5)).candidates
    assert (wide[3].tolerance, wide[3].like_tolerance) == (0.5, (0.5, 0.5))


def test_the_configuration_is_what_the_bench_understands(arguments):
    import json

    from studio.runtime.bench.config import parse

    values = arguments(shapes=["x=1x3x48x320", "batch=2"], rounds=40)
    config = configuration(candidates([model("a")], on(Backend("ort"))), values, "f.npz")
    parsed = parse(json.dumps(to_json(config)))
    assert parsed.candidates[0].model == "/store/a.onnx"
    assert parsed.feeds.shapes == {"x": [1, 3, 48, 320]}
    assert parsed.feeds.symbols == {"batch": 2}
    assert not parsed.twin
    assert parsed.rounds == 40


def test_a_board_is_not_asked_to_use_an_environment_of_this_computer():
    other = Backend("ncnn")
    other.python, other.title = "/env/bin/python", "ncnn"
    board = TargetSpec("jetson", "ssh://jetson")
    check_target(board, on(Backend("ort")))
    check_target(TargetSpec("local", "local:"), on(other))
    with pytest.raises(UsageError, match="ncnn runs on this computer only") as caught:
        check_target(board, on(Backend("ort"), other))
    assert caught.value.hint == "Omit it for jetson."


@pytest.mark.parametrize("text", ["x", "x=", "x=a", "x=1x", "x=0x2", "=3", "x=-1"])
def test_what_is_no_shape(text):
    with pytest.raises(UsageError, match="is not a shape"):
        parse_shapes([text])


def test_names_with_anything_in_them_have_shapes_too():
    shapes, _ = parse_shapes(["a/b:0=1x2", "p=q=3x4"])
    assert shapes == {"a/b:0": [1, 2], "p=q": [3, 4]}


def node(name: str, operator: str, *outputs: str) -> Node:
    return Node(name, operator, (), outputs)


GRAPH = Graph(
    "g",
    (),
    (),
    (
        node("Constant.0", "Constant", "c"),
        node("conv/1", "Conv", "conv_out"),
        node("Add.2", "Add", "Add.3"),
        node("hs0", "HardSwish", "h0"),
        node("hs1", "HardSwish", "h1"),
        node("MatMul.1", "MatMul", "m"),
        node("Relu_5", "Relu", "r"),
    ),
)


def kernel(name: str, operator: str, us: float = 1.0) -> Kernel:
    return Kernel(name, operator, "cpu", "fp32", us)


@pytest.mark.parametrize(
    ("name", "operator", "expected"),
    [
        ("conv/1", "Conv", "conv/1"),
        ("conv/1_nchwc", "Conv", "conv/1"),
        ("conv/1_quant_nchwc", "QLinearConv", "conv/1"),
        ("Add.3_nchwc", "Conv", "Add.2"),
        ("MatMul.1/MatmulTransposeFusion/", "FusedMatMul", "MatMul.1"),
        ("MatMul.1_token_12", "Transpose", "MatMul.1"),
        ("fused MatMul.1", "Gemm", "MatMul.1"),
        ("Relu_5", "Relu", "Relu_5"),
        ("MatMul_4", "MatMul", "MatMul.1"),
    ],
)
def test_a_kernel_is_given_back(name, operator, expected):
    found = attribute([kernel(name, operator)], GRAPH)
    assert dict(found.nodes) == {expected: 1.0}
    assert found.share == 1.0


def test_replaced_operators_get_their_parts_in_order():
    parts = [
        kernel("HardSigmoid_10", "HardSigmoid", 1),
        kernel("Mul_11", "Mul", 2),
        kernel("HardSigmoid_12", "HardSigmoid", 3),
        kernel("Mul_13", "Mul", 4),
    ]
    found = attribute(list(reversed(parts)), GRAPH)
    assert dict(found.nodes) == {"hs0": 3.0, "hs1": 7.0}
    lost = attribute(parts[:2], GRAPH)
    assert dict(lost.nodes) == {}, "one of the two is gone: which, nobody tells"


def test_layout_and_unknown_kernels_are_stated():
    found = attribute(
        [
            kernel("conv/1", "Conv", 6),
            kernel("ReorderInput", "ReorderInput", 1),
            kernel("Transpose_token_3", "Transpose", 1),
            kernel("mystery", "Magic", 2),
        ],
        GRAPH,
    ).result("run")
    assert found.attributed == 0.6
    assert found.layout == 0.2
    assert found.unknown == (UnknownKernel("mystery", 2.0),)
    assert found.providers == {"cpu": 1.0}
    assert found.nodes[0].kernels == ("Conv",)
    assert found.nodes[0].providers == ("cpu",)


def test_a_backend_that_runs_none_of_the_models_says_so_before_it_is_installed() -> None:
    host = PluginHost.discover()
    with pytest.raises(UsageError, match="LiteRT runs TFLite models, not ONNX"):
        check_formats(host, ["litert:threads=2"], ["onnx"])
    check_formats(host, ["litert", "onnxruntime"], ["onnx", "tflite"])
    check_formats(host, ["nobody"], ["onnx"])
