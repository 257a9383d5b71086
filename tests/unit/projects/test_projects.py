"""A project is what was set, then what its file says, then what was found; nothing leaks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.projects.projects import Projects
from studio.projects.record import keep
from studio.projects.results import Project
from studio.projects.step import ProjectOptions
from studio.registry import ModelRef, Registry, VariantRecord


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "data" / "registry")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


def opened(registry: Registry, folder: Path, name: str = "m", classes: int = 3) -> VariantRecord:
    """The record of a classifier that was opened from a folder."""
    file = folder / f"{name}.onnx"
    file.write_text(f"{name} {classes} {folder}")
    copy = folder / "copy"
    copy.write_bytes(file.read_bytes())
    terminals = [{"name": "y", "dtype": "float32", "shape": ["batch", classes]}]
    return registry.add_variant(
        registry.add_model(name),
        "fp32",
        registry.adopt(copy),
        format="onnx",
        precision="fp32",
        options={"model": str(file)},
        summary={"inputs": [], "outputs": terminals},
    )


def labelled(folder: Path, *names: str) -> Path:
    file = folder / "labels.txt"
    file.write_text("\n".join(names) + "\n")
    return file


def sources(project: Project) -> dict[str, str]:
    return {one.what: one.where for one in project.found}


def test_what_lies_beside_the_model_is_its_project(registry: Registry, folder: Path) -> None:
    labels = labelled(folder, "a", "b", "c")
    project = Projects(registry).of(opened(registry, folder))
    assert (project.model, project.labels) == ("m", str(labels))
    assert (project.task, project.metric, project.issues) == ("classification", "top1", ())
    assert sources(project) == {
        "task": "the model",
        "labels": "the model's folder",
        "metric": "the model",
    }


def test_a_variant_has_the_project_of_its_model(registry: Registry, folder: Path) -> None:
    labelled(folder, "a", "b", "c")
    parent = opened(registry, folder)
    (folder / "int8").write_text("int8")
    child = registry.add_variant(
        parent.model,
        "int8",
        registry.adopt(folder / "int8"),
        format="onnx",
        precision="int8",
        parent=parent.id,
    )
    projects = Projects(registry)
    assert projects.of(child) == projects.of(parent)


def test_the_user_comes_before_the_file_and_the_file_before_names(
    registry: Registry, folder: Path, tmp_path: Path
) -> None:
    labelled(folder, "a", "b", "c")
    variant, projects = opened(registry, folder), Projects(registry)
    (folder / "mine.txt").write_text("a\nb\nc\n")
    (folder / "project.toml").write_text("labels = 'mine.txt'\ntask = 'embedding'\n")
    project = projects.of(variant)
    assert (project.labels, project.task) == (str(folder / "mine.txt"), "embedding")
    assert sources(project) == {"task": "project.toml", "labels": "project.toml"}
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("a\nb\nc\n")
    projects.set("m", {"labels": str(elsewhere)})
    assert projects.of(variant).labels == str(elsewhere)
    assert sources(projects.of(variant))["labels"] == "you"
    projects.set("m", {"labels": None})
    assert projects.of(variant) == project


def test_nothing_leaks_into_the_next_model(registry: Registry, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    labelled(first, "a", "b", "c")
    projects = Projects(registry)
    one, other = opened(registry, first, "one"), opened(registry, second, "other")
    projects.set("one", {"heldout": str(first)})
    assert projects.of(one).heldout == str(first)
    assert (projects.of(other).heldout, projects.of(other).labels) == (None, None)
    # The same content in another folder is a known variant, and yet the file that is meant.
    assert projects.of(one, second / "copy.onnx").labels is None


def test_contradictions_and_losses_are_said(registry: Registry, folder: Path) -> None:
    labelled(folder, "a", "b")
    variant, projects = opened(registry, folder), Projects(registry)
    assert projects.of(variant).task is None
    projects.set("m", {"task": "classification", "calibration": str(folder / "gone")})
    issues = {issue.what: issue.text for issue in projects.of(variant).issues}
    assert issues == {
        "calibration": f"{folder / 'gone'} is gone.",
        "labels": "The labels have 2 names, and the model 3 classes.",
    }
    projects.set("m", {"task": "text-recognition", "calibration": None})
    (issue,) = projects.of(variant).issues
    assert issue.text.startswith("Without the dictionary")


def test_a_broken_file_is_an_issue_and_the_rest_is_there(registry: Registry, folder: Path) -> None:
    labels = labelled(folder, "a", "b", "c")
    variant = opened(registry, folder)
    (folder / "project.toml").write_text("labels = '/etc/passwd'\n")
    project = Projects(registry).of(variant)
    assert project.labels == str(labels)
    assert "must lie in the project's folder" in project.issues[0].text


def test_a_pipe_in_the_place_of_a_list_is_not_waited_for(registry: Registry, folder: Path) -> None:
    os.mkfifo(folder / "labels.txt")
    os.mkfifo(folder / "list.txt")
    (folder / "project.toml").write_text("labels = 'list.txt'\n")
    assert Projects(registry).of(opened(registry, folder)).task is None


def test_a_folder_that_is_gone_leaves_what_was_set(registry: Registry, folder: Path) -> None:
    variant = opened(registry, folder)
    moved = folder.rename(folder.with_name("moved"))
    projects = Projects(registry)
    assert projects.of(variant).labels is None
    projects.set("m", {"labels": str(labelled(moved, "a", "b", "c"))})
    assert projects.of(variant).task == "classification"


def test_what_was_given_is_kept(registry: Registry, folder: Path) -> None:
    variant = opened(registry, folder)
    given = ProjectOptions(
        model=ModelRef.of(variant), task="classification", heldout=folder, targets=("local",)
    )
    project = keep(registry, given, folder)
    assert (project.heldout, project.targets) == (str(folder), ("local",))
    cleared = replace(given, task=None, heldout=None, targets=None, clear=("targets", "task"))
    assert keep(registry, cleared, folder).targets == ()


def test_nodes_kept_in_float_belong_to_one_model(registry: Registry, folder: Path) -> None:
    variant = opened(registry, folder)
    (folder / "project.toml").write_text('float_nodes = ["author"]\n')
    projects = Projects(registry)
    assert projects.of(variant).float_nodes == ("author",)
    given = ProjectOptions(model=ModelRef.of(variant), float_nodes=("conv[1]", "fc"))
    assert keep(registry, given, folder).float_nodes == ("conv[1]", "fc")
    none = keep(registry, replace(given, float_nodes=()), folder)
    assert none.float_nodes == (), "the author's list does not come back"
    projects.set("other", {"float_nodes": ("a",)})
    assert projects.of(variant).float_nodes == ()
    cleared = replace(given, float_nodes=None, clear=("float_nodes",))
    assert keep(registry, cleared, folder).float_nodes == ("author",)


def test_a_project_that_could_not_be_read_again_is_not_written(
    registry: Registry, folder: Path
) -> None:
    variant = opened(registry, folder)
    projects = Projects(registry)
    projects.set("m", {"float_nodes": ("conv",)})
    with pytest.raises(UsageError, match="at most 64 KB"):
        projects.set("m", {"float_nodes": tuple(f"block/{n:060}" for n in range(2000))})
    assert projects.of(variant).float_nodes == ("conv",)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Nothing to set."),
        ({"task": "flying"}, "Unknown task 'flying'."),
        ({"targets": ("roof",)}, "Unknown target: 'roof'."),
    ],
)
def test_a_mistake_changes_nothing(
    given: dict[str, object], sentence: str, registry: Registry, folder: Path
) -> None:
    variant = opened(registry, folder)
    before = Projects(registry).of(variant)
    with pytest.raises(UsageError) as caught:
        keep(registry, ProjectOptions(model=ModelRef.of(variant), **given), folder)  # type: ignore[arg-type]
    assert caught.value.message == sentence
    assert Projects(registry).of(variant) == before


def test_a_label_map_is_checked_against_the_model(registry: Registry, folder: Path) -> None:
    labelled(folder, "a", "b", "c")
    variant, projects = opened(registry, folder), Projects(registry)
    file = folder / "labelmap.txt"
    file.write_text("cat,2\ndog,0\n")
    project = projects.of(variant)
    assert (project.label_map, project.issues) == (str(file), ())
    for content, sentence in (
        ("cat,3\n", "labelmap.txt maps 'cat' to class 3, and the model has 3 classes."),
        ("cat,1\ncat,2\n", "labelmap.txt has the label 'cat' more than once."),
        ("cat,tabby\n", "labelmap.txt, line 1: 'cat,tabby' does not end in a class number."),
    ):
        file.write_text(content)
        assert [one.text for one in projects.of(variant).issues] == [sentence]


def test_a_flag_is_named_as_the_command_line_has_it(registry: Registry, folder: Path) -> None:
    variant, projects = opened(registry, folder), Projects(registry)
    projects.set("m", {"label_map": "/gone.txt"})
    issue = projects.of(variant).issue_of("label_map")
    assert issue is not None
    assert issue.hint.endswith("studio project set m --label-map PATH")


def test_a_vanished_folder_of_the_model_is_an_issue(registry: Registry, folder: Path) -> None:
    labelled(folder, "a", "b", "c")
    variant = opened(registry, folder)
    shutil.rmtree(folder)
    issue = Projects(registry).of(variant).issue_of("found")
    assert issue is not None
    assert issue.text == f"The model's folder {folder} does not exist."
    assert issue.hint == "Restore the folder, or add the data again."
