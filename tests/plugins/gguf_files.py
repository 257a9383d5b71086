"""Small GGUF files, written by llama.cpp's own writer."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy
from numpy.typing import NDArray

WIDTH, HIDDEN, HEADS, KV_HEADS, WORDS = 64, 96, 4, 2, 40
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
SEED = 5

Q4 = gguf.GGMLQuantizationType.Q4_0
F32 = gguf.GGMLQuantizationType.F32


def llama(
    path: Path,
    layers: int = 2,
    tokenizer: bool = True,
    architecture: str = "llama",
    kind: gguf.GGMLQuantizationType = Q4,
    renamed: dict[str, str] | None = None,
) -> Path:
    """Write a decoder with random weights.

    Args:
        renamed: Other names for tensors, as of an architecture that is not known.
    """
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny")
    writer.add_license("mit")
    writer.add_block_count(layers)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    if tokenizer:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list([f"word{number}" for number in range(WORDS)])
        writer.add_chat_template(TEMPLATE)
    for name, values in tensors(layers).items():
        one = F32 if values.ndim == 1 else kind
        stored = values if one is F32 else gguf.quantize(values, one)
        writer.add_tensor((renamed or {}).get(name, name), stored, raw_dtype=one)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(layers: int) -> dict[str, NDArray[numpy.float32]]:
    """Return the weights of a decoder by their names in GGUF."""
    random = numpy.random.default_rng(SEED)
    keys = WIDTH // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (WORDS, WIDTH)}
    for number in range(layers):
        part = {
            "attn_norm": (WIDTH,),
            "attn_q": (WIDTH, WIDTH),
            "attn_k": (keys, WIDTH),
            "attn_v": (keys, WIDTH),
            "attn_output": (WIDTH, WIDTH),
            "ffn_norm": (WIDTH,),
            "ffn_gate": (HIDDEN, WIDTH),
            "ffn_up": (HIDDEN, WIDTH),
            "ffn_down": (WIDTH, HIDDEN),
        }
        shapes |= {f"blk.{number}.{name}.weight": shape for name, shape in part.items()}
    shapes["output_norm.weight"] = (WIDTH,)
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
