"""The app of a bundle: written by packaging, read by the server, refused when it is altered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.api import InvalidData
from studio.packages.bundle import Bundle
from studio.runtime.apps.settings import AppError
from studio.runtime.serve.apps.bundle import app_of, file_of, variables_of
from studio.runtime.serve.engine.source import from_bundle
from studio.runtime.shared.errors import LoadError
from tests.rigs.apps import app_bundle, make_app, part_names

TWO = """\
[models.second]
file = "second/model.onnx"
outputs = "detector/outputs.toml"
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "lanes"
    make_app(folder, frames=4, top='files = ["prices.csv"]\nnotice = "For tests."')
    (folder / "prices.csv").write_text("tea,3\n")
    return folder


def changed(bundle: Bundle, **keys: Any) -> Path:
    manifest = json.loads(bundle.text)
    manifest.update(keys)
    (bundle.folder / "manifest.json").write_text(json.dumps(manifest))
    return bundle.folder


def test_an_app_comes_out_of_a_bundle_as_it_went_in(tmp_path: Path, app: Path) -> None:
    bundle = app_bundle(tmp_path, app)
    source = from_bundle(bundle.folder)
    found = app_of(bundle.folder, source)
    assert found is not None
    assert found.models == {"detector": None}
    assert part_names(found.document.to_json()) == ["camera", "boxes", "tracks", "gate", "log"]
    assert source.preprocess is not None
    assert source.decoder is not None
    assert Path(file_of(bundle.folder, "prices.csv")).read_text() == "tea,3\n"
    assert bundle.requirements["opencv-python-headless"]


def test_a_second_model_travels_with_its_settings(tmp_path: Path, app: Path) -> None:
    (app / "second").mkdir()
    for name in ("model.onnx", "preprocess.toml", "labels.txt"):
        (app / "second" / name).write_bytes((app / "detector" / name).read_bytes())
    (app / "app.toml").write_text((app / "app.toml").read_text() + TWO)
    bundle = app_bundle(tmp_path, app)
    found = app_of(bundle.folder, from_bundle(bundle.folder))
    assert found is not None
    second = found.models["second"]
    assert second is not None
    assert second.decoder is not None
    assert second.decoder.labels == ("box",)
    assert second.path == bundle.folder / "app/models/second/model.onnx"
    assert "app/models/second/model.onnx" in {file.name for file in bundle.files}


def test_a_bundle_without_an_app_has_none(tmp_path: Path, app: Path) -> None:
    bundle = app_bundle(tmp_path, app)
    folder = changed(bundle, app=None)
    assert app_of(folder, from_bundle(folder)) is None


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"app": 3}, "An app is a table"),
        ({"app": {"name": "a"}}, "no source"),
        ({"app_models": [{"name": "m", "file": "../../etc/passwd"}]}, "outside the app"),
        ({"app_models": [{"name": "m", "file": "/etc/passwd"}]}, "outside the app"),
        ({"app_models": [{"name": "m", "file": "nowhere.onnx"}]}, "lacks the file nowhere.onnx"),
        ({"app_models": [{"name": "m", "file": "model.onnx", "outputs": {"a": 1}}]}, "'a'"),
        (
            {"app_models": [{"name": "m", "file": "model.onnx", "labels": "../x"}]},
            "outside the app",
        ),
    ],
)
def test_an_app_that_cannot_run_is_one_sentence(
    tmp_path: Path, app: Path, keys: dict[str, Any], words: str
) -> None:
    folder = changed(app_bundle(tmp_path, app), **keys)
    with pytest.raises(LoadError, match="The app of the bundle cannot run") as caught:
        app_of(folder, from_bundle(folder))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["../app.toml", "/nowhere/at/all", "a/../../b", "none.csv"])
def test_a_file_outside_the_app_is_refused(tmp_path: Path, app: Path, name: str) -> None:
    bundle = app_bundle(tmp_path, app)
    with pytest.raises(AppError):
        file_of(bundle.folder, name)


def test_a_file_that_would_travel_from_outside_is_refused(tmp_path: Path, app: Path) -> None:
    (tmp_path / "secret.txt").write_text("key")
    text = (app / "app.toml").read_text().replace("prices.csv", "../secret.txt")
    (app / "app.toml").write_text(text)
    with pytest.raises(InvalidData, match="outside the folder of the app"):
        app_bundle(tmp_path, app)


def test_a_link_out_of_the_app_is_refused(tmp_path: Path, app: Path) -> None:
    (tmp_path / "secret.txt").write_text("key")
    (app / "prices.csv").unlink()
    (app / "prices.csv").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(InvalidData, match="outside the folder of the app"):
        app_bundle(tmp_path, app)


def test_variables_of_the_board_come_from_its_file_and_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert variables_of(None) == {}
    assert variables_of(tmp_path) == {}
    (tmp_path / "app-variables.json").write_text('{"FILM": "a", "URL": "b"}')
    monkeypatch.setenv("EDGEWRIGHT_APP_VARIABLES", '{"URL": "c"}')
    assert variables_of(tmp_path) == {"FILM": "a", "URL": "c"}


@pytest.mark.parametrize("text", ["[]", "{", '{"A": 3}', "null", "x" * 70_000])
def test_variables_that_are_none_are_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "app-variables.json").write_text(text)
    with pytest.raises(LoadError, match="no JSON object of texts"):
        variables_of(tmp_path)


def test_a_folder_of_an_app_is_found_too(app: Path) -> None:
    (app / "app" / "frames").mkdir(parents=True)
    assert Path(file_of(app, "frames")) == app / "app" / "frames"
    with pytest.raises(AppError, match="lacks the file pictures"):
        file_of(app, "pictures")
    with pytest.raises(AppError, match="outside the app"):
        file_of(app, "../frames")
