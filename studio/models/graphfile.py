"""The graph of a model with its layout in one compact file, quick to read without numpy.

Gzip-compressed JSON in columns; each name of a value stands in it once. The reader is the window,
so nothing but the standard library is needed.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any

from studio.api import (
    AttributeValue,
    Graph,
    GraphLayout,
    Initializer,
    InvalidData,
    Model,
    Node,
    TensorType,
    Value,
)
from studio.models import pieces
from studio.models.folding import Block, Outline

_VERSION = 2
_READABLE = (1, 2)
_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Content:
    """All that a file holds.

    Attributes:
        macs: Work of the nodes of the main graph.
        parts: Layouts of the blocks and functions, by their paths in ``walk.parts``.
        outline: The blocks into which the main graph can be folded.
    """

    model: Model
    layout: GraphLayout
    macs: Mapping[str, float]
    parts: Mapping[str, GraphLayout]
    outline: Outline = ()


def write(
    path: Path,
    model: Model,
    layout: GraphLayout,
    macs: Mapping[str, float] = MappingProxyType({}),
    parts: Mapping[str, GraphLayout] = MappingProxyType({}),
    outline: Outline = (),
) -> None:
    """Write a model and the layouts of its graphs. The same content gives the same bytes.

    Args:
        macs: Work of the nodes of the main graph, by name; computed with open sizes fixed, which
            those who read the file could not do.
    """
    names = _Names()
    data = {
        "version": _VERSION,
        "model": {
            "format": model.format,
            "opsets": dict(model.opsets),
            "ir_version": model.ir_version,
            "producer": model.producer,
            "doc": model.doc,
            "metadata": dict(model.metadata),
        },
        "graph": _graph(model.graph, names),
        "functions": {name: _graph(graph, names) for name, graph in model.functions.items()},
        "layout": _layout(layout, names),
        "macs": dict(macs),
        "parts": {name: _layout(one, names) for name, one in parts.items()},
        "outline": _outline(outline),
        "names": names.all,
    }
    path.write_bytes(gzip.compress(pieces.dumps(data).encode("utf-8", "surrogatepass"), 1, mtime=0))


def read(path: Path) -> tuple[Model, GraphLayout]:
    """Read a model and its layout.

    Raises:
        InvalidData: when the file is damaged or of another version.
    """
    content = read_all(path)
    return content.model, content.layout


def read_all(path: Path) -> Content:
    """Read all that ``write`` wrote.

    Raises:
        InvalidData: when the file is damaged or of another version.
    """
    try:
        data = pieces.loads(gzip.decompress(path.read_bytes()))
        if data["version"] not in _READABLE:
            raise InvalidData(f"{path.name} was written by another version of the studio.")
        # Version 1 had the names themselves instead of their numbers.
        name: Pick = data["names"].__getitem__ if "names" in data else str
        model = Model(
            graph=_read_graph(data["graph"], name),
            functions={key: _read_graph(graph, name) for key, graph in data["functions"].items()},
            **data["model"],
        )
        parts = {path: _read_layout(one, name) for path, one in data.get("parts", {}).items()}
        blocks = _read_outline(data.get("outline", ()))
        layout = _read_layout(data["layout"], name)
        return Content(model, layout, data.get("macs", {}), parts, blocks)
    except FileNotFoundError:
        raise InvalidData(f"The graph {path} is gone.", hint="Open the model again.") from None
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        raise InvalidData(
            f"The graph {path.name} is damaged.", hint="Open the model again.", detail=str(error)
        ) from None


class _Names:
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


def _graph(graph: Graph, names: _Names) -> dict[str, Any]:
    nodes = graph.nodes
    constants = graph.initializers.values()
    return {
        "name": graph.name,
        "inputs": [[value.name, _type(value.type)] for value in graph.inputs],
        "outputs": [[value.name, _type(value.type)] for value in graph.outputs],
        "name_column": [node.name for node in nodes],
        "operator": [node.operator for node in nodes],
        "reads": [names.numbers(node.inputs) for node in nodes],
        "writes": [names.numbers(node.outputs) for node in nodes],
        "domain": {i: node.domain for i, node in enumerate(nodes) if node.domain},
        "attributes": {i: dict(node.attributes) for i, node in enumerate(nodes) if node.attributes},
        "blocks": {
            i: {name: _graph(block, names) for name, block in node.blocks.items()}
            for i, node in enumerate(nodes)
            if node.blocks
        },
        "doc": {i: node.doc for i, node in enumerate(nodes) if node.doc},
        "constants": [[c.name, _type(c.type), c.nbytes, c.external] for c in constants],
        "typed": _typed(graph.values, names),
        "notes": dict(graph.notes),
    }


def _typed(values: Mapping[str, TensorType], names: _Names) -> dict[str, Any]:
    """Names, the type of each as a number, and the types, of which a large model has few."""
    places: dict[int, int] = {}
    types: list[Any] = []
    numbers = []
    for kind in values.values():
        place = places.get(id(kind))
        if place is None:
            place = places[id(kind)] = len(types)
            types.append(_type(kind))
        numbers.append(place)
    return {"names": names.numbers(values), "types": types, "type": numbers}


def _type(kind: TensorType | None) -> list[Any] | None:
    return None if kind is None else [kind.dtype, kind.shape]


def _layout(layout: GraphLayout, names: _Names) -> dict[str, Any]:
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


def _outline(members: Outline) -> list[Any]:
    return [
        [one.title, one.scope, _outline(one.members)] if isinstance(one, Block) else one
        for one in members
    ]


def _read_outline(members: Sequence[Any]) -> Outline:
    return tuple(
        one if isinstance(one, int) else Block(one[0], one[1], _read_outline(one[2]))
        for one in members
    )


Pick = Callable[[Any], str]
"""Gives the name that stands for what a file has in its place."""


def _read_graph(data: Mapping[str, Any], name: Pick) -> Graph:
    return Graph(
        name=data["name"],
        inputs=tuple(Value(key, _read_type(kind)) for key, kind in data["inputs"]),
        outputs=tuple(Value(key, _read_type(kind)) for key, kind in data["outputs"]),
        nodes=_read_nodes(data, name),
        initializers={
            key: Initializer(key, TensorType(kind[0], _shape(kind[1])), nbytes, external)
            for key, kind, nbytes, external in data["constants"]
        },
        values=_read_values(data, name),
        notes=data.get("notes", _EMPTY),
    )


def _read_values(data: Mapping[str, Any], name: Pick) -> dict[str, TensorType]:
    typed = data.get("typed")
    if typed is None:  # version 1 had a type for each name
        return {key: TensorType(kind[0], _shape(kind[1])) for key, kind in data["values"].items()}
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
            {key: _read_graph(block, name) for key, block in inner.items()} if inner else _EMPTY,
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


def _read_type(kind: list[Any] | None) -> TensorType | None:
    return None if kind is None else TensorType(kind[0], _shape(kind[1]))


def _shape(shape: list[Any] | None) -> tuple[Any, ...] | None:
    return None if shape is None else tuple(shape)


def _read_layout(data: Mapping[str, Any], name: Pick) -> GraphLayout:
    return GraphLayout(
        x=tuple(data["x"]),
        y=tuple(data["y"]),
        width=tuple(data["width"]),
        height=tuple(data["height"]),
        edges=tuple(zip(data["from"], data["to"], map(name, data["value"]), strict=True)),
        bends=tuple(map(tuple, data["bends"])),
        size=(data["size"][0], data["size"][1]),
    )
