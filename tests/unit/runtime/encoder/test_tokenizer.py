"""Tokenizers of encoders: WordPiece by hand, and what is refused."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from studio.runtime.encoder.tokenizer import load_tokenizer, needs_package
from studio.runtime.shared.errors import LoadError
from tests.rigs.small_encoder import WORDS, tokenizer


def write(folder: Path, **changed: object) -> Path:
    """Write a tokenizer."""
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(tokenizer(**changed)))
    return path


def words(path: Path, text: str) -> list[str]:
    """Return the tokens of a text by their names."""
    return [WORDS[number] for number in load_tokenizer(path).encode(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The pumps", "the pump ##s"),
        ("running  DRY!", "run ##ning dry !"),
        ("hallway,hall.", "hall ##way , hall ."),
        ("CAFÉ", "cafe"),
        ("a中国b", "a 中 国 b"),
        ("pump\u200bs a\tb\r\nbb", "pump ##s a b b ##b"),
        ("zebra", "[UNK]"),
        ("a" * 101, "[UNK]"),
        ("pump[MASK] dry", "pump [MASK] dry"),
        ("", ""),
    ],
)
def test_a_text_is_split(tmp_path: Path, text: str, found: str) -> None:
    assert words(write(tmp_path), text) == ["[CLS]", *found.split(), "[SEP]"]


def test_letters_can_stay_as_they_are(tmp_path: Path) -> None:
    cased = {"type": "BertNormalizer", "lowercase": False, "strip_accents": False}
    path = write(tmp_path, normalizer=cased)
    assert words(path, "É é") == ["[CLS]", "[UNK]", "é", "[SEP]"]


def test_the_ends_of_older_files(tmp_path: Path) -> None:
    older = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    assert words(write(tmp_path, post_processor=older), "dry") == ["[CLS]", "dry", "[SEP]"]
    assert words(write(tmp_path, post_processor=None), "dry") == ["dry"]


def test_a_cut_text_keeps_its_end(tmp_path: Path) -> None:
    found = load_tokenizer(write(tmp_path))
    tokens = found.encode("the pump runs dry")
    assert [WORDS[one] for one in found.cut(tokens, 4)] == ["[CLS]", "the", "pump", "[SEP]"]
    assert found.cut(tokens, len(tokens)) == tokens


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"model": 3}',
        b'{"model": {"type": "WordPiece", "vocab": {}}, "normalizer": {"type": "BertNormalizer"}, '
        b'"pre_tokenizer": {"type": "BertPreTokenizer"}}',
        b"[" * 100_000,
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=r"tokenizer\.json"):
        load_tokenizer(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="is missing"):
        load_tokenizer(tmp_path / "tokenizer.json")


def test_the_unknown_token_must_exist(tmp_path: Path) -> None:
    model = {"type": "WordPiece", "unk_token": "<unk>", "vocab": {"a": 0}}
    with pytest.raises(LoadError, match="no tokenizer"):
        load_tokenizer(write(tmp_path, model=model, added_tokens=[]))


def test_another_kind_needs_a_package(tmp_path: Path) -> None:
    path = write(tmp_path, model={"type": "BPE", "vocab": {"a": 0}, "merges": []})
    assert needs_package(path)
    if importlib.util.find_spec("tokenizers") is None:
        with pytest.raises(LoadError, match="needs the package tokenizers"):
            load_tokenizer(path)
    else:
        assert load_tokenizer(path).vocabulary == len(WORDS[:5])
