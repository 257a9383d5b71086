"""What a model's file says, in rows: nothing counts, nothing can be changed, all of it is text."""

from __future__ import annotations

from studio.evaluation.results import SampleResult, SampleRun
from studio.gui.pages.project.model_rows import (
    SampleState,
    file_rows,
    sample_row,
    terminal_rows,
)
from studio.gui.pages.project.rows import OPEN, READY, WARNING, ProjectRow
from studio.models.results import (
    Answer,
    IntakeFinding,
    LanguageFacts,
    ModelFigures,
    ScoredClass,
    Terminal,
)
from studio.projects.results import Project, ProjectSource

NOTHING = Project(model="m")


def shown(row: ProjectRow) -> tuple[str, str, str]:
    assert not row.counts
    assert not row.can_change
    return row.state, row.value, row.source


def of_file(model: ModelFigures, project: Project = NOTHING) -> dict[str, tuple[str, str, str]]:
    return {row.field: shown(row) for row in file_rows(model, 16_500_000, project)}


def test_shapes_have_short_names() -> None:
    batch = Terminal("x", "float32", ("batch_size", 3, 48, "DynamicDimension.1"))
    [inputs, outputs] = terminal_rows(ModelFigures(inputs=(batch,)))
    assert shown(inputs) == (READY, "x float32 batch×3×48×?", "dynamic sizes")
    assert shown(outputs) == (OPEN, "Not known.", "")


def test_a_language_model_is_described_in_tokens() -> None:
    facts = LanguageFacts(context=8192, vocabulary=49152, chat_template="{{ messages }}")
    [inputs, outputs, template] = terminal_rows(ModelFigures(language=facts))
    assert shown(inputs) == (READY, "text · up to 8\u2009192 tokens", "")
    assert shown(outputs) == (READY, "text · 49\u2009152 tokens known", "")
    assert shown(template) == (READY, "The model has one.", "")
    plain = terminal_rows(ModelFigures(language=LanguageFacts()))[-1]
    assert shown(plain)[0] == OPEN


def test_many_inputs_are_counted_and_named_in_the_tooltip() -> None:
    every = tuple(Terminal(f"x{number}", "int64", (1,)) for number in range(5))
    [inputs, _] = terminal_rows(ModelFigures(inputs=every))
    assert shown(inputs) == (READY, "x0 int64 1 · x1 int64 1 · x2 int64 1 · 2 more", "static sizes")
    assert inputs.whole.count("\n") == 4


def test_names_of_a_hostile_model_stay_one_printable_line() -> None:
    value = Terminal("a\n<b>\x1b" * 500, "float32", None)
    [inputs, _] = terminal_rows(ModelFigures(inputs=(value,)))
    _, text, source = shown(inputs)
    assert text.isprintable()
    assert (len(text) < 120, source) == (True, "unknown shapes")


def test_the_licence_of_the_metadata_comes_before_that_of_a_file() -> None:
    found = (ProjectSource("licence", "the model's folder", "LICENSE"),)
    project = Project(model="m", licence="MIT", found=found)
    metadata = ModelFigures(licence="Apache-2.0")
    assert of_file(metadata, project)["licence"] == (READY, "Apache-2.0", "the model's metadata")
    assert of_file(ModelFigures(), project)["licence"] == (READY, "MIT", "LICENSE")
    unknown = of_file(ModelFigures())["licence"]
    assert unknown == (OPEN, "Not known. Add a LICENSE file.", "")


def test_the_safety_check_names_what_needs_care() -> None:
    custom = IntakeFinding("warning", "custom-domain", "2 nodes of custom domain acme.")
    weights = IntakeFinding("info", "external-data", "Weights are in m.bin (12 bytes).")
    assert of_file(ModelFigures())["safety"] == (READY, "No issues found", "16.5 MB")
    both = ModelFigures(intake=(custom, weights))
    assert of_file(both)["safety"] == (WARNING, "1 issue", "16.5 MB")
    safety = file_rows(both, 1, NOTHING)[1]
    assert (safety.issue, safety.whole) == (custom.text, f"{custom.text}\n{weights.text}")
    assert of_file(ModelFigures(intake=(weights,)))["safety"][:2] == (READY, weights.text)


def test_a_sample_is_shown_at_every_stage() -> None:
    assert shown(sample_row(SampleState(is_running=True)))[1] == "Running a sample…"
    assert shown(sample_row(SampleState(problem="No data.")))[:2] == (OPEN, "No data.")
    answer = Answer("classes", classes=(ScoredClass("cat", 3, 0.912),))
    done = SampleState(SampleResult(SampleRun(answer, "a.png", 12.34)))
    words = (READY, "cat, score 0.91 · 12.3 ms", "a.png, on this computer")
    assert shown(sample_row(done)) == words
    failed = sample_row(SampleState(SampleResult(None, "It does not fit.", "Take another.")))
    assert shown(failed)[:2] == (WARNING, "Failed")
    assert (failed.issue, failed.whole) == ("It does not fit.", "It does not fit. Take another.")
