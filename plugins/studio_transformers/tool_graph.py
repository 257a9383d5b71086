"""The graph of a language model of transformers as OpenVINO GenAI runs it, with its cache as state.

torch and openvino alone; nothing of the studio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import openvino
import torch
from openvino import opset13 as ops
from openvino._offline_transformations import apply_make_stateful_transformation

_KINDS = ("keys", "values")


class TracedCache:
    """The keys and values of all layers, joined with those of new tokens."""

    is_compileable = False

    def __init__(self, past: Sequence[Any]) -> None:
        self.past, self.present = past, [None] * len(past)

    def get_seq_length(self, layer: int = 0) -> Any:
        """Return the tokens that are held."""
        return self.past[0].shape[2]

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Return all keys and values of a layer."""
        for place, fresh in zip((2 * layer, 2 * layer + 1), (keys, values), strict=True):
            self.present[place] = torch.cat([self.past[place], fresh], 2)
        return self.present[2 * layer], self.present[2 * layer + 1]


class TracedDecoder(torch.nn.Module):  # type: ignore[misc]
    """A model whose cache is inputs and outputs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.inner = model

    def forward(self, tokens: Any, seen: Any, places: Any, *past: Any) -> tuple[Any, ...]:
        """Return scores, and the keys and values of all layers."""
        cache = TracedCache(past)
        held, count = past[0].shape[2], tokens.shape[1]
        rows = torch.arange(held, held + count)[:, None]
        allowed = (torch.arange(held + count)[None, :] <= rows)[None, None]
        allowed = allowed & seen[:, None, None, :].bool()
        mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)
        found = self.inner(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
        )
        return (found.logits, *cache.present)


def stateful(model: Any) -> Any:
    """Return a model for OpenVINO whose cache is its state."""
    config = model.config
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    usual = config.hidden_size // config.num_attention_heads
    size = getattr(config, "head_dim", None) or usual
    past = [torch.randn(2, heads, 4, size) for _ in range(2 * layers)]
    tokens, places = torch.tensor([[1, 2, 3]] * 2), torch.tensor([[4, 5, 6]] * 2)
    example = (tokens, torch.ones(2, 7, dtype=torch.int64), places, *past)
    with torch.no_grad():
        made = openvino.convert_model(TracedDecoder(model), example_input=example)
    caches = list(_names(layers))
    _name(made, caches, heads, size)
    _choose_beams(made)
    pairs = {f"past.{one}": f"present.{one}" for one in caches}
    apply_make_stateful_transformation(made, pairs)
    _begin_empty(made, heads, size)
    made.validate_nodes_and_infer_types()
    return made


def _names(layers: int) -> Iterator[str]:
    for layer in range(layers):
        for kind in _KINDS:
            yield f"{layer}.{kind}"


def _name(made: Any, caches: Sequence[str], heads: int, size: int) -> None:
    inputs = ["input_ids", "attention_mask", "position_ids", *(f"past.{one}" for one in caches)]
    for port, name in zip(made.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
        node = port.get_node()
        node.set_friendly_name(name)
        shape = [-1, heads, -1, size] if name.startswith("past.") else [-1, -1]
        node.set_partial_shape(openvino.PartialShape(shape))
    outputs = ["logits", *(f"present.{one}" for one in caches)]
    for port, name in zip(made.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})


def _choose_beams(made: Any) -> None:
    """Take the rows of the past that ``beam_idx`` names."""
    beams = ops.parameter([-1], dtype=openvino.Type.i32, name="beam_idx")
    beams.output(0).get_tensor().set_names({"beam_idx"})
    made.add_parameters([beams])
    axis = ops.constant(0, dtype="int64")
    for node in made.get_parameters():
        if node.get_friendly_name().startswith("past."):
            users = node.output(0).get_target_inputs()
            chosen = ops.gather(node, beams, axis)
            for user in users:
                user.replace_source_output(chosen.output(0))
    made.validate_nodes_and_infer_types()


def _begin_empty(made: Any, heads: int, size: int) -> None:
    """Let each state begin with the rows of the batch, and no tokens."""
    axis = ops.constant(0, dtype="int64")
    shape = ops.shape_of(made.input("input_ids").get_node())
    rows = ops.gather(shape, ops.constant([0], dtype="int64"), axis)
    rest = ops.constant([heads, 0, size], dtype="int64")
    start = ops.broadcast(ops.constant(0.0, dtype="float32"), ops.concat([rows, rest], 0))
    for node in made.get_ops():
        if node.get_type_name() == "ReadValue":
            node.set_arguments([start.output(0)])
