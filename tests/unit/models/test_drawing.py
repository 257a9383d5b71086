"""Drawings: well-formed whatever a model's names hold, and with the overlay's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from studio.api import InvalidData, Node
from studio.models.drawing.overlay import Overlay, read_overlay, short
from studio.models.drawing.png import png
from studio.models.drawing.svg import svg
from studio.models.layout import lay_out
from tests.unit.models import graphs
from tests.unit.models.test_layout_hostile import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def test_svg_has_each_box_and_edge() -> None:
    graph = graphs.residual(3)
    layout = lay_out(graph)
    root = ElementTree.fromstring(svg(graph, layout))
    assert len(root.findall(f".//{SVG}rect")) == 1 + 12 + 1
    assert len(root.findall(f".//{SVG}path")) == len(layout.edges)


def test_names_cannot_break_out() -> None:
    name = "</script><script>alert(1)</script>\0\x1b\ud800&"
    graph = graphs.graph([Node(name, "Relu", ("x",), ("y",), attributes={"a": name})])
    text = svg(graph, lay_out(graph))
    ElementTree.fromstring(text.encode())


def test_overlay_colours_and_labels_nodes() -> None:
    graph = graphs.relus(3)
    painted = Overlay({"n0": 0.0, "n2": 4.0}, "Latency", "ms")
    text = svg(graph, lay_out(graph), painted)
    assert "4 ms" in text
    assert "Latency 0 … 4 ms" in text
    assert painted.colours("n0") != painted.colours("n2")
    assert painted.colours("n1") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.1234, "0.123"), (999, "999"), (1234, "1.23k"), (5.31e8, "531M"), (2e12, "2T")],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    "data",
    [
        {"n0": 1.5, "n1": 2, "text": "no", "flag": True},
        {"values": {"n0": 1.5, "n1": 2}, "unit": "ms"},
        {"operators": [{"name": "n0", "ms": 1.5}, {"node": "n1", "latency_ms": 2}, {"x": 1}]},
    ],
)
def test_overlay_files(tmp_path: Path, data: object) -> None:
    path = tmp_path / "o.json"
    path.write_text(json.dumps(data))
    assert read_overlay(path).values == {"n0": 1.5, "n1": 2.0}


def test_of_several_profiled_variants_the_one_of_the_graph_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    runs = [
        {"run": "m:int8", "nodes": [{"name": "n0_quant", "us": 9.0}, {"name": "n1", "us": 9.0}]},
        {"run": "m:fp32", "nodes": [{"name": "n0", "us": 1500.0}, {"name": "n1", "us": 2000.0}]},
    ]
    path.write_text(json.dumps({"runs": [], "operators": runs}))
    assert read_overlay(path, ["n0", "n1"]).values == {"n0": 1.5, "n1": 2.0}


def test_a_quantization_that_chose_layers_is_an_overlay(tmp_path: Path) -> None:
    path = tmp_path / "quantize.json"
    path.write_text(json.dumps({"search": {"layers": {"n0": {"sqnr_db": 12.5}}}}))
    found = read_overlay(path)
    assert (found.values, found.unit) == ({"n0": 12.5}, "dB")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"values": {}}', '{"a": NaN}', "\x00"])
def test_wrong_overlay_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "o.json"
    path.write_text(text)
    with pytest.raises(InvalidData):
        read_overlay(path)


def test_png(tmp_path: Path) -> None:
    graph = graphs.residual(2)
    layout = lay_out(graph)
    assert png(graph, layout, tmp_path / "g.png", Overlay({"sum0": 1.0})) == 1.0
    with Image.open(tmp_path / "g.png") as image:
        assert image.size == (int(layout.size[0]), int(layout.size[1]))
        assert len(image.getcolors(100_000) or []) > 5


def test_png_of_a_large_graph_is_scaled(tmp_path: Path) -> None:
    graph = graphs.relus(1000)
    assert png(graph, lay_out(graph), tmp_path / "g.png") < 0.5
    with Image.open(tmp_path / "g.png") as image:
        assert max(image.size) <= 30_000


def test_png_of_a_graph_that_is_wider_than_any_picture(tmp_path: Path) -> None:
    graph = HOSTILE["many inputs"]
    scale = png(graph, lay_out(graph), tmp_path / "wide.png")
    with Image.open(tmp_path / "wide.png") as image:
        assert max(image.size) <= 30_000
    assert scale < 0.05
