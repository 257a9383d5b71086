"""The graph of a decoder, drawn from the names and shapes of its tensors.

Neither GGUF nor safetensors holds a graph: the program that runs the file knows it by the name of
the architecture. The nodes are those of the usual decoder (Vaswani et al. 2017; grouped queries:
Ainslie et al. 2023; gated feed-forward: Shazeer 2020). A layer with other tensors is one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from studio.api import Dimension, Graph, Initializer, Node, TensorType, Value
from studio_language.roles import Role, role_of

TOKENS, LOGITS = "tokens", "logits"
_LENGTH = "sequence"
_NORM = "RMSNormalization"
_DOMAIN = "language"
"""Of the nodes that are no operators of ONNX."""


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """Sizes that the tensors alone do not tell.

    Attributes:
        heads, kv_heads: Of the attention.
    """

    heads: int | None
    kv_heads: int | None


@dataclass(slots=True)
class _Layer:
    """The tensors of a layer, by their parts."""

    weights: dict[str, Initializer] = field(default_factory=dict)
    biases: dict[str, Initializer] = field(default_factory=dict)
    beside: dict[str, list[Initializer]] = field(default_factory=dict)
    others: list[Initializer] = field(default_factory=list)

    def add(self, role: Role, tensor: Initializer) -> None:
        if role.is_beside and role.part:
            self.beside.setdefault(role.part, []).append(tensor)
            return
        known = self.biases if role.is_bias else self.weights
        if role.part and role.part not in known:
            known[role.part] = tensor
        else:
            self.others.append(tensor)

    def all(self) -> tuple[str, ...]:
        beside = (one for many in self.beside.values() for one in many)
        found = (*self.weights.values(), *self.biases.values(), *beside, *self.others)
        return tuple(one.name for one in found)

    @property
    def is_usual(self) -> bool:
        has = self.weights.keys()
        attention = "attn.qkv" in has or {"attn.q", "attn.k", "attn.v"} <= has
        forward = "ffn.down" in has or "ffn.down_experts" in has
        return attention and "attn.output" in has and forward


def decoder_graph(
    name: str,
    tensors: Iterable[Initializer],
    shape: DecoderShape,
    length: Dimension = _LENGTH,
) -> Graph:
    """Return the graph of a decoder.

    Args:
        tensors: All of the file; matrices have the shape outputs by inputs.
        length: Number of tokens that the shapes are for.
    """
    return _DecoderBuilder(shape, length).graph(name, {one.name: one for one in tensors})


class _DecoderBuilder:
    """Adds node after node, each with the type of what it gives."""

    def __init__(self, shape: DecoderShape, length: Dimension) -> None:
        self._shape = shape
        self._length = length
        self._nodes: list[Node] = []
        self._values: dict[str, TensorType] = {}

    def graph(self, name: str, tensors: Mapping[str, Initializer]) -> Graph:
        whole, layers = _by_layer(tensors.values())
        source = Value(TOKENS, TensorType("int64", (1, self._length)))
        self._values[TOKENS] = source.type or TensorType("int64", None)
        at = self._embedded(whole)
        for number in sorted(layers):
            at = self._layer(f"layers.{number}", layers[number], at)
        at = self._norm("norm", whole, "norm", at)
        head = whole.weights.get("head") or whole.weights.get("embed")
        if head is not None:
            at = self._product("head", head, whole.biases.get("head"), at, LOGITS)
        for other in whole.others:
            self._add(f"other.{other.name}", "Parameter", (other.name,), other.type, _DOMAIN)
        ends = (Value(at, self._values.get(at)),)
        return Graph(name, (source,), ends, tuple(self._nodes), tensors, self._values)

    def _add(
        self,
        name: str,
        operator: str,
        inputs: tuple[str, ...],
        kind: TensorType | None,
        domain: str = "",
        output: str = "",
        attributes: Mapping[str, int] | None = None,
    ) -> str:
        output = output or name
        node = Node(name, operator, inputs, (output,), domain, dict(attributes or {}))
        self._nodes.append(node)
        if kind is not None:
            self._values[output] = kind
        return output

    def _rows(self, width: Dimension) -> TensorType:
        return TensorType("float32", (1, self._length, width))

    def _width(self, value: str) -> Dimension:
        kind = self._values.get(value)
        return kind.shape[-1] if kind and kind.shape else None

    def _embedded(self, whole: _Layer) -> str:
        table = whole.weights.get("embed")
        if table is None:
            return TOKENS
        width = _last(table)
        at = self._add("embed", "Gather", (table.name, TOKENS), self._rows(width))
        return self._norm("embed_norm", whole, "embed_norm", at)

    def _norm(self, name: str, layer: _Layer, part: str, at: str) -> str:
        weight, bias = layer.weights.get(part), layer.biases.get(part)
        if weight is None:
            return at
        operator = _NORM if bias is None else "LayerNormalization"
        inputs = (at, weight.name, *((bias.name,) if bias else ()))
        return self._add(name, operator, inputs, self._values.get(at))

    def _product(
        self,
        name: str,
        weight: Initializer,
        bias: Initializer | None,
        at: str,
        output: str = "",
        beside: Sequence[Initializer] = (),
    ) -> str:
        shape = weight.type.shape or ()
        width = shape[0] if len(shape) > 1 else None
        more = (*((bias,) if bias else ()), *beside)
        inputs = (at, weight.name, *(one.name for one in more))
        operator = "MatMul" if bias is None else "Gemm"
        return self._add(name, operator, inputs, self._rows(width), output=output)

    def _projected(self, layer: _Layer, scope: str, part: str, at: str) -> str:
        weight, beside = layer.weights[part], layer.beside.get(part, ())
        return self._product(f"{scope}.{part}", weight, layer.biases.get(part), at, beside=beside)

    def _layer(self, scope: str, layer: _Layer, at: str) -> str:
        if not layer.is_usual:
            return self._add(scope, "Layer", (at, *layer.all()), self._values.get(at), _DOMAIN)
        at = self._attention(scope, layer, at)
        at = self._forward(scope, layer, at)
        for other in layer.others:
            self._add(f"{scope}.{other.name}", "Parameter", (other.name,), other.type, _DOMAIN)
        return at

    def _attention(self, scope: str, layer: _Layer, start: str) -> str:
        at = self._norm(f"{scope}.attn.norm", layer, "attn.norm", start)
        if "attn.qkv" in layer.weights:
            heads: tuple[str, ...] = (self._projected(layer, scope, "attn.qkv", at),)
        else:
            heads = tuple(self._head(layer, scope, part, at) for part in ("q", "k", "v"))
        width = _last(layer.weights["attn.output"])
        sizes = {"num_heads": self._shape.heads, "kv_num_heads": self._shape.kv_heads}
        known = {name: size for name, size in sizes.items() if size is not None}
        name = f"{scope}.attn.attention"
        at = self._add(name, "GroupQueryAttention", heads, self._rows(width), _DOMAIN, "", known)
        at = self._projected(layer, scope, "attn.output", at)
        at = self._norm(f"{scope}.attn.post_norm", layer, "attn.post_norm", at)
        return self._add(f"{scope}.attn.add", "Add", (start, at), self._values.get(at))

    def _head(self, layer: _Layer, scope: str, part: str, at: str) -> str:
        at = self._projected(layer, scope, f"attn.{part}", at)
        return self._norm(f"{scope}.attn.{part}_norm", layer, f"attn.{part}_norm", at)

    def _forward(self, scope: str, layer: _Layer, start: str) -> str:
        at = self._norm(f"{scope}.ffn.norm", layer, "ffn.norm", start)
        if "ffn.down_experts" in layer.weights:
            at = self._experts(scope, layer, at)
        else:
            at = self._projected(layer, scope, "ffn.down", self._gated(scope, layer, at))
        at = self._norm(f"{scope}.ffn.post_norm", layer, "ffn.post_norm", at)
        return self._add(f"{scope}.ffn.add", "Add", (start, at), self._values.get(at))

    def _gated(self, scope: str, layer: _Layer, at: str) -> str:
        width = _last(layer.weights["ffn.down"])
        parts = [part for part in ("ffn.gate", "ffn.up") if part in layer.weights]
        found = tuple(self._projected(layer, scope, part, at) for part in parts)
        gated = len(found) > 1 or (found and self._width(found[0]) != width)
        operator, domain = ("SwiGLU", _DOMAIN) if gated else ("Gelu", "")
        return self._add(f"{scope}.ffn.activation", operator, found, self._rows(width), domain)

    def _experts(self, scope: str, layer: _Layer, at: str) -> str:
        parts = sorted(
            part for part in layer.weights if part.startswith("ffn.") and "norm" not in part
        )
        weights = tuple(layer.weights[part].name for part in parts)
        kind = self._values.get(at)
        return self._add(f"{scope}.ffn.experts", "MoE", (at, *weights), kind, _DOMAIN)


def _by_layer(tensors: Iterable[Initializer]) -> tuple[_Layer, dict[int, _Layer]]:
    whole, layers = _Layer(), dict[int, _Layer]()
    for tensor in tensors:
        role = role_of(tensor.name)
        home = whole if role.layer is None else layers.setdefault(role.layer, _Layer())
        home.add(role, tensor)
    return whole, layers


def _last(tensor: Initializer) -> Dimension:
    shape = tensor.type.shape
    return shape[-1] if shape else None
