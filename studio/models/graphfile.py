"""The graph of a model with its layout in one compact file, quick to read without numpy.

Gzip-compressed JSON in columns, in two parts one behind the other: what is drawn (nodes, layouts,
blocks), and what is known of it (types, work). The first part can be read while the second is not
there yet. Each name of a value stands in the file once. The reader is the window, so nothing but
the standard library is needed.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from studio.api import Graph, GraphLayout, InvalidData, Model, Value
from studio.lazy_dataclass import dataclass
from studio.models import pieces
from studio.models.blocks import Outline
from studio.models.graphcolumns import (
    Columns,
    Names,
    Pick,
    graph_columns,
    layout_columns,
    outline_columns,
    read_graph,
    read_layout,
    read_outline,
    read_type,
    read_typed,
    type_of,
    typed_columns,
)
from studio.models.walk import all_graphs

_VERSION = 3
_GZIP = 31


@dataclass(frozen=True, slots=True)
class GraphFileContent:
    """Content of a graph file.

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


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """The first part of a file, read before there was a second one.

    Attributes:
        content: Without types and work.
        names: The names of values by number.
        size, digest: Bytes of the part, and their SHA-256.
    """

    content: GraphFileContent
    names: Sequence[str]
    size: int
    digest: bytes


class GraphFileDraft:
    """A file whose first part is written; ``finish`` adds the second.

    Args:
        model: Only types of terminals are taken from it.
        parts: Layouts of the blocks and functions.
    """

    def __init__(
        self,
        path: Path,
        model: Model,
        layout: GraphLayout,
        parts: Mapping[str, GraphLayout] = MappingProxyType({}),
        outline: Outline = (),
    ) -> None:
        self._path, self._model = path, model
        self._names = names = Names()
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
            "graph": graph_columns(model.graph, names),
            "functions": {
                name: graph_columns(graph, names) for name, graph in model.functions.items()
            },
            "layout": layout_columns(layout, names),
            "parts": {name: layout_columns(one, names) for name, one in parts.items()},
            "outline": outline_columns(outline),
            "names": names.all,
        }
        self._known = len(names.all)
        path.write_bytes(_packed(data))

    def finish(
        self,
        model: Model,
        macs: Mapping[str, float] = MappingProxyType({}),
        layout: GraphLayout | None = None,
        parts: Mapping[str, GraphLayout] = MappingProxyType({}),
    ) -> None:
        """Add types and work. The same content gives the same bytes.

        Args:
            model: The same one with all that is known of it.
            macs: Work of the nodes of the main graph, by name; computed with open sizes fixed,
                which those who read the file could not do.
            layout, parts: Those that take the place of what was written first.
        """
        names = self._names
        data = {
            "known": [_known(graph, names) for graph in _all_graphs(model)],
            "macs": dict(macs),
            "layout": None if layout is None else layout_columns(layout, names),
            "parts": {name: layout_columns(one, names) for name, one in parts.items()},
            "names": names.all[self._known :],
        }
        with self._path.open("ab") as file:
            file.write(_packed(data))


def _packed(data: Mapping[str, Any]) -> bytes:
    return gzip.compress(pieces.dumps(data).encode("utf-8", "surrogatepass"), 1, mtime=0)


def write(
    path: Path,
    model: Model,
    layout: GraphLayout,
    macs: Mapping[str, float] = MappingProxyType({}),
    parts: Mapping[str, GraphLayout] = MappingProxyType({}),
    outline: Outline = (),
) -> None:
    """Write a model and the layouts of its graphs, both parts at once."""
    GraphFileDraft(path, model, layout, parts, outline).finish(model, macs)


def read(path: Path) -> tuple[Model, GraphLayout]:
    """Read a model and its layout.

    Raises:
        InvalidData: when the file is damaged or of another version.
    """
    content = read_all(path)
    return content.model, content.layout


def read_drawn(path: Path) -> DrawnGraph:
    """Read the first part of a file whose second one may be missing.

    Raises:
        InvalidData: when the file is damaged or of another version.
    """
    with _damage_named(path):
        return _drawn(path.read_bytes(), path.name)[0]


