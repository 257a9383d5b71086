"""The graph of a stateful decoder for OpenVINO: what it must have, and scores of few tokens."""

from __future__ import annotations

from typing import Any

from ...shared.errors import LoadError

_INPUTS = frozenset(("input_ids", "attention_mask", "position_ids", "beam_idx"))
_FIRST = "first_row"
_PASSED = frozenset(("Convert", "Add", "Multiply", "Divide", "Tanh", "Reshape"))
"""Operators between the scores and the product that makes them."""

_END = 2**31 - 1


def require_decoder(model: Any, name: str, cache: str) -> None:
    """Refuse graphs that are no stateful decoder of text.

    Raises:
        LoadError: with what the graph has or lacks.
    """
    inputs = {one for port in model.inputs for one in port.get_names()}
    others = [port.get_names() for port in model.inputs if not port.get_names() & _INPUTS]
    if "input_ids" not in inputs or others:
        found = sorted(others[0])[0][:60] if others and others[0] else "no tokens"
        raise LoadError("{} is no decoder of text: it takes {}.".format(name, found))
    if "logits" not in {one for port in model.outputs for one in port.get_names()}:
        raise LoadError("{} is no decoder of text: it gives no logits.".format(name))
    if not model.get_variables():
        sentence = "{} keeps no state: export it for text generation with past, stateful."
        raise LoadError(sentence.format(name))
    attention = any(node.get_type_name() == "ScaledDotProductAttention" for node in model.get_ops())
    if cache != "f16" and not attention:
        sentence = "{} has no attention with a cache that OpenVINO could keep in {}."
        raise LoadError(sentence.format(name, cache))


def token_bytes(model: Any, bits: int) -> int:
    """Return the bytes of one token in the state; 0 where its sizes are open."""
    numbers = 0
    for variable in model.get_variables():
        shape = variable.get_info().data_shape
        if shape.rank.is_static and len(shape) == 4 and shape[1].is_static and shape[3].is_static:
            numbers += shape[1].get_length() * shape[3].get_length()
    return numbers * bits // 8


def compute_last_scores_only(model: Any) -> str:
    """Put a cut in front of the product that makes the scores, which is large for a long prompt.

    Returns:
        The name of the new input, the first token with scores; empty where none was put in.
    """
    import openvino
    from openvino import opset13 as ops

    product = _product(model)
    if product is None:
        return ""
    hidden = product.input_value(0)
    if hidden.get_partial_shape().rank.is_dynamic or len(hidden.get_partial_shape()) != 3:
        return ""
    first = ops.parameter([1], dtype=openvino.Type.i64, name=_FIRST)
    first.output(0).get_tensor().set_names({_FIRST})
    stop, step, axis = (ops.constant([one], dtype="int64") for one in (_END, 1, 1))
    cut = ops.slice(hidden, first, stop, step, axis)
    product.input(0).replace_source_output(cut.output(0))
    model.add_parameters([first])
    model.validate_nodes_and_infer_types()
    return _FIRST


def _product(model: Any) -> Any:
    """Return the product that makes the scores; None where the graph ends in another way."""
    node = model.output("logits").get_node().input_value(0).get_node()
    while node.get_type_name() in _PASSED:
        node = node.input_value(0).get_node()
    return node if node.get_type_name() == "MatMul" else None
