"""The graph file: what is written is read, quickly and without numpy."""

from __future__ import annotations

import gzip
import math
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import Graph, InvalidData, Model, Node, Value
from studio.models import pieces
from studio.models.graphfile import GraphFileDraft, read, read_all, read_drawn, write
from studio.models.layout import lay_out
from tests.unit.models import graphs


def full_model() -> Model:
    body = Graph("body", (Value("i"),), (Value("o"),), (Node("n", "Relu", ("i",), ("o",)),))
    nodes = [
        Node("c", "Conv", ("x", "w", ""), ("a",), attributes={"pads": (1, 1), "auto": "no"}),
        Node("l", "Loop", ("a",), ("b",), "acme", {"alpha": 0.5, "n": 3}, {"body": body}, "doc"),
        Node("größe", "Clip", ("b",), ("y",), attributes={"max": math.inf, "names": ("a", "ß")}),
    ]
    inner = graphs.graph(
        nodes,
        [graphs.typed("x", "N", 3, None), graphs.typed("y", 1)],
        [graphs.constant("w", 4, 3)],
    )
    return replace(
        graphs.model(inner), metadata={"k": "v"}, producer="p 1", functions={"d:f": body}
    )


def test_round_trip(tmp_path: Path) -> None:
    model = full_model()
    layout = lay_out(model.graph)
    write(tmp_path / "g.json.gz", model, layout)
    assert read(tmp_path / "g.json.gz") == (model, layout)


def test_equal_places_and_operators_are_one_object(tmp_path: Path) -> None:
    graph = graphs.residual(1_100)  # in two pieces of the file
    write(tmp_path / "g.json.gz", graphs.model(graph), lay_out(graph))
    model, layout = read(tmp_path / "g.json.gz")
    for values in (layout.width, layout.x, [node.operator for node in model.graph.nodes]):
        assert len({*map(id, values)}) == len({*values})


def test_what_was_read_before_the_types_is_not_read_again(tmp_path: Path) -> None:
    model, path = full_model(), tmp_path / "g.json.gz"
    layout = lay_out(model.graph)
    draft = GraphFileDraft(path, model, layout)
    drawn = read_drawn(path)
    assert not drawn.content.model.graph.values
    assert [one.name for one in drawn.content.model.graph.nodes] == ["c", "l", "größe"]
    draft.finish(model, {"c": 3.0})
    whole = read_all(path, drawn)
    assert whole == read_all(path)
    assert (whole.model, whole.layout, whole.macs) == (model, layout, {"c": 3.0})
    assert whole.outline is drawn.content.outline
    assert whole.model.graph.nodes[0] is drawn.content.model.graph.nodes[0]


def test_the_beginning_of_another_file_is_not_taken_for_that_of_this_one(tmp_path: Path) -> None:
    model = full_model()
    other = replace(model, producer="q 2")
    for name, one in (("a", model), ("b", other)):
        write(tmp_path / name, one, lay_out(one.graph))
    assert read_all(tmp_path / "b", read_drawn(tmp_path / "a")).model == other


def test_a_file_that_was_cut_off_is_damaged(tmp_path: Path) -> None:
    write(tmp_path / "g", full_model(), lay_out(full_model().graph))
    raw = (tmp_path / "g").read_bytes()
    first = read_drawn(tmp_path / "g").size
    for length in (10, first - 1, first + 9, len(raw) - 1):
        (tmp_path / "cut").write_bytes(raw[:length])
        with pytest.raises(InvalidData, match="damaged"):
            read_all(tmp_path / "cut")


def test_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, full_model(), lay_out(full_model().graph))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.slow
def test_5000_nodes_are_read_quickly(tmp_path: Path) -> None:
    graph = graphs.residual(1250)
    write(tmp_path / "g", graphs.model(graph), lay_out(graph))
    times = []
    for _ in range(3):
        started = time.process_time()
        read(tmp_path / "g")
        times.append(time.process_time() - started)
    assert min(times) < 0.15


def test_reading_imports_nothing_heavy() -> None:
    code = (
        "import sys, studio.models.graphfile\n"
        "heavy = {'numpy', 'onnx', 'google.protobuf', 'PySide6', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_steps_import_nothing_heavy() -> None:
    code = (
        "import sys, studio.models.step\n"
        "heavy = {'numpy', 'onnx', 'PySide6', 'PIL', 'studio.models.work'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        gzip.compress(b"{}"),
        gzip.compress(b"[1]"),
        gzip.compress(b'{"version":99}'),
        gzip.compress(b'{"version":3,"names":null}'),
        gzip.compress(b"[" * 100_000),
    ],
    ids=["empty", "text", "no columns", "a list", "of another version", "no names", "deep"],
)
def test_damaged_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "g").write_bytes(content)
    with pytest.raises(InvalidData):
        read(tmp_path / "g")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="is gone"):
        read(tmp_path / "g")


def test_work_of_the_nodes_is_kept(tmp_path: Path) -> None:
    nodes = (Node("first", "Conv", ("x",), ("y",)),)
    model = Model("onnx", Graph("g", (Value("x"),), (), nodes))
    write(tmp_path / "g", model, lay_out(model.graph), {"first": 1200.0})
    assert read_all(tmp_path / "g").macs == {"first": 1200.0}


def test_long_columns_are_written_in_pieces_and_read_whole() -> None:
    data = {"a": list(range(5_000)), "b": {str(k): k for k in range(4_001)}, "c": {"d": [1]}}
    text = pieces.dumps(data).encode()
    assert text.count(b"\n") == 3 + 3
    assert pieces.loads(text) == data
    assert pieces.loads(b'{"a":[1]}') == {"a": [1]}
