"""Deny lists: whole words without case, accents, width and invisible characters."""

from __future__ import annotations

import random
import re
import tracemalloc

import pytest

from studio.runtime.generate.guard.errors import GuardError
from studio.runtime.generate.guard.folds import WORDS
from studio.runtime.generate.guard.word_list import WordList, folded

LIST = WordList(["Secret Plan", "naïve", "毒品", "Straße", "C3PO", "नमस्ते"])


@pytest.mark.parametrize(
    "text",
    [
        "the SECRET plan",
        "secret, plan!",
        "secret\n\n plan",
        "sec\u200bret p\u00adl\u2060an",
        "ｓｅｃｒｅｔ　ｐｌａｎ",
        "sécrèt plãn",
        "se\u0301cret plan",
        "𝓼𝓮𝓬𝓻𝓮𝓽 𝕡𝕝𝕒𝕟",
        "secret\x00 plan",
        "naive",
        "这是毒品吗",
        "毒 品",
        "STRASSE",
        "c3po",
        "नमस्ते दुनिया",
    ],
)
def test_spellings_that_are_found(text: str) -> None:
    assert LIST.is_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "secretplan",
        "secrets plan",
        "unsecret plan",
        "plan secret",
        "",
        " ",
        # Limits, as the documentation has them.
        "ѕесrеt plan",
        "s e c r e t plan",
        "s3cret plan",
        "sec-ret plan",
    ],
)
def test_spellings_that_are_not_found(text: str) -> None:
    assert not LIST.is_in(text)


def test_many_words_are_found_as_one_by_one() -> None:
    draw = random.Random(5)
    words = ["".join(draw.choices("abc ", k=draw.randrange(1, 7))) for _ in range(200)]
    words = [word for word in words if word.strip()]
    together = WordList(words)
    for _ in range(2000):
        text = "".join(draw.choices("abc  ", k=14))
        plain = f" {' '.join(text.split())} "
        alone = any(f" {' '.join(word.split())} " in plain for word in words)
        assert together.is_in(text) == alone, text


def test_a_text_in_pieces_folds_like_the_whole() -> None:
    text = "Ünïcödé ﬁne \u200d straße 毒 ①"
    assert folded(text) == " ".join("".join(WORDS[ord(char)] for char in text).split())
    assert re.fullmatch(r"[\w ]+", folded(text))


@pytest.mark.parametrize(("word", "place"), [("!!!", 1), ("\u200b", 1)])
def test_a_word_of_nothing_is_refused_with_its_place(word: str, place: int) -> None:
    with pytest.raises(GuardError, match="no letter") as refusal:
        WordList(["fine", word])
    assert refusal.value.place == (place,)


def test_too_many_words_are_refused() -> None:
    with pytest.raises(GuardError, match="100000 characters"):
        WordList(["x" * 1000] * 101)


def test_folds_of_every_character_are_not_all_kept() -> None:
    tracemalloc.start()
    for first in range(0x20, 0x30000, 0x1000):
        LIST.is_in("".join(map(chr, range(first, first + 0x1000))))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 6 << 20
    assert len(WORDS) <= 20_000
