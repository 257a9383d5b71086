"""ONNX models as programs of PyTorch: the operator table of the runner, traced and exported.

Used by ``tool.py``: numpy, onnx and torch alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import get_proxy_mode, make_fx
from torch.fx.node import Argument

_parts: Any = importlib.import_module("tool_models")
_runner: Any = importlib.import_module("runner")
_trace: Any = importlib.import_module("tool_trace")
_values: Any = importlib.import_module("tool_values")
ConversionError: type[Exception] = _parts.ConversionError

Json = Mapping[str, Any]

_IDENTIFIER = re.compile(r"\W|^(?=\d)")
_RANDOM = ("rand", "dropout", "bernoulli", "multinomial")
_TRACED = "val"
"""Key of what a traced node computes, as its tracer has it."""

_COMMUTATIVE = (torch.ops.aten.add.Tensor, torch.ops.aten.mul.Tensor)
_ELEMENTWISE = (*_COMMUTATIVE, torch.ops.aten.sub.Tensor, torch.ops.aten.div.Tensor)


class OnnxModel:
    """An ONNX model that becomes an exported program (``.pt2``) with fixed sizes."""

    axes: Mapping[int, Sequence[str]] = {}

    def __init__(self, path: str) -> None:
        try:
            self._runner = _runner.TorchRunner(path, {})
        except ValueError as error:
            raise ConversionError(f"It cannot be traced: {error}.") from None
        self._inputs = self._runner.inputs()

    def names(self) -> list[str]:
        """Names of its inputs."""
        return [str(one["name"]) for one in self._inputs]

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as a program of PyTorch, with the names of the ONNX model in it.

        Raises:
            ConversionError: for sizes that are open, or what depends on the values of inputs.
        """
        examples = tuple(self._example(one, inputs) for one in self._inputs)
        graph = self._runner.graph
        names = self.names()
        nodes: dict[str, Node] = {}

        def forward(*values: Any) -> tuple[Any, ...]:
            run = _trace.TracedRun(names, values, lambda name, value: _find(name, value, nodes))
            return tuple(run.outputs(graph))

        with torch.no_grad():
            traced = make_fx(forward, tracing_mode="real", pre_dispatch=True)(*examples)
        for name, node in nodes.items():
            node.meta.setdefault("custom", {}).setdefault(_values.ONNX, []).append(name)
        fold(traced)
        fit_constants(traced)
        rename_inputs(traced, names)
        program = torch.export.export(traced, examples)
        names_of_all = {"inputs": names, "outputs": self._runner.outputs}
        torch.export.save(program, output, extra_files={_parts.NAMES: json.dumps(names_of_all)})
        return []

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it as the operator table does."""
        made = self._runner.run(arrays)
        return [torch.from_numpy(made[name]) for name in self._runner.outputs]

    def line_of(self, node: str) -> str:
        """Return nothing: ONNX has no lines of code."""
        return ""

    def fed(self) -> list[str]:
        """Names of its inputs."""
        return self.names()

    def inner(self, made: bool) -> None:
        """Return nothing: it is the ONNX model."""

    def _example(self, one: Json, inputs: Mapping[str, Json]) -> Any:
        spec = inputs.get(one["name"]) or _parts.NO_WISH
        sizes = spec["shape"] or one["shape"]
        if not all(isinstance(size, int) for size in sizes):
            raise ConversionError(f"The sizes of the input {one['name']!r} are open.")
        return _parts.filled(sizes, getattr(torch, one["dtype"]))


def _find(name: str, value: Any, nodes: dict[str, Node]) -> None:
    """Keep the node that computes a value; several names may be one value."""
    mode = get_proxy_mode()
    slot = mode.tracer.tensor_tracker.get(value) if mode and torch.is_tensor(value) else None
    if slot is not None:
        nodes[name] = slot.proxy.node


def fold(traced: GraphModule) -> None:
    """Replace what follows from constants alone by its value."""
    values: dict[Node, Any] = {}
    for node in traced.graph.nodes:
        if node.op == "get_attr":
            values[node] = getattr(traced, str(node.target))
        elif node.op == "call_function" and _is_constant(node, values):
            values[node] = _computed(node, values)
    for number, (node, value) in enumerate(values.items()):
        outer = [user for user in node.users if user not in values]
        if node.op == "get_attr" or not outer or not isinstance(value, torch.Tensor):
            continue
        name = f"_folded_{number}"
        traced.register_buffer(name, value.detach().clone().contiguous())
        with traced.graph.inserting_before(node):
            node.replace_all_uses_with(traced.graph.get_attr(name))
    traced.graph.eliminate_dead_code()
    traced.recompile()


def fit_constants(traced: GraphModule) -> None:
    """Give the constants of arithmetic the form in which PyTorch's own programs have them.

    A single number becomes one of Python, and a smaller tensor gets the axes of the other operand.
    ONNX has both as tensors of fewer axes, and what converts the program further then keeps the
    channels first around each such operator: two transpositions for each.
    """
    for node in traced.graph.nodes:
        if node.op != "call_function" or node.target not in _ELEMENTWISE or node.kwargs:
            continue
        first, second = node.args
        if node.target in _COMMUTATIVE and _constant(traced, first) is not None:
            first, second = second, first
        value, other = _constant(traced, second), _value(first)
        if (
            value is None
            or other is None
            or value.dtype != other.dtype
            or value.dim() > other.dim()
        ):
            continue
        if value.numel() == 1 and value.is_floating_point():
            node.args = (first, value.item())
        elif value.dim() < other.dim():
            name = f"_fitted_{node.name}"
            traced.register_buffer(
                name, value.reshape((1,) * (other.dim() - value.dim()) + value.shape)
            )
            with traced.graph.inserting_before(node):
                node.args = (first, traced.graph.get_attr(name))
    traced.graph.eliminate_dead_code()
    traced.recompile()


def _constant(traced: GraphModule, node: Argument) -> torch.Tensor | None:
    is_constant = isinstance(node, Node) and node.op == "get_attr"
    found = getattr(traced, str(node.target)) if is_constant else None
    return found if isinstance(found, torch.Tensor) else None


def _value(node: Argument) -> torch.Tensor | None:
    """Return the tensor that a node computes, as it was traced: sizes and type alone."""
    found = node.meta.get(_TRACED) if isinstance(node, Node) else None
    return found if isinstance(found, torch.Tensor) else None


def _is_constant(node: Node, values: Mapping[Node, Any]) -> bool:
    if any(word in str(node.target) for word in _RANDOM):
        return False
    return all(one in values for one in node.all_input_nodes)


def _computed(node: Node, values: Mapping[Node, Any]) -> Any:
    arguments = torch.fx.map_arg(node.args, values.__getitem__)
    keywords = torch.fx.map_arg(node.kwargs, values.__getitem__)
    with torch.no_grad():
        return node.target(*arguments, **keywords)


def rename_inputs(traced: GraphModule, names: Sequence[str]) -> None:
    """Give the inputs of a traced program names that are like those of the model."""
    taken = {node.name for node in traced.graph.nodes}
    inputs = [node for node in traced.graph.nodes if node.op == "placeholder"]
    for node, name in zip(inputs, names, strict=True):
        wanted = _IDENTIFIER.sub("_", name) or "x"
        while wanted in taken:
            wanted += "_"
        taken.add(wanted)
        node.name = node.target = wanted
    traced.graph.lint()
    traced.recompile()
