"""Scores of a model whose next token is known: texts, choices, answers, against plain numpy."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from studio.runtime.generate.score import sequence
from studio.runtime.generate.score.answers import write_answers
from studio.runtime.generate.score.choices import score_choices
from studio.runtime.generate.score.distance import columns, log_probabilities
from studio.runtime.generate.score.pair import ModelPair
from studio.runtime.generate.score.prompts import prompt_text
from studio.runtime.generate.score.request import (
    ChatMessage,
    ScoredModel,
    ScoredPrompt,
    ScoreError,
    ScoreRequest,
    TextDocument,
)
from studio.runtime.generate.score.text_windows import chosen, score_documents, windows

from .letters_model import END, LETTERS, NAMES, LettersModel, table

TEXT = "the quick brown fox jumps over the lazy dog, and the dog sleeps. what a day it was! " * 3
SETTINGS = (0.0, 0, "")


def _pair(noise: float = 0.3, **settings: object) -> ModelPair:
    reference = LettersModel(table(1), **settings)  # type: ignore[arg-type]
    return ModelPair(LettersModel(table(1, noise), **settings), reference)  # type: ignore[arg-type]


def _scored(pair: ModelPair, path: Path, **settings: object) -> dict[str, np.ndarray]:
    request = ScoreRequest(
        ScoredModel("", ""),
        documents=(TextDocument("one", TEXT), TextDocument("two", TEXT[20:70])),
        positions=str(path),
        **{"window": 32, **settings},  # type: ignore[arg-type]
    )
    score_documents(pair, request, lambda done, total, text: None)
    with np.load(path) as archive:
        return dict(archive)


def _softmax(rows: np.ndarray) -> np.ndarray:
    powers = np.exp(rows.astype(np.float64))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("begin", [(), (5,)])
@pytest.mark.parametrize("cells", [1, 100, 1 << 22])
def test_each_token_is_scored_once(
    begin: tuple[int, ...], cells: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "CELLS", cells)
    found = _scored(_pair(begin=begin), tmp_path / "p.npz")
    tokens = LettersModel(table(1)).encode(TEXT)
    first = [] if begin else [0]
    expected = [one for one in range(len(tokens)) if one not in first]
    assert found["index"][found["document"] == 0].tolist() == expected
    given = np.array([*begin, *tokens][: -1 if begin else None])[: len(expected)]
    truth = np.array(tokens)[expected]
    p, q = _softmax(table(1)[given]), _softmax(table(1, 0.3)[given])
    mine = found["document"] == 0
    np.testing.assert_allclose(found["kl"][mine], (p * np.log(p / q)).sum(axis=1), atol=1e-6)
    np.testing.assert_allclose(
        found["logp"][mine], np.log(q)[np.arange(len(truth)), truth], atol=1e-6
    )
    np.testing.assert_allclose(found["entropy_reference"][mine], -(p * np.log(p)).sum(1), atol=1e-6)
    assert (found["top_reference"][mine] == p.argmax(axis=1)).all()
    of_top = q[np.arange(len(p)), p.argmax(axis=1)]
    np.testing.assert_allclose(found["p_of_reference_top"][mine], of_top, atol=1e-6)


def test_a_model_against_itself_has_no_distance(tmp_path: Path) -> None:
    found = _scored(_pair(0.0), tmp_path / "p.npz")
    assert (found["kl"] == 0).all()
    assert (found["top"] == found["top_reference"]).all()


def test_an_impossible_token_has_a_large_distance() -> None:
    reference = np.zeros((1, 4), np.float32)
    candidate = np.array([[0, 0, 0, -np.inf]], np.float32)
    assert columns(candidate, reference, [0])["kl"][0] == pytest.approx(25_000, rel=1e-4)
    assert columns(reference, candidate, [0])["kl"][0] == pytest.approx(np.log(4 / 3))


def test_probabilities_of_far_scores_are_finite() -> None:
    logs = log_probabilities(np.array([[1e4, 0, -1e4]], np.float32))
    assert logs[0].tolist() == [0, -1e4, -2e4]


def test_scores_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ScoreError, match="not numbers"):
        log_probabilities(np.array([[0, np.nan]], np.float32))


def test_windows_score_everything_once_with_half_a_window_before() -> None:
    found = windows([100, 1, 0, 33], 32, 1)
    assert [(one.document, one.start, one.first, one.end) for one in found[:3]] == [
        (0, 0, 0, 31),
        (0, 16, 31, 47),
        (0, 32, 47, 63),
    ]
    scored = [(one.document, index) for one in found for index in range(one.first, one.end)]
    assert scored == [
        (document, index) for document, size in enumerate((100, 1, 0, 33)) for index in range(size)
    ]


def test_fewer_windows_lie_at_equal_distances() -> None:
    every = windows([1000], 32, 0)
    some = chosen(every, 200)
    assert sum(one.scored for one in some) <= 200
    gaps = {b.first - a.first for a, b in pairwise(some)}
    assert max(gaps) - min(gaps) <= 16


def test_the_worst_position_has_its_context(tmp_path: Path) -> None:
    pair = _pair()
    request = ScoreRequest(
        ScoredModel("", ""), documents=(TextDocument("one", TEXT),), window=32, worst=3
    )
    found = score_documents(pair, request, lambda done, total, text: None)
    worst = found["worst"]
    assert isinstance(worst, list)
    assert [one["kl"] for one in worst] == sorted((one["kl"] for one in worst), reverse=True)
    assert worst[0]["before"] in TEXT
    before = NAMES.index(worst[0]["before"][-1])
    p, q = _softmax(table(1)[before]), _softmax(table(1, 0.3)[before])
    assert worst[0]["reference"]["reference"] == pytest.approx(p.max(), abs=1e-6)
    assert worst[0]["candidate"]["candidate"] == pytest.approx(q.max(), abs=1e-6)


def test_a_text_shorter_than_a_window_is_refused() -> None:
    request = ScoreRequest(ScoredModel("", ""), documents=(TextDocument("one", "short"),))
    with pytest.raises(ScoreError, match="5 tokens, fewer than one window of 64"):
        score_documents(_pair(), request, lambda done, total, text: None)


def test_other_tokens_are_refused() -> None:
    other = LettersModel(table(1))
    other.encode = lambda text, special=False: [1, 2, 4]  # type: ignore[method-assign]
    pair = ModelPair(LettersModel(table(1)), other)
    with pytest.raises(ScoreError, match="differ from token 3 of a poem on"):
        pair.encode("bcd", "a poem")


def test_another_vocabulary_is_refused() -> None:
    other = LettersModel(table(1))
    other._facts = other.facts._replace(vocabulary=33)
    with pytest.raises(ScoreError, match="32 tokens and the reference 33"):
        ModelPair(LettersModel(table(1)), other)


@pytest.mark.parametrize("forgets", [False, True])
def test_choices_have_the_likelihood_of_their_tokens(forgets: bool) -> None:
    pair = ModelPair(LettersModel(table(1), forgets=forgets))
    prompt = ScoredPrompt("q", "what is it?", choices=(" a dog", " a fox, or"))
    found = score_choices(pair, prompt, "")
    logs = np.log(_softmax(table(1)))
    for text, score in zip(prompt.choices, found["model"], strict=True):  # type: ignore[call-overload]
        tokens = pair.model.encode("?" + text)
        expected = sum(logs[a, b] for a, b in pairwise(tokens))
        assert score == pytest.approx(expected, abs=1e-5)


def test_a_prompt_in_common_runs_once() -> None:
    model = LettersModel(table(1))
    score_choices(
        ModelPair(model), ScoredPrompt("q", "what is it?", choices=(" a", " b", " c")), ""
    )
    assert model.ran == len("what is it?") + 3 * 1 + 2


def test_answers_follow_the_most_probable_tokens() -> None:
    pair = _pair(0.6)
    found = write_answers(pair, ScoredPrompt("q", "hello", limit=12), SETTINGS)
    for name, scores in (("model", table(1, 0.6)), ("reference", table(1))):
        expected, last = "", NAMES.index("o")
        while len(expected) < 12 and (last := int(scores[last].argmax())) != END:
            expected += NAMES[last]
        assert found[name]["text"] == expected  # type: ignore[index]


def test_the_first_difference_has_both_probabilities() -> None:
    pair = _pair(0.6)
    found = write_answers(pair, ScoredPrompt("q", "hello", limit=12), SETTINGS)
    split = found["split"]
    assert isinstance(split, dict)
    ours, theirs = found["model"]["text"], found["reference"]["text"]  # type: ignore[index]
    place = split["place"]
    assert ours[:place] == theirs[:place]
    last = NAMES.index(("o" + ours)[place])
    q, p = _softmax(table(1, 0.6)[last]), _softmax(table(1)[last])
    assert split["model"]["candidate"] == pytest.approx(q.max(), abs=1e-6)
    assert split["model"]["reference"] == pytest.approx(p[q.argmax()], abs=1e-6)
    assert split["reference"]["reference"] == pytest.approx(p.max(), abs=1e-6)


def test_a_stop_text_ends_an_answer_and_is_cut() -> None:
    whole = write_answers(ModelPair(LettersModel(table(1))), ScoredPrompt("q", "hello"), SETTINGS)
    text = whole["model"]["text"]  # type: ignore[index]
    stop = text[2:4]
    prompt = ScoredPrompt("q", "hello", stop=(stop,))
    found = write_answers(ModelPair(LettersModel(table(1))), prompt, SETTINGS)["model"]
    place = text.find(stop)
    assert found == {"text": text[:place], "tokens": place + 2, "end": "stop"}


def test_an_answer_ends_at_a_full_context() -> None:
    scores = np.zeros((LETTERS, LETTERS), np.float32)
    scores[:, 0] = 1
    pair = ModelPair(LettersModel(scores, context=8), LettersModel(scores, context=8))
    found = write_answers(pair, ScoredPrompt("q", "hello"), SETTINGS)
    assert found["model"] == {"text": "aaaa", "tokens": 4, "end": "context"}
    assert found["reference"] == found["model"]


def test_a_prompt_longer_than_the_context_is_refused() -> None:
    pair = ModelPair(LettersModel(table(1), context=8))
    with pytest.raises(ScoreError, match="The prompt q has 11 tokens, more than the context of 8"):
        write_answers(pair, ScoredPrompt("q", "hello hello"), SETTINGS)


def test_a_seed_repeats_an_answer() -> None:
    def answer(seed: int) -> object:
        pair = ModelPair(LettersModel(table(1)))
        return write_answers(pair, ScoredPrompt("q", "hello"), (1.5, seed, ""))["model"]

    assert answer(1) == answer(1)
    assert answer(1) != answer(2)


def _with_template(source: str) -> LettersModel:
    model = LettersModel(table(1))
    model._facts = model.facts._replace(template=source)
    return model


CHAT = "{% for one in messages %}{{ one.role }} {{ one.content }}. {% endfor %}"


def test_a_conversation_is_written_by_the_template() -> None:
    model = _with_template(CHAT + "{{ strftime_now('%d') }}")
    asked = ScoredPrompt("q", messages=(ChatMessage("user", "hello"),))
    text, special = prompt_text(asked, model.facts, "2026-01-31")
    assert (text, special) == ("user hello. 31", True)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("", "no chat template, which q needs"), ("{% for %}", r"\(q\)"), ("{{ 1 / 0 }}", r"\(q\)")],
)
def test_a_conversation_without_a_usable_template(source: str, sentence: str) -> None:
    asked = ScoredPrompt("q", messages=(ChatMessage("user", "hello"),))
    with pytest.raises(ScoreError, match=sentence):
        write_answers(ModelPair(_with_template(source)), asked, SETTINGS)
