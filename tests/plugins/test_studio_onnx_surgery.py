"""Surgery on ONNX models: what each edit changes, and that the numbers stay."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Backend, Extension, InvalidModel, Silent, StudioError, UsageError
from studio.documents.dataclass_json import from_json
from studio.models.surgery.edits import parse
from studio.models.surgery.equality import EditFacts, Equality, check
from studio.plugin_host import PluginHost
from studio_onnx.format import OnnxFormat
from studio_onnxruntime.backend import OnnxRuntime

HOST = PluginHost.discover()


def matrix(name: str, *shape: int) -> TensorProto:
    values = numpy.random.default_rng(len(name)).standard_normal(shape).astype(numpy.float32)
    return numpy_helper.from_array(values, name)


def floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def open_floats(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def model(tmp_path: Path) -> Path:
    """Two heads; one behind an If whose branches capture a value around them."""
    then = helper.make_graph(
        [helper.make_node("Relu", ["h"], ["t"])], "then", [], [open_floats("t")]
    )
    other = helper.make_graph(
        [helper.make_node("Neg", ["h"], ["e"])], "else", [], [open_floats("e")]
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="first"),
        helper.make_node("Identity", ["one"], ["k"], name="folds"),
        helper.make_node("Add", ["h", "k"], ["s"], name="sum"),
        helper.make_node("MatMul", ["s", "v"], ["y"], name="second"),
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0, name="total"),
        helper.make_node("Greater", ["total", "zero"], ["flag"], name="flag"),
        helper.make_node(
            "If", ["flag"], ["aux"], name="choice", then_branch=then, else_branch=other
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "two heads",
        [floats("x", "batch", 4)],
        [floats("y", "batch", 3), floats("aux", "batch", 8)],
        [
            matrix("w", 4, 8),
            matrix("v", 8, 3),
            matrix("one", 8),
            numpy_helper.from_array(numpy.zeros((), numpy.float32), "zero"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "source" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    onnx.save(made, str(path))
    return path


def edited(path: Path, text: str) -> tuple[Path, EditFacts]:
    (one,) = parse([text], HOST, "onnx")
    output = path.parent.parent / f"edited-{len(list(path.parent.parent.iterdir()))}" / path.name
    output.parent.mkdir()
    done = one.transform.apply(path, output, one.options, None, Silent())
    return output, from_json(EditFacts, done.facts)


def same_numbers(before: Path, after: Path, facts: EditFacts) -> Equality:
    backend: Backend = OnnxRuntime()
    inputs = tuple(OnnxFormat().read(path, Silent()).graph.inputs for path in (before, after))
    ours, theirs = backend.load(before, {"threads": 1}), backend.load(after, {"threads": 1})
    try:
        return check(ours, theirs, (inputs[0], inputs[1]), facts)
    finally:
        ours.close()
        theirs.close()


@pytest.mark.parametrize(
    "text",
    [
        "rename x=image y=score",
        "rename h=hidden",
        "dimensions batch=2",
        "dimensions x=1,4",
        "dimensions x:0=count",
        "prune drop=aux",
        "fold",
        "opset 21",
    ],
)
def test_the_numbers_stay(tmp_path: Path, text: str) -> None:
    before = model(tmp_path)
    content = before.read_bytes()
    after, facts = edited(before, text)
    assert facts.equal
    found = same_numbers(before, after, facts)
    assert found.samples == 3
    assert found.max_error < 1e-5
    assert before.read_bytes() == content


def test_a_wrong_edit_is_noticed(tmp_path: Path) -> None:
    before = model(tmp_path)
    other = onnx.load(str(before))
    other.graph.initializer[0].CopyFrom(matrix("w", 4, 8))
    values = numpy_helper.to_array(other.graph.initializer[0]) * 1.01
    other.graph.initializer[0].CopyFrom(numpy_helper.from_array(values.astype("f4"), "w"))
    after = tmp_path / "other.onnx"
    onnx.save(other, str(after))
    with pytest.raises(InvalidModel, match="differs after the edit"):
        same_numbers(before, after, EditFacts())


def test_renaming_reaches_into_blocks(tmp_path: Path) -> None:
    after, facts = edited(model(tmp_path), "rename h=hidden x=y y=x")
    made = onnx.load(str(after))
    (choice,) = [node for node in made.graph.node if node.op_type == "If"]
    assert {tuple(one.g.node[0].input) for one in choice.attribute} == {("hidden",)}
    assert ([one.name for one in made.graph.input], made.graph.output[0].name) == (["y"], "x")
    assert facts.inputs == {"x": "y"}


def test_a_part_of_a_model(tmp_path: Path) -> None:
    before = model(tmp_path)
    after, facts = edited(before, "extract start=s end=y")
    graph = onnx.load(str(after)).graph
    assert [node.name for node in graph.node] == ["second"]
    assert [tensor.name for tensor in graph.initializer] == ["v"]
    assert not facts.equal
    after, facts = edited(before, "extract end=aux,h")
    graph = onnx.load(str(after)).graph
    assert {node.name for node in graph.node} == {"first", "total", "flag", "choice"}
    assert same_numbers(before, after, facts).samples == 3


def test_sizes_are_inferred_anew(tmp_path: Path) -> None:
    after, _ = edited(model(tmp_path), "dimensions batch=5")
    made = OnnxFormat().read(after, Silent()).graph
    assert next(value.type.shape for value in made.outputs if value.type) == (5, 3)


def steered(tmp_path: Path) -> Path:
    """A model whose branch follows from an input, as the sampling rate of Silero's does."""
    then = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["t"])], "then", [], [open_floats("t")]
    )
    other = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["e"])], "else", [], [open_floats("e")]
    )
    nodes = [
        helper.make_node("Equal", ["rate", "wide"], ["is wide"]),
        helper.make_node("If", ["is wide"], ["y"], then_branch=then, else_branch=other),
    ]
    rate = helper.make_tensor_value_info("rate", TensorProto.INT64, ())
    graph = helper.make_graph(
        nodes,
        "steered",
        [floats("x", 1, 4), rate],
        [floats("y", 1, 4)],
        [numpy_helper.from_array(numpy.array(16_000), "wide")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "source" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    onnx.save(made, str(path))
    return path


@pytest.mark.parametrize(("rate", "operator"), [(16_000, "Relu"), (8_000, "Neg")])
def test_an_input_becomes_a_constant(tmp_path: Path, rate: int, operator: str) -> None:
    before = steered(tmp_path)
    after, facts = edited(before, f"constant rate={rate}")
    assert [one.name for one in onnx.load(str(after)).graph.input] == ["x"]
    assert same_numbers(before, after, facts).samples == 3
    folded, _ = edited(after, "fold")
    assert [node.op_type for node in onnx.load(str(folded)).graph.node] == [operator]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("constant rate=fast", "The input 'rate' is of type int64."),
        ("constant rate=99999999999999999999", "The input 'rate' is of type int64."),
        ("constant rate=1,2", "Values of the input 'rate': 2 given, 1 expected."),
        ("constant x=1,2", "Values of the input 'x': 2 given, 4 expected."),
    ],
)
def test_a_constant_that_does_not_fit(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        edited(steered(tmp_path), text)
    assert caught.value.message == sentence


def test_external_data_comes_along(tmp_path: Path) -> None:
    before = model(tmp_path)
    onnx.save(
        onnx.load(str(before)),
        str(before),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    after, facts = edited(before, "rename x=image")
    assert (after.parent / "weights.bin").read_bytes() == (
        before.parent / "weights.bin"
    ).read_bytes()
    assert same_numbers(before, after, facts).samples == 3
    with pytest.raises(StudioError, match="external data"):
        edited(before, "opset 21")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("frobnicate", "Unknown edit 'frobnicate'."),
        ("rename z=q", "The model has no value 'z'."),
        ("rename x=w", "The name 'w' is taken already."),
        ("rename x=a y=a", "The name 'a' is taken already."),
        ("rename x", "'x' is not a renaming."),
        ("dimensions x=1,2,3", "The input 'x' has 2 axes, not 3."),
        ("dimensions frames=3", "The model has no open size or input 'frames'."),
        ("dimensions x:7=1", "The input 'x' has 2 axes, none is 7."),
        ("dimensions batch=0", "'batch=0' is not a size."),
        ("dimensions x=1,5", "With these sizes the shapes of the model contradict each other."),
        ("extract end=nothing", "The model has no value 'nothing'."),
        ("prune drop=y,aux", "A model without outputs computes nothing."),
        ("prune speed=3", "'speed=3' is no option."),
        ("constant x", "'x' is not a constant."),
        ("constant y=1", "The model has no input 'y'."),
        ("constant x=1", "The sizes of the input 'x' are open."),
        ("opset 3", "Version must be at least 7, not 3."),
    ],
)
def test_what_does_not_fit(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises((UsageError, StudioError)) as caught:
        edited(model(tmp_path), text)
    assert caught.value.message == sentence


def test_every_edit_is_offered() -> None:
    offered = {
        capability.id
        for capability in HOST.all(Extension.TRANSFORM)
        if capability.extra.get("edits")
    }
    known = ("rename", "dimensions", "constant", "extract", "prune", "opset", "fold")
    assert offered == {*known, "shuffle-weights", "input-gradient", "attention"}
