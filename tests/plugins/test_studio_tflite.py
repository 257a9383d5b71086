"""TFLite files as graphs, from what the real converter has written (data/tflite/make.py)."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import flatbuffers
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.api import (
    Graph,
    InvalidModel,
    Limits,
    Model,
    Silent,
    StudioError,
    UnsafeModel,
    UsageError,
)
from studio.api.testing import check_format
from studio.models.graphfile import read_all
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio_tflite.flatbuffer import Buffer
from studio_tflite.format import TfliteFormat
from studio_tflite.schema import slot
from studio_tflite.structure import load

DATA = Path(__file__).parent / "data" / "tflite"
LAYERS, INT8, FLOW = (DATA / f"{name}.tflite" for name in ("layers", "int8", "flow"))


def read(path: Path, **shapes: tuple[int, ...]) -> Model:
    known = TfliteFormat()
    known.intake(path, Limits())
    return known.read(path, Silent(), shapes)


def refused(
    path: Path, error: type[StudioError] = InvalidModel, limits: Limits | None = None
) -> str:
    with pytest.raises(error) as caught:
        TfliteFormat().intake(path, limits or Limits())
    assert type(caught.value) is error
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("path", [LAYERS, INT8, FLOW], ids=lambda path: path.stem)
def test_conforms(path: Path, tmp_path: Path) -> None:
    check_format(TfliteFormat(), tmp_path, path)


def test_operators_with_their_options() -> None:
    model = read(LAYERS)
    graph = model.graph
    assert [node.operator for node in graph.nodes] == [
        "CONV_2D", "DEPTHWISE_CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX",
    ]  # fmt: skip
    assert graph.nodes[0].attributes == {
        "padding": "SAME",
        "stride_w": 2,
        "stride_h": 2,
        "fused_activation_function": "RELU6",
        "dilation_w_factor": 1,
        "dilation_h_factor": 1,
    }
    assert [str(value.type) for value in (*graph.inputs, *graph.outputs)] == [
        "float32 ?×8×8×2",
        "float32 ?×5",
    ]
    assert str(graph.type_of(graph.nodes[0].inputs[1])) == "float32 4×3×3×2"
    assert model.metadata["min_runtime_version"] == "1.5.0"


def test_costs_with_the_sizes_that_the_converter_assumed() -> None:
    figures = read_model(LAYERS).figures()
    assert figures.macs_by_operator == {
        "CONV_2D": 4 * 4 * 4 * 18,
        "DEPTHWISE_CONV_2D": 2 * 2 * 4 * 9,
        "FULLY_CONNECTED": 16 * 5,
    }
    assert figures.macs_unknown == 0
    assert figures.assumed_shapes == {"serving_default_image:0": (1, 8, 8, 2)}
    assert (
        read(LAYERS, **{"serving_default_image:0": (7, 8, 8, 2)}).graph.inputs
        == read(LAYERS).graph.inputs
    )


def test_quantization_is_told_of_each_tensor(tmp_path: Path) -> None:
    opened = read_model(INT8)
    graph = opened.model.graph
    weight = graph.nodes[0].inputs[1]
    assert graph.notes[graph.inputs[0].name].startswith("scale 0.")
    assert graph.notes[weight].startswith("4 scales along axis 0, 0.00")
    assert opened.figures().precision == "int8"
    assert opened.figures().quantized is True
    kept = read_all(write_graph(opened, tmp_path, Silent())).model.graph
    assert kept.notes == graph.notes


def test_ends_of_integers_have_their_steps() -> None:
    graph = read_model(INT8).model.graph
    for end in (*graph.inputs, *graph.outputs):
        assert end.type is not None
        assert (end.quantization is not None) is (end.type.dtype == "int8")
    assert any(end.quantization for end in (*graph.inputs, *graph.outputs))
    assert all(end.quantization is None for end in read_model(LAYERS).model.graph.inputs)


def test_values_are_those_that_were_converted() -> None:
    random = numpy.random.default_rng(0)
    conv, depthwise, dense = (
        random.standard_normal(shape).astype(numpy.float32) / 4
        for shape in ((3, 3, 2, 4), (3, 3, 4, 1), (16, 5))
    )
    known, graph = TfliteFormat(), read(LAYERS).graph
    found = [known.constant(LAYERS, graph.nodes[k].inputs[1], 10_000) for k in (0, 1, 3)]
    assert (found[0] == conv.transpose(3, 0, 1, 2).reshape(-1)).all()
    assert (found[1] == depthwise.reshape(-1)).all()
    assert (found[2] == dense.T.reshape(-1)).all()
    assert known.constant(LAYERS, graph.nodes[0].inputs[1], 9).shape == (2,)
    integers = known.constant(INT8, read(INT8).graph.nodes[0].inputs[1], 10_000)
    assert (integers.dtype, integers.size) == (numpy.int8, 72)
    with pytest.raises(UsageError, match="no constant 'nothing'"):
        known.constant(LAYERS, "nothing", 10)


def test_sub_graphs_are_blocks() -> None:
    choice, loop = read(FLOW).graph.nodes
    assert (choice.operator, set(choice.blocks)) == ("IF", {"then", "else"})
    assert (loop.operator, set(loop.blocks)) == ("WHILE", {"cond", "body"})
    assert [node.operator for node in choice.blocks["else"].nodes] == ["RELU", "ADD"]
    assert [node.operator for node in loop.blocks["cond"].nodes] == ["LESS"]
    assert len(loop.blocks["body"].inputs) == len(loop.outputs)


# Files that are made by hand


class Maker:
    """A TFLite file, part by part."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(0)

    def table(self, **fields: object) -> int:
        """``Table__field=value``: an offset (int in a tuple), or a number with its kind."""
        names = [name.split("__") for name in fields]
        self.builder.StartObject(16)
        for (table, field), value in zip(names, fields.values(), strict=True):
            index = (slot(table, field) - 4) // 2
            if isinstance(value, tuple):
                self.builder.PrependUOffsetTRelativeSlot(index, value[0], 0)
            else:
                self.builder.PrependInt32Slot(index, value, -7)
        return self.builder.EndObject()

    def vector(self, items: list[int], tables: bool = False) -> tuple[int]:
        self.builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            if tables:
                self.builder.PrependUOffsetTRelative(item)
            else:
                self.builder.PrependInt32(item)
        return (self.builder.EndVector(),)

    def finish(self, graphs: list[int], codes: list[int], buffers: list[int]) -> bytes:
        parts = {
            "Model__subgraphs": self.vector(graphs, True),
            "Model__operator_codes": self.vector(codes, True),
            "Model__buffers": self.vector(buffers, True),
        }
        self.builder.Finish(self.table(**parts, Model__version=3), b"TFL3")
        return bytes(self.builder.Output())


