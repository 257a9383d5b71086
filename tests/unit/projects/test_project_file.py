"""``project.toml``: mistakes have a place, and nothing in it leads out of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.projects.project_file import FILE, ProjectSettings, read_settings


def written(folder: Path, text: str) -> Path:
    file = folder / FILE
    file.write_text(text)
    return file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    text = 'task = "detection"\nmetric = "map"\nlabels = "lists/l.txt"\ntargets = ["pi"]\n'
    seen = read_settings(written(tmp_path, text), tmp_path)
    assert seen.texts == {"task": "detection", "metric": "map"}
    assert seen.paths == {"labels": tmp_path / "lists/l.txt"}
    assert seen.lists == {"targets": ("pi",)}


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert read_settings(tmp_path / FILE, tmp_path) == ProjectSettings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tsk = 'detection'", "project.toml, line 1, column 1: unknown key 'tsk'; the nearest"),
        ("task = 'flying'", "project.toml, line 1, column 1: unknown task 'flying'."),
        ("metric = 3", "line 1, column 1: metric must be a text."),
        ("labels = ''", "labels must be a text."),
        ("labels = '/etc/passwd'", "labels must lie in the project's folder."),
        ("labels = 'a/../../b'", "labels must lie in the project's folder."),
        ("targets = 'pi'", "targets must be a list of names."),
        ("targets = [1]", "targets must be a list of names."),
        ("task = ", "this is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_settings(written(tmp_path, text), tmp_path)
    assert sentence in caught.value.message


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder, secret = tmp_path / "downloaded", tmp_path / "id_rsa"
    folder.mkdir()
    secret.write_text("secret")
    (folder / "list.txt").symlink_to(secret)
    with pytest.raises(UsageError, match="leads out of the project's folder"):
        read_settings(written(folder, "labels = 'list.txt'"), folder)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read_settings(file, tmp_path)
    file.write_bytes(b"#" * 70_000)
    with pytest.raises(UsageError, match="larger than 64 KB"):
        read_settings(file, tmp_path)
    with pytest.raises(UsageError, match="is not a file"):
        read_settings(tmp_path, tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(UsageError, match="is not a file"):
        read_settings(file, tmp_path)


def test_a_file_that_is_itself_a_link_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "downloaded"
    folder.mkdir()
    written(tmp_path, "secret = 1")
    (folder / FILE).symlink_to(tmp_path / FILE)
    with pytest.raises(UsageError, match="link that leads out of its folder") as caught:
        read_settings(folder / FILE, folder)
    assert "secret" not in caught.value.message


def test_what_was_set_is_written_and_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "projects" / "a.toml"
    first = ProjectSettings().changed(
        {"task": "detection", "labels": '/data/"x".txt', "targets": ("pi", "roof")}
    )
    first.write(file)
    assert read_settings(file, None) == first
    second = first.changed({"labels": None, "targets": None, "metric": "map"})
    second.write(file)
    assert read_settings(file, None) == second
    assert second.texts == {"task": "detection", "metric": "map"}
    assert (second.paths, second.lists) == ({}, {})
