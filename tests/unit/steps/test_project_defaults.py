"""Steps take what they are not given from the project of their model, and from no other's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import pytest

from studio.api import Kind, UsageError
from studio.projects.results import FIELDS, LISTS
from studio.settings import resource
from studio.steps.catalogue import steps
from studio.steps.project_defaults import OpenedModel, ProjectDefaults, with_project
from studio.workspace import Workspace

DIGITS = resource("samples/digits")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with all that belongs to it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("digits.onnx", "labels.txt", "preprocess.toml", "calibration.npz", "heldout.npz"):
        shutil.copy(DIGITS / name, folder / name)
    return folder


@pytest.fixture
def opened(folder: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as workspace:
        assert workspace.run("open", model=str(folder / "digits.onnx")).ok
        yield workspace


def filled(workspace: Workspace, step: str, **given: Any) -> ProjectDefaults:
    return with_project(steps()[step], {"model": "digits", **given}, workspace.registry)


def names(options: Mapping[str, Any]) -> dict[str, str]:
    return {name: Path(value).name for name, value in options.items() if name != "model"}


def test_packaging_takes_labels_preprocessing_and_samples(opened: Workspace) -> None:
    found = filled(opened, "package")
    assert names(found.options) == {
        "data": "calibration.npz",
        "labels": "labels.txt",
        "preprocess": "preprocess.toml",
    }
    assert "Labels: labels.txt (project: the model's folder)" in found.notes


@pytest.mark.parametrize("step", ["deploy", "rollout", "registry-push", "deb"])
def test_so_does_what_packages_on_its_way(step: str, opened: Workspace) -> None:
    taken = names(filled(opened, step).options)
    assert (taken["labels"], taken["preprocess"]) == ("labels.txt", "preprocess.toml")


def test_quantizing_takes_the_data(opened: Workspace) -> None:
    assert names(filled(opened, "quantize").options) == {
        "data": "calibration.npz",
        "eval_data": "heldout.npz",
    }


def test_data_to_evaluate_with_may_come_from_it(opened: Workspace, folder: Path) -> None:
    assert names(filled(opened, "evaluate").options) == {"data": "heldout.npz"}
    (folder / "heldout.npz").unlink()
    with pytest.raises(UsageError, match="project of digits has no evaluation or heldout") as told:
        opened.run("evaluate", model="digits")
    assert "studio project set digits --evaluation" in told.value.hint


def test_a_profile_measures_with_a_sample_of_the_project(opened: Workspace, folder: Path) -> None:
    found = filled(opened, "profile")
    assert names(found.options) == {"data": "calibration.npz"}
    assert "Data: calibration.npz (project: the model's folder)" in found.notes
    assert "data" not in filled(opened, "profile", data="none").options
    (folder / "calibration.npz").unlink()
    assert names(filled(opened, "profile").options) == {"data": "heldout.npz"}


def test_given_sizes_take_the_place_of_a_sample(opened: Workspace) -> None:
    found = filled(opened, "profile", shapes=["image=4x1x8x8"])
    assert found.notes == ()
    assert "data" not in found.options


def test_what_is_given_counts(opened: Workspace) -> None:
    assert filled(opened, "package", labels="other.txt").options["labels"] == "other.txt"
    assert "labels" not in filled(opened, "package", labels="none").options


def test_a_metric_is_taken_only_where_the_user_chose_it(opened: Workspace) -> None:
    assert "metric" not in filled(opened, "quantize").options
    opened.projects.set("digits", {"metric": "f1"})
    assert filled(opened, "quantize").options["metric"] == "f1"
    assert filled(opened, "quantize", metric="auto").options["metric"] == "f1"
    assert filled(opened, "quantize", metric="top5").options["metric"] == "top5"


def test_quantizing_keeps_the_nodes_of_the_project_in_float(opened: Workspace) -> None:
    opened.projects.set("digits", {"float_nodes": ("conv1", "fc2")})
    for step in ("quantize", "sensitivity"):
        found = filled(opened, step)
        assert found.options["float_nodes"] == ["conv1", "fc2"]
        assert "Nodes kept in float: conv1, fc2 (project: you)" in found.notes
    assert filled(opened, "quantize", float_nodes=["fc2"]).options["float_nodes"] == ["fc2"]
    assert "float_nodes" not in filled(opened, "quantize", float_nodes=["none"]).options


def test_a_new_variant_leaves_the_nodes_of_the_project_in_float(opened: Workspace) -> None:
    opened.projects.set("digits", {"float_nodes": ("conv1", "gone")})
    made = opened.run("quantize", model="digits")
    assert made.ok, made.sentence
    assert made.document["facts"]["kept"] == {"conv1": "asked for"}
    assert made.document["notes"] == ["Not in this model, so not kept in float: gone."]


def test_a_file_of_the_user_that_is_gone_is_an_error(opened: Workspace, tmp_path: Path) -> None:
    labels = tmp_path / "mine.txt"
    labels.write_text("\n".join("0123456789"))
    opened.projects.set("digits", {"labels": str(labels)})
    assert filled(opened, "package").options["labels"] == str(labels)
    labels.unlink()
    with pytest.raises(UsageError, match="is gone") as told:
        filled(opened, "package")
    assert "studio project set digits --labels PATH" in told.value.hint
    assert "labels" not in filled(opened, "package", labels="none").options


def test_a_found_file_that_contradicts_the_model_is_left_out(
    opened: Workspace, folder: Path
) -> None:
    (folder / "labels.txt").write_text("cat\ndog\n")
    found = filled(opened, "package")
    assert "labels" not in found.options
    assert any("labels.txt is not used. The labels have 2 names" in one for one in found.notes)


def test_a_bundle_has_all_that_it_needs(
    opened: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()  # a folder comes before a model of the same name
    assert filled(opened, "deploy").options == {"model": None, "bundle": "digits"}


def test_the_same_model_in_two_folders_has_the_project_of_each(
    opened: Workspace, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "digits.onnx", other)
    (other / "labels.txt").write_text("\n".join("abcdefghij"))
    variant = opened.registry.find("digits").id
    for place in (folder, other):
        model = OpenedModel.of(variant, place / "digits.onnx")
        found = with_project(steps()["package"], {"model": model}, opened.registry)
        assert found.options["labels"] == str(place / "labels.txt")
    assert "preprocess" not in found.options, "that is of the other folder"


def test_a_copy_of_a_variant_has_the_project_of_its_model(
    opened: Workspace, folder: Path, tmp_path: Path
) -> None:
    """What ``quantize --out`` wrote has no data of its own beside it."""
    copy = tmp_path / "copies" / "small.onnx"
    copy.parent.mkdir()
    made = opened.run("quantize", model=f"#{opened.registry.find('digits').id}", out=str(copy))
    assert made.ok, made.sentence
    model = OpenedModel.of(made.document["variant"], copy)
    found = with_project(steps()["package"], {"model": model}, opened.registry)
    assert found.options["labels"] == str(folder / "labels.txt")


def test_by_its_name_a_model_has_the_project_of_its_last_place(
    opened: Workspace, folder: Path, tmp_path: Path
) -> None:
    moved = folder.rename(tmp_path / "moved")
    assert opened.run("open", model=str(moved / "digits.onnx")).ok
    assert filled(opened, "package").options["labels"] == str(moved / "labels.txt")


def test_several_models_take_none(opened: Workspace, folder: Path) -> None:
    step, registry = steps()["profile"], opened.registry
    other = onnx.load(folder / "digits.onnx")
    other.producer_name = "another"
    onnx.save(other, folder / "other.onnx")
    assert opened.run("open", model=str(folder / "other.onnx")).ok
    assert with_project(step, {"model": ["digits"]}, registry).notes
    assert with_project(step, {"model": ["digits", "other"]}, registry).notes == ()


def test_every_option_names_fields_that_a_project_has() -> None:
    """``evaluation`` of a step's option is one of the project, and names a file where it must."""
    for step in steps().values():
        for option in step.form:
            assert set(option.project) <= set(FIELDS), (step.name, option.name)
            if set(option.project) & set(LISTS):
                assert option.many, (step.name, option.name)
            elif option.project and option.name != "metric":
                assert option.kind in (Kind.FILE, Kind.DATA), (step.name, option.name)


