"""Facts of a language model from the metadata of a GGUF file."""

from __future__ import annotations

from studio.api import LanguageModel
from studio_language.gguf.content import GgufContent

_TOKENIZERS = {"gpt2": "BPE", "llama": "SentencePiece", "bert": "WordPiece", "t5": "Unigram"}
_LONGEST_TEMPLATE = 64 << 10


def language_model(content: GgufContent) -> LanguageModel:
    """Return the facts of a model.

    Head sizes that are not stated are the width divided by the heads, as llama.cpp has it.
    """
    architecture = content.name("general.architecture")

    def number(key: str) -> int | None:
        return content.number(f"{architecture}.{key}")

    heads, width = number("attention.head_count"), number("embedding_length")
    size = width // heads if width and heads else None
    return LanguageModel(
        architecture or "unknown",
        layers=number("block_count"),
        heads=heads,
        kv_heads=number("attention.head_count_kv") or heads,
        key_size=number("attention.key_length") or size,
        value_size=number("attention.value_length") or size,
        width=width,
        vocabulary=content.count("tokenizer.ggml.tokens") or number("vocab_size"),
        context=number("context_length"),
        tokenizer=_tokenizer(content),
        chat_template=content.text("tokenizer.chat_template")[:_LONGEST_TEMPLATE],
        cached_layers=_cached_layers(content, f"{architecture}.attention.head_count_kv"),
    )


def _tokenizer(content: GgufContent) -> str:
    kind = content.name("tokenizer.ggml.model")
    known = _TOKENIZERS.get(kind, kind)
    return ", ".join(filter(None, (known, content.name("tokenizer.ggml.pre"))))


def _cached_layers(content: GgufContent, key: str) -> int | None:
    """Return the layers with attention, where the number of heads is listed for each layer."""
    found = content.metadata.get(key)
    if isinstance(found, (int, float, str)) or found is None or found.count > len(found.first):
        return None
    return sum(bool(one) for one in found.first)
