"""Table of torch functions by operator of ONNX, which ``runner.py`` loads."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

o: Any = importlib.import_module("runner_operators")
resize: Any = importlib.import_module("runner_resize").resize
Attributes = Mapping[str, Any]
Operator = Callable[..., Any]


def _hard_sigmoid(a: Attributes, x: torch.Tensor) -> torch.Tensor:
    # A clamp to 1 is an operator of its own in TFLite, which microcontrollers and NPUs lack.
    alpha, beta = a.get("alpha", 0.2), a.get("beta", 0.5)
    return F.relu6(x * (6.0 * alpha) + 6.0 * beta) * (1.0 / 6.0)


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


OPERATORS: dict[str, Operator] = {
    name: o._plain(function)
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
        ("Tanh", torch.tanh), ("Identity", lambda x: x), ("Dropout", o._dropout),
        ("Where", torch.where), ("IsNaN", torch.isnan), ("Xor", torch.logical_xor),
        ("Size", lambda x: torch.tensor(x.numel())),
        ("PRelu", lambda x, slope: torch.where(x < 0, x * slope, x)),
        ("Range", lambda start, end, step: torch.arange(
            start.item(), end.item(), step.item(), dtype=start.dtype)),
        ("Tile", lambda x, times: x.repeat(times.tolist())),
        ("NonZero", lambda x: torch.stack(torch.nonzero(x, as_tuple=True))),
    )
}  # fmt: skip
OPERATORS.update(
    {
        "AveragePool": o._average_pool,
        "BatchNormalization": o._batch_norm,
        "Cast": o._cast,
        "Clip": o._clip,
        "Concat": lambda a, *values: torch.cat(values, a["axis"]),
        "ConstantOfShape": o._filled,
        "Conv": o._conv,
        "ConvTranspose": o._conv_transpose,
        "CumSum": o._cumulative_sum,
        "DepthToSpace": _depth_to_space,
        "DequantizeLinear": o._dequantize,
        "Div": o._div,
        "Elu": lambda a, x: F.elu(x, a.get("alpha", 1.0)),
        "Expand": o._expand,
        "Flatten": lambda a, x: x.reshape(math.prod(x.shape[: a.get("axis", 1)]), -1),
        "Gather": o._gather,
        "GatherElements": o._gather_elements,
        "Gelu": lambda a, x: F.gelu(x, approximate=a.get("approximate", "none")),
        "Gemm": o._gemm,
        "GlobalAveragePool": lambda a, x: x.mean(tuple(range(2, x.dim())), keepdim=True),
        "GlobalMaxPool": lambda a, x: x.amax(tuple(range(2, x.dim())), keepdim=True),
        "HardSigmoid": _hard_sigmoid,
        "InstanceNormalization": lambda a, x, scale, bias: F.instance_norm(
            x, weight=scale, bias=bias, eps=a.get("epsilon", 1e-5)
        ),
        "LSTM": o._lstm,
        "LayerNormalization": o._layer_norm,
        "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
        "LogSoftmax": lambda a, x: o._softmax(a, x, torch.log_softmax),
        "Max": o._many(torch.maximum),
        "MaxPool": o._max_pool,
        "Mean": lambda a, *values: sum(values) / len(values),
        "Min": o._many(torch.minimum),
        "Mod": lambda a, x, y: (torch.fmod if a.get("fmod") else torch.remainder)(x, y),
        "Pad": o._pad,
        "QuantizeLinear": o._quantize,
        "ReduceL2": o._reduce(lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt()),
        "ReduceMax": o._reduce(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
        "ReduceMean": o._reduce(o._mean),
        "ReduceMin": o._reduce(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
        "ReduceProd": o._reduce(o._prod),
        "ReduceSum": o._reduce(lambda x, axes, keep: x.sum(axes, keepdim=keep, dtype=x.dtype)),
        "ArgMax": o._arg(torch.argmax),
        "ArgMin": o._arg(torch.argmin),
        "Reshape": o._reshape,
        "Resize": resize,
        "Shape": o._shape,
        "Slice": o._slice,
        "Softmax": o._softmax,
        "Split": o._split,
        "Squeeze": o._squeeze,
        "Sum": o._many(torch.add),
        "Transpose": lambda a, x: x.permute(a.get("perm") or list(reversed(range(x.dim())))),
        "Unsqueeze": o._unsqueeze,
        "Upsample": lambda a, x, scales: resize(dict(a, opset=9), x, scales),
    }
)
