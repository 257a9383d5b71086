"""``studio project``: what belongs to a model, shown and set."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.settings import resource
from tests.unit.cli.test_commands import run_json

DIGITS = Path(str(resource("samples", "digits", "digits.onnx")))

pytestmark = pytest.mark.usefixtures("studio_home")


def test_the_sample_brings_its_project(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, _ = run_json(capsys, "project", "show", str(DIGITS))
    assert code == 0
    assert (shown["model"], shown["task"], shown["metric"]) == ("digits", "classification", "top1")
    for field, name in (
        ("preprocess", "preprocess.toml"),
        ("calibration", "calibration.npz"),
        ("heldout", "heldout.npz"),
        ("labels", "labels.txt"),
    ):
        assert shown[field] == str(DIGITS.with_name(name))
    assert shown["issues"] == []
    code, kept, _ = run_json(capsys, "project", "set", "digits", "--metric", "f1")
    assert (code, kept["metric"]) == (0, "f1")
    assert main(["project", "show", "digits"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("metric")] == [
        ["metric", "f1", "you"]
    ]


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """A copy of the sample, next to which a file may be written."""
    return Path(shutil.copytree(DIGITS.parent, tmp_path / "digits")) / "digits.onnx"


def test_the_meaning_of_outputs_is_recognised_and_written(
    capsys: pytest.CaptureFixture[str], digits: Path
) -> None:
    file = digits.with_name("outputs.toml")
    code, shown, _ = run_json(capsys, "project", "outputs", str(digits), "--dry-run")
    assert code == 0
    assert shown["meaning"] == "Classes"
    assert not file.exists()
    code, written, _ = run_json(capsys, "project", "outputs", str(digits))
    assert (code, written["path"]) == (0, str(file))
    assert file.read_text() == shown["text"]
    assert tomllib.loads(shown["text"]) == {"task": "classification", "activation": "auto"}


def test_a_file_is_replaced_only_where_that_is_wanted(
    capsys: pytest.CaptureFixture[str], digits: Path
) -> None:
    file = digits.with_name("outputs.toml")
    file.write_text("mine")
    assert main(["project", "outputs", str(digits)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_text() == "mine"
    given = ["--task", "regression", "--unit", "mm", "--replace"]
    assert main(["project", "outputs", str(digits), *given]) == 0
    assert tomllib.loads(file.read_text()) == {"task": "regression", "unit": "mm"}


def test_a_link_is_not_written_through(capsys: pytest.CaptureFixture[str], digits: Path) -> None:
    target = digits.with_name("mine.txt")
    target.write_text("mine")
    digits.with_name("outputs.toml").symlink_to(target)
    assert main(["project", "outputs", str(digits), "--replace"]) == 2
    assert "is a link" in capsys.readouterr().err
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (["--task", "keypoints", "--head", "movenet"], 1, "does not fit the model"),
        (["--task", "keypoints", "--head", "yolov8"], 2, "head cannot be 'yolov8' for keypoints"),
        (["--threshold", "2"], 2, "Least score must be at most 1"),
        (["--task", "magic"], 2, "magic"),
    ],
)
def test_settings_that_do_not_fit_write_nothing(
    capsys: pytest.CaptureFixture[str], digits: Path, given: list[str], code: int, sentence: str
) -> None:
    assert main(["project", "outputs", str(digits), *given]) == code
    assert sentence in capsys.readouterr().err
    assert not digits.with_name("outputs.toml").exists()


def test_a_mistake_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["project", "show", "nothing"]) == 2
    assert "No file or registered model named 'nothing'" in capsys.readouterr().err
    other = tmp_path / "model.onnx"
    other.write_text("no model")
    assert main(["project", "show", str(other)]) == 1
    assert "model.onnx" in capsys.readouterr().err


def test_the_pipeline_is_printed_or_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["project", "pipeline", str(DIGITS)]) == 0
    text = capsys.readouterr().out
    assert f'model = "{DIGITS}"' in text
    pipeline = tmp_path / "pipeline.toml"
    code, written, _ = run_json(capsys, "project", "pipeline", "digits", "--out", str(pipeline))
    assert (code, written) == (0, {"pipeline": text, "out": str(pipeline)})
    assert pipeline.read_text() == text
    pipeline.write_text("mine")
    code, _, error = run_json(capsys, "project", "pipeline", "digits", "--out", str(pipeline))
    assert code == 2
    assert "exists already" in error
    assert pipeline.read_text() == "mine"
    assert main(["project", "pipeline", "digits", "--out", str(pipeline / "p.toml")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_draft_is_written_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = tmp_path / "digits.onnx"
    model.write_bytes(DIGITS.read_bytes())
    (tmp_path / "LICENSE").write_text("MIT License")
    code, draft, _ = run_json(capsys, "project", "draft", str(model))
    file = tmp_path / "preprocess.toml"
    assert (code, draft["path"]) == (0, str(file))
    assert file.read_text() == draft["text"]
    assert main(["project", "show", str(model)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["preprocess", str(file), "the", "model's", "folder"] in lines
    assert ["licence", "MIT", "the", "model's", "folder:", "LICENSE"] in lines
    assert main(["project", "draft", str(model)]) == 2
    assert "preprocess.toml exists already" in capsys.readouterr().err
    assert file.read_text() == draft["text"]


def test_a_label_map_that_is_wrong_is_an_issue(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "map.txt"
    file.write_text("cat,12\n")
    main(["project", "show", str(DIGITS)])
    capsys.readouterr()
    code, project, _ = run_json(capsys, "project", "set", "digits", "--label-map", str(file))
    assert (code, project["label_map"]) == (0, str(file))
    [issue] = project["issues"]
    assert issue["text"] == "map.txt maps 'cat' to class 12, and the model has 10 classes."
    assert main(["evaluate", "digits"]) == 2
    assert issue["text"] in capsys.readouterr().err
