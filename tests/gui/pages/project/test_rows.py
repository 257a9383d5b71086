"""A project in words: what is there, what is missing and what that means, what contradicts."""

from __future__ import annotations

from dataclasses import replace

from studio.gui.pages.project.rows import OPEN, READY, WARNING, ProjectRow, ready, rows_of
from studio.projects.results import YOU, Project, ProjectIssue, ProjectSource


def rows(**values: object) -> dict[str, ProjectRow]:
    project = Project(model="digits", **values)  # type: ignore[arg-type]
    return {row.field: row for row in rows_of(project)}


def test_a_value_has_its_name_and_its_source() -> None:
    found = rows(labels="/data/labels.txt", found=(ProjectSource("labels", "project.toml"),))
    labels = found["labels"]
    assert (labels.state, labels.value, labels.whole) == (READY, "labels.txt", "/data/labels.txt")
    assert (labels.source, labels.is_own) == ("project.toml", False)


def test_what_the_user_has_set_can_be_removed() -> None:
    found = rows(metric="f1", found=(ProjectSource("metric", "you"),))
    assert found["metric"].is_own


def test_a_missing_value_says_what_that_means() -> None:
    calibration = rows()["calibration"]
    assert calibration.state == OPEN
    assert calibration.value == "Not set. Calibrated int8 needs it."


def test_an_issue_is_a_warning_with_its_remedy() -> None:
    issue = ProjectIssue("labels", "The labels have 2 names.", "Take others.")
    labels = rows(labels="/data/labels.txt", issues=(issue,))["labels"]
    assert (labels.state, labels.issue) == (WARNING, "The labels have 2 names. Take others.")


def test_lists_that_the_task_has_no_use_for_are_left_out() -> None:
    assert "dictionary" not in rows(task="classification")
    assert "labels" not in rows(task="text-recognition")
    assert "dictionary" in rows(task="text-recognition")
    assert "dictionary" in rows(task="classification", dictionary="/data/d.txt")


def test_held_out_data_is_evaluation_data_where_there_is_no_other() -> None:
    found = rows(heldout="/data/heldout.npz")
    assert (found["evaluation"].state, found["evaluation"].value) == (
        READY,
        "The held-out data is used.",
    )


def test_optional_rows_do_not_count() -> None:
    whole = {"task": "regression", "preprocess": "/p", "calibration": "/c", "evaluation": "/e"}
    assert ready(list(rows(**whole).values())) == (4, 4)
    assert ready(list(rows().values())) == (0, 5)


def test_nodes_kept_in_float_have_a_row_only_where_there_are_some() -> None:
    assert "float_nodes" not in rows()
    source = ProjectSource("float_nodes", YOU)
    row = rows(float_nodes=("conv1", "fc"), found=(source,))["float_nodes"]
    assert (row.state, row.value, row.is_own, row.counts) == (READY, "conv1, fc", True, False)


def test_a_label_map_is_for_classes_and_optional() -> None:
    row = rows(task="classification")["label_map"]
    assert (row.state, row.counts) == (OPEN, False)
    assert "label_map" not in rows(task="detection")


def test_a_language_model_has_no_rows_of_arrays_and_classes() -> None:
    project = Project(model="tiny", task="text-generation")
    assert [one.field for one in rows_of(project, is_language=True)] == ["task", "targets"]
    given = replace(project, evaluation="/data/texts.txt")
    assert "evaluation" in [one.field for one in rows_of(given, is_language=True)]
