"""Graphs made by hand, for tests that need no file."""

from __future__ import annotations

import random
from collections.abc import Sequence

from studio.api import Graph, Initializer, Model, Node, TensorType, Value


def typed(name: str, *shape: int | str | None, dtype: str = "float32") -> Value:
    return Value(name, TensorType(dtype, shape))


def constant(name: str, *shape: int, dtype: str = "float32", size: int = 4) -> Initializer:
    count = 1
    for edge in shape:
        count *= edge
    return Initializer(name, TensorType(dtype, shape), count * size)


def graph(
    nodes: Sequence[Node],
    values: Sequence[Value] = (),
    constants: Sequence[Initializer] = (),
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[str] = ("y",),
) -> Graph:
    types = {value.name: value.type for value in values if value.type is not None}
    return Graph(
        "graph",
        tuple(Value(name, types.get(name)) for name in inputs),
        tuple(Value(name, types.get(name)) for name in outputs),
        tuple(nodes),
        {item.name: item for item in constants},
        types,
    )


def model(inner: Graph) -> Model:
    return Model("onnx", inner, {"": 17}, 8)


def relus(count: int) -> Graph:
    """A chain."""
    nodes = [Node(f"n{k}", "Relu", (f"v{k}",), (f"v{k + 1}",)) for k in range(count)]
    return graph(nodes, inputs=("v0",), outputs=(f"v{count}",))


def residual(blocks: int) -> Graph:
    """Blocks of a stem, two branches and a sum, with a skip over each block."""
    nodes, last = [], "x"
    for k in range(blocks):
        nodes += [
            Node(f"stem{k}", "Conv", (last,), (f"s{k}",)),
            Node(f"left{k}", "Conv", (f"s{k}",), (f"l{k}",)),
            Node(f"right{k}", "Conv", (f"s{k}",), (f"r{k}",)),
            Node(f"sum{k}", "Sum", (f"l{k}", f"r{k}", last), (f"o{k}",)),
        ]
        last = f"o{k}"
    return graph(nodes, outputs=(last,))


def masked(blocks: int) -> Graph:
    """Blocks that all read one input: an edge to each of them from the very top."""
    nodes, last = [], "x"
    for k in range(blocks):
        nodes += [
            Node(f"scores{k}", "MatMul", (last, "mask"), (f"s{k}",)),
            Node(f"out{k}", "Add", (f"s{k}", last), (f"o{k}",)),
        ]
        last = f"o{k}"
    return graph(nodes, inputs=("x", "mask"), outputs=(last,))


def tangled(count: int, reach: int = 30, seed: int = 1) -> Graph:
    """Each node reads two random nodes of the last few."""
    pick = random.Random(seed)
    nodes = []
    for k in range(count):
        reads = {f"v{pick.randrange(max(0, k - reach), k)}" for _ in range(2)} if k else {"x"}
        nodes.append(Node(f"n{k}", "Add", tuple(sorted(reads)), (f"v{k}",)))
    return graph(nodes, outputs=(f"v{count - 1}",))
