"""Search in a graph: by name, operator, attribute, tensor and shape, the best hits first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from studio.api import Graph, Node, TensorType, Value


@dataclass(frozen=True, slots=True)
class Hit:
    """One result.

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


_WEIGHTS = {"operator": 5.0, "name": 4.0, "tensor": 3.0, "shape": 2.0, "attribute": 1.0}


def search(graph: Graph, query: str, limit: int = 200) -> list[Hit]:
    """Boxes that match all words of the query, the best first.

    A word matches without regard to case; ``key=value`` looks at attributes, and ``1x3x224x224``
    or ``1,3,224,224`` at shapes.
    """
    words = [_normal(word) for word in query.split()]
    if not words:
        return []
    hits = [hit for box, texts in _boxes(graph) if (hit := _match(box, texts, words))]
    hits.sort(key=lambda hit: (-hit.score, hit.box))
    return hits[:limit]


Texts = list[tuple[str, str]]
"""What can match: (where, text)."""


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


def _match(box: int, texts: Texts, words: list[str]) -> Hit | None:
    """The hit of a box: every word must match somewhere; the best match is the one shown."""
    best: tuple[float, str, str] = (0.0, "", "")
    total = 0.0
    for word in words:
        found = max(
            ((_score(where, text, word), where, text) for where, text in texts),
            default=(0.0, "", ""),
        )
        if not found[0]:
            return None
        total += found[0]
        best = max(best, found)
    return Hit(box, best[1], best[2], total)


def _score(where: str, text: str, word: str) -> float:
    """0 where the text does not hold the word; a whole text or a start counts for more."""
    lowered = text.lower()
    if word not in lowered:
        return 0.0
    closeness = 2.0 if lowered == word else 1.5 if lowered.startswith(word) else 1.0
    return _WEIGHTS[where] * closeness
