"""What each layer costs alone: the error at the outputs, and the time, when only it is quantized.

Only the nodes downstream of a layer are run again, from activations that were kept of the float
model. The layer itself is the one of the quantized model, with its bytes as weights and its output
rounded, so that the runtime uses the kernels that it will use.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from studio.api import Array, Feeds, Progress
from studio_onnxruntime.rewriting.view import used

CEILING_DB = 200.0
_PAIR = ("QuantizeLinear", "DequantizeLinear")
_TIMED_RUNS = 7


@dataclass(frozen=True, slots=True)
class LayerCost:
    """What quantizing one layer alone does.

    Attributes:
        sqnr_db: Signal to noise at the worst output, in decibels.
        float_us, int8_us: Time of the layer alone, least of a few runs on one thread.
    """

    sqnr_db: float
    float_us: float
    int8_us: float

    @property
    def gain_us(self) -> float:
        """What quantizing the layer saves; negative where int8 is slower."""
        return self.float_us - self.int8_us


def layer_costs(
    exact: ModelProto,
    quantized: ModelProto,
    layers: Sequence[str],
    samples: Sequence[Feeds],
    progress: Progress,
) -> dict[str, LayerCost]:
    """The cost of each layer.

    Args:
        exact: The float model.
        quantized: The same with all of these layers quantized.
        layers: Names of nodes that both have.
        samples: All activations of all of them are in memory at once: two are enough.
    """
    nodes = {node.name: node for node in exact.graph.node}
    bits = Pieces(quantized.graph)
    cones = {name: downstream(exact.graph, nodes[name]) for name in layers}
    kept = _kept(exact, cones.values(), samples)
    costs = {}
    for index, name in enumerate(layers):
        progress.progress(index, len(layers), f"Sensitivity ({index + 1} of {len(layers)})")
        piece = bits.of(name, nodes[name].output[0])
        error = _sqnr(_cut(exact, bits, [*piece, *cones[name][1:]]), kept)
        outputs = list(nodes[name].output)
        times = [
            _least_us(_cut(exact, bits, part, outputs), kept[0]) for part in ([nodes[name]], piece)
        ]
        costs[name] = LayerCost(error, *times)
    return costs


class Pieces:
    """The quantized layers of a model, one by one, with the pairs around them."""

    def __init__(self, graph: GraphProto) -> None:
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes = {node.name: node for node in graph.node}
        self._makers = {output: node for node in graph.node for output in node.output}
        self._readers: dict[str, NodeProto] = {}
        for node in graph.node:
            if node.op_type in _PAIR:
                self._readers.setdefault(node.input[0], node)

    def of(self, name: str, output: str) -> list[NodeProto]:
        """The nodes of a layer, from its float input to its float output of the given name."""
        layer = NodeProto()
        layer.CopyFrom(self._nodes[name])
        piece = [*self._before(layer), layer]
        quantize = self._readers.get(layer.output[0])
        dequantize = self._readers.get(quantize.output[0]) if quantize is not None else None
        if quantize is None or dequantize is None:
            layer.output[0] = output
            return piece
        pair = [NodeProto(), NodeProto()]
        for copy, original in zip(pair, (quantize, dequantize), strict=True):
            copy.CopyFrom(original)
        layer.output[0] = pair[0].input[0] = f"{output}.unrounded"
        pair[0].output[0] = pair[1].input[0] = f"{output}.rounded"
        pair[1].output[0] = output
        return [*piece, *pair]

    def _before(self, node: NodeProto) -> list[NodeProto]:
        found: list[NodeProto] = []
        for name in node.input:
            maker = self._makers.get(name)
            if maker is not None and maker.op_type in _PAIR and maker not in found:
                found += [one for one in self._before(maker) if one not in found]
                found.append(maker)
        return found


def downstream(graph: GraphProto, start: NodeProto) -> list[NodeProto]:
    """A node and all that depends on it, in the graph's order."""
    live, found = set(start.output), [start]
    for node in graph.node:
        if node.name != start.name and not live.isdisjoint(used(node)):
            live.update(node.output)
            found.append(node)
    return found


