"""Paths that somebody typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.settings import full_path
from studio.steps.catalogue import steps
from studio.steps.resolve import resolve


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file two folders down, seen from its folder's sibling and from a home."""
    folder = tmp_path / "far" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = folder / "a.onnx"
    path.write_bytes(b"a")
    return path


SPELLINGS = (
    "../far/deep/a.onnx",
    "~/far/./deep/a.onnx",
    "../link/../deep/a.onnx",
    "~//link/a.onnx",
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_spelling_names_the_file_without_a_parent(text: str, file: Path) -> None:
    path = full_path(text)
    assert path.samefile(file)
    assert ".." not in path.parts


def test_a_parent_at_the_end_is_followed_as_the_kernel_does(file: Path) -> None:
    assert full_path("../link/..") == file.parent.parent.resolve()


def test_a_link_keeps_its_name(file: Path) -> None:
    named = file.with_name("named.onnx")
    named.symlink_to(file)
    assert full_path("../far/deep/named.onnx") == named


def test_the_home_of_an_unknown_user_is_a_folder_of_that_name(file: Path) -> None:
    assert full_path("~nobody-of-that-name/a") == Path(os.getcwd(), "~nobody-of-that-name", "a")


@pytest.mark.parametrize(
    ("step", "option"),
    [
        ("inspect", "model"),
        ("convert", "source"),
        ("app-check", "app"),
        ("plugins-check", "folder"),
        ("project-import", "archive"),
    ],
)
def test_a_step_reads_the_same_place_for_each_spelling(
    step: str, option: str, file: Path, tmp_path: Path
) -> None:
    registry = Registry.open(tmp_path / "registry")
    for text in (str(file), *SPELLINGS):
        given = os.path.dirname(text) if option == "folder" else text
        (path,) = resolve(steps()[step], {option: given}, registry).reads
        assert path.samefile(file.parent if option == "folder" else file)
        assert ".." not in path.parts
