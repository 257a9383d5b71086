"""Hostile files of all frameworks: nothing of them runs, inside the walls neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.e2e.hostile_files import archives, exports, hubs, keras, tensorflow, trees
from tests.e2e.hostile_files.kinds import Hostile, Payload
from tests.e2e.hostile_files.runs import HostileRun, run
from tests.integration.toolchains.test_conversion import CONVERTING
from tests.integration.toolchains.test_toolchains import install

MOST_MB = 4096
REFUSED = (*trees.FILES, *keras.FILES, *exports.FILES, *hubs.FILES, *tensorflow.FILES)
CONVERT = ("convert", "{file}", "--input", "2,4")


@pytest.fixture(scope="module")
def command(kept: Studio) -> Studio:
    """The command with the environments."""
    for name in ("pytorch", "lightgbm", "tensorflow"):
        install(kept, name)
    return kept


def converted(command: Studio, folder: Path, file: Hostile, words: tuple[str, ...]) -> HostileRun:
    place, canary = folder / "model", folder / "canary"
    place.mkdir()
    path = file.make(place, Payload(canary))
    given = [word.format(file=path) for word in words]
    ended = run(given, command, CONVERTING, watched=folder)
    assert not canary.exists()
    assert ended.megabytes < MOST_MB
    return ended


@pytest.mark.parametrize("file", REFUSED, ids=lambda one: one.name)
def test_a_hostile_file_runs_nothing(command: Studio, tmp_path: Path, file: Hostile) -> None:
    ended = converted(command, tmp_path, file, file.command)
    assert ended.code == file.code, ended.err
    if file.code == 0:
        assert file.words in ended.out
        assert ended.err == ""
        assert ended.written == ()
        return
    assert file.words in ended.sentence
    assert ended.faults == []


@pytest.mark.parametrize("file", archives.FILES, ids=lambda one: one.name)
def test_an_archive_that_lies_ends_in_one_sentence(
    command: Studio, tmp_path: Path, file: Hostile
) -> None:
    ended = converted(command, tmp_path, file, CONVERT)
    assert ended.code == 1
    assert ended.faults == []
