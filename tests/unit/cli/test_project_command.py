"""``studio project``: what belongs to a model, shown and set."""

from __future__ import annotations

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
