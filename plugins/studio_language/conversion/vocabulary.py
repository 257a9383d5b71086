"""The tokenizer of a folder of transformers as metadata of a GGUF file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import InvalidModel
from studio_language.conversion.gguf_file import Value
from studio_language.conversion.pre_tokenizers import found_in

Json = Mapping[str, Any]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
"""Types of tokens in GGUF."""

MARK = "\N{LOWER ONE EIGHTH BLOCK}"
"""What SentencePiece writes for a space."""

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_MOST_BYTES = 256 << 20
_MOST_TOKENS = 4_000_000
_NO_TOKENIZER = "The folder has no tokenizer.json, so no GGUF file can have its tokenizer."


def settings_of(path: Path) -> Json:
    """Return a JSON object of the folder; empty where there is none that can be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def vocabulary_of(folder: Path, words: int) -> dict[str, Value]:
    """Return tokens, types, merges and settings of a tokenizer.

    Args:
        words: Rows of the table of embeddings; unused tokens fill what is left.

    Raises:
        InvalidModel: without a tokenizer, or for one that llama.cpp would read otherwise.
    """
    tokenizer = settings_of(folder / "tokenizer.json")
    model = tokenizer.get("model")
    if not isinstance(model, dict):
        raise InvalidModel(_NO_TOKENIZER, hint="Download the whole folder, with tokenizer.json.")
    if model.get("type") != "BPE":
        kind = str(model.get("type"))[:20]
        raise InvalidModel(f"A tokenizer of the kind {kind!r} is not written as GGUF; BPE is.")
    tokens, types = _tokens(tokenizer, model, words)
    found: dict[str, Value] = {}
    if model.get("byte_fallback"):
        found |= _sentence_piece(tokenizer, model, tokens)
    else:
        found["tokenizer.ggml.model"] = "gpt2"
        found["tokenizer.ggml.pre"] = found_in(tokenizer).names[0]
        found["tokenizer.ggml.merges"] = [" ".join(pair) for pair in merges_of(model)]
    found["tokenizer.ggml.tokens"] = tokens
    found["tokenizer.ggml.token_type"] = types
    return found | _special(folder, tokenizer, {text: at for at, text in enumerate(tokens)})


def doubts_of(folder: Path) -> tuple[str, ...]:
    """Return what llama.cpp does otherwise than the tokenizer, a sentence each."""
    before = settings_of(folder / "tokenizer.json").get("normalizer")
    if isinstance(before, dict) and before.get("type") == "NFC":
        return ("llama.cpp does not compose characters (NFC), so rare texts have other tokens.",)
    return ()


def _tokens(tokenizer: Json, model: Json, words: int) -> tuple[list[str], list[int]]:
    """Return the text and the type of each token, by its number."""
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict) or words > _MOST_TOKENS:
        raise InvalidModel("The tokenizer has no vocabulary that can be read.")
    tokens = [f"[PAD{number}]" for number in range(words)]
    types = [UNUSED] * words
    falls_back, unknown = bool(model.get("byte_fallback")), model.get("unk_token")
    for text, number in vocabulary.items():
        _check(number, words)
        tokens[number] = text
        types[number] = BYTE if falls_back and _BYTE.fullmatch(text) else NORMAL
    for number, text, special in _added(tokenizer):
        _check(number, words)
        tokens[number] = text
        types[number] = CONTROL if special else USER_DEFINED
    if falls_back and unknown in vocabulary:
        types[vocabulary[unknown]] = UNKNOWN
    return tokens, types


def _added(tokenizer: Json) -> Iterator[tuple[int, str, bool]]:
    listed = tokenizer.get("added_tokens")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("content"), str):
            yield one.get("id", -1), one["content"], bool(one.get("special"))


def _check(number: object, words: int) -> None:
    if not isinstance(number, int) or not 0 <= number < words:
        raise InvalidModel(
            f"The tokenizer has the token {str(number)[:20]}, and the model has {words:,}.",
            hint="Tokenizer and weights are of different models.",
        )


