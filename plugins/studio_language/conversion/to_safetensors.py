"""The writer of folders of transformers from GGUF files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import Converted, InputSpec, InvalidModel, Progress, Unavailable, UsageError
from studio_language.conversion import rope
from studio_language.conversion.architectures import (
    ROTATED,
    Architecture,
    of_gguf_name,
    rotated_part,
    transformers_name,
)
from studio_language.conversion.float_tensors import FloatTensor, of_gguf, paired
from studio_language.conversion.safetensors_file import write_safetensors
from studio_language.conversion.tokenizer_json import special_ids, write_tokenizer
from studio_language.gguf.content import MOST_ITEMS, GgufContent, StoredTensor, load
from studio_language.gguf.values import read_values

WEIGHTS, CONFIG, GENERATION = "model.safetensors", "config.json", "generation_config.json"
_DTYPES = {"fp32": "float32", "fp16": "float16"}


class SafetensorsWriter:
    """The converter of GGUF to a folder of transformers."""

    id = "safetensors"
    title = "The studio"
    sources = ("gguf",)

    def version(self) -> str:
        """Return nothing: no framework takes part."""
        return ""

    def convert(
        self,
        source: Path,
        output: Path,
        inputs: Mapping[str, InputSpec],
        folder: Path,
        progress: Progress,
        settings: Mapping[str, object] | None = None,
    ) -> Converted:
        """Write weights, configuration and tokenizer into a folder.

        Raises:
            InvalidModel: for an architecture, tokenizer or weight that cannot be written.
        """
        content = load(source, MOST_ITEMS)
        known = of_gguf_name(content.text("general.architecture"))
        precision = str((settings or {}).get("precision", "fp32"))
        tensors = list(_tensors(source, content, known))
        output.mkdir(exist_ok=True)
        names = {one.name for one in tensors}
        write_tokenizer(content, output)
        config = _config(source, content, known, names)
        write_safetensors(output / WEIGHTS, tensors, precision, progress)
        config["dtype"] = _DTYPES[precision]
        _write(output / CONFIG, config)
        kept = ("bos_token_id", "eos_token_id", "pad_token_id")
        _write(output / GENERATION, {key: config[key] for key in kept if key in config})
        if licence := content.name("general.license"):
            (output / "README.md").write_text(f"---\nlicense: {licence}\n---\n", encoding="utf-8")
        return Converted("", ())

    def answer(
        self, model: Path, samples: Path, answers: Path, folder: Path, progress: Progress
    ) -> None:
        """Raise: language models are compared on texts.

        Raises:
            Unavailable: always.
        """
        raise Unavailable("Language models are compared on texts, by studio evaluate.")


def _tensors(path: Path, content: GgufContent, known: Architecture) -> Iterator[FloatTensor]:
    """Yield the tensors by their names in transformers.

    Raises:
        InvalidModel: for a tensor of another architecture, or a type that is not unpacked.
    """
    heads = content.number(f"{known.gguf}.attention.head_count") or 0
    kv_heads = content.number(f"{known.gguf}.attention.head_count_kv") or heads
    for one in content.tensors:
        if one.name == rope.FACTORS:
            continue
        name = transformers_name(one.name)
        if not name:
            raise InvalidModel(
                f"The tensor {one.name[:80]!r} is none of a {known.model_type.capitalize()} model.",
                hint="Models with further parts, such as experts, are not converted.",
            )
        _check_readable(one, path)
        read, part = of_gguf(path, one), rotated_part(one.name)
        if known.pairs and part:
            many = heads if part == ROTATED[0] else kv_heads
            if not many or read.shape[0] % (2 * many):
                raise InvalidModel(f"{one.name} has {read.shape[0]} rows for {many} heads.")
            yield paired(read, many, name, to_gguf=False)
        else:
            yield FloatTensor(name, read.shape, read.parts)


def _check_readable(tensor: StoredTensor, path: Path) -> None:
    """Raise InvalidModel for a type that is not unpacked, before anything is written."""
    try:
        read_values(tensor.name, tensor.kind, b"")
    except UsageError as error:
        raise InvalidModel(
            error.message, hint=f"Choose another file of the model than {path.name}."
        ) from None


def _config(
    path: Path, content: GgufContent, known: Architecture, names: set[str]
) -> dict[str, Any]:
    """Return the settings of ``config.json``.

    Raises:
        InvalidModel: when a size is missing.
    """

    def number(key: str, default: int | None = None) -> int:
        found = content.number(f"{known.gguf}.{key}")
        value = default if found is None else found
        if not value or not 0 < value < 1 << 31:
            raise InvalidModel(f"{path.name} does not have the size {known.gguf}.{key}.")
        return value

    width, heads = number("embedding_length"), number("attention.head_count")
    special = special_ids(content)
    embedded = next((one for one in content.tensors if one.name == "token_embd.weight"), None)
    if embedded is None:
        raise InvalidModel(f"{path.name} has no table of tokens.")
    head = number("attention.key_length", width // heads)
    spins = _rope(path, content, known.gguf)
    return {
        "architectures": [known.classname],
        "model_type": known.model_type,
        "hidden_act": "silu",
        "hidden_size": width,
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": number("attention.head_count_kv", heads),
        "head_dim": head,
        "max_position_embeddings": number("context_length"),
        "rms_norm_eps": _decimal(content, f"{known.gguf}.attention.layer_norm_rms_epsilon", 1e-5),
        "rope_parameters": spins,
        "rope_theta": spins["rope_theta"],
        "attention_bias": _has_bias(names),
        "mlp_bias": "model.layers.0.mlp.down_proj.bias" in names,
        "tie_word_embeddings": "lm_head.weight" not in names,
        "vocab_size": embedded.shape[0],
        "use_cache": True,
        **{f"{short}_token_id": at for short, at in special.items() if short != "unk"},
    }


def _has_bias(names: set[str]) -> bool:
    """Return whether all products of the attention have a bias, as transformers knows it."""
    first = "model.layers.0.self_attn.{}_proj.bias"
    return all(first.format(one) in names for one in "qkvo")


def _rope(path: Path, content: GgufContent, name: str) -> dict[str, Any]:
    stored = next((one for one in content.tensors if one.name == rope.FACTORS), None)
    divided = of_gguf(path, stored).whole() if stored else None
    base = _decimal(content, f"{name}.rope.freq_base", 10_000.0)
    factor = _decimal(content, f"{name}.rope.scaling.factor", 1.0)
    return rope.of_gguf(base, content.text(f"{name}.rope.scaling.type"), factor, divided)


def _decimal(content: GgufContent, key: str, default: float) -> float:
    found = content.metadata.get(key, default)
    return float(found) if isinstance(found, int | float) else default


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
