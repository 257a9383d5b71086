"""The gradient that is added to a graph: equal to differences of the score, by operator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from studio.api import Array, Silent, StudioError, UsageError
from studio_onnx.gradient.input_gradient import InputGradient

ROWS, STEP = 3, 1e-2
Nodes = list[NodeProto]
Constants = dict[str, Array]
RANDOM = numpy.random.default_rng(5)


def draw(*shape: int) -> Array:
    return RANDOM.normal(size=shape).astype(numpy.float32)


def whole(*values: int) -> Array:
    return numpy.array(values, dtype=numpy.int64)


def node(operator: str, *inputs: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, inputs, ["z"], name="n", **attributes)


def saved(
    folder: Path,
    nodes: Sequence[NodeProto],
    constants: Constants,
    shape: Sequence[int | str],
    opset: int = 18,
    output: Sequence[int | str] = ("n", 1),
) -> Path:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        list(nodes),
        "g",
        [value("x", TensorProto.FLOAT, shape)],
        [value("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    path = folder / "m.onnx"
    version = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=version, ir_version=8), str(path))
    return path


def added(path: Path, **options: Any) -> Path:
    copy = path.with_name("gradient.onnx")
    return InputGradient().apply(path, copy, options, None, Silent()).path


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path))


def spaced(*shape: int) -> Array:
    """Numbers that differ by more than the step, none of which is near 0."""
    count = int(numpy.prod(shape))
    values = (RANDOM.permutation(count) - count // 2 + 0.5) * 0.05
    return values.reshape(shape).astype(numpy.float32)


def slopes(path: Path, x: Array) -> tuple[float, float, float]:
    """Return the slope along a random direction, by the gradient and by differences."""
    first, second = session(path), session(added(path))
    score, gradient = second.run(None, {"x": x})
    numpy.testing.assert_array_equal(score, first.run(None, {"x": x})[0])
    way = RANDOM.choice([-1.0, 1.0], size=x.shape)
    ends = [first.run(None, {"x": (x + s * STEP * way).astype("f4")})[0] for s in (-1, 1)]
    difference = (ends[1] - ends[0]).astype(numpy.float64).reshape(len(x)) / (2 * STEP)
    found = (gradient * way).reshape(len(x), -1).sum(axis=1)
    scale = numpy.abs(gradient).reshape(len(x), -1).sum(axis=1).max()
    assert gradient.shape == x.shape
    return float(abs(found - difference).max()), float(scale), float(abs(found).max())


W = draw(4, 3, 3, 3)
SMOOTH: dict[str, tuple[tuple[int, ...], NodeProto | Nodes, Constants]] = {
    "add": ((4,), node("Add", "x", "c"), {"c": draw(4)}),
    "sub": ((1, 4), node("Sub", "c", "x"), {"c": draw(ROWS, 2, 4)}),
    "mul both": ((4,), node("Mul", "x", "x"), {}),
    "div": (
        (4,),
        [helper.make_node("Exp", ["x"], ["e"]), node("Div", "c", "e")],
        {"c": draw(4)},
    ),
    "pow": ((4,), node("Pow", "x", "c"), {"c": numpy.array(2.0, numpy.float32)}),
    "sum": ((4,), node("Sum", "x", "c", "x"), {"c": draw(1, 4)}),
    "max": ((4,), node("Max", "x", "c"), {"c": numpy.array(0.11, numpy.float32)}),
    "min": ((4,), node("Min", "c", "x"), {"c": numpy.array(0.11, numpy.float32)}),
    "where": (
        (4,),
        node("Where", "c", "x", "d"),
        {"c": numpy.array([True, False, True, True]), "d": draw(1, 4)},
    ),
    "gemm": (
        (4,),
        node("Gemm", "x", "c", "d", alpha=0.5, beta=2.0, transB=1),
        {"c": draw(5, 4), "d": draw(5)},
    ),
    "matmul": ((2, 4), node("MatMul", "x", "c"), {"c": draw(4, 5)}),
    "matmul of a constant": ((2, 4), node("MatMul", "c", "x"), {"c": draw(5, 2)}),
    "attention": (
        (3, 4),
        [
            helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["x", "t"], ["s"]),
            helper.make_node("Softmax", ["s"], ["p"], axis=-1),
            helper.make_node("MatMul", ["p", "x"], ["z"]),
        ],
        {},
    ),
    "conv": ((3, 7, 6), node("Conv", "x", "c", "d", pads=[1, 0, 1, 2]), {"c": W, "d": draw(4)}),
    "conv with strides": (
        (3, 8, 7),
        node("Conv", "x", "c", strides=[2, 3], pads=[1, 1, 0, 1], dilations=[2, 1]),
        {"c": W},
    ),
    "conv by groups": ((4, 6, 6), node("Conv", "x", "c", group=2), {"c": draw(6, 2, 3, 3)}),
    "conv of lines": ((2, 9), node("Conv", "x", "c", strides=[2]), {"c": draw(3, 2, 4)}),
    "conv padded": (
        (3, 7, 7),
        node("Conv", "x", "c", strides=[2, 2], auto_pad="SAME_UPPER"),
        {"c": W},
    ),
    "transposed conv": (
        (4, 4, 4),
        node("ConvTranspose", "x", "c", strides=[2, 2], pads=[1, 1, 1, 1]),
        {"c": W},
    ),
    "batch normalization": (
        (3, 4, 4),
        node("BatchNormalization", "x", "s", "b", "m", "v"),
        {"s": draw(3), "b": draw(3), "m": draw(3), "v": abs(draw(3)) + 1},
    ),
    "layer normalization": ((3, 5), node("LayerNormalization", "x", "s"), {"s": draw(5)}),
    "max pool": ((2, 7, 7), node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2]), {}),
    "average pool": (
        (2, 6, 7),
        node("AveragePool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]),
        {},
    ),
    "average pool with its padding": (
        (2, 6, 6),
        node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        {},
    ),
    "global average": ((3, 4, 5), node("GlobalAveragePool", "x"), {}),
    "global max": ((3, 4, 5), node("GlobalMaxPool", "x"), {}),
    "reduce mean": ((3, 4, 5), node("ReduceMean", "x", "c", keepdims=0), {"c": whole(2, -1)}),
    "reduce sum": ((3, 4), node("ReduceSum", "x", "c", keepdims=1), {"c": whole(1)}),
    "reduce max": ((3, 4), node("ReduceMax", "x", "c", keepdims=0), {"c": whole(-1)}),
    "reshape": ((3, 4), node("Reshape", "x", "c"), {"c": whole(0, 2, 6)}),
    "transpose": ((3, 4, 2), node("Transpose", "x", perm=[0, 2, 3, 1]), {}),
    "squeeze": ((1, 4), node("Squeeze", "x", "c"), {"c": whole(1)}),
    "unsqueeze": ((4,), node("Unsqueeze", "x", "c"), {"c": whole(1)}),
    "concat": ((4,), node("Concat", "x", "c", "x", axis=-1), {"c": draw(ROWS, 2)}),
    "split": (
        (5,),
        [
            helper.make_node("Split", ["x", "c"], ["a", "b"], axis=1),
            helper.make_node("Mul", ["b", "b"], ["z"]),
        ],
        {"c": whole(2, 3)},
    ),
    "slice": (
        (6, 5),
        node("Slice", "x", "a", "b", "c", "d"),
        {"a": whole(5, 1), "b": whole(-20, 4), "c": whole(1, 2), "d": whole(-2, 1)},
    ),
    "gather": ((5,), node("Gather", "x", "c", axis=1), {"c": whole(4, 0, 0)}),
    "tile": ((3,), node("Tile", "x", "c"), {"c": whole(1, 2)}),
    "pad": ((3, 4), node("Pad", "x", "c"), {"c": whole(0, 1, 0, 0, 2, 1)}),
    "pad by its mirror": ((6,), node("Pad", "x", "c", mode="reflect"), {"c": whole(0, 2, 0, 1)}),
    "clip": (
        (6,),
        node("Clip", "x", "c", "d"),
        {"c": numpy.array(-0.2, numpy.float32), "d": numpy.array(0.3, numpy.float32)},
    ),
    "prelu": ((4,), node("PRelu", "x", "c"), {"c": draw(4)}),
}
SMOOTH |= {
    operator: ((5,), node(operator, "x"), {})
    for operator in (
        "Abs", "Elu", "Erf", "Exp", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu",
        "LogSoftmax", "Neg", "Relu", "Sigmoid", "Softmax", "Softplus", "Softsign", "Tanh",
    )
}  # fmt: skip
SMOOTH |= {
    operator: ((5,), [helper.make_node("Exp", ["x"], ["e"]), node(operator, "e")], {})
    for operator in ("Log", "Reciprocal", "Sqrt")
}


@pytest.mark.parametrize("case", SMOOTH)
def test_gradient_is_the_slope_of_the_score(tmp_path: Path, case: str) -> None:
    shape, given, constants = SMOOTH[case]
    nodes = [given] if isinstance(given, NodeProto) else given
    x = spaced(ROWS, *shape)
    plain = saved(tmp_path, [*nodes, *_alone()], constants, [ROWS, *shape], output=[ROWS, "m"])
    size = session(plain).run(None, {"x": x})[0].shape[1]
    weighed = {**constants, "weights": draw(size, 1)}
    end = [
        helper.make_node("Flatten", ["z"], ["rows"], axis=1),
        helper.make_node("MatMul", ["rows", "weights"], ["y"]),
    ]
    path = saved(tmp_path, [*nodes, *end], weighed, [ROWS, *shape], output=[ROWS, 1])
    error, scale, _ = slopes(path, x)
    assert error < 2e-3 * scale


def _alone() -> Nodes:
    return [helper.make_node("Flatten", ["z"], ["y"], axis=1)]


@pytest.mark.parametrize("softmax", [False, True])
def test_gradient_of_one_class(tmp_path: Path, softmax: bool) -> None:
    weights = draw(4, 3)
    path = saved(tmp_path, [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weights},
                 ["n", 4], output=("n", 3))  # fmt: skip
    x = draw(2, 4)
    found = session(added(path, number=2, softmax=softmax)).run(None, {"x": x})[1]
    expected = numpy.tile(weights[:, 2], (2, 1))
    if softmax:
        shares = numpy.exp(x @ weights)
        shares /= shares.sum(axis=1, keepdims=True)
        expected = shares[:, 2:3] * (weights[:, 2] - shares @ weights.T)
    numpy.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_model_of_an_older_operator_set(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Squeeze", ["x"], ["s"], axes=[1]),
        helper.make_node("ReduceMean", ["s"], ["y"], axes=[1], keepdims=1),
    ]
    path = saved(tmp_path, nodes, {}, ["n", 1, 4], opset=11)
    found = session(added(path)).run(None, {"x": draw(2, 1, 4)})[1]
    numpy.testing.assert_array_equal(found, numpy.full((2, 1, 4), 0.25, numpy.float32))


def test_function_of_the_model_is_looked_into(tmp_path: Path) -> None:
    path = saved(tmp_path, [helper.make_node("Twice", ["x"], ["y"], domain="own")], {}, ["n", 1])
    model = onnx.load(str(path))
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    version = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("own", "Twice", ["a"], ["b"], body, version))
    model.opset_import.append(helper.make_opsetid("own", 1))
    onnx.save(model, str(path))
    found = session(added(path)).run(None, {"x": draw(2, 1)})[1]
    assert found.tolist() == [[2.0], [2.0]]


def test_names_of_the_model_are_not_taken(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Exp", ["x"], ["gradient.0"]),
        helper.make_node("Exp", ["gradient.0"], ["y"]),
    ]
    path = saved(tmp_path, nodes, {}, ["n", 1])
    onnx.checker.check_model(str(added(path)), full_check=True)


def test_operator_without_a_known_gradient_is_named(tmp_path: Path) -> None:
    nodes = [helper.make_node("CumSum", ["x", "c"], ["y"], name="running")]
    path = saved(tmp_path, nodes, {"c": whole(1)}, ["n", 1])
    with pytest.raises(UsageError, match=r"^The gradient through CumSum \(running\) is not known"):
        added(path)


def test_operator_of_another_domain_is_named(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")]
    path = saved(tmp_path, nodes, {}, ["n", 1])
    model = onnx.load(str(path))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(path))
    with pytest.raises(UsageError, match=r"^The gradient through Gelu is not known"):
        added(path)


def test_quantized_model_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s"], ["y"]),
    ]
    path = saved(tmp_path, nodes, {"s": numpy.array(0.1, numpy.float32)}, ["n", 1])
    with pytest.raises(UsageError, match=r"^The model is quantized \(QuantizeLinear\)"):
        added(path)


def test_damaged_model_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, [helper.make_node("Gelu", ["x"], ["y"], domain="none")], {}, ["n", 1])
    with pytest.raises(StudioError, match=r"^The sizes inside of the model cannot be found out"):
        added(path)


def test_weights_that_depend_on_the_input_are_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["c", "x"], ["z"]), *_alone()]
    path = saved(tmp_path, nodes, {"c": draw(1, 1, 4, 4)}, [1, 1, 3, 3], output=[1, 4])
    with pytest.raises(UsageError, match="its weights depend on the input"):
        added(path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"number": 1}, "The output 'y' has 1 scores; there is no number 1."),
        ({"input": "q"}, "The model has no input 'q'."),
        ({"output": "q"}, "The model has no output 'q'."),
    ],
)
def test_option_that_does_not_fit(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    path = saved(tmp_path, [helper.make_node("Exp", ["x"], ["y"])], {}, ["n", 1])
    with pytest.raises(StudioError) as caught:
        added(path, **options)
    assert caught.value.message == sentence


def test_output_that_is_a_constant_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Cast", ["s"], ["y"], to=1)]
    path = saved(tmp_path, nodes, {}, ["n", 1], output=[2])
    with pytest.raises(UsageError, match=r"^The output 'y' does not depend on the input 'x'"):
        added(path)


def test_input_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, [helper.make_node("Cast", ["x"], ["y"], to=1)], {}, ["n", 1])
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.save(model, str(path))
    with pytest.raises(UsageError, match=r"^The input 'x' has whole numbers"):
        added(path)
