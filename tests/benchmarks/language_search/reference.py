"""A model of the same function whose weights lie on no grid.

The only real model at hand is in Q4_1, and what is on a grid of 16 values is rounded to such a grid
for nothing. Its residual channels, hidden channels and value channels are permuted, and columns are
scaled by up to 16 % with the inverse in the norm or layer in front of them. The function is the
same to rounding. Blocks of 32 then hold values of many grids. Outliers stay in their channels, as a
rotation would not leave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

SEED = 23
_SPREAD = 0.15
_OWN = ("general.architecture", "general.file_type", "general.quantization_version")
Floats = NDArray[np.float32]
Changes = Mapping[str, NDArray[Any]]


class Shuffle:
    """The permutations and scales of a Llama-like model with tied tokens."""

    def __init__(self, width: int, hidden: int, layers: int, heads: tuple[int, int]) -> None:
        self._random = np.random.default_rng(SEED)
        self._heads, self._size = heads, width // heads[0]
        self._residual = self._random.permutation(width)
        self._layers = [self._layer(width, hidden) for _ in range(layers)]

    def changed(self, name: str, values: Floats) -> Floats:
        """Return the values of a tensor of the other model."""
        if name == "token_embd.weight":
            return values[:, self._residual]
        if name == "output_norm.weight":
            return values[self._residual]
        _, number, kind, _ = name.split(".")
        return self._of_layer(kind, values, self._layers[int(number)])

    def _layer(self, width: int, hidden: int) -> Changes:
        keys = self._heads[1] * self._size
        starts = range(0, keys, self._size)
        order = [start + self._random.permutation(self._size) for start in starts]
        return {
            "attention": self._scale(width),
            "forward": self._scale(width),
            "value": self._scale(keys),
            "down": self._scale(hidden),
            "hidden": self._random.permutation(hidden),
            "order": np.concatenate(order),
        }

    def _scale(self, count: int) -> Floats:
        return np.exp(self._random.uniform(-_SPREAD, _SPREAD, count)).astype(np.float32)

    def _of_layer(self, kind: str, values: Floats, one: Changes) -> Floats:
        if kind in ("attn_norm", "ffn_norm"):
            return values[self._residual] / one["attention" if kind == "attn_norm" else "forward"]
        if kind in ("attn_q", "attn_k"):
            return values[:, self._residual] * one["attention"]
        if kind == "attn_v":
            mixed = (values[:, self._residual] * one["attention"])[one["order"]]
            return mixed * one["value"][:, None]
        if kind == "attn_output":
            order, scale = self._spread(one)
            return values[self._residual][:, order] / scale
        if kind == "ffn_down":
            return values[self._residual][:, one["hidden"]] / one["down"]
        mixed = (values[:, self._residual] * one["forward"])[one["hidden"]]
        return mixed * one["down"][:, None] if kind == "ffn_up" else mixed

    def _spread(self, one: Changes) -> tuple[NDArray[Any], Floats]:
        """Return order and scale of the values' channels as the heads of queries see them."""
        shared = self._heads[0] // self._heads[1]
        places, scales = [], []
        for head in range(self._heads[0]):
            own = slice(head // shared * self._size, (head // shared + 1) * self._size)
            places.append(one["order"][own] - own.start + head * self._size)
            scales.append(one["value"][own])
        return np.concatenate(places), np.concatenate(scales)


def write_reference(source: Path, out: Path) -> None:
    """Write the other model in float16."""
    reader = gguf.GGUFReader(source)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    shuffle = Shuffle(
        facts["llama.embedding_length"],
        facts["llama.feed_forward_length"],
        facts["llama.block_count"],
        (facts["llama.attention.head_count"], facts["llama.attention.head_count_kv"]),
    )
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in _OWN:
            continue
        of = field.types[1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], of)
    for tensor in reader.tensors:
        values = np.array(gguf.dequantize(tensor.data, tensor.tensor_type), np.float32)
        changed = shuffle.changed(tensor.name, values)
        kind = np.float32 if values.ndim == 1 else np.float16
        writer.add_tensor(tensor.name, np.ascontiguousarray(changed, kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
