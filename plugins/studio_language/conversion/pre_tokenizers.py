"""Rules that split a text before its tokens are merged, as llama.cpp and tokenizers name them.

llama.cpp knows such rules by a name (``tokenizer.ggml.pre``), ``tokenizer.json`` as steps. Those
listed give the same tokens in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import InvalidModel

Json = Mapping[str, Any]

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def _split(numbers: str) -> dict[str, Any]:
    pattern = {"Regex": f"{_WORDS}{numbers}{_REST}"}
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def _bytes(use_regex: bool) -> dict[str, Any]:
    flags = {"add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}
    return {"type": "ByteLevel", **flags}


def _steps(*steps: Json) -> dict[str, Any]:
    return {"type": "Sequence", "pretokenizers": list(steps)}


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """A rule.

    Attributes:
        names: Of llama.cpp; the first is written.
        steps: The part ``pre_tokenizer`` of ``tokenizer.json``.
        normalizer: The part of that name.
        whole_words: Whether words of the vocabulary are taken whole (``ignore_merges``).
        begins: Whether llama.cpp puts the first token in front where the file does not say.
    """

    names: tuple[str, ...]
    steps: Json
    normalizer: Json | None = None
    whole_words: bool = False
    begins: bool = False


_DIGITS = {"type": "Digits", "individual_digits": True}
_KNOWN = (
    PreTokenizer(("gpt-2", "mpt", "olmo", "jais", "phi-2"), _bytes(True)),
    PreTokenizer(("smollm", "starcoder", "refact", "codeshell"), _steps(_DIGITS, _bytes(True))),
    PreTokenizer(
        ("llama-bpe", "llama3", "llama-v3", "smaug-bpe"),
        _steps(_split(r"\p{N}{1,3}"), _bytes(False)),
        whole_words=True,
        begins=True,
    ),
    PreTokenizer(
        ("qwen2", "deepseek-r1-qwen"), _steps(_split(r"\p{N}"), _bytes(False)), {"type": "NFC"}
    ),
)


def named(name: str) -> PreTokenizer:
    """Return the rule of a name.

    Raises:
        InvalidModel: for a name that is not known here.
    """
    for one in _KNOWN:
        if name in one.names:
            return one
    raise InvalidModel(
        f"The tokenizer splits texts by the rule {name[:40]!r}, which is not known here.",
        hint=f"{_names()} are; of others, take the folder that the file was made of.",
    )


def found_in(tokenizer: Json) -> PreTokenizer:
    """Return the rule of a ``tokenizer.json``.

    Raises:
        InvalidModel: for one that llama.cpp has no name for here.
    """
    steps = _plain(tokenizer.get("pre_tokenizer"))
    whole_words = bool(_part(tokenizer, "model").get("ignore_merges"))
    normalizer = _part(tokenizer, "normalizer").get("type")
    for one in _KNOWN:
        wanted = one.normalizer and one.normalizer["type"]
        same = steps == _plain(one.steps) and normalizer in (None, wanted)
        if same and whole_words == one.whole_words:
            return one
    raise InvalidModel(
        "The tokenizer splits texts by a rule that has no name in llama.cpp known here.",
        hint=f"The rules {_names()} are known; convert_hf_to_gguf.py of llama.cpp knows more.",
    )


def _part(settings: Json, key: str) -> Json:
    found = settings.get(key)
    return found if isinstance(found, dict) else {}


def _plain(steps: object) -> list[tuple[object, ...]]:
    """Return the steps with what changes tokens alone."""
    if not isinstance(steps, dict):
        return []
    inner = steps.get("pretokenizers")
    if steps.get("type") == "Sequence" and isinstance(inner, list):
        return [one for step in inner for one in _plain(step)]
    kind = steps.get("type")
    if kind == "ByteLevel":
        return [(kind, steps.get("add_prefix_space"), steps.get("use_regex", True))]
    if kind == "Digits":
        return [(kind, steps.get("individual_digits"))]
    if kind == "Split":
        pattern = _part(steps, "pattern").get("Regex")
        return [(kind, pattern, steps.get("behavior"), steps.get("invert"))]
    return [(kind, str(sorted(map(str, steps))))]


def _names() -> str:
    names = [one.names[0] for one in _KNOWN]
    return f"{', '.join(names[:-1])} and {names[-1]}"
