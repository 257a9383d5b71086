"""The loop: answers of several clients at once, as if each were alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy
import pytest

from studio.runtime.generate.loop import GenerationLoop, QueueLimits, TooManyRequests
from studio.runtime.generate.request import AnswerProgress, Generation, GenerationRequest, Reason
from studio.runtime.generate.sampler import Sampling
from studio.runtime.generate.text_model import Part
from tests.unit.runtime.generate.text_models import ByteModel, alone, script

PATIENCE_S = 20.0


class Listener:
    """Everything that is told of an answer."""

    def __init__(self) -> None:
        self.parts: list[AnswerProgress] = []
        self.done = threading.Event()

    def __call__(self, progress: AnswerProgress) -> None:
        self.parts.append(progress)
        if progress.reason is not None:
            self.done.set()

    @property
    def text(self) -> str:
        """The whole answer."""
        assert self.done.wait(PATIENCE_S)
        return "".join(part.text for part in self.parts)

    @property
    def reason(self) -> Reason | None:
        """Why it ended."""
        assert self.done.wait(PATIENCE_S)
        return self.parts[-1].reason


def ask(loop: GenerationLoop, prompt: str, most: int = 8, **more: object) -> Listener:
    """Queue a prompt."""
    return _asked(loop, prompt, most, **more)[0]


def _asked(
    loop: GenerationLoop, prompt: str, most: int = 8, **more: object
) -> tuple[Listener, Generation]:
    listener = Listener()
    request = GenerationRequest(list(prompt.encode()), most, **more)  # type: ignore[arg-type]
    return listener, loop.submit(request, listener)


def test_an_answer_ends_after_the_wanted_tokens() -> None:
    model = ByteModel()
    loop = GenerationLoop(model)
    answer = ask(loop, "hello")
    assert answer.text == alone(b"hello", 8)
    assert answer.reason is Reason.LENGTH
    loop.close()
    assert model.closed


def test_an_end_token_ends_an_answer() -> None:
    loop = GenerationLoop(ByteModel(script(b"yes")))
    answer = ask(loop, "hello\n")
    assert answer.text == "yes"
    assert answer.reason is Reason.STOP
    loop.close()


@pytest.mark.parametrize("slots", [1, 2, 4, 7])
@pytest.mark.parametrize("batch", [8, 32])
def test_answers_of_many_are_those_of_each_alone(slots: int, batch: int) -> None:
    loop = GenerationLoop(ByteModel(slots=slots, batch=batch), QueueLimits(64))
    prompts = [f"prompt number {number}{'!' * (number % 5)}" for number in range(12)]
    answers = [ask(loop, prompt, 3 + number) for number, prompt in enumerate(prompts)]
    for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        assert answer.text == alone(prompt.encode(), 3 + number)
    loop.close()


def test_what_a_slot_still_holds_of_a_prompt_is_not_run_again() -> None:
    model = ByteModel(slots=1)
    loop = GenerationLoop(model)
    _ = ask(loop, "the same begin", 4).text
    model.runs.clear()
    second, generation = _asked(loop, "the same begin and more", 4)
    assert second.text == alone(b"the same begin and more", 4)
    assert generation.cached == len("the same begin")
    assert model.runs[0] == [tuple(b" and more")]
    loop.close()


def test_a_backend_that_cannot_go_back_runs_the_whole_prompt() -> None:
    model = ByteModel(slots=1, rewinds=False)
    loop = GenerationLoop(model)
    _ = ask(loop, "the same begin", 4).text
    second, generation = _asked(loop, "the same end", 4)
    assert second.text == alone(b"the same end", 4)
    assert generation.cached == 0
    loop.close()


def test_the_last_token_of_a_prompt_is_always_run() -> None:
    loop = GenerationLoop(ByteModel(slots=1))
    first = ask(loop, "again", 3).text
    again, generation = _asked(loop, "again", 3)
    assert again.text == first
    assert generation.cached == len("again") - 1
    loop.close()


def test_a_long_prompt_goes_in_parts() -> None:
    model = ByteModel(batch=10)
    loop = GenerationLoop(model)
    prompt = "x" * 35
    assert ask(loop, prompt, 2).text == alone(prompt.encode(), 2)
    assert [len(run[0]) for run in model.runs[:5]] == [4, 10, 10, 10, 1]
    loop.close()


class TimedModel(ByteModel):
    """One whose tokens take a known time, by a clock of its own."""

    def __init__(self, token_s: float) -> None:
        super().__init__(batch=400, context=1000)
        self._token_s = token_s
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def run(self, parts: Sequence[Part]) -> list[numpy.ndarray]:
        """Run parts, which takes its time."""
        self.now += self._token_s * sum(len(part.tokens) for part in parts)
        return super().run(parts)


@pytest.mark.parametrize(
    ("token_s", "sizes"), [(0.05, [4, 40, 40]), (0.5, [4, 4, 4]), (1e-6, [4, 400])]
)
def test_a_run_of_a_prompt_is_short_whatever_a_token_takes(
    monkeypatch: pytest.MonkeyPatch, token_s: float, sizes: list[int]
) -> None:
    """Backends that keep the interpreter's lock make the server silent while they run."""
    model = TimedModel(token_s)
    monkeypatch.setattr("studio.runtime.generate.loop.time", model)
    loop = GenerationLoop(model)
    ask(loop, "x" * 500, 1).reason  # noqa: B018
    assert [len(run[0]) for run in model.runs[: len(sizes)]] == sizes
    loop.close()


