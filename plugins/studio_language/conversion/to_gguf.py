"""The writer of GGUF files from folders of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import Converted, InputSpec, InvalidModel, Progress, Unavailable
from studio_language.conversion import rope
from studio_language.conversion.architectures import (
    ROTATED,
    Architecture,
    gguf_name,
    of_config,
    rotated_part,
)
from studio_language.conversion.float_tensors import FloatTensor, of_safetensors, paired
from studio_language.conversion.gguf_file import F16, F32, FILE_TYPES, Q8_0, Value, write_gguf
from studio_language.conversion.vocabulary import doubts_of, settings_of, vocabulary_of
from studio_language.safetensors.content import files_of, load

KINDS = {"fp32": F32, "fp16": F16, "int8": Q8_0}
_CACHED = (".rotary_emb.inv_freq", ".attn.masked_bias", ".attn.bias")
"""Tensors that old files have, and that follow from the configuration."""


class GgufWriter:
    """The converter of safetensors to GGUF."""

    id = "gguf"
    title = "The studio"
    sources = ("safetensors",)

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
        """Write a GGUF file with weights, settings and tokenizer.

        Raises:
            InvalidModel: for an architecture, tokenizer or weight that cannot be written.
        """
        config = settings_of(source.parent / "config.json")
        known, numbers = of_config(config), ModelNumbers(config)
        kind = KINDS[str((settings or {}).get("precision", "fp16"))]
        spins = rope.settings_of(config)
        tensors = list(_tensors(source, known, numbers))
        words = next((one.shape[0] for one in tensors if one.name == "token_embd.weight"), 0)
        if (divided := rope.factors(spins, numbers.head)) is not None:
            one = FloatTensor(rope.FACTORS, divided.shape, lambda: iter((divided,)))
            tensors.insert(0, one)
        metadata: dict[str, Value] = {
            "general.architecture": known.gguf,
            "general.type": "model",
            "general.name": source.parent.name,
            "general.file_type": FILE_TYPES[kind],
            "general.quantization_version": 2,
            **numbers.metadata(known.gguf, words),
            **rope.metadata_of(spins, known.gguf),
            **vocabulary_of(source.parent, words),
        }
        write_gguf(output, metadata, tensors, kind, progress)
        return Converted("", (*_notes(config), *doubts_of(source.parent)))

    def answer(
        self, model: Path, samples: Path, answers: Path, folder: Path, progress: Progress
    ) -> None:
        """Raise: language models are compared on texts.

        Raises:
            Unavailable: always.
        """
        raise Unavailable("Language models are compared on texts, by studio evaluate.")


class ModelNumbers:
    """The sizes in a ``config.json``.

    Raises:
        InvalidModel: when one is missing.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self.layers = self.number("num_hidden_layers")
        self.width = self.number("hidden_size")
        self.heads = self.number("num_attention_heads")
        self.kv_heads = self.number("num_key_value_heads", self.heads)
        self.head = self.number("head_dim", self.width // self.heads)

    def number(self, key: str, default: int = 0) -> int:
        """Return a whole number above 0."""
        found = self._config.get(key)
        value = default if found is None else found
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 31:
            raise InvalidModel(f"config.json has no number {key} that can be used.")
        return value

    def metadata(self, name: str, words: int) -> dict[str, Value]:
        """Return the sizes by their keys in GGUF."""
        epsilon = self._config.get("rms_norm_eps", 1e-6)
        return {
            f"{name}.block_count": self.layers,
            f"{name}.context_length": self.number("max_position_embeddings"),
            f"{name}.embedding_length": self.width,
            f"{name}.feed_forward_length": self.number("intermediate_size"),
            f"{name}.attention.head_count": self.heads,
            f"{name}.attention.head_count_kv": self.kv_heads,
            f"{name}.attention.key_length": self.head,
            f"{name}.attention.value_length": self.head,
            f"{name}.attention.layer_norm_rms_epsilon": float(epsilon),
            f"{name}.rope.dimension_count": self.head,
            f"{name}.vocab_size": words,
        }


def _tensors(path: Path, known: Architecture, numbers: ModelNumbers) -> Iterator[FloatTensor]:
    """Yield the tensors by their names in GGUF.

    Raises:
        InvalidModel: for a tensor that the architecture does not have.
    """
    tied = settings_of(path.parent / "config.json").get("tie_word_embeddings", False)
    saved = load(files_of(path))
    _check_whole(saved, numbers.layers)
    for one in saved.values():
        if one.name.endswith(_CACHED) or (tied and one.name == "lm_head.weight"):
            continue
        name = gguf_name(one.name)
        if not name:
            raise InvalidModel(
                f"The tensor {one.name[:80]!r} is none of a {known.model_type.capitalize()} model.",
                hint="Models with further parts, such as experts or adapters, are not converted.",
            )
        read = of_safetensors(one)
        part = rotated_part(name)
        if known.pairs and part:
            heads = numbers.heads if part == ROTATED[0] else numbers.kv_heads
            if read.shape[0] != heads * numbers.head:
                raise InvalidModel(f"{one.name} has {read.shape[0]} rows, other than its heads.")
            yield paired(read, heads, name, to_gguf=True)
        else:
            yield FloatTensor(name, read.shape, read.parts)


def _check_whole(saved: Mapping[str, object], layers: int) -> None:
    """Raise InvalidModel when weights are missing."""
    last = f"model.layers.{layers - 1}.mlp.down_proj.weight"
    for name in ("model.embed_tokens.weight", "model.norm.weight", last):
        if name not in saved:
            raise InvalidModel(
                f"The weights {name} are missing.", hint="Download the whole folder again."
            )


def _notes(config: Mapping[str, Any]) -> tuple[str, ...]:
    window, context = config.get("sliding_window"), config.get("max_position_embeddings")
    if not isinstance(window, int) or config.get("use_sliding_window") is False:
        return ()
    if isinstance(context, int) and window >= context:
        return ()
    return (
        f"The model was made to look back {window:,} tokens. llama.cpp lets it look back further, "
        "so longer texts are answered otherwise.",
    )
