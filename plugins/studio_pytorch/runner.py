"""The bench's runner for PyTorch: this one file, numpy, onnx and torch alone, Python 3.8.

It runs an ONNX graph eagerly, a torch function for each operator, in the order of the graph:
nothing is fused, folded or laid out anew. That makes it slow, and an independent reference. The
contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import math
import statistics
import time
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy
import onnx
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it

_WARM_UP = 2
_TYPES = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32,
    7: torch.int64, 9: torch.bool, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16,
}  # fmt: skip
"""torch's types by ONNX's numbers."""

Attributes = Mapping[str, Any]
Operator = Callable[..., Any]
Values = Dict[str, Any]


def load(path: str, options: Mapping[str, Any]) -> TorchRunner:
    """Load an ONNX model.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: the runtime's choice).

    Raises:
        ValueError: when the model has an operator that is not known here, in one sentence.
    """
    return TorchRunner(path, options)


class TorchRunner:
    """A graph with its constants as tensors."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        threads = int(options.get("threads") or 0)
        if threads:
            torch.set_num_threads(threads)
        model = onnx.load(path)
        versions = {each.domain: each.version for each in model.opset_import}
        if model.functions:
            raise ValueError("the model has functions, which this runner does not unfold")
        self._declared = model.graph
        self._graph = _Graph(model.graph, versions.get("", 1))
        self._outputs = [each.name for each in model.graph.output]

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and declared shape of each input."""
        constants = {each.name for each in self._declared.initializer}
        found = []
        for each in self._declared.input:
            if each.name in constants:
                continue
            kind = each.type.tensor_type
            if kind.elem_type not in _TYPES:
                raise ValueError("the input {!r} is no tensor of numbers".format(each.name))
            dtype = numpy.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
            shape = [size.dim_value or size.dim_param or None for size in kind.shape.dim]
            found.append({"name": each.name, "dtype": dtype, "shape": shape})
        return found

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once."""
        made = self._once(_tensors(feeds))
        return {name: value.numpy() for name, value in zip(self._outputs, made)}

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """What is timed: the whole graph, on tensors that stand ready."""
        tensors = _tensors(feeds)
        return lambda: self._once(tensors)

    def streams(self, feeds: Mapping[str, Any], count: int) -> list[Callable[[], Any]]:
        """What parallel streams call: the graph keeps nothing between its runs."""
        return [self.bind(feeds) for _ in range(count)]

    def describe(self) -> dict[str, Any]:
        """What is in force. PyTorch computes in the types that the model names."""
        return {
            "runtime": "pytorch",
            "version": torch.__version__.partition("+")[0],
            "device": "cpu",
            "providers": [],
            "precision": "as in the model",
            "threads": torch.get_num_threads(),
            "outputs": self._outputs,
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Time of each node of the main graph; those of a branch are with its If."""
        tensors, steps = _tensors(feeds), self._graph.steps
        times: list[list[float]] = [[] for _ in steps]
        for number in range(_WARM_UP + runs):
            marks = self._graph.timed(tensors)
            for index, taken in enumerate(marks if number >= _WARM_UP else ()):
                times[index].append(taken)
        rows = [
            {
                "name": step.name,
                "operator": step.operator,
                "provider": "cpu",
                "type": "",
                "us": statistics.median(taken) / 1e3,
                "calls": 1,
            }
            for step, taken in zip(steps, times)
        ]
        return sorted(rows, key=lambda row: -float(row["us"]))

    def close(self) -> None:
        """Free the graph."""
        del self._graph

    def _once(self, tensors: Values) -> list[Any]:
        with torch.inference_mode():
            return self._graph.run(tensors)


class _Step:
    """A node: its function, its attributes, the names of what it takes and makes."""

    def __init__(self, node: Any, opset: int) -> None:
        self.name = node.name or node.output[0]
        self.operator = node.op_type
        self.takes = list(node.input)
        self.makes = list(node.output)
        self.frees: list[str] = []
        self.branches = {
            each.name: _Graph(each.g, opset) for each in node.attribute if each.HasField("g")
        }
        known = None if node.domain not in ("", "ai.onnx") else _OPERATORS.get(node.op_type)
        if known is None and node.op_type != "If":
            name = "{}.{}".format(node.domain, node.op_type) if node.domain else node.op_type
            raise ValueError("PyTorch's runner has no operator {}".format(name))
        self._function: Operator = known or _no_operator
        self._attributes = _attributes(node, opset)
        _refuse(node.op_type, self._attributes)

    def names(self) -> set[str]:
        """All that it needs, also within its branches."""
        inner = (step.names() for graph in self.branches.values() for step in graph.steps)
        outer = {name for graph in self.branches.values() for name in graph.outputs}
        return set(self.takes).union(outer, *inner)

    def run(self, values: Values) -> None:
        """Compute, and put what is made among the values."""
        if self.operator == "If":
            chosen = "then_branch" if bool(values[self.takes[0]]) else "else_branch"
            made = self.branches[chosen].run(values)
        else:
            taken = [values[name] if name else None for name in self.takes]
            result = self._function(self._attributes, *taken)
            made = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(made) < len(self.makes):
            raise ValueError("{} with all its outputs is not known here".format(self.operator))
        for name, value in zip(self.makes, made):
            values[name] = value
        for name in self.frees:
            values.pop(name, None)


class _Graph:
    """The steps of a graph, in its order, and its constants."""

    def __init__(self, graph: Any, opset: int) -> None:
        self.outputs = [each.name for each in graph.output]
        self._constants = {
            each.name: _tensor(onnx.numpy_helper.to_array(each)) for each in graph.initializer
        }
        self.steps: list[_Step] = []
        for node in graph.node:
            if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
                self._constants[node.output[0]] = _constant(node)
            else:
                self.steps.append(_Step(node, opset))
        self._free()

    def _free(self) -> None:
        """Let each value go after the last step that needs it."""
        made = {name for step in self.steps for name in step.makes} - set(self.outputs)
        last = {name: step for step in self.steps for name in step.names()}
        for name in made:
            if name in last:
                last[name].frees.append(name)

    def run(self, outside: Values) -> list[Any]:
        """The outputs; a branch sees the values outside of it."""
        values = {**outside, **self._constants}
        for step in self.steps:
            step.run(values)
        return [values[name] for name in self.outputs]

    def timed(self, outside: Values) -> list[int]:
        """Nanoseconds of each step."""
        values = {**outside, **self._constants}
        marks = []
        with torch.inference_mode():
            for step in self.steps:
                start = time.perf_counter_ns()
                step.run(values)
                marks.append(time.perf_counter_ns() - start)
        return marks


def _tensors(feeds: Mapping[str, Any]) -> Values:
    return {name: _tensor(array) for name, array in feeds.items()}


def _tensor(array: Any) -> Any:
    if array.dtype.kind in "OSU":
        raise ValueError("PyTorch has no texts")
    array = numpy.array(array)  # a copy: those of onnx are read-only
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(numpy.float32)).to(torch.bfloat16)
    return torch.from_numpy(array)


def _constant(node: Any) -> Any:
    value = onnx.helper.get_attribute_value(node.attribute[0])
    if node.attribute[0].name == "value":
        return _tensor(onnx.numpy_helper.to_array(value))
    kind = numpy.int64 if "int" in node.attribute[0].name else numpy.float32
    return _tensor(numpy.array(value, kind))


def _attributes(node: Any, opset: int) -> dict[str, Any]:
    found: dict[str, Any] = {"opset": opset, "outputs": len(node.output)}
    for each in node.attribute:
        if each.HasField("g"):
            continue
        value = onnx.helper.get_attribute_value(each)
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, onnx.TensorProto):
            value = _tensor(onnx.numpy_helper.to_array(value))
        found[each.name] = value
    return found


_REFUSED: Dict[str, Attributes] = {
    "ArgMax": {"select_last_index": 0},
    "ArgMin": {"select_last_index": 0},
    "AveragePool": {"dilations": None},
    "BatchNormalization": {"training_mode": 0},
    "DequantizeLinear": {"block_size": 0},
    "QuantizeLinear": {"block_size": 0},
    "Resize": {"antialias": 0, "keep_aspect_ratio_policy": "stretch", "exclude_outside": 0},
}
"""Attributes whose other values are not known here: better refused than computed wrongly."""


def _refuse(operator: str, attributes: Attributes) -> None:
    for name, plain in _REFUSED.get(operator, {}).items():
        value = attributes.get(name, plain)
        if value != plain and set(value if isinstance(value, list) else [0]) != {1}:
            raise ValueError("{} with {} is not known here".format(operator, name))


def _no_operator(*_: Any) -> Any:
    raise ValueError("an operator is missing")


# Operators: each takes its attributes, then its inputs (None for one that is left out).


def _list(attributes: Attributes, name: str, given: Any) -> list[int] | None:
    """A list that newer opsets take as an input and older ones as an attribute."""
    if given is not None:
        return [int(each) for each in given.reshape(-1).tolist()]
    value = attributes.get(name)
    return None if value is None else [int(each) for each in value]


def _pads(a: Attributes, x: Any, kernel: Sequence[int], strides: Any, dilations: Any) -> list[int]:
    """Begin and end of each spatial axis."""
    rank = len(kernel)
    mode = a.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID"):
        return list(a.get("pads", [0] * 2 * rank)) if mode == "NOTSET" else [0] * 2 * rank
    begin, end = [], []
    for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations):
        total = max(0, (math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size)
        small, large = total // 2, total - total // 2
        begin.append(small if mode == "SAME_UPPER" else large)
        end.append(large if mode == "SAME_UPPER" else small)
    return begin + end


def _window(a: Attributes, x: Any, kernel: Sequence[int]) -> tuple[Any, Any, list[int]]:
    strides = list(a.get("strides", [1] * len(kernel)))
    dilations = list(a.get("dilations", [1] * len(kernel)))
    return strides, dilations, _pads(a, x, kernel, strides, dilations)


def _padded(x: Any, pads: Sequence[int], value: float = 0.0) -> Any:
    """The tensor with its spatial axes padded."""
    if not any(pads):
        return x
    rank = len(pads) // 2
    flat = [each for axis in reversed(range(rank)) for each in (pads[axis], pads[axis + rank])]
    return F.pad(x, flat, value=value)


def _conv(a: Attributes, x: Any, w: Any, b: Any = None) -> Any:
    strides, dilations, pads = _window(a, x, w.shape[2:])
    rank = len(pads) // 2
    even = pads[:rank] == pads[rank:]
    x = x if even else _padded(x, pads)
    function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    padding = pads[:rank] if even else 0
    return function(x, w, b, strides, padding, dilations, a.get("group", 1))


def _conv_transpose(a: Attributes, x: Any, w: Any, b: Any = None) -> Any:
    rank = w.dim() - 2
    if a.get("auto_pad", "NOTSET") != "NOTSET" or a.get("output_shape"):
        raise ValueError("ConvTranspose with a given output shape is not known here")
    strides = list(a.get("strides", [1] * rank))
    pads = list(a.get("pads", [0] * 2 * rank))
    extra = list(a.get("output_padding", [0] * rank))
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    made = function(x, w, b, strides, 0, 0, a.get("group", 1), a.get("dilations", 1))
    # What the pads cut off, and what the output padding adds.
    cut = [each for n in reversed(range(rank)) for each in (-pads[n], extra[n] - pads[n + rank])]
    return F.pad(made, cut)


def _max_pool(a: Attributes, x: Any) -> Any:
    kernel = a["kernel_shape"]
    strides, dilations, pads = _window(a, x, kernel)
    x = _padded(x, pads, -math.inf if x.is_floating_point() else torch.iinfo(x.dtype).min)
    function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
    return function(x, kernel, strides, 0, dilations, bool(a.get("ceil_mode", 0)))


def _average_pool(a: Attributes, x: Any) -> Any:
    kernel = a["kernel_shape"]
    strides, _, pads = _window(a, x, kernel)
    function = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(kernel) - 1]
    ceil = bool(a.get("ceil_mode", 0))
    sums = function(_padded(x, pads), kernel, strides, 0, ceil)
    if a.get("count_include_pad", 0) or not any(pads):
        return sums
    return sums / function(_padded(torch.ones_like(x), pads), kernel, strides, 0, ceil)


def _batch_norm(a: Attributes, x: Any, scale: Any, bias: Any, mean: Any, var: Any) -> Any:
    return F.batch_norm(x, mean, var, scale, bias, False, 0.0, a.get("epsilon", 1e-5))


def _layer_norm(a: Attributes, x: Any, scale: Any, bias: Any = None) -> Any:
    return F.layer_norm(x, x.shape[a.get("axis", -1) :], scale, bias, a.get("epsilon", 1e-5))


def _gemm(a: Attributes, x: Any, y: Any, c: Any = None) -> Any:
    x, y = (x.T if a.get("transA") else x), (y.T if a.get("transB") else y)
    made = (x @ y) * a.get("alpha", 1.0)
    return made if c is None else made + c * a.get("beta", 1.0)


def _softmax(a: Attributes, x: Any, function: Operator = torch.softmax) -> Any:
    if a["opset"] >= 13:
        return function(x, a.get("axis", -1))
    flat = x.flatten(a.get("axis", 1)) if a.get("axis", 1) else x.reshape(1, -1)
    return function(flat.reshape(flat.shape[0] if a.get("axis", 1) == 1 else -1,
                                 flat.shape[-1]), -1).reshape(x.shape)  # fmt: skip


def _reduce(function: Operator) -> Operator:
    def reduced(a: Attributes, x: Any, axes: Any = None) -> Any:
        chosen = _list(a, "axes", axes)
        if not chosen:
            if a.get("noop_with_empty_axes"):
                return x
            chosen = list(range(x.dim()))
        return function(x, chosen, bool(a.get("keepdims", 1)))

    return reduced


def _mean(x: Any, axes: list[int], keep: bool) -> Any:
    return torch.mean(x, axes, keepdim=keep)


def _prod(x: Any, axes: list[int], keep: bool) -> Any:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = torch.prod(x, axis, keepdim=keep)
    return x


def _arg(function: Operator) -> Operator:
    return lambda a, x: function(x, a.get("axis", 0), keepdim=bool(a.get("keepdims", 1)))


def _reshape(a: Attributes, x: Any, shape: Any) -> Any:
    sizes = shape.tolist()
    if not a.get("allowzero"):
        sizes = [x.shape[n] if size == 0 else size for n, size in enumerate(sizes)]
    return x.reshape(sizes)


def _slice(a: Attributes, x: Any, *given: Any) -> Any:
    starts, ends, axes, steps = (list(given) + [None] * 4)[:4]
    begin, until = _list(a, "starts", starts) or [], _list(a, "ends", ends) or []
    over = _list(a, "axes", axes) or list(range(len(begin)))
    stride = _list(a, "steps", steps) or [1] * len(begin)
    for start, end, axis, step in zip(begin, until, over, stride):
        size = x.shape[axis]
        first, last, _ = slice(start, end if end > -(2**62) else None, step).indices(size)
        if step > 0:
            index = [slice(None)] * (axis % x.dim()) + [slice(first, last, step)]
            x = x[tuple(index)]
        else:
            x = x.index_select(axis, torch.arange(first, last, step))
    return x


def _squeeze(a: Attributes, x: Any, axes: Any = None) -> Any:
    chosen = _list(a, "axes", axes)
    return x.squeeze() if chosen is None else x.squeeze(tuple(chosen))


def _unsqueeze(a: Attributes, x: Any, axes: Any = None) -> Any:
    chosen = _list(a, "axes", axes) or []
    rank = x.dim() + len(chosen)
    for axis in sorted(axis % rank for axis in chosen):
        x = x.unsqueeze(axis)
    return x


def _gather(a: Attributes, x: Any, indices: Any) -> Any:
    axis = a.get("axis", 0) % x.dim()
    flat = indices.reshape(-1).long()
    made = x.index_select(axis, torch.where(flat < 0, flat + x.shape[axis], flat))
    return made.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def _gather_elements(a: Attributes, x: Any, indices: Any) -> Any:
    axis = a.get("axis", 0)
    return torch.gather(x, axis, torch.where(indices < 0, indices + x.shape[axis], indices))


def _pad(a: Attributes, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    sizes = _list(a, "pads", pads) or []
    over = _list({}, "", axes) if axes is not None else list(range(x.dim()))
    amounts = [[0, 0] for _ in range(x.dim())]
    for n, axis in enumerate(over or []):
        amounts[axis] = [sizes[n], sizes[n + len(sizes) // 2]]
    fill = a.get("value", 0.0) if value is None else value.item()
    mode = a.get("mode", "constant")
    if mode == "constant":
        return F.pad(x, [each for pair in reversed(amounts) for each in pair], value=fill)
    for axis, (begin, end) in enumerate(amounts):
        x = x.index_select(axis, _mirrored(x.shape[axis], begin, end, mode)) if begin or end else x
    return x


def _mirrored(size: int, begin: int, end: int, mode: str) -> Any:
    """Where each place of a padded axis takes its value from."""
    places = torch.arange(-begin, size + end)
    if mode == "edge":
        return places.clamp(0, size - 1)
    if mode == "wrap":
        return places % size
    period = max(1, 2 * (size - 1))
    places = places % period
    return torch.where(places < size, places, period - places)


def _resize(a: Attributes, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
    if a["opset"] < 11:
        roi, scales = None, roi
    mode = a.get("mode", "nearest")
    if mode not in ("nearest", "linear"):
        raise ValueError("Resize with the mode {} is not known here".format(mode))
    factors = scales.tolist() if scales is not None and scales.numel() else None
    wanted = [int(each) for each in sizes.tolist()] if factors is None else None
    over = a.get("axes") or range(x.dim())
    for n, axis in enumerate(over):
        size = x.shape[axis]
        target = wanted[n] if wanted is not None else math.floor(size * factors[n])  # type: ignore[index]
        scale = factors[n] if factors is not None else target / size
        if target != size:
            x = _along(a, x, axis, _coordinates(a, size, target, scale), mode)
    return x


def _coordinates(a: Attributes, size: int, target: int, scale: float) -> Any:
    """Where in an axis of so many places each place of the target lies."""
    old = "asymmetric" if a["opset"] < 11 else "half_pixel"
    kind = a.get("coordinate_transformation_mode", old)
    places = torch.arange(target, dtype=torch.float64)
    if kind == "asymmetric":
        return places / scale
    if kind == "align_corners":
        return places * ((size - 1) / max(1e-9, size * scale - 1))
    if kind == "pytorch_half_pixel" and target == 1:
        return torch.zeros(1, dtype=torch.float64)
    if kind in ("half_pixel", "pytorch_half_pixel"):
        return (places + 0.5) / scale - 0.5
    raise ValueError("Resize with the coordinates {} is not known here".format(kind))


def _along(a: Attributes, x: Any, axis: int, places: Any, mode: str) -> Any:
    last = x.shape[axis] - 1
    if mode == "nearest":
        how = a.get("nearest_mode", "round_prefer_floor" if a["opset"] >= 11 else "floor")
        rounded = {
            "floor": torch.floor,
            "ceil": torch.ceil,
            "round_prefer_ceil": lambda each: torch.floor(each + 0.5),
            "round_prefer_floor": lambda each: torch.ceil(each - 0.5),
        }[how](places)
        return x.index_select(axis, rounded.long().clamp(0, last))
    places = places.clamp(0, last)
    low = places.floor().long()
    weight = (places - low).to(x.dtype)
    weight = weight.reshape([-1 if n == axis else 1 for n in range(x.dim())])
    high = (low + 1).clamp(max=last)
    return x.index_select(axis, low) * (1 - weight) + x.index_select(axis, high) * weight


def _lstm(a: Attributes, x: Any, w: Any, r: Any, b: Any = None, lens: Any = None,
          h: Any = None, c: Any = None, peepholes: Any = None) -> Any:  # fmt: skip
    """ONNX keeps the gates as input, output, forget, cell; torch as input, forget, cell, output."""
    if peepholes is not None or a.get("activations") or a.get("layout") or a.get("clip"):
        raise ValueError("LSTM with other than its plain form is not known here")
    if lens is not None and bool((lens != x.shape[0]).any()):
        raise ValueError("LSTM with sequences of different lengths is not known here")
    hidden, both = r.shape[-1], w.shape[0] == 2
    backward = a.get("direction", "forward") == "reverse"
    weights: list[Any] = []
    for n in range(w.shape[0]):
        bias = torch.zeros(8 * hidden, dtype=x.dtype) if b is None else b[n]
        parts = (w[n], r[n], bias[: 4 * hidden], bias[4 * hidden :])
        weights += [_gates(part, hidden) for part in parts]
    start = torch.zeros(w.shape[0], x.shape[1], hidden, dtype=x.dtype)
    states = (start if h is None else h, start if c is None else c)
    x = x.flip(0) if backward else x
    made, last_h, last_c = torch.lstm(x, states, weights, True, 1, 0.0, False, both, False)
    made = made.flip(0) if backward else made
    made = made.reshape(x.shape[0], x.shape[1], w.shape[0], hidden).transpose(1, 2)
    return made, last_h, last_c


def _gates(part: Any, hidden: int) -> Any:
    i, o, f, c = (part[n * hidden : (n + 1) * hidden] for n in range(4))
    return torch.cat([i, f, c, o])


def _split(a: Attributes, x: Any, split: Any = None) -> Any:
    axis = a.get("axis", 0)
    sizes = _list(a, "split", split)
    even = math.ceil(x.shape[axis] / a["outputs"])
    return torch.split(x, even if sizes is None else sizes, axis)


def _clip(a: Attributes, x: Any, low: Any = None, high: Any = None) -> Any:
    low = a.get("min") if low is None else low.item()
    high = a.get("max") if high is None else high.item()
    return x if low is None and high is None else torch.clamp(x, low, high)


def _cast(a: Attributes, x: Any) -> Any:
    if a["to"] not in _TYPES:
        raise ValueError("Cast to that type is not known here")
    return x.to(_TYPES[a["to"]])


def _div(a: Attributes, x: Any, y: Any) -> Any:
    return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def _expand(a: Attributes, x: Any, shape: Any) -> Any:
    return x.expand(numpy.broadcast_shapes(tuple(x.shape), tuple(shape.tolist())))


def _filled(a: Attributes, shape: Any) -> Any:
    value = a.get("value")
    if value is None:
        return torch.zeros(shape.tolist())
    return torch.full(shape.tolist(), value.item(), dtype=value.dtype)


def _quantize(a: Attributes, x: Any, scale: Any, zero: Any = None) -> Any:
    kind = torch.uint8 if zero is None else zero.dtype
    scale = _per_axis(a, x, scale)
    shift = 0 if zero is None else _per_axis(a, x, zero).to(x.dtype)
    limits = torch.iinfo(kind)
    return (torch.round(x / scale) + shift).clamp(limits.min, limits.max).to(kind)


def _dequantize(a: Attributes, x: Any, scale: Any, zero: Any = None) -> Any:
    shift = 0 if zero is None else _per_axis(a, x, zero).to(scale.dtype)
    return (x.to(scale.dtype) - shift) * _per_axis(a, x, scale)


def _per_axis(a: Attributes, x: Any, values: Any) -> Any:
    if values.numel() == 1:
        return values.reshape(())
    axis = a.get("axis", 1) % x.dim()
    return values.reshape([-1 if n == axis else 1 for n in range(x.dim())])


def _cumulative_sum(a: Attributes, x: Any, axis: Any) -> Any:
    over = int(axis)
    x = x.flip(over) if a.get("reverse") else x
    made = torch.cumsum(x, over, dtype=x.dtype)
    made = made - x if a.get("exclusive") else made
    return made.flip(over) if a.get("reverse") else made


def _shape(a: Attributes, x: Any) -> Any:
    return torch.tensor(list(x.shape)[a.get("start", 0) : a.get("end")], dtype=torch.int64)


def _dropout(x: Any, ratio: Any = None, training: Any = None) -> Any:
    if training is not None and bool(training):
        raise ValueError("Dropout for training is not known here")
    return x


def _many(function: Operator) -> Operator:
    def folded(a: Attributes, first: Any, *others: Any) -> Any:
        for each in others:
            first = function(first, each)
        return first

    return folded


def _plain(function: Operator) -> Operator:
    """A torch function of the inputs alone."""
    return lambda a, *values: function(*values)


_OPERATORS: Dict[str, Operator] = {
    name: _plain(function)
    for name, function in (
        ("Abs", torch.abs), ("Add", torch.add), ("And", torch.logical_and), ("Ceil", torch.ceil),
        ("Cos", torch.cos), ("Equal", torch.eq), ("Erf", torch.erf), ("Exp", torch.exp),
        ("Floor", torch.floor), ("Greater", torch.gt), ("GreaterOrEqual", torch.ge),
        ("HardSwish", F.hardswish), ("Less", torch.lt), ("LessOrEqual", torch.le),
        ("Log", torch.log), ("MatMul", torch.matmul), ("Mish", F.mish), ("Mul", torch.mul),
        ("Neg", torch.neg), ("Not", torch.logical_not), ("Or", torch.logical_or),
        ("Pow", lambda x, y: torch.pow(x, y).to(x.dtype)), ("Reciprocal", torch.reciprocal),
        ("Relu", torch.relu), ("Round", torch.round), ("Sigmoid", torch.sigmoid),
        ("Sign", torch.sign), ("Sin", torch.sin), ("Softplus", F.softplus),
        ("Softsign", F.softsign), ("Sqrt", torch.sqrt), ("Sub", torch.sub),
        ("Tanh", torch.tanh), ("Identity", lambda x: x), ("Dropout", _dropout),
        ("Where", torch.where), ("IsNaN", torch.isnan), ("Xor", torch.logical_xor),
        ("Size", lambda x: torch.tensor(x.numel())),
        ("PRelu", lambda x, slope: torch.where(x < 0, x * slope, x)),
        ("Range", lambda start, end, step: torch.arange(
            start.item(), end.item(), step.item(), dtype=start.dtype)),
        ("Tile", lambda x, times: x.repeat(times.tolist())),
        ("NonZero", lambda x: torch.stack(torch.nonzero(x, as_tuple=True))),
    )
}  # fmt: skip
_OPERATORS.update(
    {
        "AveragePool": _average_pool,
        "BatchNormalization": _batch_norm,
        "Cast": _cast,
        "Clip": _clip,
        "Concat": lambda a, *values: torch.cat(values, a["axis"]),
        "ConstantOfShape": _filled,
        "Conv": _conv,
        "ConvTranspose": _conv_transpose,
        "CumSum": _cumulative_sum,
        "DepthToSpace": lambda a, x: _depth_to_space(a, x),
        "DequantizeLinear": _dequantize,
        "Div": _div,
        "Elu": lambda a, x: F.elu(x, a.get("alpha", 1.0)),
        "Expand": _expand,
        "Flatten": lambda a, x: x.reshape(math.prod(x.shape[: a.get("axis", 1)]), -1),
        "Gather": _gather,
        "GatherElements": _gather_elements,
        "Gelu": lambda a, x: F.gelu(x, approximate=a.get("approximate", "none")),
        "Gemm": _gemm,
        "GlobalAveragePool": lambda a, x: x.mean(tuple(range(2, x.dim())), keepdim=True),
        "GlobalMaxPool": lambda a, x: x.amax(tuple(range(2, x.dim())), keepdim=True),
        "HardSigmoid": lambda a, x: torch.clamp(
            x * a.get("alpha", 0.2) + a.get("beta", 0.5), 0.0, 1.0
        ),
        "InstanceNormalization": lambda a, x, scale, bias: F.instance_norm(
            x, weight=scale, bias=bias, eps=a.get("epsilon", 1e-5)
        ),
        "LSTM": _lstm,
        "LayerNormalization": _layer_norm,
        "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
        "LogSoftmax": lambda a, x: _softmax(a, x, torch.log_softmax),
        "Max": _many(torch.maximum),
        "MaxPool": _max_pool,
        "Mean": lambda a, *values: sum(values) / len(values),
        "Min": _many(torch.minimum),
        "Mod": lambda a, x, y: (torch.fmod if a.get("fmod") else torch.remainder)(x, y),
        "Pad": _pad,
        "QuantizeLinear": _quantize,
        "ReduceL2": _reduce(lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt()),
        "ReduceMax": _reduce(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
        "ReduceMean": _reduce(_mean),
        "ReduceMin": _reduce(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
        "ReduceProd": _reduce(_prod),
        "ReduceSum": _reduce(lambda x, axes, keep: x.sum(axes, keepdim=keep, dtype=x.dtype)),
        "ArgMax": _arg(torch.argmax),
        "ArgMin": _arg(torch.argmin),
        "Reshape": _reshape,
        "Resize": _resize,
        "Shape": _shape,
        "Slice": _slice,
        "Softmax": _softmax,
        "Split": _split,
        "Squeeze": _squeeze,
        "Sum": _many(torch.add),
        "Transpose": lambda a, x: x.permute(a.get("perm") or list(reversed(range(x.dim())))),
        "Unsqueeze": _unsqueeze,
        "Upsample": lambda a, x, scales: _resize(dict(a, opset=9), x, scales),
    }
)


def _depth_to_space(a: Attributes, x: Any) -> Any:
    size = a["blocksize"]
    batch, depth, height, width = x.shape
    if a.get("mode", "DCR") == "DCR":
        parts = x.reshape(batch, size, size, depth // size**2, height, width)
        parts = parts.permute(0, 3, 4, 1, 5, 2)
    else:
        parts = x.reshape(batch, depth // size**2, size, size, height, width)
        parts = parts.permute(0, 1, 4, 2, 5, 3)
    return parts.reshape(batch, depth // size**2, height * size, width * size)
