"""Files of tokenizers: bytes of tokens, special names, what begins a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.generate.backends.tokenizer_files import (
    Vocabulary,
    read_marks,
    read_template,
    read_vocabulary,
    token_numbers,
)
from studio.runtime.shared.errors import LoadError

BYTE_LEVEL = {
    "model": {"type": "BPE", "vocab": {"\u0120a": 0, "\u00f0\u0141": 1, "\u013a\u0122": 2}},
    "decoder": {"type": "Sequence", "decoders": [{"type": "ByteLevel"}]},
    "added_tokens": [
        {"id": 3, "content": "<|end|>", "special": True},
        {"id": 4, "content": "é!", "special": False},
    ],
    "post_processor": {
        "type": "Sequence",
        "processors": [
            {"type": "ByteLevel"},
            {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<|end|>"}}, {"Sequence": {"id": "A"}}],
                "special_tokens": {"<|end|>": {"ids": [3]}},
            },
        ],
    },
}
SENTENCE_PIECE = {
    "model": {"type": "Unigram", "vocab": [["\u2581the", -1.0], ["<0xE2>", -2.0], ["<0x", -3.0]]},
    "decoder": {"type": "Metaspace"},
}


def vocabulary(tmp_path: Path, content: object) -> Vocabulary:
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return read_vocabulary(tmp_path)


def test_bytes_of_a_byte_level_vocabulary(tmp_path: Path) -> None:
    found = vocabulary(tmp_path, BYTE_LEVEL)
    assert found.pieces == {
        0: b" a",
        1: b"\xf0\x9f",
        2: b"\x98\x80",
        3: b"",
        4: "é!".encode(),
    }
    assert found.special == {"<|end|>": 3}
    assert found.begin == (3,)


def test_bytes_of_sentence_piece(tmp_path: Path) -> None:
    found = vocabulary(tmp_path, SENTENCE_PIECE)
    assert found.pieces == {0: b" the", 1: b"\xe2", 2: b"<0x"}
    assert found.begin == ()


def test_every_byte_has_a_letter(tmp_path: Path) -> None:
    from studio.runtime.generate.backends.tokenizer_files import _BYTES

    assert sorted(_BYTES.values()) == list(range(256))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"model": None},
        {"model": {"vocab": 7}},
        {"model": {"vocab": {"a": "b"}}},
        {"model": {"vocab": [[]]}},
        {"model": {"vocab": {"<0xZZ>": 0}}},
        {"model": {"vocab": {}}, "added_tokens": [{"id": 1}]},
        {"model": {"vocab": {}}, "added_tokens": 7},
        {
            "model": {"vocab": {}},
            "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {}}]},
        },
    ],
)
def test_damaged_files_are_a_sentence(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(LoadError, match=r"^tokenizer\.json is no tokenizer that can be read\.$"):
        vocabulary(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "holds no JSON object"),
    ],
)
def test_files_that_are_no_json(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(LoadError, match=rf"^tokenizer\.json {words}\.$"):
        read_vocabulary(tmp_path)


def test_a_missing_tokenizer_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"lacks a tokenizer: tokenizer\.json is missing\.$"):
        read_vocabulary(tmp_path)


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, ""),
        ({"chat_template": "one"}, "one"),
        ({"chat_template": [{"name": "tool", "template": "a"}, 7]}, ""),
        ({"chat_template": [{"name": "default", "template": "b"}]}, "b"),
        ({"chat_template": 7}, ""),
    ],
)
def test_templates(tmp_path: Path, config: dict[str, object], wanted: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert read_template(tmp_path) == wanted


def test_a_file_of_the_template_goes_first(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "one"}')
    (tmp_path / "chat_template.jinja").write_text("two")
    assert read_template(tmp_path) == "two"


def test_names_that_begin_and_end_a_text(tmp_path: Path) -> None:
    assert read_marks(tmp_path) == ("", "")
    config = {"bos_token": {"content": "<s>", "lstrip": False}, "eos_token": "</s>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert read_marks(tmp_path) == ("<s>", "</s>")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(2, {2}), ([1, 2], {1, 2}), (None, set()), (True, set()), (["1", -1, 3], {3})],
)
def test_tokens_of_a_configuration(value: object, wanted: set[int]) -> None:
    assert token_numbers(value) == wanted