def graph_of(maker: Maker, tensors: list[int], operators: list[int], outputs: list[int]) -> int:
    return maker.table(
        SubGraph__tensors=maker.vector(tensors, True),
        SubGraph__operators=maker.vector(operators, True),
        SubGraph__inputs=maker.vector([0]),
        SubGraph__outputs=maker.vector(outputs),
    )


def chain(*reads: tuple[int, int]) -> bytes:
    """ADD operators that each read one tensor and write one, over four tensors."""
    maker = Maker()
    tensors = [maker.table(Tensor__shape=maker.vector([1])) for _ in range(4)]
    operators = [
        maker.table(Operator__inputs=maker.vector([a]), Operator__outputs=maker.vector([b]))
        for a, b in reads
    ]
    code = maker.table(OperatorCode__builtin_code=0)
    return maker.finish([graph_of(maker, tensors, operators, [1])], [code], [maker.table()])


def saved(content: bytes, folder: Path) -> Path:
    path = folder / "made.tflite"
    path.write_bytes(content)
    return path


def test_tensors_without_names_get_their_numbers(tmp_path: Path) -> None:
    graph = read(saved(chain((0, 2), (2, 1)), tmp_path)).graph
    assert [(n.name, n.operator, n.inputs) for n in graph.nodes] == [
        ("#2", "ADD", ("#0",)),
        ("#1", "ADD", ("#2",)),
    ]


@pytest.mark.parametrize(
    ("reads", "sentence"),
    [
        (((2, 1), (0, 2)), "reads '#2' before it is written"),
        (((1, 1),), "reads '#1' before it is written"),
        (((0, 1), (0, 1)), "'#1' is written by two operators"),
        (((0, 99),), "names a tensor that is not there"),
        (((0, -2),), "names a tensor that is not there"),
    ],
)
def test_operators_that_cannot_run(
    tmp_path: Path, reads: tuple[tuple[int, int], ...], sentence: str
) -> None:
    assert sentence in refused(saved(chain(*reads), tmp_path))