def _cut(
    exact: ModelProto, bits: Pieces, nodes: Sequence[NodeProto], outputs: Sequence[str] = ()
) -> ModelProto:
    """A model of these nodes; what they read from elsewhere are its inputs."""
    constants = {t.name: t for t in exact.graph.initializer} | bits.constants
    made = {name for node in nodes for name in node.output}
    read = list(dict.fromkeys(name for node in nodes for name in used(node) if name))
    wanted = outputs or [v.name for v in exact.graph.output if v.name in made]
    types = {v.name: v for v in (*exact.graph.value_info, *exact.graph.input)}
    inputs = [name for name in read if name not in made and name not in constants]
    graph = helper.make_graph(
        list(nodes),
        "cut",
        [_typed(types, name) for name in inputs],
        [_typed(types, name) for name in wanted],
        # A dequantized constant may bear the name of the float one.
        [constants[name] for name in read if name in constants and name not in made],
    )
    return helper.make_model(graph, opset_imports=exact.opset_import, ir_version=exact.ir_version)


def _typed(types: Mapping[str, onnx.ValueInfoProto], name: str) -> onnx.ValueInfoProto:
    """A value of the same type and any shape."""
    kind = types[name].type.tensor_type.elem_type if name in types else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind or TensorProto.FLOAT, None)


def _kept(
    exact: ModelProto, cones: Iterable[Sequence[NodeProto]], samples: Sequence[Feeds]
) -> list[dict[str, Array]]:
    """What the cones read and what the model gives, for each sample."""
    given = {value.name for value in exact.graph.input}
    constants = {tensor.name for tensor in exact.graph.initializer}
    leaving = [value.name for value in exact.graph.output]
    names = dict.fromkeys(leaving)
    for cone in cones:
        made = {name for node in cone[1:] for name in node.output}
        for node in cone:
            names.update(dict.fromkeys(n for n in used(node) if n and n not in made))
    makers = {name for node in exact.graph.node for name in node.output}
    names = {n: None for n in names if n in makers and n not in constants and n not in given}
    model = ModelProto()
    model.CopyFrom(exact)
    types = {value.name: value for value in model.graph.value_info}
    model.graph.output.extend(_typed(types, name) for name in names if name not in leaving)
    session = _session(model)
    return [
        {**feeds, **dict(zip(names, session.run(list(names), dict(feeds)), strict=True))}
        for feeds in samples
    ]


def _sqnr(model: ModelProto, kept: Sequence[Mapping[str, Array]]) -> float:
    session = _session(model)
    outputs = [value.name for value in model.graph.output]
    inputs = [value.name for value in model.graph.input]
    signal, noise = numpy.zeros(len(outputs)), numpy.zeros(len(outputs))
    for values in kept:
        found = session.run(outputs, {name: values[name] for name in inputs})
        for index, name in enumerate(outputs):
            exact = values[name].astype(numpy.float64)
            signal[index] += float((exact**2).sum())
            noise[index] += float(((found[index] - exact) ** 2).sum())
    return min((_decibels(*pair) for pair in zip(signal, noise, strict=True)), default=CEILING_DB)


def _decibels(signal: float, noise: float) -> float:
    if not noise:
        return CEILING_DB
    return 10 * math.log10(signal / noise) if signal else -CEILING_DB


def _least_us(model: ModelProto, values: Mapping[str, Array]) -> float:
    session = _session(model)
    feeds = {value.name: values[value.name] for value in model.graph.input}
    times = []
    for _ in range(_TIMED_RUNS):
        begin = time.perf_counter()
        session.run(None, feeds)
        times.append(time.perf_counter() - begin)
    return 1e6 * min(times[1:])


def _session(model: ModelProto):  # type: ignore[no-untyped-def]  # onnxruntime has no types
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 4
    return onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