def test_held_out_data_judge_where_other_data_choose(opened: Workspace, folder: Path) -> None:
    shutil.copy(DIGITS / "calibration.npz", folder / "evaluation.npz")
    found = filled(opened, "quantize", search=True)
    assert names({k: v for k, v in found.options.items() if k != "search"}) == {
        "data": "calibration.npz",
        "eval_data": "evaluation.npz",
        "heldout_data": "heldout.npz",
    }
    assert "Held-out data: heldout.npz (project: the model's folder)" in found.notes
    assert names(filled(opened, "evaluate").options) == {
        "data": "evaluation.npz",
        "heldout_data": "heldout.npz",
    }
    assert "heldout_data" not in filled(opened, "quantize", heldout_data="none").options


@pytest.mark.parametrize(("step", "given"), [("quantize", "eval_data"), ("evaluate", "data")])
def test_labelled_data_that_are_given_judge_alone(
    step: str, given: str, opened: Workspace, folder: Path
) -> None:
    shutil.copy(DIGITS / "calibration.npz", folder / "evaluation.npz")
    assert "heldout_data" not in filled(opened, step, **{given: "mine.npz"}).options


def test_data_set_for_both_is_never_held_out(opened: Workspace, folder: Path) -> None:
    path = str(folder / "heldout.npz")
    opened.projects.set("digits", {"evaluation": path, "heldout": path})
    found = filled(opened, "quantize")
    assert names(found.options) == {"data": "calibration.npz", "eval_data": "heldout.npz"}


def test_held_out_data_that_are_gone_are_an_error(opened: Workspace, folder: Path) -> None:
    shutil.copy(DIGITS / "calibration.npz", folder / "evaluation.npz")
    opened.projects.set("digits", {"heldout": str(folder / "gone.npz")})
    with pytest.raises(UsageError, match=r"gone\.npz is gone") as caught:
        filled(opened, "quantize")
    assert "studio project set digits --heldout PATH" in caught.value.hint
