"""From an IR's nets to the studio's graph, without the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from studio.api import AttributeValue, Dimension, Graph, Initializer, Model, Node, TensorType, Value
from studio_openvino.ir import nets
from studio_openvino.ir_types import Binding, Edge, Layer, Net, Port, dtype_name
from studio_openvino.value_names import Names, Place, layers_by_id, ordered, sources
from studio_openvino.weights import Constant, constant_of

_OPSET = re.compile(r"opset(\d{1,6})")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_LONGEST_LIST = 4096
_LONGEST_TEXT = 4096
_TERMINALS = frozenset({"Parameter", "Result", "Const"})


def convert(net: Net, weights: str) -> Model:
    """Return the model in the studio's form.

    Constants become initializers. The Convert behind a compressed one, which a loader folds, is
    not shown either: layers read the constant as it is stored.

    Args:
        weights: Name of the file next to the model.
    """
    versions = [_OPSET.fullmatch(layer.version) for one in nets(net) for layer in one.layers]
    newest = max((int(found[1]) for found in versions if found), default=0)
    return Model(
        format="openvino",
        graph=_Body(net, weights).graph(),
        opsets={"": newest} if newest else {},
        ir_version=net.version,
        producer=_producer(net.metadata),
        metadata=net.metadata,
    )


def find_constant(net: Net, name: str) -> Constant | None:
    """Return the constant of a name, of the net itself before those of its bodies."""
    for part in nets(net):
        for found, constant in _Body(part, "").constants():
            if found == name:
                return constant
    return None


def _producer(metadata: Mapping[str, str]) -> str:
    version = metadata.get("OpenVINO Runtime") or metadata.get("Runtime_version") or ""
    return f"OpenVINO {version}".strip()


class _Body:
    """One net while it is converted: the names of its values, by the ports that write them."""

    def __init__(self, net: Net, weights: str) -> None:
        self._net = net
        self._weights = weights
        self._layers = layers_by_id(net)
        self._reads = sources(net, self._layers)
        self._order = ordered(net, self._reads)
        self._names: dict[Place, str] = {}
        taken = Names()
        for layer in self._order:
            self._name_outputs(layer, taken)

    def _name_outputs(self, layer: Layer, taken: Names) -> None:
        if self._is_folded(layer):
            read = self._reads[layer.id, layer.inputs[0].id]
            for port in layer.outputs:
                self._names[layer.id, port.id] = self._names[read]
            return
        for index, port in enumerate(layer.outputs):
            own = layer.name or f"{layer.kind}_{layer.id}"
            wish = port.names[0] if port.names else f"{own}:{index}" if index else own
            self._names[layer.id, port.id] = taken.reserve(wish)

    def _is_folded(self, layer: Layer) -> bool:
        if not layer.is_decompression or layer.kind != "Convert" or len(layer.inputs) != 1:
            return False
        return self._layers[self._reads[layer.id, layer.inputs[0].id][0]].kind == "Const"

    def graph(self) -> Graph:
        """Return the net as a graph."""
        node_names = Names()
        nodes, inputs = [], []
        constants = self._initializers()
        types: dict[str, TensorType] = {}
        for layer in self._order:
            if layer.kind != "Const" and not self._is_folded(layer):
                types.update(self._types(layer))
                if layer.kind == "Parameter":
                    inputs += [self._value(layer, port, types) for port in layer.outputs]
                elif layer.kind not in _TERMINALS:
                    name = node_names.reserve(layer.name or f"{layer.kind}_{layer.id}")
                    nodes.append(self._node(name, layer))
        outputs = dict.fromkeys(
            self._read(layer, port)
            for layer in self._net.layers
            if layer.kind == "Result"
            for port in layer.inputs
        )
        known = {**types, **{name: one.type for name, one in constants.items()}}
        return Graph(
            name=self._net.name,
            inputs=tuple(inputs),
            outputs=tuple(Value(name, known.get(name)) for name in outputs),
            nodes=tuple(nodes),
            initializers=constants,
            values=types,
        )

    def _value(self, layer: Layer, port: Port, types: Mapping[str, TensorType]) -> Value:
        name = self._names[layer.id, port.id]
        return Value(name, types.get(name))

    def _read(self, layer: Layer, port: Port) -> str:
        return self._names[self._reads[layer.id, port.id]]

    def constants(self) -> Iterator[tuple[str, Constant]]:
        """Yield the constants of the net, without those of its bodies, by their values' names."""
        for layer in self._order:
            if layer.kind == "Const":
                for port in layer.outputs:
                    yield self._names[layer.id, port.id], constant_of(layer)

    def _initializers(self) -> dict[str, Initializer]:
        return {
            name: Initializer(
                name, TensorType(dtype_name(one.precision), one.shape), one.size, self._weights
            )
            for name, one in self.constants()
        }

    def _types(self, layer: Layer) -> dict[str, TensorType]:
        shape = _written_shape(layer) if layer.kind == "Parameter" else None
        return {
            self._names[layer.id, port.id]: TensorType(
                dtype_name(port.precision), shape if shape is not None else port.shape or None
            )
            for port in layer.outputs
        }

    def _node(self, name: str, layer: Layer) -> Node:
        attributes = {key: _attribute(text) for key, text in layer.data.items()}
        bodies = {key: _Body(body, self._weights) for key, body in layer.bodies.items()}
        if layer.maps:
            attributes["ports"] = self._ports(layer, bodies)
        return Node(
            name=name,
            operator=layer.kind or "unknown",
            inputs=tuple(self._read(layer, port) for port in layer.inputs),
            outputs=tuple(self._names[layer.id, port.id] for port in layer.outputs),
            domain="" if _OPSET.fullmatch(layer.version) else layer.version,
            attributes=attributes,
            blocks={key: body.graph() for key, body in bodies.items()},
        )

    def _ports(self, layer: Layer, bodies: Mapping[str, _Body]) -> tuple[str, ...]:
        """Return the port map as text."""
        outer = {port.id: self._read(layer, port) for port in layer.inputs}
        outer |= {port.id: self._names[layer.id, port.id] for port in layer.outputs}
        say = partial(_binding, outer=outer, bodies=bodies)
        return tuple(say(line) for line in layer.maps[:_LONGEST_LIST])

    def end(self, layer_id: int) -> str:
        """Return the value of a Parameter or a Result of this body."""
        layer = self._layers.get(layer_id)
        if layer is None:
            return "?"
        if layer.inputs:
            return self._read(layer, layer.inputs[0])
        return self._names[layer.id, layer.outputs[0].id] if layer.outputs else "?"


