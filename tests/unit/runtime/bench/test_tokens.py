"""Measurement in tokens: runs of a prompt, forced answers, verdicts, and the configuration."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from studio.runtime.bench.config import parse
from studio.runtime.bench.errors import ConfigError
from studio.runtime.bench.events import Round
from studio.runtime.bench.tokens.comparison import compared
from studio.runtime.bench.tokens.plan import TokenPlan, cell, cell_parts
from studio.runtime.generate.measure.child import TextCandidate
from studio.runtime.generate.measure.requests import ForcedRequest, answer, forced, prefill_runs
from studio.runtime.generate.text_model import Part, TextModelFacts


class CountingModel:
    """A language model of ten tokens that notes what is run."""

    def __init__(self, slots: int = 2, batch: int = 8, context: int = 64) -> None:
        ends = frozenset({0, 3})
        self.facts = TextModelFacts("1", 10, context, slots, batch, begin=(1,), ends=ends)
        self.held = [0] * slots
        self.runs: list[list[tuple[int, list[int], int]]] = []

    def encode(self, text: str, special: bool = False) -> list[int]:
        return [5] * len(text)

    def piece(self, token: int) -> bytes:
        return b"a"

    def run(self, parts: Sequence[Part]) -> list[Any]:
        self.runs.append([(one.slot, list(one.tokens), one.scores) for one in parts])
        for one in parts:
            self.held[one.slot] += len(one.tokens)
        return [numpy.ones((one.scores, 10), numpy.float32) for one in parts]

    def keep(self, slot: int, tokens: int) -> int:
        self.held[slot] = min(self.held[slot], tokens)
        return self.held[slot]

    def close(self) -> None:
        """Nothing to free."""


def loaded(model: CountingModel) -> TextCandidate:
    candidate = TextCandidate()
    candidate._model = model
    return candidate


def test_a_prompt_fills_each_run_and_only_its_end_has_scores() -> None:
    runs = list(prefill_runs(range(10), 2, 8))
    shapes = [[(one.slot, len(one.tokens), one.scores) for one in parts] for parts in runs]
    assert shapes == [[(0, 8, 0)], [(0, 2, 1), (1, 6, 0)], [(1, 4, 1)]]


def test_an_answer_reads_the_prompt_and_writes_the_given_tokens() -> None:
    model = CountingModel()
    block = answer(model, ForcedRequest([4, 5, 6], [7, 8]), 2)
    assert model.runs[-2:] == [[(0, [7], 1), (1, [7], 1)], [(0, [8], 1), (1, [8], 1)]]
    assert model.held == [5, 5]
    assert (len(block.first_ns), len(block.token_ns), block.prompt) == (2, 2, 3)
    assert min(block.first_ns) > 0


def test_forced_tokens_end_nothing_and_are_the_same_again() -> None:
    facts = CountingModel().facts
    made = forced(facts, 200, 1)
    assert not set(made) & facts.ends
    assert made == forced(facts, 200, 1)


def test_texts_become_prompts_of_the_models_own_tokens() -> None:
    candidate = loaded(CountingModel())
    assert candidate.prepare([3], ["four", "six ch"], 4).lengths == [5, 7]


def test_a_prompt_that_does_not_fit_is_named() -> None:
    candidate = loaded(CountingModel(context=16))
    with pytest.raises(ValueError, match="prompt 2 has 14 tokens: with an answer of 4"):
        candidate.prepare([8, 14], [], 4)


def test_the_warm_up_never_leaves_the_context() -> None:
    model = CountingModel(context=16)
    candidate = loaded(model)
    candidate.prepare([4], [], 4)
    for _ in range(50):
        candidate.time(1, 0)
        assert model.held[0] <= 16


def test_a_cell_has_its_parts_whatever_the_label() -> None:
    assert cell_parts(cell("a|b:q4", "first", 2)) == ("a|b:q4", "first", 2)


def test_the_room_of_texts_holds_a_token_for_each_byte() -> None:
    assert TokenPlan(texts=["äö"], answer=8).room >= 4 + 8


def rounds(slower: float, count: int = 20) -> list[Round]:
    chance = random.Random(3)
    made = []
    for number in range(1, count + 1):
        times = {}
        for label, factor in (("a", 1.0), ("a#twin", 1.0), ("b", slower)):
            for measure, streams, base in (("token", 1, 20e6), ("first", 1, 9e8), ("all", 4, 8e6)):
                if label != "a#twin" or streams == 1:
                    noise = chance.uniform(0.995, 1.005)
                    times[cell(label, measure, streams)] = [base * noise * factor]
        made.append(Round(number, count, times_ns=times))
    return made


def test_each_measure_has_a_verdict() -> None:
    found = compared(rounds(1.2), "a", ["a", "b", "a#twin"], "a#twin", [1, 4], 0.05)
    named = [(one.measure, one.streams, one.verdict.verdict) for one in found.verdicts]
    assert named == [("token", 1, "slower"), ("first", 1, "slower"), ("all", 4, "slower")]


def test_a_copy_is_equal_and_the_twin_sets_the_margin() -> None:
    found = compared(rounds(1.0), "a", ["a", "b", "a#twin"], "a#twin", [1, 4], 0.05)
    assert {one.verdict.verdict for one in found.verdicts} == {"equal"}
    assert found.twin is not None


CANDIDATE = {"id": "a", "model": "m.gguf", "runner": "", "backend": "llama-cpp"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tokens": {"answer": 0}}, "'tokens.answer'"),
        ({"tokens": {"lengths": []}}, "'tokens.lengths'"),
        ({"tokens": {"streams": [1.5]}}, "'tokens.streams'"),
        ({"tokens": {"contexts": [-1]}}, "'tokens.contexts'"),
        ({"tokens": {"other": 1}}, "unknown key 'other'"),
        ({"mode": "latency"}, "The mode 'tokens' is for"),
        ({"candidates": [{**CANDIDATE, "backend": ""}]}, "The mode 'tokens' is for"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(change: dict[str, Any], sentence: str) -> None:
    given = {"candidates": [CANDIDATE], "mode": "tokens", **change}
    with pytest.raises(ConfigError, match=sentence):
        parse(json.dumps(given))
