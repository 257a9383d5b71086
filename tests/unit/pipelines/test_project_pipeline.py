"""The pipeline of a project names what the project knows, and can be read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.pipelines.parser import parse_pipeline
from studio.pipelines.pipeline import Pipeline, PipelineStep
from studio.pipelines.project_pipeline import ProjectModel, project_pipeline
from studio.projects.results import Project, ProjectIssue

FOLDER = Path("/models/mine")
PROJECT = Project(
    model="digits",
    task="classification",
    metric="top1",
    preprocess=str(FOLDER / "preprocess.toml"),
    calibration=str(FOLDER / "calibration.npz"),
    heldout="/elsewhere/heldout.npz",
    labels=str(FOLDER / "labels.txt"),
)
MODEL = ProjectModel("digits", FOLDER / "digits.onnx", "fp32")


def read(project: Project, model: ProjectModel = MODEL, target: str = "local") -> Pipeline:
    text = project_pipeline(project, model, target, FOLDER)
    return parse_pipeline(text, "pipeline.toml", FOLDER)


def step(pipeline: Pipeline, name: str) -> PipelineStep:
    return next(one for one in pipeline.steps if one.id == name)


def test_the_steps_lead_from_the_file_to_requests() -> None:
    pipeline = read(PROJECT)
    assert [one.step for one in pipeline.steps] == [
        *("open", "quantize", "profile", "package", "deploy", "call"),
    ]
    assert pipeline.variables["target"] == "local"
    assert [gate.name for gate in pipeline.gates] == [
        "int8 loses at most one point",
        "No request failed",
    ]


def test_consent_to_run_code_reaches_the_conversion_and_operators_are_timed() -> None:
    model = ProjectModel("wine", FOLDER / "wine.joblib", "fp32", "convert", runs_code=True)
    pipeline = read(PROJECT, model)
    assert step(pipeline, "open").options["run_code"] is True
    assert step(pipeline, "profile").options["operators"] is True
    assert "run_code" not in step(read(PROJECT), "open").options


def test_files_below_the_folder_are_named_from_there() -> None:
    pipeline = read(PROJECT)
    assert step(pipeline, "open").options["model"] == "digits.onnx"
    int8 = step(pipeline, "int8").options
    assert (int8["data"], int8["eval_data"]) == ("calibration.npz", "/elsewhere/heldout.npz")
    package = step(pipeline, "package").options
    assert package["labels"] == "labels.txt"
    assert package["preprocess"] == "preprocess.toml"


def test_without_data_int8_needs_none_and_no_metric_is_promised() -> None:
    pipeline = read(replace(PROJECT, calibration=None, heldout=None))
    assert step(pipeline, "int8").options["method"] == "dynamic-int8"
    assert [gate.name for gate in pipeline.gates] == ["No request failed"]
    assert "data" not in step(pipeline, "call").options


def test_the_calibration_data_alone_promises_no_metric() -> None:
    pipeline = read(replace(PROJECT, heldout=None))
    assert "eval_data" not in step(pipeline, "int8").options
    assert [gate.name for gate in pipeline.gates] == ["No request failed"]


def test_what_contradicts_the_model_is_left_out() -> None:
    issue = ProjectIssue("labels", "The labels have 9 names, and the model 10 classes.")
    assert "labels" not in step(read(replace(PROJECT, issues=(issue,))), "package").options


def test_a_model_whose_file_is_gone_is_taken_from_the_registry() -> None:
    pipeline = read(PROJECT, ProjectModel("digits", None, "fp32"))
    assert "open" not in {one.id for one in pipeline.steps}
    assert step(pipeline, "int8").options["model"] == "digits:fp32"


@pytest.mark.parametrize("name", ['a "model"', "[[steps]]", "back\\slash", "Größe", "a\nb"])
def test_any_name_can_be_written(name: str) -> None:
    model = ProjectModel(name, FOLDER / f"{name}.onnx", "fp32")
    pipeline = read(replace(PROJECT, model=name), model)
    assert pipeline.name == name
    assert step(pipeline, "open").options["model"] == f"{name}.onnx"
    assert len(pipeline.steps) == 6


@pytest.mark.parametrize("field", ["labels", "calibration"])
def test_a_path_that_would_be_a_reference_is_refused(field: str) -> None:
    path = {field: "/models/${vars.target}/file"}
    with pytest.raises(UsageError, match="cannot be named in a pipeline"):
        read(replace(PROJECT, **path))
    with pytest.raises(UsageError, match="cannot be named in a pipeline"):
        read(PROJECT, ProjectModel("digits", FOLDER / "${open.variant}.onnx", "fp32"))


def test_held_out_data_judge_where_there_are_others_to_choose_by() -> None:
    assert "heldout_data" not in step(read(PROJECT), "int8").options
    int8 = step(read(replace(PROJECT, evaluation=str(FOLDER / "val"))), "int8").options
    assert (int8["eval_data"], int8["heldout_data"]) == ("val", "/elsewhere/heldout.npz")
