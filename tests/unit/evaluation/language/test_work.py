"""The evaluation of a language model by a process that runs models of letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import StudioError, TargetSpec, UsageError
from studio.documents.dataclass_json import from_json, to_json
from studio.evaluation.language import process, work
from studio.evaluation.language.process import ScoreReply
from studio.evaluation.language.results import LanguageScore
from studio.evaluation.language.texts import language
from studio.evaluation.language.work import LanguageQuestions, evaluate_language
from studio.plugin_host import PluginHost
from studio.quantization.language.evaluation import headline
from studio.quantization.language.options import prepared
from studio.quantization.step import EvaluateOptions
from studio.registry import ModelRef
from studio.runtime.generate.score import command
from studio.runtime.generate.score.request import ScoredModel, ScoreRequest
from studio.steps.catalogue import step
from studio.steps.format_support import why_not
from tests.unit.quantization.conftest import FakeJob
from tests.unit.runtime.generate.score.letters_model import LettersModel, table

MODEL = ModelRef("/m/small.gguf", "d", 1, 1, "small", "q4", "gguf", "q4")
FLOAT = ModelRef("/m/float.gguf", "e", 2, 1, "small", "fp32", "gguf", "fp32")
TEXT = "the quick brown fox jumps over the lazy dog, and the dog sleeps. what a day it was! " * 3
TASKS = """
[set]
name = "mine"
version = "3"
chat = false
limit = 8
[[items]]
question = "one and two?"
answer = "three"
[[items]]
question = "what is it?"
kind = "choice"
choices = ["a dog", "a fox"]
answer = "a fox"
"""


class Letters:
    """The process, in this one: models of letters by the names of their files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, noise: float) -> None:
        self._tables = {"/m/small.gguf": table(1, noise), "/m/float.gguf": table(1)}
        monkeypatch.setattr(work, "located", lambda ref, host: ScoredModel(ref.path, "llama-cpp"))
        monkeypatch.setattr(work, "score", self.score)
        monkeypatch.setattr(command, "load_model", self._load)
        monkeypatch.setattr(command, "PipedModel", self._load)

    def score(self, request: ScoreRequest, folder: Path, progress: FakeJob) -> ScoreReply:
        return from_json(ScoreReply, to_json(command.score(request, progress.progress)))

    def _load(self, model: ScoredModel, settings: object) -> LettersModel:
        return LettersModel(self._tables[model.path])


@pytest.fixture
def job(tmp_path: Path) -> FakeJob:
    folder = tmp_path / "job"
    folder.mkdir()
    return FakeJob(folder)


def _questions(tmp_path: Path, **changed: object) -> LanguageQuestions:
    (tmp_path / "poem.txt").write_text(TEXT)
    (tmp_path / "mine.toml").write_text(TASKS)
    values = {
        "data": tmp_path / "poem.txt",
        "task_files": (tmp_path / "mine.toml",),
        "window": 16,
        **changed,
    }
    return LanguageQuestions(MODEL, FLOAT, 64, **values)  # type: ignore[arg-type]


