"""OpenVINO IR as a graph, from files that the real OpenVINO has written (data/openvino/make.py)."""

from __future__ import annotations

import contextlib
import functools
import shutil
from pathlib import Path

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.api import (
    InvalidData,
    InvalidModel,
    Limits,
    Model,
    Silent,
    StudioError,
    UnsafeModel,
    UsageError,
)
from studio.api.testing import check_format
from studio.models.diff import compare
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio_openvino.format import OpenvinoFormat
from studio_openvino.graph import convert
from studio_openvino.ir_types import Edge, Layer, Net, Port

DATA = Path(__file__).parent / "data" / "openvino"
FLOW, LAYERS = DATA / "flow.xml", DATA / "layers.xml"


@functools.cache
def host() -> PluginHost:
    return PluginHost.discover()


def read(path: Path, **shapes: tuple[int, ...]) -> Model:
    known = OpenvinoFormat()
    known.intake(path, Limits())
    return known.read(path, Silent(), shapes)


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    for file in (LAYERS, LAYERS.with_suffix(".bin")):
        shutil.copy(file, tmp_path)
    return tmp_path / LAYERS.name


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def refused(path: Path, error: type[StudioError] = InvalidModel) -> str:
    with pytest.raises(error) as caught:
        read(path)
    assert type(caught.value) is error
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("path", [FLOW, LAYERS], ids=lambda path: path.stem)
def test_conforms(path: Path, tmp_path: Path) -> None:
    check_format(OpenvinoFormat(), tmp_path, path)


def test_layers_read_their_weights_as_they_are_stored() -> None:
    graph = read(LAYERS).graph
    assert [node.operator for node in graph.nodes] == [
        "Convolution", "GroupConvolution", "ConvolutionBackpropData", "ReLU", "Reshape",
        "Convert", "MatMul",
    ]  # fmt: skip
    weights = {name: str(one.type) for name, one in graph.initializers.items()}
    assert list(weights.values()) == [
        "float16 8×4×3×3", "float16 2×4×4×1×1", "float16 8×2×1×1", "int64 2", "int4 72×6",
    ]  # fmt: skip
    assert graph.nodes[0].inputs == ("image", next(iter(weights)))
    assert {one.external for one in graph.initializers.values()} == {"layers.bin"}
    assert graph.nodes[0].attributes["pads_end"] == (0, 0)
    assert [str(value.type) for value in (*graph.inputs, *graph.outputs)] == [
        "float32 ?×4×8×8",
        "float32 ?×6",
    ]


def test_bodies_are_blocks() -> None:
    model = read(FLOW)
    branch, loop = model.graph.nodes
    assert (branch.operator, loop.operator) == ("If", "Loop")
    assert set(branch.blocks) == {"then_body", "else_body"}
    assert branch.inputs == ("late", "x", "x")
    body = loop.blocks["body"]
    assert [value.name for value in body.inputs] == ["i", "before"]
    assert [node.operator for node in body.nodes] == ["Add"]
    assert loop.attributes["ports"] == (
        "y → before of body",
        "after of body → z",
        "current iteration → i of body",
        "Constant_23 of body → execution condition",
        "after → next before",
    )
    assert (model.opsets, model.ir_version) == ({"": 8}, 11)
    assert model.producer.startswith("OpenVINO 2026.4.1")


def test_values_are_those_that_were_saved() -> None:
    known, random = OpenvinoFormat(), numpy.random.default_rng(0)
    names = list(read(LAYERS).graph.initializers)
    for name, shape in zip(names, [(8, 4, 3, 3), (2, 4, 4, 1, 1), (8, 2, 1, 1)], strict=False):
        saved = random.standard_normal(shape, numpy.float32).astype(numpy.float16)
        assert (known.constant(LAYERS, name, 10_000) == saved.reshape(-1)).all()
    assert known.constant(LAYERS, names[3], 100).tolist() == [0, -1]
    four_bits = random.integers(-8, 8, (72, 6)).reshape(-1)
    assert (known.constant(LAYERS, "quarter", 10_000) == four_bits).all()
    assert (known.constant(LAYERS, "quarter", 3) == four_bits[:6]).all()
    with pytest.raises(UsageError, match="no constant 'nothing'"):
        known.constant(LAYERS, "nothing", 10)


def test_costs_follow_from_given_sizes() -> None:
    opened = read_model(LAYERS, shapes={"image": (2, 4, 8, 8)})
    figures = opened.figures()
    assert figures.macs_by_operator == {
        "Convolution": 2 * 8 * 6 * 6 * 4 * 9,
        "GroupConvolution": 2 * 8 * 6 * 6 * 4,
        "ConvolutionBackpropData": 2 * 8 * 6 * 6 * 2,
        "MatMul": 2 * 72 * 6,
    }
    assert figures.macs_unknown == 0
    assert figures.weight_bytes == 904 - 16
    with pytest.raises(InvalidData, match="has 4 axes, but 2 sizes"):
        read(LAYERS, image=(1, 2))
    with pytest.raises(InvalidData, match="no input 'picture'"):
        read(LAYERS, picture=(1, 2))


