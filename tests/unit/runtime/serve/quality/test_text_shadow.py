"""Answers of a language model on trial, scored by the release before it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.generate.conversation import Conversation
from studio.runtime.generate.generator import TextGenerator
from studio.runtime.generate.loop import QueueLimits, TooManyRequests
from studio.runtime.generate.prompt_reader import BadPrompt
from studio.runtime.generate.request import GenerationRequest
from studio.runtime.serve.quality import text_shadow
from studio.runtime.serve.quality.text_shadow import REMEMBERED, TextShadow
from studio.runtime.shared.trial_request import TrialRequest
from tests.rigs.boards import until
from tests.unit.runtime.generate.text_models import TEMPLATE, ByteModel, letters, script

WISH = TrialRequest("b" * 64, "a" * 64, 1.1, share=0.5)
Following = Callable[[Sequence[int]], int]


def often_other(sequence: Sequence[int]) -> int:
    """The letter of ``letters``, but for each fifth sequence."""
    found = letters(sequence)
    return found if sum(sequence) % 5 else found ^ 1


class Trial:
    """A model on trial and the one before it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = monkeypatch
        self.before = ByteModel(context=256)

    def bundle(self, **model: Any) -> Path:
        """Write the bundle of the earlier release."""
        named = {"file": "model.gguf", "backend": "llama-cpp", **model}
        manifest = {"name": "m", "version": 1, "model": named, "generation": {"context": 256}}
        (self._folder / "manifest.json").write_text(json.dumps(manifest))
        (self._folder / named["file"]).write_bytes(b"")
        return self._folder

    def begin(self, generator: TextGenerator) -> TextShadow:
        """Begin to compare."""
        self._patch.setattr(text_shadow, "load_text_model", lambda *_: self.before)
        return TextShadow(generator, WISH, self.bundle())


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    return Trial(tmp_path, monkeypatch)


@pytest.fixture
def ended() -> Iterator[list[TextGenerator]]:
    """Generators that are closed afterwards."""
    found: list[TextGenerator] = []
    yield found
    for one in found:
        one.loop.close()


def generator_of(ended: list[TextGenerator], model: ByteModel) -> TextGenerator:
    ended.append(TextGenerator(model))
    return ended[-1]


def say(generator: TextGenerator, words: str, most: int = 8) -> str:
    """Have a conversation answered."""
    conversation = Conversation(messages=[{"role": "user", "content": words}])
    tokens = generator.read(conversation)
    return generator.answer(GenerationRequest(tokens, most, conversation=conversation))


def compare(shadow: TextShadow, generator: TextGenerator, count: int, most: int = 8) -> Any:
    """Have different conversations answered until some were compared; return the counts."""
    numbers = iter(range(10_000))

    def enough() -> bool:
        say(generator, f"question {next(numbers)}", most)
        return int(str(shadow.status()["compared"])) >= count

    until(enough, f"{count} comparisons", 30.0)
    told = shadow.status()
    shadow.end()
    return told


def test_an_equal_release_has_no_divergence(trial: Trial, ended: list[TextGenerator]) -> None:
    generator = generator_of(ended, ByteModel(context=256))
    told = compare(trial.begin(generator), generator, 12)
    assert told["fault"] == ""
    assert told["loaded"] is True
    assert told["answers"] == told["compared"] == told["agreed"]
    assert told["diverging"] == 0
    assert told["divergence"] == 0.0
    assert told["same_top"] == 1.0
    assert generator.tap is None


def test_a_release_that_prefers_other_tokens_diverges(
    trial: Trial, ended: list[TextGenerator]
) -> None:
    generator = generator_of(ended, ByteModel(often_other, context=256))
    told = compare(trial.begin(generator), generator, 12)
    assert told["diverging"] >= 0.7 * told["answers"]
    assert told["divergence"] > 1.0
    assert 0.6 < told["same_top"] < 0.95


def test_a_wrong_template_diverges(trial: Trial, ended: list[TextGenerator]) -> None:
    wrong = TEMPLATE.replace("<assistant>", "<user>")
    generator = generator_of(ended, ByteModel(context=256, template=wrong))
    told = compare(trial.begin(generator), generator, 12)
    assert told["diverging"] == told["answers"]
    assert told["agreed"] == 0


def test_a_template_with_the_same_effect_does_not(trial: Trial, ended: list[TextGenerator]) -> None:
    generator = generator_of(ended, ByteModel(context=256, template="{# new #}" + TEMPLATE))
    told = compare(trial.begin(generator), generator, 12)
    assert told["divergence"] == 0.0


def test_what_only_the_earlier_release_answers_counts_against_the_later_one(
    trial: Trial, ended: list[TextGenerator]
) -> None:
    generator = generator_of(ended, ByteModel(context=48))
    shadow = trial.begin(generator)
    until(lambda: shadow.loaded, "the earlier release", 10.0)
    numbers = iter(range(10_000))

    def refused() -> bool:
        with pytest.raises(BadPrompt):
            say(generator, f"{next(numbers)} " + "long " * 20)
        return int(str(shadow.status()["compared"])) >= 3

    until(refused, "refused conversations", 20.0)
    told: Any = shadow.status()
    shadow.end()
    assert told["agreed"] == 0
    assert told["answers"] == 0
    assert told["divergence"] is None


