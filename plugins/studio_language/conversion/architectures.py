"""Architectures that are converted, and the names of their tensors in both formats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from studio.api import InvalidModel


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture that llama.cpp and transformers have in common.

    Attributes:
        gguf: Its name in GGUF.
        model_type: Its name in ``config.json``.
        classname: Of transformers.
        pairs: Whether llama.cpp rotates neighbouring rows of queries and keys.
    """

    gguf: str
    model_type: str
    classname: str
    pairs: bool = False


_KNOWN = (
    Architecture("llama", "llama", "LlamaForCausalLM", pairs=True),
    Architecture("llama", "mistral", "MistralForCausalLM", pairs=True),
    Architecture("qwen2", "qwen2", "Qwen2ForCausalLM"),
    Architecture("qwen3", "qwen3", "Qwen3ForCausalLM"),
)

_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
_OF_LAYER = {short: long for long, short in _LAYER.items()}
_OF_WHOLE = {short: long for long, short in _WHOLE.items()}

_IN_LAYER = re.compile(r"model\.layers\.(\d{1,5})\.(.+)\.(weight|bias)")
_IN_BLOCK = re.compile(r"blk\.(\d{1,5})\.(.+)\.(weight|bias)")
_ELSEWHERE = re.compile(r"(.+)\.(weight|bias)")

ROTATED = ("attn_q", "attn_k")
"""Parts of a layer whose rows are rotated."""


def of_config(config: Mapping[str, object]) -> Architecture:
    """Return the architecture of a ``config.json``.

    Raises:
        InvalidModel: for one that is not converted.
    """
    for one in _KNOWN:
        if config.get("model_type") == one.model_type:
            return one
    raise InvalidModel(
        f"Models of the architecture {_shown(config.get('model_type'))} are not written as GGUF.",
        hint=f"{_named()} are; llama.cpp's own convert_hf_to_gguf.py knows further ones.",
    )


def of_gguf_name(name: str) -> Architecture:
    """Return the architecture of a GGUF file.

    Raises:
        InvalidModel: for one that is not converted.
    """
    for one in _KNOWN:
        if name == one.gguf:
            return one
    raise InvalidModel(
        f"GGUF models of the architecture {_shown(name)} are not written as safetensors.",
        hint=f"{_named()} are; of others, take the folder that the file was made of.",
    )


def gguf_name(name: str) -> str:
    """Return the name in GGUF of a tensor of transformers; empty for one that is not known."""
    return _other(name, _IN_LAYER, "blk.{}.{}.{}", _LAYER, _WHOLE)


def transformers_name(name: str) -> str:
    """Return the name in transformers of a tensor in GGUF; empty for one that is not known."""
    return _other(name, _IN_BLOCK, "model.layers.{}.{}.{}", _OF_LAYER, _OF_WHOLE)


def _other(
    name: str,
    pattern: re.Pattern[str],
    form: str,
    parts: Mapping[str, str],
    others: Mapping[str, str],
) -> str:
    found = pattern.fullmatch(name)
    if found is not None:
        part = parts.get(found[2])
        return form.format(found[1], part, found[3]) if part else ""
    whole = _ELSEWHERE.fullmatch(name)
    part = others.get(whole[1]) if whole else None
    return f"{part}.{whole[2]}" if whole and part else ""


def rotated_part(name: str) -> str:
    """Return ``attn_q`` or ``attn_k`` for such a tensor in GGUF; empty for any other."""
    found = _IN_BLOCK.fullmatch(name)
    return found[2] if found and found[2] in ROTATED else ""


def _shown(name: object) -> str:
    return repr(str(name)[:40])


def _named() -> str:
    names = [one.model_type.capitalize() for one in _KNOWN]
    return f"{', '.join(names[:-1])} and {names[-1]}"
