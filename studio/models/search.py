"""Search in a graph, or in all parts of a model: by name, operator, attribute, tensor, shape."""

from __future__ import annotations

from collections.abc import Iterator

from studio.api import Graph, Model, Node, TensorType, Value
from studio.lazy_dataclass import dataclass
from studio.models.walk import blocks_of, is_constant


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Result of a search.

    Attributes:
        box: Position in the layout: inputs, nodes, outputs.
        where: What matched: ``operator``, ``name``, ``tensor``, ``shape`` or ``attribute``.
        text: The text that matched.
        score: Higher is better.
    """

    box: int
    where: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A result somewhere in a model.

    Attributes:
        path: Part of the model as in ``walk.parts``; empty for the main graph.
        holder: Node of the main graph in which that part lies; empty for the main graph itself
            and for functions.
        kind: ``node``, ``input`` or ``output``.
        operator: Of the node; empty for an input or output.
        name: Of the node, input or output.
        where, text: What matched, as in ``SearchHit``.
    """

    path: str
    holder: str
    kind: str
    operator: str
    name: str
    where: str
    text: str


_WEIGHTS = {"operator": 5.0, "name": 4.0, "tensor": 3.0, "shape": 2.0, "attribute": 1.0}


def search(graph: Graph, query: str, limit: int = 200) -> list[SearchHit]:
    """Return boxes that match all words of the query, the best first.

    A word matches without regard to case; ``key=value`` looks at attributes, and ``1x3x224x224``
    or ``1,3,224,224`` at shapes.
    """
    words = [_normal(word) for word in query.split()]
    if not words:
        return []
    hits = [hit for box, texts in _boxes(graph) if (hit := _match(box, texts, words))]
    # Equal scores keep the order of the drawing.
    hits.sort(key=lambda hit: (-hit.score, hit.box))
    return hits[:limit]


def search_model(model: Model, query: str) -> list[SearchResult]:
    """Return matches in the main graph, its blocks and the functions, best first by part.

    Nodes that only hold a constant are left out: they are drawn with the nodes that read them.
    """
    return [
        SearchResult(path, holder, *_what(graph, hit.box), hit.where, hit.text)
        for path, holder, graph in _parts(model)
        for hit in search(graph, query, limit=_size(graph))
        if not _is_hidden(graph, hit.box)
    ]


def _parts(model: Model) -> Iterator[tuple[str, str, Graph]]:
    """Yield path, holder and graph of each part."""
    yield "", "", model.graph
    for node in model.graph.nodes:
        for path, block in blocks_of(node):
            yield path, node.name, block
    for name, graph in model.functions.items():
        yield name, "", graph
        for node in graph.nodes:
            for path, block in blocks_of(node, f"{name}/"):
                yield path, "", block


def _size(graph: Graph) -> int:
    return len(graph.inputs) + len(graph.nodes) + len(graph.outputs)


def _what(graph: Graph, box: int) -> tuple[str, str, str]:
    """Return kind, operator and name of a box."""
    inputs, nodes = len(graph.inputs), len(graph.nodes)
    if box < inputs:
        return "input", "", graph.inputs[box].name
    if box >= inputs + nodes:
        return "output", "", graph.outputs[box - inputs - nodes].name
    node = graph.nodes[box - inputs]
    return "node", node.operator, node.name


def _is_hidden(graph: Graph, box: int) -> bool:
    at = box - len(graph.inputs)
    return 0 <= at < len(graph.nodes) and is_constant(graph.nodes[at])


Texts = list[tuple[str, str]]
"""Texts that can match: (where, text)."""


def _boxes(graph: Graph) -> Iterator[tuple[int, Texts]]:
    box = 0
    for value in graph.inputs:
        yield box, _terminal(value)
        box += 1
    for node in graph.nodes:
        yield box, _node(graph, node)
        box += 1
    for value in graph.outputs:
        yield box, _terminal(value)
        box += 1


def _terminal(value: Value) -> Texts:
    return [("name", value.name), ("shape", _shape(value.type))]


def _node(graph: Graph, node: Node) -> Texts:
    texts = [("operator", node.operator), ("name", node.name)]
    for name in (*node.outputs, *node.inputs):
        if name:
            texts += [("tensor", name), ("shape", _shape(graph.type_of(name)))]
    texts += [("attribute", f"{key}={_plain(value)}") for key, value in node.attributes.items()]
    return texts


def _shape(kind: TensorType | None) -> str:
    if kind is None:
        return ""
    sizes = "x".join("?" if size is None else str(size) for size in kind.shape or ())
    return f"{kind.dtype} {sizes}"


def _plain(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _normal(word: str) -> str:
    lowered = word.lower().replace("×", "x")
    return lowered.replace(",", "x") if lowered.replace(",", "").isdigit() else lowered


def _match(box: int, texts: Texts, words: list[str]) -> SearchHit | None:
    """Return the match of a box: every word must match, and the weakest match is shown.

    ``layer.3 softmax`` is in the names of most values behind a Softmax; that is what distinguishes
    those nodes, not the name of their layer.
    """
    shown: tuple[float, str, str] | None = None
    total = 0.0
    for word in words:
        found = max(
            ((_score(where, text, word), where, text) for where, text in texts),
            default=(0.0, "", ""),
        )
        if not found[0]:
            return None
        total += found[0]
        shown = found if shown is None else min(shown, found)
    return SearchHit(box, shown[1], shown[2], total) if shown else None


def _score(where: str, text: str, word: str) -> float:
    """Return 0 if the text lacks the word; a whole text or a start counts for more."""
    lowered = text.lower()
    if word not in lowered:
        return 0.0
    closeness = 2.0 if lowered == word else 1.5 if lowered.startswith(word) else 1.0
    return _WEIGHTS[where] * closeness
