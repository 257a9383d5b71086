"""What of a graph is drawn: all, blocks, a part, blocks unfolded; in the units of a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from studio.api import Graph, Node, UsageError, Value
from studio.models.drawing import work as drawing_work
from studio.models.drawing.boxes import edge_points
from studio.models.drawing.overlay import Overlay, on_nodes
from studio.models.drawing.png import png
from studio.models.drawing.selection import DrawSelection, shown
from studio.models.drawing.svg import svg
from studio.models.layout import lay_out
from studio.models.results import GraphResult
from studio.models.step import GraphOptions
from tests.benchmarks.generated import transformer, write_onnx
from tests.rigs.model_refs import model_ref
from tests.unit.models import graphs
from tests.unit.models.test_preview import WatchedJob

SVG = "{http://www.w3.org/2000/svg}"
MODEL = graphs.model(transformer(300))


def test_everything_or_blocks() -> None:
    whole = shown(MODEL, DrawSelection())
    assert (whole.graph, whole.layout) == (MODEL.graph, lay_out(MODEL.graph))
    folded = shown(MODEL, DrawSelection("blocks"))
    assert [node.operator for node in folded.graph.nodes][:2] == ["layer.0", "layer.1"]


def test_a_part_by_its_path_or_the_end_of_it() -> None:
    part = shown(MODEL, DrawSelection(part="layer.3"))
    assert part.graph.nodes[0].operator == "attention"
    assert shown(MODEL, DrawSelection(part="encoder/layer.3/inside")) == part
    inner = shown(MODEL, DrawSelection(part="layer.3/attention"))
    assert inner.graph.name == "attention"


def test_blocks_unfolded_in_place() -> None:
    one = shown(MODEL, DrawSelection(opened=("layer.3", "layer.3/attention")))
    assert [frame.node.operator for frame in one.frames] == ["layer.3", "attention"]
    every = shown(MODEL, DrawSelection(opened=("all",)))
    assert {node.name for node in every.graph.nodes} == {node.name for node in MODEL.graph.nodes}


@pytest.mark.parametrize("opened", [(), ("layer.3",)])
def test_from_left_to_right(opened: tuple[str, ...], tmp_path: Path) -> None:
    drawn = shown(MODEL, DrawSelection("blocks", opened=opened, across=True))
    width, height = drawn.layout.size
    assert drawn.across
    assert width > height
    boxes = zip(drawn.layout.x, drawn.layout.width, strict=True)
    ends = [x + wide for x, wide in boxes]
    for (source, target, _), points in zip(
        drawn.layout.edges, edge_points(drawn.layout, across=True), strict=True
    ):
        assert points[0][0] == ends[source], "out of the right side"
        assert points[-1][0] == drawn.layout.x[target], "into the left side"
    tree = ElementTree.fromstring(svg(drawn.graph, drawn.layout, frames=drawn.frames, across=True))
    assert float(tree.attrib["width"]) == pytest.approx(width, rel=1e-3)
    png(drawn.graph, drawn.layout, tmp_path / "a.png", frames=drawn.frames, across=True)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > picture.height


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (DrawSelection(part="nowhere"), "no part 'nowhere'"),
        (
            DrawSelection(part="attention"),
            r"7 parts end with 'attention': encoder/layer.0/attention",
        ),
        (DrawSelection(opened=("nowhere",)), "no part 'nowhere'"),
        (DrawSelection(part="layer.3/attention/query", opened=("all",)), "no blocks to expand"),
    ],
)
def test_what_is_not_there_is_a_sentence(wish: DrawSelection, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        shown(MODEL, wish)


def test_a_graph_without_blocks_says_so() -> None:
    with pytest.raises(UsageError, match="has no blocks"):
        shown(graphs.model(graphs.relus(4)), DrawSelection("blocks"))


def test_a_branch_needs_no_blocks() -> None:
    body = Graph("then", (), (Value("y"),), (Node("r", "Relu", ("x",), ("y",)),))
    node = Node("if", "If", ("x",), ("z",), blocks={"then_branch": body})
    model = graphs.model(graphs.graph([node], outputs=("z",)))
    assert shown(model, DrawSelection(part="if/then_branch")).graph is body


def test_a_block_has_the_sum_of_its_nodes() -> None:
    graph = shown(MODEL, DrawSelection("blocks")).graph
    numbers = Overlay({node.name: 1.0 for node in MODEL.graph.nodes}, "Ones")
    sums = on_nodes(numbers, graph)
    assert sum(sums.values.values()) == len(MODEL.graph.nodes)


def test_frames_are_drawn(tmp_path: Path) -> None:
    one = shown(MODEL, DrawSelection(opened=("layer.3",)))
    root = ElementTree.fromstring(svg(one.graph, one.layout, None, one.frames))
    frames = [box for box in root.iter(f"{SVG}rect") if box.get("class") == "frame"]
    assert len(frames) == 1
    assert "layer.3 · " in "".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert png(one.graph, one.layout, tmp_path / "g.png", None, one.frames) == 1.0
    with Image.open(tmp_path / "g.png") as image:
        frame = one.frames[0]
        ground = image.getpixel((int(frame.x) + 4, int(frame.y + frame.height) - 12))
        assert ground != image.getpixel((2, 2))


def draw(tmp_path: Path, count: int = 300, **options: Any) -> GraphResult:
    model = tmp_path / "m.onnx"
    if not model.exists():
        write_onnx(transformer(count), model)
    asked = GraphOptions(model_ref(model), tmp_path / "g.png", **options)
    return drawing_work.draw(asked, WatchedJob(tmp_path))


def test_the_command_draws_what_is_asked_for(tmp_path: Path) -> None:
    assert draw(tmp_path, detail="blocks").nodes < 10
    assert draw(tmp_path, part="layer.2", unfold=("all",), cost="macs").nodes == 49
    assert (tmp_path / "graph.png").exists()


@pytest.mark.slow
def test_a_picture_that_would_show_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"A picture of 6,\d+ nodes .* at \d\.\d% of"):
        draw(tmp_path, count=6_000)
    assert draw(tmp_path, detail="blocks").nodes < 200
