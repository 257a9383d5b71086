"""Folding into blocks: scopes, what recurs, no cycle, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.api import Graph, Node
from studio.models.blocks import INSIDE, Block, Outline, folded, is_block, outline
from studio.models.blocks.outline import scope, title
from studio.models.blocks.repeats import RepeatedStretch, repeats
from studio.models.layout import lay_out
from studio.models.walk import block_text, is_constant
from tests.benchmarks.generated import inception, transformer
from tests.unit.models import graphs


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/layer1/block.0/conv1/Conv", ("layer1", "block.0", "conv1")),
        ("/model/layers/3/attn/MatMul_2", ("model", "layers.3", "attn")),
        ("encoder.layer.3.attention.MatMul", ("encoder", "layer.3", "attention")),
        ("model/block_1/conv/Conv2D", ("model", "block_1", "conv")),
        ("Conv_12", ()),
        ("Conv.12", ("Conv",)),
        ("", ()),
        ("/" * 50, ()),
        ("a/" * 10_000, ()),
    ],
)
def test_scopes(name: str, expected: tuple[str, ...]) -> None:
    assert scope(name) == expected


def all_nodes(members: Outline) -> list[int]:
    found: list[int] = []
    for one in members:
        found += all_nodes(one.members) if isinstance(one, Block) else [one]
    return found


def check(graph: Graph) -> Outline:
    """Every node stands in exactly one place, and each level has edges that go downward only."""
    members = outline(graph)
    drawn = [at for at, node in enumerate(graph.nodes) if not is_constant(node)]
    assert sorted(all_nodes(members)) == drawn
    levels = [folded(graph, members)]
    while levels:
        level = levels.pop()
        assert len({node.name for node in level.nodes}) == len(level.nodes)
        layout = lay_out(level)
        assert all(layout.y[one] < layout.y[other] for one, other, _ in layout.edges)
        levels += [node.blocks[INSIDE] for node in level.nodes if is_block(node)]
    return members


def test_a_transformer_opens_as_its_layers() -> None:
    graph = transformer(1_000)
    members = check(graph)
    assert [one.title for one in members if isinstance(one, Block)] == [
        f"layer.{k}" for k in range(21)
    ]
    assert len(members) == 21


def test_an_inception_opens_as_its_blocks() -> None:
    members = check(inception(500))
    assert all(isinstance(one, Block) and one.title.startswith("Mixed_") for one in members)


def test_edges_of_blocks_are_those_of_the_graph() -> None:
    graph = transformer(100)
    top = folded(graph, outline(graph))
    first, second = top.nodes[:2]
    assert first.inputs == ("x", "mask")
    assert set(second.inputs) == {first.outputs[0], "mask"}
    inside = first.blocks[INSIDE]
    assert {value.name for value in inside.inputs} == {"x", "mask"}
    assert inside.outputs[0].name == first.outputs[0]


def test_repeated_structure_is_found_where_names_tell_nothing() -> None:
    nodes, last = [], "x"
    for k in range(10):
        for operator in ("Conv", "Relu", "Conv", "Sigmoid", "Mul"):
            name = f"n{len(nodes)}"
            nodes.append(Node(name, operator, (last,), (f"{name}v",)))
            last = f"{name}v"
        nodes[-1] = Node(nodes[-1].name, "Mul", (f"n{5 * k + 2}v", f"n{5 * k + 3}v"), (last,))
    members = check(graphs.graph(nodes, outputs=(last,)))
    assert [one.title for one in members if isinstance(one, Block)] == ["Conv + Relu"] * 10
    assert all(isinstance(one, Block) and len(one.members) == 3 for one in members)


def test_what_does_the_work_is_a_block_with_what_only_it_feeds() -> None:
    """Two branches written in turns, as exporters that go by breadth write them."""
    nodes: list[Node] = []
    last = {"a": "x", "b": "x"}
    for k in range(4):
        for operator in ("Conv", "BatchNormalization", "Relu"):
            for branch in ("a", "b"):
                made = f"{branch}{k}{operator}"
                nodes.append(Node(f"p2o.{operator}.{k}", operator, (last[branch],), (made,)))
                last[branch] = made
    nodes.append(Node("sum", "Add", (last["a"], last["b"]), ("y",)))
    nodes = [Node(f"{n.name}{i}", *_rest(n)) for i, n in enumerate(nodes)]
    graph = graphs.graph(nodes, outputs=("y",))
    members = check(graph)
    blocks = [one for one in members if isinstance(one, Block)]
    assert [one.title for one in blocks] == ["Conv + Relu"] * 8
    for one in blocks:
        assert len({graph.nodes[at].outputs[0][0] for at in all_nodes(one.members)}) == 1
    # They are alike, and say so.
    top = folded(graph, members)
    assert [block_text(node) for node in top.nodes[:2]] == ["×8 · 3 nodes"] * 2
    assert [node.attributes["number"] for node in top.nodes[:8]] == list(range(1, 9))


def test_what_comes_of_constants_belongs_to_who_reads_it() -> None:
    nodes: list[Node] = []
    last = "x"
    for k in range(12):
        nodes.append(Node(f"r{k}", "Reshape", ("c", "s"), (f"bias{k}",)))
        nodes.append(Node(f"c{k}", "Conv", (last, "w"), (f"conv{k}",)))
        nodes.append(Node(f"a{k}", "Add", (f"conv{k}", f"bias{k}"), (f"sum{k}",)))
        last = f"sum{k}"
    members = check(graphs.graph(nodes, outputs=(last,)))
    assert [len(all_nodes((one,))) for one in members] == [3] * 12


_OPERATORS = ("Conv", "Add", "Relu", "MatMul", "Mul", "Shape")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(24, 90))
def test_blocks_around_what_does_the_work_never_make_a_cycle(seed: int, count: int) -> None:
    tangled = graphs.tangled(count, 20, seed)
    nodes = [
        Node(f"n{k}", _OPERATORS[(seed + 5 * k * k + k) % 6], node.inputs, node.outputs)
        for k, node in enumerate(tangled.nodes)
    ]
    check(Graph("g", tangled.inputs, tangled.outputs, tuple(nodes)))


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ("Conv BatchNormalization Add Clip Mul Div", "Conv + Clip"),
        ("Reshape Conv Add", "Conv"),
        ("DequantizeLinear Conv Relu QuantizeLinear", "Conv + Relu"),
        ("ReduceMean Sub Pow MatMul Add Sigmoid", "MatMul + Sigmoid"),
        ("ConvTranspose BatchNormalization", "ConvTranspose"),
        ("Add Mul", "Add"),
        ("", "Block"),
    ],
)
def test_titles_name_what_does_the_work(operators: str, expected: str) -> None:
    assert title(operators.split()) == expected


def test_a_module_that_waits_for_another_becomes_two_blocks() -> None:
    nodes, last = [], "x"
    for part in ("a", "b", "a"):
        for _ in range(4):
            name = f"/{part}/Relu_{len(nodes)}"
            nodes.append(Node(name, "Relu", (last,), (f"v{len(nodes)}",)))
            last = f"v{len(nodes) - 1}"
    members = check(graphs.graph(nodes, outputs=(last,)))
    assert [one.title for one in members if isinstance(one, Block)] == ["a", "b", "a (2)"]


def test_runs_of_a_module_are_joined_where_nothing_between_needs_them() -> None:
    """Two modules written in turns, each reading only itself."""
    nodes = []
    for k in range(6):
        for part in ("a", "b"):
            read = f"{part}{k - 1}" if k else "x"
            nodes.append(Node(f"/{part}/Relu_{k}", "Relu", (read,), (f"{part}{k}",)))
    members = check(graphs.graph(nodes, outputs=("a5", "b5")))
    assert [one.title for one in members if isinstance(one, Block)] == ["a", "b"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 80), st.integers(1, 6))
def test_random_scopes_never_make_a_cycle(seed: int, count: int, kinds: int) -> None:
    tangled = graphs.tangled(count, 20, seed)
    named = [
        Node(f"/m{(seed + 7 * k * k) % kinds}/s{k % 3}/{node.name}", *_rest(node))
        for k, node in enumerate(tangled.nodes)
    ]
    check(Graph("g", tangled.inputs, tangled.outputs, tuple(named)))


def _rest(node: Node) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return node.operator, node.inputs, node.outputs


def test_repeats() -> None:
    assert repeats("xabcabcabcy") == [RepeatedStretch(1, 3, 3)]
    assert repeats("aaaaaaaaaaaa") == []
    assert repeats("abc") == []
