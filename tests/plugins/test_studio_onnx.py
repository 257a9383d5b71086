"""The ONNX format on files that are right."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import InvalidData, Level, Limits, Model, Silent, TensorType, UnsafeModel
from studio_onnx.format import OnnxFormat
from tests.plugins import onnx_files

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"


def read(path: Path) -> Model:
    known = OnnxFormat()
    intake = known.intake(path, Limits())
    assert not [f for f in intake.findings if f.level is Level.ERROR]
    return known.read(path, Silent())


def codes(path: Path) -> dict[str, Level]:
    return {f.code: f.level for f in OnnxFormat().intake(path, Limits()).findings}


@pytest.mark.parametrize(
    ("name", "nodes"), [("resnet50", 415), ("densenet121", 1746), ("squeezenet", 105)]
)
def test_reads_real_networks(name: str, nodes: int) -> None:
    model = read(LIGHT / f"light_{name}.onnx")
    assert len(model.graph.nodes) == nodes
    assert model.opsets == {"": 9}
    assert model.graph.inputs[0].type == TensorType("float32", (1, 3, 224, 224))


def test_graph_carries_types_and_sizes(tmp_path: Path) -> None:
    graph = read(onnx_files.classifier(tmp_path / "m.onnx")).graph
    assert graph.inputs[0].type == TensorType("float32", ("N", 3, 16, 16))
    assert graph.type_of("r") == TensorType("float32", ("N", 8, 16, 16))
    assert graph.type_of("w") == TensorType("float32", (8, 3, 3, 3))
    assert graph.initializers["w"].nbytes == 8 * 27 * 4
    assert graph.nodes[0].attributes["kernel_shape"] == (3, 3)


def test_given_shapes_are_inferred_anew(tmp_path: Path) -> None:
    path = onnx_files.classifier(tmp_path / "m.onnx")
    graph = OnnxFormat().read(path, Silent(), {"x": (4, 3, 16, 16)}).graph
    assert graph.type_of("r") == TensorType("float32", (4, 8, 16, 16))
    assert graph.outputs[0].type == TensorType("float32", (4, 10))


@pytest.mark.parametrize("shapes", [{"x": (1, 3)}, {"image": (1, 3, 16, 16)}])
def test_given_shapes_must_fit(tmp_path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    path = onnx_files.classifier(tmp_path / "m.onnx")
    with pytest.raises(InvalidData):
        OnnxFormat().read(path, Silent(), shapes)


def test_weights_are_not_read_into_memory(tmp_path: Path) -> None:
    """40 MB of weights become a reference whose bytes are those of the tensor."""
    weights = numpy.arange(10_000_000, dtype=numpy.float32).reshape(1000, 10_000)
    proto = onnx_files.model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [onnx_files.floats("x", [1, 1000])],
        [onnx_files.floats("y", [1, 10_000])],
        [numpy_helper.from_array(weights, "w")],
    )
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    from studio_onnx.structure import load
    from studio_onnx.tensors import reference

    structure = load(path, Limits())
    assert structure.ByteSize() < 1000
    place = reference(structure.graph.initializer[0])
    assert place.offset is not None
    with path.open("rb") as file:
        file.seek(place.offset)
        assert file.read(place.length) == weights.tobytes()
    initializer = read(path).graph.initializers["w"]
    assert (initializer.nbytes, initializer.external) == (40_000_000, "")


def test_constants_of_constant_nodes_have_sizes(tmp_path: Path) -> None:
    value = numpy_helper.from_array(numpy.zeros((64, 64), numpy.float32))
    nodes = [
        helper.make_node("Constant", [], ["w"], value=value),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    proto = onnx_files.model(
        nodes, [onnx_files.floats("x", [1, 64])], [onnx_files.floats("y", [1, 64])]
    )
    graph = read(onnx_files.save(proto, tmp_path / "m.onnx")).graph
    assert [node.operator for node in graph.nodes] == ["Constant", "MatMul"]
    assert graph.initializers["w"].nbytes == 64 * 64 * 4
    assert graph.nodes[0].attributes["value"] == "float32 64×64"


def test_sub_graphs_become_blocks(tmp_path: Path) -> None:
    graph = read(onnx_files.nested(tmp_path / "m.onnx", 3)).graph
    node, depth = graph.nodes[0], 0
    while node.blocks:
        assert set(node.blocks) == {"then_branch", "else_branch"}
        node, depth = node.blocks["then_branch"].nodes[0], depth + 1
    assert depth == 3


def test_endless_loop_opens_at_once(tmp_path: Path) -> None:
    started = time.process_time()
    graph = read(onnx_files.endless_loop(tmp_path / "m.onnx")).graph
    assert time.process_time() - started < 5
    assert [n.operator for n in graph.nodes[0].blocks["body"].nodes] == ["Identity", "Add"]


@pytest.mark.slow
def test_chain_of_100_000_nodes_opens_in_bounded_time(tmp_path: Path) -> None:
    path = onnx_files.chain(tmp_path / "m.onnx", 100_000)
    started = time.process_time()
    graph = read(path).graph
    assert time.process_time() - started < 20
    assert len(graph.nodes) == 100_000
    assert graph.type_of("v50000") == TensorType("float32", (1, 4))


def test_doubling_shape_tensors_take_no_memory(tmp_path: Path) -> None:
    """27 Concat nodes that would make inference keep 2^28 sizes."""
    nodes = [helper.make_node("Concat", [f"v{k}"] * 2, [f"v{k + 1}"], axis=0) for k in range(27)]
    constant = numpy_helper.from_array(numpy.array([1, 2], numpy.int64), "v0")
    output = helper.make_tensor_value_info("v27", TensorProto.INT64, None)
    path = onnx_files.save(onnx_files.model(nodes, [], [output], [constant]), tmp_path / "m.onnx")
    started = time.process_time()
    assert read(path).graph.type_of("v27") == TensorType("int64", (2**28,))
    assert time.process_time() - started < 5


def calling(tmp_path: Path, calls: Sequence[Sequence[str]]) -> Path:
    """A model of functions F0, F1 ..., of which each calls others (or operators) in a row."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    functions = []
    for number, names in enumerate(calls):
        body = [
            helper.make_node(
                name, [f"v{k}"], [f"v{k + 1}"], domain="local" if name.startswith("F") else ""
            )
            for k, name in enumerate(names)
        ]
        made = helper.make_function("local", f"F{number}", ["v0"], [f"v{len(names)}"], body, opsets)
        functions.append(made)
    proto = onnx_files.model(
        [helper.make_node("F0", ["x"], ["y"], domain="local")],
        [onnx_files.floats("x", [1])],
        [onnx_files.floats("y", [1])],
        functions=functions,
        opset_imports=opsets,
    )
    return onnx_files.save(proto, tmp_path / "m.onnx")