def test_what_both_refuse_is_no_loss(trial: Trial, ended: list[TextGenerator]) -> None:
    generator = generator_of(ended, ByteModel(context=48))
    trial.before = ByteModel(context=48)
    shadow = trial.begin(generator)
    until(lambda: shadow.loaded, "the earlier release", 10.0)
    for number in range(20):
        with pytest.raises(BadPrompt):
            say(generator, f"{number} " + "long " * 20)
    compare(shadow, generator, 2)
    assert shadow.status()["agreed"] == shadow.status()["compared"]


def test_an_answer_that_ends_early_for_lack_of_room_is_not_alike(
    trial: Trial, ended: list[TextGenerator]
) -> None:
    generator = generator_of(ended, ByteModel(context=48))
    told = compare(trial.begin(generator), generator, 5, most=100)
    assert told["agreed"] == 0
    assert told["divergence"] == 0.0


def test_the_same_conversation_counts_once(trial: Trial, ended: list[TextGenerator]) -> None:
    generator = generator_of(ended, ByteModel(context=256))
    shadow = trial.begin(generator)

    def repeated() -> bool:
        say(generator, "always the same")
        return int(str(shadow.status()["repeated"])) >= 3

    until(repeated, "repetitions", 20.0)
    assert shadow.status()["compared"] == 1
    assert REMEMBERED > 16


def test_a_short_answer_is_compared_with_its_end(trial: Trial, ended: list[TextGenerator]) -> None:
    ends_at_once = script(b"")
    generator = generator_of(ended, ByteModel(ends_at_once, context=256))
    trial.before = ByteModel(ends_at_once, context=256)
    told = compare(trial.begin(generator), generator, 3)
    assert told["answers"] == told["compared"]
    assert told["divergence"] == 0.0


def test_an_answer_that_never_began_leaves_room_for_the_next(
    trial: Trial, ended: list[TextGenerator]
) -> None:
    model = ByteModel(context=256, slots=1)
    generator = TextGenerator(model, QueueLimits(0))
    ended.append(generator)
    shadow = trial.begin(generator)
    until(lambda: shadow.loaded, "the earlier release", 10.0)
    model.gate.clear()
    first = threading.Thread(target=say, args=(generator, "first"))
    first.start()
    until(lambda: generator.loop.active == 1, "an answer under way", 10.0)
    with pytest.raises(TooManyRequests):
        say(generator, "second")
    model.gate.set()
    first.join()
    assert compare(shadow, generator, 3)["divergence"] == 0.0


def test_other_tokens_cannot_be_compared(trial: Trial, ended: list[TextGenerator]) -> None:
    generator = generator_of(ended, ByteModel(context=256))
    trial.before.facts = trial.before.facts._replace(vocabulary=300)
    shadow = trial.begin(generator)
    until(lambda: bool(shadow.fault), "a fault", 10.0)
    assert shadow.fault == "The previous release cannot run next to this one: it has other tokens."
    assert trial.before.closed
    assert say(generator, "still answered")


def test_another_kind_of_model_cannot_be_compared(trial: Trial, ended: list[TextGenerator]) -> None:
    generator = generator_of(ended, ByteModel(context=256))
    bundle = trial.bundle(file="model.onnx", backend="onnxruntime")
    shadow = TextShadow(generator, WISH, bundle)
    until(lambda: bool(shadow.fault), "a fault", 10.0)
    assert shadow.fault.endswith("it is no language model.")


def test_scores_that_are_no_numbers_diverge(trial: Trial, ended: list[TextGenerator]) -> None:
    class Broken(ByteModel):
        def run(self, parts: Any) -> Any:
            found = super().run(parts)
            for rows in found:
                rows[:, 3] = float("nan")
            return found

    generator = generator_of(ended, Broken(context=256))
    told = compare(trial.begin(generator), generator, 3)
    assert told["diverging"] == told["answers"]
    assert told["agreed"] == 0


def test_of_long_prompts_some_are_scored(
    trial: Trial, ended: list[TextGenerator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_shadow, "CHEAP", 16)
    generator = generator_of(ended, ByteModel(context=256))
    told = compare(trial.begin(generator), generator, 30)
    assert 3 < told["answers"] < 27
    assert told["agreed"] == told["compared"]


def test_an_answer_beyond_the_room_of_the_earlier_release_ends_no_comparison(
    trial: Trial, ended: list[TextGenerator]
) -> None:
    generator = generator_of(ended, ByteModel(context=256))
    trial.before = ByteModel(context=48)
    told = compare(trial.begin(generator), generator, 6, most=60)
    assert told["fault"] == ""
    assert told["agreed"] == told["compared"]
    assert told["answers"] == 0