def test_an_answer_ends_where_the_context_is_full() -> None:
    loop = GenerationLoop(ByteModel(context=16))
    answer, generation = _asked(loop, "ten tokens", 100)
    assert answer.reason is Reason.LENGTH
    assert generation.produced == 7
    loop.close()


def test_a_stop_word_ends_an_answer_and_is_left_out() -> None:
    loop = GenerationLoop(ByteModel(script(b"one two three")))
    answer = ask(loop, "\n", 20, stops=("three", "tw"))
    assert answer.text == "one "
    assert answer.reason is Reason.STOP
    loop.close()


def test_what_may_become_a_stop_word_is_told_once_it_cannot() -> None:
    loop = GenerationLoop(ByteModel(script(b"a thread")))
    assert ask(loop, "\n", 20, stops=("three",)).text == "a thread"
    loop.close()


def test_a_character_of_several_tokens_is_told_whole() -> None:
    loop = GenerationLoop(ByteModel(script("a€b".encode())))
    answer = ask(loop, "\n", 20)
    assert answer.text == "a€b"
    assert "�" not in "".join(part.text for part in answer.parts)
    loop.close()


def test_a_client_that_leaves_frees_its_slot() -> None:
    model = ByteModel(slots=1, context=4096)
    loop = GenerationLoop(model)
    first, generation = _asked(loop, "for ever", 4000)
    second = ask(loop, "next", 2)
    loop.cancel(generation)
    assert first.reason is Reason.CANCELLED
    assert second.text == alone(b"next", 2)
    loop.close()


def test_one_that_leaves_the_queue_is_never_run() -> None:
    model = ByteModel(slots=1)
    loop = GenerationLoop(model)
    model.gate.clear()
    first = ask(loop, "first", 2)
    waiting, generation = _asked(loop, "waits", 2)
    loop.cancel(generation)
    model.gate.set()
    assert first.text == alone(b"first", 2)
    assert waiting.reason is Reason.CANCELLED
    assert not any(tuple(b"waits") in run for run in model.runs)
    loop.close()


def test_a_full_queue_refuses() -> None:
    model = ByteModel(slots=1)
    loop = GenerationLoop(model, QueueLimits(requests=2))
    model.gate.clear()
    answers = [ask(loop, "one")]
    _until(lambda: loop.active == 1)
    answers += [ask(loop, "two"), ask(loop, "three")]
    with pytest.raises(TooManyRequests):
        ask(loop, "four")
    model.gate.set()
    assert [answer.text for answer in answers] == [
        alone(prompt, 8) for prompt in (b"one", b"two", b"three")
    ]
    loop.close()


def test_tokens_that_wait_are_limited_but_one_request_always_fits() -> None:
    model = ByteModel(slots=1)
    loop = GenerationLoop(model, QueueLimits(requests=10, tokens=20))
    model.gate.clear()
    first = ask(loop, "runs")
    _until(lambda: loop.active == 1)
    large = ask(loop, "x" * 30)
    with pytest.raises(TooManyRequests):
        ask(loop, "y")
    model.gate.set()
    assert first.text
    assert large.text == alone(b"x" * 30, 8)
    loop.close()


def test_a_failed_run_fails_its_answers_and_the_next_one_works() -> None:
    model = ByteModel()
    loop = GenerationLoop(model)
    model.broken = True
    answer = ask(loop, "hello")
    assert answer.reason is Reason.FAILED
    assert answer.parts[-1].error == "The processor is on fire."
    model.broken = False
    assert ask(loop, "hello").text == alone(b"hello", 8)
    loop.close()


def test_a_retired_loop_finishes_and_frees_the_model() -> None:
    model = ByteModel(slots=1)
    loop = GenerationLoop(model)
    model.gate.clear()
    answers = [ask(loop, "first"), ask(loop, "second")]
    loop.retire()
    with pytest.raises(TooManyRequests):
        ask(loop, "late")
    model.gate.set()
    assert [answer.text for answer in answers] == [alone(b"first", 8), alone(b"second", 8)]
    _until(lambda: model.closed)


def test_closing_cancels_what_is_under_way() -> None:
    model = ByteModel(slots=1, context=1 << 20)
    loop = GenerationLoop(model)
    answers = [ask(loop, "one", 1 << 19), ask(loop, "two")]
    loop.close()
    assert [answer.reason for answer in answers] == [Reason.CANCELLED, Reason.CANCELLED]
    assert model.closed


def test_the_same_seed_gives_the_same_answer_and_another_seed_another() -> None:
    loop = GenerationLoop(ByteModel())

    def drawn(seed: int) -> str:
        return ask(loop, "hello", 30, sampling=Sampling(temperature=2.0, seed=seed)).text

    first = drawn(1)
    assert drawn(1) == first
    assert drawn(2) != first
    loop.close()


def test_the_end_is_left_out_where_a_length_is_wanted() -> None:
    loop = GenerationLoop(ByteModel(script(b"yes")))
    answer, generation = _asked(loop, "\n", 6, ends=False)
    assert answer.reason is Reason.LENGTH
    assert generation.produced == 6
    loop.close()


def _until(condition: object) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)
