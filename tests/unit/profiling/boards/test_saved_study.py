"""Finished boards on the disk: kept, resumed, and refused where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.profiling.boards.results import StudyRow
from studio.profiling.boards.saved_study import SavedStudy
from studio.profiling.boards.step import StudyOptions
from studio.registry import ModelRef

MODEL = ModelRef("/m.onnx", "d" * 64, 1, 1, "m", "fp32", "onnx", "fp32")
OPTIONS = StudyOptions(model=(MODEL,))


def test_a_finished_board_is_found_again(tmp_path: Path) -> None:
    saved = SavedStudy.begin(tmp_path, OPTIONS)
    saved.keep(StudyRow("cam-1/door", "measured", arch="aarch64"))
    found = SavedStudy.find(tmp_path, "last", OPTIONS)
    assert found.name == saved.name
    assert found.row("cam-1/door") == StudyRow("cam-1/door", "measured", arch="aarch64", kept=True)
    assert found.row("cam-2") is None


def test_names_of_boards_stay_in_the_folder(tmp_path: Path) -> None:
    saved = SavedStudy.begin(tmp_path / "studies", OPTIONS)
    saved.keep(StudyRow("../../../escaped", "measured"))
    assert [one.name for one in tmp_path.iterdir()] == ["studies"]


def test_other_settings_are_refused(tmp_path: Path) -> None:
    SavedStudy.begin(tmp_path, OPTIONS)
    with pytest.raises(UsageError, match="has other models or settings"):
        SavedStudy.find(tmp_path, "last", replace(OPTIONS, seconds=3.0))


def test_other_boards_and_patience_are_not_other_settings(tmp_path: Path) -> None:
    saved = SavedStudy.begin(tmp_path, OPTIONS)
    changed = replace(OPTIONS, parallel=2, wait=60.0, resume=saved.name)
    assert SavedStudy.find(tmp_path, saved.name, changed).name == saved.name


@pytest.mark.parametrize("name", ["last", "20990101-000000", "../other", ""])
def test_unknown_studies_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"Unknown study|No study to resume"):
        SavedStudy.find(tmp_path / "studies", name, OPTIONS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"row": 7}', '{"row": {"state": 1}}'])
def test_a_damaged_file_counts_as_not_measured(tmp_path: Path, text: str) -> None:
    saved = SavedStudy.begin(tmp_path, OPTIONS)
    saved.keep(StudyRow("cam-1", "measured"))
    [file] = [one for one in saved.folder.iterdir() if one.name != "study.json"]
    file.write_text(text)
    assert saved.row("cam-1") is None


def test_two_studies_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    names = {SavedStudy.begin(tmp_path, OPTIONS).name for _ in range(3)}
    assert len(names) == 3
