"""Hostile model files by the command line: nothing of them runs, one sentence each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.e2e.hostile_files import archives, graphs, pickles, places, weights
from tests.e2e.hostile_files.kinds import STATUS, Hostile, Payload
from tests.e2e.hostile_files.runs import HostileRun, files_below, run

pytestmark = pytest.mark.slow

FILES = (*pickles.FILES, *archives.FILES, *weights.FILES, *graphs.FILES, *places.FILES)
PICKLES = [one for one in FILES if one.has_pickle]
READER = Path(__file__).parent / "hostile_files" / "careless_reader.py"
MOST_MB = 1024
SECONDS = 60


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """One home for all files: none of them may change it."""
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def without_walls(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A home whose workers have no sandbox: there, nothing but the reader's care is left."""
    studio = Studio(tmp_path_factory.mktemp("without-walls"))
    settings = studio.home / "edgewright" / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"sandbox": false}')
    return studio


def hostile(folder: Path, file: Hostile) -> tuple[Path, Path]:
    """Make a file in a folder of its own; returns it and the canary's place."""
    place, canary = folder / "model", folder / "canary"
    place.mkdir()
    return file.make(place, Payload(canary)), canary


def opened(studio: Studio, file: Hostile, path: Path, digits: Path) -> HostileRun:
    words = [word.format(file=path, model=digits / "digits.onnx") for word in file.command]
    return run(words, studio, SECONDS, watched=path.parent.parent)


def test_there_are_sixty_of_them_and_no_two_have_one_name() -> None:
    assert len({one.name for one in FILES}) == len(FILES) >= 60
    assert len(PICKLES) >= 20


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_a_hostile_file_ends_in_one_sentence(
    command: Studio, tmp_path: Path, digits: Path, file: Hostile
) -> None:
    path, canary = hostile(tmp_path, file)
    ended = opened(command, file, path, digits)
    assert not canary.exists()
    assert ended.code == file.code, ended.err
    assert file.words in ended.sentence
    assert ended.faults == []
    assert ended.out == ""
    assert ended.megabytes < MOST_MB


@pytest.mark.parametrize("file", PICKLES, ids=lambda one: one.name)
def test_no_pickle_runs_where_there_are_no_walls(
    without_walls: Studio, tmp_path: Path, digits: Path, file: Hostile
) -> None:
    path, canary = hostile(tmp_path, file)
    ended = opened(without_walls, file, path, digits)
    assert not canary.exists()
    assert file.words in ended.sentence
    assert ended.faults == []


@pytest.mark.parametrize("file", PICKLES, ids=lambda one: one.name)
def test_a_reader_without_care_runs_each_pickle(tmp_path: Path, file: Hostile) -> None:
    path, canary = hostile(tmp_path, file)
    before = files_below(tmp_path)
    done = subprocess.run([sys.executable, READER, path], cwd=tmp_path, check=False)
    assert done.returncode == STATUS
    assert canary.exists()
    assert files_below(tmp_path) != before


def test_a_file_that_is_written_and_a_line_too_many_are_seen(
    command: Studio, tmp_path: Path
) -> None:
    code = "import sys; open('left', 'w'); sys.stderr.write('a\\x1b[2J\\nb\\nTraceback\\n')"
    ended = run_python(command, tmp_path, code)
    assert [fault.split(":")[0] for fault in ended.faults] == ["written", "obeyed", "lines"]


def test_the_memory_of_a_grandchild_is_seen(command: Studio, tmp_path: Path) -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b\"x\" * (1 << 30)'])"
    assert run_python(command, tmp_path, child).megabytes > MOST_MB


def run_python(command: Studio, folder: Path, code: str) -> HostileRun:
    words: Sequence[str] = ("-c", code)
    return run(words, command, SECONDS, watched=folder, program=sys.executable)


def test_names_in_a_sound_model_are_not_obeyed(command: Studio, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(graphs.named_by_a_stranger())
    ended = run(["inspect", os.fspath(path)], command, SECONDS, watched=tmp_path)
    assert ended.code == 0
    assert "owned" in ended.out
    assert [fault for fault in ended.faults if not fault.startswith("lines")] == []
