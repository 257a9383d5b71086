"""The numbers of a Core ML program where Core ML does not run: its operators as torch functions.

Used by ``tool.py``: numpy, torch and coremltools alone; nothing of the studio. Weights are as the
program has them; all is computed in float32. The operators are those of coremltools' MIL reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import coremltools
import numpy
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from coremltools.converters.mil.frontend.milproto.load import load

Values = Mapping[str, Any]
Operator = Callable[[Values], Any]

_TYPES = {"int32": torch.int64, "int64": torch.int64, "bool": torch.bool}


class UnknownOperatorError(Exception):
    """An operator that the interpreter does not know, with the share of the program before it."""


class MilProgram:
    """The main function of a package.

    Attributes:
        inputs: Their names.
        metadata: Of the package.
        made: Names of all values.
    """

    def __init__(self, path: str) -> None:
        model = coremltools.models.MLModel(path, skip_model_load=True)
        spec = model.get_spec()
        program = load(
            spec,
            specification_version=spec.specificationVersion,
            file_weights_dir=model.weights_dir,
        )
        self._main = program.functions["main"]
        self.inputs = [one.name for one in spec.description.input]
        self.metadata = dict(model.user_defined_metadata)
        self._steps = list(self._main.operations)
        self.made = {place.name for step in self._steps for place in step.outputs}
        known = [one.op_type in _OPERATORS or _is_weight(one) for one in self._steps]
        if not all(known):
            at = known.index(False)
            raise UnknownOperatorError(
                f"its operator {self._steps[at].op_type} is not known to the check, which got as "
                f"far as {at} of {len(known)} operators"
            )
        self._weights = {
            one.outputs[0].name: _tensor(one.outputs[0].val)
            for one in self._steps
            if _is_weight(one)
        }

    def outputs(
        self, arrays: Sequence[Any], known: Mapping[str, str] | None = None
    ) -> tuple[list[Any], dict[str, Any]]:
        """Compute the outputs, in order, and values by the names of the ONNX model's.

        Args:
            known: The program's own names of these values.
        """
        values: dict[str, Any] = dict(self._weights)
        values.update(zip(self.inputs, map(_tensor, arrays), strict=True))
        with torch.no_grad():
            for step in self._steps:
                if not _is_weight(step):
                    made = _OPERATORS[step.op_type](_given(step, values))
                    made = made if isinstance(made, (tuple, list)) else [made]
                    for place, value in zip(step.outputs, made, strict=False):
                        values[place.name] = value
        found = {name: values[own].numpy() for name, own in (known or {}).items() if own in values}
        return [values[one.name].numpy() for one in self._main.outputs], found


def _is_weight(step: Any) -> bool:
    return bool(step.op_type == "const")


def _given(step: Any, values: Values) -> dict[str, Any]:
    """The inputs of an operator by name; those that are left out are missing."""

    def value(one: Any) -> Any:
        return values[one.name] if one.name in values else _tensor(one.val)

    return {
        name: [value(each) for each in one] if isinstance(one, (tuple, list)) else value(one)
        for name, one in step.inputs.items()
        if one is not None
    }


def _tensor(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        return value
    array = numpy.asarray(value)
    if array.dtype.kind == "U":
        return str(array)
    if array.dtype.kind == "f":
        return torch.from_numpy(array.astype(numpy.float32))
    if array.dtype.kind == "b":
        return torch.from_numpy(array.copy())
    return torch.from_numpy(array.astype(numpy.int64))


def _ints(value: Any) -> list[int]:
    return [int(one) for one in value.reshape(-1).tolist()]


def _axes(v: Values) -> list[int]:
    return _ints(v["axes"]) if "axes" in v else list(range(v["x"].dim()))


def _conv(v: Values, transposed: bool = False) -> Any:
    x, weight = v["x"], v["weight"]
    rank = x.dim() - 2
    strides = _ints(v["strides"]) if "strides" in v else [1] * rank
    dilations = _ints(v["dilations"]) if "dilations" in v else [1] * rank
    groups = int(v["groups"]) if "groups" in v else 1
    if transposed:
        return _conv_transpose(v, x, weight, strides, dilations, groups)
    x = _padded(x, v, weight.shape[2:], strides, dilations, 0.0)
    function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    return function(x, weight, v.get("bias"), strides, 0, dilations, groups)


def _conv_transpose(
    v: Values, x: Any, weight: Any, strides: list[int], dilations: list[int], groups: int
) -> Any:
    rank = x.dim() - 2
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    made = function(x, weight, v.get("bias"), strides, 0, 0, groups, dilations)
    pads = _ints(v["pad"]) if v.get("pad_type") == "custom" else [0] * 2 * rank
    flat = [-pads[2 * axis + side] for axis in reversed(range(rank)) for side in (0, 1)]
    return F.pad(made, flat)


def _padded(
    x: Any,
    v: Values,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    fill: float,
) -> Any:
    """Return the input with its pads, of which MIL has four ways."""
    rank, kind = len(kernel), v.get("pad_type", "valid")
    if kind == "valid":
        return x
    if kind == "custom":
        pads = _ints(v["pad"])
    else:
        pads = []
        for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True):
            total = max(0, (math.ceil(size / s) - 1) * s + (int(k) - 1) * d + 1 - size)
            small = total // 2
            pads += [total - small, small] if kind == "same_lower" else [small, total - small]
    flat = [pads[2 * axis + side] for axis in reversed(range(rank)) for side in (0, 1)]
    return F.pad(x, flat, value=fill)


def _pool(v: Values, largest: bool) -> Any:
    kernel = _ints(v["kernel_sizes"])
    strides = _ints(v["strides"]) if "strides" in v else [1] * len(kernel)
    ones = [1] * len(kernel)
    ceil = bool(v.get("ceil_mode", False))
    x = _padded(v["x"], v, kernel, strides, ones, -math.inf if largest else 0.0)
    if largest:
        function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
        return function(x, kernel, strides, 0, 1, ceil)
    average = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(kernel) - 1]
    made = average(x, kernel, strides, 0, ceil)
    if not v.get("exclude_padding_from_average", False):
        return made
    counted = _padded(torch.ones_like(v["x"]), v, kernel, strides, ones, 0.0)
    return made / average(counted, kernel, strides, 0, ceil)


def _slice(v: Values) -> Any:
    x = v["x"]
    rank = x.dim()
    begin, end = _ints(v["begin"]), _ints(v["end"])
    stride = _ints(v["stride"]) if "stride" in v else [1] * rank
    masks = {
        name: _ints(v[name]) if name in v else [0] * rank
        for name in ("begin_mask", "end_mask", "squeeze_mask")
    }
    for axis in range(rank):
        if masks["squeeze_mask"][axis]:
            first = begin[axis] % x.shape[axis]
            places = torch.arange(first, first + 1)
        else:
            first = None if masks["begin_mask"][axis] else begin[axis]
            last = None if masks["end_mask"][axis] else end[axis]
            places = torch.tensor(range(x.shape[axis])[first : last : stride[axis]])
        x = x.index_select(axis, places.long())
    gone = [axis for axis in range(rank) if masks["squeeze_mask"][axis]]
    return x.squeeze(gone) if gone else x


def _gather(v: Values) -> Any:
    x, indices = v["x"], v["indices"]
    axis = int(v.get("axis", 0)) % x.dim()
    flat = indices.reshape(-1)
    flat = torch.where(flat < 0, flat + x.shape[axis], flat)
    made = x.index_select(axis, flat)
    return torch.reshape(made, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _pad(v: Values) -> Any:
    amounts = _ints(v["pad"])
    pairs = [amounts[n : n + 2] for n in range(0, len(amounts), 2)]
    flat = [one for pair in reversed(pairs) for one in pair]
    mode = v.get("mode", "constant")
    if mode == "constant":
        return F.pad(v["x"], flat, value=float(v.get("constant_val", 0.0)))
    spatial = flat[: 2 * (v["x"].dim() - 2)]
    return F.pad(v["x"], spatial, mode={"replicate": "replicate"}.get(str(mode), "reflect"))


def _split(v: Values) -> Any:
    axis = int(v["axis"])
    if "split_sizes" in v:
        return torch.split(v["x"], _ints(v["split_sizes"]), axis)
    return torch.chunk(v["x"], int(v["num_splits"]), axis)


def _batch_norm(v: Values) -> Any:
    epsilon = float(v.get("epsilon", 1e-5))
    weights = (v["mean"], v["variance"], v.get("gamma"), v.get("beta"))
    return F.batch_norm(v["x"], *weights, False, 0.0, epsilon)


def _layer_norm(v: Values) -> Any:
    x, axes = v["x"], sorted(axis % v["x"].dim() for axis in _axes(v))
    middle = x - x.mean(axes, keepdim=True)
    made = middle / (middle.square().mean(axes, keepdim=True) + float(v["epsilon"])).sqrt()
    shape = [x.shape[axis] if axis in axes else 1 for axis in range(x.dim())]
    made = made * v["gamma"].reshape(shape) if "gamma" in v else made
    return made + v["beta"].reshape(shape) if "beta" in v else made


def _upsample(v: Values, mode: str) -> Any:
    x = v["x"]
    size = [
        int(float(v[f"scale_factor_{name}"]) * x.shape[axis])
        for name, axis in (("height", 2), ("width", 3))
    ]
    if mode == "nearest":
        return F.interpolate(x, size, mode="nearest")
    corners = bool(v.get("align_corners", True))
    return F.interpolate(x, size, mode="bilinear", align_corners=corners)


def _matmul(v: Values) -> Any:
    x, y = v["x"], v["y"]
    x = x.transpose(-1, -2) if bool(v.get("transpose_x", False)) else x
    y = y.transpose(-1, -2) if bool(v.get("transpose_y", False)) else y
    return x @ y


def _dequantize(v: Values) -> Any:
    data, axis = v["quantized_data"].float(), int(v.get("axis", 0))

    def along(values: Any) -> Any:
        sizes = [-1 if n == axis else 1 for n in range(data.dim())]
        return values if values.numel() == 1 else torch.reshape(values, sizes)

    return (data - along(v["zero_point"])) * along(v["scale"])


def _clip(v: Values) -> Any:
    return v["x"].clamp(float(v["alpha"]), float(v["beta"]))


def _cast(v: Values) -> Any:
    kind = str(v["dtype"])
    return v["x"].to(_TYPES.get(kind, torch.float32))


def _reshape(v: Values) -> Any:
    sizes = _ints(v["shape"])
    return torch.reshape(
        v["x"], [v["x"].shape[n] if size == 0 else size for n, size in enumerate(sizes)]
    )


def _unary(function: Callable[[Any], Any]) -> Operator:
    return lambda v: function(v["x"])


def _binary(function: Callable[[Any, Any], Any]) -> Operator:
    return lambda v: function(v["x"], v["y"])


def _reduce(function: Callable[[Any, list[int], bool], Any]) -> Operator:
    return lambda v: function(v["x"], _axes(v), bool(v.get("keep_dims", False)))


def _product(x: Any, axes: list[int], keep: bool) -> Any:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = torch.prod(x, axis, keepdim=keep)
    return x


_OPERATORS: dict[str, Operator] = {
    name: _unary(function)
    for name, function in (
        ("abs", torch.abs), ("ceil", torch.ceil), ("cos", torch.cos), ("erf", torch.erf),
        ("exp", torch.exp), ("floor", torch.floor), ("identity", lambda x: x),
        ("logical_not", torch.logical_not), ("relu", torch.relu), ("relu6", F.relu6),
        ("round", torch.round), ("sigmoid", torch.sigmoid), ("sign", torch.sign),
        ("silu", F.silu), ("sin", torch.sin), ("softplus", F.softplus),
        ("softsign", F.softsign), ("sqrt", torch.sqrt), ("square", torch.square),
        ("tanh", torch.tanh), ("shape", lambda x: torch.tensor(list(x.shape))),
    )
}  # fmt: skip
_OPERATORS.update(
    {
        name: _binary(function)
        for name, function in (
            ("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("pow", torch.pow),
            ("real_div", torch.true_divide), ("floor_div", torch.floor_divide),
            ("maximum", torch.maximum), ("minimum", torch.minimum), ("mod", torch.remainder),
            ("equal", torch.eq), ("not_equal", torch.ne), ("greater", torch.gt),
            ("greater_equal", torch.ge), ("less", torch.lt), ("less_equal", torch.le),
            ("logical_and", torch.logical_and), ("logical_or", torch.logical_or),
        )
    }
)  # fmt: skip
_OPERATORS.update(
    {
        "avg_pool": lambda v: _pool(v, largest=False),
        "batch_norm": _batch_norm,
        "cast": _cast,
        "clip": _clip,
        "concat": lambda v: torch.cat(v["values"], int(v["axis"])),
        "constexpr_affine_dequantize": _dequantize,
        "conv": _conv,
        "conv_transpose": lambda v: _conv(v, transposed=True),
        "elu": lambda v: F.elu(v["x"], float(v["alpha"])),
        "expand_dims": lambda v: _expanded(v["x"], _axes(v)),
        "fill": lambda v: torch.full(_ints(v["shape"]), float(v["value"])),
        "gather": _gather,
        "gelu": lambda v: F.gelu(
            v["x"], approximate="none" if v.get("mode", "EXACT") == "EXACT" else "tanh"
        ),
        "inverse": lambda v: 1 / (v["x"] + float(v.get("epsilon", 1e-4))),
        "layer_norm": _layer_norm,
        "leaky_relu": lambda v: F.leaky_relu(v["x"], float(v["alpha"])),
        "linear": lambda v: F.linear(v["x"], v["weight"], v.get("bias")),
        "log": lambda v: torch.log(v["x"] + float(v.get("epsilon", 0.0))),
        "matmul": _matmul,
        "max_pool": lambda v: _pool(v, largest=True),
        "pad": _pad,
        "reduce_argmax": lambda v: torch.argmax(
            v["x"], int(v["axis"]), keepdim=bool(v.get("keep_dims", True))
        ),
        "reduce_l2_norm": _reduce(lambda x, a, k: x.square().sum(a, keepdim=k).sqrt()),
        "reduce_max": _reduce(lambda x, a, k: x.amax(a, keepdim=k)),
        "reduce_mean": _reduce(lambda x, a, k: x.mean(a, keepdim=k)),
        "reduce_min": _reduce(lambda x, a, k: x.amin(a, keepdim=k)),
        "reduce_prod": _reduce(_product),
        "reduce_sum": _reduce(lambda x, a, k: x.sum(a, keepdim=k)),
        "reshape": _reshape,
        "rsqrt": lambda v: torch.rsqrt(v["x"] + float(v.get("epsilon", 1e-12))),
        "select": lambda v: torch.where(v["cond"].bool(), v["a"], v["b"]),
        "sigmoid_hard": lambda v: torch.clamp(
            v["x"] * float(v["alpha"]) + float(v["beta"]), 0.0, 1.0
        ),
        "slice_by_index": _slice,
        "softmax": lambda v: torch.softmax(v["x"], int(v.get("axis", -1))),
        "split": _split,
        "squeeze": lambda v: v["x"].squeeze(_axes(v)) if "axes" in v else v["x"].squeeze(),
        "stack": lambda v: torch.stack(v["values"], int(v["axis"])),
        "thresholded_relu": lambda v: torch.where(
            v["x"] >= float(v["alpha"]), v["x"], torch.zeros_like(v["x"])
        ),
        "tile": lambda v: v["x"].repeat(_ints(v["reps"])),
        "transpose": lambda v: v["x"].permute(_ints(v["perm"])),
        "upsample_bilinear": lambda v: _upsample(v, "bilinear"),
        "upsample_nearest_neighbor": lambda v: _upsample(v, "nearest"),
    }
)


def _expanded(x: Any, axes: Sequence[int]) -> Any:
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x
