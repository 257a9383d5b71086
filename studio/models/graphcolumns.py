"""Graphs, types and layouts as columns of JSON, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from studio.api import (
    AttributeValue,
    Graph,
    GraphLayout,
    Initializer,
    Node,
    TensorType,
    Value,
)
from studio.models.blocks import Block, Outline

_EMPTY: Mapping[str, Any] = {}

Pick = Callable[[Any], str]
"""Gives the name that stands for what a file has in its place."""


class Names:
    """The names of values, each once; elsewhere stands its number.

    Attributes:
        all: The names by number.
    """

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a name, a new one for a new name."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.all)
            self.all.append(name)
        return number

    def numbers(self, names: Iterable[str]) -> list[int]:
        """The numbers of several names."""
        return [self.number(name) for name in names]


def graph_columns(graph: Graph, names: Names) -> dict[str, Any]:
    """What is drawn of a graph: all but the types of its values."""
    nodes = graph.nodes
    constants = graph.initializers.values()
    return {
        "name": graph.name,
        "inputs": [[value.name, type_of(value.type)] for value in graph.inputs],
        "outputs": [[value.name, type_of(value.type)] for value in graph.outputs],
        "name_column": [node.name for node in nodes],
        "operator": [node.operator for node in nodes],
        "reads": [names.numbers(node.inputs) for node in nodes],
        "writes": [names.numbers(node.outputs) for node in nodes],
        "domain": {i: node.domain for i, node in enumerate(nodes) if node.domain},
        "attributes": {i: dict(node.attributes) for i, node in enumerate(nodes) if node.attributes},
        "blocks": {
            i: {name: graph_columns(block, names) for name, block in node.blocks.items()}
            for i, node in enumerate(nodes)
            if node.blocks
        },
        "doc": {i: node.doc for i, node in enumerate(nodes) if node.doc},
        "constants": [[c.name, type_of(c.type), c.nbytes, c.external] for c in constants],
        "notes": dict(graph.notes),
    }


def typed_columns(values: Mapping[str, TensorType], names: Names) -> dict[str, Any]:
    """Names, the type of each as a number, and the types, of which a large model has few."""
    places: dict[int, int] = {}
    types: list[Any] = []
    numbers = []
    for kind in values.values():
        place = places.get(id(kind))
        if place is None:
            place = places[id(kind)] = len(types)
            types.append(type_of(kind))
        numbers.append(place)
    return {"names": names.numbers(values), "types": types, "type": numbers}


def type_of(kind: TensorType | None) -> list[Any] | None:
    """Element type and shape."""
    return None if kind is None else [kind.dtype, kind.shape]


def layout_columns(layout: GraphLayout, names: Names) -> dict[str, Any]:
    """A layout."""
    return {
        "x": layout.x,
        "y": layout.y,
        "width": layout.width,
        "height": layout.height,
        "from": [edge[0] for edge in layout.edges],
        "to": [edge[1] for edge in layout.edges],
        "value": [names.number(edge[2]) for edge in layout.edges],
        "bends": layout.bends,
        "size": layout.size,
    }


def outline_columns(members: Outline) -> list[Any]:
    """The tree of blocks: numbers of nodes, and title, scope and members of each block."""
    return [
        [one.title, one.scope, outline_columns(one.members)] if isinstance(one, Block) else one
        for one in members
    ]


def read_outline(members: Sequence[Any]) -> Outline:
    """The tree of blocks again."""
    return tuple(
        one if isinstance(one, int) else Block(one[0], one[1], read_outline(one[2]))
        for one in members
    )


def read_graph(data: Mapping[str, Any], name: Pick) -> Graph:
    """A graph again; without types unless an older version wrote them beside it."""
    return Graph(
        name=data["name"],
        inputs=tuple(Value(key, read_type(kind)) for key, kind in data["inputs"]),
        outputs=tuple(Value(key, read_type(kind)) for key, kind in data["outputs"]),
        nodes=_read_nodes(data, name),
        initializers={
            key: Initializer(key, TensorType(kind[0], _shape(kind[1])), nbytes, external)
            for key, kind, nbytes, external in data["constants"]
        },
        values=_read_values(data, name),
        notes=data.get("notes", _EMPTY),
    )


def _read_values(data: Mapping[str, Any], name: Pick) -> dict[str, TensorType]:
    if "values" in data:  # version 1 had a type for each name
        return {key: TensorType(kind[0], _shape(kind[1])) for key, kind in data["values"].items()}
    return read_typed(data["typed"], name) if "typed" in data else {}


def read_typed(typed: Mapping[str, Any], name: Pick) -> dict[str, TensorType]:
    """Types by name; equal ones are one object."""
    types = [TensorType(dtype, _shape(shape)) for dtype, shape in typed["types"]]
    names = map(name, typed["names"])
    return {key: types[place] for key, place in zip(names, typed["type"], strict=True)}


def _read_nodes(data: Mapping[str, Any], name: Pick) -> tuple[Node, ...]:
    count = len(data["name_column"])
    domains = _column(data["domain"], count, "")
    docs = _column(data["doc"], count, "")
    attributes = _column(data["attributes"], count, _EMPTY)
    blocks = _column(data["blocks"], count, _EMPTY)
    return tuple(
        Node(
            own,
            operator,
            tuple(map(name, reads)),
            tuple(map(name, writes)),
            domain,
            {key: _attribute(value) for key, value in values.items()} if values else _EMPTY,
            {key: read_graph(block, name) for key, block in inner.items()} if inner else _EMPTY,
            doc,
        )
        for own, operator, reads, writes, domain, values, inner, doc in zip(
            data["name_column"],
            data["operator"],
            data["reads"],
            data["writes"],
            domains,
            attributes,
            blocks,
            docs,
            strict=True,
        )
    )


def _column(sparse: Mapping[str, Any], count: int, default: Any) -> list[Any]:
    """A full column from the entries that differ from the default."""
    column = list(repeat(default, count))
    for index, value in sparse.items():
        column[int(index)] = value
    return column


def _attribute(value: Any) -> AttributeValue:
    found: AttributeValue = tuple(value) if isinstance(value, list) else value
    return found


def read_type(kind: list[Any] | None) -> TensorType | None:
    """Element type and shape again."""
    return None if kind is None else TensorType(kind[0], _shape(kind[1]))


def _shape(shape: list[Any] | None) -> tuple[Any, ...] | None:
    return None if shape is None else tuple(shape)


def read_layout(data: Mapping[str, Any], name: Pick) -> GraphLayout:
    """A layout again."""
    return GraphLayout(
        x=tuple(data["x"]),
        y=tuple(data["y"]),
        width=tuple(data["width"]),
        height=tuple(data["height"]),
        edges=tuple(zip(data["from"], data["to"], map(name, data["value"]), strict=True)),
        bends=tuple(map(tuple, data["bends"])),
        size=(data["size"][0], data["size"][1]),
    )
