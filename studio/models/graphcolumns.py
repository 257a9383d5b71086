"""Graphs, types and layouts as columns of JSON, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar, cast

from studio.api import (
    AttributeValue,
    Graph,
    GraphLayout,
    Initializer,
    Node,
    TensorType,
    Value,
)
from studio.lazy_dataclass import dataclass
from studio.models.blocks import Block, Outline

_EMPTY: Mapping[str, Any] = {}

T = TypeVar("T")
Columns = Mapping[str, Any]
"""An object of a file."""

Size = int | str | None
TypeRow = tuple[str, Sequence[Size] | None]
"""Element type and shape."""

Pick = Callable[[int], str]
"""Function from a file's number to the name."""


class Names:
    """The names of values, each once; elsewhere stands its number.

    Attributes:
        all: The names by number.
    """

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the number of a name, a new one for a new name."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.all)
            self.all.append(name)
        return number

    def numbers(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of several names."""
        return [self.number(name) for name in names]


def graph_columns(graph: Graph, names: Names) -> dict[str, Any]:
    """Return the drawn part of a graph: all but the types of its values."""
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
        # Rare properties are stored by node number, all others as full columns.
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
    """Return names, each type as a number, and the types, of which a large model has few."""
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
    """Return element type and shape."""
    return None if kind is None else [kind.dtype, kind.shape]


def layout_columns(layout: GraphLayout, names: Names) -> dict[str, Any]:
    """Return a layout as columns."""
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
    """Return the tree of blocks: numbers of nodes, and title, scope and members of each block."""
    return [
        [one.title, one.scope, outline_columns(one.members)] if isinstance(one, Block) else one
        for one in members
    ]


def read_outline(members: Sequence[Any]) -> Outline:
    """Read the tree of blocks."""
    return tuple(
        one if isinstance(one, int) else Block(one[0], one[1], read_outline(one[2]))
        for one in members
    )


@dataclass(frozen=True, slots=True)
class GraphColumns:
    """A graph as a file has it: a column for each property of its nodes.

    Attributes:
        domain, attributes, blocks, doc: Only of the nodes that have some, by the node's number.
    """

    name: str
    inputs: Sequence[tuple[str, TypeRow | None]]
    outputs: Sequence[tuple[str, TypeRow | None]]
    name_column: Sequence[str]
    operator: Sequence[str]
    reads: Sequence[Sequence[int]]
    writes: Sequence[Sequence[int]]
    domain: Mapping[str, str]
    attributes: Mapping[str, Mapping[str, object]]
    blocks: Mapping[str, Mapping[str, Columns]]
    doc: Mapping[str, str]
    constants: Sequence[tuple[str, TypeRow, int, str]]
    notes: Mapping[str, str]


def read_graph(data: Columns, name: Pick) -> Graph:
    """Read the drawn part of a graph: all but the types of its values."""
    columns = GraphColumns(**data)
    return Graph(
        name=columns.name,
        inputs=tuple(Value(key, read_type(kind)) for key, kind in columns.inputs),
        outputs=tuple(Value(key, read_type(kind)) for key, kind in columns.outputs),
        nodes=_read_nodes(columns, name),
        initializers={
            key: Initializer(key, TensorType(kind[0], _shape(kind[1])), nbytes, external)
            for key, kind, nbytes, external in columns.constants
        },
        notes=columns.notes,
    )


@dataclass(frozen=True, slots=True)
class TypeColumns:
    """Types of values: the different ones, and the place of each name's among them."""

    names: Sequence[int]
    types: Sequence[TypeRow]
    type: Sequence[int]


def read_typed(data: Columns, name: Pick) -> dict[str, TensorType]:
    """Read types by name; equal ones are one object."""
    columns = TypeColumns(**data)
    types = [TensorType(dtype, _shape(shape)) for dtype, shape in columns.types]
    names = map(name, columns.names)
    return {key: types[place] for key, place in zip(names, columns.type, strict=True)}


def _read_nodes(columns: GraphColumns, name: Pick) -> tuple[Node, ...]:
    count = len(columns.name_column)
    domains = _column(columns.domain, count, "")
    docs = _column(columns.doc, count, "")
    attributes = _column(columns.attributes, count, _EMPTY)
    blocks = _column(columns.blocks, count, _EMPTY)
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
            columns.name_column,
            map(sys.intern, columns.operator),  # a text of each for tens of thousands of nodes
            columns.reads,
            columns.writes,
            domains,
            attributes,
            blocks,
            docs,
            strict=True,
        )
    )


def _column(sparse: Mapping[str, T], count: int, default: T) -> list[T]:
    """Return a full column from the entries that differ from the default."""
    column = list(repeat(default, count))
    for index, value in sparse.items():
        column[int(index)] = value
    return column


def _attribute(value: object) -> AttributeValue:
    return cast(AttributeValue, tuple(value) if isinstance(value, list) else value)


def read_type(kind: TypeRow | None) -> TensorType | None:
    """Read element type and shape."""
    return None if kind is None else TensorType(kind[0], _shape(kind[1]))


def _shape(shape: Sequence[Size] | None) -> tuple[Size, ...] | None:
    return None if shape is None else tuple(shape)


@dataclass(frozen=True, slots=True)
class LayoutColumns:
    """A layout as a file has it: places of the boxes, and ends, values and bends of the edges."""

    x: Sequence[float]
    y: Sequence[float]
    width: Sequence[float]
    height: Sequence[float]
    to: Sequence[int]
    value: Sequence[int]
    bends: Sequence[Sequence[float]]
    size: Sequence[float]


def _shared(values: Iterable[T], objects: dict[T, T]) -> tuple[T, ...]:
    """Return the values with equal ones as one object: a large graph has few different ones."""
    each = tuple(values)
    return tuple(map(objects.setdefault, each, each))


def read_layout(data: Columns, name: Pick) -> GraphLayout:
    """Read a layout."""
    begins: Sequence[int] = data["from"]
    columns = LayoutColumns(**{key: column for key, column in data.items() if key != "from"})
    places: dict[float, float] = {}
    boxes: dict[int, int] = {}
    ends = (_shared(begins, boxes), _shared(columns.to, boxes))
    return GraphLayout(
        x=_shared(columns.x, places),
        y=_shared(columns.y, places),
        width=_shared(columns.width, places),
        height=_shared(columns.height, places),
        edges=tuple(zip(*ends, map(name, columns.value), strict=True)),
        bends=tuple([_shared(bend, places) for bend in columns.bends]),
        size=(columns.size[0], columns.size[1]),
    )