def ifs(calls: list[tuple[int, int]]) -> bytes:
    """A graph for each pair, in which one IF runs the two graphs of the pair."""
    maker = Maker()
    tensors = [maker.table(Tensor__shape=maker.vector([1])) for _ in range(2)]
    code = maker.table(OperatorCode__builtin_code=118)
    graphs = []
    for then, other in calls:
        options = maker.table(
            IfOptions__then_subgraph_index=then, IfOptions__else_subgraph_index=other
        )
        inputs, outputs = maker.vector([0]), maker.vector([1])
        maker.builder.StartObject(16)
        maker.builder.PrependUOffsetTRelativeSlot(1, inputs[0], 0)
        maker.builder.PrependUOffsetTRelativeSlot(2, outputs[0], 0)
        maker.builder.PrependUint8Slot(3, 92, 0)
        maker.builder.PrependUOffsetTRelativeSlot(4, options, 0)
        graphs.append(graph_of(maker, tensors, [maker.builder.EndObject()], [1]))
    return maker.finish(graphs, [code], [maker.table()])


def test_sub_graphs_in_a_ring(tmp_path: Path) -> None:
    assert refused(saved(ifs([(1, 2), (2, 0), (1, 0)]), tmp_path)).endswith("runs itself.")
    assert "is not there" in refused(saved(ifs([(1, 7), (0, 0)]), tmp_path))


def test_sub_graphs_that_double_at_each_level(tmp_path: Path) -> None:
    calls = [(k + 1, k + 1) for k in range(29)]
    path = saved(ifs([*calls, (0, 0)]), tmp_path)
    assert "unfold to more than" in refused(path, UnsafeModel)
    assert "nested deeper than 8" in refused(path, UnsafeModel, Limits(depth=8))


def test_a_part_that_is_pointed_at_again_and_again(tmp_path: Path) -> None:
    maker = Maker()
    shape = maker.vector([1] * 1000)
    tensor = maker.table(Tensor__shape=shape)
    graph = graph_of(maker, [tensor] * 20_000, [], [1])
    path = saved(maker.finish([graph], [], [maker.table()]), tmp_path)
    assert path.stat().st_size < 100_000
    assert "unfolds to more parts" in refused(path, UnsafeModel)


def test_custom_operators_are_named(tmp_path: Path) -> None:
    maker = Maker()
    tensors = [maker.table(Tensor__shape=maker.vector([1])) for _ in range(2)]
    name = maker.builder.CreateString("Landmarks")
    code = maker.table(OperatorCode__custom_code=(name,), OperatorCode__builtin_code=32)
    operator = maker.table(Operator__inputs=maker.vector([0]), Operator__outputs=maker.vector([1]))
    graph = graph_of(maker, tensors, [operator], [1])
    path = saved(maker.finish([graph], [code], [maker.table()]), tmp_path)
    known = TfliteFormat()
    assert [one.code for one in known.intake(path, Limits()).findings] == ["custom-domain"]
    node = known.read(path, Silent()).graph.nodes[0]
    assert (node.operator, node.domain) == ("Landmarks", "custom")


# Damage


@pytest.mark.parametrize("size", [0, 7, 8, 12, 100, 1000, -1])
def test_files_that_are_cut(tmp_path: Path, size: int) -> None:
    refused(saved(LAYERS.read_bytes()[:size], tmp_path))


def test_another_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = saved(b"hello, this is text" * 10, tmp_path)
    with pytest.raises(InvalidModel, match="is not a TFLite model") as raised:
        load(path, Limits())
    assert raised.value.hint


def test_positions_outside_of_the_file(tmp_path: Path) -> None:
    content = bytearray(LAYERS.read_bytes())
    content[0:4] = struct.pack("<I", 0xFFFFFFF0)
    assert "points outside of itself" in refused(saved(bytes(content), tmp_path))
    for place, size in ((-1, 1), (0, -1), (0, 5), (2**40, 1)):
        with pytest.raises(InvalidModel):
            Buffer(b"four", "x").check(place, size)


def test_values_that_do_not_fit(tmp_path: Path) -> None:
    content = LAYERS.read_bytes()
    shape = struct.pack("<4i", 4, 3, 3, 2)
    assert content.count(shape) == 1
    path = saved(content.replace(shape, struct.pack("<4i", 4, 3, 3, 3)), tmp_path)
    assert "has 288 bytes, but its shape needs 432" in refused(path)


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.discover()


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([LAYERS, INT8, FLOW]), st.data())
def test_any_damage_ends_in_a_sentence(
    tmp_path: Path, host: PluginHost, source: Path, data: st.DataObject
) -> None:
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) // 4 - 1)) * 4
        word = data.draw(
            st.sampled_from([0, 1, 2, 4, 8, 127, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
            | st.integers(0, len(content))
        )
        content[place : place + 4] = struct.pack("<I", word)
    path = saved(bytes(content), tmp_path)
    with contextlib.suppress(StudioError):  # whatever else is raised fails the test
        graph: Graph = read_model(path, host=host).model.graph
        for name in list(graph.initializers)[:3]:
            TfliteFormat().constant(path, name, 1000)
