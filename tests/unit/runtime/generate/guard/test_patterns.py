"""Patterns: the same matches as Python's ``re``, in linear time, and a refusal of all else."""

from __future__ import annotations

import random
import re

import pytest

from studio.runtime.generate.guard.automaton import PatternSearch
from studio.runtime.generate.guard.errors import GuardError
from studio.runtime.generate.guard.pattern_text import MOST_STATES, parse

ATOMS = ("a", "b", "[ab]", "[^a]", r"\w", r"\d", r"\S", ".", "c")
COUNTS = ("*", "+", "?", "{1,2}", "{2}", "{0,3}", "{1,}", "*?")


def invented(draw: random.Random, depth: int = 0) -> str:
    """Return a pattern in the common part of both spellings."""
    kind = draw.random()
    if depth > 3 or kind < 0.4:
        return draw.choice(ATOMS)
    if kind < 0.6:
        return invented(draw, depth + 1) + invented(draw, depth + 1)
    if kind < 0.75:
        return f"(?:{invented(draw, depth + 1)}|{invented(draw, depth + 1)})"
    if kind < 0.9:
        return f"(?:{invented(draw, depth + 1)}){draw.choice(COUNTS)}"
    return draw.choice((r"\b", "^", "$")) + invented(draw, depth + 1)


def test_matches_are_those_of_re() -> None:
    draw = random.Random(23)
    for _ in range(3000):
        pattern = invented(draw)
        peer, search = re.compile(pattern.replace("$", r"\Z")), PatternSearch(pattern)
        for _ in range(4):
            text = "".join(draw.choices("ab c1\n", k=draw.randrange(1, 10)))
            assert search.is_in(text) == bool(peer.search(text)), (pattern, text)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(x+x+)+y", "a?{30}a{30}"])
def test_patterns_that_take_exponential_time_elsewhere(pattern: str) -> None:
    try:
        search = PatternSearch(pattern)
    except GuardError as error:
        assert "repeats a repetition" in str(error)  # noqa: PT017
        return
    assert not search.is_in("a" * 100_000)


def test_each_character_costs_a_bounded_number_of_readings() -> None:
    search = PatternSearch("a[ab]{180}c")
    readings, most = search.begin, 0
    for char in random.Random(1).choices("ab", k=5000):
        readings = search.step(readings, char)
        most = max(most, len(readings.states))
    assert 50 < most <= MOST_STATES


def test_kept_sets_are_bounded() -> None:
    search = PatternSearch("a[ab]{180}c")
    search.is_in("".join(random.Random(2).choices("ab", k=5000)))
    assert len(search._sets) <= 1001
    search.is_in("".join(map(chr, range(0x20, 0xD000))))
    assert len(search._classes) <= 20_000


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\b\d{4}(?:[ -]?\d{4}){3}\b", "card 1234-5678 9012 3456.", True),
        (r"\b\d{4}(?:[ -]?\d{4}){3}\b", "card 12345678901234567", False),
        (r"\bkey\b", "a\u200bkey", False),
        (r"k\u200bey", "key", False),
        ("key", "k\u2060e\u00ady", True),
        ("key", "ｋｅｙ", True),
        (r"\x41\u0042", "AB", True),
        (r"[\]\-x]+z", "-]z", True),
        (r"[a-]b", "-b", True),
        (r"^ab", "b\nab", False),
        (r"a.c", "a\nc", False),
    ],
)
def test_what_patterns_read(pattern: str, text: str, found: bool) -> None:
    assert PatternSearch(pattern).is_in(text) == found


def test_case_can_be_ignored() -> None:
    search = PatternSearch(r"[A-Z]+@Straße", caseless=True)
    assert search.is_in("me@STRASSE") is False  # a class and a literal have one character each
    assert PatternSearch(r"[A-C]x", caseless=True).is_in("bX")
    assert not PatternSearch(r"[^A-C]x", caseless=True).is_in("bx")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", "escape"),
        ("(?=a)", "group"),
        ("(?P<x>a)", "group"),
        ("(?i)a", "group"),
        ("a**", "repeats a repetition"),
        ("*a", "repeats nothing"),
        ("a{3,1}", "out of order"),
        ("a{1,9999}", "count"),
        ("a{,3}", "count"),
        ("(a", "without"),
        ("a)", "without"),
        ("[a", "ends too early"),
        ("[z-a]", "range"),
        ("\\", "ends too early"),
        (r"\xZZ", "number"),
        (r"\U00110000", "number"),
        ("(" * 60 + ")" * 60, "nested"),
        ("(((a{200}){200}){200}){200}", "states"),
        ("a" * 1001, "characters"),
        ("^*a", "place"),
    ],
)
def test_what_cannot_be_searched_is_named(pattern: str, reason: str) -> None:
    with pytest.raises(GuardError, match=reason):
        parse(pattern)
