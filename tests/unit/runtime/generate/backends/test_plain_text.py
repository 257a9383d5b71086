"""Plain text keeps the names of special tokens as letters."""

from __future__ import annotations

import re
import time

import pytest

from studio.runtime.generate.backends.plain_text import TextSplitter, cut_place
from studio.runtime.generate.backends.tokenizer_files import Vocabulary

SPECIAL = {"<s>": 1000, "<|end|>": 1001, "<|end": 1002, "\uff21": 1003}
NUL = 7


def encode(text: str) -> list[int]:
    """Split as tokenizers do that always look for special names: else a token for each letter."""
    names = "|".join(map(re.escape, sorted(SPECIAL, key=len, reverse=True)))
    found = re.findall(f"{names}|.", text, re.DOTALL)
    return [SPECIAL.get(one, ord(one[0])) for one in found]


@pytest.fixture
def splitter() -> TextSplitter:
    return TextSplitter(Vocabulary({NUL: b"\0"}, SPECIAL, ()), encode)


@pytest.mark.parametrize(
    "text", ["<s>", "a<s>b", "<|end|>", "<|end|><s>", "<s<s>>", "<|<|end|>", "<|end", "", "s>"]
)
def test_names_in_plain_text_are_letters(splitter: TextSplitter, text: str) -> None:
    assert splitter.tokens(text, special=False) == [ord(one) for one in text]


def test_names_become_tokens_where_they_may(splitter: TextSplitter) -> None:
    assert splitter.tokens("a<s><|end|>", special=True) == [ord("a"), 1000, 1001]


def test_a_token_that_a_normalised_letter_gives_is_left_out(splitter: TextSplitter) -> None:
    assert splitter.tokens("a\uff21b", special=False) == [ord("a"), ord("b")]


@pytest.mark.parametrize("special", [True, False])
def test_a_nul_does_not_end_the_text(splitter: TextSplitter, special: bool) -> None:
    assert splitter.tokens("a\0b\0", special) == [ord("a"), NUL, ord("b"), NUL]


def test_half_of_a_pair_is_a_question_mark(splitter: TextSplitter) -> None:
    assert splitter.tokens("\ud800", special=False) == [ord("?")]


def test_without_special_tokens() -> None:
    assert TextSplitter(Vocabulary({}, {}, ()), encode).tokens("a\0b", special=False) == [97, 98]


@pytest.mark.parametrize(
    ("name", "place"), [("<|im_start|>", 4), ("<s>", 2), ("[INST]", 5), ("<|>", 1), ("ab", 1)]
)
def test_where_a_name_is_cut(name: str, place: int) -> None:
    assert cut_place(name) == place


def test_the_work_grows_with_the_text_alone(splitter: TextSplitter) -> None:
    calls: list[float] = []
    for count in (20_000, 80_000):
        began = time.process_time()
        splitter.tokens("<s><|" * count, special=False)
        calls.append(time.process_time() - began)
    assert calls[1] < 40 * max(calls[0], 0.01)
