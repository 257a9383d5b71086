"""Behaviour: refusals, repetition and loops."""

from __future__ import annotations

import pytest

from studio.evaluation.language.behaviour import behaviour, is_loop, is_refusal, repetition


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I cannot do this.", True),
        ("I’m unable to share addresses.", True),
        ("As an AI language model, I do not know.", True),
        ("It is not appropriate to ask this.", True),
        ("Sure, here is how.", False),
        ("The river sang: I saw the sea. " * 8 + "I cannot stay.", False),
        ("", False),
    ],
)
def test_refusals(answer: str, refused: bool) -> None:
    assert is_refusal(answer) is refused


@pytest.mark.parametrize(
    ("answer", "share"),
    [("one two three", 0), ("a b c d a b c d", 0.2), ("x " * 20, 16 / 17), ("", 0)],
)
def test_repetition(answer: str, share: float) -> None:
    assert repetition(answer) == pytest.approx(share)


@pytest.mark.parametrize(
    ("answer", "loop"),
    [
        ("Well. " + "the cat sat down " * 3, True),
        ("no " * 9, True),
        ("ha ha ha", False),
        ("the cat sat down the cat sat down and left", False),
        ("", False),
    ],
)
def test_loops(answer: str, loop: bool) -> None:
    assert is_loop(answer) is loop


def test_behaviour_over_answers() -> None:
    found = behaviour([("I can't.", 3, "end"), ("Yes.", 2, "end"), ("no " * 9, 9, "limit")])
    assert found is not None
    assert found.refusals.value == pytest.approx(1 / 3)
    assert found.tokens.value == pytest.approx(14 / 3)
    assert found.unfinished.value == pytest.approx(1 / 3)
    assert found.loops.value == pytest.approx(1 / 3)


def test_no_answers_have_no_behaviour() -> None:
    assert behaviour([]) is None
