"""Changes of exported graphs: names as in the estimator, one form of labels and scores.

Used by ``tool_sklearn_models.py``: numpy and onnx alone; nothing of the studio.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy
import onnx

_BATCH = "batch"
_WORDS = b"[a-zA-Z0-9_]+"
_WORDS_OF_ANY_LANGUAGE = rb"[\p{L}\p{N}_][\p{L}\p{N}_]+"
"""The words of scikit-learn's default pattern; the exporter writes those of English alone."""


def name_inputs(graph: Any, names: Sequence[str]) -> None:
    """Give inputs the names of their columns, of which the exporter replaces signs."""
    former = [value.name for value in graph.input]
    new = {one: name for one, name in zip(former, names, strict=True) if one != name}
    for value in graph.input:
        value.name = new.get(value.name, value.name)
    _rename(graph, new)


def name_outputs(graph: Any, names: Sequence[str], taken: Collection[str]) -> None:
    """Give outputs their names, with a prefix where a column has one of them already."""
    former = [value.name for value in graph.output]
    wanted = [f"predicted_{name}" if name in taken else name for name in names]
    new = dict(zip(former, wanted, strict=True))
    for value in graph.output:
        value.name = new[value.name]
    _rename(graph, new)


def _rename(graph: Any, new: Mapping[str, str]) -> None:
    for node in _nodes(graph):
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def make_texts_portable(graph: Any) -> None:
    """Have texts split and lowered alike on every machine.

    The exporter relies on a locale that few containers and boards have. The plain one lowers the
    letters of English; it is kept where the words that were learned have no others.
    """
    nodes = list(_nodes(graph))
    is_plain = all(text.isascii() for node in nodes for text in _texts(node))
    for node in nodes:
        for attribute in node.attribute:
            if node.op_type == "Tokenizer" and attribute.s == _WORDS:
                attribute.s = _WORDS_OF_ANY_LANGUAGE
        if node.op_type == "StringNormalizer":
            kept = [one for one in node.attribute if one.name != "locale"]
            del node.attribute[:]
            node.attribute.extend(kept)
            locale = "C" if is_plain else "C.UTF-8"
            node.attribute.append(onnx.helper.make_attribute("locale", locale))


def _texts(node: Any) -> Iterator[bytes]:
    for attribute in node.attribute:
        if attribute.name == "pool_strings":
            yield from attribute.strings


def flatten(graph: Any, number: int) -> None:
    """Give an output one axis, where it has one column."""
    sizes = graph.output[number].type.tensor_type.shape.dim
    inner = _before(graph, number)
    graph.initializer.append(
        onnx.numpy_helper.from_array(numpy.array([-1], numpy.int64), f"{inner}_shape")
    )
    name = graph.output[number].name
    graph.node.append(onnx.helper.make_node("Reshape", [inner, f"{inner}_shape"], [name]))
    del sizes[1:]


def has_one_column(graph: Any, number: int) -> bool:
    """Return whether an output is declared with one column."""
    sizes = graph.output[number].type.tensor_type.shape.dim
    return len(sizes) > 1 and sizes[1].dim_value == 1


def add_negated_column(graph: Any, number: int) -> None:
    """Give the scores of two classes a column each, where the exporter writes the second alone."""
    inner, output = _before(graph, number), graph.output[number]
    graph.node.append(onnx.helper.make_node("Neg", [inner], [f"{inner}_negative"]))
    both = [f"{inner}_negative", inner]
    graph.node.append(onnx.helper.make_node("Concat", both, [output.name], axis=1))
    output.type.tensor_type.shape.dim[1].dim_value = 2


def negate(graph: Any, number: int) -> None:
    """Turn the scores of two classes, which the exporter writes the wrong way round."""
    inner = _before(graph, number)
    graph.node.append(onnx.helper.make_node("Neg", [inner], [graph.output[number].name]))


def make_logistic(graph: Any) -> None:
    """Take each probability of two classes of its own score; the exporter takes twice as much."""
    last = [node for node in _nodes(graph) if node.op_type == "LinearClassifier"][-1]
    for attribute in last.attribute:
        if attribute.name == "post_transform":
            attribute.s = b"LOGISTIC"


def _before(graph: Any, number: int) -> str:
    """Rename what makes an output, so that a node can be put behind it; return that name."""
    name = graph.output[number].name
    inner = f"{name}_of_estimator"
    _rename(graph, {name: inner})
    return inner


def name_batch(graph: Any) -> None:
    """Name the batch, which the exporter leaves without a name or writes as 1."""
    for value in (*graph.input, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        if len(sizes) and sizes[0].dim_value <= 1:
            sizes[0].Clear()
            sizes[0].dim_param = _BATCH
