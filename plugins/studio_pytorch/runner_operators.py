"""Operators of ONNX as torch functions: each takes its attributes, then its inputs.

An omitted input has the value None. Loaded by ``runner.py`` from the same folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

TYPES = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32,
    7: torch.int64, 9: torch.bool, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16,
}  # fmt: skip
"""torch's types by ONNX's numbers."""

Attributes = Mapping[str, Any]
Operator = Callable[..., Any]


def _list(attributes: Attributes, name: str, given: Any) -> list[int] | None:
    """Return a list that newer opsets take as an input and older ones as an attribute."""
    if given is not None:
        return [int(each) for each in given.reshape(-1).tolist()]
    value = attributes.get(name)
    return None if value is None else [int(each) for each in value]


def _pads(a: Attributes, x: Any, kernel: Sequence[int], strides: Any, dilations: Any) -> list[int]:
    """Return begin and end of each spatial axis."""
    rank = len(kernel)
    mode = a.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID"):
        return list(a.get("pads", [0] * 2 * rank)) if mode == "NOTSET" else [0] * 2 * rank
    begin, end = [], []
    for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=False):
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
    """Return the tensor with its spatial axes padded."""
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
    # LiteRT Torch turns a whole picture on its side for a mean that drops axes.
    mean = torch.mean(x, axes, keepdim=True)
    return mean if keep else mean.squeeze(tuple(axes))


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
    return torch.reshape(x, sizes)


def _slice(a: Attributes, x: Any, *given: Any) -> Any:
    starts, ends, axes, steps = (list(given) + [None] * 4)[:4]
    begin, until = _list(a, "starts", starts) or [], _list(a, "ends", ends) or []
    over = _list(a, "axes", axes) or list(range(len(begin)))
    stride = _list(a, "steps", steps) or [1] * len(begin)
    for start, end, axis, step in zip(begin, until, over, stride, strict=False):
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
    return made.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


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
    """Return the source position of each position of a padded axis."""
    places = torch.arange(-begin, size + end)
    if mode == "edge":
        return places.clamp(0, size - 1)
    if mode == "wrap":
        return places % size
    period = max(1, 2 * (size - 1))
    places = places % period
    return torch.where(places < size, places, period - places)


def _lstm(a: Attributes, x: Any, w: Any, r: Any, b: Any = None, lens: Any = None,
          h: Any = None, c: Any = None, peepholes: Any = None) -> Any:  # fmt: skip
    """Return an LSTM: ONNX orders the gates as input, output, forget, cell; torch as i, f, c, o."""
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
    if a["to"] not in TYPES:
        raise ValueError("Cast to that type is not known here")
    return x.to(TYPES[a["to"]])


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
        return torch.reshape(values, ())
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
    """Return a torch function of the inputs alone."""
    return lambda a, *values: function(*values)