def merges_of(model: Json) -> list[tuple[str, str]]:
    """Return the pairs that are merged, the first ones first.

    Raises:
        InvalidModel: when they are no list of pairs.
    """
    listed, found = model.get("merges"), []
    for one in listed if isinstance(listed, list) else ():
        pair = one.split(" ") if isinstance(one, str) else one
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(p, str) for p in pair)
        ):
            raise InvalidModel("The tokenizer has merges that cannot be read.")
        found.append((pair[0], pair[1]))
    return found


def _sentence_piece(tokenizer: Json, model: Json, tokens: list[str]) -> dict[str, Value]:
    """Return what llama.cpp's tokenizer of SentencePiece needs: scores in place of merges.

    A merge is done before another where the joined token has the higher score.
    """
    order: dict[str, int] = {}
    for left, right in merges_of(model):
        order.setdefault(left + right, len(order))
    last = float(-len(order))
    scores = [float(-order[text]) if text in order else last for text in tokens]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.add_space_prefix": _prefix(tokenizer),
    }


def _prefix(tokenizer: Json) -> bool:
    """Return whether a space is put in front of a text.

    Raises:
        InvalidModel: for steps of another kind than those of SentencePiece.
    """
    before, steps = tokenizer.get("normalizer"), tokenizer.get("pre_tokenizer")
    if isinstance(steps, dict) and steps.get("type") == "Metaspace" and not before:
        return steps.get("prepend_scheme", "always") != "never"
    listed = before.get("normalizers", [before]) if isinstance(before, dict) else []
    kinds = [one.get("type") for one in listed if isinstance(one, dict)]
    replaces = [one.get("content") for one in listed if isinstance(one, dict)]
    if steps or MARK not in replaces or not set(kinds) <= {"Prepend", "Replace"}:
        raise InvalidModel(
            "The tokenizer changes texts by steps that llama.cpp does not know.",
            hint="Known are those of SentencePiece as Llama and Mistral use it.",
        )
    return "Prepend" in kinds


def _special(folder: Path, tokenizer: Json, numbers: Mapping[str, int]) -> dict[str, Value]:
    """Return the tokens with a meaning, what is put around a text, and the chat template."""
    about = settings_of(folder / "tokenizer_config.json")
    config, found = settings_of(folder / "config.json"), {}
    for key, short in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        number = numbers.get(_content(about.get(f"{key}_token")), config.get(f"{key}_token_id"))
        first = number[0] if isinstance(number, list) and number else number
        if isinstance(first, int) and 0 <= first < len(numbers):
            found[f"tokenizer.ggml.{short}_token_id"] = first
    begins, ends = _around(tokenizer, about)
    found["tokenizer.ggml.add_bos_token"] = begins
    found["tokenizer.ggml.add_eos_token"] = ends
    template = _template(folder, about)
    return {**found, **({"tokenizer.chat_template": template} if template else {})}


def _content(token: object) -> str:
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else ""


def _around(tokenizer: Json, about: Json) -> tuple[bool, bool]:
    """Return whether the first and the last token are put around a text."""
    step = tokenizer.get("post_processor")
    steps = step.get("processors", [step]) if isinstance(step, dict) else []
    for one in steps:
        if isinstance(one, dict) and one.get("type") == "TemplateProcessing":
            places = [next(iter(part), "") for part in one.get("single", []) if part]
            at = places.index("Sequence") if "Sequence" in places else 0
            return "SpecialToken" in places[:at], "SpecialToken" in places[at:]
    if isinstance(step, dict):
        return False, False
    return bool(about.get("add_bos_token")), bool(about.get("add_eos_token"))


def _template(folder: Path, about: Json) -> str:
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")[: 1 << 20]
    except (OSError, UnicodeDecodeError):
        pass
    found = about.get("chat_template")
    if isinstance(found, list):
        named = [one for one in found if isinstance(one, dict)]
        found = next((one.get("template") for one in named if one.get("name") == "default"), "")
    return found if isinstance(found, str) else ""
