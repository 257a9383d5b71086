"""Arguments of steps: checked, looked up, made readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Kind, Option, UsageError
from studio.jobs import Step
from studio.registry import Registry
from studio.steps.resolve import model_files, resolve

STEP = Step(
    name="s",
    title="Step",
    summary="",
    options=(
        Option("model", Kind.MODEL, many=True),
        Option("data", Kind.DATA),
        Option("file", Kind.FILE),
        Option("source", Kind.FILE, folders=True),
        Option("out", Kind.OUTPUT),
        Option("target", Kind.TARGET, "local"),
        Option("samples", Kind.INTEGER, 64, minimum=1),
    ),
    work="x:y",
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    file = tmp_path / "m.onnx"
    file.write_bytes(b"x")
    model = registry.add_model("digits")
    registry.add_variant(model, "fp32", registry.adopt(file), format="onnx", precision="fp32")
    yield registry
    registry.close()


def test_models_and_targets_are_looked_up(registry: Registry) -> None:
    resolved = resolve(STEP, {"model": ["digits"], "samples": "8"}, registry)
    (model,) = resolved.arguments["model"]
    assert (model["model_name"], model["name"], model["variant"]) == ("digits", "fp32", 1)
    assert resolved.arguments["target"]["url"] == "local:"
    assert resolved.arguments["samples"] == 8
    assert resolved.reads == (Path(model["path"]),)
    assert resolved.subject == "digits fp32"


def test_a_folder_where_one_will_do(registry: Registry, tmp_path: Path) -> None:
    resolved = resolve(STEP, {"source": str(tmp_path)}, registry)
    assert resolved.reads == (tmp_path,)
    with pytest.raises(UsageError, match="is a folder, not a file"):
        resolve(STEP, {"file": str(tmp_path)}, registry)
    with pytest.raises(UsageError, match="does not exist") as raised:
        resolve(STEP, {"source": str(tmp_path / "none")}, registry)
    assert raised.value.hint == "Check the path, or choose another one."


def test_data_becomes_absolute_and_readable(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    resolved = resolve(STEP, {"data": "data"}, registry)
    assert resolved.arguments["data"] == str(tmp_path / "data")
    assert resolved.reads == (tmp_path / "data",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": ["none"]}, "No file or registered model named 'none'"),
        ({"target": "roof"}, "Unknown target: 'roof'"),
        ({"data": "missing"}, "Data: missing does not exist"),
        ({"file": "/"}, "is a folder, not a file"),
        ({"out": "/no/such/place"}, "the folder /no/such does not exist"),
        ({"samples": 0}, "at least 1"),
        ({"samples": "many"}, "whole number"),
        ({"colour": 1}, "Unknown option 'colour'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    registry: Registry, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as raised:
        resolve(STEP, given, registry)
    assert words in raised.value.message


def test_models_given_as_files_are_told_apart(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(b"x")
    assert model_files(STEP, {"model": [str(file), "digits"]}, registry) == [("model", file)]


def test_a_folder_does_not_hide_the_model_that_was_made_of_it(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "other", "empty"):
        (tmp_path / name).mkdir()
    for name in ("digits", "other"):
        (tmp_path / name / "config.json").touch()
        (tmp_path / name / "model.safetensors").touch()
    found = model_files(STEP, {"model": ["digits", "digits:fp32", "other", "empty"]}, registry)
    assert found == [("model", tmp_path / "other")]


def test_what_lies_beside_a_file_of_data_is_readable_too(
    registry: Registry, tmp_path: Path
) -> None:
    for name in ("v.mp4", "preprocess.toml", "dictionary.txt", "private.txt"):
        (tmp_path / name).touch()
    resolved = resolve(STEP, {"data": str(tmp_path / "v.mp4")}, registry)
    names = [path.name for path in resolved.reads]
    assert names == ["v.mp4", "preprocess.toml", "dictionary.txt"]
