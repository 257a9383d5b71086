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


DEPLOYS = Step(
    name="d",
    title="Step",
    summary="",
    options=(Option("model", Kind.MODEL), Option("bundle", Kind.FOLDER)),
    work="x:y",
)


def version(registry: Registry, folder: Path) -> Path:
    """Add a version whose bundle is a folder."""
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    variant = registry.find("digits")
    made = registry.add_version(variant.model, variant.id, registry.adopt(folder), "ab" * 32, 1)
    return made.path


@pytest.mark.parametrize("name", ["digits:1", "digits@production"])
def test_a_version_is_its_bundle(registry: Registry, tmp_path: Path, name: str) -> None:
    folder = version(registry, tmp_path / "bundle")
    stored = registry.versions()[0]
    registry.ledger.move_alias(
        stored.model, "production", stored.id, why="test", evidence={}, by="anna"
    )
    resolved = resolve(DEPLOYS, {"model": name}, registry)
    assert resolved.arguments == {"model": None, "bundle": str(folder)}
    assert resolved.reads == (folder,)


def test_a_file_and_a_variant_come_before_a_version(registry: Registry, tmp_path: Path) -> None:
    version(registry, tmp_path / "bundle")
    file = tmp_path / "other.onnx"
    file.write_bytes(b"y")
    model = registry.find("digits").model
    registry.add_variant(model, "1", registry.adopt(file), format="onnx", precision="fp32")
    resolved = resolve(DEPLOYS, {"model": "digits:1"}, registry)
    assert resolved.arguments["model"]["name"] == "1"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("digits:7", "Unknown version 7 of digits"),
        ("digits@nowhere", "no alias 'nowhere'"),
        ("other:1", "Unknown model 'other'"),
        ("digits:1", "The bundle of digits:1 was removed."),
    ],
)
def test_a_version_that_cannot_be_had_is_one_sentence(
    registry: Registry, tmp_path: Path, name: str, words: str
) -> None:
    folder = version(registry, tmp_path / "bundle")
    folder.parent.chmod(0o700)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=words):
        resolve(DEPLOYS, {"model": name}, registry)


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
