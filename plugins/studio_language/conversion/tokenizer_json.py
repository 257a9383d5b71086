"""The tokenizer of a GGUF file as files of transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio.api import InvalidModel
from studio_language.conversion.pre_tokenizers import named
from studio_language.conversion.vocabulary import (
    CONTROL,
    MARK,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
)
from studio_language.gguf.content import GgufContent, Listed

_LONGEST_PIECE = 256
_ADDED = (CONTROL, UNKNOWN, USER_DEFINED)
_KINDS = ("gpt2", "llama")


def write_tokenizer(content: GgufContent, folder: Path) -> None:
    """Write ``tokenizer.json``, ``tokenizer_config.json`` and the chat template.

    Raises:
        InvalidModel: without a tokenizer, or for one that is not written.
    """
    kind = content.text("tokenizer.ggml.model")
    tokens = [str(one) for one in _listed(content, "tokens")]
    if not tokens:
        raise InvalidModel("The file has no tokenizer, and no folder runs without one.")
    if kind not in _KINDS:
        raise InvalidModel(
            f"A tokenizer of the kind {kind[:20]!r} is not written as tokenizer.json.",
            hint="BPE (gpt2) and SentencePiece (llama) are.",
        )
    types = [int(one) for one in _listed(content, "token_type")] or [NORMAL] * len(tokens)
    if len(types) != len(tokens):
        raise InvalidModel("The file has not one type for each token.")
    special = _special(content, tokens)
    read = _pieces if kind == "llama" else _bytes
    begins, made = read(content, tokens, types)
    unused = {at for at, one in enumerate(types) if one == UNUSED}
    model = made["model"]
    model["vocab"] = {text: at for at, text in enumerate(tokens) if at not in unused}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(tokens, types),
        **made,
        "post_processor": _around(content, tokens, begins, made.get("post_processor")),
    }
    _write(folder / "tokenizer.json", tokenizer)
    _write(folder / "tokenizer_config.json", _about(content, special))
    if template := content.text("tokenizer.chat_template"):
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def _listed(content: GgufContent, key: str) -> Sequence[Any]:
    found = content.metadata.get(f"tokenizer.ggml.{key}")
    return found.first if isinstance(found, Listed) else ()


def special_ids(content: GgufContent) -> dict[str, int]:
    """Return the numbers of the tokens with a meaning, by ``bos``, ``eos``, ``unk``, ``pad``."""
    names = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    found = {}
    for short, long in names.items():
        number = content.number(f"tokenizer.ggml.{long}_token_id")
        if number is not None and 0 <= number < (content.count("tokenizer.ggml.tokens") or 0):
            found[short] = number
    return found


def _special(content: GgufContent, tokens: Sequence[str]) -> dict[str, str]:
    return {short: tokens[number] for short, number in special_ids(content).items()}


def _bytes(
    content: GgufContent, tokens: Sequence[str], types: Sequence[int]
) -> tuple[bool, dict[str, Any]]:
    """Return whether texts begin with a token, and the steps of a tokenizer of bytes."""
    rule = named(content.text("tokenizer.ggml.pre") or "gpt-2")
    known = {text for text, kind in zip(tokens, types, strict=True) if kind != UNUSED}
    merges = []
    for one in _listed(content, "merges"):
        left, space, right = str(one)[1:].partition(" ")
        pair = [str(one)[:1] + left, right]
        if not space or not known.issuperset((*pair, "".join(pair))):
            raise InvalidModel(f"The tokenizer has the merge {str(one)[:40]!r} of no tokens.")
        merges.append(pair)
    level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return rule.begins, {
        "normalizer": rule.normalizer,
        "pre_tokenizer": rule.steps,
        "post_processor": {**level, "add_prefix_space": False, "use_regex": False},
        "decoder": level,
        "model": {**_PLAIN, "ignore_merges": rule.whole_words, "merges": merges},
    }


_PLAIN: dict[str, Any] = {
    "type": "BPE",
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
}


def _pieces(
    content: GgufContent, tokens: Sequence[str], types: Sequence[int]
) -> tuple[bool, dict[str, Any]]:
    """Return that texts begin with a token, and the steps of SentencePiece."""
    scores = [float(one) for one in _listed(content, "scores")]
    if len(scores) != len(tokens):
        raise InvalidModel("The tokenizer has not one score for each token.")
    prefixed = content.metadata.get("tokenizer.ggml.add_space_prefix", True)
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
    first = [{"type": "Prepend", "prepend": MARK}] if prefixed else []
    last = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if prefixed else []
    back = {"type": "Replace", "pattern": {"String": MARK}, "content": " "}
    first_unknown = types.index(UNKNOWN) if UNKNOWN in types else None
    unknown = special_ids(content).get("unk", first_unknown)
    return True, {
        "normalizer": {"type": "Sequence", "normalizers": [*first, spaces]},
        "pre_tokenizer": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, *last],
        },
        "model": {
            **_PLAIN,
            "unk_token": None if unknown is None else tokens[unknown],
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "merges": _by_score(tokens, scores),
        },
    }


def _by_score(tokens: Sequence[str], scores: Sequence[float]) -> list[list[str]]:
    """Return all pairs of tokens that make a token, those with the highest scores first."""
    numbers = {text: at for at, text in enumerate(tokens)}
    found = []
    for text, score in zip(tokens, scores, strict=True):
        for cut in range(1, min(len(text), _LONGEST_PIECE)):
            pair = (text[:cut], text[cut:])
            if pair[0] in numbers and pair[1] in numbers:
                found.append((-score, numbers[pair[0]], numbers[pair[1]], pair))
    return [list(pair) for *_, pair in sorted(found)]


def _added(tokens: Sequence[str], types: Sequence[int]) -> list[dict[str, Any]]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": at, "content": tokens[at], **flags, "special": kind != USER_DEFINED}
        for at, kind in enumerate(types)
        if kind in _ADDED
    ]


def _around(
    content: GgufContent, tokens: Sequence[str], begins: bool, plain: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Return the step that puts tokens around a text; the plain one where there are none."""
    numbers = special_ids(content)
    first = content.metadata.get("tokenizer.ggml.add_bos_token", begins)
    last = content.metadata.get("tokenizer.ggml.add_eos_token", False)
    before = [numbers["bos"]] if first and "bos" in numbers else []
    after = [numbers["eos"]] if last and "eos" in numbers else []
    if not before and not after:
        return plain
    marks = {tokens[one]: {"id": tokens[one], "ids": [one], "tokens": [tokens[one]]}
             for one in (*before, *after)}  # fmt: skip

    def single(name: str, kind: int) -> list[dict[str, Any]]:
        text = {"Sequence": {"id": name, "type_id": kind}}
        token = [[{"SpecialToken": {"id": tokens[one], "type_id": kind}} for one in many]
                 for many in (before, after)]  # fmt: skip
        return [*token[0], text, *token[1]]

    pair = [*single("A", 0), *single("B", 1)]
    template = {"type": "TemplateProcessing", "single": single("A", 0), "pair": pair}
    return {**template, "special_tokens": marks}


def _about(content: GgufContent, special: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {f"{short}_token": text for short, text in special.items()}
    found |= {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    architecture = content.text("general.architecture")
    context = content.number(f"{architecture}.context_length")
    return {**found, **({"model_max_length": context} if context else {})}


def _write(path: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