def test_functions_that_double_at_each_level_are_refused(tmp_path: Path) -> None:
    """Forty functions, each calling the next twice: 2^40 nodes if every call were followed."""
    path = calling(tmp_path, [*([f"F{k + 1}"] * 2 for k in range(39)), ["Relu"] * 2])
    with pytest.raises(UnsafeModel, match="functions that unfold to more than"):
        read(path)


def test_functions_that_call_each_other_in_a_ring_are_refused(tmp_path: Path) -> None:
    path = calling(tmp_path, [["F1"], ["Relu", "F0"]])
    with pytest.raises(UnsafeModel, match="call each other in a ring"):
        read(path)


def test_functions_that_are_called_often_are_read(tmp_path: Path) -> None:
    """As exporters write them: one for each kind of layer, called by every layer."""
    path = calling(tmp_path, [["F1"] * 48, ["F2"] * 2, ["Relu"] * 12])
    assert len(read(path).functions) == 3
    assert "shapes-skipped" not in codes(path)


def test_external_data_beside_the_model(tmp_path: Path) -> None:
    path = onnx_files.external(tmp_path / "m.onnx", "data/w.bin", bytes(1024))
    intake = OnnxFormat().intake(path, Limits())
    assert intake.files == (path, tmp_path / "data" / "w.bin")
    assert [f.code for f in intake.findings] == ["external-data"]
    initializer = read(path).graph.initializers["w"]
    assert (initializer.external, initializer.nbytes) == ("data/w.bin", 1024)


