"""Small folders of language models in the layout of transformers, with random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy

WIDTH, HIDDEN, HEADS, KV_HEADS, WORDS = 32, 48, 4, 2, 20
TEMPLATE = "{{ messages[0]['content'] }}"

Shapes = Mapping[str, tuple[int, ...]]


def shapes(layers: int) -> dict[str, tuple[int, ...]]:
    """Return the tensors of a decoder with their shapes."""
    keys = WIDTH // HEADS * KV_HEADS
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (WORDS, WIDTH)}
    for number in range(layers):
        part = {
            "input_layernorm": (WIDTH,),
            "self_attn.q_proj": (WIDTH, WIDTH),
            "self_attn.k_proj": (keys, WIDTH),
            "self_attn.v_proj": (keys, WIDTH),
            "self_attn.o_proj": (WIDTH, WIDTH),
            "post_attention_layernorm": (WIDTH,),
            "mlp.gate_proj": (HIDDEN, WIDTH),
            "mlp.up_proj": (HIDDEN, WIDTH),
            "mlp.down_proj": (WIDTH, HIDDEN),
        }
        found |= {f"model.layers.{number}.{name}.weight": shape for name, shape in part.items()}
    return {**found, "model.norm.weight": (WIDTH,)}


def folder(path: Path, layers: int = 2, **config: object) -> Path:
    """Write a folder with one file of weights, a tokenizer and a template."""
    path.mkdir(parents=True, exist_ok=True)
    known = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "hidden_size": WIDTH,
        "vocab_size": WORDS,
        "max_position_embeddings": 256,
    }
    (path / "config.json").write_text(json.dumps({**known, **config}))
    (path / "tokenizer.json").write_text("{}")
    tokenizer = {"tokenizer_class": "LlamaTokenizer", "chat_template": TEMPLATE}
    (path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    save(path / "model.safetensors", shapes(layers))
    return path


def save(path: Path, tensors: Shapes) -> Path:
    """Write a file of weights as float32."""
    head, parts, at = {}, [], 0
    for number, (name, shape) in enumerate(tensors.items()):
        data = numpy.random.default_rng(number).normal(size=shape).astype("<f4").tobytes()
        head[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    return raw(path, head, b"".join(parts))


def raw(path: Path, head: object, data: bytes = b"") -> Path:
    """Write a file with a head of one's own."""
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path
