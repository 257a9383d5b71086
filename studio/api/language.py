"""What is known of a model that generates text, beside its graph."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Facts of a language model; None or empty where the file does not have them.

    Attributes:
        architecture: As the format names it (``llama``).
        heads, kv_heads: Attention heads of queries, and of keys and values, in the layer that has
            most.
        key_size, value_size: Numbers of a head for each token.
        width: Numbers of a token between layers.
        context: Longest sequence that it was made for, in tokens.
        tokenizer: Kind of the tokenizer (``BPE, smollm``).
        chat_template: Text of the template, which is a program: show it, never run it.
        cached_layers: Layers with a cache of keys and values; all of them by default.
    """

    architecture: str
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    key_size: int | None = None
    value_size: int | None = None
    width: int | None = None
    vocabulary: int | None = None
    context: int | None = None
    tokenizer: str = ""
    chat_template: str = ""
    cached_layers: int | None = None

    def cache_bytes(self, bytes_per_number: float = 2) -> int | None:
        """Return the bytes that the cache of keys and values takes for each token.

        Args:
            bytes_per_number: 2 for float16, 1 for int8.
        """
        layers = self.layers if self.cached_layers is None else self.cached_layers
        sizes = (layers, self.kv_heads, self.key_size, self.value_size)
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return None
        count, heads, key, value = known
        return round(count * heads * (key + value) * bytes_per_number)