def _binding(line: Binding | Edge, outer: Mapping[int, str], bodies: Mapping[str, _Body]) -> str:
    key = f"{line.body}_body" if isinstance(line, Binding) and line.body else "body"
    body = bodies.get(key)
    if body is None:
        return "?"
    if isinstance(line, Edge):
        return f"{body.end(line.source)} → next {body.end(line.target)}"
    outside = outer.get(line.port) or (line.purpose or "?").replace("_", " ")
    outside += f" along axis {line.axis}" if line.axis is not None else ""
    inside = f"{body.end(line.layer)} of {key}"
    return f"{outside} → {inside}" if line.is_input else f"{inside} → {outside}"


def _written_shape(layer: Layer) -> tuple[Dimension, ...] | None:
    """Parse a Parameter's shape: ``?,3,1..8``; None for ``...``, where the rank is dynamic."""
    text = layer.data.get("shape", "").strip("[] ")
    if text == "...":
        return None
    return tuple(_dimension(part.strip()) for part in text.split(",")) if text else ()


def _dimension(text: str) -> Dimension:
    if _INTEGER.fullmatch(text):
        return int(text) if int(text) >= 0 else None
    return None if text == "?" else text[:64]


def _attribute(text: str) -> AttributeValue:
    """Return numbers and lists of numbers parsed, everything else as text."""
    if len(text) > _LONGEST_TEXT:
        return text[:_LONGEST_TEXT] + "…"
    parts = [part.strip() for part in text.split(",")]
    if all(_INTEGER.fullmatch(part) for part in parts):
        numbers = tuple(map(int, parts))
        return numbers[0] if len(numbers) == 1 else numbers
    try:
        floats = tuple(map(float, parts))
    except ValueError:
        return text
    return floats[0] if len(floats) == 1 else floats
