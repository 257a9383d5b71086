"""From ONNX messages to the studio's graph, without the weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from sys import intern
from types import MappingProxyType
from typing import Any

import onnx
from onnx import AttributeProto

from studio.api import AttributeValue, Graph, Initializer, Model, Node, TensorType, Value
from studio_onnx.order import ordered, stand_in_order
from studio_onnx.structure import NoText, blocks
from studio_onnx.tensors import external_file, nbytes, tensor_type, value_type

_LONGEST_LIST = 4096
_LONGEST_TEXT = 4096
_NONE: Mapping[str, Any] = MappingProxyType({})


def convert(
    proto: onnx.ModelProto, like: Model | None = None, reordered: list[str] | None = None
) -> Model:
    """Return the model in the studio's form, with the types in its messages.

    Args:
        like: The same model with other types; what has none is taken from it.
        reordered: Gets the names of the graphs whose nodes do not stand in the order of their data.

    Raises:
        InvalidModel: when nodes wait for each other, or two produce the same value.
    """
    moved = reordered if reordered is not None else []
    functions = (
        {f"{f.domain}:{f.name}": _function(f, moved) for f in proto.functions} if not like else {}
    )
    model = Model(
        format="onnx",
        graph=_graph(proto.graph, like.graph if like else None, moved),
        opsets={_domain(entry.domain): entry.version for entry in proto.opset_import},
        ir_version=proto.ir_version,
        producer=f"{proto.producer_name} {proto.producer_version}".strip(),
        doc=proto.doc_string[:_LONGEST_TEXT],
        metadata={entry.key: entry.value[:_LONGEST_TEXT] for entry in proto.metadata_props},
        functions=like.functions if like else functions,
    )
    _check_texts((model.producer, model.doc, *model.opsets, *model.functions))
    _check_texts((*model.metadata, *model.metadata.values()))
    return model


def _check_texts(texts: Iterable[str]) -> None:
    try:
        "".join(texts)
    except TypeError:
        raise NoText from None


def _texts_of(graph: Graph) -> Iterator[str]:
    """Yield the names in a graph without its blocks, which were checked earlier."""
    yield graph.name
    for node in graph.nodes:
        yield node.name
        yield node.domain
        yield node.doc
        yield from node.inputs
        yield from node.outputs
        if node.attributes:
            yield from node.attributes
    yield from graph.values
    yield from graph.initializers
    for value in (*graph.inputs, *graph.outputs):
        yield value.name


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _graph(graph: onnx.GraphProto, like: Graph | None, moved: list[str]) -> Graph:
    types = _types((*graph.value_info, *graph.input, *graph.output))
    if like is not None:
        constants, nodes = like.initializers, _retyped(like.nodes, graph)
    else:
        messages, nodes = _in_order(graph.name, graph.node, moved)
        constants = _constants(graph, messages)
    made = Graph(
        name=graph.name,
        # Files before IR version 4 list each initializer among the inputs.
        inputs=tuple(
            Value(v.name, types.get(v.name)) for v in graph.input if v.name not in constants
        ),
        outputs=tuple(Value(v.name, types.get(v.name)) for v in graph.output),
        nodes=nodes,
        initializers=constants,
        values=types,
    )
    if like is None:
        _check_texts(_texts_of(made))
    return made


def _in_order(
    name: str, given: Sequence[onnx.NodeProto], moved: list[str]
) -> tuple[Sequence[onnx.NodeProto], tuple[Node, ...]]:
    """Sort messages and nodes behind what they read; almost every file is in this order."""
    messages = list(given)
    nodes = _nodes(messages, moved)
    if not stand_in_order(nodes, messages):
        order = ordered(name, messages)
        if order != list(range(len(messages))):
            moved.append(name)
            messages = [messages[index] for index in order]
            nodes = _nodes(messages, [])
    return messages, nodes


def _constants(
    graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]
) -> Mapping[str, Initializer]:
    constants = {tensor.name: _initializer(tensor.name, tensor) for tensor in graph.initializer}
    for sparse in graph.sparse_initializer:
        constants[sparse.values.name] = _sparse(sparse)
    constants.update(_constant_nodes(nodes))
    return constants


def _types(values: Iterable[onnx.ValueInfoProto]) -> dict[str, TensorType]:
    """Return types by name; equal ones share one object, as a large model has few."""
    known: dict[bytes, TensorType | None] = {}
    types: dict[str, TensorType] = {}
    for value in values:
        message = value.type.SerializeToString()
        if message not in known:
            known[message] = value_type(value.type)
        kind = known[message]
        if kind is not None:
            types[value.name] = kind
    return types


def _retyped(known: tuple[Node, ...], graph: onnx.GraphProto) -> tuple[Node, ...]:
    """Return the known nodes; those with blocks get the types of this graph."""
    if not any(one.blocks for one in known):
        return known
    # Not _in_order, which would make all nodes of all blocks again, at each level.
    messages = [graph.node[index] for index in ordered(graph.name, graph.node)]
    return tuple(
        replace(
            one, blocks={key: _graph(inner, one.blocks[key], []) for key, inner in blocks(node)}
        )
        if one.blocks
        else one
        for one, node in zip(known, messages, strict=True)
    )


def _function(function: onnx.FunctionProto, moved: list[str]) -> Graph:
    messages, nodes = _in_order(function.name, function.node, moved)
    made = Graph(
        name=function.name,
        inputs=tuple(Value(name) for name in function.input),
        outputs=tuple(Value(name) for name in function.output),
        nodes=nodes,
        initializers=_constant_nodes(messages),
    )
    _check_texts(_texts_of(made))
    return made


def _initializer(name: str, tensor: onnx.TensorProto) -> Initializer:
    return Initializer(name, tensor_type(tensor), nbytes(tensor), external_file(tensor))


def _sparse(sparse: onnx.SparseTensorProto) -> Initializer:
    kind = TensorType(tensor_type(sparse.values).dtype, tuple(sparse.dims))
    return Initializer(sparse.values.name, kind, nbytes(sparse.values) + nbytes(sparse.indices))


def _constant_nodes(nodes: Iterable[onnx.NodeProto]) -> dict[str, Initializer]:
    """Return the tensors of Constant nodes by the name of their output."""
    found: dict[str, Initializer] = {}
    for node in nodes:
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx") and node.output:
            for attribute in node.attribute:
                if attribute.name == "value" and attribute.HasField("t"):
                    found[node.output[0]] = _initializer(node.output[0], attribute.t)
    return found


def _nodes(nodes: Sequence[onnx.NodeProto], moved: list[str]) -> tuple[Node, ...]:
    names = [node.name for node in nodes]
    taken = set(names)
    unique = len(taken) == len(names) and "" not in taken
    if not unique:
        taken.discard("")
        names = _numbered(names, nodes, taken)
    return tuple([_node(name, node, moved) for name, node in zip(names, nodes, strict=True)])


def _numbered(names: Sequence[str], nodes: Sequence[onnx.NodeProto], taken: set[str]) -> list[str]:
    """Return a unique name for each node."""
    used: set[str] = set()
    result = []
    for index, (name, node) in enumerate(zip(names, nodes, strict=True)):
        own = name
        if not own or own in used:
            own = _fresh(name or f"{node.op_type}_{index}", taken)
        used.add(own)
        taken.add(own)
        result.append(own)
    return result


def _fresh(wish: str, taken: set[str]) -> str:
    """Return the name, or the name with the first free number behind it."""
    if wish not in taken:
        return wish
    number = 2
    while f"{wish}#{number}" in taken:
        number += 1
    return f"{wish}#{number}"


def _node(name: str, node: onnx.NodeProto, moved: list[str]) -> Node:
    attributes: Mapping[str, AttributeValue] = _NONE
    inner: Mapping[str, Graph] = _NONE
    if given := node.attribute:
        attributes = {a.name: value for a in given if (value := _attribute(a)) is not None}
        inner = {key: _graph(graph, None, moved) for key, graph in blocks(node)} or _NONE
    return Node(
        name,
        _interned(node.op_type),  # a large model has few operators
        tuple(node.input),
        tuple(node.output),
        _domain(node.domain),
        attributes,
        inner,
        node.doc_string[:_LONGEST_TEXT],
    )


def _interned(text: str) -> str:
    try:
        return intern(text)
    except TypeError:
        raise NoText from None


def _attribute(attribute: AttributeProto) -> AttributeValue | None:
    """Return the value; tensors and types as text, long lists by length, None for sub-graphs."""
    kind = attribute.type
    if kind == AttributeProto.INT:
        return attribute.i
    if kind == AttributeProto.FLOAT:
        return attribute.f
    if kind == AttributeProto.STRING:
        return _text(attribute.s)
    if kind == AttributeProto.TENSOR:
        return str(tensor_type(attribute.t))
    if kind == AttributeProto.TYPE_PROTO:
        return str(value_type(attribute.tp) or attribute.tp.WhichOneof("value"))
    if kind in (AttributeProto.INTS, AttributeProto.FLOATS, AttributeProto.STRINGS):
        return _list(attribute)
    if attribute.ref_attr_name:
        return f"@{attribute.ref_attr_name}"
    return None


def _list(attribute: AttributeProto) -> AttributeValue:
    if attribute.type == AttributeProto.STRINGS:
        if len(attribute.strings) > _LONGEST_LIST:
            return f"{len(attribute.strings):,} texts"
        return tuple(_text(item) for item in attribute.strings)
    numbers = attribute.ints if attribute.type == AttributeProto.INTS else attribute.floats
    if len(numbers) > _LONGEST_LIST:
        return f"{len(numbers):,} numbers"
    return tuple(numbers)


def _text(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
