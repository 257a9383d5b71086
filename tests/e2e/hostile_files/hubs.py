"""Folders of Hugging Face that lie, carry code, or reach out of themselves."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.hostile_files.kinds import Hostile, Make, Payload
from tests.e2e.hostile_files.pickles import WEIGHTS, archive

_MOST = (1 << 64) - 1
_CONFIG: Mapping[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "vocab_size": 8,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
_TENSOR = {"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}

Members = Mapping[str, bytes | str]


def _weights(header: object, length: int | None = None) -> bytes:
    text = header if isinstance(header, str) else json.dumps(header)
    encoded = text.encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + bytes(16)


_SOUND = _weights(_TENSOR)


def _config(**changed: Any) -> str:
    return json.dumps({**_CONFIG, **changed})


def _folder(members: Members, links: Mapping[str, str] | None = None) -> Make:
    """Return a maker of a folder of files and symbolic links; an empty file is the pickle."""

    def make(folder: Path, payload: Payload) -> Path:
        path = folder / "hub"
        for name, content in members.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            file.write_bytes(data or archive(WEIGHTS, payload))
        (path / "modeling_evil.py").write_text(payload.code)
        for name, target in (links or {}).items():
            os.symlink(target, path / name)
        return path

    return make


def _one(
    name: str, members: Members, words: str, links: Mapping[str, str] | None = None
) -> Hostile:
    make = _folder(members, links)
    return Hostile(f"hub {name}", make, words, command=("convert", "{file}"))


def _of_config(name: str, config: str, words: str) -> Hostile:
    return _one(name, {"config.json": config, "model.safetensors": _SOUND}, words)


def _of_weights(name: str, weights: bytes, words: str) -> Hostile:
    return _one(name, {"config.json": _config(), "model.safetensors": weights}, words)


def _of_index(name: str, shard: str, words: str) -> Hostile:
    index = json.dumps({"weight_map": {"w": shard}})
    members = {"config.json": _config(), "model.safetensors.index.json": index}
    return _one(name, {**members, "a.safetensors": _SOUND}, words)


_EVIL = {"AutoModel": "modeling_evil.Evil", "AutoConfig": "modeling_evil.Evil"}
_NEST = '{"model_type":' * 50_000 + "1" + "}" * 50_000
_SIZES = {
    "hidden size": {"hidden_size": 10**9, "intermediate_size": 10**9},
    "vocabulary": {"vocab_size": 10**12},
    "table of positions": {"max_position_embeddings": 10**11},
}

FILES = (
    _of_config("with a class of its own", _config(auto_map=_EVIL), "(auto_map), and code"),
    _of_config(
        "with a class in a part",
        _config(model_type="clip", text_config={"auto_map": _EVIL}),
        "(auto_map), and code",
    ),
    _of_config("of a nest", _NEST, "is nested too deeply"),
    _of_config("that is no object", "[1]", "is no JSON object"),
    _of_config("without a class", _config(architectures=None), "names no class"),
    _of_config("of an unknown kind", _config(model_type="evil"), "does not know the architecture"),
    _of_config("of a class elsewhere", _config(architectures=["os"]), "is no class of bert"),
    _of_config("of another class", _config(architectures=["ViTModel"]), "is no class of bert"),
    _of_config(
        "of a function", _config(architectures=["is_torch_available"]), "is no class of bert"
    ),
    *(
        _of_config(f"with a huge {name}", _config(**sizes), "describes a model of")
        for name, sizes in _SIZES.items()
    ),
    _of_config("of many layers", _config(num_hidden_layers=10**9), "num_hidden_layers above"),
    _of_config("of negative sizes", _config(hidden_size=-8), "cannot be loaded"),
    _of_config("of texts for sizes", _config(hidden_size="8"), "cannot be loaded"),
    _of_config("of an activation", _config(hidden_act="os.system"), "cannot be loaded"),
    _of_config(
        "with kernels of a hub",
        _config(attn_implementation="evil/kernel", _attn_implementation="evil/kernel"),
        "The weights do not fit config.json: they lack",
    ),
    _of_config(
        "that names its weights",
        _config(transformers_weights="../../../etc/passwd"),
        "The weights do not fit config.json: they lack",
    ),
    _of_config(
        "of quantized weights",
        _config(quantization_config={"quant_method": "evil"}),
        "The weights are quantized",
    ),
    _of_weights("with a header of all memory", _weights("{}", _MOST), "does not fit the file"),
    _of_weights(
        "with shapes without end",
        _weights({"w": {"dtype": "F32", "shape": [1 << 62] * 500, "data_offsets": [0, 16]}}),
        "does not fit the file",
    ),
    _of_weights(
        "with negative offsets",
        _weights({"w": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}),
        "does not fit the file",
    ),
    _of_weights("with a nest for a header", _weights('{"w":' * 50_000), "is nested too deeply"),
    _of_index("with a shard outside", "../a.safetensors", "no file of weights in the folder"),
    _of_index("with a shard of the system", "/etc/passwd", "no file of weights in the folder"),
    _of_index("without its shard", "b.safetensors", "b.safetensors is missing"),
    _one(
        "with weights elsewhere",
        {"config.json": _config()},
        "leads out of the folder",
        {"model.safetensors": "/etc/passwd"},
    ),
    _one(
        "with a configuration elsewhere",
        {"model.safetensors": _SOUND},
        "leads out of the folder",
        {"config.json": "/etc/passwd"},
    ),
    _one(
        "with a licence elsewhere",
        {"config.json": _config(), "model.onnx": b"\x08\x08"},
        "leads out of the folder",
        {"README.md": "/etc/passwd"},
    ),
    _one(
        "with pickled weights",
        {"config.json": _config(), "pytorch_model.bin": b""},
        "cannot be loaded",
    ),
)
