"""Weights of a graph of OpenVINO in 8 or 4 bits, which its plugins compute with as they are.

Each is a constant of integers with a scale for each row (8 bits) or each group of a row (4 bits).
The table of tokens and the scores stay at 8 bits. numpy and openvino alone; nothing of the studio.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

Array = np.ndarray[Any, Any]

_LEAST = 4096
"""Weights below which a constant is no matrix of a layer."""


def compress(model: Any, bits: int, group: int) -> None:
    """Replace the matrices of a graph by rounded ones, in place."""
    for node in list(model.get_ordered_ops()):
        if node.get_type_name() != "Constant":
            continue
        users = [one.get_node() for one in node.output(0).get_target_inputs()]
        kinds = {one.get_type_name() for one in users}
        shape = tuple(node.get_output_shape(0))
        if len(shape) != 2 or int(np.prod(shape)) < _LEAST or not kinds <= {"MatMul", "Gather"}:
            continue
        transposed = all(_is_transposed(one) for one in users if one.get_type_name() == "MatMul")
        if not kinds or not transposed:
            continue
        values = np.asarray(node.data, np.float32)
        at_the_end = "Gather" in kinds or _leads_to_result(users)
        if bits == 8 or at_the_end or shape[1] % group:
            fresh = _rows(values)
        else:
            fresh = _groups(values, group)
        for user in node.output(0).get_target_inputs():
            user.replace_source_output(fresh.output(0))
    model.validate_nodes_and_infer_types()


def _is_transposed(product: Any) -> bool:
    """Whether a product has the outputs of its weights as rows."""
    return bool(product.get_attributes().get("transpose_b"))


def _leads_to_result(users: list[Any]) -> bool:
    return any(
        port.get_node().get_type_name() == "Result"
        for user in users
        for port in user.output(0).get_target_inputs()
    )


def _rows(values: Array) -> Any:
    """Return weights in 8 bits with a scale and a zero point for each row."""
    low = np.minimum(values.min(axis=1, keepdims=True), 0)
    high = np.maximum(values.max(axis=1, keepdims=True), 0)
    scale = np.maximum((high - low) / 255, 1e-12)
    zero = np.clip(np.round(-low / scale), 0, 255)
    whole = np.clip(np.round(values / scale) + zero, 0, 255).astype(np.uint8)
    stored = ops.convert(ops.constant(whole), "f32")
    moved = ops.subtract(stored, ops.convert(ops.constant(zero.astype(np.uint8)), "f32"))
    return ops.multiply(moved, ops.constant(scale.astype(np.float32)))


def _groups(values: Array, group: int) -> Any:
    """Return weights in 4 bits with a scale for each group of a row."""
    parts = values.reshape(len(values), -1, group)
    place = np.abs(parts).argmax(axis=2, keepdims=True)
    scale = np.take_along_axis(parts, place, 2) / -8
    scale = np.where(np.abs(scale) < 1e-12, 1e-12, scale)
    whole = np.clip(np.round(parts / scale), -8, 7).astype(np.int8).reshape(-1)
    packed = ((whole[0::2] & 15) | ((whole[1::2] & 15) << 4)).astype(np.uint8)
    # A tensor over the array would not keep it alive, and the weights would be what comes after it.
    tensor = openvino.Tensor(openvino.Type.i4, list(parts.shape))
    tensor.data.reshape(-1)[:] = packed
    stored = ops.convert(ops.constant(tensor), "f32")
    scaled = ops.multiply(stored, ops.constant(scale.astype(np.float32)))
    return ops.reshape(scaled, ops.constant(np.array(values.shape, np.int64)), False)