def test_external_data_is_never_opened(tmp_path: Path) -> None:
    """Three gigabytes beside the model (a sparse file) open as fast as nothing."""
    path = onnx_files.external(
        tmp_path / "m.onnx", "w.bin", b"", offset=str(3 * 2**30 - 1024), length="1024"
    )
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(3 * 2**30)
    started = time.process_time()
    assert read(path).graph.initializers["w"].external == "w.bin"
    assert time.process_time() - started < 2


def test_nodes_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Neg", ["x"], ["a"])]
    proto = onnx_files.model(nodes, [onnx_files.floats("x", [1])], [onnx_files.floats("y", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert codes(path) == {"reordered": Level.INFO}
    assert [node.operator for node in read(path).graph.nodes] == ["Neg", "Relu"]


def test_duplicate_node_names_are_numbered(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", [f"v{k}"], [f"v{k + 1}"], "same") for k in range(3)]
    proto = onnx_files.model(nodes, [onnx_files.floats("v0", [1])], [onnx_files.floats("v3", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert codes(path) == {"duplicate-names": Level.WARNING}
    assert [node.name for node in read(path).graph.nodes] == ["same", "same#2", "same#3"]


def test_custom_domain_is_a_warning(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Magic", ["x"], ["a"], domain="acme"),
        helper.make_node("Gelu", ["a"], ["y"], domain="com.microsoft"),
    ]
    proto = onnx_files.model(nodes, [onnx_files.floats("x", [1])], [onnx_files.floats("y", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert codes(path) == {"custom-domain": Level.WARNING, "runtime-domain": Level.INFO}


def test_a_model_that_is_compiled_for_one_chip_is_a_warning(tmp_path: Path) -> None:
    nodes = [helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", embed_mode=1)]
    proto = onnx_files.model(nodes, [onnx_files.floats("x", [1])], [onnx_files.floats("y", [1])])
    path = onnx_files.save(proto, tmp_path / "m.onnx")
    assert codes(path) == {"compiled-domain": Level.WARNING}


def test_unknown_operator_is_a_warning(tmp_path: Path) -> None:
    proto = onnx_files.model(
        [helper.make_node("Relux", ["x"], ["y"])],
        [onnx_files.floats("x", [1])],
        [onnx_files.floats("y", [1])],
    )
    assert codes(onnx_files.save(proto, tmp_path / "m.onnx")) == {"unknown-operator": Level.WARNING}


def test_inputs_are_without_initializers(tmp_path: Path) -> None:
    """Files before IR version 4 list the weights among the inputs."""
    weight = numpy_helper.from_array(numpy.ones((4, 4), numpy.float32), "w")
    proto = onnx_files.model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [onnx_files.floats("x", [1, 4]), onnx_files.floats("w", [4, 4])],
        [onnx_files.floats("y", [1, 4])],
        [weight],
    )
    graph = read(onnx_files.save(proto, tmp_path / "m.onnx")).graph
    assert [value.name for value in graph.inputs] == ["x"]


def test_recognises_by_name_or_by_content(tmp_path: Path) -> None:
    path = onnx_files.classifier(tmp_path / "weights.bin")
    assert OnnxFormat().recognises(path)
    assert OnnxFormat().recognises(tmp_path / "missing.ONNX")
    text = tmp_path / "notes.txt"
    text.write_text("nothing")
    assert not OnnxFormat().recognises(text)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path, known = tmp_path / "m.onnx", OnnxFormat()
    assert len(known.read(onnx_files.chain(path, 2), Silent()).graph.nodes) == 2
    assert len(known.read(onnx_files.chain(path, 3), Silent()).graph.nodes) == 3
