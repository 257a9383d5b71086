"""Tokenizers of new folders, which have to find the tokens of the model's own one.

onnxruntime-genai (0.18.0) skips the step ``Digits`` of ``tokenizer.json`` without a word. OpenVINO
(2026.4) follows it, but looks beyond the piece of text when it splits spaces. Both follow the same
rule as patterns, each in another form. What still differs is found by a comparison on strings.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

_NUMBER = r"\p{N}"
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""The pattern that the step ``ByteLevel`` uses, as GPT-2 has it."""

_TOGETHER = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+"
"""Both in one: all spaces in front of a digit are one piece."""

_STRINGS = 500
_LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?'\"()[]{}<>=+-*/_#\n\t"
    "\xe9\xfc\xdf\u0161\u03b1\u0416\u05d0\u0639\u0939\u4e16\u754c\u65e5\uac00\U0001f642"
)
_PARTS = (
    *("Hello world", " the", " I'll", "don't", " 1234567", "3.14", "\n\n", "   ", "\t\t"),
    *(" x = [1, 2]", "#       1 for", "caf\xe9", " \u4e16\u754c", " ,", "...", " A1b2"),
)


def follow_digits(path: Path, *, together: bool) -> bool:
    """Write the step ``Digits`` as a pattern; return whether the file has changed.

    Args:
        together: One pattern does all, for OpenVINO.
    """
    settings = json.loads(path.read_text(encoding="utf-8"))
    steps = settings.get("pre_tokenizer") or {}
    listed = steps.get("pretokenizers") if steps.get("type") == "Sequence" else None
    if not listed or listed[0] != {"type": "Digits", "individual_digits": True}:
        return False
    last = listed[-1]
    if len(listed) != 2 or last.get("type") != "ByteLevel" or not last.get("use_regex", True):
        return False
    patterns = (_TOGETHER,) if together else (_NUMBER, _WORDS)
    steps["pretokenizers"] = [*map(_isolated, patterns), {**last, "use_regex": False}]
    path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    return True


def _isolated(pattern: str) -> dict[str, Any]:
    rule = {"Regex": pattern}
    return {"type": "Split", "pattern": rule, "behavior": "Isolated", "invert": False}


def differences(
    source: Path, encode: Callable[[Sequence[str]], Sequence[Sequence[int]]], title: str
) -> list[str]:
    """Return a warning when other tokens are found than by the source, on made-up strings.

    Args:
        encode: Returns the tokens of strings.
        title: Of what encodes.
    """
    from tokenizers import Tokenizer

    wanted = Tokenizer.from_file(str(source / "tokenizer.json"))
    texts = strings()
    ours = [one.ids for one in wanted.encode_batch(texts, add_special_tokens=False)]
    theirs = [list(map(int, one)) for one in encode(texts)]
    # What is put in front of a text is the same for all.
    front = max(0, len(theirs[0]) - len(ours[0]))
    pairs = zip(texts, ours, theirs, strict=True)
    wrong = [text for text, one, other in pairs if other[front:] != one]
    if not wrong:
        return []
    return [
        f"{title} finds other tokens than the model's tokenizer in {len(wrong)} of {_STRINGS} "
        f"made-up strings, such as {wrong[0][:40]!r}."
    ]


def strings() -> list[str]:
    """Return strings of words, numbers, spaces and letters of several alphabets."""
    chosen = random.Random(0)
    found = ["word"]
    while len(found) < _STRINGS:
        if len(found) % 2:
            found.append("".join(chosen.choices(_PARTS, k=chosen.randint(1, 6))))
        else:
            found.append("".join(chosen.choices(_LETTERS, k=chosen.randint(1, 30))))
    return found