def test_all_figures_in_one_result(
    tmp_path: Path, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    Letters(monkeypatch, 0.6)
    score = evaluate_language(_questions(tmp_path), job)
    assert score.text is not None
    assert score.text.divergence is not None
    assert score.text.divergence.kl.low is not None
    assert 0 < score.text.divergence.kl.low < score.text.divergence.kl.value
    assert score.text.scored == len(TEXT) - 1
    (document,) = score.text.documents
    assert document.kl == pytest.approx(score.text.divergence.kl.value)
    assert [one.filter for one in score.tasks[0].scores] == [
        "likelihood",
        "per byte",
        "strict",
        "lenient",
    ]
    assert score.behaviour is not None
    assert score.behaviour.answers == 1
    assert score.answers[0].reference is not None
    assert from_json(LanguageScore, to_json(score)) == score
    lines = language(score)
    assert lines[0] == "small:q4 (llama.cpp 1) against small:fp32 (llama.cpp 1)"
    assert any(one.startswith("mean KL divergence (nats)") for one in lines)
    assert any(one.startswith("mine 3") for one in lines)
    assert headline(score)[0].name == "kl"


def test_a_model_against_itself(
    tmp_path: Path, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    Letters(monkeypatch, 0)
    score = evaluate_language(_questions(tmp_path), job)
    assert score.text is not None
    assert score.text.divergence is not None
    assert (score.text.divergence.kl.value, score.text.divergence.kl.high) == (0, 0)
    assert score.text.divergence.same_top.value == 1
    assert score.equal_answers is not None
    assert score.equal_answers.value == 1
    changes = [one.change for one in score.tasks[0].scores]
    assert all(one is not None and one.value == 0 for one in changes)


def test_without_texts_and_tasks_all_shipped_sets_are_used(
    tmp_path: Path, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[ScoreRequest] = []
    Letters(monkeypatch, 0)

    def stopped(request: ScoreRequest, folder: Path, progress: object) -> ScoreReply:
        requests.append(request)
        raise StudioError("Enough.")

    monkeypatch.setattr(work, "score", stopped)
    with pytest.raises(StudioError, match="Enough"):
        evaluate_language(_questions(tmp_path, data=None, task_files=()), job)
    assert len(requests[0].prompts) == 60 + 40 + 30 + 24


def test_two_sets_of_one_name_are_refused(
    tmp_path: Path, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    Letters(monkeypatch, 0)
    questions = _questions(tmp_path, task_files=(tmp_path / "mine.toml",) * 2)
    with pytest.raises(UsageError, match="Two task sets have the name 'mine'"):
        evaluate_language(questions, job)


def test_a_text_of_a_model_reaches_no_terminal(
    tmp_path: Path, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    Letters(monkeypatch, 0.6)
    monkeypatch.setattr(LettersModel, "piece", lambda self, token: b"\x1b[31m\n\xff")
    score = evaluate_language(_questions(tmp_path), job)
    assert all(one.isprintable() for one in language(score))


def test_the_tool_is_left_out_of_errors() -> None:
    error = process._plainly(StudioError("language's tool failed: No room."))
    assert error.message == "No room."


class KnownModels:
    """A registry with one language model and one other."""

    def variant(self, number: int) -> object:
        summary = {"language": {"context": 512 * number}} if number < 3 else {}
        return type("Record", (), {"summary": summary})


def _options(number: int = 1, **given: object) -> EvaluateOptions:
    model = ModelRef("m", "d", number, number, f"m{number}", "x", "gguf", "q4")
    return EvaluateOptions(model, **given)  # type: ignore[arg-type]


def _prepared(options: EvaluateOptions) -> EvaluateOptions:
    return prepared(KnownModels(), options)  # type: ignore[arg-type]


def test_the_context_is_that_of_both_models() -> None:
    other = _options(2).model
    assert _prepared(_options(1)).context == 512
    assert _prepared(_options(2)).context == 1024
    assert _prepared(_options(2, reference=_options(1).model)).context == 512
    assert _prepared(_options(1, reference=other)).context == 512


@pytest.mark.parametrize(
    ("number", "given", "sentence"),
    [
        (3, {"tasks": ("facts",)}, "--tasks is for language models only."),
        (3, {"reference": _options(1).model}, "--reference is for language models only."),
        (3, {}, "Missing option Data: the project of m3 has no evaluation or heldout."),
        (1, {"metric": "top1"}, "--metric is not for language models."),
        (1, {"heldout_data": Path("x")}, "--heldout-data is not for language models."),
        (1, {"target": TargetSpec("pi", "ssh://pi")}, "--target is not for language models."),
        (1, {"reference": _options(3).model}, "The reference m3 is not a language model."),
    ],
)
def test_options_that_do_not_fit(number: int, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        _prepared(_options(number, **given))
    assert error.value.message.startswith(sentence)


def test_this_computer_as_the_target_is_no_option_of_others() -> None:
    assert _prepared(_options(1, target=TargetSpec("local", "local:"))).context == 512


def test_a_step_of_samples_takes_no_language_models() -> None:
    host = PluginHost.discover()
    assert why_not(step("evaluate"), "gguf", host, language=True) == ""
    assert "not there yet" in why_not(step("sensitivity"), "gguf", host, language=True)
