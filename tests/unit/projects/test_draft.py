"""The first ``preprocess.toml`` of a model: shown, written once, and never over another file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import InvalidData, StudioError, UsageError
from studio.datasets.preprocess import Preprocess
from studio.documents.dataclass_json import to_json
from studio.models.results import ModelFigures, Terminal
from studio.projects import record, texts
from studio.projects.draft import PreprocessDraft
from studio.projects.projects import Projects
from studio.projects.step import DraftOptions
from studio.registry import ModelRef, Registry, VariantRecord

IMAGE = Terminal("image", "float32", ("batch", 3, 32, 64))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "home" / "registry")
    yield registry
    registry.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def opened(registry: Registry, folder: Path, *inputs: Terminal) -> VariantRecord:
    file = folder / "m.onnx"
    file.write_text("m")
    copy = folder / "copy"
    copy.write_text("m")
    figures = ModelFigures(inputs=inputs or (IMAGE,))
    return registry.add_variant(
        registry.add_model("m"),
        "fp32",
        registry.adopt(copy),
        format="onnx",
        precision="fp32",
        options={"model": str(file)},
        summary=to_json(figures),
    )


def test_what_is_shown_is_written_and_picked_up(registry: Registry, folder: Path) -> None:
    variant, projects = opened(registry, folder), Projects(registry)
    shown = projects.draft(variant)
    assert shown.path == folder / "preprocess.toml"
    assert not shown.path.exists(), "nothing is written before it is confirmed"
    options = DraftOptions(model=ModelRef.of(variant))
    result = record.draft(registry, options, folder)
    assert Path(result.path).read_text() == shown.text == result.text
    read = Preprocess.from_toml(shown.path)
    assert (read.height, read.width, read.layout) == (32, 64, "NCHW")
    assert projects.of(variant).preprocess == result.path
    assert "Check color, scale, mean and std" in texts.draft(result)[-1]


def test_no_file_is_ever_replaced(registry: Registry, folder: Path) -> None:
    variant = opened(registry, folder)
    shown = PreprocessDraft.of(registry, variant)
    file = folder / "preprocess.toml"
    file.write_text("mine")
    with pytest.raises(StudioError, match="exists already"):
        shown.write()  # it came while the question was open
    with pytest.raises(UsageError, match="exists already"):
        PreprocessDraft.of(registry, variant)
    assert file.read_text() == "mine"


def test_a_link_is_not_followed(registry: Registry, folder: Path, tmp_path: Path) -> None:
    variant = opened(registry, folder)
    shown = PreprocessDraft.of(registry, variant)
    (folder / "preprocess.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(StudioError, match="exists already"):
        shown.write()
    with pytest.raises(UsageError, match="exists already"):
        PreprocessDraft.of(registry, variant)
    assert not (tmp_path / "elsewhere.toml").exists()


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ((replace(IMAGE, shape=(1, 10)),), "that is no batch of pictures"),
        ((replace(IMAGE, shape=None),), "that is no batch of pictures"),
        ((IMAGE, replace(IMAGE, name="mask")), "has 2 inputs"),
        ((Terminal(),), "that is no batch of pictures"),
    ],
)
def test_a_model_without_pictures_gets_none(
    inputs: tuple[Terminal, ...], sentence: str, registry: Registry, folder: Path
) -> None:
    with pytest.raises(InvalidData, match=sentence):
        PreprocessDraft.of(registry, opened(registry, folder, *inputs))


def test_a_folder_that_is_gone_is_one_sentence(registry: Registry, folder: Path) -> None:
    variant = opened(registry, folder)
    shutil.rmtree(folder)
    with pytest.raises(UsageError, match="The folder of m is gone"):
        PreprocessDraft.of(registry, variant)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(
    registry: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = PreprocessDraft.of(registry, opened(registry, folder))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StudioError, match="cannot be written: No space left on device"):
        shown.write()
