"""Roles of the tensors of a decoder, by the names that formats give them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """What a tensor is for.

    Attributes:
        layer: Number of the layer; None for those of the whole model.
        part: ``attn.q``, ``ffn.up`` ...; empty where the name is not known.
        is_bias: Whether it is added, and does not multiply.
        is_beside: Whether it belongs to packed weights: scales, zero points, an order of groups.
    """

    layer: int | None
    part: str
    is_bias: bool = False
    is_beside: bool = False


_GGUF = {
    "token_embd": "embed", "output_norm": "norm", "output": "head", "token_embd_norm": "embed_norm",
    "attn_norm": "attn.norm", "attn_q": "attn.q", "attn_k": "attn.k", "attn_v": "attn.v",
    "attn_qkv": "attn.qkv", "attn_output": "attn.output", "attn_q_norm": "attn.q_norm",
    "attn_k_norm": "attn.k_norm", "post_attention_norm": "attn.post_norm",
    "ffn_norm": "ffn.norm", "ffn_gate": "ffn.gate", "ffn_up": "ffn.up", "ffn_down": "ffn.down",
    "post_ffw_norm": "ffn.post_norm", "ffn_gate_inp": "ffn.router",
    "ffn_gate_exps": "ffn.gate_experts", "ffn_up_exps": "ffn.up_experts",
    "ffn_down_exps": "ffn.down_experts",
}  # fmt: skip
_TRANSFORMERS = {
    "embed_tokens": "embed", "norm": "norm", "lm_head": "head", "wte": "embed", "ln_f": "norm",
    "input_layernorm": "attn.norm", "self_attn.q_proj": "attn.q", "self_attn.k_proj": "attn.k",
    "self_attn.v_proj": "attn.v", "self_attn.qkv_proj": "attn.qkv",
    "self_attn.o_proj": "attn.output", "self_attn.dense": "attn.output",
    "self_attn.q_norm": "attn.q_norm", "self_attn.k_norm": "attn.k_norm",
    "post_attention_layernorm": "ffn.norm", "mlp.gate_proj": "ffn.gate", "mlp.up_proj": "ffn.up",
    "mlp.gate_up_proj": "ffn.up", "mlp.down_proj": "ffn.down", "mlp.fc1": "ffn.up",
    "mlp.fc2": "ffn.down", "pre_feedforward_layernorm": "ffn.norm",
    "post_feedforward_layernorm": "ffn.post_norm", "mlp.gate": "ffn.router",
}  # fmt: skip
_LAYER = re.compile(r"(?:[a-z_]+\.)*?(?:blk|layers|h)\.(\d{1,5})\.")
_BESIDE = ("scales", "qzeros", "g_idx")
_SCOPES = re.compile(r"(?:(?:model|transformer|language_model)\.)*")


def role_of(name: str) -> Role:
    """Return the role of a tensor, such as ``blk.0.attn_q.weight``."""
    stem, _, end = name.rpartition(".")
    if end not in ("weight", "bias", "qweight", *_BESIDE):
        stem = name
    ends = {"is_bias": end == "bias", "is_beside": end in _BESIDE}
    found = _LAYER.match(stem)
    if found is not None:
        short = stem[found.end() :]
        return Role(int(found[1]), _GGUF.get(short) or _TRANSFORMERS.get(short, ""), **ends)
    short = _SCOPES.sub("", stem, count=1)
    part = _GGUF.get(short) or _TRANSFORMERS.get(short, "")
    return Role(None, "" if "." in part else part, **ends)