def test_graph_is_written_and_compared(tmp_path: Path) -> None:
    opened = read_model(FLOW)
    assert write_graph(opened, tmp_path, Silent()).stat().st_size
    found = compare(opened.model.graph, opened.model.graph)
    assert (found.matched, found.changed, len(found.removed)) == (5, 0, 0)


def test_weights_without_their_xml(layers: Path) -> None:
    message = refused(layers.with_suffix(".bin"))
    assert message == "layers.bin holds only the weights of layers.xml."


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('version="11"', 'version="7"', "IR of version 7"),
        ('version="11"', 'version="x"', "no whole number"),
        ("</net>", "", "not well-formed"),
        ('size="576"', 'size="575"', "has 575 bytes, but its shape needs 576"),
        ('offset="640"', 'offset="873"', "lies behind the end of layers.bin"),
        ('offset="640"', 'offset="-1"', "does not say its shape, place and size"),
        ('shape="8, 4, 3, 3"', 'shape="8, x"', "does not say its shape, place and size"),
        ('<layer id="3"', '<layer id="0"', "same id"),
        ('<edge from-layer="0"', '<edge from-layer="99"', "layer 99, which is not there"),
        ('from-port="0" to-layer="3"', 'from-port="9" to-layer="3"', "is not there"),
        ('to-layer="3" to-port="1"', 'to-layer="3" to-port="0"', "has two edges"),
        ('<edge from-layer="0" from-port="0" to-layer="3" to-port="0" />', "", "is connected to"),
        (
            '<edge from-layer="0" from-port="0" to-layer="3" to-port="0" />',
            '<edge from-layer="10" from-port="1" to-layer="3" to-port="0" />',
            "has a cycle: ",
        ),
        ("<dim>8</dim>", "<dim>eight</dim>", "no whole number"),
        ('type="Result"', 'type="Relu"', "has no output"),
    ],
)
def test_damage_is_one_sentence(layers: Path, old: str, new: str, sentence: str) -> None:
    edit(layers, old, new)
    with pytest.raises(InvalidModel) as caught:
        read_model(layers)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    "text", ["<net/>", "<page><net version='11'/></page>", "<net version='11'/>"]
)
def test_other_xml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.xml"
    path.write_text(text)
    refused(path)


BOMB = """<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
]><net name="&b;" version="11"/>"""
FILES = """<!DOCTYPE net [<!ENTITY a SYSTEM "file:///etc/passwd">]><net version="11">&a;</net>"""


@pytest.mark.parametrize(
    "text",
    [BOMB, FILES, '<!DOCTYPE net><net version="11"/>', "<net>" + "<body>" * 500],
    ids=["bomb", "file", "type", "depth"],
)
def test_hostile_xml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(text)
    refused(path, UnsafeModel)


def test_limits(layers: Path) -> None:
    with pytest.raises(UnsafeModel, match="more than 5 layers"):
        OpenvinoFormat().intake(layers, Limits(nodes=5))
    with pytest.raises(UnsafeModel, match="up to 0 MB are read"):
        OpenvinoFormat().intake(layers, Limits(file_bytes=100))


def test_weights_that_may_be_any_file(layers: Path, tmp_path: Path) -> None:
    weights = layers.with_suffix(".bin")
    kept = weights.rename(tmp_path.parent / f"{tmp_path.name}.bin")
    assert "missing beside the model" in refused(layers)
    weights.symlink_to(kept)
    assert "leads outside its folder" in refused(layers, UnsafeModel)
    weights.unlink()
    weights.hardlink_to(kept)
    assert "hard links" in refused(layers, UnsafeModel)
    weights.unlink()
    weights.mkdir()
    assert "not a regular file" in refused(layers, UnsafeModel)


def test_names_that_are_alike() -> None:
    port, read_port = Port(0, "FP32", (1,)), Port(1, "FP32", (1,))
    net = Net(
        "twins",
        11,
        (
            Layer(0, "twin", "Parameter", "opset1", {"shape": "1"}, (), (port,)),
            Layer(1, "twin", "ReLU", "opset1", {}, (read_port,), (port,)),
            Layer(2, "twin", "ReLU", "my.own", {}, (read_port,), (port,)),
            Layer(3, "end", "Result", "opset1", {}, (read_port,)),
        ),
        (Edge(0, -1, 1, -1), Edge(1, 0, 2, 1), Edge(2, 0, 3, 1)),
    )
    graph = convert(net, "").graph
    assert [(node.name, node.inputs, node.domain) for node in graph.nodes] == [
        ("twin", ("twin",), ""),
        ("twin#2", ("twin#2",), "my.own"),
    ]
    assert [value.name for value in graph.outputs] == ["twin#3"]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_damage_ends_in_a_sentence(layers: Path, data: st.DataObject) -> None:
    content = bytearray(LAYERS.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 40))
        content[start : start + length] = data.draw(
            st.sampled_from([b"", b"-1", b"0", b"99999999999999999999", b'"', b"<", b"/>", b"\xff"])
        )
    layers.write_bytes(content)
    with contextlib.suppress(StudioError):  # whatever else is raised fails the test
        read_model(layers, host=host())
