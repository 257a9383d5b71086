"""The tokenizer of a folder of onnxruntime-genai, which has to find the model's own tokens.

Its library skips the step ``Digits`` of ``tokenizer.json`` without a word (0.18.0). The same rule
as a pattern is followed. What still differs is found by a comparison on test strings.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

_NUMBER = r"\p{N}"
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""The pattern that the step ``ByteLevel`` uses, as GPT-2 has it."""

_STRINGS = 1000
_LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?'\"()[]{}<>=+-*/_#\n\t"
    "\xe9\xfc\xdf\u0161\u03b1\u0416\u05d0\u0639\u0939\u4e16\u754c\u65e5\uac00\U0001f642"
)
_PARTS = (
    *("Hello world", " the", " I'll", "don't", " 1234567", "3.14", "\n\n", "   ", "\t\t"),
    *(" x = [1, 2]", "#       1 for", "caf\xe9", " \u4e16\u754c", " ,", "...", " A1b2"),
)


def follow_digits(path: Path) -> bool:
    """Write the step ``Digits`` as a pattern; return whether the file has changed."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    steps = settings.get("pre_tokenizer") or {}
    listed = steps.get("pretokenizers") if steps.get("type") == "Sequence" else None
    if not listed or listed[0] != {"type": "Digits", "individual_digits": True}:
        return False
    last = listed[-1]
    if len(listed) != 2 or last.get("type") != "ByteLevel" or not last.get("use_regex", True):
        return False
    settings["pre_tokenizer"]["pretokenizers"] = [
        _isolated(_NUMBER),
        _isolated(_WORDS),
        {**last, "use_regex": False},
    ]
    path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    return True


def _isolated(pattern: str) -> dict[str, Any]:
    rule = {"Regex": pattern}
    return {"type": "Split", "pattern": rule, "behavior": "Isolated", "invert": False}


def differences(source: Path, folder: Path) -> list[str]:
    """Return a warning when a folder finds other tokens than its source, on made-up strings."""
    import onnxruntime_genai
    from tokenizers import Tokenizer

    wanted = Tokenizer.from_file(str(source / "tokenizer.json"))
    found = onnxruntime_genai.Tokenizer(onnxruntime_genai.Model(str(folder)))
    first: list[int] | None = None
    wrong = []
    for text in strings():
        ours = wanted.encode(text, add_special_tokens=False).ids
        theirs = [int(one) for one in found.encode(text)]
        if first is None:  # what is put in front of a text is the same for all
            first = theirs[: max(0, len(theirs) - len(ours))]
        if theirs[len(first) :] != ours:
            wrong.append(text)
    if not wrong:
        return []
    return [
        f"onnxruntime-genai finds other tokens than the model's tokenizer in {len(wrong)} of "
        f"{_STRINGS} made-up strings, such as {wrong[0][:40]!r}."
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