def read_all(path: Path, drawn: DrawnGraph | None = None) -> GraphFileContent:
    """Read all that was written.

    Args:
        drawn: What was read before; taken for the first part where it is that of this file.

    Raises:
        InvalidData: when the file is damaged or of another version.
    """
    with _damage_named(path):
        raw = path.read_bytes()
        if drawn is not None and hashlib.sha256(raw[: drawn.size]).digest() == drawn.digest:
            rest = raw[drawn.size :]
        else:
            drawn, rest = _drawn(raw, path.name)
        return _completed(drawn, pieces.loads(gzip.decompress(rest))) if rest else drawn.content


_DAMAGE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RecursionError),
    *(StopIteration, zlib.error),
)
"""What reading raises where a file holds other things than a graph."""


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InvalidData(f"The graph {path} is gone.", hint="Open the model again.") from None
    except _DAMAGE as error:
        raise InvalidData(
            f"The graph {path.name} is damaged.", hint="Open the model again.", detail=str(error)
        ) from None


def _drawn(raw: bytes, file: str) -> tuple[DrawnGraph, bytes]:
    """Return the first part of a file, and the bytes behind it."""
    unpacking = zlib.decompressobj(_GZIP)
    data = pieces.loads(unpacking.decompress(raw))
    if not unpacking.eof:
        raise ValueError("it ends too early")
    rest = unpacking.unused_data
    if data["version"] != _VERSION:
        raise InvalidData(f"{file} was written by another version of the studio.")
    names = data["names"]
    name: Pick = names.__getitem__
    model = Model(
        graph=read_graph(data.pop("graph"), name),  # what was read is not held any longer
        functions={key: read_graph(graph, name) for key, graph in data["functions"].items()},
        **data["model"],
    )
    parts = {path: read_layout(one, name) for path, one in data["parts"].items()}
    blocks = read_outline(data["outline"])
    layout = read_layout(data.pop("layout"), name)
    content = GraphFileContent(model, layout, {}, parts, blocks)
    size = len(raw) - len(rest)
    return DrawnGraph(content, names, size, hashlib.sha256(raw[:size]).digest()), rest


@dataclass(frozen=True, slots=True)
class SecondPart:
    """The second part of a file: all that is known of a graph that was drawn.

    Attributes:
        known: Types of each graph's inputs and outputs, and the columns of its other types.
        layout, parts: Layouts in the place of those that were written first.
        names: Further names of values.
    """

    known: Sequence[Any]
    macs: Mapping[str, float]
    layout: Columns | None
    parts: Mapping[str, Columns]
    names: Sequence[str]


def _completed(drawn: DrawnGraph, data: Mapping[str, Any]) -> GraphFileContent:
    """Return the drawn graph completed with its known types."""
    part = SecondPart(**data)
    names = [*drawn.names, *part.names]
    name: Pick = names.__getitem__
    content = drawn.content
    known = iter(part.known)
    graph = _with_known(content.model.graph, known, name)
    functions = {key: _with_known(one, known, name) for key, one in content.model.functions.items()}
    layout = content.layout if part.layout is None else read_layout(part.layout, name)
    others = {path: read_layout(one, name) for path, one in part.parts.items()}
    return GraphFileContent(
        replace(content.model, graph=graph, functions=functions),
        layout,
        part.macs,
        {**content.parts, **others},
        content.outline,
    )


def _all_graphs(model: Model) -> Iterator[Graph]:
    yield from all_graphs(model.graph)
    for function in model.functions.values():
        yield from all_graphs(function)


def _known(graph: Graph, names: Names) -> list[Any]:
    terminals = [[type_of(value.type) for value in ends] for ends in (graph.inputs, graph.outputs)]
    return [*terminals, typed_columns(graph.values, names)]


def _with_known(graph: Graph, known: Iterator[Any], name: Pick) -> Graph:
    """Return a graph with the types that come next, and its blocks with those behind them."""
    inputs, outputs, typed = next(known)
    nodes = graph.nodes
    if any(node.blocks for node in nodes):
        nodes = tuple(
            [
                replace(
                    node,
                    blocks={k: _with_known(one, known, name) for k, one in node.blocks.items()},
                )
                if node.blocks
                else node
                for node in nodes
            ]
        )
    return replace(
        graph,
        inputs=_retyped(graph.inputs, inputs),
        outputs=_retyped(graph.outputs, outputs),
        nodes=nodes,
        values=read_typed(typed, name),
    )


def _retyped(values: Sequence[Value], types: Sequence[Any]) -> tuple[Value, ...]:
    pairs = zip(values, types, strict=True)
    return tuple(Value(value.name, read_type(kind)) for value, kind in pairs)
