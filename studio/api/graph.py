"""The graph of a model, whatever format it came from: immutable, without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.lazy_dataclass import dataclass

Dimension = int | str | None
"""A size, the name of a symbolic size, or unknown."""

AttributeValue = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TensorType:
    """Element type and shape.

    Attributes:
        dtype: numpy's name (``float32``, ``int8``), or ``bfloat16``, ``string``, ``int4`` ...
        shape: None where even the rank is unknown.
    """

    dtype: str
    shape: tuple[Dimension, ...] | None

    def __str__(self) -> str:
        if self.shape is None:
            return self.dtype
        return f"{self.dtype} " + "×".join("?" if d is None else str(d) for d in self.shape)


@dataclass(frozen=True, slots=True)
class Quantization:
    """Steps of a tensor of integers: each is the float ``scale * (integer - zero_point)``."""

    scale: float
    zero_point: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A named edge of the graph; its type is None where inference could not tell.

    Attributes:
        quantization: Of an input or output whose integers are floats for the user.
    """

    name: str
    type: TensorType | None = None
    quantization: Quantization | None = None


@dataclass(frozen=True, slots=True)
class Initializer:
    """A constant tensor: its type and size, never its content.

    Attributes:
        nbytes: Size of the stored data in bytes.
        external: Name of the external file that holds it, empty when it is inside the model.
    """

    name: str
    type: TensorType
    nbytes: int
    external: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. Missing optional inputs are empty strings.

    Attributes:
        name: Unique in its graph (made up from the operator and position where the file has none).
        domain: Empty for the standard operators.
        blocks: Sub-graphs by attribute name (the branches of an If, the body of a Loop).
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    domain: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    blocks: Mapping[str, Graph] = field(default_factory=dict)
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in topological order, with the values and constants between them.

    Attributes:
        notes: What a format says of a value beside its type, in words (its quantization).
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    initializers: Mapping[str, Initializer] = field(default_factory=dict)
    values: Mapping[str, TensorType] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, name: str) -> TensorType | None:
        """The type of a value, input, output or constant of this graph."""
        constant = self.initializers.get(name)
        if constant is not None:
            return constant.type
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Facts of a language model; None or empty where the file does not have them.

    Attributes:
        architecture: As the format names it (``llama``).
        heads, kv_heads: Attention heads of queries, and of keys and values, in the layer that has
            most.
        key_size, value_size: Numbers of a head for each token.
        width: Numbers of a token between layers.
        context: Longest sequence that it was made for, in tokens.
        tokenizer: Kind of the tokenizer (``BPE, smollm``).
        chat_template: Text of the template, which is a program: show it, never run it.
        cached_layers: Layers with a cache of keys and values; all of them by default.
    """

    architecture: str
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    key_size: int | None = None
    value_size: int | None = None
    width: int | None = None
    vocabulary: int | None = None
    context: int | None = None
    tokenizer: str = ""
    chat_template: str = ""
    cached_layers: int | None = None

    def cache_bytes(self, bytes_per_number: float = 2) -> int | None:
        """Return the bytes that the cache of keys and values takes for each token.

        Args:
            bytes_per_number: 2 for float16, 1 for int8.
        """
        layers = self.layers if self.cached_layers is None else self.cached_layers
        sizes = (layers, self.kv_heads, self.key_size, self.value_size)
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return None
        count, heads, key, value = known
        return round(count * heads * (key + value) * bytes_per_number)


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the studio sees it.

    Attributes:
        format: Identifier of the format plugin that read it (``onnx``).
        opsets: Operator-set version by domain (empty string: the standard domain).
        functions: Model-local functions by qualified name.
        language: Of a model that generates text.
    """

    format: str
    graph: Graph
    opsets: Mapping[str, int] = field(default_factory=dict)
    ir_version: int = 0
    producer: str = ""
    doc: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Graph] = field(default_factory=dict)
    language: LanguageModel | None = None


@dataclass(frozen=True, slots=True)
class GraphLayout:
    """Where each node of a graph is drawn, in the order of ``Graph.nodes`` behind the terminals.

    Boxes are, in this order: the graph's inputs, its nodes, its outputs. All units are pixels at
    100 % zoom; x and y are the box's top left corner.

    Attributes:
        edges: (from box, to box, value name) for each drawn connection.
        bends: For each edge its intermediate points, flattened (x0, y0, x1, y1, ...); empty where
            it is direct.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    width: tuple[float, ...]
    height: tuple[float, ...]
    edges: tuple[tuple[int, int, str], ...]
    bends: tuple[tuple[float, ...], ...]
    size: tuple[float, float]
